//! Objects in the shapes of all releases: what is taken, what is refused, what cannot be changed.

use object::Node;

use super::{Admitted, Served, documents};

fn object(kind: &str, spec: &str) -> Node {
    let text = format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
    );
    documents(&text).remove(0)
}

fn admit(kind: &str, spec: &str) -> Admitted {
    let served = Served::get();
    served.admit(&object(kind, spec), None).expect(kind)
}

/// Checks lines of `Kind spec`, each of which is kept as it is.
fn accepted(table: &str) {
    let served = Served::get();
    for line in lines(table) {
        let (kind, spec) = line.split_once(' ').unwrap();
        let object = object(kind, spec);
        let admitted = served.admit(&object, None).expect(kind);
        assert_eq!(admitted.errors, Vec::<String>::new(), "{line}");
        assert_eq!(admitted.pruned, Vec::<String>::new(), "{line}");
        assert_eq!(admitted.node, object, "{line}");
    }
}

/// Checks lines of `Kind spec => first error`.
fn refused(table: &str) {
    let served = Served::get();
    for line in lines(table) {
        let (object_text, expected) = line.rsplit_once(" => ").unwrap();
        let (kind, spec) = object_text.split_once(' ').unwrap();
        let admitted = served.admit(&object(kind, spec), None).expect(kind);
        let first = admitted.errors.first().map_or("accepted", String::as_str);
        assert_eq!(first, expected, "{line}");
    }
}

/// Checks lines of `Kind spec --> spec => errors`, `Kind spec --> spec` for what may be changed.
fn updated(table: &str) {
    let served = Served::get();
    for line in lines(table) {
        let (change, expected) = line.split_once(" => ").unwrap_or((line, ""));
        let (kind, specs) = change.split_once(' ').unwrap();
        let (old, new) = specs.split_once(" --> ").unwrap();
        let old = served.admit(&object(kind, old), None).expect(kind);
        assert_eq!(old.errors, Vec::<String>::new(), "{line}");
        let new = served
            .admit(&object(kind, new), Some(&old.node))
            .expect(kind);
        assert_eq!(new.errors.join("; "), expected, "{line}");
    }
}

fn lines(table: &str) -> impl Iterator<Item = &str> {
    table.lines().map(str::trim).filter(|line| !line.is_empty())
}

