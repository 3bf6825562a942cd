//! `history`: which releases of a component were ready where, and since when.

use clap::Args;
use control::components::keys;
use object::{Node, Object};
use runtime::{BindingSummary, release_history};

use super::get::{DIGEST_SHOWN, environments};
use super::world::as_owner;
use super::{World, find, target, words};
use crate::cli::{Format, ServerArgs};
use crate::commands::Outcome;
use crate::connect::connect;
use crate::exit::{Exit, Failure};
use crate::output::{print_as, table};

/// `history`.
#[derive(Clone, Debug, Args)]
pub struct HistoryArgs {
    /// KIND/NAME, or KIND and NAME, of a component or binding.
    #[arg(required = true, num_args = 1..=2)]
    pub unit: Vec<String>,
    /// Only this environment.
    #[arg(short, long, value_name = "ENVIRONMENT")]
    pub env: Option<String>,
    #[command(flatten)]
    pub server: ServerArgs,
    /// How it is printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub output: Format,
}

/// Lists what was ready, environment by environment, the newest first.
pub async fn run(args: HistoryArgs) -> Outcome {
    let Some((wanted, name)) = target(&args.unit) else {
        let message = format!(
            "`{}` is no KIND/NAME of OpenChoreo; kinds are {}",
            args.unit.join(" "),
            words()
        );
        return Err(Failure::plain(Exit::Usage, message));
    };
    let cluster = connect(&args.server).await?;
    let namespace = args.server.namespace.as_deref();
    let world = World::read(&cluster, namespace).await?;
    let object = find(&world, wanted, namespace, &name)?;
    let bindings: Vec<&Object> = match object.kind() {
        "ReleaseBinding" => vec![object],
        "Component" => {
            let order = environments(&world, &[object]);
            let place = |own: &&Object| {
                let environment = BindingSummary::of(own).environment;
                order.iter().position(|name| *name == environment)
            };
            let owner = as_owner(object);
            let mut all: Vec<&Object> = world
                .owned("ReleaseBinding", object.namespace(), &owner)
                .collect();
            all.sort_by_key(place);
            all
        }
        _ => {
            let message = "only components and bindings have a history";
            return Err(Failure::plain(Exit::Usage, message));
        }
    };
    let mut items = Vec::new();
    let mut rows = Vec::new();
    for binding in bindings {
        let own = BindingSummary::of(binding);
        if args.env.as_ref().is_some_and(|env| *env != own.environment) {
            continue;
        }
        let mut entries: Vec<Entry> = release_history(binding)
            .into_iter()
            .map(|entry| Entry {
                environment: own.environment.clone(),
                release: entry.release,
                digest: entry.digest,
                since: entry.since,
                until: entry.until,
                note: String::new(),
            })
            .collect();
        let is_open = entries.iter().any(|entry| entry.until.is_empty());
        if !is_open && !own.release.is_empty() {
            let digest = binding.node.str_at(&["status", "release", "digest"]);
            let digest = digest.filter(|_| !own.is_behind());
            entries.insert(
                0,
                Entry {
                    environment: own.environment.clone(),
                    release: own.release.clone(),
                    digest: digest.unwrap_or_default().to_owned(),
                    since: String::new(),
                    until: String::new(),
                    note: own.ready.word().to_owned(),
                },
            );
        }
        if let Some(first) = entries.first_mut() {
            let mut notes = vec![first.note.clone()];
            for (key, words) in [
                (keys::ROLLED_BACK, "rolled back from "),
                (keys::FORCED_REASON, "forced: "),
            ] {
                let text = binding.annotation(key);
                notes.extend(text.map(|text| format!("{words}{text}")));
            }
            notes.retain(|note| !note.is_empty());
            first.note = notes.join("; ");
        }
        items.extend(entries.iter().map(Entry::to_node));
        rows.extend(entries.iter().map(Entry::to_row));
    }
    let mut node = Node::map();
    node.set(&["apiVersion"], "fleetwright.dev/v1alpha1");
    node.set(&["kind"], "ReleaseHistory");
    node.set(&["items"], Node::from(items));
    print_as(args.output, &node, |_| {
        let header = [
            "ENVIRONMENT",
            "RELEASE",
            "DIGEST",
            "READY SINCE",
            "UNTIL",
            "NOTE",
        ];
        table(&header, &rows)
    });
    Ok(Exit::Done)
}

/// A release in an environment.
struct Entry {
    environment: String,
    release: String,
    digest: String,
    since: String,
    until: String,
    note: String,
}

impl Entry {
    fn to_node(&self) -> Node {
        let mut node = Node::map();
        node.set(&["environment"], self.environment.as_str());
        node.set(&["release"], self.release.as_str());
        node.set(&["digest"], self.digest.as_str());
        node.set(&["readySince"], self.since.as_str());
        node.set(&["readyUntil"], self.until.as_str());
        node.set(&["note"], self.note.as_str());
        node
    }

    fn to_row(&self) -> Vec<String> {
        let cell = |text: &str| match text {
            "" => "-".to_owned(),
            text => text.to_owned(),
        };
        vec![
            self.environment.clone(),
            self.release.clone(),
            cell(&self.digest.chars().take(DIGEST_SHOWN).collect::<String>()),
            cell(&self.since),
            cell(&self.until),
            self.note.clone(),
        ]
    }
}
