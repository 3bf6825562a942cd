//! The scale endpoint of a custom resource: three paths into the object.
//!
//! # Source
//! kubernetes/apiextensions-apiserver `pkg/registry/customresource/etcd.go`.

use object::{FieldPath, Node};

/// Where an object keeps its replicas, from `subresources.scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scale {
    spec: Vec<String>,
    status: Vec<String>,
    selector: Option<Vec<String>>,
    spec_text: String,
}

/// The object has no replicas where the definition says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the spec replicas field {path:?} does not exist")]
pub struct NoReplicas {
    /// The path, as written.
    pub path: String,
}

impl Scale {
    /// Reads `subresources.scale` of a version; `None` when it has none.
    pub fn of(version: &Node) -> Option<Self> {
        let scale = version.at(&["subresources", "scale"])?;
        let keys = |key: &str| -> Option<Vec<String>> {
            let path = scale.str_at(&[key])?.strip_prefix('.')?;
            Some(path.split('.').map(str::to_owned).collect())
        };
        Some(Self {
            spec: keys("specReplicasPath")?,
            status: keys("statusReplicasPath")?,
            selector: keys("labelSelectorPath"),
            spec_text: scale.str_at(&["specReplicasPath"])?.to_owned(),
        })
    }

    /// The path of the wished replicas.
    pub fn replicas_path(&self) -> FieldPath {
        FieldPath::keys(self.spec.iter().map(String::as_str))
    }

    /// The `autoscaling/v1` Scale of an object.
    ///
    /// # Errors
    /// When the object says nothing about replicas.
    pub fn read(&self, object: &Node) -> Result<Node, NoReplicas> {
        let at = |keys: &[String]| {
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            object.at(&keys)
        };
        let number = |keys: &[String]| at(keys).and_then(Node::as_i64);
        let wished = number(&self.spec).ok_or_else(|| NoReplicas {
            path: self.spec_text.clone(),
        })?;
        let mut scale = Node::map();
        scale.set(&["apiVersion"], "autoscaling/v1");
        scale.set(&["kind"], "Scale");
        for key in [
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "creationTimestamp",
        ] {
            if let Some(value) = object.at(&["metadata", key]) {
                scale.set(&["metadata", key], value.clone());
            }
        }
        scale.set(&["spec"], Node::map());
        if wished != 0 {
            scale.set(&["spec", "replicas"], wished);
        }
        scale.set(&["status", "replicas"], number(&self.status).unwrap_or(0));
        let selector = self.selector.as_deref().and_then(at).and_then(Node::as_str);
        if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
            scale.set(&["status", "selector"], selector);
        }
        Ok(scale)
    }

    /// Sets the wished replicas.
    pub fn write(&self, object: &mut Node, replicas: i64) {
        let keys: Vec<&str> = self.spec.iter().map(String::as_str).collect();
        object.set(&keys, replicas);
    }
}
