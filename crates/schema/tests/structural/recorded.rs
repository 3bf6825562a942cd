//! Custom resources and definitions against answers recorded from kube-apiserver, and real-world
//! definitions.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use object::{Node, json};
use schema::structural::{Structural, crd};
use schema::{FieldError, FieldErrorKind};

fn read(path: &Path) -> Node {
    let text = std::fs::read(path).expect("a readable file");
    json::parse(&text, json::ANSWER_LIMITS).expect("a JSON file")
}

/// The steps of a recorded script with their answers.
fn recorded(name: &str) -> Vec<(Node, Node)> {
    let Some(folder) = testkit::corpus("apiserver") else {
        return Vec::new();
    };
    let script = read(&folder.join(format!("scripts/{name}.json")));
    let golden = read(&folder.join(format!("goldens/{name}.json")));
    let steps = script
        .get("steps")
        .and_then(Node::as_list)
        .unwrap()
        .to_vec();
    let answers = golden
        .get("answers")
        .and_then(Node::as_list)
        .unwrap()
        .to_vec();
    steps.into_iter().zip(answers).collect()
}

fn is_definition(step: &Node) -> bool {
    step.str_at(&["body", "kind"]) == Some("CustomResourceDefinition")
}

/// `field | message | reason` of every error, sorted.
fn told(errors: &[FieldError]) -> Vec<String> {
    let line = |error: &FieldError| {
        format!(
            "{} | {} | {}",
            error.path,
            error.body(),
            error.kind.reason()
        )
    };
    let mut lines: Vec<String> = errors.iter().map(line).collect();
    lines.sort();
    lines
}

/// The same of a recorded answer.
fn recorded_causes(answer: &Node) -> Vec<String> {
    let causes = answer
        .at(&["body", "details", "causes"])
        .and_then(Node::as_list);
    let line = |cause: &Node| {
        let text = |key: &str| cause.str_at(&[key]).unwrap_or_default().to_owned();
        format!(
            "{} | {} | {}",
            text("field"),
            text("message"),
            text("reason")
        )
    };
    let mut lines: Vec<String> = causes.unwrap_or_default().iter().map(line).collect();
    lines.sort();
    lines
}

fn settled(body: &Node) -> Node {
    let mut definition = body.clone();
    crd::default(&mut definition);
    crd::record_storage_version(&mut definition);
    definition
}