#[test]
fn shapes_of_all_releases_are_taken_as_they_are() {
    accepted(
        "
        Organization {}
        Project {deploymentPipelineRef: main}
        Project {deploymentPipelineRef: {kind: DeploymentPipeline, name: main}, displayName: Not declared anywhere}
        Project {deploymentPipelineRef: main, type: {kind: ClusterProjectType, name: default}, parameters: {quota: 3}}
        Environment {isProduction: true}
        Environment {dataPlaneRef: east, gateway: {dnsPrefix: dev, security: {remoteJwks: {uri: 'https://example.com/keys'}}}}
        Environment {dataPlaneRef: {kind: ClusterDataPlane, name: east}, gateway: {ingress: {external: {name: g, namespace: gateways, https: {host: example.com, port: 443}}}}}
        DataPlane {agent: {enabled: true, clientCA: {secretRef: {name: ca, key: ca.crt}}}, gateway: {publicVirtualHost: p, organizationVirtualHost: o}}
        DataPlane {kubernetesCluster: {server: 'https://c', tls: {ca: {value: x}}, auth: {bearerToken: {value: t}}}, observer: {url: u, authentication: {basicAuth: {username: a, password: b}}}}
        DataPlane {clusterAgent: {clientCA: {secretRef: {name: ca, key: ca.crt}}}, observabilityPlaneRef: logs, planeID: east, imagePullSecretRefs: [pull]}
        DataPlane {clusterAgent: {clientCA: {secretKeyRef: {name: ca, key: ca.crt}}}, observabilityPlaneRef: {kind: ObservabilityPlane, name: logs}}
        ClusterDataPlane {planeID: east, clusterAgent: {clientCA: {value: x}}, observabilityPlaneRef: {kind: ClusterObservabilityPlane, name: logs}}
        DeploymentPipeline {promotionPaths: [{sourceEnvironmentRef: dev, targetEnvironmentRefs: [{name: prod, requiresApproval: true, isManualApprovalRequired: true}]}]}
        DeploymentPipeline {promotionPaths: [{sourceEnvironmentRef: {kind: Environment, name: dev}, targetEnvironmentRefs: [{kind: Environment, name: prod}]}]}
        Component {owner: {projectName: p}, type: Service}
        Component {owner: {projectName: p}, componentType: deployment/web, autoDeploy: true, traits: [{name: logs, instanceName: l}]}
        Component {owner: {projectName: p}, componentType: job/a, workflow: {name: w, systemParameters: {repository: {url: 'https://example.com', appPath: /, revision: {branch: main, commit: abcdef0}}}}}
        Component {owner: {projectName: p}, componentType: {kind: ClusterComponentType, name: deployment/web}, traits: [{kind: ClusterTrait, name: logs, instanceName: l, parameters: null}], workflow: {kind: Workflow, name: w}}
        Workload {owner: {projectName: p, componentName: c}, containers: {app: {image: a, env: [{key: A, valueFrom: {secretRef: {name: s, key: k}}}]}, side: {image: b}}, endpoints: {rest: {type: REST, port: 80}}, connections: {c: {type: api, params: {a: b}, inject: {env: [{name: A, value: b}]}}}}
        Workload {owner: {projectName: p, componentName: c}, container: {image: a, env: [{key: A}], files: [{key: a, mountPath: /a, valueFrom: {secretKeyRef: {name: s, key: k}}}]}, endpoints: {w: {type: HTTP, port: 80, targetPort: 8080, visibility: [external, project]}}}
        Workload {owner: {projectName: p, componentName: c}, container: {image: a}, dependencies: {endpoints: [{component: d, name: w, visibility: project, envBindings: {address: D}}], resources: [{ref: db, envBindings: {host: DB_HOST}}]}}
        ReleaseBinding {owner: {projectName: p, componentName: c}, environment: dev}
        ReleaseBinding {owner: {projectName: p, componentName: c}, environment: dev, releaseName: r, componentTypeEnvOverrides: {replicas: 2}, traitOverrides: {l: {size: 1Gi}}, workloadOverrides: {containers: {app: {env: [{key: A, value: b}]}}}}
        ReleaseBinding {owner: {projectName: p, componentName: c}, environment: dev, state: Undeploy, componentTypeEnvironmentConfigs: {replicas: 2}, traitEnvironmentConfigs: {l: {size: 1Gi}}, workloadOverrides: {container: {env: [{key: A, value: b}]}}}
        RenderedRelease {owner: {projectName: p, resourceName: db}, environmentName: dev, targetPlane: dataplane, interval: 5m, resources: [{id: a, object: {kind: ConfigMap, data: {a: null}}}]}
        SecretReference {refreshInterval: 5m, template: {type: kubernetes.io/tls}, data: [{secretKey: a, remoteRef: {key: b}}], targetPlane: {kind: DataPlane, name: east}}
        ProjectReleaseBinding {owner: {projectName: p}, environment: dev, projectRelease: r, environmentConfigs: {a: b}}
        WorkflowPlane {anything: [goes, {here: null}]}
        ",
    );
}

/// A template with all that could be filled in.
const TEMPLATE: &str = "{id: deployment, targetPlane: dataplane, template: {kind: Deployment, spec: {replicas: '${parameters.replicas}'}}}";

