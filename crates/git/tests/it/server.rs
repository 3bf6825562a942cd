//! Clone, fetch and push with the stock client.

use crate::support::{READER, SECRET, Served, commit, git, git_fails};

/// A server with the repository `team/app` that a stock client has pushed three commits and a tag to.
fn with_history() -> (Served, std::path::PathBuf) {
    let served = Served::new();
    served.server.create("team/app", "main").unwrap();
    let work = served.work("work");
    git(&work, &["init", "-q"]);
    commit(&work, "apps/web.yaml", "a: 1\n");
    commit(&work, "apps/web.yaml", "a: 2\n");
    commit(&work, "README.md", "hello\n");
    git(&work, &["tag", "-a", "v1.0.0", "-m", "first"]);
    git(
        &work,
        &["remote", "add", "origin", &served.push_url("team/app")],
    );
    git(&work, &["push", "-q", "origin", "main", "v1.0.0"]);
    served.fsck("team/app");
    (served, work)
}

#[test]
fn every_protocol_version_clones_fetches_and_lists() {
    let (served, work) = with_history();
    let head = git(&work, &["rev-parse", "HEAD"]);
    for version in ["0", "1", "2"] {
        let protocol = format!("protocol.version={version}");
        let git_v = |folder: &std::path::Path, arguments: &[&str]| {
            git(folder, &[&["-c", &protocol], arguments].concat())
        };
        let url = served.url("team/app");
        let place = served.work(&format!("clones-{version}"));

        let listed = git_v(&place, &["ls-remote", "--symref", &url]);
        assert!(listed.contains("ref: refs/heads/main\tHEAD"), "{listed}");
        assert!(listed.contains("refs/tags/v1.0.0^{}"), "{listed}");

        git_v(&place, &["clone", "-q", &url, "full"]);
        let full = place.join("full");
        assert_eq!(git(&full, &["rev-parse", "HEAD"]), head);
        assert_eq!(git(&full, &["tag"]), "v1.0.0");
        git(&full, &["fsck", "--strict"]);

        git_v(&place, &["clone", "-q", "--depth", "1", &url, "shallow"]);
        let shallow = place.join("shallow");
        assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "1");
        git_v(&shallow, &["fetch", "-q", "--deepen", "1"]);
        assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "2");
        git_v(&shallow, &["fetch", "-q", "--depth", "1"]);
        assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "1");
        git_v(&shallow, &["fetch", "-q", "--unshallow"]);
        assert_eq!(git(&shallow, &["rev-list", "--count", "HEAD"]), "3");
        git(&shallow, &["fsck", "--strict"]);

        // By id, one level: what a reader of exact revisions does.
        git(&place, &["init", "-q", "by-id"]);
        let by_id = place.join("by-id");
        let parent = git(&work, &["rev-parse", "HEAD~1"]);
        git_v(&by_id, &["fetch", "-q", "--depth", "1", &url, &parent]);
        assert_eq!(git(&by_id, &["rev-parse", "FETCH_HEAD"]), parent);

        // News after a clone: a branch that both sides have grown.
        let new = commit(&work, "news.txt", version);
        git(&work, &["push", "-q", "origin", "main"]);
        commit(&full, "own.txt", "mine");
        git_v(&full, &["fetch", "-q"]);
        assert_eq!(git(&full, &["rev-parse", "origin/main"]), new);
        git(&full, &["fsck", "--strict"]);
        git(
            &work,
            &["push", "-q", "--force", "origin", &format!("{head}:main")],
        );
        git(&work, &["reset", "-q", "--hard", &head]);
    }
}

#[test]
fn pushes_create_move_force_and_delete_references() {
    let (served, work) = with_history();
    git(
        &work,
        &["push", "-q", "origin", "main:refs/heads/feature/one"],
    );
    git(
        &work,
        &["push", "-q", "--force", "origin", "main~1:feature/one"],
    );
    git(&work, &["push", "-q", "origin", "v1.0.0:refs/tags/v1.0.1"]);
    git(&work, &["push", "-q", "--delete", "origin", "feature/one"]);
    git(&work, &["push", "-q", "--delete", "origin", "v1.0.1"]);
    // The folder `feature` is free again.
    git(
        &work,
        &[
            "push",
            "-q",
            "--atomic",
            "origin",
            "main:feature",
            "main:other",
        ],
    );
    let listed = git(&work, &["ls-remote", "--heads", "origin"]);
    let names: Vec<_> = listed
        .lines()
        .filter_map(|line| line.split('\t').nth(1))
        .collect();
    assert_eq!(
        names,
        ["refs/heads/feature", "refs/heads/main", "refs/heads/other"]
    );
    served.fsck("team/app");

    let events = served.events.lock().unwrap();
    let last = events.last().unwrap();
    assert_eq!(
        (last.repository.as_str(), last.name.as_str()),
        ("team/app", "refs/heads/other")
    );
    assert_eq!(last.pusher.as_deref(), Some("robot"));
    let deleted = events.iter().filter(|event| event.new.is_none()).count();
    assert_eq!(deleted, 2);
}

