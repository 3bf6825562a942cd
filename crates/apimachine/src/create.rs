//! Creating objects.
//!
//! # Source
//! kubernetes/apiserver `pkg/endpoints/handlers/create.go`, `pkg/registry/rest/create.go`.

use merge::Write;
use object::{Node, Text, json};

use crate::call::{Call, Target, finalizers, meta};
use crate::{Refusal, Stored, admission, ownership, state, strategy};

/// Names are cut so that a suffix fits into 63 characters.
const GENERATED_PREFIX_MAX: usize = 58;
const GENERATED_SUFFIX: usize = 5;
/// Tries to find a free generated name.
const GENERATE_TRIES: usize = 8;
/// Most bytes of a stored object, as with etcd.
const OBJECT_BYTES_MAX: usize = 3 << 19;

impl Call<'_> {
    /// Creates `object`, which is canonical and in the version of the target; gives it as stored.
    pub(crate) fn create(&mut self, target: &Target<'_>, object: Node) -> Result<Node, Refusal> {
        let generated =
            meta(&object, "name").is_empty() && !meta(&object, "generateName").is_empty();
        if !generated {
            return self.create_once(target, object, None);
        }
        let mut prefix = Text::from(meta(&object, "generateName"));
        if prefix.len() > GENERATED_PREFIX_MAX {
            let end = (0..=GENERATED_PREFIX_MAX)
                .rev()
                .find(|end| prefix.is_char_boundary(*end));
            prefix = prefix[..end.unwrap_or_default()].into();
        }
        for _ in 0..GENERATE_TRIES {
            let name = format!("{prefix}{}", self.random.suffix(GENERATED_SUFFIX));
            if self
                .live(target.resource, target.namespace, &name)
                .is_some()
            {
                continue;
            }
            return self.create_once(target, object, Some(&name));
        }
        let name = format!("{prefix}{}", self.random.suffix(GENERATED_SUFFIX));
        Err(Refusal {
            retry_after: 1,
            ..Refusal::already_exists(target.resource, &name)
        })
    }

    fn create_once(
        &mut self,
        target: &Target<'_>,
        mut object: Node,
        generated: Option<&str>,
    ) -> Result<Node, Refusal> {
        let resource = target.resource;
        place_in_namespace(&mut object, resource.namespaced, target.namespace)?;
        let version = Text::from(meta(&object, "resourceVersion"));
        for key in [
            "uid",
            "creationTimestamp",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "selfLink",
            "resourceVersion",
        ] {
            object.remove(&["metadata", key]);
        }
        resource.set_defaults(&mut object);
        // Canonical and defaulted: what is not changed from here on is not looked at again.
        let known = object.clone();
        strategy::before_create(target, &mut object);
        self.deduplicate_owners(&mut object);
        let now = self.now();
        // An apply brings its managers with it.
        if !target.options.force_managers {
            self.own(target, None, &mut object, &now);
        }
        if let Some(name) = generated {
            object.set(&["metadata", "name"], name);
        }
        admission::mutate(self, target, &mut object, None)?;
        crate::rbac::guard(self, target, &object, None)?;
        let name = Text::from(meta(&object, "name"));
        object.set(&["metadata", "uid"], self.random.uuid());
        object.set(&["metadata", "creationTimestamp"], now);
        let object = strategy::prepare_create(self, target, object, &known)?;
        let mut object = object;
        self.check_create(target, &object)?;
        canonical(target, &mut object, &known);
        admission::validate(self, target, Some(&object), None)?;
        if let Some(live) = self.live(resource, target.namespace, &name) {
            let refusal = Refusal::already_exists(resource, &name);
            return Err(match crate::call::is_deleting(&live) {
                true => Refusal {
                    message: format!("object is being deleted: {}", refusal.message),
                    ..refusal
                },
                false => refusal,
            });
        }
        if !version.is_empty() && version != "0" {
            return Err(Refusal::plain_error(
                "resourceVersion should not be set on objects to be created",
            ));
        }
        let stored = resource.to_storage(object);
        check_bytes(&stored, None)?;
        Ok(self.store(resource, target.key(&name), Some(stored)))
    }

    fn check_create(&mut self, target: &Target<'_>, object: &Node) -> Result<(), Refusal> {
        let resource = target.resource;
        let found = resource.validate(object);
        self.warnings
            .extend(found.warnings.iter().map(ToString::to_string));
        if !found.errors.is_empty() {
            let name = meta(object, "name");
            let (group, kind) = (&resource.group, &resource.kind);
            return Err(Refusal::invalid(group, kind, name, &found.errors));
        }
        self.warnings.extend(resource.warnings(object));
        Ok(())
    }

    /// Drops owners that are named twice, with a warning.
    pub(crate) fn deduplicate_owners(&mut self, object: &mut Node) {
        let Some(owners) = object
            .at(&["metadata", "ownerReferences"])
            .and_then(Node::as_list)
        else {
            return;
        };
        let mut unique: Vec<Node> = Vec::new();
        let mut repeated: Vec<Text> = Vec::new();
        for owner in owners {
            if unique.contains(owner) {
                let uid = Text::from(owner.str_at(&["uid"]).unwrap_or_default());
                if !repeated.contains(&uid) {
                    repeated.push(uid);
                }
            } else {
                unique.push(owner.clone());
            }
        }
        if repeated.is_empty() {
            return;
        }
        object.set(&["metadata", "ownerReferences"], unique);
        self.warnings.push(format!(
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: {}",
            repeated.join(", ")
        ));
    }

    /// Records the request's manager for everything it changes.
    pub(crate) fn own(
        &self,
        target: &Target<'_>,
        live: Option<&Node>,
        object: &mut Node,
        now: &str,
    ) {
        let resource = target.resource;
        let reset = ownership::reset(resource, target.subresource);
        let missing = resource.missing();
        let api_version = resource.api_version();
        let write = Write {
            manager: &target.options.manager,
            api_version: &api_version,
            subresource: target.subresource,
            now,
            reset: &reset,
            missing: &missing,
        };
        let versions = ownership::ServedVersions::new(self.state, resource);
        ownership::update(&versions, live, object, &write);
    }
}

