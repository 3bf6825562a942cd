//! Admission policies: rules that the objects of a cluster bring along.
//!
//! # Source
//! kubernetes/apiserver `pkg/admission/plugin/policy/{generic,matching,validating,mutating}`.

use std::collections::BTreeMap;
use std::sync::Arc;

use expr::{Bindings, Budget, Options, Program, Value};
use object::{LabelSelector, Map, Node, Text};

use crate::call::{Call, Target, is_deleting, meta};
use crate::options::WriteOptions;
use crate::settle::Worklist;
use crate::status::Cause;
use crate::{Key, Refusal, State, Writer};

const GROUP: &str = "admissionregistration.k8s.io";
pub(crate) const POLICIES: &str = "validatingadmissionpolicies.admissionregistration.k8s.io";
const BINDINGS: &str = "validatingadmissionpolicybindings.admissionregistration.k8s.io";
pub(crate) const MUTATING: &str = "mutatingadmissionpolicies.admissionregistration.k8s.io";
const MUTATING_BINDINGS: &str = "mutatingadmissionpolicybindings.admissionregistration.k8s.io";

/// An expression, or why it is none.
type Compiled = Result<Program, String>;

/// The policies of a cluster, compiled, with their bindings.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    validating: Vec<Arc<Policy>>,
    mutating: Vec<Arc<Policy>>,
}

#[derive(Debug)]
struct Policy {
    name: Text,
    spec: Node,
    fails_closed: bool,
    conditions: Vec<Compiled>,
    variables: Vec<(Text, Compiled)>,
    validations: Vec<Validation>,
    mutations: Vec<Mutation>,
    bindings: Vec<(Text, Node)>,
}

#[derive(Debug)]
struct Validation {
    text: Text,
    rule: Compiled,
    message: Text,
    message_expression: Option<Compiled>,
    reason: Text,
}

#[derive(Debug)]
enum Mutation {
    Apply(Compiled),
    JsonPatch(Compiled),
}

/// What a write is, as policies see it.
struct Attempt<'a> {
    operation: &'static str,
    object: Option<&'a Node>,
    old: Option<&'a Node>,
}

impl<'a> Attempt<'a> {
    fn new(object: Option<&'a Node>, old: Option<&'a Node>) -> Self {
        let operation = match (object, old) {
            (None, _) => "DELETE",
            (Some(_), None) => "CREATE",
            (Some(_), Some(_)) => "UPDATE",
        };
        Self {
            operation,
            object,
            old,
        }
    }

    fn shown(&self) -> &Node {
        self.object.or(self.old).unwrap_or(&Node::Null)
    }
}

fn compile(node: &Node, keys: &[&str]) -> Option<Compiled> {
    let text = node.str_at(keys)?;
    Some(Program::compile(text, &Options::dynamic()).map_err(|error| error.to_string()))
}

pub(crate) fn list<'n>(node: &'n Node, keys: &[&str]) -> &'n [Node] {
    node.at(keys).and_then(Node::as_list).unwrap_or_default()
}

/// Compiles the policies again when they or their bindings have changed.
pub(crate) fn react(writer: &mut Writer<'_>, worklist: &Worklist) {
    let kinds = [POLICIES, BINDINGS, MUTATING, MUTATING_BINDINGS];
    if !worklist
        .iter()
        .any(|(resource, _)| kinds.contains(&resource.as_str()))
    {
        return;
    }
    writer.change_state(|state| {
        let policies = Policies {
            validating: read(state, POLICIES, BINDINGS),
            mutating: read(state, MUTATING, MUTATING_BINDINGS),
        };
        state.policies = Arc::new(policies);
    });
    let changed: Vec<Key> = worklist
        .iter()
        .filter(|(resource, _)| resource == POLICIES)
        .map(|(_, key)| key.clone())
        .collect();
    for key in changed {
        let Some(stored) = writer.state().get(POLICIES, "", &key.name) else {
            continue;
        };
        let mut policy = stored.node.clone();
        let generation = policy
            .at(&["metadata", "generation"])
            .cloned()
            .unwrap_or_default();
        if policy.at(&["status", "observedGeneration"]) != Some(&generation) {
            policy.set(&["status", "observedGeneration"], generation);
            policy.set(&["status", "typeChecking"], Node::map());
            let _ = writer.update_status(POLICIES, policy);
        }
    }
}

