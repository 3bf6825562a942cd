//! Requests that no stock client makes.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};

use crate::support::{SECRET, Served, commit, git};

fn send(served: &Served, request: Request<Full<Bytes>>) -> (u16, Vec<u8>) {
    served.block_on(async {
        let response: Response<_> = served.server.handle(request).await;
        let status = response.status().as_u16();
        let body = response.into_body().collect().await;
        (
            status,
            body.map(|body| body.to_bytes().to_vec())
                .unwrap_or_default(),
        )
    })
}

fn post(service: &str, body: &[u8]) -> http::request::Builder {
    let _ = body;
    Request::post(format!("/git/app.git/{service}"))
        .header("content-type", format!("application/x-{service}-request"))
        .header("authorization", format!("Bearer {SECRET}"))
}

fn line(text: &str) -> Vec<u8> {
    format!("{:04x}{text}", text.len() + 4).into_bytes()
}

/// A push of `new` to `name` with these bytes as its pack.
fn push(served: &Served, name: &str, new: &str, pack: &[u8]) -> String {
    let zero = "0".repeat(40);
    let command = line(&format!("{zero} {new} {name}\0 report-status"));
    let body = [&command[..], b"0000", pack].concat();
    let request = post("git-receive-pack", &body)
        .body(Full::from(body.clone()))
        .unwrap();
    String::from_utf8_lossy(&send(served, request).1).into_owned()
}

/// A pack of whole objects, made without the crate under test.
fn pack(objects: &[(u8, &[u8])]) -> Vec<u8> {
    use std::io::Write as _;
    let mut bytes = b"PACK\0\0\0\x02".to_vec();
    bytes.extend((objects.len() as u32).to_be_bytes());
    for (kind, content) in objects {
        let mut size = content.len();
        let mut byte = kind << 4 | (size & 15) as u8;
        size >>= 4;
        while size > 0 {
            bytes.push(byte | 0x80);
            byte = (size & 0x7f) as u8;
            size >>= 7;
        }
        bytes.push(byte);
        let level = flate2::Compression::fast();
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
        encoder.write_all(content).unwrap();
        bytes.extend(encoder.finish().unwrap());
    }
    let mut hasher = gix::hash::hasher(gix::hash::Kind::Sha1);
    hasher.update(&bytes);
    bytes.extend(hasher.try_finalize().unwrap().as_bytes());
    bytes
}

fn id(kind: git::Kind, content: &[u8]) -> git::Oid {
    git::Oid::of(kind, content).unwrap()
}

fn commit_of(tree: git::Oid) -> Vec<u8> {
    format!("tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n").into_bytes()
}

fn tree_of(mode: &str, name: &str, target: git::Oid) -> Vec<u8> {
    [
        mode.as_bytes(),
        b" ",
        name.as_bytes(),
        b"\0",
        target.as_bytes(),
    ]
    .concat()
}

