//! Archives of sources, made beforehand and served like a source controller's.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::process::output;

/// Archives at `http://ADDRESS/NAME.tar.gz`, until the program ends.
pub struct Artifacts {
    address: SocketAddr,
    /// Digest and size by name.
    known: BTreeMap<String, (String, usize)>,
}

impl Artifacts {
    /// Packs and serves trees: files by name, by the name of the archive.
    pub fn serve(
        trees: &BTreeMap<String, BTreeMap<&'static str, String>>,
        scratch: &Path,
    ) -> Result<Self> {
        let mut bodies = BTreeMap::new();
        let mut known = BTreeMap::new();
        for (name, files) in trees {
            let folder = scratch.join(name);
            fs::create_dir_all(&folder)?;
            for (file, text) in files {
                fs::write(folder.join(file), text)?;
            }
            let archive = scratch.join(format!("{name}.tar.gz"));
            output(
                Command::new("tar")
                    .arg("-czf")
                    .arg(&archive)
                    .arg("-C")
                    .arg(&folder)
                    .args(files.keys()),
            )?;
            let line = output(Command::new("sha256sum").arg(&archive))?;
            let digest = line.split(' ').next().context("sha256sum said nothing")?;
            let body = fs::read(&archive)?;
            known.insert(name.clone(), (digest.to_owned(), body.len()));
            bodies.insert(format!("/{name}.tar.gz"), body);
        }
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let bodies = Arc::new(bodies);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let bodies = bodies.clone();
                // A reader that goes away is the controller's business.
                std::thread::spawn(move || answer(stream, &bodies));
            }
        });
        Ok(Self { address, known })
    }

    /// The status of a GitRepository that has fetched `revision` as the archive `name`.
    pub fn status(&self, name: &str, revision: &str) -> Result<Value> {
        let (digest, size) = self.known.get(name).context("no such archive")?;
        let time = "2026-01-01T00:00:00Z";
        Ok(json!({
            "observedGeneration": 1,
            "artifact": {
                "digest": format!("sha256:{digest}"),
                "lastUpdateTime": time,
                "path": format!("{name}.tar.gz"),
                "revision": revision,
                "size": size,
                "url": format!("http://{}/{name}.tar.gz", self.address),
            },
            "conditions": [{
                "type": "Ready",
                "status": "True",
                "reason": "Succeeded",
                "message": format!("stored artifact for revision '{revision}'"),
                "lastTransitionTime": time,
                "observedGeneration": 1,
            }],
        }))
    }
}

/// Answers one request and closes.
fn answer(mut stream: TcpStream, bodies: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    while lines
        .next()
        .transpose()?
        .is_some_and(|line| !line.is_empty())
    {}
    let path = request.split(' ').nth(1).unwrap_or_default();
    let (status, body) = match bodies.get(path) {
        Some(body) => ("200 OK", body.as_slice()),
        None => ("404 Not Found", &b""[..]),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}
