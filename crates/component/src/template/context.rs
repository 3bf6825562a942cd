//! What a template is rendered with, and what that may cost.

use std::sync::Arc;

use expr::{Bindings, Budget, Program, Read, ReadStep, Value};
use object::{Map, Node, Text};

use super::error::{Used, shortened};

/// Most bytes that everything one meter is for may render to.
///
/// All objects of a binding become one Release, which has to fit into a request of 1.5 MiB.
const OUTPUT_BYTES_MAX: u64 = 8 << 20;

/// Most values shown with one error.
const USED_MAX: usize = 8;

/// Secret texts shorter than this are not looked for in messages: they occur everywhere.
const SECRET_BYTES_MIN: usize = 4;

/// Most secret texts looked for; with more, messages are not shown at all.
const SECRETS_MAX: usize = 1_000;

/// The variables of a template. Cloning copies pointers.
#[derive(Clone, Debug, Default)]
pub struct Context {
    bindings: Bindings,
    names: Vec<Text>,
    /// Variables with the keys that lead to a secret.
    concealed: Vec<(Text, Arc<[Text]>)>,
}

impl Context {
    /// With every field of a map as a variable.
    pub fn of(map: &Map) -> Self {
        map.iter().fold(Self::default(), |context, (name, value)| {
            context.with(name.clone(), value)
        })
    }

    /// Adds a variable; a later one hides an earlier one of the same name.
    ///
    /// A node is read in place. For a map with methods see [`expr::MapValue::with_methods`].
    pub fn with(mut self, name: impl Into<Text>, value: impl Into<Value>) -> Self {
        let name = name.into();
        if !self.names.contains(&name) {
            self.names.push(name.clone());
        }
        self.bindings = self.bindings.bind(name, value);
        self
    }

    /// Keeps what is at these keys of a variable, and below, out of every message.
    ///
    /// Failing expressions that read it, or something around it, say only that they failed and
    /// where, and what is found there is masked in messages of others; see [`Self::masked`].
    pub fn conceal<K: Into<Text>>(
        mut self,
        variable: impl Into<Text>,
        keys: impl IntoIterator<Item = K>,
    ) -> Self {
        let keys = keys.into_iter().map(Into::into).collect();
        self.concealed.push((variable.into(), keys));
        self
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.bindings.get(name)
    }

    /// Names of the variables in the order they were added.
    pub fn names(&self) -> &[Text] {
        &self.names
    }

    pub(super) fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// Whether what is read holds a secret.
    pub(super) fn conceals(&self, read: &Read) -> bool {
        let concealed = &mut self.concealed.iter();
        concealed.any(|(variable, keys)| read.touches(variable, keys))
    }

    /// The first of the places read that holds a secret.
    pub(super) fn secret_of(&self, reads: &[Read]) -> Option<String> {
        let secret = reads.iter().find(|read| self.conceals(read));
        secret.map(Read::to_string)
    }

    /// `message` with `***` for every secret text and number, as it is and in base64.
    ///
    /// For messages about what was rendered, which may hold secrets in other places; a part of a
    /// secret, or one that was changed, is not recognised.
    pub fn masked(&self, message: String) -> String {
        let mut secrets = Vec::new();
        for (variable, keys) in &self.concealed {
            let start = self.get(variable);
            let found = keys.iter().try_fold(start, |value, key| match value? {
                Value::Map(map) => Some(map.field(key)),
                _ => None,
            });
            if let Some(Some(value)) = found
                && let Ok(node) = value.to_node()
            {
                collect(&node, &mut secrets);
            }
        }
        if secrets.len() > SECRETS_MAX {
            return "***".to_owned();
        }
        // A secret may hold another one.
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        let mask = |message: String, secret: &Text| message.replace(secret.as_str(), "***");
        secrets.iter().fold(message, mask)
    }

    /// The values of what an expression reads, as far as they are there and no secret.
    pub(super) fn used(&self, program: &Program) -> Vec<Used> {
        self.shown(&program.reads())
    }

    /// What is at some places, as far as they are there and no secret.
    pub fn shown(&self, reads: &[Read]) -> Vec<Used> {
        let shown = reads.iter().filter_map(|read| {
            let place = read.to_string();
            if self.conceals(read) {
                return Some(Used { place, value: None });
            }
            let value = self.value_of(read)?;
            let text = match value.to_node() {
                Ok(node) => object::json::to_string(&node),
                Err(_) => value.type_name().to_owned(),
            };
            let value = Some(shortened(&self.masked(text), 80));
            Some(Used { place, value })
        });
        shown.take(USED_MAX).collect()
    }

