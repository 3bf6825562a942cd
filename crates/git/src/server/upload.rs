//! Clone and fetch: negotiation, then a pack.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::advertise::{LsRefs, end_section};
use super::body::Inbox;
use super::walk::{Boundary, Deepen, Filter, WalkError, Walker};
use crate::odb::{ObjectError, Objects as _, Odb};
use crate::pack::PackWriter;
use crate::pktline::{Band, FrameError, Packet, next, put, put_flush};
use crate::refs::Refs;
use crate::{Oid, RefName, Repository, RepositoryError};

/// Most different wants, haves and ends of history in one request.
const IDS_MAX: usize = 200_000;

/// Most bytes of a frame in the first form of side bands.
const SMALL_BAND_BYTES_MAX: usize = 995;

/// Why a request is answered with an error line.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error(transparent)]
    Walk(#[from] WalkError),
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("cannot send")]
    Send(#[from] io::Error),
}

/// What a client wants and has.
#[derive(Debug, Default)]
struct Request {
    wants: Vec<Oid>,
    haves: Vec<Oid>,
    shallow: BTreeSet<Oid>,
    deepen: Deepen,
    relative: bool,
    done: bool,
    no_progress: bool,
    include_tag: bool,
    filter: Filter,
    capabilities: Vec<String>,
}

/// Answers a `git-upload-pack` request.
///
/// # Errors
/// When the client no longer takes what is written.
pub(super) fn serve(
    repository: &Repository,
    inbox: &Inbox,
    version: u8,
    out: &mut dyn Write,
) -> io::Result<()> {
    let Inbox::Memory(body) = inbox else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut out = out;
    let result = match version {
        2 => command(repository, body, &mut out),
        _ => exchange(repository, body, &mut out),
    };
    match result {
        Ok(()) => Ok(()),
        Err(Refused::Send(error)) => Err(error),
        Err(refused) => {
            let shown: String = diag::with_causes(&refused).chars().take(1000).collect();
            tracing::info!(error = shown, "git fetch refused");
            let mut line = Vec::new();
            put(&mut line, format!("ERR {shown}\n"));
            out.write_all(&line)
        }
    }
}

/// One round of protocol 0 or 1.
fn exchange(
    repository: &Repository,
    mut body: &[u8],
    out: &mut &mut dyn Write,
) -> Result<(), Refused> {
    let odb = repository.odb()?;
    let refs = repository.refs()?;
    let mut request = Request::default();
    while let Some(line) = next(&mut body)?.and_then(|packet| packet.text()) {
        let line = text(line)?;
        let (line, capabilities) = match line.strip_prefix("want ") {
            Some(rest) if request.wants.is_empty() => rest
                .split_once(' ')
                .map_or((line, ""), |(_, capabilities)| {
                    (line.get(..45).unwrap_or(line), capabilities)
                }),
            _ => (line, ""),
        };
        request
            .capabilities
            .extend(capabilities.split(' ').map(str::to_owned));
        request.argument(line, &refs)?;
    }
    if request.wants.is_empty() {
        return Ok(());
    }
    request.apply_capabilities();
    request.check_wants(&odb)?;
    let mut walker = Walker::new(&odb);
    let boundary = request.boundary(&mut walker)?;
    let mut lines = Vec::new();
    if request.deepen != Deepen::No {
        put_boundary(&mut lines, &boundary);
        put_flush(&mut lines);
    }
    let ready_for_pack = negotiate(&mut request, &mut body, &odb, &mut walker, &mut lines)?;
    out.write_all(&lines)?;
    if !ready_for_pack {
        return Ok(());
    }
    let objects = request.missing(&mut walker, &boundary, &refs)?;
    let band = |name: &str| {
        request
            .capabilities
            .iter()
            .any(|capability| capability == name)
    };
    if band("side-band-64k") || band("side-band") {
        let frame_bytes_max = match band("side-band-64k") {
            true => Band::data(out).frame_bytes_max,
            false => SMALL_BAND_BYTES_MAX,
        };
        send_banded(&odb, &objects, request.no_progress, frame_bytes_max, out)
    } else {
        send_pack(&odb, &objects, out)?;
        Ok(())
    }
}

