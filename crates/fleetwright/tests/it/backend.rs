//! Two control planes with one interface: the embedded one, and Kubernetes itself.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use object::{Node, Object};
use tempfile::TempDir;

use crate::kubelet::Kubelets;
use crate::process::{Process, eventually, fleetwright, free_port, hermetic, output, run};

/// Longest wait for a server to answer.
const START_TIME_MAX: Duration = Duration::from_secs(60);

/// Which control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The one in the binary.
    Embedded,
    /// etcd, kube-apiserver and kube-controller-manager.
    Kubernetes,
}

/// A control plane with Fleetwright's controllers and Git server.
pub struct Backend {
    pub kubeconfig: PathBuf,
    /// Where the Git server is, with the token: `http://push:TOKEN@127.0.0.1:PORT/git/`.
    pub git: String,
    port: u16,
    kubectl: PathBuf,
    /// How `fleetwright serve` was started.
    serve: Command,
    server: Process,
    _kubernetes: Vec<Process>,
    // Dropped last: a process that a panic ends shows what it wrote here.
    pub home: TempDir,
}

impl Backend {
    /// Starts one with a repository, or `None`, said loudly, when a program is missing.
    pub fn start(kind: Kind, repository: &str, rewrites: &[&str]) -> Option<Self> {
        Self::start_with(kind, repository, rewrites, &[])
    }

    /// Starts one with further flags for `fleetwright serve`.
    pub fn start_with(
        kind: Kind,
        repository: &str,
        rewrites: &[&str],
        flags: &[&str],
    ) -> Option<Self> {
        let kubectl = testkit::reference_tool("kubectl")?;
        let home = TempDir::new().unwrap();
        let mut processes = Vec::new();
        let port = free_port();
        let state = home.path().join("state");
        let mut serve = fleetwright(home.path());
        serve
            .arg("serve")
            .args(["--http-addr", &format!("127.0.0.1:{port}")])
            .args(["--api-addr", "127.0.0.1:0", "--storage-addr", "127.0.0.1:0"])
            .args(["--create-repository", repository])
            .arg("--data-dir")
            .arg(home.path().join("data"))
            .arg("--state-dir")
            .arg(&state)
            .args(flags)
            .env("FLEETWRIGHT_LOG", "info");
        for rewrite in rewrites {
            let rule = format!("{rewrite}=http://127.0.0.1:{port}/git/");
            serve.args(["--git-rewrite", &rule]);
        }
        let kubeconfig = match kind {
            Kind::Embedded => state.join("kubeconfig"),
            Kind::Kubernetes => {
                let kubeconfig = start_kubernetes(home.path(), &mut processes)?;
                serve.arg("--kubeconfig").arg(&kubeconfig);
                kubeconfig
            }
        };
        let server = Process::start(&mut serve, &home.path().join("serve.log"));
        let backend = Self {
            kubeconfig,
            git: git_address(home.path(), port),
            port,
            kubectl,
            serve,
            server,
            _kubernetes: processes,
            home,
        };
        backend.await_server();
        Some(backend)
    }

    fn await_server(&self) {
        eventually("the kinds served", START_TIME_MAX, || {
            let mut command = self.command(&["get", "kustomizations", "-A"]);
            output(&mut command).status.success().then_some(())
        });
    }

    /// Ends `fleetwright serve` as a power failure would.
    pub fn kill(&mut self) {
        self.server.kill();
    }

    /// Starts `fleetwright serve` again, on the data it left.
    pub fn start_again(&mut self) {
        self.server = Process::start(&mut self.serve, &self.home.path().join("serve.log"));
        self.await_server();
    }

    /// Ends `fleetwright serve`, loses everything it has kept, and starts it again.
    pub fn start_from_nothing(&mut self) {
        self.kill();
        std::fs::remove_dir_all(self.home.path().join("data")).unwrap();
        self.start_again();
        self.git = git_address(self.home.path(), self.port);
    }

    /// Runs stock kubectl and gives what it prints.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        run(&mut self.command(arguments))
    }

    /// Stock kubectl with arguments, not started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.kubectl);
        hermetic(&mut command, self.home.path());
        command
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .args(arguments);
        command
    }

    /// Simulated kubelets, for a control plane that has none.
    pub fn kubelets(&self) -> Kubelets {
        Kubelets::start(&self.kubectl, &self.kubeconfig, self.home.path())
    }

    /// An object, or `None` when it is not there.
    pub fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Object> {
        let mut command = self.command(&["get", resource, name, "-n", namespace, "-o", "json"]);
        let output = output(&mut command);
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(
                said.contains("not found") || said.contains("NotFound"),
                "{said}"
            );
            return None;
        }
        let node = object::json::parse(&output.stdout, object::json::ANSWER_LIMITS).unwrap();
        Some(Object::new(node))
    }

    /// Waits until a Kustomization has applied a commit, and gives it.
    pub fn applied(&self, name: &str, commit: &str) -> Object {
        let revision = format!("main@sha1:{commit}");
        let mut last = None;
        let found = (0..600).find_map(|_| {
            let unit = self.get(
                "kustomization.kustomize.toolkit.fluxcd.io",
                "flux-system",
                name,
            );
            let status = unit.as_ref().map(|unit| unit.node.at(&["status"]).cloned());
            let status = status.flatten().unwrap_or_default();
            let ready = is_ready(&status);
            if ready && status.str_at(&["lastAppliedRevision"]) == Some(&revision) {
                return unit;
            }
            last = Some(status);
            std::thread::sleep(Duration::from_millis(50));
            None
        });
        found.unwrap_or_else(|| {
            let last = last.map(|status| object::json::to_string(&status));
            panic!("{name} has not applied {revision}: {last:?}")
        })
    }
}

