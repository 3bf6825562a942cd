//! Upstream's own tables and fixtures for rendering, run against ours.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use component::configurations::{configurations, override_containers};
use component::dependencies::Dependencies;
use component::helpers;
use component::metadata::{Identities, Metadata};
use component::model::{self, Head, Item, Overrides, Plane, Resource, SecretReference, Trait};
use component::render::{Inputs, Maker, Part, Rendered, Renderer};
use component::template::{Context, Engine, Meter};
use object::{Map, Node, Object, Text};

use crate::support::{differences, node, read_file};

const VERSIONS: [&str; 3] = ["v0.7.0", "v0.12.0", "v1.2.3"];

/// Counts what passes and remembers what does not.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<String>,
}

impl Tally {
    fn take(&mut self, name: &str, wrong: Vec<String>) {
        match wrong.is_empty() {
            true => self.passed += 1,
            false => self
                .failed
                .push(format!("{name}\n    {}", wrong.join("\n    "))),
        }
    }

    fn finish(self, what: &str, least: usize) {
        println!("{} {what} pass", self.passed);
        assert!(self.failed.is_empty(), "{}", self.failed.join("\n"));
        assert!(self.passed >= least, "only {} {what}", self.passed);
    }
}

/// The tables of a file of vectors, by name.
fn tables(root: &Path, version: &str, file: &str) -> Vec<(String, Vec<Node>)> {
    let path = root.join(version).join("vectors").join(file);
    if !path.exists() {
        return Vec::new();
    }
    let file = read_file(&path);
    let tables = file.as_map().expect("a map of tables").iter();
    tables
        .map(|(name, cases)| {
            (
                name.to_string(),
                cases.as_list().unwrap_or_default().to_vec(),
            )
        })
        .collect()
}

fn text<'a>(case: &'a Node, key: &str) -> &'a str {
    case.str_at(&[key]).unwrap_or_default()
}

/// Names as upstream's structs have them, as manifests have them: `MountPath`, `mountPath`.
fn lower_keys(value: &Node) -> Node {
    match value {
        Node::Map(map) => {
            let lower = |key: &str| {
                let mut characters = key.chars();
                let first = characters.next().map(|c| c.to_ascii_lowercase());
                first.into_iter().chain(characters).collect::<String>()
            };
            let entries = map.iter().map(|(key, value)| {
                let capital = key.starts_with(|c: char| c.is_ascii_uppercase());
                // Names of variables and containers are no fields.
                let key = match capital && !key.chars().skip(1).all(|c| c.is_ascii_uppercase()) {
                    true => lower(key),
                    false => key.to_string(),
                };
                (key, lower_keys(value))
            });
            entries.collect::<Map>().into()
        }
        Node::List(items) => Node::list(items.iter().map(lower_keys)),
        other => other.clone(),
    }
}

fn context(variables: &Node) -> Context {
    let variables = variables.as_map().cloned().unwrap_or_default();
    variables
        .iter()
        .fold(Context::default(), |context, (name, value)| {
            context.with(name.clone(), value)
        })
}

fn maker() -> Maker {
    Maker::Platform
}

/// Lists whose items have names, ordered by those, as upstream's tests compare them.
fn by_name(value: &Node) -> Node {
    match value {
        Node::Map(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), by_name(value)));
            entries.collect::<Map>().into()
        }
        Node::List(items) => {
            let mut items: Vec<Node> = items.iter().map(by_name).collect();
            if items.iter().all(|item| item.get("name").is_some()) {
                items.sort_by_key(|item| text(item, "name").to_owned());
            }
            items.into()
        }
        other => other.clone(),
    }
}

/// Objects ordered by kind and name.
fn by_kind(value: &Node) -> Node {
    let mut items = value.as_list().unwrap_or_default().to_vec();
    items.sort_by_key(|item| {
        let name = item.str_at(&["metadata", "name"]).unwrap_or_default();
        (text(item, "kind").to_owned(), name.to_owned())
    });
    items.into()
}

/// A value, or the value of the file that stands for it.
fn yaml(case: &Node, key: &str, folder: &Path) -> Node {
    match case.get(key) {
        Some(Node::String(text)) => node(text),
        Some(other) => match other.str_at(&["$file"]) {
            Some(file) => read_file(&folder.join(file)),
            None => other.clone(),
        },
        None => Node::Null,
    }
}

