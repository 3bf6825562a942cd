//! Control planes to measure against: Kubernetes' own, and the embedded one as a process.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};
use serde_json::Value;

use super::Settings;
use super::process::{Process, eventually, free_port, hermetic, output};
use super::proxy::Proxy;

/// Who sets benchmarks up, and who is measured: the name is the token, too.
const ADMINISTRATOR: &str = "administrator";
const CONTROLLER: &str = "controller";

/// Time between two looks at a server that starts; each costs the proxy, and thereby the machine,
/// half a millisecond.
const PAUSE: Duration = Duration::from_micros(500);

/// Which control plane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// etcd, kube-apiserver and kube-controller-manager.
    Kubernetes,
    /// `fleetwright apiserver --memory`.
    Embedded,
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "kubernetes" => Ok(Self::Kubernetes),
            "embedded" => Ok(Self::Embedded),
            _ => bail!("{text} is no back end; there are kubernetes and embedded"),
        }
    }
}

/// A control plane that is ready.
pub struct ControlPlane {
    kind: Kind,
    /// The API as an administrator.
    pub proxy: Proxy,
    /// Kubeconfig of whoever is measured.
    pub controller: PathBuf,
    /// Time from the start of its first process to the first 200 of `/readyz`.
    pub start_time: Duration,
    audit: PathBuf,
    processes: Vec<Process>,
}

/// Requests by verb, as Kubernetes' audit log calls them, and resource.
pub type Requests = BTreeMap<(String, String), u64>;

impl ControlPlane {
    /// Starts one with its files in `home`.
    pub fn start(kind: Kind, settings: &Settings, home: &Path) -> Result<Self> {
        let users = [ADMINISTRATOR, CONTROLLER]
            .map(|name| format!("{name},{name},{name},system:masters\n"));
        fs::write(home.join("tokens.csv"), users.concat())?;
        let port = free_port()?;
        for user in [ADMINISTRATOR, CONTROLLER] {
            fs::write(home.join(user), kubeconfig(port, user))?;
        }
        prepare(home)?;
        let proxy = Proxy::start(&settings.tool("kubectl")?, &home.join(ADMINISTRATOR), home)?;
        let started = Instant::now();
        let mut processes = Vec::new();
        match kind {
            Kind::Kubernetes => {
                let client = start_etcd(settings, home, &mut processes)?;
                start_api_server(settings, home, client, port, &mut processes)?;
            }
            Kind::Embedded => {
                let mut command = hermetic(&settings.binary, home);
                command
                    .args(["apiserver", "--memory", "--token-auth-file", "tokens.csv"])
                    .args(["--listen", &format!("127.0.0.1:{port}")]);
                processes.push(Process::start(&mut command, &home.join("apiserver.log"))?);
            }
        }
        eventually("the API server", PAUSE, || {
            Ok(proxy.is_ok("/readyz").then_some(()))
        })?;
        Ok(Self {
            kind,
            proxy,
            controller: home.join(CONTROLLER),
            start_time: started.elapsed(),
            audit: home.join("audit.log"),
            processes,
        })
    }

    /// Adds kube-controller-manager; the embedded one has its controllers inside.
    pub fn start_controllers(&mut self, settings: &Settings, home: &Path) -> Result<()> {
        if self.kind == Kind::Embedded {
            return Ok(());
        }
        let mut command = hermetic(&settings.tool("kube-controller-manager")?, home);
        command
            .args(["--kubeconfig", ADMINISTRATOR])
            .args(["--service-account-private-key-file", "sa.key"])
            .args(["--use-service-account-credentials", "--leader-elect=false"])
            .args(["--kube-api-qps", &settings.rate.to_string()])
            .args(["--kube-api-burst", &(settings.rate * 3 / 2).to_string()])
            .args(["--bind-address", "127.0.0.1", "--secure-port", "0"]);
        let log = home.join("kube-controller-manager.log");
        self.processes.push(Process::start(&mut command, &log)?);
        Ok(())
    }

    /// Requests so far: of the controller alone where there is an audit log, else of everybody.
    pub fn requests(&self) -> Result<Requests> {
        match self.kind {
            Kind::Kubernetes => audited(&fs::read_to_string(&self.audit)?),
            Kind::Embedded => counted(&self.proxy.text("/metrics")?),
        }
    }

    /// Takes out of a difference of [`Self::requests`] what the benchmark asked itself: `count`
    /// writes, and reading the counters.
    pub fn without_own(&self, requests: &mut Requests, (verb, resource): (&str, &str), count: u64) {
        if self.kind == Kind::Kubernetes {
            return;
        }
        if let Some(all) = requests.get_mut(&(verb.to_owned(), resource.to_owned())) {
            *all = all.saturating_sub(count);
        }
        requests.retain(|(_, resource), count| *count > 0 && !resource.is_empty());
    }

    /// Processor time of all its processes so far.
    pub fn cpu(&self) -> Result<Duration> {
        self.processes.iter().map(Process::cpu).sum()
    }

    /// Peak memory of all its processes.
    pub fn peak_memory(&self) -> u64 {
        self.processes.iter().filter_map(Process::peak_memory).sum()
    }
}

/// Writes what Kubernetes' API server reads.
fn prepare(home: &Path) -> Result<()> {
    let key = home.join("sa.key");
    output(
        Command::new("openssl")
            .args(["genrsa", "-out"])
            .arg(&key)
            .arg("2048"),
    )?;
    let policy = format!(
        "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\n\
         rules: [{{level: Metadata, users: [{CONTROLLER}]}}, {{level: None}}]\n"
    );
    fs::write(home.join("audit.yaml"), policy)?;
    fs::write(home.join("audit.log"), "")?;
    Ok(())
}

