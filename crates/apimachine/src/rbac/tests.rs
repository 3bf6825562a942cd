//! Who may do what, as tables.

use object::{Node, json};

use super::*;

/// Objects in a list.
struct Objects(Vec<Node>);

impl Objects {
    fn of(&self, kind: &str, namespace: &str) -> Vec<Node> {
        let wanted = self.0.iter().filter(|object| {
            object.str_at(&["kind"]) == Some(kind)
                && object
                    .str_at(&["metadata", "namespace"])
                    .unwrap_or_default()
                    == namespace
        });
        wanted.cloned().collect()
    }

    fn one(&self, kind: &str, namespace: &str, name: &str) -> Option<Node> {
        let mut found = self.of(kind, namespace);
        found.retain(|object| object.str_at(&["metadata", "name"]) == Some(name));
        found.pop()
    }
}

impl Policy for Objects {
    fn cluster_role_bindings(&self) -> Vec<Node> {
        self.of("ClusterRoleBinding", "")
    }
    fn role_bindings(&self, namespace: &str) -> Vec<Node> {
        self.of("RoleBinding", namespace)
    }
    fn cluster_role(&self, name: &str) -> Option<Node> {
        self.one("ClusterRole", "", name)
    }
    fn role(&self, namespace: &str, name: &str) -> Option<Node> {
        self.one("Role", namespace, name)
    }
}

fn node(text: &str) -> Node {
    json::parse(text.as_bytes(), json::OBJECT_LIMITS).expect("a test's JSON is right")
}

/// The bootstrap roles and a small company: alice views `shop`, bob manages roles there, the
/// service account `shop/robot` scales everything, carol reads two named secrets and `/logs/*`.
fn company() -> Objects {
    let more = [
        r#"{"kind":"RoleBinding","metadata":{"name":"alice","namespace":"shop"},"roleRef":{"kind":"ClusterRole","name":"view"},"subjects":[{"kind":"User","name":"alice"}]}"#,
        r#"{"kind":"Role","metadata":{"name":"roles","namespace":"shop"},"rules":[{"apiGroups":["rbac.authorization.k8s.io"],"resources":["*"],"verbs":["create","update"]},{"apiGroups":[""],"resources":["pods"],"verbs":["get","list"]}]}"#,
        r#"{"kind":"RoleBinding","metadata":{"name":"bob","namespace":"shop"},"roleRef":{"kind":"Role","name":"roles"},"subjects":[{"kind":"User","name":"bob"}]}"#,
        r#"{"kind":"Role","metadata":{"name":"scaler","namespace":"shop"},"rules":[{"apiGroups":["*"],"resources":["*/scale"],"verbs":["*"]}]}"#,
        r#"{"kind":"RoleBinding","metadata":{"name":"robot","namespace":"shop"},"roleRef":{"kind":"Role","name":"scaler"},"subjects":[{"kind":"ServiceAccount","name":"robot"}]}"#,
        r#"{"kind":"ClusterRole","metadata":{"name":"carol"},"rules":[{"apiGroups":[""],"resources":["secrets"],"resourceNames":["a","b"],"verbs":["get","watch"]},{"nonResourceURLs":["/logs/*"],"verbs":["get"]}]}"#,
        r#"{"kind":"ClusterRoleBinding","metadata":{"name":"carol"},"roleRef":{"kind":"ClusterRole","name":"carol"},"subjects":[{"kind":"Group","name":"auditors"}]}"#,
        r#"{"kind":"RoleBinding","metadata":{"name":"ghost","namespace":"shop"},"roleRef":{"kind":"Role","name":"absent"},"subjects":[{"kind":"Group","name":"system:authenticated"}]}"#,
        r#"{"kind":"ClusterRole","metadata":{"name":"actor"},"rules":[{"apiGroups":[""],"resources":["users"],"resourceNames":["dora"],"verbs":["impersonate"]}]}"#,
        r#"{"kind":"ClusterRoleBinding","metadata":{"name":"actor"},"roleRef":{"kind":"ClusterRole","name":"actor"},"subjects":[{"kind":"User","name":"actor"}]}"#,
    ];
    let objects = bootstrap_objects().into_iter();
    let mut objects: Vec<Node> = objects.chain(more.iter().map(|text| node(text))).collect();
    for (name, rules) in aggregate(&objects) {
        let is_it = |object: &&mut Node| {
            object.str_at(&["kind"]) == Some("ClusterRole")
                && object.str_at(&["metadata", "name"]) == Some(&name)
        };
        if let Some(role) = objects.iter_mut().find(is_it) {
            role.set(&["rules"], rules);
        }
    }
    Objects(objects)
}

