//! What a unit says about how its files become objects.

use std::collections::BTreeMap;
use std::fmt;

use kustomize::{OverlayImage as Image, OverlayPatch as Patch};

/// The part of a unit that decides what is rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spec {
    /// Directory in the tree; empty or `./` for the root.
    pub path: String,
    /// Namespace every object is put into; empty for none.
    pub target_namespace: String,
    /// Text before every name.
    pub name_prefix: String,
    /// Text after every name.
    pub name_suffix: String,
    /// Patches applied after those of the file.
    pub patches: Vec<Patch>,
    /// Images to replace.
    pub images: Vec<Image>,
    /// Components to add; local and relative to the path.
    pub components: Vec<String>,
    /// Whether components that do not exist are left out.
    pub ignore_missing_components: bool,
    /// Labels and annotations set on every object.
    pub common_metadata: CommonMetadata,
    /// Facts about the build written into annotations.
    pub build_metadata: Vec<String>,
    /// Whether objects are substituted although there is no variable.
    pub substitute_always: bool,
    /// Whether a variable without value and default is no error, as before Flux 2.9.
    pub substitute_leniently: bool,
    /// Whether bases may be addresses, which the world then answers for.
    pub remote_bases: bool,
    /// The unit, for its labels; `None` sets none.
    pub owner: Option<Owner>,
}

/// Labels and annotations set on every object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommonMetadata {
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// Annotations.
    pub annotations: Vec<(String, String)>,
}

/// The unit that objects belong to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// Variables and their values, line breaks already taken out; printing it shows no value.
///
/// Later sources win: add what ConfigMaps and Secrets say in order, then what the unit itself says.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Sets a variable; line breaks in the value are dropped, as Flux drops them.
    pub fn set(&mut self, name: impl Into<String>, value: &str) {
        self.0.insert(name.into(), value.replace('\n', ""));
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<K: Into<String>, V: AsRef<str>> FromIterator<(K, V)> for Variables {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut variables = Self::default();
        for (name, value) in pairs {
            variables.set(name, value.as_ref());
        }
        variables
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
