//! The transformers that set fields: namespace, prefix, suffix, labels, annotations, images, replicas.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/builtins`, `api/filters`.

use std::collections::HashMap;

use golang::regexp::Regexp;
use object::Text;
use yaml::{Kind, Node, tag};

use crate::error::{BuildError, Failures, Outcome};
use crate::fieldspec::{self, Create, FieldSpec};
use crate::file::Image;
use crate::ids::{Gvk, IdKey};
use crate::ops;
use crate::resource::Item;
use crate::schema::Schema;

fn failed(item: &Item, text: String) -> Failures {
    Failures::new(BuildError::TransformFailed, item.id.to_string(), text).at(item.place())
}

/// Which subjects of role bindings follow the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Those named `default`.
    #[default]
    Default,
    /// All service accounts.
    ServiceAccounts,
    None,
}

impl Subjects {
    /// # Errors
    /// A word that is not one of the three, in the reference's words.
    pub fn read(text: &str) -> Result<Self, String> {
        match text {
            "" | "defaultOnly" => Ok(Self::Default),
            "allServiceAccounts" => Ok(Self::ServiceAccounts),
            "none" => Ok(Self::None),
            other => Err(format!(
                "invalid value {other:?} for setRoleBindingSubjects: must be one of \"defaultOnly\", \"none\" or \"allServiceAccounts\""
            )),
        }
    }
}

/// Moves objects into a namespace.
#[derive(Clone, Debug)]
pub(crate) struct Namespace {
    pub namespace: String,
    pub specs: Vec<FieldSpec>,
    pub unset_only: bool,
    pub subjects: Subjects,
}

impl Namespace {
    pub fn run(&self, items: &mut [Item], schema: &Schema) -> Outcome<()> {
        if self.namespace.is_empty() {
            return Ok(());
        }
        let mut counts: HashMap<IdKey, usize> = HashMap::with_capacity(items.len());
        for item in items.iter() {
            *counts.entry(item.id.key()).or_default() += 1;
        }
        for at in 0..items.len() {
            let item = &mut items[at];
            if item.history.helm_generated {
                continue;
            }
            let before = item.id.key();
            item.store_previous();
            self.run_on(item).map_err(|text| failed(item, text))?;
            item.refresh(schema);
            let after = item.id.key();
            if before != after {
                *counts.entry(before).or_default() -= 1;
                let count = counts.entry(after.clone()).or_default();
                *count += 1;
                if *count > 1 {
                    return Err(conflict(items, &after));
                }
            }
        }
        Ok(())
    }

