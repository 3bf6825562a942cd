//! One reconcile of a unit, request by request.

use api::{Artifact, ConditionStatus, Kustomization, KustomizationStatus, condition_type};
use golang::{Duration, Timestamp};
use object::Object;
use plan::{
    Brake, ChangeSet, Deletion, Entry, Inventory, LiveStale, Owner, Plan, Probe, Settled, Stage,
    Write,
};

use super::status::{End, Ended, end};
use super::{Attempted, Options, Report};
use crate::{Event, Timing};

/// Longest wait for a stage of definitions to be established, as Flux waits.
const ESTABLISH_TIME_MAX: Duration = Duration::from_seconds(60);

/// One reconcile of a unit.
///
/// Ask [`Attempt::start`] for the first request, carry it out, and give the answer to
/// [`Attempt::answer`], until it finishes. Answers carry the time at which they came.
#[derive(Debug)]
pub struct Attempt {
    unit: Kustomization,
    artifact: Artifact,
    options: plan::Options,
    brake: Brake,
    started: Timestamp,
    /// What belonged to the unit before.
    previous: Inventory,
    /// What belongs to it as far as anything was, or is about to be, written.
    inventory: Inventory,
    /// Digest of the built objects.
    digest: String,
    changes: ChangeSet,
    events: Vec<Event>,
    health_message: Option<String>,
    state: State,
}

/// What has been asked and is not answered yet.
#[derive(Debug)]
enum State {
    Rendering,
    Recording(Plan),
    Probing(Plan, usize),
    Writing(Plan, usize, Settled),
    Establishing(Plan, usize),
    ReadingStale(Plan),
    Deleting(Plan),
    Checking,
    Finished,
}

/// One thing to carry out.
#[derive(Clone, Debug)]
pub enum Request {
    /// Read the files and variables and build the objects.
    Render,
    /// Write this inventory into the status before anything else.
    Record(Inventory),
    /// Ask what applying each object would do, and what is there now.
    Probe(Vec<Object>),
    /// Write, in order; stop at the first refusal.
    Write(Vec<Write>),
    /// Wait until these are established; not for ever.
    AwaitEstablished(Vec<Entry>, Timestamp),
    /// Read what is there of these.
    ReadStale(Vec<Entry>),
    /// Delete, in order; go on after refusals.
    Delete(Vec<Deletion>),
    /// Wait until these are healthy; give the worker back meanwhile.
    AwaitHealth(Vec<HealthTarget>, Timestamp),
}

/// An object whose health decides.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HealthTarget {
    /// Which object, and in which version.
    pub entry: Entry,
}

/// What came of a request, in the same order as [`Request`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// The built objects, or why there are none.
    Rendered(Result<Rendered, Refusal>),
    /// Whether the inventory was written.
    Recorded(Result<(), Refusal>),
    /// One entry an object, or why nobody could be asked.
    Probed(Result<Vec<Probe>, Refusal>),
    /// One entry a write that was tried.
    Written(Vec<WriteOutcome>),
    /// Whether they are established, or which are not.
    Established(Result<(), String>),
    /// What is there, or why nobody could be asked.
    StaleRead(Result<Vec<LiveStale>, Refusal>),
    /// One entry a deletion.
    Deleted(Vec<WriteOutcome>),
    /// How the wait ended.
    Health(HealthVerdict),
}

/// Built objects.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// Every object the unit wants.
    pub objects: Vec<Object>,
    /// Fields whose live value is left alone.
    pub ignore: Vec<plan::IgnoreRule>,
    /// `sha256:HEX` of the objects.
    pub digest: String,
}

/// Why a request came to nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Word for the condition.
    pub reason: String,
    /// What happened.
    pub message: String,
}

/// What came of one write or deletion.
pub type WriteOutcome = Result<(), String>;

/// How a wait for health ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthVerdict {
    /// Everything is healthy.
    Healthy,
    /// Some will not get there, or time is up; the text names them.
    Failed(String),
    /// Something newer wants to be reconciled.
    Superseded,
}

