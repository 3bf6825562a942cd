//! Input made to hurt.

use object::{Node, json};
use schema::builtin;

use crate::{parse, prepared, type_of};

#[test]
fn schemas_nested_beyond_reason_are_refused() {
    let mut text = String::from("{'type':'object'}");
    for _ in 0..90 {
        text = format!("{{'properties':{{'a':{text}}}}}");
    }
    let text = format!(
        "{{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','spec':{{'versions':[{{'name':'v1','schema':{{'openAPIV3Schema':{text}}}}}]}}}}"
    );
    let mut node = parse(&text);
    let mut deep = node.clone();
    let ty = type_of(&node);
    assert!(
        builtin::canonicalize(ty, &mut node).is_ok(),
        "92 levels of schemas are accepted"
    );
    let schema = ["spec", "versions"];
    let inner = deep.at(&schema).and_then(Node::as_list).expect("versions")[0]
        .at(&["schema", "openAPIV3Schema"])
        .cloned();
    let mut nested = inner.expect("a schema");
    for _ in 0..100 {
        let mut outer = Node::map();
        outer.set(&["properties", "a"], nested);
        nested = outer;
    }
    let mut version = Node::map();
    version.set(&["schema", "openAPIV3Schema"], nested);
    deep.set(&["spec", "versions"], vec![version]);
    let error = builtin::canonicalize(ty, &mut deep).expect_err("too deep");
    assert_eq!(error.message, "exceeded max depth");
}

#[test]
fn a_hundred_thousand_broken_items_are_answered_briefly_and_soon() {
    let ports: Vec<String> = (0..50_000)
        .map(|at| format!("{{'name':'p','containerPort':{at}}}"))
        .collect();
    let mounts: Vec<String> = (0..50_000)
        .map(|at| format!("{{'name':'v{at}','mountPath':'/'}}"))
        .collect();
    let text = format!(
        "{{'apiVersion':'v1','kind':'Pod','metadata':{{'name':'p','namespace':'n'}},'spec':{{'containers':[{{'name':'c','image':'i','ports':[{}],'volumeMounts':[{}]}}]}}}}",
        ports.join(","),
        mounts.join(",")
    );
    let limits = json::Limits {
        bytes_max: 16 << 20,
        ..json::OBJECT_LIMITS
    };
    let mut node = json::parse(text.replace('\'', "\"").as_bytes(), limits).expect("JSON");
    let ty = type_of(&node);
    builtin::canonicalize(ty, &mut node).expect("well-typed");
    builtin::default(ty, &mut node);
    let errors = builtin::validate(ty, &node);
    assert_eq!(errors.len(), 1000);
}

#[test]
fn schedules_and_quantities_with_endless_digits_do_not_overflow() {
    let digits = "9".repeat(400);
    let job = prepared(&format!(
        "{{'apiVersion':'batch/v1','kind':'CronJob','metadata':{{'name':'c','namespace':'n'}},'spec':{{'schedule':'{digits} * * * *','jobTemplate':{{'spec':{{'template':{{'spec':{{'restartPolicy':'Never','containers':[{{'name':'c','image':'i'}}]}}}}}}}}}}}}"
    ));
    let errors = builtin::validate(type_of(&job), &job);
    assert_eq!(errors.len(), 1);
    let mut quota = parse(&format!(
        "{{'apiVersion':'v1','kind':'ResourceQuota','spec':{{'hard':{{'cpu':'{digits}'}}}}}}"
    ));
    let ty = type_of(&quota);
    let error = builtin::canonicalize(ty, &mut quota).expect_err("more digits than we keep");
    assert_eq!(error.message, "unable to parse numeric part of quantity");
    let percent = prepared(&format!(
        "{{'apiVersion':'policy/v1','kind':'PodDisruptionBudget','metadata':{{'name':'b','namespace':'n'}},'spec':{{'minAvailable':'{digits}%'}}}}"
    ));
    let errors = builtin::validate(type_of(&percent), &percent);
    assert!(
        errors[0]
            .to_string()
            .ends_with("must not be greater than 100%")
    );
}
