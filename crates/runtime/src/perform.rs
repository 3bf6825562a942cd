//! Carrying out the requests of one attempt.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cluster::{ApiError, Apply, Cluster, Delete, ErrorClass};
use control::kustomization::{
    Answer, Attempt, Finished, HealthTarget, HealthVerdict, ReadyExpression, Refusal, Rendered,
    Request, Source, Step, WriteOutcome,
};
use diag::{Diagnostic, Explain};
use expr::{Bindings, Budget, Libraries, Program, Shape, Value};
use futures::StreamExt;
use health::{Checks, Status};
use object::{GroupVersionKind, Node, Object, ObjectKey};
use plan::{Deletion, Entry, LiveStale, Probe, ProbeRefusal, Write};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Duration, Instant};

use crate::engine::Shared;
use crate::health_hub::{Wait, version};
use crate::unchanged;

const MANAGER: &str = api::field_manager::KUSTOMIZE;
const STATUS_MANAGER: &str = api::field_manager::KUSTOMIZE_STATUS;

/// A reconcile that takes longer tells so in the status.
const QUIET_TIME: Duration = Duration::from_secs(1);

/// Longest wait for an object to be gone before it is created again.
const GONE_TIME_MAX: Duration = Duration::from_secs(60);

/// How often an object that is being deleted is read.
const GONE_POLL_PAUSE: Duration = Duration::from_millis(250);

/// Questions about objects that are prepared before they are asked.
const QUESTIONS_WAITING: usize = 256;

/// Carries out one attempt.
pub(crate) struct Performer<'a> {
    shared: &'a Shared,
    object: &'a Object,
    permit: &'a mut Option<OwnedSemaphorePermit>,
    started: Instant,
    told_progress: bool,
    /// Answers of the last writes: often they say already that a definition is established.
    written: BTreeMap<ObjectKey, Object>,
    /// Version of every object as this attempt has read or left it.
    seen: BTreeMap<ObjectKey, u64>,
}

