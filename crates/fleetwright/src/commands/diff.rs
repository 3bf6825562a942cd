//! `diff`: what applying files would change.

use clap::{Args, Subcommand};
use cluster::{Apply, Cluster};
use object::Object;
use runtime::Targets;

use super::{Outcome, build, helm};
use crate::cli::ServerArgs;
use crate::connect::connect;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// What can be compared.
#[derive(Debug, Subcommand)]
pub enum DiffCommand {
    /// Compares what a Kustomization would apply with what is there.
    #[command(alias = "kustomization")]
    Ks(KsArgs),
    /// Compares what a chart renders to with what it renders to after a change of its values.
    Helm(Box<helm::DiffArgs>),
}

/// `diff ks`.
#[derive(Debug, Args)]
// The group of these arguments would have the name of the one that is flattened into it.
#[group(skip)]
pub struct KsArgs {
    #[command(flatten)]
    build: build::KsArgs,
    #[command(flatten)]
    server: ServerArgs,
}

/// Exit code 1 says that something differs.
pub async fn run(command: DiffCommand) -> Outcome {
    match command {
        DiffCommand::Ks(args) => kustomization(args).await,
        DiffCommand::Helm(args) => helm::diff(&args),
    }
}

/// Compares by a dry run of every object; nothing is changed.
async fn kustomization(args: KsArgs) -> Outcome {
    let desired = build::kustomization(&args.build)?;
    let mut unit = build::read_unit(&args.build)?;
    if unit.meta.key.namespace.is_empty() {
        unit.meta.key.namespace = args.server.namespace().into();
    }
    let control_plane = connect(&args.server).await?;
    let live_unit = control_plane
        .get(
            &api::kustomization_kind(),
            unit.meta.namespace(),
            unit.meta.name(),
        )
        .await?;
    let inventory = match &live_unit {
        Some(object) => {
            let read = api::Kustomization::read(object);
            let read = read.map_err(|error| Failure::plain(Exit::Unreadable, error.to_string()))?;
            let entries = read.status.inventory.iter();
            plan::Inventory::read(entries.map(|(id, v)| (id.as_str(), v.as_str())))
        }
        None => plan::Inventory::default(),
    };
    let targets = Targets::new(control_plane, true);
    let cluster = targets.of(&unit).await;
    let cluster = cluster.map_err(|error| Failure::plain(Exit::Unreachable, error.to_string()))?;
    let options = plan::Options {
        prune: unit.prune,
        ..plan::Options::default()
    };
    let plan = plan::make(desired, &inventory, &options);
    let plan = plan.map_err(|error| Failure::plain(Exit::Unreadable, error.to_string()))?;
    let mut differences = 0;
    for object in plan.objects() {
        differences += compare(object, &cluster).await?;
    }
    if unit.prune {
        for entry in &plan.stale {
            let key = &entry.key;
            let live = cluster.get(&entry.gvk(), &key.namespace, &key.name).await?;
            if let Some(difference) = plan::difference(live.as_ref(), None) {
                print(&format!("{difference}\n"));
                differences += 1;
            }
        }
    }
    Ok(match differences {
        0 => Exit::Done,
        _ => Exit::Negative,
    })
}

/// Prints how one object would change; 1 if it would.
async fn compare(object: &Object, cluster: &Cluster) -> Result<usize, Failure> {
    let how = Apply {
        manager: api::field_manager::KUSTOMIZE,
        force: true,
        dry_run: true,
        subresource: "",
    };
    let live = cluster
        .get(&object.gvk(), object.namespace(), object.name())
        .await?;
    let result = match cluster.apply(object, how).await {
        Ok(result) => result,
        // Its kind or namespace is part of the same change.
        Err(error) if error.is_not_found() => object.clone(),
        Err(error) => return Err(error.into()),
    };
    match plan::difference(live.as_ref(), Some(&result)) {
        Some(difference) => {
            print(&format!("{difference}\n"));
            Ok(1)
        }
        None => Ok(0),
    }
}
