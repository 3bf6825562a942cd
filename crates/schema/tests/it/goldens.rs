//! Decoding, defaults and validation answer what a recorded API server answered.

use std::collections::BTreeMap;
use std::path::Path;

use object::{Node, json};
use schema::FieldError;
use schema::builtin::{self, Kind};

const SCRIPTS: [&str; 14] = [
    "defaults-network",
    "defaults-quantities",
    "defaults-workloads",
    "immutable-config",
    "immutable-workloads",
    "validation-config",
    "validation-cronjob",
    "validation-deployment",
    "validation-hpa",
    "validation-job",
    "validation-pdb",
    "validation-replicaset",
    "validation-service",
    "validation-statefulset",
];

/// Steps that need more than this crate knows, by script and note or number.
const ELSEWHERE: &[(&str, &str)] = &[
    // Addresses and ports that other services have, and the cluster's ranges.
    ("defaults-network", "taken ip"),
    ("defaults-network", "taken node port"),
    ("validation-service", "cluster ip outside"),
    ("validation-service", "node port out of range"),
    ("validation-service", "dual stack"),
    ("validation-service", "second family"),
    // A service is brought into shape before it is compared.
    ("immutable-config", "Service: ip"),
    ("immutable-config", "Service: ips"),
    ("immutable-config", "Service: unset"),
    ("immutable-config", "Service: unset both"),
    ("immutable-config", "Service: headless"),
    ("immutable-config", "Service: back"),
    ("immutable-config", "Service: external name"),
    // The patch is compared with the path first.
    ("immutable-workloads", "Deployment: name"),
    ("immutable-workloads", "Deployment: namespace"),
    ("immutable-workloads", "Deployment: kind"),
    ("immutable-workloads", "Deployment: apiVersion"),
    // A patch re-encodes the data there; a PUT of the same object is accepted.
    ("immutable-workloads", "ControllerRevision: revision"),
    ("immutable-workloads", "ControllerRevision: lower"),
    // JSON is parsed here: how a number was written is lost.
    ("defaults-quantities", "quantity 1e+20"),
    ("defaults-quantities", "int-or-string 80.0"),
];

fn read(path: &Path) -> Node {
    let text = std::fs::read(path).expect("a file");
    json::parse(&text, json::ANSWER_LIMITS).expect("JSON")
}

/// `/apis/apps/v1/namespaces/x/deployments/d` as kind, namespace and name.
fn target(path: &str) -> Option<(&'static Kind, String, String)> {
    let path = path.split('?').next()?.trim_start_matches('/');
    let mut parts = path.split('/');
    let (group, version) = match parts.next()? {
        "api" => ("", parts.next()?),
        _ => (parts.next()?, parts.next()?),
    };
    let rest: Vec<&str> = parts.collect();
    let (namespace, plural, name) = match rest[..] {
        ["namespaces", namespace, plural] => (namespace, plural, ""),
        ["namespaces", namespace, plural, name] => (namespace, plural, name),
        [plural] => ("", plural, ""),
        [plural, name] => ("", plural, name),
        _ => return None,
    };
    let kind = builtin::lookup(group, version, plural)?;
    Some((kind, namespace.into(), name.into()))
}

/// What the request handling around this crate would fill in.
fn prepare(kind: &Kind, namespace: &str, object: &mut Node) {
    if kind.namespaced {
        object.set(&["metadata", "namespace"], namespace);
    }
    if object.at(&["metadata", "uid"]).is_none() {
        object.set(&["metadata", "uid"], "uid");
    }
    if kind.kind == "Service"
        && let Some(address) = object.at(&["spec", "clusterIP"]).cloned()
        && object.at(&["spec", "clusterIPs"]).is_none()
    {
        object.set(&["spec", "clusterIPs"], vec![address]);
    }
    let manual = object
        .at(&["spec", "manualSelector"])
        .and_then(Node::as_bool)
        == Some(true);
    if kind.kind == "Job" && !manual {
        let name = object
            .str_at(&["metadata", "name"])
            .unwrap_or_default()
            .to_owned();
        for (key, value) in [
            ("batch.kubernetes.io/controller-uid", "uid"),
            ("batch.kubernetes.io/job-name", name.as_str()),
            ("controller-uid", "uid"),
            ("job-name", name.as_str()),
        ] {
            object.set(&["spec", "template", "metadata", "labels", key], value);
        }
        let key = "batch.kubernetes.io/controller-uid";
        object.set(&["spec", "selector", "matchLabels", key], "uid");
    }
}

