//! Brings answers into the form of the recorded ones: names for what differs between two servers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::{Map, Value, json};

static UUID: LazyLock<Regex> =
    LazyLock::new(|| re("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"));
static TIME: LazyLock<Regex> =
    LazyLock::new(|| re(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"));
static MICRO: LazyLock<Regex> =
    LazyLock::new(|| re(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"));
static IP: LazyLock<Regex> = LazyLock::new(|| re(r"\b10\.0\.[0-9]{1,3}\.[0-9]{1,3}\b"));
static AGE: LazyLock<Regex> = LazyLock::new(|| re(r"^([0-9]+[smhdy])+$"));
static HASH: LazyLock<Regex> = LazyLock::new(|| re(r"\b[0-9A-F]{128}\b"));
static NUMBERS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(ResourceVersion in precondition: )[0-9]+",
        r"(ResourceVersion in object meta: )[0-9]+",
        r"(too old resource version: )[0-9]+ \([0-9]+\)",
        r"(Too large resource version: )[0-9]+",
        r"(, current: )[0-9]+",
        r#"(resourceVersion\\*":\\*")[0-9]+"#,
        r"(does not match the ResourceVersion in record \()[0-9]+",
    ]
    .map(re)
    .to_vec()
});
static YAML_VERSION: LazyLock<Regex> = LazyLock::new(|| re(r#"(resourceVersion: )"?[0-9]+"?"#));
const AGE_COLUMNS: [&str; 5] = [
    "Age",
    "Last Seen",
    "First Seen",
    "Duration",
    "Last Schedule",
];

fn re(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns above are valid")
}

/// The value at a JSON pointer.
pub fn at<'v>(value: &'v Value, pointer: &str) -> Option<&'v Value> {
    pointer
        .split('/')
        .filter(|part| !part.is_empty())
        .try_fold(value, |value, part| {
            let part = part.replace("~1", "/").replace("~0", "~");
            match value {
                Value::Array(items) => match part.parse::<i64>().ok()? {
                    index if index < 0 => items.iter().rev().nth(usize::try_from(-index - 1).ok()?),
                    index => items.get(usize::try_from(index).ok()?),
                },
                value => value.get(&part),
            }
        })
}

fn at_mut<'v>(value: &'v mut Value, pointer: &str) -> Option<&'v mut Value> {
    value.pointer_mut(pointer)
}

/// What the answers of one script have in common.
struct Names {
    literal: String,
    names: BTreeMap<String, String>,
    pattern: Option<Regex>,
    rank: BTreeMap<(String, String), String>,
}

/// The answers of a script in normal form; null for steps that are not compared.
pub fn normalise(script: &Value, results: &[Value]) -> Vec<Value> {
    let names = Names::of(script, results);
    let steps = script["steps"].as_array().expect("a script has steps");
    steps
        .iter()
        .zip(results)
        .map(|(step, result)| names.answer(step, result))
        .collect()
}

impl Names {
    fn of(script: &Value, results: &[Value]) -> Self {
        let literal = script.to_string();
        let mut scan = Scan {
            literal: &literal,
            names: BTreeMap::new(),
            uids: 0,
            prefixes: BTreeMap::new(),
            versions: BTreeMap::new(),
        };
        for result in results {
            match result["frames"].as_array() {
                Some(frames) => frames
                    .iter()
                    .filter(|frame| frame["type"] != "BOOKMARK")
                    .for_each(|frame| scan.walk(frame)),
                None => scan.walk(result),
            }
        }
        let mut rank = BTreeMap::new();
        for (uid, versions) in &scan.versions {
            for (place, version) in versions.iter().enumerate() {
                rank.insert(
                    (uid.clone(), version.to_string()),
                    format!("rv-{}", place + 1),
                );
            }
        }
        let mut known: Vec<&String> = scan.names.keys().collect();
        known.sort_by_key(|name| std::cmp::Reverse(name.len()));
        let escaped: Vec<String> = known.iter().map(|name| regex::escape(name)).collect();
        let pattern = (!escaped.is_empty()).then(|| re(&escaped.join("|")));
        Self {
            names: scan.names,
            rank,
            pattern,
            literal,
        }
    }

