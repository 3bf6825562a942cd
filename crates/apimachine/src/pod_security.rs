//! Pod Security Standards, as the labels of a namespace ask for them.
//!
//! # Source
//! kubernetes/pod-security-admission `policy/check_*.go`, `admission/admission.go`.

use std::collections::BTreeSet;

use object::{Map, Node, Text};
use schema::FieldError;

use crate::Refusal;
use crate::call::{Call, Target, meta};

/// Most existing pods that are looked at when a namespace becomes stricter, as upstream.
const EXISTING_PODS_MAX: usize = 3_000;

const ENFORCE: &str = "pod-security.kubernetes.io/enforce";
const WARN: &str = "pod-security.kubernetes.io/warn";
const AUDIT: &str = "pod-security.kubernetes.io/audit";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Privileged,
    Baseline,
    Restricted,
}

/// What is forbidden, and where.
struct Finding {
    reason: String,
    detail: String,
}

/// A level with the version it is pinned to, as a namespace's labels say.
struct Policy {
    level: Level,
    name: String,
}

impl Policy {
    fn of(namespace: &Node, label: &str) -> Self {
        let text = |label: &str| namespace.str_at(&["metadata", "labels", label]);
        let level = match text(label) {
            Some("baseline") => Level::Baseline,
            Some("restricted") => Level::Restricted,
            _ => Level::Privileged,
        };
        let version = text(&format!("{label}-version")).unwrap_or("latest");
        Self {
            level,
            name: format!("{}:{version}", text(label).unwrap_or("privileged")),
        }
    }

    /// Everything the policy has against a pod, in one text; `None` when it is allowed.
    fn violations(&self, metadata: &Node, spec: &Node) -> Option<String> {
        let findings = findings(self.level, &Pod { metadata, spec });
        let texts: Vec<String> = findings
            .iter()
            .map(|found| format!("{} ({})", found.reason, found.detail))
            .collect();
        (!texts.is_empty()).then(|| texts.join(", "))
    }
}

/// The pod in an object: its own, or the one in its template.
fn pod_of<'n>(target: &Target<'_>, object: &'n Node) -> Option<(&'n Node, &'n Node)> {
    let keys: &[&str] = match target.resource.storage.as_str() {
        "pods" => &[],
        "podtemplates" => &["template"],
        "replicationcontrollers"
        | "deployments.apps"
        | "replicasets.apps"
        | "daemonsets.apps"
        | "statefulsets.apps"
        | "jobs.batch" => &["spec", "template"],
        "cronjobs.batch" => &["spec", "jobTemplate", "spec", "template"],
        _ => return None,
    };
    let pod = object.at(keys)?;
    Some((pod.get("metadata").unwrap_or(&Node::Null), pod.get("spec")?))
}

/// Refuses pods that their namespace does not allow, and warns about templates of such pods.
pub(crate) fn check(
    call: &mut Call<'_>,
    target: &Target<'_>,
    object: &Node,
    old: Option<&Node>,
) -> Result<(), Refusal> {
    if target.resource.storage == "namespaces" {
        return check_namespace(call, target, object, old);
    }
    let Some((metadata, spec)) = pod_of(target, object) else {
        return Ok(());
    };
    let Some(namespace) = call.state.get("namespaces", "", target.namespace) else {
        return Ok(());
    };
    let is_pod = target.resource.storage == "pods";
    let unchanged = old
        .and_then(|old| pod_of(target, old))
        .is_some_and(|(_, before)| before == spec);
    if is_pod && unchanged {
        return Ok(());
    }
    let (enforce, warn) = (Policy::of(namespace, ENFORCE), Policy::of(namespace, WARN));
    if is_pod && let Some(violations) = enforce.violations(metadata, spec) {
        let problem = format!("violates PodSecurity {:?}: {violations}", enforce.name);
        return Err(Refusal::not_admitted(
            target.resource,
            meta(object, "name"),
            &problem,
        ));
    }
    if let Some(violations) = warn.violations(metadata, spec) {
        call.warnings.push(format!(
            "would violate PodSecurity {:?}: {violations}",
            warn.name
        ));
    }
    Ok(())
}

