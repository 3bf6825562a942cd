//! Policy rules: what they match and which rules cover which.

use std::collections::BTreeSet;
use std::fmt;

use object::{Map, Node, Text};

/// One rule of a Role or ClusterRole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Verbs; `*` is every verb.
    pub verbs: Vec<Text>,
    /// API groups; the empty text is the core group.
    pub api_groups: Vec<Text>,
    /// Resources, `pods/log` for subresources, `*/scale` for one subresource of everything.
    pub resources: Vec<Text>,
    /// Names the rule is limited to; empty means every name.
    pub resource_names: Vec<Text>,
    /// Paths that are no resources; may end in `*`.
    pub non_resource_urls: Vec<Text>,
}

/// What a caller wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attributes<'a> {
    /// Something with a resource.
    Resource {
        /// `get`, `list`, `create`, …
        verb: &'a str,
        /// API group, empty for core.
        group: &'a str,
        /// Plural name.
        resource: &'a str,
        /// `status`, `scale`, …; empty for the object itself.
        subresource: &'a str,
        /// Empty for cluster-scoped requests and for all namespaces.
        namespace: &'a str,
        /// Empty for creates and lists without a name selector.
        name: &'a str,
    },
    /// Something with a path outside of the resources.
    Path {
        /// The HTTP method in lower case.
        verb: &'a str,
        /// The path without query.
        path: &'a str,
    },
}

impl Rule {
    /// The rules of a Role or ClusterRole.
    pub fn of_role(role: &Node) -> Vec<Self> {
        let rules = role
            .get("rules")
            .and_then(Node::as_list)
            .unwrap_or_default();
        rules.iter().map(Self::from_node).collect()
    }

    /// Reads one rule; members that are no lists of texts count as empty.
    pub fn from_node(node: &Node) -> Self {
        let texts = |key: &str| -> Vec<Text> {
            let items = node.get(key).and_then(Node::as_list).unwrap_or_default();
            items
                .iter()
                .filter_map(|item| item.as_str().map(Text::from))
                .collect()
        };
        Self {
            verbs: texts("verbs"),
            api_groups: texts("apiGroups"),
            resources: texts("resources"),
            resource_names: texts("resourceNames"),
            non_resource_urls: texts("nonResourceURLs"),
        }
    }

    /// The rule as Kubernetes writes it; empty members are absent.
    pub fn to_node(&self) -> Node {
        let mut map = Map::new();
        for (key, items) in [
            ("apiGroups", &self.api_groups),
            ("nonResourceURLs", &self.non_resource_urls),
            ("resourceNames", &self.resource_names),
            ("resources", &self.resources),
            ("verbs", &self.verbs),
        ] {
            if !items.is_empty() {
                map.insert(
                    key,
                    items
                        .iter()
                        .map(|item| Node::String(item.clone()))
                        .collect::<Vec<_>>(),
                );
            }
        }
        Node::Map(map)
    }

    /// Whether the rule allows `wanted`.
    ///
    /// # Source
    /// kubernetes/kubernetes `pkg/apis/rbac/v1/evaluation_helpers.go`.
    pub fn allows(&self, wanted: &Attributes<'_>) -> bool {
        match *wanted {
            Attributes::Resource {
                verb,
                group,
                resource,
                subresource,
                name,
                ..
            } => {
                has_or_all(&self.verbs, verb)
                    && has_or_all(&self.api_groups, group)
                    && resource_matches(&self.resources, resource, subresource)
                    && (self.resource_names.is_empty()
                        || self.resource_names.iter().any(|one| one == name))
            }
            Attributes::Path { verb, path } => {
                has_or_all(&self.verbs, verb)
                    && self
                        .non_resource_urls
                        .iter()
                        .any(|url| url_matches(url, path))
            }
        }
    }

