//! What was acknowledged survives a death of the process at any moment.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use object::Node;
use tempfile::TempDir;

use crate::backend::{Backend, Kind};
use crate::manifests::{config_map, source, unit};
use crate::process::{Process, eventually, fleetwright, free_port, hermetic, output, run};
use crate::repository::{WorkingCopy, write_tree};

const REPOSITORY: &str = "shop/fleet";
const HOST: &str = "https://forge.example.com/";

/// Objects of the unit: enough that applying them takes longer than the first moments.
const OBJECTS: usize = 40;

/// When the process dies, after a push was acknowledged.
const MOMENTS_OF_APPLY: &[u64] = &[0, 60, 200];

/// When the process dies, after a push has begun.
const MOMENTS_OF_PUSH: &[u64] = &[10, 40, 90, 250];

/// Size of what is pushed while the process dies.
const PUSH_SIZE: usize = 1 << 20;

/// Longest wait for one effect.
const EFFECT_TIME_MAX: Duration = Duration::from_secs(20);

/// Longest wait for the sample, of which other tests beside this one take the processor.
const FIRST_TIME_MAX: Duration = Duration::from_secs(60);

struct World {
    backend: Backend,
    copy: WorkingCopy,
}

impl World {
    fn start() -> Option<Self> {
        let backend = Backend::start(Kind::Embedded, REPOSITORY, &[HOST])?;
        let files = backend.home.path().join("files");
        write_objects(&files, "0");
        let remote = format!("{}{REPOSITORY}.git", backend.git);
        let copy = WorkingCopy::of(&files, backend.home.path(), &remote);
        let first = copy.push();
        let flux = backend.home.path().join("flux.yaml");
        let text = source("shop", &format!("{HOST}{REPOSITORY}.git"))
            + &unit("objects", "shop", "./objects", "");
        std::fs::write(&flux, text).unwrap();
        backend.kubectl(&["apply", "-f", &flux.to_string_lossy()]);
        backend.applied("objects", &first);
        Some(Self { backend, copy })
    }

    /// The branch of the server has this commit and everything it needs.
    fn clones_clean(&self) {
        let folder = TempDir::new().unwrap();
        let target = folder.path().join("clone");
        let remote = format!("{}{REPOSITORY}.git", self.backend.git);
        let target = target.to_string_lossy();
        git(folder.path(), &["clone", "--quiet", &remote, &target]);
        let clone = folder.path().join("clone");
        git(&clone, &["fsck", "--full", "--strict"]);
        let repository = format!("data/git/{REPOSITORY}.git");
        let repository = self.backend.home.path().join(repository);
        git(&repository, &["fsck", "--full", "--strict"]);
    }

    /// The commit the branch of the server has.
    fn remote_head(&self) -> String {
        let heads = self.copy.git(&["ls-remote", "origin", "refs/heads/main"]);
        heads
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_owned()
    }

    /// Every object has the value of the newest commit.
    fn objects_have(&self, value: &str) {
        let maps = self.backend.kubectl(&[
            "get",
            "configmaps",
            "-n",
            "default",
            "-l",
            "of=durable",
            "-o",
            "json",
        ]);
        let maps = object::json::parse(maps.as_bytes(), object::json::ANSWER_LIMITS).unwrap();
        let maps = maps.get("items").and_then(Node::as_list).unwrap().to_vec();
        assert_eq!(maps.len(), OBJECTS);
        for map in maps {
            assert_eq!(map.str_at(&["data", "value"]), Some(value));
        }
    }
}

fn write_objects(folder: &Path, value: &str) {
    let one = |number: usize| {
        let text = config_map("default", &format!("object-{number}"), value);
        text.replace("metadata:\n", "metadata:\n  labels: {of: durable}\n")
    };
    let all: Vec<String> = (0..OBJECTS).map(one).collect();
    write_tree(folder, &[("objects/all.yaml", &all.join("---\n"))]);
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    hermetic(&mut command, folder);
    run(command.args(arguments))
}

