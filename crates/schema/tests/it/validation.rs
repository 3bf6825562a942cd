//! Refusals of built-in kinds, one small example each.

use schema::builtin;

use crate::{prepared, type_of};

/// Checks a new object, given without `apiVersion` and `kind`, which stand before.
fn check(api_version: &str, kind: &str, rest: &str, expected: &[&str]) {
    let node = prepared(&object(api_version, kind, rest));
    let errors = builtin::validate(type_of(&node), &node);
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts, expected, "{kind} {rest}");
}

/// Checks what may replace an object.
fn check_update(api_version: &str, kind: &str, old: &str, new: &str, expected: &[&str]) {
    let (old, new) = (
        prepared(&object(api_version, kind, old)),
        prepared(&object(api_version, kind, new)),
    );
    let errors = builtin::validate_update(type_of(&new), &new, &old);
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts, expected, "{kind}");
}

fn object(api_version: &str, kind: &str, rest: &str) -> String {
    let rest = match rest.starts_with("'metadata'") {
        true => rest.to_owned(),
        false => format!("'metadata':{{'name':'x','namespace':'n'}},{rest}"),
    };
    format!(
        "{{'apiVersion':'{api_version}','kind':'{kind}',{}}}",
        rest.trim_end_matches(',')
    )
}

/// A pod template whose container has `extra` fields.
fn template(extra: &str) -> String {
    format!(
        "'selector':{{'matchLabels':{{'a':'b'}}}},'template':{{'metadata':{{'labels':{{'a':'b'}}}},'spec':{{'containers':[{{'name':'c','image':'i'{extra}}}]}}}}"
    )
}

#[test]
fn metadata() {
    let data = "'data':{}";
    check("v1", "ConfigMap", data, &[]);
    check(
        "v1",
        "ConfigMap",
        "'metadata':{'namespace':'n'}",
        &["metadata.name: Required value: name or generateName is required"],
    );
    check(
        "v1",
        "ConfigMap",
        "'metadata':{'name':'x'}",
        &["metadata.namespace: Required value"],
    );
    check(
        "v1",
        "Node",
        "'metadata':{'name':'x','namespace':'n'}",
        &["metadata.namespace: Forbidden: not allowed on this type"],
    );
    check(
        "v1",
        "ConfigMap",
        "'metadata':{'name':'x','namespace':'n','finalizers':['plain']}",
        &[
            "metadata.finalizers[0]: Invalid value: \"plain\": name is neither a standard finalizer name nor is it fully qualified",
        ],
    );
    check(
        "rbac.authorization.k8s.io/v1",
        "Role",
        "'metadata':{'name':'a/b','namespace':'n'}",
        &["metadata.name: Invalid value: \"a/b\": may not contain '/'"],
    );
    check(
        "rbac.authorization.k8s.io/v1",
        "Role",
        "'metadata':{'name':'system:any_Name','namespace':'n'}",
        &[],
    );
    check(
        "v1",
        "ConfigMap",
        "'metadata':{'name':'x','namespace':'n','ownerReferences':[{'apiVersion':'v1','kind':'A','name':'x','uid':'1','controller':true},{'apiVersion':'v1','kind':'B','name':'y','uid':'2','controller':true}]}",
        &[
            "metadata.ownerReferences: Invalid value: [{\"apiVersion\":\"v1\",\"kind\":\"A\",\"name\":\"x\",\"uid\":\"1\",\"controller\":true},{\"apiVersion\":\"v1\",\"kind\":\"B\",\"name\":\"y\",\"uid\":\"2\",\"controller\":true}]: Only one reference can have Controller set to true. Found \"true\" in references for A/x and B/y",
        ],
    );
    check_update(
        "v1",
        "ConfigMap",
        "'metadata':{'name':'x','namespace':'n','uid':'1'}",
        "'metadata':{'name':'x','namespace':'n','uid':'2'}",
        &["metadata.uid: Invalid value: \"2\": field is immutable"],
    );
    let dying = "'metadata':{'name':'x','namespace':'n','deletionTimestamp':'2024-01-01T00:00:00Z','finalizers':['a.b/c']}";
    check_update(
        "v1",
        "ConfigMap",
        dying,
        &dying.replace("'a.b/c'", "'a.b/c','a.b/d'"),
        &[
            "metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{\"a.b/d\"}",
        ],
    );
}