fn item(manifest: &Node, kind: &str, name: &str) -> Option<Item> {
    let mut object = Object::new(manifest.clone());
    object.node.set(&["apiVersion"], "openchoreo.dev/v1alpha1");
    object.node.set(&["kind"], kind);
    if object.name().is_empty() {
        object.node.set(&["metadata", "name"], name);
    }
    Some(
        model::read(&object)?
            .unwrap_or_else(|error| panic!("{error}"))
            .item,
    )
}

/// What a snapshot and what belongs to it say.
struct Fixture {
    release: model::ComponentRelease,
    binding: model::ReleaseBinding,
    environment: model::Environment,
    data_plane: model::DataPlane,
    secrets: BTreeMap<Text, SecretReference>,
}

fn fixture(
    version: &str,
    snapshot: &Node,
    binding: &Node,
    plane: &Node,
    environment: &Node,
    secrets: &Node,
) -> Fixture {
    let at = |keys: &[&str]| snapshot.at(keys).cloned().unwrap_or_default();
    let mut spec = Node::map();
    spec.set(&["owner", "projectName"], "test-project");
    spec.set(&["owner", "componentName"], "test-app");
    let component_type = at(&["spec", "componentType", "spec"]);
    match version {
        "v1.2.3" => spec.set(&["componentType", "spec"], component_type),
        _ => spec.set(&["componentType"], component_type),
    }
    let traits = at(&["spec", "traits"]);
    let traits = traits.as_list().unwrap_or_default().iter().map(|own| {
        let name = own.str_at(&["metadata", "name"]).unwrap_or_default();
        let kind = own.str_at(&["kind"]).unwrap_or("Trait");
        Map::from_iter([
            ("kind", Node::from(kind)),
            ("name", name.into()),
            ("spec", own.get("spec").cloned().unwrap_or_default()),
        ])
    });
    spec.set(&["traits"], Node::list(traits));
    for key in ["parameters", "traits"] {
        spec.set(
            &["componentProfile", key],
            at(&["spec", "component", "spec", key]),
        );
    }
    spec.set(&["workload"], at(&["spec", "workload", "spec"]));
    let release = model::read_release_spec(Head::default(), &spec);

    let mut binding = binding.clone();
    binding.set(&["spec", "owner", "projectName"], "test-project");
    binding.set(&["spec", "owner", "componentName"], "test-app");
    binding.set(&["spec", "environment"], "dev");
    let Some(Item::ReleaseBinding(binding)) = item(&binding, "ReleaseBinding", "binding") else {
        panic!("no binding");
    };
    let Some(Item::DataPlane(data_plane)) = item(plane, "DataPlane", "dev-dataplane") else {
        panic!("no plane");
    };
    let Some(Item::Environment(environment)) = item(environment, "Environment", "dev") else {
        panic!("no environment");
    };
    let secrets = secrets.as_list().unwrap_or_default().iter();
    let secrets = secrets.filter_map(|own| match item(own, "SecretReference", "")? {
        Item::SecretReference(own) => Some((own.head.name.clone(), own)),
        _ => None,
    });
    Fixture {
        release,
        binding,
        environment,
        data_plane,
        secrets: secrets.collect(),
    }
}

impl Fixture {
    fn inputs(&self, metadata: Metadata) -> Inputs<'_> {
        Inputs {
            release: &self.release,
            binding: &self.binding,
            environment: &self.environment,
            data_plane: &self.data_plane,
            observed: self.data_plane.observability_plane.is_some(),
            metadata,
            secrets: self
                .secrets
                .iter()
                .map(|(name, own)| (name.clone(), own))
                .collect(),
            dependencies: Dependencies::default(),
            notification_channel: None,
        }
    }
}

fn metadata(fixture: &Fixture, component: &str, plane: &str, environment: &str) -> Metadata {
    let identities = Identities {
        namespace: "test-namespace".into(),
        project: "test-project".into(),
        project_uid: "b2c3d4e5-6789-01bc-def0-234567890abc".into(),
        component: component.into(),
        component_uid: "a1b2c3d4-5678-90ab-cdef-1234567890ab".into(),
        environment: environment.into(),
        environment_uid: "d4e5f6a7-8901-23de-f012-4567890abcde".into(),
        data_plane: plane.into(),
        data_plane_uid: "c3d4e5f6-7890-12cd-ef01-34567890abcd".into(),
    };
    let mut metadata = Metadata::new(identities, fixture.release.dialect);
    metadata.name = "test-component-dev-12345678".into();
    metadata.namespace = "test-namespace".into();
    metadata
}

