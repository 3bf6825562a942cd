//! The default store: one `redb` file.
//!
//! Three tables: `objects` (key to JSON), `log` (version to change; the recent ones, so that
//! watches resume after a restart) and `meta`. An object's key is its resource, namespace and
//! name, separated by zero bytes, which none of them can hold.
//!
//! A change says what its object was before; what it became is in the next change of this object, or
//! in `objects` after the last. So every state is written twice, once each in a table, and not three
//! times.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use apimachine::{Change, Event, Features, Key, State, Stored};
use object::json;
use redb::{Database, ReadableDatabase as _, ReadableTable as _, StorageBackend, TableDefinition};

use super::{Durable, Loaded, StorageError};

/// What the tables look like; a program that finds a number it does not know leaves the file alone.
const FORMAT: u64 = 2;

/// The format before, in which changes held both states of their object. It can be read.
const FORMAT_BOTH_STATES: u64 = 1;

const OBJECTS: TableDefinition<'_, &str, &str> = TableDefinition::new("objects");
const LOG: TableDefinition<'_, u64, &str> = TableDefinition::new("log");
const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");

/// Bytes of the file kept in memory. The objects are in memory anyway and are read once.
const CACHE_BYTES: usize = 4 << 20;

/// Makes the disk under a store; called again after a failure.
type OpenDisk = Box<dyn Fn() -> std::io::Result<Box<dyn StorageBackend>> + Send>;

/// A cluster kept in one file.
pub struct RedbStore {
    place: Place,
    database: Option<Database>,
    /// The oldest version in the log, if it is known.
    log_start: u64,
    log_length: usize,
    events_kept: usize,
}

enum Place {
    File(PathBuf),
    Disk(OpenDisk),
}

impl RedbStore {
    /// A store in the file at `path`, made when it is missing.
    pub fn file(path: &Path) -> Self {
        Self::at(Place::File(path.to_owned()))
    }

    /// A store on a disk of the caller's making, for tests that let it fail.
    pub fn disk(
        open: impl Fn() -> std::io::Result<Box<dyn StorageBackend>> + Send + 'static,
    ) -> Self {
        Self::at(Place::Disk(Box::new(open)))
    }

    fn at(place: Place) -> Self {
        Self {
            place,
            database: None,
            log_start: 0,
            log_length: 0,
            events_kept: 0,
        }
    }

    fn database(&mut self) -> Result<&Database, StorageError> {
        let database = match self.database.take() {
            Some(database) => database,
            None => self.open()?,
        };
        Ok(self.database.insert(database))
    }

