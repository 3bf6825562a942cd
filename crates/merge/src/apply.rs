//! Server-side apply, and what other writes do to ownership.
//!
//! # Source
//! kubernetes-sigs/structured-merge-diff `merge/update.go`, v6.4.2 at 15d07547, and
//! kubernetes/apimachinery `pkg/util/managedfields/internal`, at eed236ce.

use std::borrow::Cow;
use std::sync::LazyLock;

use object::{GroupVersionKind, Node, Text};

use crate::conflict::{Conflict, Conflicts};
use crate::field_set::{FieldSet, Pattern};
use crate::managers::{BEFORE_FIRST_APPLY, Entry, ManagerId, Managers, Operation};
use crate::schema::ObjectType;
use crate::typed::{Comparison, Duplicates, TypeErrors};

/// The versions an object can be seen in.
pub trait Versions {
    /// The object's type in a version; `None` when the version is not served any more.
    fn object_type(&self, api_version: &str) -> Option<&ObjectType>;

    /// The object in a version; `None` when the version is not served any more.
    fn convert(&self, object: &Node, api_version: &str) -> Option<Node>;
}

/// A kind with one version.
#[derive(Clone, Copy, Debug)]
pub struct OneVersion<'a> {
    /// The version.
    pub api_version: &'a str,
    /// The type in it.
    pub object_type: &'a ObjectType,
}

/// Fields that an endpoint takes no notice of.
#[derive(Clone, Debug, Default)]
pub enum Reset {
    /// None.
    #[default]
    Nothing,
    /// These and everything inside them, as `status` on the main endpoint.
    Except(FieldSet),
    /// All but these.
    Only(Pattern),
}

/// Who writes, and through what.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// Name of the manager.
    pub manager: &'a str,
    /// Version of the request.
    pub api_version: &'a str,
    /// Subresource of the request; empty for the object itself.
    pub subresource: &'a str,
    /// Time of the request, as RFC 3339 in UTC.
    pub now: &'a str,
    /// Fields that the endpoint takes no notice of.
    pub reset: &'a Reset,
    /// What an object of this kind looks like before it exists: `apiVersion` and `kind`, and for
    /// built-in kinds the structs that are always there.
    pub missing: &'a Node,
}

/// What an applier may take from others.
#[derive(Clone, Copy, Debug)]
pub enum Force<'a> {
    /// Nothing: a conflict fails.
    No,
    /// Everything.
    Yes,
    /// Everything, if all conflicts are about these fields.
    Over(&'a FieldSet),
}

/// What an apply leads to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The new object, not yet defaulted; `None` when it is as it was. Its managed fields are
    /// still the old ones: see [`Managers::write`].
    pub object: Option<Node>,
    /// The managers afterwards.
    pub managers: Managers,
    /// Whether anything but times changed in the managers.
    pub managers_changed: bool,
}

/// Why an apply failed; nothing has changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApplyError {
    /// Others own fields that it would change.
    #[error(transparent)]
    Conflicts(#[from] Conflicts),
    /// What is applied does not fit its type.
    #[error("failed to create typed patch object ({object}): {errors}")]
    Patch {
        /// `namespace/name; group/version, Kind=kind`.
        object: String,
        /// What does not fit.
        errors: TypeErrors,
    },
    /// The live object does not fit its type.
    #[error("failed to create typed live object ({object}): {errors}")]
    Live {
        /// `namespace/name; group/version, Kind=kind`.
        object: String,
        /// What does not fit.
        errors: TypeErrors,
    },
    /// The version of the request is not served.
    #[error("the version {0} is not served")]
    Version(Text),
}

/// Fields nobody ever owns: identity, and what only the server writes.
static STRIPPED: LazyLock<FieldSet> = LazyLock::new(|| {
    FieldSet::of_fields(&[
        &["apiVersion"],
        &["kind"],
        &["metadata"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "creationTimestamp"],
        &["metadata", "selfLink"],
        &["metadata", "uid"],
        &["metadata", "clusterName"],
        &["metadata", "generation"],
        &["metadata", "managedFields"],
        &["metadata", "resourceVersion"],
    ])
});

