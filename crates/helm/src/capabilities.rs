//! What a cluster can do, as templates see it.
//!
//! # Source
//! helm/helm `pkg/chart/common/capabilities.go`; kubernetes/apimachinery
//! `pkg/util/version/version.go`.

use golang::strconv::quote;

use crate::error::OptionsError;
use crate::options::Profile;

/// What a cluster can do, and with what Helm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Version of Kubernetes.
    pub kube_version: KubeVersion,
    /// `group/version`, and from a cluster also `group/version/Kind`.
    pub api_versions: Vec<String>,
    /// The Helm that renders.
    pub helm_version: HelmVersion,
}

/// A version of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubeVersion {
    /// All of it: `v1.33.4-gke.1245000`.
    pub version: String,
    /// Without what providers add: `v1.33.4`. It is what is printed and compared with ranges.
    pub normalized: String,
    /// The first number.
    pub major: String,
    /// The second number.
    pub minor: String,
}

/// What a Helm says about itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HelmVersion {
    /// `v4.3`.
    pub version: String,
    /// The commit it was built from.
    pub git_commit: String,
    /// Whether that commit was all.
    pub git_tree_state: String,
    /// The Go it was built with.
    pub go_version: String,
    /// The Kubernetes client it was built with; Helm 4 only.
    pub kube_client_version: String,
}

impl Default for Capabilities {
    /// Of a Helm 4.3 without a cluster.
    fn default() -> Self {
        Self {
            kube_version: KubeVersion {
                version: "v1.37.0".to_owned(),
                normalized: "v1.37.0".to_owned(),
                major: "1".to_owned(),
                minor: "37".to_owned(),
            },
            api_versions: API_VERSIONS.map(str::to_owned).to_vec(),
            helm_version: HelmVersion::of(Profile::Helm4),
        }
    }
}

impl Capabilities {
    /// Whether an API is there: `apps/v1`, or `apps/v1/Deployment` in a cluster.
    pub fn has(&self, api: &str) -> bool {
        self.api_versions.iter().any(|known| known == api)
    }
}

impl HelmVersion {
    /// Of a Helm built from source without further flags.
    pub fn of(profile: Profile) -> Self {
        let (version, client) = match profile {
            Profile::Helm4 => ("v4.3", "v1.37"),
            Profile::Helm3 => ("v3.22", ""),
        };
        Self {
            version: version.to_owned(),
            go_version: "go1.26.8".to_owned(),
            kube_client_version: client.to_owned(),
            ..Self::default()
        }
    }
}

impl KubeVersion {
    /// Reads a version: `v1.29.3-gke.5`, `1.29`.
    ///
    /// # Errors
    /// [`OptionsError::KubeVersion`] with the reference's message.
    pub fn parse(text: &str, profile: Profile) -> Result<Self, OptionsError> {
        let wrong = |problem: String| {
            OptionsError::KubeVersion(format!("invalid kube version '{text}': {problem}"))
        };
        let written = quote(text);
        let start = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        let start = start.strip_prefix('v').unwrap_or(start);
        let mut numbers: Vec<&str> = Vec::new();
        let mut rest = start;
        loop {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                break;
            }
            numbers.push(&rest[..digits]);
            rest = &rest[digits..];
            match rest.strip_prefix('.') {
                Some(after) if after.starts_with(|next: char| next.is_ascii_digit()) => {
                    rest = after;
                }
                _ => break,
            }
        }
        if numbers.is_empty() || rest.contains('\n') {
            return Err(wrong(format!("could not parse {written} as version")));
        }
        if numbers.len() < 2 {
            return Err(wrong(format!("illegal version string {written}")));
        }
        if numbers[0].len() > 1 && numbers[0].starts_with('0') {
            let number = quote(numbers[0]);
            return Err(wrong(format!(
                "illegal zero-prefixed version component {number} in {written}"
            )));
        }
        let mut parsed = Vec::new();
        for number in numbers {
            let value = golang::strconv::parse_uint(number, 10).map_err(|error| {
                let number = quote(number);
                wrong(format!(
                    "illegal non-numeric version component {number} in {written}: strconv.ParseUint: parsing {number}: {error}"
                ))
            })?;
            parsed.push(value.to_string());
        }
        let normalized = format!("v{}", parsed.join("."));
        let version = match profile {
            Profile::Helm4 if text.starts_with('v') => text.to_owned(),
            Profile::Helm4 => format!("v{text}"),
            Profile::Helm3 => normalized.clone(),
        };
        let [major, minor, ..] = &parsed[..] else {
            return Err(wrong(format!("illegal version string {written}")));
        };
        Ok(Self {
            version,
            normalized,
            major: major.clone(),
            minor: minor.clone(),
        })
    }
}

impl std::fmt::Display for KubeVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.normalized)
    }
}

/// Without a cluster: what the client library knows, without kinds.
const API_VERSIONS: [&str; 57] = [
    "v1",
    "admissionregistration.k8s.io/v1",
    "admissionregistration.k8s.io/v1alpha1",
    "admissionregistration.k8s.io/v1beta1",
    "internal.apiserver.k8s.io/v1alpha1",
    "apps/v1",
    "apps/v1beta1",
    "apps/v1beta2",
    "authentication.k8s.io/v1",
    "authentication.k8s.io/v1alpha1",
    "authentication.k8s.io/v1beta1",
    "authorization.k8s.io/v1",
    "authorization.k8s.io/v1beta1",
    "autoscaling/v1",
    "autoscaling/v2",
    "batch/v1",
    "batch/v1beta1",
    "certificates.k8s.io/v1",
    "certificates.k8s.io/v1beta1",
    "certificates.k8s.io/v1alpha1",
    "coordination.k8s.io/v1alpha2",
    "coordination.k8s.io/v1beta1",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "discovery.k8s.io/v1beta1",
    "events.k8s.io/v1",
    "events.k8s.io/v1beta1",
    "extensions/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1",
    "flowcontrol.apiserver.k8s.io/v1beta1",
    "flowcontrol.apiserver.k8s.io/v1beta2",
    "flowcontrol.apiserver.k8s.io/v1beta3",
    "lifecycle.k8s.io/v1alpha1",
    "networking.k8s.io/v1",
    "networking.k8s.io/v1beta1",
    "node.k8s.io/v1",
    "node.k8s.io/v1alpha1",
    "node.k8s.io/v1beta1",
    "policy/v1",
    "policy/v1beta1",
    "rbac.authorization.k8s.io/v1",
    "rbac.authorization.k8s.io/v1beta1",
    "rbac.authorization.k8s.io/v1alpha1",
    "resource.k8s.io/v1",
    "resource.k8s.io/v1beta2",
    "resource.k8s.io/v1beta1",
    "resource.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1alpha3",
    "scheduling.k8s.io/v1beta1",
    "scheduling.k8s.io/v1",
    "storage.k8s.io/v1beta1",
    "storage.k8s.io/v1",
    "storage.k8s.io/v1alpha1",
    "storagemigration.k8s.io/v1",
    "storagemigration.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1beta1",
    "apiextensions.k8s.io/v1",
];
