//! Many at once, and a server that is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use git::{NewCommit, Repository};
use tree::Tree;

use crate::client::ann;
use crate::support::{Served, commit, git, try_git};

#[test]
fn many_clones_and_pushes_at_once_each_succeed_or_lose_cleanly() {
    let served = Served::new();
    served.server.create("app", "main").unwrap();
    let seed = served.work("seed");
    git(&seed, &["init", "-q"]);
    commit(&seed, "a", "1");
    git(&seed, &["push", "-q", &served.push_url("app"), "main"]);
    let works: Vec<_> = (0..12)
        .map(|number| {
            let work = served.work(&format!("work-{number}"));
            git(&work, &["clone", "-q", &served.push_url("app"), "."]);
            commit(&work, &format!("file-{number}"), "x");
            work
        })
        .collect();
    let won: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = works
            .iter()
            .enumerate()
            .map(|(number, work)| {
                let served = &served;
                scope.spawn(move || {
                    let own = format!("main:own-{number}");
                    git(work, &["push", "-q", "origin", &own]);
                    let pushed = try_git(work, &["push", "-q", "origin", "main"]);
                    let clone = served.work(&format!("clone-{number}"));
                    git(&clone, &["clone", "-q", &served.url("app"), "."]);
                    usize::from(pushed.status.success())
                })
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    assert_eq!(won, 1, "two pushes to one branch: exactly one wins");
    let heads = git(&seed, &["ls-remote", "--heads", &served.url("app")]);
    assert_eq!(heads.lines().count(), 13);
    served.fsck("app");
}

#[test]
fn small_packs_are_merged_and_nothing_is_lost() {
    let served = Served::new();
    let repository = served.server.create("app", "main").unwrap();
    let mut head = None;
    for number in 0..60_i64 {
        let text = number.to_string();
        let tree: Tree = [("count", text.as_str())].into_iter().collect();
        let new = NewCommit {
            branch: "main",
            onto: head,
            tree: &tree,
            author: ann(number),
            committer: ann(number),
            message: "count",
        };
        head = Some(served.server.commit("app", &new).unwrap());
    }
    let packs = std::fs::read_dir(served.repository("app").join("objects/pack")).unwrap();
    let packs = packs.filter(|entry| {
        entry
            .as_ref()
            .unwrap()
            .path()
            .extension()
            .is_some_and(|kind| kind == "pack")
    });
    assert!(packs.count() <= 51);
    assert_eq!(repository.log(head.unwrap(), 100).unwrap().len(), 60);
    served.fsck("app");
}

/// The folder that the helper process below serves.
const FOLDER: &str = "FLEETWRIGHT_TEST_SERVE";

/// Not a test of its own: the process that the next test kills.
#[test]
fn helper_process_that_serves_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let served = Served::in_folder(Path::new(&folder));
    // The test harness holds standard output back; standard error is passed on.
    eprintln!("address={}", served.address);
    loop {
        std::thread::sleep(Duration::from_secs(1));
    }
}

fn helper(folder: &Path) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::helper_process_that_serves_until_it_is_killed",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut addresses = lines.map_while(Result::ok);
    let address = addresses.find_map(|line| Some(line.split_once("address=")?.1.to_owned()));
    (child, address.unwrap())
}

#[test]
fn killing_the_server_during_pushes_loses_nothing_and_breaks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let repositories = folder.path().join("repositories");
    Repository::init_bare(&repositories.join("app.git"), "main").unwrap();
    let work = folder.path().join("work");
    std::fs::create_dir(&work).unwrap();
    git(&work, &["init", "-q"]);
    let mut confirmed = None;
    let mut lost = 0;
    for round in 0..12_u64 {
        let (mut child, address) = helper(&repositories);
        let url = format!("http://u:{}@{address}/git/app.git", crate::support::SECRET);
        for number in 0..40 {
            std::fs::write(work.join(format!("{round}-{number}")), "x".repeat(20_000)).unwrap();
        }
        let head = commit(&work, "round", &round.to_string());
        let pushed = std::thread::scope(|scope| {
            let push = scope.spawn(|| try_git(&work, &["push", "-q", &url, "main"]));
            std::thread::sleep(Duration::from_millis(20 + round * 12));
            child.kill().unwrap();
            child.wait().unwrap();
            push.join().unwrap().status.success()
        });
        let repository = repositories.join("app.git");
        git(&repository, &["fsck", "--strict", "--full"]);
        let actual = Repository::open(&repository)
            .unwrap()
            .resolve("refs/heads/main")
            .unwrap();
        let actual = actual.map(|id| id.to_string());
        match pushed {
            true => assert_eq!(
                actual.as_deref(),
                Some(head.as_str()),
                "a confirmed push is there"
            ),
            false => {
                lost += 1;
                let either = actual == confirmed || actual.as_deref() == Some(head.as_str());
                assert!(either, "a push happens or does not");
            }
        }
        confirmed = actual;
    }
    assert!(lost > 0, "no round was interrupted, which tests nothing");
    // The next server clears what was left behind and goes on.
    let (mut child, address) = helper(&repositories);
    let url = format!("http://u:{}@{address}/git/app.git", crate::support::SECRET);
    git(&work, &["push", "-q", &url, "main"]);
    let objects = std::fs::read_dir(repositories.join("app.git/objects")).unwrap();
    let names: Vec<_> = objects.map(|entry| entry.unwrap().file_name()).collect();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn readers_do_not_notice_that_packs_are_merged() {
    let served = Served::new();
    let repository = served.server.create("app", "main").unwrap();
    let made = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut head = None;
            for number in 0..105_i64 {
                let text = number.to_string();
                let tree: Tree = [("count", text.as_str()), ("same", "x")]
                    .into_iter()
                    .collect();
                let new = NewCommit {
                    branch: "main",
                    onto: head,
                    tree: &tree,
                    author: ann(number),
                    committer: ann(number),
                    message: "count",
                };
                head = Some(served.server.commit("app", &new).unwrap());
            }
            made.store(true, std::sync::atomic::Ordering::SeqCst);
        });
        let reader = scope.spawn(|| {
            let mut clones = 0;
            while !made.load(std::sync::atomic::Ordering::SeqCst) || clones == 0 {
                if let Some(head) = repository.resolve("refs/heads/main").unwrap() {
                    let log = repository.log(head, 1000).unwrap();
                    repository.checkout(log[log.len() - 1].id).unwrap();
                    let place = served.work(&format!("clone-{clones}"));
                    git(&place, &["clone", "-q", "--bare", &served.url("app"), "."]);
                    clones += 1;
                }
            }
        });
        writer.join().unwrap();
        reader.join().unwrap();
    });
    served.fsck("app");
}
