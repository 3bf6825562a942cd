//! Deleting objects: preconditions, finalizers, grace.
//!
//! # Source
//! kubernetes/apiserver `pkg/registry/generic/registry/store.go`, `pkg/registry/rest/delete.go`.

use std::sync::Arc;

use golang::{Duration, Timestamp};
use object::{Map, Node, Text};

use crate::builtin::traits;
use crate::call::{Call, Target, finalizers, is_deleting, meta, set_finalizers, stamp};
use crate::options::DeleteOptions;
use crate::{Refusal, ResourceType, Stored, admission};

/// The finalizer of an owner that waits for its dependents.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
/// The finalizer of an owner that leaves its dependents behind.
pub(crate) const ORPHAN: &str = "orphan";

const JOB_WARNING: &str = "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning";

/// What came of a delete.
pub(crate) struct Deleted {
    /// The object as it was last, in its storage version.
    pub object: Node,
    /// It is gone.
    pub removed: bool,
    /// Whether the answer shows the object rather than a Status.
    pub show: bool,
}

/// Whether and how long an object may take to end.
enum Grace {
    /// It does not take time.
    None,
    /// It ends at its own pace, which was set just now.
    Begun(i64),
    /// It ends at its own pace already.
    Pending,
}

impl Call<'_> {
    /// Deletes the target, or begins to.
    pub(crate) fn delete(
        &mut self,
        target: &Target<'_>,
        options: &DeleteOptions,
    ) -> Result<Deleted, Refusal> {
        let resource = target.resource;
        let Some(live) = self.live(resource, target.namespace, target.name) else {
            return Err(Refusal::not_found(resource, target.name));
        };
        protect(resource, target.name)?;
        check_preconditions(resource, target.name, &live, options)?;
        admission::validate(self, target, None, Some(&live.node))?;
        let shows = traits(&resource.storage).delete_returns_object;
        if resource.storage == "namespaces" {
            return Ok(self.delete_namespace(target, &live, options));
        }
        let mut object = live.node.clone();
        let grace = self.grace(resource, &mut object, options);
        if matches!(grace, Grace::Pending) {
            return Ok(Deleted {
                object,
                removed: false,
                show: true,
            });
        }
        if let Some(changed) = self.dependents_finalizers(resource, &object, options) {
            set_finalizers(&mut object, &changed);
        }
        crate::strategy::begin_delete(target, &mut object);
        if resource.kind == "Job" && resource.group == "batch" && !options.explicit && !self.trusted
        {
            self.warnings.push(JOB_WARNING.to_owned());
        }
        let held = !finalizers(&object).is_empty();
        let key = target.key(target.name);
        match grace {
            Grace::Begun(seconds) => {
                let object = self.store(resource, key.clone(), Some(object));
                if held || seconds > 0 {
                    return Ok(Deleted {
                        object,
                        removed: false,
                        show: true,
                    });
                }
                let removed = self.store(resource, key, None);
                let object = if self.dry_run { object } else { removed };
                Ok(Deleted {
                    object,
                    removed: true,
                    show: shows,
                })
            }
            _ if held => {
                self.mark_deleting(&mut object);
                let object = if object == live.node {
                    object
                } else {
                    self.store(resource, key, Some(object))
                };
                Ok(Deleted {
                    object,
                    removed: false,
                    show: true,
                })
            }
            _ => {
                let object = self.store(resource, key, None);
                Ok(Deleted {
                    object,
                    removed: true,
                    show: shows,
                })
            }
        }
    }

    fn mark_deleting(&self, object: &mut Node) {
        if !is_deleting(object) {
            // Definitions have a delete of their own upstream, without grace and generation.
            if object.str_at(&["kind"]) != Some("CustomResourceDefinition") {
                bump_generation(object);
            }
            object.set(&["metadata", "deletionTimestamp"], self.now());
        }
        if object.str_at(&["kind"]) != Some("CustomResourceDefinition") {
            object.set(&["metadata", "deletionGracePeriodSeconds"], 0);
        }
    }

    /// Decides how long the object may take, and sets it.
    fn grace(&self, resource: &ResourceType, object: &mut Node, options: &DeleteOptions) -> Grace {
        let wanted = options.deletion.grace_period_seconds;
        let current = object
            .at(&["metadata", "deletionGracePeriodSeconds"])
            .and_then(Node::as_i64);
        if is_deleting(object) {
            let Some(current) = current else {
                return Grace::None;
            };
            let Some(seconds) = wanted.filter(|seconds| *seconds < current) else {
                return Grace::Pending;
            };
            let end: Timestamp = meta(object, "deletionTimestamp")
                .parse()
                .unwrap_or(self.env.now);
            let end = end.minus(seconds_of(current)).plus(seconds_of(seconds));
            object.set(&["metadata", "deletionTimestamp"], stamp(end));
            object.set(&["metadata", "deletionGracePeriodSeconds"], seconds);
            return Grace::Begun(seconds);
        }
        if resource.storage != "pods" {
            return Grace::None;
        }
        let own = object
            .at(&["spec", "terminationGracePeriodSeconds"])
            .and_then(Node::as_i64);
        let scheduled = object
            .str_at(&["spec", "nodeName"])
            .is_some_and(|node| !node.is_empty());
        let ended = matches!(
            object.str_at(&["status", "phase"]),
            Some("Succeeded" | "Failed")
        );
        let seconds = match wanted.or(own).unwrap_or_default() {
            _ if !scheduled || ended => 0,
            negative if negative < 0 => 1,
            seconds => seconds,
        };
        let end = self.env.now.plus(seconds_of(seconds));
        object.set(&["metadata", "deletionTimestamp"], stamp(end));
        object.set(&["metadata", "deletionGracePeriodSeconds"], seconds);
        bump_generation(object);
        Grace::Begun(seconds)
    }

    /// The finalizers after the client's wish about dependents; `None` when they stay.
    fn dependents_finalizers(
        &self,
        resource: &ResourceType,
        object: &Node,
        options: &DeleteOptions,
    ) -> Option<Vec<Text>> {
        let before = finalizers(object);
        let has = |name: &str| before.iter().any(|finalizer| finalizer == name);
        let wish = options.deletion.propagation_policy.as_deref();
        let (orphan, foreground) = match wish {
            Some(wish) => (wish == "Orphan", wish == "Foreground"),
            None if has(ORPHAN) => (true, false),
            None if has(FOREGROUND) => (false, true),
            None => (traits(&resource.storage).orphans_by_default, false),
        };
        let mut after: Vec<Text> = before
            .iter()
            .filter(|name| *name != ORPHAN && *name != FOREGROUND)
            .cloned()
            .collect();
        if orphan {
            after.push(ORPHAN.into());
        }
        if foreground {
            after.push(FOREGROUND.into());
        }
        let same = before.len() == after.len() && before.iter().all(|name| after.contains(name));
        (!same).then_some(after)
    }

    fn delete_namespace(
        &mut self,
        target: &Target<'_>,
        live: &Arc<Stored>,
        options: &DeleteOptions,
    ) -> Deleted {
        let resource = target.resource;
        let key = target.key(target.name);
        let mut object = live.node.clone();
        if !is_deleting(&object) {
            object.set(&["metadata", "deletionTimestamp"], self.now());
            object.set(&["status", "phase"], "Terminating");
            if let Some(changed) = self.dependents_finalizers(resource, &object, options) {
                set_finalizers(&mut object, &changed);
            }
            let object = self.store(resource, key, Some(object));
            return Deleted {
                object,
                removed: false,
                show: true,
            };
        }
        let held = object
            .at(&["spec", "finalizers"])
            .and_then(Node::as_list)
            .is_some_and(|list| !list.is_empty());
        if held || !finalizers(&object).is_empty() {
            return Deleted {
                object,
                removed: false,
                show: true,
            };
        }
        let object = self.store(resource, key, None);
        Deleted {
            object,
            removed: true,
            show: true,
        }
    }
}

