//! What a cluster can do.

use helm::{Capabilities, KubeVersion, Profile, check_name};

#[test]
fn versions_of_kubernetes_are_read_generously() {
    for (text, helm4, helm3) in [
        ("v1.29.0", "v1.29.0 v1.29.0 1 29", "v1.29.0 v1.29.0 1 29"),
        ("1.29", "v1.29 v1.29 1 29", "v1.29 v1.29 1 29"),
        (
            "1.29.3-gke.5",
            "v1.29.3-gke.5 v1.29.3 1 29",
            "v1.29.3 v1.29.3 1 29",
        ),
        ("1.29+", "v1.29+ v1.29 1 29", "v1.29 v1.29 1 29"),
        ("1.02", "v1.02 v1.2 1 2", "v1.2 v1.2 1 2"),
    ] {
        for (profile, wanted) in [(Profile::Helm4, helm4), (Profile::Helm3, helm3)] {
            let read = KubeVersion::parse(text, profile).unwrap();
            let KubeVersion {
                version,
                normalized,
                major,
                minor,
            } = read;
            assert_eq!(
                format!("{version} {normalized} {major} {minor}"),
                wanted,
                "{text}"
            );
        }
    }
    for (text, problem) in [
        ("a", r#"could not parse "a" as version"#),
        ("", r#"could not parse "" as version"#),
        ("1", r#"illegal version string "1""#),
        ("1.", r#"illegal version string "1.""#),
        (
            "01.2",
            r#"illegal zero-prefixed version component "01" in "01.2""#,
        ),
        (
            "1.99999999999999999999",
            r#"illegal non-numeric version component "99999999999999999999" in "1.99999999999999999999": strconv.ParseUint: parsing "99999999999999999999": value out of range"#,
        ),
    ] {
        let error = KubeVersion::parse(text, Profile::Helm4).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("invalid kube version '{text}': {problem}")
        );
    }
}

#[test]
fn without_a_cluster_there_are_groups_and_no_kinds() {
    let capabilities = Capabilities::default();
    assert_eq!(capabilities.api_versions.len(), 57);
    assert!(capabilities.has("apps/v1"));
    assert!(!capabilities.has("apps/v1/Deployment"));
    assert_eq!(capabilities.kube_version.to_string(), "v1.37.0");
    assert_eq!(capabilities.helm_version.version, "v4.3");
}

#[test]
fn names_of_releases_are_checked() {
    for name in ["a", "a-b", "a.b-c.d", "0", &"a".repeat(53)] {
        assert_eq!(check_name(name, Profile::Helm4), Ok(()), "{name}");
    }
    for name in ["A", "a_b", "-a", "a-", "a..b", ".a", &"a".repeat(54)] {
        let error = check_name(name, Profile::Helm3).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                r#"release name "{name}": invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"#
            )
        );
    }
    let error = check_name("", Profile::Helm4).unwrap_err();
    let wanted = r#"release name check failed: release name "": no name provided"#;
    assert_eq!(error.to_string(), wanted);
}
