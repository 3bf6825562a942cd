//! Releases of components.

use golang::Timestamp;
use object::{Node, Text};
use tree::TreePath;

use super::{
    GenerateError, Made, Output, Selection, Step, check, check_name, check_owner, describe,
    differences, file, inferred, names, object_of, of_each,
};
use crate::checkout::{Checkout, Manifest};
use crate::model::{Component, Owner};
use crate::snapshot::release_digest;

/// What releases are wanted.
#[derive(Clone, Debug, Default)]
pub struct ReleaseRequest {
    /// Of which components.
    pub selection: Selection,
    /// The name; for a single component. Else names are made of the day and a number.
    pub name: Option<Text>,
    /// The folder for components that `release-config.yaml` names none for.
    pub folder: Option<TreePath>,
    /// The day that names have.
    pub now: Timestamp,
}

/// Freezes components into files of releases.
///
/// A component that is as its newest release says gets none. With a name it gets one of this name,
/// unless that is there with this content.
///
/// # Errors
/// Components that are not there at all; everything else is told in the items.
pub fn releases(checkout: &Checkout, request: &ReleaseRequest) -> Result<Output, GenerateError> {
    if let Some(name) = &request.name {
        check_name("release", name)?;
    }
    let mut output = of_each(checkout, &request.selection, |component, output| {
        release(checkout, request, component, output)
    })?;
    let warnings = check::releases(checkout, &output);
    output.warnings.extend(warnings);
    Ok(output)
}

fn release(
    checkout: &Checkout,
    request: &ReleaseRequest,
    component: &Component,
    output: &mut Output,
) -> Result<Made, GenerateError> {
    let owner = component.as_owner();
    check_owner(&owner)?;
    let namespace = &component.head.namespace;
    let frozen =
        checkout
            .catalog()
            .freeze(component)
            .map_err(|problems| GenerateError::NotReleasable {
                component: owner.component.clone(),
                at: component.head.span(),
                problems,
            })?;
    let spec = as_written(frozen.spec);
    let name = match &request.name {
        Some(name) => match checkout.manifest("ComponentRelease", namespace, name) {
            Some(own) => return keep(own, &owner, &spec, &frozen.digest),
            None => name.to_string(),
        },
        None => {
            let newest = newest(checkout, namespace, &owner);
            if let Some(own) = newest.filter(|own| digest(own) == frozen.digest) {
                return Ok(kept(own));
            }
            let stem = format!("{}-", owner.component);
            let taken = checkout.names("ComponentRelease", namespace, &stem);
            names::next(&owner.component, request.now, taken.map(Text::as_str))
        }
    };
    check_name("release", &name)?;
    let configured = checkout.config().releases.of(&owner);
    let folder = match configured.or(request.folder.as_ref()) {
        Some(folder) => folder.clone(),
        None => inferred(checkout, component, "ComponentRelease", "releases")?,
    };
    let object = object_of(checkout, component, "ComponentRelease", &name, spec);
    output.create(checkout, file(&folder, &name)?, object)
}

/// The spec as files of releases have it: without which workflows and traits the type allows, which
/// says what may be released, not what is.
fn as_written(mut spec: Node) -> Node {
    for key in ["allowedWorkflows", "allowedTraits"] {
        spec.remove(&["componentType", key]);
        spec.remove(&["componentType", "spec", key]);
    }
    spec
}

/// A release of this name that is there already.
fn keep(own: &Manifest, owner: &Owner, spec: &Node, wanted: &str) -> Result<Made, GenerateError> {
    let at = diag::Span::file(own.path.as_str());
    let written = own.object.node.get("spec").cloned().unwrap_or_default();
    let text = |key: &str| written.str_at(&["owner", key]).unwrap_or_default();
    if text("componentName") != owner.component || text("projectName") != owner.project {
        return Err(GenerateError::ObjectTaken {
            object: describe(&own.object),
            component: owner.component.clone(),
            at,
        });
    }
    match digest(own) == wanted {
        true => Ok(kept(own)),
        false => Err(GenerateError::ReleaseTaken {
            name: own.object.name().into(),
            at,
            changes: differences(&written, spec),
        }),
    }
}

fn kept(own: &Manifest) -> Made {
    Made {
        step: Step::Keep,
        path: own.path.clone(),
        object: own.object.clone(),
        changes: Vec::new(),
    }
}

/// The digest of a release that stands in a file.
pub(super) fn digest(own: &Manifest) -> String {
    release_digest(own.object.node.get("spec").unwrap_or(&Node::Null))
}

/// The newest release of a component by its name.
pub(super) fn newest<'a>(
    checkout: &'a Checkout,
    namespace: &str,
    owner: &Owner,
) -> Option<&'a Manifest> {
    checkout
        .owned("ComponentRelease", namespace, owner)
        .max_by(|a, b| names::compare(a.object.name(), b.object.name()))
}
