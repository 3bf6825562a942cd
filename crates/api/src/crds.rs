//! The definitions of the kinds served.

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

/// The CustomResourceDefinitions of every kind served, in file name order.
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
