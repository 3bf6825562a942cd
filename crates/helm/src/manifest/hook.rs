//! Hooks: documents that are applied at certain moments of a release.
//!
//! # Source
//! helm/helm `pkg/release/v1/hook.go`, `pkg/release/v1/util/manifest_sorter.go`,
//! `pkg/action/hooks.go`.

use std::fmt;

use golang::strconv::parse_int;
use object::Node;

use super::{Found, Head, Manifests};
use crate::error::Warning;
use crate::options::Profile;

/// A document that is applied at certain moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// Name of the object.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// The template it comes from, from the outermost chart's name on.
    pub path: String,
    /// Its text.
    pub content: String,
    /// When it is applied; never empty.
    pub events: Vec<Event>,
    /// Lower ones go first.
    pub weight: i64,
    /// When it is deleted: `before-hook-creation`, `hook-succeeded`, `hook-failed`. Empty means the
    /// first.
    pub delete_policies: Vec<String>,
    /// When its log is shown.
    pub log_policies: Vec<String>,
}

/// A moment of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Event {
    /// Before anything is installed.
    PreInstall,
    /// When everything is installed.
    PostInstall,
    /// Before anything is deleted.
    PreDelete,
    /// When everything is deleted.
    PostDelete,
    /// Before anything is upgraded.
    PreUpgrade,
    /// When everything is upgraded.
    PostUpgrade,
    /// Before going back.
    PreRollback,
    /// After going back.
    PostRollback,
    /// When somebody runs the release's tests.
    Test,
}

const EVENTS: [(&str, Event); 10] = [
    ("pre-install", Event::PreInstall),
    ("post-install", Event::PostInstall),
    ("pre-delete", Event::PreDelete),
    ("post-delete", Event::PostDelete),
    ("pre-upgrade", Event::PreUpgrade),
    ("post-upgrade", Event::PostUpgrade),
    ("pre-rollback", Event::PreRollback),
    ("post-rollback", Event::PostRollback),
    ("test", Event::Test),
    ("test-success", Event::Test),
];

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = EVENTS.iter().find(|(_, event)| event == self);
        f.write_str(found.map_or("", |(word, _)| word))
    }
}

impl Hook {
    /// What the text says.
    pub fn node(&self) -> Node {
        super::node(&self.content)
    }
}

impl Manifests {
    /// The hooks of a moment in the order in which they run: by weight, then name.
    pub fn hooks_at(&self, event: Event) -> Vec<&Hook> {
        let hooks = self.hooks.iter();
        let mut hooks: Vec<&Hook> = hooks.filter(|hook| hook.events.contains(&event)).collect();
        hooks.sort_by(|a, b| (a.weight, &a.name).cmp(&(b.weight, &b.name)));
        hooks
    }
}

/// The hook that a document is, if it is one.
pub(super) fn of(path: &str, document: &str, head: &Head, profile: Profile) -> Option<Found> {
    let words = head.annotation("helm.sh/hook")?;
    let event = |word: &str| {
        let word = word.trim().to_lowercase();
        let found = EVENTS.iter().find(|(known, _)| *known == word);
        found.map(|(_, event)| *event)
    };
    let Some(events) = words.split(',').map(event).collect::<Option<Vec<Event>>>() else {
        let words = golang::strconv::quote(words);
        return Some(Found::Unknown(Warning::new(match profile {
            Profile::Helm4 => format!("skipping unknown hooks hookTypes={words}"),
            Profile::Helm3 => format!("info: skipping unknown hook: {words}"),
        })));
    };
    let list = |annotation| {
        let words = head.annotation(annotation);
        let words = words.into_iter().flat_map(|words| words.split(','));
        words.map(|word| word.trim().to_lowercase()).collect()
    };
    let weight = head.annotation("helm.sh/hook-weight").unwrap_or_default();
    Some(Found::Hook(Hook {
        name: head.name.clone(),
        kind: head.kind.clone(),
        path: path.to_owned(),
        content: document.to_owned(),
        events,
        weight: parse_int(weight, 10).unwrap_or(0),
        delete_policies: list("helm.sh/hook-delete-policy"),
        log_policies: list("helm.sh/hook-output-log-policy"),
    }))
}
