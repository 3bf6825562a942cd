//! The objects of one kustomization on their way up.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/internal/accumulator`, `api/resmap/reswrangler.go`.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::config::Config;
use crate::error::{BuildError, Failures, Outcome};
use crate::file;
use crate::ids::IdKey;
use crate::resource::{Behavior, Item};
use crate::schema::Schema;
use crate::{configure, vars};

/// Most objects of one build; beyond that the inventory of a unit cannot hold them anyway.
const OBJECTS_MAX: usize = 50_000;

/// Objects on their way up, with what configures the transformers above.
#[derive(Default)]
pub(crate) struct Accumulator {
    pub items: Vec<Item>,
    /// Current ids, while nothing has changed them.
    ids: Option<HashMap<IdKey, usize>>,
    pub config: Option<Arc<Config>>,
    pub vars: Vec<file::Var>,
}

impl Accumulator {
    /// Adds an object that must be new.
    pub fn append(&mut self, item: Item) -> Outcome<()> {
        if self.items.len() >= OBJECTS_MAX {
            let text = format!("more than {OBJECTS_MAX} objects");
            return Err(Failures::new(
                BuildError::LimitReached,
                format!("{OBJECTS_MAX} objects"),
                text,
            ));
        }
        let items = &self.items;
        let ids = self.ids.get_or_insert_with(|| {
            items
                .iter()
                .enumerate()
                .map(|(at, item)| (item.id.key(), at))
                .collect()
        });
        if let Some(first) = ids.get(&item.id.key()) {
            let text = format!(
                "may not add resource with an already registered id: {}",
                item.id
            );
            let first = self.items[*first].origin.as_ref().map(ToString::to_string);
            return Err(
                Failures::new(BuildError::DuplicateObject, item.id.to_string(), text)
                    .at(item.place())
                    .near_from(first),
            );
        }
        ids.insert(item.id.key(), self.items.len());
        self.items.push(item);
        Ok(())
    }

    /// Forgets the ids, because something may change them.
    pub fn changed(&mut self) -> &mut Vec<Item> {
        self.ids = None;
        &mut self.items
    }

    /// Adds a generated object, or merges it into the one it is for.
    pub fn absorb(&mut self, mut item: Item, schema: &Schema) -> Outcome<()> {
        let subject = item.id.to_string();
        let fail = |text: String| Failures::new(BuildError::GeneratorFailed, subject.clone(), text);
        let mut matches =
            (0..self.items.len()).filter(|at| self.items[*at].any_id(|id| item.id.equals(id)));
        let found = (matches.next(), matches.next());
        let behavior = item.history.behavior;
        match found {
            (None, _) => match behavior {
                Behavior::Merge | Behavior::Replace => Err(fail(format!(
                    "id {} does not exist; cannot merge or replace",
                    item.id.go_syntax()
                ))),
                _ => self.append(item),
            },
            (Some(at), None) => {
                if !matches!(behavior, Behavior::Merge | Behavior::Replace) {
                    return Err(fail(format!(
                        "id {} exists; can not use behavior: '{}', behavior must be merge or replace",
                        item.id.go_syntax(),
                        behavior.as_str()
                    )));
                }
                let old = &self.items[at];
                configure::take_over(&mut item, old, behavior == Behavior::Merge, schema)
                    .map_err(fail)?;
                self.changed()[at] = item;
                Ok(())
            }
            (Some(_), Some(_)) => Err(fail(format!(
                "found multiple objects that could accept merge of {}",
                item.id
            ))),
        }
    }

    pub fn merge_config(&mut self, other: &Arc<Config>) -> Result<(), String> {
        match &mut self.config {
            None if other.is_default => self.config = Some(other.clone()),
            None => {
                // Merging into nothing still drops specs that an earlier one makes superfluous.
                let mut merged = Config::default();
                merged.merge(other)?;
                self.config = Some(Arc::new(merged));
            }
            Some(own) if Arc::ptr_eq(own, other) => {}
            Some(own) => {
                let own = Arc::make_mut(own);
                own.is_default = false;
                own.merge(other)?;
            }
        }
        Ok(())
    }

    /// Adds everything of a nested kustomization.
    pub fn merge(&mut self, other: Self) -> Outcome<()> {
        for item in other.items {
            self.append(item)?;
        }
        if let Some(config) = &other.config {
            self.merge_config(config).map_err(|text| {
                Failures::new(BuildError::ConfigurationInvalid, "configurations", text)
            })?;
        }
        vars::add_all(&mut self.vars, &other.vars)
    }
}

/// Whether every object has an id of its own.
///
/// # Errors
/// The first that has not.
pub(crate) fn check_unique(items: &[Item]) -> Outcome<()> {
    let mut seen = HashSet::with_capacity(items.len());
    for item in items {
        if !seen.insert(item.id.key()) {
            let text = format!(
                "may not add resource with an already registered id: {}",
                item.id
            );
            let failures = Failures::new(BuildError::DuplicateObject, item.id.to_string(), text);
            return Err(failures.at(item.place()));
        }
    }
    Ok(())
}