    /// Whether whoever holds this rule may hand on all of `part`.
    fn covers(&self, part: &Self) -> bool {
        let all = |mine: &[Text], theirs: &[Text]| theirs.iter().all(|one| has_or_all(mine, one));
        all(&self.verbs, &part.verbs)
            && all(&self.api_groups, &part.api_groups)
            && part.resources.iter().all(|one| {
                let (resource, subresource) = one.split_once('/').unwrap_or((one, ""));
                resource_matches(&self.resources, resource, subresource)
            })
            && part.non_resource_urls.iter().all(|path| {
                self.non_resource_urls
                    .iter()
                    .any(|url| url == path || url_matches(url, path))
            })
            && (self.resource_names.is_empty()
                || !part.resource_names.is_empty()
                    && all(&self.resource_names, &part.resource_names))
    }

    /// Rules of one verb, group, resource and name (or path) each that together say the same.
    fn split(&self) -> Vec<Self> {
        let mut parts = Vec::new();
        for group in &self.api_groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let part = Self {
                        verbs: vec![verb.clone()],
                        api_groups: vec![group.clone()],
                        resources: vec![resource.clone()],
                        ..Self::default()
                    };
                    if self.resource_names.is_empty() {
                        parts.push(part);
                        continue;
                    }
                    parts.extend(self.resource_names.iter().map(|name| Self {
                        resource_names: vec![name.clone()],
                        ..part.clone()
                    }));
                }
            }
        }
        for url in &self.non_resource_urls {
            parts.extend(self.verbs.iter().map(|verb| Self {
                verbs: vec![verb.clone()],
                non_resource_urls: vec![url.clone()],
                ..Self::default()
            }));
        }
        parts
    }
}

/// The short form used in refusals: `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        let mut first = true;
        for (label, items) in [
            ("APIGroups", &self.api_groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.non_resource_urls),
            ("ResourceNames", &self.resource_names),
            ("Verbs", &self.verbs),
        ] {
            if items.is_empty() {
                continue;
            }
            let comma = if first { "" } else { ", " };
            first = false;
            write!(f, "{comma}{label}:{}", quoted(items))?;
        }
        f.write_str("}")
    }
}

/// Go's `%q` of a list of texts: `["a" "b"]`.
pub(super) fn quoted(items: &[Text]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| format!("{:?}", item.as_str()))
        .collect();
    format!("[{}]", items.join(" "))
}

/// Descriptions of what `held` lacks of `wanted`, sorted, each once; empty when everything is held.
///
/// # Source
/// kubernetes/component-helpers `auth/rbac/validation/policy_comparator.go` and
/// kubernetes/kubernetes `pkg/registry/rbac/validation/rule.go`.
pub fn missing(held: &[Rule], wanted: &[Rule]) -> BTreeSet<String> {
    let mut lacking: Vec<Rule> = Vec::new();
    for part in wanted.iter().flat_map(Rule::split) {
        if held.iter().any(|rule| rule.covers(&part)) {
            continue;
        }
        // Verbs of the same resource are told together.
        let same = lacking.iter_mut().find(|rule| {
            !rule.resources.is_empty()
                && (&rule.api_groups, &rule.resources, &rule.resource_names)
                    == (&part.api_groups, &part.resources, &part.resource_names)
        });
        match same {
            Some(rule) if rule.verbs.contains(&part.verbs[0]) => {}
            Some(rule) => rule.verbs.extend(part.verbs),
            None => lacking.push(part),
        }
    }
    lacking.iter().map(Rule::to_string).collect()
}

fn has_or_all(items: &[Text], wanted: &str) -> bool {
    items.iter().any(|item| item == "*" || item == wanted)
}

fn resource_matches(resources: &[Text], resource: &str, subresource: &str) -> bool {
    resources.iter().any(|one| match one.split_once('/') {
        None => one == "*" || subresource.is_empty() && one == resource,
        Some((of, sub)) => {
            !subresource.is_empty() && sub == subresource && (of == "*" || of == resource)
        }
    })
}

fn url_matches(url: &str, path: &str) -> bool {
    match url.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => url == path,
    }
}
