//! Defaults of built-in kinds, one small example each.

use object::json;
use schema::builtin;

use crate::{prepared, type_of};

/// Checks fields of the object after defaulting: JSON pointer and JSON value.
fn check(written: &str, expected: &[(&str, &str)]) {
    let node = prepared(written);
    for (pointer, value) in expected {
        let mut found = &node;
        for token in pointer.trim_start_matches('/').split('/') {
            let token = token.replace("~1", "/");
            found = match token.parse::<usize>() {
                Ok(at) => &found.as_list().expect("a list")[at],
                Err(_) => found.get(&token).unwrap_or(&object::Node::Null),
            };
        }
        let value = value.replace('\'', "\"");
        assert_eq!(json::to_string(found), value, "{pointer} of {written}");
    }
    let mut again = node.clone();
    builtin::default(type_of(&node), &mut again);
    assert_eq!(again, node, "defaults are stable");
}

#[test]
fn pods_and_templates() {
    let pod = "{'apiVersion':'v1','kind':'Pod','metadata':{'name':'p'},'spec':{'serviceAccount':'old','containers':[{'name':'c','image':'x','ports':[{'containerPort':80}],'livenessProbe':{'httpGet':{'port':80}},'resources':{'limits':{'cpu':'1'}}}],'volumes':[{'name':'v'},{'name':'s','secret':{'secretName':'s'}}],'hostNetwork':true}}";
    check(
        pod,
        &[
            ("/spec/dnsPolicy", "'ClusterFirst'"),
            ("/spec/restartPolicy", "'Always'"),
            ("/spec/securityContext", "{}"),
            ("/spec/serviceAccountName", "'old'"),
            ("/spec/enableServiceLinks", "true"),
            ("/spec/containers/0/imagePullPolicy", "'Always'"),
            (
                "/spec/containers/0/ports/0",
                "{'hostPort':80,'containerPort':80,'protocol':'TCP'}",
            ),
            ("/spec/containers/0/resources/requests", "{'cpu':'1'}"),
            (
                "/spec/containers/0/livenessProbe/httpGet",
                "{'path':'/','port':80,'scheme':'HTTP'}",
            ),
            ("/spec/containers/0/livenessProbe/periodSeconds", "10"),
            ("/spec/volumes/0", "{'name':'v','emptyDir':{}}"),
            ("/spec/volumes/1/secret/defaultMode", "420"),
        ],
    );
    check(
        "{'apiVersion':'apps/v1','kind':'Deployment','spec':{'template':{'spec':{'containers':[{'name':'c','image':'x:1','resources':{'limits':{'cpu':'1'}}}]}}}}",
        &[
            ("/spec/replicas", "1"),
            (
                "/spec/strategy",
                "{'type':'RollingUpdate','rollingUpdate':{'maxUnavailable':'25%','maxSurge':'25%'}}",
            ),
            (
                "/spec/template/spec/containers/0/imagePullPolicy",
                "'IfNotPresent'",
            ),
            // Only pods take requests from limits, and know service links.
            (
                "/spec/template/spec/containers/0/resources",
                "{'limits':{'cpu':'1'}}",
            ),
            ("/spec/template/spec/enableServiceLinks", "null"),
        ],
    );
}

#[test]
fn workloads() {
    check(
        "{'apiVersion':'apps/v1','kind':'StatefulSet','spec':{'volumeClaimTemplates':[{'metadata':{'name':'d'}}]}}",
        &[
            ("/spec/podManagementPolicy", "'OrderedReady'"),
            (
                "/spec/updateStrategy",
                "{'type':'RollingUpdate','rollingUpdate':{'partition':0}}",
            ),
            (
                "/spec/volumeClaimTemplates/0/kind",
                "'PersistentVolumeClaim'",
            ),
            ("/spec/volumeClaimTemplates/0/status", "{'phase':'Pending'}"),
        ],
    );
    let job = "{'apiVersion':'batch/v1','kind':'Job','spec':{}}";
    check(
        job,
        &[
            ("/spec/completions", "1"),
            ("/spec/parallelism", "1"),
            ("/spec/backoffLimit", "6"),
        ],
    );
    let queue = "{'apiVersion':'batch/v1','kind':'Job','spec':{'parallelism':2}}";
    check(
        queue,
        &[("/spec/completions", "null"), ("/spec/parallelism", "2")],
    );
    let many = "{'apiVersion':'batch/v1','kind':'Job','spec':{'completions':3}}";
    check(
        many,
        &[("/spec/completions", "3"), ("/spec/parallelism", "1")],
    );
}

