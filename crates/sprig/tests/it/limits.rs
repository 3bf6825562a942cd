//! What is too much is refused, and soon.

use gotemplate::format::{DEPTH_MAX, TEXT_BYTES_MAX};
use gotemplate::{CallError, List, Map, Value};
use sprig::ITEMS_MAX;

use super::language::Session;

fn limit(session: &mut Session, calls: &str) {
    match session.run(calls) {
        Err(CallError::Limit(_)) => {}
        Err(error) => panic!("{calls}: {error}"),
        Ok(value) => panic!("{calls}: {}", value.type_name()),
    }
}

#[test]
fn texts_end_at_the_limit() {
    let mut session = Session::new();
    session
        .run(&format!("repeat {TEXT_BYTES_MAX} \"a\""))
        .expect("at the limit");
    limit(
        &mut session,
        &format!("repeat {} \"a\"", TEXT_BYTES_MAX + 1),
    );
    limit(&mut session, "repeat 9223372036854775807 \"a\"");
    limit(&mut session, "indent 9223372036854775807 \"a\"");
    limit(&mut session, "nindent 16777216 \"a\"");
    session.set("m", Value::from(vec![b'a'; 1 << 20]));
    session.set("n", Value::from(vec![b'\n'; 1 << 20]));
    limit(&mut session, "indent 20 $n");
    limit(&mut session, "replace \"a\" \"aaaaaaaaaaaaaaaaaaaaaa\" $m");
    limit(&mut session, "replace \"\" $m $m");
    limit(&mut session, "wrapWith 1 \"------------------\" $m");
    limit(&mut session, "join $m (until 100)");
    limit(
        &mut session,
        "$l := list $m $m $m $m $m $m $m $m $m ;; toJson (list $l $l)",
    );
    limit(&mut session, "quote $l $l");
    limit(&mut session, "cat $l $l");
    limit(&mut session, "toString (list $l $l)");
}

#[test]
fn lists_end_at_the_limit() {
    let mut session = Session::new();
    session
        .run(&format!("until {ITEMS_MAX}"))
        .expect("at the limit");
    limit(&mut session, &format!("until {}", ITEMS_MAX + 1));
    limit(&mut session, "until -9223372036854775808");
    limit(
        &mut session,
        "untilStep -9223372036854775808 9223372036854775807 1",
    );
    limit(&mut session, "seq 9223372036854775806");
    limit(&mut session, "seq -9223372036854775807 9223372036854775806");
    session.set("m", Value::from(vec![b'a'; ITEMS_MAX + 1]));
    limit(&mut session, "splitList \"\" $m");
    limit(&mut session, "split \"a\" $m");
    limit(&mut session, "$u := until 600000 ;; concat $u $u");
    limit(&mut session, "$u := until 1000000 ;; append $u 1");
    limit(&mut session, "prepend $u 1");
}

#[test]
fn values_without_end_are_refused() {
    let mut session = Session::new();
    session
        .run("$d := dict ;; set $d \"d\" $d ;; $e := dict ;; set $e \"d\" $e")
        .expect("no error");
    limit(&mut session, "deepCopy $d");
    limit(&mut session, "deepEqual $d $e");
    limit(&mut session, "merge $d $e");
    limit(&mut session, "toString $d");
    limit(&mut session, "uniq (list $d $e)");
    match session.run("mustToJson $d") {
        Err(CallError::Failed(text)) => assert_eq!(
            text,
            "json: unsupported value: encountered a cycle via map[string]interface {}"
        ),
        other => panic!("{other:?}"),
    }
    // So that it is given back.
    session
        .run("unset $d \"d\" ;; unset $e \"d\"")
        .expect("no error");

    let mut list = Value::list([]);
    for _ in 0..=DEPTH_MAX {
        list = Value::list([list]);
    }
    session.set("l", list);
    limit(&mut session, "toJson $l");
    limit(&mut session, "deepCopy $l");
    session.set("t", Value::from("[".repeat(DEPTH_MAX + 1)));
    limit(&mut session, "fromJson $t");
}

#[test]
fn values_that_double_at_every_step_are_refused() {
    let mut session = Session::new();
    let doubled = || {
        let mut value = Value::Map(Map::default());
        for _ in 0..60 {
            value = Value::Map(Map::from_iter([("a", value.clone()), ("b", value)]));
        }
        value
    };
    session.set("one", doubled());
    session.set("other", doubled());
    limit(&mut session, "deepCopy $one");
    limit(&mut session, "deepEqual $one $other");
    limit(&mut session, "merge $one $other");
    limit(&mut session, "toJson $one");
    limit(&mut session, "toString $one");
}

#[test]
fn many_different_values_are_told_apart_quickly() {
    let mut session = Session::new();
    let items: Vec<Value> = (0..200_000)
        .map(|number| Value::from(format!("text {number}")))
        .collect();
    session.set("l", Value::List(List::new(items, Default::default())));
    let Ok(Value::List(list)) = session.run("uniq $l") else {
        panic!("no list")
    };
    assert_eq!(list.items().len(), 200_000);
}

#[test]
fn numbers_do_not_grow_without_end() {
    let mut session = Session::new();
    let factors = "1.2345678901234567e-300 ".repeat(4_000);
    limit(&mut session, &format!("mulf {factors}"));
}

#[test]
fn the_deepest_values_fit_on_a_small_stack() {
    let deepest = || {
        let mut session = Session::new();
        let deep = || {
            let mut value = Value::from("x");
            for _ in 0..DEPTH_MAX - 1 {
                value = Value::Map(Map::from_iter([("a", value)]));
            }
            Value::list([value])
        };
        session.set("one", deep());
        session.set("other", deep());
        for call in [
            "$copy := deepCopy $one",
            "deepEqual $one $copy",
            "merge (first $other) (first $one)",
            "$text := toJson $one",
            "toPrettyJson $one",
            "fromJson $text",
            "quote $one",
        ] {
            if let Err(CallError::Failed(text) | CallError::Limit(text)) = session.run(call) {
                panic!("{call}: {text}");
            }
        }
    };
    let thread = std::thread::Builder::new().stack_size(1 << 20);
    let thread = thread.spawn(deepest).expect("a thread");
    thread.join().expect("no overflow");
}
