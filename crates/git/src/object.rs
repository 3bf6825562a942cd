//! Commits, tags and directories: reading, writing and checking them.

use crate::{Kind, Oid};

/// Longest commit or tag object: a message nobody reads to the end.
pub const COMMIT_BYTES_MAX: usize = 64 * 1024;

/// Who did something and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Name as shown.
    pub name: String,
    /// E-mail address, not checked.
    pub email: String,
    /// Seconds since 1970, UTC.
    pub seconds: i64,
    /// Minutes east of UTC.
    pub offset_minutes: i32,
}

/// One commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: Oid,
    /// Its files.
    pub tree: Oid,
    /// The commits it follows; none for the first.
    pub parents: Vec<Oid>,
    /// Who wrote the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// The message as written.
    pub message: String,
}

/// One annotated tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Its id.
    pub id: Oid,
    /// What it names.
    pub target: Oid,
    /// The kind of what it names.
    pub target_kind: Kind,
    /// Its name as written in it.
    pub name: String,
    /// The message as written.
    pub message: String,
}

/// The rule that an object breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {id} is malformed: {why}")]
pub struct Malformed {
    /// The object.
    pub id: Oid,
    /// What it should be.
    pub kind: Kind,
    /// What is wrong.
    pub why: String,
}

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    File,
    Executable,
    Link,
    Directory,
    Submodule,
}

/// One entry of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TreeEntry<'a> {
    pub mode: Mode,
    pub name: &'a [u8],
    pub id: Oid,
}

impl Commit {
    /// The first line of the message.
    pub fn subject(&self) -> &str {
        self.message.lines().next().unwrap_or("")
    }

    /// Reads a commit, strictly: every header once, in order, and complete.
    ///
    /// # Errors
    /// [`Malformed`] with the rule it breaks.
    pub fn parse(id: Oid, content: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Headers::new(id, Kind::Commit, content)?;
        let tree = reader.oid("tree")?;
        let mut parents = Vec::new();
        while let Some(parent) = reader.optional("parent") {
            parents.push(reader.parse_oid(parent)?);
        }
        let author = reader.signature("author")?;
        let committer = reader.signature("committer")?;
        let message = reader.message(&["tree", "parent", "author", "committer"])?;
        Ok(Self {
            id,
            tree,
            parents,
            author,
            committer,
            message,
        })
    }

    /// The bytes of the commit object; [`Commit::id`] is not looked at.
    pub fn encode(&self) -> Vec<u8> {
        let mut text = format!("tree {}\n", self.tree);
        for parent in &self.parents {
            text.push_str(&format!("parent {parent}\n"));
        }
        text.push_str(&format!("author {}\n", self.author.encode()));
        text.push_str(&format!("committer {}\n\n", self.committer.encode()));
        text.push_str(&self.message);
        text.into_bytes()
    }
}

impl Tag {
    /// Reads an annotated tag.
    ///
    /// # Errors
    /// [`Malformed`] with the rule it breaks.
    pub fn parse(id: Oid, content: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Headers::new(id, Kind::Tag, content)?;
        let target = reader.oid("object")?;
        let target_kind = match reader.required("type")? {
            b"commit" => Kind::Commit,
            b"tree" => Kind::Tree,
            b"blob" => Kind::Blob,
            b"tag" => Kind::Tag,
            _ => return Err(reader.refuse("its `type` is unknown")),
        };
        let name = String::from_utf8_lossy(reader.required("tag")?).into_owned();
        if reader.peek("tagger") {
            reader.signature("tagger")?;
        }
        let message = reader.message(&["object", "type", "tag", "tagger"])?;
        Ok(Self {
            id,
            target,
            target_kind,
            name,
            message,
        })
    }
}

