//! Why a strategic merge patch is refused.

/// A strategic merge patch that cannot be applied; texts are those of the API server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StrategicError {
    /// The patch is no object.
    #[error("json: cannot unmarshal {0} into Go value of type map[string]interface {{}}")]
    NotAnObject(&'static str),
    /// `$patch` with an unknown word.
    #[error("unknown patch type: {directive} in map: {map}")]
    PatchType {
        /// The word.
        directive: String,
        /// The map it stands in.
        map: String,
    },
    /// `$patch: merge` inside a list.
    #[error("merging lists cannot yet be specified in the patch")]
    MergeInList,
    /// A list item without the field that identifies it.
    #[error("map: {map} does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The item.
        map: String,
        /// The field.
        key: String,
    },
    /// A merged list of objects whose field declares no merge key.
    #[error("cannot merge lists without merge key for {0}")]
    UndeclaredMergeKey(String),
    /// A field the kind does not have.
    #[error("unable to find api field in struct {name} for the json field \"{field}\"")]
    UnknownField {
        /// The Go struct.
        name: String,
        /// The field.
        field: String,
    },
    /// An object inside something that has no fields.
    #[error("merging an object in json but data type is not struct, instead is: {0}")]
    NotAStruct(&'static str),
    /// `$deleteFromPrimitiveList` without a field.
    #[error("invalid patch format of primitive list")]
    PrimitiveList,
    /// `$retainKeys` that is no list, or misses a field of the patch.
    #[error("invalid patch format of retainKeys")]
    RetainKeys,
    /// `$setElementOrder` that is no list, or without a field.
    #[error("invalid patch format of setElementOrder list")]
    SetElementOrder,
    /// A list that holds lists.
    #[error("lists of lists are not supported")]
    ListOfLists,
    /// A list that mixes types.
    #[error("list element types are not identical: {0}")]
    MixedList(String),
    /// An item of the wrong type.
    #[error("expected a {expected}, but received a {actual}")]
    ArgumentType {
        /// Go type.
        expected: &'static str,
        /// Go type.
        actual: &'static str,
    },
    /// Items in another order than the patch says they should have.
    #[error("The order in patch list:\n{patch}\n doesn't match $setElementOrder list:\n{order}\n")]
    Order {
        /// The items.
        patch: String,
        /// The order.
        order: String,
    },
}

/// How the API server answers a refused patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// 400 with the text of the error.
    BadRequest,
    /// 422 with a general text.
    Unprocessable,
    /// 500 with the text of the error.
    Internal,
}

impl StrategicError {
    /// How the API server answers.
    ///
    /// # Source
    /// kubernetes/apiserver `pkg/endpoints/handlers/patch.go`, `interpretStrategicMergePatchError`.
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::NotAnObject(_)
            | Self::PrimitiveList
            | Self::RetainKeys
            | Self::SetElementOrder => Refusal::BadRequest,
            Self::ListOfLists => Refusal::Unprocessable,
            _ => Refusal::Internal,
        }
    }
}