#[test]
fn snapshots_render_as_upstreams_tests_expect() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let mut tally = Tally::default();
    let renderer = Renderer::default();
    for version in VERSIONS {
        let folder = root.join(version).join("pipeline/component/testdata");
        let tables = tables(&root, version, "pipeline.component.pipeline.yaml");
        let mut cases: Vec<(String, Node)> = tables
            .into_iter()
            .filter(|(table, _)| table == "TestPipeline_Render")
            .flat_map(|(_, cases)| cases)
            .map(|case| (format!("{version}/{}", text(&case, "name")), case))
            .collect();
        if version == "v0.7.0" {
            let file = |name: &str| node(&format!("{{$file: configurations-and-secrets/{name}}}"));
            let mut case = Node::map();
            case.set(&["snapshotYAML"], file("snapshot.yaml"));
            case.set(&["settingsYAML"], file("settings.yaml"));
            case.set(&["secretReferencesYAML"], file("secret-references.yaml"));
            case.set(&["wantResourceYAML"], file("expected-resources.yaml"));
            case.set(
                &["dataplaneYAML"],
                "{spec: {secretStoreRef: {name: dev-vault-store}}}",
            );
            cases.push((format!("{version}/configurations"), case));
        }
        for (name, case) in cases {
            let fixture = fixture(
                version,
                &yaml(&case, "snapshotYAML", &folder),
                &yaml(&case, "settingsYAML", &folder),
                &yaml(&case, "dataplaneYAML", &folder),
                &yaml(&case, "environmentYAML", &folder),
                &yaml(&case, "secretReferencesYAML", &folder),
            );
            let mut metadata = metadata(&fixture, "test-app", "dev-dataplane", "dev");
            if version != "v1.2.3" {
                metadata.labels = node(
                    "{openchoreo.dev/component: test-component, openchoreo.dev/environment: dev}",
                )
                .as_map()
                .cloned()
                .expect("a map");
                metadata
                    .pod_selectors
                    .retain(|key, _| key == "openchoreo.dev/component-uid");
            }
            let wrong = match renderer.render(&fixture.inputs(metadata)) {
                Err(error) => vec![error.to_string()],
                Ok(rendering) => {
                    let wanted = yaml(&case, "wantResourceYAML", &folder);
                    let own = rendering
                        .objects
                        .iter()
                        .filter(|own| own.part != Part::NetworkPolicy);
                    let own = Node::list(own.map(|own| own.object.clone()));
                    match wanted.is_null() {
                        true => Vec::new(),
                        false => {
                            let found =
                                differences(&by_name(&by_kind(&wanted)), &by_name(&by_kind(&own)));
                            // A hash of a dump of structs of Go, which only says that something changed.
                            let opaque = "dp-resource-hash: wanted";
                            found
                                .into_iter()
                                .filter(|text| !text.contains(opaque))
                                .collect()
                        }
                    }
                }
            };
            tally.take(&name, wrong);
        }
    }
    tally.finish("snapshots", 19);
}

