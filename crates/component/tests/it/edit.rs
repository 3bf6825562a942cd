//! Changing one value of a file that a person wrote.

use component::edit::{EditError, replace_document, set};
use expect_test::{Expect, expect};
use object::{Node, Text};

use crate::support::node;

fn keys(path: &str) -> Vec<Text> {
    path.split('.').map(Text::from).collect()
}

/// Compares the lines that differ: `-` for old ones, `+` for new ones.
fn check(text: &str, path: &str, value: Node, expected: Expect) {
    let new = set(text, 0, &keys(path), &value).expect("the value can be set");
    let mut out = String::new();
    let (old_lines, new_lines): (Vec<&str>, Vec<&str>) =
        (text.lines().collect(), new.lines().collect());
    for line in old_lines.iter().filter(|line| !new_lines.contains(line)) {
        out.push_str(&format!("-{line}\n"));
    }
    for line in new_lines.iter().filter(|line| !old_lines.contains(line)) {
        out.push_str(&format!("+{line}\n"));
    }
    expected.assert_eq(&out);
}

const BINDING: &str = r#"# Who runs what.
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {name: web-dev}   # flow style stays
spec:
    owner:
        projectName: shop
        componentName: "web"
    # chosen by hand
    releaseName: web-20260101-1  # the first
    note: 'it''s quoted'
    componentTypeEnvOverrides:
        replicas: 2

        text: |
            several
            lines
"#;

#[test]
fn only_the_value_changes() {
    check(
        BINDING,
        "spec.releaseName",
        "web-20260101-2".into(),
        expect![[r#"
            -    releaseName: web-20260101-1  # the first
            +    releaseName: web-20260101-2  # the first
        "#]],
    );
    check(
        BINDING,
        "spec.owner.componentName",
        "1.0".into(),
        expect![[r#"
            -        componentName: "web"
            +        componentName: "1.0"
        "#]],
    );
    check(
        BINDING,
        "spec.note",
        "a: b".into(),
        expect![[r#"
            -    note: 'it''s quoted'
            +    note: 'a: b'
        "#]],
    );
    check(
        BINDING,
        "metadata.name",
        "a, b".into(),
        expect![[r#"
            -metadata: {name: web-dev}   # flow style stays
            +metadata: {name: "a, b"}   # flow style stays
        "#]],
    );
}

#[test]
fn new_keys_are_new_lines_in_the_map_they_belong_to() {
    check(
        BINDING,
        "spec.owner.team",
        "blue".into(),
        expect![[r#"
            +        team: blue
        "#]],
    );
    // Behind a block of text nothing fits; before it does.
    let new = set(
        BINDING,
        0,
        &keys("spec.componentTypeEnvOverrides.resources.limits.cpu"),
        &Node::Int(2),
    )
    .expect("the value can be set");
    let from = new.find("componentTypeEnvOverrides").expect("it is there");
    expect![[r#"
        componentTypeEnvOverrides:
                replicas: 2

                resources:
                  limits:
                    cpu: 2
                text: |
                    several
                    lines
    "#]]
    .assert_eq(&new[from..]);
    check(
        "a: 1",
        "b.c",
        true.into(),
        expect![[r#"
            +b:
            +  c: true
        "#]],
    );
}

#[test]
fn what_cannot_be_changed_in_place_is_written_anew_with_its_comments() {
    check(
        "# head\na: {b: 1} # side\nc: |\n  text\n",
        "a.d",
        "x".into(),
        expect![[r#"
            -a: {b: 1} # side
            +a: {b: 1, d: x} # side
        "#]],
    );
    check(
        "a:\nb: 1 # one\n",
        "a.c",
        "x".into(),
        expect![[r#"
            +  c: x
        "#]],
    );
}

#[test]
fn other_documents_and_line_ends_stay() {
    let text = "a: 1\r\nb: x # y\r\n---\r\n# two\r\na: 1\r\n";
    let new = set(text, 1, &keys("a"), &Node::Int(2)).expect("the value can be set");
    assert_eq!(new, "a: 1\r\nb: x # y\r\n---\r\n# two\r\na: 2\r\n");
    assert_eq!(
        set(text, 0, &keys("b"), &"x".into()).as_deref(),
        Ok(text),
        "nothing to change"
    );
    let replaced = replace_document("# one\na: 1\n---\nb: 2\n", 1, &node("{c: 3}"));
    assert_eq!(replaced.as_deref(), Ok("# one\na: 1\n---\nc: 3\n"));
}

#[test]
fn what_has_no_right_answer_is_refused() {
    let path = keys("a.b");
    let cases = [
        ("a: 1\n", 0, "`a.b` leads through a value that is no map"),
        ("a: [1]\n", 0, "`a.b` leads through a value that is no map"),
        ("a: {}\n", 3, "the file has no document number 3"),
        ("a: {\n", 0, "cannot read the file as YAML"),
    ];
    for (text, document, wanted) in cases {
        let error = set(text, document, &path, &Node::Int(1)).expect_err(text);
        assert_eq!(error.to_string(), wanted, "{text}");
    }
    // The anchor is used elsewhere: changing it there would change both.
    let text = "base: &base {b: 1}\na: *base\n";
    let error = set(text, 0, &path, &Node::Int(2));
    match error {
        Ok(new) => assert_eq!(
            yaml::load(&new, &yaml::Limits::default()).expect("it is YAML")[0].node,
            node("{base: {b: 1}, a: {b: 2}}")
        ),
        Err(error) => assert_eq!(error, EditError::NotExact("a.b".to_owned())),
    }
}
