//! One line per behaviour: what a text in a template gives, or why it gives nothing.

use std::sync::Arc;

use component::template::{Context, Engine, Meter, Repeat, TemplateError, TemplateErrorKind};
use expr::{MapValue, Methods, ObjectShape, Shape, Value};
use object::Node;

const INPUTS: &str = r#"{
    "metadata": {"name": "web-dev-40b11ae7", "labels": {"app": "web"}, "componentName": "web"},
    "parameters": {
        "replicas": 3, "big": 1000000, "exact": 9007199254740993, "ratio": 0.25, "small": 0.00001,
        "whole": 2.0, "on": true, "nothing": null, "text": "a<b>&c", "empty": "", "list": ["x", "y"],
        "map": {"b": "2", "a": "<1>"}, "nested": {"deep": [{"k": 1.0}]}
    },
    "workload": {"containers": {"app": {"image": "nginx"}, "side": {"image": "envoy"}}}
}"#;

fn json(text: &str) -> Node {
    object::json::parse(text.as_bytes(), object::json::OBJECT_LIMITS)
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn context() -> Context {
    Context::of(json(INPUTS).as_map().expect("inputs are a map"))
}

fn outcome(rendered: Result<Option<Node>, Vec<TemplateError>>) -> String {
    match rendered {
        Ok(Some(node)) => object::json::to_string(&node),
        Ok(None) => "nothing".into(),
        Err(errors) => {
            let texts: Vec<String> = errors.iter().map(TemplateError::to_string).collect();
            format!("error: {}", texts.join(" | "))
        }
    }
}

fn render(template: &Node) -> String {
    let template = Engine::default().template(template);
    outcome(template.render(&context(), &mut Meter::default()))
}

/// Checks lines of `text => outcome`; the text is a template of its own.
fn check(table: &str) {
    let mut wrong = String::new();
    for line in table.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, expected) = line
            .rsplit_once(" => ")
            .expect("a line is `text => outcome`");
        let found = render(&Node::from(text.trim_end()));
        if found != expected {
            wrong.push_str(&format!(
                "{text}\n  expected {expected}\n  found    {found}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The same for whole templates in JSON.
fn check_whole(table: &[(&str, &str)]) {
    for (template, expected) in table {
        assert_eq!(render(&json(template)), *expected, "{template}");
    }
}

#[test]
fn a_text_that_is_one_expression_keeps_its_type() {
    check(
        r#"
        ${parameters.replicas} => 3
        ${parameters.on} => true
        ${parameters.nothing} => null
        ${parameters.list} => ["x","y"]
        ${parameters.map} => {"b":"2","a":"<1>"}
        ${parameters.whole} => 2.0
        ${parameters.whole * 1} => 2
        ${3u} => 3
        ${b'hi'} => "aGk="
        ${optional.of(parameters.on)} => true
        ${parameters.?nope} => null
        ${"3"} => "3"
        ${duration("90s")} => 90000000000
        ${type(1)} => "int"
        "#
        .replace("2.0\n", "2\n")
        .as_str(),
    );
    // Space around it does not count, so block scalars work.
    assert_eq!(render(&Node::from("\n  ${parameters.replicas}\n")), "3");
}

#[test]
fn inside_text_values_are_text() {
    check(
        r#"
        x${parameters.replicas}y => "x3y"
        x${parameters.big}/${parameters.exact} => "x1000000/9007199254740993"
        x${parameters.ratio}/${parameters.small}/${parameters.whole} => "x0.25/1e-05/2"
        x${parameters.big * 1.0}/${string(2.0 * parameters.big)} => "x1000000/2000000"
        x${parameters.on} => "xtrue"
        x${parameters.nothing} => "xnull"
        x${parameters.text} => "xa<b>&c"
        x${parameters.list} => "x[\"x\",\"y\"]"
        x${parameters.map} => "x{\"a\":\"\\u003c1\\u003e\",\"b\":\"2\"}"
        x${parameters.nested} => "x{\"deep\":[{\"k\":1}]}"
        x${optional.of("y")} => "xy"
        x${b'hi'} => "x\"aGk=\""
        ${parameters.replicas}${parameters.replicas} => "33"
        x${[1, oc_omit(), 2]} => "x[1,2]"
        x${oc_omit()} => error: `oc_omit()` cannot stand inside text (in `${oc_omit()}`)
        "#,
    );
}

#[test]
fn markers_are_balanced_outside_of_quotes() {
    check(
        r#"
        plain $ {x} $x { } => "plain $ {x} $x { }"
        ${"{"} => "{"
        ${'}'}x => "}x"
        ${"it's"} => "it's"
        ${'a\'}'} => "a'}"
        $${metadata.componentName} => "$web"
        ${metadata.name} and ${open => "web-dev-40b11ae7 and ${open"
        ${{"a": {"b": 1}}.a.b} => 1
        ${"${x}"} => "${x}"
        ${a ${b}} => error: `${` inside an expression must be in quotes (in `${a ${b}}`)
        "#,
    );
    // What an expression gives is never looked at again.
    let template = Engine::default().text("${v}${v}");
    let context = Context::default().with("v", "${v}");
    let rendered = template.render_text(&context, &mut Meter::default());
    assert_eq!(rendered.as_deref(), Ok("${v}${v}"));
}

#[test]
fn numbers_are_one_kind_of_number() {
    check(
        r#"
        ${parameters.replicas - 1} => 2
        ${parameters.replicas * 1.5} => 4.5
        ${parameters.replicas + parameters.whole} => 5
        ${parameters.replicas / 2} => 1
        ${parameters.replicas % 2} => 1
        ${parameters.replicas == 3.0 && parameters.replicas < 3.5} => true
        ${math.ceil(parameters.replicas)} => 3
        ${math.floor(parameters.replicas * 0.5)} => 1
        ${math.greatest(parameters.replicas, 2.5)} => 3
        ${string(parameters.big)} => "1000000"
        ${"%s-%d".format([parameters.big * 2.0, parameters.replicas])} => "2000000-3"
        ${parameters.exact + 0} => 9007199254740993
        ${9223372036854775807 + 1} => error: integer overflow (in `${9223372036854775807 + 1}`, character 21)
        "#,
    );
}

#[test]
fn differences_from_upstream_are_these() {
    for (text, upstream, ours) in [
        ("${parameters.replicas + 1}", "error: no such overload", "4"),
        ("${parameters.replicas % 2}", "error: no such overload", "1"),
        ("${parameters.replicas / 2}", "error: no such overload", "1"),
        (
            "${parameters.big / parameters.replicas}",
            "333333.3333333333",
            "333333",
        ),
        ("${type(parameters.replicas) == int}", "false", "true"),
        (
            "${parameters.exact}",
            "9007199254740992",
            "9007199254740993",
        ),
        ("x${parameters.big}", "\"x1e+06\"", "\"x1000000\""),
        ("${string(parameters.big)}", "\"1e+06\"", "\"1000000\""),
        (
            "x${oc_omit()}y",
            "\"x{}y\"",
            "error: `oc_omit()` cannot stand inside text (in `${oc_omit()}`)",
        ),
        (
            "${[3, 1.5].sort()}",
            "error: elements of different types",
            "[1.5,3]",
        ),
        ("${1 + 1.5}", "error: no matching overload", "2.5"),
        ("${math.ceil(5)}", "error: no matching overload", "5"),
    ] {
        assert_ne!(upstream, ours, "{text}");
        assert_eq!(render(&Node::from(text)), ours, "{text}");
    }
}

#[test]
fn omitted_values_take_their_key_or_item_with_them() {
    check_whole(&[
        (r#"{"a": 1, "b": "${oc_omit()}"}"#, r#"{"a":1}"#),
        (r#"["a", "${oc_omit()}", "b"]"#, r#"["a","b"]"#),
        (r#"{"a": {"b": "${oc_omit()}"}}"#, r#"{"a":{}}"#),
        (
            r#"{"a": "${{'x': [1, oc_omit()], 'y': oc_omit()}}"}"#,
            r#"{"a":{"x":[1]}}"#,
        ),
        (
            r#"{"a": "${oc_merge({'x': oc_omit(), 'y': 1}, {'y': oc_omit(), 'z': 2})}"}"#,
            r#"{"a":{"x":{},"y":{},"z":2}}"#,
        ),
        (r#""${oc_omit()}""#, "nothing"),
        (r#""${optional.of(oc_omit())}""#, "nothing"),
        (
            r#"{"${oc_omit()}": 1}"#,
            "error: ${oc_omit()}: `oc_omit()` cannot stand inside text (in `${oc_omit()}`)",
        ),
    ]);
}

#[test]
fn keys_are_rendered_and_must_be_text() {
    check_whole(&[
        (
            r#"{"${metadata.componentName}-x": 1, "k": 2}"#,
            r#"{"web-x":1,"k":2}"#,
        ),
        (
            r#"{"${metadata.componentName}": {"${'a' + 'b'}": 1}}"#,
            r#"{"web":{"ab":1}}"#,
        ),
        (
            r#"{"${parameters.replicas}": 1}"#,
            "error: [${parameters.replicas}]: a map key must be text, not int (in `${parameters.replicas}`)",
        ),
        (
            r#"{"web": 1, "${metadata.componentName}": 2}"#,
            "error: [${metadata.componentName}]: another key of this map renders to the same text",
        ),
    ]);
}

#[test]
fn every_error_is_reported_with_its_place() {
    check_whole(&[(
        r#"{"a": "${nope.x}", "b": [1, "${workload.containers['main'].image}"],
            "c": "x-${1 +}-${metadata.name.size() / 0}"}"#,
        "error: a: there is no variable `nope`; there are `metadata`, `parameters`, `workload` (in `${nope.x}`) \
         | b[1]: no such key: `main` in `workload.containers`, which has `app`, `side` \
         (in `${workload.containers['main'].image}`, character 20) \
         | c: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', \
         NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER} (in `${1 +}`, character 4) \
         | c: division by zero (in `${metadata.name.size() / 0}`, character 22)",
    )]);
    check(
        r#"
        ${} => error: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER} (in `${}`, character 1)
        ${nope(1)} => error: undeclared reference to 'nope' (in container '') (in `${nope(1)}`, character 5)
        ${parameters.list.nope()} => error: undeclared reference to 'nope' (in container '') (in `${parameters.list.nope()}`, character 21)
        ${quantity("1Gi")} => error: undeclared reference to 'quantity' (in container '') (in `${quantity("1Gi")}`, character 9)
        ${parameters.text + 1} => error: no such overload: an operator or function does not take these values (in `${parameters.text + 1}`, character 17)
        ${0.0 / 0.0} => error: NaN is no JSON number (in `${0.0 / 0.0}`)
        "#,
    );
}

#[test]
fn errors_tell_the_values_the_expression_looked_at() {
    let template =
        Engine::default().text("${parameters.list[9] + parameters.text + metadata.labels.app}");
    let errors = template
        .render(&context(), &mut Meter::default())
        .unwrap_err();
    let used: Vec<String> = errors[0]
        .used
        .iter()
        .map(|used| {
            format!(
                "{}={}",
                used.place,
                used.value.as_deref().unwrap_or("secret")
            )
        })
        .collect();
    assert_eq!(
        used,
        [
            r#"metadata.labels.app="web""#,
            r#"parameters.text="a<b>&c""#
        ]
    );
}

#[test]
fn functions_of_the_component_model() {
    check(
        r#"
        ${oc_generate_name("a", "b")} => "a-b-d44362d6"
        ${oc_generate_name(["x", "y", "z"])} => "x-y-z-9d47b654"
        ${oc_generate_name(["x", 1, "y", "z"])} => "x-y-z-9d47b654"
        ${oc_generate_name("", "x")} => "x-a4209624"
        ${oc_dns_label("very-long-endpoint-name", "very-long-component-name", "very-long-env-name")} => "very-long-endpoint-very-long-compone-very-long-env-nam-23ab5d45"
        ${oc_generate_name(1)} => error: oc_generate_name takes texts or a list of them, not a value of type int (in `${oc_generate_name(1)}`, character 17)
        ${oc_hash("hello world")} => "d58b3fa7"
        ${oc_hash(1)} => error: oc_hash takes one text (in `${oc_hash(1)}`, character 8)
        ${oc_merge({"a": 1, "b": 1}, {"b": 2}, parameters.map)} => {"a":1,"b":"2"}
        ${oc_merge({"a": 1}, "x")} => error: oc_merge takes maps, not a value of type string (in `${oc_merge({"a": 1}, "x")}`, character 9)
        ${oc_merge({"a": 1})} => error: oc_merge requires at least 2 arguments (in `${oc_merge({"a": 1})}`, character 9)
        "#
        .replace(r#"{"a":1,"b":"2"}"#, r#"{"a":"<1>","b":"2"}"#)
        .as_str(),
    );
}

#[test]
fn conditions_and_paths_must_give_what_they_are_for() {
    let engine = Engine::default();
    let condition = |text: &str| {
        let rendered = engine
            .text(text)
            .render_bool(&context(), &mut Meter::default());
        outcome(rendered.map(|value| Some(Node::Bool(value))))
    };
    assert_eq!(condition("${parameters.replicas > 1}\n"), "true");
    assert_eq!(
        condition("${parameters.replicas}"),
        "error: must give a boolean, not int (in `${parameters.replicas}`)"
    );
    assert_eq!(
        condition("${oc_omit()}"),
        "error: must give a boolean, not nothing (in `${oc_omit()}`)"
    );
    assert_eq!(
        condition("a ${true}"),
        "error: must give a boolean, not string"
    );
    let path = engine.text("/spec/${metadata.componentName}");
    let rendered = path.render_text(&context(), &mut Meter::default());
    assert_eq!(rendered.as_deref(), Ok("/spec/web"));
}

#[test]
fn repetition_binds_items_and_entries_in_order() {
    let engine = Engine::default();
    let template = engine.text("${metadata.componentName}:${it}");
    let over = |source: &str| {
        let mut meter = Meter::default();
        let contexts = Repeat::new(&engine, source, "it").contexts(&context(), &mut meter);
        let rendered = contexts.and_then(|contexts| {
            let each = contexts
                .iter()
                .map(|context| template.render_text(context, &mut meter));
            each.collect::<Result<Vec<_>, _>>()
        });
        outcome(rendered.map(|texts| Some(Node::list(texts.into_iter().map(Node::from)))))
    };
    assert_eq!(over("${parameters.list}"), r#"["web:x","web:y"]"#);
    assert_eq!(
        over("${parameters.map.transformMap(k, v, v.size())}"),
        r#"["web:{\"key\":\"a\",\"value\":3}","web:{\"key\":\"b\",\"value\":1}"]"#
    );
    assert_eq!(over("${[1, oc_omit()]}"), r#"["web:1"]"#);
    assert_eq!(over("${[]}"), "[]");
    assert_eq!(
        over("${parameters.text}"),
        "error: must give a list or a map, not string (in `${parameters.text}`)"
    );
}

#[derive(Debug)]
struct Configurations;

impl Methods for Configurations {
    fn call(&self, name: &str, arguments: &[Value]) -> Option<Result<Value, String>> {
        match (name, arguments) {
            ("toVolumes", []) => Some(Ok(Value::list(vec![Value::map([(
                "name",
                Value::from("v"),
            )])]))),
            ("toEnvs", [container]) => Some(match container.as_str() {
                Some("app") => Ok(Value::list(Vec::new())),
                other => Err(format!("container {other:?} not found")),
            }),
            _ => None,
        }
    }
}

#[test]
fn maps_of_the_context_may_have_methods() {
    let engine = Engine::new(["toVolumes", "toEnvs"]);
    let data = json(r#"{"app": {"configs": {"envs": [1]}}}"#);
    let map = data.as_map().expect("is a map").clone();
    let value = Value::Map(MapValue::with_methods(map, Arc::new(Configurations)));
    let context = Context::default().with("configurations", value);
    for (text, expected) in [
        ("${configurations.toVolumes()}", r#"[{"name":"v"}]"#),
        ("${configurations.toVolumes().map(v, v.name)}", r#"["v"]"#),
        ("${configurations.toEnvs('app')}", "[]"),
        (
            "${configurations.toEnvs('main')}",
            "error: container Some(\"main\") not found (in `${configurations.toEnvs('main')}`, character 22)",
        ),
        ("${configurations.app.configs.envs}", "[1]"),
        ("${configurations['app'].configs.envs[0]}", "1"),
        (
            "${has(configurations.app) && !has(configurations.side)}",
            "true",
        ),
        ("${configurations.map(c, c)}", r#"["app"]"#),
        ("${configurations}", r#"{"app":{"configs":{"envs":[1]}}}"#),
        (
            "${configurations.app.toVolumes()}",
            "error: toVolumes is no method of a value of type map, or not for these arguments \
             (in `${configurations.app.toVolumes()}`, character 29)",
        ),
        (
            "${configurations.toNothing()}",
            "error: undeclared reference to 'toNothing' (in container '') \
             (in `${configurations.toNothing()}`, character 25)",
        ),
    ] {
        let rendered = engine.text(text).render(&context, &mut Meter::default());
        assert_eq!(outcome(rendered), expected, "{text}");
    }
}

#[test]
fn secrets_are_in_no_message() {
    let secret = "hunter2-hunter2";
    let inputs = json(&format!(
        r#"{{"parameters": {{"user": "bob", "copy": "x {secret}", "db": {{"password": "{secret}", "pin": 123456}}}}}}"#
    ));
    let context = Context::default()
        .with("parameters", inputs.get("parameters").expect("is there"))
        .conceal("parameters", ["db"]);
    let engine = Engine::default();
    for text in [
        "${int(parameters.db.password)}",
        "${int(parameters.copy)}",
        "${{}[parameters.db.password]}",
        "${{}[parameters.copy]}",
        "${parameters.map(k, int(parameters[k].password))}",
        "${parameters.db.map(k, int(parameters.db[k]))}",
        "${[parameters].map(x, int(x.db.password))}",
        "${[parameters.db].map(d, int(d.password))}",
        "${timestamp(parameters.db.password)}",
        "${parameters.db.password.charAt(99)}",
        "${[1, 2].transformMapEntry(i, v, {parameters.db.password: v})}",
        "${[1, 2].transformMapEntry(i, v, {parameters.copy: v})}",
        "${lists.range(parameters.db.pin)[123457]}",
        "${parameters.user + parameters.db.pin}",
        "${parameters.nope + parameters.db.password}",
    ] {
        let errors = engine
            .text(text)
            .render(&context, &mut Meter::default())
            .expect_err(text);
        let shown = format!("{errors:?} {}", errors[0]);
        assert!(
            !shown.contains("hunter2") && !shown.contains("123456"),
            "{text}\n{shown}"
        );
    }
    // Items of something secret are secret, whatever they are called.
    let contexts =
        Repeat::new(&engine, "${parameters.db}", "it").contexts(&context, &mut Meter::default());
    for context in contexts.expect("is a map") {
        let errors = engine
            .text("${int(it.value) / 0 + timestamp(it.value)}")
            .render(&context, &mut Meter::default())
            .unwrap_err();
        let shown = format!("{errors:?} {}", errors[0]);
        assert!(
            !shown.contains("hunter2") && !shown.contains("123456"),
            "{shown}"
        );
    }
    // With too many of them nothing is shown.
    let many = Node::list((0..2_000).map(|at| Node::from(format!("secret-{at}"))));
    let context = context.with("many", &many).conceal("many", [] as [&str; 0]);
    assert_eq!(context.masked("harmless".into()), "***");
    let context =
        Context::default().with("parameters", inputs.get("parameters").expect("is there"));
    // The reason stays where nothing secret is read.
    let errors = engine
        .text("${{}[parameters.user]}")
        .render(&context, &mut Meter::default())
        .unwrap_err();
    assert!(errors[0].to_string().contains("bob"), "{}", errors[0]);
}

#[test]
fn a_template_tells_what_it_reads() {
    let template = Engine::default().template(&json(
        r#"{"a": "${has(parameters.tls) ? parameters.tls.host : metadata.name}",
            "b": ["x-${workload.containers['app'].image}", "${parameters.list[0]}"],
            "c": "${workload.endpoints.exists(n, e, e.type == 'HTTP' && n != it.key)}"}"#,
    ));
    let told: Vec<String> = template
        .expressions()
        .iter()
        .map(|(path, _, reads)| {
            let reads: Vec<String> = reads.iter().map(ToString::to_string).collect();
            format!("{path}: {}", reads.join(" "))
        })
        .collect();
    assert_eq!(
        told,
        [
            "a: metadata.name parameters.tls parameters.tls.host",
            "b[0]: workload.containers.app.image",
            "b[1]: parameters.list[0]",
            "c: it.key workload.endpoints workload.endpoints[*].type",
        ]
    );
}

#[test]
fn templates_are_checked_against_shapes() {
    let mut parameters = ObjectShape::default();
    parameters.declare("replicas", Shape::Int);
    parameters.declare("labels", Shape::map(Shape::String));
    parameters.declare("hosts", Shape::list(Shape::String));
    let variables = [
        ("parameters".into(), Shape::Object(Arc::new(parameters))),
        ("metadata".into(), Shape::Dyn),
    ];
    let engine = Engine::new(["toVolumes"]);
    let check = |text: &str| {
        let found = engine.text(text).check(&variables);
        let texts: Vec<String> = found.iter().map(|error| error.kind.to_string()).collect();
        texts.join(" | ")
    };
    assert_eq!(check("${parameters.replicas + 1.5}"), "");
    assert_eq!(check("${parameters.labels.anything + metadata.name}"), "");
    assert_eq!(check("${parameters.hosts.toVolumes().map(v, v.name)}"), "");
    assert_eq!(
        check("${oc_merge(parameters.labels, {'a': oc_omit()})}"),
        ""
    );
    assert_eq!(check("${parameters.replica}"), "undefined field 'replica'");
    assert_eq!(
        check("${envOverrides.x}"),
        "undeclared reference to 'envOverrides' (in container '')"
    );
    assert_eq!(
        check("${parameters.replicas + parameters.hosts[0]}"),
        "found no matching overload for '_+_' applied to '(int, string)'"
    );
    assert!(!check("${parameters.replicas.size()}").is_empty());
    // Loop variables are of the shape of the items.
    for (source, text, problem) in [
        ("${parameters.hosts}", "${h.size() + 1}", ""),
        (
            "${parameters.hosts}",
            "${h + 1}",
            "found no matching overload for '_+_' applied to '(string, int)'",
        ),
        ("${parameters.labels}", "${h.key + h.value}", ""),
        (
            "${parameters.labels}",
            "${h.name}",
            "undefined field 'name'",
        ),
        ("${metadata.x}", "${h.name}", ""),
    ] {
        let mut variables = variables.to_vec();
        variables.push(Repeat::new(&engine, source, "h").variable(&variables));
        let found = engine.text(text).check(&variables);
        let texts: Vec<String> = found.iter().map(|error| error.kind.to_string()).collect();
        assert_eq!(texts.join(" | "), problem, "{source} {text}");
    }
    // Objects of the data are maps.
    assert_eq!(check("${parameters['replicas'] + 1}"), "");
    assert_eq!(check("${parameters['nope']}"), "undefined field 'nope'");
    assert_eq!(check("${parameters[?'nope'].orValue(1)}"), "");
    assert_eq!(check("${parameters.map(k, parameters[k])}"), "");
    assert_eq!(check("${'x' in parameters && size(parameters) > 1}"), "");
    assert_eq!(check("${true ? parameters : {}}"), "");
}

#[test]
fn problems_are_known_before_rendering() {
    let engine = Engine::default();
    let template = engine.template(&json(
        r#"{"ok": "${x}", "a": "${1 +}", "b": {"${": 1, "${${": 2}}"#,
    ));
    let found: Vec<String> = template
        .problems()
        .iter()
        .map(|problem| format!("{} {}", problem.path, problem.kind.code().0))
        .collect();
    assert_eq!(found, ["a ExpressionInvalid", "b.${${ ExpressionNested"]);
    assert!(engine.template(&json(r#"{"a": [1, "x"]}"#)).is_constant());
}

#[test]
fn errors_say_what_to_try() {
    use diag::Explain as _;
    for (text, code, help) in [
        (
            "${parameter.x}",
            "ExpressionVariableNotFound",
            "Did you mean `parameters`?",
        ),
        (
            "${parameters.replica}",
            "ExpressionKeyNotFound",
            "Did you mean `replicas`?",
        ),
        (
            "x${oc_omit()}",
            "TemplateValueOmitted",
            "Give an empty text, or make the whole text one expression.",
        ),
    ] {
        let errors = Engine::default()
            .text(text)
            .render(&context(), &mut Meter::default())
            .unwrap_err();
        assert_eq!(errors[0].code().0, code, "{text}");
        assert_eq!(errors[0].reason().0, "RenderingFailed");
        assert_eq!(errors[0].help()[0], help, "{text}");
    }
}

#[test]
fn engines_and_templates_are_for_every_thread() {
    fn shared<T: Send + Sync>() {}
    shared::<Engine>();
    shared::<component::template::Template>();
    shared::<Context>();
    // An engine that has forgotten an expression compiles it again.
    let engine = Engine::default();
    for round in 0..2 {
        for at in 0..300 {
            let text = format!("${{'{}{at}'.size()}}", "x".repeat(5_000));
            let rendered = engine
                .text(&text)
                .render(&Context::default(), &mut Meter::default());
            assert!(
                matches!(rendered, Ok(Some(Node::Int(5_001..=5_003)))),
                "{round} {at}"
            );
        }
    }
}

#[test]
fn paths_continue_where_a_template_stands() {
    let template = Engine::default().template(&json(r#"{"spec": ["${x}"]}"#));
    let error = template
        .render(&Context::default(), &mut Meter::default())
        .unwrap_err()
        .remove(0);
    let error = error.under(
        &object::FieldPath::keys(["resources"])
            .index(2)
            .key("template"),
    );
    assert_eq!(error.path.to_string(), "resources[2].template.spec[0]");
    assert!(matches!(
        error.kind,
        TemplateErrorKind::NoSuchVariable { .. }
    ));
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let template = Engine::default().template(&json(
        r#"{"${metadata.componentName}": "${parameters.map.transformList(k, v, k + v)}",
            "t": "${parameters} ${oc_merge(parameters.map, metadata.labels)}"}"#,
    ));
    let first = outcome(template.render(&context(), &mut Meter::default()));
    for _ in 0..1_000 {
        assert_eq!(
            outcome(template.render(&context(), &mut Meter::default())),
            first
        );
    }
}
