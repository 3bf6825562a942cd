//! The process dies after request N, for every N: the end is the same as if it had not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::faults::Fate;
use crate::world::{World, config_map, deployment, unit};

/// What one story ends with.
struct End {
    /// The cluster.
    picture: BTreeMap<String, String>,
    /// Every deletion that was asked for.
    deleted: BTreeSet<String>,
    /// Writes of the engine, until it came to rest.
    writes: usize,
}

/// Two commits: the second removes an object of one unit, changes one of the other, and adds one.
async fn story(crash: Option<(usize, Fate)>, case: &str) -> End {
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
    world.apply(&unit("settings", "dependsOn: [{name: web}]")).await;
    let dies = crash.is_some();
    if let Some((number, outcome)) = crash {
        world.faults.crash_at(number, outcome);
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
    let log = world.faults.take_log();
    let deleted = log.iter().filter(|asked| asked.method == "DELETE");
    let deleted = deleted.map(|asked| asked.path.clone()).collect();
    let writes = log.iter().filter(|asked| asked.write > 0).count();
    assert_eq!(world.orphans().await, Vec::<String>::new(), "{case}: orphans");
    world.quiet(Duration::from_secs(660), case).await;
    let picture = world.picture();
    world.kill().await;
    End {
        picture,
        deleted,
        writes,
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
async fn a_death_after_any_write_changes_nothing_of_the_end() {
    let calm = story(None, "calm").await;
    assert_eq!(
        calm.deleted,
        BTreeSet::from(["/api/v1/namespaces/apps/configmaps/old".to_owned()])
    );
    assert!(calm.writes >= 15, "{} writes", calm.writes);
    for number in 1..=calm.writes {
        for outcome in [Fate::Pass, Fate::HangAfter, Fate::Hang] {
            let case = format!("write {number}, {outcome:?}");
            let end = story(Some((number, outcome)), &case).await;
            assert!(
                end.deleted.is_subset(&calm.deleted),
                "{case}: {:?}",
                end.deleted
            );
            assert_same(&calm.picture, &end.picture, &case);
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