    fn open(&self) -> Result<Database, StorageError> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        match &self.place {
            Place::File(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)
                        .map_err(|error| StorageError::disk("opened", error))?;
                }
                builder.create(path)
            }
            Place::Disk(open) => {
                let disk = open().map_err(|error| StorageError::disk("opened", error))?;
                builder.create_with_backend(Disk(disk))
            }
        }
        .map_err(|error| StorageError::disk("opened", error))
    }

    fn write(&mut self, events: &[Event]) -> Result<(), redb::Error> {
        let (mut start, mut length, kept) = (self.log_start, self.log_length, self.events_kept);
        let Some(database) = &self.database else {
            return Err(redb::Error::Corrupted("the store is not open".into()));
        };
        let transaction = database.begin_write()?;
        {
            let mut objects = transaction.open_table(OBJECTS)?;
            let mut log = transaction.open_table(LOG)?;
            let mut meta = transaction.open_table(META)?;
            meta.insert("format", FORMAT)?;
            for event in events {
                let key = object_key(&event.resource, &event.key);
                match event.change {
                    Change::Deleted => objects.remove(key.as_str())?,
                    Change::Added | Change::Modified => {
                        objects.insert(key.as_str(), &*event.object.json())?
                    }
                };
                log.insert(event.version, log_entry(event, &key).as_str())?;
                length += 1;
            }
            if let Some(last) = events.last() {
                meta.insert("version", last.version)?;
            }
            if length > kept {
                let surplus = length - kept;
                let first = log
                    .iter()?
                    .nth(surplus)
                    .transpose()?
                    .map(|(version, _)| version.value());
                if let Some(first) = first {
                    log.retain_in(..first, |_, _| false)?;
                    (start, length) = (first, kept);
                }
            }
            meta.insert("log start", start)?;
        }
        transaction.commit()?;
        (self.log_start, self.log_length) = (start, length);
        Ok(())
    }

    fn read(&mut self, features: Features) -> Result<Loaded, StorageError> {
        self.events_kept = features.events_kept;
        let database = self.database()?;
        let contents = Contents::read(database)?;
        let Some(contents) = contents else {
            return Ok(Loaded::Empty);
        };
        self.log_start = contents.log_start;
        self.log_length = contents.log.len();
        let damaged = |key: &str| StorageError::Damaged {
            key: key.replace('\0', "/"),
        };
        let parse = |key: &str, text: &str| {
            json::parse(text.as_bytes(), json::OBJECT_LIMITS).map_err(|_| damaged(key))
        };
        let mut objects = Vec::with_capacity(contents.objects.len());
        for (key, text) in &contents.objects {
            let (resource, key_of_object) = split_key(key).ok_or_else(|| damaged(key))?;
            objects.push((resource.into(), key_of_object, parse(key, text)?));
        }
        let mut known: HashMap<&str, &str> = HashMap::new();
        let mut events = Vec::with_capacity(contents.log.len());
        for (version, text) in contents.log.iter().rev() {
            let damaged = || damaged(&format!("log {version}"));
            let entry = Entry::read(text).ok_or_else(damaged)?;
            let now = known.get(entry.key).copied();
            let now = now.or_else(|| contents.object(entry.key));
            events.push(entry.event(*version, now).ok_or_else(damaged)?);
            known.insert(entry.key, entry.before);
        }
        events.reverse();
        let state = State::restore(
            features,
            contents.version,
            contents.log_start,
            objects,
            events,
        );
        Ok(Loaded::State(Box::new(state)))
    }
}

impl Durable for RedbStore {
    fn load(&mut self, features: Features) -> Result<Loaded, StorageError> {
        // After an error the library wants the file opened anew.
        self.database = None;
        self.read(features)
    }

    fn append(&mut self, events: &[Event]) -> Result<(), StorageError> {
        self.database()?;
        self.write(events)
            .map_err(|error| StorageError::disk("written", error))
    }
}

/// Everything in the file, as text.
struct Contents {
    version: u64,
    log_start: u64,
    objects: Vec<(String, String)>,
    log: Vec<(u64, String)>,
}

impl Contents {
    /// The object of a key.
    fn object(&self, key: &str) -> Option<&str> {
        let at = self
            .objects
            .binary_search_by(|(own, _)| own.as_str().cmp(key));
        at.ok().map(|at| self.objects[at].1.as_str())
    }

    fn read(database: &Database) -> Result<Option<Self>, StorageError> {
        let inner = || -> Result<_, redb::Error> {
            let transaction = database.begin_read()?;
            let meta = match transaction.open_table(META) {
                Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
                other => other?,
            };
            let number = |name: &str| -> Result<u64, redb::Error> {
                Ok(meta.get(name)?.map_or(0, |value| value.value()))
            };
            let format = number("format")?;
            let mut contents = Self {
                version: number("version")?,
                log_start: number("log start")?,
                objects: Vec::new(),
                log: Vec::new(),
            };
            if is_known(format) {
                for entry in transaction.open_table(OBJECTS)?.iter()? {
                    let (key, value) = entry?;
                    contents
                        .objects
                        .push((key.value().to_owned(), value.value().to_owned()));
                }
                for entry in transaction.open_table(LOG)?.iter()? {
                    let (key, value) = entry?;
                    contents.log.push((key.value(), value.value().to_owned()));
                }
            }
            Ok(Some((format, contents)))
        };
        match inner().map_err(|error| StorageError::disk("read", error))? {
            None => Ok(None),
            Some((format, contents)) if is_known(format) => Ok(Some(contents)),
            Some((found, _)) => Err(StorageError::Format {
                found,
                wanted: FORMAT,
            }),
        }
    }
}

