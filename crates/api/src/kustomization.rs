//! Kustomization: keeps the objects of one folder of a source applied to one cluster.

use golang::Duration;
use object::{Node, Object, ObjectKey};

use crate::read::Fields;
use crate::{Conditions, InvalidSpec, Meta};

/// Shortest time for building, applying and waiting, whatever the spec says.
const TIMEOUT_MIN: Duration = Duration::from_seconds(30);

/// A Kustomization, as far as decisions need it.
#[derive(Clone, Debug, PartialEq)]
pub struct Kustomization {
    /// Its metadata.
    pub meta: Meta,
    /// Where the files come from.
    pub source: SourceReference,
    /// Folder in the source.
    pub path: String,
    /// How often to compare when nothing calls for it sooner.
    pub interval: Duration,
    /// When to try again after a failure.
    pub retry_interval: Duration,
    /// Longest time for building, applying and waiting.
    pub timeout: Duration,
    /// Whether objects that left the source are deleted.
    pub prune: bool,
    /// What happens to the objects when this one is deleted.
    pub deletion_policy: DeletionPolicy,
    /// Kustomizations that have to be ready first.
    pub depends_on: Vec<Dependency>,
    /// Whether every applied object has to be healthy.
    pub wait: bool,
    /// Objects whose health decides, unless `wait`.
    pub health_checks: Vec<HealthCheck>,
    /// Health rules of kinds that do not say in the usual way.
    pub health_expressions: Vec<HealthExpressions>,
    /// Namespace every object is put into; empty for none.
    pub target_namespace: String,
    /// Text before every name.
    pub name_prefix: String,
    /// Text after every name.
    pub name_suffix: String,
    /// Labels set on every object.
    pub common_labels: Vec<(String, String)>,
    /// Annotations set on every object.
    pub common_annotations: Vec<(String, String)>,
    /// Patches applied after those of the file.
    pub patches: Vec<Patch>,
    /// Images to replace.
    pub images: Vec<Image>,
    /// Components to add.
    pub components: Vec<String>,
    /// Whether missing components are left out.
    pub ignore_missing_components: bool,
    /// Facts about the build written into annotations.
    pub build_metadata: Vec<String>,
    /// Variables and their values.
    pub substitute: Vec<(String, String)>,
    /// ConfigMaps and Secrets whose keys are variables.
    pub substitute_from: Vec<SubstituteFrom>,
    /// Whether to substitute although there is no variable.
    pub substitute_always: bool,
    /// Whether objects are created again when a fixed field has to change.
    pub force: bool,
    /// Fields whose live value is left alone: JSON pointers and the objects they are for.
    pub ignore: Vec<(Vec<String>, Selector)>,
    /// Service account whose rights are used; empty for our own.
    pub service_account: String,
    /// Secret with the kubeconfig of another cluster, and its key; both empty for this cluster.
    pub kube_config: (String, String),
    /// Whether reconciling is stopped.
    pub suspend: bool,
    /// Fields of the spec that are set and not served here.
    pub unserved: Vec<&'static str>,
    /// What was applied last.
    pub status: KustomizationStatus,
}

/// The source of a Kustomization.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceReference {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
}

/// What happens to the objects of a deleted Kustomization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeletionPolicy {
    /// They go if `prune` is set.
    #[default]
    MirrorPrune,
    /// They go.
    Delete,
    /// They go, and deletion waits until they are gone.
    WaitForTermination,
    /// They stay.
    Orphan,
}

/// A Kustomization that has to be ready first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dependency {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: String,
    /// CEL expression over `self` and `dep`; empty for the Ready condition.
    pub ready_expression: String,
}

/// An object whose health decides.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthCheck {
    /// Its API version; `apps/v1` when the spec has none.
    pub api_version: String,
    /// Its kind, namespace and name.
    pub key: ObjectKey,
}

/// Health rules of one kind, in CEL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthExpressions {
    /// API version; only its group counts.
    pub api_version: String,
    /// Kind; empty for every kind of the group.
    pub kind: String,
    /// True when the object has reached its wanted state.
    pub current: String,
    /// True while it is on its way; may be empty.
    pub in_progress: String,
    /// True when it will not get there by itself; may be empty.
    pub failed: String,
}

/// Which objects a patch or rule is for; empty fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    /// API group, a regular expression.
    pub group: String,
    /// Version, a regular expression.
    pub version: String,
    /// Kind, a regular expression.
    pub kind: String,
    /// Namespace, a regular expression.
    pub namespace: String,
    /// Name, a regular expression.
    pub name: String,
    /// Selector over labels.
    pub label_selector: String,
    /// Selector over annotations.
    pub annotation_selector: String,
}

/// A patch in a spec.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Patch {
    /// The patch, YAML or JSON.
    pub patch: String,
    /// Which objects it is for.
    pub target: Option<Selector>,
}

