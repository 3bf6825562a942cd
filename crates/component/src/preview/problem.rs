//! Problems with the object and field they are about.

use diag::{Code, Explain as _, Severity};
use object::{FieldPath, Node, Object};

use super::Written;
use crate::catalog::{BindingError, Catalog, Notice, ReferenceError};
use crate::model::{ComponentRelease, Finding, Head, Item, ReleaseBinding};
use crate::render::{Document, RenderError, Warning};
use crate::snapshot::release_digest;

/// A field of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The object, with its file when it came from one.
    pub head: Head,
    /// The field.
    pub path: FieldPath,
}

/// Something wrong or odd.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Whether something is missing from the result because of it.
    pub severity: Severity,
    /// Stable name.
    pub code: Code,
    /// What is wrong, with the object in front.
    pub message: String,
    /// What has to change.
    pub place: Place,
    /// What to do.
    pub help: Vec<String>,
}

impl Problem {
    pub(super) fn new(
        severity: Severity,
        code: Code,
        message: String,
        head: &Head,
        path: FieldPath,
    ) -> Self {
        Self {
            severity,
            code,
            message,
            place: Place {
                head: head.clone(),
                path,
            },
            help: Vec::new(),
        }
    }

    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

/// What is wrong or odd about `objects`, given what a catalog told when it read them. Files of
/// command-line tools are neither.
pub fn notices(notices: &[Notice], objects: &[Object]) -> Vec<Problem> {
    let mut out = Vec::new();
    for notice in notices {
        match notice {
            Notice::Unknown(head, finding) => {
                let code = Code("ComponentFieldUnknown");
                out.push(of_finding(Severity::Warning, code, head, finding));
            }
            Notice::Refused(error) => {
                let findings = error.findings.iter();
                let code = error.code();
                out.extend(findings.map(|own| of_finding(Severity::Error, code, &error.head, own)));
            }
            Notice::ReleaseConfig(_) => {}
            Notice::Repeated { head, first } => out.push(repeated(head, first, objects)),
        }
    }
    out
}

/// Releases among `new` that had another content in `old`, an earlier state of the same tree.
pub fn changed_releases(old: &Written<'_>, new: &Written<'_>) -> Vec<Problem> {
    let releases = new.objects().filter(|own| own.kind() == "ComponentRelease");
    let changed = releases.filter_map(|own| {
        let head = Head::of(own);
        let before = old.node(&head).get("spec")?;
        let after = own.node.get("spec").unwrap_or(&Node::Null);
        (release_digest(before) != release_digest(after)).then_some(head)
    });
    changed
        .map(|head| {
            let message = format!("{head} had another content before");
            let code = Code("ComponentReleaseReused");
            let path = FieldPath::keys(["metadata", "name"]);
            Problem::new(Severity::Error, code, message, &head, path).with_help(NEW_NAME)
        })
        .collect()
}

/// What to do about a release that changes.
const NEW_NAME: &str = "Give the newer one a name of its own: a release never changes.";

fn of_finding(severity: Severity, code: Code, head: &Head, finding: &Finding) -> Problem {
    let message = format!("{head}: {finding}");
    Problem::new(severity, code, message, head, finding.path.clone())
}

/// Two objects with one key. A release that is there twice with different contents is the worst of
/// these, because it can never change in a cluster.
fn repeated(head: &Head, first: &Head, objects: &[Object]) -> Problem {
    let path = FieldPath::keys(["metadata", "name"]);
    let digest = |head: &Head| {
        let found = objects.iter().find(|own| Head::of(own) == *head);
        found.map(|own| release_digest(own.node.get("spec").unwrap_or(&Node::Null)))
    };
    let other = match &first.origin {
        Some(origin) => format!(" in {origin}"),
        None => String::new(),
    };
    if head.kind == "ComponentRelease" && digest(head) != digest(first) {
        let message = format!("{head} is there with another content{other}");
        let code = Code("ComponentReleaseReused");
        return Problem::new(Severity::Error, code, message, head, path).with_help(NEW_NAME);
    }
    let message = format!("{head} is there twice; the one{other} counts");
    let code = Code("ComponentObjectTwice");
    Problem::new(Severity::Error, code, message, head, path).with_help("Remove one of the two.")
}

/// Why a binding gives no objects.
pub(super) fn of_failure(
    catalog: &Catalog,
    error: &BindingError,
    binding: &ReleaseBinding,
    release: Option<&ComponentRelease>,
    written: &Written<'_>,
) -> Vec<Problem> {
    match error {
        BindingError::References(_) => of_project_failure(catalog, error, &binding.head),
        BindingError::Render(errors) => {
            let errors = errors.0.iter();
            errors
                .map(|error| {
                    let message = format!("{}: {error}", binding.head);
                    let (head, path) = place(error, binding, release, written);
                    Problem::new(Severity::Error, error.code(), message, head, path)
                })
                .collect()
        }
    }
}

/// As [`of_failure`], where nothing is known but the binding.
pub(super) fn of_project_failure(
    catalog: &Catalog,
    error: &BindingError,
    head: &Head,
) -> Vec<Problem> {
    let problem = |code: Code, text: String, path: FieldPath| {
        let message = format!("{head}: {text}");
        Problem::new(Severity::Error, code, message, head, path)
    };
    match error {
        BindingError::References(errors) => {
            let own = errors.0.iter();
            own.map(|error| {
                let own = problem(errors.code(), error.to_string(), reference_path(error));
                match elsewhere(catalog, error) {
                    Some(help) => own.with_help(help),
                    None => own,
                }
            })
            .collect()
        }
        BindingError::Render(errors) => {
            let own = errors.0.iter();
            let spec = FieldPath::keys(["spec"]);
            own.map(|error| problem(error.code(), error.to_string(), spec.clone()))
                .collect()
        }
    }
}

/// Where what is missing is instead: a namespace is easily forgotten.
fn elsewhere(catalog: &Catalog, error: &ReferenceError) -> Option<String> {
    let (kind, name) = match error {
        ReferenceError::Release { name, .. } => ("ComponentRelease", name),
        ReferenceError::ProjectRelease { name, .. } => ("ProjectRelease", name),
        ReferenceError::Environment(name) => ("Environment", name),
        ReferenceError::Component(name) => ("Component", name),
        ReferenceError::Project(name) => ("Project", name),
        ReferenceError::DataPlane(reference) => (reference.kind.as_str(), &reference.name),
        ReferenceError::NoRelease
        | ReferenceError::Owner { .. }
        | ReferenceError::NoDataPlane(_) => return None,
    };
    let mut heads = catalog.items().map(Item::head);
    let other = heads.find(|head| head.kind == kind && head.name == *name)?;
    Some(format!(
        "There is one in namespace `{}`; it has to be in that of the binding.",
        other.namespace
    ))
}

/// The object and field that an error of a binding is about.
pub(super) fn place<'a>(
    error: &RenderError,
    binding: &'a ReleaseBinding,
    release: Option<&'a ComponentRelease>,
    written: &Written<'_>,
) -> (&'a Head, FieldPath) {
    let Some(release) = release else {
        return (&binding.head, FieldPath::keys(["spec"]));
    };
    let nodes = (written.node(&release.head), written.node(&binding.head));
    match error.place_in(nodes.0, nodes.1) {
        (Document::Release, path) => (&release.head, path),
        (Document::Binding, path) => (&binding.head, path),
    }
}