impl<'a> Performer<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        object: &'a Object,
        permit: &'a mut Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            shared,
            object,
            permit,
            started: Instant::now(),
            told_progress: false,
            written: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Carries out the attempt to its end.
    pub(crate) async fn run(mut self, mut attempt: Attempt) -> Finished {
        let cluster = self.shared.targets.of(attempt.unit()).await;
        let mut request = attempt.start();
        loop {
            if self.started.elapsed() >= QUIET_TIME {
                self.tell_progress(&attempt).await;
            }
            let answer = match &cluster {
                Ok(cluster) => self.carry_out(request, &attempt, cluster).await,
                Err(error) => Answer::Rendered(Err(Refusal {
                    reason: "ReconciliationFailed".into(),
                    message: error.to_string(),
                })),
            };
            let timing = self.shared.options.clock.timing();
            match attempt.answer(answer, timing) {
                Step::Do(next) => {
                    for event in attempt.take_events() {
                        self.shared
                            .recorder
                            .tell(MANAGER, self.object, event, timing.now);
                    }
                    request = next;
                }
                Step::Finish(finished) => return *finished,
            }
        }
    }

    async fn carry_out(
        &mut self,
        request: Request,
        attempt: &Attempt,
        cluster: &Cluster,
    ) -> Answer {
        match request {
            Request::Render => Answer::Rendered(self.render(attempt).await),
            Request::Record(_) => {
                let now = self.shared.options.clock.now();
                let status = attempt.progress(now).to_node();
                let written = self
                    .shared
                    .write_status(self.object, status, STATUS_MANAGER);
                self.told_progress = true;
                Answer::Recorded(written.await.map(|_| ()).map_err(refusal))
            }
            Request::Probe(objects) => {
                Answer::Probed(self.probe(&objects, cluster).await.map_err(refusal))
            }
            Request::Write(writes) => Answer::Written(self.write(&writes, cluster).await),
            Request::AwaitEstablished(entries, until) => {
                let until = self.shared.instant(until);
                Answer::Established(
                    self.await_established(&entries, attempt, cluster, until)
                        .await,
                )
            }
            Request::ReadStale(entries) => {
                Answer::StaleRead(read_stale(&entries, cluster).await.map_err(refusal))
            }
            Request::Delete(deletions) => {
                let mut outcomes = Vec::new();
                for deletion in &deletions {
                    let deleted = delete(cluster, deletion).await;
                    let key = deletion.live.key();
                    outcomes.push(deleted.map_err(|error| format!("{key} delete failed: {error}")));
                }
                Answer::Deleted(outcomes)
            }
            Request::AwaitHealth(targets, until) => {
                let until = self.shared.instant(until);
                Answer::Health(self.await_health(&targets, attempt, cluster, until).await)
            }
        }
    }

    async fn tell_progress(&mut self, attempt: &Attempt) {
        if std::mem::replace(&mut self.told_progress, true) {
            return;
        }
        let status = attempt.progress(self.shared.options.clock.now()).to_node();
        let written = self
            .shared
            .write_status(self.object, status, STATUS_MANAGER);
        if let Err(error) = written.await {
            tracing::debug!(%error, "progress was not written");
        }
    }

    async fn render(&self, attempt: &Attempt) -> Result<Rendered, Refusal> {
        let failed = |reason: &str, message: String| Refusal {
            reason: reason.to_owned(),
            message,
        };
        let unit = attempt.unit();
        let tree = self
            .shared
            .sources
            .downloader
            .tree(attempt.artifact())
            .await;
        let tree = tree.map_err(|error| failed("ArtifactFailed", error.to_string()))?;
        let variables = crate::variables::read(unit, self.shared.control_plane()).await;
        let read = variables.map_err(|message| failed("BuildFailed", message))?;
        let mut variables = render::Variables::default();
        for (name, value) in &read {
            variables.set(name.as_str(), value);
        }
        let mut spec = crate::spec::render_spec(unit);
        let ignore = crate::spec::ignore_rules(unit);
        let ignore = ignore.map_err(|message| failed("BuildFailed", message))?;
        let bases = self.shared.sources.bases.clone();
        spec.remote_bases = bases.is_some();
        let inputs = Arc::new((tree, spec, variables));
        let built = match bases {
            Some(bases) => bases.complete(|world| build(inputs.clone(), world)).await,
            None => build(inputs, Arc::default()).await.0,
        };
        let (rendered, warnings) = built.map_err(|error| failed("BuildFailed", error))?;
        for warning in warnings {
            tracing::warn!(key = %unit.meta.key, "{}", warning.one_line());
        }
        match rendered {
            Ok(rendered) => Ok(Rendered {
                digest: rendered.digest.to_string(),
                objects: rendered.objects,
                ignore,
            }),
            Err(errors) => {
                let lines = errors.iter().map(|error| error.to_diagnostic().one_line());
                let lines: Vec<String> = lines.collect();
                Err(failed("BuildFailed", lines.join("\n")))
            }
        }
    }

    async fn probe(
        &mut self,
        objects: &[Object],
        cluster: &Cluster,
    ) -> Result<Vec<Probe>, ApiError> {
        let concurrent = self.shared.options.concurrent_ssa.max(1);
        let (unchanged, unit) = (&self.shared.unchanged, self.object);
        let ask = |object: Object| {
            let cluster = cluster.clone();
            async move {
                let server = cluster.id();
                if let Some(expected) = unchanged.expected(unit, server, &object)
                    && let Some(live) = live(&object, &cluster).await?
                    && unchanged::live(&live) == expected
                {
                    return Ok(Probe {
                        dry_run: Ok(live.clone()),
                        live: Some(live),
                    });
                }
                let mut probe = probe(&object, &cluster).await?;
                // What a dry run says that others have, too, is not kept twice.
                match (&probe.live, &mut probe.dry_run) {
                    (Some(live), Ok(result)) => {
                        let digest = unchanged::live(live);
                        if digest == unchanged::live(result) {
                            unchanged.remember(unit, server, &object, digest);
                            *result = live.clone();
                        }
                        // Only those of the live object are looked at.
                        cluster.forget_owned_fields(result);
                    }
                    // That it would be created is all there is to know.
                    (None, Ok(result)) => *result = object,
                    (_, Err(_)) => {}
                }
                Ok(probe)
            }
        };
        let mut probes = Vec::with_capacity(objects.len());
        // A question takes kilobytes while it waits, and a unit may have thousands.
        for some in objects.chunks(QUESTIONS_WAITING) {
            let questions: Vec<_> = some.iter().cloned().map(ask).collect();
            let mut answers = futures::stream::iter(questions).buffered(concurrent);
            while let Some(answer) = answers.next().await {
                let probe = answer?;
                if let Some(live) = &probe.live {
                    self.see(live);
                }
                probes.push(probe);
            }
        }
        Ok(probes)
    }

    fn see(&mut self, object: &Object) {
        self.seen.insert(object.key(), version(object));
    }

    /// Writes in order, and objects of one kind several at a time: a store that keeps what it
    /// answers takes milliseconds for one write and hardly more for many.
    async fn write(&mut self, writes: &[Write], cluster: &Cluster) -> Vec<WriteOutcome> {
        self.written.clear();
        let concurrent = self.shared.options.concurrent_ssa.max(1);
        let mut outcomes = Vec::new();
        let runs = writes.chunk_by(|one, next| match (one, next) {
            (Write::Apply(one), Write::Apply(next)) => one.gvk() == next.gvk(),
            _ => false,
        });
        for batch in runs.flat_map(|run| run.chunks(concurrent)) {
            let answers = batch.iter().map(|write| write_one(write, cluster));
            let answers = futures::future::join_all(answers).await;
            let failed = answers.iter().any(Result::is_err);
            let answers = batch.iter().zip(answers);
            outcomes.extend(answers.map(|(write, answer)| {
                let written = answer?;
                self.wrote(write, written, cluster);
                Ok(())
            }));
            if failed {
                break;
            }
        }
        outcomes
    }

    /// Remembers what a write left.
    fn wrote(&mut self, write: &Write, mut written: Object, cluster: &Cluster) {
        let digest = unchanged::live(&written);
        let (unchanged, server) = (&self.shared.unchanged, cluster.id());
        unchanged.remember(self.object, server, about(write), digest);
        self.see(&written);
        cluster.forget_owned_fields(&mut written);
        self.written.insert(written.key(), written);
    }

    async fn await_established(
        &mut self,
        entries: &[Entry],
        attempt: &Attempt,
        cluster: &Cluster,
        until: Instant,
    ) -> Result<(), String> {
        let now = self.shared.options.clock.now();
        let is_current = |entry: &&Entry| {
            let written = self.written.get(&entry.key);
            written.is_some_and(|object| health::assess(object, now).status == Status::Current)
        };
        let touched = |entry: &&Entry| self.written.contains_key(&entry.key);
        let open: Vec<HealthTarget> = entries
            .iter()
            .filter(touched)
            .filter(|entry| !is_current(entry))
            .map(|entry| HealthTarget {
                entry: entry.clone(),
            })
            .collect();
        if open.is_empty() {
            return Ok(());
        }
        let own = self.shared.targets.unimpersonated(attempt.unit()).await;
        let own = own.map_err(|error| error.to_string())?;
        let wait = Wait {
            cluster: &own,
            impersonated: cluster,
            targets: &open,
            checks: &Checks::default(),
            clock: &*self.shared.options.clock,
            at_least: &self.seen,
        };
        self.shared.health.wait(&wait, until).await
    }

    /// Waits without a permit, until the verdict is in or something newer wants to run.
    async fn await_health(
        &mut self,
        targets: &[HealthTarget],
        attempt: &Attempt,
        cluster: &Cluster,
        until: Instant,
    ) -> HealthVerdict {
        let checks = match Checks::compile(&attempt.unit().health_expressions) {
            Ok(checks) => checks,
            Err(error) => return HealthVerdict::Failed(error.to_string()),
        };
        let own = match self.shared.targets.unimpersonated(attempt.unit()).await {
            Ok(own) => own,
            Err(error) => return HealthVerdict::Failed(error.to_string()),
        };
        let wait = Wait {
            cluster: &own,
            impersonated: cluster,
            targets,
            checks: &checks,
            clock: &*self.shared.options.clock,
            at_least: &self.seen,
        };
        self.permit.take();
        // What ends no wait is looked at after it.
        let passed_over = AtomicBool::new(false);
        let verdict = {
            let health = self.shared.health.wait(&wait, until);
            tokio::pin!(health);
            let superseded = self.superseded(attempt, &passed_over);
            tokio::pin!(superseded);
            let quiet = tokio::time::sleep_until(self.started + QUIET_TIME);
            let early = tokio::select! {
                verdict = &mut health => Some(verdict_of(verdict)),
                () = &mut superseded => Some(HealthVerdict::Superseded),
                () = quiet => None,
            };
            match early {
                Some(verdict) => verdict,
                None => {
                    let status = attempt.progress(self.shared.options.clock.now()).to_node();
                    if !self.told_progress || self.started.elapsed() >= QUIET_TIME {
                        let current = self.shared.unit(&self.object.key());
                        let current = current.as_deref().unwrap_or(self.object);
                        let written = self.shared.write_status(current, status, STATUS_MANAGER);
                        if let Err(error) = written.await {
                            tracing::debug!(%error, "progress was not written");
                        }
                    }
                    tokio::select! {
                        verdict = &mut health => verdict_of(verdict),
                        () = &mut superseded => HealthVerdict::Superseded,
                    }
                }
            }
        };
        if passed_over.into_inner() {
            self.shared.unit_queue.add(self.object.key());
        }
        let permit = self.shared.permits.clone().acquire_owned().await;
        *self.permit = permit.ok();
        verdict
    }

    /// Ends when the object, its source, its variables or a wish is newer than the attempt.
    ///
    /// `passed_over` tells that something else has changed.
    async fn superseded(&self, attempt: &Attempt, passed_over: &AtomicBool) {
        let key = self.object.key();
        loop {
            self.shared.unit_queue.interrupted(&key).await;
            self.shared.unit_queue.forgive(&key);
            let Some(object) = self.shared.unit(&key) else {
                return;
            };
            let Ok(unit) = api::Kustomization::read(&object) else {
                return;
            };
            let revision = match self.shared.source_of(&unit) {
                Source::Ready(artifact) => artifact.revision,
                // The source is being looked for again; what is applied stays what it is.
                _ => attempt.artifact().revision.clone(),
            };
            let memory = self.shared.unit_memory().get(&key).cloned();
            let inputs_changed = memory.is_some_and(|memory| memory.inputs_changed);
            if inputs_changed || attempt.is_superseded(&unit, &revision) {
                return;
            }
            passed_over.store(true, Ordering::Relaxed);
        }
    }
}

