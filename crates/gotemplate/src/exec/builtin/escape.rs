//! Texts made safe for HTML, JavaScript and queries.

use golang::strconv::is_print;

const HEX: &[u8; 16] = b"0123456789ABCDEF";

pub(super) fn html(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            0 => out.extend("\u{fffd}".as_bytes()),
            b'"' => out.extend(b"&#34;"),
            b'\'' => out.extend(b"&#39;"),
            b'&' => out.extend(b"&amp;"),
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            _ => out.push(*byte),
        }
    }
    out
}

pub(super) fn js(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\\' | '\'' | '"' => out.extend([b'\\', character as u8]),
                '<' | '>' | '&' | '=' | '\0'..='\x1f' => {
                    let code = character as usize;
                    out.extend([b'\\', b'u', b'0', b'0', HEX[code >> 4], HEX[code & 15]]);
                }
                ' '..='\x7f' => out.push(character as u8),
                _ if is_print(character) => {
                    out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                _ => out.extend(format!("\\u{:04X}", u32::from(character)).as_bytes()),
            }
        }
        // Go takes each for U+FFFD, which prints, and then copies the byte.
        out.extend(chunk.invalid());
    }
    out
}

pub(super) fn url_query(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for byte in text {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(*byte),
            b' ' => out.push(b'+'),
            _ => {
                let code = usize::from(*byte);
                out.extend([b'%', HEX[code >> 4], HEX[code & 15]]);
            }
        }
    }
    out
}