/// What is worth a look about a binding that renders.
pub(super) fn of_warning(
    warning: &Warning,
    binding: &ReleaseBinding,
    release: Option<&ComponentRelease>,
    written: &Written<'_>,
) -> Option<Problem> {
    let release = release?;
    let nodes = (written.node(&release.head), written.node(&binding.head));
    let (document, path) = warning.place_in(nodes.0, nodes.1);
    let head = match document {
        Document::Release => &release.head,
        Document::Binding => &binding.head,
    };
    let message = format!("{}: {warning}", binding.head);
    let code = warning.kind.code();
    Some(Problem::new(Severity::Warning, code, message, head, path))
}

/// A binding whose objects wait for others.
pub(super) fn of_pending(missing: &[String], binding: &ReleaseBinding) -> Problem {
    let message = format!(
        "{} is left out, it waits for {}",
        binding.head,
        missing.join(", ")
    );
    Problem::new(
        Severity::Warning,
        Code("ComponentDependencyPending"),
        message,
        &binding.head,
        FieldPath::keys(["spec", "releaseName"]),
    )
}

/// A second binding of a component in an environment.
pub(super) fn bound_twice(binding: &ReleaseBinding, other: &Head) -> Problem {
    let (head, environment) = (&binding.head, &binding.environment);
    let message = format!("{head}: {other} binds this component in {environment} too");
    let path = FieldPath::keys(["spec", "environment"]);
    let code = Code("ComponentBoundTwice");
    Problem::new(Severity::Error, code, message, head, path).with_help("Remove one of the two.")
}

fn reference_path(error: &ReferenceError) -> FieldPath {
    let keys: &[&str] = match error {
        ReferenceError::NoRelease => &[],
        ReferenceError::Release { .. } | ReferenceError::Owner { .. } => &["releaseName"],
        ReferenceError::ProjectRelease { .. } => &["projectRelease"],
        ReferenceError::Environment(_)
        | ReferenceError::NoDataPlane(_)
        | ReferenceError::DataPlane(_) => &["environment"],
        ReferenceError::Component(_) => &["owner", "componentName"],
        ReferenceError::Project(_) => &["owner", "projectName"],
    };
    FieldPath::keys(["spec"].iter().chain(keys).copied())
}
