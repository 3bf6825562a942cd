//! Which files are left out of an artifact.

use tree::{Entry, Tree, TreeBuilder, TreePath};

/// Most patterns of one source; the largest ignore files have some hundred.
pub const PATTERNS_MAX: usize = 10_000;

/// Most comparisons of a pattern with a file, some seconds of work.
pub const MATCHES_MAX: u64 = 100_000_000;

/// Name of the files that hold patterns for their folder and what is below.
const FILE_NAME: &str = ".sourceignore";

/// Always left out.
const VERSION_CONTROL: &[&str] = &[".git/", ".gitignore", ".gitmodules", ".gitattributes"];

/// Left out when a source says nothing.
const DEFAULTS: &[&str] = &[
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// The patterns of one source, weakest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules(Vec<Pattern>);

/// Patterns that would take too long.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// Too many patterns.
    #[error("the ignore rules have more than {PATTERNS_MAX} patterns")]
    TooMany,
    /// Too many patterns for so many files.
    #[error("{patterns} ignore patterns for {files} files are more than {MATCHES_MAX} comparisons")]
    TooCostly {
        /// Number of patterns.
        patterns: usize,
        /// Number of files.
        files: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// The folder it is valid in.
    domain: TreePath,
    /// Whether it takes files back in.
    negated: bool,
    /// Whether it means folders only.
    folders: bool,
    /// Whether it says where the name has to be.
    anchored: bool,
    segments: Vec<String>,
}

impl Rules {
    /// The rules for a tree: its `.sourceignore` files, then `spec`, the source's own patterns.
    ///
    /// If there is no pattern at all, common files of CI systems and binary ones are left out.
    ///
    /// # Errors
    /// [`IgnoreError::TooMany`].
    ///
    /// # Source
    /// fluxcd/pkg `sourceignore/sourceignore.go`.
    pub fn of(tree: &Tree, spec: Option<&str>) -> Result<Self, IgnoreError> {
        let mut files: Vec<&TreePath> = tree
            .entries()
            .filter(|(path, entry)| {
                path.file_name() == FILE_NAME && matches!(entry, Entry::File { .. })
            })
            .map(|(path, _)| path)
            .collect();
        // A folder's own file comes before those of the folders in it, which then win.
        files.sort_by_cached_key(|path| {
            let parent = path.parent().unwrap_or_default();
            parent.components().map(str::to_owned).collect::<Vec<_>>()
        });
        let root = TreePath::root();
        let mut own = Vec::new();
        for path in files {
            let text = tree.read(path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text).into_owned();
            let folder = path.parent().unwrap_or_default();
            own.extend(patterns(&text, &folder));
            if own.len() > PATTERNS_MAX {
                return Err(IgnoreError::TooMany);
            }
        }
        own.extend(patterns(spec.unwrap_or(""), &root));
        if own.len() > PATTERNS_MAX {
            return Err(IgnoreError::TooMany);
        }
        let defaults = if own.is_empty() { DEFAULTS } else { &[] };
        let fixed = VERSION_CONTROL.iter().chain(defaults);
        let mut all: Vec<Pattern> = fixed.map(|line| Pattern::parse(line, &root)).collect();
        all.append(&mut own);
        Ok(Self(all))
    }

    /// Whether the file at `path` is left out; the last pattern that matches decides.
    pub fn ignores(&self, path: &TreePath) -> bool {
        let path: Vec<&str> = path.components().collect();
        let deciding = self.0.iter().rev().find(|pattern| pattern.matches(&path));
        deciding.is_some_and(|pattern| !pattern.negated)
    }

    /// The tree without what is left out.
    ///
    /// # Errors
    /// [`IgnoreError::TooCostly`].
    pub fn filter(&self, tree: &Tree) -> Result<Tree, IgnoreError> {
        let (patterns, files) = (self.0.len(), tree.len());
        if patterns as u64 * files as u64 > MATCHES_MAX {
            return Err(IgnoreError::TooCostly { patterns, files });
        }
        let mut builder = TreeBuilder::default();
        for (path, entry) in tree.entries().filter(|(path, _)| !self.ignores(path)) {
            builder.add(path.clone(), entry.clone());
        }
        Ok(builder.build())
    }
}

fn patterns<'a>(text: &'a str, domain: &'a TreePath) -> impl Iterator<Item = Pattern> + 'a {
    let lines = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| Pattern::parse(line, domain))
}

