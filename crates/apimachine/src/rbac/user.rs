//! Who sends a request.

use std::collections::BTreeMap;

use object::{Map, Node, Text};

/// Members of this group may do everything; no rule is consulted.
pub const MASTERS: &str = "system:masters";
/// Every caller whose identity was established.
pub const AUTHENTICATED: &str = "system:authenticated";
/// Callers without credentials.
pub const UNAUTHENTICATED: &str = "system:unauthenticated";
/// The name of callers without credentials.
pub const ANONYMOUS: &str = "system:anonymous";
const SERVICE_ACCOUNT_PREFIX: &str = "system:serviceaccount:";

/// The identity that a request runs under; the shell has authenticated it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct User {
    /// Login name, `system:serviceaccount:<namespace>:<name>` for service accounts.
    pub name: Text,
    /// Identity that survives a rename; empty when the authenticator knows none.
    pub uid: Text,
    /// Groups in the order in which they were established, `system:authenticated` included.
    pub groups: Vec<Text>,
    /// Anything else the authenticator knows.
    pub extra: BTreeMap<Text, Vec<Text>>,
}

impl User {
    /// An authenticated user with these groups; [`AUTHENTICATED`] is added.
    pub fn new<'a>(name: &str, groups: impl IntoIterator<Item = &'a str>) -> Self {
        let mut user = Self {
            name: name.into(),
            groups: groups.into_iter().map(Text::from).collect(),
            ..Self::default()
        };
        user.add_group(AUTHENTICATED);
        user
    }

    /// The administrator that embedded clients run as.
    pub fn admin() -> Self {
        Self::new("admin", [MASTERS])
    }

    /// A caller without credentials.
    pub fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.into(),
            groups: vec![UNAUTHENTICATED.into()],
            ..Self::default()
        }
    }

    /// The identity of a service account.
    pub fn service_account(namespace: &str, name: &str) -> Self {
        let mut user = Self {
            name: format!("{SERVICE_ACCOUNT_PREFIX}{namespace}:{name}").into(),
            groups: service_account_groups(namespace),
            ..Self::default()
        };
        user.add_group(AUTHENTICATED);
        user
    }

    /// Adds a group unless it is there.
    pub fn add_group(&mut self, group: &str) {
        if !self.in_group(group) {
            self.groups.push(group.into());
        }
    }

    /// Whether the user is a member of `group`.
    pub fn in_group(&self, group: &str) -> bool {
        self.groups.iter().any(|one| one == group)
    }

    /// Whether every request is allowed without asking a rule.
    pub fn is_master(&self) -> bool {
        self.in_group(MASTERS)
    }

    /// Namespace and name, when this is a service account.
    pub fn as_service_account(&self) -> Option<(&str, &str)> {
        split_service_account(&self.name)
    }

    /// As the `user` of a TokenReview or the `userInfo` of an AdmissionReview; empty members are absent.
    pub fn to_node(&self) -> Node {
        let texts = |items: &[Text]| {
            Node::from(
                items
                    .iter()
                    .map(|text| Node::String(text.clone()))
                    .collect::<Vec<_>>(),
            )
        };
        let mut map = Map::new();
        map.insert("username", self.name.clone());
        if !self.uid.is_empty() {
            map.insert("uid", self.uid.clone());
        }
        if !self.groups.is_empty() {
            map.insert("groups", texts(&self.groups));
        }
        if !self.extra.is_empty() {
            let extra: Map = self
                .extra
                .iter()
                .map(|(key, values)| (key.clone(), texts(values)))
                .collect();
            map.insert("extra", extra);
        }
        Node::Map(map)
    }
}

/// Groups that every service account of `namespace` is in.
pub fn service_account_groups(namespace: &str) -> Vec<Text> {
    vec![
        "system:serviceaccounts".into(),
        format!("system:serviceaccounts:{namespace}").into(),
    ]
}

/// Namespace and name out of `system:serviceaccount:<namespace>:<name>`.
pub fn split_service_account(user_name: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user_name
        .strip_prefix(SERVICE_ACCOUNT_PREFIX)?
        .split_once(':')?;
    (!namespace.is_empty() && !name.is_empty() && !name.contains(':')).then_some((namespace, name))
}
