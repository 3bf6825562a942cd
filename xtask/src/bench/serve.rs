//! `fleetwright serve` under measurement, with a repository that nothing was pushed to.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::Settings;
use super::process::{Process, eventually, free_port, hermetic};
use super::proxy::Proxy;

/// Where the repository is for manifests; the server takes it for its own.
pub const HOST: &str = "https://github.com/";

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// A server with a fresh data folder, and the way to it.
pub struct Serve {
    /// The process.
    pub server: Process,
    /// The way to its API.
    pub proxy: Proxy,
    /// The address of the repository, with what a push needs.
    pub remote: String,
}

impl Serve {
    /// Starts a server in `home` and waits until it serves these paths.
    pub fn start(
        settings: &Settings,
        home: &Path,
        repository: &str,
        paths: &[&str],
    ) -> Result<Self> {
        let port = free_port()?;
        let base = format!("http://127.0.0.1:{port}/git/");
        let mut command = hermetic(&settings.binary, home);
        command
            .args(["serve", "--data-dir", "data", "--state-dir", "state"])
            .args(["--http-addr", &format!("127.0.0.1:{port}")])
            .args(["--api-addr", "127.0.0.1:0", "--storage-addr", "127.0.0.1:0"])
            .args(["--create-repository", repository])
            .args(["--git-rewrite", &format!("{HOST}={base}")]);
        let server = Process::start(&mut command, &home.join("serve.log"))?;
        let token = eventually("the Git server", PAUSE, || {
            Ok(fs::read_to_string(home.join("data/push-token")).ok())
        })?;
        let kubeconfig = home.join("state/kubeconfig");
        let proxy = Proxy::start(&settings.tool("kubectl")?, &kubeconfig, home)?;
        eventually("the kinds served", PAUSE, || {
            Ok(paths.iter().all(|path| proxy.is_ok(path)).then_some(()))
        })?;
        let token = token.trim();
        Ok(Self {
            server,
            proxy,
            remote: format!("http://push:{token}@127.0.0.1:{port}/git/{repository}.git"),
        })
    }
}
