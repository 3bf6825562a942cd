//! Recorded conversations with a real API server, replayed against `step`.
//!
//! `FLEETWRIGHT_REPLAY_ONLY=part` replays the scripts whose name contains the part and prints
//! every difference; `FLEETWRIGHT_REPLAY_REPORT=file` writes one line per step.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use apimachine::watch::Watcher;
use apimachine::{Body, Env, Features, Request, State, Timestamp, User, settle, step as apply};
use serde_json::{Map, Value, json};

use crate::compare::difference;
use crate::normal::{at, normalise};

/// Steps that have to be equal; raise it whenever more are.
const EQUAL_AT_LEAST: usize = 1504;

#[test]
fn recorded_conversations_go_as_recorded() {
    let Some(corpus) = testkit::corpus("apiserver") else {
        return;
    };
    let only = std::env::var("FLEETWRIGHT_REPLAY_ONLY").unwrap_or_default();
    let users = users(&corpus);
    let mut bases = BTreeMap::new();
    let (mut report, mut equal, mut all) = (String::new(), 0, 0);
    for name in names(&corpus, &only) {
        let script = read(&corpus.join("scripts").join(format!("{name}.json")));
        let golden = read(&corpus.join("goldens").join(format!("{name}.json")));
        let server = script["server"].as_str().unwrap_or("plain").to_owned();
        let base = bases
            .entry(server.clone())
            .or_insert_with(|| State::new(features(&server), &env(0)));
        let mut player = Player {
            state: base.clone(),
            clock: 1_000_000,
            users: &users,
            variables: Map::new(),
        };
        let steps = script["steps"].as_array().expect("a script has steps");
        let results: Vec<Value> = steps.iter().map(|step| player.play(step)).collect();
        let got = normalise(&script, &results);
        let (mut equal_here, mut all_here) = (0, 0);
        for (number, (want, got)) in golden["answers"]
            .as_array()
            .expect("answers")
            .iter()
            .zip(&got)
            .enumerate()
        {
            if want.is_null() {
                let status = results[number]["status"].as_u64();
                if status.is_some_and(|status| !(200..300).contains(&status)) {
                    let _ = writeln!(
                        report,
                        "SETUP {name}[{number}] {}\n     {}",
                        steps[number]["path"], results[number]
                    );
                }
                continue;
            }
            all_here += 1;
            let step = &steps[number];
            let label = format!(
                "{name}[{number}] {} {}",
                step["method"].as_str().unwrap_or("GET"),
                step["path"]
            );
            match difference(&without_descriptions(want), &without_descriptions(got)) {
                None => {
                    equal_here += 1;
                    let _ = writeln!(report, "ok   {label}");
                }
                Some(difference) => {
                    let _ = writeln!(report, "FAIL {label}\n     {difference}");
                }
            }
        }
        println!("{name}: {equal_here} of {all_here}");
        equal += equal_here;
        all += all_here;
    }
    println!("{equal} of {all} steps equal");
    match std::env::var_os("FLEETWRIGHT_REPLAY_REPORT") {
        Some(file) => std::fs::write(file, report).expect("the report can be written"),
        None if !only.is_empty() => println!("{report}"),
        None => {}
    }
    assert!(
        !only.is_empty() || equal >= EQUAL_AT_LEAST,
        "only {equal} of {all} steps are equal, {EQUAL_AT_LEAST} were before"
    );
}

fn read(path: &Path) -> Value {
    let text =
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).expect("the corpus is JSON")
}

fn names(corpus: &Path, only: &str) -> Vec<String> {
    let folder = std::fs::read_dir(corpus.join("scripts")).expect("the corpus has scripts");
    let files = folder.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.strip_suffix(".json")?.to_owned()))
        .collect();
    names.retain(|name| name.contains(only));
    names.sort();
    names
}

fn features(server: &str) -> Features {
    Features {
        service_account_admission: server == "serviceaccount",
        default_storage_class_admission: server != "serviceaccount",
        ..Features::default()
    }
}

fn env(milliseconds: i64) -> Env {
    const START: i64 = 1_790_000_000;
    Env {
        now: Timestamp::from_unix(START + milliseconds / 1_000),
        seed: seed(milliseconds),
    }
}

