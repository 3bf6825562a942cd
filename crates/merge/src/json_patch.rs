//! JSON patches (RFC 6902), as lenient as the API server is.

use object::{Node, Text, json};

/// Most operations of one patch.
///
/// # Source
/// kubernetes/apiserver `pkg/endpoints/handlers/patch.go`, `maxJSONPatchOperations`.
pub const OPERATIONS_MAX: usize = 10_000;

/// Most bytes that `copy` operations of one patch may add.
///
/// A patch that copies a value into itself doubles it; thirty such operations would make a
/// thousand million fields. The largest object a server stores has half of this.
pub const COPIED_BYTES_MAX: usize = 3 << 20;

/// Most entries that insertions and removals of one patch may move out of their way or close up.
///
/// A removal from a map or list moves what comes after it: ten thousand of them in an object of
/// sixty thousand keys took five seconds. This many take about half a second; a thousand removals
/// from a list of ten thousand items are a tenth of it.
pub const MOVED_ENTRIES_MAX: usize = 100_000_000;

/// A patch, read and checked for form.
#[derive(Clone, Debug)]
pub struct JsonPatch(Vec<Operation>);

#[derive(Clone, Debug)]
struct Operation {
    verb: Verb,
    path: Pointer,
    from: Option<Pointer>,
    value: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Add,
    Remove,
    Replace,
    Move,
    Copy,
    Test,
}

/// The unescaped tokens of a JSON pointer; none for the whole document.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pointer(Vec<Text>);

/// Why a patch cannot be read or carried out; nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JsonPatchError {
    /// It is no list of operations.
    #[error("json: cannot unmarshal {0} into Go value of type []handlers.jsonPatchOp")]
    NotAList(&'static str),
    /// More than [`OPERATIONS_MAX`].
    #[error("The allowed maximum operations in a JSON patch is {OPERATIONS_MAX}, got {0}")]
    TooMany(usize),
    /// An operation that is none.
    #[error("operation {0} of the patch is malformed")]
    Malformed(usize),
    /// A path that leads nowhere, or an index outside its list.
    #[error("operation {operation} of the patch does not apply at `{path}`")]
    Path {
        /// Which operation, counted from zero.
        operation: usize,
        /// The path.
        path: String,
    },
    /// A test found something else.
    #[error("operation {operation} of the patch found another value at `{path}`")]
    Test {
        /// Which operation, counted from zero.
        operation: usize,
        /// The path.
        path: String,
    },
    /// Copies of more than [`COPIED_BYTES_MAX`].
    #[error("the patch copies more than {COPIED_BYTES_MAX} bytes")]
    TooLarge,
    /// More moving about than [`MOVED_ENTRIES_MAX`].
    #[error("the patch moves more than {MOVED_ENTRIES_MAX} entries")]
    TooMuchWork,
}

/// Reads `patch` and applies it to `live`; see [`JsonPatch`].
///
/// # Errors
/// Those of [`JsonPatch::read`] and [`JsonPatch::apply`].
pub fn apply(live: &Node, patch: &Node) -> Result<Node, JsonPatchError> {
    JsonPatch::read(patch)?.apply(live)
}

impl JsonPatch {
    /// Reads a list of operations.
    ///
    /// # Errors
    /// When it is no list, too long, or an operation has no known verb or no valid path.
    pub fn read(patch: &Node) -> Result<Self, JsonPatchError> {
        let Node::List(items) = patch else {
            return Err(JsonPatchError::NotAList(match patch {
                Node::Map(_) => "object",
                Node::String(_) => "string",
                Node::Bool(_) => "bool",
                Node::Null => return Ok(Self(Vec::new())),
                _ => "number",
            }));
        };
        if items.len() > OPERATIONS_MAX {
            return Err(JsonPatchError::TooMany(items.len()));
        }
        let operations = items.iter().enumerate();
        let operations =
            operations.map(|(at, item)| Operation::read(item).ok_or(JsonPatchError::Malformed(at)));
        Ok(Self(operations.collect::<Result<_, _>>()?))
    }

    /// `live` after all operations, each seeing the result of those before.
    ///
    /// As in the API server, `replace` of a missing key adds it, negative indexes count from the
    /// end, leading zeros are allowed, and a missing key equals null in a `test`.
    ///
    /// # Errors
    /// When an operation does not apply.
    ///
    /// # Source
    /// evanphx/json-patch v4 `patch.go`, as the API server uses it.
    pub fn apply(&self, live: &Node) -> Result<Node, JsonPatchError> {
        let mut document = live.clone();
        let (mut copied, mut moved) = (0, 0);
        for (at, operation) in self.0.iter().enumerate() {
            moved += operation.entries_moved(&document);
            if moved > MOVED_ENTRIES_MAX {
                return Err(JsonPatchError::TooMuchWork);
            }
            let outcome = operation.run(&mut document, &mut copied);
            outcome.map_err(|failure| match failure {
                Failure::Nowhere(pointer) => JsonPatchError::Path {
                    operation: at,
                    path: pointer.to_text(),
                },
                Failure::Different => JsonPatchError::Test {
                    operation: at,
                    path: operation.path.to_text(),
                },
                Failure::TooLarge => JsonPatchError::TooLarge,
            })?;
        }
        Ok(document)
    }
}