#[test]
fn refusals_name_the_rule_and_change_nothing() {
    let (_served, work) = with_history();
    let before = git(&work, &["ls-remote", "origin"]);
    for (arguments, complaint) in [
        (
            &["push", "origin", "--delete", "main"][..],
            "deletion of the current branch",
        ),
        (
            &["push", "origin", "main:refs/heads/main/below"],
            "cannot exist beside",
        ),
        (
            &["push", "origin", "main:refs/pull/1/head"],
            "kept by the server",
        ),
        (
            &[
                "push",
                "--atomic",
                "origin",
                "main:refs/heads/good",
                "main:refs/pull/1/head",
            ],
            "atomic push failed",
        ),
    ] {
        let output = git_fails(&work, arguments);
        assert!(output.contains(complaint), "{arguments:?}: {output}");
        assert_eq!(git(&work, &["ls-remote", "origin"]), before);
    }
    // Without `--atomic`, what is right goes through.
    git_fails(
        &work,
        &[
            "push",
            "origin",
            "main:refs/heads/good",
            "main:refs/pull/1/head",
        ],
    );
    assert!(git(&work, &["ls-remote", "origin"]).contains("refs/heads/good"));
}

#[test]
fn a_push_from_behind_loses_against_the_one_before() {
    let (served, work) = with_history();
    let place = served.work("clones");
    git(
        &place,
        &["clone", "-q", &served.push_url("team/app"), "other"],
    );
    let other = place.join("other");
    let first = commit(&work, "first.txt", "1");
    commit(&other, "second.txt", "2");
    git(&work, &["push", "-q", "origin", "main"]);
    let output = git_fails(&other, &["push", "origin", "main"]);
    assert!(output.contains("rejected"), "{output}");
    // A lease that is out of date does not help either.
    let lease = "--force-with-lease=main:0123456789012345678901234567890123456789";
    git_fails(&other, &["push", lease, "origin", "main"]);
    assert!(git(&work, &["ls-remote", "origin", "main"]).starts_with(&first));
}

#[test]
fn reading_is_open_and_pushing_needs_the_right_token() {
    let (served, work) = with_history();
    let url = |user: &str| format!("http://{user}{}/git/team/app.git", served.address);
    git(&work, &["ls-remote", &url("")]);
    // A stock client names itself only when it is asked to, so these are forced to.
    let bearer = |secret: &str| format!("http.extraHeader=Authorization: Bearer {secret}");
    git(&work, &["-c", &bearer(READER), "ls-remote", &url("")]);
    git_fails(&work, &["-c", &bearer("wrong"), "ls-remote", &url("")]);
    git_fails(&work, &["-c", &bearer(""), "ls-remote", &url("")]);
    commit(&work, "new.txt", "1");
    git_fails(&work, &["push", &url(""), "main"]);
    let output = git_fails(&work, &["push", &url(&format!("x:{READER}@")), "main"]);
    assert!(output.contains("403"), "{output}");
    git(
        &work,
        &["-c", &bearer(SECRET), "push", "-q", &url(""), "main"],
    );
    let output = git_fails(&work, &["ls-remote", &served.url("team/none")]);
    assert!(output.contains("not found"), "{output}");
}

#[test]
fn the_first_branch_of_an_empty_repository_becomes_its_head() {
    let served = Served::new();
    served.server.create("app", "main").unwrap();
    let place = served.work("place");
    for version in ["0", "2"] {
        let protocol = format!("protocol.version={version}");
        let folder = format!("empty-{version}");
        git(
            &place,
            &["-c", &protocol, "clone", "-q", &served.url("app"), &folder],
        );
    }
    let work = place.join("empty-2");
    commit(&work, "a", "1");
    git(
        &work,
        &["push", "-q", &served.push_url("app"), "HEAD:trunk"],
    );
    git(&place, &["clone", "-q", &served.url("app"), "after"]);
    assert_eq!(
        git(&place.join("after"), &["branch", "--show-current"]),
        "trunk"
    );
    assert_eq!(served.server.list(), ["app"]);
}

