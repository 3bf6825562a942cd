//! What a control plane holds before its controllers start: definitions, and the sample.

use std::time::Duration;

use cluster::{Apply, Cluster};
use object::{Node, Object};
use runtime::{Clock, SystemClock};

use super::embedded::Embedded;
use crate::exit::{Exit, Failure};
use crate::sample::Sample;

/// Name under which the platform itself owns fields.
pub(super) const MANAGER: &str = "fleetwright";

/// Namespace of the samples' sources and units.
const NAMESPACE: &str = "flux-system";

/// Longest wait for the kinds served to be established.
pub(super) const ESTABLISH_TIME_MAX: Duration = Duration::from_secs(30);

/// Which definitions are installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Definitions {
    /// Flux's kinds.
    Flux,
    /// Those of components, too.
    All,
}

/// Applies the definitions of the kinds served and waits until they are.
pub async fn install_definitions(cluster: &Cluster, which: Definitions) -> Result<(), Failure> {
    let mut kinds = vec![api::git_repository_kind(), api::kustomization_kind()];
    let mut definitions = api::custom_resource_definitions();
    if which == Definitions::All {
        let components = api::openchoreo::Kind::ALL.iter();
        kinds.extend(components.map(|kind| kind.group_version_kind()));
        definitions.extend(api::openchoreo::custom_resource_definitions());
    }
    for definition in definitions {
        apply(cluster, definition).await?;
    }
    let served = async {
        for kind in kinds {
            while cluster.mapping(&kind).await.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    };
    let waited = tokio::time::timeout(ESTABLISH_TIME_MAX, served).await;
    waited.map_err(|_| Failure::plain(Exit::TimedOut, "the CRDs are not established in time"))
}

pub(super) async fn apply(cluster: &Cluster, node: Node) -> Result<(), Failure> {
    let how = Apply {
        manager: MANAGER,
        force: true,
        dry_run: false,
        subresource: "",
    };
    cluster.apply(&Object::new(node), how).await?;
    Ok(())
}

/// Makes the repositories of the samples, and applies what brings them to their clusters.
pub(super) async fn set_up_samples(
    control_plane: &Cluster,
    git: &::git::server::Server,
    embedded: Option<&Embedded>,
    samples: &[Sample],
) -> Result<(), Failure> {
    commit_samples(git, samples)?;
    let mut namespace = Node::map();
    namespace.set(&["apiVersion"], "v1");
    namespace.set(&["kind"], "Namespace");
    namespace.set(&["metadata", "name"], NAMESPACE);
    apply(control_plane, namespace).await?;
    for (name, kubeconfig) in embedded
        .into_iter()
        .flat_map(|embedded| &embedded.kubeconfigs)
    {
        let mut secret = Node::map();
        secret.set(&["apiVersion"], "v1");
        secret.set(&["kind"], "Secret");
        secret.set(&["metadata", "name"], format!("{name}-kubeconfig"));
        secret.set(&["metadata", "namespace"], NAMESPACE);
        secret.set(&["stringData", "value"], kubeconfig.as_str());
        apply(control_plane, secret).await?;
    }
    for sample in samples {
        let documents = yaml::load(sample.bootstrap, &yaml::Limits::default());
        for document in documents.map_err(|error| anyhow::anyhow!(error))? {
            apply(control_plane, document.node).await?;
        }
    }
    Ok(())
}

/// Makes the repositories of the samples, but for those that a data folder has already.
fn commit_samples(git: &::git::server::Server, samples: &[Sample]) -> Result<(), Failure> {
    let known = git.list();
    let wanted = samples
        .iter()
        .filter(|sample| !known.iter().any(|name| name == sample.repository));
    for sample in wanted {
        let name = sample.repository;
        let failed = |error: &dyn std::error::Error| {
            let message = format!("cannot make the repository {name} of the sample: {error}");
            Failure::plain(Exit::Unreadable, message)
        };
        git.create(name, "main").map_err(|error| failed(&error))?;
        let author = ::git::Signature {
            name: "Fleetwright".into(),
            email: "demo@example.com".into(),
            seconds: SystemClock.now().unix(),
            offset_minutes: 0,
        };
        let commit = ::git::NewCommit {
            branch: "main",
            onto: None,
            tree: &(sample.files)(),
            author: author.clone(),
            committer: author,
            message: sample.message,
        };
        git.commit(name, &commit).map_err(|error| failed(&error))?;
    }
    Ok(())
}