fn check_namespace(
    call: &mut Call<'_>,
    target: &Target<'_>,
    object: &Node,
    old: Option<&Node>,
) -> Result<(), Refusal> {
    let mut errors = Vec::new();
    for label in [ENFORCE, AUDIT, WARN] {
        let value = |label: &str| {
            object
                .str_at(&["metadata", "labels", label])
                .map(str::to_owned)
        };
        if let Some(level) = value(label)
            .filter(|level| !matches!(level.as_str(), "privileged" | "baseline" | "restricted"))
        {
            let path = format!("metadata.labels[{label}]");
            errors.push(FieldError::invalid(
                path,
                level,
                "must be one of privileged, baseline, restricted",
            ));
        }
        let label = format!("{label}-version");
        let valid = |version: &str| {
            let minor = version.strip_prefix("v1.").unwrap_or_default();
            version == "latest"
                || !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
        };
        if let Some(version) = value(&label).filter(|version| !valid(version)) {
            let path = format!("metadata.labels[{label}]");
            errors.push(FieldError::invalid(
                path,
                version,
                "must be \"latest\" or \"v1.x\"",
            ));
        }
    }
    let name = meta(object, "name");
    if !errors.is_empty() {
        return Err(Refusal::invalid("", &target.resource.kind, name, &errors));
    }
    let Some(old) = old else { return Ok(()) };
    let (before, after) = (Policy::of(old, ENFORCE), Policy::of(object, ENFORCE));
    if before.name == after.name || after.level <= before.level {
        return Ok(());
    }
    let mut found: Vec<(Text, String)> = Vec::new();
    for (key, pod) in call.state.list("pods", Some(name)).take(EXISTING_PODS_MAX) {
        let spec = pod.get("spec").unwrap_or(&Node::Null);
        let metadata = pod.get("metadata").unwrap_or(&Node::Null);
        let reasons = findings(after.level, &Pod { metadata, spec });
        let reasons: Vec<String> = reasons.into_iter().map(|found| found.reason).collect();
        if !reasons.is_empty() {
            found.push((key.name.clone(), reasons.join(", ")));
        }
    }
    if !found.is_empty() {
        call.warnings.push(format!(
            "existing pods in namespace {name:?} violate the new PodSecurity enforce level {:?}",
            after.name
        ));
        call.warnings.extend(
            found
                .into_iter()
                .map(|(pod, reasons)| format!("{pod}: {reasons}")),
        );
    }
    Ok(())
}

/// A pod and the ways to look at it.
struct Pod<'a> {
    metadata: &'a Node,
    spec: &'a Node,
}

impl<'a> Pod<'a> {
    fn containers(&self) -> impl Iterator<Item = &'a Node> + use<'a> {
        let spec = self.spec;
        ["initContainers", "containers", "ephemeralContainers"]
            .into_iter()
            .flat_map(move |key| spec.get(key).and_then(Node::as_list).unwrap_or_default())
    }

    /// Names of the containers that `bad` picks.
    fn names(&self, bad: impl Fn(&Node) -> bool) -> Vec<&'a str> {
        let picked = self.containers().filter(|container| bad(container));
        picked
            .map(|container| container.str_at(&["name"]).unwrap_or_default())
            .collect()
    }

    fn is_windows(&self) -> bool {
        self.spec.str_at(&["os", "name"]) == Some("windows")
    }
}

fn quoted<'t>(names: impl IntoIterator<Item = &'t str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("{name:?}")).collect();
    names.join(", ")
}

fn plural<'t>(one: &'t str, many: &'t str, count: usize) -> &'t str {
    if count == 1 { one } else { many }
}

/// `container "a"` or `containers "a", "b"`.
fn containers(names: &[&str]) -> String {
    format!(
        "{} {}",
        plural("container", "containers", names.len()),
        quoted(names.iter().copied())
    )
}

/// `pod and container "a"`, for settings of either.
fn setters(pod: bool, names: &[&str]) -> String {
    match (pod, names.is_empty()) {
        (true, true) => "pod".to_owned(),
        (true, false) => format!("pod and {}", containers(names)),
        (false, _) => containers(names),
    }
}

fn text_of<'n>(node: &'n Node, keys: &[&str]) -> &'n str {
    node.str_at(keys).unwrap_or_default()
}

