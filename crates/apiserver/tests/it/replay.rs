//! Recorded answers of a real API server, compared with ours step by step.
//!
//! Scripts and goldens are data outside of the repository; their format is described beside them.
//! `REPLAY=<part of a script's name>` shows what differs there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use apimachine::{Features, Timestamp};
use apiserver::{Clock, Cluster, Options, SystemClock, Tokens};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use handover::{Content, Offer};
use http::Request;
use http_body_util::Full;
use object::Node;
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::client;

/// Steps that were equal when this was last raised. It only grows.
const EQUAL_AT_LEAST: usize = 1530;

/// Longest wait of a step: reactions are complete when an answer comes, so nothing has to be awaited.
const WAIT_MAX: Duration = Duration::from_millis(250);

/// Longest time without a frame in a watch.
const FRAME_WAIT_MAX: Duration = Duration::from_millis(250);

#[tokio::test]
async fn recorded_steps_are_answered_as_recorded() {
    replay(Carrier::Text, EQUAL_AT_LEAST).await;
}

#[tokio::test]
async fn values_handed_over_say_what_their_text_would() {
    // Three answers quote the body with the blanks it had.
    replay(Carrier::Values, EQUAL_AT_LEAST - 3).await;
}

/// How bodies travel.
#[derive(Clone, Copy, PartialEq)]
enum Carrier {
    Text,
    /// As values where JSON of one object can be one, and the server agrees.
    Values,
}

async fn replay(carrier: Carrier, at_least: usize) {
    let Some(folder) = testkit::corpus("apiserver") else {
        return;
    };
    let wanted = std::env::var("REPLAY").ok();
    let users = std::fs::read_to_string(folder.join("users.csv")).expect("the users");
    let mut clusters: BTreeMap<String, Arc<Cluster>> = BTreeMap::new();
    let (mut equal, mut total) = (0, 0);
    for (name, script) in scripts(&folder) {
        let shown = wanted
            .as_ref()
            .is_some_and(|wanted| name.contains(wanted.as_str()));
        if wanted.is_some() && !shown {
            continue;
        }
        let server = script["server"].as_str().unwrap_or("plain").to_owned();
        let cluster = clusters
            .entry(server)
            .or_insert_with_key(|server| cluster(server, &users));
        let golden = read(&folder.join("goldens").join(format!("{name}.json")));
        let results = Runner {
            cluster,
            script: &script,
            carrier,
            variables: BTreeMap::new(),
        }
        .run()
        .await;
        let answers = normalise(&script, &results);
        let (script_equal, script_total) = compare(&name, &script, &golden, &answers, shown);
        println!("{name}: {script_equal} of {script_total} steps equal");
        equal += script_equal;
        total += script_total;
    }
    println!("{equal} of {total} steps equal");
    assert!(
        wanted.is_some() || equal >= at_least,
        "{equal} steps are equal, there were {at_least}"
    );
}

fn read(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn scripts(folder: &Path) -> Vec<(String, Value)> {
    let files = std::fs::read_dir(folder.join("scripts")).expect("the scripts");
    let mut names: Vec<String> = files
        .filter_map(|file| {
            Some(
                file.ok()?
                    .file_name()
                    .to_str()?
                    .strip_suffix(".json")?
                    .to_owned(),
            )
        })
        .collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let script = read(&folder.join("scripts").join(format!("{name}.json")));
            (name, script)
        })
        .collect()
}

/// Managers are ordered by the second in which they wrote, so all write in the same.
struct Stopped(Timestamp);

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        self.0
    }
}

/// A fresh server with the switches of the recorded one.
fn cluster(server: &str, users: &str) -> Arc<Cluster> {
    let features = Features {
        service_account_admission: server == "serviceaccount",
        default_storage_class_admission: server != "serviceaccount",
        ..Features::default()
    };
    let tokens = Tokens::parse(users).expect("the users are in order");
    Cluster::new(Options {
        features,
        tokens,
        seed: [7; 32],
        clock: Arc::new(Stopped(SystemClock.now())),
        ..Options::default()
    })
}

