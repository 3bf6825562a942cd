//! Whatever goes wrong on the way, the end is the same as if it had not: the process dies after
//! request N, for every N, or requests fail again and again.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::faults::{Asked, Fate};
use crate::world::{World, config_map, deployment, unit};

/// What one story ends with.
struct End {
    /// The cluster.
    picture: BTreeMap<String, String>,
    /// Every deletion that was asked for.
    deleted: BTreeSet<String>,
    /// Writes of the engine, until it came to rest.
    writes: usize,
    /// Requests of the engine, until it came to rest.
    requests: usize,
}

/// What goes wrong.
enum Trouble {
    /// Nothing.
    None,
    /// The process dies at the write with this number, which ends like this.
    Crash(usize, Fate),
    /// Requests have this fate, until both commits have arrived.
    Requests(Box<dyn FnMut(&Asked) -> Fate + Send>),
}

/// Two commits: the second removes an object of one unit, changes one of the other, and adds one.
async fn story(trouble: Trouble, case: &str) -> End {
    let web = format!(
        "apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop}}\n---\n{}{}",
        config_map("web", "1"),
        deployment("web", "example.com/web:1")
    );
    let (old, kept) = (config_map("old", "1"), config_map("kept", "1"));
    let mut world = World::new(&[
        ("web/all.yaml", &web),
        ("settings/old.yaml", &old),
        ("settings/kept.yaml", &kept),
    ])
    .await;
    world.apply(&unit("web", "wait: true\ntimeout: 5m")).await;
    world
        .apply(&unit("settings", "dependsOn: [{name: web}]"))
        .await;
    let dies = matches!(trouble, Trouble::Crash(..));
    match trouble {
        Trouble::None => {}
        Trouble::Crash(number, outcome) => world.faults.crash_at(number, outcome),
        Trouble::Requests(decide) => world.faults.decide(decide),
    }
    world.start();
    let mut survivor = Survivor { dies, case };
    // The first commit is the one the world began with.
    let first = "main@sha1:";
    survivor.rest(&mut world, first).await;
    let web = web.replace("web:1", "web:2");
    let new = config_map("new", "1");
    let second = world.commit(&[
        ("web/all.yaml", &web),
        ("settings/kept.yaml", &kept),
        ("settings/new.yaml", &new),
    ]);
    survivor.rest(&mut world, &second).await;
    if world.faults.is_on() {
        world.faults.end();
        // A look that failed at the end is repeated after one interval.
        world.pass(Duration::from_secs(90)).await;
        survivor.rest(&mut world, &second).await;
    }
    let log = world.faults.take_log();
    let deleted = log.iter().filter(|asked| asked.method == "DELETE");
    let deleted = deleted.map(|asked| asked.path.clone()).collect();
    let writes = log.iter().filter(|asked| asked.write > 0).count();
    assert_eq!(
        world.orphans().await,
        Vec::<String>::new(),
        "{case}: orphans"
    );
    world.quiet(Duration::from_secs(660), case).await;
    let picture = world.picture();
    world.kill().await;
    End {
        picture,
        deleted,
        writes,
        requests: log.len(),
    }
}

/// Starts the process again when it has died.
struct Survivor<'a> {
    dies: bool,
    case: &'a str,
}

impl Survivor<'_> {
    /// Waits until both units are ready with a revision.
    async fn rest(&mut self, world: &mut World, revision: &str) {
        let faults = world.faults.clone();
        if self.dies {
            let died = tokio::select! {
                () = faults.died() => true,
                () = ready(world, revision) => false,
            };
            if !died {
                return;
            }
            self.dies = false;
            world.kill().await;
            faults.end();
            world.start();
        }
        let rest = tokio::time::timeout(Duration::from_secs(1800), ready(world, revision));
        assert!(rest.await.is_ok(), "{}: no rest", self.case);
    }
}

