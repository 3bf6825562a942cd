//! The API server's rules: (state, request) to (state, response, events).
