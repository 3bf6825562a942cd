//! Workers of Kustomizations: look, ask `control`, carry out.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::Kustomization;
use cluster::ApiError;
use control::Event;
use control::kustomization::{
    Cleanup, Dependency, Finished, Memory, Next, Observed, Report, Source, cycle, next,
};
use object::{Object, ObjectKey};
use plan::Owner;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::engine::Shared;
use crate::perform::Performer;

const CONTROLLER: &str = api::field_manager::KUSTOMIZE;
const STATUS_MANAGER: &str = api::field_manager::KUSTOMIZE_STATUS;

impl Shared {
    /// Starts a task for each unit that has to be looked at, for ever.
    ///
    /// How many do something at the same time is a matter of permits; a task that waits for health
    /// has none.
    pub(crate) async fn work_on_units(self: Arc<Self>) {
        self.synced().await;
        let mut tasks = JoinSet::new();
        loop {
            tokio::select! {
                key = self.unit_queue.next() => {
                    let shared = self.clone();
                    tasks.spawn(async move {
                        shared.look_at_unit(&key).await;
                        shared.unit_queue.done(&key);
                    });
                }
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a reconcile has failed");
                        return;
                    }
                }
            }
        }
    }

    /// Looks at one unit and does what it needs, until it needs nothing for now.
    async fn look_at_unit(&self, key: &ObjectKey) {
        let permit = self.permits.clone().acquire_owned().await;
        let mut permit = Some(permit.expect("nobody closes the permits"));
        loop {
            let Some(object) = self.unit(key) else {
                self.unit_memory().remove(key);
                self.unchanged.forget(key);
                self.unit_queue.schedule(key.clone(), None);
                return;
            };
            let unit = match self.read_unit(&object) {
                Ok(unit) => unit,
                Err(error) => {
                    self.report_invalid(&object, &error).await;
                    return;
                }
            };
            let memory = self.unit_memory().get(key).cloned().unwrap_or_default();
            let observed = self.observe(&unit, &memory);
            let options = control::kustomization::Options {
                brake: self.options.brake,
                custom_kinds: self.options.custom_kinds.clone(),
                override_managers: self.options.override_managers.clone(),
            };
            let outcome = match next(&observed, &options, self.options.clock.timing()) {
                Next::Sleep(wake) => {
                    self.pause_after(key, None);
                    let wake = wake.map(|at| self.instant(at));
                    self.unit_queue.schedule(key.clone(), wake);
                    return;
                }
                Next::AddFinalizer => self
                    .write_finalizer(&object, true, STATUS_MANAGER)
                    .await
                    .map(|_| Again::Yes),
                Next::Blocked(report) => self.report_unit(&object, report).await,
                Next::Finalize(cleanup) => self.finalize(&object, &unit, &cleanup).await,
                Next::Reconcile(attempt) => {
                    if let Some(memory) = self.unit_memory().get_mut(key) {
                        memory.inputs_changed = false;
                    }
                    let performer = Performer::new(self, &object, &mut permit);
                    let finished = performer.run(*attempt).await;
                    self.finish(&object, finished).await
                }
            };
            match outcome {
                Ok(Again::Yes) => {}
                Ok(Again::Later) => {
                    self.pause_after(key, None);
                    return;
                }
                Err(error) if error.is_not_found() => {
                    // Gone meanwhile; the watch will say so.
                    self.pause_after(key, None);
                    self.unit_memory().remove(key);
                    return;
                }
                Err(error) => {
                    tracing::warn!(%key, %error, "a unit could not be written");
                    // How the attempt ended is not known to anybody yet.
                    if let Some(memory) = self.unit_memory().get_mut(key) {
                        memory.attempted = None;
                    }
                    let pause = self.pause_after(key, Some(&error));
                    self.unit_queue
                        .schedule(key.clone(), Some(Instant::now() + pause));
                    return;
                }
            }
        }
    }

    fn read_unit(&self, object: &Object) -> Result<Kustomization, api::InvalidSpec> {
        let mut unit = Kustomization::read(object)?;
        if unit.service_account.is_empty() {
            unit.service_account = self.options.default_service_account.clone();
        }
        Ok(unit)
    }

    fn observe<'a>(&self, unit: &'a Kustomization, memory: &'a Memory) -> Observed<'a> {
        let needs_graph = !unit.depends_on.is_empty();
        Observed {
            unit,
            memory,
            source: self.source_of(unit),
            dependencies: self.dependencies_of(unit),
            cycle: match needs_graph {
                true => cycle(&unit_name(&unit.meta.key), &self.dependency_graph()),
                false => Vec::new(),
            },
        }
    }

    pub(crate) fn source_of(&self, unit: &Kustomization) -> Source {
        let source = &unit.source;
        if source.kind != "GitRepository" {
            return Source::Unserved;
        }
        if !self.options.cross_namespace_refs && source.namespace != unit.meta.namespace() {
            return Source::Forbidden;
        }
        let kind = api::git_repository_kind();
        let key = ObjectKey {
            group: kind.group,
            kind: kind.kind,
            namespace: source.namespace.as_str().into(),
            name: source.name.as_str().into(),
        };
        let Some(repository) = self.repository(&key) else {
            return Source::Absent;
        };
        let artifact = repository.node.at(&["status", "artifact"]);
        match artifact.and_then(api::Artifact::read) {
            Some(artifact) => Source::Ready(artifact),
            None => Source::Empty,
        }
    }

    fn dependencies_of(&self, unit: &Kustomization) -> Vec<Dependency> {
        let of = |dependency: &api::Dependency| {
            let key = ObjectKey {
                namespace: dependency.namespace.as_str().into(),
                name: dependency.name.as_str().into(),
                ..unit.meta.key.clone()
            };
            let object = self.unit(&key);
            let other = object
                .as_ref()
                .and_then(|object| Kustomization::read(object).ok());
            Dependency {
                name: unit_name(&key),
                expression: match (&object, dependency.ready_expression.as_str()) {
                    (Some(object), expression) if !expression.is_empty() => self
                        .unit(&unit.meta.key)
                        .map(|this| crate::perform::ready_expression(expression, &this, object)),
                    _ => None,
                },
                unit: other.map(Box::new),
            }
        };
        unit.depends_on.iter().map(of).collect()
    }

    fn dependency_graph(&self) -> BTreeMap<String, Vec<String>> {
        let edges = |object: &Arc<Object>| {
            let unit = Kustomization::read(object).ok()?;
            let on = unit.depends_on.iter();
            let on = on.map(|on| format!("{}/{}", on.namespace, on.name));
            Some((unit_name(&unit.meta.key), on.collect()))
        };
        self.units().iter().filter_map(edges).collect()
    }

    async fn finish(&self, object: &Object, finished: Finished) -> Result<Again, ApiError> {
        let key = object.key();
        let retry_at_once = finished
            .report
            .wake
            .is_some_and(|wake| wake <= finished.attempted.at);
        // What has changed since the attempt began stays marked.
        self.unit_memory().entry(key).or_default().attempted = Some(finished.attempted);
        let again = self.report_unit(object, finished.report).await?;
        Ok(if retry_at_once { Again::Yes } else { again })
    }

    /// Writes the status, tells, and sets the timer.
    async fn report_unit(&self, object: &Object, report: Report) -> Result<Again, ApiError> {
        let key = object.key();
        let current = self.unit(&key);
        let current = current.as_deref().unwrap_or(object);
        let written = self
            .write_status(current, report.status.to_node(), STATUS_MANAGER)
            .await?;
        let now = self.options.clock.now();
        for event in report.events {
            self.recorder.tell(CONTROLLER, &written, event, now);
        }
        let wake = report.wake.map(|at| self.instant(at));
        self.unit_queue.schedule(key, wake);
        Ok(Again::Later)
    }

    async fn report_invalid(&self, object: &Object, error: &api::InvalidSpec) {
        let meta = api::Meta::read(object);
        let now = self.options.clock.now();
        let status = crate::engine::unreadable_status(object, &meta, &error.to_string(), now);
        if let Err(error) = self.write_status(object, status, STATUS_MANAGER).await {
            tracing::warn!(key = %meta.key, %error, "a status could not be written");
        }
    }

    /// Deletes what a deleted unit leaves, then lets it go.
    async fn finalize(
        &self,
        object: &Object,
        unit: &Kustomization,
        cleanup: &Cleanup,
    ) -> Result<Again, ApiError> {
        if !cleanup.objects.is_empty() {
            match self.delete_all(unit, cleanup).await {
                Ok(()) => {}
                Err(Obstacle::NobodyToAct(message)) => {
                    let now = self.options.clock.now();
                    let message = format!("unable to prune objects: {message}");
                    let event = Event::error("PruneFailed", message, "");
                    self.recorder.tell(CONTROLLER, object, event, now);
                }
                Err(Obstacle::Refused(error)) => return Err(error),
            }
        }
        self.write_finalizer(object, false, STATUS_MANAGER).await?;
        self.unit_memory().remove(&object.key());
        Ok(Again::Later)
    }

    async fn delete_all(&self, unit: &Kustomization, cleanup: &Cleanup) -> Result<(), Obstacle> {
        let cluster = self.targets.of(unit).await;
        let cluster = cluster.map_err(|error| Obstacle::NobodyToAct(error.to_string()))?;
        if !unit.service_account.is_empty() && !unit.is_remote() {
            let kind = object::GroupVersionKind::new("v1", "ServiceAccount");
            let (namespace, name) = (unit.meta.namespace(), unit.service_account.as_str());
            let account = self.control_plane().get(&kind, namespace, name).await;
            if account.map_err(Obstacle::Refused)?.is_none() {
                let message = format!("ServiceAccount '{namespace}/{name}' not found");
                return Err(Obstacle::NobodyToAct(message));
            }
        }
        let owner = Owner {
            name: unit.meta.name().to_owned(),
            namespace: unit.meta.namespace().to_owned(),
        };
        let options = plan::Options {
            owner,
            prune: true,
            ..plan::Options::default()
        };
        let mut stale = Vec::new();
        for entry in &cleanup.objects {
            let found = cluster
                .get(&entry.gvk(), &entry.key.namespace, &entry.key.name)
                .await;
            stale.push(plan::LiveStale {
                entry: entry.clone(),
                live: found.map_err(Obstacle::Refused)?,
                has_content: false,
            });
        }
        let pruning = plan::prune(stale, &options);
        for deletion in &pruning.deletions {
            let deleted = crate::perform::delete(&cluster, deletion).await;
            deleted.map_err(Obstacle::Refused)?;
        }
        if cleanup.wait {
            let until = Instant::now() + unit.timeout.to_std();
            for deletion in &pruning.deletions {
                crate::perform::await_gone(&cluster, &deletion.live, until).await;
            }
        }
        Ok(())
    }
}

/// Why the objects of a deleted unit are still there.
enum Obstacle {
    /// The identity or cluster they belong to is gone: waiting cannot help.
    NobodyToAct(String),
    /// A request was refused.
    Refused(ApiError),
}

/// Whether a unit is looked at again at once.
enum Again {
    Yes,
    Later,
}

/// `namespace/name`.
fn unit_name(key: &ObjectKey) -> String {
    format!("{}/{}", key.namespace, key.name)
}
