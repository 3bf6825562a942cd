//! From method and path to what is asked for.
//!
//! # Source
//! kubernetes/apiserver `pkg/endpoints/request/requestinfo.go`.

use std::sync::Arc;

use object::Text;

use crate::rbac::Attributes;
use crate::request::decode;
use crate::types::{ResourceType, qualified};
use crate::{Refusal, Request, State};

/// What a request wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch,
    Delete,
    DeleteCollection,
    /// A method without meaning here, in lower case.
    Other(&'static str),
}

impl Verb {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
            Self::Other(method) => method,
        }
    }
}

/// The parts of a path, whether or not such a resource exists.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub group: Text,
    pub version: Text,
    pub resource: Text,
    pub namespace: Text,
    pub name: Text,
    pub subresource: Text,
    /// Segments after the subresource.
    pub rest: usize,
    pub verb: Verb,
}

/// A path that leads to a resource that exists.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    pub resource: Arc<ResourceType>,
    pub namespace: Text,
    pub name: Text,
    pub subresource: Text,
    pub verb: Verb,
}

/// Takes a path apart; `None` when it is no resource path.
pub(crate) fn address(request: &Request) -> Option<Address> {
    let segments: Vec<String> = request
        .path
        .split('/')
        .filter(|segment| !segment.is_empty())
        .map(|segment| decode(segment, false))
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    let (group, version, rest) = match segments[..] {
        ["api", version, ref rest @ ..] => ("", version, rest),
        ["apis", group, version, ref rest @ ..] => (group, version, rest),
        _ => return None,
    };
    let (namespace, rest) = match *rest {
        ["namespaces", namespace, ref rest @ ..]
            if !rest.is_empty() && !matches!(rest[0], "status" | "finalize") =>
        {
            (namespace, rest)
        }
        ["namespaces", namespace, ..] => (namespace, rest),
        _ => ("", rest),
    };
    let (resource, rest) = rest.split_first()?;
    let name = rest.first().copied().unwrap_or_default();
    let mut address = Address {
        group: group.into(),
        version: version.into(),
        resource: (*resource).into(),
        namespace: namespace.into(),
        name: name.into(),
        subresource: rest.get(1).copied().unwrap_or_default().into(),
        rest: rest.len().saturating_sub(2),
        verb: verb(request, name),
    };
    if matches!(address.verb, Verb::List | Verb::Watch) && address.name.is_empty() {
        // Rules that name objects apply to selections by name.
        let selector = request.parameter("fieldSelector").unwrap_or_default();
        let selected = crate::selector::FieldSelector::parse(selector).unwrap_or_default();
        if let Some(name) = selected.exact("metadata.name") {
            address.name = name.clone();
        }
    }
    Some(address)
}

fn verb(request: &Request, name: &str) -> Verb {
    let named = !name.is_empty();
    match request.method.as_str() {
        "GET" if named => Verb::Get,
        "GET" if request.parameter("watch").is_some_and(is_true) => Verb::Watch,
        "GET" => Verb::List,
        "POST" => Verb::Create,
        "PUT" => Verb::Update,
        "PATCH" => Verb::Patch,
        "DELETE" if named => Verb::Delete,
        "DELETE" => Verb::DeleteCollection,
        "HEAD" => Verb::Other("get"),
        _ => Verb::Other(""),
    }
}

/// How the API reads boolean parameters: everything but `false`, `0` and nothing is true.
pub(crate) fn is_true(text: &str) -> bool {
    !matches!(text.to_ascii_lowercase().as_str(), "" | "false" | "0")
}