type Check = fn(&Pod<'_>) -> Option<Finding>;

/// Checks of the baseline, in the order in which they are told.
const BASELINE: [Check; 12] = [
    app_armor,
    default_capabilities,
    host_namespaces,
    host_path_volumes,
    host_ports,
    probe_hosts,
    privileged,
    proc_mount_of_host_users,
    se_linux,
    seccomp_unconfined,
    sysctls,
    windows_host_process,
];

/// As [`BASELINE`], without what [`RESTRICTED`] checks more strictly.
const BASELINE_OF_RESTRICTED: [Check; 9] = [
    app_armor,
    host_namespaces,
    host_ports,
    probe_hosts,
    privileged,
    proc_mount,
    se_linux,
    sysctls,
    windows_host_process,
];

const RESTRICTED: [Check; 6] = [
    privilege_escalation,
    dropped_capabilities,
    volume_types,
    run_as_non_root,
    run_as_user,
    seccomp_required,
];

fn findings(level: Level, pod: &Pod<'_>) -> Vec<Finding> {
    let (baseline, restricted): (&[Check], &[Check]) = match level {
        Level::Privileged => (&[], &[]),
        Level::Baseline => (&BASELINE, &[]),
        Level::Restricted => (&BASELINE_OF_RESTRICTED, &RESTRICTED),
    };
    let checks = baseline.iter().chain(restricted);
    checks.filter_map(|check| check(pod)).collect()
}

fn finding(reason: impl Into<String>, detail: String) -> Option<Finding> {
    Some(Finding {
        reason: reason.into(),
        detail,
    })
}

fn app_armor(pod: &Pod<'_>) -> Option<Finding> {
    const PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
    let keys = ["securityContext", "appArmorProfile", "type"];
    let whole = text_of(pod.spec, &keys) == "Unconfined";
    let names = pod.names(|container| text_of(container, &keys) == "Unconfined");
    let mut parts = Vec::new();
    if whole || !names.is_empty() {
        parts.push(format!(
            "{} must not set AppArmor profile type to \"Unconfined\"",
            setters(whole, &names)
        ));
    }
    let annotations = pod.metadata.get("annotations").and_then(Node::as_map);
    for (key, value) in annotations.into_iter().flat_map(Map::iter) {
        let value = value.as_str().unwrap_or_default();
        let allowed =
            value.is_empty() || value == "runtime/default" || value.starts_with("localhost/");
        if key.starts_with(PREFIX) && !allowed {
            parts.push(format!("annotation {key}={value:?}"));
        }
    }
    match parts.len() {
        0 => None,
        count => finding(
            plural(
                "forbidden AppArmor profile",
                "forbidden AppArmor profiles",
                count,
            ),
            parts.join(", "),
        ),
    }
}

fn host_namespaces(pod: &Pod<'_>) -> Option<Finding> {
    let set = |key: &&str| pod.spec.get(key).and_then(Node::as_bool) == Some(true);
    let set: Vec<String> = ["hostNetwork", "hostPID", "hostIPC"]
        .iter()
        .filter(|key| set(key))
        .map(|key| format!("{key}=true"))
        .collect();
    if set.is_empty() {
        None
    } else {
        finding("host namespaces", set.join(", "))
    }
}

fn host_ports(pod: &Pod<'_>) -> Option<Finding> {
    let ports = |container: &Node| -> Vec<i64> {
        let ports = container
            .get("ports")
            .and_then(Node::as_list)
            .unwrap_or_default();
        ports
            .iter()
            .filter_map(|port| port.get("hostPort")?.as_i64())
            .filter(|port| *port != 0)
            .collect()
    };
    let names = pod.names(|container| !ports(container).is_empty());
    let used: BTreeSet<String> = pod
        .containers()
        .flat_map(ports)
        .map(|port| port.to_string())
        .collect();
    if names.is_empty() {
        return None;
    }
    let uses = plural("uses", "use", names.len());
    let word = plural("hostPort", "hostPorts", used.len());
    let used: Vec<String> = used.into_iter().collect();
    finding(
        word,
        format!("{} {uses} {word} {}", containers(&names), used.join(", ")),
    )
}

/// Probes and hooks reach the pod itself, nothing else.
fn probe_hosts(pod: &Pod<'_>) -> Option<Finding> {
    const HANDLERS: [&[&str]; 5] = [
        &["livenessProbe"],
        &["readinessProbe"],
        &["startupProbe"],
        &["lifecycle", "postStart"],
        &["lifecycle", "preStop"],
    ];
    let host = |handler: Option<&Node>, action: &str| {
        let host = handler.and_then(|handler| handler.str_at(&[action, "host"]));
        host.filter(|host| !host.is_empty()).map(str::to_owned)
    };
    let hosts = |container: &Node| -> Vec<String> {
        let handlers = HANDLERS.iter().map(|keys| container.at(keys));
        handlers
            .flat_map(|handler| ["httpGet", "tcpSocket"].map(|action| host(handler, action)))
            .flatten()
            .collect()
    };
    let names = pod.names(|container| !hosts(container).is_empty());
    let used: BTreeSet<String> = pod.containers().flat_map(hosts).collect();
    if names.is_empty() {
        return None;
    }
    let (uses, word) = (
        plural("uses", "use", names.len()),
        plural("host", "hosts", used.len()),
    );
    let detail = format!(
        "{} {uses} probe or lifecycle {word} {}",
        containers(&names),
        quoted(used.iter().map(String::as_str))
    );
    finding(format!("probe or lifecycle {word}"), detail)
}

fn privileged(pod: &Pod<'_>) -> Option<Finding> {
    let names = pod.names(|container| {
        container
            .at(&["securityContext", "privileged"])
            .and_then(Node::as_bool)
            == Some(true)
    });
    if names.is_empty() {
        return None;
    }
    finding(
        "privileged",
        format!(
            "{} must not set securityContext.privileged=true",
            containers(&names)
        ),
    )
}

/// A user namespace makes the mount harmless enough for the baseline.
fn proc_mount_of_host_users(pod: &Pod<'_>) -> Option<Finding> {
    match pod.spec.get("hostUsers").and_then(Node::as_bool) {
        Some(false) => None,
        _ => proc_mount(pod),
    }
}

fn proc_mount(pod: &Pod<'_>) -> Option<Finding> {
    let bad = |container: &Node| {
        !matches!(
            text_of(container, &["securityContext", "procMount"]),
            "" | "Default"
        )
    };
    let names = pod.names(bad);
    let values: BTreeSet<&str> = pod
        .containers()
        .filter(|one| bad(one))
        .map(|one| text_of(one, &["securityContext", "procMount"]))
        .collect();
    if names.is_empty() {
        return None;
    }
    finding(
        "procMount",
        format!(
            "{} must not set securityContext.procMount to {}",
            containers(&names),
            quoted(values)
        ),
    )
}

fn se_linux(pod: &Pod<'_>) -> Option<Finding> {
    const TYPES: [&str; 5] = [
        "",
        "container_t",
        "container_init_t",
        "container_kvm_t",
        "container_engine_t",
    ];
    let options = |node: &Node, key: &str| {
        text_of(node, &["securityContext", "seLinuxOptions", key]).to_owned()
    };
    let bad = |node: &Node| {
        !TYPES.contains(&options(node, "type").as_str())
            || !options(node, "user").is_empty()
            || !options(node, "role").is_empty()
    };
    let whole = bad(pod.spec);
    let names = pod.names(bad);
    if !whole && names.is_empty() {
        return None;
    }
    let all: Vec<&Node> = [pod.spec]
        .into_iter()
        .filter(|_| whole)
        .chain(pod.containers().filter(|one| bad(one)))
        .collect();
    let types: BTreeSet<String> = all
        .iter()
        .map(|node| options(node, "type"))
        .filter(|text| !TYPES.contains(&text.as_str()))
        .collect();
    let mut parts = Vec::new();
    if !types.is_empty() {
        let word = plural("type", "types", types.len());
        parts.push(format!(
            "{word} {}",
            quoted(types.iter().map(String::as_str))
        ));
    }
    for key in ["user", "role"] {
        if all.iter().any(|node| !options(node, key).is_empty()) {
            parts.push(format!("{key} may not be set"));
        }
    }
    let set = if whole && names.is_empty() || !whole && names.len() == 1 {
        "sets"
    } else {
        "set"
    };
    let who = setters(whole, &names);
    finding(
        "seLinuxOptions",
        format!(
            "{who} {set} forbidden securityContext.seLinuxOptions: {}",
            parts.join("; ")
        ),
    )
}

fn sysctls(pod: &Pod<'_>) -> Option<Finding> {
    const ALLOWED: [&str; 12] = [
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    ];
    let set = pod
        .spec
        .at(&["securityContext", "sysctls"])
        .and_then(Node::as_list)
        .unwrap_or_default();
    let names = set.iter().filter_map(|sysctl| sysctl.str_at(&["name"]));
    let bad: Vec<&str> = names.filter(|name| !ALLOWED.contains(name)).collect();
    if bad.is_empty() {
        None
    } else {
        finding("forbidden sysctls", bad.join(", "))
    }
}

fn windows_host_process(pod: &Pod<'_>) -> Option<Finding> {
    let bad = |node: &Node| {
        node.at(&["securityContext", "windowsOptions", "hostProcess"])
            .and_then(Node::as_bool)
            == Some(true)
    };
    let (whole, names) = (bad(pod.spec), pod.names(bad));
    if !whole && names.is_empty() {
        return None;
    }
    finding(
        "hostProcess",
        format!(
            "{} must not set securityContext.windowsOptions.hostProcess=true",
            setters(whole, &names)
        ),
    )
}

fn added(container: &Node) -> impl Iterator<Item = &str> {
    let list = container
        .at(&["securityContext", "capabilities", "add"])
        .and_then(Node::as_list);
    list.unwrap_or_default().iter().filter_map(Node::as_str)
}

fn must_not_add(pod: &Pod<'_>, allowed: &[&str]) -> Option<String> {
    let bad = |container: &Node| added(container).any(|name| !allowed.contains(&name));
    let names = pod.names(bad);
    let capabilities: BTreeSet<&str> = pod
        .containers()
        .flat_map(added)
        .filter(|name| !allowed.contains(name))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} must not include {} in securityContext.capabilities.add",
            containers(&names),
            quoted(capabilities)
        )
    })
}

