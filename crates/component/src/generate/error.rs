//! Why a release or binding is not written, and what differs.

use std::fmt;

use diag::{Code, Explain, Reason, Retry, Span};
use object::{FieldPath, Node, Text};
use tree::{PathError, TreePath};

use crate::catalog::ComponentProblem;
use crate::edit::EditError;
use crate::render::is_secret;

/// Most differences that are told; more are counted.
const DIFFERENCES_SHOWN: usize = 20;

/// Most characters of a value that is shown.
const VALUE_SHOWN: usize = 80;

/// Why there is no file for a component.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GenerateError {
    /// There is no such component.
    #[error("component `{name}` is not in the checkout{}", of_project(project))]
    NoComponent {
        /// Its name.
        name: Text,
        /// The project it was looked for in.
        project: Option<Text>,
        /// Components that are there.
        known: Vec<Text>,
    },
    /// No component belongs to the project.
    #[error("no component of the checkout belongs to project `{name}`")]
    NoProject {
        /// Its name.
        name: Text,
        /// Projects that have components.
        known: Vec<Text>,
    },
    /// Several components have the name.
    #[error("component `{name}` is in several namespaces: {}", namespaces.join(", "))]
    SeveralNamespaces {
        /// The name.
        name: Text,
        /// Where it is.
        namespaces: Vec<Text>,
    },
    /// It cannot be released as it is.
    #[error("component `{component}` cannot be released: {}", joined(problems))]
    NotReleasable {
        /// Which.
        component: Text,
        /// Its file and line.
        at: Option<Span>,
        /// Everything in the way.
        problems: Vec<ComponentProblem>,
    },
    /// The name is none.
    #[error("`{name}` is no name of a {what}: {}", problems.join("; "))]
    Name {
        /// Of what.
        what: &'static str,
        /// The name.
        name: Text,
        /// What is wrong with it.
        problems: Vec<String>,
    },
    /// A release of this name is there with other content.
    #[error(
        "release `{name}` is there with other content, and releases never change{}",
        listed(changes)
    )]
    ReleaseTaken {
        /// Its name.
        name: Text,
        /// Where it stands.
        at: Span,
        /// What would change.
        changes: Vec<Difference>,
    },
    /// An object of this name belongs to something else.
    #[error("{object} is there, and is not of component `{component}` in this environment")]
    ObjectTaken {
        /// Kind and name.
        object: String,
        /// The component.
        component: Text,
        /// Where it stands.
        at: Span,
    },
    /// Something else is at the path.
    #[error("`{path}` is taken, so {object} cannot be written there")]
    FileTaken {
        /// The path.
        path: TreePath,
        /// Kind and name.
        object: String,
    },
    /// The component has no release that could be bound.
    #[error("component `{component}` has no release")]
    NoRelease {
        /// Which.
        component: Text,
    },
    /// There is no such release of the component.
    #[error("component `{component}` has no release `{name}`")]
    ReleaseUnknown {
        /// Whose.
        component: Text,
        /// The release.
        name: Text,
        /// Releases it has.
        known: Vec<Text>,
    },
    /// The project and its pipeline cannot be followed.
    #[error("the environments of component `{component}` are not known: {problem}")]
    NoPipeline {
        /// Whose.
        component: Text,
        /// What is missing.
        problem: ComponentProblem,
    },
    /// The pipeline does not lead to the environment.
    #[error("environment `{environment}` is not in pipeline `{pipeline}`")]
    NotInPipeline {
        /// The environment.
        environment: Text,
        /// The pipeline.
        pipeline: Text,
        /// Environments of the pipeline.
        known: Vec<Text>,
    },
    /// Nothing runs in the environment before.
    #[error(
        "nothing of component `{component}` is bound in {}, from where `{environment}` gets its releases",
        quoted(sources)
    )]
    NothingBefore {
        /// Whose.
        component: Text,
        /// The environment.
        environment: Text,
        /// The environments before.
        sources: Vec<Text>,
    },
    /// The environments before run different releases.
    #[error(
        "`{environment}` gets its releases of component `{component}` from environments that run different ones: {}",
        releases.join(", ")
    )]
    Disagreement {
        /// Whose.
        component: Text,
        /// The environment.
        environment: Text,
        /// Environments and their releases.
        releases: Vec<String>,
    },
    /// Several bindings are for one component and environment.
    #[error("component `{component}` has several bindings to `{environment}`: {}", names.join(", "))]
    SeveralBindings {
        /// Whose.
        component: Text,
        /// Where.
        environment: Text,
        /// The bindings.
        names: Vec<Text>,
    },
    /// A path that leads out of the checkout.
    #[error("the file would be outside of the checkout: {0}")]
    Path(PathError),
    /// A file that cannot be read any more.
    #[error("cannot read `{0}`: {1}")]
    Read(TreePath, String),
    /// A file that cannot be changed.
    #[error("cannot change `{0}`")]
    Edit(TreePath, #[source] EditError),
}

