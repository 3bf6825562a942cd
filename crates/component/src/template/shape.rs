//! What a schema says about values, for checking expressions.

use object::Node;

use expr::{ObjectShape, Shape};

/// Deepest nesting of a schema that is followed; deeper values may be anything.
const DEPTH_MAX: usize = 60;

/// The shape of values that an OpenAPI v3 schema describes.
///
/// What is not described, or in more than one way (`oneOf`, references), may be anything.
///
/// ```
/// let schema = object::json::parse(
///     br#"{"type": "object", "properties": {"replicas": {"type": "integer"}}}"#,
///     object::json::OBJECT_LIMITS)?;
/// let variables = [("parameters".into(), component::template::shape(&schema))];
/// let template = component::template::Engine::default().text("${parameters.replica + 1}");
/// assert_eq!(template.check(&variables)[0].kind.to_string(), "undefined field 'replica'");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn shape(schema: &Node) -> Shape {
    shape_at(schema, 0)
}

fn shape_at(schema: &Node, depth: usize) -> Shape {
    let open = ["oneOf", "anyOf", "allOf", "$ref"];
    if depth > DEPTH_MAX || open.iter().any(|key| schema.get(key).is_some()) {
        return Shape::Dyn;
    }
    let preserves = |key: &str| schema.get(key).and_then(Node::as_bool) == Some(true);
    // Null is no value of any of these shapes.
    if preserves("nullable") || preserves("x-kubernetes-preserve-unknown-fields") {
        return Shape::Dyn;
    }
    match schema.str_at(&["type"]) {
        Some("string") => Shape::String,
        Some("boolean") => Shape::Bool,
        Some("integer") => Shape::Int,
        Some("number") => Shape::Double,
        Some("array") => {
            let item = schema.get("items");
            Shape::list(item.map_or(Shape::Dyn, |item| shape_at(item, depth + 1)))
        }
        Some("object") => object(schema, depth),
        _ => Shape::Dyn,
    }
}

fn object(schema: &Node, depth: usize) -> Shape {
    let properties = schema.get("properties").and_then(Node::as_map);
    match (properties, schema.get("additionalProperties")) {
        (Some(properties), _) if !properties.is_empty() => {
            let mut object = ObjectShape::default();
            for (key, property) in properties.iter() {
                object.declare(key, shape_at(property, depth + 1));
            }
            Shape::Object(object.into())
        }
        (_, Some(value @ Node::Map(_))) => Shape::map(shape_at(value, depth + 1)),
        _ => Shape::map(Shape::Dyn),
    }
}
