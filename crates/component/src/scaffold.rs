//! A Component to start from, made of what its type and traits can be told.
//!
//! What has to be said stands there with a placeholder or an example; what has a default stands in
//! a comment with it, ready to be uncommented.
//!
//! # Source
//! openchoreo/openchoreo `internal/scaffold/component` at v1.2.3: which fields are asked for, the
//! placeholders and examples. The comments are ours, and defaults are quoted where YAML needs it.

use diag::{Code, Explain, Reason, Retry};
use object::{Map, Node, Text};

use crate::catalog::Catalog;
use crate::model::{Reference, Schemas};
use crate::parameters;
use crate::schema::SchemaError;

/// Most lines of a scaffold: more than any schema people write gives, and little enough to read.
pub const LINES_MAX: usize = 5_000;

/// How many entries an example of a list or a map has: enough to see where the next one goes.
const EXAMPLES: usize = 2;

/// What Component is wanted.
#[derive(Clone, Debug, Default)]
pub struct ScaffoldRequest {
    /// Its name.
    pub name: Text,
    /// Its namespace, if it is to be written down.
    pub namespace: Option<Text>,
    /// Where the type and the traits are.
    pub lookup: Text,
    /// Its project.
    pub project: Text,
    /// Its type.
    pub component_type: Reference,
    /// Traits, and what each of them is called in the component.
    pub traits: Vec<(Reference, Text)>,
    /// Whether there are comments beside those of defaults.
    pub comments: bool,
}

/// Why there is no scaffold.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScaffoldError {
    /// There is no such type or trait.
    #[error("{} `{}` is not in the checkout", wanted.kind, wanted.name)]
    Missing {
        /// What was looked for.
        wanted: Reference,
        /// What there is of its kind.
        known: Vec<Text>,
    },
    /// Its schema means nothing.
    #[error("the schema of {} `{}` means nothing: {}", of.kind, of.name, joined(errors))]
    Schema {
        /// Whose.
        of: Reference,
        /// What is wrong.
        errors: Vec<SchemaError>,
    },
    /// The name is none.
    #[error("`{0}` is no name of a component")]
    Name(Text),
    /// Two traits are called the same.
    #[error("trait instance `{0}` is there twice")]
    Repeated(Text),
    /// More than [`LINES_MAX`] lines.
    #[error("the scaffold would have more than {LINES_MAX} lines")]
    Size,
}

fn joined(errors: &[SchemaError]) -> String {
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    errors.join("; ")
}

impl Explain for ScaffoldError {
    fn code(&self) -> Code {
        Code(match self {
            Self::Missing { .. } => "ComponentReferenceMissing",
            Self::Schema { .. } => "ComponentSchemaInvalid",
            Self::Name(_) => "ComponentNameInvalid",
            Self::Repeated(_) => "ComponentTraitRepeated",
            Self::Size => "ComponentTooLarge",
        })
    }

