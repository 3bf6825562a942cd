//! One model from objects of every version.
//!
//! | written | read as |
//! | --- | --- |
//! | a name where a reference is meant | the kind that the older versions meant, and the name |
//! | `schema.envOverrides`, `environmentConfigs` | schema of values for the environment |
//! | `componentTypeEnvOverrides`, `traitOverrides` | values for the environment |
//! | `container` | one container called `main`, and the mark `single` |
//! | `secretRef`, `secretKeyRef` | key of a SecretReference |
//! | bare type in a release, map of traits | type without a name, list of traits |
//! | `publicVirtualHost`, `organizationVirtualHost` | `ingress.external`, `ingress.internal` |
//! | `requiresApproval`, `isManualApprovalRequired` | approval |

use std::collections::{BTreeMap, BTreeSet};

use object::{FieldPath, Map, Node, Object, Text};

use super::kinds::{READ, STORED, spec_of};
use super::{
    Component, ComponentRelease, ComponentType, Container, DataPlane, DeploymentPipeline, Endpoint,
    EndpointDependency, Environment, Finding, FindingKind, GROUP, Head, Item, Named, Operation,
    Overrides, Owner, Patch, Plane, PostRule, Project, ProjectRelease, ProjectReleaseBinding,
    ProjectType, PromotionPath, PromotionTarget, Read, ReadError, Reference, ReleaseBinding,
    Remove, RenderedRelease, Resource, ResourceDependency, Rule, Schemas, SecretReference, Setting,
    Source, Target, Trait, TraitUse, Workload, dialect,
};

/// The name a single container goes by.
pub(crate) const SINGLE_CONTAINER: &str = "main";

/// What every object of the group may have.
const TOP: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

/// Whether an object is of OpenChoreo's group.
pub fn is_openchoreo(object: &Object) -> bool {
    let api_version = object.api_version();
    api_version.split('/').next() == Some(GROUP) && api_version.contains('/')
}

/// Understands an object; `None` for objects of other groups.
///
/// # Errors
/// [`ReadError`] with everything that has a shape of no version.
pub fn read(object: &Object) -> Option<Result<Read, ReadError>> {
    is_openchoreo(object).then(|| read_own(object))
}

fn read_own(object: &Object) -> Result<Read, ReadError> {
    let head = Head::of(object);
    let kind = head.kind.clone();
    if kind == "ReleaseConfig" {
        return Ok(plain(Item::ReleaseConfig(head)));
    }
    let Some(shape) = spec_of(&kind) else {
        if STORED.contains(&kind.as_str()) {
            return Ok(plain(Item::Stored(head)));
        }
        let warning = Finding {
            path: FieldPath::keys(["kind"]),
            kind: FindingKind::UnknownKind {
                nearest: diag::nearest(&kind, STORED.iter().chain(READ).copied()),
            },
        };
        return Ok(Read {
            item: Item::Stored(head),
            warnings: vec![warning],
        });
    };
    let mut findings = Vec::new();
    for (key, _) in object.node.as_map().into_iter().flat_map(Map::iter) {
        if !TOP.contains(&key.as_str()) {
            findings.push(Finding {
                path: FieldPath::keys([key.as_str()]),
                kind: FindingKind::Unknown {
                    nearest: diag::nearest(key, TOP.iter().copied()),
                },
            });
        }
    }
    let empty = Node::map();
    let spec = object.node.get("spec").filter(|spec| !spec.is_null());
    let spec = spec.unwrap_or(&empty);
    if head.name.is_empty() && object.node.at(&["metadata", "generateName"]).is_none() {
        findings.push(Finding {
            path: FieldPath::keys(["metadata", "name"]),
            kind: FindingKind::Missing,
        });
    }
    shape.check(spec, &mut FieldPath::keys(["spec"]), &mut findings);
    further(&kind, spec, &mut findings);
    let (warnings, wrong): (Vec<_>, Vec<_>) = findings.into_iter().partition(Finding::is_warning);
    if !wrong.is_empty() {
        return Err(ReadError {
            head: Box::new(head),
            findings: wrong,
        });
    }
    Ok(Read {
        item: item(&kind, head, spec),
        warnings,
    })
}

fn plain(item: Item) -> Read {
    Read {
        item,
        warnings: Vec::new(),
    }
}

