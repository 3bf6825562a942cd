//! `serve`: everything in one process, durable.

use super::Outcome;
use crate::cli::ServeArgs;
use crate::platform::{Platform, PlatformOptions};

/// Runs until interrupted.
pub async fn run(args: ServeArgs) -> Outcome {
    let platform = Platform::start(PlatformOptions::serve(&args)?).await?;
    platform.print_addresses();
    platform.run_until_interrupted().await
}
