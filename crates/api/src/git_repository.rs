//! GitRepository: fetches the files of a Git repository.

use golang::Duration;
use object::{Node, Object};

use crate::read::Fields;
use crate::{Conditions, InvalidSpec, Meta};

/// Longest time for one operation on the remote when the spec does not say.
const TIMEOUT_DEFAULT: Duration = Duration::from_seconds(60);

/// A GitRepository, as far as decisions need it.
#[derive(Clone, Debug, PartialEq)]
pub struct GitRepository {
    /// Its metadata.
    pub meta: Meta,
    /// Address as written.
    pub url: String,
    /// Which revision.
    pub reference: GitReference,
    /// How often to look.
    pub interval: Duration,
    /// Longest time for one operation on the remote.
    pub timeout: Duration,
    /// Name of the Secret with credentials; empty for none.
    pub secret: String,
    /// Name of the Secret with a proxy; empty for the environment's.
    pub proxy_secret: String,
    /// Folders to take; all when empty.
    pub sparse_checkout: Vec<String>,
    /// Whether submodules are fetched too.
    pub recurse_submodules: bool,
    /// Files to leave out, in gitignore syntax; `None` keeps the built-in list.
    pub ignore: Option<String>,
    /// Whether reconciling is stopped.
    pub suspend: bool,
    /// Fields of the spec that are set and not served here.
    pub unserved: Vec<&'static str>,
    /// What was fetched last.
    pub status: GitRepositoryStatus,
}

/// Which revision of a repository; the first that is set, in the order commit, name, semver, tag,
/// branch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitReference {
    /// Tip of a branch.
    pub branch: String,
    /// A tag.
    pub tag: String,
    /// Highest tag in a range of versions.
    pub semver: String,
    /// A reference by its full name.
    pub name: String,
    /// A commit.
    pub commit: String,
}

/// What a GitRepository's status says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GitRepositoryStatus {
    /// Generation it speaks about; -1 before the first look.
    pub observed_generation: i64,
    /// What is true now.
    pub conditions: Conditions,
    /// The archive of the last fetched revision.
    pub artifact: Option<Artifact>,
    /// The `ignore` the archive was made with.
    pub observed_ignore: Option<String>,
    /// The `recurseSubmodules` the archive was made with.
    pub observed_recurse_submodules: bool,
    /// The `sparseCheckout` the archive was made with.
    pub observed_sparse_checkout: Vec<String>,
    /// The request that was last acted on.
    pub last_handled_reconcile_at: String,
}

/// A stored archive of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Artifact {
    /// `ALGORITHM:HEX` of the archive.
    pub digest: String,
    /// Place below the storage root.
    pub path: String,
    /// Address it is served at.
    pub url: String,
    /// Revision of the source, as `main@sha1:…`.
    pub revision: String,
    /// When it was made, RFC 3339.
    pub last_update_time: String,
    /// Bytes.
    pub size: i64,
    /// Revision of the upstream the files were made from; empty when it is the source itself.
    pub origin_revision: String,
}

impl GitRepository {
    /// Reads an object of this kind.
    ///
    /// # Errors
    /// [`InvalidSpec`] names the first field that cannot be read.
    pub fn read(object: &Object) -> Result<Self, InvalidSpec> {
        let root = Fields::new(&object.node);
        let empty = Node::map();
        let spec = root.map("spec")?.unwrap_or(Fields::new(&empty));
        let reference = match spec.map("ref")? {
            None => GitReference::default(),
            Some(fields) => GitReference {
                branch: fields.text("branch")?,
                tag: fields.text("tag")?,
                semver: fields.text("semver")?,
                name: fields.text("name")?,
                commit: fields.text("commit")?,
            },
        };
        let secret = match spec.map("secretRef")? {
            None => String::new(),
            Some(fields) => fields.text("name")?,
        };
        let proxy_secret = match spec.map("proxySecretRef")? {
            None => String::new(),
            Some(fields) => fields.text("name")?,
        };
        let ignore = object.node.str_at(&["spec", "ignore"]).map(str::to_owned);
        Ok(Self {
            meta: Meta::read(object),
            url: spec.text("url")?,
            reference,
            interval: spec.duration("interval")?.unwrap_or(TIMEOUT_DEFAULT),
            timeout: spec.duration("timeout")?.unwrap_or(TIMEOUT_DEFAULT),
            secret,
            proxy_secret,
            sparse_checkout: spec.texts("sparseCheckout")?,
            recurse_submodules: spec.flag("recurseSubmodules")?,
            ignore,
            suspend: spec.flag("suspend")?,
            unserved: unserved(object),
            status: GitRepositoryStatus::read(object),
        })
    }
}

