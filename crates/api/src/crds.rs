//! The definitions of Flux's kinds.

use object::Node;

const DEFINITIONS: &[(&str, &str)] = &[
    (
        "gitrepositories.yaml",
        include_str!("../crds/gitrepositories.yaml"),
    ),
    (
        "kustomizations.yaml",
        include_str!("../crds/kustomizations.yaml"),
    ),
];

/// The CustomResourceDefinitions of Flux's kinds, in file name order.
///
/// Those of OpenChoreo's are [`crate::openchoreo::custom_resource_definitions`].
pub fn custom_resource_definitions() -> Vec<Node> {
    DEFINITIONS
        .iter()
        .flat_map(|(file, text)| {
            yaml::load(text, &yaml::Limits::default())
                .unwrap_or_else(|error| panic!("{file} ships with the program: {error}"))
        })
        .map(|document| document.node)
        .collect()
}
