//! Makes a tree that differs as small as it gets while it still differs.

use super::check::Files;

/// Most trees tried per difference; each is a run of the tool.
const TRIES_MAX: usize = 600;

/// Drops files, then blocks of lines, then lines, until nothing more can go.
pub fn shrink(files: &Files, differs: &mut dyn FnMut(&Files) -> bool) -> Files {
    let mut shrinking = Shrinking {
        files: files.clone(),
        tries: 0,
        differs,
    };
    loop {
        let before = shrinking.files.clone();
        shrinking.drop_files();
        shrinking.drop_lines();
        shrinking.shorten_values();
        if shrinking.files == before || shrinking.tries >= TRIES_MAX {
            return shrinking.files;
        }
    }
}

struct Shrinking<'a> {
    files: Files,
    tries: usize,
    differs: &'a mut dyn FnMut(&Files) -> bool,
}

impl Shrinking<'_> {
    fn try_with(&mut self, smaller: Files) -> bool {
        if self.tries >= TRIES_MAX {
            return false;
        }
        self.tries += 1;
        let differs = (self.differs)(&smaller);
        if differs {
            self.files = smaller;
        }
        differs
    }

    fn drop_files(&mut self) {
        let names: Vec<String> = self.files.keys().cloned().collect();
        for name in names {
            let mut smaller = self.files.clone();
            smaller.remove(&name);
            if !smaller.is_empty() {
                self.try_with(smaller);
            }
        }
    }

    fn replace(&mut self, name: &str, lines: &[&str]) -> bool {
        let mut smaller = self.files.clone();
        smaller.insert(name.to_owned(), lines.concat().into_bytes());
        self.try_with(smaller)
    }

    /// Tries every line with what is nested in it, then every line alone, from the end.
    fn drop_lines(&mut self) {
        let names: Vec<String> = self.files.keys().cloned().collect();
        for name in names {
            for nested in [true, false] {
                let Ok(text) = String::from_utf8(self.files[&name].clone()) else {
                    break;
                };
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                let mut at = 0;
                while at < lines.len() {
                    let end = if nested {
                        block_end(&lines, at)
                    } else {
                        at + 1
                    };
                    let mut fewer = lines.clone();
                    fewer.drain(at..end);
                    if (nested || end == at + 1) && self.replace(&name, &fewer) {
                        lines = fewer;
                    } else {
                        at += 1;
                    }
                }
            }
        }
    }

    /// Tries shorter scalars behind colons and dashes.
    fn shorten_values(&mut self) {
        let names: Vec<String> = self.files.keys().cloned().collect();
        for name in names {
            let Ok(text) = String::from_utf8(self.files[&name].clone()) else {
                continue;
            };
            let mut lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
            for at in 0..lines.len() {
                let Some((key, value)) = lines[at].split_once(": ") else {
                    continue;
                };
                if value.trim_end().len() < 3 || key.trim_start().starts_with('#') {
                    continue;
                }
                let shorter = format!("{key}: x\n");
                let whole = std::mem::replace(&mut lines[at], shorter);
                let borrowed: Vec<&str> = lines.iter().map(String::as_str).collect();
                if !self.replace(&name, &borrowed) {
                    lines[at] = whole;
                }
            }
        }
    }
}

/// The line behind everything nested in the line at `at`.
fn block_end(lines: &[&str], at: usize) -> usize {
    let depth = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let own = depth(lines[at]);
    let is_key = lines[at].trim_end().ends_with(':');
    let mut end = at + 1;
    while let Some(line) = lines.get(end) {
        let nested = depth(line) > own || line.trim().is_empty();
        let item = is_key && depth(line) == own && line.trim_start().starts_with("- ");
        if !nested && !item {
            break;
        }
        end += 1;
    }
    end
}
