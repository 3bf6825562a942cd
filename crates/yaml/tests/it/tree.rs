//! Trees and values: reading, changing, writing, finding places.

use object::FieldPath;
use yaml::{
    Document, EmitOptions, Kind, Limits, Node, ResolveOptions, Rules, Style, emit, from_value,
    load, locate, parse, to_string, to_value,
};

fn root(text: &str) -> Node {
    let documents = parse(text, &Limits::default()).expect("it is valid");
    documents.into_iter().next().expect("it has a document")
}

const DEPLOYMENT: &str = "\
# the front
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web # unique
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: app
        image: \"nginx:1\"
        args: [a, 'b']
";

#[test]
fn a_tree_is_changed_and_written_with_comments_and_styles() {
    let mut node = root(DEPLOYMENT);
    node.at_mut(&["spec"])
        .expect("it has a spec")
        .set("replicas", Node::int(5));
    node.entry("metadata").set(
        "labels",
        Node::mapping([(Node::string("on"), Node::string("true"))]),
    );
    let containers = node
        .at_mut(&["spec", "template", "spec", "containers"])
        .and_then(Node::items_mut)
        .expect("it has containers");
    let image = containers[0].get_mut("image").expect("it has an image");
    assert!(image.style.has(Style::DOUBLE_QUOTED));
    image.value = "nginx:2".into();
    containers[0].remove("args");
    containers.push(Node::mapping([(
        Node::string("name"),
        Node::string("multi\nline"),
    )]));
    expect_test::expect![[r#"
        # the front
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web # unique
          labels:
            on: "true"
        spec:
          replicas: 5
          template:
            spec:
              containers:
              - name: app
                image: "nginx:2"
              - name: |-
                  multi
                  line
    "#]]
    .assert_eq(&emit(&[node], &EmitOptions::default()));
}

#[test]
fn tags_tell_what_a_scalar_is() {
    let node = root(
        "{a: 1, b: yes, c: ~, d: 1.5, e: 'x', f: true, g: 2001-01-01, h: !x y, i: [], j: {}, k: 0o7}",
    );
    let tags: Vec<&str> = node
        .pairs()
        .map(|(_, value)| value.resolved_tag())
        .collect();
    assert_eq!(
        tags,
        [
            "!!int",
            "!!str",
            "!!null",
            "!!float",
            "!!str",
            "!!bool",
            "!!timestamp",
            "!x",
            "!!seq",
            "!!map",
            "!!int"
        ]
    );
    assert!(node.get("c").is_some_and(Node::is_null));
    assert_eq!(node.str_at(&["c"]), None);
    assert_eq!(node.str_at(&["b"]), Some("yes"));
    assert_eq!(node.get("a").and_then(Node::as_string), None);
    assert_eq!(node.get("i").map(|items| items.kind), Some(Kind::Sequence));
}

#[test]
fn values_survive_the_way_through_trees_and_text() {
    let value = object::json::parse(
        br#"{"z":1,"a":"yes","n":null,"f":1.5,"l":[{"k":"v"},[],{}],"t":"a\nb\n","on":"1"}"#,
        object::json::OBJECT_LIMITS,
    )
    .expect("it is JSON");
    let tree = from_value(&value);
    for rules in [Rules::V2, Rules::V3] {
        let options = ResolveOptions {
            rules,
            ..ResolveOptions::default()
        };
        assert_eq!(to_value(&tree, &options).as_ref(), Ok(&value));
    }
    for text in [to_string(&value), emit(&[tree], &EmitOptions::default())] {
        let documents = load(&text, &Limits::default()).expect("what we write we read");
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].node, value, "{text}");
    }
}

#[test]
fn documents_know_their_line_and_place() {
    let documents = load(
        "# c\n---\n\na: 1\n---\n# nothing\n---\n- b\n...\n# end\n",
        &Limits::default(),
    );
    let places: Vec<(u32, u32)> = documents
        .expect("it is valid")
        .iter()
        .map(|Document { line, index, .. }| (*line, *index))
        .collect();
    assert_eq!(places, [(4, 0), (8, 2)]);
}

#[test]
fn fields_are_found_in_the_text() {
    let node = root(DEPLOYMENT);
    let at = |path: FieldPath| locate(&node, &path);
    let container = FieldPath::keys(["spec", "template", "spec", "containers"]).index(0);
    assert_eq!(at(FieldPath::root()), Some((2, 1)));
    assert_eq!(at(FieldPath::keys(["spec", "replicas"])), Some((7, 13)));
    assert_eq!(at(FieldPath::keys(["spec", "template"])), Some((8, 3)));
    assert_eq!(at(container.key("image")), Some((12, 16)));
    assert_eq!(at(container.clone()), Some((11, 9)));
    // What is missing is found at what would hold it.
    assert_eq!(
        at(FieldPath::keys(["spec", "strategy", "type"])),
        Some((6, 1))
    );
    assert_eq!(at(FieldPath::keys(["status"])), None);
}

#[test]
fn indentation_is_a_choice() {
    let node = root("a:\n- b:\n  - c\n");
    let wide = EmitOptions {
        indent: 4,
        compact_sequences: false,
    };
    assert_eq!(
        emit(std::slice::from_ref(&node), &wide),
        "a:\n    - b:\n        - c\n"
    );
    assert_eq!(
        emit(&[node.clone(), node], &EmitOptions::default()),
        "a:\n- b:\n  - c\n---\na:\n- b:\n  - c\n"
    );
}