#[test]
fn a_death_while_objects_are_applied() {
    let Some(mut world) = World::start() else {
        return;
    };
    for moment in MOMENTS_OF_APPLY {
        let value = format!("{moment}");
        write_objects(&world.copy.folder, &format!("after {value}"));
        world.copy.commit(&value);
        let name = format!("acknowledged-{moment}");
        world
            .backend
            .kubectl(&["create", "configmap", &name, "-n", "default"]);
        let commit = world.copy.push();
        std::thread::sleep(Duration::from_millis(*moment));
        world.backend.kill();
        world.backend.start_again();
        assert_eq!(world.remote_head(), commit, "at {moment} ms");
        let kept = world.backend.get("configmap", "default", &name);
        assert!(kept.is_some(), "{name} was acknowledged");
        world.backend.applied("objects", &commit);
        world.objects_have(&format!("after {value}"));
    }
    world.clones_clean();
}

#[test]
fn a_death_while_a_push_is_received() {
    let Some(mut world) = World::start() else {
        return;
    };
    let mut acknowledged = world.remote_head();
    for moment in MOMENTS_OF_PUSH {
        std::fs::write(world.copy.folder.join("large"), noise(*moment, PUSH_SIZE)).unwrap();
        write_objects(&world.copy.folder, &format!("after {moment}"));
        let commit = world.copy.commit("a large file");
        let mut push = Command::new("git");
        hermetic(&mut push, &world.copy.folder);
        push.args(["push", "--quiet", "origin", "main"]);
        push.stderr(Stdio::null());
        let mut push = push.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(*moment));
        world.backend.kill();
        if push.wait().unwrap().success() {
            acknowledged = commit.clone();
        }
        world.backend.start_again();
        let head = world.remote_head();
        assert!(
            head == acknowledged || head == commit,
            "at {moment} ms the branch has {head}, neither {acknowledged} nor {commit}"
        );
        acknowledged = world.copy.push();
        world.backend.applied("objects", &acknowledged);
        world.objects_have(&format!("after {moment}"));
    }
    world.clones_clean();
}

/// Bytes that do not compress.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length / 8).flat_map(|_| next()).collect()
}

/// `fleetwright serve` on a data folder, with a state folder in `home`.
fn serve(home: &Path, data: &Path, state: &str, port: u16) -> Command {
    let mut serve = fleetwright(home);
    serve
        .arg("serve")
        .args(["--api-addr", "127.0.0.1:0"])
        .args(["--storage-addr", "127.0.0.1:0"])
        .args(["--http-addr", &format!("127.0.0.1:{port}")])
        .args(["--create-repository", REPOSITORY])
        .arg("--data-dir")
        .arg(data)
        .arg("--state-dir")
        .arg(home.join(state));
    serve
}

#[test]
fn a_data_folder_has_one_server() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let serve = |state: &str| serve(home.path(), &data, state, 0);
    let first = Process::start(&mut serve("first"), &home.path().join("first.log"));
    eventually("the first server", Duration::from_secs(30), || {
        first.log().contains("Git server").then_some(())
    });
    let second = output(&mut serve("second"));
    let said = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(3), "{said}");
    assert!(said.contains("error[StoreUnusable]"), "{said}");
    let help = "Is another fleetwright serve running on this data folder?";
    assert!(said.contains(help), "{said}");
    assert!(!home.path().join("second/kubeconfig").exists());
}

