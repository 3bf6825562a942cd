//! The definitions of OpenChoreo's kinds. What a server makes of them is tested where the server is.

mod definitions;
mod undeclared;
mod upstream;

use object::Node;

pub fn schema_of(definition: &Node) -> &Node {
    let versions = definition.at(&["spec", "versions"]).and_then(Node::as_list);
    versions.unwrap()[0]
        .at(&["schema", "openAPIV3Schema"])
        .unwrap()
}
