//! The command line.
//!
//! Data goes to standard output, everything else to standard error. Exit codes are those of
//! [`exit::Exit`].

mod cli;
mod commands;
mod connect;
mod exit;
mod files;
mod output;
mod platform;
mod sample;

use std::process::ExitCode;

use clap::Parser;

use exit::{Exit, Failure};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("fleetwright has a defect and stops: {panic}");
        eprintln!("please report it with the command you ran and the output above");
        std::process::exit(Exit::Defect as i32);
    }));
    let cli = match parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes.
            let _ = error.print();
            return match error.use_stderr() {
                true if is_build_helm() => Exit::Negative.into(),
                true => Exit::Usage.into(),
                false => Exit::Done.into(),
            };
        }
    };
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprint!("{}", failure.render());
            failure.exit.into()
        }
    }
}

/// Chooses the provider of cryptography; two in one program would make TLS fail at its first use.
fn start_network() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
}

/// Whether the command line is for the command that ends as `helm template` does, with 1 for a flag
/// that is none, too.
fn is_build_helm() -> bool {
    let mut words = std::env::args_os().skip(1);
    words.next().is_some_and(|word| word == "build")
        && words.next().is_some_and(|word| word == "helm")
}

/// Reads the command line.
///
/// Describing all commands to the parser takes longer than a small build, and builds run in loops
/// and hooks. So a build of a kustomization without flags is read without it, and of charts only
/// their command is described.
fn parse() -> Result<cli::Cli, clap::Error> {
    let mut arguments = std::env::args_os()
        .skip(1)
        .map_while(|word| word.into_string().ok());
    let words = [arguments.next(), arguments.next()];
    if words.each_ref().map(Option::as_deref) == [Some("build"), Some("kustomize")] {
        match (arguments.next(), arguments.next()) {
            (None, _) => return Ok(cli::Cli::plain_build(".".to_owned())),
            (Some(folder), None) if !folder.is_empty() && !folder.starts_with('-') => {
                return Ok(cli::Cli::plain_build(folder));
            }
            _ => {}
        }
    }
    if is_build_helm()
        && let Some(cli) = cli::Cli::build_helm(std::env::args_os().skip(3))
    {
        return Ok(cli);
    }
    cli::Cli::try_parse()
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::plain(Exit::Unreadable, format!("{error:#}"))
    }
}