fn users(name: &str) -> User {
    match name {
        "robot" => User::service_account("shop", "robot"),
        "carol" => User::new("carol", ["auditors"]),
        "anonymous" => User::anonymous(),
        "admin" => User::admin(),
        _ => User::new(name, []),
    }
}

#[test]
fn decisions_follow_bindings_roles_and_wildcards() {
    // user, verb, group, resource[/sub] or path, namespace, name, allowed
    let table = "
        admin      delete  apps  deployments        shop  web  yes
        alice      get     core  pods               shop  web  yes
        alice      list    apps  deployments/status shop  -    yes
        alice      get     core  secrets            shop  a    no
        alice      get     core  pods               other web  no
        alice      list    core  pods               -     -    no
        alice      get     -     /version           -     -    yes
        alice      create  authorization.k8s.io selfsubjectaccessreviews - - yes
        robot      patch   apps  deployments/scale  shop  web  yes
        robot      patch   apps  deployments        shop  web  no
        robot      patch   apps  deployments/scale  other web  no
        carol      get     core  secrets            any   a    yes
        carol      get     core  secrets            -     b    yes
        carol      get     core  secrets            any   c    no
        carol      list    core  secrets            any   -    no
        carol      get     -     /logs/today        -     -    yes
        carol      get     -     /logs              -     -    no
        anonymous  get     -     /healthz           -     -    yes
        anonymous  get     -     /metrics           -     -    no
        anonymous  get     -     /apis              -     -    no
        dave       get     core  pods               shop  web  no
    ";
    let policy = company();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line
            .split_whitespace()
            .map(|word| {
                if word == "-" || word == "core" {
                    ""
                } else {
                    word
                }
            })
            .collect();
        let [user, verb, group, target, namespace, name, allowed] = words[..] else {
            panic!("{line}")
        };
        let wanted = if target.starts_with('/') {
            Attributes::Path { verb, path: target }
        } else {
            let (resource, subresource) = target.split_once('/').unwrap_or((target, ""));
            Attributes::Resource {
                verb,
                group,
                resource,
                subresource,
                namespace,
                name,
            }
        };
        let decision = authorize(&policy, &users(user), &wanted);
        assert_eq!(
            decision.is_allowed(),
            allowed == "yes",
            "{line}: {decision:?}"
        );
    }
}

#[test]
fn an_allowed_request_names_the_binding() {
    let pods = |namespace| Attributes::Resource {
        verb: "get",
        group: "",
        resource: "pods",
        subresource: "",
        namespace,
        name: "",
    };
    let scale = Attributes::Resource {
        verb: "get",
        group: "apps",
        resource: "deployments",
        subresource: "scale",
        namespace: "shop",
        name: "",
    };
    let policy = company();
    let reason = |user: &str, wanted: &Attributes<'_>| authorize(&policy, &users(user), wanted);
    assert_eq!(
        reason("alice", &pods("shop")),
        Decision::Allow(
            "RBAC: allowed by RoleBinding \"alice/shop\" of ClusterRole \"view\" to User \"alice\""
                .into()
        )
    );
    assert_eq!(reason("robot", &scale), Decision::Allow("RBAC: allowed by RoleBinding \"robot/shop\" of Role \"scaler\" to ServiceAccount \"robot/shop\"".into()));
    let version = Attributes::Path {
        verb: "get",
        path: "/version",
    };
    assert_eq!(reason("anonymous", &version), Decision::Allow("RBAC: allowed by ClusterRoleBinding \"system:public-info-viewer\" of ClusterRole \"system:public-info-viewer\" to Group \"system:unauthenticated\"".into()));
}