impl Signature {
    /// `Name <email> seconds zone`, without what would break the line.
    fn encode(&self) -> String {
        let clean = |text: &str| -> String {
            let kept = text
                .chars()
                .filter(|c| !matches!(c, '<' | '>' | '\n' | '\0'));
            kept.collect::<String>().trim().to_owned()
        };
        let sign = if self.offset_minutes < 0 { '-' } else { '+' };
        let minutes = self.offset_minutes.unsigned_abs();
        format!(
            "{} <{}> {} {sign}{:02}{:02}",
            clean(&self.name),
            clean(&self.email),
            self.seconds,
            minutes / 60,
            minutes % 60
        )
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(line);
        let (name, rest) = text.split_once('<')?;
        let (email, rest) = rest.split_once('>')?;
        let (seconds, zone) = rest.strip_prefix(' ')?.split_once(' ')?;
        let seconds = seconds.parse().ok()?;
        let (sign, digits) = match zone.split_at_checked(1)? {
            ("+", digits) => (1, digits),
            ("-", digits) => (-1, digits),
            _ => return None,
        };
        if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (hours, minutes): (i32, i32) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
        Some(Self {
            name: name.trim().to_owned(),
            email: email.to_owned(),
            seconds,
            offset_minutes: sign * (hours * 60 + minutes),
        })
    }
}

/// The header lines of a commit or tag.
struct Headers<'a> {
    id: Oid,
    kind: Kind,
    rest: &'a [u8],
}

impl<'a> Headers<'a> {
    fn new(id: Oid, kind: Kind, content: &'a [u8]) -> Result<Self, Malformed> {
        let reader = Self {
            id,
            kind,
            rest: content,
        };
        match content.len() > COMMIT_BYTES_MAX {
            true => Err(reader.refuse("it is longer than 64 KiB")),
            false => Ok(reader),
        }
    }

    fn refuse(&self, why: impl Into<String>) -> Malformed {
        Malformed {
            id: self.id,
            kind: self.kind,
            why: why.into(),
        }
    }

    fn peek(&self, name: &str) -> bool {
        self.rest
            .strip_prefix(name.as_bytes())
            .is_some_and(|rest| rest.first() == Some(&b' '))
    }

    fn optional(&mut self, name: &str) -> Option<&'a [u8]> {
        if !self.peek(name) {
            return None;
        }
        let value = &self.rest[name.len() + 1..];
        let end = value.iter().position(|byte| *byte == b'\n')?;
        self.rest = &value[end + 1..];
        Some(&value[..end])
    }

    fn required(&mut self, name: &str) -> Result<&'a [u8], Malformed> {
        self.optional(name)
            .ok_or_else(|| self.refuse(format!("the line `{name}` is missing")))
    }

    fn parse_oid(&self, hex: &[u8]) -> Result<Oid, Malformed> {
        Oid::from_hex(hex).ok_or_else(|| self.refuse("an object id is not 40 hexadecimal digits"))
    }

    fn oid(&mut self, name: &str) -> Result<Oid, Malformed> {
        let hex = self.required(name)?;
        self.parse_oid(hex)
    }

    fn signature(&mut self, name: &str) -> Result<Signature, Malformed> {
        let line = self.required(name)?;
        if line.contains(&0) {
            return Err(self.refuse(format!("the line `{name}` holds a NUL byte")));
        }
        Signature::parse(line).ok_or_else(|| {
            self.refuse(format!("the line `{name}` is not `name <email> time zone`"))
        })
    }

    /// Skips the other headers and returns the message.
    fn message(&mut self, singular: &[&str]) -> Result<String, Malformed> {
        loop {
            if let Some(message) = self.rest.strip_prefix(b"\n") {
                return Ok(String::from_utf8_lossy(message).into_owned());
            }
            if self.rest.is_empty() {
                // A tag or commit without a message may end after its headers.
                return Ok(String::new());
            }
            if let Some(name) = singular.iter().find(|name| self.peek(name)) {
                return Err(self.refuse(format!("the line `{name}` is repeated or misplaced")));
            }
            let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') else {
                return Err(self.refuse("a header line does not end"));
            };
            if self.rest[..end].contains(&0) {
                return Err(self.refuse("a header line holds a NUL byte"));
            }
            self.rest = &self.rest[end + 1..];
        }
    }
}