// ---- running ----

/// What came back: `status`, `headers`, and `body`, `text` or `frames`.
type Outcome = Option<Map<String, Value>>;

struct Runner<'a> {
    cluster: &'a Arc<Cluster>,
    script: &'a Value,
    carrier: Carrier,
    variables: BTreeMap<String, Value>,
}

impl Runner<'_> {
    async fn run(mut self) -> Vec<Outcome> {
        let mut results = Vec::new();
        for raw in self.script["steps"].as_array().expect("steps") {
            if raw.get("path").is_none() {
                results.push(None);
                continue;
            }
            let step = fill(raw, &self.variables);
            let started = Instant::now();
            let outcome = loop {
                let outcome = self.once(&step).await;
                let done = step.get("wait").is_none_or(|wait| holds(wait, &outcome));
                if done || started.elapsed() > WAIT_MAX {
                    break outcome;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            };
            for (name, pointer) in step["capture"].as_object().into_iter().flatten() {
                let source = outcome
                    .get("frames")
                    .or_else(|| outcome.get("body"))
                    .unwrap_or(&Value::Null);
                let value = at(source, pointer.as_str().unwrap_or_default());
                self.variables
                    .insert(name.clone(), value.cloned().unwrap_or_else(|| json!("")));
            }
            results.push(Some(outcome));
        }
        results
    }

    async fn once(&self, step: &Value) -> Map<String, Value> {
        let method = step["method"].as_str().unwrap_or("GET");
        let mut headers: Vec<(String, Value)> = vec![
            ("Accept".into(), json!("application/json")),
            ("User-Agent".into(), json!("trace/1.0")),
        ];
        let user = step["as"].as_str().unwrap_or("admin");
        if user != "none" {
            let token = if matches!(user, "admin" | "alice" | "bob") {
                format!("{user}-token")
            } else {
                user.to_owned()
            };
            headers.push(("Authorization".into(), json!(format!("Bearer {token}"))));
        }
        let body = body_of(step);
        if body.is_some() {
            headers.push(("Content-Type".into(), json!("application/json")));
        }
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            headers.retain(|(one, _)| one != name);
            if !value.is_null() {
                headers.push((name.clone(), value.clone()));
            }
        }
        let path = step["path"].as_str().unwrap_or_default();
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in &headers {
            let values = value
                .as_array()
                .cloned()
                .unwrap_or_else(|| vec![value.clone()]);
            for value in values {
                request = request.header(name, value.as_str().unwrap_or_default());
            }
        }
        let mut body = body.unwrap_or_default();
        if self.carrier == Carrier::Values {
            let offer = Offer {
                body: value_of(&body, &headers),
            };
            if offer.body.is_some() {
                body.clear();
            }
            request = request.extension(offer);
        }
        let Ok(request) = request.body(Full::new(Bytes::from(body))) else {
            return Map::from_iter([("status".to_owned(), json!(0))]);
        };
        let mut response = self.cluster.serve(request, None).await;
        let mut out = Map::new();
        let mut kept = Map::new();
        let recorded = step["record"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let names: Vec<&str> = ["Content-Type", "Warning", "Retry-After"]
            .into_iter()
            .chain(recorded)
            .collect();
        for name in names {
            let mut values: Vec<&str> = response
                .headers()
                .get_all(name)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .collect();
            if name == "Warning" {
                values.sort_unstable();
                if !values.is_empty() {
                    kept.insert(name.into(), json!(values));
                }
            } else if let Some(first) = values.first() {
                kept.insert(name.into(), json!(first));
            }
        }
        out.insert("status".into(), json!(response.status().as_u16()));
        if let (Some(watch), 200) = (step.get("watch"), response.status().as_u16()) {
            let most = watch["frames"].as_u64().unwrap_or(1000);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            let frames = match handed_over(&response) {
                Some(Content::Events(events)) => client::events(events, most, FRAME_WAIT_MAX).await,
                _ => client::frames(response.body_mut(), most, FRAME_WAIT_MAX).await,
            };
            out.insert("frames".into(), frames.into());
            kept.retain(|name, _| name == "Content-Type");
            out.insert("headers".into(), kept.into());
            return out;
        }
        out.insert("headers".into(), kept.into());
        let handed = handed_over(&response);
        let mut answer = client::collect(response).await;
        if let Some(Content::Node(node)) = handed {
            answer.bytes = object::json::to_string(&node).into();
        }
        if method == "HEAD" || step["body_ignored"] == json!(true) {
            return out;
        }
        let content_type = answer
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let maybe_json =
            content_type.starts_with("application/json") || answer.bytes.first() == Some(&b'{');
        if maybe_json && let Ok(body) = serde_json::from_slice(&answer.bytes) {
            out.insert("body".into(), body);
            return out;
        }
        if !answer.bytes.is_empty() {
            out.insert("text".into(), json!(String::from_utf8_lossy(&answer.bytes)));
        }
        out
    }
}