impl Pattern {
    fn parse(line: &str, domain: &TreePath) -> Self {
        let (negated, line) = match line.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        let line = match line.ends_with("\\ ") {
            true => line,
            false => line.trim_end_matches(' '),
        };
        let (folders, line) = match line.strip_suffix('/') {
            Some(rest) => (true, rest),
            None => (false, line),
        };
        Self {
            domain: domain.clone(),
            negated,
            folders,
            anchored: line.contains('/'),
            segments: line.split('/').map(str::to_owned).collect(),
        }
    }

    /// Whether a file, or a folder it is in, matches.
    ///
    /// # Source
    /// The verdicts of go-git/go-git `plumbing/format/gitignore/pattern.go`, which Flux uses. They
    /// differ from git's where a folder is excluded and something in it taken back: here that works.
    fn matches(&self, path: &[&str]) -> bool {
        let depth = self.domain.components().count();
        let inside = path.len() > depth
            && self
                .domain
                .components()
                .zip(path)
                .all(|(domain, part)| domain == *part);
        if !inside {
            return false;
        }
        match self.anchored {
            true => self.matches_from_root(&path[depth..]),
            false => self.matches_anywhere(&path[depth..]),
        }
    }

    fn matches_anywhere(&self, path: &[&str]) -> bool {
        let found = path
            .iter()
            .position(|part| wildcard(&self.segments[0], part));
        // The last part is the file itself, which a pattern for folders does not mean.
        found.is_some_and(|at| !self.folders || at + 1 < path.len())
    }

    fn matches_from_root(&self, path: &[&str]) -> bool {
        let mut rest = path;
        let mut matched = false;
        let mut anywhere = false;
        for (index, segment) in self.segments.iter().enumerate() {
            match segment.as_str() {
                "" => {
                    anywhere = false;
                    continue;
                }
                "**" if index + 1 == self.segments.len() => break,
                "**" => {
                    anywhere = true;
                    continue;
                }
                _ if segment.contains("**") => return false,
                _ => {}
            }
            let within = if anywhere {
                rest.len()
            } else {
                1.min(rest.len())
            };
            let found = rest[..within]
                .iter()
                .position(|part| wildcard(segment, part));
            match found {
                Some(at) => rest = &rest[at + 1..],
                None => return false,
            }
            matched = true;
            anywhere = false;
        }
        matched && !(self.folders && rest.is_empty())
    }
}