/// Applies `applied` to `live` for the manager of `write`.
///
/// `live` is `None` when the object does not exist. `managers` are those of the live object.
///
/// # Errors
/// [`ApplyError::Conflicts`] when another manager owns a field that would change and `force`
/// does not cover it; the other errors when a value does not fit its type.
pub fn apply(
    versions: &dyn Versions,
    live: Option<&Node>,
    applied: &Node,
    managers: Managers,
    write: &Write<'_>,
    force: Force<'_>,
) -> Result<Applied, ApplyError> {
    let live = live.unwrap_or(write.missing);
    let object_type = versions
        .object_type(write.api_version)
        .ok_or_else(|| ApplyError::Version(write.api_version.into()))?;
    check(object_type, live, applied)?;

    let mut managers = if managers.is_empty() {
        let by = Write {
            manager: BEFORE_FIRST_APPLY,
            subresource: "",
            ..*write
        };
        by_update(versions, write.missing, live, managers, &by)
    } else {
        managers
    };
    reconcile(versions, &mut managers);

    let id = write.id(Operation::Apply);
    let set = write.reset.keep(&object_type.fields(applied));
    let merged = object_type.merge(live, applied);
    let before = managers.take(&id);
    let last = before.as_ref().map(Entry::fields);
    let pruned = match last {
        Some(last) if !last.is_subset(&set) => {
            let last = Last {
                fields: last,
                api_version: before
                    .as_ref()
                    .map_or(write.api_version, |entry| &entry.id.api_version),
            };
            prune(versions, merged, &managers, &set, &last, write.api_version)
        }
        _ => merged,
    };

    let comparison = object_type.compare(live, &pruned);
    let changed = !comparison.is_same() || !crate::value::same(live, &pruned);
    let others_changed = if comparison.is_same() {
        false
    } else {
        let changes = Changes::new(versions, write, live, &pruned, comparison);
        take_from_others(changes, &mut managers, force)?
    };

    let set = set.difference(&STRIPPED);
    let own_changed = match &before {
        Some(entry) => *entry.fields() != set || entry.id.api_version != write.api_version,
        None => !set.is_empty(),
    };
    if !set.is_empty() {
        let time = match &before {
            // Only a change of the object has a time; who begins to own what is there has none.
            Some(entry) if !changed => entry.time.clone(),
            None if !changed => Text::default(),
            _ => write.now.into(),
        };
        let mut entry = before.unwrap_or_else(|| Entry::new(id.clone(), "", FieldSet::EMPTY));
        entry.id = id;
        entry.time = time;
        entry.set_fields(set);
        managers.put(entry);
    }
    Ok(Applied {
        object: changed.then_some(pruned),
        managers,
        managers_changed: own_changed || others_changed,
    })
}

/// The managers after the manager of `write` changed `live` into `new` by other means than apply.
///
/// `live` is `None` on create. An object without managers that exists stays without.
///
/// # Errors
/// [`TypeErrors`] when one of the objects does not fit its type or the version is not served;
/// the managers should stay as they are then.
pub fn update(
    versions: &dyn Versions,
    live: Option<&Node>,
    new: &Node,
    managers: Managers,
    write: &Write<'_>,
) -> Result<Managers, TypeErrors> {
    if live.is_some() && managers.is_empty() {
        return Ok(managers);
    }
    let live = live.unwrap_or(write.missing);
    if let Some(object_type) = versions.object_type(write.api_version) {
        object_type.validate(new, Duplicates::Allowed)?;
        object_type.validate(live, Duplicates::Allowed)?;
    }
    Ok(by_update(versions, live, new, managers, write))
}

/// The fields of a client-side apply that the live object still has as they were applied.
///
/// A conflict about such a field is the same person changing tools; see [`Force::Over`].
/// `None` when the recorded configuration is for another version or does not fit its type.
///
/// # Source
/// kubernetes/apimachinery `pkg/util/managedfields/internal/lastappliedmanager.go`, at eed236ce.
pub fn fields_of_last_applied(
    versions: &dyn Versions,
    last_applied: &Node,
    live: &Node,
    api_version: &str,
) -> Option<FieldSet> {
    if last_applied.str_at(&["apiVersion"]) != Some(api_version) {
        return None;
    }
    let object_type = versions.object_type(api_version)?;
    let fits = |node| object_type.validate(node, Duplicates::Refused).is_ok();
    if !fits(last_applied) || !fits(live) {
        return None;
    }
    let comparison = object_type.compare(last_applied, live);
    let fields = object_type.fields(last_applied);
    Some(
        fields
            .difference(&comparison.modified)
            .difference(&comparison.added)
            .difference(&comparison.removed),
    )
}

