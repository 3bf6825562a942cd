//! `get`: sources and units and how they are; OpenChoreo's objects, see [`openchoreo`].

use cluster::Cluster;
use object::{Node, Object};
use runtime::UnitSummary;

use super::{Outcome, openchoreo};
use crate::cli::GetArgs;
use crate::connect::{connect, find, kind, target};
use crate::exit::{Exit, Failure};
use crate::output::{print_as, short_revision, table};

/// Lists sources and units.
pub async fn run(args: GetArgs) -> Outcome {
    if let Some((wanted, name)) = choreo_target(&args) {
        return openchoreo::get::run(&args, wanted, name.as_deref()).await;
    }
    let cluster = connect(&args.server).await?;
    let objects = select(&cluster, &args).await?;
    let summaries: Vec<UnitSummary> = objects.iter().map(UnitSummary::of).collect();
    let mut node = Node::map();
    node.set(&["apiVersion"], "fleetwright.dev/v1alpha1");
    node.set(&["kind"], "UnitList");
    node.set(&["items"], Node::list(summaries.iter().map(to_node)));
    print_as(args.output, &node, |wide| {
        to_table(&summaries, args.all_namespaces, wide)
    });
    Ok(Exit::Done)
}

/// The objects of OpenChoreo that are asked for, if it is those.
fn choreo_target(args: &GetArgs) -> Option<(openchoreo::Wanted, Option<String>)> {
    match &args.name {
        Some(name) => Some((openchoreo::kinds(&args.what)?, Some(name.clone()))),
        None => match openchoreo::target(std::slice::from_ref(&args.what)) {
            Some((wanted, name)) => Some((wanted, Some(name))),
            None => Some((openchoreo::kinds(&args.what)?, None)),
        },
    }
}

async fn select(cluster: &Cluster, args: &GetArgs) -> Result<Vec<Object>, Failure> {
    let namespace = match args.all_namespaces {
        true => "",
        false => args.server.namespace(),
    };
    if args.what.contains('/') || args.name.is_some() {
        let words = std::iter::once(args.what.clone()).chain(args.name.clone());
        let (kind, name) = target(&words.collect::<Vec<_>>())?;
        return Ok(vec![find(cluster, &kind, namespace, &name).await?]);
    }
    let kinds = match args.what.as_str() {
        "all" => vec![api::git_repository_kind(), api::kustomization_kind()],
        what => match kind(what) {
            Some((kind, _)) => vec![kind],
            None => {
                let message = format!(
                    "`{what}` is nothing to get; there are all, ks, sources, and {}",
                    openchoreo::words()
                );
                return Err(Failure::plain(Exit::Usage, message));
            }
        },
    };
    let mut objects = Vec::new();
    for kind in kinds {
        objects.extend(cluster.list(&kind, namespace, "").await?);
    }
    Ok(objects)
}

/// The name by which commands take the object: `ks/web`.
pub fn id(summary: &UnitSummary) -> String {
    let alias = kind(&summary.key.kind).map_or("?", |(_, alias)| alias);
    format!("{alias}/{}", summary.key.name)
}

/// The object as printed for programs.
pub fn to_node(summary: &UnitSummary) -> Node {
    let mut node = Node::map();
    node.set(&["id"], id(summary));
    node.set(&["kind"], summary.key.kind.clone());
    node.set(&["namespace"], summary.key.namespace.clone());
    node.set(&["name"], summary.key.name.clone());
    node.set(&["sync"], summary.sync.as_str());
    node.set(&["health"], summary.health.as_str());
    node.set(&["suspended"], summary.suspended);
    node.set(&["revision"], summary.revision.as_str());
    node.set(&["reason"], summary.reason.as_str());
    node.set(&["message"], summary.message.as_str());
    node.set(&["objects"], summary.objects as i64);
    node
}

/// The table for people.
pub fn to_table(summaries: &[UnitSummary], namespaces: bool, wide: bool) -> String {
    let mut header = vec!["NAME", "SYNC", "HEALTH", "REVISION", "MESSAGE"];
    if wide {
        header.insert(4, "OBJECTS");
    }
    if namespaces {
        header.insert(0, "NAMESPACE");
    }
    let rows: Vec<Vec<String>> = summaries
        .iter()
        .map(|summary| {
            let sync = match summary.suspended {
                true => "Suspended".to_owned(),
                false => summary.sync.as_str().to_owned(),
            };
            let message = summary.message.lines().next().unwrap_or_default();
            let mut row = vec![
                id(summary),
                sync,
                summary.health.as_str().to_owned(),
                short_revision(&summary.revision),
                message.to_owned(),
            ];
            if wide {
                row.insert(4, summary.objects.to_string());
            }
            if namespaces {
                row.insert(0, summary.key.namespace.to_string());
            }
            row
        })
        .collect();
    table(&header, &rows)
}