    fn reason(&self) -> Reason {
        Reason("InvalidConfiguration")
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn help(&self) -> Vec<String> {
        let Self::Missing { wanted, known } = self else {
            return Vec::new();
        };
        let near = diag::nearest(&wanted.name, known.iter().map(Text::as_str));
        match (near, known.is_empty()) {
            (Some(near), _) => vec![format!("Did you mean `{near}`?")],
            (None, false) => vec![format!("There are {}.", known.join(", "))],
            (None, true) => Vec::new(),
        }
    }
}

/// Writes the Component.
///
/// # Errors
/// [`ScaffoldError`].
pub fn component(catalog: &Catalog, request: &ScaffoldRequest) -> Result<String, ScaffoldError> {
    if !object::names::is_subdomain(&request.name) {
        return Err(ScaffoldError::Name(request.name.clone()));
    }
    let wanted = &request.component_type;
    let found = catalog.component_type(&request.lookup, wanted);
    let found = found.ok_or_else(|| missing(catalog, wanted))?;
    let schema = schema_of(wanted, &found.spec.schemas)?;
    let typed = format!("{}/{}", found.spec.workload_type, wanted.name);
    let old = matches!(found.spec.schemas, Schemas::Shorthand { .. });

    let mut out = Writer {
        comments: request.comments,
        ..Writer::default()
    };
    out.note(0, &format!("A Component of {} `{typed}`.", wanted.kind));
    out.note(
        0,
        "Fill in what is in angle brackets; what is commented out shows defaults.",
    );
    out.line(0, "apiVersion: openchoreo.dev/v1alpha1");
    out.line(0, "kind: Component");
    out.line(0, "metadata:");
    out.entry(1, "name", &request.name);
    if let Some(namespace) = &request.namespace {
        out.entry(1, "namespace", namespace);
    }
    out.line(0, "spec:");
    out.line(1, "owner:");
    out.entry(2, "projectName", &request.project);
    match old {
        true => out.entry(1, "componentType", &typed.as_str().into()),
        false => {
            out.line(1, "componentType:");
            out.entry(2, "kind", &wanted.kind);
            out.entry(2, "name", &typed.as_str().into());
        }
    }
    out.push(
        1,
        true,
        "autoDeploy: true".to_owned(),
        "release and deploy every change",
    );
    if has_fields(&schema) {
        out.blank();
        out.note(1, "What the component type can be told");
        out.line(1, "parameters:");
        out.fields(2, &schema, false);
    }
    let mut traits = request.traits.clone();
    traits.sort();
    let mut instances: Vec<&Text> = traits.iter().map(|(_, name)| name).collect();
    instances.sort();
    if let Some(pair) = instances.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ScaffoldError::Repeated(pair[0].clone()));
    }
    if !traits.is_empty() {
        out.blank();
        out.note(1, "Traits add to what the type makes");
        out.line(1, "traits:");
    }
    for (reference, instance) in &traits {
        let found = catalog.trait_of(&request.lookup, reference);
        let found = found.ok_or_else(|| missing(catalog, reference))?;
        let schema = schema_of(reference, &found.spec.schemas)?;
        match old {
            true => out.entry(2, "- name", &reference.name),
            false => {
                out.entry(2, "- kind", &reference.kind);
                out.entry(3, "name", &reference.name);
            }
        }
        out.entry(3, "instanceName", instance);
        if has_fields(&schema) {
            out.line(3, "parameters:");
            out.fields(4, &schema, false);
        }
    }
    match out.lines > LINES_MAX {
        true => Err(ScaffoldError::Size),
        false => Ok(out.text),
    }
}

fn missing(catalog: &Catalog, wanted: &Reference) -> ScaffoldError {
    let heads = catalog.items().map(crate::model::Item::head);
    let heads = heads.filter(|head| head.kind == wanted.kind);
    ScaffoldError::Missing {
        wanted: wanted.clone(),
        known: heads.map(|head| head.name.clone()).collect(),
    }
}

/// The schema of parameters as JSON schema.
fn schema_of(of: &Reference, schemas: &Schemas) -> Result<Node, ScaffoldError> {
    let compiled = parameters::compile(schemas).map_err(|(mut errors, more)| {
        errors.extend(more);
        ScaffoldError::Schema {
            of: of.clone(),
            errors,
        }
    })?;
    let schema = compiled.parameters.as_ref();
    Ok(schema.map(|own| own.json().clone()).unwrap_or_default())
}

fn has_fields(schema: &Node) -> bool {
    properties(schema).is_some_and(|map| !map.is_empty())
}

fn properties(schema: &Node) -> Option<&Map> {
    schema.get("properties").and_then(Node::as_map)
}

fn kind(schema: &Node) -> &str {
    schema.str_at(&["type"]).unwrap_or_default()
}

fn default(schema: &Node) -> Option<&Node> {
    schema.get("default").filter(|value| !value.is_null())
}

/// Fields of an object and their schemas.
type Fields<'a> = Vec<(&'a Text, &'a Node)>;

/// Names of a schema's fields that have to be said, and of those that do not, each in order.
fn sorted(schema: &Node) -> (Fields<'_>, Fields<'_>) {
    let required = schema.get("required").and_then(Node::as_list);
    let required: Vec<&str> = required
        .unwrap_or_default()
        .iter()
        .filter_map(Node::as_str)
        .collect();
    let mut fields: Fields<'_> = properties(schema).into_iter().flat_map(Map::iter).collect();
    fields.sort_by_key(|(name, _)| *name);
    fields
        .into_iter()
        .partition(|(name, own)| required.contains(&name.as_str()) && default(own).is_none())
}