fn start_etcd(settings: &Settings, home: &Path, processes: &mut Vec<Process>) -> Result<u16> {
    let (client, peer) = (free_port()?, free_port()?);
    let client_url = format!("http://127.0.0.1:{client}");
    let peer_url = format!("http://127.0.0.1:{peer}");
    let mut command = hermetic(&settings.tool("etcd")?, home);
    command
        .args(["--data-dir", "etcd"])
        .args(["--listen-client-urls", &client_url])
        .args(["--advertise-client-urls", &client_url])
        .args(["--listen-peer-urls", &peer_url])
        .args(["--initial-advertise-peer-urls", &peer_url])
        .args(["--initial-cluster", &format!("default={peer_url}")]);
    processes.push(Process::start(&mut command, &home.join("etcd.log"))?);
    Ok(client)
}

fn start_api_server(
    settings: &Settings,
    home: &Path,
    etcd: u16,
    port: u16,
    processes: &mut Vec<Process>,
) -> Result<()> {
    let mut command = hermetic(&settings.tool("kube-apiserver")?, home);
    command
        .args(["--etcd-servers", &format!("http://127.0.0.1:{etcd}")])
        .args(["--secure-port", &port.to_string()])
        .args(["--bind-address", "127.0.0.1"])
        .args(["--cert-dir", "certificates"])
        .args(["--service-account-issuer", "https://kubernetes.default.svc"])
        .args(["--service-account-key-file", "sa.key"])
        .args(["--service-account-signing-key-file", "sa.key"])
        .args(["--service-cluster-ip-range", "10.0.0.0/16"])
        .args(["--authorization-mode", "RBAC"])
        .args(["--token-auth-file", "tokens.csv"])
        .args(["--audit-policy-file", "audit.yaml"])
        .args(["--audit-log-path", "audit.log"]);
    processes.push(Process::start(
        &mut command,
        &home.join("kube-apiserver.log"),
    )?);
    Ok(())
}

/// A kubeconfig of a server on this machine whose certificate nobody knows yet.
fn kubeconfig(port: u16, token: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: bench\n\
         clusters: [{{name: bench, cluster: {{server: \"https://127.0.0.1:{port}\", insecure-skip-tls-verify: true}}}}]\n\
         contexts: [{{name: bench, context: {{cluster: bench, user: bench}}}}]\n\
         users: [{{name: bench, user: {{token: {token}}}}}]\n"
    )
}

/// Counts an audit log: every request once, watches when they begin.
fn audited(log: &str) -> Result<Requests> {
    let mut requests = Requests::new();
    // The last line may still be in the making.
    let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
    for line in whole.lines() {
        let event: Value = serde_json::from_str(line).context("a line of the audit log")?;
        let verb = event["verb"].as_str().unwrap_or_default();
        let stage = match verb {
            "watch" => "ResponseStarted",
            _ => "ResponseComplete",
        };
        if event["stage"] != stage {
            continue;
        }
        let of = |field: &str| event["objectRef"][field].as_str().unwrap_or_default();
        let resource = match (of("resource"), of("subresource")) {
            ("", _) => event["requestURI"].as_str().unwrap_or_default().to_owned(),
            (resource, "") => resource.to_owned(),
            (resource, subresource) => format!("{resource}/{subresource}"),
        };
        *requests.entry((verb.to_owned(), resource)).or_default() += 1;
    }
    Ok(requests)
}

/// Reads the counter of requests from metrics.
pub fn counted(metrics: &str) -> Result<Requests> {
    let mut requests = Requests::new();
    for line in metrics.lines() {
        let Some(rest) = line.strip_prefix("apiserver_request_total{") else {
            continue;
        };
        let (labels, count) = rest.rsplit_once("} ").context("a counter without value")?;
        let label = |name: &str| {
            let found = labels.split(',').find_map(|label| label.strip_prefix(name));
            found
                .unwrap_or_default()
                .trim_matches(['=', '"'])
                .to_owned()
        };
        let (verb, resource) = (label("verb"), label("resource"));
        *requests.entry((verb, resource)).or_default() += count.parse::<u64>()?;
    }
    Ok(requests)
}

#[test]
fn an_audit_log_counts_each_request_once() {
    let log = r#"{"stage":"ResponseStarted","verb":"watch","objectRef":{"resource":"pods"}}
{"stage":"ResponseComplete","verb":"watch","objectRef":{"resource":"pods"}}
{"stage":"ResponseComplete","verb":"patch","objectRef":{"resource":"pods","subresource":"status"}}
{"stage":"ResponseComplete","verb":"get","requestURI":"/apis"}
{"stage":"Respon"#;
    let requests = audited(log).unwrap();
    let shown: Vec<String> = requests
        .iter()
        .map(|((verb, resource), count)| format!("{verb} {resource} {count}"))
        .collect();
    assert_eq!(
        shown,
        ["get /apis 1", "patch pods/status 1", "watch pods 1"]
    );
}

#[test]
fn counters_of_codes_are_added() {
    let metrics = "# TYPE apiserver_request_total counter\n\
        apiserver_request_total{verb=\"get\",resource=\"services\",code=\"200\"} 2\n\
        apiserver_request_total{verb=\"get\",resource=\"services\",code=\"404\"} 3\n\
        apiserver_request_duration_seconds_count{verb=\"get\",resource=\"pods\",code=\"200\"} 9\n";
    let requests = counted(metrics).unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[&("get".to_owned(), "services".to_owned())], 5);
}