/// Users by token name, as the recorded server knew them.
fn users(corpus: &Path) -> BTreeMap<String, User> {
    let text = std::fs::read_to_string(corpus.join("users.csv")).expect("the corpus has users");
    let user = |line: &str| {
        let cells: Vec<&str> = line
            .split(',')
            .map(|cell| cell.trim().trim_matches('"'))
            .collect();
        let groups: Vec<&str> = cells
            .iter()
            .skip(3)
            .copied()
            .filter(|group| !group.is_empty())
            .collect();
        let mut user = User::new(cells[1], groups);
        user.uid = cells[2].into();
        (cells[1].to_owned(), user)
    };
    text.lines()
        .filter(|line| line.contains(','))
        .map(user)
        .collect()
}

struct Player<'a> {
    state: State,
    clock: i64,
    users: &'a BTreeMap<String, User>,
    variables: Map<String, Value>,
}

impl Player<'_> {
    fn play(&mut self, raw: &Value) -> Value {
        if let Some(seconds) = raw["sleep"].as_f64() {
            self.pass(seconds.ceil() as i64);
        }
        if raw["path"].is_null() {
            return Value::Null;
        }
        let step = self.fill(raw);
        let mut result = self.once(&step);
        for _ in 0..3 {
            if holds(&step["wait"], &result) {
                break;
            }
            self.pass(1);
            result = self.once(&step);
        }
        for (name, pointer) in step["capture"].as_object().into_iter().flatten() {
            let source = if result["frames"].is_null() {
                &result["body"]
            } else {
                &result["frames"]
            };
            let found = at(source, pointer.as_str().unwrap_or_default());
            let found = found.filter(|value| !value.is_null()).cloned();
            self.variables
                .insert(name.clone(), found.unwrap_or_else(|| json!("")));
        }
        result
    }

    fn pass(&mut self, seconds: i64) {
        self.clock += seconds * 1_000;
        settle(&mut self.state, &env(self.clock));
    }

    fn fill(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let whole = text
                    .strip_prefix("${")
                    .and_then(|text| text.strip_suffix('}'));
                if let Some(known) = whole.and_then(|name| self.variables.get(name)) {
                    return known.clone();
                }
                let mut text = text.clone();
                for (name, value) in &self.variables {
                    let plain = value
                        .as_str()
                        .map_or_else(|| value.to_string(), str::to_owned);
                    text = text.replace(&format!("${{{name}}}"), &plain);
                }
                json!(text)
            }
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (key.clone(), self.fill(value)))
                .collect(),
            other => other.clone(),
        }
    }

    fn once(&mut self, step: &Value) -> Value {
        self.clock += 1;
        let request = self.request(step);
        let known = match step["as"].as_str().unwrap_or("admin") {
            "none" => None,
            name => self.users.get(name).cloned(),
        };
        let Some(user) = known else {
            return json!({"status": 401, "headers": {}});
        };
        let request = Request { user, ..request };
        let env = env(self.clock);
        let (response, _) = apply(&mut self.state, &request, &env);
        let mut recorded = Map::new();
        let extra = step["record"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for name in ["Content-Type", "Warning", "Retry-After"]
            .into_iter()
            .chain(extra)
        {
            let mut values: Vec<&str> = response
                .headers
                .iter()
                .filter(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, value)| value.as_str())
                .collect();
            values.sort_unstable();
            match (name, values.first()) {
                (_, None) => {}
                ("Warning", _) => drop(recorded.insert(name.into(), json!(values))),
                (_, Some(first)) => drop(recorded.insert(name.into(), json!(first))),
            }
        }
        let mut out = json!({"status": response.status, "headers": recorded});
        if let Body::Watch(plan) = response.body {
            let wanted = step["watch"]["frames"].as_u64().unwrap_or(1000);
            let (_, frames) = Watcher::start(*plan, &self.state, env.now);
            let frames = frames
                .iter()
                .take(usize::try_from(wanted).unwrap_or(usize::MAX));
            let parsed = frames.map(|frame| {
                serde_json::from_str::<Value>(&frame.encode()).expect("frames are JSON")
            });
            out["frames"] = parsed.collect();
            return out;
        }
        if step["method"] == "HEAD" || step["body_ignored"] == true {
            return out;
        }
        let bytes = response.encode();
        let is_json = headers_say_json(&response.headers) || bytes.first() == Some(&b'{');
        match serde_json::from_slice::<Value>(&bytes) {
            Ok(body) if is_json => out["body"] = body,
            _ if bytes.is_empty() => {}
            _ => out["text"] = json!(String::from_utf8_lossy(&bytes)),
        }
        out
    }

    fn request(&self, step: &Value) -> Request {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut set = |name: &str, value: &str| {
            drop(headers.insert(name.to_ascii_lowercase(), vec![value.to_owned()]))
        };
        set("Accept", "application/json");
        set("User-Agent", "trace/1.0");
        let body = body(step);
        if body.is_some() {
            set("Content-Type", "application/json");
        }
        for (name, value) in step["headers"].as_object().into_iter().flatten() {
            let name = name.to_ascii_lowercase();
            match value {
                Value::Null => drop(headers.remove(&name)),
                Value::Array(values) => {
                    let values = values
                        .iter()
                        .filter_map(|value| Some(value.as_str()?.to_owned()));
                    headers.insert(name, values.collect());
                }
                value => {
                    drop(headers.insert(name, vec![value.as_str().unwrap_or_default().to_owned()]))
                }
            }
        }
        let header = |name: &str| headers.get(name).map(|values| values.join(", "));
        Request {
            method: step["method"].as_str().unwrap_or("GET").into(),
            content_type: header("content-type"),
            accept: header("accept"),
            if_none_match: header("if-none-match"),
            user_agent: header("user-agent").unwrap_or_default(),
            body: body.unwrap_or_default().into(),
            ..Request::new("GET", step["path"].as_str().expect("a step has a path"), "")
        }
    }
}