fn read(state: &State, policies: &str, bindings: &str) -> Vec<Arc<Policy>> {
    let policy = |key: &Key, policy: &Node| {
        let spec = policy.get("spec").cloned().unwrap_or_else(Node::map);
        let bindings = state
            .list(bindings, None)
            .filter(|(_, binding)| {
                binding.str_at(&["spec", "policyName"]) == Some(key.name.as_str())
            })
            .map(|(key, binding)| {
                (
                    key.name.clone(),
                    binding.get("spec").cloned().unwrap_or_else(Node::map),
                )
            });
        Arc::new(Policy {
            name: key.name.clone(),
            fails_closed: spec.str_at(&["failurePolicy"]) != Some("Ignore"),
            conditions: list(&spec, &["matchConditions"])
                .iter()
                .filter_map(|one| compile(one, &["expression"]))
                .collect(),
            variables: list(&spec, &["variables"])
                .iter()
                .filter_map(|one| {
                    Some((
                        one.str_at(&["name"])?.into(),
                        compile(one, &["expression"])?,
                    ))
                })
                .collect(),
            validations: list(&spec, &["validations"])
                .iter()
                .filter_map(validation)
                .collect(),
            mutations: list(&spec, &["mutations"])
                .iter()
                .filter_map(mutation)
                .collect(),
            bindings: bindings.collect(),
            spec,
        })
    };
    state
        .list(policies, None)
        .map(|(key, stored)| policy(key, stored))
        .collect()
}

fn validation(node: &Node) -> Option<Validation> {
    let text = |key: &str| Text::from(node.str_at(&[key]).unwrap_or_default());
    Some(Validation {
        rule: compile(node, &["expression"])?,
        text: text("expression"),
        message: text("message"),
        message_expression: compile(node, &["messageExpression"]),
        reason: text("reason"),
    })
}

fn mutation(node: &Node) -> Option<Mutation> {
    match node.str_at(&["patchType"])? {
        "JSONPatch" => compile(node, &["jsonPatch", "expression"]).map(Mutation::JsonPatch),
        _ => compile(node, &["applyConfiguration", "expression"]).map(Mutation::Apply),
    }
}

/// Whether policies are asked about this kind of object at all.
fn is_exempt(target: &Target<'_>) -> bool {
    let resource = target.resource;
    let review = resource.verbs.len() == 1;
    resource.group == GROUP || review
}

