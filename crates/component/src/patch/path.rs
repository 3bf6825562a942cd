//! Paths of operations.

use object::Text;

/// Longest path; the deepest place of a Pod takes under 200 bytes.
pub const PATH_BYTES_MAX: usize = 4 << 10;

/// Most segments of a path: no object nests deeper.
pub const PATH_SEGMENTS_MAX: usize = 200;

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key of a map, or a position when it is a number and there is a list.
    Key(Text),
    /// `[3]`
    Index(usize),
    /// `-` or `[-]`: after the last item.
    End,
    /// `[?(@.a.b=='v')]`
    Filter {
        /// Keys from the item to the text that is compared.
        field: Vec<Text>,
        /// The text.
        value: Text,
    },
    /// `[*]`
    Every,
}

impl Segment {
    /// The position it means in a list.
    pub(super) fn index(&self) -> Option<usize> {
        match self {
            Self::Index(index) => Some(*index),
            Self::Key(key) if key.bytes().all(|byte| byte.is_ascii_digit()) => key.parse().ok(),
            _ => None,
        }
    }
}

/// As it is written.
impl std::fmt::Display for Segment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Key(key) => f.write_str(&key.replace('~', "~0").replace('/', "~1")),
            Self::Index(index) => write!(f, "{index}"),
            Self::End => f.write_str("-"),
            Self::Filter { field, value } => write!(f, "[?(@.{}=='{value}')]", field.join(".")),
            Self::Every => f.write_str("[*]"),
        }
    }
}

/// Why a text is no path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing but slashes.
    #[error("the path is empty")]
    Empty,
    /// Longer than a path may be.
    #[error("the path is longer than {PATH_BYTES_MAX} bytes or {PATH_SEGMENTS_MAX} segments")]
    TooLong,
    /// Brackets that hold nothing we know.
    #[error("`{0}` is no position, `[-]`, `[*]` or filter `[?(@.key=='text')]`")]
    Brackets(Text),
}

/// Splits a path at its slashes; `~1` stands for a slash and `~0` for a tilde.
///
/// # Errors
/// [`PathError`]
pub fn parse(path: &str) -> Result<Vec<Segment>, PathError> {
    if path.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return Err(PathError::Empty);
    }
    let segments: Vec<Segment> = path.split('/').map(segment).collect::<Result<_, _>>()?;
    match segments.len() > PATH_SEGMENTS_MAX {
        true => Err(PathError::TooLong),
        false => Ok(segments),
    }
}

fn segment(written: &str) -> Result<Segment, PathError> {
    let text = written.replace("~1", "/").replace("~0", "~");
    if text == "-" {
        return Ok(Segment::End);
    }
    let Some(inner) = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return Ok(Segment::Key(text.into()));
    };
    let wrong = || PathError::Brackets(written.into());
    match inner {
        "-" => Ok(Segment::End),
        "*" => Ok(Segment::Every),
        inner if inner.starts_with('?') => filter(inner).ok_or_else(wrong),
        digits => match Segment::Key(digits.into()).index() {
            Some(index) if !digits.is_empty() => Ok(Segment::Index(index)),
            _ => Err(wrong()),
        },
    }
}

/// `?(@.a.b=='v')`
fn filter(text: &str) -> Option<Segment> {
    let inner = text.strip_prefix("?(")?.strip_suffix(')')?.trim();
    let (field, value) = inner.strip_prefix("@.")?.split_once("==")?;
    let value = value.trim();
    let value = ['\'', '"']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))?;
    let field: Vec<Text> = field.trim().split('.').map(Text::from).collect();
    let whole = field.iter().all(|key| !key.is_empty()) && !value.contains(']');
    whole.then(|| Segment::Filter {
        field,
        value: value.into(),
    })
}
