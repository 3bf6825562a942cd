//! What controllers and kubelets would do to objects: reducers over API server state.
