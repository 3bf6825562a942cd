//! Installs the tools that tests and benchmarks compare with.
//!
//! Every tool is built by the ordinary Go client from its published module, at the version pinned
//! here, into one folder. A tool whose marker names the pinned version is not built again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::{must, root};

/// A tool that `go install PACKAGE@VERSION` builds.
struct Installed {
    name: &'static str,
    package: &'static str,
    version: &'static str,
    /// What `go install` calls the binary.
    binary: &'static str,
}

const INSTALLED: &[Installed] = &[
    Installed {
        name: "kustomize",
        package: "sigs.k8s.io/kustomize/kustomize/v5",
        version: "v5.8.1",
        binary: "kustomize",
    },
    Installed {
        name: "helm4",
        package: "helm.sh/helm/v4/cmd/helm",
        version: "v4.3.1",
        binary: "helm",
    },
    Installed {
        name: "helm3",
        package: "helm.sh/helm/v3/cmd/helm",
        version: "v3.22.0",
        binary: "helm",
    },
    Installed {
        name: "etcd",
        package: "go.etcd.io/etcd/server/v3",
        version: "v3.6.5",
        binary: "server",
    },
];

/// Programs of Kubernetes, built from the module in `xtask/reference/kubernetes`.
const KUBERNETES: &[&str] = &["kube-apiserver", "kube-controller-manager", "kubectl"];
const KUBERNETES_VERSION: &str = "v1.36.3";

/// Our own programs over Go libraries that have no command line: folder and binary.
const PROGRAMS: &[(&str, &str)] = &[("crates/yaml/tests/reference", "yaml-reference")];

/// Where the tools go: `FLEETWRIGHT_REFERENCE`, else a cache folder in the home directory.
pub fn folder() -> Result<PathBuf> {
    if let Some(folder) = std::env::var_os("FLEETWRIGHT_REFERENCE") {
        return Ok(folder.into());
    }
    let home = std::env::var_os("HOME").context("HOME is not set")?;
    Ok(Path::new(&home).join(".cache/fleetwright/reference/bin"))
}

/// Installs what is missing; without Go says so loudly and goes on.
pub fn run() -> Result<()> {
    if Command::new("go").arg("version").output().is_err() {
        eprintln!(
            "SKIPPED: Go is not installed, so no reference tool is; tests that compare with them are skipped"
        );
        return Ok(());
    }
    let folder = folder()?;
    fs::create_dir_all(&folder)?;
    for tool in INSTALLED {
        once(&folder, tool.name, tool.version, || {
            let scratch = folder.join("scratch");
            must(
                Command::new("go")
                    .arg("install")
                    .arg(format!("{}@{}", tool.package, tool.version))
                    .env("GOBIN", &scratch),
            )?;
            fs::rename(scratch.join(tool.binary), folder.join(tool.name))?;
            Ok(())
        })?;
    }
    for name in KUBERNETES {
        once(&folder, name, KUBERNETES_VERSION, || {
            let version = "k8s.io/component-base/version";
            must(
                Command::new("go")
                    .current_dir(root().join("xtask/reference/kubernetes"))
                    .args(["build", "-o"])
                    .arg(folder.join(name))
                    .arg("-ldflags")
                    .arg(format!(
                        "-X {version}.gitVersion={KUBERNETES_VERSION} \
                         -X {version}.gitMajor=1 -X {version}.gitMinor=36"
                    ))
                    .arg(format!("k8s.io/kubernetes/cmd/{name}")),
            )
        })?;
    }
    for (source, name) in PROGRAMS {
        let source = root().join(source);
        let version = fingerprint(&source)?;
        once(&folder, name, &version, || {
            must(
                Command::new("go")
                    .current_dir(&source)
                    .args(["build", "-o"])
                    .arg(folder.join(name))
                    .arg("."),
            )
        })?;
    }
    Ok(())
}

/// Builds `name` unless the marker beside it says that `version` is there.
fn once(
    folder: &Path,
    name: &str,
    version: &str,
    build: impl FnOnce() -> Result<()>,
) -> Result<()> {
    let marker = folder.join(format!("{name}.version"));
    let installed = fs::read_to_string(&marker).unwrap_or_default();
    if installed == version && folder.join(name).is_file() {
        return Ok(());
    }
    eprintln!("installing {name} {version}");
    build().with_context(|| format!("installing {name} {version}"))?;
    fs::write(&marker, version)?;
    Ok(())
}

/// Changes whenever a file of the program does.
fn fingerprint(source: &Path) -> Result<String> {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    for file in ["main.go", "go.mod", "go.sum"] {
        fs::read(source.join(file))
            .with_context(|| format!("reading {}", source.join(file).display()))?
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
