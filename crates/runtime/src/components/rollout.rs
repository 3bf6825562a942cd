//! Releases on their data planes: look, ask `control`, carry out.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster::{ApiError, Cluster, Delete, PatchType};
use control::release::{
    ABANDON, Applied, Entry, FINALIZER, Failed, Live, Memory, Next, Observed, Release, Version,
};
use object::{Node, Object, ObjectKey};
use tokio::time::{Duration, Instant};

use super::planes::plane_key;
use super::{MANAGER, Shared, how};

/// Pause before a data plane is tried again that could not be reached.
const UNREACHABLE_PAUSE: Duration = Duration::from_secs(10);

/// Pause before deletions are looked at again of which no watch has told.
const DELETION_PAUSE: Duration = Duration::from_secs(5);

/// Steps for one release before others have their turn.
const STEPS_MAX: usize = 20;

impl Shared {
    /// Does what a release needs, until it needs nothing for now.
    pub(super) async fn look_at_release(
        self: &Arc<Self>,
        key: &ObjectKey,
    ) -> Result<Option<Instant>, ApiError> {
        for _ in 0..STEPS_MAX {
            let Some(object) = self.state.get(key) else {
                self.memories().remove(key);
                return Ok(None);
            };
            let release = Release::read(&object);
            let Some(named) = release.data_plane.clone() else {
                // Its binding says where it goes, and is looked at as well.
                return match release.deleting && release.has_finalizer {
                    true => self
                        .write_finalizer(&object, FINALIZER, false)
                        .await
                        .map(|()| None),
                    false => Ok(None),
                };
            };
            if release.deleting && release.has_finalizer && self.is_abandoned(&release, &named) {
                tracing::warn!(%key, plane = named, "what is on the data plane is left there");
                self.write_finalizer(&object, FINALIZER, false).await?;
                self.memories().remove(key);
                return Ok(None);
            }
            let cluster = match self.plane(&key.namespace, &named).await {
                Ok(cluster) => cluster,
                Err(message) => {
                    self.fail(&release, message);
                    self.report_unreachable(&object, &release).await?;
                    return Ok(Some(Instant::now() + UNREACHABLE_PAUSE));
                }
            };
            let entries = release.inventory.iter().map(Entry::gvk);
            let listed = release.resources.iter().map(|own| own.object.gvk());
            self.planes
                .watch(&cluster, entries.chain(listed), self)
                .await;
            let memory = self.memories().get(key).cloned().unwrap_or_default();
            let next = control::release::next(
                &Observed {
                    release: &release,
                    memory: &memory,
                    live: &|entry| self.planes.live(&cluster, entry, &release.uid),
                    inherited: &|| self.planes.inherited(&cluster, &release),
                    exists: &|key| self.state.get(key).is_some_and(|own| !own.is_deleting()),
                },
                self.engine.options.clock.timing(),
            );
            match next {
                Next::AddFinalizer => self.write_finalizer(&object, FINALIZER, true).await?,
                Next::RemoveFinalizer => {
                    self.write_finalizer(&object, FINALIZER, false).await?;
                    self.memories().remove(key);
                    return Ok(None);
                }
                Next::Record(status) => self.write_status(&object, status).await?,
                Next::Apply {
                    namespaces,
                    take_over,
                    objects,
                } => {
                    let applied = match take_over_all(&cluster, &take_over).await {
                        Ok(()) => self.apply_all(&cluster, &namespaces, &objects).await,
                        Err(message) => Err(message),
                    };
                    self.remember(&release, applied);
                }
                Next::Refuse(message) => self.fail(&release, message),
                Next::Delete(entries) => {
                    let deleted = self.delete_entries(&release, &cluster, &entries).await;
                    if let Err(message) = deleted {
                        self.fail(&release, message);
                        self.report_unreachable(&object, &release).await?;
                    }
                    return Ok(Some(Instant::now() + DELETION_PAUSE));
                }
                Next::Report(status, wake) => {
                    self.write_status(&object, status).await?;
                    return Ok(wake.map(|at| self.engine.instant(at)));
                }
                Next::Sleep(wake) => return Ok(wake.map(|at| self.engine.instant(at))),
            }
        }
        Ok(Some(Instant::now()))
    }

