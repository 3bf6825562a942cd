//! Schemas of the documents.

use object::{Map, Node, Text};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};

use super::Custom;
use crate::builtin::types::{Field, ListType, Struct, Type};
use crate::builtin::{kinds, type_of, types};

use k8s_openapi::api as k8s;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use k8s_openapi::apimachinery::pkg::apis::meta::v1 as meta;

/// The name of a built-in kind's schema: `io.k8s.api.apps.v1.Deployment`.
pub(super) fn name_of(api_version: &str, kind: &str) -> String {
    match type_of(api_version, kind) {
        Some(id) => types().get(id).openapi_name(),
        None => String::new(),
    }
}

/// The name of a custom kind's schema: `com.example.stable.v1.Widget`.
pub(super) fn custom_name(group: &str, version: &str, kind: &str) -> String {
    let reversed: Vec<&str> = group.rsplit('.').collect();
    format!("{}.{version}.{kind}", reversed.join("."))
}

/// Schemas of a built-in group-version and of everything they refer to.
pub(super) fn builtin(group: &str, version: &str) -> Map {
    let mut generator = generator();
    register(group, version, &mut generator);
    let mut schemas = finish(generator);
    for kind in kinds()
        .iter()
        .filter(|kind| (kind.group, kind.version) == (group, version))
    {
        if !kind.verbs.contains(&"list") {
            continue;
        }
        let item = name_of(&kind.api_version(), kind.kind);
        let list = list_of(&item, group, version, &kind.list_kind());
        schemas.insert(format!("{item}List"), list);
    }
    if !group.is_empty()
        && let Some(options) = schemas.get_mut("io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions")
        && let Some(kinds) = options
            .get_mut("x-kubernetes-group-version-kind")
            .and_then(Node::as_list_mut)
    {
        // Options are registered with every group.
        kinds.push(group_version_kind(group, version, "DeleteOptions"));
    }
    schemas.sort_keys();
    schemas
}