fn handed_over(response: &http::Response<apiserver::Body>) -> Option<Content> {
    response.extensions().get::<handover::Answer>()?.take()
}

/// The value of a body that a client could hand over.
fn value_of(body: &[u8], headers: &[(String, Value)]) -> Option<Node> {
    let content_type = headers.iter().find(|(name, _)| name == "Content-Type");
    let content_type = content_type.and_then(|(_, value)| value.as_str());
    let is_json = content_type.is_some_and(|one| one.contains("json") || one.contains("apply"));
    let limits = object::json::OBJECT_LIMITS;
    let parsed = object::json::parse_reporting(body, limits).ok()?;
    let sound = parsed.duplicates.is_empty() && object::json::survives(&parsed.node, limits);
    (is_json && sound).then_some(parsed.node)
}

fn body_of(step: &Value) -> Option<Vec<u8>> {
    if let Some(text) = step["body64"].as_str() {
        return Some(STANDARD.decode(text).expect("base64"));
    }
    if let Some(fill) = step.get("fill") {
        let part = |name: &str| fill[name].as_str().unwrap_or_default();
        let times = usize::try_from(fill["times"].as_u64().unwrap_or(0)).unwrap_or(0);
        return Some(
            format!(
                "{}{}{}",
                part("before"),
                part("text").repeat(times),
                part("after")
            )
            .into_bytes(),
        );
    }
    match step.get("body")? {
        Value::String(text) => Some(text.clone().into_bytes()),
        other => Some(spaced(other).into_bytes()),
    }
}

