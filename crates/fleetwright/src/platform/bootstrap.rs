//! What a control plane holds before its controllers start: definitions, and the sample.

use std::time::Duration;

use cluster::{Apply, Cluster};
use object::{Node, Object};
use runtime::{Clock, SystemClock};

use super::embedded::Embedded;
use crate::exit::{Exit, Failure};
use crate::sample;

/// Name under which the platform itself owns fields.
pub(super) const MANAGER: &str = "fleetwright";

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

pub(super) async fn set_up_sample(
    control_plane: &Cluster,
    git: &::git::server::Server,
    embedded: Option<&Embedded>,
) -> Result<(), Failure> {
    commit_sample(git)?;
    let documents = yaml::load(sample::BOOTSTRAP, &yaml::Limits::default());
    let documents = documents.map_err(|error| anyhow::anyhow!(error))?;
    let mut documents = documents.into_iter().map(|document| document.node);
    if let Some(namespace) = documents.next() {
        apply(control_plane, namespace).await?;
    }
    for (name, kubeconfig) in embedded
        .into_iter()
        .flat_map(|embedded| &embedded.kubeconfigs)
    {
        let mut secret = Node::map();
        secret.set(&["apiVersion"], "v1");
        secret.set(&["kind"], "Secret");
        secret.set(&["metadata", "name"], format!("{name}-kubeconfig"));
        secret.set(&["metadata", "namespace"], "flux-system");
        secret.set(&["stringData", "value"], kubeconfig.as_str());
        apply(control_plane, secret).await?;
    }
    for document in documents {
        apply(control_plane, document).await?;
    }
    Ok(())
}

/// Makes the sample repository, unless a data folder has it already.
pub(super) fn commit_sample(git: &::git::server::Server) -> Result<(), Failure> {
    if git.list().iter().any(|name| name == sample::REPOSITORY) {
        return Ok(());
    }
    let failed = |error: &dyn std::error::Error| {
        Failure::plain(
            Exit::Unreadable,
            format!("cannot make the sample repository: {error}"),
        )
    };
    git.create(sample::REPOSITORY, "main")
        .map_err(|error| failed(&error))?;
    let tree = sample::files();
    let author = ::git::Signature {
        name: "Fleetwright".into(),
        email: "demo@example.com".into(),
        seconds: SystemClock.now().unix(),
        offset_minutes: 0,
    };
    let committed = git.commit(
        sample::REPOSITORY,
        &::git::NewCommit {
            branch: "main",
            onto: None,
            tree: &tree,
            author: author.clone(),
            committer: author,
            message: "Two clusters, their infrastructure and their apps\n",
        },
    );
    committed.map_err(|error| failed(&error))?;
    Ok(())
}
