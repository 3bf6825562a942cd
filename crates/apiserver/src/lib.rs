//! HTTP, TLS, authentication and storage around the API server's rules.