/// Refuses objects that no store would take; `live` is what the object replaces.
pub(crate) fn check_bytes(object: &Node, live: Option<&Stored>) -> Result<(), Refusal> {
    /// JSON takes at most six bytes for a byte of text, and text that takes no memory of its own is
    /// no longer than what holds it.
    const TEXT_OF_MEMORY: usize = 8;
    // Most are far from the limit, which is seen without writing them out.
    let weight = state::weight_beside(object, live);
    let fits = weight.saturating_mul(TEXT_OF_MEMORY) <= OBJECT_BYTES_MAX
        || json::to_string(object).len() <= OBJECT_BYTES_MAX;
    match fits {
        true => Ok(()),
        false => Err(Refusal::plain_error("etcdserver: request is too large")),
    }
}

/// Makes sure that the namespace in an object is that of its path.
pub(crate) fn place_in_namespace(
    object: &mut Node,
    namespaced: bool,
    namespace: &str,
) -> Result<(), Refusal> {
    if object.get("metadata").and_then(Node::as_map).is_none() {
        object.set(&["metadata"], Node::map());
    }
    if !namespaced {
        object.remove(&["metadata", "namespace"]);
        return Ok(());
    }
    match meta(object, "namespace") {
        "" => object.set(&["metadata", "namespace"], namespace),
        same if same == namespace => {}
        _ => {
            return Err(Refusal::bad_request(
                "the namespace of the provided object does not match the namespace sent on the request",
            ));
        }
    }
    Ok(())
}

/// Brings the object into canonical form once more, after rules have changed it.
///
/// What it shares with `known` is in that form already.
pub(crate) fn canonical(target: &Target<'_>, object: &mut Node, known: &Node) {
    if object.at(&["metadata", "finalizers"]).is_some() && finalizers(object).is_empty() {
        object.remove(&["metadata", "finalizers"]);
    }
    // What does not fit its type was refused before.
    let _ = target.resource.canonicalize_beside(object, Some(known));
}
