//! Carry a plan out, plan from the result, and nothing is to do.
//!
//! The server is the real rules of server-side apply over objects without a schema.

use std::collections::BTreeMap;

use merge::{Force, Managers, ObjectType, OneVersion, Reset, json_patch};
use object::{Node, Object, ObjectKey, json};
use plan::{Inventory, LiveStale, Options, Owner, Plan, Probe, Stage, Write};

const NOW: &str = "2024-01-01T00:00:00Z";

/// Objects by key, changed as an API server would change them.
#[derive(Default)]
struct Server {
    objects: BTreeMap<ObjectKey, Object>,
    version: u64,
}

impl Server {
    /// What applying would give; `as_manager` as in the request.
    fn applied(&self, object: &Object, as_manager: &str) -> Object {
        let object_type = ObjectType::deduced();
        let version = OneVersion {
            api_version: "v1",
            object_type: &object_type,
        };
        let mut missing = Node::map();
        missing.set(&["apiVersion"], object.api_version());
        missing.set(&["kind"], object.kind());
        let write = merge::Write {
            manager: as_manager,
            api_version: "v1",
            subresource: "",
            now: NOW,
            reset: &Reset::Nothing,
            missing: &missing,
        };
        let live = self.objects.get(&object.key()).map(|live| &live.node);
        let managers = live.map(Managers::of).unwrap_or_default();
        let outcome = merge::apply(&version, live, &object.node, managers, &write, Force::Yes);
        let outcome = outcome.expect("objects without a schema fit it");
        let mut node = outcome.object.or(live.cloned()).unwrap_or_default();
        outcome.managers.write(&mut node);
        Object::new(node)
    }

    fn apply(&mut self, object: &Object, as_manager: &str) {
        let result = self.applied(object, as_manager);
        self.store(result);
    }

    /// Somebody sets a field by an update.
    fn edit(&mut self, key: &ObjectKey, path: &[&str], value: i64, as_manager: &str) {
        let Some(live) = self.objects.get(key).cloned() else {
            return;
        };
        let mut new = live.clone();
        new.node.set(path, value);
        let object_type = ObjectType::deduced();
        let version = OneVersion {
            api_version: "v1",
            object_type: &object_type,
        };
        let missing = Node::map();
        let write = merge::Write {
            manager: as_manager,
            api_version: "v1",
            subresource: "",
            now: NOW,
            reset: &Reset::Nothing,
            missing: &missing,
        };
        let managers = Managers::for_update(&live.node, &new.node, "");
        let managers =
            merge::update(&version, Some(&live.node), &new.node, managers, &write).unwrap();
        managers.write(&mut new.node);
        self.store(new);
    }

    fn store(&mut self, mut object: Object) {
        self.version += 1;
        let key = object.key();
        if object.uid().is_empty() {
            object.node.set(&["metadata", "uid"], format!("uid {key}"));
        }
        let version = self.version.to_string();
        object.node.set(&["metadata", "resourceVersion"], version);
        self.objects.insert(key, object);
    }

    fn probe(&self, object: &Object, manager: &str) -> Probe {
        Probe {
            live: self.objects.get(&object.key()).cloned(),
            dry_run: Ok(self.applied(object, manager)),
        }
    }

    /// Carries a plan out; returns what it wrote and deleted.
    fn carry_out(&mut self, plan: &Plan, options: &Options) -> Vec<String> {
        let mut done = Vec::new();
        for stage in &plan.stages {
            self.carry_out_stage(stage, options, &mut done);
        }
        let stale = plan.stale.iter().map(|entry| LiveStale {
            entry: entry.clone(),
            live: self.objects.get(&entry.key).cloned(),
            has_content: false,
        });
        for deletion in plan::prune(stale.collect(), options).deletions {
            done.push(format!("delete {}", deletion.live.key()));
            self.objects.remove(&deletion.live.key());
        }
        done
    }