    fn text(&self, text: &str, whole: bool) -> String {
        let mut text = match &self.pattern {
            Some(pattern) => pattern
                .replace_all(text, |found: &Captures<'_>| self.names[&found[0]].clone())
                .into_owned(),
            None => text.to_owned(),
        };
        for number in NUMBERS.iter() {
            text = number.replace_all(&text, "${1}<n>").into_owned();
        }
        text = text.replace('\u{a0}', " ");
        text = HASH.replace_all(&text, "<hash>").into_owned();
        text = IP
            .replace_all(&text, |found: &Captures<'_>| self.keep(&found[0], "<ip>"))
            .into_owned();
        let is = |regex: &Regex, text: &str| {
            regex
                .find(text)
                .is_some_and(|found| found.len() == text.len())
        };
        if whole && is(&TIME, &text) && !self.literal.contains(&text) {
            return "<time>".to_owned();
        }
        if whole && is(&MICRO, &text) && !self.literal.contains(&text) {
            return "<microtime>".to_owned();
        }
        if !whole || text.chars().count() > 40 {
            text = TIME
                .replace_all(&text, |found: &Captures<'_>| self.keep(&found[0], "<time>"))
                .into_owned();
            text = MICRO.replace_all(&text, "<microtime>").into_owned();
        }
        text
    }

    fn keep(&self, found: &str, other: &str) -> String {
        if self.literal.contains(found) {
            found.to_owned()
        } else {
            other.to_owned()
        }
    }

    fn value(&self, value: &Value, key: &str, parents: &[&Value], step: &mut Step<'_>) -> Value {
        match value {
            Value::String(text) => self.string(text, key, parents),
            Value::Number(number) if matches!(key, "nodePort" | "healthCheckNodePort") => {
                let number_text = number.to_string();
                match number.as_i64().is_some_and(|port| port >= 30000)
                    && !self.literal.contains(&number_text)
                {
                    true => json!("<nodeport>"),
                    false => value.clone(),
                }
            }
            Value::Array(items) => {
                let parents: Vec<&Value> = parents.iter().copied().chain([value]).collect();
                let mut out: Vec<Value> = items
                    .iter()
                    .map(|item| self.value(item, key, &parents, step))
                    .collect();
                if key == "managedFields" && step.raw["ordered"].as_bool() != Some(true) {
                    let text = |entry: &Value, key: &str| {
                        entry[key].as_str().unwrap_or_default().to_owned()
                    };
                    out.sort_by_key(|entry| {
                        ["operation", "manager", "apiVersion", "subresource"]
                            .map(|key| text(entry, key))
                    });
                }
                Value::Array(out)
            }
            Value::Object(map) => {
                let parents: Vec<&Value> = parents.iter().copied().chain([value]).collect();
                let entries = map.iter().map(|(key, inner)| {
                    let name = match &self.pattern {
                        Some(pattern) => pattern
                            .replace_all(key, |found: &Captures<'_>| self.names[&found[0]].clone())
                            .into_owned(),
                        None => key.clone(),
                    };
                    (name, self.value(inner, key, &parents, step))
                });
                let mut out: Map<String, Value> = entries.collect();
                if value["kind"] == "Table" {
                    hide_ages(value, &mut out, step);
                }
                Value::Object(out)
            }
            other => other.clone(),
        }
    }

    fn string(&self, text: &str, key: &str, parents: &[&Value]) -> Value {
        match key {
            "resourceVersion" if text.is_empty() || text == "0" => json!(text),
            "resourceVersion" => {
                let owner = parents.len().checked_sub(2).map(|at| parents[at]);
                let uid = parents
                    .last()
                    .and_then(|metadata| metadata["uid"].as_str())
                    .unwrap_or_default();
                let rank = self.rank.get(&(uid.to_owned(), text.to_owned()));
                match rank {
                    Some(rank) if !owner.is_some_and(is_list) => json!(rank),
                    _ if text.bytes().all(|byte| byte.is_ascii_digit()) => json!("<rv>"),
                    _ => json!(self.text(text, true)),
                }
            }
            "continue" if !text.is_empty() => json!("<continue>"),
            "token" if text.matches('.').count() == 2 => json!("<token>"),
            _ => json!(self.text(text, true)),
        }
    }

    fn answer(&self, raw: &Value, result: &Value) -> Value {
        if result.is_null() || raw["setup"] == true {
            return Value::Null;
        }
        let mut result = result.clone();
        for filter in raw["filter"].as_array().into_iter().flatten() {
            keep_filtered(&mut result["body"], filter);
        }
        let mut step = Step {
            raw,
            columns: Vec::new(),
        };
        let mut out = Map::new();
        out.insert("status".into(), result["status"].clone());
        let headers = result["headers"].as_object().cloned().unwrap_or_default();
        let headers = headers.into_iter().map(|(name, value)| {
            let value = match &value {
                Value::String(text) => json!(self.text(text, false)),
                Value::Array(items) => items
                    .iter()
                    .filter_map(Value::as_str)
                    .map(|item| self.text(item, false))
                    .collect(),
                other => other.clone(),
            };
            (name, value)
        });
        out.insert("headers".into(), Value::Object(headers.collect()));
        if let Some(frames) = result["frames"].as_array() {
            let frames = frames.iter().map(|frame| {
                let mut frame = self.value(frame, "", &[], &mut step);
                if frame["type"] == "BOOKMARK" {
                    frame["object"]["metadata"]["resourceVersion"] = json!("<rv>");
                }
                frame
            });
            out.insert("frames".into(), frames.collect());
        }
        if let Some(body) = result.get("body").filter(|body| !body.is_null()) {
            out.insert("body".into(), self.value(body, "", &[], &mut step));
        }
        if let Some(text) = result["text"].as_str() {
            let text = self.text(text, false);
            out.insert(
                "text".into(),
                json!(YAML_VERSION.replace_all(&text, "${1}<rv>")),
            );
        }
        let mut out = Value::Object(out);
        unorder(&mut out, raw);
        for pointer in raw["mask"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let parts: Vec<&str> = pointer.trim_matches('/').split('/').collect();
            if let Some(body) = out.get_mut("body") {
                mask(body, &parts);
            }
        }
        out
    }
}

/// A step while its answer is brought into normal form.
struct Step<'s> {
    raw: &'s Value,
    columns: Vec<String>,
}

struct Scan<'s> {
    literal: &'s str,
    names: BTreeMap<String, String>,
    uids: usize,
    prefixes: BTreeMap<String, usize>,
    versions: BTreeMap<String, BTreeSet<u64>>,
}

impl Scan<'_> {
    fn walk(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                for uid in UUID.find_iter(text).map(|found| found.as_str()) {
                    if !self.names.contains_key(uid) && !self.literal.contains(uid) {
                        self.uids += 1;
                        self.names
                            .insert(uid.to_owned(), format!("uid-{}", self.uids));
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.walk(item)),
            Value::Object(map) => {
                if let Some(metadata) = map.get("metadata").filter(|metadata| metadata.is_object())
                {
                    self.metadata(metadata, value);
                }
                map.values().for_each(|inner| self.walk(inner));
            }
            _ => {}
        }
    }

    fn metadata(&mut self, metadata: &Value, owner: &Value) {
        let text = |key: &str| metadata[key].as_str().unwrap_or_default();
        let (prefix, name) = (text("generateName"), text("name"));
        let fresh = !prefix.is_empty() && name.starts_with(prefix) && !name.is_empty();
        if fresh && !self.names.contains_key(name) && !self.literal.contains(name) {
            let number = self.prefixes.entry(prefix.to_owned()).or_default();
            *number += 1;
            self.names
                .insert(name.to_owned(), format!("{prefix}*{number}"));
        }
        if let Ok(version) = text("resourceVersion").parse::<u64>()
            && version != 0
            && !is_list(owner)
        {
            self.versions
                .entry(text("uid").to_owned())
                .or_default()
                .insert(version);
        }
    }
}

fn is_list(value: &Value) -> bool {
    let kind = value["kind"].as_str().unwrap_or_default();
    value.is_object() && (value.get("items").is_some() || kind == "Table" || kind.ends_with("List"))
}

fn keep_filtered(body: &mut Value, filter: &Value) {
    let keep: Vec<Value> = filter["keep"].as_array().cloned().unwrap_or_default();
    let by = filter["by"].as_str().unwrap_or_default().to_owned();
    match at_mut(body, filter["at"].as_str().unwrap_or_default()) {
        Some(Value::Array(items)) => {
            items.retain(|item| at(item, &by).is_some_and(|found| keep.contains(found)))
        }
        Some(Value::Object(map)) => map.retain(|key, _| keep.contains(&json!(key))),
        _ => {}
    }
}

fn hide_ages(table: &Value, out: &mut Map<String, Value>, step: &mut Step<'_>) {
    if let Some(columns) = table["columnDefinitions"]
        .as_array()
        .filter(|columns| !columns.is_empty())
    {
        step.columns = columns
            .iter()
            .map(|column| column["name"].as_str().unwrap_or_default().to_owned())
            .collect();
    }
    for row in out
        .get_mut("rows")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        for (at, column) in step.columns.iter().enumerate() {
            let cell = row["cells"].get_mut(at);
            if let Some(cell) =
                cell.filter(|cell| cell.as_str().is_some_and(|text| AGE.is_match(text)))
                && AGE_COLUMNS.contains(&column.as_str())
            {
                *cell = json!("<age>");
            }
        }
    }
}