fn check(object_type: &ObjectType, live: &Node, applied: &Node) -> Result<(), ApplyError> {
    let patch = object_type.validate(applied, Duplicates::Refused);
    patch.map_err(|errors| ApplyError::Patch {
        object: identity(applied),
        errors,
    })?;
    let present = object_type.validate(live, Duplicates::Allowed);
    present.map_err(|errors| ApplyError::Live {
        object: identity(live),
        errors,
    })
}

/// How the server names an object in errors about its type.
fn identity(object: &Node) -> String {
    let text = |keys: &[&str]| object.str_at(keys).unwrap_or_default();
    format!(
        "{}/{}; {}",
        text(&["metadata", "namespace"]),
        text(&["metadata", "name"]),
        GroupVersionKind::new(text(&["apiVersion"]), text(&["kind"]))
    )
}

/// Drops managers of versions that are gone, and fits the others to today's schema.
fn reconcile(versions: &dyn Versions, managers: &mut Managers) {
    managers.retain(|entry| versions.object_type(&entry.id.api_version).is_some());
    managers.update_each(|entry| {
        let object_type = versions.object_type(&entry.id.api_version);
        if let Some(fields) = object_type.and_then(|known| known.reconcile(entry.fields())) {
            entry.set_fields(fields);
        }
    });
}

fn by_update(
    versions: &dyn Versions,
    live: &Node,
    new: &Node,
    mut managers: Managers,
    write: &Write<'_>,
) -> Managers {
    reconcile(versions, &mut managers);
    let Some(object_type) = versions.object_type(write.api_version) else {
        return managers;
    };
    let comparison = object_type.compare(live, new);
    let set = comparison.modified.union(&comparison.added);
    let set = write.reset.keep(&set).difference(&STRIPPED);
    let changes = Changes::new(versions, write, live, new, comparison);
    let taken = take_from_others(changes, &mut managers, Force::Yes);
    debug_assert!(taken.is_ok(), "a forced write has no conflicts");
    if !set.is_empty() {
        let id = write.id(Operation::Update);
        let before = managers.take(&id);
        let set = before.map_or(set.clone(), |entry| entry.fields().union(&set));
        managers.put(Entry::new(id, write.now, set));
    }
    managers.cap_updaters();
    managers
}

/// What a write changes, as each version sees it.
struct Changes<'a> {
    versions: &'a dyn Versions,
    live: &'a Node,
    new: &'a Node,
    reset: &'a Reset,
    by_version: Vec<(Text, Comparison)>,
}

impl<'a> Changes<'a> {
    fn new(
        versions: &'a dyn Versions,
        write: &Write<'a>,
        live: &'a Node,
        new: &'a Node,
        comparison: Comparison,
    ) -> Self {
        let comparison = write.reset.filter(comparison);
        Self {
            versions,
            live,
            new,
            reset: write.reset,
            by_version: vec![(write.api_version.into(), comparison)],
        }
    }

    /// The changes in a version; `None` when it is not served.
    fn in_version(&mut self, api_version: &str) -> Option<&Comparison> {
        let known = self
            .by_version
            .iter()
            .position(|(known, _)| known == api_version);
        let at = match known {
            Some(at) => at,
            None => {
                let object_type = self.versions.object_type(api_version)?;
                let live = self.versions.convert(self.live, api_version)?;
                let new = self.versions.convert(self.new, api_version)?;
                let comparison = self.reset.filter(object_type.compare(&live, &new));
                self.by_version.push((api_version.into(), comparison));
                self.by_version.len() - 1
            }
        };
        Some(&self.by_version[at].1)
    }
}

/// Takes what changed from all `managers`; says whether anybody lost something.
fn take_from_others(
    mut changes: Changes<'_>,
    managers: &mut Managers,
    force: Force<'_>,
) -> Result<bool, Conflicts> {
    let mut conflicts = Vec::new();
    let mut losses = Vec::with_capacity(managers.entries().len());
    for entry in managers.entries() {
        let Some(comparison) = changes.in_version(&entry.id.api_version) else {
            losses.push(None);
            continue;
        };
        let fields = entry.fields();
        let taken = fields
            .intersection(&comparison.modified)
            .union(&fields.intersection(&comparison.added));
        let left = fields.difference(&taken).difference(&comparison.removed);
        losses.push((left != *fields).then_some(left));
        let refused = match force {
            Force::Yes => FieldSet::EMPTY,
            Force::No => taken,
            Force::Over(allowed) => taken.difference(allowed),
        };
        if !refused.is_empty() {
            conflicts.push(Conflict {
                manager: entry.id.clone(),
                fields: refused.paths(),
            });
        }
    }
    if !conflicts.is_empty() {
        return Err(Conflicts::new(conflicts));
    }
    let changed = losses.iter().any(Option::is_some);
    let mut losses = losses.into_iter();
    managers.update_each(|entry| {
        if let Some(left) = losses.next().flatten() {
            entry.set_fields(left);
        }
    });
    Ok(changed)
}

