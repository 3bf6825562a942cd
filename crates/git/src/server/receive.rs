//! Push: commands, a pack in quarantine, checks, then references.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::PushEvent;
use super::body::Inbox;
use crate::object::{Malformed, Mode, parse_tree};
use crate::odb::{ObjectError, Objects as _, Odb};
use crate::oid::Hasher;
use crate::pack::{Indexed, Limits, PackEntry, PackError, encode_entry, index, write_index};
use crate::pktline::{Band, put, put_flush};
use crate::refs::{Expected, RefEdit, RefError, Refs};
use crate::repository::Quarantine;
use crate::{Commit, Kind, Oid, RefName, Repository, RepositoryError, Tag};

/// Most bytes of commands and options in front of a pack: a hundred thousand references.
pub(super) const COMMANDS_BYTES_MAX: u64 = 16 << 20;

/// What a push needs to know.
pub(super) struct Context<'a> {
    pub repository: &'a Repository,
    /// `owner/name`.
    pub name: &'a str,
    pub limits: &'a Limits,
    pub pusher: Option<String>,
    pub announce: &'a dyn Fn(&PushEvent),
}

/// Why nothing of a push is taken.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("{0}")]
    Request(String),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Repository(#[from] RepositoryError),
    #[error("cannot store the pack")]
    Store(#[from] io::Error),
}

/// One wish to move a reference.
struct Command {
    name: String,
    old: Oid,
    new: Oid,
}

#[derive(Default)]
struct Commands {
    list: Vec<Command>,
    capabilities: BTreeSet<String>,
}

/// Answers a `git-receive-pack` request.
///
/// # Errors
/// When the client no longer takes what is written.
pub(super) fn serve(context: &Context<'_>, inbox: Inbox, out: &mut dyn Write) -> io::Result<()> {
    let Inbox::File(file, quarantine) = inbox else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut out = out;
    let mut reader = BufReader::new(file);
    let commands = match reader.rewind().map_err(Refused::from) {
        Ok(()) => read_commands(&mut reader),
        Err(error) => Err(error),
    };
    let commands = match commands {
        Ok(commands) => commands,
        Err(refused) => {
            let mut line = Vec::new();
            put(&mut line, format!("ERR {}\n", shown(&refused)));
            return out.write_all(&line);
        }
    };
    if commands.list.is_empty() {
        return Ok(());
    }
    let stored = match commands.list.iter().any(|command| !command.new.is_zero()) {
        true => store(context, reader, quarantine),
        false => Ok(()),
    };
    let mut report = Vec::new();
    match stored {
        Err(refused) => {
            let why = shown(&refused);
            tracing::info!(repository = context.name, error = why, "git push refused");
            put(&mut report, format!("unpack {why}\n"));
            for command in &commands.list {
                put(&mut report, format!("ng {} unpacker error\n", command.name));
            }
        }
        Ok(()) => {
            put(&mut report, "unpack ok\n");
            for (command, result) in commands.list.iter().zip(move_refs(context, &commands)) {
                match result {
                    Ok(()) => put(&mut report, format!("ok {}\n", command.name)),
                    Err(why) => put(&mut report, format!("ng {} {why}\n", command.name)),
                }
            }
        }
    }
    put_flush(&mut report);
    let has = |name: &str| commands.capabilities.contains(name);
    match (
        has("report-status") || has("report-status-v2"),
        has("side-band-64k"),
    ) {
        (false, _) => Ok(()),
        (true, false) => out.write_all(&report),
        (true, true) => {
            Band::data(&mut out).write_all(&report)?;
            out.write_all(b"0000")
        }
    }
}

/// One line that fits a frame.
fn shown(error: &dyn std::error::Error) -> String {
    let text = diag::with_causes(error);
    text.chars().filter(|c| !c.is_control()).take(500).collect()
}

fn read_commands(reader: &mut impl Read) -> Result<Commands, Refused> {
    let mut commands = Commands::default();
    let mut names = BTreeSet::new();
    let mut limited = reader.take(COMMANDS_BYTES_MAX);
    while let Some(line) = read_line(&mut limited)? {
        let line = String::from_utf8(line)
            .map_err(|_| Refused::Request("a reference name is no text".into()))?;
        let (line, capabilities) = line.split_once('\0').unwrap_or((&line, ""));
        commands
            .capabilities
            .extend(capabilities.split(' ').map(str::to_owned));
        let line = line.trim_end_matches('\n');
        if line.starts_with("shallow ") {
            // The pusher's history is cut here; what it sends must still lead to what we have.
            continue;
        }
        if line.starts_with("push-cert") {
            return Err(Refused::Request("signed pushes are not supported".into()));
        }
        let bad = || Refused::Request("a push command is not `old new name`".into());
        let (old, rest) = line.split_once(' ').ok_or_else(bad)?;
        let (new, name) = rest.split_once(' ').ok_or_else(bad)?;
        let id = |hex: &str| Oid::from_hex(hex.as_bytes()).ok_or_else(bad);
        if name.len() > 4096 || name.contains('\n') {
            return Err(bad());
        }
        if !names.insert(name.to_owned()) {
            return Err(Refused::Request(format!("`{name}` is moved twice")));
        }
        commands.list.push(Command {
            name: name.to_owned(),
            old: id(old)?,
            new: id(new)?,
        });
    }
    if !commands.list.is_empty() && commands.capabilities.contains("push-options") {
        while read_line(&mut limited)?.is_some() {}
    }
    Ok(commands)
}

/// One data frame; `None` for the flush that ends the list, or the end of the request.
fn read_line(reader: &mut impl Read) -> Result<Option<Vec<u8>>, Refused> {
    let bad = || Refused::Request("the request is cut off or not in frames".into());
    let mut digits = [0; 4];
    match reader.read_exact(&mut digits) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    let digits = std::str::from_utf8(&digits).map_err(|_| bad())?;
    let length = usize::from_str_radix(digits, 16).map_err(|_| bad())?;
    match length {
        0 => Ok(None),
        1..=4 => Err(bad()),
        65521.. => Err(bad()),
        _ => {
            let mut line = vec![0; length - 4];
            reader.read_exact(&mut line).map_err(|_| bad())?;
            Ok(Some(line))
        }
    }
}

/// Checks the pack behind the commands and makes it part of the repository.
fn store(
    context: &Context<'_>,
    mut reader: BufReader<File>,
    quarantine: Quarantine,
) -> Result<(), Refused> {
    let path = quarantine.pack();
    let mut pack = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)?;
    io::copy(&mut reader, &mut pack)?;
    let odb = context.repository.odb()?;
    let mut check = Check::default();
    let indexed = index(
        &pack,
        context.limits,
        &mut |id| odb.find(id).map_err(io::Error::other),
        &mut |id, kind, content| check.visit(id, kind, content),
    )?;
    if let Some(malformed) = check.malformed {
        return Err(malformed.into());
    }
    if indexed.entries.is_empty() {
        return Ok(());
    }
    check_links(&check, &odb)?;
    let (checksum, entries) = complete(&mut pack, indexed)?;
    quarantine.promote(checksum, &write_index(&entries, checksum)?)?;
    Ok(())
}