#[test]
fn variables_are_those_of_upstream() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let mut tally = Tally::default();
    let renderer = Renderer::default();
    for version in VERSIONS {
        for (table, cases) in tables(&root, version, "pipeline.component.context.builder.yaml") {
            for case in cases {
                let name = format!("{version}/{table}/{}", text(&case, "name"));
                let here = PathBuf::new();
                let mut snapshot = Node::map();
                let component = yaml(&case, "componentYAML", &here);
                snapshot.set(&["spec", "component"], component.clone());
                let component_type = yaml(&case, "componentTypeYAML", &here);
                snapshot.set(&["spec", "componentType"], component_type);
                let resources = node("[{id: x, template: {}}]");
                snapshot.set(&["spec", "componentType", "spec", "resources"], resources);
                let workload = yaml(&case, "workloadYAML", &here);
                snapshot.set(&["spec", "workload"], workload);
                let of_trait = case.get("traitYAML").is_some();
                let instance = yaml(&case, "instanceYAML", &here);
                if of_trait {
                    snapshot.set(
                        &["spec", "component", "spec", "traits"],
                        Node::list([instance.clone()]),
                    );
                    let body = yaml(&case, "traitYAML", &here);
                    snapshot.set(&["spec", "traits"], Node::list([body]));
                }
                let mut plane = node("{spec: {}}");
                if version != "v1.2.3" {
                    let host = if of_trait {
                        "app.example.com"
                    } else {
                        "api.example.com"
                    };
                    plane.set(&["spec", "gateway", "publicVirtualHost"], host);
                }
                if of_trait {
                    plane.set(&["spec", "secretStoreRef", "name"], "test-secret-store");
                }
                let binding = yaml(&case, "envSettingsYAML", &here);
                let fixture = fixture(
                    version,
                    &snapshot,
                    &binding,
                    &plane,
                    &node("{spec: {}}"),
                    &Node::Null,
                );
                let wanted = case.get("want").cloned().unwrap_or_default();
                let environment = wanted
                    .str_at(&["metadata", "environmentName"])
                    .unwrap_or("dev");
                let mut metadata =
                    metadata(&fixture, "test-component", "test-dataplane", environment);
                metadata.labels = Map::new();
                metadata
                    .pod_selectors
                    .retain(|key, _| key == "openchoreo.dev/component-uid");
                let inputs = fixture.inputs(metadata);
                let wrong = match renderer.contexts(&inputs) {
                    Err(error) => vec![error.to_string()],
                    Ok((own, traits)) => {
                        let own = traits.into_iter().next().map_or(own, |(_, own)| own);
                        let mut found = Map::new();
                        for (key, _) in wanted.as_map().expect("a map").iter() {
                            let value = own.get(key).map(|value| value.to_node().expect("data"));
                            found.insert(key.clone(), value);
                        }
                        differences(&wanted, &found.into())
                    }
                };
                tally.take(&name, wrong);
            }
        }
    }
    tally.finish("contexts", 10);
}

#[test]
fn helper_methods_give_what_upstreams_give() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let mut tally = Tally::default();
    let engine = Engine::new(helpers::METHODS);
    for version in VERSIONS {
        let single = version == "v1.2.3";
        for (table, cases) in tables(
            &root,
            version,
            "pipeline.component.context.cel_extensions.yaml",
        ) {
            for case in cases.iter().filter(|case| case.get("expr").is_some()) {
                let name = format!("{version}/{table}/{}", text(case, "name"));
                let map = |key: &str| {
                    case.at(&["inputs", key])
                        .and_then(Node::as_map)
                        .cloned()
                        .unwrap_or_default()
                };
                let metadata = Node::from(map("metadata"));
                let (component, environment) = (
                    text(&metadata, "componentName"),
                    text(&metadata, "environmentName"),
                );
                let own = map("configurations");
                let context = Context::default()
                    .with("metadata", &metadata)
                    .with(
                        "workload",
                        helpers::workload(map("workload"), BTreeMap::new()),
                    )
                    .with(
                        "configurations",
                        helpers::configurations(own.clone(), own, single, component, environment),
                    );
                let template = engine.text(&format!("${{{}}}", text(case, "expr")));
                let got = template.render(&context, &mut Meter::default());
                let wrong = match (got, case.get("expectError").and_then(Node::as_str)) {
                    (Ok(got), None) => {
                        let wanted = case.get("want").cloned().unwrap_or_default();
                        let got = got.unwrap_or_default();
                        differences(&by_container(&wanted), &by_container(&got))
                    }
                    (Err(errors), Some(wanted)) if errors[0].to_string().contains(wanted) => {
                        Vec::new()
                    }
                    (other, wanted) => vec![format!("{other:?}, wanted {wanted:?}")],
                };
                tally.take(&name, wrong);
            }
        }
    }
    tally.finish("calls of helpers", 50);
}

/// Ours come by container; upstream's order is that of a Go map.
fn by_container(value: &Node) -> Node {
    let Some(items) = value.as_list() else {
        return value.clone();
    };
    let mut items = items.to_vec();
    items.sort_by_key(|item| {
        let name = ["resourceName", "name"].map(|key| text(item, key).to_owned());
        name.join(" ")
    });
    items.into()
}

