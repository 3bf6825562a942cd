//! From a repository to the files of a revision.

use std::sync::Arc;
use std::time::Duration;

use api::GitReference;
use diag::Explain as _;
use git::client::{Client, Credentials, Options, Tls};
use git::server::Server;
use git::{Expected, NewCommit, Oid, RefEdit, RefName, Signature};
use source::{FetchRequest, Fetched};
use tree::Tree;

const BASE: &str = "http://127.0.0.1:7080";

struct World {
    server: Arc<Server>,
    client: Client,
    _folder: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = git::server::Options {
            anonymous_read: true,
            ..Default::default()
        };
        let server = Arc::new(Server::new(folder.path().to_owned(), options));
        server.create("team/app", "main").unwrap();
        Self {
            client: Client::new(Options::default()).with_local(BASE, server.clone()),
            server,
            _folder: folder,
        }
    }

    fn commit(
        &self,
        onto: Option<Oid>,
        branch: &str,
        files: &[(&str, &str)],
        message: &str,
    ) -> Oid {
        let tree: Tree = files.iter().copied().collect();
        let who = Signature {
            name: "Ann".into(),
            email: "ann@example.com".into(),
            seconds: 1_700_000_000,
            offset_minutes: 0,
        };
        let new = NewCommit {
            branch,
            onto,
            tree: &tree,
            author: who.clone(),
            committer: who,
            message,
        };
        self.server.commit("team/app", &new).unwrap()
    }

    fn name(&self, name: &str, id: Oid) {
        let edit = RefEdit {
            name: RefName::new(name).unwrap(),
            expected: Expected::Any,
            new: Some(id),
        };
        self.server
            .repository("team/app")
            .unwrap()
            .update_refs(&[edit])
            .unwrap();
    }

    async fn fetch(&self, request: &FetchRequest) -> Result<Fetched, source::FetchError> {
        source::git::fetch(&self.client, request).await
    }
}

fn request(reference: GitReference) -> FetchRequest {
    FetchRequest {
        url: format!("{BASE}/git/team/app.git"),
        reference,
        credentials: Credentials::None,
        tls: Tls::default(),
        proxy: None,
        timeout: Duration::from_secs(20),
        sparse: Vec::new(),
        submodules: false,
        include: Vec::new(),
        ignore: None,
        previous: None,
    }
}

/// `branch=main tag=v1 …` as a reference.
fn reference(text: &str) -> GitReference {
    let mut reference = GitReference::default();
    for (key, value) in text
        .split_whitespace()
        .filter_map(|pair| pair.split_once(':'))
    {
        let field = match key {
            "branch" => &mut reference.branch,
            "tag" => &mut reference.tag,
            "semver" => &mut reference.semver,
            "name" => &mut reference.name,
            _ => &mut reference.commit,
        };
        *field = value.to_owned();
    }
    reference
}

#[tokio::test]
async fn each_form_of_reference_gives_its_revision() {
    let world = World::new();
    let old = world.commit(None, "main", &[("a.yaml", "a: 1\n")], "first\n");
    let new = world.commit(
        Some(old),
        "main",
        &[("a.yaml", "a: 2\n")],
        "second\n\nbody\n",
    );
    world.commit(None, "feature/x", &[("x", "")], "other\n");
    world.name("refs/tags/v1.0.0", old);
    world.name("refs/pull/420/head", new);
    for (text, revision) in [
        ("branch:main", format!("main@sha1:{new}")),
        ("tag:v1.0.0", format!("v1.0.0@sha1:{old}")),
        ("semver:1.x tag:none", format!("v1.0.0@sha1:{old}")),
        (
            "name:refs/pull/420/head",
            format!("refs/pull/420/head@sha1:{new}"),
        ),
        (
            "name:refs/heads/main tag:v1.0.0",
            format!("refs/heads/main@sha1:{new}"),
        ),
        (&format!("commit:{old}"), format!("sha1:{old}")),
        (
            &format!("commit:{old} branch:main"),
            format!("main@sha1:{old}"),
        ),
    ] {
        let mut request = request(reference(text));
        let Fetched::New(checkout) = world.fetch(&request).await.unwrap() else {
            panic!("{text} is new");
        };
        assert_eq!(checkout.revision, revision);
        request.previous = Some(revision.clone());
        let again = world.fetch(&request).await.unwrap();
        assert!(matches!(again, Fetched::Unchanged { revision: same } if same == revision));
    }
    // The revision of early versions counts as the same.
    let mut old_form = request(reference("branch:main"));
    old_form.previous = Some(format!("main/{new}"));
    assert!(matches!(
        world.fetch(&old_form).await.unwrap(),
        Fetched::Unchanged { .. }
    ));
    // A branch that went back is another revision.
    world.name("refs/heads/main", old);
    let mut back = request(reference("branch:main"));
    back.previous = Some(format!("main@sha1:{new}"));
    let Fetched::New(checkout) = world.fetch(&back).await.unwrap() else {
        panic!("moved back");
    };
    assert_eq!((checkout.commit, checkout.subject.as_str()), (old, "first"));
}

