//! Whether a release may go to an environment.
//!
//! Three rules, whoever changed the binding: it was ready in an environment before on a path of the
//! project's pipeline, it was so for long enough, and somebody approved where the path asks for it.
//! What counts is the content of a release, not its name.

use std::sync::Arc;

use component::model::{DeploymentPipeline, Item, ReleaseBinding};
use component::snapshot as digest;
use golang::{Duration, Timestamp};
use object::{Map, Node, Object, Text};

use super::subject::{Subject, key};
use super::{PromotionMode, View, keys};

/// Most releases that a binding remembers to have been ready.
const HISTORY_MAX: usize = 20;

/// What the rules say about a binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// What is done about a rule that is not met.
    pub mode: PromotionMode,
    /// The first rule that is not met.
    pub unmet: Option<Unmet>,
    /// Whether somebody decided that this release goes although a rule is not met.
    pub forced: bool,
    /// What an approval is for, and a decision to force it.
    pub digest: String,
}

impl Gate {
    /// Whether the release is held back.
    pub fn holds(&self) -> bool {
        self.mode == PromotionMode::Enforce && self.unmet.is_some() && !self.forced
    }
}

/// A rule that a release does not meet yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unmet {
    /// Word of the rule: `PromotionPath`, `PromotionHealth` or `PromotionApproval`.
    pub reason: &'static str,
    /// What is missing, in a sentence.
    pub message: String,
    /// When it will be met if nothing changes.
    pub wake: Option<Timestamp>,
}

fn unmet(reason: &'static str, message: String) -> Unmet {
    Unmet {
        reason,
        message,
        wake: None,
    }
}

/// What shall run: a release and the values it runs with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub name: Text,
    pub digest: String,
    pub overrides: String,
}

impl Candidate {
    pub fn of(binding: &ReleaseBinding, object: &Object, name: Text, release: &Object) -> Self {
        let spec = release.node.get("spec").cloned().unwrap_or_default();
        let workload = object.node.at(&["spec", "workloadOverrides"]).cloned();
        let traits = binding.trait_values.iter();
        let traits: Map = traits
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        let overrides = Map::from_iter([
            ("type", binding.type_values.clone()),
            ("traits", traits.into()),
            ("workload", workload.unwrap_or_default()),
        ]);
        Self {
            name,
            digest: digest::release_digest(&spec),
            overrides: digest::digest(&overrides.into()),
        }
    }

    /// As it stands in the status of a binding.
    pub fn to_node(&self) -> Node {
        Map::from_iter([
            ("name", Node::from(self.name.clone())),
            ("digest", self.digest.clone().into()),
            ("overrides", self.overrides.clone().into()),
        ])
        .into()
    }

    /// Whether a status says that this is what runs.
    fn runs(&self, status: &Node, with_overrides: bool) -> bool {
        let own = |field: &str| status.str_at(&["release", field]);
        own("digest") == Some(&self.digest)
            && (!with_overrides || own("overrides") == Some(&self.overrides))
    }
}

/// The digest that an approval is for: of a release, an environment and the values there.
fn approval_digest(candidate: &Candidate, environment: &str) -> String {
    let parts = Map::from_iter([
        ("release", candidate.digest.as_str()),
        ("environment", environment),
        ("overrides", candidate.overrides.as_str()),
    ]);
    digest::digest(&parts.into())
}

/// What the rules say about a binding, which need not be written yet; `None` when it cannot be read
/// or selects no release that is there.
pub fn gate(view: &View<'_>, binding: &Object) -> Option<Gate> {
    let Ok(read) = component::model::read(binding)? else {
        return None;
    };
    let Item::ReleaseBinding(read) = read.item else {
        return None;
    };
    let name = read.release.clone()?;
    let release = view
        .objects
        .get(&key("ComponentRelease", binding.namespace(), &name))?;
    let candidate = Candidate::of(&read, binding, name, &release);
    let key = binding.key();
    let subject = Subject::new(view, &key, Arc::new(binding.clone()));
    Some(gate_of(&subject, &read, &candidate))
}