#[test]
fn types_traits_and_releases_of_both_forms_are_taken_as_they_are() {
    let shorthand = format!(
        "{{workloadType: deployment, allowedWorkflows: [build], schema: {{parameters: {{replicas: integer | default=1}}, envOverrides: {{size: string}}}}, resources: [{TEMPLATE}]}}"
    );
    let schemas = format!(
        "{{workloadType: deployment, allowedWorkflows: [{{kind: Workflow, name: build}}], parameters: {{openAPIV3Schema: {{type: object}}}}, preRenderValidations: [{{rule: '${{true}}', message: m}}], traits: [{{kind: Trait, name: t, instanceName: i}}], resources: [{TEMPLATE}]}}"
    );
    let patches = "{patches: [{targetPlane: dataplane, target: {version: v1, kind: Deployment}, operations: [{op: mergeShallow, path: /metadata/labels, value: {a: b}}, {op: add, path: /a, value: null}]}]}";
    let removes = "{removes: [{targetPlane: dataplane, target: {group: '', version: v1, kind: Service}, forEach: '${parameters.names}', var: name}]}";
    let owner = "owner: {projectName: p, componentName: c}";
    accepted(&format!(
        "
        ComponentType {shorthand}
        ComponentType {schemas}
        ComponentType {{workloadType: proxy, resources: [{{id: route, targetPlane: observabilityplane, includeWhen: 'true', template: {{a: b}}}}]}}
        ClusterComponentType {{workloadType: deployment, allowedTraits: [{{kind: ClusterTrait, name: t}}], resources: [{TEMPLATE}]}}
        Trait {patches}
        Trait {removes}
        ClusterTrait {removes}
        ProjectType {{resources: [{TEMPLATE}]}}
        ComponentRelease {{{owner}, componentType: {shorthand}, traits: {{t: {patches}}}, componentProfile: {{parameters: null, traits: [{{name: t, instanceName: i}}]}}, workload: {{containers: {{app: {{image: a}}}}}}}}
        ComponentRelease {{{owner}, componentType: {{kind: ComponentType, name: web, spec: {schemas}}}, traits: [{{kind: Trait, name: t, spec: {removes}}}], workload: {{container: {{image: a}}}}}}
        ProjectRelease {{owner: {{projectName: p}}, projectType: {{kind: ProjectType, name: t, spec: {{resources: [{TEMPLATE}]}}}}}}
        "
    ));
}

#[test]
fn what_no_release_takes_is_refused() {
    refused(
        "
        Project {} => spec.deploymentPipelineRef: Required value
        Project {deploymentPipelineRef: {kind: Environment, name: a}} => spec.deploymentPipelineRef.kind: Unsupported value: \"Environment\": supported values: \"DeploymentPipeline\"
        Environment {dataPlaneRef: {name: a}} => spec.dataPlaneRef.kind: Required value
        Component {componentType: job/a} => spec.owner: Required value
        Component {owner: {projectName: p}} => spec: Invalid value: Component must have either spec.type or spec.componentType set
        Component {owner: {projectName: p}, componentType: foo/x} => spec.componentType: Invalid value: \"foo/x\": spec.componentType in body should match '^(deployment|statefulset|cronjob|job|proxy)/[a-z0-9]([-a-z0-9]*[a-z0-9])?$'
        Component {owner: {projectName: p}, componentType: {name: foo/x}} => spec.componentType.name: Invalid value: \"foo/x\": spec.componentType.name in body should match '^(deployment|statefulset|cronjob|job|proxy)/[a-z0-9]([-a-z0-9]*[a-z0-9])?$'
        Component {owner: {projectName: p}, componentType: {kind: Trait, name: job/x}} => spec.componentType.kind: Unsupported value: \"Trait\": supported values: \"ComponentType\", \"ClusterComponentType\"
        ComponentType {workloadType: deployment, resources: [{id: a, template: {}}]} => spec: Invalid value: resources must contain a primary resource with id matching workloadType (unless workloadType is 'proxy')
        ComponentType {workloadType: proxy, resources: []} => spec.resources: Invalid value: 0: spec.resources in body should have at least 1 items
        ComponentType {workloadType: proxy, resources: [{id: a, template: {}, forEach: '${x}'}]} => spec.resources[0]: Invalid value: var is required when forEach is specified
        ComponentType {workloadType: daemonset, resources: [{id: a, template: {}}]} => spec.workloadType: Unsupported value: \"daemonset\": supported values: \"deployment\", \"statefulset\", \"cronjob\", \"job\", \"proxy\"
        ClusterComponentType {workloadType: proxy, allowedTraits: [{kind: Trait, name: t}], resources: [{id: a, template: {}}]} => spec.allowedTraits[0].kind: Unsupported value: \"Trait\": supported values: \"ClusterTrait\"
        Trait {creates: [{template: {}, includeWhen: 'true'}]} => spec.creates[0].includeWhen: Invalid value: \"true\": spec.creates[0].includeWhen in body should match '^\\$\\{[\\s\\S]+\\}\\s*$'
        Trait {patches: [{target: {version: v1, kind: A}, operations: [{op: move, path: /a}]}]} => spec.patches[0].operations[0].op: Unsupported value: \"move\": supported values: \"add\", \"replace\", \"remove\", \"mergeShallow\"
        Trait {validations: [{rule: '${true}', message: m}], preRenderValidations: [{rule: '${true}', message: m}]} => spec: Invalid value: set only one of spec.validations or spec.preRenderValidations; validations is deprecated, use preRenderValidations
        Workload {owner: {projectName: p, componentName: c}, endpoints: {a: {type: HTTP, port: 70000}}} => spec.endpoints.a.port: Invalid value: 70000: spec.endpoints.a.port in body should be less than or equal to 65535
        Workload {owner: {projectName: p, componentName: c}, container: {image: a, env: [{key: A, value: b, valueFrom: {}}]}} => spec.container.env[0]: Invalid value: value and valueFrom are mutually exclusive
        ReleaseBinding {owner: {projectName: p, componentName: c}} => spec.environment: Required value
        ReleaseBinding {owner: {projectName: p, componentName: c}, environment: dev, state: Paused} => spec.state: Unsupported value: \"Paused\": supported values: \"Active\", \"Undeploy\"
        ComponentRelease {owner: {projectName: p, componentName: c}, workload: {}, componentType: {kind: ComponentType, name: web}} => spec.componentType: Invalid value: needs kind, name and spec of a component type, or its resources and workloadType
        SecretReference {template: {}, data: []} => spec.data: Invalid value: 0: spec.data in body should have at least 1 items
        ",
    );
}

