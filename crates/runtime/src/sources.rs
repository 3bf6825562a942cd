//! Workers of GitRepositories: look, ask `control`, carry out.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::git::client::{Client, Proxy};
use api::{Artifact, GitRepository};
use cluster::ApiError;
use control::Timing;
use control::git_repository::{
    FetchFailure, Fetched, Memory, Next, Observed, Report, failed, fetched, next,
};
use diag::{Explain, Retry};
use object::{GroupVersionKind, Object, ObjectKey};
use source::secret::Access;
use source::{ArtifactKey, Checkout, FetchRequest, Storage, StorageError, Stored};
use tokio::time::Instant;

use crate::engine::Shared;
use crate::variables::secret_data;

const CONTROLLER: &str = api::field_manager::SOURCE;

/// What fetches repositories and keeps their archives.
pub struct Sources {
    /// Reads remote repositories.
    pub client: Client,
    /// Addresses that are reached elsewhere than they say.
    pub rewrites: ::git::Rewrites,
    /// Where archives are kept.
    pub storage: Arc<Storage>,
    /// Reads archives, also those that another process made.
    pub downloader: source::Downloader,
    /// Fetches the bases that kustomizations name by address; `None` refuses them.
    pub bases: Option<Arc<source::Bases>>,
}

impl Shared {
    /// Looks at repositories, one after the other, for ever.
    pub(crate) async fn work_on_repositories(&self) {
        self.synced().await;
        loop {
            let key = self.repository_queue.next().await;
            self.look_at_repository(&key).await;
            self.repository_queue.done(&key);
        }
    }

    async fn look_at_repository(&self, key: &ObjectKey) {
        loop {
            let Some(object) = self.repository(key) else {
                self.repository_memory().remove(key);
                self.repository_queue.schedule(key.clone(), None);
                return;
            };
            match self.one_look(&object).await {
                Ok(true) => {}
                Ok(false) => {
                    self.pause_after(key, None);
                    return;
                }
                Err(error) if error.is_not_found() => {
                    self.pause_after(key, None);
                    return;
                }
                Err(error) => {
                    tracing::warn!(%key, %error, "a source could not be written");
                    // What was found is not known to anybody yet.
                    if let Some(memory) = self.repository_memory().get_mut(key) {
                        memory.attempted = None;
                    }
                    let pause = self.pause_after(key, Some(&error));
                    let at = Instant::now() + pause;
                    self.repository_queue.schedule(key.clone(), Some(at));
                    return;
                }
            }
        }
    }

    /// Does one thing; whether to look again at once.
    async fn one_look(&self, object: &Object) -> Result<bool, ApiError> {
        let key = object.key();
        let repository = match GitRepository::read(object) {
            Ok(repository) => repository,
            Err(error) => {
                let failure = FetchFailure {
                    reason: "InvalidSpec".into(),
                    message: error.to_string(),
                    stalled: true,
                    storage: false,
                };
                self.report_unreadable(object, &failure).await?;
                return Ok(false);
            }
        };
        let memory = self
            .repository_memory()
            .get(&key)
            .cloned()
            .unwrap_or_default();
        let stored = match &repository.status.artifact {
            Some(artifact) => self.is_stored(artifact).await,
            None => false,
        };
        let observed = Observed {
            repository: &repository,
            memory: &memory,
            stored,
        };
        let timing = self.options.clock.timing();
        match next(&observed, timing) {
            Next::Sleep(wake) => {
                let wake = wake.map(|at| self.instant(at));
                self.repository_queue.schedule(key, wake);
                Ok(false)
            }
            Next::AddFinalizer => {
                self.write_finalizer(object, true, CONTROLLER).await?;
                Ok(true)
            }
            Next::Finalize => {
                let place = ArtifactKey::git_repository(&key.namespace, &key.name);
                let storage = self.sources.storage.clone();
                let removed = blocking(move || storage.remove_all(&place)).await;
                if let Err(error) = removed {
                    tracing::warn!(%key, %error, "archives could not be removed");
                }
                self.write_finalizer(object, false, CONTROLLER).await?;
                self.repository_memory().remove(&key);
                Ok(false)
            }
            Next::Fetch => {
                let report = self.fetch(&repository, memory, stored, timing).await;
                self.report_repository(object, report).await?;
                Ok(false)
            }
        }
    }