#[test]
fn descriptions_of_endpoints_have_the_routes_that_upstream_finds() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let mut tally = Tally::default();
    for (table, cases) in tables(
        &root,
        "v1.2.3",
        "pipeline.component.schemaextract.openapi.yaml",
    ) {
        for case in &cases {
            let content = case.str_at(&["content"]).unwrap_or_default();
            let mut own = node("{apiVersion: v1, kind: A, metadata: {name: x}}");
            own.set(&["out"], "${workload.toEndpointResources('e').orValue([])}");
            let mut snapshot = Node::map();
            snapshot.set(
                &["spec", "componentType", "spec", "resources"],
                Node::list([Map::from_iter([("id", Node::from("x")), ("template", own)])]),
            );
            snapshot.set(
                &["spec", "workload", "spec", "endpoints", "e"],
                node("{type: HTTP, port: 1}"),
            );
            snapshot.set(
                &[
                    "spec",
                    "workload",
                    "spec",
                    "endpoints",
                    "e",
                    "schema",
                    "content",
                ],
                content,
            );
            let nothing = node("{spec: {}}");
            let fixture = fixture(
                "v1.2.3",
                &snapshot,
                &nothing,
                &nothing,
                &nothing,
                &Node::Null,
            );
            let metadata = metadata(&fixture, "app", "dp", "dev");
            let wrong = match Renderer::default().render(&fixture.inputs(metadata)) {
                Err(error) => vec![error.to_string()],
                Ok(rendering) => {
                    let wanted = case
                        .get("want")
                        .map(lower_keys)
                        .unwrap_or(Vec::new().into());
                    let got = rendering.objects[0]
                        .object
                        .get("out")
                        .cloned()
                        .unwrap_or_default();
                    let mut found = differences(&wanted, &got);
                    let refused = case.get("wantErr").is_some();
                    if refused == rendering.warnings.is_empty() {
                        found.push(format!("{:?}", rendering.warnings));
                    }
                    found
                }
            };
            tally.take(&format!("{table}/{}", text(case, "name")), wrong);
        }
    }
    tally.finish("descriptions", 4);
}

#[test]
fn settings_are_found_and_overridden_as_upstream_does_it() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let mut tally = Tally::default();
    for version in VERSIONS {
        let single = version == "v1.2.3";
        let workload = |value: &Node| {
            let spec = value.at(&["Spec", "WorkloadTemplateSpec"]).cloned();
            model::workload(&lower_keys(&spec.unwrap_or_default()))
        };
        for (table, cases) in tables(
            &root,
            version,
            "pipeline.component.context.configuration.yaml",
        ) {
            for case in &cases {
                let name = format!("{version}/{table}/{}", text(case, "name"));
                let own = workload(case.get("workload").unwrap_or(&Node::Null));
                let references = case.get("secretReferences").and_then(Node::as_map).cloned();
                let references: BTreeMap<Text, SecretReference> = references
                    .unwrap_or_default()
                    .iter()
                    .filter_map(|(name, own)| {
                        let mut manifest = lower_keys(own);
                        manifest.set(&["metadata", "name"], name.clone());
                        match item(&manifest, "SecretReference", name)? {
                            Item::SecretReference(own) => Some((name.clone(), own)),
                            _ => None,
                        }
                    })
                    .collect();
                let (got, unresolved) =
                    configurations(&own, single, |name| references.get(name), &[]);
                let wanted = case.get("want").cloned().unwrap_or_default();
                let wanted = if single { lower_keys(&wanted) } else { wanted };
                let mut got = Node::from(got);
                if single {
                    drop_empty_secret_values(&mut got);
                }
                // What upstream leaves out silently is an error of ours.
                let wrong = match unresolved.is_empty() {
                    true => differences(&wanted, &got),
                    false => Vec::new(),
                };
                tally.take(&name, wrong);
            }
        }
        for (table, cases) in tables(&root, version, "pipeline.component.context.workload.yaml") {
            for case in &cases {
                let name = format!("{version}/{table}/{}", text(case, "name"));
                let list = |key: &str| lower_keys(&case.get(key).cloned().unwrap_or_default());
                let wrong = match table.as_str() {
                    "TestMergeWorkloadOverrides" => {
                        let mut own = workload(case.get("baseWorkload").unwrap_or(&Node::Null));
                        let overrides = overrides(&list("overrides"));
                        override_containers(&mut own, &overrides);
                        let wanted = workload(case.get("want").unwrap_or(&Node::Null));
                        let same = own.containers == wanted.containers;
                        if same {
                            Vec::new()
                        } else {
                            vec![format!("{:?}", own.containers)]
                        }
                    }
                    _ => {
                        let (base, over, field) = match table.as_str() {
                            "TestMergeEnvConfigs" => ("baseEnvs", "overrideEnvs", "env"),
                            _ => ("baseFiles", "overrideFiles", "files"),
                        };
                        let of = |settings: Node| {
                            let mut spec = Node::map();
                            spec.set(&["containers", "c", field], settings);
                            model::workload(&spec)
                        };
                        let mut own = of(list(base));
                        let mut change = Node::map();
                        change.set(&["containers", "c", field], list(over));
                        override_containers(&mut own, &overrides(&change));
                        let wanted = of(list("want"));
                        let same = own.containers == wanted.containers;
                        if same {
                            Vec::new()
                        } else {
                            vec![format!("{:?}", own.containers)]
                        }
                    }
                };
                tally.take(&name, wrong);
            }
        }
    }
    tally.finish("workloads", 55);
}

