//! Templates made to hurt end with an error, soon.

use std::time::{Duration, Instant};

use component::template::{Context, ERRORS_MAX, Engine, Meter, Repeat, TemplateErrorKind};
use object::{Map, Node};
use testkit::Dice;

fn kind(template: &Node, context: &Context) -> TemplateErrorKind {
    let started = Instant::now();
    let errors = Engine::default()
        .template(template)
        .render(context, &mut Meter::default())
        .unwrap_err();
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    errors[0].kind.clone()
}

fn texts(texts: impl IntoIterator<Item = String>) -> Node {
    Node::list(texts.into_iter().map(Node::from))
}

#[test]
fn large_deep_and_long_templates_are_refused() {
    let none = Context::default();
    let large = texts([format!("{}${{x}}", "a".repeat(2 << 20))]);
    assert_eq!(kind(&large, &none), TemplateErrorKind::TooLarge);
    let many = Node::list((0..200_000).map(Node::from));
    assert_eq!(kind(&many, &none), TemplateErrorKind::TooMany);
    let mut deep = Node::from("${x}");
    for _ in 0..300 {
        deep = Node::list([deep]);
    }
    assert_eq!(kind(&deep, &none), TemplateErrorKind::TooDeep);
    let long = texts([format!("${{{}}}", "1+".repeat(10_000))]);
    assert!(matches!(
        kind(&long, &none),
        TemplateErrorKind::ExpressionTooLarge { .. }
    ));
    let nested = texts([format!("${{{}1{}}}", "(".repeat(1_000), ")".repeat(1_000))]);
    assert!(matches!(
        kind(&nested, &none),
        TemplateErrorKind::ExpressionTooLarge { .. }
    ));
}

#[test]
fn ten_thousand_items_are_not_repeated_for() {
    let engine = Engine::default();
    let mut meter = Meter::default();
    let repeat = Repeat::new(&engine, "${lists.range(10000)}", "i");
    let errors = repeat
        .contexts(&Context::default(), &mut meter)
        .unwrap_err();
    assert_eq!(
        errors[0].to_string(),
        "10000 items to repeat for, more than the limit of 1000 (in `${lists.range(10000)}`)"
    );
}

#[test]
fn expensive_expressions_use_up_the_meter() {
    let none = Context::default();
    let range = "lists.range(1000)";
    let one = format!("${{{range}.map(a, {range}.map(b, {range}.map(c, a + b + c)))}}");
    assert_eq!(kind(&texts([one]), &none), TemplateErrorKind::CostLimit);
    // Each alone is fine; all together are not.
    let some = format!("${{{range}.map(a, {range}.all(b, a == a)).size()}}");
    let many = texts(std::iter::repeat_n(some, 10_000));
    assert_eq!(kind(&many, &none), TemplateErrorKind::CostLimit);
    let join = format!("${{{range}.map(i, 'xxxxxxxxxxxxxxxx').join('')}}");
    let long = texts(std::iter::repeat_n(join, 2_000));
    assert!(matches!(
        kind(&long, &none),
        TemplateErrorKind::CostLimit | TemplateErrorKind::OutputLimit
    ));
}

#[test]
fn what_is_shared_counts_every_time_it_is_shown() {
    let items = Node::list((0..10_000).map(Node::from));
    let context = Context::default().with("big", &items);
    let copies = texts(std::iter::repeat_n("${big}".to_owned(), 1_000));
    assert_eq!(kind(&copies, &context), TemplateErrorKind::OutputLimit);
    let copies = texts(std::iter::repeat_n("x${big}".to_owned(), 1_000));
    assert_eq!(kind(&copies, &context), TemplateErrorKind::OutputLimit);
}

#[test]
fn values_that_double_do_not_explode() {
    let mut text = "x".to_owned();
    for _ in 0..25 {
        text = format!("[[x, x]].map(x, {text})[0]");
    }
    for text in [
        format!("${{[1].map(x, {text})}}"),
        format!("a${{[1].map(x, {text})}}"),
        format!("${{[1].map(x, {text}) == [1].map(x, {text})}}"),
    ] {
        assert_eq!(
            kind(&texts([text]), &Context::default()),
            TemplateErrorKind::CostLimit
        );
    }
    let merged = "${[{'a': 'x'.replace('x', 'yyyyyyyyyy')}].map(m, oc_merge(m, {'b': m, 'c': m}))}";
    let rendered = Engine::default()
        .text(merged)
        .render(&Context::default(), &mut Meter::default());
    assert!(rendered.is_ok());
}

#[test]
fn errors_are_many_but_not_without_end() {
    let template = texts((0..5_000).map(|at| format!("${{nope{at}}}")));
    let template = Engine::default().template(&template);
    let errors = template
        .render(&Context::default(), &mut Meter::default())
        .unwrap_err();
    assert_eq!(errors.len(), ERRORS_MAX);
    let broken = texts((0..5_000).map(|at| format!("${{{at} +}}")));
    assert_eq!(
        Engine::default().template(&broken).problems().len(),
        ERRORS_MAX
    );
}

#[test]
fn unclosed_markers_cost_one_look() {
    let started = Instant::now();
    let text = format!("${{'{}", "x${".repeat(100_000));
    assert_eq!(
        component::template::markers(&text).map(|found| found.len()),
        Ok(0)
    );
    let text = "${x}".repeat(200_000);
    assert_eq!(
        component::template::markers(&text).map(|found| found.len()),
        Ok(200_000)
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[test]
fn no_text_panics() {
    let pieces = [
        "${",
        "}",
        "{",
        "'",
        "\"",
        "\\",
        "a",
        ".",
        "?",
        "[",
        "]",
        "(",
        ")",
        "oc_omit()",
        "oc_merge",
        "oc_hash",
        "oc_dns_label",
        ",",
        "1",
        "1.5",
        "+",
        "ü",
        "€",
        "\n",
        "$",
        ":",
        "a.b",
        "-",
        "x",
        " ",
        "has",
        "map(i,",
        "[?",
    ];
    let mut dice = Dice::new(7);
    let engine = Engine::default();
    let value: Map = [("b", Node::from("ü")), ("c", Node::Float(0.5))]
        .into_iter()
        .collect();
    let context = Context::default()
        .with("a", &Node::Map(value))
        .with("x", 1i64);
    for _ in 0..20_000 {
        let text: String = (0..dice.between(1, 12))
            .map(|_| dice.pick(&pieces))
            .collect();
        let template = engine.text(&format!("${{{text}}}"));
        let _ = template.render(&context, &mut Meter::default());
        let template = engine.text(&text);
        let _ = template.render(&context, &mut Meter::default());
        let _ = (template.problems(), template.expressions());
    }
}
