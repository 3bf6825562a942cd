//! What changes the rules of a build: `configurations`, `crds`, `openapi` and field specs.

use super::maker::{Made, Maker, Odd};
use super::patches;
use super::value::{Path, Step, Value, list, map};

/// A field spec for a field that exists, as a rule.
pub fn field_spec(maker: &mut Maker, made: &[Made]) -> Value {
    let from = patches::any(maker, made);
    let paths = paths_for_specs(&from.value);
    let path = match maker.dice.choose(&paths) {
        Some(path) if maker.dice.percent(70) => {
            let mut text = String::new();
            for (at, step) in path.iter().enumerate() {
                if let Step::Key(key) = step {
                    if !text.is_empty() {
                        text.push('/');
                    }
                    text.push_str(&key.replace('/', "\\/"));
                    if matches!(path.get(at + 1), Some(Step::Index(_))) && maker.dice.one_in(3) {
                        text.push_str("[]");
                    }
                }
            }
            text
        }
        _ => maker
            .dice
            .pick(&[
                "metadata/labels",
                "metadata/name",
                "spec/new/field",
                "spec/ref",
                "data/a",
                "spec/template/metadata/labels",
                "spec/list[]/x",
                "metadata/annotations/example.com\\/x",
                "",
            ])
            .to_owned(),
    };
    let mut spec = map! {"path" => path};
    if maker.dice.percent(60) {
        spec.set("kind", from.kind());
    }
    if maker.dice.one_in(4) {
        spec.set("group", from.group());
    }
    if maker.dice.one_in(4) {
        spec.set("version", from.version());
    }
    if maker.dice.one_in(2) {
        spec.set("create", maker.dice.one_in(2));
    }
    spec
}

/// The paths that field specs may name: not those of an object's kind, on which its other field specs
/// depend, and not all annotations, among which the reference keeps its own.
fn paths_for_specs(object: &Value) -> Vec<Path> {
    let mut paths = object.paths();
    paths.retain(|path| match path.as_slice() {
        [Step::Key(first), Step::Key(second)] => first != "metadata" || second != "annotations",
        [Step::Key(first)] => !["apiVersion", "kind", "metadata"].contains(&first.as_str()),
        _ => !patches::is_internal(path),
    });
    paths
}

/// A field spec for a map of texts.
pub fn map_spec(maker: &mut Maker, made: &[Made]) -> Value {
    if maker.dice.one_in(5) {
        return field_spec(maker, made);
    }
    let path = maker.dice.pick(&[
        "metadata/labels",
        "spec/template/metadata/labels",
        "spec/selector/matchLabels",
        "spec/new/labels",
        "spec/selector",
    ]);
    // What a default field spec creates, another may not leave alone.
    let create = path.ends_with("labels") && !path.contains("new") || maker.dice.one_in(3);
    let mut spec = map! {"path" => path, "create" => create};
    if maker.dice.one_in(2) {
        spec.set("kind", patches::any(maker, made).kind());
    }
    spec
}

/// A field spec for a name or another text.
pub fn text_spec(maker: &mut Maker, made: &[Made]) -> Value {
    if maker.dice.one_in(5) {
        return field_spec(maker, made);
    }
    let path = maker.dice.pick(&[
        "metadata/name",
        "spec/ref",
        "spec/image",
        "metadata/annotations/note",
        "data/a",
        "spec/template/spec/serviceAccountName",
        "spec/secretRef/name",
    ]);
    let mut spec = map! {"path" => path};
    if maker.dice.one_in(2) {
        spec.set("kind", patches::any(maker, made).kind());
    }
    spec
}

pub fn specs(maker: &mut Maker, made: &[Made], one: fn(&mut Maker, &[Made]) -> Value) -> Value {
    let count = maker.dice.between(1, 2);
    Value::List((0..count).map(|_| one(maker, made)).collect())
}

