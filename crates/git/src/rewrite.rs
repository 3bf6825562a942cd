//! Serving a tree that names one host from another place, like git's `insteadOf`.

use std::borrow::Cow;

/// Prefixes of addresses and what replaces them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rewrites(Vec<(String, String)>);

/// A rule that is not `FROM=TO`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not of the form FROM=TO")]
pub struct RewriteError(String);

impl Rewrites {
    /// Reads rules of the form `FROM=TO`, split at the first `=` that is followed by an address.
    ///
    /// # Errors
    /// [`RewriteError`] with the rule that has no such form.
    pub fn parse<'a>(rules: impl IntoIterator<Item = &'a str>) -> Result<Self, RewriteError> {
        let mut pairs = Vec::new();
        for rule in rules {
            // Addresses may hold `=` themselves; the one that separates stands before a scheme.
            let mut at = rule.match_indices('=').map(|(at, _)| at);
            let first = at.clone().next();
            let split = at.rfind(|at| rule[at + 1..].contains("://")).or(first);
            match split.map(|at| (&rule[..at], &rule[at + 1..])) {
                Some((from, to)) if !from.is_empty() && !to.is_empty() => {
                    pairs.push((from.to_owned(), to.to_owned()));
                }
                _ => return Err(RewriteError(rule.to_owned())),
            }
        }
        Ok(Self(pairs))
    }

    /// The address with its longest matching prefix replaced, once.
    ///
    /// A prefix matches only up to the end of a path segment.
    pub fn apply<'a>(&self, url: &'a str) -> Cow<'a, str> {
        let ends = |from: &str, rest: &str| {
            from.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '.'])
        };
        let matching = self.0.iter().filter_map(|(from, to)| {
            let rest = url.strip_prefix(from.as_str())?;
            ends(from, rest).then_some((from.len(), to, rest))
        });
        match matching.max_by_key(|(length, _, _)| *length) {
            Some((_, to, rest)) => Cow::Owned(format!("{to}{rest}")),
            None => Cow::Borrowed(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_prefix_that_ends_at_a_segment_is_replaced() {
        let rewrites = Rewrites::parse([
            "https://github.com/=http://127.0.0.1:7080/git/",
            "https://github.com/team=https://git.internal/mirror",
        ])
        .unwrap();
        for (url, expected) in [
            (
                "https://github.com/other/app",
                "http://127.0.0.1:7080/git/other/app",
            ),
            (
                "https://github.com/team/app.git",
                "https://git.internal/mirror/app.git",
            ),
            (
                "https://github.com/teamwork/app",
                "http://127.0.0.1:7080/git/teamwork/app",
            ),
            ("https://gitlab.com/team/app", "https://gitlab.com/team/app"),
            ("https://github.community/x", "https://github.community/x"),
        ] {
            assert_eq!(rewrites.apply(url), expected);
        }
        assert!(Rewrites::parse(["https://github.com/"]).is_err());
        assert!(Rewrites::parse(["=x"]).is_err());
    }
}