/// What stands where a person has to say something.
fn placeholder(name: &str) -> String {
    let text = format!("<TODO_{}>", name.to_uppercase());
    scalar(&Node::from(text))
}

/// A value as an example.
fn example(schema: &Node) -> Node {
    if let Some(value) = default(schema) {
        return value.clone();
    }
    if let Some(first) = enumerated(schema).first() {
        return first.clone();
    }
    match kind(schema) {
        "integer" | "number" => Node::Int(0),
        "boolean" => Node::Bool(false),
        "array" => {
            let items = schema.get("items").map(example).unwrap_or_default();
            Node::list(vec![items; EXAMPLES])
        }
        "object" => match properties(schema) {
            Some(map) => Node::Map(
                map.iter()
                    .map(|(key, own)| (key.clone(), example(own)))
                    .collect(),
            ),
            None => {
                let value = additional(schema).map(example);
                let entries = value.into_iter().flat_map(|value| {
                    (1..=EXAMPLES).map(move |at| (Text::from(format!("key{at}")), value.clone()))
                });
                Node::Map(entries.collect())
            }
        },
        _ => "example".into(),
    }
}

fn enumerated(schema: &Node) -> &[Node] {
    schema
        .get("enum")
        .and_then(Node::as_list)
        .unwrap_or_default()
}

/// The schema of a map's values.
fn additional(schema: &Node) -> Option<&Node> {
    schema
        .get("additionalProperties")
        .filter(|own| own.as_map().is_some())
}

/// Lines, some of them commented out.
#[derive(Default)]
struct Writer {
    text: String,
    lines: usize,
    comments: bool,
}

impl Writer {
    fn line(&mut self, depth: usize, text: &str) {
        self.push(depth, false, text.to_owned(), "");
    }

    fn entry(&mut self, depth: usize, key: &str, value: &Text) {
        self.line(depth, &format!("{key}: {}", scalar(&value.clone().into())));
    }

    /// A line of words for people.
    fn note(&mut self, depth: usize, text: &str) {
        if self.comments {
            let text = format!("# {text}");
            self.line(depth, &text);
        }
    }

    fn blank(&mut self) {
        if self.comments {
            self.text.push('\n');
        }
    }

    /// A line, perhaps commented out, with words behind it.
    fn push(&mut self, depth: usize, off: bool, text: String, words: &str) {
        self.lines += 1;
        if self.lines > LINES_MAX {
            return;
        }
        self.text.push_str(&"  ".repeat(depth));
        if off {
            self.text.push_str("# ");
        }
        self.text.push_str(&text);
        if self.comments && !words.is_empty() {
            self.text.push_str(" # ");
            self.text.push_str(words);
        }
        self.text.push('\n');
    }

    /// The fields of an object: first those that have to be said, then the others as comments.
    fn fields(&mut self, depth: usize, schema: &Node, inside_list: bool) {
        let (required, optional) = sorted(schema);
        let mut first = inside_list;
        for (name, own) in required {
            self.field(depth, name, own, std::mem::take(&mut first));
        }
        if !optional.is_empty() {
            self.note(depth, "Defaults, to be uncommented and changed:");
        }
        for (name, own) in optional {
            let value = match default(own) {
                Some(Node::Map(map)) if map.is_empty() && has_fields(own) => {
                    example(&without_default(own))
                }
                Some(Node::List(items)) if items.is_empty() => Node::list([] as [Node; 0]),
                Some(value) => value.clone(),
                None => example(own),
            };
            let mut entry = Node::map();
            entry.set(&[name], value);
            let words = self.words(own);
            for (at, text) in yaml::to_string(&entry).lines().enumerate() {
                let words = if at == 0 { words.as_str() } else { "" };
                self.push(depth, true, text.to_owned(), words);
            }
        }
    }

