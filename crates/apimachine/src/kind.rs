//! What a resource's type says about its objects: one door to schemas of built-in and custom kinds.

use object::{Node, Text};
use schema::FieldError;
use schema::builtin::{self, StructId};

use crate::types::ResourceType;

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
        canonicalize(self.struct_id(), object)
    }

    /// Fills the fields that have defaults.
    pub(crate) fn set_defaults(&self, object: &mut Node) {
        if let Some(id) = self.struct_id() {
            builtin::default(id, object);
        }
    }

    /// What is wrong with the object by itself, metadata aside.
    pub(crate) fn validate(&self, object: &Node) -> Vec<FieldError> {
        let _ = object;
        Vec::new()
    }

    /// What is wrong with the object as a replacement of `old`, metadata aside.
    pub(crate) fn validate_update(&self, object: &Node, old: &Node) -> Vec<FieldError> {
        let _ = (object, old);
        Vec::new()
    }

    /// What an object looks like before it exists, for field ownership.
    pub(crate) fn missing(&self) -> Node {
        let mut node = match self.struct_id() {
            Some(id) => builtin::zero(id),
            None => Node::map(),
        };
        node.set(&["apiVersion"], self.api_version());
        node.set(&["kind"], self.kind.clone());
        node
    }

    /// The type that field ownership works with.
    pub(crate) fn object_type(&self) -> merge::ObjectType {
        match self.struct_id() {
            Some(id) => builtin::merge_schema(id),
            None => merge::ObjectType::deduced(),
        }
    }

    /// An object of this version in another version of the same resource.
    pub(crate) fn convert(&self, object: &Node, to: &ResourceType) -> Node {
        let mut converted = object.clone();
        if self.version != to.version || self.group != to.group {
            converted.set(&["apiVersion"], to.api_version());
        }
        converted
    }

    /// An object as it is stored.
    pub(crate) fn to_storage(&self, object: Node) -> Node {
        let mut object = object;
        object.set(&["apiVersion"], self.storage_api_version());
        object
    }

    /// A stored object as this version shows it.
    pub(crate) fn from_storage(&self, object: &Node) -> Node {
        let version = self.api_version();
        if object.str_at(&["apiVersion"]) == Some(version.as_str()) {
            return object.clone();
        }
        let mut object = object.clone();
        object.set(&["apiVersion"], version);
        object
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
    let Some(id) = id else { return Ok(Vec::new()) };
    let unknown =
        builtin::canonicalize(id, object).map_err(|error| DecodeProblem(error.message))?;
    Ok(unknown.iter().map(ToString::to_string).collect())
}