    /// Sets the namespace of one object and of what it refers to.
    pub fn run_on(&self, item: &mut Item) -> Result<(), String> {
        let id = item.id.clone();
        let mut set = |node: &mut Node| self.set(node);
        if !id.cluster_scoped {
            let own = FieldSpec::any("metadata/namespace", true);
            fieldspec::apply(&mut item.node, &id, &own, Create::Text, &mut set)?;
        }
        let binding = matches!(id.gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
        if binding {
            self.set_subjects(&mut item.node)?;
        }
        let is_core = id.gvk.group.is_empty() && id.gvk.version == "v1";
        for spec in &self.specs {
            let skipped = match spec.path.as_str() {
                "metadata/namespace" => true,
                "metadata/name" => !is_core,
                "subjects/namespace" => {
                    binding
                        && matches!(spec.gvk.kind.as_str(), "RoleBinding" | "ClusterRoleBinding")
                }
                _ => false,
            };
            if !skipped {
                fieldspec::apply(&mut item.node, &id, spec, Create::Text, &mut set)
                    .map_err(|text| format!("namespace transformation failed: {text}"))?;
            }
        }
        Ok(())
    }

    fn set(&self, node: &mut Node) -> Result<(), String> {
        if self.unset_only && node.kind == Kind::Scalar && !ops::text_of(node).is_empty() {
            return Ok(());
        }
        ops::set_scalar(node, Node::typed(tag::STR, self.namespace.as_str()))
    }

    fn set_subjects(&self, object: &mut Node) -> Result<(), String> {
        let (field, wanted) = match self.subjects {
            Subjects::None => return Ok(()),
            Subjects::Default => ("name", "default"),
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
        };
        let Some(subjects) = object
            .get_mut("subjects")
            .filter(|subjects| !ops::is_null(subjects))
        else {
            return Ok(());
        };
        ops::expect_kind(subjects, Kind::Sequence)?;
        for subject in &mut subjects.content {
            ops::expect_kind(subject, Kind::Mapping).map_err(|error| {
                format!("setting namespace on (cluster)role binding subjects: looking up {field} on (cluster)role binding subject: {error}")
            })?;
            if subject
                .get(field)
                .is_some_and(|value| ops::text_of(value) == wanted)
            {
                if subject.get("namespace").is_none() {
                    ops::append_field(subject, "namespace", Node::default());
                }
                self.set(subject.get_mut("namespace").expect("added just above"))?;
            }
        }
        Ok(())
    }
}

fn conflict(items: &[Item], key: &IdKey) -> Failures {
    let same: Vec<_> = items.iter().filter(|item| item.id.key() == *key).collect();
    let texts: Vec<_> = same
        .iter()
        .map(|item| {
            crate::value::to_value(&item.with_history())
                .map_or_else(|error| error, |value| crate::generate::go_json(&value))
        })
        .collect();
    let text = format!(
        "namespace transformation produces ID conflict: [{}]",
        texts.join(" ")
    );
    let subject = same
        .first()
        .map_or_else(String::new, |item| item.id.to_string());
    Failures::new(BuildError::DuplicateObject, subject, text)
        .at(same.last().and_then(|item| item.place()))
}

/// Puts text before or after names.
#[derive(Clone, Debug)]
pub(crate) struct Affix {
    pub text: String,
    pub specs: Vec<FieldSpec>,
    pub suffix: bool,
}

impl Affix {
    pub fn run(&self, items: &mut [Item], schema: &Schema) -> Outcome<()> {
        for item in items {
            let original = item.original_id();
            if keeps_name(&original.gvk) {
                continue;
            }
            for spec in &self.specs {
                if !original.gvk.is_selected(&spec.gvk) {
                    continue;
                }
                if spec.path == "metadata/name" && !self.text.is_empty() {
                    let affixes = match self.suffix {
                        true => &mut item.history.suffixes,
                        false => &mut item.history.prefixes,
                    };
                    affixes.push(self.text.as_str().into());
                    item.store_previous();
                }
                let id = item.id.clone();
                fieldspec::apply(&mut item.node, &id, spec, Create::Text, &mut |node| {
                    let name = match self.suffix {
                        true => format!("{}{}", node.value, self.text),
                        false => format!("{}{}", self.text, node.value),
                    };
                    ops::set_scalar(node, Node::scalar(name))
                })
                .map_err(|text| failed(item, text))?;
                item.refresh(schema);
            }
        }
        Ok(())
    }
}

/// Kinds whose names have a meaning of their own.
fn keeps_name(gvk: &Gvk) -> bool {
    match gvk.kind.as_str() {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// Sets labels or annotations.
#[derive(Clone, Debug)]
pub(crate) struct Entries {
    /// Ordered by key.
    pub pairs: Vec<(String, String)>,
    pub specs: Vec<FieldSpec>,
}

impl Entries {
    pub fn run(&self, items: &mut [Item]) -> Outcome<()> {
        for item in items {
            self.run_on(item).map_err(|text| failed(item, text))?;
        }
        Ok(())
    }

    pub fn run_on(&self, item: &mut Item) -> Result<(), String> {
        // Where the reference keeps history in annotations, they are there without being created.
        let sees_history = |spec: &FieldSpec| spec.path == "metadata/annotations" && !spec.create;
        match self.specs.iter().any(sees_history) {
            true => item.with_history_exposed(|item| self.set_on(item)),
            false => self.set_on(item),
        }
    }

    fn set_on(&self, item: &mut Item) -> Result<(), String> {
        let id = item.id.clone();
        let specs: Vec<&FieldSpec> = self
            .specs
            .iter()
            .filter(|spec| id.gvk.is_selected(&spec.gvk))
            .collect();
        for (key, text) in &self.pairs {
            let mut value = Node {
                anchor: item.next_share().into(),
                ..Node::typed(tag::STR, text.as_str())
            };
            // As it will be written, so that later changes of it are told from this.
            ops::quote_if_misread(&mut value);
            let key = Text::from(key.as_str());
            let mut touched = false;
            for spec in &specs {
                fieldspec::apply_to_any(&mut item.node, &id, spec, Create::Map, &mut |node| {
                    touched |= node.get(&key).is_some_and(|value| !value.anchor.is_empty());
                    ops::set_field(node, &key, value.clone())
                })?;
            }
            item.share(&value);
            if touched {
                item.unify();
            }
        }
        Ok(())
    }
}

/// Changes names, tags and digests of images.
#[derive(Clone, Debug)]
pub(crate) struct Images {
    pub image: Image,
    pub specs: Vec<FieldSpec>,
    pattern: Regexp,
}

impl Images {
    /// # Errors
    /// A name that is no regular expression.
    pub fn new(image: Image, specs: Vec<FieldSpec>) -> Result<Self, String> {
        let pattern = format!(
            "^{}(:[a-zA-Z0-9_.{{}}-]*)?(@sha256:[a-zA-Z0-9_.{{}}-]*)?$",
            image.name
        );
        let pattern = Regexp::new(&pattern).map_err(|error| error.to_string())?;
        Ok(Self {
            image,
            specs,
            pattern,
        })
    }

    pub fn run(&self, items: &mut [Item]) -> Outcome<()> {
        for item in items {
            if item.id.gvk.kind == "CustomResourceDefinition" {
                continue;
            }
            let id = item.id.clone();
            let result = self.walk(&mut item.node).and_then(|()| {
                self.specs.iter().try_for_each(|spec| {
                    fieldspec::apply(&mut item.node, &id, spec, Create::Nothing, &mut |node| {
                        self.set(node)
                    })
                })
            });
            result.map_err(|text| failed(item, text))?;
        }
        Ok(())
    }

    /// Changes the images below every list of containers, wherever it is.
    fn walk(&self, node: &mut Node) -> Result<(), String> {
        match node.kind {
            Kind::Sequence => node.content.iter_mut().try_for_each(|item| self.walk(item)),
            Kind::Mapping => {
                for (key, value) in node.pairs_mut() {
                    if value.content.is_empty() {
                        continue;
                    }
                    self.walk(value)?;
                    if value.kind != Kind::Sequence
                        || !matches!(key.value.as_str(), "containers" | "initContainers")
                    {
                        continue;
                    }
                    for container in &mut value.content {
                        ops::expect_kind(container, Kind::Mapping)?;
                        if let Some(image) = container.get_mut("image") {
                            self.set(image)?;
                        }
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Whether an image as written is one of those that change.
    pub fn is_match(&self, written: &str) -> bool {
        self.pattern.is_match(written)
    }

    fn set(&self, node: &mut Node) -> Result<(), String> {
        ops::expect_kind(node, Kind::Scalar)?;
        if !self.pattern.is_match(&node.value) {
            return Ok(());
        }
        let changed = self.changed(&node.value);
        ops::set_scalar(node, Node::scalar(changed))
    }

    fn changed(&self, written: &str) -> String {
        let (mut name, mut tag, mut digest) = split_image(written);
        let image = &self.image;
        let suffixed;
        if !image.new_name.is_empty() {
            name = &image.new_name;
        }
        match (image.new_tag.as_str(), image.digest.as_str()) {
            ("", "") if !image.tag_suffix.is_empty() => {
                suffixed = format!("{tag}{}", image.tag_suffix);
                (tag, digest) = (&suffixed, "");
            }
            ("", "") => {}
            (new_tag, new_digest) => (tag, digest) = (new_tag, new_digest),
        }
        let mut out = name.to_owned();
        if !tag.is_empty() {
            out = format!("{out}:{tag}");
        }
        if !digest.is_empty() {
            out = format!("{out}@{digest}");
        }
        out
    }
}

/// Name, tag and digest of an image; a port of the registry belongs to the name.
pub(crate) fn split_image(image: &str) -> (&str, &str, &str) {
    let from = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let at = |symbol: char| image[from..].find(symbol).map(|at| at + from);
    match (at(':'), at('@')) {
        (None, None) => (image, "", ""),
        (colon, Some(digest)) if colon.is_none_or(|colon| digest < colon) => {
            (&image[..digest], "", &image[digest + 1..])
        }
        (Some(colon), Some(digest)) => (
            &image[..colon],
            &image[colon + 1..digest],
            &image[digest + 1..],
        ),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
        (None, Some(digest)) => (&image[..digest], "", &image[digest + 1..]),
    }
}

/// Sets the number of replicas.
#[derive(Clone, Debug)]
pub(crate) struct Replicas {
    pub name: String,
    pub count: i64,
    pub specs: Vec<FieldSpec>,
}

impl Replicas {
    pub fn run(&self, items: &mut [Item]) -> Outcome<()> {
        let mut found = false;
        for spec in &self.specs {
            for item in items.iter_mut() {
                if !item.any_id(|id| id.name == self.name.as_str() && id.gvk.is_selected(&spec.gvk))
                {
                    continue;
                }
                found = true;
                let id = item.id.clone();
                fieldspec::apply(&mut item.node, &id, spec, Create::Integer, &mut |node| {
                    ops::set_scalar(node, Node::typed(tag::INT, self.count.to_string()))
                })
                .map_err(|text| failed(item, text))?;
            }
        }
        if found {
            return Ok(());
        }
        let kinds: Vec<_> = self.specs.iter().map(|spec| spec.gvk.to_string()).collect();
        let text = format!(
            "resource with name {} does not match a config with the following GVK [{}]",
            self.name,
            kinds.join(" ")
        );
        let near =
            crate::error::nearest(&self.name, items.iter().map(|item| item.id.name.as_str()));
        Err(Failures::new(BuildError::PatchTargetNotFound, self.name.clone(), text).near(near))
    }
}

/// Adds the hash of their content to the names of generated objects.
pub(crate) fn add_hashes(items: &mut [Item], schema: &Schema) -> Outcome<()> {
    for item in items.iter_mut().filter(|item| item.history.needs_hash) {
        let hash = crate::generate::hash(&item.node).map_err(|text| failed(item, text))?;
        item.store_previous();
        let name = format!("{}-{hash}", item.id.name);
        item.set_metadata("name", &name, schema)
            .map_err(|text| failed(item, text))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_split_into_name_tag_and_digest() {
        let cases = [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.2", ("nginx", "1.2", "")),
            (
                "host:5000/a/b:1@sha256:x",
                ("host:5000/a/b", "1", "sha256:x"),
            ),
            ("busybox@sha256:abc", ("busybox", "", "sha256:abc")),
        ];
        for (image, expected) in cases {
            assert_eq!(split_image(image), expected, "{image}");
        }
    }

    #[test]
    fn a_new_tag_drops_the_digest_and_a_new_digest_the_tag() {
        let change =
            |image: Image, written: &str| Images::new(image, Vec::new()).unwrap().changed(written);
        let tag = Image {
            new_tag: "2".into(),
            ..Image::default()
        };
        assert_eq!(change(tag, "a:1@sha256:x"), "a:2");
        let digest = Image {
            digest: "sha256:y".into(),
            new_name: "b".into(),
            ..Image::default()
        };
        assert_eq!(change(digest, "a:1"), "b@sha256:y");
        let suffix = Image {
            tag_suffix: "-x".into(),
            ..Image::default()
        };
        assert_eq!(change(suffix, "a:1@sha256:x"), "a:1-x");
        assert!(
            Images::new(
                Image {
                    name: "(".into(),
                    ..Image::default()
                },
                Vec::new()
            )
            .is_err()
        );
    }
}
