//! Input made to hurt ends with an error, soon.

use std::time::{Duration, Instant};

use expr::{Bindings, Budget, CompileError, Libraries, Options, Program, Value};

fn options() -> Options {
    Options::dynamic().libraries(Libraries::ALL)
}

fn evaluate(text: &str) -> Result<Value, expr::EvalError> {
    let program =
        Program::compile(text, &Options::dynamic().libraries(Libraries::ALL)).expect("compiles");
    program.evaluate(&Bindings::new(), Budget::CALL)
}

fn too_large(text: &str) -> bool {
    let error = Program::compile(text, &Options::dynamic().libraries(Libraries::ALL)).unwrap_err();
    assert_eq!(error.code(), "ExpressionTooLarge", "{error}");
    matches!(error, CompileError::TooLarge { .. })
}

#[test]
fn nesting_text_and_nodes_are_limited() {
    assert!(too_large(&format!(
        "{}1{}",
        "(".repeat(4_000),
        ")".repeat(4_000)
    )));
    assert!(too_large(&format!(
        "{}1{}",
        "[".repeat(200),
        "]".repeat(200)
    )));
    assert!(too_large(&"a".repeat(1 << 20)));
    assert!(too_large(&"1+".repeat(4_000)));
    assert!(too_large(&format!("x{}", ".a".repeat(500))));
    assert!(too_large(&format!("[{}1]", "1,".repeat(5_001))));
    // Long but flat is fine.
    let flat = format!("{}true", "false || ".repeat(1_000));
    assert!(evaluate(&flat) == Ok(Value::Bool(true)));
    // The deepest we accept fits the smallest stack we run on.
    let deep = format!("{}1{}", "[".repeat(119), "]".repeat(119));
    assert!(evaluate(&deep).is_ok());
    let deep = format!("{}1{}", "(1 + ".repeat(119), ")".repeat(119));
    assert_eq!(evaluate(&deep), Ok(Value::Int(120)));
}

#[test]
fn a_comprehension_over_comprehensions_runs_out_of_budget_soon() {
    let started = Instant::now();
    let range = "lists.range(1000)";
    let text = format!("{range}.all(a, {range}.all(b, {range}.all(c, a + b + c >= 0)))");
    assert!(evaluate(&text).unwrap_err().is_cost_limit());
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn doubling_a_text_runs_out_of_budget_before_memory() {
    let mut text = "s".to_owned();
    for _ in 0..40 {
        text = format!("cel.bind(s, s + s, {text})");
    }
    let text =
        format!("cel.bind(s, 'x', {text})").replace("cel.bind(s, s + s", "cel.bind(s, s + s");
    assert!(evaluate(&text).unwrap_err().is_cost_limit());
    let replace = "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'";
    let mut text = replace.to_owned();
    for _ in 0..8 {
        text = format!("{text}.replace('a', {replace})");
    }
    assert!(evaluate(&text).unwrap_err().is_cost_limit());
    assert!(
        evaluate("lists.range(1000000000)")
            .unwrap_err()
            .is_cost_limit()
    );
}

#[test]
fn values_that_share_their_parts_do_not_explode() {
    let started = Instant::now();
    let mut list = "x".to_owned();
    for _ in 0..60 {
        list = format!("cel.bind(x, [x, x], {list})");
    }
    let list = format!("cel.bind(x, 1, {list})");
    for text in [
        format!("{list} == {list}"),
        format!("'%s'.format([{list}])"),
        format!("{list}.flatten(60)"),
        list.replace("[x, x]", "{'a': x, 'b': x}"),
        list.replace("[x, x]", "[optional.of([x, x])]"),
    ] {
        assert!(evaluate(&text).unwrap_err().is_cost_limit(), "{text}");
    }
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn work_is_paid_before_it_is_done() {
    let started = Instant::now();
    let long = "lists.range(200000)";
    let big = "lists.range(10000).map(i, 'xxxxxxxxxxxxxxxx').join('')";
    for text in [
        format!("{long}.distinct()"),
        format!("sets.contains({long}, {long})"),
        format!("sets.equivalent({long}, {long})"),
        format!(
            "cel.bind(s, {big}, cel.bind(t, s + s + s + s, lists.range(60000).all(i, t.size() > 0)))"
        ),
        format!(
            "cel.bind(s, {big}, cel.bind(t, s + s + s + s, lists.range(60000).all(i, t.charAt(600000) == 'x')))"
        ),
        format!("cel.bind(s, {big}, lists.range(60000).all(i, '%s'.format([s]) != ''))"),
        format!("cel.bind(a, [[{long}]], lists.range(10000).all(i, a == [[a[0][0] + []]]))"),
        format!("cel.bind(s, {big}, s.split('').map(c, s.split('')))"),
    ] {
        let program = Program::compile(&text, &options()).expect("compiles");
        let outcome = program.evaluate(&Bindings::new(), Budget(200_000));
        assert!(outcome.is_err_and(|error| error.is_cost_limit()), "{text}");
    }
    // Numbers as keys are found as fast as texts.
    let keys = "lists.range(20000).transformMapEntry(i, v, {v: v}).size()";
    assert_eq!(evaluate(keys), Ok(Value::Int(20_000)));
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn patterns_take_linear_time() {
    let started = Instant::now();
    let subject = "a".repeat(1 << 20);
    let program = Program::compile(
        "s.matches('(a+)+b')",
        &Options::dynamic().libraries(Libraries::ALL),
    )
    .unwrap();
    let bindings = Bindings::new().bind("s", subject.as_str());
    assert_eq!(
        program.evaluate(&bindings, Budget::CALL),
        Ok(Value::Bool(false))
    );
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn no_text_panics() {
    let pieces = [
        "a", ".", "?", "[", "]", "(", ")", "{", "}", "'", "\"", "\\", "1", "u", "0x", "e", "-",
        "!", "&&", "|", "in", "has", ":", ",", "b", "r", "`", "\n", "//", "ü", "all", "@",
    ];
    // A small linear congruential generator: the same texts every time.
    let mut state = 1u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            text.push_str(pieces[(state >> 33) as usize % pieces.len()]);
        }
        if let Ok(program) = Program::compile(&text, &Options::dynamic().libraries(Libraries::ALL))
        {
            let _ = program.evaluate(&Bindings::new(), Budget::CALL);
        }
    }
}
