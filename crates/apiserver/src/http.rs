//! What a request line says, and how answers become bytes.

use apimachine::rbac::Attributes;

/// Undoes percent-encoding; broken escapes stay as they are, bytes that are no UTF-8 become U+FFFD.
pub(crate) fn percent_decode(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = (bytes[at] == b'%')
            .then(|| text.get(at + 1..at + 3))
            .flatten();
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The parameters of a query string in order, decoded.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| percent_decode(&text.replace('+', " "));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect()
}

/// What a request is about, as authorisation sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RequestInfo {
    pub(crate) verb: String,
    /// Whether the path names a resource; all but `verb` and `path` are empty when not.
    pub(crate) is_resource: bool,
    pub(crate) path: String,
    pub(crate) group: String,
    pub(crate) resource: String,
    pub(crate) subresource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl RequestInfo {
    /// Reads method, path (still encoded) and query.
    ///
    /// # Source
    /// kubernetes/apiserver `pkg/endpoints/request/requestinfo.go`.
    pub(crate) fn new(method: &str, path: &str, query: &[(String, String)]) -> Self {
        let outside = Self {
            verb: method.to_lowercase(),
            path: percent_decode(path),
            ..Self::default()
        };
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(percent_decode)
            .collect();
        let (group, rest) = match parts.first().map(String::as_str) {
            Some("api") if parts.len() > 2 => (String::new(), &parts[2..]),
            Some("apis") if parts.len() > 3 => (parts[1].clone(), &parts[3..]),
            _ => return outside,
        };
        let mut info = Self {
            is_resource: true,
            group,
            ..outside
        };
        let rest = match rest {
            [first, namespace, third, ..] if first == "namespaces" => {
                info.namespace.clone_from(namespace);
                if matches!(third.as_str(), "status" | "finalize") {
                    rest
                } else {
                    &rest[2..]
                }
            }
            [first, namespace] if first == "namespaces" => {
                info.namespace.clone_from(namespace);
                rest
            }
            _ => rest,
        };
        let part = |at: usize| rest.get(at).cloned().unwrap_or_default();
        (info.resource, info.name, info.subresource) = (part(0), part(1), part(2));
        let parameter = |name: &str| {
            query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        info.verb = match (method, info.name.is_empty()) {
            ("POST", _) => "create",
            ("GET" | "HEAD", false) => "get",
            ("GET" | "HEAD", true)
                if parameter("watch").is_some_and(|value| value != "false" && value != "0") =>
            {
                "watch"
            }
            ("GET" | "HEAD", true) => "list",
            ("PUT", _) => "update",
            ("PATCH", _) => "patch",
            ("DELETE", false) => "delete",
            ("DELETE", true) => "deletecollection",
            _ => {
                return Self {
                    verb: method.to_lowercase(),
                    ..info
                };
            }
        }
        .to_owned();
        if matches!(info.verb.as_str(), "list" | "watch" | "deletecollection") {
            let selected = parameter("fieldSelector")
                .unwrap_or_default()
                .split(',')
                .find_map(|one| {
                    one.strip_prefix("metadata.name==")
                        .or_else(|| one.strip_prefix("metadata.name="))
                });
            info.name = selected.unwrap_or_default().to_owned();
        }
        info
    }

    /// The same for the authoriser.
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        if self.is_resource {
            Attributes::Resource {
                verb: &self.verb,
                group: &self.group,
                resource: &self.resource,
                subresource: &self.subresource,
                namespace: &self.namespace,
                name: &self.name,
            }
        } else {
            Attributes::Path {
                verb: &self.verb,
                path: &self.path,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_verbs_and_resources() {
        let table = "
            GET    /api/v1/pods                                   list     -    pods         -      -      -
            GET    /api/v1/pods?watch=foo                         watch    -    pods         -      -      -
            GET    /api/v1/pods?watch=0                           list     -    pods         -      -      -
            GET    /api/v1/namespaces/a/pods/b/log                get      -    pods         log    a      b
            GET    /api/v1/namespaces/a                           get      -    namespaces   -      a      a
            PUT    /api/v1/namespaces/a/finalize                  update   -    namespaces   finalize a    a
            POST   /apis/apps/v1/namespaces/a/deployments         create   apps deployments  -      a      -
            DELETE /apis/apps/v1/namespaces/a/deployments         deletecollection apps deployments - a    -
            PATCH  /apis/apps/v1/namespaces/a/deployments/x/scale patch    apps deployments  scale  a      x
            GET    /api/v1/secrets?fieldSelector=metadata.name%3Dx list    -    secrets      -      -      x
            GET    /api/v1/namespaces/a%2Fb/pods/..               get      -    pods         -      a/b    ..
        ";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line
                .split_whitespace()
                .map(|word| if word == "-" { "" } else { word })
                .collect();
            let (path, query) = words[1].split_once('?').unwrap_or((words[1], ""));
            let info = RequestInfo::new(words[0], path, &query_pairs(query));
            let found = [
                &info.verb,
                &info.group,
                &info.resource,
                &info.subresource,
                &info.namespace,
                &info.name,
            ];
            assert_eq!(found.map(String::as_str)[..], words[2..], "{line}");
        }
        assert!(!RequestInfo::new("GET", "/apis/apps/v1", &[]).is_resource);
        assert!(!RequestInfo::new("GET", "/healthz", &[]).is_resource);
    }

    #[test]
    fn broken_escapes_stay_as_they_are() {
        assert_eq!(percent_decode("a%2Fb%zz%"), "a/b%zz%");
        assert_eq!(
            query_pairs("a=1+2&b&=c&d=%F0%9F"),
            [("a", "1 2"), ("b", ""), ("", "c"), ("d", "\u{fffd}")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
        );
    }
}
