//! OpenAPI schemas whose references are put in place.
//!
//! # Source
//! openchoreo/openchoreo `internal/schema/ref_resolver.go` at v1.2.3: references are local, keys
//! beside `$ref` win over those of what it leads to, `oneOf` and `anyOf` stay. Types of keywords:
//! kubernetes/apiextensions-apiserver `pkg/apis/apiextensions/v1/types_jsonschema.go`, and
//! `pkg/apiserver/schema/convert.go` for those that are not supported.

use object::{FieldPath, Map, Node, Step, Text};

use super::{SCHEMA_FIELDS_DEPTH_MAX, SCHEMA_NODES_MAX, SchemaError, SchemaProblem};

/// The schema with every reference replaced by what it leads to; a null schema takes any map.
pub(super) fn resolve(schema: &Node) -> Result<Node, Vec<SchemaError>> {
    if schema.is_null() {
        return Ok(Map::from_iter([("type", "object")]).into());
    }
    let mut resolver = Resolver {
        root: schema,
        following: Vec::new(),
        path: FieldPath::root(),
        nodes: 0,
        errors: Vec::new(),
    };
    let mut out = resolver.schema(schema, 0);
    if !resolver.errors.is_empty() {
        return Err(resolver.errors);
    }
    if let Some(map) = out.as_map_mut() {
        map.remove("$defs");
        if !map.contains_key("type") {
            map.insert("type", "object");
        }
    }
    Ok(out)
}

struct Resolver<'a> {
    root: &'a Node,
    /// References on the way here.
    following: Vec<Text>,
    path: FieldPath,
    nodes: usize,
    errors: Vec<SchemaError>,
}

impl Resolver<'_> {
    fn report(&mut self, problem: SchemaProblem) {
        self.errors.push(SchemaError {
            path: self.path.clone(),
            problem,
        });
    }

    fn schema(&mut self, node: &Node, depth: usize) -> Node {
        self.nodes += 1;
        if self.nodes > SCHEMA_NODES_MAX || depth > 2 * SCHEMA_FIELDS_DEPTH_MAX {
            let told = |error: &SchemaError| {
                matches!(error.problem, SchemaProblem::Size | SchemaProblem::Depth)
            };
            if !self.errors.iter().any(told) {
                self.report(match self.nodes > SCHEMA_NODES_MAX {
                    true => SchemaProblem::Size,
                    false => SchemaProblem::Depth,
                });
            }
            return Node::Null;
        }
        let Some(map) = node.as_map() else {
            if !node.is_null() {
                self.report(SchemaProblem::NotAField(node.type_name()));
            }
            return node.clone();
        };
        self.keywords(map);
        if let Some(target) = map.get("$ref") {
            return self.reference(target, map, depth);
        }
        let mut out = Map::with_capacity(map.len());
        for (key, value) in map.iter() {
            let value = match (key.as_str(), value) {
                ("$defs", _) => continue,
                ("properties", Node::Map(properties)) => {
                    let mut inner = Map::with_capacity(properties.len());
                    for (name, value) in properties.iter() {
                        self.path.push(Step::Key(name.clone()));
                        inner.insert(name.clone(), self.schema(value, depth + 1));
                        self.path.pop();
                    }
                    inner.into()
                }
                ("items" | "additionalProperties" | "not", Node::Map(_)) => {
                    self.schema(value, depth + 1)
                }
                ("allOf" | "anyOf" | "oneOf", Node::List(items)) => {
                    let inner = items.iter().map(|item| self.schema(item, depth + 1));
                    inner.collect::<Vec<_>>().into()
                }
                _ => value.clone(),
            };
            out.insert(key.clone(), value);
        }
        out.into()
    }

    /// Whether keywords have values of their types.
    fn keywords(&mut self, schema: &Map) {
        for (keyword, value) in schema.iter().filter(|(_, value)| !value.is_null()) {
            let whole = |value: &Node| value.as_f64().is_some_and(|number| number.fract() == 0.0);
            let (fits, wanted) = match keyword.as_str() {
                "type" | "format" | "title" | "description" | "pattern" => {
                    (value.as_str().is_some(), "text")
                }
                "nullable" | "exclusiveMinimum" | "exclusiveMaximum" | "uniqueItems" => {
                    (value.as_bool().is_some(), "true or false")
                }
                "minimum" | "maximum" | "multipleOf" => (value.as_f64().is_some(), "a number"),
                "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties"
                | "maxProperties" => (whole(value), "a whole number"),
                "enum" => (value.as_list().is_some(), "a list"),
                "required" => {
                    let names = value.as_list();
                    let all = |names: &[Node]| names.iter().all(|name| name.as_str().is_some());
                    (names.is_some_and(all), "a list of names")
                }
                "allOf" | "anyOf" | "oneOf" => (value.as_list().is_some(), "a list of schemas"),
                "properties" => (value.as_map().is_some(), "a map of schemas"),
                "items" | "not" => (value.as_map().is_some(), "a schema"),
                "additionalProperties" => {
                    let fits = value.as_map().is_some() || value.as_bool().is_some();
                    (fits, "a schema, true or false")
                }
                "id" | "$schema" | "patternProperties" | "dependencies" | "additionalItems"
                | "definitions" => {
                    self.report(SchemaProblem::UnsupportedKeyword(keyword.clone()));
                    continue;
                }
                _ => continue,
            };
            if !fits {
                let keyword = keyword.clone();
                self.report(SchemaProblem::Keyword { keyword, wanted });
            }
        }
    }

    fn reference(&mut self, target: &Node, around: &Map, depth: usize) -> Node {
        let name: Text = target.as_str().unwrap_or_default().into();
        if self.following.contains(&name) {
            self.report(SchemaProblem::CyclicReference(name));
            return Node::Null;
        }
        let root = self.root;
        let found = name
            .strip_prefix("#/$defs/")
            .and_then(|name| root.at(&["$defs", name]));
        let Some(found) = found.filter(|found| found.as_map().is_some()) else {
            self.report(SchemaProblem::Reference(name));
            return Node::Null;
        };
        self.following.push(name);
        let mut out = self.schema(found, depth + 1);
        let mut beside = around.clone();
        beside.remove("$ref");
        if !beside.is_empty()
            && let (Node::Map(own), Node::Map(beside)) =
                (&mut out, self.schema(&beside.into(), depth + 1))
        {
            own.extend(beside);
        }
        self.following.pop();
        out
    }
}