/// JSON with blanks after commas and colons, as the recorder sent it: answers quote it.
fn spaced(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(spaced).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .map(|(key, item)| format!("{}: {}", json!(key), spaced(item)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn fill(value: &Value, variables: &BTreeMap<String, Value>) -> Value {
    match value {
        Value::String(text) => {
            if let Some(whole) = text
                .strip_prefix("${")
                .and_then(|rest| rest.strip_suffix('}'))
                .and_then(|name| variables.get(name))
            {
                return whole.clone();
            }
            let mut text = text.clone();
            for (name, value) in variables {
                let plain = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                text = text.replace(&format!("${{{name}}}"), &plain);
            }
            Value::String(text)
        }
        Value::Array(items) => items.iter().map(|item| fill(item, variables)).collect(),
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, item)| (key.clone(), fill(item, variables)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn at<'a>(value: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut value = value;
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        let part = part.replace("~1", "/").replace("~0", "~");
        value = match value {
            Value::Array(items) => {
                let index: i64 = part.parse().ok()?;
                let length = i64::try_from(items.len()).ok()?;
                items.get(usize::try_from(if index < 0 { index + length } else { index }).ok()?)?
            }
            Value::Object(map) => map.get(&part)?,
            _ => return None,
        };
    }
    Some(value)
}

fn holds(wait: &Value, outcome: &Map<String, Value>) -> bool {
    if wait
        .get("status")
        .is_some_and(|status| outcome.get("status") != Some(status))
    {
        return false;
    }
    let Some(pointer) = wait["at"].as_str() else {
        return true;
    };
    let found = outcome
        .get("body")
        .and_then(|body| at(body, pointer))
        .unwrap_or(&Value::Null);
    let length = found.as_array().map_or(0, Vec::len);
    wait.get("equals").is_none_or(|equals| equals == found)
        && wait
            .get("length")
            .is_none_or(|wanted| *wanted == json!(length))
        && wait["set"]
            .as_bool()
            .is_none_or(|set| !set || !is_empty(found))
        && wait["has"].as_object().is_none_or(|has| {
            let items = found.as_array().into_iter().flatten();
            items
                .filter_map(Value::as_object)
                .any(|item| has.iter().all(|(key, value)| item.get(key) == Some(value)))
        })
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

// ---- normalising ----

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("a right pattern"));
    };
}

pattern!(
    UUID,
    "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
);
pattern!(TIME, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ");
pattern!(MICRO, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z");
pattern!(ADDRESS, r"\b10\.0\.\d{1,3}\.\d{1,3}\b");
pattern!(AGE, r"^(\d+[smhdy])+$");
pattern!(HASH, r"\b[0-9A-F]{128}\b");
pattern!(VERSION_IN_TEXT, r#"(resourceVersion: )"?\d+"?"#);
pattern!(UID_NAME, r"uid-\d+");
static NUMBERS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r"(ResourceVersion in precondition: )\d+",
        r"(ResourceVersion in object meta: )\d+",
        r"(too old resource version: )\d+ \(\d+\)",
        r"(Too large resource version: )\d+",
        r"(, current: )\d+",
        r#"(resourceVersion\\*":\\*")\d+"#,
        r"(does not match the ResourceVersion in record \()\d+",
    ]
    .map(|pattern| Regex::new(pattern).expect("a right pattern"))
    .into()
});

const AGE_COLUMNS: [&str; 5] = [
    "Age",
    "Last Seen",
    "First Seen",
    "Duration",
    "Last Schedule",
];

/// What a script's answers have in common: names given to uids, ranks given to versions.
struct Normaliser {
    literal: String,
    names: BTreeMap<String, String>,
    uids: usize,
    prefixes: BTreeMap<String, usize>,
    versions: BTreeMap<String, BTreeSet<u64>>,
    pattern: Option<Regex>,
    columns: Vec<String>,
}

fn normalise(script: &Value, results: &[Outcome]) -> Vec<Value> {
    let mut normaliser = Normaliser {
        literal: script.to_string(),
        names: BTreeMap::new(),
        uids: 0,
        prefixes: BTreeMap::new(),
        versions: BTreeMap::new(),
        pattern: None,
        columns: Vec::new(),
    };
    for outcome in results.iter().flatten() {
        match outcome.get("frames").and_then(Value::as_array) {
            Some(frames) => frames
                .iter()
                .filter(|frame| frame["type"] != "BOOKMARK")
                .for_each(|frame| normaliser.scan(frame)),
            None => outcome.values().for_each(|value| normaliser.scan(value)),
        }
    }
    let mut keys: Vec<&String> = normaliser.names.keys().collect();
    keys.sort_by_key(|key| std::cmp::Reverse(key.len()));
    if !keys.is_empty() {
        let any = keys
            .iter()
            .map(|key| regex::escape(key))
            .collect::<Vec<_>>()
            .join("|");
        normaliser.pattern = Some(Regex::new(&any).expect("escaped names"));
    }
    let steps = script["steps"].as_array().expect("steps");
    steps
        .iter()
        .zip(results)
        .map(|(step, outcome)| match outcome {
            Some(outcome) if step["setup"] != json!(true) => normaliser.answer(step, outcome),
            _ => Value::Null,
        })
        .collect()
}

impl Normaliser {
    fn scan(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                for found in UUID.find_iter(text) {
                    if !self.names.contains_key(found.as_str())
                        && !self.literal.contains(found.as_str())
                    {
                        self.uids += 1;
                        self.names
                            .insert(found.as_str().to_owned(), format!("uid-{}", self.uids));
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.scan(item)),
            Value::Object(map) => {
                if let Some(metadata) = map.get("metadata").and_then(Value::as_object) {
                    self.scan_metadata(map, metadata);
                }
                map.values().for_each(|item| self.scan(item));
            }
            _ => {}
        }
    }

    fn scan_metadata(&mut self, object: &Map<String, Value>, metadata: &Map<String, Value>) {
        let text = |key: &str| {
            metadata
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let (prefix, name) = (text("generateName"), text("name"));
        if !prefix.is_empty()
            && name.starts_with(prefix)
            && !self.names.contains_key(name)
            && !self.literal.contains(name)
        {
            let count = self.prefixes.entry(prefix.to_owned()).or_default();
            *count += 1;
            self.names
                .insert(name.to_owned(), format!("{prefix}*{count}"));
        }
        if let Ok(version @ 1..) = text("resourceVersion").parse::<u64>()
            && !is_list(object)
        {
            self.versions
                .entry(text("uid").to_owned())
                .or_default()
                .insert(version);
        }
    }

    fn text(&self, text: &str, whole: bool) -> String {
        let mut text = match &self.pattern {
            Some(pattern) => pattern
                .replace_all(text, |found: &regex::Captures<'_>| {
                    self.names[&found[0]].clone()
                })
                .into_owned(),
            None => text.to_owned(),
        };
        for pattern in NUMBERS.iter() {
            text = pattern.replace_all(&text, "${1}<n>").into_owned();
        }
        text = text.replace('\u{a0}', " ");
        text = HASH.replace_all(&text, "<hash>").into_owned();
        text = self.unless_literal(&ADDRESS, &text, "<ip>");
        if whole {
            if is_whole(&TIME, &text) && !self.literal.contains(&text) {
                return "<time>".into();
            }
            if is_whole(&MICRO, &text) && !self.literal.contains(&text) {
                return "<microtime>".into();
            }
        }
        if !whole || text.chars().count() > 40 {
            text = self.unless_literal(&TIME, &text, "<time>");
            text = MICRO.replace_all(&text, "<microtime>").into_owned();
        }
        text
    }

    fn unless_literal(&self, pattern: &Regex, text: &str, name: &str) -> String {
        pattern
            .replace_all(text, |found: &regex::Captures<'_>| {
                match self.literal.contains(&found[0]) {
                    true => found[0].to_owned(),
                    false => name.to_owned(),
                }
            })
            .into_owned()
    }

    fn value(
        &mut self,
        value: &Value,
        key: &str,
        parents: &[&Map<String, Value>],
        step: &Value,
    ) -> Value {
        match value {
            Value::String(text) => json!(self.string(text, key, parents)),
            Value::Number(number) => {
                let port = matches!(key, "nodePort" | "healthCheckNodePort")
                    && number.as_i64().is_some_and(|port| port >= 30000);
                if port && !self.literal.contains(&number.to_string()) {
                    json!("<nodeport>")
                } else {
                    value.clone()
                }
            }
            Value::Array(items) => {
                let mut out: Vec<Value> = items
                    .iter()
                    .map(|item| self.value(item, key, parents, step))
                    .collect();
                if key == "managedFields" && step["ordered"] != json!(true) {
                    let rank = |entry: &Value| {
                        ["operation", "manager", "apiVersion", "subresource"]
                            .map(|key| entry[key].as_str().unwrap_or_default().to_owned())
                    };
                    out.sort_by_key(rank);
                }
                Value::Array(out)
            }
            Value::Object(map) => {
                let mut inner: Vec<&Map<String, Value>> = parents.to_vec();
                inner.push(map);
                let mut out = Map::new();
                for (key, item) in map {
                    let name = match &self.pattern {
                        Some(pattern) => pattern
                            .replace_all(key, |found: &regex::Captures<'_>| {
                                self.names[&found[0]].clone()
                            })
                            .into_owned(),
                        None => key.clone(),
                    };
                    let item = self.value(item, key, &inner, step);
                    out.insert(name, item);
                }
                if map.get("kind") == Some(&json!("Table")) {
                    self.ages(map, &mut out);
                }
                Value::Object(out)
            }
            _ => value.clone(),
        }
    }

    fn string(&self, text: &str, key: &str, parents: &[&Map<String, Value>]) -> String {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match key {
            "resourceVersion" => {
                if text.is_empty() || text == "0" {
                    return text.to_owned();
                }
                let owner_is_list = parents.len() > 1 && is_list(parents[parents.len() - 2]);
                let uid = parents
                    .last()
                    .and_then(|metadata| metadata.get("uid"))
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let rank = self
                    .versions
                    .get(uid)
                    .zip(text.parse::<u64>().ok())
                    .and_then(|(versions, version)| {
                        versions.iter().position(|one| *one == version)
                    });
                match rank {
                    Some(rank) if !owner_is_list => format!("rv-{}", rank + 1),
                    _ if digits => "<rv>".into(),
                    _ => self.text(text, true),
                }
            }
            "continue" if !text.is_empty() => "<continue>".into(),
            "token" if text.matches('.').count() == 2 => "<token>".into(),
            _ => self.text(text, true),
        }
    }

    fn ages(&mut self, table: &Map<String, Value>, out: &mut Map<String, Value>) {
        if let Some(columns) = table.get("columnDefinitions").and_then(Value::as_array) {
            self.columns = columns
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
            for (at, column) in self.columns.iter().enumerate() {
                let cell = row.get_mut("cells").and_then(|cells| cells.get_mut(at));
                if let Some(cell) = cell
                    && AGE_COLUMNS.contains(&column.as_str())
                    && cell.as_str().is_some_and(|text| AGE.is_match(text))
                {
                    *cell = json!("<age>");
                }
            }
        }
    }

    fn answer(&mut self, step: &Value, outcome: &Map<String, Value>) -> Value {
        self.columns.clear();
        let mut outcome = outcome.clone();
        if let Some(body) = outcome.get_mut("body") {
            filter(body, step);
        }
        let mut out = Map::new();
        out.insert("status".into(), outcome["status"].clone());
        let headers = outcome
            .get("headers")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default();
        let headers = headers.into_iter().map(|(name, value)| {
            let value = match value {
                Value::String(text) => json!(self.text(&text, false)),
                Value::Array(items) => items
                    .iter()
                    .map(|item| json!(self.text(item.as_str().unwrap_or_default(), false)))
                    .collect(),
                other => other,
            };
            (name, value)
        });
        let headers: Map<String, Value> = headers.collect();
        out.insert("headers".into(), headers.into());
        if let Some(frames) = outcome.get("frames").and_then(Value::as_array) {
            let frames = frames.iter().map(|frame| {
                let mut frame = self.value(frame, "", &[], step);
                if frame["type"] == "BOOKMARK" {
                    frame["object"]["metadata"]["resourceVersion"] = json!("<rv>");
                }
                frame
            });
            out.insert("frames".into(), frames.collect::<Vec<_>>().into());
        }
        if let Some(body) = outcome.get("body") {
            let body = self.value(body, "", &[], step);
            out.insert("body".into(), body);
        }
        if let Some(text) = outcome.get("text").and_then(Value::as_str) {
            let text = self.text(text, false);
            out.insert(
                "text".into(),
                json!(VERSION_IN_TEXT.replace_all(&text, "${1}<rv>")),
            );
        }
        if let (Some(how), Some(body)) = (
            step["unordered"].as_str(),
            out.get_mut("body").and_then(Value::as_object_mut),
        ) {
            if how == "message" {
                let message = body
                    .get("message")
                    .and_then(Value::as_str)
                    .unwrap_or_default();
                let mut parts: Vec<String> = message
                    .replace(": [", ", ")
                    .replace(']', ", ")
                    .split(", ")
                    .map(str::to_owned)
                    .collect();
                parts.sort();
                body.insert("message".into(), json!(parts));
            }
            if let Some(causes) = body
                .get_mut("details")
                .and_then(|details| details.get_mut("causes"))
                .and_then(Value::as_array_mut)
            {
                causes.sort_by_key(sorted_text);
            }
        }
        for path in step["mask"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if let Some(body) = out.get_mut("body") {
                mask(body, &path.trim_matches('/').split('/').collect::<Vec<_>>());
            }
        }
        Value::Object(out)
    }
}

