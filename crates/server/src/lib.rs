//! The HTTP server people look at: status page and API.