fn seconds_of(seconds: i64) -> Duration {
    Duration(seconds.saturating_mul(1_000_000_000))
}

fn bump_generation(object: &mut Node) {
    let generation = object
        .at(&["metadata", "generation"])
        .and_then(Node::as_i64)
        .unwrap_or_default();
    if generation > 0 {
        object.set(&["metadata", "generation"], generation + 1);
    }
}

/// The namespaces a cluster cannot be without.
fn protect(resource: &ResourceType, name: &str) -> Result<(), Refusal> {
    let protected = matches!(name, "default" | "kube-system" | "kube-public");
    match resource.storage == "namespaces" && protected {
        true => Err(Refusal::not_admitted(
            resource,
            name,
            "this namespace may not be deleted",
        )),
        false => Ok(()),
    }
}

fn check_preconditions(
    resource: &ResourceType,
    name: &str,
    live: &Stored,
    options: &DeleteOptions,
) -> Result<(), Refusal> {
    let refuse = |problem: String| {
        let message = format!(
            "Operation cannot be fulfilled on {} {name:?}: {problem}",
            resource.kind_qualified()
        );
        Err(Refusal {
            name: name.into(),
            group: resource.group.clone(),
            kind: resource.kind.clone(),
            ..Refusal::new(409, "Conflict", message)
        })
    };
    let uid = meta(live, "uid");
    if let Some(wanted) = options
        .deletion
        .uid
        .as_deref()
        .filter(|wanted| *wanted != uid)
    {
        return refuse(format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). The object might have been deleted and then recreated"
        ));
    }
    let version = live.version.to_string();
    if let Some(wanted) = options
        .deletion
        .resource_version
        .as_deref()
        .filter(|wanted| *wanted != version)
    {
        return refuse(format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({version}). The object might have been modified"
        ));
    }
    Ok(())
}

/// The Status of a finished deletion.
pub(crate) fn success(resource: &ResourceType, object: &Node) -> Node {
    let mut details = Map::new();
    details.insert("name", meta(object, "name"));
    if !resource.group.is_empty() {
        details.insert("group", resource.group.clone());
    }
    details.insert("kind", resource.plural.clone());
    details.insert("uid", meta(object, "uid"));
    let mut status: Map = [("kind", "Status"), ("apiVersion", "v1")]
        .into_iter()
        .collect();
    status.insert("metadata", Node::map());
    status.insert("status", "Success");
    status.insert("details", details);
    status.into()
}