/// A small file system of its own, taken away when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(folder).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]);
        let mounted = mount.arg(folder).stderr(Stdio::null()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self(folder.to_owned()));
        }
        eprintln!("SKIPPED: a small disk cannot be mounted here, a full one was not tried");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let home = TempDir::new().unwrap();
    let data = home.path().join("data");
    let Some(_disk) = SmallDisk::mount(&data, "48m") else {
        return;
    };
    let Some(kubectl) = testkit::reference_tool("kubectl") else {
        return;
    };
    let port = free_port();
    let mut serve = serve(home.path(), &data, "state", port);
    let server = Process::start(&mut serve, &home.path().join("serve.log"));
    eventually("the server", Duration::from_secs(30), || {
        server.log().contains("Git server").then_some(())
    });
    let command = |arguments: &[&str]| {
        let mut command = Command::new(&kubectl);
        hermetic(&mut command, home.path());
        command.arg("--kubeconfig");
        command.arg(home.path().join("state/kubeconfig"));
        command.args(arguments);
        command
    };
    let value = format!("--from-literal=value={}", "x".repeat(100_000));
    let create = |name: &str| output(&mut command(&["create", "configmap", name, &value]));
    assert!(create("before").status.success());
    // A unit that fails for want of space is tried again after its interval, as in Flux: ten minutes.
    let unit = || {
        let wait = ["wait", "--for=condition=Ready", "ks/staging-web"];
        let place = ["-n", "flux-system", "--timeout=5s"];
        let ready = output(&mut command(&[&wait[..], &place].concat()));
        ready.status.success().then_some(())
    };
    eventually("a unit of the sample", FIRST_TIME_MAX, unit);

    let filler = data.join("filler");
    fill(&filler);
    let mut number = 0;
    let refused = eventually("a refusal", EFFECT_TIME_MAX, || {
        number += 1;
        let created = create(&format!("during-{number}"));
        (!created.status.success()).then(|| String::from_utf8_lossy(&created.stderr).into_owned())
    });
    // What is there can be read all the while.
    run(&mut command(&["get", "configmap", "before"]));
    assert!(refused.contains("No space left on device"), "{refused}");
    let copy = a_push_is_refused(home.path(), &data, port);
    std::fs::remove_file(&filler).unwrap();
    let wish = "reconcile.fluxcd.io/requestedAt=now";
    let place = ["-n", "flux-system", "ks/staging-web"];
    eventually("a wish after space came back", EFFECT_TIME_MAX, || {
        let wished = output(&mut command(&[&["annotate"][..], &place, &[wish]].concat()));
        wished.status.success().then_some(())
    });
    eventually("an answer to the wish", FIRST_TIME_MAX, || {
        let handled = ["get", "-o", "jsonpath={.status.lastHandledReconcileAt}"];
        let handled = output(&mut command(&[&handled[..], &place].concat()));
        (handled.stdout == b"now").then_some(())
    });
    eventually("the unit after it", EFFECT_TIME_MAX, unit);
    let commit = copy.push();
    assert!(copy.git(&["ls-remote", "origin"]).contains(&commit));
    eventually("a write after space came back", EFFECT_TIME_MAX, || {
        create("after").status.success().then_some(())
    });
    assert!(run(&mut command(&["get", "configmaps", "-o", "name"])).contains("configmap/before"));
}

/// A push for which there is no room is refused; gives the copy it came from.
fn a_push_is_refused(home: &Path, data: &Path, port: u16) -> WorkingCopy {
    let token = std::fs::read_to_string(data.join("push-token")).unwrap();
    let remote = format!(
        "http://push:{}@127.0.0.1:{port}/git/{REPOSITORY}.git",
        token.trim()
    );
    let files = home.join("files");
    std::fs::create_dir(&files).unwrap();
    std::fs::write(files.join("large"), noise(1, PUSH_SIZE)).unwrap();
    let copy = WorkingCopy::of(&files, home, &remote);
    let (pushed, said) = copy.try_push();
    assert!(!pushed, "{said}");
    assert!(said.contains("HTTP 507"), "{said}");
    copy
}

/// Writes until the disk is full.
fn fill(path: &Path) {
    use std::io::Write as _;
    let mut file = std::fs::File::create(path).unwrap();
    let block = vec![0; 64 << 10];
    while file.write_all(&block).is_ok() {}
    while file.write_all(&[0]).is_ok() {}
}