/// What shapes cannot say.
fn further(kind: &str, spec: &Node, findings: &mut Vec<Finding>) {
    let path = FieldPath::keys(["spec"]);
    match kind {
        "Component" => {
            let reference = spec.get("componentType").filter(|node| !node.is_null());
            let name = reference.and_then(|node| node.as_str().or_else(|| node.str_at(&["name"])));
            if name.is_none() && text(spec, "type").is_empty() {
                findings.push(Finding {
                    path: path.key("componentType"),
                    kind: FindingKind::Missing,
                });
            }
            if let Some(name) = name.filter(|name| !is_typed_name(name)) {
                findings.push(Finding {
                    path: path.key("componentType"),
                    kind: FindingKind::Form {
                        found: name.into(),
                        wanted: "a workload type (deployment, statefulset, cronjob, job or proxy), a slash and a name",
                    },
                });
            }
            unique(
                list(spec, "traits"),
                "instanceName",
                &path.key("traits"),
                findings,
            );
        }
        "ComponentType" | "ClusterComponentType" => {
            of_component_type(spec, &path, findings);
        }
        "Trait" | "ClusterTrait" => of_trait(spec, &path, findings),
        "ProjectType" | "ClusterProjectType" => {
            unique(
                list(spec, "resources"),
                "id",
                &path.key("resources"),
                findings,
            );
        }
        "ComponentRelease" => {
            let path = path.key("componentType");
            let own = spec.get("componentType").cloned().unwrap_or_default();
            match own.get("spec").filter(|inner| !inner.is_null()) {
                Some(inner) => of_component_type(inner, &path.key("spec"), findings),
                None => {
                    for field in ["workloadType", "resources"] {
                        if own.get(field).is_none_or(Node::is_null) {
                            findings.push(Finding {
                                path: path.key(field),
                                kind: FindingKind::Missing,
                            });
                        }
                    }
                    of_component_type(&own, &path, findings);
                }
            }
            let mapped = spec.get("traits").and_then(Node::as_map).is_some();
            for (at, (reference, body)) in trait_bodies(spec).enumerate() {
                let path = FieldPath::keys(["spec", "traits"]);
                let path = match mapped {
                    true => path.key(reference.name),
                    false => path.index(at).key("spec"),
                };
                of_trait(&body, &path, findings);
            }
        }
        "Workload" if given(spec, "container") && given(spec, "containers") => {
            findings.push(Finding {
                path: path.key("container"),
                kind: FindingKind::Both {
                    other: "containers",
                },
            });
        }
        _ => {}
    }
}

fn of_component_type(spec: &Node, path: &FieldPath, findings: &mut Vec<Finding>) {
    unique(
        list(spec, "resources"),
        "id",
        &path.key("resources"),
        findings,
    );
    unique(
        list(spec, "traits"),
        "instanceName",
        &path.key("traits"),
        findings,
    );
    of_trait(spec, path, findings);
    for (at, resource) in list(spec, "resources").iter().enumerate() {
        loops(resource, &path.key("resources").index(at), findings);
    }
}

fn of_trait(spec: &Node, path: &FieldPath, findings: &mut Vec<Finding>) {
    if !list(spec, "validations").is_empty() && !list(spec, "preRenderValidations").is_empty() {
        findings.push(Finding {
            path: path.key("validations"),
            kind: FindingKind::Both {
                other: "preRenderValidations",
            },
        });
    }
    if given(spec, "schema") && (given(spec, "parameters") || given(spec, "environmentConfigs")) {
        findings.push(Finding {
            path: path.key("schema"),
            kind: FindingKind::Both {
                other: "parameters",
            },
        });
    }
    for field in ["creates", "patches", "removes", "postRenderValidations"] {
        for (at, part) in list(spec, field).iter().enumerate() {
            loops(part, &path.key(field).index(at), findings);
        }
    }
}

/// A loop variable has to be a name that expressions can say.
fn loops(part: &Node, path: &FieldPath, findings: &mut Vec<Finding>) {
    let variable = text(part, "var");
    let mut characters = variable.chars();
    let starts = characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    let name = starts && characters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !variable.is_empty() && !name {
        findings.push(Finding {
            path: path.key("var"),
            kind: FindingKind::Form {
                found: variable,
                wanted: "a name of letters, digits and underscores",
            },
        });
    }
}

