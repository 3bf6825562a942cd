//! One module a command.

pub mod apiserver;
pub mod build;
pub mod component;
mod confirm;
mod controller;
mod demo;
pub mod diff;
mod events;
mod explain;
mod get;
pub mod helm;
pub mod kustomize;
pub mod openchoreo;
pub mod preview;
mod reconcile;
mod serve;
mod suspend;
mod tree;
mod why;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::exit::{Exit, Failure};
use crate::output::print;

/// What a command comes to.
pub type Outcome = Result<Exit, Failure>;

/// Runs the command that was given.
pub fn run(cli: Cli) -> Outcome {
    match &cli.command {
        Command::Version => {
            print(&format!("fleetwright {}\n", env!("CARGO_PKG_VERSION")));
            Ok(Exit::Done)
        }
        Command::Completion { shell } => {
            let mut command = Cli::command();
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, "fleetwright", &mut script);
            print(&String::from_utf8_lossy(&script));
            Ok(Exit::Done)
        }
        Command::Explain { code } => explain::run(code.as_deref()),
        Command::Build(command) => build::run(command, cli.verbose > 0),
        Command::Render(args) => preview::render(args),
        Command::Components(command) => component::run(command),
        Command::Lint(args) => kustomize::lint(args),
        Command::Fix(command) => kustomize::fix(command),
        Command::Why(args) if args.value.chart.is_some() => why::value(args),
        _ => {
            crate::start_network();
            crate::output::start_logging(&cli);
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()?;
            runtime.block_on(run_async(cli.command))
        }
    }
}

async fn run_async(command: Command) -> Outcome {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Controller(args) => controller::run(*args).await,
        Command::Apiserver(args) => apiserver::run(args).await,
        Command::Diff(command) => diff::run(command).await,
        Command::Get(args) => get::run(args).await,
        Command::Tree(args) => tree::run(args).await,
        Command::Events(args) => events::run(args).await,
        Command::Reconcile(args) => reconcile::run(args).await,
        Command::Suspend(args) => suspend::run(args, true).await,
        Command::Resume(args) => suspend::run(args, false).await,
        Command::Confirm(args) => confirm::run(args).await,
        Command::Why(args) => why::run(args.unit, args.env.as_deref()).await,
        Command::Promote(args) => openchoreo::change::promote(*args).await,
        Command::Rollback(args) => openchoreo::change::rollback(*args).await,
        Command::Approve(args) => openchoreo::change::approve(*args).await,
        Command::History(args) => openchoreo::history::run(args).await,
        Command::Build(_)
        | Command::Render(_)
        | Command::Components(_)
        | Command::Lint(_)
        | Command::Fix(_)
        | Command::Explain { .. }
        | Command::Completion { .. }
        | Command::Version => Ok(Exit::Done),
    }
}
