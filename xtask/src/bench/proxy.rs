//! The Kubernetes API without TLS and credentials, through `kubectl proxy`.
//!
//! The proxy costs a fraction of a millisecond a request; a `kubectl` of its own for each would
//! cost fifty.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::process::{Process, eventually, free_port, hermetic};

/// Longest wait for one answer. A watch may be silent for longer than any request takes.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(300);

/// A running `kubectl proxy`.
pub struct Proxy {
    port: u16,
    _process: Process,
}

impl Proxy {
    /// Starts one and returns when it listens; the server behind it need not be there yet.
    pub fn start(kubectl: &Path, kubeconfig: &Path, home: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = hermetic(kubectl, home);
        command
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(["proxy", "--port", &port.to_string()]);
        let process = Process::start(&mut command, &home.join(format!("proxy-{port}.log")))?;
        let proxy = Self {
            port,
            _process: process,
        };
        let pause = Duration::from_millis(10);
        eventually("kubectl proxy", pause, || Ok(proxy.connect().ok()))?;
        Ok(proxy)
    }

    /// Whether a GET of `path` is answered with 200.
    pub fn is_ok(&self, path: &str) -> bool {
        self.request("GET", path, "", "")
            .is_ok_and(|(status, _)| status == 200)
    }

    /// The text at `path`.
    pub fn text(&self, path: &str) -> Result<String> {
        self.successful("GET", path, "", "")
    }

    /// Creates an object in the collection at `path`.
    pub fn create(&self, path: &str, object: &Value) -> Result<()> {
        let body = object.to_string();
        self.successful("POST", path, "application/json", &body)?;
        Ok(())
    }

    /// Merges `patch` into the object at `path`.
    pub fn merge(&self, path: &str, patch: &Value) -> Result<()> {
        let body = patch.to_string();
        self.successful("PATCH", path, "application/merge-patch+json", &body)?;
        Ok(())
    }

    /// What happens in the collection at `path`, beginning with what is there: `None` at its end.
    pub fn watch(&self, path: &str) -> Result<impl Iterator<Item = Result<Value>> + use<>> {
        let lines = self.lines(path)?;
        Ok(lines.map(|line| Ok(serde_json::from_str(&line?)?)))
    }

    /// The same, each event as the text it came as.
    pub fn lines(
        &self,
        path: &str,
    ) -> Result<impl Iterator<Item = std::io::Result<String>> + use<>> {
        let stream = self.send("GET", &format!("{path}?watch=true"), "", "")?;
        let mut lines = BufReader::new(stream).lines();
        let status = lines.next().context("no answer to a watch")??;
        if !status.contains(" 200 ") {
            bail!("watching {path} was answered with {status}");
        }
        let is_header = |line: &str| !line.starts_with('{');
        Ok(lines.skip_while(move |line| line.as_deref().is_ok_and(is_header)))
    }

    fn successful(&self, method: &str, path: &str, media: &str, body: &str) -> Result<String> {
        let (status, answer) = self.request(method, path, media, body)?;
        if status >= 300 {
            bail!("{method} {path} was answered with {status}: {answer}");
        }
        Ok(answer)
    }

    fn request(&self, method: &str, path: &str, media: &str, body: &str) -> Result<(u16, String)> {
        let mut stream = self.send(method, path, media, body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("no end of headers")?;
        let status = head.split(' ').nth(1).context("no status")?;
        Ok((status.parse()?, body.to_owned()))
    }

    /// Sends a request of HTTP/1.0, whose answers are not chunked and end with the connection.
    fn send(&self, method: &str, path: &str, media: &str, body: &str) -> Result<TcpStream> {
        let mut stream = self.connect()?;
        let mut request = format!("{method} {path} HTTP/1.0\r\nHost: 127.0.0.1\r\n");
        if !media.is_empty() {
            let length = body.len();
            request += &format!("Content-Type: {media}\r\nContent-Length: {length}\r\n");
        }
        request += "\r\n";
        request += body;
        stream.write_all(request.as_bytes())?;
        Ok(stream)
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(ANSWER_TIME_MAX))?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}