/// An image to replace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Image {
    /// Name to look for.
    pub name: String,
    /// Name to put in its place; empty keeps it.
    pub new_name: String,
    /// Tag to put in its place; empty keeps it.
    pub new_tag: String,
    /// Digest to pin; empty keeps it.
    pub digest: String,
}

/// A ConfigMap or Secret whose keys are variables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubstituteFrom {
    /// `ConfigMap` or `Secret`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Whether its absence is no error.
    pub optional: bool,
}

/// What a Kustomization's status says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KustomizationStatus {
    /// Generation it speaks about; -1 before the first look.
    pub observed_generation: i64,
    /// What is true now.
    pub conditions: Conditions,
    /// Revision last applied without an error.
    pub last_applied_revision: String,
    /// Revision of the upstream the applied files were made from.
    pub last_applied_origin_revision: String,
    /// Revision last tried.
    pub last_attempted_revision: String,
    /// Applied objects: `id` and `v` of each entry.
    pub inventory: Vec<(String, String)>,
    /// Whether the status has an inventory at all, be it empty.
    pub has_inventory: bool,
    /// Past outcomes, newest first, as they stand in the object.
    pub history: Vec<Node>,
    /// The request that was last acted on.
    pub last_handled_reconcile_at: String,
}

impl Kustomization {
    /// Reads an object of this kind.
    ///
    /// # Errors
    /// [`InvalidSpec`] names the first field that cannot be read.
    pub fn read(object: &Object) -> Result<Self, InvalidSpec> {
        let root = Fields::new(&object.node);
        let empty = Node::map();
        let spec = root.map("spec")?.unwrap_or(Fields::new(&empty));
        let child = |key: &str| Ok::<_, InvalidSpec>(spec.map(key)?.unwrap_or(Fields::new(&empty)));
        let meta = Meta::read(object);
        let interval = spec.duration("interval")?.unwrap_or(TIMEOUT_MIN);
        let timeout = match spec.duration("timeout")? {
            Some(timeout) => timeout,
            None => interval.minus(Duration::from_seconds(30)),
        };
        let common = child("commonMetadata")?;
        let post_build = child("postBuild")?;
        let secret = match child("kubeConfig")?.map("secretRef")? {
            None => (String::new(), String::new()),
            Some(fields) => (fields.text("name")?, fields.text("key")?),
        };
        Ok(Self {
            source: source(&child("sourceRef")?, &meta)?,
            path: spec.text("path")?,
            interval,
            retry_interval: spec.duration("retryInterval")?.unwrap_or(interval),
            timeout: timeout.max(TIMEOUT_MIN),
            prune: spec.flag("prune")?,
            deletion_policy: match spec.text("deletionPolicy")?.as_str() {
                "Delete" => DeletionPolicy::Delete,
                "WaitForTermination" => DeletionPolicy::WaitForTermination,
                "Orphan" => DeletionPolicy::Orphan,
                _ => DeletionPolicy::MirrorPrune,
            },
            depends_on: each(&spec, "dependsOn", |fields| {
                let namespace = fields.text("namespace")?;
                Ok(Dependency {
                    name: fields.text("name")?,
                    namespace: or(namespace, meta.namespace()),
                    ready_expression: fields.text("readyExpr")?,
                })
            })?,
            wait: spec.flag("wait")?,
            health_checks: each(&spec, "healthChecks", health_check)?,
            health_expressions: each(&spec, "healthCheckExprs", |fields| {
                Ok(HealthExpressions {
                    api_version: fields.text("apiVersion")?,
                    kind: fields.text("kind")?,
                    current: fields.text("current")?,
                    in_progress: fields.text("inProgress")?,
                    failed: fields.text("failed")?,
                })
            })?,
            target_namespace: spec.text("targetNamespace")?,
            name_prefix: spec.text("namePrefix")?,
            name_suffix: spec.text("nameSuffix")?,
            common_labels: common.text_map("labels")?,
            common_annotations: common.text_map("annotations")?,
            patches: each(&spec, "patches", |fields| {
                Ok(Patch {
                    patch: fields.text("patch")?,
                    target: fields.map("target")?.map(|f| selector(&f)).transpose()?,
                })
            })?,
            images: each(&spec, "images", |fields| {
                Ok(Image {
                    name: fields.text("name")?,
                    new_name: fields.text("newName")?,
                    new_tag: fields.text("newTag")?,
                    digest: fields.text("digest")?,
                })
            })?,
            components: spec.texts("components")?,
            ignore_missing_components: spec.flag("ignoreMissingComponents")?,
            build_metadata: spec.texts("buildMetadata")?,
            substitute: post_build.text_map("substitute")?,
            substitute_from: each(&post_build, "substituteFrom", |fields| {
                Ok(SubstituteFrom {
                    kind: fields.text("kind")?,
                    name: fields.text("name")?,
                    optional: fields.flag("optional")?,
                })
            })?,
            substitute_always: post_build.text("substituteStrategy")? == "Always",
            force: spec.flag("force")?,
            ignore: each(&spec, "ignore", |fields| {
                let target = fields.map("target")?.map(|f| selector(&f)).transpose()?;
                Ok((fields.texts("paths")?, target.unwrap_or_default()))
            })?,
            service_account: spec.text("serviceAccountName")?,
            kube_config: secret,
            suspend: spec.flag("suspend")?,
            unserved: unserved(object),
            status: KustomizationStatus::read(object),
            meta,
        })
    }