fn object_key(resource: &str, key: &Key) -> String {
    format!("{resource}\0{}\0{}", key.namespace, key.name)
}

fn split_key(key: &str) -> Option<(&str, Key)> {
    let (resource, rest) = key.split_once('\0')?;
    let (namespace, name) = rest.split_once('\0')?;
    Some((resource, Key::new(namespace, name)))
}

fn is_known(format: u64) -> bool {
    matches!(format, FORMAT | FORMAT_BOTH_STATES)
}

/// A line each: what happened, the key, the object after it if it is gone, and the object before if
/// there was one.
fn log_entry(event: &Event, key: &str) -> String {
    let (change, last) = match event.change {
        Change::Added => ('a', None),
        Change::Modified => ('m', None),
        Change::Deleted => ('d', Some(event.object.past_json())),
    };
    let old = event.old.as_ref().map(|old| old.past_json());
    let (last, old) = (
        last.as_deref().unwrap_or_default(),
        old.as_deref().unwrap_or_default(),
    );
    // JSON without blanks holds no line ends.
    format!("{change}\n{key}\n{last}\n{old}")
}

/// One change of the log; an empty text stands for no object.
struct Entry<'a> {
    change: Change,
    key: &'a str,
    /// The object after the change, where the entry says it.
    after: Option<&'a str>,
    before: &'a str,
}

impl<'a> Entry<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut lines = text.split('\n');
        let mut line = || lines.next();
        let word = line()?;
        let change = match word {
            "A" | "a" => Change::Added,
            "M" | "m" => Change::Modified,
            "D" | "d" => Change::Deleted,
            _ => return None,
        };
        let (key, after, before) = (line()?, line()?, line()?);
        Some(Self {
            change,
            key,
            after: (!matches!(word, "a" | "m")).then_some(after),
            before,
        })
    }

    /// The change, after which the object was `now` unless the entry says it.
    fn event(&self, version: u64, now: Option<&str>) -> Option<Event> {
        let (resource, key) = split_key(self.key)?;
        let object = |text: &str| {
            let node = json::parse(text.as_bytes(), json::OBJECT_LIMITS).ok()?;
            Some(Arc::new(Stored::restore(node)))
        };
        let old = match self.before {
            "" => None,
            text => Some(object(text)?),
        };
        Some(Event {
            version,
            resource: resource.into(),
            change: self.change,
            key,
            object: object(self.after.or(now)?)?,
            old,
        })
    }
}

/// A boxed disk as the library wants it.
struct Disk(Box<dyn StorageBackend>);

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> std::io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> std::io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> std::io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> std::io::Result<()> {
        self.0.write(offset, data)
    }

    fn close(&self) -> std::io::Result<()> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_of_the_format_before_are_read_too() {
        const KEY: &str = "configmaps\0default\0a";
        let state = |version: u64| format!(r#"{{"metadata":{{"resourceVersion":"{version}"}}}}"#);
        let (old, new) = (state(1), state(2));
        for (now, before, known) in [
            (format!("m\n{KEY}\n\n{old}"), Some(old.as_str()), true),
            (format!("M\n{KEY}\n{new}\n{old}"), Some(old.as_str()), false),
            (format!("a\n{KEY}\n\n"), None, true),
            (format!("A\n{KEY}\n{new}\n"), None, false),
            (format!("d\n{KEY}\n{new}\n{old}"), Some(old.as_str()), false),
        ] {
            let entry = Entry::read(&now).expect("an entry");
            // What it became: from the entry, or from what came later.
            let event = entry.event(2, known.then_some(new.as_str()));
            let event = event.unwrap_or_else(|| panic!("{now}"));
            assert_eq!(event.key, Key::new("default", "a"));
            assert_eq!(event.object.version, 2, "{now}");
            let old = event.old.map(|old| old.version);
            assert_eq!(old, before.map(|_| 1), "{now}");
        }
        for damaged in ["", "x\n\n\n", "m", "m\nkey\n\n{}"] {
            let event = Entry::read(damaged).and_then(|entry| entry.event(2, Some(&new)));
            assert!(event.is_none(), "{damaged}");
        }
    }
}
