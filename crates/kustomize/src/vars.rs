//! Variables of the `vars` field: `$(NAME)` in some fields becomes the value of another field.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/filters/refvar`, `api/internal/accumulator/resaccumulator.go`.

use std::collections::{BTreeMap, HashSet};

use object::Text;
use yaml::{Kind, Node, Style, tag};

use crate::error::{BuildError, Failures, Outcome};
use crate::fieldspec::{self, Create, FieldSpec};
use crate::file::Var;
use crate::ids::ResId;
use crate::ops;
use crate::paths;
use crate::resource::Item;

impl Var {
    /// The variable as Go prints it, which some messages contain.
    pub fn go_text(&self) -> String {
        format!("{{{} {} {{{}}}}}", self.name, self.gvk, self.field_path)
    }

    /// The id that is looked for; with a namespace it means no object that has none.
    fn wanted(&self) -> ResId {
        ResId {
            gvk: self.gvk.clone(),
            name: self.object_name.as_str().into(),
            namespace: self.object_namespace.as_str().into(),
            cluster_scoped: false,
        }
    }
}

/// Adds variables and marks the objects that they read.
///
/// # Errors
/// A name that is taken, or a variable that could read several objects.
pub(crate) fn merge(known: &mut Vec<Var>, incoming: &[Var], items: &mut [Item]) -> Outcome<()> {
    for var in incoming {
        let wanted = var.wanted();
        let exact = !wanted.namespace.is_empty();
        let mut matched: Vec<&mut Item> = items
            .iter_mut()
            .filter(|item| {
                item.any_id(|id| match exact {
                    true => wanted.equals(id),
                    false => wanted.same_kind_and_name(id),
                })
            })
            .collect();
        match matched.len() {
            0 => {}
            1 => matched[0].variables.push(var.name.as_str().into()),
            count => {
                let text = format!(
                    "found {count} resId matches for var {} (unable to disambiguate)",
                    var.go_text()
                );
                return Err(Failures::new(
                    BuildError::VariableFailed,
                    var.name.clone(),
                    text,
                ));
            }
        }
    }
    add_all(known, incoming)
}

/// Adds variables that already know their objects.
///
/// # Errors
/// A name that is taken.
pub(crate) fn add_all(known: &mut Vec<Var>, incoming: &[Var]) -> Outcome<()> {
    for var in incoming {
        if known.iter().any(|other| other.name == var.name) {
            let text = format!("var '{}' already encountered", var.name);
            return Err(Failures::new(
                BuildError::VariableFailed,
                var.name.clone(),
                text,
            ));
        }
        known.push(var.clone());
    }
    Ok(())
}

