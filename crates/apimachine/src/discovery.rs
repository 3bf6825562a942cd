//! Discovery, OpenAPI and version documents.

use crate::{Request, Response, State};

/// Answers paths that describe the API: `/api`, `/apis/<group>`, `/openapi/v3`, `/version`.
///
/// `None` when the path is something else.
pub fn respond(state: &State, request: &Request) -> Option<Response> {
    let _ = (state, request);
    None
}
