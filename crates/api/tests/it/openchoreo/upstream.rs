//! Our definitions beside those of four releases of OpenChoreo.

use std::collections::{BTreeMap, BTreeSet};

use object::Node;

use super::schema_of;

/// What OpenChoreo fills in and we do not, because objects of another release would get it.
const DEFAULTS_LEFT_OUT: &[(&str, &str)] = &[
    // Text or an instance of a trait in every release, but only newer ones know the field.
    ("Component.spec.traits[].kind", "Trait"),
    // Objects in every release; older ones know no kinds of environments.
    (
        "DeploymentPipeline.spec.promotionPaths[].targetEnvironmentRefs[].kind",
        "Environment",
    ),
    // Older releases mean a ComponentWorkflow.
    ("Component.spec.workflow.kind", "ClusterWorkflow"),
    // Older releases cannot undeploy.
    ("ReleaseBinding.spec.state", "Active"),
    // Newer gateways have listeners in place of ports.
    ("DataPlane.spec.gateway.organizationHTTPPort", "19081"),
    ("DataPlane.spec.gateway.organizationHTTPSPort", "19444"),
    ("DataPlane.spec.gateway.publicHTTPPort", "19080"),
    ("DataPlane.spec.gateway.publicHTTPSPort", "19443"),
];

/// Rules of OpenChoreo, by message, that ours word or place differently, and why that is enough.
const RULES_LEFT_OUT: &[(&str, &str, &str)] = &[
    (
        "Workload",
        "spec.owner is immutable",
        "not in every release",
    ),
    (
        "ClusterDataPlane",
        "ClusterDataPlane can only reference ClusterObservabilityPlane",
        "the enumeration says so",
    ),
    (
        "*",
        "exactly one of value or valueFrom must be set",
        "newer releases let both be absent",
    ),
    (
        "*",
        "resources must contain a primary resource with id matching workloadType",
        "newer releases excuse proxies",
    ),
];

#[test]
fn every_field_of_every_release_fits() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    let ours: BTreeMap<String, Node> = api::openchoreo::custom_resource_definitions()
        .into_iter()
        .map(|definition| (kind_of(&definition).to_owned(), definition))
        .collect();
    let mut seen = BTreeSet::new();
    let mut comparison = Comparison::default();
    for release in ["crds-seed", "crds-demo", "crds-v1.0", "crds-latest"] {
        let (typed, kept) = (comparison.typed, comparison.kept);
        let mut files: Vec<_> = corpus
            .join(release)
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        for file in files
            .iter()
            .filter(|file| file.extension().is_some_and(|own| own == "yaml"))
        {
            let text = std::fs::read_to_string(file).unwrap();
            let upstream = documents(&text).remove(0);
            let kind = kind_of(&upstream);
            let Some(own) = ours.get(kind) else {
                comparison.absent.insert(kind.to_owned());
                continue;
            };
            seen.insert(kind.to_owned());
            comparison.release = release;
            comparison.names(kind, &upstream, own);
            let (theirs, own) = (schema_of(&upstream), schema_of(own));
            for field in ["spec", "status"] {
                if let Some(theirs) = theirs.at(&["properties", field]) {
                    comparison.schema(
                        &format!("{kind}.{field}"),
                        theirs,
                        own.at(&["properties", field]).unwrap(),
                    );
                }
            }
            comparison.rules(kind, theirs, own);
        }
        println!(
            "{release}: {} fields with a type, {} kept without",
            comparison.typed - typed,
            comparison.kept - kept
        );
    }
    println!("{} kinds; not defined: {:?}", seen.len(), comparison.absent);
    assert_eq!(comparison.wrong, Vec::<String>::new());
    let unseen: Vec<_> = ours.keys().filter(|kind| !seen.contains(*kind)).collect();
    // Between the releases compared.
    assert_eq!(unseen, ["ClusterBuildPlane"]);
    let left_out: BTreeSet<_> = DEFAULTS_LEFT_OUT
        .iter()
        .map(|(path, value)| (path.to_string(), value.to_string()))
        .collect();
    assert_eq!(comparison.defaults_missing, left_out);
    // Kinds of its first releases, which the demo no longer used and the next one took away.
    let gone: BTreeSet<String> = [
        "API",
        "APIBinding",
        "APIClass",
        "DeployableArtifact",
        "Deployment",
        "Endpoint",
        "ScheduledTask",
        "ScheduledTaskBinding",
        "ScheduledTaskClass",
        "Service",
        "ServiceBinding",
        "ServiceClass",
        "WebApplication",
        "WebApplicationBinding",
        "WebApplicationClass",
    ]
    .map(str::to_owned)
    .into();
    assert_eq!(comparison.absent, gone);
}

fn documents(text: &str) -> Vec<Node> {
    let documents = yaml::load(text, &yaml::Limits::default()).unwrap();
    documents
        .into_iter()
        .map(|document| document.node)
        .collect()
}

