//! Selecting objects: by kind, name and namespace patterns, by labels and by annotations.

use std::collections::BTreeMap;

use golang::regexp::Regexp;
use object::{LabelSelector, Text};

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
    group: Option<Matcher>,
    version: Option<Matcher>,
    kind: Option<Matcher>,
    name: Option<Matcher>,
    namespace: Option<Matcher>,
    /// What cannot be read is an error only for an object that it has to decide about.
    labels: Result<LabelSelector, String>,
    annotations: Result<LabelSelector, String>,
    has_id: bool,
    has_labels: bool,
}

impl Selector {
    /// # Errors
    /// A pattern that cannot be read, in the reference's words.
    pub fn compile(&self) -> Result<Pattern, String> {
        let fields = [
            &self.group,
            &self.version,
            &self.kind,
            &self.name,
            &self.namespace,
        ];
        Ok(Pattern {
            group: Matcher::whole(&self.group)?,
            version: Matcher::whole(&self.version)?,
            kind: Matcher::whole(&self.kind)?,
            name: Matcher::whole(&self.name)?,
            namespace: Matcher::whole(&self.namespace)?,
            labels: read(&self.label_selector),
            annotations: read(&self.annotation_selector),
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

/// Something a text is compared with: most patterns in kustomizations are plain names.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    /// The whole text.
    Equal(String),
    /// A part of the text.
    Part(String),
    /// A pattern of Go's dialect, which runs in time linear in the text, whatever it says.
    Pattern(Regexp),
}

impl Matcher {
    /// A pattern that has to match a whole text; `None` for an empty one, which matches all.
    ///
    /// # Errors
    /// A pattern that Go cannot read, in its words.
    pub fn whole(pattern: &str) -> Result<Option<Self>, String> {
        if pattern.is_empty() {
            return Ok(None);
        }
        if is_plain(pattern) {
            return Ok(Some(Self::Equal(pattern.to_owned())));
        }
        let regexp = Regexp::new(&format!("^(?:{pattern})$")).map_err(|error| error.to_string())?;
        Ok(Some(Self::Pattern(regexp)))
    }

    /// A pattern that has to match any part of a text.
    ///
    /// # Errors
    /// As [`Matcher::whole`].
    pub fn part(pattern: &str) -> Result<Self, String> {
        if is_plain(pattern) {
            return Ok(Self::Part(pattern.to_owned()));
        }
        let regexp = Regexp::new(pattern).map_err(|error| error.to_string())?;
        Ok(Self::Pattern(regexp))
    }

    pub fn is_match(&self, text: &str) -> bool {
        match self {
            Self::Equal(whole) => text == whole,
            Self::Part(part) => text.contains(part.as_str()),
            Self::Pattern(regexp) => regexp.is_match(text),
        }
    }
}

/// Whether no character of a pattern is an operator.
fn is_plain(pattern: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/:@ ".contains(&byte);
    pattern.bytes().all(plain)
}

fn matches(pattern: &Option<Matcher>, text: &str) -> bool {
    pattern
        .as_ref()
        .is_none_or(|pattern| pattern.is_match(text))
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

    /// # Errors
    /// A selector that cannot be read, in the reference's words.
    pub fn metadata(
        &self,
        labels: &BTreeMap<Text, Text>,
        annotations: &BTreeMap<Text, Text>,
    ) -> Result<bool, String> {
        let (by_label, by_annotation) = (
            self.labels.as_ref().map_err(Clone::clone)?,
            self.annotations.as_ref().map_err(Clone::clone)?,
        );
        Ok(by_label.matches_by(|key| labels.get(key).map(Text::as_str))
            && by_annotation.matches_by(|key| annotations.get(key).map(Text::as_str)))
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