/// Reads what the client has and answers; returns whether the pack follows.
///
/// # Source
/// The order of answers is that of git/git `upload-pack.c`, `get_common_commits`, without a
/// lasting connection.
fn negotiate(
    request: &mut Request,
    body: &mut &[u8],
    odb: &Odb,
    walker: &mut Walker<'_>,
    lines: &mut Vec<u8>,
) -> Result<bool, Refused> {
    let has = |name: &str| {
        request
            .capabilities
            .iter()
            .any(|capability| capability == name)
    };
    let (detailed, multi, no_done) = (has("multi_ack_detailed"), has("multi_ack"), has("no-done"));
    let multi = multi || detailed;
    let (mut last, mut sent_ready) = (None, false);
    let (mut got_common, mut got_other) = (false, false);
    loop {
        let packet = next(body)?;
        let Some(line) = packet.and_then(|packet| packet.text()) else {
            if packet.is_none() {
                // The client closed without `done`: it asks for nothing more.
                return Ok(false);
            }
            if let (true, true, false, Some(last)) = (detailed, got_common, got_other, last)
                && walker.all_reach(&request.wants, &request.haves)?
            {
                sent_ready = true;
                put(lines, format!("ACK {last} ready\n"));
            }
            if request.haves.is_empty() || multi {
                put(lines, "NAK\n");
            }
            if let (true, true, Some(last)) = (no_done, sent_ready, last) {
                put(lines, format!("ACK {last}\n"));
                return Ok(true);
            }
            if body.is_empty() {
                return Ok(false);
            }
            (got_common, got_other) = (false, false);
            continue;
        };
        let line = text(line)?;
        if line == "done" {
            match last {
                Some(last) if multi => put(lines, format!("ACK {last}\n")),
                Some(_) => {}
                None => put(lines, "NAK\n"),
            }
            return Ok(true);
        }
        let Some(id) = line
            .strip_prefix("have ")
            .and_then(|hex| Oid::from_hex(hex.as_bytes()))
        else {
            return Err(Refused::Request(format!("unexpected line `{line}`")));
        };
        if odb.contains(id) {
            got_common = true;
            last = Some(id);
            request.add_have(id)?;
            match (detailed, multi) {
                (true, _) => put(lines, format!("ACK {id} common\n")),
                (false, true) => put(lines, format!("ACK {id} continue\n")),
                (false, false) if request.haves.len() == 1 => put(lines, format!("ACK {id}\n")),
                (false, false) => {}
            }
        } else {
            got_other = true;
            if multi && walker.all_reach(&request.wants, &request.haves)? {
                sent_ready |= detailed;
                let word = if detailed { "ready" } else { "continue" };
                put(lines, format!("ACK {id} {word}\n"));
            }
        }
    }
}

/// One command of protocol 2.
fn command(
    repository: &Repository,
    mut body: &[u8],
    out: &mut &mut dyn Write,
) -> Result<(), Refused> {
    let mut name = None;
    let mut arguments = Vec::new();
    let mut in_arguments = false;
    while let Some(packet) = next(&mut body)? {
        match packet {
            Packet::Data(_) => {
                let line = text(packet.text().unwrap_or_default())?;
                if in_arguments {
                    arguments.push(line.to_owned());
                } else if let Some(command) = line.strip_prefix("command=") {
                    name = Some(command.to_owned());
                } else if let Some(format) = line.strip_prefix("object-format=")
                    && format != "sha1"
                {
                    return Err(Refused::Request(format!(
                        "object format `{format}` is not served"
                    )));
                }
            }
            Packet::Delimiter => in_arguments = true,
            Packet::Flush | Packet::ResponseEnd => break,
        }
    }
    match name.as_deref() {
        Some("ls-refs") => {
            let mut command = LsRefs::default();
            for argument in &arguments {
                match argument.as_str() {
                    "peel" => command.peel = true,
                    "symrefs" => command.symrefs = true,
                    "unborn" => command.unborn = true,
                    other => {
                        let prefix = other.strip_prefix("ref-prefix ");
                        command.prefixes.extend(prefix.map(str::to_owned));
                    }
                }
            }
            out.write_all(&command.answer(repository)?)?;
            Ok(())
        }
        Some("fetch") => fetch(repository, &arguments, out),
        // A client that has nothing to ask for sends an empty request.
        None => Ok(()),
        Some(other) => Err(Refused::Request(format!("unknown command `{other}`"))),
    }
}

