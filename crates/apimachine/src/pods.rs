//! What admission adds to pods: account, priority, tolerations.
//!
//! # Source
//! kubernetes/kubernetes `plugin/pkg/admission/serviceaccount/admission.go`,
//! `plugin/pkg/admission/priority/admission.go`, `plugin/pkg/admission/defaulttolerationseconds`.

use object::{Map, Node, Text};
use schema::FieldError;

use crate::Refusal;
use crate::call::{Call, Target, meta};

const TOKEN_MOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Seconds a pod stays on a node that went away.
const TOLERATION_SECONDS: i64 = 300;

/// Completes a new pod.
pub(crate) fn admit(
    call: &mut Call<'_>,
    target: &Target<'_>,
    pod: &mut Node,
) -> Result<(), Refusal> {
    if call.state.features().service_account_admission {
        service_account(call, target, pod)?;
    }
    priority(call, target, pod)?;
    tolerations(pod);
    Ok(())
}

/// Completes a replaced pod with what admission gave the live one.
pub(crate) fn admit_update(pod: &mut Node, live: &Node) {
    for key in ["priority", "preemptionPolicy"] {
        if let (None, Some(value)) = (pod.at(&["spec", key]), live.at(&["spec", key])) {
            pod.set(&["spec", key], value.clone());
        }
    }
    tolerations(pod);
}

fn service_account(
    call: &mut Call<'_>,
    target: &Target<'_>,
    pod: &mut Node,
) -> Result<(), Refusal> {
    // Static pods are reported by kubelets and have no account.
    if pod
        .at(&["metadata", "annotations", "kubernetes.io/config.mirror"])
        .is_some()
    {
        return Ok(());
    }
    let given = pod
        .str_at(&["spec", "serviceAccountName"])
        .filter(|name| !name.is_empty());
    let name = Text::from(given.unwrap_or("default"));
    let Some(account) = call.state.get("serviceaccounts", target.namespace, &name) else {
        let problem = format!(
            "error looking up service account {}/{name}: serviceaccount {name:?} not found",
            target.namespace
        );
        return Err(Refusal::not_admitted(
            target.resource,
            meta(pod, "name"),
            &problem,
        ));
    };
    let account = account.node.clone();
    pod.set(&["spec", "serviceAccountName"], name.clone());
    pod.set(&["spec", "serviceAccount"], name);
    let mounts = pod
        .at(&["spec", "automountServiceAccountToken"])
        .or_else(|| account.get("automountServiceAccountToken"))
        .and_then(Node::as_bool)
        != Some(false);
    if mounts {
        mount_token(call, pod);
    }
    let has_secrets = pod
        .at(&["spec", "imagePullSecrets"])
        .and_then(Node::as_list)
        .is_some_and(|list| !list.is_empty());
    if let (false, Some(secrets)) = (has_secrets, account.get("imagePullSecrets")) {
        pod.set(&["spec", "imagePullSecrets"], secrets.clone());
    }
    Ok(())
}