fn unique(items: &[Node], field: &str, path: &FieldPath, findings: &mut Vec<Finding>) {
    let mut seen = BTreeSet::new();
    for (at, item) in items.iter().enumerate() {
        let name = text(item, field);
        if !name.is_empty() && !seen.insert(name.clone()) {
            findings.push(Finding {
                path: path.index(at).key(field),
                kind: FindingKind::Duplicate { found: name },
            });
        }
    }
}

/// Whether a name is `workloadType/name`.
fn is_typed_name(name: &str) -> bool {
    let Some((workload_type, name)) = name.split_once('/') else {
        return false;
    };
    let known = ["deployment", "statefulset", "cronjob", "job", "proxy"];
    let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    known.contains(&workload_type)
        && name.starts_with(edge)
        && name.ends_with(edge)
        && name.chars().all(|c| edge(c) || c == '-')
}

fn item(kind: &str, head: Head, spec: &Node) -> Item {
    match kind {
        "Organization" => Item::Organization(head),
        "Project" => Item::Project(Project {
            pipeline: reference(spec, "deploymentPipelineRef", "DeploymentPipeline"),
            project_type: reference(spec, "type", "ProjectType"),
            parameters: value(spec, "parameters"),
            head,
        }),
        "Environment" => Item::Environment(Environment {
            data_plane: reference(spec, "dataPlaneRef", "DataPlane"),
            production: flag(spec, "isProduction"),
            gateway: gateways(spec),
            head,
        }),
        "DataPlane" | "ClusterDataPlane" => Item::DataPlane(data_plane(head, spec)),
        "DeploymentPipeline" => Item::DeploymentPipeline(pipeline(head, spec)),
        "ComponentType" | "ClusterComponentType" => Item::ComponentType(Named {
            head,
            spec: component_type(spec),
        }),
        "Trait" | "ClusterTrait" => Item::Trait(Named {
            head,
            spec: trait_spec(spec),
        }),
        "Component" => Item::Component(component(head, spec)),
        "Workload" => Item::Workload(
            Named {
                head,
                spec: workload(spec),
            },
            owner(spec),
        ),
        "ComponentRelease" => Item::ComponentRelease(Box::new(read_release_spec(head, spec))),
        "ReleaseBinding" => Item::ReleaseBinding(binding(head, spec)),
        "Release" | "RenderedRelease" => Item::RenderedRelease(rendered(head, spec)),
        "SecretReference" => Item::SecretReference(SecretReference {
            head,
            data: list(spec, "data")
                .iter()
                .map(|entry| (text(entry, "secretKey"), remote(entry)))
                .collect(),
        }),
        "ProjectType" | "ClusterProjectType" => Item::ProjectType(Named {
            head,
            spec: project_type(spec),
        }),
        "ProjectRelease" => {
            let own = spec.get("projectType").cloned().unwrap_or_default();
            Item::ProjectRelease(ProjectRelease {
                head,
                project: owner(spec).project,
                type_reference: Reference {
                    kind: text(&own, "kind"),
                    name: text(&own, "name"),
                },
                project_type: project_type(own.get("spec").unwrap_or(&Node::Null)),
                parameters: value(spec, "parameters"),
            })
        }
        "ProjectReleaseBinding" => Item::ProjectReleaseBinding(ProjectReleaseBinding {
            head,
            project: owner(spec).project,
            environment: text(spec, "environment"),
            release: some_text(spec, "projectRelease"),
            type_values: value(spec, "environmentConfigs"),
        }),
        _ => Item::Stored(head),
    }
}

// Values by key. Shapes were checked before, so a value of another type reads as absent.

fn text(node: &Node, key: &str) -> Text {
    node.str_at(&[key]).unwrap_or_default().into()
}

fn some_text(node: &Node, key: &str) -> Option<Text> {
    let text = node.str_at(&[key])?;
    (!text.is_empty()).then(|| text.into())
}

fn flag(node: &Node, key: &str) -> bool {
    node.get(key).and_then(Node::as_bool).unwrap_or_default()
}

fn value(node: &Node, key: &str) -> Node {
    node.get(key).cloned().unwrap_or_default()
}

fn given(node: &Node, key: &str) -> bool {
    node.get(key).is_some_and(|value| !value.is_null())
}

