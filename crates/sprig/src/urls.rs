//! URLs as maps and back: `urlParse`, `urlJoin`.

mod address;
mod url;

use gotemplate::{CallError, Functions, Map, Type, Value};

use crate::args::{function, map, text};
use crate::types;
use url::{Url, UserInfo};

pub(crate) fn add(functions: &mut Functions) {
    functions.insert(
        "urlParse",
        function(&[Type::String], |_, args| {
            let url = Url::parse(text(&args[0]))
                .map_err(|error| CallError::Failed(format!("unable to parse url: {error}")))?;
            let hostname = url.hostname().to_vec();
            let user = url.user.as_ref().map(UserInfo::encoded);
            Ok(Value::Map(Map::from_iter([
                ("scheme", Value::from(url.scheme)),
                ("hostname", Value::from(hostname)),
                ("host", Value::from(url.host)),
                ("path", Value::from(url.path)),
                ("query", Value::from(url.query)),
                ("opaque", Value::from(url.opaque)),
                ("fragment", Value::from(url.fragment)),
                ("userinfo", Value::from(user.unwrap_or_default())),
            ])))
        }),
    );
    functions.insert("urlJoin", function(&[Type::Map], |_, args| join(&args[0])));
}

fn join(parts: &Value) -> Result<Value, CallError> {
    let part = |key: &str| -> Result<Vec<u8>, CallError> {
        match map(parts).and_then(|map| map.get(key.as_bytes())) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(text.as_bytes().to_vec()),
            Some(Value::Nil) => Err(crate::args::nil_dereference()),
            Some(value) => Err(CallError::Failed(format!(
                "unable to parse {key} key, must be of type string, but {} found",
                types::kind(&value)
            ))),
        }
    };
    let mut url = Url {
        scheme: part("scheme")?,
        host: part("host")?,
        path: part("path")?,
        query: part("query")?,
        opaque: part("opaque")?,
        fragment: part("fragment")?,
        ..Url::default()
    };
    let user = part("userinfo")?;
    if !user.is_empty() {
        let text = [b"proto://", &*user, b"@host"].concat();
        let parsed = Url::parse(&text).map_err(|error| {
            CallError::Failed(format!("unable to parse userinfo in dict: {error}"))
        })?;
        url.user = parsed.user;
    }
    Ok(Value::from(url.encoded()))
}
