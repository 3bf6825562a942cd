//! Which releases of a component nobody needs any more.
//!
//! A release stays while anything is bound to it or runs it, while it is one of the newest, and
//! while it is young. What comes from Git is Git's to delete. At first only names are told, in the
//! status of the component; they are deleted where an annotation says so.

use std::collections::BTreeSet;
use std::sync::Arc;

use component::model::{Component, Owner};
use golang::{Duration, Timestamp};
use object::{Node, Object, ObjectKey, Text};

use super::component::comes_from_git;
use super::report::Report;
use super::subject::{Subject, key};
use super::{Action, keys};
use crate::Event;

/// What is done about releases that nobody needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CollectionMode {
    /// They are told.
    #[default]
    DryRun,
    /// They are deleted.
    Delete,
    /// Nobody looks.
    Off,
}

/// Which releases are kept though nothing is bound to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    /// What is done about the others.
    pub mode: CollectionMode,
    /// So many of the newest.
    pub newest: usize,
    /// Those that are younger.
    pub younger: Duration,
}

impl Default for Collection {
    /// Ten releases and thirty days: what was released within a month can be gone back to, and of
    /// a component that is released rarely the last ten.
    fn default() -> Self {
        Self {
            mode: CollectionMode::DryRun,
            newest: 10,
            younger: Duration::from_seconds(30 * 24 * 60 * 60),
        }
    }
}

/// Most releases that a status names, and that are deleted at once.
const NAMES_MAX: usize = 50;

/// What the annotations of an object say about it, where they say something that can be read.
fn annotated(mut collection: Collection, object: &Object) -> Collection {
    match object.annotation(keys::COLLECTION) {
        Some("dry-run") => collection.mode = CollectionMode::DryRun,
        Some("delete") => collection.mode = CollectionMode::Delete,
        Some("off") => collection.mode = CollectionMode::Off,
        _ => {}
    }
    let newest = object.annotation(keys::COLLECTION_NEWEST);
    if let Some(newest) = newest.and_then(|text| text.parse().ok()) {
        collection.newest = newest;
    }
    let younger = object.annotation(keys::COLLECTION_YOUNGER);
    if let Some(younger) = younger.and_then(|text| text.parse().ok()) {
        collection.younger = younger;
    }
    collection
}

/// Tells which releases of a component nobody needs; what to do about them.
pub(super) fn collect(
    subject: &Subject<'_>,
    component: &Component,
    report: &mut Report,
) -> Vec<Action> {
    let view = subject.view;
    let own = component.as_owner();
    let project = key("Project", subject.namespace(), &own.project);
    let mut collection = view.options.collection;
    if let Some(project) = view.objects.get(&project) {
        collection = annotated(collection, &project);
    }
    collection = annotated(collection, &subject.object);
    let (unneeded, wake) = match collection.mode {
        CollectionMode::Off => (Vec::new(), None),
        _ => unneeded(subject, &own, collection),
    };
    report.wake = match (report.wake, wake) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    let names = unneeded.iter().take(NAMES_MAX).map(|own| own.name.clone());
    match collection.mode {
        CollectionMode::Delete => {
            report.field("collectableReleases", Node::Null);
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            if !names.is_empty() {
                let message = format!("deletes releases that nobody needs: {}", names.join(", "));
                report
                    .events
                    .push(Event::info("ReleasesCollected", message, ""));
            }
            let keys = unneeded.into_iter().take(NAMES_MAX);
            keys.map(Action::Delete).collect()
        }
        _ => {
            let names = names.map(Node::from).collect::<Vec<_>>();
            report.field("collectableReleases", names);
            Vec::new()
        }
    }
}

/// Releases that nobody needs, oldest first, and when another one will be old enough.
fn unneeded(
    subject: &Subject<'_>,
    own: &Owner,
    collection: Collection,
) -> (Vec<ObjectKey>, Option<Timestamp>) {
    let mut releases: Vec<Arc<Object>> = subject
        .siblings_of("ComponentRelease", own)
        .filter(|object| !object.is_deleting())
        .collect();
    if releases.len() <= collection.newest {
        return (Vec::new(), None);
    }
    releases.sort_by_key(|object| (created(object), object.name().to_owned()));
    releases.truncate(releases.len() - collection.newest);
    let needed = needed(subject, own);
    let now = subject.view.timing.now;
    let mut wake: Option<Timestamp> = None;
    let mut found = Vec::new();
    for release in releases {
        if needed.contains(release.name()) || comes_from_git(&release) {
            continue;
        }
        // Of what has no time nobody knows that it is old.
        let Some(created) = created(&release) else {
            continue;
        };
        let old = created.plus(collection.younger);
        match old <= now {
            true => found.push(release.key()),
            false => wake = Some(wake.map_or(old, |known| known.min(old))),
        }
    }
    (found, wake)
}

fn created(object: &Object) -> Option<Timestamp> {
    let text = object.node.str_at(&["metadata", "creationTimestamp"])?;
    text.parse().ok()
}

/// Releases that are bound or run, by name, and the newest of the component.
fn needed(subject: &Subject<'_>, own: &Owner) -> BTreeSet<Text> {
    let mut needed = BTreeSet::new();
    let mut need = |object: &Object, keys: &[&str]| {
        if let Some(name) = object.node.str_at(keys) {
            needed.insert(Text::from(name));
        }
    };
    for binding in subject.siblings_of("ReleaseBinding", own) {
        need(&binding, &["spec", "releaseName"]);
        // What runs while another one is held back.
        need(&binding, &["status", "release", "name"]);
    }
    need(&subject.object, &["status", "latestRelease", "name"]);
    needed
}
