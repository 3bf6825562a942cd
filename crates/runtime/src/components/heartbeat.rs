//! Whether the clusters of data planes answer, and what is on them of which nobody knows.

use std::collections::BTreeMap;
use std::sync::Arc;

use cluster::ErrorClass;
use control::components::{Contact, HEARTBEAT, keys, with_contact};
use control::release::{KINDS, maker};
use object::ObjectKey;
use tokio::time::Duration;

use super::Shared;
use super::planes::plane_key;

/// Longest wait for the answer of one cluster.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Path that every API server answers.
const VERSION: &str = "/version";

impl Shared {
    /// Asks every data plane in use, again and again.
    pub(super) async fn heartbeats(self: Arc<Self>) {
        let mut contacts = BTreeMap::new();
        loop {
            let planes = self.planes_in_use();
            contacts.retain(|key, _| planes.contains_key(key));
            let begun = self.engine.options.clock.now();
            let asked = planes.into_iter().map(|(key, tenant)| {
                let shared = self.clone();
                async move {
                    let answer = shared.ask(&key, &tenant).await;
                    (key, answer)
                }
            });
            for (key, answer) in futures::future::join_all(asked).await {
                let contact = contacts.entry(key.clone()).or_insert_with(|| Contact {
                    heard: begun,
                    ..Contact::default()
                });
                match answer {
                    Ok(orphans) => {
                        contact.heard = begun;
                        contact.problem = None;
                        contact.orphans = orphans;
                    }
                    Err(problem) => contact.problem = Some(problem),
                }
                self.report_contact(&key, contact).await;
            }
            tokio::time::sleep(HEARTBEAT.to_std()).await;
        }
    }

    /// The planes that releases are on, each with the namespace of one of them.
    fn planes_in_use(&self) -> BTreeMap<ObjectKey, String> {
        let mut planes = BTreeMap::new();
        let releases: Vec<_> = self
            .state
            .look(|_, objects| KINDS.iter().flat_map(|kind| objects.list(kind)).collect());
        for release in releases {
            if let Some(named) = release.annotation(keys::DATA_PLANE) {
                let key = plane_key(release.namespace(), named);
                planes.insert(key, release.namespace().to_owned());
            }
        }
        planes
    }

    /// Asks one cluster whether it is there; gives what is on it of which nobody knows.
    async fn ask(&self, plane: &ObjectKey, tenant: &str) -> Result<Vec<ObjectKey>, String> {
        let named = format!("{}/{}", plane.kind, plane.name);
        let cluster = self.plane(tenant, &named).await?;
        let answer = tokio::time::timeout(ANSWER_TIME_MAX, cluster.read(VERSION)).await;
        match answer {
            Err(_) => return Err(format!("no answer within {}s", ANSWER_TIME_MAX.as_secs())),
            Ok(Err(error)) if error.class == ErrorClass::Unreachable => {
                return Err(error.to_string());
            }
            // Whatever it says, it is there.
            Ok(_) => {}
        }
        let objects = self.planes.all(&cluster).into_iter();
        let orphans = objects.filter(|object| {
            let of = maker(object);
            !object.is_deleting() && of.is_some_and(|of| self.state.get(&of).is_none())
        });
        let mut orphans: Vec<ObjectKey> = orphans.map(|object| object.key()).collect();
        orphans.sort();
        Ok(orphans)
    }

    async fn report_contact(&self, key: &ObjectKey, contact: &Contact) {
        let Some(plane) = self.state.get(key) else {
            return;
        };
        let now = self.engine.options.clock.now();
        let status = with_contact(&plane, contact, now);
        if let Err(error) = self.write_status(&plane, status).await {
            tracing::warn!(%key, %error, "whether the data plane answers cannot be told");
        }
    }
}
