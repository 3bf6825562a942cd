//! Values in messages whose Go type has no JSON names: members carry Go names and zero values.

use object::{Map, Node, json};

use crate::FieldValue;
use crate::builtin::types::{Type, types};

/// A member: Go name, JSON name, and the JSON of its zero value.
pub(super) type Member = (&'static str, &'static str, &'static str);

/// A struct as the API server prints its internal form.
pub(super) fn structure(node: &Node, members: &[Member]) -> FieldValue {
    FieldValue::Bare(text(node, members))
}

fn text(node: &Node, members: &[Member]) -> String {
    let mut out = String::from("{");
    for (at, (go, name, zero)) in members.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        json::write_string(go, &mut out);
        out.push(':');
        match node.get(name) {
            Some(value) if !value.is_null() => {
                // Go writes maps in the order of their keys; labels are the only ones here.
                let mut value = value.clone();
                if let Some(labels) = value.get_mut("matchLabels") {
                    labels.sort_keys();
                }
                json::write(&value, &mut out);
            }
            _ => out.push_str(zero),
        }
    }
    out.push('}');
    out
}

/// The whole of a value as the API server prints its internal form, from the type table.
///
/// The names are those of the published types; where the internal type has other fields (pods keep
/// their host settings elsewhere), the text differs.
pub(super) fn value(node: &Node, of: &str) -> FieldValue {
    FieldValue::Bare(json::to_string(&form(node, of)))
}

/// `node` as the internal form of the struct `of`.
pub(super) fn form(node: &Node, of: &str) -> Node {
    match types().by_name(of) {
        Some(id) => expand(&Type::Struct(id), node),
        None => node.clone(),
    }
}

/// What changed between two values of a struct, as lines of their internal form with `-` and `+`,
/// three lines around each change.
pub(super) fn diff(old: &Node, new: &Node, of: &str) -> String {
    let lines = |node: &Node| -> Vec<String> {
        let text = json::to_string_pretty(&form(node, of), 1);
        text.lines().map(str::to_owned).collect()
    };
    unified(&lines(old), &lines(new))
}

/// `node` with every field of its Go type, under its Go name, zero values included.
fn expand(ty: &Type, node: &Node) -> Node {
    match (ty, node) {
        (Type::Pointer(_), Node::Null) => Node::Null,
        (Type::Pointer(inner), node) => expand(inner, node),
        (Type::Struct(id), node) => {
            let ty = types().get(*id);
            // Label selectors and metadata keep their JSON form.
            if ty.name.starts_with("meta.") {
                return if node.is_null() {
                    Node::map()
                } else {
                    node.clone()
                };
            }
            let mut members = Map::new();
            for field in &ty.fields {
                let value = node.get(field.json).unwrap_or(&Node::Null);
                if field.json == "metadata" {
                    // Metadata is embedded and keeps its JSON names.
                    members.extend(value.as_map().cloned().unwrap_or_default());
                } else {
                    members.insert(field.go_name(), expand(&field.ty, value));
                }
            }
            if ty.name == "core.v1.PodSpec" {
                host_settings(&mut members);
            }
            Node::Map(members)
        }
        (Type::List(item), Node::List(items)) => items
            .iter()
            .map(|node| expand(item, node))
            .collect::<Vec<_>>()
            .into(),
        (Type::Map(value), Node::Map(map)) => {
            let mut expanded: Map = map
                .iter()
                .map(|(key, node)| (key.clone(), expand(value, node)))
                .collect();
            expanded.sort_keys();
            Node::Map(expanded)
        }
        (Type::String, Node::Null) => "".into(),
        (Type::Bool, Node::Null) => false.into(),
        (Type::Int32 | Type::Int64 | Type::IntOrString, Node::Null) => Node::Int(0),
        (Type::Quantity, Node::Null) => "0".into(),
        (_, node) => node.clone(),
    }
}

/// Moves what a pod shares with its host to where the internal type has it.
fn host_settings(spec: &mut Map) {
    spec.remove("DeprecatedServiceAccount");
    let mut context = Map::new();
    for name in [
        "HostNetwork",
        "HostPID",
        "HostIPC",
        "ShareProcessNamespace",
        "HostUsers",
    ] {
        if let Some(value) = spec.remove(name) {
            context.insert(name, value);
        }
    }
    if let Some(Node::Map(published)) = spec.get("SecurityContext") {
        const ORDER: [&str; 13] = [
            "SELinuxOptions",
            "WindowsOptions",
            "RunAsUser",
            "RunAsGroup",
            "RunAsNonRoot",
            "SupplementalGroups",
            "SupplementalGroupsPolicy",
            "FSGroup",
            "FSGroupChangePolicy",
            "Sysctls",
            "SeccompProfile",
            "AppArmorProfile",
            "SELinuxChangePolicy",
        ];
        for name in ORDER {
            context.insert(name, published.get(name).cloned().unwrap_or_default());
        }
        spec.insert("SecurityContext", context);
    }
    for (moved, after) in [
        ("SetHostnameAsFQDN", "Subdomain"),
        ("PreemptionPolicy", "Priority"),
        ("Overhead", "RuntimeClassName"),
    ] {
        let value = spec.remove(moved).unwrap_or_default();
        let mut ordered = Map::new();
        for (name, member) in std::mem::take(spec) {
            let here = name == after;
            ordered.insert(name, member);
            if here {
                ordered.insert(moved, value.clone());
            }
        }
        *spec = ordered;
    }
}

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// Changes of one run of lines: equal beginnings and ends are cut off.
fn unified(old: &[String], new: &[String]) -> String {
    let start = old
        .iter()
        .zip(new)
        .take_while(|(old, new)| old == new)
        .count();
    let rest = old.len().min(new.len()) - start;
    let (old_tail, new_tail) = (old.iter().rev(), new.iter().rev());
    let end = old_tail
        .zip(new_tail)
        .take(rest)
        .take_while(|(old, new)| old == new)
        .count();
    let from = start.saturating_sub(CONTEXT);
    let tail = end.min(CONTEXT);
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    let mut text = format!(
        "@@ -{},{} +{},{} @@\n",
        from + 1,
        old_end + tail - from,
        from + 1,
        new_end + tail - from
    );
    let mut push = |sign: char, lines: &[String]| {
        for line in lines {
            text.push(sign);
            text.push_str(line);
            text.push('\n');
        }
    };
    push(' ', &old[from..start]);
    push('-', &old[start..old_end]);
    push('+', &new[start..new_end]);
    push(' ', &old[old_end..old_end + tail]);
    text
}
