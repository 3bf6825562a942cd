//! Where in a release or a binding an error stands, so that the line of a file can be shown.

use object::{FieldPath, Node, Step};

use super::{Maker, Part, RenderError, RenderProblem};

/// Which object has to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document {
    /// The ComponentRelease.
    Release,
    /// The ReleaseBinding.
    Binding,
}

impl RenderError {
    /// The object and the place in it that the error is about, given both as they are written; as
    /// near as can be told. With `yaml::locate` that gives a line.
    pub fn place_in(&self, release: &Node, binding: &Node) -> (Document, FieldPath) {
        let spec = FieldPath::keys(["spec"]);
        let nothing = Node::Null;
        let binding_spec = binding.get("spec").unwrap_or(&nothing);
        let value = matches!(self.problem, RenderProblem::Value(_));
        if value && self.part == Part::EnvironmentValues {
            let path = match &self.maker {
                Maker::Trait { instance, .. } => {
                    let known = ["traitEnvironmentConfigs", "traitOverrides"];
                    let key = first(binding_spec, &known).unwrap_or("traitOverrides");
                    spec.key(key).key(instance.clone())
                }
                _ => {
                    let known = [
                        "componentTypeEnvironmentConfigs",
                        "componentTypeEnvOverrides",
                    ];
                    first(binding_spec, &known).map_or(spec.clone(), |key| spec.key(key))
                }
            };
            return (Document::Binding, path);
        }
        let path = match &self.maker {
            Maker::Workload => spec.key("workload"),
            Maker::Platform => spec,
            Maker::Type { .. } if value => spec.key("componentProfile").key("parameters"),
            Maker::Type { .. } => {
                let own = spec.key("componentType");
                let own = match release.at(&["spec", "componentType", "spec"]) {
                    Some(_) => own.key("spec"),
                    None => own,
                };
                self.part_of(own, release)
            }
            Maker::Trait { name, instance, .. } => {
                let used = value || matches!(self.problem, RenderProblem::NoTrait { .. });
                match used {
                    true => trait_use(release, instance),
                    false => match trait_body(release, name) {
                        Some(own) => self.part_of(own, release),
                        None => trait_use(release, instance),
                    },
                }
            }
        };
        (Document::Release, path)
    }

    /// The place of the part in the spec of a type or trait at `own`.
    fn part_of(&self, own: FieldPath, release: &Node) -> FieldPath {
        let body = at(release, &own).cloned().unwrap_or_default();
        let place = match &self.part {
            Part::Whole | Part::NetworkPolicy => return own,
            Part::Parameters | Part::EnvironmentValues => {
                let (short, long) = match self.part {
                    Part::Parameters => ("parameters", "parameters"),
                    _ => ("envOverrides", "environmentConfigs"),
                };
                match body.get("schema") {
                    Some(_) => own.key("schema").key(short),
                    None => {
                        // Between properties of OpenAPI there are further keys.
                        let mut path = own.key(long).key("openAPIV3Schema");
                        for step in self.path.steps() {
                            path.push(Step::Key("properties".into()));
                            path.push(step.clone());
                        }
                        return path;
                    }
                }
            }
            Part::Resource(id) => {
                let items = body.get("resources").and_then(Node::as_list);
                let found = items.unwrap_or_default().iter();
                let index = found
                    .map(|item| item.str_at(&["id"]))
                    .position(|own| own == Some(id.as_str()));
                own.key("resources").index(index.unwrap_or_default())
            }
            Part::Create(index) => own.key("creates").index(*index),
            Part::Patch(index) => own.key("patches").index(*index),
            Part::Remove(index) => own.key("removes").index(*index),
            Part::PreRule(index) => {
                let new = first(&body, &["preRenderValidations"]);
                own.key(new.unwrap_or("validations")).index(*index)
            }
            Part::PostRule(index) => own.key("postRenderValidations").index(*index),
        };
        let mut path = place;
        for step in self.path.steps() {
            path.push(step.clone());
        }
        path
    }
}

/// The first of `keys` that a map has.
fn first<'a>(node: &Node, keys: &[&'a str]) -> Option<&'a str> {
    let found = keys
        .iter()
        .find(|key| node.get(key).is_some_and(|own| !own.is_null()));
    found.copied()
}

fn at<'a>(node: &'a Node, path: &FieldPath) -> Option<&'a Node> {
    path.steps().iter().try_fold(node, |node, step| match step {
        Step::Key(key) => node.get(key),
        Step::Index(index) => node.as_list()?.get(*index),
    })
}

fn trait_use(release: &Node, instance: &str) -> FieldPath {
    let path = FieldPath::keys(["spec", "componentProfile", "traits"]);
    let items = release.at(&["spec", "componentProfile", "traits"]);
    let items = items.and_then(Node::as_list).unwrap_or_default();
    let found = items
        .iter()
        .position(|own| own.str_at(&["instanceName"]) == Some(instance));
    match found {
        Some(index) => path.index(index),
        None => path,
    }
}

fn trait_body(release: &Node, name: &str) -> Option<FieldPath> {
    let path = FieldPath::keys(["spec", "traits"]);
    match release.at(&["spec", "traits"])? {
        Node::Map(map) => map.contains_key(name).then(|| path.key(name)),
        Node::List(items) => {
            let index = items
                .iter()
                .position(|own| own.str_at(&["name"]) == Some(name))?;
            Some(path.index(index).key("spec"))
        }
        _ => None,
    }
}
