//! `demo`: everything in one process, for a look.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use object::Node;
use runtime::{Readiness, Summary, SyncState, UnitSummary};

use super::{Outcome, get};
use crate::cli::DemoArgs;
use crate::exit::{Exit, Failure};
use crate::output::{print_as, table};
use crate::platform::{Platform, PlatformOptions};
use crate::sample;

/// How often the units are looked at while they settle.
const PAUSE: Duration = Duration::from_millis(25);

/// Starts the demo; ends when interrupted, or with `--settle` when everything rests.
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
        "demo repositories",
        started,
        &format!(
            "3 apps, {clusters} simulated clusters; 2 components, 3 environments on simulated planes"
        ),
    );
    for notice in &platform.notices {
        eprintln!("◎ {notice}");
    }
    let state = settle(&platform, args.timeout.to_std()).await?;
    tell("first reconcile", started, &state.in_a_sentence());
    if args.settle {
        return report(&args, &state);
    }
    print_next_steps(&platform);
    platform.run_until_interrupted().await
}

fn tell(what: &str, started: Instant, detail: &str) {
    let seconds = started.elapsed().as_secs_f64();
    eprintln!("✔ {what:<20} {seconds:>4.1} s   {detail}");
}

/// Waits until every unit and binding of the samples is there and rests.
async fn settle(platform: &Platform, longest: Duration) -> Result<State, Failure> {
    let until = Instant::now() + longest;
    loop {
        let state = State::of(platform);
        // What waits for another rests only when that one does.
        if state.is_settled() && state.unexpected().is_empty() {
            return Ok(state);
        }
        if Instant::now() >= until {
            if state.is_settled() {
                return Ok(state);
            }
            let message = format!(
                "not everything rests after {longest:?}: {}",
                state.in_a_sentence()
            );
            return Err(Failure::plain(Exit::TimedOut, message));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// How the samples are.
struct State {
    units: Summary,
    /// The reason of each binding's condition `Ready`, by its name.
    bindings: BTreeMap<String, String>,
}

impl State {
    fn of(platform: &Platform) -> Self {
        let objects = platform.components.objects();
        let bindings = objects
            .iter()
            .filter(|object| object.kind() == "ReleaseBinding")
            .map(|binding| (binding.name().to_owned(), Readiness::of(binding).reason));
        Self {
            units: platform.engine.summary(),
            bindings: bindings.collect(),
        }
    }

    /// Whether everything of the samples is there, and no unit is on its way.
    fn is_settled(&self) -> bool {
        let known = |name: &str| self.units.units.iter().any(|unit| unit.key.name == name);
        let mut bindings = sample::EXPECTED_BINDINGS.iter();
        sample::EXPECTED.iter().all(|(name, _, _)| known(name))
            && bindings.all(|(name, _)| self.bindings.contains_key(*name))
            && self.units.is_settled()
    }

    /// What is not in the state the samples say.
    fn unexpected(&self) -> Vec<String> {
        let units = sample::EXPECTED.iter().filter_map(|(name, sync, health)| {
            let unit = self.units.units.iter().find(|unit| unit.key.name == *name);
            let found = unit.map(|unit| (unit.sync.as_str(), unit.health.as_str()));
            (found != Some((*sync, *health)))
                .then(|| format!("{name} is {found:?}, expected {sync} and {health}"))
        });
        let bindings = sample::EXPECTED_BINDINGS.iter();
        let bindings = bindings.filter_map(|(name, reason)| {
            let found = self.bindings.get(*name).map(String::as_str);
            (found != Some(*reason)).then(|| format!("{name} is {found:?}, expected {reason}"))
        });
        units.chain(bindings).collect()
    }

    fn in_a_sentence(&self) -> String {
        let mut parts = Vec::new();
        for (state, word) in [
            (SyncState::Synced, "synced"),
            (SyncState::Behind, "behind"),
            (SyncState::Unknown, "unknown"),
            (SyncState::Blocked, "blocked"),
        ] {
            match self.units.count(state) {
                0 => {}
                count => parts.push(format!("{count} {word}")),
            }
        }
        let with = |reason: &str| self.bindings.values().filter(|own| *own == reason).count();
        let (ready, held) = (with("Ready"), with("PromotionBlocked"));
        format!(
            "{} units: {}; {} bindings: {ready} ready, {held} held back",
            self.units.units.len(),
            parts.join(", "),
            self.bindings.len(),
        )
    }
}

fn report(args: &DemoArgs, state: &State) -> Outcome {
    let summary = &state.units;
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
    let bindings = state.bindings.iter().map(|(name, reason)| {
        let mut own = Node::map();
        own.set(&["name"], name.as_str());
        own.set(&["reason"], reason.as_str());
        own
    });
    node.set(&["bindings"], Node::list(bindings));
    print_as(args.output, &node, |wide| {
        let rows: Vec<_> = state.bindings.iter().collect();
        let rows = rows
            .into_iter()
            .map(|(name, reason)| vec![name.clone(), reason.clone()]);
        let units = get::to_table(&items, false, wide);
        let bindings = table(&["BINDING", "READY"], &rows.collect::<Vec<_>>());
        format!("{units}\n{bindings}")
    });
    let unexpected = state.unexpected();
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
    let kubeconfig = platform.kubeconfig.display();
    eprintln!(
        "► http://{http}        nothing leaves this computer; Ctrl-C ends it\n\n\
         Try:\n  \
         fleetwright get\n  \
         fleetwright why ks/production-storefront\n  \
         git clone http://push:{token}@{http}/git/demo/fleet.git\n  \
         kubectl --kubeconfig {kubeconfig} get kustomizations -A\n  \
         kubectl --kubeconfig {kubeconfig}-production get pods -n shop\n\n\
         A release waits for an approval to enter production:\n  \
         fleetwright get components\n  \
         fleetwright why component/catalog\n  \
         fleetwright approve component/catalog --env production --server\n  \
         fleetwright tree component/catalog\n  \
         git clone http://push:{token}@{http}/git/demo/components.git",
    );
}
