//! The order objects are printed in.
//!
//! # Source
//! kubernetes-sigs/kustomize `plugin/builtin/sortordertransformer`.

use std::collections::HashMap;

use crate::error::{BuildError, Failures, Outcome};
use crate::file::SortOptions;
use crate::ids::{Gvk, ORDER_FIRST, ORDER_LAST, ResId};
use crate::resource::Item;

/// Orders objects as the options say.
///
/// # Errors
/// An order that does not exist, or options that belong to another order.
pub(crate) fn run(items: &mut [Item], options: &SortOptions) -> Outcome<()> {
    let fail = |text: &str| {
        Err(Failures::new(
            BuildError::ConfigurationInvalid,
            "sortOptions",
            text,
        ))
    };
    match (options.order.as_str(), &options.legacy) {
        ("legacy", Some(lists)) => {
            return legacy(items, &as_ranks(&lists.first, &lists.last));
        }
        ("legacy", None) => return legacy_default(items),
        ("fifo", None) => {}
        ("fifo", Some(_)) => {
            return fail(
                "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
            );
        }
        _ => return fail("the field 'sortOptions.order' must be one of [fifo, legacy]"),
    }
    Ok(())
}

/// Well-known kinds first, webhooks last, the rest by text.
///
/// # Errors
/// Two objects with one id, which only shows here when nothing above looked.
pub(crate) fn legacy_default(items: &mut [Item]) -> Outcome<()> {
    legacy(
        items,
        &as_ranks(
            &ORDER_FIRST.map(str::to_owned),
            &ORDER_LAST.map(str::to_owned),
        ),
    )
}

fn as_ranks(first: &[String], last: &[String]) -> HashMap<String, i64> {
    let mut ranks = HashMap::new();
    for (at, kind) in first.iter().enumerate() {
        ranks.insert(kind.clone(), at as i64 - first.len() as i64);
    }
    for (at, kind) in last.iter().enumerate() {
        ranks.insert(kind.clone(), at as i64 + 1);
    }
    ranks
}

fn legacy(items: &mut [Item], ranks: &HashMap<String, i64>) -> Outcome<()> {
    let key = |item: &Item| {
        let rank = ranks
            .get(item.id.gvk.kind.as_str())
            .copied()
            .unwrap_or_default();
        (
            rank,
            item.id.gvk.sort_text(),
            id_text(&item.id),
            item.id.gvk.clone(),
        )
    };
    let mut keyed: Vec<_> = items.iter().map(key).zip(0..).collect();
    keyed.sort_by(
        |((a_rank, a_kind, a_id, a), _), ((b_rank, b_kind, b_id, b), _)| {
            if a == b {
                return a_id.cmp(b_id);
            }
            a_rank
                .cmp(b_rank)
                .then_with(|| match both_namespaces(a, b) {
                    true => b_kind.cmp(a_kind),
                    false => a_kind.cmp(b_kind),
                })
        },
    );
    let order: Vec<usize> = keyed.into_iter().map(|(_, at)| at).collect();
    permute(items, order);
    crate::accumulator::check_unique(items)
        .map_err(|failures| failures.prefix("SortOrderTransformer: Failed to append to resources"))
}

/// Puts the item from `order[n]` at place `n`.
fn permute(items: &mut [Item], order: Vec<usize>) {
    let mut place: Vec<usize> = vec![0; order.len()];
    for (to, from) in order.into_iter().enumerate() {
        place[from] = to;
    }
    for at in 0..items.len() {
        while place[at] != at {
            let to = place[at];
            items.swap(at, to);
            place.swap(at, to);
        }
    }
}

/// Two kinds named Namespace, one of the core group, compare the other way round.
fn both_namespaces(a: &Gvk, b: &Gvk) -> bool {
    a.kind == "Namespace" && b.kind == "Namespace" && (a.group.is_empty() || b.group.is_empty())
}

fn id_text(id: &ResId) -> String {
    let namespace = if id.namespace.is_empty() {
        "~X"
    } else {
        &id.namespace
    };
    let name = if id.name.is_empty() { "~N" } else { &id.name };
    format!("{}|{namespace}|{name}", id.gvk)
}
