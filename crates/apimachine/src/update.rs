//! Replacing objects.
//!
//! # Source
//! kubernetes/apiserver `pkg/registry/generic/registry/store.go`, `pkg/registry/rest/update.go`.

use std::sync::Arc;

use object::{Node, Text};
use schema::{FieldError, builtin};

use crate::builtin::traits;
use crate::call::{Call, Target, finalizers, is_deleting, meta};
use crate::create::{canonical, check_bytes, place_in_namespace};
use crate::{Refusal, Stored, admission, decode, pods, strategy};

/// What came of a write.
pub(crate) struct Written {
    /// The object as it is now, in its storage version.
    pub object: Node,
    /// It did not exist before.
    pub created: bool,
}

impl Call<'_> {
    /// Replaces the target by `object`, which is canonical and in the target's version; creates it
    /// when the kind allows that.
    pub(crate) fn update(
        &mut self,
        target: &Target<'_>,
        mut object: Node,
    ) -> Result<Written, Refusal> {
        let resource = target.resource;
        check_name(&object, target.name)?;
        place_in_namespace(&mut object, resource.namespaced, target.namespace)?;
        let Some(live) = self.live(resource, target.namespace, target.name) else {
            if !traits(&resource.storage).create_on_update || !target.subresource.is_empty() {
                return Err(Refusal::not_found(resource, target.name));
            }
            if !meta(&object, "uid").is_empty() {
                return Err(uid_precondition(target, meta(&object, "uid"), ""));
            }
            self.authorize_create(target)?;
            let object = self.create(target, object)?;
            return Ok(Written {
                object,
                created: true,
            });
        };
        let uid = meta(&object, "uid");
        if !uid.is_empty() && uid != meta(&live, "uid") {
            return Err(uid_precondition(target, uid, meta(&live, "uid")));
        }
        self.replace(target, &live, object, false)
    }

    /// Replaces `live`; a `patch` may leave out its version, whatever the kind.
    pub(crate) fn replace(
        &mut self,
        target: &Target<'_>,
        live: &Arc<Stored>,
        mut object: Node,
        patch: bool,
    ) -> Result<Written, Refusal> {
        let resource = target.resource;
        let old = resource.show(&live.node);
        let reset = decode::resets_managers(&object);
        object.adopt(&old);
        // Defaults differ between versions.
        let known = Some(&old).filter(|_| resource.is_stored());
        resource.set_defaults_beside(&mut object, known);
        if reset {
            object.set(&["metadata", "managedFields"], Vec::new());
        }
        self.deduplicate_owners(&mut object);
        strategy::before_update(self, target, &mut object, &old)?;
        if !target.options.force_managers {
            let now = self.now();
            self.own(target, Some(&old), &mut object, &now);
        }
        admission::mutate(self, target, &mut object, Some(&old))?;
        crate::rbac::guard(self, target, &object, Some(&old))?;
        let version = Text::from(meta(&object, "resourceVersion"));
        if version.is_empty() || version == "0" {
            if !patch && !self.trusted && !traits(&resource.storage).unconditional_update {
                let problem = "must be specified for an update";
                let error = FieldError::invalid("metadata.resourceVersion", 0, problem);
                return Err(Refusal::invalid(
                    &resource.group,
                    &resource.plural,
                    target.name,
                    &[error],
                ));
            }
        } else if version.parse::<u64>().is_err() {
            let problem = format!("strconv.ParseUint: parsing {version:?}: invalid syntax");
            return Err(Refusal::plain_error(problem));
        } else if version != live.version.to_string() {
            return Err(Refusal::outdated(resource, target.name));
        }
        object.set(&["metadata", "resourceVersion"], live.version.to_string());
        restore(&mut object, &old);
        let mut object = strategy::prepare_update(self, target, object, &old)?;
        self.check_update(target, &object, &old)?;
        canonical(target, &mut object, &old);
        admission::validate(self, target, Some(&object), Some(&old))?;
        let stored = resource.to_storage(object);
        if same_but_for_times(&stored, &live.node) {
            return Ok(Written {
                object: live.node.clone(),
                created: false,
            });
        }
        check_bytes(&stored, Some(live))?;
        let key = target.key(target.name);
        if ends_deletion(&stored, &live.node) {
            // The last state others see is the one before; the answer shows what was wished.
            self.store(resource, key, None);
            return Ok(Written {
                object: stored,
                created: false,
            });
        }
        let object = self.store(resource, key, Some(stored));
        Ok(Written {
            object,
            created: false,
        })
    }

    fn check_update(
        &mut self,
        target: &Target<'_>,
        object: &Node,
        old: &Node,
    ) -> Result<(), Refusal> {
        let resource = target.resource;
        // Said twice, as upstream: by the store and by the kind.
        let mut errors = builtin::validate_metadata_update(object, old);
        if resource.storage == "pods" && !target.subresource.is_empty() {
            pods::check_subresource(target, object, old)?;
            if target.subresource != "status" {
                return Ok(());
            }
        }
        let found = resource.validate_update(object, old);
        self.warnings
            .extend(found.warnings.iter().map(ToString::to_string));
        errors.extend(found.errors);
        if !errors.is_empty() {
            let (group, kind) = (&resource.group, &resource.kind);
            return Err(Refusal::invalid(group, kind, target.name, &errors));
        }
        if target.subresource.is_empty() {
            self.warnings.extend(resource.warnings(object));
        }
        Ok(())
    }

    fn authorize_create(&self, target: &Target<'_>) -> Result<(), Refusal> {
        let resource = target.resource;
        self.authorize(&crate::rbac::Attributes::Resource {
            verb: "create",
            group: &resource.group,
            resource: &resource.plural,
            subresource: target.subresource,
            namespace: target.namespace,
            name: "",
        })
    }
}

