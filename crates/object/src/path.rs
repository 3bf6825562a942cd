//! Places inside an object.

use std::fmt;

use crate::Text;

/// One step from a node to a child.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// The value of a map key.
    Key(Text),
    /// The item of a list, counted from zero.
    Index(usize),
}

/// The place of a value inside an object: `spec.containers[0].image`.
///
/// Printed as Kubernetes prints field paths: keys joined by dots, indexes in brackets, and keys
/// that hold a dot, a slash or a bracket in brackets too (`metadata.labels[app.kubernetes.io/name]`).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Step>);

impl FieldPath {
    /// The object itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The place under nested map keys.
    pub fn keys<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        Self(keys.into_iter().map(|key| Step::Key(key.into())).collect())
    }

    /// The steps from the object to the place.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Whether this is the object itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// This place's child `key`.
    pub fn key(&self, key: impl Into<Text>) -> Self {
        self.with(Step::Key(key.into()))
    }

    /// This place's item `index`.
    pub fn index(&self, index: usize) -> Self {
        self.with(Step::Index(index))
    }

    /// One step further down, in place.
    pub fn push(&mut self, step: Step) {
        self.0.push(step);
    }

    /// One step back up, in place.
    pub fn pop(&mut self) -> Option<Step> {
        self.0.pop()
    }

    /// The place a JSON pointer (RFC 6901) names; every token is a key, as only the value can
    /// tell keys from indexes. `None` when a non-empty pointer does not start with `/`.
    pub fn from_json_pointer(pointer: &str) -> Option<Self> {
        if pointer.is_empty() {
            return Some(Self::root());
        }
        let tokens = pointer.strip_prefix('/')?.split('/');
        Some(Self(
            tokens
                .map(|token| Step::Key(token.replace("~1", "/").replace("~0", "~").into()))
                .collect(),
        ))
    }

    fn with(&self, step: Step) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if key.contains(['.', '/', '[', ']']) => write!(f, "[{key}]")?,
                Step::Key(key) if at == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_print_as_kubernetes_prints_them() {
        let path = FieldPath::keys(["spec", "containers"])
            .index(0)
            .key("image");
        assert_eq!(path.to_string(), "spec.containers[0].image");
        let label = FieldPath::keys(["metadata", "labels"]).key("app.kubernetes.io/name");
        assert_eq!(label.to_string(), "metadata.labels[app.kubernetes.io/name]");
    }

    #[test]
    fn json_pointers_unescape_their_tokens() {
        let path = FieldPath::from_json_pointer("/metadata/annotations/a~1b~0c");
        assert_eq!(
            path,
            Some(FieldPath::keys(["metadata", "annotations", "a/b~c"]))
        );
        assert_eq!(FieldPath::from_json_pointer("spec"), None);
    }
}