#[test]
fn rights_that_are_not_held_cannot_be_granted() {
    let policy = company();
    let role = |rules: &str| {
        node(&format!(
            r#"{{"kind":"Role","metadata":{{"name":"r","namespace":"shop"}},"rules":[{rules}]}}"#
        ))
    };
    let check =
        |user: &str, object: &Node| check_escalation(&policy, &users(user), "shop", object, None);
    let lacking = |lines: &str| {
        Err(EscalationError::NotHeld(format!(
            "user \"bob\" (groups=[\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n{lines}"
        )))
    };
    let held = role(r#"{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}"#);
    let named =
        role(r#"{"apiGroups":[""],"resources":["pods"],"resourceNames":["a"],"verbs":["get"]}"#);
    let partly =
        role(r#"{"apiGroups":[""],"resources":["pods","secrets"],"verbs":["get","delete"]}"#);
    assert_eq!(check("bob", &held), Ok(()));
    assert_eq!(check("bob", &named), Ok(()));
    assert_eq!(
        check("bob", &partly),
        lacking(
            "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"delete\"]}\n{APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\" \"delete\"]}"
        )
    );
    assert_eq!(check("admin", &partly), Ok(()));
    let bind = |kind: &str, name: &str| {
        node(&format!(
            r#"{{"kind":"RoleBinding","metadata":{{"name":"b"}},"roleRef":{{"kind":"{kind}","name":"{name}"}}}}"#
        ))
    };
    assert_eq!(
        check("bob", &bind("ClusterRole", "cluster-admin")),
        lacking(
            "{APIGroups:[\"*\"], Resources:[\"*\"], Verbs:[\"*\"]}\n{NonResourceURLs:[\"*\"], Verbs:[\"*\"]}"
        )
    );
    assert_eq!(
        check("bob", &bind("Role", "absent")),
        Err(EscalationError::RoleNotFound("absent".into()))
    );
    assert_eq!(check("bob", &bind("Role", "roles")), Ok(()));
    // A write that changes no rule is nobody's escalation.
    assert_eq!(
        check_escalation(&policy, &users("bob"), "shop", &partly, Some(&partly)),
        Ok(())
    );
}

#[test]
fn impersonation_needs_a_rule_for_every_part() {
    let policy = company();
    let request = Attributes::Resource {
        verb: "list",
        group: "",
        resource: "pods",
        subresource: "",
        namespace: "shop",
        name: "",
    };
    let wish = |user: &str, groups: &[&str]| Impersonation {
        user: user.into(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
        ..Impersonation::default()
    };
    let ask =
        |caller: &str, wish: &Impersonation| impersonate(&policy, &users(caller), wish, &request);
    let refused = |verb: &str, resource: &str, namespace: &str, name: &str| {
        Err(ImpersonationError::Forbidden {
            verb: verb.into(),
            group: String::new(),
            resource: resource.into(),
            namespace: namespace.into(),
            name: name.into(),
        })
    };
    assert_eq!(ask("actor", &wish("dora", &[])), Ok(User::new("dora", [])));
    assert_eq!(
        ask("actor", &wish("erin", &[])),
        refused("impersonate", "users", "", "erin")
    );
    assert_eq!(
        ask("actor", &wish("dora", &["system:masters"])),
        refused("impersonate", "groups", "", "system:masters")
    );
    assert_eq!(
        ask("alice", &wish("dora", &[])),
        refused("impersonate-on:user-info:list", "pods", "shop", "")
    );
    assert_eq!(
        ask("admin", &wish("system:serviceaccount:shop:robot", &[])).map(|user| user.groups),
        Ok(vec![
            "system:serviceaccounts".into(),
            "system:serviceaccounts:shop".into(),
            "system:authenticated".into()
        ])
    );
    assert_eq!(
        ask("admin", &wish("system:anonymous", &[])).map(|user| user.groups),
        Ok(vec!["system:unauthenticated".into()])
    );
    assert_eq!(
        ask("admin", &wish("", &["g"])),
        Err(ImpersonationError::NoUser(
            "requested &user.DefaultInfo{Name:\"\", UID:\"\", Groups:[]string{\"g\"}, Extra:map[string][]string(nil)} without impersonating a user name".into()
        ))
    );
}

#[test]
fn collecting_roles_follow_what_they_collect() {
    let mut objects = company().0;
    assert_eq!(
        aggregate(&objects),
        Vec::new(),
        "nothing is left to collect"
    );
    objects.push(node(
        r#"{"kind":"ClusterRole","metadata":{"name":"x","labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}},"rules":[{"apiGroups":["x.io"],"resources":["xs"],"verbs":["get"]}]}"#,
    ));
    let changed: Vec<String> = aggregate(&objects)
        .iter()
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(changed, ["admin", "edit", "view"]);
    assert_eq!(
        aggregate(&objects)[2]
            .1
            .as_list()
            .and_then(|rules| rules.last())
            .and_then(|rule| rule.at(&["resources"])),
        Some(&Node::list(["xs"]))
    );
}

#[test]
fn a_rules_review_lists_what_is_held() {
    let status = rules_review(&company(), &users("carol"), "any");
    let paths = status
        .get("nonResourceRules")
        .and_then(Node::as_list)
        .map(<[Node]>::len);
    assert_eq!(paths, Some(3), "logs, discovery and public information");
    assert_eq!(status.get("incomplete"), Some(&Node::Bool(false)));
}
