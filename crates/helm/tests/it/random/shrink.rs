//! Makes a chart that differs as small as it gets while it still differs.

use super::chart::Case;

/// Most charts tried per difference; each is a run of the tool.
const TRIES_MAX: usize = 150;

/// Drops flags, files, blocks of lines, lines and parts of expressions, until nothing more can go.
pub fn shrink(case: &Case, differs: &mut dyn FnMut(&Case) -> bool) -> Case {
    let mut shrinking = Shrinking {
        case: case.clone(),
        tries: 0,
        differs,
    };
    loop {
        let before = shrinking.case.clone();
        shrinking.drop_flags();
        shrinking.drop_files();
        shrinking.drop_lines();
        shrinking.drop_parts();
        if shrinking.case == before || shrinking.tries >= TRIES_MAX {
            return shrinking.case;
        }
    }
}

struct Shrinking<'a> {
    case: Case,
    tries: usize,
    differs: &'a mut dyn FnMut(&Case) -> bool,
}

impl Shrinking<'_> {
    fn try_with(&mut self, smaller: Case) -> bool {
        if self.tries >= TRIES_MAX {
            return false;
        }
        self.tries += 1;
        let differs = (self.differs)(&smaller);
        if differs {
            self.case = smaller;
        }
        differs
    }

    fn drop_flags(&mut self) {
        for at in (0..self.case.flags.len()).rev() {
            let mut smaller = self.case.clone();
            smaller.flags.remove(at);
            self.try_with(smaller);
        }
    }

    fn drop_files(&mut self) {
        let names: Vec<String> = self.case.files.keys().cloned().collect();
        for name in names.iter().filter(|name| *name != "Chart.yaml") {
            let mut smaller = self.case.clone();
            smaller.files.remove(name);
            // A file of values is there as long as its flag is.
            if !name.starts_with("values/") {
                self.try_with(smaller);
            }
        }
    }

    fn replace(&mut self, name: &str, text: String) -> bool {
        let mut smaller = self.case.clone();
        smaller.files.insert(name.to_owned(), text);
        self.try_with(smaller)
    }

    /// Tries halves, quarters and so on down to single lines.
    fn drop_lines(&mut self) {
        let names: Vec<String> = self.case.files.keys().cloned().collect();
        for name in names {
            let mut lines: Vec<String> = self.case.files[&name]
                .split_inclusive('\n')
                .map(str::to_owned)
                .collect();
            if name.contains("templates/")
                && lines.len() > 1
                && lines
                    .clone()
                    .iter()
                    .any(|line| self.replace(&name, line.clone()))
            {
                continue;
            }
            let mut size = lines.len().div_ceil(2);
            while size > 0 {
                let mut at = 0;
                while at < lines.len() {
                    let mut fewer = lines.clone();
                    fewer.drain(at..(at + size).min(lines.len()));
                    if self.replace(&name, fewer.concat()) {
                        lines = fewer;
                    } else {
                        at += size;
                    }
                }
                size /= 2;
            }
        }
    }

    /// Tries templates without parentheses' contents, without stages of pipelines, and without words.
    fn drop_parts(&mut self) {
        let names: Vec<String> = self
            .case
            .files
            .keys()
            .filter(|name| name.contains("templates/"))
            .cloned()
            .collect();
        for name in names {
            let mut from = 0;
            while let Some((start, end)) = group(&self.case.files[&name], from) {
                let text = self.case.files[&name].clone();
                let inside = &text[start + 1..end - 1];
                let tries = [
                    "1".to_owned(),
                    "\"a\"".to_owned(),
                    String::new(),
                    inside.to_owned(),
                ];
                let done = tries.into_iter().any(|with| {
                    with.len() < end - start - 2
                        && self.replace(&name, format!("{}{with}{}", &text[..start], &text[end..]))
                });
                if !done {
                    from = start + 1;
                }
            }
            for mark in [" | ", " "] {
                let mut from = 0;
                while let Some(found) = self.case.files[&name]
                    .get(from..)
                    .and_then(|text| text.find(mark))
                {
                    let text = self.case.files[&name].clone();
                    let start = from + found;
                    let rest = &text[start + mark.len()..];
                    let length = rest.find([' ', '}', ')', '\n']).unwrap_or(rest.len());
                    let end = start + mark.len() + length;
                    if length == 0
                        || !self.replace(&name, format!("{}{}", &text[..start], &text[end..]))
                    {
                        from = start + 1;
                    }
                }
            }
        }
    }
}

/// The first group in parentheses from a place on.
fn group(text: &str, from: usize) -> Option<(usize, usize)> {
    let start = from + text.get(from..)?.find('(')?;
    let mut depth = 0;
    for (at, letter) in text[start..].char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            '\n' => return group(text, start + 1),
            _ => {}
        }
        if depth == 0 {
            return Some((start, start + at + 1));
        }
    }
    group(text, start + 1)
}
