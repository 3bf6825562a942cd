//! Environment variables and files of a workload: overrides merged, secrets looked up.
//!
//! # Source
//! openchoreo/openchoreo `internal/pipeline/component/context/` at v0.12.0 and v1.2.3. On purpose
//! different: a secret that cannot be found is an error in every version, empty values are kept,
//! and references that an override replaces are not looked up.

use std::collections::BTreeMap;
use std::fmt;

use object::{Map, Node, Text};

use crate::model::{Container, Overrides, SecretReference, Setting, Source, Workload};

/// A setting whose value cannot be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unresolved {
    /// The container.
    pub container: Text,
    /// The environment variable or file.
    pub setting: Text,
    /// Why.
    pub why: Why,
}

/// Why a setting has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no such SecretReference.
    NoReference {
        /// The name.
        name: Text,
        /// The names there are.
        known: Vec<Text>,
    },
    /// The SecretReference has no such key.
    NoKey {
        /// The SecretReference.
        name: Text,
        /// The key.
        key: Text,
        /// The keys there are.
        known: Vec<Text>,
    },
    /// A ConfigurationGroup; nothing resolves those.
    Group {
        /// The ConfigurationGroup.
        name: Text,
    },
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            container, setting, ..
        } = self;
        write!(f, "`{setting}` of container `{container}` ")?;
        match &self.why {
            Why::NoReference { name, known } => {
                write!(f, "names SecretReference `{name}`, which does not exist")?;
                if let Some(near) = diag::nearest(name, known.iter().map(Text::as_str)) {
                    write!(f, "; did you mean `{near}`?")?;
                }
                Ok(())
            }
            Why::NoKey { name, key, known } => {
                let known: Vec<String> = known.iter().map(|own| format!("`{own}`")).collect();
                write!(
                    f,
                    "names key `{key}` of SecretReference `{name}`, which has {}",
                    known.join(", ")
                )
            }
            Why::Group { name } => write!(
                f,
                "names ConfigurationGroup `{name}`, and nothing gives values of those"
            ),
        }
    }
}

/// Puts overrides into the containers of a workload: settings of an equal key take the place of
/// the old ones, others follow. Gives the names of overridden containers that the workload does
/// not have.
///
/// The overrides of a single container, which stand under an empty name, are for the only
/// container there is; and the other way round, overrides of one named container are for a
/// container without a name.
pub fn override_containers(
    workload: &mut Workload,
    overrides: &BTreeMap<Text, Overrides>,
) -> Vec<Text> {
    let only = match workload.containers.len() {
        1 => workload.containers.keys().next().cloned(),
        _ => None,
    };
    let mut unknown = Vec::new();
    for (name, change) in overrides {
        let meant = match (&only, workload.containers.contains_key(name)) {
            (_, true) => Some(name.clone()),
            (Some(only), false) if name.is_empty() => Some(only.clone()),
            (Some(only), false) if workload.single && overrides.len() == 1 => Some(only.clone()),
            _ => None,
        };
        match meant.and_then(|name| workload.containers.get_mut(&name)) {
            Some(container) => {
                merge(&mut container.env, &change.env);
                merge(&mut container.files, &change.files);
            }
            None => unknown.push(name.clone()),
        }
    }
    unknown
}

fn merge(settings: &mut Vec<Setting>, changes: &[Setting]) {
    let before = settings.len();
    for change in changes {
        match settings[..before]
            .iter_mut()
            .find(|own| own.key == change.key)
        {
            Some(own) => {
                let mount_path = std::mem::take(&mut own.mount_path);
                *own = change.clone();
                if own.mount_path.is_empty() {
                    own.mount_path = mount_path;
                }
            }
            None => settings.push(change.clone()),
        }
    }
}

/// The variable `configurations`: of a single container `configs` and `secrets`, else both by
/// container; each with `envs` and `files`.
pub fn configurations<'a>(
    workload: &Workload,
    single: bool,
    secrets: impl Fn(&str) -> Option<&'a SecretReference>,
    known: &[Text],
) -> (Map, Vec<Unresolved>) {
    let mut unresolved = Vec::new();
    let mut of = |name: &Text, container: &Container| {
        let mut items = Items {
            single,
            ..Items::default()
        };
        for (settings, file) in [(&container.env, false), (&container.files, true)] {
            for setting in settings {
                match resolve(setting, &secrets, known) {
                    Ok(remote) => items.add(setting, file, remote),
                    Err(why) => unresolved.push(Unresolved {
                        container: name.clone(),
                        setting: setting.key.clone(),
                        why,
                    }),
                }
            }
        }
        items.into_map()
    };
    if single {
        let nothing = (Text::default(), Container::default());
        let only = workload.containers.iter().next();
        let (name, container) = only.unwrap_or((&nothing.0, &nothing.1));
        let own = of(name, container);
        return (own, unresolved);
    }
    let all = workload.containers.iter();
    let all = all.map(|(name, container)| (name.clone(), of(name, container)));
    let all = all.collect();
    (all, unresolved)
}

/// Where a secret is, or `None` for a literal.
fn resolve<'a>(
    setting: &Setting,
    secrets: &impl Fn(&str) -> Option<&'a SecretReference>,
    known: &[Text],
) -> Result<Option<Node>, Why> {
    match &setting.source {
        Source::Literal(_) => Ok(None),
        Source::Group { name, .. } => Err(Why::Group { name: name.clone() }),
        Source::Secret { name, key } => {
            let Some(reference) = secrets(name) else {
                return Err(Why::NoReference {
                    name: name.clone(),
                    known: known.to_vec(),
                });
            };
            let entry = reference.data.iter().find(|(own, _)| own == key);
            let Some((_, remote)) = entry else {
                return Err(Why::NoKey {
                    name: name.clone(),
                    key: key.clone(),
                    known: reference.data.iter().map(|(own, _)| own.clone()).collect(),
                });
            };
            Ok(Some(remote.clone()))
        }
    }
}

#[derive(Default)]
struct Items {
    single: bool,
    config_envs: Vec<Node>,
    config_files: Vec<Node>,
    secret_envs: Vec<Node>,
    secret_files: Vec<Node>,
}

impl Items {
    fn add(&mut self, setting: &Setting, file: bool, remote: Option<Node>) {
        let mut item = Map::from_iter([("name", Node::from(setting.key.clone()))]);
        if file {
            item.insert("mountPath", setting.mount_path.clone());
        }
        if let Source::Literal(value) = &setting.source {
            item.insert("value", value.clone());
        } else if self.single {
            // As newer versions have it, for templates that read it without asking.
            item.insert("value", "");
        }
        let to = match (&remote, file) {
            (None, false) => &mut self.config_envs,
            (None, true) => &mut self.config_files,
            (Some(_), false) => &mut self.secret_envs,
            (Some(_), true) => &mut self.secret_files,
        };
        if let Some(remote) = remote {
            item.insert("remoteRef", remote);
        }
        to.push(item.into());
    }

    fn into_map(self) -> Map {
        let both = |envs: Vec<Node>, files: Vec<Node>| -> Node {
            Map::from_iter([("envs", Node::from(envs)), ("files", files.into())]).into()
        };
        Map::from_iter([
            ("configs", both(self.config_envs, self.config_files)),
            ("secrets", both(self.secret_envs, self.secret_files)),
        ])
    }
}
