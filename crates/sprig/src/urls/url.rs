//! URLs as Go's `net/url` takes them apart and puts them together.
//!
//! # Source
//! golang/go 1.26 `src/net/url/url.go`.

use golang::strconv::quote_bytes;

use super::address;

#[derive(Default)]
pub(super) struct Url {
    pub(super) scheme: Vec<u8>,
    pub(super) opaque: Vec<u8>,
    pub(super) user: Option<UserInfo>,
    pub(super) host: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) query: Vec<u8>,
    pub(super) fragment: Vec<u8>,
}

pub(super) struct UserInfo {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

/// What a text is part of; this decides which characters stand for themselves.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Fragment,
}

impl Part {
    fn must_escape(self, byte: u8) -> bool {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            return false;
        }
        let plain: &[u8] = match self {
            Self::Host | Self::Zone => b"!$&'()*+,;=:[]<>\"",
            Self::Path => b"$&+,/:;=@",
            Self::User => b"$&+,;=",
            Self::Fragment => b"$&+,/:;=?@!()*",
        };
        !plain.contains(&byte)
    }
}

impl Url {
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let (url, fragment) = cut(text, b'#');
        let named = |text: &[u8], error: String| format!("parse {}: {error}", quote_bytes(text));
        let mut parsed = Self::without_fragment(url).map_err(|error| named(url, error))?;
        if let Some(fragment) = fragment {
            parsed.fragment =
                unescape(fragment, Part::Fragment).map_err(|error| named(text, error))?;
        }
        Ok(parsed)
    }

    fn without_fragment(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(u8::is_ascii_control) {
            return Err("net/url: invalid control character in URL".into());
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = text.to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.unwrap_or_default().to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".into());
            }
        }
        if rest.starts_with(b"//") && (!url.scheme.is_empty() || !rest.starts_with(b"///")) {
            let authority = &rest[2..];
            let end = authority.iter().position(|&byte| byte == b'/');
            let (authority, path) = authority.split_at(end.unwrap_or(authority.len()));
            url.set_authority(authority)?;
            rest = path;
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    fn set_authority(&mut self, text: &[u8]) -> Result<(), String> {
        let Some(at) = text.iter().rposition(|&byte| byte == b'@') else {
            self.host = host(&self.scheme, text)?;
            return Ok(());
        };
        self.host = host(&self.scheme, &text[at + 1..])?;
        let user = &text[..at];
        let plain =
            |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
        if !user.iter().all(plain) {
            return Err("net/url: invalid userinfo".into());
        }
        let (name, password) = cut(user, b':');
        self.user = Some(UserInfo {
            name: unescape(name, Part::User)?,
            password: password
                .map(|password| unescape(password, Part::User))
                .transpose()?,
        });
        Ok(())
    }

    /// The host without its port and without brackets.
    pub(super) fn hostname(&self) -> &[u8] {
        let mut host = &*self.host;
        if let Some(colon) = host.iter().rposition(|&byte| byte == b':')
            && is_port(&host[colon..])
        {
            host = &host[..colon];
        }
        match host {
            [b'[', host @ .., b']'] => host,
            _ => host,
        }
    }

    pub(super) fn encoded(&self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self.scheme.is_empty() {
            out.extend_from_slice(&self.scheme);
            out.push(b':');
        }
        if self.opaque.is_empty() {
            if !self.scheme.is_empty() || !self.host.is_empty() || self.user.is_some() {
                if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                    out.extend_from_slice(b"//");
                }
                if let Some(user) = &self.user {
                    out.extend_from_slice(&user.encoded());
                    out.push(b'@');
                }
                out.extend_from_slice(&escape(&self.host, Part::Host));
            }
            let path = match &*self.path {
                b"*" => b"*".to_vec(),
                path => escape(path, Part::Path),
            };
            if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
                out.push(b'/');
            }
            // A first segment with a colon would read as a scheme.
            if out.is_empty() && cut(&path, b'/').0.contains(&b':') {
                out.extend_from_slice(b"./");
            }
            out.extend_from_slice(&path);
        } else {
            out.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            out.push(b'?');
            out.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            out.push(b'#');
            out.extend_from_slice(&escape(&self.fragment, Part::Fragment));
        }
        out
    }
}

impl UserInfo {
    pub(super) fn encoded(&self) -> Vec<u8> {
        let mut out = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            out.push(b':');
            out.extend_from_slice(&escape(password, Part::User));
        }
        out
    }
}

fn cut(text: &[u8], at: u8) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == at) {
        Some(found) => (&text[..found], Some(&text[found + 1..])),
        None => (text, None),
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return Err("missing protocol scheme".into()),
            b':' => return Ok((&text[..at], &text[at + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

fn is_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn host(scheme: &[u8], text: &[u8]) -> Result<Vec<u8>, String> {
    let port = |port: &[u8]| {
        if is_port(port) {
            Ok(())
        } else {
            Err(format!("invalid port {} after host", quote_bytes(port)))
        }
    };
    match text.iter().rposition(|&byte| byte == b'[') {
        Some(0) => {
            let Some(close) = text.iter().rposition(|&byte| byte == b']') else {
                return Err("missing ']' in host".into());
            };
            let (name, rest) = (&text[1..close], &text[close + 1..]);
            port(rest)?;
            let zone = memchr::memmem::find(name, b"%25").unwrap_or(name.len());
            let mut out = unescape(&name[..zone], Part::Host)?;
            out.extend(unescape(&name[zone..], Part::Zone)?);
            address::check(&out)?;
            Ok([b"[", &*out, b"]", rest].concat())
        }
        Some(_) => Err("invalid IP-literal".into()),
        None => {
            let mut colons = text
                .iter()
                .enumerate()
                .filter_map(|(at, &byte)| (byte == b':').then_some(at));
            let first = colons.next();
            let last = colons.next_back().or(first);
            let web = matches!(scheme, b"http" | b"https");
            if let Some(colon) = if web { first } else { last } {
                port(&text[colon..])?;
            }
            unescape(text, Part::Host)
        }
    }
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = text[at];
        if byte == b'%' {
            let escape = &text[at..text.len().min(at + 3)];
            let value = match escape {
                [_, high, low] => hex(*high).zip(hex(*low)),
                _ => None,
            };
            let Some((high, low)) = value else {
                return Err(format!("invalid URL escape {}", quote_bytes(escape)));
            };
            let value = high << 4 | low;
            let refused = match part {
                // Only bytes beyond ASCII may be escaped in a host, and the percent sign of a zone.
                Part::Host => high < 8 && escape != b"%25",
                Part::Zone => escape != b"%25" && value != b' ' && Part::Host.must_escape(value),
                _ => false,
            };
            if refused {
                return Err(format!("invalid URL escape {}", quote_bytes(escape)));
            }
            out.push(value);
            at += 3;
            continue;
        }
        if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && part.must_escape(byte) {
            return Err(format!(
                "invalid character {} in host name",
                quote_bytes(&[byte])
            ));
        }
        out.push(byte);
        at += 1;
    }
    Ok(out)
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    for &byte in text {
        if part.must_escape(byte) {
            out.extend([
                b'%',
                DIGITS[usize::from(byte >> 4)],
                DIGITS[usize::from(byte & 15)],
            ]);
        } else {
            out.push(byte);
        }
    }
    out
}