    /// Whether somebody has said that the cluster of a release is gone for good.
    fn is_abandoned(&self, release: &Release, named: &str) -> bool {
        let plane = self.state.get(&plane_key(&release.key.namespace, named));
        plane.is_some_and(|plane| plane.annotation(ABANDON) == Some("true"))
    }

    fn memories(&self) -> std::sync::MutexGuard<'_, BTreeMap<ObjectKey, Memory>> {
        self.releases
            .lock()
            .unwrap_or_else(|lock| lock.into_inner())
    }

    fn fail(&self, release: &Release, message: String) {
        let mut memories = self.memories();
        let memory = memories.entry(release.key.clone()).or_default();
        let before = memory.failed.as_ref();
        let before = before.filter(|failed| failed.generation == release.generation);
        memory.failed = Some(Failed {
            at: self.engine.options.clock.now(),
            generation: release.generation,
            times: before.map_or(1, |failed| failed.times.saturating_add(1)),
            message,
        });
    }

    fn remember(&self, release: &Release, applied: Result<Vec<Version>, String>) {
        match applied {
            Ok(versions) => {
                let applied = Applied {
                    at: self.engine.options.clock.now(),
                    generation: release.generation,
                    versions,
                };
                let mut memories = self.memories();
                let memory = memories.entry(release.key.clone()).or_default();
                memory.applied = Some(applied);
                memory.failed = None;
            }
            Err(message) => self.fail(release, message),
        }
    }

    async fn apply_all(
        &self,
        cluster: &Cluster,
        namespaces: &[Object],
        objects: &[Object],
    ) -> Result<Vec<Version>, String> {
        for namespace in namespaces {
            let known = cluster.get(&namespace.gvk(), "", namespace.name()).await;
            if matches!(known, Ok(Some(_))) {
                continue;
            }
            match cluster.create(namespace, MANAGER).await {
                Err(error) if error.reason != "AlreadyExists" => {
                    return Err(format!("{}: {error}", namespace.key()));
                }
                _ => {}
            }
        }
        let mut versions = Vec::with_capacity(objects.len());
        for object in objects {
            let applied = cluster.apply(object, how()).await;
            let applied = applied.map_err(|error| format!("{}: {error}", object.key()))?;
            self.planes.wrote(cluster, &applied);
            versions.push(Version::of(&applied));
        }
        Ok(versions)
    }

    async fn delete_entries(
        &self,
        release: &Release,
        cluster: &Cluster,
        entries: &[Entry],
    ) -> Result<(), String> {
        for entry in entries {
            let live = match self.planes.live(cluster, entry, &release.uid) {
                Live::There(live) => live,
                // What is stale may be what an earlier release of this name has left.
                Live::Other(live) if !release.deleting && release.has_made(&live) => live,
                Live::Unknown => match self.planes.problem(cluster, entry) {
                    Some(problem) => return Err(problem),
                    None => continue,
                },
                _ => continue,
            };
            if live.is_deleting() || live.annotation(control::release::RETAIN) == Some("true") {
                continue;
            }
            let deleted = cluster.delete(&live, &Delete::exactly(&live)).await;
            deleted.map_err(|error| format!("{}: {error}", live.key()))?;
        }
        Ok(())
    }

    async fn report_unreachable(
        &self,
        object: &Arc<Object>,
        release: &Release,
    ) -> Result<(), ApiError> {
        let memory = self
            .memories()
            .get(&release.key)
            .cloned()
            .unwrap_or_default();
        let status =
            control::release::unreachable(release, &memory, self.engine.options.clock.now());
        self.write_status(object, status).await
    }
}

/// Makes us the owner of what OpenChoreo has applied.
async fn take_over_all(cluster: &Cluster, patches: &[(Arc<Object>, Node)]) -> Result<(), String> {
    for (live, patch) in patches {
        let patched = cluster.patch(live, "", (PatchType::Json, patch), MANAGER);
        patched
            .await
            .map_err(|error| format!("{}: {error}", live.key()))?;
    }
    Ok(())
}
