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
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes.
            let _ = error.print();
            return match error.use_stderr() {
                true => Exit::Usage.into(),
                false => Exit::Done.into(),
            };
        }
    };
    // Two providers of cryptography in one program would make TLS fail at its first use.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    output::start_logging(&cli);
    match commands::run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            eprint!("{}", failure.render());
            failure.exit.into()
        }
    }
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