enum Failure<'p> {
    Nowhere(&'p Pointer),
    Different,
    TooLarge,
}

impl Operation {
    fn read(item: &Node) -> Option<Self> {
        let verb = match item.str_at(&["op"])? {
            "add" => Verb::Add,
            "remove" => Verb::Remove,
            "replace" => Verb::Replace,
            "move" => Verb::Move,
            "copy" => Verb::Copy,
            "test" => Verb::Test,
            _ => return None,
        };
        let from = match verb {
            Verb::Move | Verb::Copy => Some(Pointer::read(item.str_at(&["from"])?)?),
            _ => None,
        };
        Some(Self {
            verb,
            path: Pointer::read(item.str_at(&["path"])?)?,
            from,
            value: item.get("value").cloned().unwrap_or_default(),
        })
    }

    /// At most how many entries the operation moves to insert or remove one.
    fn entries_moved(&self, document: &Node) -> usize {
        let removed = |pointer: &Pointer| match pointer.parent_of(document) {
            Some(Node::Map(map)) => map.len(),
            Some(Node::List(items)) => items.len(),
            _ => 0,
        };
        let added = |pointer: &Pointer| match pointer.parent_of(document) {
            Some(Node::List(items)) => items.len(),
            _ => 0,
        };
        match self.verb {
            Verb::Remove => removed(&self.path),
            Verb::Add | Verb::Copy => added(&self.path),
            Verb::Move => added(&self.path) + self.from.as_ref().map_or(0, removed),
            Verb::Replace | Verb::Test => 0,
        }
    }

    fn run<'p>(&'p self, document: &mut Node, copied: &mut usize) -> Result<(), Failure<'p>> {
        let path = &self.path;
        let nowhere = Failure::Nowhere;
        let source = self.from.as_ref().unwrap_or(path);
        match self.verb {
            Verb::Add => path.add(document, self.value.clone()).ok_or(nowhere(path)),
            Verb::Remove => path.remove(document).map(drop).ok_or(nowhere(path)),
            Verb::Replace => path
                .replace(document, self.value.clone())
                .ok_or(nowhere(path)),
            Verb::Move => {
                let value = source.remove(document).ok_or(nowhere(source))?;
                path.add(document, value).ok_or(nowhere(path))
            }
            Verb::Copy => {
                let value = source.get(document).ok_or(nowhere(source))?;
                let value = value.cloned().unwrap_or_default();
                *copied += weight(&value, COPIED_BYTES_MAX);
                if *copied > COPIED_BYTES_MAX {
                    return Err(Failure::TooLarge);
                }
                path.add(document, value).ok_or(nowhere(path))
            }
            Verb::Test => {
                let value = path.get(document).ok_or(nowhere(path))?;
                let equal = crate::value::same(value.unwrap_or(&Node::Null), &self.value);
                equal.then_some(()).ok_or(Failure::Different)
            }
        }
    }
}

/// About how many bytes the value takes as JSON; stops counting above `most`.
fn weight(node: &Node, most: usize) -> usize {
    let mut sum = 8;
    match node {
        Node::String(text) => sum += text.len(),
        Node::List(items) => {
            for item in items.iter() {
                if sum > most {
                    break;
                }
                sum += weight(item, most - sum);
            }
        }
        Node::Map(map) => {
            for (key, value) in map.iter() {
                if sum > most {
                    break;
                }
                sum += key.len();
                sum += weight(value, most.saturating_sub(sum));
            }
        }
        _ => {}
    }
    sum
}

impl Pointer {
    /// Deepest path; documents are refused long before.
    const TOKENS_MAX: usize = 512;