#[test]
fn everything_else() {
    check(
        "{'apiVersion':'v1','kind':'Service','spec':{'ports':[{'port':80}]}}",
        &[
            ("/spec/type", "'ClusterIP'"),
            (
                "/spec/ports/0",
                "{'protocol':'TCP','port':80,'targetPort':80}",
            ),
            ("/spec/internalTrafficPolicy", "'Cluster'"),
            ("/spec/externalTrafficPolicy", "null"),
        ],
    );
    check(
        "{'apiVersion':'v1','kind':'Secret','data':{'a':'YQ=='},'stringData':{'a':'b'}}",
        &[
            ("/type", "'Opaque'"),
            ("/data", "{'a':'Yg=='}"),
            ("/stringData", "null"),
        ],
    );
    check(
        "{'apiVersion':'networking.k8s.io/v1','kind':'NetworkPolicy','spec':{'egress':[{}]}}",
        &[("/spec/policyTypes", "['Ingress','Egress']")],
    );
    check(
        "{'apiVersion':'rbac.authorization.k8s.io/v1','kind':'RoleBinding','subjects':[{'kind':'User','name':'u'},{'kind':'ServiceAccount','name':'s'}]}",
        &[
            ("/roleRef/apiGroup", "'rbac.authorization.k8s.io'"),
            ("/subjects/0/apiGroup", "'rbac.authorization.k8s.io'"),
            ("/subjects/1/apiGroup", "null"),
        ],
    );
    check(
        "{'apiVersion':'apiextensions.k8s.io/v1','kind':'CustomResourceDefinition','spec':{'names':{'kind':'Widget','plural':'widgets'},'versions':[{'name':'v1','served':true,'storage':true}]}}",
        &[
            ("/spec/names/singular", "'widget'"),
            ("/spec/names/listKind", "'WidgetList'"),
            ("/spec/conversion", "{'strategy':'None'}"),
            ("/status/storedVersions", "['v1']"),
        ],
    );
    check(
        "{'apiVersion':'admissionregistration.k8s.io/v1','kind':'ValidatingWebhookConfiguration','webhooks':[{'name':'a.b.c','clientConfig':{'service':{'name':'s','namespace':'n'}},'rules':[{'operations':['*'],'apiGroups':['*'],'apiVersions':['*'],'resources':['*']}]}]}",
        &[
            ("/webhooks/0/timeoutSeconds", "10"),
            ("/webhooks/0/rules/0/scope", "'*'"),
            ("/webhooks/0/clientConfig/service/port", "443"),
            ("/webhooks/0/namespaceSelector", "{}"),
        ],
    );
    check(
        "{'apiVersion':'v1','kind':'LimitRange','spec':{'limits':[{'type':'Container','max':{'cpu':'2'},'min':{'memory':'1Mi'}}]}}",
        &[
            ("/spec/limits/0/default", "{'cpu':'2'}"),
            (
                "/spec/limits/0/defaultRequest",
                "{'cpu':'2','memory':'1Mi'}",
            ),
        ],
    );
    check(
        "{'apiVersion':'v1','kind':'Namespace','metadata':{'name':'n'}}",
        &[
            ("/metadata/labels", "{'kubernetes.io/metadata.name':'n'}"),
            ("/status/phase", "'Active'"),
        ],
    );
}
