//! Names of references.

use std::fmt;

/// Longest reference name in bytes: a file name of it and its lock still fits Linux's path limits.
pub const REF_NAME_BYTES_MAX: usize = 1024;

/// A well-formed full reference name, such as `refs/heads/main`, or `HEAD`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RefName(String);

/// A text that is no reference name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is no valid reference name: {why}")]
pub struct RefNameError {
    /// At most 200 characters of the text.
    pub name: String,
    /// The rule it breaks.
    pub why: &'static str,
}

impl RefName {
    /// Checks a full name: `HEAD` or one that starts with `refs/`.
    ///
    /// # Errors
    /// [`RefNameError`] with the rule that is broken.
    ///
    /// # Source
    /// The rules of git/git `Documentation/git-check-ref-format.adoc`.
    pub fn new(name: &str) -> Result<Self, RefNameError> {
        let refuse = |why| RefNameError {
            name: name.chars().take(200).collect(),
            why,
        };
        if name == "HEAD" {
            return Ok(Self(name.to_owned()));
        }
        if name.len() > REF_NAME_BYTES_MAX {
            return Err(refuse("it is longer than 1024 bytes"));
        }
        let Some(rest) = name.strip_prefix("refs/") else {
            return Err(refuse("it does not start with `refs/`"));
        };
        if name.contains("..") {
            return Err(refuse("it contains `..`"));
        }
        if name.contains("@{") {
            return Err(refuse("it contains `@{`"));
        }
        if name.ends_with('.') {
            return Err(refuse("it ends with a dot"));
        }
        let forbidden = |c: char| c.is_ascii_control() || " ~^:?*[\\".contains(c);
        if name.contains(forbidden) {
            return Err(refuse(
                "it contains a control character, space or one of `~^:?*[\\`",
            ));
        }
        for component in rest.split('/') {
            if component.is_empty() {
                return Err(refuse("it has an empty component"));
            }
            if component.starts_with('.') {
                return Err(refuse("a component starts with a dot"));
            }
            if component.starts_with('-') {
                return Err(refuse("a component starts with a dash"));
            }
            if component.ends_with(".lock") {
                return Err(refuse("a component ends with `.lock`"));
            }
        }
        Ok(Self(name.to_owned()))
    }

    /// `refs/heads/` and `branch`.
    ///
    /// # Errors
    /// As [`RefName::new`].
    pub fn branch(branch: &str) -> Result<Self, RefNameError> {
        Self::new(&format!("refs/heads/{branch}"))
    }

    /// `refs/tags/` and `tag`.
    ///
    /// # Errors
    /// As [`RefName::new`].
    pub fn tag(tag: &str) -> Result<Self, RefNameError> {
        Self::new(&format!("refs/tags/{tag}"))
    }

    /// The full name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name below `refs/heads/` or `refs/tags/`; the full name elsewhere.
    pub fn short(&self) -> &str {
        self.0
            .strip_prefix("refs/heads/")
            .or_else(|| self.0.strip_prefix("refs/tags/"))
            .unwrap_or(&self.0)
    }

    /// Whether this is a branch.
    pub fn is_branch(&self) -> bool {
        self.0.starts_with("refs/heads/")
    }
}

impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_the_folder_or_confuse_a_command_are_refused() {
        for good in [
            "HEAD",
            "refs/heads/main",
            "refs/heads/feature/a.b",
            "refs/pull/420/head",
            "refs/tags/v1.0.0+build",
        ] {
            assert!(RefName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "main",
            "refs/",
            "refs/heads/",
            "refs/heads/../../x",
            "refs/heads/-x",
            "refs/heads/a..b",
            "refs/heads/x.lock",
            "refs/heads/x.lock/y",
            "refs/heads/@{",
            "refs/heads/a\0b",
            "refs/heads/a b",
            "refs/heads/.hidden",
            "refs/heads//x",
            "refs/heads/x.",
            "/refs/heads/x",
            &format!("refs/heads/{}", "x".repeat(4096)),
        ] {
            assert!(RefName::new(bad).is_err(), "{bad}");
        }
    }
}
