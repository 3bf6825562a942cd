//! ConfigMaps and Secrets from literals and files, and the hash in their names.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/kv/kv.go`, `api/internal/generators`, `api/hasher/hasher.go`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use object::Node as Value;
use sha2::{Digest, Sha256};
use yaml::Node;

use crate::base64;
use crate::error::{BuildError, Failures, Outcome};
use crate::file::{GeneratorArgs, GeneratorOptions};
use crate::loader::{Access, Loader};
use crate::ops;
use crate::resource::{Behavior, Item};
use crate::schema::Schema;

/// Which kind a generator makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generator {
    ConfigMap,
    Secret,
}

/// Most bytes of all values of one object: what a cluster's storage takes in one request, doubled
/// for the base64 that readers may still undo.
const DATA_BYTES_MAX: usize = 8 << 20;

/// Makes the object of one generator entry.
///
/// # Errors
/// A source that cannot be read, a repeated key, a missing name.
pub(crate) fn generate(
    kind: Generator,
    args: &GeneratorArgs,
    loader: &Loader,
    access: &mut Access<'_>,
    schema: &Schema,
) -> Outcome<Item> {
    let fail = |text: String| Failures::new(BuildError::GeneratorFailed, args.name.clone(), text);
    if args.name.is_empty() {
        return Err(fail("a configmap must have a name".into()));
    }
    let mut metadata = Node::mapping([(Node::scalar("name"), Node::string(args.name.as_str()))]);
    if !args.namespace.is_empty() {
        metadata.set("namespace", Node::string(args.namespace.as_str()));
    }
    let pairs = pairs(args, loader, access)?;
    let mut data: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut bytes = 0;
    for (key, value) in pairs {
        bytes += value.len();
        if bytes > DATA_BYTES_MAX {
            return Err(Failures::new(
                BuildError::LimitReached,
                format!("{DATA_BYTES_MAX} bytes in one generated object"),
                format!("generator {}: more than {DATA_BYTES_MAX} bytes", args.name),
            ));
        }
        if data.contains_key(&key) {
            return Err(fail(format!(
                "configmap {} illegally repeats the key `{key}`",
                args.name
            )));
        }
        data.insert(key, value);
    }
    let name = match kind {
        Generator::ConfigMap => "ConfigMap",
        Generator::Secret => "Secret",
    };
    let mut node = Node::mapping([
        (Node::scalar("apiVersion"), Node::string("v1")),
        (Node::scalar("kind"), Node::string(name)),
    ]);
    if let Some(options) = &args.options {
        for (field, entries) in [
            ("labels", &options.labels),
            ("annotations", &options.annotations),
        ] {
            if !entries.is_empty() {
                let pairs = entries
                    .iter()
                    .map(|(key, value)| (Node::scalar(key.as_str()), Node::string(value.as_str())));
                metadata.set(field, Node::mapping(pairs));
            }
        }
    }
    node.set("metadata", metadata);
    match kind {
        Generator::ConfigMap => put_config_map_data(&mut node, data),
        Generator::Secret => {
            let secret_type = if args.secret_type.is_empty() {
                "Opaque"
            } else {
                &args.secret_type
            };
            node.set("type", Node::string(secret_type));
            let pairs = data.iter().map(|(key, value)| {
                (
                    Node::scalar(key.as_str()),
                    Node::string(base64::encode_wrapped(value)),
                )
            });
            node.set("data", Node::mapping(pairs));
        }
    }
    if args
        .options
        .as_ref()
        .is_some_and(|options| options.immutable)
    {
        node.set("immutable", Node::bool(true));
    }
    let mut item = Item::new(node, schema);
    item.history.behavior = Behavior::read(&args.behavior);
    item.history.needs_hash = !args
        .options
        .as_ref()
        .is_some_and(|options| options.disable_name_suffix_hash);
    item.history.generated = true;
    item.history.annotated = true;
    Ok(item)
}

fn put_config_map_data(node: &mut Node, data: BTreeMap<String, Vec<u8>>) {
    for (key, value) in data {
        let (field, text) = match String::from_utf8(value) {
            Ok(text) => ("data", text),
            Err(error) => ("binaryData", base64::encode_wrapped(error.as_bytes())),
        };
        if node.get(field).is_none() {
            node.set(field, Node::mapping([]));
        }
        let map = node.get_mut(field).expect("set just above");
        ops::append_field(map, &key, Node::string(text));
    }
}

