//! A platform of OpenChoreo's kinds: one tenant, two data planes, three environments, and so many
//! components, each with a release that is bound in every environment.

use super::{Put, fill};

/// Environments of the pipeline, in its order, each with its data plane.
pub const ENVIRONMENTS: [(&str, &str); 3] = [
    ("development", "non-prod"),
    ("staging", "non-prod"),
    ("production", "prod"),
];

/// The namespace of the tenant.
pub const TENANT: &str = "acme";

/// Components of one project.
const PER_PROJECT: usize = 100;

const ORGANIZATION: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: acme
  labels:
    openchoreo.dev/organization: acme
---
apiVersion: openchoreo.dev/v1alpha1
kind: Organization
metadata:
  name: acme
  annotations:
    openchoreo.dev/display-name: Acme
";

const DATA_PLANE: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: DataPlane
metadata:
  name: {name}
  namespace: acme
spec:
  gateway:
    organizationVirtualHost: {name}.internal.example.com
    publicVirtualHost: {name}.example.com
  secretStoreRef:
    name: default
";

const ENVIRONMENT: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata:
  name: {name}
  namespace: acme
  labels:
    openchoreo.dev/name: {name}
spec:
  dataPlaneRef: {plane}
  gateway:
    dnsPrefix: {name}
  isProduction: {production}
";

const PIPELINE: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: DeploymentPipeline
metadata:
  name: standard
  namespace: acme
spec:
  promotionPaths:
    - sourceEnvironmentRef: development
      targetEnvironmentRefs:
        - name: staging
          requiresApproval: false
    - sourceEnvironmentRef: staging
      targetEnvironmentRefs:
        - name: production
          requiresApproval: false
";

const PROJECT: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata:
  name: {project}
  namespace: acme
spec:
  deploymentPipelineRef: standard
";

/// What is inside a ComponentType or a release of it; a worker has no route.
const SERVICE_TYPE: &str = "\
workloadType: deployment
schema:
  parameters:
    imagePullPolicy: string | default=IfNotPresent
    port: integer | default=80
  envOverrides:
    replicas: integer | default=1
    resources:
      $default: {}
      requests:
        $default: {}
        cpu: string | default=100m
        memory: string | default=256Mi
      limits:
        $default: {}
        cpu: string | default=1000m
        memory: string | default=1Gi
