//! Rules in CEL, and the health of a set.

use api::HealthExpressions;
use health::{Assessment, Checks, Mode, Status, Verdict, missing, verdict};
use object::ObjectKey;

use crate::{now, object};

fn database(rules: [&str; 3]) -> HealthExpressions {
    HealthExpressions {
        api_version: "example.com/v1".into(),
        kind: "Database".into(),
        current: rules[0].into(),
        failed: rules[1].into(),
        in_progress: rules[2].into(),
    }
}

#[test]
fn rules_are_asked_in_order_and_only_for_their_kind() {
    let checks = Checks::compile(&[database([
        "status.phase == 'Running'",
        "has(status.error)",
        "status.phase == 'Creating'",
    ])])
    .unwrap();
    let table = [
        (r#""status":{"phase":"Running"}"#, Status::Current),
        (
            r#""status":{"phase":"Creating","error":"x"}"#,
            Status::InProgress,
        ),
        (r#""status":{"phase":"Broken","error":"x"}"#, Status::Failed),
        (r#""status":{"phase":"Stopped"}"#, Status::InProgress),
        (r#""status":{}"#, Status::Unknown),
        (
            r#""metadata":{"generation":2},"status":{"observedGeneration":1,"phase":"Running"}"#,
            Status::InProgress,
        ),
    ];
    for (fields, wanted) in table {
        let text = format!(r#"{{"apiVersion":"example.com/v2","kind":"Database",{fields}}}"#);
        assert_eq!(
            checks.assess(&object(&text), now()).status,
            wanted,
            "{fields}"
        );
    }
    let other = object(r#"{"apiVersion":"example.com/v1","kind":"Other","status":{"error":"x"}}"#);
    assert!(checks.assess(&other, now()).is_current());
}

#[test]
fn a_rule_for_a_group_covers_kinds_without_their_own() {
    let mut group = database(["status.ok", "", ""]);
    group.kind = String::new();
    let checks = Checks::compile(&[group, database(["status.fine", "", ""])]).unwrap();
    let other = object(r#"{"apiVersion":"example.com/v1","kind":"Other","status":{"ok":true}}"#);
    let own = object(r#"{"apiVersion":"example.com/v1","kind":"Database","status":{"fine":true}}"#);
    assert!(checks.assess(&other, now()).is_current());
    assert!(checks.assess(&own, now()).is_current());
}

#[test]
fn rules_that_cannot_be_used_say_which_and_why() {
    let refused = |rules: &[HealthExpressions]| Checks::compile(rules).unwrap_err().to_string();
    assert_eq!(
        refused(&[database(["", "", ""])]),
        "failed to create custom status evaluator for healthchecks[0]: expression Current not specified"
    );
    assert_eq!(
        refused(&[database(["true", "", ""]), database(["true", "", ""])]),
        "duplicate custom health check for GroupKind Database.example.com at healthchecks[1]"
    );
    let broken = refused(&[database(["true", "status.", ""])]);
    assert!(
        broken.starts_with(
            "failed to create custom status evaluator for healthchecks[0]: failed to parse the \
             expression Failed: failed to parse the CEL expression 'status.': "
        ),
        "{broken}"
    );
}

#[test]
fn a_set_is_waited_for_until_it_is_there_or_cannot_get_there() {
    let key = |name: &str| ObjectKey {
        group: "apps".into(),
        kind: "Deployment".into(),
        namespace: "shop".into(),
        name: name.into(),
    };
    let there = (key("a"), Assessment::current(""));
    let under_way = (key("b"), Assessment::in_progress("R", ""));
    let broken = (key("c"), Assessment::failed("R", ""));
    let gone = (key("d"), missing(&object(r#"{"kind":"Deployment"}"#)));
    let now = Mode::default();
    let late = Mode {
        timed_out: true,
        ..now
    };
    let patient = Mode {
        wait_for_all: true,
        ..now
    };
    let all = [there.clone(), under_way.clone(), broken.clone(), gone];
    assert_eq!(verdict(&[], now), Verdict::Healthy);
    assert_eq!(
        verdict(std::slice::from_ref(&there), late),
        Verdict::Healthy
    );
    assert_eq!(
        verdict(&[there.clone(), under_way.clone()], now),
        Verdict::Waiting(vec![key("b")])
    );
    assert_eq!(
        verdict(&[there.clone(), under_way], late),
        Verdict::Unhealthy("timeout waiting for: [Deployment/shop/b status: 'InProgress']".into())
    );
    assert_eq!(
        verdict(&all, now),
        Verdict::Unhealthy(
            "failed early due to stalled resources: [Deployment/shop/c status: 'Failed']".into()
        )
    );
    assert!(matches!(verdict(&all, patient), Verdict::Waiting(_)));
    assert!(matches!(
        verdict(&[there, broken], patient),
        Verdict::Unhealthy(_)
    ));
}