    /// A field that has to be said.
    fn field(&mut self, depth: usize, name: &Text, schema: &Node, dash: bool) {
        let key = yaml::to_string(&Node::from(name.clone()));
        let key = match dash {
            true => format!("- {}:", key.trim_end()),
            false => format!("{}:", key.trim_end()),
        };
        // The dash stands two columns before the fields of its item.
        let at = if dash { depth - 1 } else { depth };
        let words = self.words(schema);
        match kind(schema) {
            "object" if has_fields(schema) => {
                let (required, optional) = sorted(schema);
                if required.is_empty() {
                    self.push(at, false, format!("{key} {{}}"), &words);
                    for (name, own) in optional {
                        let mut entry = Node::map();
                        entry.set(&[name], example(own));
                        for text in yaml::to_string(&entry).lines() {
                            self.push(depth + 1, true, text.to_owned(), "");
                        }
                    }
                } else {
                    self.push(at, false, key, &words);
                    self.fields(depth + 1, schema, false);
                }
            }
            "object" => match additional(schema) {
                None => self.push(at, false, format!("{key} {{}}"), &words),
                Some(values) => {
                    self.push(at, false, key, &words);
                    for number in 1..=EXAMPLES {
                        self.value(depth + 1, &format!("key{number}"), values);
                    }
                }
            },
            "array" => {
                let items = schema.get("items").cloned().unwrap_or_default();
                if kind(&items) == "object" && has_required(&items) {
                    self.push(at, false, key, &words);
                    for _ in 0..EXAMPLES {
                        self.item(depth + 1, &items);
                    }
                } else {
                    self.block(at, &key, &example(schema), &words);
                }
            }
            _ => {
                let value = match enumerated(schema).first() {
                    Some(first) => scalar(first),
                    None => placeholder(name),
                };
                self.push(at, false, format!("{key} {value}"), &words);
            }
        }
    }

    /// An entry of a map that has to be said.
    fn value(&mut self, depth: usize, key: &str, schema: &Node) {
        let items = schema.get("items").cloned().unwrap_or_default();
        if kind(schema) == "object" && has_required(schema) {
            self.line(depth, &format!("{key}:"));
            self.fields(depth + 1, schema, false);
        } else if kind(schema) == "array" && kind(&items) == "object" && has_required(&items) {
            self.line(depth, &format!("{key}:"));
            for _ in 0..EXAMPLES {
                self.item(depth + 1, &items);
            }
        } else {
            self.block(depth, &format!("{key}:"), &example(schema), "");
        }
    }

    /// An object in a list.
    fn item(&mut self, depth: usize, schema: &Node) {
        self.fields(depth + 1, schema, true);
    }

    /// A key and a value of any shape.
    fn block(&mut self, depth: usize, key: &str, value: &Node, words: &str) {
        let whole = yaml::to_string(value);
        let flat = match value {
            Node::List(items) => items.is_empty(),
            Node::Map(map) => map.is_empty(),
            _ => !whole.trim_end().contains('\n'),
        };
        if flat {
            self.push(depth, false, format!("{key} {}", whole.trim_end()), words);
            return;
        }
        self.push(depth, false, key.to_owned(), words);
        for text in whole.lines() {
            self.line(depth + 1, text);
        }
    }

    /// The description of a field, and what else it can be, in one line.
    fn words(&self, schema: &Node) -> String {
        let text = schema.str_at(&["description"]).unwrap_or_default();
        let mut words: Vec<String> = vec![text.split_whitespace().collect::<Vec<_>>().join(" ")];
        let all = enumerated(schema);
        if all.len() > 1 {
            let all: Vec<String> = all.iter().map(scalar).collect();
            words.push(format!("one of {}", all.join(", ")));
        }
        words.retain(|own| !own.is_empty());
        words.join("; ").replace(char::is_control, " ")
    }
}

fn has_required(schema: &Node) -> bool {
    !sorted(schema).0.is_empty()
}

fn without_default(schema: &Node) -> Node {
    let mut schema = schema.clone();
    schema.remove(&["default"]);
    schema
}

/// A scalar as YAML writes it, in one line.
fn scalar(value: &Node) -> String {
    let text = yaml::to_string(value);
    match text.trim_end().contains('\n') {
        true => object::json::to_string(value),
        false => text.trim_end().to_owned(),
    }
}