    fn read(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(Vec::new()));
        }
        let tokens = text.strip_prefix('/')?.split('/');
        let tokens: Vec<Text> = tokens
            .map(|token| {
                if token.contains('~') {
                    token.replace("~1", "/").replace("~0", "~").into()
                } else {
                    token.into()
                }
            })
            .collect();
        (tokens.len() <= Self::TOKENS_MAX).then_some(Self(tokens))
    }

    fn to_text(&self) -> String {
        let mut out = String::new();
        for token in &self.0 {
            out.push('/');
            out.push_str(&token.replace('~', "~0").replace('/', "~1"));
        }
        out
    }

    /// `None` when the way is barred; `Some(None)` when only the last key is missing.
    fn get<'d>(&self, document: &'d Node) -> Option<Option<&'d Node>> {
        let Some(last) = self.0.last() else {
            return Some(Some(document));
        };
        match self.parent_of(document)? {
            Node::Map(map) => Some(map.get(last)),
            Node::List(items) => items.get(index(last, items.len())?).map(Some),
            _ => None,
        }
    }

    /// What holds the last token.
    fn parent_of<'d>(&self, document: &'d Node) -> Option<&'d Node> {
        let (_, parents) = self.0.split_last()?;
        parents
            .iter()
            .try_fold(document, |parent, token| match parent {
                Node::Map(map) => map.get(token),
                Node::List(items) => items.get(index(token, items.len())?),
                _ => None,
            })
    }

    fn parent<'d>(&self, document: &'d mut Node) -> Option<(&'d mut Node, &Text)> {
        let (last, parents) = self.0.split_last()?;
        let mut parent = document;
        for token in parents {
            parent = match parent {
                Node::Map(map) => map.get_mut(token)?,
                Node::List(_) => {
                    let items = parent.as_list_mut()?;
                    let at = index(token, items.len())?;
                    items.get_mut(at)?
                }
                _ => return None,
            };
        }
        Some((parent, last))
    }

    fn add(&self, document: &mut Node, value: Node) -> Option<()> {
        if self.0.is_empty() {
            *document = value;
            return Some(());
        }
        match self.parent(document)? {
            (Node::Map(map), key) => {
                map.insert(key.clone(), value);
            }
            (list @ Node::List(_), token) => {
                let items = list.as_list_mut()?;
                let at = match token.as_str() {
                    "-" => items.len(),
                    _ => index(token, items.len() + 1)?,
                };
                items.insert(at, value);
            }
            _ => return None,
        }
        Some(())
    }

    fn replace(&self, document: &mut Node, value: Node) -> Option<()> {
        if self.0.is_empty() {
            *document = value;
            return Some(());
        }
        match self.parent(document)? {
            (Node::Map(map), key) => {
                map.insert(key.clone(), value);
            }
            (list @ Node::List(_), token) => {
                let items = list.as_list_mut()?;
                let at = index(token, items.len())?;
                *items.get_mut(at)? = value;
            }
            _ => return None,
        }
        Some(())
    }

    fn remove(&self, document: &mut Node) -> Option<Node> {
        match self.parent(document)? {
            (Node::Map(map), key) => map.remove(key),
            (list @ Node::List(_), token) => {
                let items = list.as_list_mut()?;
                let at = index(token, items.len())?;
                Some(items.remove(at))
            }
            _ => None,
        }
    }
}

/// The place a token names in a list of `length`; from the end when negative.
///
/// As lenient as Go's `strconv.Atoi`: a plus sign and leading zeros are allowed, as a recorded
/// kube-apiserver 1.36.3 allows them, although the RFC does not.
fn index(token: &str, length: usize) -> Option<usize> {
    let number: i64 = token.parse().ok()?;
    let magnitude = usize::try_from(number.unsigned_abs()).ok()?;
    let at = if number < 0 {
        length.checked_sub(magnitude)?
    } else {
        magnitude
    };
    (at < length).then_some(at)
}

/// Renders operations as a patch, for those who send one.
///
/// ```
/// use merge::json_patch::Patch;
/// let patch = Patch::new().test("/metadata/resourceVersion", "7").remove("/spec/paused");
/// assert_eq!(
///     patch.to_json(),
///     r#"[{"op":"test","path":"/metadata/resourceVersion","value":"7"},{"op":"remove","path":"/spec/paused"}]"#
/// );
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch(Vec<Node>);

impl Patch {
    /// No operation.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is no operation.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same, with a test that the value at `path` equals `value`.
    pub fn test(self, path: &str, value: impl Into<Node>) -> Self {
        self.with("test", path, Some(value.into()))
    }

    /// The same, with `value` put at `path`.
    pub fn replace(self, path: &str, value: impl Into<Node>) -> Self {
        self.with("replace", path, Some(value.into()))
    }

    /// The same, with `value` added at `path`.
    pub fn add(self, path: &str, value: impl Into<Node>) -> Self {
        self.with("add", path, Some(value.into()))
    }

    /// The same, with the value at `path` removed.
    pub fn remove(self, path: &str) -> Self {
        self.with("remove", path, None)
    }

    /// The list of operations.
    pub fn to_node(&self) -> Node {
        Node::from(self.0.clone())
    }

    /// The patch as a request body.
    pub fn to_json(&self) -> String {
        json::to_string(&self.to_node())
    }

    fn with(mut self, verb: &str, path: &str, value: Option<Node>) -> Self {
        let mut operation = object::Map::with_capacity(3);
        operation.insert("op", verb);
        operation.insert("path", path);
        if let Some(value) = value {
            operation.insert("value", value);
        }
        self.0.push(operation.into());
        self
    }
}