fn verdict_of(health: Result<(), String>) -> HealthVerdict {
    match health {
        Ok(()) => HealthVerdict::Healthy,
        Err(why) => HealthVerdict::Failed(why),
    }
}

/// What a `readyExpr` says about a unit and its dependency.
///
/// # Source
/// Names of the variables: fluxcd/kustomize-controller `internal/controller`, `checkDependencies`.
pub(crate) fn ready_expression(
    expression: &str,
    unit: &Object,
    dependency: &Object,
) -> ReadyExpression {
    let variables = [("self", Shape::Dyn), ("dep", Shape::Dyn)];
    let options = expr::Options::declared(variables)
        .libraries(Libraries::FLUX)
        .result(Shape::Bool);
    let program = match Program::compile(expression, &options) {
        Ok(program) => program,
        Err(error) => return ReadyExpression::Invalid(error.to_string()),
    };
    let bindings = Bindings::new()
        .bind("self", &unit.node)
        .bind("dep", &dependency.node);
    match program.evaluate(&bindings, Budget::CALL) {
        Ok(Value::Bool(true)) => ReadyExpression::Ready,
        Ok(Value::Bool(false)) => ReadyExpression::NotReady,
        Ok(_) => ReadyExpression::Invalid("the expression gives no boolean".into()),
        Err(error) => ReadyExpression::Failed(error.to_string()),
    }
}