    fn carry_out_stage(&mut self, stage: &Stage, options: &Options, done: &mut Vec<String>) {
        let objects = stage.objects.iter();
        let probes: Vec<Probe> = objects
            .map(|object| self.probe(object, options.manager()))
            .collect();
        let settled = plan::settle(stage, &probes, options);
        assert!(settled.failures.is_empty());
        for write in settled.writes {
            match write {
                Write::TakeOver { live, patch } => {
                    done.push(format!("take over {}", live.key()));
                    let current = &self.objects[&live.key()];
                    assert_eq!(current.resource_version(), live.resource_version());
                    let patched = json_patch::apply(&current.node, &patch).unwrap();
                    self.store(Object::new(patched));
                }
                Write::Apply(object) => {
                    done.push(format!("apply {}", object.key()));
                    self.apply(&object, options.manager());
                }
                Write::Recreate { object, .. } => {
                    self.objects.remove(&object.key());
                    self.apply(&object, options.manager());
                }
            }
        }
    }
}

/// Small numbers from a seed, the same on every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn desired(numbers: &mut Numbers, owner: &Owner) -> Vec<Object> {
    let mut objects = Vec::new();
    for name in 0..4 {
        if numbers.below(4) == 0 {
            continue;
        }
        let mut object = key_object(name);
        for field in ["a", "b", "c"] {
            if numbers.below(2) == 0 {
                let value = numbers.below(3) as i64;
                object.node.set(&["spec", field, "x"], value);
            }
        }
        if numbers.below(8) == 0 {
            let marker = "kustomize.toolkit.fluxcd.io/ssa";
            object
                .node
                .set(&["metadata", "annotations", marker], "Merge");
        }
        let labels = [("name", &owner.name), ("namespace", &owner.namespace)];
        for (suffix, value) in labels {
            let label = format!("kustomize.toolkit.fluxcd.io/{suffix}");
            object
                .node
                .set(&["metadata", "labels", &label], value.as_str());
        }
        objects.push(object);
    }
    objects
}

fn key_object(name: u64) -> Object {
    let text = format!(
        r#"{{"apiVersion":"v1","kind":"Thing","metadata":{{"name":"n{name}","namespace":"shop"}}}}"#
    );
    Object::new(json::parse(text.as_bytes(), json::OBJECT_LIMITS).unwrap())
}

#[test]
fn a_plan_that_was_carried_out_leaves_nothing_to_do_whatever_others_did_before() {
    let options = Options {
        owner: Owner {
            name: "apps".into(),
            namespace: "flux-system".into(),
        },
        prune: true,
        ..Options::default()
    };
    for seed in 0..100 {
        let mut numbers = Numbers(seed);
        let mut server = Server::default();
        let mut inventory = Inventory::default();
        for round in 0..6 {
            for _ in 0..numbers.below(4) {
                let key = key_object(numbers.below(4)).key();
                let field = ["a", "b", "c", "d"][numbers.below(4) as usize];
                let who = ["kubectl-edit", "someone", "before-first-apply", "kubectl"];
                let who = who[numbers.below(4) as usize];
                let value = numbers.below(3) as i64;
                server.edit(&key, &["spec", field, "x"], value, who);
            }
            let wanted = desired(&mut numbers, &options.owner);
            let made = plan::make(wanted.clone(), &inventory, &options).unwrap();
            server.carry_out(&made, &options);
            for object in &wanted {
                let live = &server.objects[&object.key()];
                for field in ["a", "b", "c"] {
                    let path = ["spec", field, "x"];
                    if let Some(value) = object.node.at(&path) {
                        assert_eq!(
                            live.node.at(&path),
                            Some(value),
                            "seed {seed} round {round}"
                        );
                    }
                }
            }
            inventory = made.inventory;
            let again = plan::make(wanted, &inventory, &options).unwrap();
            let done = server.carry_out(&again, &options);
            assert!(done.is_empty(), "seed {seed} round {round}: {done:?}");
        }
    }
}