/// What to do after an answer.
#[derive(Debug)]
pub enum Step {
    /// Carry this out next.
    Do(Request),
    /// The attempt is over.
    Finish(Box<Finished>),
}

/// A finished attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// What to write and when to look again.
    pub report: Report,
    /// What to remember of it.
    pub attempted: Attempted,
    /// What happened to each object.
    pub changes: ChangeSet,
}

impl Attempt {
    pub(super) fn new(
        unit: Kustomization,
        artifact: Artifact,
        options: Options,
        now: Timestamp,
    ) -> Self {
        let entries = unit.status.inventory.iter();
        let previous = Inventory::read(entries.map(|(id, v)| (id.as_str(), v.as_str())));
        Self {
            options: plan::Options {
                owner: Owner {
                    name: unit.meta.name().to_owned(),
                    namespace: unit.meta.namespace().to_owned(),
                },
                prune: unit.prune,
                force: unit.force,
                custom_kinds: options.custom_kinds,
                override_managers: options.override_managers,
                ignore: Vec::new(),
                ..plan::Options::default()
            },
            brake: options.brake,
            started: now,
            inventory: previous.clone(),
            previous,
            digest: String::new(),
            changes: ChangeSet::default(),
            events: Vec::new(),
            health_message: None,
            state: State::Rendering,
            artifact,
            unit,
        }
    }

    /// The unit as it was when the attempt began.
    pub fn unit(&self) -> &Kustomization {
        &self.unit
    }

    /// The archive that is applied.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// The first request.
    pub fn start(&self) -> Request {
        Request::Render
    }

    /// The status to write when the attempt takes longer than a moment.
    pub fn progress(&self, now: Timestamp) -> KustomizationStatus {
        let doing = match &self.state {
            State::Rendering => "Building manifests",
            State::Checking => "Running health checks",
            _ => "Detecting drift",
        };
        let message = format!(
            "{doing} for revision {} with a timeout of {}",
            self.artifact.revision, self.unit.timeout
        );
        let mut status = self.unit.status.clone();
        status.last_attempted_revision = self.artifact.revision.clone();
        let generation = self.unit.meta.generation;
        for (kind, state) in [
            (condition_type::READY, ConditionStatus::Unknown),
            (condition_type::RECONCILING, ConditionStatus::True),
        ] {
            let conditions = &mut status.conditions;
            conditions.set((kind, state), "Progressing", &message, generation, now);
        }
        status.inventory = self.inventory.to_status();
        status.has_inventory |= !self.inventory.is_empty();
        status
    }

    /// What is worth telling since the last call; the rest comes with the end.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// Whether a wait makes no sense any more: the object, its source or a wish is newer.
    pub fn is_superseded(&self, unit: &Kustomization, revision: &str) -> bool {
        unit.meta.uid != self.unit.meta.uid
            || unit.meta.deleting
            || unit.suspend
            || unit.meta.generation != self.unit.meta.generation
            || unit.meta.requested_at != self.unit.meta.requested_at
            || revision != self.artifact.revision
    }

