//! Installs the tools that tests and benchmarks compare with.
//!
//! Every tool is built by the ordinary Go client from its published module, at the version pinned
//! here, into one folder. A tool whose marker names the pinned version is not built again.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
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
];

/// A tool built from a module of ours, because its own module replaces others by folders.
struct Built {
    name: &'static str,
    /// Folder of the module; its `go.mod` pins the version.
    module: &'static str,
    package: &'static str,
}

const BUILT: &[Built] = &[
    Built {
        name: "etcd",
        module: "xtask/reference/etcd",
        package: "go.etcd.io/etcd/server/v3",
    },
    Built {
        name: "kube-apiserver",
        module: "xtask/reference/kubernetes",
        package: "k8s.io/kubernetes/cmd/kube-apiserver",
    },
    Built {
        name: "kube-controller-manager",
        module: "xtask/reference/kubernetes",
        package: "k8s.io/kubernetes/cmd/kube-controller-manager",
    },
    Built {
        name: "kubectl",
        module: "xtask/reference/kubernetes",
        package: "k8s.io/kubernetes/cmd/kubectl",
    },
    // A program of ours over the Go libraries that read and write YAML.
    Built {
        name: "yaml-reference",
        module: "crates/yaml/tests/reference",
        package: ".",
    },
    // A program of ours over Helm's libraries, for benchmarks.
    Built {
        name: "helm-engine",
        module: "xtask/reference/helm",
        package: ".",
    },
];

/// What the Kubernetes programs say of themselves.
const LINKER_FLAGS: &str = "-X k8s.io/component-base/version.gitVersion=v1.36.3 \
                            -X k8s.io/component-base/version.gitMajor=1 \
                            -X k8s.io/component-base/version.gitMinor=36";

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
    for tool in BUILT {
        let module = root().join(tool.module);
        let version = fingerprint(&module)?;
        once(&folder, tool.name, &version, || {
            must(
                Command::new("go")
                    .current_dir(&module)
                    .args(["build", "-ldflags", LINKER_FLAGS, "-o"])
                    .arg(folder.join(tool.name))
                    .arg(tool.package),
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

/// Changes whenever a file of the module does.
fn fingerprint(module: &Path) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    let mut files: Vec<PathBuf> = fs::read_dir(module)
        .with_context(|| format!("reading {}", module.display()))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<std::io::Result<_>>()?;
    files.sort();
    for file in files.iter().filter(|file| file.is_file()) {
        fs::read(file)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}
