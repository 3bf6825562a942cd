//! What a repository has and what this server can do.

use crate::odb::Objects as _;
use crate::pktline::{put, put_delimiter, put_flush};
use crate::refs::Refs;
use crate::{Oid, RefName, Repository, RepositoryError};

use super::route::Service;

/// How the server names itself.
pub(super) const AGENT: &str = concat!("agent=fleetwright/", env!("CARGO_PKG_VERSION"));

const UPLOAD_CAPABILITIES: &str = "multi_ack multi_ack_detailed no-done thin-pack side-band \
    side-band-64k ofs-delta shallow deepen-since deepen-not deepen-relative no-progress \
    include-tag filter allow-tip-sha1-in-want allow-reachable-sha1-in-want object-format=sha1";

/// `no-thin` asks for packs that stand on their own, although others are completed.
const RECEIVE_CAPABILITIES: &str = "report-status report-status-v2 delete-refs atomic ofs-delta \
    side-band-64k quiet push-options no-thin object-format=sha1";

/// The answer to `info/refs`.
pub(super) fn advertise(
    repository: &Repository,
    service: Service,
    version: u8,
) -> Result<Vec<u8>, RepositoryError> {
    let mut out = Vec::new();
    put(&mut out, format!("# service={}\n", service.as_str()));
    put_flush(&mut out);
    if service == Service::Upload && version == 2 {
        put(&mut out, "version 2\n");
        for line in [
            AGENT,
            "ls-refs=unborn",
            "fetch=shallow filter",
            "server-option",
            "object-format=sha1",
        ] {
            put(&mut out, format!("{line}\n"));
        }
        put_flush(&mut out);
        return Ok(out);
    }
    if version == 1 {
        put(&mut out, "version 1\n");
    }
    let refs = repository.refs()?;
    let mut lines: Vec<(Oid, String)> = Vec::new();
    let mut capabilities = match service {
        Service::Receive => RECEIVE_CAPABILITIES.to_owned(),
        Service::Upload => UPLOAD_CAPABILITIES.to_owned(),
    };
    if let (Service::Upload, Some(id)) = (service, refs.head_id()) {
        lines.push((id, "HEAD".into()));
        if let Some(head) = &refs.head {
            capabilities.push_str(&format!(" symref=HEAD:{head}"));
        }
    }
    let peeled = match service {
        Service::Upload => peeled(repository, &refs)?,
        Service::Receive => Vec::new(),
    };
    let mut peeled = peeled.into_iter().peekable();
    for (name, id) in &refs.named {
        lines.push((*id, name.to_string()));
        if let Some((_, id)) = peeled.next_if(|(tag, _)| tag == name) {
            lines.push((id, format!("{name}^{{}}")));
        }
    }
    if lines.is_empty() {
        lines.push((Oid::ZERO, "capabilities^{}".into()));
    }
    for (number, (id, name)) in lines.into_iter().enumerate() {
        match number {
            0 => put(&mut out, format!("{id} {name}\0{capabilities} {AGENT}\n")),
            _ => put(&mut out, format!("{id} {name}\n")),
        }
    }
    put_flush(&mut out);
    Ok(out)
}

/// What each annotated tag names in the end, in the order of names.
fn peeled(repository: &Repository, refs: &Refs) -> Result<Vec<(RefName, Oid)>, RepositoryError> {
    let odb = repository.odb()?;
    let mut peeled = Vec::new();
    for (name, id) in refs.named.iter().filter(|(name, _)| !name.is_branch()) {
        let target = match refs.peeled.get(name) {
            Some(target) => *target,
            None => match odb.peel(*id) {
                Ok((_, target)) => target,
                // A reference to something broken is shown as it is.
                Err(_) => continue,
            },
        };
        if target != *id {
            peeled.push((name.clone(), target));
        }
    }
    Ok(peeled)
}

/// What the command `ls-refs` of protocol 2 asks for.
#[derive(Debug, Default)]
pub(super) struct LsRefs {
    pub peel: bool,
    pub symrefs: bool,
    pub unborn: bool,
    pub prefixes: Vec<String>,
}

impl LsRefs {
    /// The answer: matching references, then a flush.
    pub(super) fn answer(&self, repository: &Repository) -> Result<Vec<u8>, RepositoryError> {
        let refs = repository.refs()?;
        let peeled = match self.peel {
            true => peeled(repository, &refs)?,
            false => Vec::new(),
        };
        let wanted = |name: &str| {
            self.prefixes.is_empty() || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
        };
        let mut out = Vec::new();
        if wanted("HEAD") {
            let symref = match (&refs.head, self.symrefs) {
                (Some(head), true) => format!(" symref-target:{head}"),
                _ => String::new(),
            };
            match refs.head_id() {
                Some(id) => put(&mut out, format!("{id} HEAD{symref}\n")),
                None if self.unborn && refs.head.is_some() => {
                    put(&mut out, format!("unborn HEAD{symref}\n"));
                }
                None => {}
            }
        }
        let mut peeled = peeled.into_iter().peekable();
        for (name, id) in &refs.named {
            let target = peeled.next_if(|(tag, _)| tag == name);
            if wanted(name.as_str()) {
                let target = target.map_or(String::new(), |(_, id)| format!(" peeled:{id}"));
                put(&mut out, format!("{id} {name}{target}\n"));
            }
        }
        put_flush(&mut out);
        Ok(out)
    }
}

/// Ends the first section of an answer of protocol 2.
pub(super) fn end_section(out: &mut Vec<u8>) {
    put_delimiter(out);
}