/// In Go an absent text and an empty one are the same.
fn drop_empty_secret_values(got: &mut Node) {
    for list in ["envs", "files"] {
        let Some(Node::List(items)) = got.at(&["secrets", list]).cloned() else {
            continue;
        };
        let items = items.iter().map(|item| {
            let mut item = item.clone();
            item.remove(&["value"]);
            item
        });
        got.set(&["secrets", list], Node::list(items));
    }
}

fn overrides(spec: &Node) -> BTreeMap<Text, Overrides> {
    let mut binding = node("{spec: {owner: {projectName: p, componentName: c}, environment: e}}");
    binding.set(&["spec", "workloadOverrides"], spec.clone());
    match item(&binding, "ReleaseBinding", "b") {
        Some(Item::ReleaseBinding(binding)) => binding.workload_overrides,
        _ => panic!("no binding"),
    }
}

fn rendered(objects: &Node) -> Vec<Rendered> {
    let objects = objects.as_list().unwrap_or_default().iter();
    let objects = objects.map(|object| Rendered {
        id: String::new(),
        plane: Plane::Data,
        object: object.clone(),
        maker: maker(),
        part: Part::Whole,
        patched_by: Vec::new(),
    });
    objects.collect()
}

fn list(objects: Vec<Rendered>) -> Node {
    Node::list(objects.into_iter().map(|own| own.object))
}

#[test]
fn resources_and_traits_render_as_upstreams_tests_expect() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let mut tally = Tally::default();
    let renderer = Renderer::default();
    for version in VERSIONS {
        for (table, cases) in tables(&root, version, "pipeline.component.renderer.renderer.yaml") {
            for case in &cases {
                let name = format!("{version}/{table}/{}", text(case, "name"));
                let context = context(case.get("context").unwrap_or(&Node::Null));
                let resources: Vec<Resource> = match table.as_str() {
                    "TestRenderResources" => {
                        let templates = node(text(case, "templatesYAML"));
                        model::resources(templates.as_list().unwrap_or_default())
                    }
                    "TestRenderWithForEach" | "TestRenderSingleResource" => {
                        model::resources(&[node(text(case, "templateYAML"))])
                    }
                    "TestShouldInclude" => {
                        let mut own = node(
                            "{id: x, template: {apiVersion: v1, kind: A, metadata: {name: x}}}",
                        );
                        own.set(&["includeWhen"], text(case, "includeWhen"));
                        model::resources(&[own])
                    }
                    _ => {
                        let mut own = node("{id: x}");
                        own.set(
                            &["template"],
                            case.get("resource").cloned().unwrap_or_default(),
                        );
                        model::resources(&[own])
                    }
                };
                let got = renderer.resources(maker(), &resources, &context);
                let fails = case
                    .get("wantErr")
                    .and_then(Node::as_bool)
                    .unwrap_or_default();
                let wrong = match got {
                    Err(_) if fails => Vec::new(),
                    Err(error) => vec![error.to_string()],
                    Ok(_) if fails => vec!["rendered".to_owned()],
                    Ok(got) => {
                        let mut wrong = Vec::new();
                        let count = case.get("wantCount").and_then(Node::as_i64);
                        if count.is_some_and(|count| count as usize != got.len()) {
                            wrong.push(format!("{} objects", got.len()));
                        }
                        match case.get("want") {
                            Some(Node::Bool(included)) if *included == got.is_empty() => {
                                wrong.push(format!("{} objects", got.len()));
                            }
                            Some(object @ Node::Map(_)) => {
                                wrong.extend(differences(object, &got[0].object));
                            }
                            _ => {}
                        }
                        if let Some(wanted) = case.str_at(&["wantYAML"]) {
                            wrong.extend(differences(&node(wanted), &list(got)));
                        }
                        wrong
                    }
                };
                tally.take(&name, wrong);
            }
        }
        for (table, cases) in tables(&root, version, "pipeline.component.trait.processor.yaml") {
            for case in cases.iter().filter(|case| case.get("traitYAML").is_some()) {
                let name = format!("{version}/{table}/{}", text(case, "name"));
                let context = context(case.get("context").unwrap_or(&Node::Null));
                let own = node(text(case, "traitYAML"));
                let mut own: Trait = model::trait_spec(own.get("spec").unwrap_or(&Node::Null));
                // These tables are about one half of a trait each.
                match table.as_str() {
                    "TestApplyTraitCreates" => own.patches.clear(),
                    "TestApplyTraitPatches" => own.creates.clear(),
                    _ => {}
                }
                let before = case
                    .get("baseResourcesYAML")
                    .or_else(|| case.get("resourcesYAML"));
                let before = node(before.and_then(Node::as_str).unwrap_or_default());
                let fails = case
                    .get("wantErr")
                    .and_then(Node::as_bool)
                    .unwrap_or_default();
                let got = renderer.apply_trait(maker(), &own, &context, rendered(&before));
                let wrong = match got {
                    Err(_) if fails => Vec::new(),
                    Err(error) => vec![error.to_string()],
                    Ok(_) if fails => vec!["applied".to_owned()],
                    Ok(got) => differences(&node(text(case, "wantResourcesYAML")), &list(got)),
                };
                tally.take(&name, wrong);
            }
        }
    }
    tally.finish("resources and traits", 80);
}