/// A body without name takes none from the path: upstream wants it said.
pub(crate) fn check_name(object: &Node, name: &str) -> Result<(), Refusal> {
    match meta(object, "name") {
        "" => Err(Refusal::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        same if same == name => Ok(()),
        other => Err(Refusal::bad_request(format!(
            "the name of the object ({other}) does not match the name on the URL ({name})"
        ))),
    }
}

fn uid_precondition(target: &Target<'_>, wanted: &str, live: &str) -> Refusal {
    let resource = target.resource;
    let mut key = format!("/registry/{}", resource.plural);
    for part in [target.namespace, target.name]
        .into_iter()
        .filter(|part| !part.is_empty())
    {
        key.push('/');
        key.push_str(part);
    }
    let problem = format!(
        "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object meta: {live}"
    );
    Refusal::conflict(resource, target.name, &problem)
}

/// Puts back what a client cannot change by leaving it out.
fn restore(object: &mut Node, old: &Node) {
    let live = |key: &str| old.at(&["metadata", key]).cloned();
    if meta(object, "uid").is_empty()
        && let Some(uid) = live("uid")
    {
        object.set(&["metadata", "uid"], uid);
    }
    if let Some(created) = live("creationTimestamp") {
        object.set(&["metadata", "creationTimestamp"], created);
    }
    for key in [
        "generation",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ] {
        let deleting = key != "generation";
        match live(key) {
            Some(value) => object.set(&["metadata", key], value),
            None if deleting => {}
            None => {
                object.remove(&["metadata", key]);
            }
        }
    }
    object.remove(&["metadata", "selfLink"]);
}

/// Whether two objects differ in nothing but the times of their managers.
fn same_but_for_times(a: &Node, b: &Node) -> bool {
    fn timeless(object: &Node) -> Node {
        let mut object = object.clone();
        if let Some(entries) = object
            .at_mut(&["metadata", "managedFields"])
            .and_then(Node::as_list_mut)
        {
            for entry in entries {
                entry.remove(&["time"]);
            }
        }
        object
    }
    timeless(a) == timeless(b)
}

/// Whether a write takes away the last thing that held a deleted object back.
fn ends_deletion(new: &Node, old: &Node) -> bool {
    let grace = new
        .at(&["metadata", "deletionGracePeriodSeconds"])
        .and_then(Node::as_i64);
    let spec = new.at(&["spec", "finalizers"]).and_then(Node::as_list);
    let held =
        new.str_at(&["kind"]) == Some("Namespace") && spec.is_some_and(|list| !list.is_empty());
    is_deleting(old) && finalizers(new).is_empty() && grace.unwrap_or_default() == 0 && !held
}
