//! Giving back lists and maps that are nested deeply, without a stack as deep.
//!
//! A template can wrap a list into a list a million times. Were each to give back the next, the stack
//! would end before the list does; so what is inside waits in a queue until its holder is gone.

use std::cell::RefCell;
use std::rc::Rc;

use super::{Entries, List, MapInner, Value};

thread_local! {
    /// What waits; `None` while nobody empties the queue.
    static WAITING: RefCell<Option<Vec<Value>>> = const { RefCell::new(None) };
}

impl Drop for List {
    fn drop(&mut self) {
        if let Some(items) = Rc::get_mut(&mut self.items) {
            release(items.iter_mut());
        }
    }
}

impl Drop for MapInner {
    fn drop(&mut self) {
        if let Entries::Own(entries) = &mut self.entries {
            release(entries.get_mut().values_mut());
        }
    }
}

/// Whether this is the last holder of a list or map that may hold others.
fn is_last(value: &Value) -> bool {
    match value {
        Value::List(list) => !list.items.is_empty() && Rc::strong_count(&list.items) == 1,
        Value::Map(map) => Rc::strong_count(&map.0) == 1,
        _ => false,
    }
}

fn release<'a>(values: impl Iterator<Item = &'a mut Value>) {
    let mut inner = values.filter(|value| is_last(value)).peekable();
    if inner.peek().is_none() {
        return;
    }
    // A thread that ends has no queue any more: then everything is given back at once, as usual.
    let first = WAITING.try_with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        let first = waiting.is_none();
        waiting
            .get_or_insert_with(Vec::new)
            .extend(inner.map(std::mem::take));
        first
    });
    if first != Ok(true) {
        return;
    }
    while let Ok(Some(value)) = WAITING.try_with(|waiting| waiting.borrow_mut().as_mut()?.pop()) {
        drop(value);
    }
    // Nothing waits, so nothing is given back while the queue is.
    let _ = WAITING.try_with(|waiting| waiting.take());
}