/// What a manager applied the time before.
struct Last<'a> {
    fields: &'a FieldSet,
    api_version: &'a str,
}

/// Removes from `merged` what the manager applied last time and does not apply now, unless
/// somebody else owns it.
fn prune(
    versions: &dyn Versions,
    merged: Node,
    others: &Managers,
    set: &FieldSet,
    last: &Last<'_>,
    api_version: &str,
) -> Node {
    let Some(object_type) = versions.object_type(last.api_version) else {
        return merged;
    };
    let in_version = |node: &Node, version: &str, of: &str| {
        if version == of {
            Some(node.clone())
        } else {
            versions.convert(node, version)
        }
    };
    let Some(in_last) = in_version(&merged, last.api_version, api_version) else {
        return merged;
    };
    let named = |object_type: &ObjectType, fields: &FieldSet| {
        fields.with_named_fields(object_type.schema(), object_type.root())
    };
    let last_named = named(object_type, last.fields);
    let mut kept = object_type.remove(&in_last, &last_named);

    let mut current = Cow::Borrowed(last.api_version);
    for (version, owned) in owned_by_version(others, set, api_version, last.api_version) {
        let Some(object_type) = versions.object_type(&version) else {
            continue;
        };
        let converted = (
            in_version(&in_last, &version, last.api_version),
            in_version(&kept, &version, &current),
        );
        let (Some(all), Some(part)) = converted else {
            continue;
        };
        let gone = named(object_type, &object_type.fields(&all))
            .difference(&named(object_type, &object_type.fields(&part)))
            .difference(&named(object_type, &owned));
        kept = object_type.remove(&all, &gone);
        current = Cow::Owned(version.to_string());
    }

    let Some(kept) = in_version(&kept, last.api_version, &current) else {
        return merged;
    };
    let gone = named(object_type, &object_type.fields(&in_last))
        .difference(&named(object_type, &object_type.fields(&kept)))
        .intersection(&last_named);
    let pruned = object_type.remove(&in_last, &gone);
    in_version(&pruned, api_version, last.api_version).unwrap_or(merged)
}

/// What anybody owns, by version, the version of the last apply first.
fn owned_by_version(
    others: &Managers,
    set: &FieldSet,
    api_version: &str,
    first: &str,
) -> Vec<(Text, FieldSet)> {
    let own = std::iter::once((api_version, set));
    let others = others.entries().iter();
    let others = others.map(|entry| (entry.id.api_version.as_str(), entry.fields()));
    let mut owned: Vec<(Text, FieldSet)> = Vec::new();
    for (version, fields) in own.chain(others) {
        match owned.iter_mut().find(|(known, _)| known == version) {
            Some((_, known)) => *known = known.union(fields),
            None => owned.push((version.into(), fields.clone())),
        }
    }
    owned.sort_by_key(|(version, _)| version != first);
    owned
}

impl Versions for OneVersion<'_> {
    fn object_type(&self, api_version: &str) -> Option<&ObjectType> {
        (api_version == self.api_version).then_some(self.object_type)
    }

    fn convert(&self, object: &Node, api_version: &str) -> Option<Node> {
        (api_version == self.api_version).then(|| object.clone())
    }
}

impl Reset {
    fn keep(&self, fields: &FieldSet) -> FieldSet {
        match self {
            Self::Nothing => fields.clone(),
            Self::Except(except) => fields.recursive_difference(except),
            Self::Only(pattern) => fields.filter(pattern),
        }
    }

    fn filter(&self, comparison: Comparison) -> Comparison {
        match self {
            Self::Nothing => comparison,
            _ => comparison.map(|fields| self.keep(fields)),
        }
    }
}

impl Write<'_> {
    fn id(&self, operation: Operation) -> ManagerId {
        ManagerId {
            name: self.manager.into(),
            operation,
            api_version: self.api_version.into(),
            subresource: self.subresource.into(),
        }
    }
}
