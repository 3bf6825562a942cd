//! Which repository and service a request is for.

use http::{Method, StatusCode, header, request::Parts};

use super::Refusal;

/// Longest name of an owner or a repository, as hosted forges have it.
const NAME_BYTES_MAX: usize = 100;

/// What a client wants to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    /// Clone and fetch.
    Upload,
    /// Push.
    Receive,
}

impl Service {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Upload => "git-upload-pack",
            Self::Receive => "git-receive-pack",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Upload, Self::Receive]
            .into_iter()
            .find(|service| service.as_str() == name)
    }
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// `owner/name` or `name`, checked, without `.git`.
    pub repository: String,
    pub service: Service,
    /// Whether it asks for references and capabilities only.
    pub advertisement: bool,
}

impl Route {
    /// Reads path, query, method and content type of a request.
    pub(super) fn of(prefix: &str, parts: &Parts) -> Result<Self, Refusal> {
        let rest = parts.uri.path().strip_prefix(prefix);
        let rest = rest
            .and_then(|rest| rest.strip_prefix('/'))
            .ok_or_else(Refusal::absent)?;
        let (name, service, advertisement) = match rest.strip_suffix("/info/refs") {
            Some(name) => {
                let query = parts.uri.query().unwrap_or("");
                let service = query
                    .split('&')
                    .find_map(|pair| pair.strip_prefix("service="));
                let service = service.and_then(Service::parse).ok_or_else(|| {
                    Refusal::new(
                        StatusCode::FORBIDDEN,
                        "this server speaks Git's smart HTTP protocol only",
                    )
                })?;
                (name, service, true)
            }
            None => {
                let (name, service) = rest.rsplit_once('/').ok_or_else(Refusal::absent)?;
                (
                    name,
                    Service::parse(service).ok_or_else(Refusal::absent)?,
                    false,
                )
            }
        };
        let repository = repository_name(name).ok_or_else(Refusal::absent)?;
        let method = if advertisement {
            Method::GET
        } else {
            Method::POST
        };
        if parts.method != method {
            return Err(Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("use {method}"),
            ));
        }
        if !advertisement {
            // A page in a browser can post only other types without asking first.
            let wanted = format!("application/x-{}-request", service.as_str());
            let given = parts.headers.get(header::CONTENT_TYPE);
            if given.is_none_or(|given| given.as_bytes() != wanted.as_bytes()) {
                return Err(Refusal::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    format!("the content type must be `{wanted}`"),
                ));
            }
        }
        Ok(Self {
            repository,
            service,
            advertisement,
        })
    }
}

/// Checks `owner/name` or `name`, with or without `.git`; nothing is decoded or cleaned.
pub(super) fn repository_name(text: &str) -> Option<String> {
    let text = text.strip_suffix(".git").unwrap_or(text);
    let mut parts = text.split('/');
    let good = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        (1..=NAME_BYTES_MAX).contains(&part.len())
            && part.chars().all(allowed)
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && !part.ends_with(".git")
            && !part.ends_with(".lock")
    };
    let count = text.split('/').count();
    (count <= 2 && parts.all(good)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_reach_the_disk() {
        assert_eq!(repository_name("team/app.git").as_deref(), Some("team/app"));
        assert_eq!(repository_name("app").as_deref(), Some("app"));
        for bad in [
            "",
            "/",
            "a//b",
            "a/b/c",
            "../a",
            "a/..",
            ".git",
            "a/.git",
            "%2e%2e/a",
            "a b",
            "-a",
            "a.git/b",
            "a/b.git.git",
            "a\\b",
            "a/b.lock",
        ] {
            assert_eq!(repository_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_will_run_decides_not_the_query() {
        let route = |method: &str, uri: &str, kind: &str| {
            let request = http::Request::builder().method(method).uri(uri);
            let (parts, ()) = request
                .header("content-type", kind)
                .body(())
                .unwrap()
                .into_parts();
            Route::of("/git", &parts).map_err(|refusal| refusal.status.as_u16())
        };
        let push = "application/x-git-receive-pack-request";
        let sneaky = "/git/a/b.git/git-receive-pack?service=git-upload-pack";
        assert_eq!(
            route("POST", sneaky, push).unwrap().service,
            Service::Receive
        );
        assert_eq!(
            route("POST", "/git/a/b/git-receive-pack", "text/plain").err(),
            Some(415)
        );
        assert_eq!(
            route("GET", "/git/a/b/git-receive-pack", push).err(),
            Some(405)
        );
        assert_eq!(route("GET", "/git/a/b/info/refs", "").err(), Some(403));
        assert_eq!(
            route("GET", "/git/a/b/Info/refs?service=git-upload-pack", "").err(),
            Some(404)
        );
        assert_eq!(
            route("GET", "/git/%2e%2e/b/info/refs?service=git-upload-pack", "").err(),
            Some(404)
        );
        assert_eq!(route("GET", "/other/a/b/info/refs", "").err(), Some(404));
    }
}