#[tokio::test]
async fn files_are_filtered_before_anybody_sees_them() {
    let world = World::new();
    let files = [
        (".github/ci.yaml", ""),
        ("a.yaml", "a"),
        ("docs/a.md", ""),
        ("logo.png", ""),
    ];
    world.commit(None, "main", &files, "first");
    for (ignore, expected) in [
        (None, &["a.yaml", "docs/a.md"][..]),
        (Some("docs/"), &[".github/ci.yaml", "a.yaml", "logo.png"]),
    ] {
        let mut request = request(reference("branch:main"));
        request.ignore = ignore.map(str::to_owned);
        let Fetched::New(checkout) = world.fetch(&request).await.unwrap() else {
            panic!("new");
        };
        let names: Vec<_> = checkout
            .tree
            .entries()
            .map(|(path, _)| path.to_string())
            .collect();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn sparse_folders_keep_only_what_is_below_them() {
    let world = World::new();
    let files = [("app/a", ""), ("apps/b", ""), ("top", ""), ("x/y/c", "")];
    world.commit(None, "main", &files, "first");
    let mut request = request(reference("branch:main"));
    request.sparse = vec!["./app".into(), "x/y/".into()];
    let Fetched::New(checkout) = world.fetch(&request).await.unwrap() else {
        panic!("new");
    };
    let names: Vec<_> = checkout
        .tree
        .entries()
        .map(|(path, _)| path.to_string())
        .collect();
    assert_eq!(names, ["app/a", "x/y/c"]);
    request.sparse = vec!["none".into()];
    assert_eq!(
        world.fetch(&request).await.unwrap_err().code().0,
        "SparseFolderMissing"
    );
}

#[tokio::test]
async fn included_files_are_filtered_with_the_others() {
    let world = World::new();
    world.commit(None, "main", &[("a.yaml", "")], "first");
    let mut request = request(reference("branch:main"));
    request.include = vec![source::Include {
        tree: [("deploy/b.yaml", ""), ("deploy/logo.png", ""), ("c", "")]
            .into_iter()
            .collect(),
        from: "deploy".into(),
        to: "other".into(),
    }];
    let Fetched::New(checkout) = world.fetch(&request).await.unwrap() else {
        panic!("new");
    };
    let names: Vec<_> = checkout
        .tree
        .entries()
        .map(|(path, _)| path.to_string())
        .collect();
    assert_eq!(names, ["a.yaml", "other/b.yaml"]);
}

#[tokio::test]
async fn what_is_missing_is_named_with_flux_s_reason() {
    let world = World::new();
    let url = format!("{BASE}/git/team/app.git");
    let fails = async |request: &FetchRequest| {
        let error = world.fetch(request).await.unwrap_err();
        (
            error.reason().0,
            error.code().0,
            error.message(),
            error.help().join(" "),
        )
    };
    let main = request(reference("branch:main"));
    let (reason, _, message, _) = fails(&main).await;
    assert_eq!(
        (reason, message.as_str()),
        ("EmptyGitRepository", "git repository is empty")
    );

    world.commit(None, "trunk", &[("a", "")], "first");
    let (reason, code, message, help) = fails(&main).await;
    assert_eq!((reason, code), ("GitOperationFailed", "RefNotFound"));
    assert_eq!(
        message,
        format!(
            "failed to checkout and determine revision: unable to clone '{url}': \
             couldn't find remote ref \"refs/heads/main\""
        )
    );
    assert!(help.contains("`trunk`"), "{help}");

    for (text, code) in [
        ("semver:>=9", "SemverNoMatch"),
        ("semver:latest", "SemverInvalid"),
        ("commit:abc", "CommitInvalid"),
        (
            "commit:0123456789012345678901234567890123456789",
            "CommitNotFound",
        ),
        ("branch:../../x", "RefNameInvalid"),
        ("name:main", "RefNameInvalid"),
    ] {
        assert_eq!(fails(&request(reference(text))).await.1, code, "{text}");
    }
    let mut elsewhere = main.clone();
    elsewhere.url = format!("{BASE}/git/team/none");
    assert_eq!(fails(&elsewhere).await.1, "RepositoryNotFound");
    elsewhere.url = "https://u:secret@h@evil/x".into();
    let (reason, _, message, _) = fails(&elsewhere).await;
    assert_eq!(reason, "URLInvalid");
    assert!(!message.contains("secret"), "{message}");
}

/// Records a submodule at `lib` in a new commit of `main`, as a stock git does.
fn record_submodule(folder: &std::path::Path, url: &str, commit: Oid) {
    let git = |arguments: &[&str], input: &str| -> String {
        use std::io::Write as _;
        let mut child = std::process::Command::new("git")
            .args(arguments)
            .current_dir(folder)
            .env("GIT_INDEX_FILE", folder.join("test-index"))
            .envs([("GIT_AUTHOR_NAME", "A"), ("GIT_AUTHOR_EMAIL", "a@b")])
            .envs([("GIT_COMMITTER_NAME", "A"), ("GIT_COMMITTER_EMAIL", "a@b")])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("tests need a stock git");
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let listed = format!("[submodule \"lib\"]\n\tpath = vendor/lib\n\turl = {url}\n");
    let blob = git(&["hash-object", "-w", "--stdin"], &listed);
    git(&["read-tree", "refs/heads/main"], "");
    let entry = |mode: &str, id: &str, path: &str| {
        git(
            &[
                "update-index",
                "--add",
                "--cacheinfo",
                &format!("{mode},{id},{path}"),
            ],
            "",
        )
    };
    entry("100644", &blob, ".gitmodules");
    entry("160000", &commit.to_string(), "vendor/lib");
    let tree = git(&["write-tree"], "");
    let new = git(
        &[
            "commit-tree",
            "-p",
            "refs/heads/main",
            "-m",
            "add lib",
            &tree,
        ],
        "",
    );
    git(&["update-ref", "refs/heads/main", &new], "");
}

#[tokio::test]
async fn submodules_are_laid_in_at_their_recorded_commits() {
    let world = World::new();
    world.commit(None, "main", &[("a.yaml", "")], "first");
    world.server.create("team/lib", "main").unwrap();
    let who = Signature {
        name: "Ann".into(),
        email: "ann@example.com".into(),
        seconds: 1,
        offset_minutes: 0,
    };
    let tree: Tree = [("deep/b.yaml", "b: 1\n")].into_iter().collect();
    let new = NewCommit {
        branch: "main",
        onto: None,
        tree: &tree,
        author: who.clone(),
        committer: who,
        message: "lib",
    };
    let commit = world.server.commit("team/lib", &new).unwrap();
    let folder = world
        .server
        .repository("team/app")
        .unwrap()
        .folder()
        .to_owned();
    let mut request = request(reference("branch:main"));
    for (url, absent, expected) in [
        ("../lib.git", false, Ok("a.yaml vendor/lib/deep/b.yaml")),
        ("../../../../x", false, Err("SubmoduleInvalid")),
        ("ext::sh -c x", false, Err("UrlInvalid")),
        ("../lib.git", true, Err("CommitNotFound")),
    ] {
        let id = if absent {
            Oid::from_bytes([7; 20])
        } else {
            commit
        };
        record_submodule(&folder, url, id);
        request.submodules = true;
        let found = match world.fetch(&request).await {
            Ok(Fetched::New(checkout)) => {
                let names = checkout.tree.entries().map(|(path, _)| path.to_string());
                Ok(names.collect::<Vec<_>>().join(" "))
            }
            Ok(Fetched::Unchanged { .. }) => panic!("new"),
            Err(error) => Err(error.code().0),
        };
        assert_eq!(found, expected.map(str::to_owned), "{url}");
        request.submodules = false;
        assert!(world.fetch(&request).await.is_ok(), "off by default");
    }
}