/// Where the Git server is, as soon as it has its token.
fn git_address(home: &Path, port: u16) -> String {
    let token = home.join("data/push-token");
    let token = eventually("the Git server", START_TIME_MAX, || {
        std::fs::read_to_string(&token).ok()
    });
    format!("http://push:{}@127.0.0.1:{port}/git/", token.trim())
}

fn is_ready(status: &Node) -> bool {
    let conditions = status.get("conditions").and_then(Node::as_list);
    conditions.unwrap_or(&[]).iter().any(|condition| {
        condition.str_at(&["type"]) == Some("Ready")
            && condition.str_at(&["status"]) == Some("True")
    })
}

/// Starts Kubernetes' own control plane; gives an administrator's kubeconfig.
pub fn start_kubernetes(home: &Path, processes: &mut Vec<Process>) -> Option<PathBuf> {
    let etcd = testkit::reference_tool("etcd")?;
    let api_server = testkit::reference_tool("kube-apiserver")?;
    let controllers = testkit::reference_tool("kube-controller-manager")?;
    let (client, peer, secure) = (free_port(), free_port(), free_port());
    let file = |name: &str| home.join(name);
    let text = |name: &str| file(name).to_string_lossy().into_owned();
    let etcd_url = format!("http://127.0.0.1:{client}");
    let peer_url = format!("http://127.0.0.1:{peer}");
    let mut command = Command::new(etcd);
    hermetic(&mut command, home);
    command
        .args(["--data-dir", &text("etcd")])
        .args(["--listen-client-urls", &etcd_url])
        .args(["--advertise-client-urls", &etcd_url])
        .args(["--listen-peer-urls", &peer_url])
        .args(["--initial-advertise-peer-urls", &peer_url])
        .args(["--initial-cluster", &format!("default={peer_url}")]);
    processes.push(Process::start(&mut command, &file("etcd.log")));

    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(file("sa.key"), key.serialize_pem()).unwrap();
    std::fs::write(file("sa.pub"), key.public_key_pem()).unwrap();
    let token = "admin-token";
    let user = format!("{token},admin,admin,system:masters\n");
    std::fs::write(file("tokens.csv"), user).unwrap();
    let mut command = Command::new(api_server);
    hermetic(&mut command, home);
    command
        .args(["--etcd-servers", &etcd_url])
        .args(["--secure-port", &secure.to_string()])
        .args(["--bind-address", "127.0.0.1"])
        .args(["--cert-dir", &text("certificates")])
        .args(["--service-account-issuer", "https://kubernetes.default.svc"])
        .args(["--service-account-key-file", &text("sa.pub")])
        .args(["--service-account-signing-key-file", &text("sa.key")])
        .args(["--service-cluster-ip-range", "10.0.0.0/16"])
        .args(["--authorization-mode", "RBAC"])
        .args(["--token-auth-file", &text("tokens.csv")]);
    processes.push(Process::start(&mut command, &file("kube-apiserver.log")));

    let kubeconfig = file("kubeconfig");
    let config = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
         clusters: [{{name: test, cluster: {{server: \"https://127.0.0.1:{secure}\", insecure-skip-tls-verify: true}}}}]\n\
         contexts: [{{name: test, context: {{cluster: test, user: test}}}}]\n\
         users: [{{name: test, user: {{token: {token}}}}}]\n"
    );
    std::fs::write(&kubeconfig, config).unwrap();
    let kubectl = testkit::reference_tool("kubectl")?;
    eventually("kube-apiserver", START_TIME_MAX, || {
        let mut command = Command::new(&kubectl);
        hermetic(&mut command, home);
        command
            .arg("--kubeconfig")
            .arg(&kubeconfig)
            .args(["get", "--raw", "/readyz"]);
        output(&mut command).status.success().then_some(())
    });
    let mut command = Command::new(controllers);
    hermetic(&mut command, home);
    command
        .arg("--kubeconfig")
        .arg(&kubeconfig)
        .args(["--service-account-private-key-file", &text("sa.key")])
        .args(["--use-service-account-credentials", "--leader-elect=false"])
        .args(["--bind-address", "127.0.0.1", "--secure-port", "0"]);
    processes.push(Process::start(
        &mut command,
        &file("kube-controller-manager.log"),
    ));
    Some(kubeconfig)
}