fn list<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).and_then(Node::as_list).unwrap_or_default()
}

fn entries<'a>(node: &'a Node, key: &str) -> impl Iterator<Item = (&'a Text, &'a Node)> {
    let map = node.get(key).and_then(Node::as_map);
    map.into_iter().flat_map(Map::iter)
}

fn texts_by_key(node: &Node, key: &str) -> BTreeMap<Text, Text> {
    let texts = entries(node, key).filter_map(|(key, value)| Some((key, value.as_str()?)));
    texts
        .filter(|(_, text)| !text.is_empty())
        .map(|(key, text)| (key.clone(), text.into()))
        .collect()
}

fn reference(node: &Node, key: &str, default_kind: &str) -> Option<Reference> {
    as_reference(node.get(key)?, default_kind)
}

fn as_reference(node: &Node, default_kind: &str) -> Option<Reference> {
    let (kind, name) = match node {
        Node::String(name) => (default_kind, name.as_str()),
        _ => (
            node.str_at(&["kind"]).unwrap_or(default_kind),
            node.str_at(&["name"]).unwrap_or_default(),
        ),
    };
    (!name.is_empty()).then(|| Reference {
        kind: kind.into(),
        name: name.into(),
    })
}

fn references(node: &Node, key: &str, default_kind: &str) -> Vec<Reference> {
    let items = list(node, key).iter();
    items
        .filter_map(|item| as_reference(item, default_kind))
        .collect()
}

fn owner(spec: &Node) -> Owner {
    let own = spec.get("owner").unwrap_or(&Node::Null);
    Owner {
        project: text(own, "projectName"),
        component: text(own, "componentName"),
    }
}

/// `ingress` and `egress` of a spec, without nulls; an empty map when there are none.
fn gateways(spec: &Node) -> Node {
    let mut out = Map::new();
    for direction in ["ingress", "egress"] {
        let mut kept = Map::new();
        for visibility in ["external", "internal"] {
            let entry = spec.at(&["gateway", direction, visibility]);
            if let Some(entry) = entry.and_then(Node::as_map) {
                let mut entry = entry.clone();
                entry.retain(|_, value| !value.is_null());
                kept.insert(visibility, entry);
            }
        }
        if !kept.is_empty() {
            out.insert(direction, kept);
        }
    }
    out.into()
}

fn data_plane(head: Head, spec: &Node) -> DataPlane {
    let mut gateway = gateways(spec);
    let old = spec.get("gateway").cloned().unwrap_or_default();
    let hosts = [
        ("external", "publicVirtualHost", "publicHTTP", 19080, 19443),
        (
            "internal",
            "organizationVirtualHost",
            "organizationHTTP",
            19081,
            19444,
        ),
    ];
    for (visibility, field, ports, http, https) in hosts {
        let Some(host) = some_text(&old, field) else {
            continue;
        };
        if gateway.at(&["ingress", visibility]).is_some() {
            continue;
        }
        for (listener, suffix, default) in [("http", "Port", http), ("https", "SPort", https)] {
            let port = old.get(&format!("{ports}{suffix}")).and_then(Node::as_i64);
            gateway.set(
                &["ingress", visibility, listener],
                Map::from_iter([
                    ("host", Node::from(host.clone())),
                    ("port", Node::from(port.unwrap_or(default))),
                ]),
            );
        }
    }
    let public_virtual_host = some_text(&old, "publicVirtualHost").or_else(|| {
        let listeners = ["http", "https", "tls"].into_iter();
        let host = listeners
            .filter_map(|listener| gateway.str_at(&["ingress", "external", listener, "host"]));
        host.map(Text::from).find(|host| !host.is_empty())
    });
    DataPlane {
        public_virtual_host,
        secret_store: spec
            .get("secretStoreRef")
            .and_then(|store| some_text(store, "name")),
        observability_plane: reference(spec, "observabilityPlaneRef", "ObservabilityPlane"),
        gateway,
        head,
    }
}