/// Lets mutating policies change an object.
pub(crate) fn mutate(
    call: &mut Call<'_>,
    target: &Target<'_>,
    object: &mut Node,
    old: Option<&Node>,
) -> Result<(), Refusal> {
    let policies = call.state.policies.clone();
    if is_exempt(target) {
        return Ok(());
    }
    for policy in &policies.mutating {
        for (binding, spec) in &policy.bindings {
            let before = object.clone();
            let attempt = Attempt::new(Some(&before), old);
            let params = match applies(call, target, policy, spec, &attempt) {
                Ok(Some(params)) => params,
                Ok(None) => continue,
                Err(_) if !policy.fails_closed => continue,
                Err(problem) => {
                    return Err(not_mutated(target, &before, policy, binding, &problem));
                }
            };
            for params in params {
                let outcome = run_mutations(call, target, policy, object, old, &params);
                match outcome {
                    Err(problem) if policy.fails_closed => {
                        return Err(not_mutated(target, &before, policy, binding, &problem));
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(())
}

fn not_mutated(
    target: &Target<'_>,
    object: &Node,
    policy: &Policy,
    binding: &str,
    problem: &str,
) -> Refusal {
    let message = format!(
        "policy '{}' with binding '{binding}' denied request: {problem}",
        policy.name
    );
    Refusal {
        name: meta(object, "name").into(),
        group: target.resource.group.clone(),
        kind: target.resource.plural.clone(),
        causes: vec![Cause {
            message: message.clone(),
            ..Cause::default()
        }],
        ..Refusal::new(403, "Invalid", message)
    }
}

fn run_mutations(
    call: &Call<'_>,
    target: &Target<'_>,
    policy: &Policy,
    object: &mut Node,
    old: Option<&Node>,
    params: &Node,
) -> Result<(), String> {
    for mutation in &policy.mutations {
        let before = object.clone();
        let attempt = Attempt::new(Some(&before), old);
        let bindings = bindings(call, target, policy, &attempt, params);
        let evaluate = |program: &Compiled| -> Result<Node, String> {
            let program = program.as_ref().map_err(Clone::clone)?;
            let value = program
                .evaluate(&bindings, Budget::CALL)
                .map_err(|error| error.to_string())?;
            value.to_node()
        };
        match mutation {
            Mutation::Apply(program) => {
                let applied = evaluate(program)?;
                *object = target.resource.object_type().merge(&before, &applied);
            }
            Mutation::JsonPatch(program) => {
                let patch = evaluate(program)?;
                *object = merge::json_patch::apply(&before, &patch).map_err(|error| match &error {
                    merge::json_patch::JsonPatchError::Path { path, .. } => format!(
                        "JSON Patch: add operation does not apply: doc is missing path: {path:?}: missing value"
                    ),
                    other => format!("JSON Patch: {other}"),
                })?;
            }
        }
    }
    Ok(())
}

/// Refuses what a validating policy denies; what it only warns about becomes a warning.
pub(crate) fn validate(
    call: &mut Call<'_>,
    target: &Target<'_>,
    object: Option<&Node>,
    old: Option<&Node>,
) -> Result<(), Refusal> {
    let policies = call.state.policies.clone();
    if is_exempt(target) {
        return Ok(());
    }
    let attempt = Attempt::new(object, old);
    for policy in &policies.validating {
        for (binding, spec) in &policy.bindings {
            let found = match applies(call, target, policy, spec, &attempt) {
                Ok(None) => continue,
                Ok(Some(params)) => params
                    .iter()
                    .find_map(|params| violation(call, target, policy, &attempt, params)),
                Err(_) if !policy.fails_closed => continue,
                Err(problem) => Some((problem, Text::default())),
            };
            let Some((message, reason)) = found else {
                continue;
            };
            let actions = list(spec, &["validationActions"]);
            let does = |action: &str| actions.iter().any(|one| one.as_str() == Some(action));
            let place = format!(
                "ValidatingAdmissionPolicy '{}' with binding '{binding}'",
                policy.name
            );
            if does("Warn") {
                call.warnings
                    .push(format!("Validation failed for {place}: {message}"));
            }
            if does("Deny") {
                let problem = format!("{place} denied request: {message}");
                return Err(denied(target, &attempt, problem, &reason));
            }
        }
    }
    Ok(())
}

fn denied(target: &Target<'_>, attempt: &Attempt<'_>, problem: String, reason: &str) -> Refusal {
    let mut refusal =
        Refusal::not_admitted(target.resource, meta(attempt.shown(), "name"), &problem);
    (refusal.code, refusal.reason) = match reason {
        "Forbidden" => (403, "Forbidden".into()),
        "Unauthorized" => (401, "Unauthorized".into()),
        "RequestEntityTooLarge" => (413, "RequestEntityTooLarge".into()),
        _ => (422, "Invalid".into()),
    };
    refusal.causes = vec![Cause {
        message: problem,
        ..Cause::default()
    }];
    refusal
}

/// The first validation that fails: what to say, and the reason it gives.
fn violation(
    call: &Call<'_>,
    target: &Target<'_>,
    policy: &Policy,
    attempt: &Attempt<'_>,
    params: &Node,
) -> Option<(String, Text)> {
    let bindings = bindings(call, target, policy, attempt, params);
    let mut validations = policy.validations.iter();
    validations.find_map(|validation| failure(policy, validation, &bindings))
}

/// What a validation has against a write, if anything.
fn failure(
    policy: &Policy,
    validation: &Validation,
    bindings: &Bindings,
) -> Option<(String, Text)> {
    let outcome = match &validation.rule {
        Ok(program) => program
            .evaluate(bindings, Budget::CALL)
            .map_err(|error| error.to_string()),
        Err(problem) => Err(problem.clone()),
    };
    let text = match outcome {
        Ok(Value::Bool(true)) => return None,
        Ok(_) => message(validation, bindings),
        Err(_) if !policy.fails_closed => return None,
        Err(problem) => format!(
            "expression '{}' resulted in error: {problem}",
            validation.text
        ),
    };
    Some((text, validation.reason.clone()))
}

/// What a policy would say about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Place of the object among those asked about.
    pub object: usize,
    /// The policy.
    pub policy: Text,
    /// Its binding.
    pub binding: Text,
    /// What the binding wants: `Deny`, `Warn`, `Audit`.
    pub actions: Vec<Text>,
    /// What is wrong.
    pub message: String,
    /// The expression that says so; empty when the policy itself cannot be evaluated.
    pub expression: Text,
}

/// Everything the validating policies of a cluster have against `objects`, denials and warnings.
///
/// Unlike a request this does not stop at the first denial, and changes nothing. Objects of kinds
/// that are not served have no verdicts. Whether an object is created or updated depends on
/// whether it is there.
pub fn admit_all(
    state: &State,
    objects: &[Node],
    user: &crate::User,
    env: &crate::Env,
) -> Vec<Verdict> {
    let mut state = state.clone();
    let policies = state.policies.clone();
    let mut call = Call::new(&mut state, env, user);
    call.dry_run = true;
    let options = WriteOptions::default();
    let mut verdicts = Vec::new();
    for (place, object) in objects.iter().enumerate() {
        let version = object.str_at(&["apiVersion"]).unwrap_or_default();
        let kind = object.str_at(&["kind"]).unwrap_or_default();
        let mut types = call.state.resource_types();
        let Some(resource) = types
            .find(|known| known.api_version() == version && known.kind == kind)
            .cloned()
        else {
            continue;
        };
        let namespace = match resource.namespaced {
            true => meta(object, "namespace"),
            false => "",
        };
        let target = Target {
            resource: &resource,
            namespace,
            name: meta(object, "name"),
            subresource: "",
            options: &options,
        };
        if is_exempt(&target) {
            continue;
        }
        let mut object = object.clone();
        // What does not fit its type is refused before policies are asked.
        if resource.canonicalize(&mut object).is_err() {
            continue;
        }
        resource.set_defaults(&mut object);
        let live = call
            .live(&resource, namespace, target.name)
            .map(|live| resource.show(&live.node));
        let attempt = Attempt::new(Some(&object), live.as_ref());
        for policy in &policies.validating {
            for (binding, spec) in &policy.bindings {
                let mut add = |message: String, expression: &str| {
                    let actions = list(spec, &["validationActions"])
                        .iter()
                        .filter_map(Node::as_str);
                    verdicts.push(Verdict {
                        object: place,
                        policy: policy.name.clone(),
                        binding: binding.clone(),
                        actions: actions.map(Text::from).collect(),
                        message,
                        expression: expression.into(),
                    });
                };
                match applies(&call, &target, policy, spec, &attempt) {
                    Ok(None) => {}
                    Ok(Some(params)) => {
                        for params in &params {
                            let bindings = bindings(&call, &target, policy, &attempt, params);
                            for validation in &policy.validations {
                                if let Some((message, _)) = failure(policy, validation, &bindings) {
                                    add(message, &validation.text);
                                }
                            }
                        }
                    }
                    Err(problem) if policy.fails_closed => add(problem, ""),
                    Err(_) => {}
                }
            }
        }
    }
    verdicts
}

fn message(validation: &Validation, bindings: &Bindings) -> String {
    const CHARACTERS_MAX: usize = 5 << 10;
    let evaluated = validation.message_expression.as_ref().and_then(|program| {
        let value = program
            .as_ref()
            .ok()?
            .evaluate(bindings, Budget::CALL)
            .ok()?;
        let text = value.as_str()?.trim().to_owned();
        (!text.is_empty() && text.len() <= CHARACTERS_MAX && !text.contains('\n')).then_some(text)
    });
    match evaluated {
        Some(text) => text,
        None if !validation.message.is_empty() => validation.message.to_string(),
        None => format!("failed expression: {}", validation.text),
    }
}

/// Whether a policy with a binding speaks about this write, and the parameters it speaks with.
///
/// `None` when it does not. An error is a policy that cannot be evaluated.
fn applies(
    call: &Call<'_>,
    target: &Target<'_>,
    policy: &Policy,
    binding: &Node,
    attempt: &Attempt<'_>,
) -> Result<Option<Vec<Node>>, String> {
    let constraints = policy.spec.get("matchConstraints").unwrap_or(&Node::Null);
    if !matches(call, target, constraints, attempt, true) {
        return Ok(None);
    }
    let narrowed = binding.get("matchResources").unwrap_or(&Node::Null);
    if !matches(call, target, narrowed, attempt, false) {
        return Ok(None);
    }
    let params = parameters(call, target, policy, binding)?;
    let Some(first) = params.first() else {
        return Ok(None);
    };
    let bindings = bindings(call, target, policy, attempt, first);
    for condition in &policy.conditions {
        let value = match condition {
            Ok(program) => program
                .evaluate(&bindings, Budget::MATCH_CONDITIONS)
                .map_err(|error| error.to_string())?,
            Err(problem) => return Err(problem.clone()),
        };
        if value != Value::Bool(true) {
            return Ok(None);
        }
    }
    Ok(Some(params))
}

/// Whether match resources select a write; without rules everything or nothing is selected.
fn matches(
    call: &Call<'_>,
    target: &Target<'_>,
    rules: &Node,
    attempt: &Attempt<'_>,
    rules_needed: bool,
) -> bool {
    let selects = |key: &str, labels: Option<&Map>| {
        rules
            .get(key)
            .is_none_or(|selector| LabelSelector::from_node(selector).matches(labels))
    };
    let labels = |node: &Node| {
        node.at(&["metadata", "labels"])
            .and_then(Node::as_map)
            .cloned()
    };
    let namespace = match target.resource.storage.as_str() {
        "namespaces" => labels(attempt.shown()),
        _ => call
            .state
            .get("namespaces", "", target.namespace)
            .and_then(|namespace| labels(namespace)),
    };
    let in_namespace = target.resource.namespaced || target.resource.storage == "namespaces";
    if in_namespace && !selects("namespaceSelector", namespace.as_ref()) {
        return false;
    }
    let either = [attempt.object, attempt.old].into_iter().flatten();
    let mut either = either.map(labels);
    if !either.any(|labels| selects("objectSelector", labels.as_ref())) {
        return false;
    }
    let exact = rules.str_at(&["matchPolicy"]) == Some("Exact");
    let covers = |rule: &Node| rule_covers(call, target, rule, attempt, exact);
    if list(rules, &["excludeResourceRules"]).iter().any(covers) {
        return false;
    }
    let included = list(rules, &["resourceRules"]);
    match included.is_empty() {
        true => !rules_needed,
        false => included.iter().any(covers),
    }
}

fn rule_covers(
    call: &Call<'_>,
    target: &Target<'_>,
    rule: &Node,
    attempt: &Attempt<'_>,
    exact: bool,
) -> bool {
    let has = |key: &str, wanted: &str| {
        list(rule, &[key])
            .iter()
            .any(|item| matches!(item.as_str(), Some("*")) || item.as_str() == Some(wanted))
    };
    let names = list(rule, &["resourceNames"]);
    let name = meta(attempt.shown(), "name");
    if !has("operations", attempt.operation)
        || !names.is_empty() && !names.iter().any(|one| one.as_str() == Some(name))
    {
        return false;
    }
    let scope = match target.namespace.is_empty() {
        true => "Cluster",
        false => "Namespaced",
    };
    if !matches!(rule.str_at(&["scope"]), None | Some("*"))
        && rule.str_at(&["scope"]) != Some(scope)
    {
        return false;
    }
    let versions = call.state.resource_types().filter(|other| match exact {
        true => {
            other.group == target.resource.group
                && other.version == target.resource.version
                && other.plural == target.resource.plural
        }
        false => other.storage == target.resource.storage,
    });
    let mut versions = versions;
    versions.any(|known| {
        let wanted = |resource: &str| match resource.split_once('/') {
            None => target.subresource.is_empty() && (resource == "*" || resource == known.plural),
            Some((resource, sub)) => {
                (resource == "*" || resource == known.plural)
                    && (sub == "*" || sub == target.subresource && !sub.is_empty())
            }
        };
        has("apiGroups", &known.group)
            && has("apiVersions", &known.version)
            && list(rule, &["resources"])
                .iter()
                .filter_map(Node::as_str)
                .any(wanted)
    })
}

/// The objects a binding passes to its policy; one null when the policy takes none.
fn parameters(
    call: &Call<'_>,
    target: &Target<'_>,
    policy: &Policy,
    binding: &Node,
) -> Result<Vec<Node>, String> {
    let (Some(kind), Some(reference)) = (policy.spec.get("paramKind"), binding.get("paramRef"))
    else {
        return Ok(vec![Node::Null]);
    };
    let version = kind.str_at(&["apiVersion"]).unwrap_or_default();
    let name = kind.str_at(&["kind"]).unwrap_or_default();
    let mut types = call.state.resource_types();
    let Some(resource) = types.find(|known| known.api_version() == version && known.kind == name)
    else {
        return Err(format!(
            "failed to configure policy: failed to find resource referenced by paramKind: '{version}, Kind={name}'"
        ));
    };
    let namespace = match (resource.namespaced, reference.str_at(&["namespace"])) {
        (false, _) => "",
        (true, Some(namespace)) if !namespace.is_empty() => namespace,
        (true, _) => target.namespace,
    };
    let found: Vec<Node> = match reference.str_at(&["name"]).filter(|name| !name.is_empty()) {
        Some(name) => call
            .state
            .get(&resource.storage, namespace, name)
            .map(|param| param.node.clone())
            .into_iter()
            .collect(),
        None => {
            let selector = reference
                .get("selector")
                .map(LabelSelector::from_node)
                .unwrap_or_default();
            let all = call.state.list(&resource.storage, Some(namespace));
            let selected = all.filter(|(_, param)| {
                selector.matches(param.at(&["metadata", "labels"]).and_then(Node::as_map))
            });
            selected.map(|(_, param)| param.node.clone()).collect()
        }
    };
    let live: Vec<Node> = found
        .into_iter()
        .filter(|param| !is_deleting(param))
        .collect();
    match live.is_empty() && reference.str_at(&["parameterNotFoundAction"]) != Some("Allow") {
        true => Err("failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction".to_owned()),
        false => Ok(live),
    }
}

fn bindings(
    call: &Call<'_>,
    target: &Target<'_>,
    policy: &Policy,
    attempt: &Attempt<'_>,
    params: &Node,
) -> Bindings {
    let value = |node: Option<&Node>| node.map_or(Value::Null, Value::from_node);
    let namespace = call.state.get("namespaces", "", target.namespace);
    let namespace = namespace
        .filter(|_| target.resource.namespaced)
        .map(|namespace| &namespace.node);
    let request = request(call, target, attempt);
    let mut bindings = Bindings::new()
        .bind("object", value(attempt.object))
        .bind("oldObject", value(attempt.old))
        .bind("params", Value::from_node(params))
        .bind("namespaceObject", value(namespace))
        .bind("request", Value::from_node(&request));
    let mut variables: BTreeMap<Text, Value> = BTreeMap::new();
    for (name, program) in &policy.variables {
        bindings = bindings.bind("variables", Value::map(variables.clone()));
        let program = program.as_ref().ok();
        // What cannot be computed is missing: the rule that asks for it fails.
        if let Some(value) =
            program.and_then(|program| program.evaluate(&bindings, Budget::CALL).ok())
        {
            variables.insert(name.clone(), value);
        }
    }
    bindings.bind("variables", Value::map(variables))
}

fn request(call: &Call<'_>, target: &Target<'_>, attempt: &Attempt<'_>) -> Node {
    let resource = target.resource;
    let mut request = Node::map();
    for key in ["kind", "requestKind"] {
        for (part, value) in [
            ("group", &resource.group),
            ("version", &resource.version),
            ("kind", &resource.kind),
        ] {
            request.set(&[key, part], value.clone());
        }
    }
    for key in ["resource", "requestResource"] {
        for (part, value) in [
            ("group", &resource.group),
            ("version", &resource.version),
            ("resource", &resource.plural),
        ] {
            request.set(&[key, part], value.clone());
        }
    }
    request.set(&["subResource"], target.subresource);
    request.set(&["requestSubResource"], target.subresource);
    request.set(&["name"], meta(attempt.shown(), "name"));
    request.set(&["namespace"], target.namespace);
    request.set(&["operation"], attempt.operation);
    request.set(&["userInfo"], call.user.to_node());
    request.set(&["dryRun"], call.dry_run);
    request
}
