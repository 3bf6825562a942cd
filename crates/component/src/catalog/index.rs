//! Who refers to whom, so that nobody has to look at everything.

use std::collections::BTreeSet;

use object::Text;

use crate::model::Item;

/// How one object leads to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Link {
    /// From a component to its bindings.
    Binding,
    /// From a project to the bindings of its components.
    OfProject,
    /// From a component to its releases.
    Release,
    /// From a component to its workloads.
    Workload,
    /// From the name of a release to bindings that name it.
    Bound,
    /// From a component to releases whose workloads need its endpoints.
    Needed,
}

/// Names of objects by what they refer to. Whoever reads a name looks at the object itself: a link
/// says less than the reference does.
#[derive(Clone, Debug, Default)]
pub(super) struct Index(BTreeSet<(Link, Text, Text, Text)>);

impl Index {
    /// Takes the references of an object in, or out.
    pub fn set(&mut self, item: &Item, present: bool) {
        let head = item.head();
        for (link, to) in links(item) {
            let entry = (link, head.namespace.clone(), to, head.name.clone());
            match present {
                true => self.0.insert(entry),
                false => self.0.remove(&entry),
            };
        }
    }

    /// Namespace and names of the objects of a namespace that refer to `to`, in order.
    pub fn names<'a>(
        &'a self,
        link: Link,
        namespace: &str,
        to: &str,
    ) -> impl Iterator<Item = (&'a Text, &'a Text)> + use<'a> {
        let (namespace, to) = (Text::from(namespace), Text::from(to));
        let from = (link, namespace.clone(), to.clone(), Text::default());
        self.0
            .range(from..)
            .take_while(move |(own, place, target, _)| {
                *own == link && *place == namespace && *target == to
            })
            .map(|(_, place, _, name)| (place, name))
    }
}

fn links(item: &Item) -> Vec<(Link, Text)> {
    match item {
        Item::ReleaseBinding(own) => {
            let release = own.release.iter().map(|name| (Link::Bound, name.clone()));
            let owners = [
                (Link::Binding, own.owner.component.clone()),
                (Link::OfProject, own.owner.project.clone()),
            ];
            owners.into_iter().chain(release).collect()
        }
        Item::ComponentRelease(own) => {
            let needed = own.workload.endpoint_dependencies.iter();
            let needed = needed.map(|needed| (Link::Needed, needed.component.clone()));
            std::iter::once((Link::Release, own.owner.component.clone()))
                .chain(needed)
                .collect()
        }
        Item::Workload(_, owner) => vec![(Link::Workload, owner.component.clone())],
        _ => Vec::new(),
    }
}
