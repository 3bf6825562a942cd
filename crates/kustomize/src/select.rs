//! Selecting objects: by kind, name and namespace patterns, by labels and by annotations.

use std::collections::BTreeMap;

use object::{LabelSelector, Text};
use regex::Regex;

use crate::ids::{Gvk, ResId};

/// A selector as written: patterns for the id, selectors for labels and annotations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub group: String,
    pub version: String,
    pub kind: String,
    pub name: String,
    pub namespace: String,
    pub label_selector: String,
    pub annotation_selector: String,
}

/// A [`Selector`] with its patterns compiled.
pub(crate) struct Pattern {
    group: Option<Regex>,
    version: Option<Regex>,
    kind: Option<Regex>,
    name: Option<Regex>,
    namespace: Option<Regex>,
    labels: LabelSelector,
    annotations: LabelSelector,
    has_id: bool,
    has_labels: bool,
}

impl Selector {
    /// # Errors
    /// A pattern or selector that cannot be read, in the reference's words.
    pub fn compile(&self) -> Result<Pattern, String> {
        let fields = [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ];
        Ok(Pattern {
            group: anchored(&self.group)?,
            version: anchored(&self.version)?,
            kind: anchored(&self.kind)?,
            name: anchored(&self.name)?,
            namespace: anchored(&self.namespace)?,
            labels: read(&self.label_selector)?,
            annotations: read(&self.annotation_selector)?,
            has_id: fields.iter().any(|field| !field.is_empty()),
            has_labels: !self.label_selector.is_empty() || !self.annotation_selector.is_empty(),
        })
    }

    /// The exact id this selector names, when its fields are taken literally.
    pub fn literal(&self) -> ResId {
        ResId {
            gvk: Gvk {
                group: self.group.as_str().into(),
                version: self.version.as_str().into(),
                kind: self.kind.as_str().into(),
            },
            name: self.name.as_str().into(),
            namespace: self.namespace.as_str().into(),
            cluster_scoped: false,
        }
    }
}

/// Compiles a pattern that has to match a whole text; `None` for an empty one, which matches all.
///
/// Patterns run in time linear in the text, whatever they say.
fn anchored(pattern: &str) -> Result<Option<Regex>, String> {
    if pattern.is_empty() {
        return Ok(None);
    }
    match Regex::new(&format!("^(?:{pattern})$")) {
        Ok(regex) => Ok(Some(regex)),
        Err(_) => Err(regex_problem(&format!("^(?:{pattern})$"))),
    }
}

/// What Go says about a pattern it cannot read, for the slips people make.
pub(crate) fn regex_problem(pattern: &str) -> String {
    let mut depth = 0i32;
    let mut escaped = false;
    let mut in_class = false;
    let mut previous = '(';
    for symbol in pattern.chars() {
        if std::mem::take(&mut escaped) {
            previous = 'x';
            continue;
        }
        match symbol {
            '\\' => escaped = true,
            '[' => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => depth += 1,
            ')' if !in_class => depth -= 1,
            '*' | '+' | '?'
                if !in_class && matches!(previous, '(' | '|' | '^' | ':') && symbol != '?' =>
            {
                return format!(
                    "error parsing regexp: missing argument to repetition operator: `{symbol}`"
                );
            }
            _ => {}
        }
        if depth < 0 {
            return format!("error parsing regexp: unexpected ): `{pattern}`");
        }
        previous = symbol;
    }
    match (in_class, depth > 0) {
        (true, _) => {
            let from = pattern.rfind('[').unwrap_or(0);
            format!(
                "error parsing regexp: missing closing ]: `{}`",
                &pattern[from..]
            )
        }
        (false, true) => format!("error parsing regexp: missing closing ): `{pattern}`"),
        (false, false) => format!("error parsing regexp: invalid pattern: `{pattern}`"),
    }
}

fn matches(pattern: &Option<Regex>, text: &str) -> bool {
    pattern.as_ref().is_none_or(|regex| regex.is_match(text))
}

impl Pattern {
    pub fn gvk(&self, gvk: &Gvk) -> bool {
        matches(&self.group, &gvk.group)
            && matches(&self.version, &gvk.version)
            && matches(&self.kind, &gvk.kind)
    }

    pub fn name(&self, name: &str) -> bool {
        matches(&self.name, name)
    }

    pub fn namespace(&self, namespace: &str) -> bool {
        matches(&self.namespace, namespace)
    }

    /// Whether the id part matches, with the namespace as written.
    pub fn id(&self, id: &ResId) -> bool {
        self.gvk(&id.gvk) && self.name(&id.name) && self.namespace(&id.namespace)
    }

    /// Whether the selector names any part of an id.
    pub fn has_id(&self) -> bool {
        self.has_id
    }

    /// Whether the selector looks at labels or annotations.
    pub fn has_labels(&self) -> bool {
        self.has_labels
    }

    pub fn metadata(
        &self,
        labels: &BTreeMap<Text, Text>,
        annotations: &BTreeMap<Text, Text>,
    ) -> bool {
        self.labels
            .matches_by(|key| labels.get(key).map(Text::as_str))
            && self
                .annotations
                .matches_by(|key| annotations.get(key).map(Text::as_str))
    }
}

/// # Errors
/// In the reference's words, which are those of Kubernetes.
fn read(selector: &str) -> Result<LabelSelector, String> {
    LabelSelector::parse(selector).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts_in_linear_time() {
        let selector = Selector {
            name: "(a+)+".into(),
            ..Selector::default()
        };
        let pattern = selector.compile().unwrap();
        assert!(pattern.name("aaa"));
        assert!(!pattern.name(&format!("{}b", "a".repeat(10_000))));
    }
}
