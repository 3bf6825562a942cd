//! Rendering a binding, with as little work as it takes.

use std::collections::BTreeMap;
use std::sync::Arc;

use component::catalog::{Catalog, Outcome, Session, endpoints};
use component::dependencies::EndpointUrl;
use component::model::ReleaseBinding;
use component::render::Renderer;
use object::Text;

/// What a binding comes to, and where its endpoints are.
pub(super) fn render<'a>(
    catalog: &'a Catalog,
    renderer: &Arc<Renderer>,
    binding: &'a ReleaseBinding,
) -> (Outcome, BTreeMap<Text, EndpointUrl>) {
    let nowhere = BTreeMap::new();
    if !binding.active {
        return (Outcome::Undeployed, nowhere);
    }
    let inputs = match catalog.resolve(binding) {
        Ok(inputs) => inputs,
        Err(errors) => return (Outcome::Failed(errors.into()), nowhere),
    };
    let workload = &inputs.release.workload;
    if workload.endpoint_dependencies.is_empty() && workload.resource_dependencies.is_empty() {
        return match renderer.render(&inputs) {
            Ok(rendering) => {
                let found = endpoints(&rendering, &inputs);
                (Outcome::Rendered(Box::new(rendering)), found)
            }
            Err(errors) => (Outcome::Failed(errors.into()), nowhere),
        };
    }
    let mut session = Session::with(catalog, renderer.clone());
    match session.render(binding) {
        Outcome::Rendered(rendering) => {
            let found = endpoints(&rendering, &inputs);
            (Outcome::Rendered(rendering), found)
        }
        other => (other, nowhere),
    }
}
