//! What a resource's type says about its objects: one door to schemas of built-in and custom kinds.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use object::{Node, Text};
use schema::builtin::{self, NameRule, StructId};
use schema::structural::{Validation, crd};
use schema::{FieldError, Structural};

use crate::convert;
use crate::policy_rules;
use crate::types::{CustomVersion, ResourceType};

/// Why a body is not an object of the kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DecodeProblem(pub String);

impl ResourceType {
    /// The Go struct of a built-in kind.
    pub(crate) fn struct_id(&self) -> Option<StructId> {
        match self.custom {
            Some(_) => None,
            None => builtin::types().of_kind(&self.api_version(), &self.kind),
        }
    }

    /// Brings an object in this version into canonical form and says which fields were dropped.
    pub(crate) fn canonicalize(&self, object: &mut Node) -> Result<Vec<String>, DecodeProblem> {
        self.canonicalize_beside(object, None)
    }

    /// The same; what the object shares with `known`, which is canonical, is not looked at again.
    pub(crate) fn canonicalize_beside(
        &self,
        object: &mut Node,
        known: Option<&Node>,
    ) -> Result<Vec<String>, DecodeProblem> {
        match &self.custom {
            Some(custom) => canonicalize_custom(custom, object, known),
            None => canonicalize_beside(self.struct_id(), object, known),
        }
    }

    /// Fills the fields that have defaults.
    pub(crate) fn set_defaults(&self, object: &mut Node) {
        self.set_defaults_beside(object, None);
    }

    /// The same; what the object shares with `known`, which has its defaults, is not looked at
    /// again, unless the schema may have changed since.
    pub(crate) fn set_defaults_beside(&self, object: &mut Node, known: Option<&Node>) {
        if let Some(structural) = self.structural() {
            structural.drop_nulls(object);
            structural.default(object);
        }
        if let Some(id) = self.struct_id() {
            builtin::default_beside(id, object, known);
        }
    }

    /// What is wrong with a new object.
    pub(crate) fn validate(&self, object: &Node) -> Validation {
        let Some(id) = self.struct_id() else {
            let known = self.structural().map(|known| known.validate(object, None));
            let mut found = known.unwrap_or_default();
            let metadata = builtin::validate_metadata(self.namespaced, NameRule::Subdomain, object);
            found.errors.splice(0..0, metadata);
            return found;
        };
        if self.storage == crate::crds::STORAGE {
            let mut errors = builtin::validate_metadata(false, NameRule::Subdomain, object);
            for error in crd::validate(object) {
                if !errors.contains(&error) {
                    errors.push(error);
                }
            }
            return checked(errors);
        }
        let mut errors = builtin::validate(id, object);
        errors.extend(policy_rules::problems(&self.storage, object));
        checked(errors)
    }

    /// What is wrong with the object as a replacement of `old`.
    pub(crate) fn validate_update(&self, object: &Node, old: &Node) -> Validation {
        let Some(id) = self.struct_id() else {
            let known = self
                .structural()
                .map(|known| known.validate(object, Some(old)));
            let mut found = known.unwrap_or_default();
            found
                .errors
                .splice(0..0, builtin::validate_metadata_update(object, old));
            return found;
        };
        if self.storage == crate::crds::STORAGE {
            let mut errors = builtin::validate_metadata_update(object, old);
            errors.extend(crd::validate_update(object, old));
            return checked(errors);
        }
        let mut errors = builtin::validate_update(id, object, old);
        if object.get("spec") != old.get("spec") {
            errors.extend(policy_rules::problems(&self.storage, object));
        }
        checked(errors)
    }

    /// What users should know about an accepted object, beyond what validation says.
    pub(crate) fn warnings(&self, object: &Node) -> Vec<String> {
        match self.storage.as_str() {
            crate::crds::STORAGE => crd::warnings(object),
            "pods" => pod_warnings(object, &["spec"]),
            "secrets" => certificate_warnings(object),
            "replicationcontrollers"
            | "deployments.apps"
            | "replicasets.apps"
            | "daemonsets.apps"
            | "statefulsets.apps"
            | "jobs.batch" => pod_warnings(object, &["spec", "template", "spec"]),
            "cronjobs.batch" => {
                pod_warnings(object, &["spec", "jobTemplate", "spec", "template", "spec"])
            }
            _ if self.custom.is_some() => plain_finalizers(object),
            _ => Vec::new(),
        }
    }

    fn structural(&self) -> Option<&Structural> {
        self.custom.as_ref()?.structural.as_ref()
    }

    /// What an object looks like before it exists, for field ownership.
    pub(crate) fn missing(&self) -> Node {
        let mut node = Node::map();
        node.set(&["kind"], self.kind.clone());
        node.set(&["apiVersion"], self.api_version());
        let zero = self.struct_id().map(builtin::zero);
        for (key, value) in zero
            .as_ref()
            .and_then(Node::as_map)
            .into_iter()
            .flat_map(object::Map::iter)
        {
            if !matches!(key.as_str(), "kind" | "apiVersion") {
                node.set(&[key], value.clone());
            }
        }
        node
    }

    /// The type that field ownership works with.
    pub(crate) fn object_type(&self) -> merge::ObjectType {
        match self.struct_id() {
            Some(id) => builtin::merge_schema(id),
            None => match self.structural() {
                Some(structural) => structural.object_type().as_ref().clone(),
                None => merge::ObjectType::deduced(),
            },
        }
    }

