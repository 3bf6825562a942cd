//! JSON patches and merge patches.

use merge::json_patch::{self, JsonPatchError, OPERATIONS_MAX};
use merge::merge_patch;
use object::Node;

use crate::schemas::node;

#[test]
fn json_patches_apply_as_the_api_server_applies_them() {
    let table = [
        // live, patch, result (empty: refused)
        (
            r#"{"a": 1}"#,
            r#"[{"op": "replace", "path": "/b", "value": 2}]"#,
            r#"{"a": 1, "b": 2}"#,
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "add", "path": "/a/-", "value": 3}]"#,
            r#"{"a": [1, 2, 3]}"#,
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "add", "path": "/a/1", "value": 3}]"#,
            r#"{"a": [1, 3, 2]}"#,
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "add", "path": "/a/2", "value": 3}]"#,
            r#"{"a": [1, 2, 3]}"#,
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "add", "path": "/a/3", "value": 3}]"#,
            "",
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "replace", "path": "/a/-1", "value": 3}]"#,
            r#"{"a": [1, 3]}"#,
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "remove", "path": "/a/-3"}]"#,
            "",
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "remove", "path": "/a/+01"}]"#,
            r#"{"a": [1]}"#,
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"[{"op": "remove", "path": "/a/0"}]"#,
            r#"{"a": [2]}"#,
        ),
        (r#"{"a": 1}"#, r#"[{"op": "remove", "path": "/b"}]"#, ""),
        (
            r#"{"a": 1}"#,
            r#"[{"op": "test", "path": "/b", "value": null}]"#,
            r#"{"a": 1}"#,
        ),
        (
            r#"{"a": 1}"#,
            r#"[{"op": "test", "path": "/a", "value": 1.0}]"#,
            r#"{"a": 1}"#,
        ),
        (
            r#"{"a": 1}"#,
            r#"[{"op": "test", "path": "/a", "value": 2}, {"op": "remove", "path": "/a"}]"#,
            "",
        ),
        (
            r#"{"a": {"b": 1}}"#,
            r#"[{"op": "move", "from": "/a/b", "path": "/c"}]"#,
            r#"{"a": {}, "c": 1}"#,
        ),
        (
            r#"{"a": {"b": 1}}"#,
            r#"[{"op": "copy", "from": "/a", "path": "/c"}]"#,
            r#"{"a": {"b": 1}, "c": {"b": 1}}"#,
        ),
        (
            r#"{"x/y~z": 1}"#,
            r#"[{"op": "remove", "path": "/x~1y~0z"}]"#,
            "{}",
        ),
        (
            r#"{"a": 1}"#,
            r#"[{"op": "add", "path": "/a/b", "value": 1}]"#,
            "",
        ),
        (r#"{"a": 1}"#, r#"[{"op": "conjure", "path": "/a"}]"#, ""),
        (r#"{"a": 1}"#, r#"[{"op": "remove", "path": "a"}]"#, ""),
        (r#"{"a": 1}"#, r#"{"op": "remove"}"#, ""),
    ];
    for (live, patch, wanted) in table {
        let got = json_patch::apply(&node(live), &node(patch)).ok();
        let wanted = (!wanted.is_empty()).then(|| node(wanted));
        assert_eq!(got, wanted, "{patch} on {live}");
    }
}

#[test]
fn patches_that_cost_much_more_than_they_weigh_are_refused() {
    let doubling = r#"{"op": "copy", "from": "/a", "path": "/a/-"}"#;
    let patch = format!("[{}]", [doubling; 40].join(","));
    let refused = json_patch::apply(&node(r#"{"a": ["0123456789"]}"#), &node(&patch));
    assert_eq!(refused, Err(JsonPatchError::TooLarge));

    let keys = (0..60_000).map(|n| (format!("k{n}"), Node::Null));
    let large = Node::Map(keys.collect());
    let removals = (0..10_000).map(|n| node(&format!(r#"{{"op": "remove", "path": "/k{n}"}}"#)));
    let refused = json_patch::apply(&large, &Node::list(removals));
    assert_eq!(refused, Err(JsonPatchError::TooMuchWork));

    let long = vec![node(r#"{"op": "test", "path": "", "value": 1}"#); OPERATIONS_MAX + 1];
    let refused = json_patch::apply(&Node::Null, &Node::from(long));
    assert_eq!(
        refused.unwrap_err().to_string(),
        "The allowed maximum operations in a JSON patch is 10000, got 10001"
    );
}

#[test]
fn merge_patches_delete_by_null_and_replace_lists() {
    let table = [
        (
            r#"{"a": {"b": 1, "c": 2}}"#,
            r#"{"a": {"b": null}, "d": [1]}"#,
            r#"{"a": {"c": 2}, "d": [1]}"#,
        ),
        (
            r#"{"a": [1, 2]}"#,
            r#"{"a": [{"b": null, "c": 1}]}"#,
            r#"{"a": [{"c": 1}]}"#,
        ),
        (
            r#"{"a": 1}"#,
            r#"{"a": {"b": null, "c": {"d": null}}}"#,
            r#"{"a": {"c": {}}}"#,
        ),
        (
            r#"{"a": {}}"#,
            r#"{"a": [{"b": null}]}"#,
            r#"{"a": [{"b": null}]}"#,
        ),
        (r#"{"a": null}"#, r#"{"a": {"b": 1}}"#, r#"{"a": {"b": 1}}"#),
    ];
    for (live, patch, wanted) in table {
        let got = merge_patch::apply(&node(live), &node(patch)).unwrap();
        assert_eq!(got, node(wanted), "{patch} on {live}");
    }
    let refused = |patch| {
        merge_patch::apply(&Node::map(), &node(patch))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        refused("[]"),
        "json: cannot unmarshal array into Go value of type map[string]interface {}"
    );
    assert_eq!(refused("null"), "Invalid JSON Patch");
}