fn headers_say_json(headers: &[(String, String)]) -> bool {
    headers
        .iter()
        .any(|(name, value)| name == "Content-Type" && value.starts_with("application/json"))
}

fn body(step: &Value) -> Option<Vec<u8>> {
    use base64::Engine as _;
    if let Some(text) = step["body64"].as_str() {
        return Some(
            base64::engine::general_purpose::STANDARD
                .decode(text)
                .expect("base64"),
        );
    }
    if let Some(fill) = step["fill"].as_object() {
        let text = |key: &str| fill[key].as_str().unwrap_or_default();
        let times = usize::try_from(fill["times"].as_u64().unwrap_or_default()).unwrap_or_default();
        return Some(
            format!(
                "{}{}{}",
                text("before"),
                text("text").repeat(times),
                text("after")
            )
            .into_bytes(),
        );
    }
    match step.get("body")? {
        Value::String(text) => Some(text.clone().into_bytes()),
        body => {
            let mut text = String::new();
            write_like_python(body, &mut text);
            Some(text.into_bytes())
        }
    }
}

fn holds(wait: &Value, result: &Value) -> bool {
    if wait.is_null() {
        return true;
    }
    if !wait["status"].is_null() && wait["status"] != result["status"] {
        return false;
    }
    let Some(pointer) = wait["at"].as_str() else {
        return true;
    };
    let found = at(&result["body"], pointer).cloned().unwrap_or(Value::Null);
    let items = found.as_array().cloned().unwrap_or_default();
    let has = |wanted: &Map<String, Value>| {
        items.iter().any(|item| {
            wanted
                .iter()
                .all(|(key, value)| item.get(key) == Some(value))
        })
    };
    (wait["equals"].is_null() || found == wait["equals"])
        && wait["has"].as_object().is_none_or(has)
        && wait["length"].as_u64().is_none_or(|length| {
            let count = found
                .as_array()
                .map(Vec::len)
                .or(found.as_object().map(Map::len))
                .unwrap_or_default();
            count as u64 == length
        })
        && (wait["set"] != true
            || !matches!(&found, Value::Null)
                && found != json!("")
                && found != json!([])
                && found != json!({}))
}

/// Writes JSON with blanks after commas and colons, as the recorder sent it; messages quote bodies.
fn write_like_python(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write_like_python(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (at, (key, item)) in map.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                out.push_str(&json!(key).to_string());
                out.push_str(": ");
                write_like_python(item, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

/// A seed of its own for every moment: dry runs do not use up the state's own stream.
fn seed(milliseconds: i64) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&milliseconds.to_be_bytes());
    seed
}

/// The answer without descriptions of columns and fields: ours are in our own words.
fn without_descriptions(answer: &Value) -> Value {
    let mut answer = answer.clone();
    let columns = answer
        .pointer_mut("/body/columnDefinitions")
        .and_then(Value::as_array_mut);
    for column in columns
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        column.remove("description");
    }
    for frame in answer
        .get_mut("frames")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let columns = frame
            .pointer_mut("/object/columnDefinitions")
            .and_then(Value::as_array_mut);
        for column in columns
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            column.remove("description");
        }
    }
    answer
}