/// A file of `configurations`.
pub fn configuration(maker: &mut Maker, made: &[Made]) -> Value {
    let mut file = Value::empty_map();
    for _ in 0..maker.dice.between(1, 3) {
        let key = maker.noted(
            "configuration",
            &[
                "nameReference",
                "nameReference",
                "nameReference",
                "varReference",
                "commonLabels",
                "labels",
                "templateLabels",
                "commonAnnotations",
                "namePrefix",
                "nameSuffix",
                "namespace",
                "images",
                "replicas",
            ],
        );
        let value = match key {
            "nameReference" => {
                let target = patches::any(maker, made);
                let mut paths = Vec::new();
                for _ in 0..maker.dice.between(1, 2) {
                    let mut spec = match maker.dice.one_in(4) {
                        true => field_spec(maker, made),
                        false => {
                            map! {"path" => maker.dice.pick(&["spec/ref", "spec/secretRef/name", "spec/secretRef", "data/a", "metadata/annotations/note", "metadata/labels/app", "spec/template/spec/containers/env/value"])}
                        }
                    };
                    if maker.dice.one_in(3) {
                        spec.set("kind", patches::any(maker, made).kind());
                    }
                    paths.push(spec);
                }
                let mut item = map! {"kind" => target.kind(), "fieldSpecs" => paths};
                if maker.dice.one_in(3) {
                    item.set("version", target.version());
                }
                if maker.dice.one_in(3) {
                    item.set("group", target.group());
                }
                list![item]
            }
            "varReference" => {
                let mut spec = text_spec(maker, made);
                if maker.dice.one_in(2) {
                    spec.set(
                        "path",
                        maker.dice.pick(&[
                            "spec/ref",
                            "data/a",
                            "spec/template/spec/containers/image",
                            "data",
                            "spec",
                        ]),
                    );
                }
                list![spec]
            }
            "commonLabels" | "labels" | "templateLabels" | "commonAnnotations" => {
                specs(maker, made, map_spec)
            }
            "replicas" => {
                let mut spec = map! {"path" => maker.dice.pick(&["spec/replicas", "spec/count"]), "create" => true};
                spec.set("kind", patches::any(maker, made).kind());
                list![spec]
            }
            _ => specs(maker, made, text_spec),
        };
        file.set(key, value);
    }
    if maker.odd(Odd::Fields, 4) {
        file.set("unknown", "x");
    }
    file
}

/// A file of `crds`.
pub fn crd(maker: &mut Maker) -> Value {
    let reference = map! {
        "type" => "string",
        "x-kubernetes-object-ref-api-version" => "v1",
        "x-kubernetes-object-ref-kind" => maker.dice.pick(&["Secret", "ConfigMap", "Service"]),
    };
    let mut spec_properties = map! {"ref" => reference};
    if maker.dice.one_in(2) {
        spec_properties.set(
            "secretRef",
            map! {
                "x-kubernetes-object-ref-api-version" => "v1",
                "x-kubernetes-object-ref-kind" => "Secret",
                "x-kubernetes-object-ref-name-key" => "name",
            },
        );
    }
    for key in [
        "x-kubernetes-annotation",
        "x-kubernetes-label-selector",
        "x-kubernetes-identity",
    ] {
        if maker.dice.one_in(3) {
            maker.note("crds", key);
            spec_properties.set(key, map! {key => "", "type" => "object"});
        }
    }
    let spec = map! {"Schema" => map! {"description" => "x", "properties" => spec_properties}, "Dependencies" => list![]};
    let top = map! {
        "Schema" => map! {
            "description" => "x",
            "properties" => map! {
                "apiVersion" => map! {"type" => "string"},
                "kind" => map! {"type" => "string"},
                "metadata" => map! {"$ref" => "k8s.io/apimachinery/pkg/apis/meta/v1.ObjectMeta"},
                "spec" => map! {"$ref" => "example.com/v1.FooSpec"},
            },
        },
        "Dependencies" => list!["example.com/v1.FooSpec"],
    };
    map! {"example.com/v1.Foo" => top, "example.com/v1.FooSpec" => spec}
}

/// A small OpenAPI document that makes lists of a custom resource merge.
pub fn schema(maker: &mut Maker) -> Value {
    let items = map! {
        "type" => "object",
        "properties" => map! {"name" => map! {"type" => "string"}, "value" => map! {"type" => "string"}},
    };
    let list = map! {
        "type" => "array",
        "items" => items,
        "x-kubernetes-patch-merge-key" => "name",
        "x-kubernetes-patch-strategy" => maker.dice.pick(&["merge", "merge", "replace", "merge,retainKeys"]),
    };
    let mut properties = Value::empty_map();
    for key in ["a", "b", "host", "port", "x9"] {
        properties.set(key, list.clone());
    }
    let gvk = map! {"group" => "example.com", "kind" => "Foo", "version" => "v1"};
    let definition = map! {
        "type" => "object",
        "properties" => map! {"spec" => map! {"type" => "object", "properties" => properties}},
        "x-kubernetes-group-version-kind" => list![gvk.clone()],
    };
    let mut document = map! {"definitions" => map! {"com.example.v1.Foo" => definition}};
    if maker.dice.one_in(2) {
        let scope = maker.dice.pick(&[
            "/apis/example.com/v1/foos/{name}",
            "/apis/example.com/v1/namespaces/{namespace}/foos/{name}",
        ]);
        maker.note("schema", "scope");
        document.set("paths", map! {scope => map! {"get" => map! {"x-kubernetes-action" => "get", "x-kubernetes-group-version-kind" => gvk}}});
    }
    if maker.dice.one_in(3) {
        document.set("swagger", "2.0");
        document.set("info", map! {"title" => "x", "version" => "1"});
    }
    document
}
