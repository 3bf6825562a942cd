//! The client's side of protocol 2, and of protocol 0 for hosts that know no other.

use super::http::{Answer, Http};
use super::{Error, Remote, RemoteRef, RemoteRefs};
use crate::pack::Limits;
use crate::pktline::{FrameError, Packet, put, put_delimiter, put_flush, split};
use crate::refs::REFS_MAX;
use crate::{Oid, RefName};

/// Most bytes of references; a hundred thousand of them with long names.
pub const ADVERTISEMENT_BYTES_MAX: u64 = 32 << 20;

const AGENT: &str = concat!("agent=fleetwright/", env!("CARGO_PKG_VERSION"));

/// What a host says first.
enum Hello {
    /// Protocol 2 and its capabilities.
    Two { capabilities: Vec<String> },
    /// Protocol 0 or 1: references and capabilities at once.
    Zero {
        refs: RemoteRefs,
        capabilities: Vec<String>,
    },
}

/// Frames of an answer, as they arrive.
struct Frames<'a> {
    answer: Answer,
    remote: &'a Remote,
    buffer: Vec<u8>,
    used: usize,
    received: u64,
    limit: (&'static str, u64),
}

/// A frame that owns its bytes.
enum Frame {
    Data(Vec<u8>),
    Flush,
    Delimiter,
    End,
}