#[test]
fn what_cannot_be_changed_is_not() {
    let environment = "spec: Invalid value: dataPlaneRef is immutable once set";
    let component =
        "spec.componentType: Invalid value: spec.componentType cannot be changed after creation";
    let owner = "owner: {projectName: p, componentName: c}";
    updated(&format!(
        "
        Environment {{}} --> {{dataPlaneRef: a}}
        Environment {{dataPlaneRef: ''}} --> {{dataPlaneRef: {{kind: DataPlane, name: a}}}}
        Environment {{dataPlaneRef: a}} --> {{dataPlaneRef: a, isProduction: true}}
        Environment {{dataPlaneRef: a}} --> {{dataPlaneRef: b}} => {environment}
        Environment {{dataPlaneRef: a}} --> {{}} => {environment}
        Environment {{dataPlaneRef: {{kind: DataPlane, name: a}}}} --> {{dataPlaneRef: {{kind: DataPlane, name: a}}, gateway: {{}}}}
        Environment {{dataPlaneRef: {{kind: DataPlane, name: a}}}} --> {{dataPlaneRef: {{kind: ClusterDataPlane, name: a}}}} => {environment}
        Component {{owner: {{projectName: p}}, componentType: deployment/http-service}} --> {{owner: {{projectName: p}}, componentType: deployment/http-service, autoDeploy: true}}
        Component {{owner: {{projectName: p}}, componentType: deployment/http-service}} --> {{owner: {{projectName: p}}, componentType: statefulset/x}} => {component}
        Component {{owner: {{projectName: p}}, componentType: {{name: deployment/a}}}} --> {{owner: {{projectName: p}}, componentType: {{kind: ComponentType, name: deployment/a}}}}
        Component {{owner: {{projectName: p}}, componentType: {{name: deployment/a}}}} --> {{owner: {{projectName: p}}, componentType: {{name: deployment/b}}}} => {component}
        Component {{owner: {{projectName: p}}, componentType: {{name: deployment/a}}}} --> {{owner: {{projectName: p}}, type: Service}} => {component}
        Component {{owner: {{projectName: p}}, type: Service}} --> {{owner: {{projectName: p}}, componentType: deployment/a}}
        Component {{owner: {{projectName: p}}, type: a}} --> {{owner: {{projectName: q}}, type: a}} => spec.owner: Invalid value: spec.owner is immutable
        ReleaseBinding {{{owner}, environment: dev}} --> {{{owner}, environment: dev, releaseName: r}}
        ReleaseBinding {{{owner}, environment: dev}} --> {{{owner}, environment: prod}} => spec.environment: Invalid value: \"prod\": spec.environment is immutable
        ReleaseBinding {{{owner}, environment: dev}} --> {{owner: {{projectName: p, componentName: d}}, environment: dev}} => spec.owner: Invalid value: spec.owner is immutable
        Workload {{{owner}, container: {{image: a}}}} --> {{{owner}, container: {{image: b}}}}
        ComponentType {{workloadType: job, resources: [{{id: job, template: {{}}}}]}} --> {{workloadType: proxy, resources: [{{id: job, template: {{}}}}]}} => spec.workloadType: Invalid value: \"proxy\": spec.workloadType cannot be changed after creation
        RenderedRelease {{owner: {{projectName: p}}, environmentName: a}} --> {{owner: {{projectName: q}}, environmentName: a}} => spec.owner: Invalid value: spec.owner is immutable
        Project {{deploymentPipelineRef: a}} --> {{deploymentPipelineRef: {{name: b}}, type: {{name: t}}}}
        Project {{deploymentPipelineRef: a, type: {{name: t}}}} --> {{deploymentPipelineRef: a, type: {{name: u}}}} => spec.type: Invalid value: spec.type cannot be changed after creation
        "
    ));
}

