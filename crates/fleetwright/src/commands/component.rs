//! `component` and `workload`: releases, bindings and manifests as files of a checkout.
//!
//! The commands and flags of OpenChoreo's command line in its file-system mode are understood as
//! well, so that pipelines written for it can call this.

pub mod checkout;
mod contexts;
mod deploy;
pub mod generate;
mod scaffold;
mod workload;

use clap::Subcommand;

use super::Outcome;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Commands {
    /// Writes releases, bindings and components into a checkout.
    #[command(subcommand)]
    Component(ComponentCommand),
    /// Writes Workloads into a checkout.
    #[command(subcommand)]
    Workload(WorkloadCommand),
    /// `component release`, as OpenChoreo calls it.
    #[command(subcommand, hide = true, alias = "componentrelease")]
    ComponentRelease(ReleaseCommand),
    /// `component binding`, as OpenChoreo calls it.
    #[command(
        subcommand,
        hide = true,
        aliases = ["releasebinding", "componentreleasebinding", "component-release-binding"]
    )]
    ReleaseBinding(BindingCommand),
    /// `create workload`, as older OpenChoreo calls it.
    #[command(subcommand, hide = true)]
    Create(CreateCommand),
    /// `scaffold component`, as older OpenChoreo calls it.
    #[command(subcommand, hide = true)]
    Scaffold(ScaffoldCommand),
    /// Remembers which checkout and namespace the commands about components work on.
    #[command(subcommand)]
    Config(contexts::ConfigCommand),
}

/// `component`.
#[derive(Debug, Subcommand)]
pub enum ComponentCommand {
    /// Releases: components frozen at one moment.
    #[command(subcommand)]
    Release(ReleaseCommand),
    /// Bindings: which release runs in an environment.
    #[command(subcommand)]
    Binding(BindingCommand),
    /// Writes a Component to start from, with what its type can be told.
    Scaffold(scaffold::ScaffoldArgs),
    /// Selects a release, or sets values, in a component's binding to an environment.
    Deploy(deploy::DeployArgs),
}

/// `component release`.
#[derive(Debug, Subcommand)]
pub enum ReleaseCommand {
    /// Writes a release of every component that has changed since its newest one.
    Generate(generate::ReleaseArgs),
}

/// `component binding`.
#[derive(Debug, Subcommand)]
pub enum BindingCommand {
    /// Selects releases in an environment: the newest ones in the first, in others those of the
    /// environment before.
    Generate(generate::BindingArgs),
}

/// `workload`.
#[derive(Debug, Subcommand)]
pub enum WorkloadCommand {
    /// Writes the Workload of a component: an image, and what a descriptor says.
    Create(workload::WorkloadArgs),
}

/// `create`.
#[derive(Debug, Subcommand)]
pub enum CreateCommand {
    /// Writes the Workload of a component.
    Workload(workload::WorkloadArgs),
}

/// `scaffold`.
#[derive(Debug, Subcommand)]
pub enum ScaffoldCommand {
    /// Writes a Component to start from.
    Component(scaffold::ScaffoldArgs),
}

/// Runs one of the commands.
pub fn run(command: &Commands) -> Outcome {
    match command {
        Commands::Component(ComponentCommand::Release(ReleaseCommand::Generate(args)))
        | Commands::ComponentRelease(ReleaseCommand::Generate(args)) => generate::releases(args),
        Commands::Component(ComponentCommand::Binding(BindingCommand::Generate(args)))
        | Commands::ReleaseBinding(BindingCommand::Generate(args)) => generate::bindings(args),
        Commands::Component(ComponentCommand::Scaffold(args))
        | Commands::Scaffold(ScaffoldCommand::Component(args)) => scaffold::run(args),
        Commands::Component(ComponentCommand::Deploy(args)) => deploy::run(args),
        Commands::Workload(WorkloadCommand::Create(args))
        | Commands::Create(CreateCommand::Workload(args)) => workload::run(args),
        Commands::Config(command) => contexts::run(command),
    }
}