fn sorted_text(value: &Value) -> String {
    let ordered: BTreeMap<&String, &Value> = value.as_object().into_iter().flatten().collect();
    format!("{ordered:?}")
}

fn is_whole(pattern: &Regex, text: &str) -> bool {
    pattern
        .find(text)
        .is_some_and(|found| found.len() == text.len())
}

fn is_list(object: &Map<String, Value>) -> bool {
    let kind = object
        .get("kind")
        .and_then(Value::as_str)
        .unwrap_or_default();
    object.contains_key("items") || kind == "Table" || kind.ends_with("List")
}

fn filter(body: &mut Value, step: &Value) {
    for filter in step["filter"].as_array().into_iter().flatten() {
        let pointer = filter["at"].as_str().unwrap_or_default();
        let keep = filter["keep"].as_array().cloned().unwrap_or_default();
        match body.pointer_mut(pointer) {
            Some(Value::Array(items)) => {
                let by = filter["by"].as_str().unwrap_or_default();
                items.retain(|item| keep.contains(at(item, by).unwrap_or(&Value::Null)));
            }
            Some(Value::Object(map)) => map.retain(|key, _| keep.iter().any(|one| one == key)),
            _ => {}
        }
    }
}

fn mask(value: &mut Value, path: &[&str]) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    let name = first.replace("~1", "/").replace("~0", "~");
    let matching = |key: &str| *first == "*" || key == name;
    let inner: Vec<&mut Value> = match value {
        Value::Array(items) => items
            .iter_mut()
            .enumerate()
            .filter(|(at, _)| matching(&at.to_string()))
            .map(|(_, item)| item)
            .collect(),
        Value::Object(map) => map
            .iter_mut()
            .filter(|(key, _)| matching(key))
            .map(|(_, item)| item)
            .collect(),
        _ => return,
    };
    for item in inner {
        if rest.is_empty() {
            *item = json!("<masked>");
        } else {
            mask(item, rest);
        }
    }
}

