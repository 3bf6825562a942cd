//! The first difference between two JSON values.

use std::collections::BTreeSet;

use serde_json::Value;

/// Where and how `got` differs first; `None` when both are equal.
pub fn difference(want: &Value, got: &Value) -> Option<String> {
    differ(want, got, "")
}

fn differ(want: &Value, got: &Value, path: &str) -> Option<String> {
    match (want, got) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            keys.into_iter().find_map(|key| {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                match (a.get(key), b.get(key)) {
                    (Some(want), None) => Some(format!("{path}: missing, want {}", short(want))),
                    (None, Some(got)) => Some(format!("{path}: not wanted, got {}", short(got))),
                    (Some(want), Some(got)) => differ(want, got, &path),
                    (None, None) => None,
                }
            })
        }
        (Value::Array(a), Value::Array(b)) => (0..a.len().max(b.len())).find_map(|at| {
            let path = format!("{path}/{at}");
            match (a.get(at), b.get(at)) {
                (Some(want), None) => Some(format!("{path}: missing, want {}", short(want))),
                (None, Some(got)) => Some(format!("{path}: not wanted, got {}", short(got))),
                (Some(want), Some(got)) => differ(want, got, &path),
                (None, None) => None,
            }
        }),
        _ if same(want, got) => None,
        _ => Some(format!(
            "{path}: want {}\n      got {}",
            short(want),
            short(got)
        )),
    }
}

fn same(want: &Value, got: &Value) -> bool {
    match (want.as_f64(), got.as_f64()) {
        (Some(a), Some(b)) => a == b,
        _ => want == got,
    }
}

fn short(value: &Value) -> String {
    const CHARACTERS_MAX: usize = 1200;
    value.to_string().chars().take(CHARACTERS_MAX).collect()
}