#[test]
fn large_and_deltified_pushes_arrive_whole() {
    let (served, work) = with_history();
    let mut text = String::new();
    for number in 0..60_000 {
        text.push_str(&format!("line {number} of a long file {}\n", number * 7919));
    }
    commit(&work, "long.txt", &text);
    git(&work, &["push", "-q", "origin", "main"]);
    text.push_str("and one more\n");
    commit(&work, "long.txt", &text);
    for number in 0..500 {
        std::fs::write(work.join(format!("file-{number}")), format!("{number}\n")).unwrap();
    }
    let head = commit(&work, "long.txt", &text.replace("line 7 ", "line seven "));
    git(&work, &["gc", "-q", "--aggressive"]);
    // Small request bodies are compressed, large ones sent in chunks: both forms are used here.
    git(&work, &["push", "-q", "origin", "main"]);
    served.fsck("team/app");
    // Maintenance by a stock git keeps working beside us.
    git(&served.repository("team/app"), &["gc", "-q"]);
    let place = served.work("place");
    git(&place, &["clone", "-q", &served.url("team/app"), "clone"]);
    assert_eq!(git(&place.join("clone"), &["rev-parse", "HEAD"]), head);
    let again = commit(&work, "after-gc", "1");
    git(&work, &["push", "-q", "origin", "main", "main:side"]);
    assert!(git(&work, &["ls-remote", "origin", "side"]).starts_with(&again));
    served.fsck("team/app");
}

#[test]
fn partial_clones_fetch_contents_when_they_are_needed() {
    let (served, work) = with_history();
    let head = git(&work, &["rev-parse", "HEAD"]);
    for (number, filter) in ["blob:none", "blob:limit=4", "tree:0"].iter().enumerate() {
        for version in ["0", "2"] {
            let place = served.work(&format!("partial-{number}-{version}"));
            let protocol = format!("protocol.version={version}");
            let url = served.url("team/app");
            let filter = format!("--filter={filter}");
            git(
                &place,
                &[
                    "-c",
                    &protocol,
                    "clone",
                    "-q",
                    &filter,
                    "--no-checkout",
                    &url,
                    ".",
                ],
            );
            let missing = git(
                &place,
                &["rev-list", "--objects", "--all", "--missing=print"],
            );
            assert!(
                missing.contains("\n?"),
                "{filter} left nothing out: {missing}"
            );
            git(&place, &["-c", &protocol, "checkout", "-q", "main"]);
            assert_eq!(git(&place, &["rev-parse", "HEAD"]), head);
            let text = std::fs::read_to_string(place.join("apps/web.yaml")).unwrap();
            assert_eq!(text, "a: 2\n");
            git(&place, &["-c", &protocol, "log", "-p"]);
        }
    }
    let place = served.work("place");
    let url = served.url("team/app");
    let output = git_fails(
        &place,
        &["clone", "--filter=sparse:oid=main:x", &url, "clone"],
    );
    assert!(output.contains("is not served"), "{output}");
}

#[test]
fn less_common_pushes_work_too() {
    let (served, work) = with_history();
    let place = served.work("place");
    // From a clone without history: its parents are here already.
    git(
        &place,
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            &served.push_url("team/app"),
            "shallow",
        ],
    );
    let shallow = place.join("shallow");
    let head = commit(&shallow, "from-shallow", "1");
    git(
        &shallow,
        &[
            "push",
            "-q",
            "-o",
            "topic=x",
            "-o",
            "title=A b",
            "origin",
            "main",
        ],
    );
    assert!(git(&work, &["ls-remote", "origin", "main"]).starts_with(&head));
    // To a repository that lacks those parents.
    served.server.create("team/other", "main").unwrap();
    let output = git_fails(&shallow, &["push", &served.push_url("team/other"), "main"]);
    assert!(
        output.contains("is missing") || output.contains("shallow update"),
        "{output}"
    );
    assert_eq!(git(&place, &["ls-remote", &served.url("team/other")]), "");
    // Everything at once, and back again.
    git(&work, &["fetch", "-q", "origin"]);
    git(
        &work,
        &["push", "-q", "--mirror", &served.push_url("team/other")],
    );
    git(
        &place,
        &[
            "clone",
            "-q",
            "--mirror",
            &served.url("team/other"),
            "mirror",
        ],
    );
    let refs = |folder: &std::path::Path| git(folder, &["for-each-ref", "--format=%(refname)"]);
    assert_eq!(
        refs(&place.join("mirror")),
        refs(&served.repository("team/other"))
    );
    // A branch that says where it ends, by time and by another branch.
    let url = served.url("team/app");
    git(
        &place,
        &[
            "clone",
            "-q",
            "--shallow-exclude",
            "v1.0.0",
            &url,
            "after-tag",
        ],
    );
    assert_eq!(
        git(&place.join("after-tag"), &["rev-list", "--count", "HEAD"]),
        "1"
    );
    git(
        &place,
        &[
            "clone",
            "-q",
            "--shallow-since",
            "2001-01-01",
            &url,
            "since",
        ],
    );
    assert_eq!(
        git(&place.join("since"), &["rev-list", "--count", "HEAD"]),
        "4"
    );
    git(
        &place.join("since"),
        &["fetch", "-q", "--prune", "--tags", "--force"],
    );
    served.fsck("team/app");
    served.fsck("team/other");
}
