//! How a strategic merge patch treats each field.

/// The number of a type inside one [`StrategicSchema`]; only that schema knows what it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StrategicType(pub u32);

/// How a patch is merged into one field, as the Go structs of built-in kinds declare it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StrategicField<'s> {
    /// Type of the value; for a list the type of its items, for a map the type of its values.
    /// `None` when nothing below has metadata of its own, as in a map of strings.
    pub value: Option<StrategicType>,
    /// `patchStrategy` contains `merge`: the list is merged, not replaced.
    pub merge: bool,
    /// `patchStrategy` contains `replace`.
    pub replace: bool,
    /// `patchStrategy` contains `retainKeys`.
    pub retain_keys: bool,
    /// `patchMergeKey`: the field that tells the items of a merged list apart.
    pub merge_key: Option<&'s str>,
}

/// Merge metadata of a kind and all types below it.
pub trait StrategicSchema {
    /// The type of the whole object.
    fn root(&self) -> StrategicType;

    /// Name of the Go struct, without package, for messages: `DeploymentSpec`.
    fn name(&self, of: StrategicType) -> &str;

    /// Metadata of the field `name` of the struct `of`; `None` when the struct has no such field.
    ///
    /// For a map type every name has the metadata of its values.
    fn field(&self, of: StrategicType, name: &str) -> Option<StrategicField<'_>>;
}