    /// What to do after the answer to the last request.
    pub fn answer(&mut self, answer: Answer, timing: Timing) -> Step {
        let state = std::mem::replace(&mut self.state, State::Finished);
        match (state, answer) {
            (State::Rendering, Answer::Rendered(Ok(rendered))) => self.planned(rendered, timing),
            (State::Rendering, Answer::Rendered(Err(refusal)))
            | (State::Recording(_), Answer::Recorded(Err(refusal)))
            | (State::Probing(..), Answer::Probed(Err(refusal)))
            | (State::ReadingStale(_), Answer::StaleRead(Err(refusal))) => {
                self.fail(&refusal.reason, &refusal.message, timing)
            }
            (State::Recording(plan), Answer::Recorded(Ok(()))) => self.stage(plan, 0, timing),
            (State::Probing(plan, at), Answer::Probed(Ok(probes))) => {
                self.settled(plan, at, &probes, timing)
            }
            (State::Writing(plan, at, settled), Answer::Written(outcomes)) => {
                self.written(plan, at, settled, outcomes, timing)
            }
            (State::Establishing(plan, at), Answer::Established(Ok(()))) => {
                self.stage(plan, at + 1, timing)
            }
            (State::Establishing(..), Answer::Established(Err(message))) => {
                self.fail("ReconciliationFailed", &message, timing)
            }
            (State::ReadingStale(plan), Answer::StaleRead(Ok(live))) => {
                self.prune(plan, live, timing)
            }
            (State::Deleting(plan), Answer::Deleted(outcomes)) => {
                self.deleted(&plan, &outcomes, timing)
            }
            (State::Checking, Answer::Health(verdict)) => self.checked(verdict, timing),
            (state, answer) => {
                let message = format!("internal error: {answer:?} does not answer {state:?}");
                self.fail("ReconciliationFailed", &message, timing)
            }
        }
    }

    fn planned(&mut self, rendered: Rendered, timing: Timing) -> Step {
        self.options.ignore = rendered.ignore;
        self.digest = rendered.digest;
        let plan = match plan::make(rendered.objects, &self.previous, &self.options) {
            Ok(plan) => plan,
            Err(error) => return self.fail("BuildFailed", &error.to_string(), timing),
        };
        let union = self.previous.union(&plan.inventory);
        if union.len() == self.previous.len() {
            return self.stage(plan, 0, timing);
        }
        self.inventory = union.clone();
        self.state = State::Recording(plan);
        Step::Do(Request::Record(union))
    }

    fn stage(&mut self, plan: Plan, at: usize, timing: Timing) -> Step {
        match plan.stages.get(at) {
            Some(Stage { objects, .. }) => {
                let request = Request::Probe(objects.clone());
                self.state = State::Probing(plan, at);
                Step::Do(request)
            }
            None if plan.stale.is_empty() => self.applied(&plan, timing),
            None => {
                let request = Request::ReadStale(plan.stale.clone());
                self.state = State::ReadingStale(plan);
                Step::Do(request)
            }
        }
    }

    fn settled(&mut self, plan: Plan, at: usize, probes: &[Probe], timing: Timing) -> Step {
        let settled = plan::settle(&plan.stages[at], probes, &self.options);
        if !settled.failures.is_empty() {
            let lines: Vec<String> = settled.failures.iter().map(ToString::to_string).collect();
            return self.fail("ReconciliationFailed", &lines.join("\n"), timing);
        }
        if settled.writes.is_empty() {
            self.changes.append(settled.changes);
            return self.stage(plan, at + 1, timing);
        }
        let writes = settled.writes.clone();
        self.state = State::Writing(plan, at, settled);
        Step::Do(Request::Write(writes))
    }

    fn written(
        &mut self,
        plan: Plan,
        at: usize,
        settled: Settled,
        outcomes: Vec<WriteOutcome>,
        timing: Timing,
    ) -> Step {
        let failed = outcomes.iter().position(Result::is_err);
        if let Some(failed) = failed {
            let message = outcomes.into_iter().nth(failed).and_then(Result::err);
            return self.fail("ReconciliationFailed", &message.unwrap_or_default(), timing);
        }
        self.changes.append(settled.changes);
        if !plan.stages[at].wait {
            return self.stage(plan, at + 1, timing);
        }
        let entries = plan.stages[at].objects.iter().map(entry).collect();
        self.state = State::Establishing(plan, at);
        let until = timing.now.plus(ESTABLISH_TIME_MAX);
        Step::Do(Request::AwaitEstablished(entries, until))
    }