/// What the rules say about a candidate of a binding.
pub(super) fn gate_of(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    candidate: &Candidate,
) -> Gate {
    let mode = mode(subject.view, subject.namespace(), &binding.environment);
    let digest = approval_digest(candidate, &binding.environment);
    let unmet = match mode {
        PromotionMode::Off => None,
        _ => {
            let accepted = mode == PromotionMode::Enforce;
            check(subject, binding, candidate, accepted).err()
        }
    };
    Gate {
        mode,
        unmet,
        forced: subject.object.annotation(keys::FORCED) == Some(&digest),
        digest,
    }
}

/// What is done about rules that are not met in an environment.
fn mode(view: &View<'_>, namespace: &str, environment: &str) -> PromotionMode {
    let environment = view
        .objects
        .get(&key("Environment", namespace, environment));
    let word = environment
        .as_ref()
        .and_then(|own| own.annotation(keys::PROMOTION));
    match word {
        Some("enforce") => PromotionMode::Enforce,
        Some("warn") => PromotionMode::Warn,
        Some("off") => PromotionMode::Off,
        _ => view.options.promotion,
    }
}

/// The rules that a candidate does not meet, the first one in front.
///
/// With `accepted`, what runs already needs nothing more, and other values need an approval only.
fn check(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    candidate: &Candidate,
    accepted: bool,
) -> Result<(), Unmet> {
    let view = subject.view;
    let status = subject
        .object
        .node
        .get("status")
        .cloned()
        .unwrap_or_default();
    if accepted && candidate.runs(&status, true) {
        return Ok(());
    }
    let environment = binding.environment.as_str();
    let catalog = view.catalog;
    let pipeline = catalog.pipeline_of(subject.namespace(), &binding.owner.project);
    let Some(pipeline) = pipeline else {
        let message = format!(
            "project `{}` has no deployment pipeline, so that nothing leads to `{environment}`",
            binding.owner.project
        );
        return Err(unmet("PromotionPath", message));
    };
    let before = predecessors(pipeline, environment);
    if before.is_empty() {
        let root = pipeline.paths.iter().any(|path| path.source == environment);
        return match root {
            true => Ok(()),
            false => {
                let name = &pipeline.head.name;
                let message = format!("pipeline `{name}` does not lead to `{environment}`");
                Err(unmet("PromotionPath", message))
            }
        };
    }
    let same_release = accepted && candidate.runs(&status, false);
    let (mut met, mut needs_approval) = (same_release, true);
    let mut reasons = Vec::new();
    for (source, approval) in &before {
        let earned = match same_release {
            true => Ok(()),
            false => was_ready(subject, binding, source, &candidate.digest),
        };
        match earned {
            Ok(()) => {
                // One way without an approval is enough.
                needs_approval &= approval;
                met = true;
            }
            Err(reason) => reasons.push(reason),
        }
    }
    if !met {
        // The one that is met soonest, else the one that got furthest.
        reasons.sort_by_key(|own| {
            (
                own.wake.is_none(),
                own.wake,
                own.reason != "PromotionHealth",
            )
        });
        return Err(reasons.swap_remove(0));
    }
    let digest = approval_digest(candidate, environment);
    let approved = subject.object.annotation(keys::APPROVAL) == Some(&digest)
        || view.options.approvals.contains(digest.as_str());
    if needs_approval && !approved {
        let message = format!(
            "release `{}` waits for an approval of digest {digest}; set annotation `{}` to it, or record it",
            candidate.name,
            keys::APPROVAL
        );
        return Err(unmet("PromotionApproval", message));
    }
    Ok(())
}

/// Environments that lead to one, and whether that way needs an approval.
fn predecessors<'a>(pipeline: &'a DeploymentPipeline, environment: &str) -> Vec<(&'a Text, bool)> {
    let mut found: Vec<(&Text, bool)> = Vec::new();
    for path in &pipeline.paths {
        for target in &path.targets {
            if target.environment == environment {
                found.push((&path.source, target.approval));
            }
        }
    }
    found
}