/// The object that a write is about.
fn about(write: &Write) -> &Object {
    match write {
        Write::TakeOver { live, .. } => live,
        Write::Apply(object) | Write::Recreate { object, .. } => object,
    }
}

async fn write_one(write: &Write, cluster: &Cluster) -> Result<Object, String> {
    let how = Apply {
        manager: MANAGER,
        force: true,
        dry_run: false,
        subresource: "",
    };
    let written = match write {
        Write::TakeOver { live, patch } => {
            let patch = (cluster::PatchType::Json, patch);
            cluster.patch(live, "", patch, MANAGER).await
        }
        Write::Apply(object) => cluster.apply(object, how).await,
        Write::Recreate { live, object } => {
            let deletion = Deletion {
                live: live.clone(),
                has_content: false,
            };
            let key = live.key();
            let deleted = delete(cluster, &deletion).await;
            deleted.map_err(|error| format!("{key} delete failed: {error}"))?;
            let until = Instant::now() + GONE_TIME_MAX;
            if !await_gone(cluster, live, until).await {
                return Err(format!("{key} is still being deleted"));
            }
            cluster.apply(object, how).await
        }
    };
    written.map_err(|error| {
        let key = about(write).key();
        match error.reason.as_str() {
            "" => format!("{key} apply failed: {error}"),
            reason => format!("{key} apply failed ({reason}): {error}"),
        }
    })
}

