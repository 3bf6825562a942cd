//! Rendering a binding, with as little work as it takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use component::catalog::{Catalog, Outcome, Reachable, Session, endpoints, gateway_urls};
use component::dependencies::{Dependencies, EndpointUrl};
use component::model::ReleaseBinding;
use component::render::{Inputs, Renderer, Rendering};
use object::Text;

/// What a binding comes to.
pub(super) struct Rendered {
    pub outcome: Outcome,
    /// Where its endpoints are inside of the data plane.
    pub inside: BTreeMap<Text, EndpointUrl>,
    /// Where they are at gateways.
    pub gateways: BTreeMap<Text, Reachable>,
    /// What its workload needs of others.
    pub dependencies: Dependencies,
}

impl Rendered {
    fn nothing(outcome: Outcome) -> Self {
        Self {
            outcome,
            inside: BTreeMap::new(),
            gateways: BTreeMap::new(),
            dependencies: Dependencies::default(),
        }
    }

    fn of(rendering: Box<Rendering>, inputs: &Inputs<'_>) -> Self {
        Self {
            inside: endpoints(&rendering, inputs),
            gateways: gateway_urls(&rendering, inputs),
            ..Self::nothing(Outcome::Rendered(rendering))
        }
    }
}

/// Renders a binding.
pub(super) fn render<'a>(
    catalog: &'a Catalog,
    renderer: &Arc<Renderer>,
    binding: &'a ReleaseBinding,
) -> Rendered {
    if !binding.active {
        return Rendered::nothing(Outcome::Undeployed);
    }
    let inputs = match catalog.resolve(binding) {
        Ok(inputs) => inputs,
        Err(errors) => return Rendered::nothing(Outcome::Failed(errors.into())),
    };
    let workload = &inputs.release.workload;
    if workload.endpoint_dependencies.is_empty() && workload.resource_dependencies.is_empty() {
        return match renderer.render(&inputs) {
            Ok(rendering) => Rendered::of(Box::new(rendering), &inputs),
            Err(errors) => Rendered::nothing(Outcome::Failed(errors.into())),
        };
    }
    let mut session = Session::with(catalog, renderer.clone());
    let dependencies = session.dependencies(binding, workload);
    let rendered = match session.render(binding) {
        Outcome::Rendered(rendering) => Rendered::of(rendering, &inputs),
        other => Rendered::nothing(other),
    };
    Rendered {
        dependencies,
        ..rendered
    }
}