#[test]
fn values_and_rules_are_refused_where_upstream_refuses_them() {
    let Some(root) = testkit::corpus("openchoreo/cases") else {
        return;
    };
    let mut tally = Tally::default();
    let renderer = Renderer::default();
    for version in VERSIONS {
        for (table, cases) in tables(&root, version, "pipeline.component.pipeline.yaml") {
            let about = [
                "TestPipeline_SchemaValidation",
                "TestPipeline_ValidationRules",
            ];
            if !about.contains(&table.as_str()) {
                continue;
            }
            for case in &cases {
                let name = format!("{version}/{table}/{}", text(case, "name"));
                let here = PathBuf::new();
                let mut snapshot = Node::map();
                snapshot.set(&["spec", "component"], yaml(case, "componentYAML", &here));
                snapshot.set(
                    &["spec", "componentType"],
                    yaml(case, "componentTypeYAML", &here),
                );
                snapshot.set(&["spec", "traits"], yaml(case, "traitsYAML", &here));
                let binding = yaml(case, "releaseBindingYAML", &here);
                let fixture = fixture(
                    version,
                    &snapshot,
                    &binding,
                    &node("{spec: {}}"),
                    &node("{spec: {}}"),
                    &Node::Null,
                );
                let metadata = metadata(&fixture, "app", "dp", "dev");
                let fails = match case.get("wantErr").and_then(Node::as_bool) {
                    Some(fails) => fails,
                    None => !text(case, "wantErrMsg").is_empty(),
                };
                let wrong = match renderer.render(&fixture.inputs(metadata)) {
                    Err(error) if !fails => vec![error.to_string()],
                    Ok(_) if fails => vec!["rendered".to_owned()],
                    Err(error) => {
                        // Upstream's own words around messages differ; the messages do not.
                        let told = error.to_string();
                        let words = case
                            .get("wantErrMsgs")
                            .and_then(Node::as_list)
                            .unwrap_or_default();
                        let frame = ["validation failed", "rule[", "evaluated to", "trait "];
                        words
                            .iter()
                            .filter_map(Node::as_str)
                            .filter(|word| !frame.iter().any(|own| word.contains(own)))
                            .filter(|word| !told.contains(*word))
                            .map(|word| format!("`{word}` is not in {told}"))
                            .collect()
                    }
                    Ok(_) => Vec::new(),
                };
                tally.take(&name, wrong);
            }
        }
    }
    tally.finish("refusals", 12);
}