fn mount_token(call: &mut Call<'_>, pod: &mut Node) {
    let name = Text::from(format!("kube-api-access-{}", call.random.suffix(5)));
    let mut mount = Node::map();
    mount.set(&["name"], name.clone());
    mount.set(&["readOnly"], true);
    mount.set(&["mountPath"], TOKEN_MOUNT);
    let mut needed = false;
    for key in ["initContainers", "containers"] {
        let containers = pod.at_mut(&["spec", key]).and_then(Node::as_list_mut);
        for container in containers.into_iter().flatten() {
            let mounts = container
                .get("volumeMounts")
                .and_then(Node::as_list)
                .unwrap_or_default();
            let present = mounts
                .iter()
                .any(|mount| mount.str_at(&["mountPath"]) == Some(TOKEN_MOUNT));
            if present {
                continue;
            }
            let mut mounts = mounts.to_vec();
            mounts.push(mount.clone());
            container.set(&["volumeMounts"], mounts);
            needed = true;
        }
    }
    if !needed {
        return;
    }
    let mut volumes = pod
        .at(&["spec", "volumes"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .to_vec();
    volumes.push(token_volume(name));
    pod.set(&["spec", "volumes"], volumes);
}

fn token_volume(name: Text) -> Node {
    let mut token = Node::map();
    token.set(&["serviceAccountToken", "expirationSeconds"], 3607);
    token.set(&["serviceAccountToken", "path"], "token");
    let mut certificate = Node::map();
    certificate.set(&["configMap", "name"], "kube-root-ca.crt");
    let item: Map = [("key", "ca.crt"), ("path", "ca.crt")]
        .into_iter()
        .collect();
    certificate.set(&["configMap", "items"], Node::list([item]));
    let mut field = Node::map();
    field.set(&["path"], "namespace");
    field.set(&["fieldRef", "apiVersion"], "v1");
    field.set(&["fieldRef", "fieldPath"], "metadata.namespace");
    let mut namespace = Node::map();
    namespace.set(&["downwardAPI", "items"], Node::list([field]));
    let mut volume = Node::map();
    volume.set(&["name"], name);
    volume.set(
        &["projected", "sources"],
        Node::list([token, certificate, namespace]),
    );
    volume.set(&["projected", "defaultMode"], 420);
    volume
}

fn priority(call: &Call<'_>, target: &Target<'_>, pod: &mut Node) -> Result<(), Refusal> {
    const CLASSES: &str = "priorityclasses.scheduling.k8s.io";
    let named = Text::from(
        pod.str_at(&["spec", "priorityClassName"])
            .unwrap_or_default(),
    );
    let class = match named.as_str() {
        "" => {
            let mut classes = call.state.list(CLASSES, None);
            let default = classes.find(|(_, class)| {
                class.get("globalDefault").and_then(Node::as_bool) == Some(true)
            });
            default.map(|(_, class)| class.node.clone())
        }
        name => match call.state.get(CLASSES, "", name) {
            Some(class) => Some(class.node.clone()),
            None => {
                let problem = format!("no PriorityClass with name {name} was found");
                return Err(Refusal::not_admitted(
                    target.resource,
                    meta(pod, "name"),
                    &problem,
                ));
            }
        },
    };
    let value = class
        .as_ref()
        .and_then(|class| class.get("value")?.as_i64())
        .unwrap_or_default();
    let given = pod.at(&["spec", "priority"]).and_then(Node::as_i64);
    if let Some(given) = given.filter(|given| *given != value) {
        let problem = format!(
            "the integer value of priority ({given}) must not be provided in pod spec; priority admission controller computed {value} from the given PriorityClass name"
        );
        return Err(Refusal::not_admitted(
            target.resource,
            meta(pod, "name"),
            &problem,
        ));
    }
    if let Some(class) = &class {
        pod.set(&["spec", "priorityClassName"], meta(class, "name"));
    }
    pod.set(&["spec", "priority"], value);
    if pod.at(&["spec", "preemptionPolicy"]).is_none() {
        let policy = class
            .as_ref()
            .and_then(|class| class.str_at(&["preemptionPolicy"]));
        pod.set(
            &["spec", "preemptionPolicy"],
            policy.unwrap_or("PreemptLowerPriority"),
        );
    }
    Ok(())
}

fn tolerations(pod: &mut Node) {
    let mut all = pod
        .at(&["spec", "tolerations"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .to_vec();
    for key in [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ] {
        let tolerated = all.iter().any(|toleration| {
            let text = |name: &str| toleration.str_at(&[name]).unwrap_or_default();
            (text("key") == key || text("key").is_empty())
                && matches!(text("effect"), "NoExecute" | "")
        });
        if !tolerated {
            let mut toleration = Node::map();
            toleration.set(&["key"], key);
            toleration.set(&["operator"], "Exists");
            toleration.set(&["effect"], "NoExecute");
            toleration.set(&["tolerationSeconds"], TOLERATION_SECONDS);
            all.push(toleration);
        }
    }
    pod.set(&["spec", "tolerations"], all);
}

/// The quality of service a pod gets from its requests and limits.
///
/// # Source
/// kubernetes/kubernetes `pkg/apis/core/helper/qos/qos.go`.
pub(crate) fn quality_of_service(pod: &Node) -> &'static str {
    let containers = ["containers", "initContainers"]
        .into_iter()
        .flat_map(|key| {
            pod.at(&["spec", key])
                .and_then(Node::as_list)
                .unwrap_or_default()
        });
    let (mut any, mut guaranteed) = (false, true);
    for container in containers {
        let amount = |kind: &str, resource: &str| {
            let amount = container.str_at(&["resources", kind, resource]);
            amount
                .filter(|amount| !matches!(*amount, "0"))
                .map(str::to_owned)
        };
        for resource in ["cpu", "memory"] {
            let (request, limit) = (amount("requests", resource), amount("limits", resource));
            any |= request.is_some() || limit.is_some();
            guaranteed &= limit.is_some() && request == limit;
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// What a status, ephemeral containers and new resources have to fulfil.
pub(crate) fn check_subresource(
    target: &Target<'_>,
    pod: &Node,
    old: &Node,
) -> Result<(), Refusal> {
    let quality = |pod: &Node| pod.str_at(&["status", "qosClass"]).map(Text::from);
    let error = match target.subresource {
        "status" => match quality(pod).filter(|new| Some(new) != quality(old).as_ref()) {
            Some(new) => FieldError::invalid("status.qosClass", new.as_str(), "field is immutable"),
            None => return Ok(()),
        },
        "resize" if quality_of_service(pod) != quality_of_service(old) => FieldError::invalid(
            "spec",
            quality_of_service(old),
            "Pod QOS Class may not change as a result of resizing",
        ),
        "ephemeralcontainers" => {
            let containers = |pod: &Node| {
                let list = pod
                    .at(&["spec", "ephemeralContainers"])
                    .and_then(Node::as_list);
                list.unwrap_or_default().to_vec()
            };
            let new = containers(pod);
            let changed = containers(old)
                .into_iter()
                .find(|before| !new.contains(before));
            let Some(changed) = changed else {
                return Ok(());
            };
            let name = changed.str_at(&["name"]).unwrap_or_default().to_owned();
            let kept = new
                .iter()
                .any(|container| container.str_at(&["name"]) == Some(&name));
            let problem = match kept {
                true => format!("existing ephemeral containers {name:?} may not be changed"),
                false => format!("existing ephemeral containers {name:?} may not be removed"),
            };
            FieldError::forbidden("spec.ephemeralContainers", problem)
        }
        _ => return Ok(()),
    };
    Err(Refusal::invalid("", "Pod", target.name, &[error]))
}

/// What users should know about a pod that is allowed all the same.
///
/// # Source
/// kubernetes/kubernetes `pkg/api/pod/warnings.go`.
pub(crate) fn warnings(path: &str, spec: &Node) -> Vec<String> {
    let list = |node: &Node, key: &str| {
        node.get(key)
            .and_then(Node::as_list)
            .unwrap_or_default()
            .to_vec()
    };
    let mut warnings = Vec::new();
    for (index, secret) in list(spec, "imagePullSecrets").iter().enumerate() {
        if secret.str_at(&["name"]).unwrap_or_default().is_empty() {
            warnings.push(format!(
                "{path}.imagePullSecrets[{index}].name: invalid empty name \"\""
            ));
        }
    }
    if spec
        .get("terminationGracePeriodSeconds")
        .and_then(Node::as_i64)
        .is_some_and(|seconds| seconds < 0)
    {
        warnings.push(format!(
            "{path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1"
        ));
    }
    for key in ["initContainers", "containers"] {
        for (index, container) in list(spec, key).iter().enumerate() {
            let place = format!("{path}.{key}[{index}]");
            let env = list(container, "env");
            for (at, variable) in env.iter().enumerate() {
                let name = variable.str_at(&["name"]).unwrap_or_default();
                if env[..at]
                    .iter()
                    .any(|earlier| earlier.str_at(&["name"]) == Some(name))
                {
                    warnings.push(format!(
                        "{place}.env[{at}]: hides previous definition of {name:?}, which may be dropped when using apply"
                    ));
                }
            }
            let ports = list(container, "ports");
            let same = |a: &Node, b: &Node| {
                ["containerPort", "protocol", "hostPort", "hostIP"]
                    .iter()
                    .all(|key| a.get(key) == b.get(key))
            };
            for (at, port) in ports.iter().enumerate() {
                if let Some(first) = ports[..at].iter().position(|earlier| same(earlier, port)) {
                    warnings.push(format!(
                        "{place}.ports[{at}]: duplicate port definition with {place}.ports[{first}]"
                    ));
                }
            }
        }
    }
    warnings
}
