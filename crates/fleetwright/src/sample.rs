//! The sample repositories of the demo, and what is applied to look at them.

use tree::Tree;

/// A repository of the demo.
pub struct Sample {
    /// Its name on the Git server.
    pub repository: &'static str,
    /// Its files.
    pub files: fn() -> Tree,
    /// What its commit says.
    pub message: &'static str,
    /// The source and the unit that bring everything else.
    pub bootstrap: &'static str,
}

/// All of them. The first is set up wherever a Git server starts without repositories, the others
/// in the demo only.
pub const SAMPLES: &[Sample] = &[
    Sample {
        repository: "demo/fleet",
        files: fleet,
        message: "Two clusters, their infrastructure and their apps\n",
        bootstrap: include_str!("../bootstrap/fleet.yaml"),
    },
    Sample {
        repository: "demo/components",
        files: components,
        message: "Two components, and the platform they run on\n",
        bootstrap: include_str!("../bootstrap/components.yaml"),
    },
];

macro_rules! files {
    ($folder:literal: $($path:literal),* $(,)?) => {
        [$(($path, include_str!(concat!("../sample/", $folder, "/", $path)))),*]
            .into_iter()
            .collect()
    };
}

fn fleet() -> Tree {
    files![
        "fleet":
        "README.md",
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
    ]
}

fn components() -> Tree {
    files![
        "components":
        "README.md",
        "acme/namespace.yaml",
        "acme/platform/component-types/nightly.yaml",
        "acme/platform/component-types/service.yaml",
        "acme/platform/data-planes.yaml",
        "acme/platform/environments/development.yaml",
        "acme/platform/environments/production.yaml",
        "acme/platform/environments/staging.yaml",
        "acme/platform/pipeline.yaml",
        "acme/platform/traits/spread.yaml",
        "acme/projects/books/catalog/bindings/catalog-development.yaml",
        "acme/projects/books/catalog/bindings/catalog-production.yaml",
        "acme/projects/books/catalog/bindings/catalog-staging.yaml",
        "acme/projects/books/catalog/component.yaml",
        "acme/projects/books/catalog/releases/catalog-20261005-1.yaml",
        "acme/projects/books/catalog/releases/catalog-20261014-1.yaml",
        "acme/projects/books/catalog/workload.yaml",
        "acme/projects/books/project.yaml",
        "acme/projects/books/reports/bindings/reports-development.yaml",
        "acme/projects/books/reports/bindings/reports-production.yaml",
        "acme/projects/books/reports/bindings/reports-staging.yaml",
        "acme/projects/books/reports/component.yaml",
        "acme/projects/books/reports/releases/reports-20261005-1.yaml",
        "acme/projects/books/reports/workload.yaml",
        "release-config.yaml",
    ]
}

/// Address of the repositories as the samples name it; served by the demo itself.
pub const ADDRESS: &str = "https://git.example.com/";

/// Target clusters, each with its kubeconfig in a Secret `<name>-kubeconfig`.
pub const CLUSTERS: &[&str] = &["staging", "production"];

/// Every unit of the samples, and the state it settles in: sync and health.
pub const EXPECTED: &[(&str, &str, &str)] = &[
    ("components", "Synced", "Healthy"),
    ("fleet", "Synced", "Healthy"),
    ("production-infrastructure", "Synced", "Healthy"),
    ("production-payments", "Synced", "Degraded"),
    ("production-storefront", "Blocked", "Unknown"),
    ("production-web", "Synced", "Healthy"),
    ("staging-infrastructure", "Synced", "Healthy"),
    ("staging-web", "Synced", "Healthy"),
];

/// Every binding of the samples, and the reason of its condition `Ready` when it rests.
pub const EXPECTED_BINDINGS: &[(&str, &str)] = &[
    ("catalog-development", "Ready"),
    ("catalog-production", "PromotionBlocked"),
    ("catalog-staging", "Ready"),
    ("reports-development", "Ready"),
    ("reports-production", "Ready"),
    ("reports-staging", "Ready"),
];