// ---- comparing ----

/// Which of our uids stands for which recorded one; grows with every equal step.
#[derive(Clone, Default)]
struct Uids(BTreeMap<String, String>);

impl Uids {
    /// Whether two texts are equal when uids are renamed consistently.
    fn unify(&mut self, want: &str, got: &str) -> bool {
        if UID_NAME.split(want).ne(UID_NAME.split(got)) {
            return false;
        }
        let pairs = UID_NAME.find_iter(want).zip(UID_NAME.find_iter(got));
        pairs.into_iter().all(|(want, got)| {
            let known = self.0.get(got.as_str());
            match known {
                Some(known) => known == want.as_str(),
                None => {
                    let free = !self.0.values().any(|used| used == want.as_str());
                    self.0
                        .insert(got.as_str().to_owned(), want.as_str().to_owned());
                    free
                }
            }
        })
    }
}

fn compare(
    name: &str,
    script: &Value,
    golden: &Value,
    answers: &[Value],
    shown: bool,
) -> (usize, usize) {
    let (mut equal, mut total) = (0, 0);
    let mut uids = Uids::default();
    let steps = script["steps"].as_array().expect("steps");
    let wanted = golden["answers"].as_array().expect("answers");
    for (index, (want, got)) in wanted.iter().zip(answers).enumerate() {
        if want.is_null() {
            continue;
        }
        total += 1;
        let (mut want, mut got) = (want.clone(), got.clone());
        let step = &steps[index];
        for side in [&mut want, &mut got] {
            without_descriptions(side, step["path"].as_str().unwrap_or_default());
        }
        let mut tentative = uids.clone();
        match difference(&want, &got, "", &mut tentative) {
            None => {
                equal += 1;
                uids = tentative;
            }
            Some(difference) if shown => {
                let (method, path) = (
                    step["method"].as_str().unwrap_or("GET"),
                    step["path"].as_str().unwrap_or_default(),
                );
                println!("  {name}[{index}] {method} {path}\n     {difference}");
            }
            Some(_) => {}
        }
    }
    (equal, total)
}