#[test]
fn releases_are_frozen() {
    let resources = "resources: [{id: job, template: {a: b}}]";
    let owner = "owner: {projectName: p, componentName: c}";
    let old = format!(
        "{{{owner}, componentType: {{workloadType: job, {resources}}}, traits: {{t: {{creates: [{{template: {{a: b}}}}]}}}}, componentProfile: {{parameters: null}}, workload: {{containers: {{app: {{image: a}}}}}}}}"
    );
    let new = format!(
        "{{{owner}, componentType: {{kind: ComponentType, name: t, spec: {{workloadType: job, {resources}}}}}, traits: [{{kind: Trait, name: t, spec: {{creates: [{{template: {{a: b}}}}]}}}}], workload: {{container: {{image: a}}}}}}"
    );
    let immutable = |field: &str| format!("spec.{field}: Invalid value: spec.{field} is immutable");
    let mut table = String::new();
    for (spec, from, to, field) in [
        (&old, "image: a", "image: b", "workload"),
        (
            &old,
            "a: b}}]}}, componentP",
            "a: c}}]}}, componentP",
            "traits",
        ),
        (
            &old,
            "traits: {t: {creates: [{template: {a: b}}]}}, ",
            "",
            "traits",
        ),
        (
            &old,
            "parameters: null",
            "parameters: {a: 1}",
            "componentProfile",
        ),
        (
            &old,
            "componentProfile: {parameters: null}, ",
            "",
            "componentProfile",
        ),
        (
            &old,
            "{a: b}}]}, traits",
            "{a: c}}]}, traits",
            "componentType",
        ),
        (
            &old,
            "workloadType: job",
            "workloadType: job, unknown: 1",
            "componentType",
        ),
        (&old, "projectName: p", "projectName: q", "owner"),
        (&new, "image: a", "image: b", "workload"),
        (
            &new,
            "{a: b}}]}}], workload",
            "{a: c}}]}}], workload",
            "traits",
        ),
        (
            &new,
            "{a: b}}]}}, traits",
            "{a: c}}]}}, traits",
            "componentType",
        ),
        (
            &new,
            "workload:",
            "componentProfile: {}, workload:",
            "componentProfile",
        ),
    ] {
        let changed = spec.replacen(from, to, 1);
        assert_ne!(*spec, changed, "{from}");
        table += &format!(
            "ComponentRelease {spec} --> {changed} => {}\n",
            immutable(field)
        );
    }
    table += &format!("ComponentRelease {old} --> {old}\nComponentRelease {new} --> {new}\n");
    updated(&table);

    let served = Served::get();
    let before = object("ComponentRelease", &old);
    let mut labelled = before.clone();
    labelled.set(&["metadata", "labels", "team"], "web");
    let before = served.admit(&before, None).unwrap().node;
    let labelled = served.admit(&labelled, Some(&before)).unwrap();
    assert_eq!(labelled.errors, Vec::<String>::new());

    let project = "{owner: {projectName: p}, projectType: {kind: ProjectType, name: t, spec: {resources: [{id: a, template: {}}]}}}";
    let changed = project.replace("template: {}", "template: {a: b}");
    updated(&format!(
        "ProjectRelease {project} --> {changed} => spec: Invalid value: ProjectRelease spec is immutable"
    ));
}

