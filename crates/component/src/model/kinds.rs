//! The fields of each kind, in every version.
//!
//! # Source
//! openchoreo/openchoreo `config/crd/bases/*` at v0.7.0, v0.12.0, v1.0.0 and v1.2.3. Where versions
//! disagree both forms stand here, and [`super::read`] makes one of them.

use super::shape::Shape::{Any, Bool, Either, Fields, Int, List, Map, Name, OneOf, Text};
use super::shape::{Shape, may, need};

/// The shape of the spec of `kind`; `None` for kinds that are stored and not looked into.
pub(super) fn spec_of(kind: &str) -> Option<&'static Shape> {
    Some(match kind {
        "Organization" => &NOTHING,
        "Project" => &PROJECT,
        "Environment" => &ENVIRONMENT,
        "DataPlane" | "ClusterDataPlane" => &DATA_PLANE,
        "DeploymentPipeline" => &PIPELINE,
        "ComponentType" | "ClusterComponentType" => &COMPONENT_TYPE,
        "Trait" | "ClusterTrait" => &TRAIT,
        "Component" => &COMPONENT,
        "Workload" => &WORKLOAD,
        "ComponentRelease" => &COMPONENT_RELEASE,
        "ReleaseBinding" => &RELEASE_BINDING,
        "Release" | "RenderedRelease" => &RELEASE,
        "SecretReference" => &SECRET_REFERENCE,
        "ProjectType" | "ClusterProjectType" => &PROJECT_TYPE,
        "ProjectRelease" => &PROJECT_RELEASE,
        "ProjectReleaseBinding" => &PROJECT_RELEASE_BINDING,
        _ => return None,
    })
}

/// Kinds that have a shape.
pub(super) const READ: &[&str] = &[
    "ClusterComponentType",
    "ClusterDataPlane",
    "ClusterProjectType",
    "ClusterTrait",
    "Component",
    "ComponentRelease",
    "ComponentType",
    "DataPlane",
    "DeploymentPipeline",
    "Environment",
    "Organization",
    "Project",
    "ProjectRelease",
    "ProjectReleaseBinding",
    "ProjectType",
    "Release",
    "ReleaseBinding",
    "RenderedRelease",
    "SecretReference",
    "Trait",
    "Workload",
];

/// Kinds of the group that are kept as they are: they have no part in rendering.
pub(super) const STORED: &[&str] = &[
    "AuthzRole",
    "AuthzRoleBinding",
    "Build",
    "BuildPlane",
    "ClusterAuthzRole",
    "ClusterAuthzRoleBinding",
    "ClusterBuildPlane",
    "ClusterObservabilityPlane",
    "ClusterResourceType",
    "ClusterWorkflow",
    "ClusterWorkflowPlane",
    "ComponentWorkflow",
    "ComponentWorkflowRun",
    "ConfigurationGroup",
    "DeploymentTrack",
    "GitCommitRequest",
    "ObservabilityAlertRule",
    "ObservabilityAlertsNotificationChannel",
    "ObservabilityPlane",
    "Resource",
    "ResourceRelease",
    "ResourceReleaseBinding",
    "ResourceType",
    "Workflow",
    "WorkflowPlane",
    "WorkflowRun",
];

static NOTHING: Shape = Fields(&[]);

/// A name, or a kind and a name.
static REFERENCE: Shape = Either(&[Name, OBJECT_REFERENCE]);
const OBJECT_REFERENCE: Shape = Fields(&[may("kind", &Text), need("name", &Name)]);

static PROJECT_OWNER: Shape = Fields(&[need("projectName", &Name), may("componentName", &Text)]);
static OWNER: Shape = Fields(&[need("projectName", &Name), need("componentName", &Name)]);

static SECRET_KEY: Shape = Fields(&[
    need("name", &Name),
    need("key", &Name),
    may("namespace", &Text),
]);

static CERTIFICATE: Shape = Fields(&[
    may("secretRef", &SECRET_KEY),
    may("secretKeyRef", &SECRET_KEY),
    may("value", &Text),
]);

static PROJECT: Shape = Fields(&[
    may("deploymentPipelineRef", &REFERENCE),
    may("type", &REFERENCE),
    may("parameters", &Any),
]);