fn default_capabilities(pod: &Pod<'_>) -> Option<Finding> {
    const DEFAULT: [&str; 13] = [
        "AUDIT_WRITE",
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "KILL",
        "MKNOD",
        "NET_BIND_SERVICE",
        "SETFCAP",
        "SETGID",
        "SETPCAP",
        "SETUID",
        "SYS_CHROOT",
    ];
    finding("non-default capabilities", must_not_add(pod, &DEFAULT)?)
}

fn host_path_volumes(pod: &Pod<'_>) -> Option<Finding> {
    let volumes = pod
        .spec
        .get("volumes")
        .and_then(Node::as_list)
        .unwrap_or_default();
    let bad = volumes
        .iter()
        .filter(|volume| volume.get("hostPath").is_some());
    let names: Vec<&str> = bad.map(|volume| text_of(volume, &["name"])).collect();
    if names.is_empty() {
        return None;
    }
    finding(
        "hostPath volumes",
        format!(
            "{} {}",
            plural("volume", "volumes", names.len()),
            quoted(names)
        ),
    )
}

const SECCOMP: [&str; 3] = ["securityContext", "seccompProfile", "type"];

fn seccomp_unconfined(pod: &Pod<'_>) -> Option<Finding> {
    let bad = |node: &Node| text_of(node, &SECCOMP) == "Unconfined";
    let (whole, names) = (bad(pod.spec), pod.names(bad));
    if !whole && names.is_empty() {
        return None;
    }
    let who = setters(whole, &names);
    finding(
        "seccompProfile",
        format!("{who} must not set securityContext.seccompProfile.type to \"Unconfined\""),
    )
}