/// Descriptions of columns and schemas are documentation in our own words, not interface.
fn without_descriptions(answer: &mut Value, path: &str) {
    let body = match answer.get_mut("body") {
        Some(body) => vec![body],
        None => answer["frames"]
            .as_array_mut()
            .into_iter()
            .flatten()
            .filter_map(|frame| frame.get_mut("object"))
            .collect(),
    };
    for body in body {
        for column in body
            .get_mut("columnDefinitions")
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            column["description"] = json!("<description>");
        }
        if path.starts_with("/openapi/") {
            drop_descriptions(body);
        }
    }
}

fn drop_descriptions(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(drop_descriptions),
        Value::Object(map) => {
            map.retain(|key, item| key != "description" || !item.is_string());
            map.values_mut().for_each(drop_descriptions);
        }
        _ => {}
    }
}

fn difference(want: &Value, got: &Value, path: &str, uids: &mut Uids) -> Option<String> {
    let differs = || {
        Some(format!(
            "{}: want {}, got {}",
            if path.is_empty() { "/" } else { path },
            short(want),
            short(got)
        ))
    };
    match (want, got) {
        (Value::Object(want), Value::Object(got)) => {
            let keys: BTreeSet<&String> = want.keys().chain(got.keys()).collect();
            keys.into_iter().find_map(|key| {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (want.get(key), got.get(key)) {
                    (Some(want), Some(got)) => difference(want, got, &path, uids),
                    (Some(want), None) => Some(format!("{path}: missing, want {}", short(want))),
                    (_, got) => Some(format!(
                        "{path}: not wanted, got {}",
                        short(got.unwrap_or(&Value::Null))
                    )),
                }
            })
        }
        (Value::Array(want), Value::Array(got)) => (0..want.len().max(got.len())).find_map(|at| {
            let path = format!("{path}/{at}");
            match (want.get(at), got.get(at)) {
                (Some(want), Some(got)) => difference(want, got, &path, uids),
                (Some(want), None) => Some(format!("{path}: missing, want {}", short(want))),
                (_, got) => Some(format!(
                    "{path}: not wanted, got {}",
                    short(got.unwrap_or(&Value::Null))
                )),
            }
        }),
        (Value::String(one), Value::String(other)) => {
            if uids.unify(one, other) {
                None
            } else {
                differs()
            }
        }
        _ => {
            if want == got {
                None
            } else {
                differs()
            }
        }
    }
}

fn short(value: &Value) -> String {
    const LENGTH_MAX: usize = 600;
    let text = value.to_string();
    text.chars().take(LENGTH_MAX).collect()
}