fn pipeline(head: Head, spec: &Node) -> DeploymentPipeline {
    let name = |node: Option<&Node>| {
        let reference = node.and_then(|node| as_reference(node, "Environment"));
        reference.unwrap_or_default().name
    };
    let paths = list(spec, "promotionPaths")
        .iter()
        .map(|path| PromotionPath {
            source: name(path.get("sourceEnvironmentRef")),
            targets: list(path, "targetEnvironmentRefs")
                .iter()
                .map(|target| PromotionTarget {
                    environment: name(Some(target)),
                    approval: flag(target, "requiresApproval")
                        || flag(target, "isManualApprovalRequired"),
                })
                .collect(),
        });
    DeploymentPipeline {
        paths: paths.collect(),
        head,
    }
}

fn schemas(spec: &Node) -> Schemas {
    if let Some(shorthand) = spec.get("schema").filter(|schema| !schema.is_null()) {
        return Schemas::Shorthand {
            types: value(shorthand, "types"),
            parameters: value(shorthand, "parameters"),
            environment: value(shorthand, "envOverrides"),
        };
    }
    let of = |key: &str| {
        let schema = spec.at(&[key, "openAPIV3Schema"]);
        schema.cloned().unwrap_or_default()
    };
    let (parameters, environment) = (of("parameters"), of("environmentConfigs"));
    if parameters.is_null() && environment.is_null() {
        return Schemas::None;
    }
    Schemas::OpenApi {
        parameters,
        environment,
    }
}

fn plane(node: &Node) -> Plane {
    match node.str_at(&["targetPlane"]) {
        Some("observabilityplane") => Plane::Observability,
        _ => Plane::Data,
    }
}

/// Templates of `resources` or `creates`.
pub fn resources(items: &[Node]) -> Vec<Resource> {
    let resources = items.iter().map(|item| Resource {
        id: text(item, "id"),
        plane: plane(item),
        include_when: some_text(item, "includeWhen"),
        for_each: some_text(item, "forEach"),
        variable: some_text(item, "var"),
        template: value(item, "template"),
    });
    resources.collect()
}

fn rules(spec: &Node) -> Vec<Rule> {
    let items = match list(spec, "preRenderValidations") {
        [] => list(spec, "validations"),
        items => items,
    };
    items.iter().map(rule).collect()
}

fn rule(node: &Node) -> Rule {
    Rule {
        rule: text(node, "rule"),
        message: text(node, "message"),
    }
}

fn target(node: &Node) -> Target {
    let target = node.get("target").unwrap_or(&Node::Null);
    Target {
        group: text(target, "group"),
        version: text(target, "version"),
        kind: text(target, "kind"),
        condition: some_text(target, "where"),
        must_match: target.get("mustMatch").and_then(Node::as_bool),
    }
}

fn post_rules(spec: &Node) -> Vec<PostRule> {
    let items = list(spec, "postRenderValidations").iter();
    let rules = items.map(|item| PostRule {
        rule: rule(item),
        target: target(item),
        plane: plane(item),
        when: some_text(item, "when"),
        for_each: some_text(item, "forEach"),
        variable: some_text(item, "var"),
    });
    rules.collect()
}

fn trait_uses(items: &[Node]) -> Vec<TraitUse> {
    let uses = items.iter().map(|item| TraitUse {
        kind: some_text(item, "kind").unwrap_or_else(|| "Trait".into()),
        name: text(item, "name"),
        instance: text(item, "instanceName"),
        parameters: value(item, "parameters"),
        environment: value(item, "environmentConfigs"),
    });
    uses.collect()
}

/// The spec of a ComponentType, also as it stands in a release.
pub fn component_type(spec: &Node) -> ComponentType {
    ComponentType {
        workload_type: text(spec, "workloadType"),
        schemas: schemas(spec),
        resources: resources(list(spec, "resources")),
        traits: trait_uses(list(spec, "traits")),
        allowed_traits: references(spec, "allowedTraits", "Trait"),
        allowed_workflows: references(spec, "allowedWorkflows", "Workflow"),
        pre_rules: rules(spec),
        post_rules: post_rules(spec),
    }
}

/// The spec of a Trait, also as it stands in a release.
pub fn trait_spec(spec: &Node) -> Trait {
    let patches = list(spec, "patches").iter().map(|item| Patch {
        plane: plane(item),
        for_each: some_text(item, "forEach"),
        variable: some_text(item, "var"),
        target: target(item),
        operations: list(item, "operations")
            .iter()
            .map(|operation| Operation {
                op: text(operation, "op"),
                path: text(operation, "path"),
                value: operation.get("value").cloned(),
            })
            .collect(),
    });
    let removes = list(spec, "removes").iter().map(|item| Remove {
        plane: plane(item),
        for_each: some_text(item, "forEach"),
        variable: some_text(item, "var"),
        target: target(item),
    });
    Trait {
        schemas: schemas(spec),
        creates: resources(list(spec, "creates")),
        patches: patches.collect(),
        removes: removes.collect(),
        pre_rules: rules(spec),
        post_rules: post_rules(spec),
    }
}

