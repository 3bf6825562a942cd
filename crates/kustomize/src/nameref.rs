//! Names that follow the objects they refer to.
//!
//! Runs once, when all names are final. Objects are found through an index by former name, so the
//! work is linear in fields, not in fields times objects.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/filters/nameref`, `api/internal/accumulator/namereferencetransformer.go`.

use std::collections::{HashMap, HashSet};

use object::Text;
use yaml::{Kind, Node};

use crate::config::NameReference;
use crate::error::{BuildError, Failures, Outcome};
use crate::fieldspec::{self, Create, FieldSpec};
use crate::ids::{Gvk, ResId};
use crate::ops;
use crate::resource::Item;
use crate::schema::Schema;

/// What a lookup needs to know about an object that others may refer to.
struct Target {
    id: ResId,
    previous: Vec<ResId>,
    original_namespace: Text,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
    name: Text,
    namespace: Text,
}

struct Index {
    targets: Vec<Target>,
    by_former_name: HashMap<Text, Vec<usize>>,
    /// Effective namespaces that objects had first.
    original_namespaces: HashSet<Text>,
}

/// Updates every name field that refers to an object whose name changed.
///
/// # Errors
/// A name that several objects had, or a field of the wrong shape.
pub(crate) fn fix(
    items: &mut [Item],
    references: &[NameReference],
    schema: &Schema,
) -> Outcome<()> {
    let index = Index::build(items);
    let mut specs_by_kind: HashMap<Gvk, Vec<(&Gvk, &FieldSpec)>> = HashMap::new();
    let mut failures: Vec<BuildError> = Vec::new();
    for at in 0..items.len() {
        let original = items[at].original_id();
        let specs = specs_by_kind
            .entry(original.gvk.clone())
            .or_insert_with(|| {
                let all = references.iter().flat_map(|reference| {
                    reference
                        .referrers
                        .iter()
                        .map(move |spec| (&reference.target, spec))
                });
                all.filter(|(_, spec)| original.gvk.is_selected(&spec.gvk))
                    .collect()
            });
        if specs.is_empty() {
            continue;
        }
        match fix_one(items, at, specs, &index) {
            Ok(true) => {
                items[at].unify();
                items[at].refresh(schema);
            }
            Ok(false) => {}
            Err(text) => {
                let place = items[at].place();
                let make = match text.contains("multiple possible referrals") {
                    true => BuildError::ReferenceAmbiguous,
                    false => BuildError::TransformFailed,
                };
                failures.extend(
                    Failures::new(make, items[at].id.to_string(), text)
                        .at(place)
                        .0,
                );
            }
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Failures(failures))
    }
}

fn fix_one(
    items: &mut [Item],
    at: usize,
    specs: &[(&Gvk, &FieldSpec)],
    index: &Index,
) -> Result<bool, String> {
    let role_ref = role_ref(&items[at].node);
    let id = items[at].id.clone();
    let referrer = Referrer {
        namespaces: subject_namespaces(&items[at])?,
        prefixes: items[at].history.prefixes.clone(),
        suffixes: items[at].history.suffixes.clone(),
        id,
    };
    let mut changed = false;
    let mut node = std::mem::take(&mut items[at].node);
    let mut result = Ok(());
    for (target, spec) in specs {
        let lookup = Lookup {
            index,
            referrer: &referrer,
            target,
            role_ref: role_ref
                .as_ref()
                .filter(|_| spec.path.ends_with("roleRef/name")),
        };
        result = fieldspec::apply_to_any(
            &mut node,
            &referrer.id,
            spec,
            Create::Nothing,
            &mut |field| lookup.set(field, &mut changed),
        )
        .map_err(|text| {
            format!(
                "updating name reference in '{}' field of '{}': {text}",
                spec.path, referrer.id
            )
        });
        if result.is_err() {
            break;
        }
    }
    items[at].node = node;
    match result {
        Ok(()) => Ok(changed),
        Err(text) => Err(explain_ambiguity(text, items, at)),
    }
}

/// The object that holds the name.
struct Referrer {
    id: ResId,
    namespaces: HashSet<Text>,
    prefixes: Vec<Text>,
    suffixes: Vec<Text>,
}

struct Lookup<'a> {
    index: &'a Index,
    referrer: &'a Referrer,
    target: &'a Gvk,
    role_ref: Option<&'a Gvk>,
}

/// Stands for the dump of referrer and candidates until they can be printed.
const DUMP: &str = "\u{1}dump:";

