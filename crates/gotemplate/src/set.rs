//! Templates that know each other.

use std::collections::HashMap;
use std::sync::Arc;

use crate::parse::{Parsed, Template, parse};
use crate::{Functions, ParseError, Str, limits};

/// What a key that a map does not have gives; Go's option `missingkey`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// No value.
    #[default]
    Default,
    /// The zero value of the map's elements.
    Zero,
    /// An error.
    Error,
}

/// What became of one text of [`Set::parse_all`].
#[derive(Debug)]
pub struct ParsedText(Result<Parsed, ParseError>);

/// Templates by name, parsed with the same functions.
///
/// Built once by [`Set::parse`], then shared: executing does not change it.
#[derive(Clone, Debug, Default)]
pub struct Set {
    name: Str,
    functions: Arc<Functions>,
    missing_key: MissingKey,
    templates: HashMap<Str, Template>,
    /// Of all texts, replaced ones included.
    bytes: usize,
    /// Where templates are that this set does not have itself.
    parent: Option<Arc<Set>>,
}

impl Set {
    /// A set without templates. Its name is told in errors.
    pub fn new(name: impl Into<Str>, functions: Arc<Functions>, missing_key: MissingKey) -> Self {
        Self {
            name: name.into(),
            functions,
            missing_key,
            templates: HashMap::new(),
            bytes: 0,
            parent: None,
        }
    }

    /// Adds the template of a text and those it defines.
    ///
    /// Names that are known get the new definition, unless that is nothing but blanks and comments.
    ///
    /// # Errors
    /// [`ParseError`]; the set is as before.
    pub fn parse(&mut self, name: impl Into<Str>, text: impl Into<Str>) -> Result<(), ParseError> {
        let (name, text) = (name.into(), text.into());
        let bytes = self.bytes + text.len();
        if bytes > limits::SET_BYTES_MAX {
            let limit = format!("templates of more than {} bytes", limits::SET_BYTES_MAX);
            return Err(ParseError::limit(&name, 1, &limit));
        }
        let parsed = parse(name, text, &self.functions)?;
        self.bytes = bytes;
        self.add(&parsed);
        Ok(())
    }

    /// As [`Set::parse`] for several texts, given by name: `map` calls the function it gets with each,
    /// in any order or at once, and gives what that gave in the order of the texts.
    ///
    /// # Errors
    /// [`ParseError`] of the first text that has one; those before it are added.
    pub fn parse_all(
        &mut self,
        texts: &[(Str, Str)],
        map: impl FnOnce(&[(Str, Str)], &(dyn Fn(&(Str, Str)) -> ParsedText + Sync)) -> Vec<ParsedText>,
    ) -> Result<(), ParseError> {
        let bytes: usize = texts.iter().map(|(_, text)| text.len()).sum();
        if self.bytes + bytes > limits::SET_BYTES_MAX {
            let mut texts = texts.iter().cloned();
            return texts.try_for_each(|(name, text)| self.parse(name, text));
        }
        let functions = &self.functions;
        let one =
            |(name, text): &(Str, Str)| ParsedText(parse(name.clone(), text.clone(), functions));
        for ParsedText(parsed) in map(texts, &one) {
            self.add(&parsed?);
        }
        self.bytes += bytes;
        Ok(())
    }

    /// Whether there is a template of this name.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.find(name).is_some()
    }

    /// Its name.
    pub fn name(&self) -> &Str {
        &self.name
    }

    /// What its texts may call.
    pub fn functions(&self) -> &Functions {
        &self.functions
    }

    pub(crate) fn missing_key(&self) -> MissingKey {
        self.missing_key
    }

    pub(crate) fn find(&self, name: &[u8]) -> Option<&Template> {
        let mut set = self;
        loop {
            if let Some(template) = set.templates.get(name) {
                return Some(template);
            }
            set = set.parent.as_deref()?;
        }
    }

    /// Its own templates, not those of the set behind it.
    pub(crate) fn own_templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.values()
    }

    fn add(&mut self, parsed: &Parsed) {
        for template in &parsed.templates {
            if template.source.is_empty(template.root) && self.contains(template.name.as_bytes()) {
                continue;
            }
            self.templates
                .insert(template.name.clone(), template.clone());
        }
    }

    /// A set that has the parsed templates in front of another's.
    pub(crate) fn child(parent: &Arc<Self>, parsed: &Parsed) -> Self {
        let mut child = Self {
            name: parent.name.clone(),
            functions: Arc::clone(&parent.functions),
            missing_key: parent.missing_key,
            templates: HashMap::new(),
            bytes: 0,
            parent: Some(Arc::clone(parent)),
        };
        child.add(parsed);
        child
    }
}