fn project_type(spec: &Node) -> ProjectType {
    ProjectType {
        schemas: schemas(spec),
        resources: resources(list(spec, "resources")),
        pre_rules: rules(spec),
    }
}

fn component(head: Head, spec: &Node) -> Component {
    let component_type = reference(spec, "componentType", "ComponentType");
    Component {
        owner: Owner {
            project: owner(spec).project,
            component: head.name.clone(),
        },
        type_kind: component_type.clone().unwrap_or_default().kind,
        component_type: component_type.map(|reference| reference.name),
        parameters: value(spec, "parameters"),
        traits: trait_uses(list(spec, "traits")),
        auto_deploy: flag(spec, "autoDeploy"),
        workflow: reference(spec, "workflow", "ClusterWorkflow"),
        head,
    }
}

/// The spec of a Workload, with or without its owner.
pub fn workload(spec: &Node) -> Workload {
    let single = given(spec, "container");
    let containers = match spec.get("container").filter(|_| single) {
        Some(only) => BTreeMap::from([(SINGLE_CONTAINER.into(), container(only))]),
        None => entries(spec, "containers")
            .map(|(name, own)| (name.clone(), container(own)))
            .collect(),
    };
    let endpoints = entries(spec, "endpoints").map(|(name, own)| (name.clone(), endpoint(own)));
    let dependencies = spec.get("dependencies").cloned().unwrap_or_default();
    let wanted = list(&dependencies, "endpoints").iter();
    let endpoint_dependencies = wanted.map(|item| EndpointDependency {
        component: text(item, "component"),
        project: text(item, "project"),
        endpoint: text(item, "name"),
        visibility: text(item, "visibility"),
        variables: texts_by_key(item, "envBindings"),
    });
    let wanted = list(&dependencies, "resources").iter();
    let resource_dependencies = wanted.map(|item| ResourceDependency {
        reference: text(item, "ref"),
        variables: texts_by_key(item, "envBindings"),
        files: texts_by_key(item, "fileBindings"),
    });
    Workload {
        containers,
        single,
        endpoints: endpoints.collect(),
        endpoint_dependencies: endpoint_dependencies.collect(),
        resource_dependencies: resource_dependencies.collect(),
    }
}

fn container(node: &Node) -> Container {
    let words = |key: &str| {
        let words = node.get(key).filter(|words| words.as_list().is_some());
        words
            .filter(|words| !words.as_list().unwrap_or_default().is_empty())
            .cloned()
    };
    Container {
        image: text(node, "image"),
        command: words("command"),
        args: words("args"),
        env: settings(list(node, "env")),
        files: settings(list(node, "files")),
    }
}

fn settings(items: &[Node]) -> Vec<Setting> {
    let settings = items.iter().map(|item| Setting {
        key: text(item, "key"),
        mount_path: text(item, "mountPath"),
        source: source(item),
    });
    settings.collect()
}

fn source(item: &Node) -> Source {
    let from = item.get("valueFrom").cloned().unwrap_or_default();
    let of = |key: &str| {
        let reference = from.get(key).filter(|reference| !reference.is_null())?;
        Some((text(reference, "name"), text(reference, "key")))
    };
    if let Some((name, key)) = of("secretKeyRef") {
        return Source::Secret { name, key };
    }
    // Before the first major version a value wins over where else it may be.
    let value = text(item, "value");
    if !value.is_empty() {
        return Source::Literal(value);
    }
    if let Some((name, key)) = of("secretRef") {
        return Source::Secret { name, key };
    }
    if let Some((name, key)) = of("configurationGroupRef") {
        return Source::Group { name, key };
    }
    Source::Literal(value)
}