fn kind_of(definition: &Node) -> &str {
    definition.str_at(&["spec", "names", "kind"]).unwrap()
}

#[derive(Default)]
struct Comparison {
    release: &'static str,
    typed: usize,
    kept: usize,
    absent: BTreeSet<String>,
    defaults_missing: BTreeSet<(String, String)>,
    wrong: Vec<String>,
}

impl Comparison {
    fn wrong(&mut self, path: &str, what: impl std::fmt::Display) {
        self.wrong.push(format!("{} {path}: {what}", self.release));
    }

    fn names(&mut self, kind: &str, theirs: &Node, own: &Node) {
        for key in ["plural", "singular", "listKind", "shortNames"] {
            if theirs.at(&["spec", "names", key]) != own.at(&["spec", "names", key]) {
                self.wrong(kind, format!("another {key}"));
            }
        }
        for key in ["group", "scope"] {
            if theirs.at(&["spec", key]) != own.at(&["spec", key]) {
                self.wrong(kind, format!("another {key}"));
            }
        }
        if api::openchoreo::Kind::from_name(kind).is_none() {
            return;
        }
        let columns = |definition: &Node| -> Vec<(String, String)> {
            let version = &definition
                .at(&["spec", "versions"])
                .and_then(Node::as_list)
                .unwrap()[0];
            let columns = version
                .get("additionalPrinterColumns")
                .and_then(Node::as_list);
            let text = |column: &Node, key: &str| column.str_at(&[key]).unwrap().to_owned();
            columns
                .unwrap_or_default()
                .iter()
                .map(|column| (text(column, "name"), text(column, "jsonPath")))
                .collect()
        };
        let own = columns(own);
        for (name, path) in columns(theirs) {
            // The type of a component is text or an object; its status has the name in either case.
            let path = match (kind, name.as_str()) {
                ("Component", "ComponentType") => ".status.componentTypeName".to_owned(),
                _ => path,
            };
            if !own.contains(&(name.clone(), path)) {
                self.wrong(kind, format!("no column {name}"));
            }
        }
    }

    fn schema(&mut self, path: &str, theirs: &Node, own: &Node) {
        let kind = |schema: &Node| schema.str_at(&["type"]).unwrap_or_default().to_owned();
        let preserves = own.get("x-kubernetes-preserve-unknown-fields").is_some();
        match (kind(theirs).as_str(), kind(own).as_str()) {
            (_, "") if preserves => self.kept += 1,
            (theirs, own) if theirs == own => self.typed += 1,
            (theirs, own) => return self.wrong(path, format!("{theirs} is {own}")),
        }
        self.constraints(path, theirs, own);
        for (key, theirs) in theirs
            .get("properties")
            .and_then(Node::as_map)
            .into_iter()
            .flat_map(|map| map.iter())
        {
            let path = format!("{path}.{key}");
            match own.at(&["properties", key]) {
                Some(own) => self.schema(&path, theirs, own),
                // One of the kinds of which nothing is said.
                None if preserves && own.get("properties").is_none() => self.kept += 1,
                None => self.wrong(&path, "missing"),
            }
        }
        for (key, sign) in [("items", "[]"), ("additionalProperties", "{}")] {
            if let Some(theirs) = theirs.get(key).filter(|schema| schema.as_map().is_some()) {
                match own.get(key) {
                    Some(own) => self.schema(&format!("{path}{sign}"), theirs, own),
                    None if preserves => self.kept += 1,
                    None => self.wrong(path, format!("no {key}")),
                }
            }
        }
    }