fn merge_patch(target: &mut Node, patch: &Node) {
    let Node::Map(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if target.as_map().is_none() {
        *target = Node::map();
    }
    for (key, value) in patch.iter() {
        let map = target.as_map_mut().expect("made a map just above");
        match value {
            Node::Null => {
                map.remove(key);
            }
            value => merge_patch(map.entry(key), value),
        }
    }
}

fn joined(errors: &[FieldError]) -> String {
    let mut texts: Vec<String> = Vec::new();
    for error in errors {
        let text = error.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    match &texts[..] {
        [one] => one.clone(),
        many => format!("[{}]", many.join(", ")),
    }
}

/// What came out: an object, or a text and its code.
enum Outcome {
    Object(Node),
    Refused(i64, String),
}

fn create(kind: &Kind, namespace: &str, body: &Node) -> Outcome {
    let mut object = body.clone();
    let ty = kind.struct_id();
    if let Err(error) = builtin::canonicalize(ty, &mut object) {
        let Kind { kind, version, .. } = kind;
        let text =
            format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {error}");
        return Outcome::Refused(400, text);
    }
    builtin::default(ty, &mut object);
    prepare(kind, namespace, &mut object);
    builtin::canonicalize(ty, &mut object).expect("still well-typed");
    let errors = builtin::validate(ty, &object);
    // Objects get their defaults again when they are read back: a job takes its template's labels.
    builtin::default(ty, &mut object);
    refused(kind, &object, errors).unwrap_or(Outcome::Object(object))
}

fn update(kind: &Kind, old: &Node, patch: &Node) -> Outcome {
    let ty = kind.struct_id();
    let mut object = old.clone();
    merge_patch(&mut object, patch);
    for key in ["creationTimestamp", "generation", "selfLink"] {
        object.remove(&["metadata", key]);
    }
    builtin::canonicalize(ty, &mut object).expect("well-typed patches");
    builtin::default(ty, &mut object);
    let errors = builtin::validate_update(ty, &object, old);
    refused(kind, old, errors).unwrap_or(Outcome::Object(object))
}

fn refused(kind: &Kind, object: &Node, errors: Vec<FieldError>) -> Option<Outcome> {
    if errors.is_empty() {
        return None;
    }
    let qualified = match kind.group {
        "" => kind.kind.to_owned(),
        group => format!("{}.{group}", kind.kind),
    };
    let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
    let text = format!("{qualified} \"{name}\" is invalid: {}", joined(&errors));
    Some(Outcome::Refused(422, text))
}

/// Takes away what allocation, admission and controllers add.
fn comparable(kind: &Kind, node: &Node) -> Node {
    let mut node = node.clone();
    let labels = node.at(&["metadata", "labels"]).cloned();
    node.remove(&["metadata"]);
    node.remove(&["status"]);
    if kind.kind != "Namespace" {
        node.set(&["labels"], labels);
    }
    let dropped: &[&str] = match kind.kind {
        "Service" => &[
            "clusterIP",
            "clusterIPs",
            "ipFamilies",
            "ipFamilyPolicy",
            "healthCheckNodePort",
        ],
        "Pod" => &["tolerations", "priority", "preemptionPolicy"],
        "Namespace" => &["finalizers"],
        _ => &[],
    };
    for key in dropped {
        node.remove(&["spec", key]);
    }
    if let Some(ports) = node.at_mut(&["spec", "ports"]).and_then(Node::as_list_mut) {
        ports.iter_mut().for_each(|port| {
            port.remove(&["nodePort"]);
        });
    }
    node.sort_keys();
    node
}

/// `uid-13` of the recording becomes `uid`.
fn without_uids(text: &str) -> String {
    let mut parts = text.split("\"uid-");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str("\"uid");
        out.push_str(part.trim_start_matches(|char: char| char.is_ascii_digit()));
    }
    out
}

#[test]
fn recorded_answers_are_reproduced() {
    let Some(folder) = testkit::corpus("apiserver") else {
        return;
    };
    let (mut same, mut differences) = (0, Vec::new());
    for script in SCRIPTS {
        let steps = read(&folder.join("scripts").join(format!("{script}.json")));
        let golden = read(&folder.join("goldens").join(format!("{script}.json")));
        let mut objects: BTreeMap<String, Node> = BTreeMap::new();
        let answers = golden
            .get("answers")
            .and_then(Node::as_list)
            .unwrap_or_default();
        let steps = steps
            .get("steps")
            .and_then(Node::as_list)
            .unwrap_or_default();
        for (step, answer) in steps.iter().zip(answers) {
            let path = step.str_at(&["path"]).unwrap_or_default();
            let note = step.str_at(&["note"]).unwrap_or_default();
            let Some((kind, namespace, name)) = target(path) else {
                continue;
            };
            let body = step.get("body").cloned().unwrap_or_default();
            let key = |name: &str| format!("{}/{namespace}/{name}", kind.plural);
            let outcome = match step.str_at(&["method"]) {
                Some("POST") => create(kind, &namespace, &body),
                Some("PATCH") => match objects.get(&key(&name)) {
                    Some(old) => update(kind, old, &body),
                    None => continue,
                },
                _ => continue,
            };
            if let Outcome::Object(object) = &outcome {
                let name = object.str_at(&["metadata", "name"]).unwrap_or_default();
                objects.insert(key(name), object.clone());
            }
            if answer.is_null() || ELSEWHERE.contains(&(script, note)) {
                continue;
            }
            let status = answer.get("status").and_then(Node::as_i64).unwrap_or(0);
            let message = answer.str_at(&["body", "message"]).unwrap_or_default();
            let micro = "2006-01-02T15:04:05.000000Z";
            let message = without_uids(message).replace("<microtime>", micro);
            let recorded = answer.get("body").cloned().unwrap_or_default();
            let difference = match outcome {
                Outcome::Refused(code, text) if code == status && text == message => None,
                Outcome::Refused(code, text) => {
                    Some(format!("{code} {text}\nrecorded {status} {message}"))
                }
                Outcome::Object(_) if status >= 300 => {
                    Some(format!("accepted\nrecorded {status} {message}"))
                }
                Outcome::Object(object) if script.starts_with("defaults") => {
                    let text = without_uids(&json::to_string(&recorded));
                    let recorded = json::parse(text.as_bytes(), json::OBJECT_LIMITS).expect("JSON");
                    let (ours, theirs) = (comparable(kind, &object), comparable(kind, &recorded));
                    (ours != theirs).then(|| {
                        format!(
                            "{}\nrecorded {}",
                            json::to_string(&ours),
                            json::to_string(&theirs)
                        )
                    })
                }
                Outcome::Object(_) => None,
            };
            match difference {
                None => same += 1,
                Some(text) => differences.push(format!("{script} {note} {path}\n{text}\n")),
            }
        }
    }
    eprintln!("{same} answers equal, {} differ", differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