fn endpoint(node: &Node) -> Endpoint {
    Endpoint {
        kind: text(node, "type"),
        port: node.get("port").and_then(Node::as_i64).unwrap_or_default(),
        target_port: node
            .get("targetPort")
            .and_then(Node::as_i64)
            .filter(|port| *port != 0),
        display_name: some_text(node, "displayName"),
        base_path: some_text(node, "basePath"),
        visibility: list(node, "visibility")
            .iter()
            .filter_map(|item| item.as_str().map(Text::from))
            .collect(),
        schema: node
            .get("schema")
            .filter(|schema| !schema.is_null())
            .cloned(),
    }
}

/// Name and body of each trait of a release.
fn trait_bodies(spec: &Node) -> impl Iterator<Item = (Reference, Node)> {
    let listed = list(spec, "traits").iter().map(|item| {
        let reference = Reference {
            kind: some_text(item, "kind").unwrap_or_else(|| "Trait".into()),
            name: text(item, "name"),
        };
        (reference, value(item, "spec"))
    });
    let mapped = entries(spec, "traits").map(|(name, body)| {
        let reference = Reference {
            kind: "Trait".into(),
            name: name.clone(),
        };
        (reference, body.clone())
    });
    listed.chain(mapped)
}

/// The spec of a ComponentRelease.
pub fn read_release_spec(head: Head, spec: &Node) -> ComponentRelease {
    let own = value(spec, "componentType");
    let inner = own.get("spec").filter(|inner| !inner.is_null());
    let wrapped = inner.is_some();
    let type_reference = Reference {
        kind: some_text(&own, "kind").unwrap_or_else(|| "ComponentType".into()),
        name: text(&own, "name"),
    };
    let component_type = component_type(inner.unwrap_or(&own));
    let traits: Vec<(Reference, Trait)> = trait_bodies(spec)
        .map(|(reference, body)| (reference, trait_spec(&body)))
        .collect();
    let profile = value(spec, "componentProfile");
    let workload = workload(spec.get("workload").unwrap_or(&Node::Null));
    let frozen = traits.iter().map(|(_, own)| own);
    let dialect = dialect::decide(&component_type, frozen, &workload, wrapped);
    ComponentRelease {
        head,
        owner: owner(spec),
        type_reference,
        component_type,
        traits,
        parameters: value(&profile, "parameters"),
        uses: trait_uses(list(&profile, "traits")),
        workload,
        dialect,
    }
}

fn binding(head: Head, spec: &Node) -> ReleaseBinding {
    let either = |new: &str, old: &str| match given(spec, new) {
        true => value(spec, new),
        false => value(spec, old),
    };
    let trait_values = either("traitEnvironmentConfigs", "traitOverrides");
    let trait_values = trait_values.as_map().cloned().unwrap_or_default();
    let changes = value(spec, "workloadOverrides");
    let mut workload_overrides: BTreeMap<Text, Overrides> = entries(&changes, "containers")
        .map(|(name, own)| (name.clone(), overrides(own)))
        .collect();
    if let Some(only) = changes.get("container").filter(|only| !only.is_null()) {
        workload_overrides.insert(Text::default(), overrides(only));
    }
    ReleaseBinding {
        owner: owner(spec),
        environment: text(spec, "environment"),
        release: some_text(spec, "releaseName"),
        type_values: either(
            "componentTypeEnvironmentConfigs",
            "componentTypeEnvOverrides",
        ),
        trait_values: trait_values.into_iter().collect(),
        workload_overrides,
        active: spec
            .str_at(&["state"])
            .is_none_or(|state| state == "Active" || state.is_empty()),
        head,
    }
}

fn overrides(node: &Node) -> Overrides {
    Overrides {
        env: settings(list(node, "env")),
        files: settings(list(node, "files")),
    }
}

fn rendered(head: Head, spec: &Node) -> RenderedRelease {
    let resources = list(spec, "resources").iter();
    RenderedRelease {
        owner: owner(spec),
        environment: text(spec, "environmentName"),
        plane: plane(spec),
        resources: resources
            .map(|item| (text(item, "id"), value(item, "object")))
            .collect(),
        head,
    }
}

/// Where the value of a secret key is.
fn remote(entry: &Node) -> Node {
    let mut out = Map::new();
    for key in ["key", "property", "version"] {
        let text = entry.str_at(&["remoteRef", key]).unwrap_or_default();
        if !text.is_empty() {
            out.insert(key, text);
        }
    }
    out.into()
}