impl Address {
    /// What the authoriser is asked.
    pub(crate) fn attributes(&self) -> Attributes<'_> {
        Attributes::Resource {
            verb: self.verb.as_str(),
            group: &self.group,
            resource: &self.resource,
            subresource: &self.subresource,
            namespace: &self.namespace,
            name: &self.name,
        }
    }

    /// The refusal of a user who may not do this.
    pub(crate) fn forbidden(&self, user: &str) -> Refusal {
        forbidden(user, &self.attributes())
    }

    /// The resource this leads to.
    ///
    /// # Errors
    /// 404 as text for groups nobody serves, 404 as Status inside served groups, 405 for methods.
    pub(crate) fn route(&self, state: &State) -> Result<Route, Refusal> {
        let Some(resource) = state.resource_type(&self.group, &self.version, &self.resource) else {
            let custom = |resource: &&Arc<ResourceType>| resource.custom.is_some();
            let mut in_group = state
                .resource_types()
                .filter(|resource| resource.group == self.group);
            let built_in = in_group.any(|resource| !custom(&resource));
            return Err(if built_in {
                Refusal::unknown_resource()
            } else {
                Refusal::unknown_path()
            });
        };
        let not_found = || match resource.custom.is_some() {
            true => Refusal::unknown_path(),
            false => Refusal::unknown_resource(),
        };
        // A list that selects by name carries a name without being about one object.
        let listing = matches!(self.verb, Verb::List | Verb::Watch | Verb::DeleteCollection);
        let is_namespace = self.resource == "namespaces" && self.group.is_empty();
        let (namespace, name) = match (is_namespace, listing) {
            (true, true) => (Text::default(), Text::default()),
            (true, false) => (Text::default(), self.name.clone()),
            (false, true) => (self.namespace.clone(), Text::default()),
            (false, false) => (self.namespace.clone(), self.name.clone()),
        };
        if self.rest > 0 || (!resource.namespaced && !namespace.is_empty()) {
            return Err(not_found());
        }
        let route = Route {
            resource: resource.clone(),
            namespace,
            name,
            subresource: self.subresource.clone(),
            verb: self.verb,
        };
        if !route.subresource.is_empty() {
            let Some(subresource) = resource.subresource(&route.subresource) else {
                return Err(not_found());
            };
            let wanted = route.verb.as_str();
            let allowed = subresource.verbs.iter().any(|verb| verb == wanted);
            return if allowed {
                Ok(route)
            } else {
                Err(Refusal::method_not_allowed())
            };
        }
        let create_only = resource.verbs.len() == 1 && resource.verbs[0] == "create";
        if !route.name.is_empty()
            && (resource.namespaced && route.namespace.is_empty() || create_only)
        {
            return Err(not_found());
        }
        let verb = route.verb.as_str();
        let supported = resource.verbs.iter().any(|one| one == verb);
        let needs_name = matches!(
            route.verb,
            Verb::Update | Verb::Patch | Verb::Delete | Verb::Get
        );
        let across = resource.namespaced && route.namespace.is_empty();
        let misplaced = match route.verb {
            Verb::Create => !route.name.is_empty() || across && !create_only,
            Verb::DeleteCollection => across,
            _ => needs_name == route.name.is_empty(),
        };
        if !supported || misplaced {
            return Err(Refusal::method_not_allowed());
        }
        Ok(route)
    }
}

/// The refusal of a user who may not do what `attributes` say.
pub(crate) fn forbidden(user: &str, attributes: &Attributes<'_>) -> Refusal {
    match *attributes {
        Attributes::Path { verb, path } => Refusal {
            bare_details: true,
            ..Refusal::new(
                403,
                "Forbidden",
                format!("forbidden: User {user:?} cannot {verb} path {path:?}"),
            )
        },
        Attributes::Resource {
            verb,
            group,
            resource,
            subresource,
            namespace,
            name,
        } => {
            let full = match subresource {
                "" => resource.to_owned(),
                subresource => format!("{resource}/{subresource}"),
            };
            let place = match namespace {
                "" => "at the cluster scope".to_owned(),
                namespace => format!("in the namespace {namespace:?}"),
            };
            let problem = format!(
                "User {user:?} cannot {verb} resource {full:?} in API group {group:?} {place}"
            );
            Refusal::forbidden(&qualified(resource, group), resource, group, name, &problem)
        }
    }
}