/// Asks what applying an object would do, and what is there now.
///
/// The dry run of an object that is not there answers one without a version, which saves the
/// question.
async fn probe(object: &Object, cluster: &Cluster) -> Result<Probe, ApiError> {
    let mapping = cluster.mapping(&object.gvk()).await;
    match mapping {
        Ok(mapping) if mapping.namespaced && object.namespace().is_empty() => {
            return Ok(Probe {
                live: None,
                dry_run: Err(ProbeRefusal {
                    reason: String::new(),
                    message: "the server could not find the requested resource".into(),
                    not_found: true,
                }),
            });
        }
        Err(error) if !error.is_not_found() => return Err(error),
        _ => {}
    }
    let how = Apply {
        manager: MANAGER,
        force: true,
        dry_run: true,
        subresource: "",
    };
    match cluster.apply(object, how).await {
        Ok(result) if result.resource_version().is_empty() => Ok(Probe {
            live: None,
            dry_run: Ok(result),
        }),
        Ok(result) => Ok(Probe {
            live: live(object, cluster).await?,
            dry_run: Ok(result),
        }),
        Err(error) if stops_everything(&error) => Err(error),
        Err(error) => Ok(Probe {
            live: match error.is_not_found() {
                true => None,
                false => live(object, cluster).await?,
            },
            dry_run: Err(ProbeRefusal {
                not_found: error.is_not_found(),
                reason: error.reason,
                message: error.message,
            }),
        }),
    }
}

async fn live(object: &Object, cluster: &Cluster) -> Result<Option<Object>, ApiError> {
    let kind = object.gvk();
    match cluster.get(&kind, object.namespace(), object.name()).await {
        // Who may apply but not read is told by the apply itself.
        Err(error) if error.class == ErrorClass::Forbidden => Ok(None),
        found => found,
    }
}

/// Whether an error is about the server, not about the object.
fn stops_everything(error: &ApiError) -> bool {
    matches!(
        error.class,
        ErrorClass::Unreachable
            | ErrorClass::Server
            | ErrorClass::Throttled
            | ErrorClass::Unauthorized
    )
}

async fn read_stale(entries: &[Entry], cluster: &Cluster) -> Result<Vec<LiveStale>, ApiError> {
    let mut stale = Vec::new();
    for entry in entries {
        let key = &entry.key;
        let live = cluster.get(&entry.gvk(), &key.namespace, &key.name).await?;
        let has_content = match &live {
            Some(live) => has_content(live, cluster).await?,
            None => false,
        };
        stale.push(LiveStale {
            entry: entry.clone(),
            live,
            has_content,
        });
    }
    Ok(stale)
}