impl Lookup<'_> {
    fn set(&self, field: &mut Node, changed: &mut bool) -> Result<(), String> {
        if ops::is_null(field) {
            return Ok(());
        }
        match field.kind {
            Kind::Scalar => self.set_scalar(field, changed),
            Kind::Mapping => self.set_mapping(field, changed),
            Kind::Sequence => field
                .content
                .iter_mut()
                .try_for_each(|item| match item.kind {
                    _ if ops::is_null(item) => Ok(()),
                    Kind::Scalar => self.set_scalar(item, changed),
                    Kind::Mapping => self.set_mapping(item, changed),
                    _ => Err("list is expected to be either a string or a map of string".into()),
                }),
            Kind::Alias => Err("node must be a scalar, sequence or map".into()),
        }
    }

    fn set_scalar(&self, field: &mut Node, changed: &mut bool) -> Result<(), String> {
        let Some(at) = self.pick(&field.value, None, false)? else {
            return Ok(());
        };
        let name = &self.index.targets[at].name;
        if *name != field.value {
            *changed = true;
            ops::set_scalar(field, Node::scalar(name.clone()))?;
        }
        Ok(())
    }

    fn set_mapping(&self, map: &mut Node, changed: &mut bool) -> Result<(), String> {
        let Some(name) = map.get("name") else {
            return Err("path config error; no 'name' field in node".into());
        };
        let old = name.value.clone();
        let namespace = map
            .get("namespace")
            .map(|namespace| namespace.value.clone());
        let Some(at) = self.pick(&old, namespace.as_ref(), true)? else {
            return Ok(());
        };
        let target = &self.index.targets[at];
        if target.name == old && target.namespace.is_empty() {
            return Ok(());
        }
        *changed = true;
        ops::set_field(map, "name", Node::scalar(target.name.clone()))?;
        if !target.namespace.is_empty() {
            ops::set_field(map, "namespace", Node::scalar(target.namespace.clone()))?;
        }
        Ok(())
    }

    /// The one object that `old` means, if there is one.
    fn pick(
        &self,
        old: &str,
        namespace: Option<&Text>,
        with_namespace: bool,
    ) -> Result<Option<usize>, String> {
        let Some(named) = self.index.by_former_name.get(old) else {
            return Ok(None);
        };
        let targets = &self.index.targets;
        let mut found: Vec<usize> = named
            .iter()
            .copied()
            .filter(|at| self.can_refer(&targets[*at]))
            .collect();
        if let Some(namespace) = namespace {
            let original = self.index.has_original(self, namespace);
            found.retain(|at| match original {
                true => targets[*at].original_namespace == *namespace,
                false => {
                    targets[*at].id.effective_namespace() == namespace.as_str()
                        && !targets[*at].id.cluster_scoped
                }
            });
        }
        found.retain(|at| {
            let target = &targets[*at];
            target
                .previous
                .iter()
                .any(|id| id.gvk.is_selected(self.target))
                && self
                    .role_ref
                    .is_none_or(|role| target.previous.iter().any(|id| id.gvk.is_selected(role)))
                && self.in_reach(target)
        });
        if let [only] = found[..] {
            return Ok(Some(only));
        }
        found.retain(|at| self.same_affixes(&targets[*at], true));
        if found.len() > 1 {
            found.retain(|at| self.same_affixes(&targets[*at], false));
        }
        match found[..] {
            [] => Ok(None),
            [only] => Ok(Some(only)),
            [first, ..] => {
                let same = found.iter().all(|at| {
                    targets[*at].name == targets[first].name
                        && (!with_namespace || targets[*at].namespace == targets[first].namespace)
                });
                if same {
                    return Ok(Some(first));
                }
                let ids: Vec<_> = found.iter().map(|at| targets[*at].id.to_string()).collect();
                let places: Vec<_> = found.iter().map(usize::to_string).collect();
                Err(format!(
                    "found multiple possible referrals: {}\n{DUMP}{}",
                    ids.join(", "),
                    places.join(",")
                ))
            }
        }
    }

    /// Whether objects in the referrer's namespace can refer to the target at all.
    fn can_refer(&self, target: &Target) -> bool {
        self.referrer.id.cluster_scoped
            || target.id.cluster_scoped
            || target.id.same_namespace(&self.referrer.id)
            || self.referrer.namespaces.contains(&target.namespace)
    }

    fn in_reach(&self, target: &Target) -> bool {
        self.referrer.id.cluster_scoped
            || target.id.cluster_scoped
            || target.id.gvk.kind == "ServiceAccount"
            || target.id.same_namespace(&self.referrer.id)
    }

    fn same_affixes(&self, target: &Target, empty_matches: bool) -> bool {
        let same = |own: &[Text], other: &[Text]| {
            (empty_matches && (own.is_empty() || other.is_empty())) || same_ending(own, other)
        };
        same(&target.prefixes, &self.referrer.prefixes)
            && same(&target.suffixes, &self.referrer.suffixes)
    }
}

