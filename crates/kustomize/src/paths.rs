//! Field paths of replacements and variables: `spec.containers.[name=web].image`.
//!
//! # Source
//! kubernetes-sigs/kustomize `kyaml/utils/pathsplitter.go`, `kyaml/yaml/match.go`, `kyaml/yaml/fns.go`.

use yaml::{Kind, Limits, Node, Style};

use crate::fieldspec::split_path;
use crate::ops;
use crate::select::Matcher;

/// Splits at dots that are not escaped and not in brackets; `[a.b]` without `=` names a key.
pub(crate) fn split(path: &str) -> Vec<String> {
    let pieces = split_path(path, '.');
    let mut parts = Vec::with_capacity(pieces.len());
    let mut pieces = pieces.into_iter();
    while let Some(piece) = pieces.next() {
        if !piece.starts_with('[') || piece.ends_with(']') {
            parts.push(piece);
            continue;
        }
        let mut bracketed = piece;
        for more in pieces.by_ref() {
            bracketed.push('.');
            bracketed.push_str(&more);
            if more.ends_with(']') {
                break;
            }
        }
        match bracketed.contains('=') {
            true => parts.push(bracketed),
            false => parts.push(bracketed.trim_matches(['[', ']']).to_owned()),
        }
    }
    parts
}

