//! `config`: which checkout and namespace commands work on when they are not told.
//!
//! Pipelines written for OpenChoreo's command line choose a context first and rely on it afterwards.
//!
//! # Source
//! openchoreo/openchoreo `occ config` at v0.12.0 (`set-context`, `use-context`) and v1.2.3
//! (`context add`, `context use`). Their names of control planes and credentials are taken and have
//! no meaning here, because these commands talk to no server.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use diag::{Code, Diagnostic, Span};
use object::{Map, Node};
use yaml::ResolveOptions;

use crate::commands::Outcome;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::output::{print, table};

/// `config`.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Adds, changes, chooses and lists contexts.
    #[command(subcommand)]
    Context(ContextCommand),
    /// `context add` or `context update`, as older OpenChoreo calls it.
    #[command(hide = true)]
    SetContext(ContextArgs),
    /// `context use`, as older OpenChoreo calls it.
    #[command(hide = true)]
    UseContext(NameArgs),
    /// `context list`, as older OpenChoreo calls it.
    #[command(hide = true)]
    GetContexts,
    /// Prints the name of the context that is used.
    #[command(hide = true)]
    CurrentContext,
}

/// `config context`.
#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// Adds a context.
    Add(ContextArgs),
    /// Changes a context.
    Update(ContextArgs),
    /// Chooses the context that commands use.
    Use(NameArgs),
    /// Lists all contexts.
    List,
    /// Removes a context.
    Delete(NameArgs),
}

/// What a context says.
#[derive(Debug, Args)]
pub struct ContextArgs {
    /// Its name.
    name: String,
    /// Root of the checkout; the working folder by default.
    #[arg(long, alias = "root-directory-path", value_name = "DIR")]
    root_dir: Option<PathBuf>,
    /// Namespace of components, and of objects that name none.
    #[arg(short, long, alias = "organization", value_name = "NAME")]
    namespace: Option<String>,
    /// Accepted for OpenChoreo's command line; there is no other mode.
    #[arg(long, hide = true, value_parser = ["file-system"])]
    mode: Option<String>,
    /// Accepted for OpenChoreo's command line.
    #[arg(long, hide = true)]
    controlplane: Option<String>,
    /// Accepted for OpenChoreo's command line.
    #[arg(long, hide = true)]
    credentials: Option<String>,
}

/// A context by its name.
#[derive(Debug, Args)]
pub struct NameArgs {
    /// Its name.
    name: String,
}

/// What commands take when they are not told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Root of the checkout.
    pub root: Option<PathBuf>,
    /// Namespace of components.
    pub namespace: Option<String>,
}

/// All contexts, and which one is used.
#[derive(Debug, Default)]
struct Contexts {
    current: Option<String>,
    contexts: BTreeMap<String, Context>,
}

/// The context that was chosen; one that says nothing if none was.
pub fn current() -> Result<Context, Failure> {
    let Some(place) = place() else {
        return Ok(Context::default());
    };
    let mut known = Contexts::read(&place)?;
    let name = known.current.take();
    let chosen = name.and_then(|name| known.contexts.remove(&name));
    Ok(chosen.unwrap_or_default())
}

/// Runs one of the commands.
pub fn run(command: &ConfigCommand) -> Outcome {
    let place = place().ok_or_else(|| {
        let message = "there is no folder for contexts: set HOME or XDG_CONFIG_HOME";
        Failure::plain(Exit::Usage, message)
    })?;
    let mut known = Contexts::read(&place)?;
    match command {
        ConfigCommand::Context(ContextCommand::Add(args)) => {
            if known.contexts.contains_key(&args.name) {
                let message = format!(
                    "there is a context `{}` already; `config context update` changes it",
                    args.name
                );
                return Err(Failure::plain(Exit::Usage, message));
            }
            known.change(args)?;
        }
        ConfigCommand::Context(ContextCommand::Update(args)) => {
            known.find(&args.name)?;
            known.change(args)?;
        }
        ConfigCommand::SetContext(args) => known.change(args)?,
        ConfigCommand::Context(ContextCommand::Use(args)) | ConfigCommand::UseContext(args) => {
            known.find(&args.name)?;
            known.current = Some(args.name.clone());
        }
        ConfigCommand::Context(ContextCommand::Delete(args)) => {
            known.find(&args.name)?;
            known.contexts.remove(&args.name);
            known.current.take_if(|current| *current == args.name);
        }
        ConfigCommand::Context(ContextCommand::List) | ConfigCommand::GetContexts => {
            print(&known.to_table());
            return Ok(Exit::Done);
        }
        ConfigCommand::CurrentContext => {
            return match &known.current {
                Some(name) => {
                    print(&format!("{name}\n"));
                    Ok(Exit::Done)
                }
                None => Ok(Exit::Negative),
            };
        }
    }
    known.write(&place)?;
    Ok(Exit::Done)
}

