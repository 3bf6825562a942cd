//! Query parameters of writes, gets and lists, with the texts of their refusals.
//!
//! # Source
//! kubernetes/apimachinery `pkg/apis/meta/v1/validation`, `pkg/apis/meta/internalversion/validation`.

use object::{Node, Text};
use schema::FieldError;

use crate::path::is_true;
use crate::{Deletion, Refusal, Request};

/// Most bytes of a field manager's name, as upstream.
const FIELD_MANAGER_BYTES_MAX: usize = 128;

/// What becomes of fields a type does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    #[default]
    Warn,
    Strict,
}

/// Options of create, update and patch.
#[derive(Clone, Debug, Default)]
pub(crate) struct WriteOptions {
    pub dry_run: bool,
    pub manager: Text,
    pub validation: FieldValidation,
    pub force: bool,
    /// The object comes with its managers already computed, as an apply does.
    pub force_managers: bool,
}

/// Reads the options of a write; `kind` is `CreateOptions`, `UpdateOptions` or `PatchOptions`.
pub(crate) fn write(request: &Request, kind: &str, apply: bool) -> Result<WriteOptions, Refusal> {
    let mut errors = Vec::new();
    let given = request.parameter("fieldManager").unwrap_or_default();
    let force = request.parameter("force").is_some_and(is_true);
    if kind == "PatchOptions" && !apply && request.parameter("force").is_some() {
        errors.push(FieldError::forbidden(
            "force",
            "may not be specified for non-apply patch",
        ));
    }
    if kind == "PatchOptions" && apply && given.is_empty() {
        errors.push(FieldError::required(
            "fieldManager",
            "is required for apply patch",
        ));
    }
    errors.extend(field_manager("fieldManager", given));
    let dry_run = dry_run(
        request.parameters("dryRun").map(str::to_owned).collect(),
        &mut errors,
    );
    let validation = match request.parameter("fieldValidation").unwrap_or_default() {
        "Ignore" => FieldValidation::Ignore,
        "" | "Warn" => FieldValidation::Warn,
        "Strict" => FieldValidation::Strict,
        other => {
            let supported = ["", "Ignore", "Strict", "Warn"];
            errors.push(FieldError::not_supported(
                "fieldValidation",
                other,
                supported,
            ));
            FieldValidation::Warn
        }
    };
    refuse(kind, errors)?;
    let manager = match given {
        "" => manager_of_agent(&request.user_agent),
        given => given.into(),
    };
    Ok(WriteOptions {
        dry_run,
        manager,
        validation,
        force: apply && force,
        force_managers: apply,
    })
}

fn dry_run(values: Vec<String>, errors: &mut Vec<FieldError>) -> bool {
    if values.iter().any(|value| value != "All") {
        let all = Node::list(values.iter().map(String::as_str));
        errors.push(FieldError::not_supported("dryRun", &all, ["All"]));
    }
    !values.is_empty()
}

fn refuse(kind: &str, errors: Vec<FieldError>) -> Result<(), Refusal> {
    match errors.is_empty() {
        true => Ok(()),
        false => Err(Refusal::invalid("meta.k8s.io", kind, "", &errors)),
    }
}

/// What is wrong with the name of a field manager.
fn field_manager(path: &str, text: &str) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if text.len() > FIELD_MANAGER_BYTES_MAX {
        errors.push(FieldError::too_long(path, FIELD_MANAGER_BYTES_MAX));
    }
    if let Some((at, c)) = text.chars().enumerate().find(|(_, c)| c.is_control()) {
        let problem = format!(
            "invalid character U+{:04X} (at position {at})",
            u32::from(c)
        );
        errors.push(FieldError::invalid(path, text, problem));
    }
    errors
}

