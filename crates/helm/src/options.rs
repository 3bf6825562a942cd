//! What a release is called, where it goes, and whose rules it follows.

use std::sync::Arc;

use golang::strconv::quote;

use crate::capabilities::Capabilities;
use crate::error::OptionsError;

/// Longest name of a release: Kubernetes allows 63 bytes in a label, of which charts need some.
pub const NAME_BYTES_MAX: usize = 53;

/// Whose behaviour is followed where the two majors of Helm differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// Helm 4.3.
    #[default]
    Helm4,
    /// Helm 3.22.
    Helm3,
}

/// What to vary in a render.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Whose behaviour is followed.
    pub profile: Profile,
    /// Name of the release.
    pub name: String,
    /// Namespace of the release.
    pub namespace: String,
    /// Whether templates see an upgrade instead of an installation.
    pub is_upgrade: bool,
    /// Number of the revision.
    pub revision: i64,
    /// What the cluster can do.
    pub capabilities: Arc<Capabilities>,
    /// Whether values are not checked against the charts' schemas.
    pub skip_schema: bool,
}

impl Default for Options {
    /// As `helm template` without flags.
    fn default() -> Self {
        Self {
            profile: Profile::default(),
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            is_upgrade: false,
            revision: 1,
            capabilities: Arc::default(),
            skip_schema: false,
        }
    }
}

/// Checks the name of a release.
///
/// # Errors
/// [`OptionsError::Name`] with the reference's message.
///
/// # Source
/// helm/helm `pkg/chart/v2/util/validate_name.go`.
pub fn check_name(name: &str, profile: Profile) -> Result<(), OptionsError> {
    let problem = if name.is_empty() {
        "no name provided"
    } else if name.len() > NAME_BYTES_MAX || !name.split('.').all(is_label) {
        concat!(
            "invalid release name, must match regex ",
            r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
            " and the length must not be longer than 53",
        )
    } else {
        return Ok(());
    };
    let before = match profile {
        Profile::Helm4 => "release name check failed: ",
        Profile::Helm3 => "",
    };
    let name = quote(name);
    Err(OptionsError::Name(format!(
        "{before}release name {name}: {problem}"
    )))
}

fn is_label(part: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let ends = |byte: Option<&u8>| byte.is_some_and(|&byte| inside(byte));
    let bytes = part.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && bytes.iter().all(|&byte| byte == b'-' || inside(byte))
}