/// Whether the same release is bound in an environment that leads to this one, and that binding
/// says nothing yet of how it is there.
pub(super) fn awaits_source(subject: &Subject<'_>, binding: &ReleaseBinding) -> bool {
    let catalog = subject.view.catalog;
    let pipeline = catalog.pipeline_of(subject.namespace(), &binding.owner.project);
    let before = pipeline.map_or(Vec::new(), |own| predecessors(own, &binding.environment));
    before.iter().any(|(source, _)| {
        let mut own = catalog.bindings_of(subject.namespace(), &binding.owner, source);
        own.any(|own| {
            let key = key("ReleaseBinding", subject.namespace(), &own.head.name);
            let object = subject.view.objects.get(&key);
            own.active
                && own.release == binding.release
                && object.is_some_and(|object| {
                    let observed = object.node.at(&["status", "observedGeneration"]);
                    observed.and_then(Node::as_i64) != Some(object.generation())
                })
        })
    })
}

/// Whether a release was ready in an environment for long enough.
fn was_ready(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    source: &str,
    digest: &str,
) -> Result<(), Unmet> {
    let view = subject.view;
    let now = view.timing.now;
    let environment = view
        .objects
        .get(&key("Environment", subject.namespace(), source));
    let soak = environment
        .as_ref()
        .and_then(|own| own.annotation(keys::PROMOTION_SOAK));
    let soak = soak.and_then(|text| text.parse::<Duration>().ok());
    let soak = soak.unwrap_or(view.options.soak);
    let mut wake = None;
    let mut known = false;
    for object in subject.siblings_of("ReleaseBinding", &binding.owner) {
        if object.node.str_at(&["spec", "environment"]) != Some(source) {
            continue;
        }
        for entry in history(&object) {
            if entry.digest != digest {
                continue;
            }
            known = true;
            let lasted = entry.until.unwrap_or(now).since(entry.since);
            if lasted >= soak {
                return Ok(());
            }
            if entry.until.is_none() {
                wake = Some(entry.since.plus(soak));
            }
        }
    }
    Err(match known {
        true => Unmet {
            reason: "PromotionHealth",
            message: format!("the release was not ready in `{source}` for {soak} yet"),
            wake,
        },
        false => unmet(
            "PromotionPath",
            format!("the release has not been ready in `{source}`; bind and prove it there first"),
        ),
    })
}

/// A time in which a release was ready.
struct Entry {
    name: Text,
    digest: String,
    since: Timestamp,
    until: Option<Timestamp>,
}

fn history(binding: &Object) -> Vec<Entry> {
    let entries = binding.node.at(&["status", "releaseHistory"]);
    let entries = entries.and_then(Node::as_list).unwrap_or_default();
    let time = |node: &Node, field: &str| node.str_at(&[field])?.parse::<Timestamp>().ok();
    let read = entries.iter().filter_map(|own| {
        Some(Entry {
            name: own.str_at(&["name"])?.into(),
            digest: own.str_at(&["digest"])?.to_owned(),
            since: time(own, "readySince")?,
            until: time(own, "readyUntil"),
        })
    });
    read.collect()
}

/// The history of a binding whose current release is ready, or is not.
///
/// Newest first. Of one content only the longest time that is over is kept.
pub(super) fn record(binding: &Object, current: Option<&Candidate>, now: Timestamp) -> Node {
    let mut entries = history(binding);
    for entry in &mut entries {
        if entry.until.is_none() && current.is_none_or(|own| own.digest != entry.digest) {
            entry.until = Some(now);
        }
    }
    if let Some(current) = current
        && !entries.iter().any(|own| own.until.is_none())
    {
        let entry = Entry {
            name: current.name.clone(),
            digest: current.digest.clone(),
            since: now,
            until: None,
        };
        entries.insert(0, entry);
    }
    let lasted = |entry: &Entry| entry.until.map(|until| until.since(entry.since));
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        let known = kept
            .iter_mut()
            .find(|own| own.digest == entry.digest && own.until.is_some());
        match known {
            Some(known) if entry.until.is_some() => {
                if lasted(&entry) > lasted(known) {
                    *known = entry;
                }
            }
            _ => kept.push(entry),
        }
    }
    kept.truncate(HISTORY_MAX);
    Node::list(kept.into_iter().map(|entry| {
        let mut own = Map::from_iter([
            ("name", Node::from(entry.name)),
            ("digest", entry.digest.into()),
            ("readySince", entry.since.to_string().into()),
        ]);
        if let Some(until) = entry.until {
            own.insert("readyUntil", until.to_string());
        }
        own
    }))
}
