//! Strategic merge patches over a small kind.

use merge::strategic::{self, StrategicField, StrategicSchema, StrategicType};
use object::json;

use crate::schemas::node;

/// A pod-like kind: `items` merge by `name`, each with nested `env` by `name` and a `source` that
/// retains keys; `marks` is a set of words, `words` is replaced, `labels` is a map.
struct Kind;

const ROOT: StrategicType = StrategicType(0);
const ITEM: StrategicType = StrategicType(1);
const LEAF: StrategicType = StrategicType(2);

impl StrategicSchema for Kind {
    fn root(&self) -> StrategicType {
        ROOT
    }

    fn name(&self, of: StrategicType) -> &str {
        match of {
            ROOT => "PodSpec",
            ITEM => "Container",
            _ => "Leaf",
        }
    }

    fn field(&self, of: StrategicType, name: &str) -> Option<StrategicField<'_>> {
        let merged = |value| StrategicField {
            value: Some(value),
            merge: true,
            merge_key: Some("name"),
            ..StrategicField::default()
        };
        Some(match (of, name) {
            (ROOT, "items") => merged(ITEM),
            (ITEM, "env") => merged(LEAF),
            (ROOT, "marks") => StrategicField {
                merge: true,
                ..StrategicField::default()
            },
            (ROOT, "words" | "labels") => StrategicField::default(),
            (ROOT | ITEM, "source") => StrategicField {
                value: Some(LEAF),
                retain_keys: true,
                ..StrategicField::default()
            },
            _ => return None,
        })
    }
}

fn patch(live: &str, patch: &str) -> String {
    match strategic::apply(&node(live), &node(patch), &Kind) {
        Ok(node) => json::to_string(&node),
        Err(error) => format!("{error}"),
    }
}

#[test]
fn patches_follow_the_merge_metadata_of_the_kind() {
    let table = [
        (
            "maps merge and null deletes",
            r#"{"labels":{"a":"1","b":"2"},"n":1}"#,
            r#"{"labels":{"b":null,"c":"3"},"n":null,"gone":null}"#,
            r#"{"labels":{"a":"1","c":"3"}}"#,
        ),
        (
            "items merge by key and come in the order of the patch",
            r#"{"items":[{"name":"a","image":"1"},{"name":"b"}]}"#,
            r#"{"items":[{"name":"c"},{"name":"a","image":"2"}]}"#,
            r#"{"items":[{"name":"c"},{"name":"a","image":"2"},{"name":"b"}]}"#,
        ),
        (
            "an item is deleted by its key",
            r#"{"items":[{"name":"a"},{"name":"b"}]}"#,
            r#"{"items":[{"name":"a","$patch":"delete"}]}"#,
            r#"{"items":[{"name":"b"}]}"#,
        ),
        (
            "a list is replaced when an item says so",
            r#"{"items":[{"name":"a"},{"name":"b"}]}"#,
            r#"{"items":[{"$patch":"replace"},{"name":"c"}]}"#,
            r#"{"items":[{"name":"c"}]}"#,
        ),
        (
            "a map is replaced or emptied",
            r#"{"labels":{"a":"1"},"source":{"x":1}}"#,
            r#"{"labels":{"$patch":"replace","b":"2"},"source":{"$patch":"delete"}}"#,
            r#"{"labels":{"b":"2"},"source":{}}"#,
        ),
        (
            "the order of a list is as asked, others stay near their neighbours",
            r#"{"items":[{"name":"x"},{"name":"a"},{"name":"y"},{"name":"b"}]}"#,
            r#"{"$setElementOrder/items":[{"name":"b"},{"name":"a"}],"items":[{"name":"a","image":"2"}]}"#,
            r#"{"items":[{"name":"x"},{"name":"y"},{"name":"b"},{"name":"a","image":"2"}]}"#,
        ),
        (
            "the order may come without changes",
            r#"{"marks":["a","b"]}"#,
            r#"{"$setElementOrder/marks":["b","a"]}"#,
            r#"{"marks":["b","a"]}"#,
        ),
        (
            "words of a set are added once and taken out by name",
            r#"{"marks":["a","b"]}"#,
            r#"{"marks":["c","a"],"$deleteFromPrimitiveList/marks":["b"]}"#,
            r#"{"marks":["c","a"]}"#,
        ),
        (
            "other lists are replaced",
            r#"{"words":["a","b"]}"#,
            r#"{"words":["c"]}"#,
            r#"{"words":["c"]}"#,
        ),
        (
            "only retained keys stay",
            r#"{"source":{"old":1,"kept":2}}"#,
            r#"{"source":{"$retainKeys":["kept","new"],"new":3}}"#,
            r#"{"source":{"kept":2,"new":3}}"#,
        ),
        (
            "directives and nulls are never stored",
            r#"{}"#,
            r#"{"items":[{"name":"a","env":[{"name":"E","$patch":"delete"}],"source":{"$retainKeys":["x"],"x":null}}]}"#,
            r#"{"items":[{"name":"a","env":[],"source":{}}]}"#,
        ),
    ];
    for (what, live, change, wanted) in table {
        assert_eq!(patch(live, change), wanted, "{what}");
    }
}

#[test]
fn wrong_patches_are_refused_in_the_servers_words() {
    let table = [
        (
            r#"{"items":[{"name":"a"}]}"#,
            r#"{"items":[{"image":"2"}]}"#,
            "map: map[image:2] does not contain declared merge key: name",
        ),
        (
            r#"{"labels":{}}"#,
            r#"{"labels":{"$patch":"conjure"}}"#,
            "unknown patch type: conjure in map: map[$patch:conjure]",
        ),
        (
            r#"{"other":{}}"#,
            r#"{"other":{"a":1}}"#,
            r#"unable to find api field in struct PodSpec for the json field "other""#,
        ),
        (
            r#"{"source":{"x":1}}"#,
            r#"{"source":{"$retainKeys":["y"],"x":2}}"#,
            "invalid patch format of retainKeys",
        ),
        (
            r#"{"marks":["a"]}"#,
            r#"{"$deleteFromPrimitiveList":["a"]}"#,
            "invalid patch format of primitive list",
        ),
        (
            r#"{"items":[{"name":"a"}]}"#,
            r#"{"$setElementOrder/items":[{"name":"b"}],"items":[{"name":"a"}]}"#,
            "The order in patch list:\n[map[name:a]]\n doesn't match $setElementOrder list:\n[map[name:b]]\n",
        ),
        (
            r#"{"marks":["a"]}"#,
            r#"{"marks":[["b"]]}"#,
            "list element types are not identical: [[a] [[b]]]",
        ),
        (
            r#"{}"#,
            r#"[1]"#,
            "json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ];
    for (live, change, wanted) in table {
        assert_eq!(patch(live, change), wanted, "{change}");
    }
}
