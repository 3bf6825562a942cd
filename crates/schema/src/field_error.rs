//! Why a field of an object is refused, in the words the Kubernetes API uses.

use std::fmt;

use object::Node;

/// One refused field.
///
/// Printed as `<path>: <kind>: <value>: <detail>`; [`FieldError::body`] is the text without the
/// path, as it stands in the causes of a Status.
///
/// # Source
/// kubernetes/apimachinery `pkg/util/validation/field/errors.go` at v0.36.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Where, as Kubernetes prints it: `spec.ports[0].name`, `data[key]`, `<nil>` for the object itself.
    pub path: String,
    /// What is wrong with it.
    pub kind: FieldErrorKind,
    /// The refused value; printed only by the kinds that show one.
    pub value: FieldValue,
    /// The rest of the sentence; may be empty.
    pub detail: String,
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldErrorKind {
    /// Missing or empty.
    Required,
    /// Malformed or out of range.
    Invalid,
    /// Of another JSON type than the schema says.
    TypeInvalid,
    /// Not one of the listed values.
    NotSupported,
    /// Well-formed, but not allowed here or now.
    Forbidden,
    /// More bytes or characters than allowed.
    TooLong,
    /// Fewer bytes or characters than needed.
    TooShort,
    /// More items than allowed.
    TooMany,
    /// Fewer items than needed.
    TooFew,
    /// Present before, where each may stand once.
    Duplicate,
    /// Names something that is not there.
    NotFound,
    /// The server's own failure, not the user's.
    Internal,
}

impl FieldErrorKind {
    /// The `reason` of the cause in a Status: `FieldValueRequired`.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Required => "FieldValueRequired",
            Self::Invalid => "FieldValueInvalid",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooShort => "FieldValueTooShort",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::Duplicate => "FieldValueDuplicate",
            Self::NotFound => "FieldValueNotFound",
            Self::Internal => "InternalError",
        }
    }

    /// The words in the message: `Required value`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Required => "Required value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooShort => "Too short",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
            Self::Duplicate => "Duplicate value",
            Self::NotFound => "Not found",
            Self::Internal => "Internal error",
        }
    }

    fn shows_value(self) -> bool {
        !matches!(
            self,
            Self::Required | Self::Forbidden | Self::TooLong | Self::TooShort | Self::Internal
        )
    }
}

/// The refused value as it stands in the message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FieldValue {
    /// No value is shown.
    #[default]
    Omitted,
    /// Text, shown in quotes as Go's `%q` does.
    Text(String),
    /// Anything else, shown as it is: a number, a boolean, JSON.
    Bare(String),
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for FieldValue {
    fn from(number: i64) -> Self {
        Self::Bare(number.to_string())
    }
}

impl From<bool> for FieldValue {
    fn from(value: bool) -> Self {
        Self::Bare(value.to_string())
    }
}

impl From<&Node> for FieldValue {
    /// Scalars as above, lists and maps as compact JSON in the order they have.
    fn from(node: &Node) -> Self {
        match node {
            Node::String(text) => Self::Text(text.to_string()),
            other => Self::Bare(object::json::to_string(other)),
        }
    }
}

impl From<Option<&Node>> for FieldValue {
    /// Absent prints as `null`.
    fn from(node: Option<&Node>) -> Self {
        Self::from(node.unwrap_or(&Node::Null))
    }
}

impl FieldError {
    /// An error of any kind; the shorthands below cover the usual ones.
    pub fn new(
        path: impl fmt::Display,
        kind: FieldErrorKind,
        value: impl Into<FieldValue>,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            path: path.to_string(),
            kind,
            value: value.into(),
            detail: detail.into(),
        }
    }

    /// `<path>: Required value: <detail>`.
    pub fn required(path: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Required, FieldValue::Omitted, detail)
    }

    /// `<path>: Invalid value: <value>: <detail>`.
    pub fn invalid(
        path: impl fmt::Display,
        value: impl Into<FieldValue>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(path, FieldErrorKind::Invalid, value, detail)
    }

    /// `<path>: Unsupported value: <value>: supported values: "a", "b"`.
    pub fn not_supported<'a>(
        path: impl fmt::Display,
        value: impl Into<FieldValue>,
        supported: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let quoted: Vec<String> = supported.into_iter().map(quote).collect();
        let detail = match quoted.is_empty() {
            true => String::new(),
            false => format!("supported values: {}", quoted.join(", ")),
        };
        Self::new(path, FieldErrorKind::NotSupported, value, detail)
    }

    /// `<path>: Forbidden: <detail>`.
    pub fn forbidden(path: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self::new(path, FieldErrorKind::Forbidden, FieldValue::Omitted, detail)
    }

    /// `<path>: Duplicate value: <value>`.
    pub fn duplicate(path: impl fmt::Display, value: impl Into<FieldValue>) -> Self {
        Self::new(path, FieldErrorKind::Duplicate, value, "")
    }

    /// `<path>: Not found: <value>`.
    pub fn not_found(path: impl fmt::Display, value: impl Into<FieldValue>) -> Self {
        Self::new(path, FieldErrorKind::NotFound, value, "")
    }

    /// `<path>: Too long: may not be more than <max> bytes`.
    pub fn too_long(path: impl fmt::Display, bytes_max: usize) -> Self {
        let detail = format!("may not be more than {}", counted(bytes_max, "byte"));
        Self::new(path, FieldErrorKind::TooLong, FieldValue::Omitted, detail)
    }

    /// `<path>: Too many: <actual>: must have at most <max> items`.
    pub fn too_many(path: impl fmt::Display, actual: usize, items_max: usize) -> Self {
        let detail = format!("must have at most {}", counted(items_max, "item"));
        let actual = FieldValue::Bare(actual.to_string());
        Self::new(path, FieldErrorKind::TooMany, actual, detail)
    }

    /// The text without the path.
    pub fn body(&self) -> String {
        let mut text = self.kind.words().to_owned();
        match &self.value {
            FieldValue::Text(value) if self.kind.shows_value() => {
                text.push_str(": ");
                text.push_str(&quote(value));
            }
            FieldValue::Bare(value) if self.kind.shows_value() => {
                text.push_str(": ");
                text.push_str(value);
            }
            _ => {}
        }
        if !self.detail.is_empty() {
            text.push_str(": ");
            text.push_str(&self.detail);
        }
        text
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.body())
    }
}

