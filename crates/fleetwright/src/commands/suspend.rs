//! `suspend` and `resume`.

use cluster::PatchType;
use object::Node;

use super::Outcome;
use crate::cli::UnitArgs;
use crate::connect::{connect, find, target};
use crate::exit::Exit;

/// Stops or goes on reconciling a source or unit.
pub async fn run(args: UnitArgs, suspend: bool) -> Outcome {
    let cluster = connect(&args.server).await?;
    let (kind, name) = target(&args.unit)?;
    let object = find(&cluster, &kind, args.server.namespace(), &name).await?;
    let mut patch = Node::map();
    patch.set(&["spec", "suspend"], suspend);
    let patch = (PatchType::Merge, &patch);
    cluster.patch(&object, "", patch, "fleetwright").await?;
    let done = if suspend { "suspended" } else { "resumed" };
    eprintln!("✔ {} {name} {done}", kind.kind);
    Ok(Exit::Done)
}