impl GitRepositoryStatus {
    fn read(object: &Object) -> Self {
        let status = object.node.get("status");
        let text = |key: &str| status?.str_at(&[key]).map(str::to_owned);
        Self {
            observed_generation: status
                .and_then(|status| status.get("observedGeneration")?.as_i64())
                .unwrap_or(-1),
            conditions: Conditions::read(status.and_then(|status| status.get("conditions"))),
            artifact: status.and_then(|status| Artifact::read(status.get("artifact")?)),
            observed_ignore: text("observedIgnore"),
            observed_recurse_submodules: status
                .and_then(|status| status.get("observedRecurseSubmodules")?.as_bool())
                .unwrap_or(false),
            observed_sparse_checkout: status
                .and_then(|status| status.get("observedSparseCheckout")?.as_list())
                .unwrap_or(&[])
                .iter()
                .filter_map(|folder| Some(folder.as_str()?.to_owned()))
                .collect(),
            last_handled_reconcile_at: text("lastHandledReconcileAt").unwrap_or_default(),
        }
    }

    /// The status as it stands in the object.
    pub fn to_node(&self) -> Node {
        let mut node = Node::map();
        if let Some(artifact) = &self.artifact {
            node.set(&["artifact"], artifact.to_node());
        }
        node.set(&["conditions"], self.conditions.to_node());
        if !self.last_handled_reconcile_at.is_empty() {
            let handled = self.last_handled_reconcile_at.as_str();
            node.set(&["lastHandledReconcileAt"], handled);
        }
        node.set(&["observedGeneration"], self.observed_generation);
        if let Some(ignore) = &self.observed_ignore {
            node.set(&["observedIgnore"], ignore.as_str());
        }
        if self.observed_recurse_submodules {
            node.set(&["observedRecurseSubmodules"], true);
        }
        if !self.observed_sparse_checkout.is_empty() {
            let folders = self.observed_sparse_checkout.iter().map(String::as_str);
            node.set(&["observedSparseCheckout"], Node::list(folders));
        }
        node
    }
}

impl Artifact {
    /// Reads `status.artifact`; `None` without a revision.
    pub fn read(node: &Node) -> Option<Self> {
        let text = |key: &str| node.str_at(&[key]).unwrap_or_default().to_owned();
        let origin = node.str_at(&["metadata", "org.opencontainers.image.revision"]);
        Some(Self {
            revision: node.str_at(&["revision"])?.to_owned(),
            digest: text("digest"),
            path: text("path"),
            url: text("url"),
            last_update_time: text("lastUpdateTime"),
            size: node.get("size").and_then(Node::as_i64).unwrap_or_default(),
            origin_revision: origin.unwrap_or_default().to_owned(),
        })
    }

    fn to_node(&self) -> Node {
        let mut node = Node::map();
        node.set(&["digest"], self.digest.as_str());
        node.set(&["lastUpdateTime"], self.last_update_time.as_str());
        node.set(&["path"], self.path.as_str());
        node.set(&["revision"], self.revision.as_str());
        node.set(&["size"], self.size);
        node.set(&["url"], self.url.as_str());
        node
    }
}

/// Fields that are set but change nothing here, so that their owner can be told.
fn unserved(object: &Object) -> Vec<&'static str> {
    const UNSERVED: &[&str] = &["include", "verify"];
    let set = |field: &&&str| {
        let value = object.node.at(&["spec", field]);
        !matches!(value, None | Some(Node::Null | Node::Bool(false)))
    };
    UNSERVED.iter().filter(set).copied().collect()
}