static LISTENER: Shape = Fields(&[
    may("host", &Text),
    may("port", &Int),
    may("listenerName", &Text),
]);

static GATEWAY_ENTRY: Shape = Fields(&[
    may("name", &Text),
    may("namespace", &Text),
    may("http", &LISTENER),
    may("https", &LISTENER),
    may("tls", &LISTENER),
]);

static DIRECTION: Shape = Fields(&[
    may("external", &GATEWAY_ENTRY),
    may("internal", &GATEWAY_ENTRY),
]);

static ENVIRONMENT: Shape = Fields(&[
    may("dataPlaneRef", &REFERENCE),
    may("isProduction", &Bool),
    may(
        "gateway",
        &Fields(&[
            may("ingress", &DIRECTION),
            may("egress", &DIRECTION),
            may("dnsPrefix", &Text),
            may("security", &Any),
        ]),
    ),
]);

static AGENT: Shape = Fields(&[may("enabled", &Bool), may("clientCA", &CERTIFICATE)]);

static DATA_PLANE: Shape = Fields(&[
    may("clusterAgent", &AGENT),
    may("agent", &AGENT),
    may("kubernetesCluster", &Any),
    may("observer", &Any),
    may("registry", &Any),
    may(
        "gateway",
        &Fields(&[
            may("ingress", &DIRECTION),
            may("egress", &DIRECTION),
            may("publicVirtualHost", &Text),
            may("organizationVirtualHost", &Text),
            may("publicHTTPPort", &Int),
            may("publicHTTPSPort", &Int),
            may("organizationHTTPPort", &Int),
            may("organizationHTTPSPort", &Int),
            may("publicGatewayPort", &Int),
            may("organizationGatewayPort", &Int),
        ]),
    ),
    may("secretStoreRef", &Fields(&[need("name", &Name)])),
    may("planeID", &Text),
    may("imagePullSecretRefs", &List(&Text)),
    may("observabilityPlaneRef", &REFERENCE),
]);

static PIPELINE: Shape = Fields(&[may(
    "promotionPaths",
    &List(&Fields(&[
        need("sourceEnvironmentRef", &REFERENCE),
        may(
            "targetEnvironmentRefs",
            &List(&Either(&[
                Name,
                Fields(&[
                    may("kind", &Text),
                    need("name", &Name),
                    may("requiresApproval", &Bool),
                    may("isManualApprovalRequired", &Bool),
                ]),
            ])),
        ),
    ])),
)]);

static WORKLOAD_TYPE: Shape = OneOf(&["deployment", "statefulset", "cronjob", "job", "proxy"]);

static PLANE: Shape = OneOf(&["dataplane", "observabilityplane"]);

static SHORTHAND: Shape = Fields(&[
    may("types", &Any),
    may("parameters", &Any),
    may("envOverrides", &Any),
]);

static OPEN_API: Shape = Fields(&[may("openAPIV3Schema", &Any)]);

static RESOURCES: Shape = List(&Fields(&[
    need("id", &Name),
    may("targetPlane", &PLANE),
    may("includeWhen", &Text),
    may("forEach", &Text),
    may("var", &Text),
    need("template", &Map(&Any)),
]));

static TARGET: Shape = Fields(&[
    may("group", &Text),
    need("version", &Name),
    need("kind", &Name),
    may("where", &Text),
    may("mustMatch", &Bool),
]);

static RULES: Shape = List(&Fields(&[need("rule", &Name), may("message", &Text)]));

static POST_RULES: Shape = List(&Fields(&[
    need("rule", &Name),
    may("message", &Text),
    need("target", &TARGET),
    may("targetPlane", &PLANE),
    may("when", &Text),
    may("forEach", &Text),
    may("var", &Text),
]));

static TRAIT_USES: Shape = List(&Fields(&[
    may("kind", &Text),
    need("name", &Name),
    need("instanceName", &Name),
    may("parameters", &Any),
    may("environmentConfigs", &Any),
]));

static COMPONENT_TYPE: Shape = Fields(&[
    need("workloadType", &WORKLOAD_TYPE),
    may("allowedWorkflows", &List(&REFERENCE)),
    may("allowedTraits", &List(&REFERENCE)),
    may("schema", &SHORTHAND),
    may("parameters", &OPEN_API),
    may("environmentConfigs", &OPEN_API),
    may("traits", &TRAIT_USES),
    may("validations", &RULES),
    may("preRenderValidations", &RULES),
    may("postRenderValidations", &POST_RULES),
    need("resources", &RESOURCES),
]);