    fn prune(&mut self, plan: Plan, live: Vec<LiveStale>, timing: Timing) -> Step {
        let pruning = plan::prune(live, &self.options);
        for key in &pruning.gone {
            self.inventory.remove(key);
        }
        for (key, _) in &pruning.released {
            self.inventory.remove(key);
        }
        if pruning.deletions.is_empty() {
            return self.applied(&plan, timing);
        }
        if let Some(held) = plan::brake(&pruning.deletions, self.previous.len()) {
            let name = self.unit.meta.name();
            let namespace = self.unit.meta.namespace();
            let confirmed = held.is_confirmed_by(&self.unit.meta.confirmed_plan);
            let message = format!(
                "{held}; to let exactly these deletions go: fleetwright confirm ks/{name} -n {namespace} --plan {}",
                held.short_digest()
            );
            match self.brake {
                Brake::Confirm if !confirmed => {
                    self.report_changes();
                    let told = self.unit.status.conditions.get(condition_type::READY);
                    if told.is_none_or(|ready| ready.message != message) {
                        let revision = self.artifact.revision.clone();
                        self.events
                            .push(Event::error("DeletionHeld", &message, &revision));
                    }
                    let end = End::Stalled {
                        reason: "DeletionHeld",
                        message: &message,
                    };
                    return self.finish(&end, None, timing);
                }
                Brake::Warn => {
                    let revision = self.artifact.revision.clone();
                    let event = Event::error("LargeDeletion", held.to_string(), &revision);
                    self.events.push(event);
                }
                _ => {}
            }
        }
        self.state = State::Deleting(plan);
        Step::Do(Request::Delete(pruning.deletions))
    }

    fn deleted(&mut self, plan: &Plan, outcomes: &[WriteOutcome], timing: Timing) -> Step {
        let refused: Vec<&str> = outcomes
            .iter()
            .filter_map(|outcome| outcome.as_ref().err().map(String::as_str))
            .collect();
        if !refused.is_empty() {
            // The inventory keeps them, so that the next attempt tries again.
            return self.fail("PruneFailed", &refused.join("\n"), timing);
        }
        for entry in &plan.stale {
            if self.inventory.contains(&entry.key) {
                self.changes.push(entry.key.clone(), plan::Action::Deleted);
            }
        }
        self.applied(plan, timing)
    }

    /// Everything is written: forget what is gone and look at health.
    fn applied(&mut self, plan: &Plan, timing: Timing) -> Step {
        self.inventory = plan.inventory.clone();
        self.report_changes();
        let targets: Vec<HealthTarget> = if self.unit.wait {
            plan.inventory
                .entries()
                .map(|entry| HealthTarget { entry })
                .collect()
        } else {
            let checks = self.unit.health_checks.iter();
            checks.map(check_target).collect()
        };
        let own = &self.unit.meta.key;
        let targets: Vec<_> = targets
            .into_iter()
            .filter(|target| target.entry.key != *own)
            .collect();
        if targets.is_empty() {
            return self.finish(&End::Succeeded, None, timing);
        }
        self.state = State::Checking;
        let until = self.started.plus(self.unit.timeout);
        Step::Do(Request::AwaitHealth(targets, until))
    }

    fn checked(&mut self, verdict: HealthVerdict, timing: Timing) -> Step {
        let revision = self.artifact.revision.clone();
        match verdict {
            HealthVerdict::Healthy => {
                let took = timing
                    .now
                    .since(self.started)
                    .round(Duration::from_millis(1));
                let message = format!("Health check passed in {took}");
                let was = self.unit.status.conditions.is_true(condition_type::HEALTHY);
                let news = self.unit.status.last_applied_revision != revision
                    && self.changes.has_changes();
                if !was || news {
                    self.events
                        .push(Event::info("Progressing", &message, &revision));
                }
                self.health_message = Some(message);
                self.finish(&End::Succeeded, None, timing)
            }
            HealthVerdict::Failed(message) => self.fail("HealthCheckFailed", &message, timing),
            HealthVerdict::Superseded => {
                let message = "New reconciliation triggered, the health check was canceled";
                self.fail("HealthCheckCanceled", message, timing)
            }
        }
    }