fn privilege_escalation(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_windows() {
        return None;
    }
    let bad = |container: &Node| {
        container
            .at(&["securityContext", "allowPrivilegeEscalation"])
            .and_then(Node::as_bool)
            != Some(false)
    };
    let names = pod.names(bad);
    if names.is_empty() {
        return None;
    }
    let detail = format!(
        "{} must set securityContext.allowPrivilegeEscalation=false",
        containers(&names)
    );
    finding("allowPrivilegeEscalation != false", detail)
}

fn dropped_capabilities(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_windows() {
        return None;
    }
    let drops_all = |container: &Node| {
        let list = container
            .at(&["securityContext", "capabilities", "drop"])
            .and_then(Node::as_list);
        list.unwrap_or_default()
            .iter()
            .any(|name| name.as_str() == Some("ALL"))
    };
    let names = pod.names(|container| !drops_all(container));
    let mut parts = Vec::new();
    if !names.is_empty() {
        parts.push(format!(
            "{} must set securityContext.capabilities.drop=[\"ALL\"]",
            containers(&names)
        ));
    }
    parts.extend(must_not_add(pod, &["NET_BIND_SERVICE"]));
    if parts.is_empty() {
        None
    } else {
        finding("unrestricted capabilities", parts.join("; "))
    }
}

