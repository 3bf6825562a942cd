//! OpenChoreo's kinds, served.

mod objects;
mod server;
mod trees;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use object::Node;
use schema::Structural;

/// The definitions as a server keeps them, by kind.
pub struct Served(BTreeMap<String, Structural>);

/// What a server makes of an object.
pub struct Admitted {
    pub node: Node,
    pub pruned: Vec<String>,
    pub errors: Vec<String>,
}

impl Served {
    pub fn get() -> &'static Self {
        static SERVED: LazyLock<Served> = LazyLock::new(|| {
            let definitions = api::openchoreo::custom_resource_definitions();
            let compiled = definitions.iter().map(|definition| {
                let kind = definition.str_at(&["spec", "names", "kind"]).unwrap();
                let structural = Structural::compile(schema_of(definition));
                (kind.to_owned(), structural.expect(kind))
            });
            Served(compiled.collect())
        });
        &SERVED
    }

    /// Carries `node` through what a request goes through; `old` is what was stored before.
    pub fn admit(&self, node: &Node, old: Option<&Node>) -> Option<Admitted> {
        let structural = self.0.get(node.str_at(&["kind"])?)?;
        let mut node = node.clone();
        let pruned = structural.prune(&mut node);
        structural.drop_nulls(&mut node);
        structural.default(&mut node);
        let errors = structural.validate(&node, old).errors;
        Some(Admitted {
            node,
            pruned,
            errors: errors.iter().map(ToString::to_string).collect(),
        })
    }
}

pub fn schema_of(definition: &Node) -> &Node {
    let versions = definition.at(&["spec", "versions"]).and_then(Node::as_list);
    versions.unwrap()[0]
        .at(&["schema", "openAPIV3Schema"])
        .unwrap()
}

pub fn documents(text: &str) -> Vec<Node> {
    let documents = yaml::load(text, &yaml::Limits::default());
    let documents = documents.unwrap_or_else(|error| panic!("{error}\n{text}"));
    documents
        .into_iter()
        .map(|document| document.node)
        .collect()
}
