//! Reading values into structs as Go's JSON decoder does: names in any letter case, nulls ignored,
//! the first error in the order of keys, and its words.

use object::{FieldPath, Map, Node as Value};

/// One thing wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Go's message.
    pub message: String,
    /// The field.
    pub path: FieldPath,
    /// The name that is not known, for unknown fields.
    pub unknown: Option<String>,
    /// The names that are known beside it.
    pub known: &'static [&'static str],
}

/// Collects what is wrong while structs are read.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pub problems: Vec<Problem>,
    /// Fields written in another letter case than the name they are known by.
    pub other_case: Vec<(FieldPath, &'static str)>,
    /// Whether unknown fields are problems.
    pub strict: bool,
    /// Whether numbers and truth values may stand where text is wanted.
    pub lenient_texts: bool,
    path: FieldPath,
    names: Vec<String>,
    structs: Vec<&'static str>,
}

impl Decoder {
    pub fn new(strict: bool) -> Self {
        Self {
            strict,
            ..Self::default()
        }
    }

    /// Calls `field` for each entry of an object with the name from `known` that it means.
    pub fn object(
        &mut self,
        value: &Value,
        type_name: &'static str,
        known: &'static [&'static str],
        mut field: impl FnMut(&mut Self, &'static str, &Value),
    ) {
        let map = match value {
            Value::Map(map) => map,
            Value::Null => return,
            other => return self.mismatch(other, &format!("types.{type_name}")),
        };
        self.structs.push(type_name);
        for key in sorted_keys(map) {
            let entry = map.get(key).expect("the key is from this map");
            let name = known
                .iter()
                .find(|name| **name == key)
                .or_else(|| known.iter().find(|name| folds_to(key, name)));
            self.path.push(object::Step::Key(key.into()));
            match name {
                Some(name) => {
                    if *name != key {
                        self.other_case.push((self.path.clone(), name));
                    }
                    self.names.push((*name).to_owned());
                    field(self, name, entry);
                    self.names.pop();
                }
                None if self.strict => self.problems.push(Problem {
                    message: format!("json: unknown field {key:?}"),
                    path: self.path.clone(),
                    unknown: Some(key.to_owned()),
                    known,
                }),
                None => {}
            }
            self.path.pop();
        }
        self.structs.pop();
    }

    /// Reads a field that belongs to an embedded struct: that shows in messages, and nothing is taken
    /// for text there that is none.
    pub fn embedded(&mut self, name: &str, field: impl FnOnce(&mut Self)) {
        let lenient = std::mem::take(&mut self.lenient_texts);
        let at = self.names.len().saturating_sub(1);
        self.names.insert(at, name.to_owned());
        field(self);
        self.names.remove(at);
        self.lenient_texts = lenient;
    }

    pub fn string(&mut self, value: &Value) -> String {
        match value {
            Value::String(text) => text.to_string(),
            Value::Null => String::new(),
            other => {
                let text = written(other).filter(|_| self.lenient_texts);
                text.unwrap_or_else(|| {
                    self.mismatch(other, "string");
                    String::new()
                })
            }
        }
    }

    pub fn bool(&mut self, value: &Value) -> bool {
        match value {
            Value::Bool(value) => *value,
            Value::Null => false,
            other => {
                self.mismatch(other, "bool");
                false
            }
        }
    }

    pub fn integer(&mut self, value: &Value, go_type: &str) -> i64 {
        match value {
            Value::Null => 0,
            other => other.as_i64().unwrap_or_else(|| {
                self.mismatch(other, go_type);
                0
            }),
        }
    }

    /// Items of a list, each read by `item`.
    pub fn list<T>(
        &mut self,
        value: &Value,
        go_type: &str,
        mut item: impl FnMut(&mut Self, &Value) -> T,
    ) -> Vec<T> {
        match value {
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(at, value)| {
                    self.path.push(object::Step::Index(at));
                    let read = item(self, value);
                    self.path.pop();
                    read
                })
                .collect(),
            Value::Null => Vec::new(),
            other => {
                self.mismatch(other, &format!("[]{go_type}"));
                Vec::new()
            }
        }
    }

    pub fn strings(&mut self, value: &Value) -> Vec<String> {
        self.list(value, "string", Self::string)
    }

    /// Entries of a map of text, ordered by key.
    pub fn string_map(&mut self, value: &Value) -> Vec<(String, String)> {
        match value {
            Value::Map(map) => sorted_keys(map)
                .into_iter()
                .map(|key| {
                    self.path.push(object::Step::Key(key.into()));
                    let text = self.string(map.get(key).expect("the key is from this map"));
                    self.path.pop();
                    (key.to_owned(), text)
                })
                .collect(),
            Value::Null => Vec::new(),
            other => {
                self.mismatch(other, "map[string]string");
                Vec::new()
            }
        }
    }

    /// A map of anything.
    pub fn map(&mut self, value: &Value) -> Map {
        match value {
            Value::Map(map) => map.clone(),
            Value::Null => Map::new(),
            other => {
                self.mismatch(other, "map[string]interface {}");
                Map::new()
            }
        }
    }

    fn mismatch(&mut self, found: &Value, go_type: &str) {
        let found = match found {
            Value::Float(value) if go_type.starts_with("int") => format!("number {value}"),
            found => json_kind(found).to_owned(),
        };
        let target = match self.structs.last() {
            Some(name) if !self.names.is_empty() => {
                format!(
                    "Go struct field {name}.{} of type {go_type}",
                    self.names.join(".")
                )
            }
            _ => format!("Go value of type {go_type}"),
        };
        self.problems.push(Problem {
            message: format!("json: cannot unmarshal {found} into {target}"),
            path: self.path.clone(),
            unknown: None,
            known: &[],
        });
    }
}

/// What Go's JSON decoder calls a value it does not want.
pub(crate) fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "string",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Uint(_) | Value::Float(_) => "number",
        Value::List(_) => "array",
        Value::Map(_) | Value::Null => "object",
    }
}

/// Whether two names differ in letter case only; two letters outside of ASCII have their lower case
/// in it.
pub(crate) fn folds_to(key: &str, name: &str) -> bool {
    let fold = |letter| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        letter => letter.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

/// A number or truth value as text, as `sigs.k8s.io/yaml` writes it into fields that hold text.
pub(crate) fn written(value: &Value) -> Option<String> {
    match value {
        Value::Bool(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Uint(value) => Some(value.to_string()),
        Value::Float(value) => Some(golang::strconv::format_float_g(*value)),
        _ => None,
    }
}

pub(crate) fn sorted_keys(map: &Map) -> Vec<&str> {
    let mut keys: Vec<&str> = map.keys().map(|key| key.as_str()).collect();
    keys.sort_unstable();
    keys
}
