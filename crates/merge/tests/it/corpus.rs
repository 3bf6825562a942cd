//! Recorded server-side apply scenarios.

use merge::{
    ApplyError, FieldSet, Force, Managers, ObjectType, OneVersion, Operation, Reset, Write,
};
use object::Node;

use crate::schemas::{node, read};

const VERSION: &str = "v1";

#[test]
fn ownership_ends_as_the_reference_library_recorded_it() {
    let Some(folder) = testkit::corpus("apimachinery/ssa-cases") else {
        return;
    };
    let load = |name: &str| node(&std::fs::read_to_string(folder.join(name)).unwrap());
    let common = read(&load("schema.json"));
    let cases = load("cases.json");
    let (mut steps, mut failures) = (0, Vec::new());
    let cases = cases.as_list().unwrap();
    for case in cases {
        let id = case.str_at(&["id"]).unwrap();
        let name = case.str_at(&["type"]).unwrap();
        let object_type = match (name, case.get("schema")) {
            ("deduced", _) => ObjectType::deduced(),
            (_, Some(own)) => read(own).object_type(name).unwrap(),
            (_, None) => common.object_type(name).unwrap(),
        };
        let mut world = World {
            object_type,
            live: None,
            managers: Managers::none(),
        };
        for (at, step) in case
            .get("steps")
            .unwrap()
            .as_list()
            .unwrap()
            .iter()
            .enumerate()
        {
            steps += 1;
            if let Err(problem) = world.step(step, name) {
                failures.push(format!("{id} step {at}: {problem}"));
                break;
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert_eq!((cases.len(), steps), (50, 153));
}

struct World {
    object_type: ObjectType,
    live: Option<Node>,
    managers: Managers,
}

impl World {
    fn step(&mut self, step: &Node, type_name: &str) -> Result<(), String> {
        let reset = Reset::Nothing;
        let missing = Node::map();
        let write = Write {
            manager: step.str_at(&["manager"]).unwrap_or_default(),
            api_version: VERSION,
            subresource: "",
            now: "2024-01-01T00:00:00Z",
            reset: &reset,
            missing: &missing,
        };
        let version = self.object_type.clone();
        let version = OneVersion {
            api_version: VERSION,
            object_type: &version,
        };
        let object = step.get("object").cloned().unwrap_or_default();
        match step.str_at(&["op"]).unwrap() {
            "apply" => {
                let force = step.get("force").and_then(Node::as_bool).unwrap_or(false);
                let force = if force { Force::Yes } else { Force::No };
                let managers = self.managers.clone();
                let outcome = merge::apply(
                    &version,
                    self.live.as_ref(),
                    &object,
                    managers,
                    &write,
                    force,
                );
                match outcome {
                    Ok(applied) => {
                        let noop = step.get("noop").is_some();
                        if noop == applied.object.is_some() {
                            return Err(format!("no-op should be {noop}"));
                        }
                        if let Some(object) = applied.object {
                            self.live = Some(object);
                        }
                        self.managers = applied.managers;
                    }
                    Err(error) => return expect_error(step, error),
                }
            }
            "update" => {
                let managers = self.managers.clone();
                self.managers = if managers.is_empty() && self.live.is_some() {
                    managers
                } else {
                    merge::update(&version, self.live.as_ref(), &object, managers, &write)
                        .map_err(|errors| errors.to_string())?
                };
                self.live = Some(object);
            }
            "untracked" => self.live = Some(object),
            "schema" => {
                self.object_type = read(step.get("schema").unwrap())
                    .object_type(type_name)
                    .unwrap();
            }
            other => return Err(format!("unknown operation {other}")),
        }
        self.expect_state(step)
    }

    fn expect_state(&self, step: &Node) -> Result<(), String> {
        if let Some(error) = step.str_at(&["error"]) {
            return Err(format!("should have failed with {error}"));
        }
        let live = step.get("live").cloned().unwrap_or_default();
        if self.live.as_ref().is_some_and(|own| *own != live) {
            return Err(format!("live is {:?}\nnot {live:?}", self.live));
        }
        let mut wanted: Vec<(String, String)> = Vec::new();
        for manager in step
            .get("managers")
            .and_then(Node::as_list)
            .unwrap_or_default()
        {
            let fields = FieldSet::decode(manager.get("fieldsV1").unwrap()).unwrap();
            let name = manager.str_at(&["manager"]).unwrap();
            let operation = manager.str_at(&["operation"]).unwrap();
            wanted.push((format!("{name}/{operation}"), fields.to_string()));
            if fields.encode() != *manager.get("fieldsV1").unwrap() {
                return Err(format!("{name} does not encode to what was read"));
            }
        }
        let mut got: Vec<(String, String)> = Vec::new();
        for entry in self.managers.entries() {
            let operation = match entry.id.operation {
                Operation::Apply => "Apply",
                Operation::Update => "Update",
            };
            got.push((
                format!("{}/{operation}", entry.id.name),
                entry.fields().to_string(),
            ));
        }
        wanted.sort();
        got.sort();
        if wanted == got {
            return Ok(());
        }
        Err(format!("managers are {got:#?}\nnot {wanted:#?}"))
    }
}

fn expect_error(step: &Node, error: ApplyError) -> Result<(), String> {
    let wanted = step.str_at(&["error"]);
    let got = match &error {
        ApplyError::Conflicts(conflicts) => library_text(conflicts),
        ApplyError::Patch { errors, .. } | ApplyError::Live { errors, .. } => errors.to_string(),
        ApplyError::Version(_) => error.to_string(),
    };
    if wanted == Some(&got) {
        return Ok(());
    }
    Err(format!("failed with {got}\nnot {wanted:?}"))
}

/// Conflicts as the library words them, without the server around it.
fn library_text(conflicts: &merge::Conflicts) -> String {
    let name = |id: &merge::ManagerId| format!("\"{}/{:?}\"", id.name, id.operation);
    let all = conflicts.managers();
    if let [only] = all
        && let [field] = only.fields.as_slice()
    {
        return format!("conflict with {}: {field}", name(&only.manager));
    }
    let mut lines = Vec::new();
    for conflict in all {
        lines.push(format!("conflicts with {}:", name(&conflict.manager)));
        lines.extend(conflict.fields.iter().map(|field| format!("- {field}")));
    }
    lines.join("\n")
}

#[test]
fn recorded_sets_of_fields_are_stored_as_they_were_read() {
    let Some(folder) = testkit::corpus("apimachinery/structured-merge-diff/internal/testdata")
    else {
        return;
    };
    for name in ["endpointsset", "nodeset", "podset", "prometheus-crdset"] {
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        let stored = node(&text);
        let set = FieldSet::decode(&stored).unwrap();
        assert!(set.len() > 10, "{name} has {} fields", set.len());
        assert_eq!(set.encode(), stored, "{name}");
        assert!(set.difference(&set.leaves()).is_subset(&set));
        assert_eq!(set.union(&set.leaves()), set);
    }
}
