//! Texts between `-----BEGIN X-----` and `-----END X-----`.

/// One block.
#[derive(Debug)]
pub(super) struct Block {
    /// What it is: `CERTIFICATE`, `RSA PRIVATE KEY`.
    pub label: String,
    /// What is inside.
    pub der: Vec<u8>,
}

/// Most beginnings that are looked at. Each is followed to the end of the text.
const BEGINNINGS_MAX: usize = 100;

/// The first block of a text.
pub(super) fn decode(text: &[u8]) -> Option<Block> {
    let text = String::from_utf8_lossy(text);
    let mut rest = text.as_ref();
    for _ in 0..BEGINNINGS_MAX {
        let begin = rest.find("-----BEGIN ")?;
        let at_line_start = begin == 0 || rest[..begin].ends_with('\n');
        rest = &rest[begin + "-----BEGIN ".len()..];
        let Some((label, after)) = rest.split_once("-----").filter(|_| at_line_start) else {
            continue;
        };
        let Some((body, _)) = after.split_once(&format!("-----END {label}-----")) else {
            continue;
        };
        // Headers end at an empty line.
        let body = match body.trim_start().split_once("\n\n") {
            Some((headers, body)) if headers.contains(": ") => body,
            _ => body,
        };
        let packed: String = body.split_ascii_whitespace().collect();
        if let Some(der) = golang::base64::decode(&packed) {
            return Some(Block {
                label: label.into(),
                der,
            });
        }
    }
    None
}

/// A block as text, 64 characters a line.
pub(super) fn encode(label: &str, der: &[u8]) -> String {
    let packed = golang::base64::encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = packed.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        out.push_str(line);
        out.push('\n');
        rest = after;
    }
    out.push_str(&format!("-----END {label}-----\n"));
    out
}
