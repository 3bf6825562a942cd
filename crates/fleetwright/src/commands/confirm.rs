//! `confirm`: lets a held deletion go.

use cluster::PatchType;
use diag::{Code, Diagnostic};
use object::Node;

use super::Outcome;
use crate::cli::ConfirmArgs;
use crate::connect::{connect, find, target};
use crate::exit::{Exit, Failure};

/// Confirms the deletions that a unit holds, by their digest.
pub async fn run(args: ConfirmArgs) -> Outcome {
    let cluster = connect(&args.server).await?;
    let (kind, name) = target(&args.unit)?;
    let object = find(&cluster, &kind, args.server.namespace(), &name).await?;
    let conditions = api::Conditions::read(object.node.at(&["status", "conditions"]));
    let ready = conditions.get(api::condition_type::READY);
    let held = ready.filter(|ready| ready.reason == "DeletionHeld");
    let Some(held) = held else {
        let message = format!("{} `{name}` holds no deletion", kind.kind);
        return Err(Failure::plain(Exit::Negative, message));
    };
    let digest = args.plan.trim_start_matches("sha256:");
    if digest.len() < 12 || !held.message.contains(&digest[..12]) {
        let diagnostic = Diagnostic::error(
            Code("PlanChanged"),
            format!(
                "the deletions that {} `{name}` holds are not those of `{}`",
                kind.kind, args.plan
            ),
        )
        .with_help(format!("Look at what it holds now: {}", held.message));
        return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
    }
    let mut patch = Node::map();
    let annotation = api::annotation::CONFIRMED_PLAN;
    patch.set(&["metadata", "annotations", annotation], digest);
    let patch = (PatchType::Merge, &patch);
    cluster.patch(&object, "", patch, "fleetwright").await?;
    eprintln!("✔ {} {name}: exactly these deletions may go", kind.kind);
    Ok(Exit::Done)
}
