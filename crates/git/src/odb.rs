//! Where objects are found: a repository on disk, or a pack just received.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use gix::objs::{Exists as _, Find as _, FindHeader as _};

use crate::object::{Malformed, TreeEntry, parse_tree};
use crate::{Commit, Kind, Oid, Tag};

/// Why an object cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ObjectError {
    /// It is not there.
    #[error("{} {id} is missing", .kind.map_or("object", Kind::as_str))]
    Missing {
        /// What it should be, if known.
        kind: Option<Kind>,
        /// The object.
        id: Oid,
    },
    /// It is of another kind than its place asks for.
    #[error("{id} is a {found}, not a {wanted}")]
    Kind {
        /// The object.
        id: Oid,
        /// What it is.
        found: Kind,
        /// What it should be.
        wanted: Kind,
    },
    /// It is there and makes no sense.
    #[error(transparent)]
    Malformed(#[from] Malformed),
    /// The store cannot be read.
    #[error("cannot read object {id}: {why}")]
    Read {
        /// The object.
        id: Oid,
        /// What the store says.
        why: String,
    },
}

/// An object's kind and content.
pub(crate) type Found = Option<(Kind, Arc<[u8]>)>;

/// Anything that finds objects by id.
pub(crate) trait Objects {
    /// The object, or `None` when it is not there.
    fn find(&self, id: Oid) -> Result<Found, ObjectError>;

    /// The content of an object that has to be there and of this kind.
    fn content(&self, id: Oid, wanted: Kind) -> Result<Arc<[u8]>, ObjectError> {
        match self.find(id)? {
            Some((kind, content)) if kind == wanted => Ok(content),
            Some((found, _)) => Err(ObjectError::Kind { id, found, wanted }),
            None => Err(ObjectError::Missing {
                kind: Some(wanted),
                id,
            }),
        }
    }

    fn commit(&self, id: Oid) -> Result<Commit, ObjectError> {
        Ok(Commit::parse(id, &self.content(id, Kind::Commit)?)?)
    }

    fn tag(&self, id: Oid) -> Result<Tag, ObjectError> {
        Ok(Tag::parse(id, &self.content(id, Kind::Tag)?)?)
    }

    /// Follows annotated tags to what they name in the end.
    fn peel(&self, id: Oid) -> Result<(Kind, Oid), ObjectError> {
        /// Most tags of tags; nobody nests them.
        const TAGS_MAX: usize = 8;
        let mut at = id;
        for _ in 0..TAGS_MAX {
            match self.find(at)? {
                None => return Err(ObjectError::Missing { kind: None, id: at }),
                Some((Kind::Tag, content)) => at = Tag::parse(at, &content)?.target,
                Some((kind, _)) => return Ok((kind, at)),
            }
        }
        Err(ObjectError::Kind {
            id,
            found: Kind::Tag,
            wanted: Kind::Commit,
        })
    }
}

/// The objects of a repository on disk, as they are at the time of opening and later.
pub(crate) struct Odb(gix::odb::Handle);

impl Odb {
    pub(crate) fn open(objects: &Path) -> std::io::Result<Self> {
        Ok(Self(gix::odb::at(objects, gix::hash::Kind::Sha1)?))
    }

    pub(crate) fn contains(&self, id: Oid) -> bool {
        self.0.exists(&id.to_gix())
    }

    /// The kind of an object without its content.
    pub(crate) fn kind(&self, id: Oid) -> Result<Option<Kind>, ObjectError> {
        let header = self.0.try_header(&id.to_gix());
        let header = header.map_err(|error| read_error(id, error))?;
        Ok(header.map(|header| kind_of(header.kind)))
    }

    /// The size of an object's content.
    pub(crate) fn size(&self, id: Oid) -> Result<u64, ObjectError> {
        let header = self.0.try_header(&id.to_gix());
        let header = header.map_err(|error| read_error(id, error))?;
        let header = header.ok_or(ObjectError::Missing { kind: None, id })?;
        Ok(header.size)
    }
}

impl Objects for Odb {
    fn find(&self, id: Oid) -> Result<Found, ObjectError> {
        let mut buffer = Vec::new();
        let found = self.0.try_find(&id.to_gix(), &mut buffer);
        let Some(data) = found.map_err(|error| read_error(id, error))? else {
            return Ok(None);
        };
        Ok(Some((kind_of(data.kind), data.data.into())))
    }
}

fn read_error(id: Oid, error: impl std::fmt::Display) -> ObjectError {
    ObjectError::Read {
        id,
        why: error.to_string(),
    }
}

fn kind_of(kind: gix::objs::Kind) -> Kind {
    match kind {
        gix::objs::Kind::Commit => Kind::Commit,
        gix::objs::Kind::Tree => Kind::Tree,
        gix::objs::Kind::Blob => Kind::Blob,
        gix::objs::Kind::Tag => Kind::Tag,
    }
}

/// Objects in memory: what a fetch brought.
#[derive(Default)]
pub(crate) struct Memory(pub BTreeMap<Oid, (Kind, Arc<[u8]>)>);

impl Objects for Memory {
    fn find(&self, id: Oid) -> Result<Found, ObjectError> {
        Ok(self.0.get(&id).cloned())
    }
}

/// Calls `visit` with every entry of a directory that has to be there.
pub(crate) fn each_entry<E: From<ObjectError>>(
    objects: &dyn Objects,
    id: Oid,
    mut visit: impl FnMut(TreeEntry<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let content = objects.content(id, Kind::Tree)?;
    for entry in parse_tree(id, &content).map_err(ObjectError::from)? {
        visit(entry)?;
    }
    Ok(())
}