impl Mode {
    const fn as_str(self) -> &'static str {
        match self {
            Self::File => "100644",
            Self::Executable => "100755",
            Self::Link => "120000",
            Self::Directory => "40000",
            Self::Submodule => "160000",
        }
    }

    fn parse(digits: &[u8]) -> Option<Self> {
        Some(match digits {
            // The group-writable form is what git itself wrote before 2005.
            b"100644" | b"100664" => Self::File,
            b"100755" => Self::Executable,
            b"120000" => Self::Link,
            b"40000" => Self::Directory,
            b"160000" => Self::Submodule,
            _ => return None,
        })
    }
}

/// Reads a directory and checks what an attacker would bend: modes, names, order, repetition.
///
/// # Errors
/// [`Malformed`] with the first rule it breaks.
pub(crate) fn parse_tree(id: Oid, content: &[u8]) -> Result<Vec<TreeEntry<'_>>, Malformed> {
    let refuse = |why: String| Malformed {
        id,
        kind: Kind::Tree,
        why,
    };
    let mut entries: Vec<TreeEntry<'_>> = Vec::new();
    let mut rest = content;
    while !rest.is_empty() {
        let entry = split_entry(&mut rest).ok_or_else(|| refuse("an entry is cut off".into()))?;
        let (mode, name, target) = entry;
        let shown = String::from_utf8_lossy(&name[..name.len().min(200)]).into_owned();
        let mode =
            Mode::parse(mode).ok_or_else(|| refuse(format!("`{shown}` has no known mode")))?;
        if let Some(why) = forbidden_name(name) {
            return Err(refuse(format!("entry {shown:?} {why}")));
        }
        let entry = TreeEntry {
            mode,
            name,
            id: target,
        };
        if let Some(before) = entries.last() {
            let sorted = sort_key(before).lt(sort_key(&entry));
            if !sorted {
                return Err(refuse(format!(
                    "entry {shown:?} is not in order or repeated"
                )));
            }
        }
        entries.push(entry);
    }
    // A file and a directory of one name are apart in sort order, so neighbours do not show it.
    let mut names: Vec<&[u8]> = entries.iter().map(|entry| entry.name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        let name = String::from_utf8_lossy(pair[0]);
        return Err(refuse(format!("entry {name:?} is repeated")));
    }
    Ok(entries)
}

/// The bytes of a directory; `entries` in any order, names unique.
pub(crate) fn encode_tree(entries: &mut [TreeEntry<'_>]) -> Vec<u8> {
    entries.sort_by(|left, right| sort_key(left).cmp(sort_key(right)));
    let mut bytes = Vec::new();
    for entry in entries {
        bytes.extend_from_slice(entry.mode.as_str().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(entry.name);
        bytes.push(0);
        bytes.extend_from_slice(entry.id.as_bytes());
    }
    bytes
}

/// Git sorts a directory as if its name ended with a slash.
fn sort_key<'a>(entry: &TreeEntry<'a>) -> impl Iterator<Item = u8> + use<'a> {
    let slash = matches!(entry.mode, Mode::Directory).then_some(b'/');
    entry.name.iter().copied().chain(slash)
}

fn split_entry<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8], Oid)> {
    let space = rest.iter().take(8).position(|byte| *byte == b' ')?;
    let (mode, tail) = (&rest[..space], &rest[space + 1..]);
    let nul = tail.iter().position(|byte| *byte == 0)?;
    let (name, tail) = (&tail[..nul], &tail[nul + 1..]);
    let id = Oid::from_slice(tail)?;
    *rest = &tail[20..];
    Some((mode, name, id))
}

