//! Tables: what `kubectl get` prints.

use golang::Timestamp;
use object::{Map, Node, Text};

use crate::{Refusal, ResourceType};

/// What a row carries beside its cells; the `includeObject` parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncludeObject {
    /// Nothing.
    None,
    /// The metadata.
    #[default]
    Metadata,
    /// The whole object.
    Object,
}

/// A Table of `objects`, in the version `resource` serves.
///
/// `table_version` is `v1` or `v1beta1` of `meta.k8s.io`; `columns` is false for all but the first
/// table of a watch.
pub fn table(
    resource: &ResourceType,
    objects: &[Node],
    list_metadata: Map,
    include: IncludeObject,
    columns: bool,
    table_version: &Text,
    now: Timestamp,
) -> Result<Node, Refusal> {
    let _ = (
        resource,
        objects,
        list_metadata,
        include,
        columns,
        table_version,
        now,
    );
    Err(Refusal::unknown_path())
}