/// What an entry and the file's options give together; the entry wins for each key.
pub(crate) fn merged_options(
    own: Option<&GeneratorOptions>,
    global: Option<&GeneratorOptions>,
) -> Option<GeneratorOptions> {
    let Some(global) = global else {
        return own.cloned();
    };
    let mut options = own.cloned().unwrap_or_default();
    let add = |own: &mut Vec<(String, String)>, more: &[(String, String)]| {
        for (key, value) in more {
            if !own.iter().any(|(known, _)| known == key) {
                own.push((key.clone(), value.clone()));
            }
        }
        own.sort();
    };
    add(&mut options.labels, &global.labels);
    add(&mut options.annotations, &global.annotations);
    options.disable_name_suffix_hash |= global.disable_name_suffix_hash;
    options.immutable |= global.immutable;
    Some(options)
}

type Pairs = Vec<(String, Vec<u8>)>;

fn pairs(args: &GeneratorArgs, loader: &Loader, access: &mut Access<'_>) -> Outcome<Pairs> {
    let mut pairs = Pairs::new();
    let list = |sources: &[String]| format!("[{}]", sources.join(" "));
    for source in &args.envs {
        let wrap = |failures: Failures| {
            failures.prefix(format!(
                "loading KV pairs: env source files: {}",
                list(&args.envs)
            ))
        };
        let content = loader.load(access, source).map_err(wrap)?;
        env_pairs(&content, &mut pairs).map_err(|text| {
            wrap(Failures::new(
                BuildError::GeneratorFailed,
                args.name.clone(),
                text,
            ))
        })?;
    }
    for literal in &args.literals {
        let Some((key, value)) = literal.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            let text = format!(
                "loading KV pairs: literal sources {}: invalid literal source {literal}, expected key=value",
                list(&args.literals)
            );
            return Err(Failures::new(
                BuildError::GeneratorFailed,
                args.name.clone(),
                text,
            ));
        };
        pairs.push((key.to_owned(), without_quotes(value).as_bytes().to_vec()));
    }
    for source in &args.files {
        let wrap = |failures: Failures| {
            failures.prefix(format!(
                "loading KV pairs: file sources: {}",
                list(&args.files)
            ))
        };
        let (key, path) = split_file_source(source).map_err(|text| {
            wrap(Failures::new(
                BuildError::GeneratorFailed,
                args.name.clone(),
                text,
            ))
        })?;
        let content = loader.load(access, path).map_err(wrap)?;
        pairs.push((key.to_owned(), content.to_vec()));
    }
    Ok(pairs)
}

fn split_file_source(source: &str) -> Result<(&str, &str), String> {
    match source.matches('=').count() {
        0 => Ok((source.rsplit('/').next().unwrap_or(source), source)),
        1 if source.starts_with('=') => Err(format!(
            "missing key name for file path {:?} in source {source:?}",
            &source[1..]
        )),
        1 if source.ends_with('=') => Err(format!(
            "missing file path for key name {:?} in source {source:?}",
            &source[..source.len() - 1]
        )),
        1 => Ok(source.split_once('=').expect("counted one just above")),
        _ => Err(format!(
            "source {source:?} key name or file path contains '='"
        )),
    }
}