    /// Whatever theirs lets through has to pass ours.
    fn constraints(&mut self, path: &str, theirs: &Node, own: &Node) {
        let kind = theirs.str_at(&["type"]).unwrap_or_default();
        let texts = |schema: &Node, key: &str| -> BTreeSet<String> {
            let list = schema.get(key).and_then(Node::as_list).unwrap_or_default();
            list.iter()
                .map(|item| item.as_str().unwrap().to_owned())
                .collect()
        };
        // Of a field without a type, what is required binds objects only, a pattern text only.
        if kind == "object" && !texts(own, "required").is_subset(&texts(theirs, "required")) {
            self.wrong(path, "requires more");
        }
        if let Some(limits) = own.get("enum")
            && kind == "string"
        {
            // `allOf` narrows further.
            let narrowed = theirs
                .get("allOf")
                .and_then(Node::as_list)
                .unwrap_or_default()
                .last();
            let theirs = narrowed.unwrap_or(theirs);
            let theirs = theirs.get("enum").map(|_| texts(theirs, "enum"));
            if limits.as_list().is_some()
                && !theirs.is_some_and(|theirs| theirs.is_subset(&texts(own, "enum")))
            {
                self.wrong(path, "lists less");
            }
        }
        let expression = r"^\$\{[\s\S]+\}\s*$";
        match (own.str_at(&["pattern"]), theirs.str_at(&["pattern"])) {
            (None, _) => {}
            (own, theirs) if own == theirs => {}
            // One line of what may be several.
            (Some(own), Some(r"^\$\{.+\}$")) if own == expression => {}
            (Some(_), None) if kind != "string" => {}
            (Some(_), _) => self.wrong(path, "another pattern"),
        }
        for key in ["minLength", "minItems", "minProperties", "minimum"] {
            let bound = |schema: &Node| schema.get(key).and_then(Node::as_i64);
            let applies = !(key == "minLength" && kind != "string");
            if applies
                && bound(own).is_some_and(|own| bound(theirs).is_none_or(|theirs| own > theirs))
            {
                self.wrong(path, key);
            }
        }
        for key in ["maxLength", "maxItems", "maxProperties", "maximum"] {
            let bound = |schema: &Node| schema.get(key).and_then(Node::as_i64);
            if bound(own).is_some_and(|own| bound(theirs).is_none_or(|theirs| own < theirs)) {
                self.wrong(path, key);
            }
        }
        if let Some(format) = own.get("format")
            && Some(format) != theirs.get("format")
        {
            self.wrong(path, "another format");
        }
        let conditions = path.ends_with(".status.conditions");
        for key in [
            "x-kubernetes-list-type",
            "x-kubernetes-list-map-keys",
            "x-kubernetes-map-type",
        ] {
            if own.get(key) != theirs.get(key) && !conditions && own.get("properties").is_some() {
                self.wrong(path, key);
            }
        }
        match (own.get("default"), theirs.get("default")) {
            (own, theirs) if own == theirs => {}
            (Some(own), Some(_)) => self.wrong(path, format!("another default {own:?}")),
            // Their older releases know no default; the field is new, or says what they do anyway.
            (Some(_), None) => self.wrong(path, "a default"),
            (None, Some(theirs)) => {
                let value = theirs
                    .as_str()
                    .map_or_else(|| object::json::to_string(theirs), str::to_owned);
                if own.get("type").is_some() {
                    self.defaults_missing.insert((path.to_owned(), value));
                }
            }
            (None, None) => {}
        }
    }

    fn rules(&mut self, kind: &str, theirs: &Node, own: &Node) {
        if api::openchoreo::Kind::from_name(kind).is_none() {
            return;
        }
        let own = messages(own);
        for message in messages(theirs) {
            let left_out = RULES_LEFT_OUT
                .iter()
                .any(|(at, text, _)| (*at == "*" || *at == kind) && *text == message);
            if !own.contains(&message) && !left_out {
                self.wrong(kind, format!("no rule `{message}`"));
            }
        }
    }
}

fn messages(schema: &Node) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let rules = schema
        .get("x-kubernetes-validations")
        .and_then(Node::as_list);
    for rule in rules.unwrap_or_default() {
        found.insert(rule.str_at(&["message"]).unwrap().to_owned());
    }
    let properties = schema.get("properties").and_then(Node::as_map);
    let inner = properties.into_iter().flat_map(|map| map.values());
    let inner = inner
        .chain(schema.get("items"))
        .chain(schema.get("additionalProperties"));
    for inner in inner {
        found.extend(messages(inner));
    }
    found
}

#[test]
fn descriptions_are_our_own() {
    let Some(corpus) = testkit::corpus("openchoreo") else {
        return;
    };
    fn descriptions(node: &Node, found: &mut BTreeSet<String>) {
        match node {
            Node::Map(map) => {
                for (key, value) in map.iter() {
                    match (key.as_str(), value.as_str()) {
                        // A few words about a name are the same in every language.
                        ("description", Some(text)) if text.len() > 30 => {
                            let words: Vec<_> = text.split_whitespace().collect();
                            found.insert(words.join(" ").to_lowercase());
                        }
                        _ => descriptions(value, found),
                    }
                }
            }
            _ => node
                .as_list()
                .unwrap_or_default()
                .iter()
                .for_each(|node| descriptions(node, found)),
        }
    }
    let (mut own, mut theirs) = (BTreeSet::new(), BTreeSet::new());
    for definition in api::openchoreo::custom_resource_definitions() {
        descriptions(&definition, &mut own);
    }
    for release in ["crds-seed", "crds-demo", "crds-v1.0", "crds-latest"] {
        for entry in corpus.join(release).read_dir().unwrap() {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            if text.starts_with("---") {
                documents(&text)
                    .iter()
                    .for_each(|node| descriptions(node, &mut theirs));
            }
        }
    }
    assert!(theirs.len() > 500);
    let copied: Vec<_> = own.intersection(&theirs).collect();
    assert_eq!(copied, Vec::<&String>::new());
}
