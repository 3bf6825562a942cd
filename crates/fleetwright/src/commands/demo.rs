//! `demo`: everything in one process, for a look.

use std::time::{Duration, Instant};

use object::Node;
use runtime::{Summary, SyncState, UnitSummary};

use super::{Outcome, get};
use crate::cli::DemoArgs;
use crate::exit::{Exit, Failure};
use crate::output::print_as;
use crate::platform::{Platform, PlatformOptions};
use crate::sample;

/// How often the units are looked at while they settle.
const PAUSE: Duration = Duration::from_millis(25);

/// Starts the demo; ends when interrupted, or with `--settle` when every unit rests.
pub async fn run(args: DemoArgs) -> Outcome {
    let started = Instant::now();
    let platform = Platform::start(PlatformOptions::demo(&args)).await?;
    let api = match platform.api {
        Some(address) => format!("in memory, {address}"),
        None => "elsewhere".to_owned(),
    };
    tell("API server", started, &api);
    let clusters = sample::CLUSTERS.len();
    tell(
        "demo repository",
        started,
        &format!("3 apps, {clusters} simulated clusters"),
    );
    for notice in &platform.notices {
        eprintln!("◎ {notice}");
    }
    let summary = settle(&platform, args.timeout.to_std()).await?;
    tell("first reconcile", started, &in_a_sentence(&summary));
    if args.settle {
        return report(&args, &summary);
    }
    print_next_steps(&platform);
    platform.run_until_interrupted().await
}

fn tell(what: &str, started: Instant, detail: &str) {
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("✔ {what:<20} {seconds:>4.1} s   {detail}");
}

/// Waits until every unit of the sample is there and rests.
async fn settle(platform: &Platform, longest: Duration) -> Result<Summary, Failure> {
    let until = Instant::now() + longest;
    loop {
        let summary = platform.engine.summary();
        let known = |name: &str| summary.units.iter().any(|unit| unit.key.name == name);
        let all_there = sample::EXPECTED.iter().all(|(name, _, _)| known(name));
        // A unit that waits for another rests only when that one does.
        if all_there && summary.is_settled() && as_expected(&summary).is_empty() {
            return Ok(summary);
        }
        if Instant::now() >= until {
            return match all_there && summary.is_settled() {
                true => Ok(summary),
                false => {
                    let message = format!(
                        "not every unit rests after {longest:?}: {}",
                        in_a_sentence(&summary)
                    );
                    Err(Failure::plain(Exit::TimedOut, message))
                }
            };
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn in_a_sentence(summary: &Summary) -> String {
    let mut parts = Vec::new();
    for (state, word) in [
        (SyncState::Synced, "synced"),
        (SyncState::Behind, "behind"),
        (SyncState::Unknown, "unknown"),
        (SyncState::Blocked, "blocked"),
    ] {
        match summary.count(state) {
            0 => {}
            count => parts.push(format!("{count} {word}")),
        }
    }
    format!("{} units: {}", summary.units.len(), parts.join(", "))
}

/// Units that are not in the state the sample says.
fn as_expected(summary: &Summary) -> Vec<String> {
    let differs = |(name, sync, health): &(&str, &str, &str)| {
        let unit = summary.units.iter().find(|unit| unit.key.name == *name);
        let found = unit.map(|unit| (unit.sync.as_str(), unit.health.as_str()));
        (found != Some((*sync, *health)))
            .then(|| format!("{name} is {found:?}, expected {sync} and {health}"))
    };
    sample::EXPECTED.iter().filter_map(differs).collect()
}

fn report(args: &DemoArgs, summary: &Summary) -> Outcome {
    let mut node = Node::map();
    node.set(&["apiVersion"], "fleetwright.dev/v1alpha1");
    node.set(&["kind"], "Summary");
    node.set(&["units"], summary.units.len() as i64);
    for state in [
        SyncState::Synced,
        SyncState::Behind,
        SyncState::Unknown,
        SyncState::Blocked,
    ] {
        let key = state.as_str().to_lowercase();
        node.set(&["counts", &key], summary.count(state) as i64);
    }
    let items: Vec<UnitSummary> = summary
        .sources
        .iter()
        .chain(&summary.units)
        .cloned()
        .collect();
    node.set(&["items"], Node::list(items.iter().map(get::to_node)));
    print_as(args.output, &node, |wide| {
        get::to_table(&items, false, wide)
    });
    let unexpected = as_expected(summary);
    for line in &unexpected {
        eprintln!("✗ {line}");
    }
    Ok(match unexpected.is_empty() {
        true => Exit::Done,
        false => Exit::Negative,
    })
}

fn print_next_steps(platform: &Platform) {
    let http = platform.http;
    let token = &platform.push_token;
    eprintln!(
        "► http://{http}        nothing leaves this computer; Ctrl-C ends it\n\n\
         Try:\n  \
         fleetwright get\n  \
         fleetwright why ks/production-storefront\n  \
         git clone http://push:{token}@{http}/git/{repository}.git\n  \
         kubectl --kubeconfig {kubeconfig} get kustomizations -A\n  \
         kubectl --kubeconfig {kubeconfig}-production get pods -n shop",
        repository = sample::REPOSITORY,
        kubeconfig = platform.kubeconfig.display(),
    );
}
