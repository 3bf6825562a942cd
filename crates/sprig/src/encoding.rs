//! Base64 and base32: `b64enc`, `b64dec`, `b32enc`, `b32dec`.
//!
//! What cannot be decoded gives the error as the result.
//!
//! # Source
//! golang/go `src/encoding/{base64/base64,base32/base32}.go`.

use gotemplate::{Functions, Type, Value};

use crate::args::{function, text};

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "b64enc",
        function(&[Type::String], |_, args| {
            Ok(Value::from(golang::base64::encode(text(&args[0]))))
        }),
    );
    functions.insert(
        "b64dec",
        function(&[Type::String], |_, args| {
            Ok(match base64(text(&args[0])) {
                Ok(bytes) => Value::from(bytes),
                Err(at) => Value::from(format!("illegal base64 data at input byte {at}")),
            })
        }),
    );
    functions.insert(
        "b32enc",
        function(&[Type::String], |_, args| {
            Ok(Value::from(to_base32(text(&args[0]))))
        }),
    );
    functions.insert(
        "b32dec",
        function(&[Type::String], |_, args| {
            Ok(match base32(text(&args[0])) {
                Ok(bytes) => Value::from(bytes),
                Err(at) => Value::from(format!("illegal base32 data at input byte {at}")),
            })
        }),
    );
}

/// The bytes, or where the text goes wrong. Line breaks count for the position, and for nothing else.
pub(crate) fn base64(text: &[u8]) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let mut group = (0u32, 0usize);
    let mut symbols = text
        .iter()
        .enumerate()
        .filter(|(_, byte)| !matches!(byte, b'\n' | b'\r'));
    while let Some((at, &symbol)) = symbols.next() {
        if symbol == b'=' {
            if group.1 < 2 {
                return Err(at);
            }
            if group.1 == 2 {
                match symbols.next() {
                    None => return Err(text.len()),
                    // What stands before the symbol that should have been a second `=`, line breaks
                    // counted.
                    Some((next, symbol)) if *symbol != b'=' => return Err(next - 1),
                    Some(_) => {}
                }
            }
            if let Some((next, _)) = symbols.next() {
                return Err(next);
            }
            let bytes = (group.0 << (6 * (4 - group.1))).to_be_bytes();
            out.extend_from_slice(&bytes[1..group.1]);
            return Ok(out);
        }
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(at),
        };
        group = (group.0 << 6 | u32::from(value), group.1 + 1);
        if group.1 == 4 {
            out.extend_from_slice(&group.0.to_be_bytes()[1..]);
            group = (0, 0);
        }
    }
    match group.1 {
        0 => Ok(out),
        // The start of the last group, counted without line breaks.
        count => Err(text.len() - count),
    }
}

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn to_base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for group in bytes.chunks(5) {
        let mut value = 0u64;
        for at in 0..5 {
            value = value << 8 | u64::from(group.get(at).copied().unwrap_or(0));
        }
        let symbols = (group.len() * 8).div_ceil(5);
        for at in 0..8 {
            let symbol = (value >> (35 - 5 * at)) & 31;
            out.push(if at < symbols {
                char::from(BASE32[symbol as usize])
            } else {
                '='
            });
        }
    }
    out
}

/// The bytes, or where the text goes wrong, counted without line breaks.
fn base32(text: &[u8]) -> Result<Vec<u8>, usize> {
    let symbols: Vec<u8> = text
        .iter()
        .copied()
        .filter(|byte| !matches!(byte, b'\n' | b'\r'))
        .collect();
    let end = symbols.len();
    let mut out = Vec::with_capacity(end / 8 * 5);
    let mut at = 0;
    while at < end {
        let (mut value, mut count) = (0u64, 0);
        while count < 8 {
            if at == end {
                return Err(end - count);
            }
            let symbol = symbols[at];
            at += 1;
            let left = end - at;
            if symbol == b'=' && count >= 2 && left < 8 {
                if left + count < 7 {
                    return Err(end);
                }
                for next in 0..7 - count {
                    if symbols.get(at + next).is_some_and(|&next| next != b'=') {
                        return Err(at + next - 1);
                    }
                }
                // So many symbols do not end with a byte.
                if matches!(count, 3 | 6) {
                    return Err(at - 1);
                }
                let bytes = (value << (5 * (8 - count))).to_be_bytes();
                out.extend_from_slice(&bytes[3..3 + count * 5 / 8]);
                return Ok(out);
            }
            let Some(digit) = BASE32.iter().position(|&digit| digit == symbol) else {
                return Err(at - 1);
            };
            value = value << 5 | digit as u64;
            count += 1;
        }
        out.extend_from_slice(&value.to_be_bytes()[3..]);
    }
    Ok(out)
}