async fn ready(world: &World, revision: &str) {
    for name in ["web", "settings"] {
        world
            .until(name, &format!("ready with {revision}"), |unit| {
                let applied = unit.node.str_at(&["status", "lastAppliedRevision"]);
                let applied = applied.unwrap_or_default();
                applied.starts_with(revision) && crate::world::is_ready(unit, applied)
            })
            .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_death_after_any_answered_write_changes_nothing_of_the_end() {
    check(Fate::Pass).await;
}

#[tokio::test(start_paused = true)]
async fn a_death_before_the_answer_to_any_write_changes_nothing_of_the_end() {
    check(Fate::HangAfter).await;
}

#[tokio::test(start_paused = true)]
async fn a_death_before_any_write_changes_nothing_of_the_end() {
    check(Fate::Hang).await;
}

/// Dies once at every write of the story, with this outcome of it.
async fn check(outcome: Fate) {
    let calm = story(Trouble::None, "calm").await;
    assert_eq!(
        calm.deleted,
        BTreeSet::from(["/api/v1/namespaces/apps/configmaps/old".to_owned()])
    );
    assert!(calm.writes >= 15, "{} writes", calm.writes);
    for number in 1..=calm.writes {
        let case = format!("write {number}, {outcome:?}");
        let end = story(Trouble::Crash(number, outcome.clone()), &case).await;
        let deleted = &end.deleted;
        assert!(deleted.is_subset(&calm.deleted), "{case}: {deleted:?}");
        assert_same(&calm.picture, &end.picture, &case);
    }
}

#[tokio::test(start_paused = true)]
async fn failing_requests_change_nothing_of_the_end() {
    let calm = story(Trouble::None, "calm").await;
    // Every third or fourth write, and dry runs and reads as often.
    let fates = [
        Fate::Refuse(409, "Conflict"),
        Fate::Refuse(429, "TooManyRequests"),
        Fate::Refuse(403, "Forbidden"),
        Fate::Refuse(503, "ServiceUnavailable"),
        Fate::FailAfter,
        Fate::LoseAnswer,
        Fate::Lose,
        Fate::Late(Duration::from_secs(3)),
        // Longer than one request may take.
        Fate::Late(Duration::from_secs(40)),
    ];
    for fate in fates {
        for (what, every) in [("writes", 4), ("reads", 7)] {
            let case = format!("{what}: {fate:?}");
            let fate = fate.clone();
            let mut count = 0;
            let decide = move |asked: &Asked| {
                let concerned = match what {
                    "writes" => asked.write > 0,
                    _ => asked.write == 0,
                };
                count += usize::from(concerned);
                match concerned && count % every == 0 {
                    true => fate.clone(),
                    false => Fate::Pass,
                }
            };
            let end = story(Trouble::Requests(Box::new(decide)), &case).await;
            // Retries are no stream of requests.
            assert!(end.requests < 400, "{case}: {} requests", end.requests);
            let deleted = &end.deleted;
            assert!(deleted.is_subset(&calm.deleted), "{case}: {deleted:?}");
            assert_same(&calm.picture, &end.picture, &case);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn unreadable_kinds_change_nothing_of_the_end() {
    let calm = story(Trouble::None, "calm").await;
    fn collection(asked: &Asked, of: &str) -> bool {
        asked.method == "GET" && asked.path.ends_with(of)
    }
    fn watched(asked: &Asked, of: &str) -> bool {
        collection(asked, of) && asked.is_watch()
    }
    let refused = Fate::Refuse(403, "Forbidden");
    type Concerns = Box<dyn FnMut(&Asked) -> bool + Send>;
    let cases: Vec<(&str, Fate, Concerns)> = vec![
        (
            "the health watch is forbidden",
            refused.clone(),
            Box::new(move |asked| collection(asked, "/deployments")),
        ),
        (
            "the health watch is refused for a while",
            Fate::Refuse(500, "InternalError"),
            Box::new({
                let mut count = 0;
                move |asked| {
                    count += usize::from(collection(asked, "/deployments"));
                    collection(asked, "/deployments") && count < 5
                }
            }),
        ),
        (
            "watches of units break at once",
            Fate::Lose,
            Box::new(move |asked| watched(asked, "/kustomizations")),
        ),
        (
            "watches of units are too old",
            Fate::Refuse(410, "Expired"),
            Box::new({
                let mut count = 0;
                move |asked| {
                    count += usize::from(watched(asked, "/kustomizations"));
                    watched(asked, "/kustomizations") && count < 20
                }
            }),
        ),
        (
            "triggers are forbidden",
            refused,
            Box::new(move |asked| collection(asked, "/configmaps")),
        ),
    ];
    for (case, fate, mut concerns) in cases {
        let decide = move |asked: &Asked| match concerns(asked) {
            true => fate.clone(),
            false => Fate::Pass,
        };
        let end = story(Trouble::Requests(Box::new(decide)), case).await;
        let deleted = &end.deleted;
        assert!(deleted.is_subset(&calm.deleted), "{case}: {deleted:?}");
        assert_same(&calm.picture, &end.picture, case);
    }
}

#[tokio::test(start_paused = true)]
async fn a_death_while_a_deleted_unit_is_cleaned_up_leaves_nothing() {
    let (a, b) = (config_map("a", "1"), config_map("b", "1"));
    for number in 1..=3 {
        for outcome in [Fate::Pass, Fate::HangAfter, Fate::Hang] {
            let case = format!("write {number}, {outcome:?}");
            let mut world = World::new(&[("web/a.yaml", &a), ("web/b.yaml", &b)]).await;
            world.apply(&unit("web", "")).await;
            world.start();
            let ready = |unit: &object::Object| crate::world::condition(unit, "Ready").0 == "True";
            let unit = world.until("web", "ready", ready).await;
            world.faults.crash_at(number, outcome);
            world.delete(&unit).await;
            // Deletions of both objects, and the finalizer.
            let died = tokio::time::timeout(Duration::from_secs(60), world.faults.died());
            assert!(died.await.is_ok(), "{case}: fewer writes than that");
            world.kill().await;
            world.faults.end();
            world.start();
            world.pass(Duration::from_secs(90)).await;
            let kind = api::kustomization_kind();
            let units = world.client.list(&kind, "", "").await.expect("units");
            assert!(units.is_empty(), "{case}: the unit is still there");
            let left: Vec<String> = world.orphans().await;
            assert!(left.is_empty(), "{case}: {left:?}");
        }
    }
}

/// Compares two clusters object by object.
pub fn assert_same(calm: &BTreeMap<String, String>, end: &BTreeMap<String, String>, case: &str) {
    let keys: BTreeSet<&String> = calm.keys().chain(end.keys()).collect();
    for key in keys {
        assert_eq!(calm.get(key), end.get(key), "{case}: {key}");
    }
}
