//! Values into fields, as `sigs.k8s.io/yaml` fills Go structs: what fits, what is converted, and the
//! words for what does not fit.
//!
//! Numbers and booleans become text where text is wanted; a null leaves the field empty; names of
//! fields match in any case. Decoding goes on after the first mistake, which is the one reported.
//!
//! # Source
//! kubernetes-sigs/yaml `yaml.go`, `convertToJSONableObject`; golang/go `src/encoding/json/decode.go`.

use object::{Map, Node};

/// Reads one YAML text the way Helm reads charts and values: YAML 1.1, the last of repeated keys
/// wins, unknown tags are ignored, only the first document counts.
///
/// # Errors
/// The message of the reference: `error converting YAML to JSON: yaml: line 1: …`.
pub(crate) fn yaml(bytes: &[u8]) -> Result<Node, String> {
    read(bytes, |text| yaml::load_first(text, &RULES()))
}

/// As [`yaml`], but of the outermost map only the entries that are `wanted` are sure to be there.
///
/// # Errors
/// As [`yaml`].
pub(crate) fn yaml_entries(bytes: &[u8], wanted: impl Fn(&str) -> bool) -> Result<Node, String> {
    read(bytes, |text| {
        yaml::load_first_entries(text, &RULES(), wanted)
    })
}

fn read(
    bytes: &[u8],
    load: impl FnOnce(&str) -> Result<Node, yaml::YamlError>,
) -> Result<Node, String> {
    let node = yaml::decode(bytes).and_then(load);
    node.map_err(|error| format!("error converting YAML to JSON: {}", error.sigs_message()))
}

/// How Helm resolves YAML.
#[expect(non_snake_case, reason = "it stands for a constant that cannot be one")]
pub(crate) fn RULES() -> yaml::ResolveOptions {
    yaml::ResolveOptions {
        rules: yaml::Rules::V2,
        duplicates: yaml::Duplicates::LastWins,
        tags: yaml::Tags::Ignore,
        minus_zero: true,
        limits: yaml::Limits::default(),
    }
}

/// The first mistake of a decoding.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(Option<String>);

/// Where a value goes, for messages.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The innermost Go struct: `Dependency`.
    pub structure: &'a str,
    /// All fields on the way from the outermost struct: `dependencies.name`.
    pub field: &'a str,
}

impl Mistakes {
    /// # Errors
    /// The reference's message for the first mistake.
    pub fn finish(self) -> Result<(), String> {
        match self.0 {
            Some(text) => Err(text),
            None => Ok(()),
        }
    }

    /// Notes that `node` does not fit.
    pub fn mismatch(&mut self, node: &Node, place: Place<'_>, wanted: &str) {
        self.note(
            node,
            &format!("struct field {}.{}", place.structure, place.field),
            wanted,
        );
    }

    fn note(&mut self, node: &Node, into: &str, wanted: &str) {
        let found = match node {
            Node::Null => "null",
            Node::Bool(_) => "bool",
            Node::Int(_) | Node::Uint(_) | Node::Float(_) => "number",
            Node::String(_) => "string",
            Node::List(_) => "array",
            Node::Map(_) => "object",
        };
        self.0.get_or_insert_with(|| {
            told(format!(
                "json: cannot unmarshal {found} into Go {into} of type {wanted}"
            ))
        });
    }

    /// A whole document that has to be a map; a null is an empty one.
    pub fn document<'a>(&mut self, node: &'a Node, wanted: &str) -> Option<&'a Map> {
        match node {
            Node::Map(map) => Some(map),
            Node::Null => None,
            _ => {
                self.note(node, "value", wanted);
                None
            }
        }
    }

    pub fn string(&mut self, node: &Node, place: Place<'_>) -> Option<String> {
        let text = as_text(node);
        if text.is_none() && !node.is_null() {
            self.mismatch(node, place, "string");
        }
        text
    }

    pub fn bool(&mut self, node: &Node, place: Place<'_>) -> Option<bool> {
        match node {
            Node::Bool(value) => Some(*value),
            Node::Null => None,
            _ => {
                self.mismatch(node, place, "bool");
                None
            }
        }
    }

    pub fn list<'a>(&mut self, node: &'a Node, place: Place<'_>, wanted: &str) -> &'a [Node] {
        match node {
            Node::List(items) => items,
            Node::Null => &[],
            _ => {
                self.mismatch(node, place, wanted);
                &[]
            }
        }
    }

    pub fn strings(&mut self, node: &Node, place: Place<'_>) -> Vec<String> {
        let items = self.list(node, place, "[]string");
        let texts = items.iter().map(|item| self.string(item, place));
        texts.map(Option::unwrap_or_default).collect()
    }

    /// A map of texts, sorted by key.
    pub fn string_map(&mut self, node: &Node, place: Place<'_>) -> Vec<(String, String)> {
        match node {
            Node::Map(map) => sorted(map)
                .map(|(key, value)| {
                    let text = self.string(value, place).unwrap_or_default();
                    (key.to_owned(), text)
                })
                .collect(),
            Node::Null => Vec::new(),
            _ => {
                self.mismatch(node, place, "map[string]string");
                Vec::new()
            }
        }
    }
}

/// A mistake with the words that the reference puts around it.
pub(crate) fn told(mistake: String) -> String {
    format!("error unmarshaling JSON: while decoding JSON: {mistake}")
}

/// A scalar as the text that fills a text field; `None` for nulls, lists and maps.
pub(crate) fn as_text(node: &Node) -> Option<String> {
    match node {
        Node::String(text) => Some(text.to_string()),
        Node::Bool(value) => Some(value.to_string()),
        Node::Int(value) => Some(value.to_string()),
        Node::Uint(value) => Some(value.to_string()),
        Node::Float(value) => Some(golang::strconv::format_float_g(*value)),
        Node::Null | Node::List(_) | Node::Map(_) => None,
    }
}

/// Entries in the order in which Go meets them: by key.
pub(crate) fn sorted(map: &Map) -> impl Iterator<Item = (&str, &Node)> {
    let mut entries: Vec<(&str, &Node)> = map.iter().map(|(key, node)| (&**key, node)).collect();
    entries.sort_by_key(|(key, _)| *key);
    entries.into_iter()
}