    fn report_changes(&mut self) {
        let changed = self.changes.changed();
        if changed.has_changes() {
            let revision = self.artifact.revision.clone();
            self.events
                .push(Event::info("Progressing", changed.to_string(), &revision));
        }
    }

    fn fail(&mut self, reason: &str, message: &str, timing: Timing) -> Step {
        let told = self.unit.status.conditions.get(condition_type::READY);
        let told = told.is_some_and(|ready| ready.message == message && ready.reason == reason);
        if !told && reason != "HealthCheckCanceled" {
            let revision = self.artifact.revision.clone();
            self.events.push(Event::error(reason, message, &revision));
        }
        let pause = match reason {
            "HealthCheckCanceled" => Duration::ZERO,
            _ => self.unit.retry_interval,
        };
        let end = End::Failed { reason, message };
        self.finish(&end, Some(pause), timing)
    }

    fn finish(&mut self, how: &End<'_>, pause: Option<Duration>, timing: Timing) -> Step {
        self.state = State::Finished;
        let revision = self.artifact.revision.clone();
        let took = timing
            .now
            .since(self.started)
            .round(Duration::from_millis(1));
        let mut status = self.unit.status.clone();
        status.inventory = self.inventory.to_status();
        status.has_inventory |= !self.inventory.is_empty();
        self.set_health(&mut status, how, timing.now);
        end(
            &mut status,
            &self.unit,
            &Ended {
                end: *how,
                revision: &revision,
                origin_revision: &self.artifact.origin_revision,
                digest: &self.digest,
                took,
                now: timing.now,
            },
        );
        let wake = match (how, pause) {
            (_, Some(pause)) => Some(timing.now.plus(pause)),
            (_, None) => Some(timing.after(self.unit.interval)),
        };
        if matches!(how, End::Succeeded) && status != self.unit.status {
            let message = format!(
                "Reconciliation finished in {took}, next run in {}",
                self.unit.interval
            );
            let event = Event::info("ReconciliationSucceeded", message, &revision);
            self.events.push(event);
        }
        Step::Finish(Box::new(Finished {
            report: Report {
                status,
                events: std::mem::take(&mut self.events),
                wake,
            },
            attempted: Attempted {
                at: timing.now,
                uid: self.unit.meta.uid.clone(),
                generation: self.unit.meta.generation,
                revision,
                confirmed_plan: self.unit.meta.confirmed_plan.clone(),
                wake,
            },
            changes: std::mem::take(&mut self.changes),
        }))
    }

    /// The Healthy condition: kept as it was while the answer is the same.
    fn set_health(&self, status: &mut KustomizationStatus, how: &End<'_>, now: Timestamp) {
        let generation = self.unit.meta.generation;
        let healthy = |state| (condition_type::HEALTHY, state);
        let conditions = &mut status.conditions;
        match (how, &self.health_message) {
            (End::Succeeded, Some(message)) => {
                let same = conditions
                    .get(condition_type::HEALTHY)
                    .is_some_and(|known| {
                        known.status == ConditionStatus::True
                            && known.observed_generation == generation
                            && self.unit.status.last_applied_revision == self.artifact.revision
                    });
                if !same {
                    let state = healthy(ConditionStatus::True);
                    conditions.set(state, "Succeeded", message, generation, now);
                }
            }
            (End::Succeeded, None) => conditions.remove(condition_type::HEALTHY),
            (End::Failed { reason, message }, _) if reason.starts_with("HealthCheck") => {
                let state = healthy(ConditionStatus::False);
                conditions.set(state, reason, message, generation, now);
            }
            _ => {}
        }
    }
}

fn entry(object: &Object) -> Entry {
    Entry {
        key: object.key(),
        version: object.gvk().version,
    }
}

fn check_target(check: &api::HealthCheck) -> HealthTarget {
    let kind = object::GroupVersionKind::new(&check.api_version, &check.key.kind);
    HealthTarget {
        entry: Entry {
            key: check.key.clone(),
            version: kind.version,
        },
    }
}
