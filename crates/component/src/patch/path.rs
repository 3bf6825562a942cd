//! Paths of operations.

use object::Text;

/// Longest path; the deepest place of a Pod takes under 200 bytes.
pub const PATH_BYTES_MAX: usize = 4 << 10;

/// Most segments of a path: no object nests deeper.
pub const PATH_SEGMENTS_MAX: usize = 200;

/// One segment of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// A key of a map.
    Key(Text),
    /// `3` or `[3]`: a position in a list.
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

/// Splits a path at its slashes and before its brackets; `~1` stands for a slash and `~0` for a
/// tilde. Empty segments mean nothing.
///
/// # Errors
/// [`PathError`]
pub fn parse(path: &str) -> Result<Vec<Segment>, PathError> {
    if path.len() > PATH_BYTES_MAX {
        return Err(PathError::TooLong);
    }
    let mut segments = Vec::new();
    for written in path.split('/') {
        let text = written.replace("~1", "/").replace("~0", "~");
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (segment, after) =
                first(rest).ok_or_else(|| PathError::Brackets(written.into()))?;
            segments.push(segment);
            rest = after;
        }
    }
    match segments.len() {
        0 => Err(PathError::Empty),
        1..=PATH_SEGMENTS_MAX => Ok(segments),
        _ => Err(PathError::TooLong),
    }
}

/// The first segment of what stands between two slashes, and the rest; `None` for brackets that
/// hold nothing we know, and for positions before the first.
fn first(text: &str) -> Option<(Segment, &str)> {
    if text == "-" {
        return Some((Segment::End, ""));
    }
    let Some(inner) = text.strip_prefix('[') else {
        let (token, rest) = text.split_at(text.find('[').unwrap_or(text.len()));
        let digits = token.strip_prefix(['+', '-']).unwrap_or(token);
        let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        return match number {
            true => Some((Segment::Index(token.parse().ok()?), rest)),
            false => Some((Segment::Key(token.into()), rest)),
        };
    };
    let (inner, rest) = inner.split_once(']')?;
    let segment = match inner {
        "-" => Segment::End,
        "*" => Segment::Every,
        inner if inner.starts_with('?') => filter(inner)?,
        digits => Segment::Index(digits.parse().ok()?),
    };
    Some((segment, rest))
}

/// `?(@.a.b=='v')`
fn filter(text: &str) -> Option<Segment> {
    let inner = text.strip_prefix("?(")?.strip_suffix(')')?.trim();
    let (field, value) = inner.strip_prefix("@.")?.split_once("==")?;
    let quotes = ['\'', '"'];
    let value = value.trim().strip_prefix(quotes)?.strip_suffix(quotes)?;
    let field: Vec<Text> = field.trim().split('.').map(Text::from).collect();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let whole = |key: &Text| !key.is_empty() && key.bytes().all(plain);
    field.iter().all(whole).then(|| Segment::Filter {
        field,
        value: value.into(),
    })
}