/// A value that replaces a variable.
#[derive(Clone, Debug)]
enum Value {
    Text(Text),
    Typed(&'static str, Text),
    /// A list or map: the reference stays as it is written.
    Other,
}

/// Replaces every variable; returns the names of those that were never used.
///
/// # Errors
/// A variable without object or field, or text in a place of another kind.
pub(crate) fn resolve(
    items: &mut [Item],
    vars: &[Var],
    specs: &[FieldSpec],
) -> Outcome<Vec<String>> {
    if vars.is_empty() {
        return Ok(Vec::new());
    }
    let mut values: BTreeMap<&str, Value> = BTreeMap::new();
    let mut sorted: Vec<&Var> = vars.iter().collect();
    sorted.sort_by(|a, b| a.name.cmp(&b.name));
    for var in sorted {
        values.insert(&var.name, value_of(var, items)?);
    }
    let mut used: HashSet<String> = HashSet::new();
    for item in items.iter_mut() {
        let id = item.id.clone();
        for spec in specs {
            fieldspec::apply(&mut item.node, &id, spec, Create::Nothing, &mut |node| {
                expand(node, &values, &mut used)
            })
            .map_err(|text| Failures::new(BuildError::VariableFailed, id.to_string(), text))?;
        }
        item.unify();
    }
    let unused = values.keys().filter(|name| !used.contains(**name));
    Ok(unused.map(|name| (*name).to_owned()).collect())
}

fn value_of(var: &Var, items: &[Item]) -> Outcome<Value> {
    let fail = |text: String| Failures::new(BuildError::VariableFailed, var.name.clone(), text);
    let Some(item) = items
        .iter()
        .find(|item| item.variables.iter().any(|name| *name == var.name.as_str()))
    else {
        return Err(fail(format!(
            "var '{}' cannot be mapped to a field in the set of known resources",
            var.go_text()
        )));
    };
    let missing = || {
        fail(format!(
            "field specified in var '{}' not found in corresponding resource",
            var.go_text()
        ))
    };
    let fields = paths::with_indexes(paths::split(&var.field_path));
    let node = paths::lookup(&item.node, &fields)
        .map_err(|_| missing())?
        .ok_or_else(missing)?;
    Ok(match (node.kind, node.tag.as_str()) {
        (Kind::Scalar, tag::INT) => {
            let number: i64 = node.value.parse().map_err(|_| missing())?;
            Value::Typed(tag::INT, number.to_string().into())
        }
        (Kind::Scalar, tag::BOOL) => {
            Value::Typed(tag::BOOL, node.value.to_ascii_lowercase().into())
        }
        (Kind::Scalar, tag::FLOAT) => {
            let number = golang::strconv::parse_float(&node.value).ok();
            let text = number.map(golang::strconv::format_float_g);
            Value::Typed(tag::FLOAT, text.map_or(node.value.clone(), Text::from))
        }
        (Kind::Scalar, _) => Value::Text(node.value.clone()),
        _ => Value::Other,
    })
}

fn expand(
    node: &mut Node,
    values: &BTreeMap<&str, Value>,
    used: &mut HashSet<String>,
) -> Result<(), String> {
    if ops::is_null(node) {
        return Ok(());
    }
    match node.kind {
        Kind::Scalar if ops::is_text(node) => expand_scalar(node, values, used),
        Kind::Scalar => {}
        Kind::Mapping => {
            for (key, value) in node.pairs_mut() {
                if !ops::is_text(key) {
                    return Err(format!(
                        "invalid map key: value='{}', tag='{}'",
                        key.value, key.tag
                    ));
                }
                if ops::is_text(value) {
                    expand_scalar(value, values, used);
                }
            }
        }
        Kind::Sequence => {
            for item in &mut node.content {
                if !ops::is_text(item) {
                    return Err("invalid value type expect a string".into());
                }
                expand_scalar(item, values, used);
            }
        }
        Kind::Alias => return Err("invalid type encountered".into()),
    }
    Ok(())
}

fn expand_scalar(node: &mut Node, values: &BTreeMap<&str, Value>, used: &mut HashSet<String>) {
    let new = replaced(&node.value, values, used);
    match new {
        Value::Typed(tag, text) => {
            node.tag = Text::new_static(tag);
            node.value = text;
        }
        Value::Text(text) => {
            node.tag = Text::new_static(tag::STR);
            node.value = text;
        }
        Value::Other => {}
    }
    node.style = Style::PLAIN;
}

/// The text with its references replaced; a text that is one reference takes the value's type.
fn replaced(text: &str, values: &BTreeMap<&str, Value>, used: &mut HashSet<String>) -> Value {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let mut symbols = after.chars();
        match symbols.next() {
            None => {
                out.push('$');
                rest = after;
            }
            Some('$') => {
                out.push('$');
                rest = &after[1..];
            }
            Some('(') => match after.find(')') {
                None => {
                    out.push_str("$(");
                    rest = &after[1..];
                }
                Some(end) => {
                    let name = &after[1..end];
                    let whole = at == 0 && out.is_empty() && end + 1 == after.len();
                    match values.get(name) {
                        Some(value @ (Value::Text(text) | Value::Typed(_, text))) => {
                            used.insert(name.to_owned());
                            if whole {
                                return value.clone();
                            }
                            out.push_str(text);
                        }
                        _ => out.push_str(&after[..=end].replacen('(', "$(", 1)),
                    }
                    rest = &after[end + 1..];
                }
            },
            Some(symbol) => {
                out.push('$');
                out.push(symbol);
                rest = symbols.as_str();
            }
        }
    }
    out.push_str(rest);
    Value::Text(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_expand_and_doubled_dollars_escape() {
        let values = BTreeMap::from([
            ("A", Value::Text("x".into())),
            ("N", Value::Typed(tag::INT, "8".into())),
        ]);
        let expand = |text: &str| match replaced(text, &values, &mut HashSet::new()) {
            Value::Text(text) => text.to_string(),
            Value::Typed(tag, text) => format!("{tag} {text}"),
            Value::Other => "other".into(),
        };
        let cases = [
            ("$(A)", "x"),
            ("$(N)", "!!int 8"),
            ("a-$(N)-$(A)", "a-8-x"),
            ("$$(A)", "$(A)"),
            ("$(B) $(A", "$(B) $(A"),
            ("$x $", "$x $"),
        ];
        for (text, expected) in cases {
            assert_eq!(expand(text), expected, "{text}");
        }
    }
}