fn of_project(project: &Option<Text>) -> String {
    match project {
        Some(project) => format!(", at least not in project `{project}`"),
        None => String::new(),
    }
}

fn joined(problems: &[ComponentProblem]) -> String {
    let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
    problems.join("; ")
}

fn quoted(names: &[Text]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    names.join(" or ")
}

fn listed(changes: &[Difference]) -> String {
    let mut out: String = changes
        .iter()
        .take(DIFFERENCES_SHOWN)
        .map(|change| format!("\n  {change}"))
        .collect();
    if changes.len() > DIFFERENCES_SHOWN {
        let more = changes.len() - DIFFERENCES_SHOWN;
        out.push_str(&format!("\n  and {more} more"));
    }
    match out.is_empty() {
        true => out,
        false => format!(":{out}"),
    }
}

impl Explain for GenerateError {
    fn code(&self) -> Code {
        Code(match self {
            Self::NoComponent { .. } | Self::NoProject { .. } | Self::SeveralNamespaces { .. } => {
                "ComponentUnknown"
            }
            Self::NotReleasable { .. } => "ComponentNotReleasable",
            Self::Name { .. } => "ComponentNameInvalid",
            Self::ReleaseTaken { .. } => "ReleaseNameTaken",
            Self::ObjectTaken { .. } | Self::FileTaken { .. } => "OutputFileTaken",
            Self::NoRelease { .. } | Self::ReleaseUnknown { .. } => "ReleaseUnknown",
            Self::NoPipeline { .. } | Self::NotInPipeline { .. } => "EnvironmentNotInPipeline",
            Self::NothingBefore { .. } | Self::Disagreement { .. } => "PromotionSourceMissing",
            Self::SeveralBindings { .. } => "BindingRepeated",
            Self::Path(_) => "OutputOutsideCheckout",
            Self::Read(..) => "FileUnreadable",
            Self::Edit(..) => "FileNotEditable",
        })
    }

    fn reason(&self) -> Reason {
        match self {
            Self::NotReleasable { problems, .. } => problems
                .first()
                .map_or(Reason("InvalidConfiguration"), ComponentProblem::reason),
            _ => Reason("InvalidConfiguration"),
        }
    }

    fn retry(&self) -> Retry {
        Retry::Never
    }

    fn span(&self) -> Option<Span> {
        match self {
            Self::NotReleasable { at, .. } => at.clone(),
            Self::ReleaseTaken { at, .. } | Self::ObjectTaken { at, .. } => Some(at.clone()),
            Self::Edit(path, _) | Self::Read(path, _) => Some(Span::file(path.as_str())),
            _ => None,
        }
    }