/// The field manager of a client that names none: its program.
fn manager_of_agent(agent: &str) -> Text {
    let program = agent.split('/').next().unwrap_or_default();
    let printable = program.chars().filter(|c| !c.is_control());
    let mut manager = String::new();
    for c in printable {
        if manager.len() + c.len_utf8() > FIELD_MANAGER_BYTES_MAX {
            break;
        }
        manager.push(c);
    }
    if manager.is_empty() {
        "unknown".into()
    } else {
        manager.into()
    }
}

/// Options of a delete, and whether it is a dry run.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub deletion: Deletion,
    pub dry_run: bool,
    /// `orphanDependents` was given as false: an unfinished deletion answers 202.
    pub waits: bool,
    /// The client said what to do with dependents.
    pub explicit: bool,
}

/// Reads the options of a delete from its body or, without one, from the query.
pub(crate) fn delete(request: &Request, body: Option<&Node>) -> Result<DeleteOptions, Refusal> {
    let query = || {
        let mut node = Node::map();
        for key in ["gracePeriodSeconds"] {
            if let Some(text) = request.parameter(key) {
                node.set(&[key], integer(text)?);
            }
        }
        if let Some(text) = request.parameter("propagationPolicy") {
            node.set(&["propagationPolicy"], text);
        }
        if let Some(text) = request.parameter("orphanDependents") {
            node.set(&["orphanDependents"], is_true(text));
        }
        let dry_run: Vec<Node> = request.parameters("dryRun").map(Node::from).collect();
        node.set(&["dryRun"], dry_run);
        Ok::<_, Refusal>(node)
    };
    let owned;
    let node = match body {
        Some(node) => node,
        None => {
            owned = query()?;
            &owned
        }
    };
    let mut errors = Vec::new();
    let policy = node.str_at(&["propagationPolicy"]);
    let orphan = node.get("orphanDependents").and_then(Node::as_bool);
    if let (Some(policy), Some(_)) = (policy, orphan) {
        let problem = "orphanDependents and deletionPropagation cannot be both set";
        errors.push(FieldError::invalid("propagationPolicy", policy, problem));
    } else if let Some(policy) =
        policy.filter(|policy| !matches!(*policy, "Foreground" | "Background" | "Orphan"))
    {
        let supported = ["Foreground", "Background", "Orphan", "nil"];
        errors.push(FieldError::not_supported(
            "propagationPolicy",
            policy,
            supported,
        ));
    }
    let values = node
        .get("dryRun")
        .and_then(Node::as_list)
        .unwrap_or_default();
    let values = values
        .iter()
        .map(|value| value.as_str().unwrap_or_default().to_owned());
    let dry_run = dry_run(values.collect(), &mut errors);
    refuse("DeleteOptions", errors)?;
    let policy = policy.map(Text::from).or(orphan.map(|orphan| match orphan {
        true => "Orphan".into(),
        false => "Background".into(),
    }));
    let precondition = |key: &str| node.str_at(&["preconditions", key]).map(Text::from);
    Ok(DeleteOptions {
        explicit: policy.is_some(),
        deletion: Deletion {
            grace_period_seconds: node.get("gracePeriodSeconds").and_then(Node::as_i64),
            propagation_policy: policy,
            uid: precondition("uid"),
            resource_version: precondition("resourceVersion"),
        },
        dry_run,
        waits: orphan == Some(false),
    })
}

/// Reads a whole number the way Go's `strconv.ParseInt` refuses it.
fn integer(text: &str) -> Result<i64, Refusal> {
    text.parse()
        .map_err(|_| Refusal::bad_request(number_problem("ParseInt", text)))
}

fn number_problem(function: &str, text: &str) -> String {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let signed = function == "ParseUint" && digits.len() != text.len();
    let problem = match numeric && !signed {
        true => "value out of range",
        false => "invalid syntax",
    };
    format!("strconv.{function}: parsing {text:?}: {problem}")
}

/// How exact the version of a list has to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Match {
    #[default]
    Unset,
    Exact,
    NotOlderThan,
}

