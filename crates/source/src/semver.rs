//! Which tag is the highest version in a range.

use golang::version::{ConstraintError, Constraints, Version};

/// The tag with the highest version in `range`; `None` when none is in it.
///
/// Tags that are no versions of three numbers are passed over, and prereleases too unless the range names one. Of
/// versions that differ in build metadata only, the last in `tags` wins.
///
/// # Errors
/// [`ConstraintError`] when the range cannot be read.
///
/// # Source
/// fluxcd/pkg `git/gogit/clone.go`, and `version/version.go` for what is a version.
pub(crate) fn highest<'a>(
    range: &str,
    tags: impl Iterator<Item = &'a str>,
) -> Result<Option<&'a str>, ConstraintError> {
    let range: Constraints = range.parse()?;
    let versions = tags.filter_map(|tag| {
        let complete = tag.splitn(3, '.').count() == 3;
        complete.then(|| Some((tag.parse::<Version>().ok()?, tag)))?
    });
    let wanted = versions.filter(|(version, _)| range.check(version));
    let best = wanted.max_by(|(one, _), (other, _)| one.cmp(other));
    Ok(best.map(|(_, tag)| tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_allow_what_masterminds_allows() {
        for (range, allowed, refused) in [
            ("1.2.3", "1.2.3 v1.2.3 1.2.3+b", "1.2.4 1.2.3-rc.1"),
            ("=1.2", "1.2.0 1.2.9", "1.3.0 1.1.9"),
            ("1.x", "1.0.0 1.9.9", "2.0.0 0.9.0"),
            ("*", "0.0.0 9.9.9", "1.0.0-a"),
            (">=1.2.0 <2.0.0", "1.2.0 1.99.0", "2.0.0 1.1.9"),
            (">= 1.2, < 1.4", "1.2.0 1.3.9", "1.4.0"),
            (">1", "2.0.0", "1.0.0 1.9.9"),
            (">1.2", "1.3.0", "1.2.9"),
            ("<=1.2", "1.2.9 0.1.0", "1.3.0"),
            ("!=1.x", "2.0.0", "1.0.0"),
            ("!=1.2.3", "1.2.4", "1.2.3"),
            ("~1.2.3", "1.2.3 1.2.9", "1.3.0 1.2.2"),
            ("~1", "1.9.0", "2.0.0"),
            ("~>1.2", "1.2.5", "1.3.0"),
            ("^1.2.3", "1.2.3 1.9.0", "2.0.0 1.2.2"),
            ("^0.2.3", "0.2.9", "0.3.0"),
            ("^0.0.3", "0.0.3", "0.0.4"),
            ("^0.0", "0.0.9", "0.1.0"),
            ("^0", "0.9.9", "1.0.0"),
            ("1.2 - 1.4.5", "1.2.0 1.4.5", "1.4.6 1.1.0"),
            ("1.x || >=3.1", "1.5.0 3.1.0 4.0.0", "2.0.0 3.0.0"),
            ("> *", "0.0.1", "0.0.0"),
            ("^*", "0.0.0", "0.0.1"),
            ("~0.0.0", "3.0.0", "3.0.0-a"),
            ("!=2.0.x-0", "2.0.2 2.1.0", "2.0.1-0"),
            (">=1.0.0-0", "1.0.0-rc.1 1.0.0 2.0.0-a", "0.9.0"),
            (
                "~1.2.3-beta",
                "1.2.3-beta 1.2.3-rc 1.2.4",
                "1.2.3-alpha 1.3.0",
            ),
        ] {
            for version in allowed.split(' ') {
                let found = highest(range, [version].into_iter());
                assert_eq!(found, Ok(Some(version)), "{range} allows {version}");
            }
            for version in refused.split(' ') {
                let found = highest(range, [version].into_iter());
                assert_eq!(found, Ok(None), "{range} refuses {version}");
            }
        }
        for bad in [
            "",
            "latest",
            ">",
            "1.2.3.4",
            ">>1",
            "1 ||",
            "1.0.0-",
            &"1".repeat(2000),
        ] {
            assert!(highest(bad, ["1.0.0"].into_iter()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_highest_version_wins_and_other_tags_are_passed_over() {
        let tags = [
            "v1.9.0",
            "v1.10.0",
            "1.10",
            "v2.0.0-rc.1",
            "latest",
            "v01.2.0",
            "v1.2.3.4",
        ];
        assert_eq!(highest(">=1.0.0", tags.into_iter()), Ok(Some("v1.10.0")));
        assert_eq!(
            highest(">=1.0.0-0", tags.into_iter()),
            Ok(Some("v2.0.0-rc.1"))
        );
        let dated = ["v2026.02.03", "v2025.11.30", "v2026.02"];
        assert_eq!(highest("*", dated.into_iter()), Ok(Some("v2026.02.03")));
        let ordered = [
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-10",
            "1.0.0-a",
            "1.0.0-a.b",
            "1.0.0-b",
            "1.0.0",
        ];
        for pair in ordered.windows(2) {
            assert_eq!(
                highest(">=0.0.0-0", pair.iter().rev().copied()),
                Ok(Some(pair[1]))
            );
        }
    }
}