/// What the objects of a pack are and lead to.
#[derive(Default)]
struct Check {
    kinds: BTreeMap<Oid, Kind>,
    links: BTreeMap<Oid, Kind>,
    malformed: Option<Malformed>,
}

impl Check {
    fn visit(&mut self, id: Oid, kind: Kind, content: &[u8]) {
        self.kinds.insert(id, kind);
        if let Err(malformed) = self.read(id, kind, content) {
            self.malformed.get_or_insert(malformed);
        }
    }

    fn read(&mut self, id: Oid, kind: Kind, content: &[u8]) -> Result<(), Malformed> {
        match kind {
            Kind::Blob => {}
            Kind::Commit => {
                let commit = Commit::parse(id, content)?;
                self.link(commit.tree, Kind::Tree)?;
                for parent in commit.parents {
                    self.link(parent, Kind::Commit)?;
                }
            }
            Kind::Tag => {
                let tag = Tag::parse(id, content)?;
                self.link(tag.target, tag.target_kind)?;
            }
            Kind::Tree => {
                for entry in parse_tree(id, content)? {
                    match entry.mode {
                        Mode::Directory => self.link(entry.id, Kind::Tree)?,
                        Mode::Submodule => {}
                        _ => self.link(entry.id, Kind::Blob)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn link(&mut self, id: Oid, kind: Kind) -> Result<(), Malformed> {
        let known = *self.links.entry(id).or_insert(kind);
        match known == kind {
            true => Ok(()),
            false => Err(Malformed {
                id,
                kind,
                why: format!("it is used as {known} too"),
            }),
        }
    }
}

/// Everything that new objects lead to must be new or known.
///
/// What is known has been checked the same way when it came, so one step is enough.
fn check_links(check: &Check, odb: &Odb) -> Result<(), ObjectError> {
    for (id, wanted) in &check.links {
        let found = match check.kinds.get(id) {
            Some(kind) => Some(*kind),
            None => odb.kind(*id)?,
        };
        match found {
            None => {
                return Err(ObjectError::Missing {
                    kind: Some(*wanted),
                    id: *id,
                });
            }
            Some(found) if found != *wanted => {
                return Err(ObjectError::Kind {
                    id: *id,
                    found,
                    wanted: *wanted,
                });
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Appends the objects that deltas stand on, so that the pack stands alone.
fn complete(pack: &mut File, indexed: Indexed) -> Result<(Oid, Vec<PackEntry>), Refused> {
    let mut entries = indexed.entries;
    entries.dedup_by_key(|entry| entry.id);
    if indexed.bases.is_empty() {
        return Ok((indexed.checksum, entries));
    }
    let mut header = [0; 12];
    pack.rewind()?;
    pack.read_exact(&mut header)?;
    let count = u32::from_be_bytes([header[8], header[9], header[10], header[11]]);
    let count = count + indexed.bases.len() as u32;
    pack.seek(SeekFrom::Start(8))?;
    pack.write_all(&count.to_be_bytes())?;
    let mut offset = pack.seek(SeekFrom::End(-20))?;
    let mut writer = BufWriter::new(&mut *pack);
    for (id, (kind, content)) in &indexed.bases {
        let bytes = encode_entry(*kind, content)?;
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        entries.push(PackEntry {
            id: *id,
            crc: crc.sum(),
            offset,
        });
        writer.write_all(&bytes)?;
        offset += bytes.len() as u64;
    }
    writer.flush()?;
    drop(writer);
    pack.set_len(offset)?;
    pack.rewind()?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match pack.read(&mut buffer)? {
            0 => break,
            filled => hasher.update(&buffer[..filled]),
        }
    }
    let checksum = hasher.finish().map_err(PackError::from)?;
    pack.write_all(checksum.as_bytes())?;
    entries.sort_unstable();
    Ok((checksum, entries))
}

/// Moves the references; one result for each command.
fn move_refs(context: &Context<'_>, commands: &Commands) -> Vec<Result<(), String>> {
    let atomic = commands.capabilities.contains("atomic");
    let mut results: Vec<Result<(), String>> = Vec::new();
    let mut edits: Vec<(usize, RefEdit)> = Vec::new();
    let (odb, refs) = match (context.repository.odb(), context.repository.refs()) {
        (Ok(odb), Ok(refs)) => (odb, refs),
        (Err(error), _) | (_, Err(error)) => {
            let why = shown(&error);
            return commands.list.iter().map(|_| Err(why.clone())).collect();
        }
    };
    for (index, command) in commands.list.iter().enumerate() {
        match judge(command, &odb, &refs) {
            Ok(edit) => {
                edits.push((index, edit));
                results.push(Ok(()));
            }
            Err(why) => results.push(Err(why)),
        }
    }
    loop {
        if atomic && results.iter().any(Result::is_err) {
            for result in results.iter_mut().filter(|result| result.is_ok()) {
                *result = Err("atomic push failed because another reference was refused".into());
            }
            return results;
        }
        if edits.is_empty() {
            return results;
        }
        let list: Vec<RefEdit> = edits.iter().map(|(_, edit)| edit.clone()).collect();
        let error = match context.repository.update_refs(&list) {
            Ok(after) => {
                adopt_head(context, &refs, &after, &list);
                announce(context, commands, &edits);
                return results;
            }
            Err(error) => error,
        };
        // One reference in the way does not hold up the others, unless that was asked for.
        let guilty = match &error {
            RepositoryError::Refs(
                RefError::Moved { name, .. } | RefError::Conflict { name, .. },
            ) => edits.iter().position(|(_, edit)| edit.name == *name),
            _ => None,
        };
        match guilty {
            Some(at) => {
                let (index, _) = edits.remove(at);
                results[index] = Err(shown(&error));
            }
            None => {
                for (index, _) in edits.drain(..) {
                    results[index] = Err(shown(&error));
                }
            }
        }
    }
}

/// Checks one command against the rules that every repository has.
fn judge(command: &Command, odb: &Odb, refs: &Refs) -> Result<RefEdit, String> {
    let name = RefName::new(&command.name).map_err(|error| error.why.to_owned())?;
    if name.as_str() == "HEAD" {
        return Err("HEAD cannot be pushed to".into());
    }
    if name.as_str().starts_with("refs/pull/") {
        return Err("references of pull requests are kept by the server".into());
    }
    let new = (!command.new.is_zero()).then_some(command.new);
    match new {
        None if refs.head.as_ref() == Some(&name) && refs.named.contains_key(&name) => {
            return Err("deletion of the current branch prohibited".into());
        }
        None => {}
        Some(id) => match odb.kind(id).map_err(|error| shown(&error))? {
            None => return Err("missing necessary objects".into()),
            Some(kind) if name.is_branch() && kind != Kind::Commit => {
                return Err(format!("a branch cannot be a {kind}"));
            }
            Some(_) => {}
        },
    }
    Ok(RefEdit {
        name,
        expected: match command.old.is_zero() {
            true => Expected::Absent,
            false => Expected::Is(command.old),
        },
        new,
    })
}

/// Lets `HEAD` follow the first branch of a repository that was empty, as hosted forges do.
fn adopt_head(context: &Context<'_>, before: &Refs, after: &Refs, edits: &[RefEdit]) {
    if !before.named.is_empty() || after.head_id().is_some() {
        return;
    }
    let branches: Vec<&RefName> = edits
        .iter()
        .map(|edit| &edit.name)
        .filter(|name| name.is_branch() && after.named.contains_key(name))
        .collect();
    let preferred = ["main", "master"];
    let chosen = branches
        .iter()
        .find(|name| preferred.contains(&name.short()))
        .or(branches.first());
    if let Some(name) = chosen
        && let Err(error) = context.repository.set_head(name.short())
    {
        tracing::warn!(
            repository = context.name,
            error = shown(&error),
            "HEAD stays unborn"
        );
    }
}

fn announce(context: &Context<'_>, commands: &Commands, edits: &[(usize, RefEdit)]) {
    for (index, edit) in edits {
        let command = &commands.list[*index];
        (context.announce)(&PushEvent {
            repository: context.name.to_owned(),
            name: edit.name.clone(),
            old: (!command.old.is_zero()).then_some(command.old),
            new: edit.new,
            pusher: context.pusher.clone(),
        });
    }
}