#[test]
fn pod_templates() {
    let deployment = |extra: &str, expected: &[&str]| {
        check(
            "apps/v1",
            "Deployment",
            &format!("'spec':{{{}}}", template(extra)),
            expected,
        );
    };
    deployment("", &[]);
    deployment(
        ",'ports':[{'containerPort':70000}]",
        &[
            "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
        ],
    );
    deployment(
        ",'volumeMounts':[{'name':'v','mountPath':'/v'}]",
        &["spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"v\""],
    );
    deployment(
        ",'livenessProbe':{}",
        &[
            "spec.template.spec.containers[0].livenessProbe: Required value: must specify a handler type",
        ],
    );
    deployment(
        ",'resources':{'limits':{'cpu':'1'},'requests':{'cpu':'2'}}",
        &[
            "spec.template.spec.containers[0].resources.requests: Invalid value: \"2\": must be less than or equal to cpu limit of 1",
        ],
    );
    deployment(
        ",'env':[{'name':'A=B'}]",
        &[
            "spec.template.spec.containers[0].env[0].name: Invalid value: \"A=B\": a valid environment variable name must consist only of printable ASCII characters other than '='",
        ],
    );
}

#[test]
fn workloads() {
    check(
        "apps/v1",
        "Deployment",
        "'spec':{'selector':{'matchLabels':{'x':'y'}},'template':{'metadata':{'labels':{'a':'b'}},'spec':{'containers':[{'name':'c','image':'i'}]}}}",
        &[
            "spec.template.metadata.labels: Invalid value: {\"a\":\"b\"}: `selector` does not match template `labels`",
        ],
    );
    check(
        "apps/v1",
        "Deployment",
        &format!(
            "'spec':{{{},'strategy':{{'rollingUpdate':{{'maxSurge':0,'maxUnavailable':0}}}}}}",
            template("")
        ),
        &[
            "spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0",
        ],
    );
    let spec = format!("'spec':{{{}}}", template(""));
    check_update(
        "apps/v1",
        "Deployment",
        &spec,
        &spec.replace("'b'", "'c'"),
        &["spec.selector: Invalid value: {\"matchLabels\":{\"a\":\"c\"}}: field is immutable"],
    );
    check_update(
        "apps/v1",
        "StatefulSet",
        &spec,
        &spec.replace("'spec':{'selector'", "'spec':{'serviceName':'s','selector'"),
        &[
            "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ],
    );
    check_update(
        "apps/v1",
        "StatefulSet",
        &spec,
        &spec.replace("'image':'i'", "'image':'j'"),
        &[],
    );
    check(
        "batch/v1",
        "CronJob",
        "'spec':{'schedule':'@never','jobTemplate':{'spec':{'template':{'spec':{'restartPolicy':'Never','containers':[{'name':'c','image':'i'}]}}}}}",
        &["spec.schedule: Invalid value: \"@never\": unrecognized descriptor: @never"],
    );
}

#[test]
fn services_and_networking() {
    check(
        "v1",
        "Service",
        "'spec':{'ports':[{'port':80},{'port':81}]}",
        &[
            "spec.ports[0].name: Required value",
            "spec.ports[1].name: Required value",
        ],
    );
    check(
        "v1",
        "Service",
        "'spec':{'clusterIP':'None','clusterIPs':['None']}",
        &[],
    );
    check(
        "v1",
        "Service",
        "'spec':{'type':'ExternalName','externalName':'-x'}",
        &[
            "spec.externalName: Invalid value: \"-x\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        ],
    );
    let ingress = |path: &str, expected: &[&str]| {
        let rest = format!(
            "'spec':{{'rules':[{{'host':'*.example.com','http':{{'paths':[{{{path}'backend':{{'service':{{'name':'s','port':{{'number':80}}}}}}}}]}}}}]}}"
        );
        check("networking.k8s.io/v1", "Ingress", &rest, expected);
    };
    ingress("'path':'/','pathType':'Prefix',", &[]);
    ingress(
        "'path':'/',",
        &["spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified"],
    );
    ingress(
        "'path':'x','pathType':'Exact',",
        &["spec.rules[0].http.paths[0].path: Invalid value: \"x\": must be an absolute path"],
    );
    check(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "'spec':{'ingress':[{'from':[{'ipBlock':{'cidr':'10.0.0.0/8','except':['11.0.0.0/16']}}]}]}",
        &[
            "spec.ingress[0].from[0].ipBlock.except[0]: Invalid value: \"11.0.0.0/16\": must be a strict subset of `cidr`",
        ],
    );
}

#[test]
fn configuration_and_storage() {
    check(
        "v1",
        "ConfigMap",
        "'data':{'a b':''}",
        &[
            "data[a b]: Invalid value: \"a b\": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
        ],
    );
    check_update(
        "v1",
        "ConfigMap",
        "'immutable':true,'data':{'a':'1'}",
        "'immutable':true,'data':{'a':'2'}",
        &["data: Forbidden: field is immutable when `immutable` is set"],
    );
    check_update(
        "v1",
        "Secret",
        "'type':'Opaque'",
        "'type':'a.b/c'",
        &["type: Invalid value: \"a.b/c\": field is immutable"],
    );
    check(
        "v1",
        "Secret",
        "'type':'kubernetes.io/tls','stringData':{'tls.crt':'x'}",
        &["data[tls.key]: Required value"],
    );
    check(
        "v1",
        "PersistentVolumeClaim",
        "'spec':{}",
        &[
            "spec.accessModes: Required value: at least 1 access mode is required",
            "spec.resources[storage]: Required value",
        ],
    );
    let claim =
        "'spec':{'accessModes':['ReadWriteOnce'],'resources':{'requests':{'storage':'1Gi'}}}";
    let old = prepared(&object("v1", "PersistentVolumeClaim", claim));
    let new = prepared(&object(
        "v1",
        "PersistentVolumeClaim",
        &claim.replace("1Gi", "2Gi"),
    ));
    let errors = builtin::validate_update(type_of(&new), &new, &old);
    assert_eq!(errors.len(), 1);
    let text = errors[0].to_string();
    assert!(text.starts_with("spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims\n@@ "), "{text}");
    assert!(
        text.contains("\n-   \"storage\": \"1Gi\"\n+   \"storage\": \"2Gi\"\n"),
        "{text}"
    );
    check(
        "v1",
        "ResourceQuota",
        "'spec':{'hard':{'foo':'1'}}",
        &[
            "spec.hard[foo]: Invalid value: \"foo\": must be a standard resource type or fully qualified",
            "spec.hard[foo]: Invalid value: \"foo\": must be a standard resource for quota",
        ],
    );
}

#[test]
fn the_rest() {
    let hpa = |spec: &str, expected: &[&str]| {
        let rest = format!(
            "'spec':{{'scaleTargetRef':{{'apiVersion':'apps/v1','kind':'Deployment','name':'d'}},{spec}}}"
        );
        check("autoscaling/v2", "HorizontalPodAutoscaler", &rest, expected);
    };
    hpa("'maxReplicas':3", &[]);
    hpa(
        "'maxReplicas':1,'minReplicas':2",
        &["spec.maxReplicas: Invalid value: 1: must be greater than or equal to `minReplicas`"],
    );
    check(
        "policy/v1",
        "PodDisruptionBudget",
        "'spec':{'minAvailable':1,'maxUnavailable':1}",
        &[
            "spec: Invalid value: {\"MinAvailable\":1,\"Selector\":null,\"MaxUnavailable\":1,\"UnhealthyPodEvictionPolicy\":null}: minAvailable and maxUnavailable cannot be both set",
        ],
    );
    check(
        "rbac.authorization.k8s.io/v1",
        "Role",
        "'rules':[{'apiGroups':[''],'resources':['pods']}]",
        &["rules[0].verbs: Required value: verbs must contain at least one value"],
    );
    let binding = "'roleRef':{'kind':'Role','name':'r'},'subjects':[{'kind':'User','name':'u'}]";
    check_update(
        "rbac.authorization.k8s.io/v1",
        "RoleBinding",
        binding,
        &binding.replace("'r'", "'s'"),
        &[
            "roleRef: Invalid value: {\"APIGroup\":\"rbac.authorization.k8s.io\",\"Kind\":\"Role\",\"Name\":\"s\"}: cannot change roleRef",
        ],
    );
    let class = "'metadata':{'name':'c'},'value':5";
    check_update(
        "scheduling.k8s.io/v1",
        "PriorityClass",
        class,
        &class.replace('5', "6"),
        &["value: Forbidden: may not be changed in an update."],
    );
}