    async fn is_stored(&self, artifact: &Artifact) -> bool {
        let (storage, artifact) = (self.sources.storage.clone(), artifact.clone());
        let stored = blocking(move || storage.verify(&artifact)).await;
        matches!(stored, Ok(Stored::Good))
    }

    /// Fetches, stores, and says what to report.
    async fn fetch(
        &self,
        repository: &GitRepository,
        memory: Memory,
        stored: bool,
        timing: Timing,
    ) -> Report {
        let key = repository.meta.key.clone();
        // A push that is announced from now on is another one.
        let announced = |memory: &mut Memory, failures: u32, now| {
            memory.attempted = Some((now, repository.meta.generation));
            memory.failures = failures;
        };
        if let Some(memory) = self.repository_memory().get_mut(&key) {
            memory.announced = false;
        }
        let outcome = self.try_fetch(repository, stored).await;
        let timing = Timing {
            now: self.options.clock.now(),
            ..timing
        };
        let failures = match &outcome {
            Ok(_) => 0,
            Err(_) => memory.failures.saturating_add(1),
        };
        announced(
            self.repository_memory().entry(key.clone()).or_default(),
            failures,
            timing.now,
        );
        match outcome {
            Ok(found) => {
                let place = ArtifactKey::git_repository(&key.namespace, &key.name);
                let (storage, artifact) = (self.sources.storage.clone(), found.artifact.clone());
                let collected =
                    blocking(move || storage.collect(&place, Some(&artifact), timing.now)).await;
                if let Err(error) = collected {
                    tracing::warn!(%key, %error, "old archives could not be removed");
                }
                fetched(repository, found, timing)
            }
            Err(failure) => failed(repository, &failure, failures, timing),
        }
    }

    async fn try_fetch(
        &self,
        repository: &GitRepository,
        stored: bool,
    ) -> Result<Fetched, FetchFailure> {
        let access = self.access(repository).await?;
        let known = repository.status.artifact.as_ref();
        let status = &repository.status;
        let same = stored
            && status.observed_ignore == repository.ignore
            && status.observed_sparse_checkout == repository.sparse_checkout
            && status.observed_recurse_submodules == repository.recurse_submodules;
        let request = FetchRequest {
            url: self.sources.rewrites.apply(&repository.url).into_owned(),
            reference: repository.reference.clone(),
            credentials: access.credentials,
            tls: access.tls,
            proxy: self.proxy(repository).await?,
            timeout: repository.timeout.to_std(),
            sparse: repository.sparse_checkout.clone(),
            include: Vec::new(),
            submodules: repository.recurse_submodules,
            ignore: repository.ignore.clone(),
            previous: known.filter(|_| same).map(|known| known.revision.clone()),
        };
        let found = source::git::fetch(&self.sources.client, &request).await;
        let found = found.map_err(|error| FetchFailure {
            reason: error.reason().to_string(),
            message: error.message(),
            stalled: error.retry() == Retry::Never,
            storage: false,
        })?;
        match (found, known) {
            (source::Fetched::New(checkout), _) => self.store(repository, checkout).await,
            (source::Fetched::Unchanged { .. }, Some(known)) => Ok(Fetched {
                artifact: Artifact {
                    url: self.sources.storage.url(&known.path),
                    ..known.clone()
                },
                subject: String::new(),
                is_new: false,
            }),
            (source::Fetched::Unchanged { revision }, None) => Err(FetchFailure {
                reason: "GitOperationFailed".into(),
                message: format!("nothing is stored of revision {revision}"),
                stalled: false,
                storage: false,
            }),
        }
    }

