//! Defaults of built-in kinds: what the API server fills in before it stores an object.
//!
//! Two kinds of facts. Fields whose schema carries a default have it in the type table. The rest
//! are rules, functions per Go struct, listed per API group in the modules below; a rule applies
//! wherever its struct stands, so a probe gets its defaults in every pod template.
//!
//! # Source
//! kubernetes/kubernetes `pkg/apis/*/v1/defaults.go`, `conversion.go` and
//! `zz_generated.defaults.go` at v1.36.3.

use std::sync::LazyLock;

use object::{Map, Node, json};

use super::canonical::canonicalize_beside;
use super::types::{Field, StructId, Type, Types, types};

mod apps;
mod autoscaling;
mod cluster;
mod core;
mod extension;
mod network;

/// A Go struct and the rule for it; the map is in canonical form.
type Rule = (&'static str, fn(&mut Map));

const RULES: [&[Rule]; 6] = [
    core::RULES,
    apps::RULES,
    autoscaling::RULES,
    network::RULES,
    cluster::RULES,
    extension::RULES,
];

/// Fills in the defaults of `node`, an object of type `ty` in canonical form; it stays in that form.
///
/// Idempotent. What needs the cluster (addresses, ports, classes, service accounts) is not here.
pub fn default(ty: StructId, node: &mut Node) {
    default_beside(ty, node, None);
}

/// The same; parts that `node` shares with `known`, an object of that type with all its defaults,
/// are not looked at again and stay shared.
pub fn default_beside(ty: StructId, node: &mut Node, known: Option<&Node>) {
    if let Some(map) = node.as_map_mut() {
        apply(ty, map, known);
    }
    if let Some(known) = known {
        // Rules copy what they look at.
        node.adopt(known);
    }
    let again = canonicalize_beside(ty, node, known);
    debug_assert!(again.is_ok(), "a default has the wrong type: {again:?}");
}

/// What to do with a struct.
#[derive(Default)]
struct Plan {
    rules: Vec<fn(&mut Map)>,
    fields: Vec<(&'static str, bool, Node)>,
    below: Vec<(&'static str, StructId)>,
}

static PLANS: LazyLock<Vec<Plan>> = LazyLock::new(|| plans(types()));

fn apply(id: StructId, map: &mut Map, known: Option<&Node>) {
    let plan = &PLANS[id.index()];
    for rule in &plan.rules {
        rule(map);
    }
    for (name, pointer, value) in &plan.fields {
        match pointer {
            true => fill(map, name, value.clone()),
            false => fill_zero(map, name, value.clone()),
        }
    }
    for (name, id) in &plan.below {
        let known = known.and_then(|known| known.get(name));
        let is_known = |value: &Node| known.is_some_and(|known| value.is_one_with(known));
        if map.get(name).is_none_or(is_known) {
            continue;
        }
        if let Some(value) = map.get_mut(name) {
            descend(*id, value, known);
        }
    }
}

/// Structs may stand alone, in lists, or in maps.
fn descend(id: StructId, node: &mut Node, known: Option<&Node>) {
    match node {
        Node::Map(map) => apply(id, map, known),
        Node::List(_) => {
            let known = known.and_then(Node::as_list).unwrap_or_default();
            let items = node.as_list_mut().into_iter().flatten();
            for (at, item) in items.enumerate() {
                let known = known.get(at);
                if !known.is_some_and(|known| item.is_one_with(known)) {
                    descend(id, item, known);
                }
            }
        }
        _ => {}
    }
}

fn plans(types: &Types) -> Vec<Plan> {
    let mut plans: Vec<Plan> = types
        .iter()
        .map(|(_, ty)| {
            let mut plan = Plan::default();
            own_rules(types, ty.name, &mut plan.rules);
            for field in &ty.fields {
                if let Some(value) = field.default.and_then(parse) {
                    plan.fields.push((field.json, field.ty.is_pointer(), value));
                }
            }
            plan
        })
        .collect();
    // Which structs have anything to do at or below them: grows until it stops growing.
    let mut active: Vec<bool> = plans
        .iter()
        .map(|plan| !plan.rules.is_empty() || !plan.fields.is_empty())
        .collect();
    loop {
        let mut grown = false;
        for (id, ty) in types.iter() {
            let reaches = |field: &Field| matches!(element(field), Some(id) if active[id.index()]);
            if !active[id.index()] && ty.fields.iter().any(reaches) {
                active[id.index()] = true;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    for (id, ty) in types.iter() {
        let below = ty.fields.iter().filter_map(|field| {
            let inner = element(field).filter(|inner| active[inner.index()])?;
            Some((field.json, inner))
        });
        plans[id.index()].below = below.collect();
    }
    plans
}

/// The struct of a field, but not for maps of structs, which Go's defaults do not enter.
fn element(field: &Field) -> Option<StructId> {
    match field.ty.target() {
        Type::Map(_) => None,
        other => other.element_struct(),
    }
}

/// The rules of a struct and of the structs that are inlined into it.
fn own_rules(types: &Types, name: &str, rules: &mut Vec<fn(&mut Map)>) {
    let found = RULES.iter().flat_map(|rules| rules.iter());
    rules.extend(found.filter(|(of, _)| *of == name).map(|(_, rule)| *rule));
    let ty = types.by_name(name).map(|id| types.get(id));
    for field in ty.into_iter().flat_map(|ty| ty.declared()) {
        if let (true, Type::Struct(inner)) = (field.inline, &field.ty) {
            own_rules(types, types.get(*inner).name, rules);
        }
    }
}

fn parse(default: &'static str) -> Option<Node> {
    json::parse(default.as_bytes(), json::OBJECT_LIMITS).ok()
}

/// Sets a field that is absent; zero is a value (pointer fields in Go).
fn fill(map: &mut Map, key: &str, value: impl Into<Node>) {
    if map.get(key).is_none_or(Node::is_null) {
        map.insert(key, value);
    }
}

/// Sets a field that is absent or zero (plain fields in Go).
fn fill_zero(map: &mut Map, key: &str, value: impl Into<Node>) {
    let zero = map.get(key).is_none_or(|node| match node {
        Node::Null => true,
        Node::String(text) => text.is_empty(),
        Node::Int(number) => *number == 0,
        Node::Bool(value) => !value,
        Node::List(items) => items.is_empty(),
        _ => false,
    });
    if zero {
        map.insert(key, value);
    }
}

/// The map at `key`, made when it is absent.
fn inner<'m>(map: &'m mut Map, key: &str) -> &'m mut Map {
    let node = map.entry(key);
    if node.as_map().is_none() {
        *node = Node::map();
    }
    node.as_map_mut().expect("made a map just above")
}

/// The text at `key`; empty when there is none.
fn text<'m>(map: &'m Map, key: &str) -> &'m str {
    map.get(key).and_then(Node::as_str).unwrap_or_default()
}

/// The items of the list at `key`.
fn items<'m>(map: &'m mut Map, key: &str) -> impl Iterator<Item = &'m mut Map> {
    let list = map.get_mut(key).and_then(Node::as_list_mut);
    list.into_iter().flatten().filter_map(Node::as_map_mut)
}

/// Whether a map or list at `key` holds anything.
fn has_entries(map: &Map, key: &str) -> bool {
    match map.get(key) {
        Some(Node::Map(inner)) => !inner.is_empty(),
        Some(Node::List(items)) => !items.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_names_a_struct_of_the_table() {
        for (name, _) in RULES.iter().flat_map(|rules| rules.iter()) {
            assert!(types().by_name(name).is_some(), "{name}");
        }
    }
}