    /// An object as it is stored.
    pub(crate) fn to_storage(&self, object: Node) -> Node {
        let mut object = object;
        let version = self.storage_api_version();
        if self.custom.is_none() && version != self.api_version() {
            convert::to_storage(self, &mut object);
            let stored = builtin::types().of_kind(&version, &self.kind);
            // What the server itself has converted fits its type.
            let _ = canonicalize(stored, &mut object);
        }
        if object.str_at(&["apiVersion"]) != Some(version.as_str()) {
            object.set(&["apiVersion"], version);
        }
        object
    }

    /// A stored object as this version shows it.
    pub(crate) fn show(&self, object: &Node) -> Node {
        let version = self.api_version();
        let same = object.str_at(&["apiVersion"]) == Some(version.as_str());
        let mut object = object.clone();
        if let Some(structural) = self.structural() {
            // The schema may have changed since, and other versions have other fields.
            if !same {
                structural.prune(&mut object);
            }
            structural.default(&mut object);
        } else if !same {
            convert::from_storage(self, &mut object);
            let _ = self.canonicalize(&mut object);
        }
        if !same {
            object.set(&["apiVersion"], version);
        }
        object
    }

    /// Whether objects are stored in this version.
    pub(crate) fn is_stored(&self) -> bool {
        self.storage_api_version() == self.api_version()
    }

    /// `apiVersion` of stored objects.
    pub(crate) fn storage_api_version(&self) -> Text {
        match self.storage.as_str() {
            "events" => "v1".into(),
            _ => crate::types::api_version(&self.group, &self.storage_version),
        }
    }
}

/// As [`ResourceType::canonicalize`], for any struct; without one everything stays.
pub(crate) fn canonicalize(
    id: Option<StructId>,
    object: &mut Node,
) -> Result<Vec<String>, DecodeProblem> {
    canonicalize_beside(id, object, None)
}

fn canonicalize_beside(
    id: Option<StructId>,
    object: &mut Node,
    known: Option<&Node>,
) -> Result<Vec<String>, DecodeProblem> {
    let Some(id) = id else { return Ok(Vec::new()) };
    let unknown = builtin::canonicalize_beside(id, object, known)
        .map_err(|error| DecodeProblem(error.message))?;
    Ok(unknown.iter().map(ToString::to_string).collect())
}

/// A custom resource in canonical form: typed metadata, fields its schema knows.
///
/// All of what the schema describes is looked at again: the schema may have changed since.
fn canonicalize_custom(
    custom: &CustomVersion,
    object: &mut Node,
    known: Option<&Node>,
) -> Result<Vec<String>, DecodeProblem> {
    let mut metadata = object.get("metadata").cloned().unwrap_or_else(Node::map);
    let id = builtin::types().by_name("meta.v1.ObjectMeta");
    let mut problems = Vec::new();
    let known = known.and_then(|known| known.get("metadata"));
    for problem in canonicalize_beside(id, &mut metadata, known)? {
        problems.push(problem.replacen('"', "\"metadata.", 1));
    }
    let mut ordered = object::Map::with_capacity(object.as_map().map_or(0, object::Map::len) + 1);
    for key in ["apiVersion", "kind"] {
        if let Some(value) = object.get(key) {
            ordered.insert(key, value.clone());
        }
    }
    ordered.insert("metadata", metadata);
    for (key, value) in object.as_map().into_iter().flat_map(object::Map::iter) {
        if !ordered.contains_key(key) {
            ordered.insert(key.clone(), value.clone());
        }
    }
    let mut canonical = Node::Map(ordered);
    if let Some(structural) = &custom.structural {
        if let Some(error) = structural.malformed(&canonical).first() {
            return Err(DecodeProblem(error.to_string()));
        }
        let pruned = structural.prune(&mut canonical);
        problems.extend(pruned.iter().map(|path| format!("unknown field {path:?}")));
    }
    *object = canonical;
    Ok(problems)
}

/// Finalizers of custom resources that name no domain.
fn plain_finalizers(object: &Node) -> Vec<String> {
    const STANDARD: [&str; 3] = ["kubernetes", "orphan", "foregroundDeletion"];
    let names = crate::call::finalizers(object);
    let plain = names
        .iter()
        .filter(|name| !name.contains('/') && !STANDARD.contains(&name.as_str()));
    let warning = |name: &Text| {
        format!(
            "metadata.finalizers: {name:?}: prefer a domain-qualified finalizer name to avoid accidental conflicts with other finalizer writers"
        )
    };
    plain.map(warning).collect()
}

fn checked(errors: Vec<FieldError>) -> Validation {
    Validation {
        errors,
        warnings: Vec::new(),
    }
}

/// What a Secret for TLS lacks to be a certificate and its key; what they say is not looked at.
///
/// # Source
/// golang/go `src/crypto/tls/tls.go`, `X509KeyPair`.
fn certificate_warnings(secret: &Node) -> Vec<String> {
    if secret.str_at(&["type"]) != Some("kubernetes.io/tls") {
        return Vec::new();
    }
    let is_pem = |key: &str| {
        let text = secret.str_at(&["data", key]).unwrap_or_default();
        let bytes = STANDARD.decode(text).unwrap_or_default();
        String::from_utf8_lossy(&bytes).contains("-----BEGIN ")
    };
    let parts = [("tls.crt", "certificate"), ("tls.key", "key")];
    let missing = parts.into_iter().find(|(key, _)| !is_pem(key));
    missing
        .map(|(_, what)| format!("tls: failed to find any PEM data in {what} input"))
        .into_iter()
        .collect()
}

fn pod_warnings(object: &Node, keys: &[&str]) -> Vec<String> {
    let spec = object.at(keys);
    spec.map(|spec| crate::pods::warnings(&keys.join("."), spec))
        .unwrap_or_default()
}