fn without_quotes(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

/// Longest line of an env file; reading ends silently at a longer one, as the reference does.
const LINE_BYTES_MAX: usize = 64 << 10;

fn env_pairs(content: &[u8], pairs: &mut Pairs) -> Result<(), String> {
    for (at, line) in content.split(|byte| *byte == b'\n').enumerate() {
        if line.len() >= LINE_BYTES_MAX {
            break;
        }
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Ok(mut text) = std::str::from_utf8(line) else {
            let bytes: Vec<_> = line.iter().map(u8::to_string).collect();
            return Err(format!(
                "line [{}] has invalid utf8 bytes : {}",
                bytes.join(" "),
                String::from_utf8_lossy(line)
            ));
        };
        if at == 0 {
            text = text.strip_prefix('\u{feff}').unwrap_or(text);
        }
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if key.is_empty() {
            continue;
        }
        pairs.push((key.to_owned(), value.as_bytes().to_vec()));
    }
    Ok(())
}

/// The ten letters and digits that follow a generated name.
///
/// # Errors
/// An object that has no JSON form.
pub(crate) fn hash(node: &Node) -> Result<String, String> {
    let value = crate::value::to_value(node)?;
    let field = |name: &str| value.get(name).filter(|value| !value.is_null()).cloned();
    let text = match value.str_at(&["kind"]) {
        Some("ConfigMap") => {
            let mut encoded = Value::map();
            encoded.set(&["data"], field("data").unwrap_or_else(|| Value::from("")));
            encoded.set(&["kind"], "ConfigMap");
            encoded.set(&["name"], "");
            if let Some(binary @ Value::Map(_)) = field("binaryData") {
                encoded.set(&["binaryData"], binary);
            }
            go_json(&encoded)
        }
        Some("Secret") => {
            let mut encoded = Value::map();
            encoded.set(&["data"], field("data").unwrap_or_else(|| Value::from("")));
            encoded.set(&["kind"], "Secret");
            encoded.set(&["name"], "");
            encoded.set(&["type"], field("type").unwrap_or_else(|| Value::from("")));
            if let Some(text @ Value::Map(_)) = field("stringData") {
                encoded.set(&["stringData"], text);
            }
            go_json(&encoded)
        }
        _ => go_json(&value),
    };
    let mut name = String::with_capacity(10);
    for byte in Sha256::digest(text.as_bytes()).iter().take(5) {
        for digit in [byte >> 4, byte & 15] {
            name.push(match digit {
                0 => 'g',
                1 => 'h',
                3 => 'k',
                10 => 'm',
                14 => 't',
                other => char::from_digit(other.into(), 16).expect("a digit below 16"),
            });
        }
    }
    Ok(name)
}

/// JSON as Go encodes it: keys sorted, `<`, `>`, `&` and line separators escaped.
pub(crate) fn go_json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, None, 0, &mut out);
    out
}

/// As [`go_json`], indented by two blanks.
pub(crate) fn go_json_indented(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, Some("  "), 0, &mut out);
    out
}

fn write_json(value: &Value, indent: Option<&str>, depth: usize, out: &mut String) {
    let line = |out: &mut String, depth: usize| {
        if let Some(indent) = indent {
            out.push('\n');
            (0..depth).for_each(|_| out.push_str(indent));
        }
    };
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(value) => drop(write!(out, "{value}")),
        Value::Uint(value) => drop(write!(out, "{value}")),
        Value::Float(value) => out.push_str(&go_float(*value)),
        Value::String(text) => write_json_text(text, out),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                write_json(item, indent, depth + 1, out);
            }
            line(out, depth);
            out.push(']');
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by(|a, b| a.0.cmp(b.0));
            out.push('{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                line(out, depth + 1);
                write_json_text(key, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write_json(value, indent, depth + 1, out);
            }
            line(out, depth);
            out.push('}');
        }
    }
}

fn write_json_text(text: &str, out: &mut String) {
    out.push('"');
    for symbol in text.chars() {
        match symbol {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(symbol));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn go_float(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{value:e}");
        return match text.split_once("e-") {
            Some((digits, exponent)) => format!("{digits}e-{exponent}"),
            None => text.replace('e', "e+"),
        };
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_follow_the_reference() {
        let config_map = |data: &[(&str, &str)]| {
            let mut node = Node::mapping([
                (Node::scalar("apiVersion"), Node::string("v1")),
                (Node::scalar("kind"), Node::string("ConfigMap")),
            ]);
            if !data.is_empty() {
                let pairs = data
                    .iter()
                    .map(|(key, value)| (Node::scalar(*key), Node::string(*value)));
                node.set("data", Node::mapping(pairs));
            }
            node
        };
        assert_eq!(hash(&config_map(&[])).unwrap(), "6ct58987ht");
        let awkward = config_map(&[("a", "<b>&c"), ("q", "quoted"), ("e", "")]);
        assert_eq!(hash(&awkward).unwrap(), "948c2ddf6m");
        let mut binary = config_map(&[]);
        binary.set(
            "binaryData",
            Node::mapping([(Node::scalar("b"), Node::string("//4A"))]),
        );
        assert_eq!(hash(&binary).unwrap(), "m29mfkk2k9");
    }

    #[test]
    fn env_files_are_taken_literally() {
        let mut pairs = Pairs::new();
        env_pairs("\u{feff}A=1\r\n  B = x \n#c\n\nC\n".as_bytes(), &mut pairs).unwrap();
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_slice()))
            .collect();
        assert_eq!(pairs, [("A", &b"1"[..]), ("B ", b" x "), ("C", b"")]);
        assert_eq!(without_quotes("'a'"), "a");
        assert_eq!(without_quotes("'a\""), "'a\"");
    }
}