/// Takes indexes off names: `ports[0]` is the field `ports` and the element 0.
pub(crate) fn with_indexes(parts: Vec<String>) -> Vec<String> {
    let mut result = Vec::with_capacity(parts.len());
    for part in parts {
        let index = part
            .strip_suffix(']')
            .and_then(|rest| rest.rsplit_once('['));
        match index
            .filter(|(_, digits)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
        {
            Some((name, digits)) => {
                if !name.is_empty() {
                    result.push(name.to_owned());
                }
                result.push(digits.to_owned());
            }
            None => result.push(part),
        }
    }
    result
}

fn is_list_selector(part: &str) -> bool {
    part.starts_with('[') && part.ends_with(']')
}

fn split_selector(part: &str) -> Result<(&str, &str), String> {
    let inner = part.strip_suffix(']').unwrap_or(part);
    let inner = inner.strip_prefix('[').unwrap_or(inner);
    inner.split_once('=').ok_or_else(|| {
        "list path element must contain fieldName=fieldValue for element to match".to_owned()
    })
}

/// The node at a path; `None` when it is not there.
///
/// # Errors
/// A step that does not fit what is there, in the reference's words.
pub(crate) fn lookup<'a>(node: &'a Node, parts: &[String]) -> Result<Option<&'a Node>, String> {
    let mut node = node;
    for part in parts
        .iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
    {
        let next = if let Ok(index) = part.parse::<i64>() {
            let index = usize::try_from(index)
                .map_err(|_| format!("array index {index} cannot be negative"))?;
            ops::expect_kind(node, Kind::Sequence)?;
            node.items().get(index)
        } else if part == "-" {
            ops::expect_kind(node, Kind::Sequence)?;
            node.items().last()
        } else if part == "*" {
            return Err("wildcard is not supported in PathGetter".into());
        } else if is_list_selector(part) {
            let (name, value) = split_selector(part)?;
            ops::expect_kind(node, Kind::Sequence)?;
            node.items().iter().find(|item| match name.is_empty() {
                true => item.value == value,
                false => item.get(name).is_some_and(|field| field.value == value),
            })
        } else if ops::is_null(node) {
            None
        } else {
            ops::expect_kind(node, Kind::Mapping)?;
            node.get(part)
        };
        match next {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    Ok(Some(node))
}

type Visit<'a> = &'a mut dyn FnMut(&mut Node) -> Result<(), String>;

/// Calls `visit` for every node a path matches and returns their number; `create` makes what is
/// missing, the last part as that kind.
///
/// Below a text that holds YAML the path goes on, but what `visit` changes there is lost, as it is
/// in the reference.
///
/// # Errors
/// A step that does not fit what is there, or what `visit` returns.
pub(crate) fn visit(
    node: &mut Node,
    parts: &[String],
    create: Option<Kind>,
    visit_node: Visit<'_>,
) -> Result<usize, String> {
    let Some((part, rest)) = parts.split_first() else {
        visit_node(node)?;
        return Ok(1);
    };
    if let Ok(index) = part.parse::<usize>() {
        return visit_index(node, index, rest, create, visit_node);
    }
    if is_list_selector(part) {
        return visit_selected(node, part, rest, create, visit_node);
    }
    if part == "*" {
        ops::expect_kind(node, Kind::Sequence)?;
        let mut count = 0;
        for item in &mut node.content {
            count += visit(item, rest, create, visit_node)?;
        }
        return Ok(count);
    }
    if !ops::is_null(node) {
        ops::expect_kind(node, Kind::Mapping)?;
    }
    if ops::is_null(node) || node.get(part).is_none() {
        let Some(kind) = create else { return Ok(0) };
        ops::append_field(node, part, created(kind_of_part(rest, kind)));
    }
    let field = node.get_mut(part).expect("found or added just above");
    if field.kind == Kind::Scalar && !rest.is_empty() {
        let mut inner = parse_inner(&field.value)?;
        return visit(&mut inner, rest, create, visit_node);
    }
    visit(field, rest, create, visit_node)
}

fn created(kind: Kind) -> Node {
    Node {
        kind,
        ..Node::default()
    }
}

/// The kind of a part by what follows it.
fn kind_of_part(rest: &[String], last: Kind) -> Kind {
    match rest.first() {
        None => last,
        Some(next) if next.is_empty() => last,
        Some(next) if is_list_selector(next) || next.parse::<usize>().is_ok() => Kind::Sequence,
        Some(_) => Kind::Mapping,
    }
}

fn visit_index(
    node: &mut Node,
    index: usize,
    rest: &[String],
    create: Option<Kind>,
    visit_node: Visit<'_>,
) -> Result<usize, String> {
    ops::expect_kind(node, Kind::Sequence)?;
    if let Some(kind) = create.filter(|_| node.content.len() == index) {
        node.content.push(created(kind_of_part(rest, kind)));
    }
    let length = node.content.len();
    match node.content.get_mut(index) {
        Some(item) => visit(item, rest, create, visit_node),
        None => Err(format!(
            "index {index} specified but only {length} elements found"
        )),
    }
}

fn visit_selected(
    node: &mut Node,
    part: &str,
    rest: &[String],
    create: Option<Kind>,
    visit_node: Visit<'_>,
) -> Result<usize, String> {
    let (name, pattern) = split_selector(part)?;
    ops::expect_kind(node, Kind::Sequence)?;
    let wanted = Matcher::part(pattern)?;
    let mut count = visit_matching(node, name, &wanted, rest, create, visit_node)?;
    if count == 0 && create.is_some() {
        let value = Node::scalar(pattern);
        node.content.push(match name.is_empty() {
            true => value,
            false => {
                let mut map = created(Kind::Mapping);
                ops::append_field(&mut map, name, value);
                map
            }
        });
        count = visit_matching(node, name, &wanted, rest, create, visit_node)?;
    }
    Ok(count)
}

fn visit_matching(
    node: &mut Node,
    name: &str,
    wanted: &Matcher,
    rest: &[String],
    create: Option<Kind>,
    visit_node: Visit<'_>,
) -> Result<usize, String> {
    let mut count = 0;
    for item in &mut node.content {
        if name.is_empty() {
            if wanted.is_match(&written(item)) {
                visit_node(item)?;
                count += 1;
            }
        } else if item
            .get(name)
            .is_some_and(|field| wanted.is_match(&written(field)))
        {
            count += visit(item, rest, create, visit_node)?;
        }
    }
    Ok(count)
}

/// A node as its text is written, quotes and comments included.
fn written(node: &Node) -> String {
    let simple =
        node.kind == Kind::Scalar && node.style == Style::PLAIN && node.comments.is_empty();
    match simple {
        true => node.value.to_string(),
        false => ops::emit(node).trim().to_owned(),
    }
}

/// The tree inside a text.
///
/// # Errors
/// Text that is not YAML.
pub(crate) fn parse_inner(text: &str) -> Result<Node, String> {
    let mut documents =
        yaml::parse(text, &Limits::default()).map_err(|error| error.go_message())?;
    if documents.is_empty() {
        return Err("wrong node kind: expected MappingNode but got kind: 0".into());
    }
    let mut node = documents.swap_remove(0);
    ops::expand(&mut node, Limits::default().nodes_max).map_err(|error| error.to_string())?;
    Ok(node)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_keep_their_dots() {
        assert_eq!(split("a.b"), ["a", "b"]);
        assert_eq!(split(r"a.b\.c"), ["a", "b.c"]);
        assert_eq!(
            split("metadata.annotations.[x.io/y]"),
            ["metadata", "annotations", "x.io/y"]
        );
        assert_eq!(
            split("spec.[name=a.b].image"),
            ["spec", "[name=a.b]", "image"]
        );
        assert_eq!(
            with_indexes(split("spec.ports[0].port")),
            ["spec", "ports", "0", "port"]
        );
    }
}
