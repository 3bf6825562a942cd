//! Decisions as tables: what is true, and what follows.

mod attempts;
mod components;
mod repositories;
mod units;

use golang::Timestamp;
use object::Object;

/// The time at which every story begins.
const START: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix(START + seconds)
}

fn timing(seconds: i64) -> control::Timing {
    control::Timing {
        now: at(seconds),
        jitter: 0.0,
    }
}

/// An object from YAML.
fn object(yaml: &str) -> Object {
    let mut documents = yaml::load(yaml, &yaml::Limits::default()).unwrap();
    Object::new(documents.remove(0).node)
}

/// Seconds from the beginning of the story.
fn seconds(time: Option<Timestamp>) -> String {
    match time {
        Some(time) => format!("at {}s", time.since(at(0)).seconds()),
        None => "on change".to_owned(),
    }
}

/// Conditions as lines: `Ready False BuildFailed: message`.
fn conditions(conditions: &api::Conditions) -> String {
    let line = |condition: &api::Condition| {
        format!(
            "  {} {} {}: {}\n",
            condition.kind,
            condition.status.as_str(),
            condition.reason,
            condition.message
        )
    };
    conditions.iter().map(line).collect()
}