static TRAIT: Shape = Fields(&[
    may("schema", &SHORTHAND),
    may("parameters", &OPEN_API),
    may("environmentConfigs", &OPEN_API),
    may("validations", &RULES),
    may("preRenderValidations", &RULES),
    may("postRenderValidations", &POST_RULES),
    may(
        "creates",
        &List(&Fields(&[
            may("targetPlane", &PLANE),
            may("includeWhen", &Text),
            may("forEach", &Text),
            may("var", &Text),
            need("template", &Map(&Any)),
        ])),
    ),
    may(
        "patches",
        &List(&Fields(&[
            may("targetPlane", &PLANE),
            may("forEach", &Text),
            may("var", &Text),
            need("target", &TARGET),
            need(
                "operations",
                &List(&Fields(&[
                    need("op", &OneOf(&["add", "replace", "remove", "mergeShallow"])),
                    need("path", &Text),
                    may("value", &Any),
                ])),
            ),
        ])),
    ),
    may(
        "removes",
        &List(&Fields(&[
            may("targetPlane", &PLANE),
            may("forEach", &Text),
            may("var", &Text),
            need("target", &TARGET),
        ])),
    ),
]);

static COMPONENT: Shape = Fields(&[
    need("owner", &PROJECT_OWNER),
    may("componentType", &REFERENCE),
    may("type", &Text),
    may("parameters", &Any),
    may("traits", &TRAIT_USES),
    may("autoDeploy", &Bool),
    may("autoBuild", &Bool),
    may("workflow", &Any),
]);

static ENVIRONMENT_VARIABLES: Shape = List(&Fields(&[
    need("key", &Name),
    may("value", &Text),
    may("valueFrom", &VALUE_FROM),
]));

static FILES: Shape = List(&Fields(&[
    need("key", &Name),
    need("mountPath", &Name),
    may("value", &Text),
    may("valueFrom", &VALUE_FROM),
]));

static VALUE_FROM: Shape = Fields(&[
    may("secretRef", &SECRET_KEY),
    may("secretKeyRef", &SECRET_KEY),
    may("configurationGroupRef", &SECRET_KEY),
]);

static CONTAINER: Shape = Fields(&[
    need("image", &Text),
    may("command", &List(&Text)),
    may("args", &List(&Text)),
    may("env", &ENVIRONMENT_VARIABLES),
    may("files", &FILES),
]);

static ENDPOINTS: Shape = Map(&Fields(&[
    may(
        "type",
        &OneOf(&["HTTP", "REST", "gRPC", "GraphQL", "Websocket", "TCP", "UDP"]),
    ),
    need("port", &Int),
    may("targetPort", &Int),
    may("displayName", &Text),
    may("basePath", &Text),
    may(
        "visibility",
        &List(&OneOf(&["project", "namespace", "internal", "external"])),
    ),
    may(
        "schema",
        &Fields(&[may("type", &Text), may("content", &Text)]),
    ),
]));

static DEPENDENCIES: Shape = Fields(&[
    may(
        "endpoints",
        &List(&Fields(&[
            need("component", &Name),
            need("name", &Name),
            may("project", &Text),
            may("visibility", &OneOf(&["project", "namespace"])),
            may(
                "envBindings",
                &Fields(&[
                    may("address", &Text),
                    may("host", &Text),
                    may("port", &Text),
                    may("basePath", &Text),
                ]),
            ),
        ])),
    ),
    may(
        "resources",
        &List(&Fields(&[
            need("ref", &Name),
            may("envBindings", &Map(&Text)),
            may("fileBindings", &Map(&Text)),
        ])),
    ),
]);

/// A Workload whose owner stands outside, as in a release.
static FROZEN_WORKLOAD: Shape = Fields(&[
    may("containers", &Map(&CONTAINER)),
    may("container", &CONTAINER),
    may("endpoints", &ENDPOINTS),
    may("connections", &Any),
    may("dependencies", &DEPENDENCIES),
]);

