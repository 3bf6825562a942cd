//! Which rules a release renders by.
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/component/context/` at v0.7.0, v0.12.0 and v1.2.3.

use object::{Node, Text};

use super::{ComponentType, Resource, Schemas, Trait, Workload};

/// The generations of templates. A release has one, decided from its own content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// v0.6 and v0.7: values for the environment are found under `parameters` too.
    LegacyMerged,
    /// v0.9 to v0.17: `parameters` and `envOverrides`, several containers.
    EnvOverrides,
    /// v1: `parameters` and `environmentConfigs`, one container.
    V1,
}

impl Dialect {
    /// The word that statuses record.
    pub fn word(self) -> &'static str {
        match self {
            Self::LegacyMerged => "legacy-merged",
            Self::EnvOverrides => "envOverrides",
            Self::V1 => "v1",
        }
    }

    /// Whether it is newer than shorthand schemas.
    pub fn is_v1(self) -> bool {
        self == Self::V1
    }
}

/// Decides the dialect of a release. `wrapped` says that kind and name stand around its type.
pub(super) fn decide<'a>(
    component_type: &ComponentType,
    traits: impl Iterator<Item = &'a Trait> + Clone,
    workload: &Workload,
    wrapped: bool,
) -> Dialect {
    let schemas = std::iter::once(&component_type.schemas)
        .chain(traits.clone().map(|own| &own.schemas))
        .find(|schemas| **schemas != Schemas::None);
    let v1 = match schemas {
        Some(Schemas::Shorthand { .. }) => false,
        Some(_) => true,
        None => wrapped || workload.single,
    };
    if v1 {
        return Dialect::V1;
    }
    let merged = reads_merged(&component_type.schemas, &type_texts(component_type))
        || traits
            .into_iter()
            .any(|own| reads_merged(&own.schemas, &trait_texts(own)));
    match merged {
        true => Dialect::LegacyMerged,
        false => Dialect::EnvOverrides,
    }
}

/// Whether templates read `parameters.K` for a `K` that is declared only for the environment.
fn reads_merged(schemas: &Schemas, texts: &[&Text]) -> bool {
    let Schemas::Shorthand {
        parameters,
        environment,
        ..
    } = schemas
    else {
        return false;
    };
    let only_environment = |key: &str| {
        environment.get(key).is_some() && parameters.get(key).is_none() && key != "$default"
    };
    let mut texts = texts.iter();
    texts.any(|text| fields_of("parameters", text).any(only_environment))
}

/// Every text of a type that may hold expressions.
pub(crate) fn type_texts(component_type: &ComponentType) -> Vec<&Text> {
    let mut out = Vec::new();
    resource_texts(&component_type.resources, &mut out);
    out
}

/// Every text of a trait that may hold expressions.
pub(crate) fn trait_texts(own: &Trait) -> Vec<&Text> {
    let mut out = Vec::new();
    resource_texts(&own.creates, &mut out);
    for patch in &own.patches {
        out.extend(&patch.for_each);
        out.extend(&patch.target.condition);
        for operation in &patch.operations {
            out.push(&operation.path);
            if let Some(value) = &operation.value {
                texts(value, &mut out);
            }
        }
    }
    out
}

fn resource_texts<'a>(resources: &'a [Resource], out: &mut Vec<&'a Text>) {
    for resource in resources {
        texts(&resource.template, out);
        out.extend(&resource.include_when);
        out.extend(&resource.for_each);
    }
}

/// Every text of a template, keys included.
fn texts<'a>(node: &'a Node, out: &mut Vec<&'a Text>) {
    match node {
        Node::String(text) => out.push(text),
        Node::List(items) => items.iter().for_each(|item| texts(item, out)),
        Node::Map(map) => {
            for (key, value) in map.iter() {
                out.push(key);
                texts(value, out);
            }
        }
        _ => {}
    }
}

/// Names selected from `variable` in the expressions of a text: `a` for `variable.a`,
/// `variable.?a` and `variable["a"]`.
fn fields_of<'a>(variable: &'a str, text: &'a str) -> impl Iterator<Item = &'a str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let starts = text.match_indices(variable).filter(move |(at, _)| {
        text.contains("${") && !text[..*at].ends_with(|c: char| is_name(c) || c == '.')
    });
    starts.filter_map(move |(at, _)| {
        let rest = &text[at + variable.len()..];
        let rest = match rest.strip_prefix('.') {
            Some(rest) => rest.strip_prefix('?').unwrap_or(rest),
            None => rest
                .strip_prefix('[')?
                .trim_start_matches('?')
                .strip_prefix(['\'', '"'])?,
        };
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        Some(&rest[..end]).filter(|name| !name.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_however_they_are_selected() {
        let text = r#"${parameters.a + parameters.?b.c + parameters["d"] + parameters[?'e'] + xparameters.f + my.parameters.g}"#;
        let found: Vec<&str> = fields_of("parameters", text).collect();
        assert_eq!(found, ["a", "b", "d", "e"]);
        assert_eq!(fields_of("parameters", "see parameters.a").count(), 0);
    }
}