/// The file of all contexts; `None` where there is no home.
fn place() -> Option<PathBuf> {
    let configured = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".config"));
    let base = configured.or_else(home)?;
    Some(base.join("fleetwright/contexts.yaml"))
}

impl Contexts {
    fn read(place: &Path) -> Result<Self, Failure> {
        if !place.exists() {
            return Ok(Self::default());
        }
        let text = files::read_text(place)?;
        let options = ResolveOptions::default();
        let node = yaml::load_first(&text, &options).map_err(|error| {
            let line = error.position().map_or(1, |position| position.line);
            let diagnostic = Diagnostic::error(Code("ContextsInvalid"), error.to_string())
                .at(Span::line(place.display().to_string(), line));
            Failure::explained(Exit::Unreadable, vec![diagnostic])
        })?;
        let contexts = node.get("contexts").and_then(Node::as_map);
        let contexts = contexts.into_iter().flat_map(Map::iter).map(|(name, own)| {
            let context = Context {
                root: own.str_at(&["root"]).map(PathBuf::from),
                namespace: own.str_at(&["namespace"]).map(str::to_owned),
            };
            (name.to_string(), context)
        });
        Ok(Self {
            current: node.str_at(&["current"]).map(str::to_owned),
            contexts: contexts.collect(),
        })
    }

    fn write(&self, place: &Path) -> Result<(), Failure> {
        let contexts = self.contexts.iter().map(|(name, context)| {
            let mut own = Node::map();
            if let Some(root) = &context.root {
                own.set(&["root"], root.display().to_string());
            }
            if let Some(namespace) = &context.namespace {
                own.set(&["namespace"], namespace.as_str());
            }
            (name.as_str(), own)
        });
        let mut node = Node::map();
        if let Some(current) = &self.current {
            node.set(&["current"], current.as_str());
        }
        node.set(&["contexts"], Map::from_iter(contexts));
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder)?;
        }
        Ok(std::fs::write(place, yaml::to_string(&node))?)
    }

    fn find(&self, name: &str) -> Result<(), Failure> {
        if self.contexts.contains_key(name) {
            return Ok(());
        }
        let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
        let message = match known.is_empty() {
            true => {
                format!("there is no context `{name}`, nor any other; `config context add` adds it")
            }
            false => format!(
                "there is no context `{name}`; contexts are {}",
                known.join(", ")
            ),
        };
        Err(Failure::plain(Exit::Usage, message))
    }

    /// Makes a context or changes what is given of it.
    fn change(&mut self, args: &ContextArgs) -> Result<(), Failure> {
        let root = args.root_dir.as_deref().map(std::path::absolute);
        let root = root.transpose()?;
        let context = self.contexts.entry(args.name.clone()).or_default();
        context.root = root.or(context.root.take());
        context.namespace = args.namespace.clone().or(context.namespace.take());
        Ok(())
    }

    fn to_table(&self) -> String {
        let rows = self.contexts.iter().map(|(name, context)| {
            let is_current = self.current.as_ref() == Some(name);
            let root = context.root.as_ref().map(|root| root.display().to_string());
            vec![
                if is_current { "*" } else { "" }.to_owned(),
                name.clone(),
                root.unwrap_or_default(),
                context.namespace.clone().unwrap_or_default(),
            ]
        });
        let rows: Vec<_> = rows.collect();
        table(&["", "NAME", "ROOT", "NAMESPACE"], &rows)
    }
}
