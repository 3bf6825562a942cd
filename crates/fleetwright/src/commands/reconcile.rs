//! `reconcile`: looks at a source or unit now, and waits for the outcome.

use std::time::{Duration, Instant};

use cluster::{Cluster, PatchType};
use object::{GroupVersionKind, Node, Object};
use runtime::{Clock, SystemClock, UnitSummary};

use super::Outcome;
use crate::cli::ReconcileArgs;
use crate::connect::{connect, find, target};
use crate::exit::{Exit, Failure};
use crate::output::short_revision;

/// How often the status is read while waiting.
const PAUSE: Duration = Duration::from_millis(100);

/// Asks for a reconcile and waits until it was handled.
pub async fn run(args: ReconcileArgs) -> Outcome {
    let cluster = connect(&args.server).await?;
    let (kind, name) = target(&args.unit)?;
    let namespace = args.server.namespace();
    let until = Instant::now() + args.timeout.to_std();
    let object = find(&cluster, &kind, namespace, &name).await?;
    if args.with_source {
        let reference = |field: &str| object.node.str_at(&["spec", "sourceRef", field]);
        let source = reference("name").unwrap_or_default();
        let source_namespace = reference("namespace").unwrap_or(namespace);
        let source_kind = api::git_repository_kind();
        let source = find(&cluster, &source_kind, source_namespace, source).await?;
        handle(&cluster, &source_kind, &source, until).await?;
    }
    let handled = handle(&cluster, &kind, &object, until).await?;
    let summary = UnitSummary::of(&handled);
    let ready = api::Conditions::read(handled.node.at(&["status", "conditions"]));
    Ok(match ready.is_true(api::condition_type::READY) {
        true => Exit::Done,
        false => {
            eprintln!("✗ {}", summary.message);
            Exit::Negative
        }
    })
}

/// Annotates the object and waits until its controller says that it has handled the wish.
async fn handle(
    cluster: &Cluster,
    kind: &GroupVersionKind,
    object: &Object,
    until: Instant,
) -> Result<Object, Failure> {
    let shown = format!("{} {} in {}", kind.kind, object.name(), object.namespace());
    if object.node.at(&["spec", "suspend"]).and_then(Node::as_bool) == Some(true) {
        let message = format!("{shown} is suspended; `fleetwright resume` it first");
        return Err(Failure::plain(Exit::Refused, message));
    }
    eprintln!("► annotating {shown}");
    let wish = SystemClock.now().to_nano();
    let mut patch = Node::map();
    let annotation = api::annotation::RECONCILE_REQUESTED_AT;
    patch.set(&["metadata", "annotations", annotation], wish.as_str());
    let patch = (PatchType::Merge, &patch);
    cluster.patch(object, "", patch, "fleetwright").await?;
    eprintln!("◎ waiting for {shown}");
    loop {
        let found = cluster.get(kind, object.namespace(), object.name()).await?;
        let Some(found) = found else {
            let message = format!("{shown} was deleted meanwhile");
            return Err(Failure::plain(Exit::Negative, message));
        };
        if found.node.str_at(&["status", "lastHandledReconcileAt"]) == Some(&wish) {
            let summary = UnitSummary::of(&found);
            if summary.settled {
                let verb = match kind.kind.as_str() {
                    "GitRepository" => "fetched",
                    _ => "applied",
                };
                eprintln!("✔ {verb} revision {}", short_revision(&summary.revision));
                return Ok(found);
            }
        }
        if Instant::now() >= until {
            let message =
                format!("{shown} has not handled the wish in time; is its controller running?");
            return Err(Failure::plain(Exit::TimedOut, message));
        }
        tokio::time::sleep(PAUSE).await;
    }
}