impl std::error::Error for FieldError {}

/// The place of a field while an object is walked; lives on the stack and costs nothing until printed.
///
/// ```
/// use schema::field_error::Place;
/// let spec = Place::ROOT.child("spec");
/// let ports = spec.child("ports");
/// assert_eq!(ports.index(1).child("name").to_string(), "spec.ports[1].name");
/// assert_eq!(Place::ROOT.child("data").key("a.b").to_string(), "data[a.b]");
/// assert_eq!(Place::ROOT.to_string(), "<nil>");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    parent: Option<&'a Place<'a>>,
    step: PlaceStep<'a>,
}

#[derive(Clone, Copy, Debug)]
enum PlaceStep<'a> {
    Root,
    Child(&'a str),
    Key(&'a str),
    Index(usize),
}

impl Place<'static> {
    /// The object itself.
    pub const ROOT: Self = Self {
        parent: None,
        step: PlaceStep::Root,
    };
}

impl Place<'_> {
    /// The field `name` of the struct here; may hold dots for several steps at once.
    pub fn child<'b>(&'b self, name: &'b str) -> Place<'b> {
        self.with(PlaceStep::Child(name))
    }

    /// The value of `key` in the map here, or the list item that `key` names.
    pub fn key<'b>(&'b self, key: &'b str) -> Place<'b> {
        self.with(PlaceStep::Key(key))
    }

    /// Item `index` of the list here.
    pub fn index(&self, index: usize) -> Place<'_> {
        self.with(PlaceStep::Index(index))
    }

    fn with<'b>(&'b self, step: PlaceStep<'b>) -> Place<'b> {
        Place {
            parent: Some(self),
            step,
        }
    }

    /// Writes the steps; the answer says whether anything stands before a next one.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> Result<bool, fmt::Error> {
        let started = match self.parent {
            Some(parent) => parent.write(f)?,
            None => false,
        };
        match self.step {
            PlaceStep::Root => return Ok(false),
            PlaceStep::Child(name) if started => write!(f, ".{name}")?,
            PlaceStep::Child(name) => f.write_str(name)?,
            PlaceStep::Key(key) => write!(f, "[{key}]")?,
            PlaceStep::Index(index) => write!(f, "[{index}]")?,
        }
        Ok(true)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.write(f)? {
            true => Ok(()),
            false => f.write_str("<nil>"),
        }
    }
}

/// Text in double quotes as Go's `%q` writes it.
pub fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{0}'..='\u{1f}' | '\u{7f}' => quoted.push_str(&format!("\\x{:02x}", char as u32)),
            '\u{80}'..='\u{a0}' | '\u{ad}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                quoted.push_str(&format!("\\u{:04x}", char as u32));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

fn counted(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_print_as_kubernetes_prints_them() {
        let spec = Place::ROOT.child("spec");
        let policy = spec.child("restartPolicy");
        let table = [
            (
                FieldError::required(spec.child("containers"), ""),
                "spec.containers: Required value",
            ),
            (
                FieldError::invalid(spec.child("replicas"), -1i64, "must be positive"),
                "spec.replicas: Invalid value: -1: must be positive",
            ),
            (
                FieldError::invalid("metadata.name", "a\"b\n", "bad"),
                r#"metadata.name: Invalid value: "a\"b\n": bad"#,
            ),
            (
                FieldError::not_supported(policy, "Never", ["Always"]),
                r#"spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#,
            ),
            (
                FieldError::too_long("metadata.annotations", 262_144),
                "metadata.annotations: Too long: may not be more than 262144 bytes",
            ),
            (
                FieldError::too_many("spec.rules", 3, 1),
                "spec.rules: Too many: 3: must have at most 1 item",
            ),
            (
                FieldError::duplicate(Place::ROOT.child("ports").index(1), &Node::map()),
                "ports[1]: Duplicate value: {}",
            ),
            (
                FieldError::forbidden(Place::ROOT, "no"),
                "<nil>: Forbidden: no",
            ),
        ];
        for (error, text) in table {
            assert_eq!(error.to_string(), text);
        }
    }
}