impl Frames<'_> {
    fn broken(&self, why: &'static str) -> Error {
        Error::Protocol {
            url: self.remote.url.clone(),
            why,
        }
    }

    async fn next(&mut self) -> Result<Frame, Error> {
        loop {
            let mut rest = &self.buffer[self.used..];
            let before = rest.len();
            let packet = split(&mut rest).map_err(|error| {
                self.broken(match error {
                    FrameError::Length => "a frame's length is not hexadecimal",
                    FrameError::Size | FrameError::CutOff => "a frame has an impossible length",
                })
            })?;
            if let Some(packet) = packet {
                let frame = match packet {
                    Packet::Data(data) => Frame::Data(data.to_vec()),
                    Packet::Flush => Frame::Flush,
                    Packet::Delimiter => Frame::Delimiter,
                    Packet::ResponseEnd => Frame::End,
                };
                self.used += before - rest.len();
                if let Frame::Data(data) = &frame
                    && let Some(message) = data.strip_prefix(b"ERR ")
                {
                    return Err(refused(self.remote, message));
                }
                return Ok(frame);
            }
            self.buffer.drain(..self.used);
            self.used = 0;
            match self.answer.piece(self.remote).await? {
                Some(piece) => {
                    self.received += piece.len() as u64;
                    let (what, limit) = self.limit;
                    if self.received > limit {
                        return Err(Error::Limit {
                            url: self.remote.url.clone(),
                            what,
                            limit,
                        });
                    }
                    self.buffer.extend_from_slice(&piece);
                }
                None if self.buffer.is_empty() => return Ok(Frame::End),
                None => return Err(self.broken("the answer is cut off")),
            }
        }
    }

    /// The next line of text; `None` at anything else.
    async fn line(&mut self) -> Result<Option<String>, Error> {
        match self.next().await? {
            Frame::Data(data) => {
                let line = data.strip_suffix(b"\n").unwrap_or(&data).to_vec();
                Ok(Some(String::from_utf8_lossy(&line).into_owned()))
            }
            _ => Ok(None),
        }
    }

    /// What is left, without frames.
    async fn rest(mut self) -> Result<Vec<u8>, Error> {
        let mut bytes = self.buffer.split_off(self.used);
        while let Some(piece) = self.answer.piece(self.remote).await? {
            self.received += piece.len() as u64;
            let (what, limit) = self.limit;
            if self.received > limit {
                return Err(Error::Limit {
                    url: self.remote.url.clone(),
                    what,
                    limit,
                });
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

fn frames<'a>(answer: Answer, remote: &'a Remote, limit: (&'static str, u64)) -> Frames<'a> {
    Frames {
        answer,
        remote,
        buffer: Vec::new(),
        used: 0,
        received: 0,
        limit,
    }
}

fn refused(remote: &Remote, message: &[u8]) -> Error {
    let message = String::from_utf8_lossy(message);
    let shown = message
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(1000);
    Error::Refused {
        url: remote.url.clone(),
        message: shown.collect(),
    }
}

const REFS_LIMIT: (&str, u64) = ("bytes of references", ADVERTISEMENT_BYTES_MAX);

async fn hello(http: &Http, remote: &Remote) -> Result<(reqwest::Url, Hello), Error> {
    let answer = http.advertisement(remote).await?;
    let base = answer.base.clone();
    let mut frames = frames(answer, remote, REFS_LIMIT);
    let mut line = frames.line().await?;
    if line.as_deref() == Some("# service=git-upload-pack") {
        frames.next().await?;
        line = frames.line().await?;
    }
    if line.as_deref() == Some("version 2") {
        let mut capabilities = Vec::new();
        while let Some(line) = frames.line().await? {
            capabilities.push(line);
        }
        check_format(remote, &capabilities)?;
        return Ok((base, Hello::Two { capabilities }));
    }
    if line.as_deref() == Some("version 1") {
        line = frames.line().await?;
    }
    let mut refs = RemoteRefs::default();
    let mut capabilities: Vec<String> = Vec::new();
    while let Some(text) = line {
        let (text, list) = text.split_once('\0').unwrap_or((&text, ""));
        if capabilities.is_empty() {
            capabilities = list.split(' ').map(str::to_owned).collect();
        }
        let (id, name) = text
            .split_once(' ')
            .and_then(|(id, name)| Some((Oid::from_hex(id.as_bytes())?, name)))
            .ok_or_else(|| frames.broken("a line is no reference"))?;
        match name.strip_suffix("^{}") {
            Some("capabilities") => {}
            Some(tag) => {
                if let Some(last) = refs
                    .refs
                    .last_mut()
                    .filter(|last| last.name.as_str() == tag)
                {
                    last.peeled = Some(id);
                }
            }
            None => add_ref(remote, &mut refs, name, id, None)?,
        }
        line = frames.line().await?;
    }
    check_format(remote, &capabilities)?;
    let head = capabilities
        .iter()
        .find_map(|text| text.strip_prefix("symref=HEAD:"));
    refs.head = head.and_then(|name| RefName::new(name).ok());
    Ok((base, Hello::Zero { refs, capabilities }))
}

fn check_format(remote: &Remote, capabilities: &[String]) -> Result<(), Error> {
    let mut formats = capabilities
        .iter()
        .filter_map(|text| text.strip_prefix("object-format="));
    match formats.all(|format| format == "sha1") {
        true => Ok(()),
        false => Err(Error::ObjectFormat {
            url: remote.url.clone(),
        }),
    }
}

/// Adds a reference; names that break the rules are dropped, so nobody can ask for them.
fn add_ref(
    remote: &Remote,
    refs: &mut RemoteRefs,
    name: &str,
    id: Oid,
    peeled: Option<Oid>,
) -> Result<(), Error> {
    if let Ok(name) = RefName::new(name)
        && name.as_str() != "HEAD"
    {
        refs.refs.push(RemoteRef { name, id, peeled });
    }
    match refs.refs.len() > REFS_MAX {
        true => Err(Error::Limit {
            url: remote.url.clone(),
            what: "references",
            limit: REFS_MAX as u64,
        }),
        false => Ok(()),
    }
}

/// Lists references.
pub(super) async fn list(
    http: &Http,
    remote: &Remote,
    prefixes: &[&str],
) -> Result<RemoteRefs, Error> {
    let (base, hello) = hello(http, remote).await?;
    let Hello::Two { .. } = hello else {
        let Hello::Zero { mut refs, .. } = hello else {
            return Ok(RemoteRefs::default());
        };
        let wanted = |name: &str| prefixes.iter().any(|prefix| name.starts_with(prefix));
        refs.refs
            .retain(|found| prefixes.is_empty() || wanted(found.name.as_str()));
        return Ok(refs);
    };
    let mut body = Vec::new();
    put(&mut body, "command=ls-refs\n");
    put(&mut body, AGENT);
    put(&mut body, "object-format=sha1");
    put_delimiter(&mut body);
    put(&mut body, "peel\n");
    put(&mut body, "symrefs\n");
    if !prefixes.is_empty() {
        put(&mut body, "ref-prefix HEAD\n");
    }
    for prefix in prefixes {
        put(&mut body, format!("ref-prefix {prefix}\n"));
    }
    put_flush(&mut body);
    let answer = http.upload(remote, &base, body).await?;
    let mut frames = frames(answer, remote, REFS_LIMIT);
    let mut refs = RemoteRefs::default();
    while let Some(line) = frames.line().await? {
        let mut words = line.split(' ');
        let (Some(id), Some(name)) = (words.next(), words.next()) else {
            return Err(frames.broken("a line is no reference"));
        };
        let (mut target, mut peeled) = (None, None);
        for word in words {
            target = target.or(word.strip_prefix("symref-target:"));
            peeled = peeled.or(word.strip_prefix("peeled:"));
        }
        if name == "HEAD" {
            refs.head = target.and_then(|name| RefName::new(name).ok());
            continue;
        }
        let id = Oid::from_hex(id.as_bytes()).ok_or_else(|| frames.broken("a line has no id"))?;
        let peeled = peeled.and_then(|hex| Oid::from_hex(hex.as_bytes()));
        add_ref(remote, &mut refs, name, id, peeled)?;
    }
    Ok(refs)
}

/// The pack of one commit, or tag and commit, without history.
pub(super) async fn fetch(
    http: &Http,
    remote: &Remote,
    want: Oid,
    limits: &Limits,
) -> Result<Vec<u8>, Error> {
    let (base, hello) = hello(http, remote).await?;
    // Frames, progress and the lines before the pack come on top.
    let limit = ("bytes", limits.pack_bytes_max.saturating_add(16 << 20));
    let mut body = Vec::new();
    match hello {
        Hello::Two { capabilities } => {
            let shallow = capabilities.iter().any(|capability| {
                let features = capability.strip_prefix("fetch=").unwrap_or("");
                features.split(' ').any(|feature| feature == "shallow")
            });
            put(&mut body, "command=fetch");
            put(&mut body, AGENT);
            put(&mut body, "object-format=sha1");
            put_delimiter(&mut body);
            put(&mut body, "no-progress\n");
            put(&mut body, "ofs-delta\n");
            put(&mut body, format!("want {want}\n"));
            if shallow {
                put(&mut body, "deepen 1\n");
            }
            put(&mut body, "done\n");
            put_flush(&mut body);
            let answer = http.upload(remote, &base, body).await?;
            let mut frames = frames(answer, remote, limit);
            loop {
                match frames.next().await? {
                    Frame::Data(line) if line.starts_with(b"packfile") => break,
                    Frame::End => return Err(frames.broken("no pack follows")),
                    _ => {}
                }
            }
            demultiplex(frames).await
        }
        Hello::Zero { capabilities, .. } => {
            let has = |name: &str| capabilities.iter().any(|capability| capability == name);
            let mut line = format!("want {want} ofs-delta no-progress {AGENT}");
            let band = has("side-band-64k");
            if band {
                line.push_str(" side-band-64k");
            }
            line.push('\n');
            put(&mut body, line);
            let shallow = has("shallow");
            if shallow {
                put(&mut body, "deepen 1\n");
            }
            put_flush(&mut body);
            put(&mut body, "done\n");
            let answer = http.upload(remote, &base, body).await?;
            let mut frames = frames(answer, remote, limit);
            if shallow {
                while frames.line().await?.is_some() {}
            }
            match frames.line().await? {
                Some(line) if line == "NAK" || line.starts_with("ACK ") => {}
                _ => return Err(frames.broken("no pack follows")),
            }
            match band {
                true => demultiplex(frames).await,
                false => frames.rest().await,
            }
        }
    }
}

/// Collects band 1 until the flush.
async fn demultiplex(mut frames: Frames<'_>) -> Result<Vec<u8>, Error> {
    let mut pack = Vec::new();
    loop {
        match frames.next().await? {
            Frame::Data(data) => match data.split_first() {
                Some((1, data)) => pack.extend_from_slice(data),
                Some((2, _)) => {}
                Some((3, message)) => return Err(refused(frames.remote, message)),
                _ => return Err(frames.broken("a frame names no side band")),
            },
            Frame::Flush => return Ok(pack),
            Frame::Delimiter => {}
            Frame::End => return Err(frames.broken("the pack is cut off")),
        }
    }
}