    async fn store(
        &self,
        repository: &GitRepository,
        checkout: Checkout,
    ) -> Result<Fetched, FetchFailure> {
        let key = &repository.meta.key;
        let place = ArtifactKey::git_repository(&key.namespace, &key.name);
        let storage = self.sources.storage.clone();
        let now = self.options.clock.now();
        let subject = checkout.subject.clone();
        let artifact = blocking(move || {
            let stem = checkout.commit.to_string();
            storage.store(&place, &stem, &checkout.revision, &checkout.tree, now)
        });
        let artifact = artifact.await.map_err(|error| FetchFailure {
            reason: error.reason().to_string(),
            message: error.to_diagnostic().one_line(),
            stalled: error.retry() == Retry::Never,
            storage: true,
        })?;
        let known = repository.status.artifact.as_ref();
        Ok(Fetched {
            is_new: known.is_none_or(|known| known.digest != artifact.digest),
            artifact,
            subject,
        })
    }

    /// What the Secret of a repository says about who we are and whom to trust.
    async fn access(&self, repository: &GitRepository) -> Result<Access, FetchFailure> {
        if repository.secret.is_empty() {
            return Ok(Access::default());
        }
        let data = self.secret(repository, &repository.secret).await?;
        source::secret::read(&data).map_err(|error| {
            let shown = format!("{}/{}", repository.meta.namespace(), repository.secret);
            unauthenticated(format!("secret '{shown}': {error}"))
        })
    }

    /// The proxy a repository names.
    async fn proxy(&self, repository: &GitRepository) -> Result<Option<Proxy>, FetchFailure> {
        if repository.proxy_secret.is_empty() {
            return Ok(None);
        }
        let data = self.secret(repository, &repository.proxy_secret).await?;
        let text = |key: &str| String::from_utf8(data.get(key)?.clone()).ok();
        let Some(address) = text("address") else {
            let name = &repository.proxy_secret;
            let message = format!("invalid proxy secret '{name}': key 'address' is missing");
            return Err(unauthenticated(message));
        };
        Ok(Some(Proxy {
            address,
            login: text("username").zip(text("password")),
        }))
    }

    /// The keys and values of a Secret beside a repository.
    async fn secret(
        &self,
        repository: &GitRepository,
        name: &str,
    ) -> Result<BTreeMap<String, Vec<u8>>, FetchFailure> {
        let namespace = repository.meta.namespace();
        let failed = |why: String| {
            unauthenticated(format!("failed to get secret '{namespace}/{name}': {why}"))
        };
        let kind = GroupVersionKind::new("v1", "Secret");
        let secret = self.control_plane().get(&kind, namespace, name).await;
        match secret {
            Ok(Some(secret)) => Ok(secret_data(&secret)),
            Ok(None) => Err(failed(format!("secrets \"{name}\" not found"))),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    async fn report_repository(&self, object: &Object, report: Report) -> Result<(), ApiError> {
        let written = self
            .write_status(object, report.status.to_node(), CONTROLLER)
            .await?;
        let now = self.options.clock.now();
        for event in report.events {
            self.recorder.tell(CONTROLLER, &written, event, now);
        }
        let wake = report.wake.map(|at| self.instant(at));
        self.repository_queue.schedule(object.key(), wake);
        Ok(())
    }

    async fn report_unreadable(
        &self,
        object: &Object,
        failure: &FetchFailure,
    ) -> Result<(), ApiError> {
        let meta = api::Meta::read(object);
        let status = crate::engine::unreadable_status(
            object,
            &meta,
            &failure.message,
            self.options.clock.now(),
        );
        self.write_status(object, status, CONTROLLER).await?;
        Ok(())
    }
}

/// Runs work for the disk beside the threads that wait for answers.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StorageError> + Send + 'static,
) -> Result<T, StorageError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(StorageError::Read(std::io::Error::other(error))),
    }
}

fn unauthenticated(message: String) -> FetchFailure {
    FetchFailure {
        reason: "AuthenticationFailed".into(),
        message,
        stalled: false,
        storage: false,
    }
}