fn unorder(out: &mut Value, raw: &Value) {
    let Some(kind) = raw["unordered"].as_str() else {
        return;
    };
    let Some(body) = out.get_mut("body").filter(|body| body.is_object()) else {
        return;
    };
    if kind == "message" {
        let message = body["message"].as_str().unwrap_or_default().to_owned();
        let separators = re(r", |: \[|\]");
        let mut parts: Vec<&str> = separators.split(&message).collect();
        parts.sort_unstable();
        body["message"] = json!(parts);
    }
    if let Some(causes) = body
        .pointer_mut("/details/causes")
        .and_then(Value::as_array_mut)
    {
        causes.sort_by_key(|cause| {
            let sorted: BTreeMap<&String, &Value> =
                cause.as_object().into_iter().flatten().collect();
            serde_json::to_string(&sorted).unwrap_or_default()
        });
    }
}

fn mask(value: &mut Value, parts: &[&str]) {
    let Some((first, rest)) = parts.split_first() else {
        return;
    };
    let wanted = first.replace("~1", "/").replace("~0", "~");
    let apply = |key: &str, inner: &mut Value| {
        if *first == "*" || key == wanted {
            match rest.is_empty() {
                true => *inner = json!("<masked>"),
                false => mask(inner, rest),
            }
        }
    };
    match value {
        Value::Object(map) => map.iter_mut().for_each(|(key, inner)| apply(key, inner)),
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .for_each(|(at, inner)| apply(&at.to_string(), inner)),
        _ => {}
    }
}
