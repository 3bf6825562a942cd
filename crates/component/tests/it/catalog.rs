//! What is rendered from what.

use component::catalog::Catalog;

use crate::support::objects;

const ACME: &str = "
apiVersion: openchoreo.dev/v1alpha1
kind: Project
metadata: {name: shop, namespace: acme}
spec: {deploymentPipelineRef: standard}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Environment
metadata: {name: development, namespace: acme}
spec: {dataPlaneRef: local}
---
apiVersion: openchoreo.dev/v1alpha1
kind: SecretReference
metadata: {name: login, namespace: acme}
spec: {data: []}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: web, namespace: acme}
spec: {owner: {projectName: shop}, componentType: deployment/service}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Component
metadata: {name: other, namespace: acme}
spec: {owner: {projectName: shop}, componentType: deployment/service}
---
apiVersion: openchoreo.dev/v1alpha1
kind: Workload
metadata: {name: web, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  containers: {app: {image: web}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ComponentRelease
metadata: {name: web-1, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  componentType: {workloadType: deployment, resources: []}
  workload: {containers: {app: {image: web}}}
---
apiVersion: openchoreo.dev/v1alpha1
kind: ReleaseBinding
metadata: {name: web-development, namespace: acme}
spec:
  owner: {projectName: shop, componentName: web}
  environment: development
  releaseName: web-1
";

#[test]
fn a_binding_is_rendered_anew_when_something_changed_that_it_is_rendered_from() {
    let all = objects(ACME, "acme.yaml");
    let mut catalog = Catalog::read(&all, "acme").0;
    let readings = |catalog: &Catalog| {
        let binding = catalog.binding("acme", "web-development");
        catalog.readings(binding.expect("it is there"))
    };
    assert!(readings(&catalog).is_some());
    assert_eq!(readings(&catalog), readings(&catalog));
    for object in &all {
        let before = readings(&catalog);
        catalog.remove(object.kind(), "acme", object.name());
        catalog.add(object, "acme");
        let counts = !matches!(
            (object.kind(), object.name()),
            ("Workload", _) | (_, "other")
        );
        let name = format!("{} {}", object.kind(), object.name());
        assert_eq!(readings(&catalog) != before, counts, "{name} came");
        if object.kind() != "ReleaseBinding" {
            let before = readings(&catalog);
            catalog.remove(object.kind(), "acme", object.name());
            assert_eq!(readings(&catalog) != before, counts, "{name} went");
            catalog.add(object, "acme");
        }
    }
    let needy = ACME.replace(
        "workload: {containers",
        "workload: {connections: {api: {type: api, params: {projectName: shop, componentName: api, endpoint: http}}}, dependencies: {endpoints: [{component: api, name: http, visibility: project}]}, containers",
    );
    let catalog = Catalog::read(&objects(&needy, "acme.yaml"), "acme").0;
    assert_eq!(readings(&catalog), None, "what others offer counts, too");
}
