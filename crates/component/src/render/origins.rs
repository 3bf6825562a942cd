//! Where a field of a rendered object comes from: which template wrote it, which patches changed
//! it, and which layer gave each value that these looked at.
//!
//! The binding is rendered again step by step, and the field is looked at after each step: what is
//! told is what happened, not what could have.

use object::{FieldPath, Node, Object, ObjectKey, Step as PathStep, Text};

use super::run::{maker_of_release, prepared};
use super::stage::Stage;
use super::{Inputs, Maker, Part, RenderErrors, Rendered, Renderer};
use crate::model::{Operation, Trait, TraitUse};
use crate::template::{Context, Engine, Read, ReadStep, shortened};

/// Most characters of a value or a part of a template.
const VALUE_SHOWN: usize = 200;

/// How an object, or a field of it, came to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Origins {
    /// The value in the end, as shortened JSON; `None` when the field is not there.
    pub value: Option<String>,
    /// What wrote it, in order; the last one counts.
    pub writes: Vec<Write>,
}

/// Something that gave a field its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// Whose template or patch.
    pub maker: Maker,
    /// Which.
    pub part: Part,
    /// The place in it: in a template that of the field, or of an expression around it; in a patch
    /// the operation.
    pub place: String,
    /// What stands there, as shortened JSON; a text as it is. Empty for what no template says.
    pub text: String,
    /// The value after it, as shortened JSON; `None` when it was taken away.
    pub value: Option<String>,
    /// What its expressions looked at.
    pub inputs: Vec<Input>,
}

/// A value that an expression looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Its place: `parameters.replicas`.
    pub place: String,
    /// What is there, as shortened JSON; `None` when it is secret or not there.
    pub value: Option<String>,
    /// Who gave it.
    pub layer: Layer,
}

/// Who gave a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// The schema of the type or trait, where nobody else does.
    Default,
    /// The component's parameters, frozen in the release.
    Component,
    /// The binding, for its environment.
    Binding,
    /// The workload, frozen in the release.
    Workload,
    /// The platform: names, labels, environment, data plane, other components.
    Platform,
    /// The template itself: a loop variable, or an object.
    Template,
}

impl Layer {
    /// One word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Component => "component",
            Self::Binding => "binding",
            Self::Workload => "workload",
            Self::Platform => "platform",
            Self::Template => "template",
        }
    }
}

/// Tells how a field of an object of a binding came to be; the whole object for the root.
///
/// `key` names the object as it is rendered.
///
/// # Errors
/// As [`Renderer::render`].
pub(super) fn origins(
    renderer: &Renderer,
    engine: &Engine,
    inputs: &Inputs<'_>,
    key: &ObjectKey,
    path: &FieldPath,
) -> Result<Origins, RenderErrors> {
    let rendering = renderer.render(inputs)?;
    let (context, uses) = prepared(engine, inputs)?;
    let release = inputs.release;
    let own = maker_of_release(release);
    let mut trace = Trace {
        engine,
        stage: Stage::new(engine, release.dialect.is_v1(), own.clone()),
        key,
        path,
        value: None,
        writes: Vec::new(),
    };
    trace
        .stage
        .resources(&release.component_type.resources, &context);
    let layers = Layers { inputs, of: None };
    trace.created(&own, &context, &layers, |part| match part {
        Part::Resource(id) => {
            let mut resources = release.component_type.resources.iter();
            resources.find(|own| own.id == *id).map(|own| &own.template)
        }
        _ => None,
    });
    for (maker, body, context) in uses {
        let instance = match &maker {
            Maker::Trait { instance, .. } => instance.clone(),
            _ => Text::default(),
        };
        let embedded = release.component_type.traits.iter();
        let mut all = embedded.chain(&release.uses);
        let layers = Layers {
            inputs,
            of: all.find(|own| own.instance == instance),
        };
        trace.stage.maker = maker.clone();
        let creates = Trait {
            creates: body.creates.clone(),
            ..Trait::default()
        };
        trace.stage.apply_trait(&creates, &context, true);
        trace.created(&maker, &context, &layers, |part| match part {
            Part::Create(at) => body.creates.get(*at).map(|own| &own.template),
            _ => None,
        });
        for (at, patch) in body.patches.iter().enumerate() {
            let one = Trait {
                patches: vec![patch.clone()],
                ..Trait::default()
            };
            trace.stage.apply_trait(&one, &context, false);
            trace.patched(&maker, at, &patch.operations, &context, &layers);
        }
        let removes = Trait {
            removes: body.removes.clone(),
            ..Trait::default()
        };
        trace.stage.apply_trait(&removes, &context, false);
    }
    let end = rendering.objects.iter();
    let end = end.map(|own| &own.object).find(|own| key_of(own) == *key);
    let value = end.and_then(|own| at(own, path)).cloned();
    let shown_value = value.as_ref().map(|own| shown(own, &context));
    if value != trace.value {
        trace.writes.push(Write {
            maker: Maker::Platform,
            part: Part::Whole,
            place: String::new(),
            text: String::new(),
            value: shown_value.clone(),
            inputs: Vec::new(),
        });
    }
    Ok(Origins {
        value: shown_value,
        writes: trace.writes,
    })
}