/// Whether the shorter list is the end of the longer one; an empty one is only of another.
fn same_ending(a: &[Text], b: &[Text]) -> bool {
    let length = a.len().min(b.len());
    match length {
        0 => a.len() == b.len(),
        _ => a[a.len() - length..] == b[b.len() - length..],
    }
}

impl Index {
    fn build(items: &[Item]) -> Self {
        let mut by_former_name: HashMap<Text, Vec<usize>> = HashMap::new();
        let mut targets = Vec::with_capacity(items.len());
        let mut original_namespaces = HashSet::new();
        for (at, item) in items.iter().enumerate() {
            let previous: Vec<ResId> = item.previous_ids().collect();
            for (place, id) in previous.iter().enumerate() {
                if previous[..place]
                    .iter()
                    .all(|before| before.name != id.name)
                {
                    by_former_name.entry(id.name.clone()).or_default().push(at);
                }
            }
            let original_namespace = Text::from(item.original_id().effective_namespace());
            original_namespaces.insert(original_namespace.clone());
            targets.push(Target {
                id: item.id.clone(),
                previous,
                original_namespace,
                prefixes: item.history.prefixes.clone(),
                suffixes: item.history.suffixes.clone(),
                name: item.id.name.clone(),
                namespace: item.id.namespace.clone(),
            });
        }
        Self {
            targets,
            by_former_name,
            original_namespaces,
        }
    }

    /// Whether any object the referrer can refer to was in `namespace` first.
    fn has_original(&self, lookup: &Lookup<'_>, namespace: &Text) -> bool {
        self.original_namespaces.contains(namespace)
            && (lookup.referrer.id.cluster_scoped
                || self.targets.iter().any(|target| {
                    target.original_namespace == *namespace && lookup.can_refer(target)
                }))
    }
}

fn role_ref(object: &Node) -> Option<Gvk> {
    let role_ref = object.get("roleRef")?;
    let (group, kind) = (role_ref.get("apiGroup")?, role_ref.get("kind")?);
    Some(Gvk {
        group: group.value.clone(),
        version: Text::default(),
        kind: kind.value.clone(),
    })
}

/// Namespaces of the service accounts a role binding is about.
fn subject_namespaces(item: &Item) -> Result<HashSet<Text>, String> {
    let mut namespaces = HashSet::new();
    if item.id.gvk.kind != "RoleBinding" {
        return Ok(namespaces);
    }
    for subject in item
        .node
        .get("subjects")
        .map(Node::items)
        .unwrap_or_default()
    {
        if subject
            .get("kind")
            .is_none_or(|kind| kind.value != "ServiceAccount")
        {
            continue;
        }
        match subject.get("namespace") {
            None => {}
            Some(namespace)
                if namespace.kind == Kind::Scalar && namespace.as_string().is_some() =>
            {
                namespaces.insert(namespace.value.clone());
            }
            Some(_) => {
                return Err(format!(
                    "Invalid Input: namespace is blank for resource {:?}\n",
                    item.id.to_string()
                ));
            }
        }
    }
    Ok(namespaces)
}

/// Replaces the mark in an error by the referrer and the candidates in full.
fn explain_ambiguity(text: String, items: &[Item], at: usize) -> String {
    let Some((before, places)) = text.split_once(DUMP) else {
        return text;
    };
    let print = |item: &Item| crate::print(&item.with_history()).unwrap_or_else(|error| error);
    let mut out = format!(
        "{before}\n**** Too many possible referral targets to referrer:\n{}\n",
        print(&items[at])
    );
    for (number, place) in places
        .split(',')
        .filter_map(|place| place.parse::<usize>().ok())
        .enumerate()
    {
        if let Some(item) = items.get(place) {
            out.push_str(&format!(
                "--- possible referral {number}:\n{}\n",
                print(item)
            ));
        }
    }
    out
}