/// Whether something that people would miss goes with an object.
async fn has_content(live: &Object, cluster: &Cluster) -> Result<bool, ApiError> {
    match (live.gvk().group.as_str(), live.kind()) {
        ("", "PersistentVolumeClaim" | "PersistentVolume") => Ok(true),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let text = |keys: &[&str]| live.node.str_at(keys).unwrap_or_default().to_owned();
            let versions = live.node.at(&["spec", "versions"]).and_then(Node::as_list);
            let mut versions = versions.unwrap_or(&[]).iter();
            let served = versions.find(|v| v.get("served").and_then(Node::as_bool) == Some(true));
            let Some(version) = served.and_then(|version| version.str_at(&["name"])) else {
                return Ok(false);
            };
            let api_version = format!("{}/{version}", text(&["spec", "group"]));
            let kind = GroupVersionKind::new(&api_version, &text(&["spec", "names", "kind"]));
            match cluster.list(&kind, "", "").await {
                Ok(objects) => Ok(!objects.is_empty()),
                Err(error) if error.is_not_found() => Ok(false),
                Err(error) => Err(error),
            }
        }
        ("", "Namespace") => namespace_has_content(live.name(), cluster).await,
        _ => Ok(false),
    }
}

/// Whether anything but what every namespace has is in a namespace.
async fn namespace_has_content(namespace: &str, cluster: &Cluster) -> Result<bool, ApiError> {
    const ALWAYS_THERE: &[(&str, &str)] = &[
        ("ConfigMap", "kube-root-ca.crt"),
        ("ServiceAccount", "default"),
    ];
    for kind in cluster.namespaced_kinds().await? {
        if kind.kind == "Event" {
            continue;
        }
        let objects = match cluster.list(&kind, namespace, "").await {
            Ok(objects) => objects,
            // A kind that cannot be asked may hold something.
            Err(error) if error.class == ErrorClass::Forbidden => return Ok(true),
            Err(error) if error.is_not_found() || error.status == 405 => continue,
            Err(error) => return Err(error),
        };
        let known = |object: &Object| ALWAYS_THERE.contains(&(&kind.kind, object.name()));
        if objects.iter().any(|object| !known(object)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes an object if it is still the one that was read.
pub(crate) async fn delete(cluster: &Cluster, deletion: &Deletion) -> Result<(), ApiError> {
    let live = &deletion.live;
    cluster.delete(live, &Delete::exactly(live)).await
}

/// Waits until an object is gone; whether it is.
pub(crate) async fn await_gone(cluster: &Cluster, object: &Object, until: Instant) -> bool {
    loop {
        let found = cluster
            .get(&object.gvk(), object.namespace(), object.name())
            .await;
        if found.is_ok_and(|found| found.is_none_or(|found| found.uid() != object.uid())) {
            return true;
        }
        if Instant::now() >= until {
            return false;
        }
        tokio::time::sleep(GONE_POLL_PAUSE).await;
    }
}

fn refusal(error: ApiError) -> Refusal {
    Refusal {
        reason: "ReconciliationFailed".into(),
        message: error.message,
    }
}

type Built = Result<
    (
        Result<render::Rendered, Vec<render::RenderError>>,
        Vec<Diagnostic>,
    ),
    String,
>;

/// Renders a unit, and says which bases were missing that nobody has tried to fetch.
///
/// Building is work for a processor, not for the threads that wait for answers.
async fn build(
    inputs: Arc<(tree::Tree, render::Spec, render::Variables)>,
    world: Arc<source::FetchedBases>,
) -> (Built, Vec<tree::SourceRef>) {
    let built = tokio::task::spawn_blocking(move || {
        let (tree, spec, variables) = &*inputs;
        render::kustomization(tree, spec, variables, &*world)
    });
    match built.await {
        Ok((rendered, warnings)) => {
            let errors = rendered.as_ref().err().into_iter().flatten();
            let missing = errors.filter_map(render::RenderError::missing).collect();
            (Ok((rendered, warnings)), missing)
        }
        Err(error) => (Err(error.to_string()), Vec::new()),
    }
}
