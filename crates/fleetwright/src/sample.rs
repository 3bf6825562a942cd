//! The sample repository of the demo, and what is applied to look at it.

use tree::Tree;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../sample/", $path)))),*]
    };
}

/// The files of the sample repository.
pub fn files() -> Tree {
    files![
        "README.md",
        "clusters/kustomization.yaml",
        "clusters/production/apps.yaml",
        "clusters/production/infrastructure.yaml",
        "clusters/production/kustomization.yaml",
        "clusters/staging/apps.yaml",
        "clusters/staging/infrastructure.yaml",
        "clusters/staging/kustomization.yaml",
        "infrastructure/base/kustomization.yaml",
        "infrastructure/base/namespaces.yaml",
        "infrastructure/base/platform.yaml",
        "infrastructure/production/kustomization.yaml",
        "infrastructure/staging/kustomization.yaml",
        "apps/payments/deployment.yaml",
        "apps/payments/kustomization.yaml",
        "apps/storefront/deployment.yaml",
        "apps/storefront/kustomization.yaml",
        "apps/web/base/deployment.yaml",
        "apps/web/base/kustomization.yaml",
        "apps/web/base/service.yaml",
        "apps/web/production/ingress.yaml",
        "apps/web/production/kustomization.yaml",
        "apps/web/staging/kustomization.yaml",
    ]
    .into_iter()
    .collect()
}

/// The source and the unit that bring everything else.
pub const BOOTSTRAP: &str = include_str!("../bootstrap/fleet.yaml");

/// Address of the repository as the sample names it; served by the demo itself.
pub const ADDRESS: &str = "https://git.example.com/";

/// Name of the repository on the Git server.
pub const REPOSITORY: &str = "demo/fleet";

/// Target clusters, each with its kubeconfig in a Secret `<name>-kubeconfig`.
pub const CLUSTERS: &[&str] = &["staging", "production"];

/// Every unit of the sample, and the state it settles in: sync and health.
pub const EXPECTED: &[(&str, &str, &str)] = &[
    ("fleet", "Synced", "Healthy"),
    ("production-infrastructure", "Synced", "Healthy"),
    ("production-payments", "Synced", "Degraded"),
    ("production-storefront", "Blocked", "Unknown"),
    ("production-web", "Synced", "Healthy"),
    ("staging-infrastructure", "Synced", "Healthy"),
    ("staging-web", "Synced", "Healthy"),
];
