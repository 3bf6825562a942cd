//! Flux objects that tests apply.

/// A source whose address is `url`.
pub fn source(name: &str, url: &str) -> String {
    format!(
        "apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata:
  name: {name}
  namespace: flux-system
spec:
  interval: 1h
  timeout: 5s
  url: {url}
  ref:
    branch: main
---
"
    )
}

/// A unit that applies a folder; `more` are further lines of its spec.
pub fn unit(name: &str, source: &str, path: &str, more: &str) -> String {
    format!(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: {name}
  namespace: flux-system
spec:
  interval: 1h
  retryInterval: 2s
  prune: true
  path: {path}
  sourceRef:
    kind: GitRepository
    name: {source}
{more}---
"
    )
}

/// A ConfigMap with one value.
pub fn config_map(namespace: &str, name: &str, value: &str) -> String {
    format!(
        "apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {namespace}
data:
  value: \"{value}\"
"
    )
}