    fn help(&self) -> Vec<String> {
        let near = |name: &str, known: &[Text]| {
            let near = diag::nearest(name, known.iter().map(Text::as_str));
            let near = near.map(|near| format!("Did you mean `{near}`?"));
            near.into_iter().collect()
        };
        let one = |text: &str| vec![text.to_owned()];
        match self {
            Self::NoComponent { name, known, .. } | Self::NoProject { name, known } => {
                near(name, known)
            }
            Self::SeveralNamespaces { .. } => one("Choose one with --namespace."),
            Self::ReleaseTaken { .. } => {
                one("Give the release another name, or leave --name away for the next free one.")
            }
            Self::FileTaken { .. } | Self::ObjectTaken { .. } => {
                one("Remove or rename what is there, or write elsewhere with --output-path.")
            }
            Self::NoRelease { .. } => {
                one("Write one with `fleetwright component release generate`.")
            }
            Self::ReleaseUnknown { name, known, .. } => near(name, known),
            Self::NotInPipeline {
                environment, known, ..
            } => {
                let mut help: Vec<String> = near(environment, known);
                help.push(format!("The pipeline has {}.", quoted(known)));
                help
            }
            Self::NothingBefore { .. } | Self::Disagreement { .. } => {
                one("Name the release with --component-release.")
            }
            Self::SeveralBindings { .. } => one("Remove all of them but one."),
            _ => Vec::new(),
        }
    }
}

/// One value that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where.
    pub path: FieldPath,
    /// What stands there; `None` for nothing.
    pub before: Option<Node>,
    /// What would stand there; `None` for nothing.
    pub after: Option<Node>,
}

impl fmt::Display for Difference {
    /// `path: before -> after`; values whose names say that they are secret are masked.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = self.path.steps().iter().any(|step| match step {
            object::Step::Key(key) => is_secret(key),
            object::Step::Index(_) => false,
        });
        let shown = |value: &Option<Node>| match value {
            None => "(nothing)".to_owned(),
            Some(_) if named => "(masked)".to_owned(),
            Some(value) => shortened(&masked(value)),
        };
        write!(
            f,
            "{}: {} -> {}",
            self.path,
            shown(&self.before),
            shown(&self.after)
        )
    }
}

/// A value without what is secret by its name: of a field, or of an entry with a `key`.
fn masked(value: &Node) -> Node {
    match value {
        Node::Map(map) => {
            let entry = map.get("key").and_then(Node::as_str).is_some_and(is_secret);
            let fields = map.iter().map(|(key, value)| {
                let hidden = is_secret(key) || (entry && key == "value");
                let value = match hidden && value.as_str().is_some() {
                    true => "(masked)".into(),
                    false => masked(value),
                };
                (key.clone(), value)
            });
            Node::Map(fields.collect())
        }
        Node::List(items) => Node::list(items.iter().map(masked)),
        other => other.clone(),
    }
}

fn shortened(value: &Node) -> String {
    let text = match value {
        Node::String(text) => text.to_string(),
        value => object::json::to_string(value),
    };
    match text.char_indices().nth(VALUE_SHOWN) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

/// Where two values differ, in the order of the first and then of the second.
pub fn differences(before: &Node, after: &Node) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(before, after, &mut FieldPath::root(), &mut found);
    found
}

fn compare(before: &Node, after: &Node, path: &mut FieldPath, found: &mut Vec<Difference>) {
    match (before, after) {
        (Node::Map(a), Node::Map(b)) => {
            let mut keys: Vec<&Text> = a.keys().collect();
            keys.extend(b.keys().filter(|key| !a.contains_key(key)));
            for key in keys {
                path.push(object::Step::Key(key.clone()));
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => compare(a, b, path, found),
                    (before, after) => found.push(Difference {
                        path: path.clone(),
                        before: before.cloned(),
                        after: after.cloned(),
                    }),
                }
                path.pop();
            }
        }
        // An entry with a key keeps its name in sight, so that what is secret is known.
        (Node::List(a), Node::List(b)) if a.len() == b.len() && !keyed(a) && !keyed(b) => {
            for (at, (a, b)) in a.iter().zip(b.iter()).enumerate() {
                path.push(object::Step::Index(at));
                compare(a, b, path, found);
                path.pop();
            }
        }
        _ if before == after => {}
        _ => found.push(Difference {
            path: path.clone(),
            before: Some(before.clone()),
            after: Some(after.clone()),
        }),
    }
}

fn keyed(items: &[Node]) -> bool {
    items.iter().any(|item| item.get("key").is_some())
}