fn fetch(
    repository: &Repository,
    arguments: &[String],
    out: &mut &mut dyn Write,
) -> Result<(), Refused> {
    let odb = repository.odb()?;
    let refs = repository.refs()?;
    let mut request = Request::default();
    for argument in arguments {
        request.argument(argument, &refs)?;
    }
    if request.wants.is_empty() {
        return Err(Refused::Request(
            "the request names nothing to fetch".into(),
        ));
    }
    request.check_wants(&odb)?;
    let mut walker = Walker::new(&odb);
    let mut lines = Vec::new();
    let asked = !request.haves.is_empty();
    request.haves.retain(|id| odb.contains(*id));
    if asked && !request.done {
        put(&mut lines, "acknowledgments\n");
        if request.haves.is_empty() {
            put(&mut lines, "NAK\n");
        }
        for id in &request.haves {
            put(&mut lines, format!("ACK {id}\n"));
        }
        if !walker.all_reach(&request.wants, &request.haves)? {
            put_flush(&mut lines);
            out.write_all(&lines)?;
            return Ok(());
        }
        put(&mut lines, "ready\n");
        end_section(&mut lines);
    }
    let boundary = request.boundary(&mut walker)?;
    if request.deepen != Deepen::No {
        put(&mut lines, "shallow-info\n");
        put_boundary(&mut lines, &boundary);
        end_section(&mut lines);
    }
    let objects = request.missing(&mut walker, &boundary, &refs)?;
    put(&mut lines, "packfile\n");
    out.write_all(&lines)?;
    let frame_bytes_max = Band::data(out).frame_bytes_max;
    send_banded(&odb, &objects, request.no_progress, frame_bytes_max, out)
}

impl Request {
    /// Reads one line of a request; unknown ones are ignored, as protocol 2 asks.
    fn argument(&mut self, line: &str, refs: &Refs) -> Result<(), Refused> {
        let (word, value) = line.split_once(' ').unwrap_or((line, ""));
        let bad = || Refused::Request(format!("`{line}` is not understood"));
        let id = || Oid::from_hex(value.as_bytes()).ok_or_else(bad);
        match word {
            "want" => self.wants.push(id()?),
            "have" => self.add_have(id()?)?,
            "shallow" => {
                self.shallow.insert(id()?);
            }
            "deepen" => self.deepen = Deepen::Depth(value.parse().map_err(|_| bad())?),
            "deepen-relative" => self.relative = true,
            "deepen-since" => {
                let since = value.parse().map_err(|_| bad())?;
                match &mut self.deepen {
                    Deepen::Since(time, _) => *time = Some(since),
                    deepen => *deepen = Deepen::Since(Some(since), Vec::new()),
                }
            }
            "deepen-not" => {
                let id = named(refs, value).ok_or_else(bad)?;
                match &mut self.deepen {
                    Deepen::Since(_, not) => not.push(id),
                    deepen => *deepen = Deepen::Since(None, vec![id]),
                }
            }
            "filter" => {
                self.filter = Filter::parse(value).ok_or_else(|| {
                    let forms = "`blob:none`, `blob:limit=SIZE` and `tree:0`";
                    Refused::Request(format!("filter `{value}` is not served; {forms} are"))
                })?;
            }
            "done" => self.done = true,
            "no-progress" => self.no_progress = true,
            "include-tag" => self.include_tag = true,
            _ => {}
        }
        if self.wants.len() + self.shallow.len() > IDS_MAX {
            return Err(Refused::Request(format!("more than {IDS_MAX} wants")));
        }
        if self.relative
            && let Deepen::Depth(depth) = self.deepen
        {
            self.deepen = Deepen::Further(depth);
        }
        Ok(())
    }