static WORKLOAD: Shape = Fields(&[
    need("owner", &OWNER),
    may("containers", &Map(&CONTAINER)),
    may("container", &CONTAINER),
    may("endpoints", &ENDPOINTS),
    may("connections", &Any),
    may("dependencies", &DEPENDENCIES),
]);

/// A component type inside a release: bare, or with kind and name around it.
static FROZEN_TYPE: Shape = Fields(&[
    may("kind", &Text),
    may("name", &Text),
    may("spec", &COMPONENT_TYPE),
    may("workloadType", &WORKLOAD_TYPE),
    may("allowedWorkflows", &List(&REFERENCE)),
    may("allowedTraits", &List(&REFERENCE)),
    may("schema", &SHORTHAND),
    may("parameters", &OPEN_API),
    may("environmentConfigs", &OPEN_API),
    may("traits", &TRAIT_USES),
    may("validations", &RULES),
    may("preRenderValidations", &RULES),
    may("postRenderValidations", &POST_RULES),
    may("resources", &RESOURCES),
]);

static COMPONENT_RELEASE: Shape = Fields(&[
    need("owner", &OWNER),
    need("componentType", &FROZEN_TYPE),
    may(
        "traits",
        &Either(&[
            List(&Fields(&[
                may("kind", &Text),
                need("name", &Name),
                need("spec", &TRAIT),
            ])),
            Map(&TRAIT),
        ]),
    ),
    may(
        "componentProfile",
        &Fields(&[may("parameters", &Any), may("traits", &TRAIT_USES)]),
    ),
    may("workload", &FROZEN_WORKLOAD),
]);

static OVERRIDES: Shape = Fields(&[may("env", &ENVIRONMENT_VARIABLES), may("files", &FILES)]);

static RELEASE_BINDING: Shape = Fields(&[
    need("owner", &OWNER),
    need("environment", &Name),
    may("releaseName", &Text),
    may("componentTypeEnvOverrides", &Any),
    may("componentTypeEnvironmentConfigs", &Any),
    may("traitOverrides", &Map(&Any)),
    may("traitEnvironmentConfigs", &Map(&Any)),
    may(
        "workloadOverrides",
        &Fields(&[
            may("containers", &Map(&OVERRIDES)),
            may("container", &OVERRIDES),
        ]),
    ),
    may("state", &OneOf(&["Active", "Undeploy", "Suspend"])),
]);

static RELEASE: Shape = Fields(&[
    need("owner", &PROJECT_OWNER_OR_RESOURCE),
    need("environmentName", &Name),
    may("targetPlane", &PLANE),
    may("interval", &Text),
    may("progressingInterval", &Text),
    may(
        "resources",
        &List(&Fields(&[need("id", &Name), need("object", &Map(&Any))])),
    ),
]);

static PROJECT_OWNER_OR_RESOURCE: Shape = Fields(&[
    need("projectName", &Name),
    may("componentName", &Text),
    may("resourceName", &Text),
]);

static SECRET_REFERENCE: Shape = Fields(&[
    may("template", &Any),
    need(
        "data",
        &List(&Fields(&[
            need("secretKey", &Name),
            need(
                "remoteRef",
                &Fields(&[
                    need("key", &Name),
                    may("property", &Text),
                    may("version", &Text),
                ]),
            ),
        ])),
    ),
    may("refreshInterval", &Text),
    may("targetPlane", &OBJECT_REFERENCE),
]);

static PROJECT_TYPE: Shape = Fields(&[
    may("parameters", &OPEN_API),
    may("environmentConfigs", &OPEN_API),
    may("validations", &RULES),
    need("resources", &RESOURCES),
]);

static PROJECT_RELEASE: Shape = Fields(&[
    need("owner", &PROJECT_OWNER),
    need(
        "projectType",
        &Fields(&[
            may("kind", &Text),
            may("name", &Text),
            need("spec", &PROJECT_TYPE),
        ]),
    ),
    may("parameters", &Any),
]);

static PROJECT_RELEASE_BINDING: Shape = Fields(&[
    need("owner", &PROJECT_OWNER),
    need("environment", &Name),
    may("projectRelease", &Text),
    may("environmentConfigs", &Any),
]);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_that_is_read_has_a_shape_and_no_other() {
        assert!(READ.iter().all(|kind| spec_of(kind).is_some()));
        assert!(STORED.iter().all(|kind| spec_of(kind).is_none()));
    }
}
