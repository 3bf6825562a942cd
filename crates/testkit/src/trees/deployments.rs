//! Many Deployments below one overlay.

use super::{Put, fill, list};

/// Deployments in one file.
const PER_FILE: usize = 25;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  labels:
    app: {name}
    tier: {tier}
  annotations:
    example.com/owner: team-{team}@example.com
spec:
  replicas: {replicas}
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
        tier: {tier}
    spec:
      serviceAccountName: default
      containers:
        - name: main
          image: registry.example.com/{image}:1.4.2
          args: [\"--listen=:8080\", \"--log-level=info\"]
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: SHARD
              value: \"{shard}\"
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 5
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
        - name: proxy
          image: proxy:2.1.0
          ports:
            - name: metrics
              containerPort: 9090
      volumes:
        - name: scratch
          emptyDir: {}
";

const OVERLAY: &str = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: production
namePrefix: prod-
resources:
  - ../base
labels:
  - pairs:
      environment: production
      app.kubernetes.io/part-of: shop
    includeSelectors: true
images:
  - name: registry.example.com/web
    newTag: 1.5.0
  - name: proxy
    newName: registry.example.com/proxy
    newTag: 2.2.1
patches:
  - target:
      kind: Deployment
      name: app-00000
    patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: app-00000
      spec:
        replicas: 7
        template:
          spec:
            containers:
              - name: main
                env:
                  - name: FEATURE
                    value: \"on\"
";

pub(super) fn files(count: usize, put: Put<'_>) {
    let mut names = Vec::new();
    for first in (0..count).step_by(PER_FILE) {
        let members = first..count.min(first + PER_FILE);
        let documents: Vec<String> = members.map(deployment).collect();
        let name = format!("deployments-{:03}.yaml", first / PER_FILE);
        put(&format!("base/{name}"), &documents.join("---\n"));
        names.push(name);
    }
    let base = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{}",
        list(names)
    );
    put("base/kustomization.yaml", &base);
    put("overlay/kustomization.yaml", OVERLAY);
}

fn deployment(number: usize) -> String {
    let values = [
        ("name", format!("app-{number:05}")),
        ("tier", ["front", "middle", "back"][number % 3].to_owned()),
        ("team", (number % 17).to_string()),
        ("replicas", (1 + number % 4).to_string()),
        ("image", ["web", "worker"][number % 2].to_owned()),
        ("shard", (number % 64).to_string()),
    ];
    fill(
        DEPLOYMENT,
        &values
            .each_ref()
            .map(|(name, value)| (*name, value.as_str())),
    )
}