#[test]
fn pushed_objects_that_could_harm_others_never_become_visible() {
    let served = Served::new();
    served.server.create("app", "main").unwrap();
    let blob = id(git::Kind::Blob, b"x");
    let with_tree = |tree: &[u8]| {
        let commit = commit_of(id(git::Kind::Tree, tree));
        let pack = pack(&[(3, b"x"), (2, tree), (1, &commit)]);
        (id(git::Kind::Commit, &commit), pack)
    };
    let bad_commit = b"tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nnonsense\n".to_vec();
    let orphan = commit_of(git::Oid::from_bytes([9; 20]));
    let swapped = commit_of(blob);
    let mut cases = vec![
        (
            "commit that is none",
            id(git::Kind::Commit, &bad_commit),
            pack(&[(1, &bad_commit)]),
        ),
        (
            "tree that is missing",
            id(git::Kind::Commit, &orphan),
            pack(&[(1, &orphan)]),
        ),
        (
            "blob as tree",
            id(git::Kind::Commit, &swapped),
            pack(&[(3, b"x"), (1, &swapped)]),
        ),
        ("nothing sent", git::Oid::from_bytes([7; 20]), pack(&[])),
        ("branch to a blob", blob, pack(&[(3, b"x")])),
        ("no pack", git::Oid::from_bytes([7; 20]), Vec::new()),
    ];
    for name in [".git", "..", ".GIT", "git~1", "a/b"] {
        let (commit, pack) = with_tree(&tree_of("100644", name, blob));
        cases.push((name, commit, pack));
    }
    for (case, new, pack) in cases {
        let report = push(&served, "refs/heads/main", &new.to_string(), &pack);
        assert!(report.contains("ng refs/heads/main"), "{case}: {report}");
        let repository = served.server.repository("app").unwrap();
        assert!(repository.refs().unwrap().named.is_empty(), "{case}");
        assert!(repository.commit(new).is_err(), "{case} became visible");
    }
    let (commit, pack) = with_tree(&tree_of("100644", "fine", blob));
    for name in [
        "refs/heads/../../x",
        "refs/heads/x.lock",
        "refs/heads/a..b",
        "HEAD",
        "main",
    ] {
        let report = push(&served, name, &commit.to_string(), &pack);
        assert!(report.contains(&format!("ng {name}")), "{name}: {report}");
    }
    let report = push(&served, "refs/heads/main", &commit.to_string(), &pack);
    assert!(report.contains("ok refs/heads/main"), "{report}");
    served.fsck("app");
    let left = std::fs::read_dir(served.repository("app").join("objects")).unwrap();
    assert_eq!(left.count(), 2, "quarantines are gone");
}

#[test]
fn requests_out_of_frame_get_an_answer_and_nothing_happens() {
    let served = Served::new();
    served.server.create("app", "main").unwrap();
    let work = served.work("work");
    git(&work, &["init", "-q"]);
    let head = commit(&work, "a", "1");
    git(&work, &["push", "-q", &served.push_url("app"), "main"]);
    let want = |tail: &[u8]| [&line(&format!("want {head}\n"))[..], tail].concat();
    let bodies: Vec<Vec<u8>> = vec![
        b"zzzz".to_vec(),
        b"0003".to_vec(),
        b"ffff".to_vec(),
        b"00ff".to_vec(),
        line("want 123\n"),
        line(&format!("want {}\n", "f".repeat(40))),
        want(b"0000"),
        want(b"00000009have x"),
        want(&[b"0000".as_slice(), &line("deepen many\n")].concat()),
        want(&[line("deepen -1\n"), b"0000".to_vec()].concat()),
        line("\u{fffd}\u{fffd}\0\0"),
        vec![0xff; 5000],
        Vec::new(),
    ];
    for body in &bodies {
        for (service, protocol) in [
            ("git-upload-pack", "version=2"),
            ("git-upload-pack", ""),
            ("git-receive-pack", ""),
        ] {
            let request = post(service, body).header("git-protocol", protocol);
            let request = request.body(Full::from(body.clone())).unwrap();
            let (status, _) = send(&served, request);
            assert_eq!(status, 200, "{service} {:?}", String::from_utf8_lossy(body));
            let request = post(service, body).header("content-encoding", "gzip");
            let (status, _) = send(&served, request.body(Full::from(body.clone())).unwrap());
            assert!(matches!(status, 400 | 200), "{service} gzip: {status}");
        }
    }
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let good = [
        &line("command=fetch")[..],
        b"0001",
        &line(&format!("want {head}\n")),
        &line("deepen 1\n"),
        &line("done\n"),
        b"0000",
    ]
    .concat();
    for _ in 0..300 {
        let mut body = good.clone();
        for _ in 0..3 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let at = (random >> 20) as usize % body.len();
            body[at] = random as u8;
        }
        let request = post("git-upload-pack", &body).header("git-protocol", "version=2");
        let (status, _) = send(&served, request.body(Full::from(body)).unwrap());
        assert_eq!(status, 200);
    }
    // A body that unpacks to more than a request may have.
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(0), 64 << 20),
        &mut encoder,
    )
    .unwrap();
    let bomb = encoder.finish().unwrap();
    let request = post("git-upload-pack", &bomb).header("content-encoding", "gzip");
    assert_eq!(
        send(&served, request.body(Full::from(bomb)).unwrap()).0,
        413
    );
    served.fsck("app");
}