fn volume_types(pod: &Pod<'_>) -> Option<Finding> {
    const ALLOWED: [&str; 9] = [
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "image",
        "persistentVolumeClaim",
        "projected",
        "secret",
    ];
    let volumes = pod
        .spec
        .get("volumes")
        .and_then(Node::as_list)
        .unwrap_or_default();
    let kind = |volume: &Node| {
        let mut keys = volume.as_map().into_iter().flat_map(Map::keys);
        keys.find(|key| *key != "name").cloned()
    };
    let bad: Vec<(&str, Text)> = volumes
        .iter()
        .filter_map(|volume| Some((text_of(volume, &["name"]), kind(volume)?)))
        .filter(|(_, kind)| !ALLOWED.contains(&kind.as_str()))
        .collect();
    let kinds: BTreeSet<&str> = bad.iter().map(|(_, kind)| kind.as_str()).collect();
    if bad.is_empty() {
        return None;
    }
    let detail = format!(
        "{} {} {} restricted volume {} {}",
        plural("volume", "volumes", bad.len()),
        quoted(bad.iter().map(|(name, _)| *name)),
        plural("uses", "use", bad.len()),
        plural("type", "types", kinds.len()),
        quoted(kinds)
    );
    finding("restricted volume types", detail)
}

fn run_as_non_root(pod: &Pod<'_>) -> Option<Finding> {
    let value = |node: &Node| {
        node.at(&["securityContext", "runAsNonRoot"])
            .and_then(Node::as_bool)
    };
    let in_user_namespace = pod.spec.get("hostUsers").and_then(Node::as_bool) == Some(false);
    if in_user_namespace {
        return None;
    }
    let whole = value(pod.spec);
    let refusing = pod.names(|container| value(container) == Some(false));
    let silent = match whole {
        Some(true) => Vec::new(),
        _ => pod.names(|container| value(container).is_none()),
    };
    let bad_pod = whole == Some(false);
    if bad_pod || !refusing.is_empty() {
        let detail = format!(
            "{} must not set securityContext.runAsNonRoot=false",
            setters(bad_pod, &refusing)
        );
        return finding("runAsNonRoot != true", detail);
    }
    if silent.is_empty() {
        return None;
    }
    let detail = format!(
        "pod or {} must set securityContext.runAsNonRoot=true",
        containers(&silent)
    );
    finding("runAsNonRoot != true", detail)
}

fn run_as_user(pod: &Pod<'_>) -> Option<Finding> {
    let root = |node: &Node| {
        node.at(&["securityContext", "runAsUser"])
            .and_then(Node::as_i64)
            == Some(0)
    };
    if pod.spec.get("hostUsers").and_then(Node::as_bool) == Some(false) {
        return None;
    }
    let (whole, names) = (root(pod.spec), pod.names(root));
    if !whole && names.is_empty() {
        return None;
    }
    finding(
        "runAsUser=0",
        format!("{} must not set runAsUser=0", setters(whole, &names)),
    )
}

fn seccomp_required(pod: &Pod<'_>) -> Option<Finding> {
    if pod.is_windows() {
        return None;
    }
    let valid = |node: &Node| matches!(text_of(node, &SECCOMP), "RuntimeDefault" | "Localhost");
    let set = |node: &Node| !text_of(node, &SECCOMP).is_empty();
    let bad_pod = set(pod.spec) && !valid(pod.spec);
    let bad = pod.names(|container| set(container) && !valid(container));
    if bad_pod || !bad.is_empty() {
        let nodes = [pod.spec]
            .into_iter()
            .filter(|_| bad_pod)
            .chain(pod.containers().filter(|one| set(one) && !valid(one)));
        let values: BTreeSet<&str> = nodes.map(|node| text_of(node, &SECCOMP)).collect();
        let detail = format!(
            "{} must not set securityContext.seccompProfile.type to {}",
            setters(bad_pod, &bad),
            quoted(values)
        );
        return finding("seccompProfile", detail);
    }
    let silent = match valid(pod.spec) {
        true => Vec::new(),
        false => pod.names(|container| !set(container)),
    };
    if silent.is_empty() {
        return None;
    }
    let who = containers(&silent);
    let detail = format!(
        "pod or {who} must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\""
    );
    finding("seccompProfile", detail)
}