/// Options of list, watch and deletecollection.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListOptions {
    pub label_selector: Text,
    pub field_selector: Text,
    pub limit: i64,
    pub continue_token: Text,
    pub resource_version: Text,
    pub version_match: Match,
    pub timeout_seconds: Option<i64>,
    pub bookmarks: bool,
    pub send_initial_events: Option<bool>,
    pub watch: bool,
}

/// Reads the options of a list or watch.
pub(crate) fn list(request: &Request) -> Result<ListOptions, Refusal> {
    let text = |key: &str| Text::from(request.parameter(key).unwrap_or_default());
    let number = |key: &str| {
        request
            .parameter(key)
            .filter(|text| !text.is_empty())
            .map(integer)
            .transpose()
    };
    let flag = |key: &str| request.parameter(key).map(is_true);
    let mut options = ListOptions {
        label_selector: text("labelSelector"),
        field_selector: text("fieldSelector"),
        limit: number("limit")?.unwrap_or_default(),
        continue_token: text("continue"),
        resource_version: text("resourceVersion"),
        version_match: Match::Unset,
        timeout_seconds: number("timeoutSeconds")?,
        bookmarks: flag("allowWatchBookmarks").unwrap_or_default(),
        send_initial_events: flag("sendInitialEvents"),
        watch: flag("watch").unwrap_or_default(),
    };
    let wanted = text("resourceVersionMatch");
    refuse("ListOptions", list_errors(&options, &wanted))?;
    options.version_match = match wanted.as_str() {
        "Exact" => Match::Exact,
        "NotOlderThan" => Match::NotOlderThan,
        _ => Match::Unset,
    };
    Ok(options)
}

fn list_errors(options: &ListOptions, wanted: &str) -> Vec<FieldError> {
    const PATH: &str = "resourceVersionMatch";
    let mut errors = Vec::new();
    let mut forbid = |path: &str, problem: &str| errors.push(FieldError::forbidden(path, problem));
    if let Some(initial) = options.send_initial_events {
        if !options.watch {
            forbid(
                "sendInitialEvents",
                "sendInitialEvents is forbidden for list",
            );
            return errors;
        }
        let _ = initial;
        if wanted != "NotOlderThan" {
            forbid(
                PATH,
                "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
            );
        }
        if wanted.is_empty() || wanted == "NotOlderThan" {
            return errors;
        }
        errors.push(FieldError::not_supported(PATH, wanted, ["NotOlderThan"]));
        return errors;
    }
    if options.watch && !options.continue_token.is_empty() {
        forbid(
            PATH,
            "resourceVersionMatch is forbidden when continue is provided",
        );
        return errors;
    }
    if wanted.is_empty() {
        return errors;
    }
    if options.watch {
        forbid(
            PATH,
            "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
        );
        return errors;
    }
    if options.resource_version.is_empty() {
        forbid(
            PATH,
            "resourceVersionMatch is forbidden unless resourceVersion is provided",
        );
    }
    if !options.continue_token.is_empty() {
        forbid(
            PATH,
            "resourceVersionMatch is forbidden when continue is provided",
        );
    }
    match wanted {
        "Exact" if options.resource_version == "0" => {
            forbid(
                PATH,
                "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"",
            );
        }
        "Exact" | "NotOlderThan" => {}
        other => errors.push(FieldError::not_supported(
            PATH,
            other,
            ["Exact", "NotOlderThan", ""],
        )),
    }
    errors
}

/// Reads a version from a query; nothing and `0` are zero.
///
/// # Errors
/// The text of the field error, which gets and lists wrap differently.
pub(crate) fn version(text: &str) -> Result<u64, String> {
    if text.is_empty() {
        return Ok(0);
    }
    let plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = if plain { text.parse().ok() } else { None };
    number.ok_or_else(|| {
        let problem = number_problem("ParseUint", text);
        FieldError::invalid("resourceVersion", text, problem).to_string()
    })
}
