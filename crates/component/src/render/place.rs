//! Where in a release or a binding an error or a warning stands, so that the line of a file can be
//! shown.

use object::{FieldPath, Node, Step};

use super::{Maker, Part, RenderError, RenderProblem, Rendered, Warning, WarningKind};

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
        let value = matches!(self.problem, RenderProblem::Value(_));
        if value && self.part == Part::EnvironmentValues {
            return (
                Document::Binding,
                environment_values(&self.maker, binding, true),
            );
        }
        let path = match &self.maker {
            Maker::Type { .. } if value => parameters(&self.maker, release),
            Maker::Trait { instance, .. }
                if value || matches!(self.problem, RenderProblem::NoTrait { .. }) =>
            {
                trait_use(release, instance)
            }
            maker => template(maker, &self.part, &self.path, release),
        };
        (Document::Release, path)
    }
}

impl Warning {
    /// As [`RenderError::place_in`].
    pub fn place_in(&self, release: &Node, binding: &Node) -> (Document, FieldPath) {
        let of_binding = |keys: &[&str]| {
            let path = FieldPath::keys(["spec"].iter().chain(keys).copied());
            (Document::Binding, path)
        };
        match &self.kind {
            WarningKind::UnknownValue(place) => {
                let (root, rest) = place.split_once('.').unwrap_or((place, ""));
                let (document, mut path) = match root {
                    "parameters" => (Document::Release, parameters(&self.maker, release)),
                    _ => {
                        let path = environment_values(&self.maker, binding, false);
                        (Document::Binding, path)
                    }
                };
                let keys = rest.split(['.', '[']).filter(|key| !key.is_empty());
                keys.for_each(|key| path.push(Step::Key(key.into())));
                (document, path)
            }
            WarningKind::UnknownInstance { name, .. } | WarningKind::EmbeddedInstance(name) => {
                of_binding(&[trait_values(binding), name])
            }
            WarningKind::UnknownContainer { name, .. } if name.is_empty() => {
                of_binding(&["workloadOverrides", "container"])
            }
            WarningKind::UnknownContainer { name, .. } => {
                of_binding(&["workloadOverrides", "containers", name])
            }
            WarningKind::EndpointSchema { name, .. } => {
                let path = FieldPath::keys(["spec", "workload", "endpoints", name]);
                (Document::Release, path)
            }
            WarningKind::NoTarget(_) | WarningKind::NoObservabilityPlane(_) => {
                let root = FieldPath::root();
                let path = template(&self.maker, &self.part, &root, release);
                (Document::Release, path)
            }
        }
    }
}

impl Rendered {
    /// The place of the template that made the object in its release, as it is written.
    pub fn place_in(&self, release: &Node) -> FieldPath {
        let root = FieldPath::keys(["template"]);
        template(&self.maker, &self.part, &root, release)
    }
}

/// Where a binding gives values for the environment. Of values for the type, `near` is content with
/// the spec when there are none.
fn environment_values(maker: &Maker, binding: &Node, near: bool) -> FieldPath {
    let spec = FieldPath::keys(["spec"]);
    if let Maker::Trait { instance, .. } = maker {
        return spec.key(trait_values(binding)).key(instance.clone());
    }
    let known = [
        "componentTypeEnvironmentConfigs",
        "componentTypeEnvOverrides",
    ];
    match first(binding.get("spec").unwrap_or(&Node::Null), &known) {
        Some(key) => spec.key(key),
        None if near => spec,
        None => spec.key(known[1]),
    }
}

/// The key under which a binding has values for traits.
fn trait_values(binding: &Node) -> &'static str {
    let known = ["traitEnvironmentConfigs", "traitOverrides"];
    let spec = binding.get("spec").unwrap_or(&Node::Null);
    first(spec, &known).unwrap_or("traitOverrides")
}

/// Where a release has the parameters of a type or trait.
fn parameters(maker: &Maker, release: &Node) -> FieldPath {
    match maker {
        Maker::Trait { instance, .. } => trait_use(release, instance).key("parameters"),
        _ => FieldPath::keys(["spec", "componentProfile", "parameters"]),
    }
}

/// Where a release has a part of a type or trait.
fn template(maker: &Maker, part: &Part, path: &FieldPath, release: &Node) -> FieldPath {
    let spec = FieldPath::keys(["spec"]);
    match maker {
        Maker::Workload => spec.key("workload"),
        Maker::Platform => spec,
        Maker::Type { .. } => {
            let own = spec.key("componentType");
            let own = match release.at(&["spec", "componentType", "spec"]) {
                Some(_) => own.key("spec"),
                None => own,
            };
            part_of(part, path, own, release)
        }
        Maker::Trait { name, instance, .. } => match trait_body(release, name) {
            Some(own) => part_of(part, path, own, release),
            None => trait_use(release, instance),
        },
    }
}

/// The place of the part in the spec of a type or trait at `own`.
fn part_of(part: &Part, steps: &FieldPath, own: FieldPath, release: &Node) -> FieldPath {
    let body = at(release, &own).cloned().unwrap_or_default();
    let place = match part {
        Part::Whole | Part::NetworkPolicy => return own,
        Part::Parameters | Part::EnvironmentValues => {
            let (short, long) = match part {
                Part::Parameters => ("parameters", "parameters"),
                _ => ("envOverrides", "environmentConfigs"),
            };
            match body.get("schema") {
                Some(_) => own.key("schema").key(short),
                None => {
                    // Between properties of OpenAPI there are further keys.
                    let mut path = own.key(long).key("openAPIV3Schema");
                    for step in steps.steps() {
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
    for step in steps.steps() {
        path.push(step.clone());
    }
    path
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
