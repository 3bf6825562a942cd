//! Addresses in brackets, with Go's words for what is none.
//!
//! # Source
//! golang/go 1.26 `src/net/netip/netip.go`.

use golang::strconv::quote_bytes;

/// What is wrong, and from where on if that is said.
type Problem<'t> = (&'static str, &'t [u8]);

/// Checks an address of IPv6, which may have a zone.
pub(super) fn check(text: &[u8]) -> Result<(), String> {
    let found = match text.iter().find(|byte| b".:%".contains(byte)) {
        Some(b'.') => match dotted(text) {
            Ok(()) => return Err("invalid IP-literal".into()),
            Err(problem) => Err(problem),
        },
        Some(b':') => colons(text),
        Some(_) => Err(("missing IPv6 address", &b""[..])),
        None => Err(("unable to parse IP", &b""[..])),
    };
    found.map_err(|(problem, at)| {
        let name = quote_bytes(text);
        match at {
            b"" => format!("invalid host: ParseAddr({name}): {problem}"),
            _ => format!(
                "invalid host: ParseAddr({name}): {problem} (at {})",
                quote_bytes(at)
            ),
        }
    })
}

/// Four numbers with dots between them.
fn dotted(text: &[u8]) -> Result<(), Problem<'_>> {
    let (mut value, mut digits, mut fields) = (0u32, 0, 0);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                if digits == 1 && value == 0 {
                    return Err(("IPv4 field has octet with leading zero", b""));
                }
                value = value * 10 + u32::from(byte - b'0');
                digits += 1;
                if value > 255 {
                    return Err(("IPv4 field has value >255", b""));
                }
            }
            b'.' => {
                if at == 0 || at == text.len() - 1 || text[at - 1] == b'.' {
                    return Err(("IPv4 field must have at least one digit", &text[at..]));
                }
                if fields == 3 {
                    return Err(("IPv4 address too long", b""));
                }
                fields += 1;
                (value, digits) = (0, 0);
            }
            _ => return Err(("unexpected character", &text[at..])),
        }
    }
    match fields {
        3 => Ok(()),
        _ => Err(("IPv4 address too short", b"")),
    }
}

/// Eight groups of hexadecimal digits, of which `::` stands for some.
fn colons(text: &[u8]) -> Result<(), Problem<'_>> {
    let mut rest = text;
    if let Some(percent) = text.iter().position(|&byte| byte == b'%') {
        rest = &text[..percent];
        if percent + 1 == text.len() {
            return Err(("zone must be a non-empty string", b""));
        }
    }
    let mut gap = false;
    if let Some(behind) = rest.strip_prefix(b"::") {
        gap = true;
        rest = behind;
        if rest.is_empty() {
            return Ok(());
        }
    }
    let mut groups = 0;
    while groups < 8 {
        let digits = rest
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        match digits {
            0 => {
                return Err((
                    "each colon-separated field must have at least one digit",
                    rest,
                ));
            }
            1..=4 => {}
            _ => return Err(("each group must have 4 or less digits", rest)),
        }
        if rest.get(digits) == Some(&b'.') {
            if !gap && groups != 6 {
                return Err((
                    "embedded IPv4 address must replace the final 2 fields of the address",
                    rest,
                ));
            }
            if groups > 6 {
                return Err((
                    "too many hex fields to fit an embedded IPv4 at the end of the address",
                    rest,
                ));
            }
            dotted(rest)?;
            rest = b"";
            groups += 2;
            break;
        }
        groups += 1;
        rest = &rest[digits..];
        rest = match rest {
            [] => break,
            [b':'] => return Err(("colon must be followed by more characters", rest)),
            [b':', b':', ..] if gap => return Err(("multiple :: in address", &rest[1..])),
            [b':', b':', behind @ ..] => {
                gap = true;
                if behind.is_empty() {
                    rest = b"";
                    break;
                }
                behind
            }
            [b':', behind @ ..] => behind,
            _ => return Err(("unexpected character, want colon", rest)),
        };
    }
    if !rest.is_empty() {
        return Err(("trailing garbage after address", rest));
    }
    match (groups, gap) {
        (8, true) => Err(("the :: must expand to at least one field of zeros", b"")),
        (..8, false) => Err(("address string too short", b"")),
        _ => Ok(()),
    }
}