/// Why a name may not be in a directory: it is special, or some file system takes it for `.git`.
///
/// # Source
/// The names that git/git `fsck.c` and `path.c` refuse, for HFS+ and NTFS too.
fn forbidden_name(name: &[u8]) -> Option<&'static str> {
    match name {
        b"" => return Some("is empty"),
        b"." | b".." => return Some("leads elsewhere"),
        _ if name.contains(&b'/') => return Some("contains a slash"),
        _ => {}
    }
    let text = String::from_utf8_lossy(name);
    // HFS+ ignores these characters in names.
    let ignored = |c: char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let visible: String = text.chars().filter(|c| !ignored(*c)).collect();
    // NTFS ignores trailing dots and spaces, and what follows a colon is a stream of the file.
    let visible = visible.split(':').next().unwrap_or("");
    let visible = visible.trim_end_matches(['.', ' ']).to_ascii_lowercase();
    if visible == ".git" || visible == "git~1" {
        return Some("could be taken for `.git`");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: Oid = Oid::ZERO;

    fn tree(entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (mode, name) in entries {
            bytes.extend_from_slice(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend_from_slice(name);
            bytes.push(0);
            bytes.extend_from_slice(&[7; 20]);
        }
        bytes
    }

    #[test]
    fn directories_that_could_harm_a_checkout_are_malformed() {
        let good = tree(&[
            ("100644", b"a"),
            ("100755", b"b.sh"),
            ("40000", b"c"),
            ("120000", b"d"),
        ]);
        assert_eq!(parse_tree(ID, &good).unwrap().len(), 4);
        let good = tree(&[("100644", b"a-b"), ("40000", b"a"), ("100644", b"a0")]);
        assert_eq!(parse_tree(ID, &good).unwrap().len(), 3);
        for name in [
            &b".."[..],
            b".",
            b"",
            b"a/b",
            b".git",
            b".GIT",
            b"git~1",
            ".g\u{200c}it".as_bytes(),
            b".git. .",
            b".git::$INDEX_ALLOCATION",
        ] {
            let bytes = tree(&[("100644", name)]);
            assert!(
                parse_tree(ID, &bytes).is_err(),
                "{}",
                String::from_utf8_lossy(name)
            );
        }
        for (case, entries) in [
            ("twice", &[("100644", &b"a"[..]), ("100644", b"a")][..]),
            ("unsorted", &[("100644", b"b"), ("100644", b"a")]),
            (
                "file and directory",
                &[("100644", b"a"), ("100644", b"a.b"), ("40000", b"a")],
            ),
            ("mode", &[("100777", b"a")]),
        ] {
            assert!(parse_tree(ID, &tree(entries)).is_err(), "{case}");
        }
        assert!(parse_tree(ID, &good[..good.len() - 1]).is_err());
    }

    #[test]
    fn commits_are_read_strictly_and_written_back_alike() {
        let text = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n\
            parent e69de29bb2d1d6434b8b29ae775ad8c2e48c5391\n\
            author A B <a@b> 1700000000 +0130\n\
            committer C <c@d> 1700000001 -0800\n\nsubject\n\nbody\n";
        let commit = Commit::parse(ID, text.as_bytes()).unwrap();
        assert_eq!(commit.subject(), "subject");
        assert_eq!(commit.author.offset_minutes, 90);
        assert_eq!(commit.committer.offset_minutes, -480);
        assert_eq!(String::from_utf8(commit.encode()).unwrap(), text);
        let tree = "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\n";
        for (case, bad) in [
            (
                "two trees",
                text.replacen(tree, &format!("{tree}{tree}"), 1),
            ),
            ("no committer", text.replacen("committer", "comitter", 1)),
            ("zone", text.replacen("+0130", "0130", 1)),
            ("nul", text.replacen("A B", "A\0B", 1)),
            (
                "endless line",
                "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904".to_owned(),
            ),
            ("long", format!("{text}{}", "x".repeat(COMMIT_BYTES_MAX))),
        ] {
            assert!(Commit::parse(ID, bad.as_bytes()).is_err(), "{case}");
        }
    }
}