/// A field, looked at after every step of a render.
struct Trace<'a> {
    engine: &'a Engine,
    stage: Stage<'a>,
    key: &'a ObjectKey,
    path: &'a FieldPath,
    value: Option<Node>,
    writes: Vec<Write>,
}

impl Trace<'_> {
    fn object(&self) -> Option<&Rendered> {
        let mut objects = self.stage.objects.iter();
        objects.find(|own| key_of(&own.object) == *self.key)
    }

    /// Looks whether the object was made just now.
    fn created<'t>(
        &mut self,
        maker: &Maker,
        context: &Context,
        layers: &Layers<'_>,
        template: impl Fn(&Part) -> Option<&'t Node>,
    ) {
        let Some(object) = self.object() else {
            return;
        };
        if object.maker != *maker {
            return;
        }
        let part = object.part.clone();
        let value = at(&object.object, self.path).cloned();
        let Some((place, text)) = template(&part).and_then(|own| around(own, self.path)) else {
            return;
        };
        let inputs = self.inputs([text], context, layers);
        self.value = value.clone();
        if value.is_none() {
            return;
        }
        self.writes.push(Write {
            maker: maker.clone(),
            part,
            place,
            text: shown(text, context),
            value: value.map(|own| shown(&own, context)),
            inputs,
        });
    }

    /// Looks whether a patch changed the field.
    fn patched(
        &mut self,
        maker: &Maker,
        at_patch: usize,
        operations: &[Operation],
        context: &Context,
        layers: &Layers<'_>,
    ) {
        let value = self
            .object()
            .and_then(|own| at(&own.object, self.path))
            .cloned();
        if value == self.value {
            return;
        }
        let own: Vec<&Operation> = operations
            .iter()
            .filter(|own| may_touch(&own.path, self.path))
            .collect();
        let places: Vec<String> = own
            .iter()
            .map(|own| format!("{} {}", own.op, own.path))
            .collect();
        let texts = own.iter().filter_map(|own| own.value.as_ref());
        let said: Vec<String> = own
            .iter()
            .filter_map(|own| Some(shown(own.value.as_ref()?, context)))
            .collect();
        let inputs = self.inputs(texts, context, layers);
        self.value = value.clone();
        self.writes.push(Write {
            maker: maker.clone(),
            part: Part::Patch(at_patch),
            place: places.join(", "),
            text: said.join(", "),
            value: value.map(|own| shown(&own, context)),
            inputs,
        });
    }

    /// What the expressions of some texts look at, each place once.
    fn inputs<'n>(
        &self,
        texts: impl IntoIterator<Item = &'n Node>,
        context: &Context,
        layers: &Layers<'_>,
    ) -> Vec<Input> {
        let mut found: Vec<Input> = Vec::new();
        for text in texts {
            for (_, _, reads) in self.engine.template(text).expressions() {
                for read in reads {
                    let place = read.to_string();
                    if found.iter().any(|own| own.place == place) {
                        continue;
                    }
                    let used = context.shown(std::slice::from_ref(&read));
                    found.push(Input {
                        place,
                        value: used.into_iter().next().and_then(|own| own.value),
                        layer: layers.of(&read),
                    });
                }
            }
        }
        found
    }
}

