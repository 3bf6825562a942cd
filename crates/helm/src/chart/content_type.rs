//! What bytes seem to be, for whoever gave them for a packed chart.
//!
//! # Source
//! golang/go `src/net/http/sniff.go`: its signatures in its order, but for those of MP4.

/// Bytes that are looked at.
const LENGTH: usize = 512;

/// First bytes of texts that browsers show, after blanks, before a blank or `>`.
const HTML: [&str; 17] = [
    "<!DOCTYPE HTML",
    "<HTML",
    "<HEAD",
    "<SCRIPT",
    "<IFRAME",
    "<H1",
    "<DIV",
    "<FONT",
    "<TABLE",
    "<A",
    "<STYLE",
    "<TITLE",
    "<B",
    "<BODY",
    "<BR",
    "<P",
    "<!--",
];

/// First bytes of others; a `?` stands for any byte.
const EXACT: [(&[u8], &str); 31] = [
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\xfe\xff??", "text/plain; charset=utf-16be"),
    (b"\xff\xfe??", "text/plain; charset=utf-16le"),
    (b"\xef\xbb\xbf?", "text/plain; charset=utf-8"),
    (b"\0\0\x01\0", "image/x-icon"),
    (b"\0\0\x02\0", "image/x-icon"),
    (b"BM", "image/bmp"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF????WEBPVP", "image/webp"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"FORM????AIFF", "audio/aiff"),
    (b"ID3", "audio/mpeg"),
    (b"OggS\0", "application/ogg"),
    (b"MThd\0\0\0\x06", "audio/midi"),
    (b"RIFF????AVI ", "video/avi"),
    (b"RIFF????WAVE", "audio/wave"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (
        b"??????????????????????????????????LP",
        "application/vnd.ms-fontobject",
    ),
    (b"\0\x01\0\0", "font/ttf"),
    (b"OTTO", "font/otf"),
    (b"ttcf", "font/collection"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (GZIP, "application/x-gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar!\x1a\x07\0", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07\x01\0", "application/x-rar-compressed"),
    (b"\0asm", "application/wasm"),
];

/// How a packed chart begins.
pub(super) const GZIP: &[u8] = b"\x1f\x8b\x08";

/// What a file with this content is.
pub(super) fn of(content: &[u8]) -> &'static str {
    // The reference looks at so many bytes always, zeros where there are fewer.
    let mut head = [0; LENGTH];
    let length = content.len().min(LENGTH);
    head[..length].copy_from_slice(&content[..length]);
    let is_blank = |byte: &u8| b"\t\n\x0c\r ".contains(byte);
    let first = head.iter().position(|byte| !is_blank(byte));
    let text = &head[first.unwrap_or(LENGTH)..];
    if HTML.iter().any(|tag| is_tag(text, tag.as_bytes())) {
        return "text/html; charset=utf-8";
    }
    if text.starts_with(b"<?xml") {
        return "text/xml; charset=utf-8";
    }
    let mut known = EXACT.iter();
    if let Some((_, name)) = known.find(|(signature, _)| begins(&head, signature)) {
        return name;
    }
    let is_binary = |byte: &u8| matches!(byte, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f);
    match text.iter().any(is_binary) {
        true => "application/octet-stream",
        false => "text/plain; charset=utf-8",
    }
}

fn is_tag(text: &[u8], tag: &[u8]) -> bool {
    text.get(..tag.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(tag))
        && text.get(tag.len()).is_some_and(|end| b" >".contains(end))
}

fn begins(head: &[u8], signature: &[u8]) -> bool {
    let mut pairs = head.iter().zip(signature);
    pairs.all(|(byte, wanted)| *wanted == b'?' || byte == wanted)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn contents_are_told_apart() {
        let long = "kind: A\n".repeat(100);
        for (content, wanted) in [
            (&b""[..], "application/octet-stream"),
            (b"kind: A\n", "application/octet-stream"),
            (long.as_bytes(), "text/plain; charset=utf-8"),
            (b" <html>\n", "text/html; charset=utf-8"),
            (b"<!-- a", "text/html; charset=utf-8"),
            (b"<br/>", "application/octet-stream"),
            (b"\n<?xml version", "text/xml; charset=utf-8"),
            (b"\x1f\x8b\x08\0", "application/x-gzip"),
            (b"\x1f\x8b", "application/octet-stream"),
            (b"PK\x03\x04", "application/zip"),
            (b"\xef\xbb\xbftext", "text/plain; charset=utf-8"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8", "image/webp"),
            (b"\0asm\x01", "application/wasm"),
            (&[b'x'; 34], "application/octet-stream"),
        ] {
            assert_eq!(of(content), wanted, "{content:?}");
        }
    }
}