#[test]
fn definitions_are_refused_as_recorded() {
    let mut compared = 0;
    let mut wrong = String::new();
    for (step, answer) in recorded("crd-definition-a") {
        if !is_definition(&step) || answer.is_null() {
            continue;
        }
        compared += 1;
        let definition = settled(step.get("body").unwrap());
        let (found, expected) = (told(&crd::validate(&definition)), recorded_causes(&answer));
        if found != expected {
            let spec = json::to_string(definition.get("spec").unwrap());
            wrong.push_str(&format!(
                "{spec}\n  expected {expected:#?}\n  found    {found:#?}\n"
            ));
        }
        let warned: Vec<String> = crd::warnings(&definition);
        let header = answer
            .at(&["headers", "Warning"])
            .map(json::to_string)
            .unwrap_or_default();
        if header.contains("unrecognized format") == warned.is_empty() {
            wrong.push_str(&format!("warnings {warned:?} instead of {header}\n"));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    eprintln!("compared {compared} definitions");
}

/// The compiled schemas of the definitions a script creates, by group and version.
fn schema_of(steps: &[(Node, Node)]) -> Option<Structural> {
    let definition = steps
        .iter()
        .map(|(step, _)| step)
        .find(|step| is_definition(step))?;
    let version = definition
        .at(&["body", "spec", "versions"])?
        .as_list()?
        .first()?;
    let schema = version.at(&["schema", "openAPIV3Schema"])?;
    Some(Structural::compile(schema).expect("the recorded definition was accepted"))
}

/// What a create or update makes of an object: warnings, the object, errors.
fn admitted(
    schema: &Structural,
    object: &Node,
    old: Option<&Node>,
) -> (Vec<String>, Node, Vec<FieldError>) {
    let mut object = object.clone();
    let pruned = schema.prune(&mut object);
    schema.drop_nulls(&mut object);
    schema.default(&mut object);
    let errors = schema.validate(&object, old).errors;
    (pruned, object, errors)
}

fn same_data(a: &Node, b: &Node) -> bool {
    let data = |node: &Node| {
        let mut node = node.clone();
        node.remove(&["metadata"]);
        node.sort_keys();
        // As text, so that 1.0 and 1 are the same number.
        json::to_string(&node)
    };
    data(a) == data(b)
}

fn merge(target: &mut Node, patch: &Node) {
    let Some(patch) = patch.as_map() else {
        *target = patch.clone();
        return;
    };
    for (key, value) in patch.iter() {
        if value.is_null() {
            target.remove(&[key]);
        } else if value.as_map().is_some() {
            let mut below = target.get(key).cloned().unwrap_or_else(Node::map);
            merge(&mut below, value);
            target.set(&[key], below);
        } else {
            target.set(&[key], value.clone());
        }
    }
}

/// Replays creates and merge patches of a script; answers about metadata are not this crate's.
fn replay(name: &str, least: usize) {
    let steps = recorded(name);
    let Some(schema) = schema_of(&steps) else {
        return;
    };
    let mut stored: std::collections::BTreeMap<String, Node> = Default::default();
    let mut compared = 0;
    let mut wrong = String::new();
    for (step, answer) in &steps {
        let Some(body @ Node::Map(_)) = step.get("body") else {
            continue;
        };
        let path = step.str_at(&["path"]).unwrap_or_default();
        let custom = path.contains(".example.com/v1/") && !is_definition(step);
        if !custom || path.contains("fieldValidation") {
            continue;
        }
        let (object, old) = match step.str_at(&["method"]) {
            Some("POST") => (body.clone(), None),
            Some("PATCH") => {
                let name = path.rsplit('/').next().unwrap_or_default();
                let Some(old) = stored.get(name).cloned() else {
                    continue;
                };
                let mut new = old.clone();
                merge(&mut new, body);
                (new, Some(old))
            }
            _ => continue,
        };
        let (pruned, object, errors) = admitted(&schema, &object, old.as_ref());
        let name = object
            .str_at(&["metadata", "name"])
            .unwrap_or_default()
            .to_owned();
        let status = answer.get("status").and_then(Node::as_i64);
        let causes = recorded_causes(answer);
        let ours = |cause: &String| !cause.starts_with("metadata.") && !cause.starts_with("kind ");
        match status {
            None => drop(stored.insert(name, object)),
            Some(200 | 201) => {
                compared += 1;
                let expected = answer.get("body").unwrap();
                if !errors.is_empty() || !same_data(&object, expected) {
                    wrong.push_str(&format!(
                        "{}\n  was accepted as {}\n  found {:#?}\n",
                        json::to_string(&object),
                        json::to_string(expected),
                        told(&errors)
                    ));
                }
                let header = answer.at(&["headers", "Warning"]).and_then(Node::as_list);
                let header = header
                    .unwrap_or_default()
                    .iter()
                    .map(json::to_string)
                    .collect::<String>();
                for path in &pruned {
                    if !header.contains(path) {
                        wrong.push_str(&format!("{path} was not dropped: {header}\n"));
                    }
                }
                if header.matches("unknown field").count() != pruned.len() {
                    wrong.push_str(&format!("dropped {pruned:?} instead of {header}\n"));
                }
                stored.insert(name, object);
            }
            Some(422) if causes.iter().all(ours) => {
                compared += 1;
                if told(&errors) != causes {
                    let (object, found) = (json::to_string(&object), told(&errors));
                    wrong.push_str(&format!(
                        "{object}\n  expected {causes:#?}\n  found {found:#?}\n"
                    ));
                }
            }
            Some(400)
                if answer
                    .str_at(&["body", "message"])
                    .is_some_and(|m| m.contains("json: cannot unmarshal number into")) =>
            {
                compared += 1;
                let found = schema.malformed(&object);
                let message = answer.str_at(&["body", "message"]).unwrap();
                if !found
                    .iter()
                    .any(|error| message.ends_with(&error.to_string()))
                {
                    wrong.push_str(&format!("{message}\n  found {:#?}\n", told(&found)));
                }
            }
            Some(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(
        compared >= least,
        "{name}: compared only {compared} answers"
    );
}

#[test]
fn objects_are_pruned_defaulted_and_refused_as_recorded() {
    replay("crd-objects", 47);
}

#[test]
fn rules_refuse_objects_as_recorded() {
    replay("crd-cel", 20);
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|ext| ext == "yaml" || ext == "yml")
        {
            found.push(path);
        }
    }
}

/// All objects in the YAML files below a folder.
fn manifests(folder: &Path) -> Vec<(PathBuf, Node)> {
    let mut paths = Vec::new();
    files(folder, &mut paths);
    let mut objects = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        for node in documents(&text) {
            objects.push((path.clone(), node));
        }
    }
    objects
}

fn documents(text: &str) -> Vec<Node> {
    let parsed = yaml::load(text, &yaml::Limits::default()).expect("a YAML file");
    parsed
        .into_iter()
        .map(|document| document.node)
        .filter(|node| !node.is_null())
        .collect()
}

fn check_definitions(folder: &Path) -> Vec<Node> {
    let mut definitions = Vec::new();
    let mut wrong = String::new();
    for (path, node) in manifests(folder) {
        if node.str_at(&["kind"]) != Some("CustomResourceDefinition") {
            continue;
        }
        let mut definition = node;
        definition.remove(&["status"]);
        let definition = settled(&definition);
        let errors = crd::validate(&definition);
        if !errors.is_empty() {
            let shown: Vec<String> = errors
                .iter()
                .take(5)
                .map(|e| e.to_string().chars().take(600).collect())
                .collect();
            wrong.push_str(&format!("{}: {shown:#?}\n", path.display()));
        }
        definitions.push(definition);
    }
    assert!(wrong.is_empty(), "{wrong}");
    eprintln!("{}: {} definitions", folder.display(), definitions.len());
    definitions
}

#[test]
fn definitions_of_flux_openchoreo_and_the_gateway_api_are_accepted() {
    if let Some(folder) = testkit::corpus("flux/crds") {
        assert!(!check_definitions(&folder).is_empty());
    }
    if let Some(folder) = testkit::corpus("openchoreo") {
        for name in ["crds-demo", "crds-latest", "crds-seed", "crds-v1.0"] {
            check_definitions(&folder.join(name));
        }
    }
}

#[test]
fn gateway_api_objects_are_judged_as_upstream_says() {
    let Some(folder) = testkit::corpus("apimachinery/apiextensions-apiserver") else {
        return;
    };
    let folder = folder.join("test/integration/ratcheting_test_cases");
    let definitions = check_definitions(&folder.join("crds"));
    let schema_for = |object: &Node| -> Option<Structural> {
        let (api, kind) = (object.str_at(&["apiVersion"])?, object.str_at(&["kind"])?);
        let definition = definitions.iter().find(|definition| {
            definition.str_at(&["spec", "names", "kind"]) == Some(kind)
                && api.starts_with(definition.str_at(&["spec", "group"]).unwrap())
        })?;
        let versions = definition.at(&["spec", "versions"])?.as_list()?;
        let version = versions
            .iter()
            .find(|version| api.ends_with(version.str_at(&["name"]).unwrap()))?;
        Structural::compile_stored(version.at(&["schema", "openAPIV3Schema"])?)
    };
    let mut judged = BTreeSet::new();
    let mut wrong = String::new();
    for (verdict, valid) in [("valid", true), ("invalid", false)] {
        for (path, object) in manifests(&folder.join(verdict)) {
            let Some(schema) = schema_for(&object) else {
                continue;
            };
            let (_, object, errors) = admitted(&schema, &object, None);
            judged.insert(path.clone());
            if errors.is_empty() != valid {
                wrong.push_str(&format!("{}: {:#?}\n", path.display(), told(&errors)));
            }
            // Left alone, nothing is held against it; only rules that compare may still object.
            let again = schema.validate(&object, Some(&object));
            let hard = again
                .errors
                .iter()
                .any(|e| e.kind != FieldErrorKind::Invalid);
            if hard || (!again.errors.is_empty()) {
                wrong.push_str(&format!(
                    "{} again: {:#?}\n",
                    path.display(),
                    told(&again.errors)
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    eprintln!("judged {} files", judged.len());
    assert!(judged.len() > 50, "{}", judged.len());
}