resources:
- id: deployment
  template:
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: ${metadata.name}
      namespace: ${metadata.namespace}
      labels: ${metadata.labels}
    spec:
      replicas: ${envOverrides.replicas}
      selector:
        matchLabels: ${metadata.podSelectors}
      template:
        metadata:
          labels: ${metadata.podSelectors}
        spec:
          containers:
          - name: main
            image: ${workload.containers[\"main\"].image}
            imagePullPolicy: ${parameters.imagePullPolicy}
            args: ['--environment=${metadata.environmentName}']
            ports:
            - name: http
              containerPort: ${parameters.port}
              protocol: TCP
            resources:
              requests:
                cpu: ${envOverrides.resources.requests.cpu}
                memory: ${envOverrides.resources.requests.memory}
              limits:
                cpu: ${envOverrides.resources.limits.cpu}
                memory: ${envOverrides.resources.limits.memory}
- id: service
  template:
    apiVersion: v1
    kind: Service
    metadata:
      name: ${metadata.name}
      namespace: ${metadata.namespace}
      labels: ${metadata.labels}
    spec:
      type: ClusterIP
      selector: ${metadata.podSelectors}
      ports:
      - name: http
        port: 80
        targetPort: ${parameters.port}
        protocol: TCP
";

const ROUTE: &str = "\
- id: route
  template:
    apiVersion: gateway.networking.k8s.io/v1
    kind: HTTPRoute
    metadata:
      name: ${metadata.name}
      namespace: ${metadata.namespace}
      labels: ${metadata.labels}
    spec:
      parentRefs:
      - name: gateway-default
        namespace: openchoreo-data-plane
      hostnames:
      - ${metadata.environmentName}.${dataplane.publicVirtualHost}
      rules:
      - matches:
        - path:
            type: PathPrefix
            value: /${metadata.name}
        filters:
        - type: URLRewrite
          urlRewrite:
            path:
              type: ReplacePrefixMatch
              replacePrefixMatch: /
        backendRefs:
        - name: ${metadata.name}
          port: 80
";

const TRAIT: &str = "\
schema:
  parameters:
    volumeName: string
    containerName: string
    mountPath: string
  envOverrides:
    sizeLimit: string | default=\"\"
patches:
- target:
    group: apps
    version: v1
    kind: Deployment
  operations:
  - op: add
    path: /spec/template/spec/volumes/-
    value:
      name: ${parameters.volumeName}
      emptyDir: '${envOverrides.sizeLimit != \"\" ? {\"sizeLimit\": envOverrides.sizeLimit} : {}}'
  - op: add
    path: /spec/template/spec/containers/[?(@.name=='${parameters.containerName}')]/volumeMounts/-
    value:
      name: ${parameters.volumeName}
      mountPath: ${parameters.mountPath}
";

const COMPONENT: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata:
  name: {name}
  namespace: acme
spec:
  owner:
    projectName: {project}
  componentType: deployment/{type}
{profile}";

const WORKLOAD: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata:
  name: {name}
  namespace: acme
spec:
  owner:
    projectName: {project}
    componentName: {name}
{workload}";

const RELEASE: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata:
  name: {name}-1
  namespace: acme
spec:
  owner:
    projectName: {project}
    componentName: {name}
  componentProfile:
{profile}  componentType:
{body}{traits}  workload:
{workload}";

const BINDING: &str = "\
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata:
  name: {name}-{environment}
  namespace: acme
spec:
  owner:
    projectName: {project}
    componentName: {name}
  environment: {environment}
  releaseName: {name}-1
  componentTypeEnvOverrides:
    replicas: {replicas}
    resources:
      requests:
        cpu: {cpu}m
";

pub(super) fn files(count: usize, put: Put<'_>) {
    put("organization/organization.yaml", ORGANIZATION);
    for name in ["non-prod", "prod"] {
        let text = fill(DATA_PLANE, &[("name", name)]);
        put(&format!("platform/data-planes/{name}.yaml"), &text);
    }
    for (name, plane) in ENVIRONMENTS {
        let production = (name == "production").to_string();
        let values = [
            ("name", name),
            ("plane", plane),
            ("production", &production),
        ];
        let text = fill(ENVIRONMENT, &values);
        put(&format!("platform/environments/{name}.yaml"), &text);
    }
    put("platform/pipeline.yaml", PIPELINE);
    for name in ["web-service", "worker"] {
        let text = named("ComponentType", name) + &indented(&body(name), 2);
        put(&format!("platform/component-types/{name}.yaml"), &text);
    }
    let text = named("Trait", "scratch-volume") + &indented(TRAIT, 2);
    put("platform/traits/scratch-volume.yaml", &text);
    for first in (0..count).step_by(PER_PROJECT) {
        let project = format!("team-{:02}", first / PER_PROJECT);
        let text = fill(PROJECT, &[("project", &project)]);
        put(&format!("projects/{project}/project.yaml"), &text);
        for number in first..count.min(first + PER_PROJECT) {
            component(number, &project, put);
        }
    }
}

/// The path of the file of a binding.
pub fn binding(number: usize, environment: &str) -> String {
    let name = component_name(number);
    let project = format!("team-{:02}", number / PER_PROJECT);
    format!("projects/{project}/components/{name}/release-bindings/{environment}.yaml")
}

/// The path of the file of a workload.
pub fn workload(number: usize) -> String {
    let name = component_name(number);
    let project = format!("team-{:02}", number / PER_PROJECT);
    format!("projects/{project}/components/{name}/workload.yaml")
}

/// The name of a component.
pub fn component_name(number: usize) -> String {
    format!("service-{number:05}")
}

fn component(number: usize, project: &str, put: Put<'_>) {
    let name = component_name(number);
    let kind = ["web-service", "web-service", "web-service", "worker"][number % 4];
    let mut profile = format!("parameters:\n  port: {}\n", 8000 + number % 100);
    let mut traits = String::new();
    if number.is_multiple_of(3) {
        profile += "\
traits:
- name: scratch-volume
  instanceName: scratch
  parameters:
    volumeName: scratch
    containerName: main
    mountPath: /var/scratch
";
        traits = format!("  traits:\n    scratch-volume:\n{}", indented(TRAIT, 6));
    }
    let image = format!("registry.example.com/{name}:1.{}.0", number % 7);
    let workload = format!("containers:\n  main:\n    image: {image}\n");
    let parts = [
        ("profile", indented(&profile, 2)),
        ("workload", indented(&workload, 2)),
    ];
    let deep = [
        ("profile", indented(&profile, 4)),
        ("workload", indented(&workload, 4)),
        ("body", indented(&body(kind), 4)),
        ("traits", traits),
    ];
    let fill_all = |template: &str, parts: &[(&str, String)], more: &[(&str, &str)]| {
        let mut values = vec![
            ("name", name.as_str()),
            ("project", project),
            ("type", kind),
        ];
        values.extend(more);
        values.extend(parts.iter().map(|(key, value)| (*key, value.as_str())));
        fill(template, &values)
    };
    let folder = format!("projects/{project}/components/{name}");
    let text = fill_all(COMPONENT, &parts, &[]);
    put(&format!("{folder}/component.yaml"), &text);
    let text = fill_all(WORKLOAD, &parts, &[]);
    put(&format!("{folder}/workload.yaml"), &text);
    let text = fill_all(RELEASE, &deep, &[]);
    put(&format!("{folder}/releases/{name}-1.yaml"), &text);
    for (at, (environment, _)) in ENVIRONMENTS.iter().enumerate() {
        let (replicas, cpu) = ((1 + at / 2).to_string(), (100 + 50 * at).to_string());
        let more = [
            ("environment", *environment),
            ("replicas", &replicas),
            ("cpu", &cpu),
        ];
        let text = fill_all(BINDING, &[], &more);
        put(&binding(number, environment), &text);
    }
}

fn body(kind: &str) -> String {
    match kind {
        "worker" => SERVICE_TYPE.to_owned(),
        _ => format!("{SERVICE_TYPE}{ROUTE}"),
    }
}

fn named(kind: &str, name: &str) -> String {
    format!(
        "apiVersion: openchoreo.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: acme\nspec:\n"
    )
}

fn indented(text: &str, columns: usize) -> String {
    let lines = text.lines();
    lines
        .map(|line| format!("{:columns$}{line}\n", ""))
        .collect()
}
