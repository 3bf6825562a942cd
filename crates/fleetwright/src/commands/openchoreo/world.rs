//! Every object of OpenChoreo's group that a server or a checkout has, at one moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::openchoreo::Kind;
use cluster::{Cluster, ErrorClass};
use component::catalog::Catalog;
use component::model::{GROUP, Owner};
use diag::{Code, Diagnostic};
use futures::future::try_join_all;
use object::{Node, Object, ObjectKey, Text};

use crate::exit::{Exit, Failure};

/// Objects, and what they refer to.
#[derive(Default)]
pub struct World {
    objects: BTreeMap<ObjectKey, Arc<Object>>,
    /// What was read of them.
    pub catalog: Catalog,
}

impl World {
    /// Reads a server; of kinds with namespaces only what is in `namespace`, if one is given.
    pub async fn read(cluster: &Cluster, namespace: Option<&str>) -> Result<Self, Failure> {
        let lists = Kind::ALL.iter().map(async |kind| {
            let place = match kind.is_namespaced() {
                true => namespace.unwrap_or_default(),
                false => "",
            };
            let kind_of = kind.group_version_kind();
            match cluster.list(&kind_of, place, "").await {
                Ok(list) => Ok(list),
                Err(error) if error.is_not_found() && *kind == Kind::Component => {
                    let message = "the server does not know OpenChoreo's kinds";
                    let diagnostic = Diagnostic::error(Code("KindUnknown"), message).with_help(
                        "Name a server whose components Fleetwright runs: `fleetwright serve`, or a cluster with `fleetwright controller --roles component --install-crds`.",
                    );
                    Err(Failure::explained(Exit::Negative, vec![diagnostic]))
                }
                Err(error) if error.is_not_found() => Ok(Vec::new()),
                // Who may look into one namespace may still not list what is in none.
                Err(error) if error.class == ErrorClass::Forbidden && !kind.is_namespaced() => {
                    Ok(Vec::new())
                }
                Err(error) => Err(Failure::from(error)),
            }
        });
        let mut world = Self::default();
        for object in try_join_all(lists).await?.into_iter().flatten() {
            world.put(object);
        }
        Ok(world)
    }

    /// Adds an object, or takes it in place of what was there.
    pub fn put(&mut self, object: Object) {
        let key = object.key();
        self.catalog.remove(&key.kind, &key.namespace, &key.name);
        // What is odd about an object is told by its own status.
        drop(self.catalog.add(&object, ""));
        self.objects.insert(key, Arc::new(object));
    }

    /// Every object of a kind, by namespace and name.
    pub fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Object> {
        let all = self.objects.iter();
        let own = all.filter(move |(key, _)| key.kind == kind && key.group == GROUP);
        own.map(|(_, object)| &**object)
    }

    /// The object of this kind, namespace and name.
    pub fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<&Object> {
        let key = key(kind, namespace, name);
        self.objects.get(&key).map(|object| &**object)
    }

    /// What belongs to a component, of a kind.
    pub fn owned<'a>(
        &'a self,
        kind: &'static str,
        namespace: &str,
        owner: &Owner,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        let (namespace, owner) = (Text::from(namespace), owner.clone());
        self.of(kind)
            .filter(move |own| own.namespace() == namespace && Owner::of(own) == owner)
    }

    /// The bindings of a component to an environment; more than one is a mistake.
    pub fn bindings<'a>(
        &'a self,
        namespace: &str,
        owner: &Owner,
        environment: &str,
    ) -> impl Iterator<Item = &'a Object> + use<'a> {
        let environment = Text::from(environment);
        let all = self.owned("ReleaseBinding", namespace, owner);
        all.filter(move |own| own.node.str_at(&["spec", "environment"]) == Some(&*environment))
    }

    /// Environments that lead to one in the pipeline of a project, by name.
    pub fn leading_to(&self, namespace: &str, project: &str, environment: &str) -> Vec<String> {
        let pipeline = self.catalog.pipeline_of(namespace, project);
        let paths = pipeline
            .into_iter()
            .flat_map(|own| own.paths_to(environment));
        paths.map(|path| path.source.to_string()).collect()
    }

    /// The releases that a binding handed to data planes.
    pub fn rendered<'a>(&'a self, binding: &'a Object) -> impl Iterator<Item = &'a Object> {
        let all = self.of("Release").chain(self.of("RenderedRelease"));
        all.filter(move |own| {
            let owners = own.node.at(&["metadata", "ownerReferences"]);
            let mut owners = owners.and_then(Node::as_list).unwrap_or_default().iter();
            own.namespace() == binding.namespace()
                && owners.any(|owner| {
                    owner.str_at(&["kind"]) == Some("ReleaseBinding")
                        && owner.str_at(&["name"]) == Some(binding.name())
                })
        })
    }
}

impl control::components::Objects for World {
    fn get(&self, key: &ObjectKey) -> Option<Arc<Object>> {
        self.objects.get(key).cloned()
    }

    fn list(&self, kind: &str) -> Vec<Arc<Object>> {
        let all = self.objects.iter();
        let own = all.filter(|(key, _)| key.kind == kind);
        own.map(|(_, object)| object.clone()).collect()
    }
}

/// The key of an object of OpenChoreo's group.
pub fn key(kind: &str, namespace: &str, name: &str) -> ObjectKey {
    ObjectKey {
        group: GROUP.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    }
}

/// A component as owner of others.
pub fn as_owner(component: &Object) -> Owner {
    Owner {
        project: Owner::of(component).project,
        component: component.name().into(),
    }
}
