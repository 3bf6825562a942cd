//! The kinds a Kubernetes API server has from the start: their types, defaults and rules.
