//! Field specs: which field of which kinds a transformer works on, and the walk to it.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/filters/fieldspec/fieldspec.go`, `api/types/fieldspec.go`.

use std::sync::{Arc, OnceLock};

use object::Text;
use yaml::{Kind, Node, tag};

use crate::ids::{Gvk, ResId};
use crate::ops;

/// A field of the objects that a group, version and kind select.
#[derive(Clone, Debug)]
pub(crate) struct FieldSpec {
    pub gvk: Gvk,
    pub path: Text,
    /// Whether missing maps on the way, and the field itself, are created.
    pub create: bool,
    /// The path, split when an object is of the kind.
    segments: OnceLock<Arc<[Segment]>>,
}

#[derive(Clone, Debug)]
struct Segment {
    name: Text,
    /// Written with `[]`: known to be a list, so never created.
    list: bool,
    role: Role,
}

/// What the reference takes a name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Field,
    /// Elements of a list, which no map has.
    Element,
    /// The element of a list at a negative index, which no list has either.
    Negative(i64),
    Wildcard,
}

impl Role {
    fn of(name: &str) -> Self {
        match name {
            "*" => Self::Wildcard,
            "-" => Self::Element,
            _ if name.starts_with('[') && name.ends_with(']') => Self::Element,
            _ => match golang::strconv::parse_int(name, 10) {
                Ok(index) if index < 0 => Self::Negative(index),
                Ok(_) => Self::Element,
                Err(_) => Self::Field,
            },
        }
    }

    /// # Errors
    /// A name that is none of a field, though `map` is a map; in the reference's words.
    fn check_is_field(self, map: &Node) -> Result<(), String> {
        match self {
            Self::Field => Ok(()),
            Self::Element => ops::expect_kind(map, Kind::Sequence),
            Self::Negative(index) => Err(format!("array index {index} cannot be negative")),
            Self::Wildcard => Err("wildcard is not supported in PathGetter".into()),
        }
    }
}

impl FieldSpec {
    pub fn new(gvk: Gvk, path: &str, create: bool) -> Self {
        Self {
            gvk,
            path: path.into(),
            create,
            segments: OnceLock::new(),
        }
    }

    fn segments(&self) -> &[Segment] {
        self.segments.get_or_init(|| {
            let segments = split_path(&self.path, '/').into_iter().map(|segment| {
                let name = segment.strip_suffix("[]");
                let list = name.is_some();
                let name = name.unwrap_or(&segment);
                Segment {
                    name: name.into(),
                    list,
                    role: Role::of(name),
                }
            });
            segments.collect()
        })
    }

    /// A spec for every kind.
    pub fn any(path: &str, create: bool) -> Self {
        Self::new(Gvk::default(), path, create)
    }
}

/// Adds the specs of `incoming` that are not there yet.
///
/// # Errors
/// When one is there with another `create`.
pub(crate) fn merge_all(specs: &mut Vec<FieldSpec>, incoming: &[FieldSpec]) -> Result<(), String> {
    incoming.iter().try_for_each(|spec| merge_one(specs, spec))
}

/// Adds `spec` unless it is there.
///
/// # Errors
/// As [`merge_all`].
pub(crate) fn merge_one(specs: &mut Vec<FieldSpec>, spec: &FieldSpec) -> Result<(), String> {
    let known = specs
        .iter()
        .find(|known| known.gvk.is_selected(&spec.gvk) && known.path == spec.path);
    match known {
        Some(known) if known.create != spec.create => Err("conflicting fieldspecs".into()),
        Some(_) => Ok(()),
        None => {
            specs.push(spec.clone());
            Ok(())
        }
    }
}

/// Splits at `separator`; a backslash before it keeps it, and one at the start is skipped.
pub(crate) fn split_path(path: &str, separator: char) -> Vec<String> {
    let mut pieces: Vec<&str> = path.split(separator).collect();
    if pieces.len() > 1 && pieces[0].is_empty() {
        pieces.remove(0);
    }
    let mut parts: Vec<String> = Vec::new();
    for piece in pieces {
        match parts.last_mut() {
            Some(last) if last.ends_with('\\') => {
                last.pop();
                last.push(separator);
                last.push_str(piece);
            }
            _ => parts.push(piece.to_owned()),
        }
    }
    parts
}

