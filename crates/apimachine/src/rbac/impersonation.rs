//! Acting as somebody else.

use std::collections::BTreeMap;

use object::Text;

use super::user::{service_account_groups, split_service_account};
use super::{
    ANONYMOUS, AUTHENTICATED, Attributes, Policy, UNAUTHENTICATED, User, authorize, rules_of,
};

/// What the `Impersonate-*` headers of a request ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonation {
    /// `Impersonate-User`.
    pub user: Text,
    /// `Impersonate-Uid`.
    pub uid: Text,
    /// Every `Impersonate-Group`.
    pub groups: Vec<Text>,
    /// `Impersonate-Extra-<key>`, keys in lower case and percent-decoded.
    pub extra: BTreeMap<Text, Vec<Text>>,
}

/// Why nobody may be impersonated.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImpersonationError {
    /// Groups, uid or extra were asked for, but no user; answered as BadRequest with this text.
    #[error("{0}")]
    NoUser(String),
    /// The caller may not; answered as Forbidden.
    #[error("may not {verb} {resource} `{name}`")]
    Forbidden {
        /// The verb that would have been needed.
        verb: String,
        /// API group of the resource.
        group: String,
        /// Resource, perhaps with a subresource after a slash.
        resource: String,
        /// Namespace, empty at cluster scope.
        namespace: String,
        /// Name, may be empty.
        name: String,
    },
}

impl Impersonation {
    /// Whether any header was there.
    pub fn is_wanted(&self) -> bool {
        !self.user.is_empty()
            || !self.uid.is_empty()
            || !self.groups.is_empty()
            || !self.extra.is_empty()
    }
}

/// The identity that `caller` acts as when it sends `wanted` with these headers.
///
/// A service account without groups gets those of its namespace, and everybody but the anonymous
/// user becomes authenticated.
///
/// # Errors
/// [`ImpersonationError`]. A caller without a single `impersonate` rule is told about the verb of
/// constrained impersonation for the request itself, else about the identity it may not take.
///
/// # Source
/// kubernetes/apiserver `pkg/endpoints/filters/impersonation`.
pub fn impersonate(
    policy: &impl Policy,
    caller: &User,
    wish: &Impersonation,
    wanted: &Attributes<'_>,
) -> Result<User, ImpersonationError> {
    if wish.user.is_empty() {
        return Err(ImpersonationError::NoUser(no_user(wish)));
    }
    let account = split_service_account(&wish.user);
    if !caller.is_master() {
        match first_refused(policy, caller, wish, account) {
            None => {}
            Some(refused) => {
                let knows_verb = rules_of(
                    policy,
                    caller,
                    account.map_or("", |(namespace, _)| namespace),
                )
                .iter()
                .any(|rule| {
                    rule.verbs
                        .iter()
                        .any(|verb| verb == "impersonate" || verb == "*")
                });
                return Err(if knows_verb {
                    refused
                } else {
                    constrained(wanted, account.is_some())
                });
            }
        }
    }
    let mut user = User {
        name: wish.user.clone(),
        uid: wish.uid.clone(),
        groups: wish.groups.clone(),
        extra: wish.extra.clone(),
    };
    if let (Some((namespace, _)), true) = (account, wish.groups.is_empty()) {
        user.groups = service_account_groups(namespace);
    }
    if user.name == ANONYMOUS {
        user.add_group(UNAUTHENTICATED);
    } else if !user.in_group(UNAUTHENTICATED) {
        user.add_group(AUTHENTICATED);
    }
    Ok(user)
}

fn first_refused(
    policy: &impl Policy,
    caller: &User,
    wish: &Impersonation,
    account: Option<(&str, &str)>,
) -> Option<ImpersonationError> {
    const AUTHENTICATION: &str = "authentication.k8s.io";
    let mut needed: Vec<(&str, String, &str, &str)> = Vec::new();
    match account {
        Some((namespace, name)) => needed.push(("", "serviceaccounts".into(), namespace, name)),
        None => needed.push(("", "users".into(), "", wish.user.as_str())),
    }
    needed.extend(
        wish.groups
            .iter()
            .map(|group| ("", "groups".into(), "", group.as_str())),
    );
    for (key, values) in &wish.extra {
        needed.extend(values.iter().map(|value| {
            (
                AUTHENTICATION,
                format!("userextras/{key}"),
                "",
                value.as_str(),
            )
        }));
    }
    if !wish.uid.is_empty() {
        needed.push((AUTHENTICATION, "uids".into(), "", wish.uid.as_str()));
    }
    let refused = needed
        .into_iter()
        .find(|(group, resource, namespace, name)| {
            let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
            let wanted = Attributes::Resource {
                verb: "impersonate",
                group,
                resource,
                subresource,
                namespace,
                name,
            };
            !authorize(policy, caller, &wanted).is_allowed()
        });
    refused.map(
        |(group, resource, namespace, name)| ImpersonationError::Forbidden {
            verb: "impersonate".into(),
            group: group.into(),
            resource,
            namespace: namespace.into(),
            name: name.into(),
        },
    )
}

/// The refusal in the words of constrained impersonation: it names the request, not the identity.
fn constrained(wanted: &Attributes<'_>, service_account: bool) -> ImpersonationError {
    let mode = if service_account {
        "serviceaccount"
    } else {
        "user-info"
    };
    match *wanted {
        Attributes::Resource {
            verb,
            group,
            resource,
            subresource,
            namespace,
            name,
        } => ImpersonationError::Forbidden {
            verb: format!("impersonate-on:{mode}:{verb}"),
            group: group.into(),
            resource: if subresource.is_empty() {
                resource.into()
            } else {
                format!("{resource}/{subresource}")
            },
            namespace: namespace.into(),
            name: name.into(),
        },
        Attributes::Path { verb, path } => ImpersonationError::Forbidden {
            verb: format!("impersonate-on:{mode}:{verb}"),
            group: String::new(),
            resource: String::new(),
            namespace: String::new(),
            name: path.into(),
        },
    }
}

/// Upstream prints the request as a Go struct; clients show it as it is.
fn no_user(wish: &Impersonation) -> String {
    let list = |items: &[Text]| {
        let items: Vec<String> = items
            .iter()
            .map(|item| format!("{:?}", item.as_str()))
            .collect();
        format!("[]string{{{}}}", items.join(", "))
    };
    let groups = if wish.groups.is_empty() {
        "[]string(nil)".into()
    } else {
        list(&wish.groups)
    };
    let extra = if wish.extra.is_empty() {
        "map[string][]string(nil)".into()
    } else {
        let entries: Vec<String> = wish
            .extra
            .iter()
            .map(|(key, values)| format!("{:?}:{}", key.as_str(), list(values)))
            .collect();
        format!("map[string][]string{{{}}}", entries.join(", "))
    };
    format!(
        "requested &user.DefaultInfo{{Name:\"\", UID:{:?}, Groups:{groups}, Extra:{extra}}} without impersonating a user name",
        wish.uid.as_str()
    )
}
