//! `events`: what happened, oldest first.

use golang::{Timestamp, human_duration};
use object::{GroupVersionKind, Node, Object};
use runtime::{Clock, SystemClock};

use super::Outcome;
use crate::cli::EventsArgs;
use crate::connect::{connect, find, target};
use crate::exit::Exit;
use crate::output::{print_as, table};

/// Lists events.
pub async fn run(args: EventsArgs) -> Outcome {
    let cluster = connect(&args.server).await?;
    let namespace = match args.all_namespaces {
        true => "",
        false => args.server.namespace(),
    };
    let mut about: Vec<(String, String)> = Vec::new();
    if let Some(object) = &args.for_object {
        let (kind, name) = target(std::slice::from_ref(object))?;
        let unit = find(&cluster, &kind, args.server.namespace(), &name).await?;
        let reference = |field: &str| unit.node.str_at(&["spec", "sourceRef", field]);
        if let (Some(kind), Some(name)) = (reference("kind"), reference("name")) {
            about.push((kind.to_owned(), name.to_owned()));
        }
        about.push((kind.kind.to_string(), name));
    }
    let kind = GroupVersionKind::new("v1", "Event");
    let mut events = cluster.list(&kind, namespace, "").await?;
    events.retain(|event| {
        let involved = |field: &str| event.node.str_at(&["involvedObject", field]);
        about.is_empty()
            || about.iter().any(|(kind, name)| {
                involved("kind") == Some(kind) && involved("name") == Some(name)
            })
    });
    events.sort_by_key(|event| (seen(event).map(|at| at.unix()), stamp(event)));
    let mut node = Node::map();
    node.set(&["apiVersion"], "v1");
    node.set(&["kind"], "EventList");
    node.set(
        &["items"],
        Node::list(events.iter().map(|event| event.node.clone())),
    );
    print_as(args.output, &node, |_| {
        let now = SystemClock.now();
        let rows: Vec<Vec<String>> = events.iter().map(|event| row(event, now)).collect();
        table(&["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"], &rows)
    });
    Ok(Exit::Done)
}

fn row(event: &Object, now: Timestamp) -> Vec<String> {
    let text = |keys: &[&str]| event.node.str_at(keys).unwrap_or_default().to_owned();
    let age = seen(event).map_or("<unknown>".to_owned(), |at| human_duration(now.since(at)));
    let message = text(&["message"]).replace('\n', ", ");
    let object = format!(
        "{}/{}",
        text(&["involvedObject", "kind"]),
        text(&["involvedObject", "name"])
    );
    vec![age, text(&["type"]), text(&["reason"]), object, message]
}

/// When an event was named, finer than its times: names end in a time in hexadecimal.
fn stamp(event: &Object) -> Option<u64> {
    let (_, stamp) = event.name().rsplit_once('.')?;
    u64::from_str_radix(stamp, 16).ok()
}

fn seen(event: &Object) -> Option<Timestamp> {
    let last = event.node.str_at(&["lastTimestamp"]);
    let time = last.or_else(|| event.node.str_at(&["eventTime"]))?;
    time.parse().ok()
}