/// Whether `text` matches a pattern with `*`, `?`, `[…]` and `\`; a malformed one matches nothing.
///
/// Takes time in proportion to the product of the lengths at worst.
///
/// # Source
/// Go's `path/filepath.Match`.
fn wildcard(pattern: &str, text: &str) -> bool {
    let is_plain = |text: &str| !text.contains(['*', '?', '[', '\\']);
    match pattern.strip_prefix('*') {
        Some(end) if is_plain(end) => return text.ends_with(end),
        None if is_plain(pattern) => return pattern == text,
        _ => {}
    }
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut to) = (0, 0);
    // Where the last star stands and how much it took.
    let mut star: Option<(usize, usize)> = None;
    while to < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, to));
            at += 1;
            continue;
        }
        match single(&pattern[at..], text[to]) {
            Some((length, true)) => {
                at += length;
                to += 1;
            }
            Some((_, false)) => match star {
                Some((back, taken)) => {
                    star = Some((back, taken + 1));
                    (at, to) = (back + 1, taken + 1);
                }
                None => return false,
            },
            None => return false,
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

/// How long the first element of a pattern is and whether it matches; `None` when it is malformed.
fn single(pattern: &[char], c: char) -> Option<(usize, bool)> {
    match pattern {
        [] => Some((0, false)),
        ['?', ..] => Some((1, true)),
        ['\\', escaped, ..] => Some((2, *escaped == c)),
        ['\\'] => None,
        ['[', rest @ ..] => class(rest, c).map(|(length, matches)| (length + 1, matches)),
        [literal, ..] => Some((1, *literal == c)),
    }
}

/// A class after its opening bracket: its length up to and with the closing one.
fn class(pattern: &[char], c: char) -> Option<(usize, bool)> {
    let mut at = 0;
    let negated = pattern.first() == Some(&'^');
    at += usize::from(negated);
    let bound = |at: &mut usize| -> Option<char> {
        let mut next = *pattern.get(*at)?;
        if next == '-' || next == ']' {
            return None;
        }
        if next == '\\' {
            *at += 1;
            next = *pattern.get(*at)?;
        }
        *at += 1;
        Some(next)
    };
    let mut matches = false;
    let mut ranges = 0;
    loop {
        if pattern.get(at) == Some(&']') && ranges > 0 {
            return Some((at + 1, matches != negated));
        }
        let low = bound(&mut at)?;
        let mut high = low;
        if pattern.get(at) == Some(&'-') {
            at += 1;
            high = bound(&mut at)?;
        }
        matches |= (low..=high).contains(&c);
        ranges += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is left of a tree with these files.
    fn kept(files: &[(&str, &str)], spec: Option<&str>) -> Vec<String> {
        let tree: Tree = files.iter().copied().collect();
        let left = Rules::of(&tree, spec).unwrap().filter(&tree).unwrap();
        left.entries().map(|(path, _)| path.to_string()).collect()
    }

    #[test]
    fn without_patterns_common_files_are_left_out() {
        let files = [
            (".gitignore", ""),
            (".github/workflows/ci.yaml", ""),
            ("a/logo.png", ""),
            ("a/web.yaml", ""),
            ("a/.sops.yaml", ""),
            ("chart.tar.gz", ""),
            (".travis.yml", ""),
        ];
        assert_eq!(kept(&files, None), ["a/web.yaml"]);
        // A comment is no pattern; one pattern replaces the defaults, but not version control's.
        assert_eq!(kept(&files, Some("# nothing\n\n")), ["a/web.yaml"]);
        assert_eq!(
            kept(&files, Some("*.yaml")),
            [".travis.yml", "a/logo.png", "chart.tar.gz"]
        );
    }

    #[test]
    fn the_last_matching_pattern_decides() {
        let files = [
            ("README.md", ""),
            ("deploy/web.yaml", ""),
            ("deploy/docs/a.md", ""),
            ("deploy/docs/a.txt", ""),
            ("other/x.yaml", ""),
        ];
        let spec = "/*\n!/deploy\n/deploy/**/*.md\n";
        assert_eq!(
            kept(&files, Some(spec)),
            ["deploy/docs/a.txt", "deploy/web.yaml"]
        );
        // Taking back something below an excluded folder works, as in Flux.
        assert_eq!(
            kept(&files, Some("/*\n!/deploy/docs/\n")),
            ["deploy/docs/a.md", "deploy/docs/a.txt"]
        );
        assert_eq!(
            kept(&files, Some("docs/")),
            ["README.md", "deploy/web.yaml", "other/x.yaml"]
        );
        assert_eq!(kept(&files, Some("docs/*.md")).len(), 5, "a slash anchors");
        assert_eq!(
            kept(&files, Some("web.yaml/")).len(),
            5,
            "a file is no folder"
        );
    }

    #[test]
    fn files_with_patterns_speak_for_their_folder() {
        let files = [
            (".sourceignore", "*.txt\n.sourceignore\n"),
            ("a/.sourceignore", "!keep.txt\n/top.yaml\n"),
            ("a/keep.txt", ""),
            ("a/b/keep.txt", ""),
            ("a/drop.txt", ""),
            ("a/top.yaml", ""),
            ("a/b/top.yaml", ""),
            ("keep.txt", ""),
        ];
        assert_eq!(
            kept(&files, None),
            ["a/b/keep.txt", "a/b/top.yaml", "a/keep.txt"]
        );
        assert_eq!(kept(&files, Some("keep.txt")), ["a/b/top.yaml"]);
    }

    #[test]
    fn wildcards_are_go_s() {
        for (pattern, text, expected) in [
            ("*.y*ml", "a.yaml", true),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[^a-c]x", "bx", false),
            ("[!a]x", "ax", true),
            ("[a", "a", false),
            ("[]a]", "a", false),
            ("[-a]", "a", false),
            ("\\*", "*", true),
            ("a\\", "a", false),
            ("*a*a*a*b", &"a".repeat(5000), false),
            ("", "", true),
            ("ü*", "über", true),
        ] {
            assert_eq!(wildcard(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn too_many_patterns_are_refused() {
        let tree: Tree = [("a", "")].into_iter().collect();
        let many = "x\n".repeat(PATTERNS_MAX);
        assert!(Rules::of(&tree, Some(&many)).is_ok());
        let error = Rules::of(&tree, Some(&format!("{many}x\n"))).unwrap_err();
        assert_eq!(error, IgnoreError::TooMany);
    }
}