#[test]
fn defaults_are_those_that_fit_every_release() {
    for (kind, spec, path, expected) in [
        (
            "Project",
            "{deploymentPipelineRef: {name: a}}",
            "deploymentPipelineRef",
            r#"{"name":"a","kind":"DeploymentPipeline"}"#,
        ),
        (
            "Project",
            "{deploymentPipelineRef: a}",
            "deploymentPipelineRef",
            r#""a""#,
        ),
        (
            "Project",
            "{deploymentPipelineRef: a, type: {name: t}}",
            "type",
            r#"{"name":"t","kind":"ProjectType"}"#,
        ),
        (
            "Component",
            "{owner: {projectName: p}, componentType: {name: job/a}}",
            "componentType",
            r#"{"name":"job/a","kind":"ComponentType"}"#,
        ),
        (
            "SecretReference",
            "{template: {}, data: [{secretKey: a, remoteRef: {key: b}}]}",
            "template",
            r#"{"type":"Opaque"}"#,
        ),
        (
            "Release",
            "{owner: {projectName: p, componentName: c}, environmentName: e}",
            "targetPlane",
            r#""dataplane""#,
        ),
        (
            "ComponentType",
            "{workloadType: job, allowedWorkflows: [a, {name: b}], resources: [{id: job, template: {}}]}",
            "allowedWorkflows",
            r#"["a",{"name":"b","kind":"ClusterWorkflow"}]"#,
        ),
        (
            "ComponentType",
            "{workloadType: job, resources: [{id: job, template: {}}]}",
            "resources",
            r#"[{"id":"job","template":{},"targetPlane":"dataplane"}]"#,
        ),
        // Another release would take them for something else.
        (
            "Component",
            "{owner: {projectName: p}, type: a, traits: [{name: t, instanceName: i}], workflow: {name: w}}",
            "traits",
            r#"[{"name":"t","instanceName":"i"}]"#,
        ),
        (
            "Component",
            "{owner: {projectName: p}, type: a, workflow: {name: w}}",
            "workflow",
            r#"{"name":"w"}"#,
        ),
        (
            "DataPlane",
            "{gateway: {publicVirtualHost: p}}",
            "gateway",
            r#"{"publicVirtualHost":"p"}"#,
        ),
        (
            "DeploymentPipeline",
            "{promotionPaths: [{sourceEnvironmentRef: a, targetEnvironmentRefs: [{name: b}]}]}",
            "promotionPaths",
            r#"[{"sourceEnvironmentRef":"a","targetEnvironmentRefs":[{"name":"b"}]}]"#,
        ),
    ] {
        let admitted = admit(kind, spec);
        assert_eq!(admitted.errors, Vec::<String>::new(), "{kind} {spec}");
        let found = admitted.node.at(&["spec", path]).unwrap();
        assert_eq!(object::json::to_string(found), expected, "{kind} {spec}");
    }
    let binding = admit(
        "ReleaseBinding",
        "{owner: {projectName: p, componentName: c}, environment: e}",
    );
    assert_eq!(binding.node.at(&["spec", "state"]), None);
}

#[test]
fn hostile_objects_are_judged_like_others() {
    let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
    for (kind, spec) in [
        (
            "Component",
            format!("{{owner: {{projectName: p}}, componentType: {deep}}}"),
        ),
        (
            "Component",
            format!("{{owner: {{projectName: p}}, componentType: job/a, parameters: {deep}}}"),
        ),
        (
            "Project",
            "{deploymentPipelineRef: [1, true, null]}".to_owned(),
        ),
        (
            "Project",
            "{deploymentPipelineRef: 9223372036854775807}".to_owned(),
        ),
        (
            "ComponentRelease",
            format!("{{traits: {deep}, owner: 1, componentType: [], workload: null}}"),
        ),
        ("Environment", "{dataPlaneRef: true}".to_owned()),
        ("Workload", "[]".to_owned()),
        ("Trait", "null".to_owned()),
    ] {
        let first = admit(kind, &spec);
        let again = Served::get().admit(&first.node, Some(&first.node)).unwrap();
        assert_eq!(first.node, again.node, "{kind} {spec}");
    }
    let many = vec!["{name: t, instanceName: i}"; 5000].join(", ");
    let admitted = admit(
        "Component",
        &format!("{{owner: {{projectName: p}}, componentType: job/a, traits: [{many}]}}"),
    );
    assert_eq!(admitted.errors, Vec::<String>::new());
}
