//! What evaluations cost, in the units of the Kubernetes API server.

use expr::{Bindings, Budget, Options, Program};

fn cost(text: &str) -> u64 {
    let bindings = Bindings::new()
        .bind("n", 3i64)
        .bind("s", "x".repeat(100).as_str());
    let program = Program::compile(text, &Options::dynamic()).expect("compiles");
    let (value, cost) = program.evaluate_counted(&bindings, Budget::CALL);
    assert!(value.is_ok(), "{text}: {value:?}");
    cost.0
}

#[test]
fn steps_cost_a_unit_and_walks_cost_their_length() {
    for (text, expected) in [
        ("true", 0),
        ("n", 1),
        ("n + 1 == 4", 3),
        ("n > 1 && n < 5", 4),
        ("n > 1 || n / 0 == 1", 2),
        ("n > 1 ? n : n + n", 3),
        ("s == s", 12),
        ("s + s == ''", 22),
        ("s.contains('abc')", 11),
        ("s.startsWith('x')", 11),
        ("s.matches('x+y')", 12),
        ("s.lowerAscii().size()", 12),
        ("s.split('').size()", 22),
        ("n in [1, 2, 3]", 14),
        ("{'a': n}.a", 32),
        ("has({'a': n}.a)", 31),
        ("quantity('1Gi').isGreaterThan(quantity('1Mi'))", 3),
        // Two units for an element, what its body costs, one for the result.
        ("[1, 2].all(i, i > 0)", 21),
        ("[1, 2].exists(i, i > 0)", 20),
        ("[1, 2].map(i, i)", 47),
        ("[1, 2].filter(i, true)", 47),
        ("cel.bind(x, n, x + x)", 14),
    ] {
        assert_eq!(cost(text), expected, "{text}");
    }
}

#[test]
fn the_budget_ends_an_evaluation_where_it_runs_out() {
    let program = Program::compile("[1, 2].all(i, i > 0)", &Options::dynamic()).expect("compiles");
    assert!(program.evaluate(&Bindings::new(), Budget(21)).is_ok());
    let (value, cost) = program.evaluate_counted(&Bindings::new(), Budget(20));
    assert!(value.unwrap_err().is_cost_limit());
    assert_eq!(cost, Budget(20));
}
