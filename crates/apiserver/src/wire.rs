//! Bodies and headers as they stand on the wire.

use apimachine::{Format, Refusal};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use object::json;

use crate::Body;
use crate::cluster::random_bytes;

/// Largest request body; Kubernetes' own limit.
const BODY_BYTES_MAX: usize = 3 << 20;

/// Answers longer than this are compressed when the client takes it; Kubernetes' own limit.
const COMPRESS_FROM_BYTES: usize = 128 << 10;

pub(crate) async fn read_body<B>(body: B) -> Result<Bytes, Refusal>
where
    B: http_body::Body<Data = Bytes> + Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, BODY_BYTES_MAX).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            let message = format!("Request entity too large: limit is {BODY_BYTES_MAX}");
            Err(Refusal::new(413, "RequestEntityTooLarge", message))
        }
        Err(error) => Err(Refusal::new(
            400,
            "BadRequest",
            format!("cannot read the body: {error}"),
        )),
    }
}

pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let values = headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|one| {
        one.split(';')
            .next()
            .is_some_and(|name| name.trim() == "gzip")
    })
}

/// The caller's id of this request, or a new one.
pub(crate) fn audit_id(headers: &HeaderMap) -> HeaderValue {
    match headers.get("audit-id") {
        Some(id) if !id.is_empty() && id.len() <= 64 => id.clone(),
        _ => {
            let uuid = apimachine::Random::new(random_bytes(), 0).uuid();
            HeaderValue::from_str(&uuid).expect("a UUID is a header value")
        }
    }
}

pub(crate) fn with_content_type(
    mut response: apimachine::Response,
    value: &str,
) -> apimachine::Response {
    response
        .headers
        .retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
    response.with_header("Content-Type", value)
}

pub(crate) fn head_of(response: &apimachine::Response, body: Body) -> Response<Body> {
    let mut out = Response::new(body);
    *out.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &response.headers {
        let name = header::HeaderName::from_bytes(name.as_bytes());
        // Warnings quote what users wrote; what no header may hold is left out.
        let value: String = value
            .chars()
            .filter(|character| !character.is_control())
            .collect();
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
            out.headers_mut().append(name, value);
        }
    }
    out
}

/// An answer of which the caller, in this process, takes the value; what is none goes as text.
pub(crate) fn hand_over(response: &apimachine::Response) -> Response<Body> {
    match &response.body {
        apimachine::Body::Node(node)
            if response.status < 300 && response.format == Format::Json =>
        {
            with_answer(response, handover::Content::Node(json::as_read(node)))
        }
        _ => complete(response, false),
    }
}

/// An answer without a body whose content is handed over.
pub(crate) fn with_answer(
    response: &apimachine::Response,
    content: handover::Content,
) -> Response<Body> {
    let mut out = head_of(response, Body::complete(Vec::new()));
    out.extensions_mut().insert(handover::Answer::new(content));
    out
}

pub(crate) fn complete(response: &apimachine::Response, accepts_gzip: bool) -> Response<Body> {
    let bytes = response.encode();
    if accepts_gzip && bytes.len() > COMPRESS_FROM_BYTES {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let packed =
            std::io::Write::write_all(&mut encoder, &bytes).and_then(|()| encoder.finish());
        if let Ok(packed) = packed {
            let mut out = head_of(response, Body::complete(packed));
            out.headers_mut()
                .insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            out.headers_mut()
                .append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
            return out;
        }
    }
    head_of(response, Body::complete(bytes))
}

pub(crate) fn with_common_headers(
    mut response: Response<Body>,
    audit_id: HeaderValue,
) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert("audit-id", audit_id);
    if !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache, private"),
        );
    }
    response
}