    fn add_have(&mut self, id: Oid) -> Result<(), Refused> {
        self.haves.push(id);
        match self.haves.len() > IDS_MAX {
            true => Err(Refused::Request(format!("more than {IDS_MAX} haves"))),
            false => Ok(()),
        }
    }

    fn apply_capabilities(&mut self) {
        let has = |name: &str| {
            self.capabilities
                .iter()
                .any(|capability| capability == name)
        };
        self.no_progress = has("no-progress");
        self.include_tag = has("include-tag");
        if let (true, Deepen::Depth(depth)) = (has("deepen-relative"), &self.deepen) {
            self.deepen = Deepen::Further(*depth);
        }
    }

    fn check_wants(&self, odb: &Odb) -> Result<(), Refused> {
        for want in &self.wants {
            if !odb.contains(*want) {
                let message = format!("upload-pack: not our ref {want}");
                return Err(Refused::Request(message));
            }
        }
        Ok(())
    }

    fn boundary(&self, walker: &mut Walker<'_>) -> Result<Boundary, Refused> {
        Ok(walker.boundary(&self.wants, &self.shallow, &self.deepen)?)
    }

    fn missing(
        &self,
        walker: &mut Walker<'_>,
        boundary: &Boundary,
        refs: &Refs,
    ) -> Result<Vec<Oid>, Refused> {
        let tags: Vec<(Oid, Oid)> = match self.include_tag {
            true => refs
                .peeled
                .iter()
                .filter_map(|(name, commit)| Some((*refs.named.get(name)?, *commit)))
                .collect(),
            false => Vec::new(),
        };
        Ok(walker.missing(
            &self.wants,
            &self.haves,
            &self.shallow,
            boundary,
            &tags,
            self.filter,
        )?)
    }
}

/// A reference by full or short name, as `deepen-not` has it.
fn named(refs: &Refs, name: &str) -> Option<Oid> {
    let full = ["", "refs/", "refs/tags/", "refs/heads/"];
    let mut names = full
        .iter()
        .filter_map(|prefix| RefName::new(&format!("{prefix}{name}")).ok());
    names.find_map(|name| refs.get(&name))
}

fn text(line: &[u8]) -> Result<&str, Refused> {
    let text = std::str::from_utf8(line);
    text.map_err(|_| Refused::Request("a line of the request is no text".into()))
}

fn put_boundary(lines: &mut Vec<u8>, boundary: &Boundary) {
    for id in &boundary.shallow {
        put(lines, format!("shallow {id}"));
    }
    for id in &boundary.unshallow {
        put(lines, format!("unshallow {id}"));
    }
}

/// Sends a pack on band 1, progress on band 2 and what goes wrong on band 3, then a flush.
fn send_banded(
    odb: &Odb,
    objects: &[Oid],
    quiet: bool,
    frame_bytes_max: usize,
    out: &mut &mut dyn Write,
) -> Result<(), Refused> {
    if !quiet {
        let text = format!("Sending {} objects, all of them whole\n", objects.len());
        Band::message(out, 2).write_all(text.as_bytes())?;
    }
    let mut band = Band::data(out);
    band.frame_bytes_max = frame_bytes_max;
    let buffered = io::BufWriter::with_capacity(frame_bytes_max, band);
    match send_pack(odb, objects, buffered) {
        Ok(()) => {
            out.write_all(b"0000")?;
            Ok(())
        }
        Err(Refused::Send(error)) => Err(Refused::Send(error)),
        Err(refused) => {
            let shown = diag::with_causes(&refused);
            tracing::error!(error = shown, "git fetch broke off");
            let text: String = shown.chars().take(200).collect();
            let text = format!("the server cannot read the repository: {text}\n");
            Band::message(out, 3).write_all(text.as_bytes())?;
            Ok(())
        }
    }
}

fn send_pack(odb: &Odb, objects: &[Oid], out: impl Write) -> Result<(), Refused> {
    let mut writer = PackWriter::new(out, objects.len() as u32)?;
    for id in objects {
        let (kind, content) = odb.find(*id)?.ok_or(ObjectError::Missing {
            kind: None,
            id: *id,
        })?;
        writer.add(*id, kind, &content)?;
    }
    writer.finish()?;
    Ok(())
}