/// Schemas of custom kinds, wrapped as the API serves their objects.
pub(super) fn custom(served: &[Custom<'_>]) -> Map {
    let mut generator = generator();
    generator.subschema_for::<k8s::autoscaling::v1::Scale>();
    let mut schemas = finish(generator);
    for custom in served {
        let name = custom_name(custom.group, custom.version, custom.kind);
        let list_name = custom_name(custom.group, custom.version, custom.list_kind);
        let list = list_of(&name, custom.group, custom.version, custom.list_kind);
        schemas.insert(list_name, list);
        schemas.insert(name, wrapped(custom));
    }
    schemas.sort_keys();
    schemas
}

fn wrapped(custom: &Custom<'_>) -> Node {
    let mut schema = custom.schema.cloned().unwrap_or_else(|| {
        let mut anything = Node::map();
        anything.set(&["type"], "object");
        anything.set(&["x-kubernetes-preserve-unknown-fields"], true);
        anything
    });
    schema.set(&["properties", "apiVersion"], api_version_property());
    schema.set(&["properties", "kind"], kind_property());
    schema.set(&["properties", "metadata"], metadata_property("ObjectMeta"));
    let kinds = group_version_kind(custom.group, custom.version, custom.kind);
    schema.set(&["x-kubernetes-group-version-kind"], vec![kinds]);
    schema
}

fn described(description: &str) -> Node {
    let mut property = Node::map();
    property.set(&["description"], description);
    property.set(&["type"], "string");
    property
}

fn api_version_property() -> Node {
    described("Group and version of the schema this object follows.")
}

fn kind_property() -> Node {
    described("Kind of this object, in CamelCase. Cannot be changed.")
}

fn metadata_property(name: &str) -> Node {
    let mut property = Node::map();
    let text = match name {
        "ListMeta" => "Metadata of the list.",
        _ => "Metadata of the object: its name, labels, owners and history.",
    };
    property.set(&["description"], text);
    let target = format!("io.k8s.apimachinery.pkg.apis.meta.v1.{name}");
    property.set(&["allOf"], vec![reference(&target)]);
    property.set(&["default"], Map::new());
    property
}

/// `{"$ref": "#/components/schemas/<name>"}`.
pub(super) fn reference(name: &str) -> Node {
    let mut reference = Node::map();
    reference.set(&["$ref"], format!("#/components/schemas/{name}"));
    reference
}

/// `{"group": …, "kind": …, "version": …}`.
pub(super) fn group_version_kind(group: &str, version: &str, kind: &str) -> Node {
    let entries = [("group", group), ("kind", kind), ("version", version)];
    Node::Map(entries.into_iter().collect())
}

fn list_of(item: &str, group: &str, version: &str, list_kind: &str) -> Node {
    let mut list = Node::map();
    list.set(
        &["description"],
        format!("{list_kind} is a list of objects."),
    );
    list.set(&["type"], "object");
    list.set(&["required"], Node::list(["items"]));
    list.set(&["properties", "apiVersion"], api_version_property());
    list.set(&["properties", "kind"], kind_property());
    list.set(&["properties", "metadata"], metadata_property("ListMeta"));
    let items = ["properties", "items"];
    list.set(&[items[0], items[1], "description"], "The objects.");
    list.set(&[items[0], items[1], "type"], "array");
    list.set(
        &[items[0], items[1], "items", "allOf"],
        vec![reference(item)],
    );
    list.set(&[items[0], items[1], "items", "default"], Map::new());
    let kinds = group_version_kind(group, version, list_kind);
    list.set(&["x-kubernetes-group-version-kind"], vec![kinds]);
    list
}

/// A generator that knows what every document needs.
fn generator() -> SchemaGenerator {
    let mut generator = SchemaSettings::openapi3().into_generator();
    generator.subschema_for::<meta::ObjectMeta>();
    generator.subschema_for::<meta::ListMeta>();
    generator.subschema_for::<meta::Status>();
    generator.subschema_for::<meta::DeleteOptions>();
    generator.subschema_for::<meta::Patch>();
    generator.subschema_for::<meta::APIResourceList>();
    generator
}

/// Adds the kinds of one group-version, and the bodies of their subresources.
fn register(group: &str, version: &str, generator: &mut SchemaGenerator) {
    fn add<T: JsonSchema>(generator: &mut SchemaGenerator) {
        generator.subschema_for::<T>();
    }
    macro_rules! add_all {
        ($module:path: $($kind:ident)*) => {{
            use $module as module;
            $(add::<module::$kind>(generator);)*
        }};
    }
    match (group, version) {
        ("", _) => {
            add_all!(k8s::core::v1: Binding ComponentStatus ConfigMap Endpoints Event LimitRange
                Namespace Node PersistentVolume PersistentVolumeClaim Pod PodTemplate
                ReplicationController ResourceQuota Secret Service ServiceAccount);
            add_all!(k8s::policy::v1: Eviction);
            add_all!(k8s::authentication::v1: TokenRequest);
            add_all!(k8s::autoscaling::v1: Scale);
        }
        ("apps", _) => {
            add_all!(k8s::apps::v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet);
            add_all!(k8s::autoscaling::v1: Scale);
        }
        ("events.k8s.io", _) => add_all!(k8s::events::v1: Event),
        ("authentication.k8s.io", _) => {
            add_all!(k8s::authentication::v1: SelfSubjectReview TokenReview);
        }
        ("authorization.k8s.io", _) => {
            add_all!(k8s::authorization::v1: LocalSubjectAccessReview SelfSubjectAccessReview
                SelfSubjectRulesReview SubjectAccessReview);
        }
        ("autoscaling", "v1") => add_all!(k8s::autoscaling::v1: HorizontalPodAutoscaler Scale),
        ("autoscaling", _) => add_all!(k8s::autoscaling::v2: HorizontalPodAutoscaler),
        ("batch", _) => add_all!(k8s::batch::v1: CronJob Job),
        ("certificates.k8s.io", _) => add_all!(k8s::certificates::v1: CertificateSigningRequest),
        ("networking.k8s.io", _) => {
            add_all!(k8s::networking::v1: IPAddress Ingress IngressClass NetworkPolicy ServiceCIDR);
        }
        ("policy", _) => add_all!(k8s::policy::v1: Eviction PodDisruptionBudget),
        ("rbac.authorization.k8s.io", _) => {
            add_all!(k8s::rbac::v1: ClusterRole ClusterRoleBinding Role RoleBinding);
        }
        ("storage.k8s.io", _) => {
            add_all!(k8s::storage::v1: CSIDriver CSINode CSIStorageCapacity StorageClass
                VolumeAttachment VolumeAttributesClass);
        }
        ("admissionregistration.k8s.io", _) => {
            add_all!(k8s::admissionregistration::v1: MutatingAdmissionPolicy
                MutatingAdmissionPolicyBinding MutatingWebhookConfiguration ValidatingAdmissionPolicy
                ValidatingAdmissionPolicyBinding ValidatingWebhookConfiguration);
        }
        ("apiextensions.k8s.io", _) => add::<apiextensions::CustomResourceDefinition>(generator),
        ("scheduling.k8s.io", _) => add_all!(k8s::scheduling::v1: PriorityClass),
        ("coordination.k8s.io", _) => add_all!(k8s::coordination::v1: Lease),
        ("node.k8s.io", _) => add_all!(k8s::node::v1: RuntimeClass),
        ("discovery.k8s.io", _) => add_all!(k8s::discovery::v1: EndpointSlice),
        ("resource.k8s.io", _) => {
            add_all!(k8s::resource::v1: DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice);
        }
        ("flowcontrol.apiserver.k8s.io", _) => {
            add_all!(k8s::flowcontrol::v1: FlowSchema PriorityLevelConfiguration);
        }
        _ => {}
    }
}

/// The schemas collected so far, joined with our type table.
fn finish(mut generator: SchemaGenerator) -> Map {
    let mut schemas: Map = generator
        .take_definitions(true)
        .into_iter()
        .map(|(name, schema)| (Text::from(name), node(schema)))
        .collect();
    for (name, kinds) in [
        (
            "io.k8s.apimachinery.pkg.api.resource.Quantity",
            ["string", "number"],
        ),
        (
            "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
            ["integer", "string"],
        ),
    ] {
        if let Some(schema) = schemas.get_mut(name) {
            let either = kinds.map(|kind| {
                let mut schema = Node::map();
                schema.set(&["type"], kind);
                schema
            });
            schema.remove(&["x-kubernetes-int-or-string"]);
            schema.set(&["oneOf"], either.to_vec());
            if name.ends_with("IntOrString") {
                schema.set(&["format"], "int-or-string");
            }
        }
    }
    // Any JSON value, and what is a schema or something else, have no type in the documents.
    for name in [
        "JSON",
        "JSONSchemaPropsOrArray",
        "JSONSchemaPropsOrBool",
        "JSONSchemaPropsOrStringArray",
    ] {
        let name = format!("io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.{name}");
        if let Some(schema) = schemas.get_mut(&name) {
            schema.remove(&["type"]);
            schema.remove(&["oneOf"]);
        }
    }
    for (id, ty) in types().iter() {
        let name = ty.openapi_name();
        if let Some(schema) = schemas.get_mut(&name) {
            join(schema, ty);
            let served =
                types()
                    .kinds()
                    .filter(|(_, _, of)| *of == id)
                    .map(|(api_version, kind, _)| {
                        let (group, version) =
                            api_version.split_once('/').unwrap_or(("", api_version));
                        group_version_kind(group, version, kind)
                    });
            let served: Vec<Node> = served.collect();
            if !served.is_empty() {
                schema.set(&["x-kubernetes-group-version-kind"], served);
            }
        }
    }
    schemas
}

/// Adds what merging and defaulting need to know to the schema of a struct.
fn join(schema: &mut Node, ty: &Struct) {
    if ty.atomic {
        schema.set(&["x-kubernetes-map-type"], "atomic");
    }
    let required: Vec<&str> = ty
        .fields
        .iter()
        .filter(|field| field.required && schema.at(&["properties", field.json]).is_some())
        .map(|field| field.json)
        .collect();
    match required.is_empty() {
        true => {
            schema.remove(&["required"]);
        }
        false => schema.set(&["required"], Node::list(required)),
    }
    for field in &ty.fields {
        if let Some(property) = schema.at_mut(&["properties", field.json]) {
            join_field(property, field);
        }
    }
}

fn join_field(property: &mut Node, field: &Field) {
    let list = match field.list {
        ListType::Unset => None,
        ListType::Atomic => Some("atomic"),
        ListType::Set => Some("set"),
        ListType::Map => Some("map"),
    };
    if let Some(list) = list {
        property.set(&["x-kubernetes-list-type"], list);
    }
    if !field.list_keys.is_empty() {
        let keys = Node::list(field.list_keys.iter().copied());
        property.set(&["x-kubernetes-list-map-keys"], keys);
    }
    if field.atomic || field.granular {
        let kind = if field.atomic { "atomic" } else { "granular" };
        property.set(&["x-kubernetes-map-type"], kind);
    }
    if !field.patch_strategy.is_empty() {
        property.set(&["x-kubernetes-patch-strategy"], field.patch_strategy);
    }
    if !field.patch_key.is_empty() {
        property.set(&["x-kubernetes-patch-merge-key"], field.patch_key);
    }
    let parse = |text: &str| object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS).ok();
    let inner_default = |ty: &Type| match ty {
        Type::String => Some(Node::from("")),
        Type::Int32 | Type::Int64 => Some(Node::Int(0)),
        Type::Struct(_) => Some(Node::map()),
        _ => None,
    };
    let inner = match field.ty.target() {
        Type::List(item) => Some(("items", item)),
        Type::Map(value) => Some(("additionalProperties", value)),
        _ => None,
    };
    if let Some((key, ty)) = inner
        && let (Some(default), Some(_)) = (inner_default(ty), property.get(key))
    {
        default_beside(property.at_mut(&[key]), default);
    }
    if let Some(default) = field.default.and_then(parse) {
        property.set(&["default"], default);
    } else if !field.omit_empty {
        match field.ty {
            Type::String => property.set(&["default"], ""),
            Type::Int32 | Type::Int64 => property.set(&["default"], 0),
            Type::Bool => property.set(&["default"], false),
            Type::Struct(_) => default_beside(Some(property), Node::map()),
            _ => {}
        }
    } else if matches!(field.ty, Type::Struct(_)) {
        default_beside(Some(property), Node::map());
    }
}

/// Sets a default; a reference cannot have siblings and is wrapped.
fn default_beside(property: Option<&mut Node>, default: Node) {
    let Some(property) = property else {
        return;
    };
    if let Some(target) = property.remove(&["$ref"]) {
        let mut reference = Node::map();
        reference.set(&["$ref"], target);
        property.set(&["allOf"], vec![reference]);
    }
    property.set(&["default"], default);
}

fn node(value: serde_json::Value) -> Node {
    match value {
        serde_json::Value::Null => Node::Null,
        serde_json::Value::Bool(value) => Node::Bool(value),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(number) => Node::Int(number),
            None => Node::Float(number.as_f64().unwrap_or(0.0)),
        },
        serde_json::Value::String(text) => text.into(),
        serde_json::Value::Array(items) => items.into_iter().map(node).collect::<Vec<_>>().into(),
        serde_json::Value::Object(map) => Node::Map(
            map.into_iter()
                .map(|(key, value)| (Text::from(key), node(value)))
                .collect(),
        ),
    }
}
