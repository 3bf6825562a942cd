//! Objects in canonical form: what Go would make of them.

use object::json;
use schema::builtin;

use crate::{parse, type_of};

fn check(written: &str, canonical: &str) {
    let mut node = parse(written);
    let ty = type_of(&node);
    builtin::canonicalize(ty, &mut node).expect("well-typed");
    assert_eq!(
        json::to_string(&node),
        canonical.replace('\'', "\""),
        "{written}"
    );
    builtin::canonicalize(ty, &mut node).expect("well-typed");
    assert_eq!(
        json::to_string(&node),
        canonical.replace('\'', "\""),
        "twice: {written}"
    );
}

#[test]
fn zeros_and_nulls_go_where_go_omits_them_and_structs_appear_where_it_does_not() {
    check(
        "{'kind':'ConfigMap','data':{'b':null,'a':''},'apiVersion':'v1','binaryData':{},'immutable':false}",
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{},'immutable':false,'data':{'b':'','a':''}}",
    );
    check(
        "{'apiVersion':'apps/v1','kind':'Deployment','spec':{'replicas':0,'paused':false}}",
        "{'apiVersion':'apps/v1','kind':'Deployment','metadata':{},'spec':{'replicas':0,'selector':null,'template':{'metadata':{},'spec':{'containers':null}},'strategy':{}},'status':{}}",
    );
    check(
        "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role','rules':[]}",
        "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'Role','metadata':{},'rules':null}",
    );
}

#[test]
fn quantities_times_and_bytes_are_normalised() {
    check(
        "{'apiVersion':'v1','kind':'Secret','metadata':{'creationTimestamp':'2024-01-01T01:00:00+01:00'},'data':{'k':'YQ\\n=='}}",
        "{'apiVersion':'v1','kind':'Secret','metadata':{'creationTimestamp':'2024-01-01T00:00:00Z'},'data':{'k':'YQ=='}}",
    );
    check(
        "{'apiVersion':'v1','kind':'ResourceQuota','spec':{'hard':{'cpu':0.5,'memory':'1024Mi','pods':3}}}",
        "{'apiVersion':'v1','kind':'ResourceQuota','metadata':{},'spec':{'hard':{'cpu':'500m','memory':'1Gi','pods':'3'}},'status':{}}",
    );
}

#[test]
fn unknown_fields_are_named_and_dropped() {
    let mut node = parse(
        "{'apiVersion':'apps/v1','kind':'Deployment','speck':1,'spec':{'template':{'spec':{'containers':[{'name':'c','imag':'x'}]}}}}",
    );
    let ty = type_of(&node);
    let unknown = builtin::canonicalize(ty, &mut node).expect("well-typed");
    let texts: Vec<String> = unknown.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "unknown field \"speck\"",
            "unknown field \"spec.template.spec.containers[0].imag\""
        ]
    );
    assert!(node.get("speck").is_none());
}

#[test]
fn values_of_the_wrong_type_are_refused_in_the_words_of_go() {
    let table = [
        (
            "{'apiVersion':'apps/v1','kind':'Deployment','spec':{'replicas':'two'}}",
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "{'apiVersion':'apps/v1','kind':'Deployment','spec':{'replicas':3000000000}}",
            "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32",
        ),
        (
            "{'apiVersion':'apps/v1','kind':'Deployment','spec':{'template':[]}}",
            "json: cannot unmarshal array into Go struct field DeploymentSpec.spec.template of type v1.PodTemplateSpec",
        ),
        (
            "{'apiVersion':'v1','kind':'ConfigMap','data':{'k':true}}",
            "json: cannot unmarshal bool into Go struct field ConfigMap.data of type string",
        ),
        (
            "{'apiVersion':'v1','kind':'ConfigMap','binaryData':{'k':'!'}}",
            "illegal base64 data at input byte 0",
        ),
        (
            "{'apiVersion':'v1','kind':'Pod','metadata':{'creationTimestamp':'yesterday'}}",
            "parsing time \"yesterday\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"yesterday\" as \"2006\"",
        ),
    ];
    for (text, message) in table {
        let mut node = parse(text);
        let ty = type_of(&node);
        let error = builtin::canonicalize(ty, &mut node).expect_err(text);
        assert_eq!(error.message, message);
        assert_eq!(node, parse(text), "a refused object stays as it was");
    }
}

#[test]
fn a_canonical_subtree_keeps_its_allocation() {
    let mut node = parse(
        "{'apiVersion':'v1','kind':'ConfigMap','metadata':{'name':'c'},'data':{'k':'v'},'unknown':1}",
    );
    let before = node
        .get("data")
        .and_then(|data| data.as_map())
        .cloned()
        .expect("a map");
    let ty = type_of(&node);
    builtin::canonicalize(ty, &mut node).expect("well-typed");
    let after = node
        .get("data")
        .and_then(|data| data.as_map())
        .expect("a map");
    assert!(before.same(after));
}