    fn value_of(&self, read: &Read) -> Option<Value> {
        let start = self.get(&read.variable);
        read.steps
            .iter()
            .try_fold(start?, |value, step| match (value, step) {
                (Value::Map(map), ReadStep::Field(name)) => map.field(name),
                (Value::List(list), ReadStep::Index(at)) => list.get(usize::try_from(*at).ok()?),
                _ => None,
            })
    }

    /// Where a key was looked for and which keys there are, for the places read.
    pub(super) fn missing(&self, reads: &[Read], key: &str) -> Option<(String, Vec<Text>)> {
        reads.iter().find_map(|read| {
            let mut value = self.get(&read.variable)?;
            for (at, step) in read.steps.iter().enumerate() {
                let next = match (&value, step) {
                    (Value::Map(map), ReadStep::Field(name)) => match map.field(name) {
                        None if name == key => {
                            let steps = read.steps[..at].to_vec();
                            let variable = read.variable.clone();
                            let place = Read { variable, steps };
                            let keys = map.iter().map(|(key, _)| key.display().into());
                            return Some((place.to_string(), keys.collect()));
                        }
                        next => next,
                    },
                    (Value::List(list), ReadStep::Index(at)) => {
                        usize::try_from(*at).ok().and_then(|at| list.get(at))
                    }
                    _ => None,
                };
                value = next?;
            }
            None
        })
    }
}

fn collect(node: &Node, secrets: &mut Vec<Text>) {
    if secrets.len() > SECRETS_MAX {
        return;
    }
    match node {
        Node::String(text) if text.len() >= SECRET_BYTES_MIN => {
            let encoded = golang::base64::encode(text.as_bytes());
            secrets.extend([text.clone(), encoded.into()]);
        }
        Node::Int(_) | Node::Uint(_) | Node::Float(_) => {
            let text = object::json::to_string(node);
            if text.len() >= SECRET_BYTES_MIN {
                secrets.push(text.into());
            }
        }
        Node::List(items) => items.iter().for_each(|item| collect(item, secrets)),
        Node::Map(map) => map.values().for_each(|value| collect(value, secrets)),
        _ => {}
    }
}

/// What may still be spent; one for everything that is rendered together.
#[derive(Clone, Debug)]
pub struct Meter {
    cost: u64,
    bytes: u64,
}

impl Default for Meter {
    /// For all templates of one binding.
    ///
    /// They may cost as much as all rules that Kubernetes evaluates over one object.
    fn default() -> Self {
        Self::new(Budget::OBJECT)
    }
}

impl Meter {
    /// With this much to spend on expressions.
    pub fn new(cost: Budget) -> Self {
        Self {
            cost: cost.0,
            bytes: OUTPUT_BYTES_MAX,
        }
    }

    /// What is left for expressions.
    pub fn left(&self) -> Budget {
        Budget(self.cost)
    }

    /// What one more expression may cost.
    pub(super) fn next(&self) -> Budget {
        self.left().min(Budget::CALL)
    }

    /// Takes `cost`; whether there was as much.
    pub(super) fn spend(&mut self, cost: Budget) -> bool {
        let enough = self.cost >= cost.0;
        self.cost = self.cost.saturating_sub(cost.0);
        enough
    }

    /// Takes what `node` is large; whether there was as much.
    pub(super) fn emit(&mut self, node: &Node) -> bool {
        match node {
            Node::String(text) => self.emit_bytes(text.len() as u64 + 1),
            Node::List(items) => self.emit_bytes(1) && items.iter().all(|item| self.emit(item)),
            Node::Map(map) => {
                self.emit_bytes(1)
                    && map
                        .iter()
                        .all(|(key, value)| self.emit_bytes(key.len() as u64) && self.emit(value))
            }
            _ => self.emit_bytes(4),
        }
    }

    pub(super) fn bytes_left(&self) -> u64 {
        self.bytes
    }

    pub(super) fn emit_bytes(&mut self, bytes: u64) -> bool {
        let enough = self.bytes >= bytes;
        self.bytes = self.bytes.saturating_sub(bytes);
        enough
    }
}
