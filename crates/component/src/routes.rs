//! Routes that the description of an endpoint's interface declares.
//!
//! OpenAPI documents declare paths and methods, protobuf files services and their methods. A
//! description that cannot be read has no routes, so that templates fall back to a route for
//! everything; why is told as a warning.
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/component/schemaextract/` after v1.2.3. Protobuf is not
//! compiled here: types are not looked up, and a file with imports beyond `google/protobuf` has no
//! routes, as there.

use object::{Map, Node, Text};
use yaml::{Limits, ResolveOptions, Rules};

use crate::model::Endpoint;

/// Most bytes of a description: half of what an object may have.
const CONTENT_BYTES_MAX: usize = 512 << 10;

/// Most routes of one endpoint; a Gateway route takes 64 matches.
const ROUTES_MAX: usize = 2_000;

/// Methods of HTTP that an OpenAPI path may have.
const METHODS: [&str; 9] = [
    "connect", "delete", "get", "head", "options", "patch", "post", "put", "trace",
];

/// The routes of an endpoint as a list of maps of `kind` and `method` with `path` or `service`,
/// ordered by service, path and method. Empty when nothing describes it.
///
/// # Errors
/// Why the description has no routes though there is one.
pub(crate) fn routes(endpoint: &Endpoint) -> Result<Node, String> {
    let schema = endpoint.schema.as_ref();
    let text = |key: &str| {
        schema
            .and_then(|schema| schema.str_at(&[key]))
            .unwrap_or_default()
    };
    let content = text("content");
    let nothing = Node::from(Vec::new());
    if content.trim().is_empty() {
        return Ok(nothing);
    }
    if content.len() > CONTENT_BYTES_MAX {
        return Err(format!(
            "its schema has more than {CONTENT_BYTES_MAX} bytes"
        ));
    }
    let declared = text("type").trim().to_lowercase();
    let language = match (declared.as_str(), endpoint.kind.as_str()) {
        ("", "HTTP" | "REST") => "openapi",
        ("", "gRPC") => "proto",
        ("", _) => return Ok(nothing),
        (declared, _) => declared,
    };
    let mut found = match language {
        "openapi" | "openapiv3" | "oas" | "oas3" | "swagger" => open_api(content)?,
        "proto" | "protobuf" | "grpc" => protobuf(content)?,
        other => {
            return Err(format!(
                "routes of a schema of type `{other}` cannot be read"
            ));
        }
    };
    if found.len() > ROUTES_MAX {
        return Err(format!("its schema has more than {ROUTES_MAX} routes"));
    }
    found.sort();
    found.dedup();
    Ok(Node::list(found.into_iter().map(
        |[service, path, method]| {
            let mut route = Map::new();
            match service.is_empty() {
                true => {
                    route.insert("kind", "HTTP");
                    route.insert("path", path);
                }
                false => {
                    route.insert("kind", "gRPC");
                    route.insert("service", service);
                }
            }
            route.insert("method", method);
            route
        },
    )))
}

/// Service, path and method.
type Route = [Text; 3];

fn open_api(content: &str) -> Result<Vec<Route>, String> {
    let options = ResolveOptions {
        rules: Rules::V3,
        limits: Limits::default(),
        ..ResolveOptions::default()
    };
    let document = yaml::load_first(content, &options)
        .map_err(|error| format!("its schema is no OpenAPI document: {error}"))?;
    if document.as_map().is_none() {
        return Err("its schema is no OpenAPI document".into());
    }
    let paths = document.get("paths").and_then(Node::as_map);
    let mut found = Vec::new();
    for (path, item) in paths.into_iter().flat_map(Map::iter) {
        for method in METHODS {
            if item
                .get(method)
                .is_some_and(|operation| operation.as_map().is_some())
            {
                found.push([Text::default(), path.clone(), method.to_uppercase().into()]);
            }
        }
    }
    Ok(found)
}

fn protobuf(content: &str) -> Result<Vec<Route>, String> {
    let tokens = tokens(content);
    let mut package = String::new();
    let mut service: Option<String> = None;
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while at < tokens.len() {
        let next = |ahead: usize| {
            tokens
                .get(at + ahead)
                .map(String::as_str)
                .unwrap_or_default()
        };
        match (next(0), depth) {
            ("{", _) => depth += 1,
            ("}", _) => {
                depth = depth
                    .checked_sub(1)
                    .ok_or("its schema is no protobuf file: a brace closes nothing")?;
                if depth == 0 {
                    service = None;
                }
            }
            ("package", 0) => {
                let mut end = 1;
                while !matches!(next(end), ";" | "") {
                    package.push_str(next(end));
                    end += 1;
                }
            }
            ("import", 0) => {
                let file = match next(1) {
                    "public" | "weak" => next(2),
                    file => file,
                };
                if !file
                    .trim_matches(['"', '\''])
                    .starts_with("google/protobuf/")
                {
                    return Err(format!("its schema imports {file}, which is not there"));
                }
            }
            ("service", 0) if next(2) == "{" => {
                service = Some(match package.as_str() {
                    "" => next(1).to_owned(),
                    package => format!("{package}.{}", next(1)),
                });
            }
            ("rpc", 1) => {
                if let Some(service) = &service {
                    found.push([service.into(), Text::default(), next(1).into()]);
                }
            }
            _ => {}
        }
        at += 1;
    }
    match depth {
        0 => Ok(found),
        _ => Err("its schema is no protobuf file: a brace is not closed".into()),
    }
}

/// Words, texts and single characters, without comments.
fn tokens(content: &str) -> Vec<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let mut out = Vec::new();
    let mut rest = content;
    while let Some(first) = rest.chars().next() {
        let end = if rest.starts_with("//") {
            let end = rest.find('\n').unwrap_or(rest.len());
            rest = &rest[end..];
            continue;
        } else if rest.starts_with("/*") {
            rest = rest.find("*/").map_or("", |end| &rest[end + 2..]);
            continue;
        } else if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        } else if matches!(first, '"' | '\'') {
            let mut escaped = false;
            let closing = rest.char_indices().skip(1).find(|(_, c)| {
                let closes = !escaped && *c == first;
                escaped = !escaped && *c == '\\';
                closes
            });
            closing.map_or(rest.len(), |(at, _)| at + 1)
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        out.push(rest[..end].to_owned());
        rest = &rest[end..];
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, declared: &str, content: &str, expected: Result<&str, &str>) {
        let schema = Map::from_iter([("type", declared), ("content", content)]);
        let endpoint = Endpoint {
            kind: kind.into(),
            schema: Some(schema.into()),
            ..Endpoint::default()
        };
        let found = routes(&endpoint).map(|found| {
            let lines = found.as_list().unwrap_or_default().iter().map(|route| {
                let text = |key: &str| route.str_at(&[key]).unwrap_or("-");
                let parts = ["kind", "service", "path", "method"].map(text);
                parts.join(" ")
            });
            lines.collect::<Vec<_>>().join("; ")
        });
        let found = found.as_deref().map_err(|why| why.as_str());
        match (found, expected) {
            (Err(why), Err(words)) => assert!(why.contains(words), "{why}"),
            (found, expected) => assert_eq!(found, expected, "{content}"),
        }
    }

    #[test]
    fn paths_and_methods_of_openapi_are_routes() {
        let pets = "paths:\n  /v1/pets/{id}: {get: {}}\n  /v1/pets: {post: {}, get: {}, parameters: [], x-y: {}}\n";
        check(
            "HTTP",
            "",
            pets,
            Ok("HTTP - /v1/pets GET; HTTP - /v1/pets POST; HTTP - /v1/pets/{id} GET"),
        );
        check(
            "TCP",
            "OpenAPIv3",
            r#"{"paths": {"/health": {"get": {}}}}"#,
            Ok("HTTP - /health GET"),
        );
        check("HTTP", "", "openapi: 3.0.0", Ok(""));
        check("HTTP", "", "  ", Ok(""));
        check(
            "HTTP",
            "",
            "this is not: : valid: yaml",
            Err("no OpenAPI document"),
        );
        check(
            "HTTP",
            "graphql",
            "type Query { a: Int }",
            Err("type `graphql`"),
        );
    }

    #[test]
    fn services_and_methods_of_protobuf_are_routes() {
        let greeter = "syntax = \"proto3\"; // service No { rpc A (B) returns (C); }\npackage greeter.v1;\nimport \"google/protobuf/empty.proto\";\nmessage M { message service { string rpc = 1; } }\nservice Greeter {\n  /* rpc Gone */ rpc SayHello (M) returns (stream M) { option (x) = { a: \"}\" }; }\n  rpc Bye(M) returns (M);\n}\n";
        check(
            "gRPC",
            "",
            greeter,
            Ok("gRPC greeter.v1.Greeter - Bye; gRPC greeter.v1.Greeter - SayHello"),
        );
        check(
            "HTTP",
            "proto",
            "service S { rpc A (B) returns (C); }",
            Ok("gRPC S - A"),
        );
        check(
            "gRPC",
            "",
            "import \"common/types.proto\";",
            Err("common/types.proto"),
        );
        check("gRPC", "", "service S {", Err("not closed"));
        check("gRPC", "", "} service S {", Err("closes nothing"));
    }
}