/// What a missing field is created as.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Create {
    Nothing,
    Text,
    Integer,
    Map,
}

/// Calls `set` for every node at the spec's path, if the object is of the spec's kind.
///
/// # Errors
/// What `set` returns, or a scalar in the middle of the path; in the reference's words.
pub(crate) fn apply(
    object: &mut Node,
    id: &ResId,
    spec: &FieldSpec,
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    if !id.gvk.is_selected(&spec.gvk) {
        return Ok(());
    }
    apply_to_any(object, id, spec, create, set)
}

/// As [`apply`], for an object whose kind was already compared.
///
/// # Errors
/// As [`apply`].
pub(crate) fn apply_to_any(
    object: &mut Node,
    id: &ResId,
    spec: &FieldSpec,
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let create = if spec.create { create } else { Create::Nothing };
    let segments = spec.segments();
    ops::check_path(segments.len())?;
    walk(object, segments, create, set)
        .map_err(|error| format!("considering field '{}' of object {id}: {error}", spec.path))
}

fn walk(
    node: &mut Node,
    path: &[Segment],
    create: Create,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let Some((segment, rest)) = path.split_first() else {
        return set(node);
    };
    if ops::is_null(node) {
        return Ok(());
    }
    match node.kind {
        Kind::Sequence => node
            .content
            .iter_mut()
            .try_for_each(|item| walk(item, path, create, set))
            .map_err(|error| {
                let names: Vec<_> = path.iter().map(Segment::written).collect();
                format!("visit traversal on path: [{}]: {error}", names.join(" "))
            }),
        Kind::Mapping => {
            if segment.name.is_empty() {
                return Err("cannot set or create an empty field name".into());
            }
            segment
                .role
                .check_is_field(node)
                .map_err(|error| format!("fieldName: {}: {error}", segment.name))?;
            let wanted = match create {
                Create::Nothing => Create::Nothing,
                _ if segment.list => Create::Nothing,
                _ if rest.is_empty() => create,
                _ => Create::Map,
            };
            if node.position(&segment.name).is_none() {
                let new = match wanted {
                    Create::Nothing => return Ok(()),
                    Create::Map => Node {
                        kind: Kind::Mapping,
                        ..Node::default()
                    },
                    Create::Text | Create::Integer => Node::default(),
                };
                ops::append_field(node, &segment.name, new);
            }
            let field = node
                .get_mut(&segment.name)
                .expect("found or added just above");
            if ops::is_null(field) {
                become_wanted(field, wanted, segment.list);
            }
            walk(field, rest, create, set)
        }
        _ => Err("expected sequence or mapping node".into()),
    }
}

impl Segment {
    fn written(&self) -> String {
        format!("{}{}", self.name, if self.list { "[]" } else { "" })
    }
}

/// A null where something is wanted becomes that, empty.
fn become_wanted(field: &mut Node, wanted: Create, list: bool) {
    let (kind, tag) = match wanted {
        Create::Nothing if list => (Kind::Sequence, ""),
        Create::Nothing => return,
        Create::Map => (Kind::Mapping, tag::MAP),
        Create::Text => (Kind::Scalar, tag::STR),
        Create::Integer => (Kind::Scalar, tag::INT),
    };
    field.kind = kind;
    field.tag = Text::new_static(tag);
    field.value = Text::default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_split_at_slashes_that_are_not_escaped() {
        assert_eq!(split_path("/a/b", '/'), ["a", "b"]);
        assert_eq!(
            split_path(r"metadata/annotations/x.io\/y", '/'),
            ["metadata", "annotations", "x.io/y"]
        );
    }

    #[test]
    fn a_spec_that_disagrees_about_creating_is_a_conflict() {
        let mut specs = vec![FieldSpec::any("metadata/labels", true)];
        assert!(merge_one(&mut specs, &FieldSpec::any("metadata/labels", true)).is_ok());
        assert_eq!(specs.len(), 1);
        assert!(merge_one(&mut specs, &FieldSpec::any("metadata/labels", false)).is_err());
    }
}
