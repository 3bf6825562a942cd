//! Small cases whose results come from running upstream.

use std::collections::BTreeMap;

use component::catalog::{Catalog, Outcome, Session};
use component::identity::STABLE_UID;
use component::metadata::resource_id;
use component::model::{Dialect, Plane};
use diag::Explain;
use object::{Node, Object};

use crate::support::{differences, files, node, read_file};

/// What we do otherwise on purpose.
enum Ours {
    /// It fails, and the message holds these words.
    Fails(&'static [&'static str]),
    /// It renders, but with these values at places of the list of objects, as YAML.
    Values(&'static [(&'static str, &'static str)]),
    /// It renders where upstream fails, with these values.
    Renders(&'static [(&'static str, &'static str)]),
    /// It waits for others.
    Waits,
}

fn ours(case: &str) -> Option<Ours> {
    let (version, name) = case.split_once('/').expect("version and name");
    Some(match (version, name) {
        // Integers keep their digits.
        (_, "big-integers") => Ours::Values(&[
            ("0 out d", "9007199254740993"),
            ("0 out tb", "v1000000"),
            ("0 out tc", "v123456789"),
            ("0 out sb", "'1000000'"),
        ]),
        (_, "interpolation-types") => Ours::Values(&[("0 out big", "x1000000")]),
        (_, "integer-arithmetic") => Ours::Renders(&[("0 out a", "6")]),
        // Empty values are kept.
        ("v0.12.0", "env-empty-value") => Ours::Values(&[(
            "0 out envs",
            "[{name: A, value: ''}, {name: B, value: b}, {name: C, value: ''}]",
        )]),
        (_, "omit-in-interpolation") => Ours::Fails(&["resource `deployment`", "oc_omit()"]),
        ("v0.12.0", "secret-key-missing") => Ours::Fails(&["`nope`", "`db`", "`password`"]),
        ("v0.12.0", "duplicate-object-names") => {
            Ours::Fails(&["resource `a`", "resource `b`", "ConfigMap/same"])
        }
        // A policy names the port that the container listens on.
        ("v1.2.3", "network-policy") => Ours::Values(&[
            ("1 spec ingress 0 ports 2 port", "8080"),
            ("1 spec ingress 1 ports 0 port", "8080"),
            ("1 spec ingress 2 ports 1 port", "8080"),
        ]),
        ("v1.2.3", "network-policy-cilium") => Ours::Values(&[
            ("1 spec ingress 0 toPorts 0 ports 0 port", "'8080'"),
            ("1 spec ingress 1 toPorts 0 ports 0 port", "'8080'"),
            ("1 spec ingress 2 toPorts 0 ports 0 port", "'8080'"),
        ]),
        ("v1.2.3", "service-ports-clashes") => {
            Ours::Values(&[("1 spec ingress 0 ports 2 port", "81")])
        }
        ("v1.2.3", "service-ports") => Ours::Values(&[("1 spec ingress 0 ports 3 port", "8080")]),
        // Objects without the addresses they need are not applied.
        ("v1.2.3", "dependency-pending") => Ours::Waits,
        _ => return None,
    })
}

/// Sets the value at a path of keys and positions, separated by spaces.
fn set(root: &mut Node, path: &str, value: Node) {
    let mut place = root;
    for step in path.split(' ') {
        place = match step.parse::<usize>() {
            Ok(at) => &mut place.as_list_mut().expect("a list")[at],
            Err(_) => place.as_map_mut().expect("a map").entry(step),
        };
    }
    *place = value;
}

fn catalog(input: &Node) -> Catalog {
    let mut objects = Vec::new();
    for item in input.as_list().unwrap_or_default() {
        let mut object = Object::new(item.clone());
        let uid = format!("<uid:{}/{}>", object.kind(), object.name());
        object
            .node
            .set(&["metadata", "annotations", STABLE_UID], uid);
        objects.push(object);
    }
    let (catalog, notices) = Catalog::read(&objects, "default");
    for notice in notices {
        println!("  notice: {notice}");
    }
    catalog
}

/// What is wrong with our result of a case; empty when nothing is.
fn check(name: &str, case: &Node) -> Vec<String> {
    let input = case.get("input").cloned().unwrap_or_default();
    let catalog = catalog(&input);
    let mut session = Session::new(&catalog);
    let wanted: BTreeMap<&str, &Node> = case
        .at(&["want", "bindings"])
        .and_then(Node::as_list)
        .unwrap_or_default()
        .iter()
        .map(|own| (own.str_at(&["name"]).unwrap_or_default(), own))
        .collect();
    let mut wrong = Vec::new();
    let mut say = |text: String| wrong.push(text);
    let ours = ours(name);
    for binding in catalog.bindings() {
        let Some(want) = wanted.get(binding.head.name.as_str()) else {
            say(format!("nothing is said about {}", binding.head));
            continue;
        };
        let synced = want.at(&["conditions", "ReleaseSynced"]);
        let reason = synced.and_then(|own| own.str_at(&["reason"]));
        match (session.render(binding), &ours) {
            (Outcome::Failed(error), Some(Ours::Fails(words))) => {
                let text = error.to_string();
                for word in *words {
                    if !text.contains(word) {
                        say(format!("`{word}` is not in: {text}"));
                    }
                }
            }
            (Outcome::Pending { missing, errors }, Some(Ours::Waits)) => {
                if missing.is_empty() || errors.is_some() {
                    say("nothing is missing".into());
                }
            }
            (Outcome::Undeployed, _) => {
                if reason != Some("ResourcesUndeployed") {
                    say(format!("undeployed, upstream: {reason:?}"));
                }
            }
            (Outcome::Failed(error), _) => {
                let same = reason == Some(error.reason().0);
                if !same || want.get("objects").is_some() {
                    say(format!("failed with {}: {error}", error.reason()));
                } else {
                    println!("{name}: {error}");
                }
            }
            (Outcome::Rendered(rendering), ours) => {
                if let Some(Ours::Fails(_) | Ours::Waits) = ours {
                    say("rendered".into());
                    continue;
                }
                if let Some(Ours::Renders(values)) = ours {
                    let objects = rendering.objects.iter().map(|own| own.object.clone());
                    let objects = Node::from(objects.collect::<Vec<_>>());
                    let mut expected = objects.clone();
                    for (path, value) in *values {
                        set(&mut expected, path, node(value));
                    }
                    differences(&expected, &objects)
                        .into_iter()
                        .for_each(&mut say);
                    continue;
                }
                for warning in &rendering.warnings {
                    println!("{name}: warning: {warning}");
                }
                let names = want.at(&["status", "secretReferenceNames"]);
                let names = names.cloned().unwrap_or(Vec::new().into());
                let own = Node::list(rendering.secret_references.iter().cloned());
                let told = rendering.dialect == Dialect::V1;
                for text in differences(&names, &own).into_iter().filter(|_| told) {
                    say(format!("secretReferenceNames{text}"));
                }
                let urls = want.at(&["status", "endpoints"]).and_then(Node::as_list);
                for url in urls.unwrap_or_default() {
                    let text = |keys: &[&str]| url.str_at(keys).unwrap_or_default();
                    // Upstream takes the empty namespace of a template as it is.
                    let host =
                        text(&["serviceURL", "host"]).replace("..", ".dp-acme-shop-dev-1c11194b.");
                    let own = session.endpoints_of(binding).get(text(&["name"]));
                    if own.is_none_or(|own| {
                        own.host != host || own.scheme != text(&["serviceURL", "scheme"])
                    }) {
                        say(format!("endpoint {}: {own:?}", text(&["name"])));
                    }
                }
                let named = catalog.data_plane_of(binding);
                let observed = named
                    .and_then(|plane| catalog.observability_plane_of(plane, rendering.dialect))
                    .is_some();
                for (plane, list, ids) in [
                    (Plane::Data, "objects", "objectsIds"),
                    (Plane::Observability, "observability", "observabilityIds"),
                ] {
                    let own = rendering.objects.iter().filter(|own| own.plane == plane);
                    let own: Vec<Node> = own.map(|own| own.object.clone()).collect();
                    if plane == Plane::Observability && !observed {
                        continue;
                    }
                    let want_ids: Vec<Node> =
                        own.iter().map(|own| resource_id(own).into()).collect();
                    let mut expected = want.get(list).cloned().unwrap_or(Vec::new().into());
                    if let (Some(Ours::Values(values)), Plane::Data) = (&ours, plane) {
                        for (path, value) in *values {
                            set(&mut expected, path, node(value));
                        }
                    }
                    for text in differences(&expected, &own.into()) {
                        say(format!("{list}{text}"));
                    }
                    let expected = want.get(ids).cloned().unwrap_or(Vec::new().into());
                    for text in differences(&expected, &want_ids.into()) {
                        say(format!("{ids}{text}"));
                    }
                }
            }
            (outcome @ Outcome::Pending { .. }, _) => say(format!("{outcome:?}")),
        }
    }
    wrong
}

#[test]
fn generated_cases_render_as_upstream_renders_them() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let (mut passed, mut failed) = (0, Vec::new());
    for version in ["v0.12.0", "v1.2.3"] {
        for path in files(&root.join(version).join("generated")) {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let name = format!("{version}/{}", stem.unwrap_or_default());
            match check(&name, &read_file(&path)) {
                wrong if wrong.is_empty() => passed += 1,
                wrong => failed.push(format!("{name}\n    {}", wrong.join("\n    "))),
            }
        }
    }
    println!("{passed} of {} generated cases pass", passed + failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(passed > 200, "{passed}");
}