    /// Whether the objects are on another cluster than this one.
    pub fn is_remote(&self) -> bool {
        !self.kube_config.0.is_empty()
    }
}

impl KustomizationStatus {
    fn read(object: &Object) -> Self {
        let empty = Node::map();
        let status = object.node.get("status").unwrap_or(&empty);
        let text = |key: &str| status.str_at(&[key]).unwrap_or_default().to_owned();
        let list = |keys: &[&str]| status.at(keys).and_then(Node::as_list).unwrap_or(&[]);
        Self {
            observed_generation: status
                .get("observedGeneration")
                .and_then(Node::as_i64)
                .unwrap_or(-1),
            conditions: Conditions::read(status.get("conditions")),
            last_applied_revision: text("lastAppliedRevision"),
            last_applied_origin_revision: text("lastAppliedOriginRevision"),
            last_attempted_revision: text("lastAttemptedRevision"),
            inventory: list(&["inventory", "entries"])
                .iter()
                .filter_map(|entry| {
                    let id = entry.str_at(&["id"])?.to_owned();
                    Some((id, entry.str_at(&["v"]).unwrap_or_default().to_owned()))
                })
                .collect(),
            has_inventory: status.get("inventory").is_some(),
            history: list(&["history"]).to_vec(),
            last_handled_reconcile_at: text("lastHandledReconcileAt"),
        }
    }

    /// The status as it stands in the object.
    pub fn to_node(&self) -> Node {
        let mut node = Node::map();
        node.set(&["conditions"], self.conditions.to_node());
        if !self.history.is_empty() {
            node.set(&["history"], Node::list(self.history.iter().cloned()));
        }
        if self.has_inventory {
            node.set(&["inventory", "entries"], self.inventory_node());
        }
        let texts = [
            (
                "lastAppliedOriginRevision",
                &self.last_applied_origin_revision,
            ),
            ("lastAppliedRevision", &self.last_applied_revision),
            ("lastAttemptedRevision", &self.last_attempted_revision),
            ("lastHandledReconcileAt", &self.last_handled_reconcile_at),
        ];
        for (key, text) in texts {
            if !text.is_empty() {
                node.set(&[key], text.as_str());
            }
        }
        node.set(&["observedGeneration"], self.observed_generation);
        node
    }

    fn inventory_node(&self) -> Node {
        Node::list(self.inventory.iter().map(|(id, version)| {
            let mut entry = Node::map();
            entry.set(&["id"], id.as_str());
            entry.set(&["v"], version.as_str());
            entry
        }))
    }
}

fn source(fields: &Fields<'_>, meta: &Meta) -> Result<SourceReference, InvalidSpec> {
    Ok(SourceReference {
        kind: fields.text("kind")?,
        name: fields.text("name")?,
        namespace: or(fields.text("namespace")?, meta.namespace()),
    })
}

fn health_check(fields: &Fields<'_>) -> Result<HealthCheck, InvalidSpec> {
    let api_version = or(fields.text("apiVersion")?, "apps/v1");
    let kind = fields.text("kind")?;
    let kind = object::GroupVersionKind::new(&api_version, &kind);
    Ok(HealthCheck {
        key: ObjectKey {
            group: kind.group,
            kind: kind.kind,
            namespace: fields.text("namespace")?.into(),
            name: fields.text("name")?.into(),
        },
        api_version,
    })
}

fn selector(fields: &Fields<'_>) -> Result<Selector, InvalidSpec> {
    Ok(Selector {
        group: fields.text("group")?,
        version: fields.text("version")?,
        kind: fields.text("kind")?,
        namespace: fields.text("namespace")?,
        name: fields.text("name")?,
        label_selector: fields.text("labelSelector")?,
        annotation_selector: fields.text("annotationSelector")?,
    })
}

fn each<'a, T>(
    fields: &Fields<'a>,
    key: &str,
    read: impl Fn(&Fields<'a>) -> Result<T, InvalidSpec>,
) -> Result<Vec<T>, InvalidSpec> {
    fields.maps(key)?.iter().map(read).collect()
}

fn or(text: String, default: &str) -> String {
    if text.is_empty() {
        default.to_owned()
    } else {
        text
    }
}

/// Fields that are set but change nothing here, so that their owner can be told.
fn unserved(object: &Object) -> Vec<&'static str> {
    let mut fields = Vec::new();
    if object.node.at(&["spec", "decryption"]).is_some() {
        fields.push("decryption");
    }
    if object
        .node
        .at(&["spec", "kubeConfig", "configMapRef"])
        .is_some()
    {
        fields.push("kubeConfig.configMapRef");
    }
    fields
}