/// Who may give values to a type, or to a trait in use.
struct Layers<'a> {
    inputs: &'a Inputs<'a>,
    of: Option<&'a TraitUse>,
}

impl Layers<'_> {
    fn of(&self, read: &Read) -> Layer {
        let release = self.inputs.release;
        let binding = self.inputs.binding;
        let (component, environment) = match self.of {
            None => (&release.parameters, Some(&binding.type_values)),
            Some(own) => (&own.parameters, binding.trait_values.get(&own.instance)),
        };
        let is_there = |values: &Node| {
            let mut node = Some(values);
            for step in &read.steps {
                node = match (node, step) {
                    (Some(node @ Node::Map(_)), ReadStep::Field(name)) => node.get(name),
                    // What is below a list is of whoever gave the list.
                    (found, _) => return found.is_some_and(|node| !node.is_null()),
                };
            }
            !read.steps.is_empty() && node.is_some_and(|node| !node.is_null())
        };
        match read.variable.as_str() {
            "parameters" | "envOverrides" | "environmentConfigs" => {
                // A part that several give is of the one whose word counts most.
                if environment.is_some_and(is_there) {
                    Layer::Binding
                } else if is_there(component)
                    || self.of.is_some_and(|own| is_there(&own.environment))
                {
                    Layer::Component
                } else {
                    Layer::Default
                }
            }
            "configurations" if !binding.workload_overrides.is_empty() => Layer::Binding,
            // Images and commands cannot be overridden.
            "workload" | "configurations" => Layer::Workload,
            "metadata" | "dataplane" | "environment" | "gateway" | "dependencies" | "trait" => {
                Layer::Platform
            }
            _ => Layer::Template,
        }
    }
}

/// A value as messages show it: shortened, and without secrets.
fn shown(node: &Node, context: &Context) -> String {
    let text = match node.as_str() {
        Some(text) => text.to_owned(),
        None => object::json::to_string(node),
    };
    shortened(&context.masked(text), VALUE_SHOWN)
}

fn key_of(node: &Node) -> ObjectKey {
    Object::new(node.clone()).key()
}

/// The value at a path.
fn at<'n>(node: &'n Node, path: &FieldPath) -> Option<&'n Node> {
    path.steps().iter().try_fold(node, |node, step| match step {
        PathStep::Key(key) => node.get(key),
        PathStep::Index(index) => node.as_list()?.get(*index),
    })
}

/// The place of a field in a template: that of the field, or of the text around it that gives more
/// than the field. `None` when the template does not say anything about it.
fn around<'n>(template: &'n Node, path: &FieldPath) -> Option<(String, &'n Node)> {
    let mut place = FieldPath::root().key("template");
    let mut node = template;
    for step in path.steps() {
        if node.as_str().is_some() {
            return Some((place.to_string(), node));
        }
        node = match step {
            PathStep::Key(key) => node.get(key)?,
            PathStep::Index(index) => node.as_list()?.get(*index)?,
        };
        place.push(step.clone());
    }
    Some((place.to_string(), node))
}

/// Whether an operation at a path of a patch may be about a field, the part before it or after it.
fn may_touch(operation: &str, field: &FieldPath) -> bool {
    let parts = operation.split('/').filter(|part| !part.is_empty());
    parts.zip(field.steps()).all(|(part, step)| {
        let part = part.replace("~1", "/").replace("~0", "~");
        match step {
            PathStep::Key(key) => part == key.as_str() || part.contains("${"),
            // Filters, `-` and numbers in any form.
            PathStep::Index(_) => true,
        }
    })
}
