//! `promote`, `rollback` and `approve`: which release runs where, in a checkout or on a server.
//!
//! All three ask the rules that the controller asks, of the binding as it would be. In a checkout
//! nothing says what was ready: there, what is bound counts as proven unless a server is asked.

use std::path::PathBuf;

use clap::Args;
use cluster::{Cluster, PatchType};
use component::checkout::Checkout;
use component::generate::{self, BindingRequest, Selection};
use component::model::Owner;
use component::snapshot::release_digest;
use control::components;
use control::components::{Gate, PromotionMode, View, comes_from_git, gate, keys};
use diag::{Code, Diagnostic};
use object::{Node, Object, Text};
use runtime::{BindingSummary, Clock, ReadyTime, SystemClock, release_history};

use super::get::{NOTHING, latest_release};
use super::world::as_owner;
use super::{World, find, kinds};
use crate::cli::ServerArgs;
use crate::commands::Outcome;
use crate::commands::component::checkout::{CheckoutArgs, Opened};
use crate::commands::component::generate::{finish, refused};
use crate::connect::connect;
use crate::exit::{Exit, Failure};
use crate::output::print;

/// Who changes objects on a server.
const MANAGER: &str = "fleetwright";

/// What is changed.
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    /// Changes the binding on the server instead of in a checkout.
    #[arg(long = "server")]
    pub on_server: bool,
    /// In a checkout: asks the server what was ready where, and for how long.
    #[arg(long, conflicts_with = "on_server")]
    pub ask_server: bool,
    /// Root of the checkout; by default that of the chosen context, else the working folder.
    #[arg(long, value_name = "DIR")]
    pub root_dir: Option<PathBuf>,
    /// Says what would change, and changes nothing.
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// How a rule that is not met is answered.
#[derive(Clone, Debug, Args)]
pub struct RuleArgs {
    /// Approves exactly this release with these values in the same change.
    #[arg(long)]
    pub approve: bool,
    /// Goes on although a promotion rule is not met; recorded in the binding, with the reason.
    #[arg(long, requires = "reason")]
    pub force: bool,
    /// Why, for whoever reads the binding later.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `promote`.
#[derive(Clone, Debug, Args)]
pub struct PromoteArgs {
    /// The component, as `component/NAME` or NAME.
    pub component: String,
    /// The environment that gets the release.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub to: String,
    /// The environment whose release it is; by default what leads to the other in the pipeline.
    #[arg(long, value_name = "ENVIRONMENT")]
    pub from: Option<String>,
    /// The release; by default what is bound in the environment before.
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    pub release: Option<String>,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `rollback`.
#[derive(Clone, Debug, Args)]
pub struct RollbackArgs {
    /// The component, as `component/NAME` or NAME.
    pub component: String,
    /// The environment.
    #[arg(short, long, value_name = "ENVIRONMENT")]
    pub env: String,
    /// The release; by default the last one with other content that was ready there.
    #[arg(long, value_name = "RELEASE")]
    pub to: Option<String>,
    #[command(flatten)]
    pub rules: RuleArgs,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// `approve`.
#[derive(Clone, Debug, Args)]
pub struct ApproveArgs {
    /// The component, as `component/NAME` or NAME.
    pub component: String,
    /// The environment.
    #[arg(short, long, value_name = "ENVIRONMENT")]
    pub env: String,
    #[command(flatten)]
    pub place: PlaceArgs,
}

/// Binds what runs in one environment in the next.
pub async fn promote(args: PromoteArgs) -> Outcome {
    let scene = Scene::open(&args.component, &args.place, Proven::Bound).await?;
    let sources = scene.sources(&args.to)?;
    if let Some(from) = &args.from
        && !sources.contains(from)
    {
        let message = format!(
            "no path of the pipeline leads from `{from}` to `{}`",
            args.to
        );
        let diagnostic =
            Diagnostic::error(Code("PromotionPath"), message).with_help(match sources.is_empty() {
                true => format!("`{}` is where releases start.", args.to),
                false => format!("What leads to it: {}.", sources.join(", ")),
            });
        return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
    }
    let newest = || match latest_release(&scene.world, &scene.component).as_str() {
        NOTHING => {
            let message = format!("component `{}` has no release", scene.owner.component);
            let diagnostic = Diagnostic::error(Code("PromotionSourceMissing"), message)
                .with_help("Write one with `fleetwright component release generate`.");
            Err(Failure::explained(Exit::Refused, vec![diagnostic]))
        }
        name => Ok(name.to_owned()),
    };
    let release = match (&args.release, &args.from) {
        (Some(release), _) => release.clone(),
        (None, Some(from)) => scene.bound_in(std::slice::from_ref(from), &args.to)?,
        (None, None) if sources.is_empty() => newest()?,
        (None, None) => scene.bound_in(&sources, &args.to)?,
    };
    scene
        .change(&args.to, &release, &args.rules, Vec::new())
        .await
}

/// Binds what ran before.
pub async fn rollback(args: RollbackArgs) -> Outcome {
    let scene = Scene::open(&args.component, &args.place, Proven::All).await?;
    scene.sources(&args.env)?;
    let Some(binding) = scene.binding(&args.env)? else {
        let message = format!(
            "component `{}` is not bound in `{}`",
            scene.owner.component, args.env
        );
        let diagnostic = Diagnostic::error(Code("RollbackImpossible"), message);
        return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
    };
    let now = BindingSummary::of(binding).release;
    let release = match &args.to {
        Some(release) => release.clone(),
        None => scene.before(binding, &now)?,
    };
    let because = args.rules.reason.as_deref();
    let because = because.map_or(String::new(), |text| format!(": {text}"));
    let note = format!("{now} to {release}{because}");
    let annotations = vec![(keys::ROLLED_BACK.into(), note.into())];
    scene
        .change(&args.env, &release, &args.rules, annotations)
        .await
}

/// Approves what is bound.
pub async fn approve(args: ApproveArgs) -> Outcome {
    let scene = Scene::open(&args.component, &args.place, Proven::Bound).await?;
    scene.sources(&args.env)?;
    let Some(binding) = scene.binding(&args.env)? else {
        let message = format!(
            "component `{}` is not bound in `{}`, so there is nothing to approve",
            scene.owner.component, args.env
        );
        let diagnostic = Diagnostic::error(Code("ApprovalImpossible"), message).with_help(format!(
            "Approve together with the promotion: `fleetwright promote component/{} --to {} --approve`.",
            scene.owner.component, args.env
        ));
        return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
    };
    if !scene.asks_for_approval(&args.env) {
        let message = format!("no way into `{}` asks for an approval", args.env);
        let diagnostic = Diagnostic::error(Code("ApprovalImpossible"), message)
            .with_help("`requiresApproval: true` of a target in the pipeline does.");
        return Err(Failure::explained(Exit::Negative, vec![diagnostic]));
    }
    let release = BindingSummary::of(binding).release;
    let digest = scene.gate(binding)?.digest;
    let annotations = vec![(keys::APPROVAL.into(), digest.into())];
    scene.write(&args.env, &release, annotations).await
}

/// A component, and all that says what may be done with it.
struct Scene<'a> {
    place: &'a PlaceArgs,
    world: World,
    component: Object,
    owner: Owner,
    at: At,
}

/// What counts as proven where files have the only word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proven {
    /// What is bound in an environment.
    Bound,
    /// Every release: what is rolled back to was bound at some time.
    All,
}

/// Where changes go.
enum At {
    Server(Cluster),
    Checkout(Box<Opened>),
}

impl<'a> Scene<'a> {
    async fn open(component: &str, place: &'a PlaceArgs, proven: Proven) -> Result<Self, Failure> {
        let name = match component.split_once('/') {
            None => component,
            Some((kind, name)) if kinds(kind).is_some_and(|own| own.word == "component") => name,
            Some(_) => {
                let message = format!("`{component}` is no component/NAME");
                return Err(Failure::plain(Exit::Usage, message));
            }
        };
        let namespace = place.server.namespace.as_deref();
        let (world, at, namespace) = match place.on_server {
            true => {
                let cluster = connect(&place.server).await?;
                let world = World::read(&cluster, namespace).await?;
                (world, At::Server(cluster), namespace.map(str::to_owned))
            }
            false => {
                let root = place.root_dir.as_deref();
                let args = CheckoutArgs::new(root, namespace, place.dry_run);
                let opened = args.open()?;
                let seen = match place.ask_server {
                    true => {
                        let cluster = connect(&place.server).await?;
                        Some(World::read(&cluster, namespace).await?)
                    }
                    false => None,
                };
                let world = of_checkout(&opened.checkout, seen.as_ref(), proven);
                let namespace = opened.namespace.clone();
                (world, At::Checkout(Box::new(opened)), namespace)
            }
        };
        let wanted = kinds("component").expect("the word is in the table");
        let component = find(&world, wanted, namespace.as_deref(), name)?.clone();
        Ok(Self {
            place,
            owner: as_owner(&component),
            component,
            world,
            at,
        })
    }

    /// The environments that lead to one of the component's pipeline.
    ///
    /// # Errors
    /// The pipeline is not there, or does not have the environment.
    fn sources(&self, environment: &str) -> Result<Vec<String>, Failure> {
        let pipeline = self
            .world
            .catalog
            .pipeline_of(self.component.namespace(), &self.owner.project);
        let Some(pipeline) = pipeline else {
            let message = format!(
                "project `{}` has no deployment pipeline, so that nothing leads to `{environment}`",
                self.owner.project
            );
            let diagnostic = Diagnostic::error(Code("PromotionPath"), message);
            return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
        };
        let known = pipeline.environments();
        if !known.iter().any(|own| own == environment) {
            let message = format!(
                "pipeline `{}` does not lead to `{environment}`",
                pipeline.head.name
            );
            let diagnostic = Diagnostic::error(Code("PromotionPath"), message)
                .with_help(format!("Its environments: {}.", known.join(", ")));
            return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
        }
        let leading = pipeline.paths_to(environment);
        Ok(leading.map(|path| path.source.to_string()).collect())
    }

    fn asks_for_approval(&self, environment: &str) -> bool {
        let pipeline = self
            .world
            .catalog
            .pipeline_of(self.component.namespace(), &self.owner.project);
        let paths = pipeline.into_iter().flat_map(|own| &own.paths);
        let mut targets = paths.flat_map(|path| &path.targets);
        targets.any(|target| target.environment == environment && target.approval)
    }

    /// The binding to an environment, if there is one.
    ///
    /// # Errors
    /// There are several.
    fn binding(&self, environment: &str) -> Result<Option<&Object>, Failure> {
        let namespace = self.component.namespace();
        let all = self.world.bindings(namespace, &self.owner, environment);
        let own: Vec<&Object> = all.collect();
        match own.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            several => {
                let names: Vec<&str> = several.iter().map(|own| own.name()).collect();
                let message = format!(
                    "several bindings are for component `{}` in `{environment}`: {}",
                    self.owner.component,
                    names.join(", ")
                );
                let diagnostic = Diagnostic::error(Code("DuplicateBinding"), message)
                    .with_help("Delete all but one.");
                Err(Failure::explained(Exit::Refused, vec![diagnostic]))
            }
        }
    }

    /// The one release that some environments have.
    fn bound_in(&self, sources: &[String], target: &str) -> Result<String, Failure> {
        let mut bound: Vec<(&str, String)> = Vec::new();
        for source in sources {
            if let Some(binding) = self.binding(source)? {
                match BindingSummary::of(binding).release {
                    release if release.is_empty() => {}
                    release => bound.push((source, release)),
                }
            }
        }
        let message = match bound.as_slice() {
            [] => format!(
                "component `{}` is not bound in {}, from where `{target}` would get its release",
                self.owner.component,
                sources.join(", ")
            ),
            [(_, first), rest @ ..] if rest.iter().all(|(_, own)| own == first) => {
                return Ok(first.clone());
            }
            several => {
                let texts = several
                    .iter()
                    .map(|(place, own)| format!("`{own}` in `{place}`"));
                format!(
                    "what leads to `{target}` runs different releases: {}",
                    texts.collect::<Vec<_>>().join(", ")
                )
            }
        };
        let diagnostic = Diagnostic::error(Code("PromotionSourceMissing"), message)
            .with_help("Say which with --from ENVIRONMENT or --release NAME.");
        Err(Failure::explained(Exit::Refused, vec![diagnostic]))
    }

    /// The release that was ready before the one that is bound.
    fn before(&self, binding: &Object, now: &str) -> Result<String, Failure> {
        let namespace = self.component.namespace();
        let releases = self.world.owned("ComponentRelease", namespace, &self.owner);
        let releases: Vec<(&str, String)> =
            releases.map(|own| (own.name(), digest_of(own))).collect();
        let bound = releases.iter().find(|(name, _)| *name == now);
        let bound = bound.map_or("", |(_, digest)| digest);
        let knows = self.place.on_server || self.place.ask_server;
        let ready = match knows {
            true => release_history(binding),
            false => Vec::new(),
        };
        let earlier = ready.iter().filter(|own| own.digest != bound);
        let there = |own: &&ReadyTime| releases.iter().any(|(_, digest)| *digest == own.digest);
        if let Some(own) = earlier.clone().find(there) {
            // Another name may hold what ran by now.
            let same = |(name, digest): &&(&str, String)| {
                *digest == own.digest && *name == own.release.as_str()
            };
            let found = releases.iter().find(same);
            let found = found.or(releases.iter().find(|(_, digest)| *digest == own.digest));
            return Ok(found.map_or(own.release.clone(), |(name, _)| (*name).to_owned()));
        }
        let environment = BindingSummary::of(binding).environment;
        let message = match knows {
            true => format!("no other release was ready in `{environment}` that is still there"),
            false => format!("files do not say what ran in `{environment}` before"),
        };
        let mut diagnostic = Diagnostic::error(Code("RollbackImpossible"), message);
        if !knows {
            diagnostic = diagnostic.with_help("Ask the server with --ask-server.");
        }
        let names = releases.iter().map(|(name, _)| *name);
        let names: Vec<&str> = names.filter(|name| *name != now).collect();
        if !names.is_empty() {
            let text = format!("Or say which with --to; there are: {}.", names.join(", "));
            diagnostic = diagnostic.with_help(text);
        }
        Err(Failure::explained(Exit::Refused, vec![diagnostic]))
    }

    /// What the rules say of a binding as it would be.
    fn gate(&self, binding: &Object) -> Result<Gate, Failure> {
        let options = components::Options::default();
        let view = View {
            catalog: &self.world.catalog,
            objects: &self.world,
            options: &options,
            timing: SystemClock.timing(),
        };
        gate(&view, binding).ok_or_else(|| {
            let release = BindingSummary::of(binding).release;
            let namespace = self.component.namespace();
            let known = self.world.owned("ComponentRelease", namespace, &self.owner);
            let known: Vec<&str> = known.map(Object::name).collect();
            let message = format!(
                "release `{release}` of component `{}` is not there",
                self.owner.component
            );
            let mut diagnostic = Diagnostic::error(Code("ReleaseUnknown"), message);
            if !known.is_empty() {
                diagnostic = diagnostic.with_help(format!("There are: {}.", known.join(", ")));
            }
            Failure::explained(Exit::Refused, vec![diagnostic])
        })
    }

    /// The binding to an environment as it would be.
    fn wanted(
        &self,
        environment: &str,
        release: &str,
        annotations: &[(Text, Text)],
    ) -> Result<Object, Failure> {
        let mut wanted = match self.binding(environment)? {
            Some(binding) => binding.clone(),
            None => {
                let mut new = generate::new_binding(&self.owner, environment);
                let namespace = self.component.namespace();
                new.node.set(&["metadata", "namespace"], namespace);
                new
            }
        };
        wanted.node.set(&["spec", "releaseName"], release);
        for (key, value) in annotations {
            let keys = ["metadata", "annotations", key];
            wanted.node.set(&keys, value.clone());
        }
        Ok(wanted)
    }

    /// Binds a release in an environment if the rules are met, or somebody decided otherwise.
    async fn change(
        &self,
        environment: &str,
        release: &str,
        rules: &RuleArgs,
        mut annotations: Vec<(Text, Text)>,
    ) -> Outcome {
        let mut found = self.gate(&self.wanted(environment, release, &annotations)?)?;
        if rules.approve {
            annotations.push((keys::APPROVAL.into(), found.digest.as_str().into()));
            found = self.gate(&self.wanted(environment, release, &annotations)?)?;
        }
        if let Some(unmet) = &found.unmet {
            if rules.force {
                let reason = rules.reason.as_deref().unwrap_or_default();
                annotations.push((keys::FORCED.into(), found.digest.as_str().into()));
                annotations.push((keys::FORCED_REASON.into(), reason.into()));
                eprintln!("◎ forced, and recorded in the binding: {}", unmet.message);
            } else if found.holds() {
                return Err(self.held(environment, release, &found));
            } else {
                let diagnostic = Diagnostic::warning(Code(unmet.reason), unmet.message.clone())
                    .with_help(format!(
                        "Environment `{environment}` only warns; annotation `{}: enforce` makes it hold releases back.",
                        keys::PROMOTION
                    ));
                eprint!("{}", diagnostic.render());
            }
        }
        let done = self.write(environment, release, annotations).await?;
        let knows = self.place.on_server || self.place.ask_server;
        let asks = found.mode == PromotionMode::Enforce && !self.sources(environment)?.is_empty();
        if !knows && asks && !rules.force {
            eprintln!(
                "◎ files do not say whether {release} was ready before: the controller looks before it lets it run in {environment}; --ask-server asks now"
            );
        }
        Ok(done)
    }

    /// That a rule holds a release back.
    fn held(&self, environment: &str, release: &str, found: &Gate) -> Failure {
        let Some(unmet) = &found.unmet else {
            return Failure::plain(Exit::Refused, "a promotion rule is not met");
        };
        let message = format!(
            "release `{release}` may not go to `{environment}`: {}",
            unmet.message
        );
        let help = match unmet.reason {
            "PromotionApproval" => "Approve it in the same change with --approve.".to_owned(),
            "PromotionHealth" => "Wait, and try again.".to_owned(),
            _ => format!(
                "Promote it along the pipeline: `fleetwright why component/{} --env {environment}` says how far it is.",
                self.owner.component
            ),
        };
        let diagnostic = Diagnostic::error(Code(unmet.reason), message)
            .with_help(help)
            .with_help("Or go on all the same with --force --reason TEXT, which is recorded.");
        Failure::explained(Exit::Refused, vec![diagnostic])
    }

    async fn write(
        &self,
        environment: &str,
        release: &str,
        annotations: Vec<(Text, Text)>,
    ) -> Outcome {
        match &self.at {
            At::Checkout(opened) => self.write_file(opened, environment, release, annotations),
            At::Server(cluster) => {
                self.write_object(cluster, environment, release, &annotations)
                    .await
            }
        }
    }

    fn write_file(
        &self,
        opened: &Opened,
        environment: &str,
        release: &str,
        annotations: Vec<(Text, Text)>,
    ) -> Outcome {
        let request = BindingRequest {
            selection: Selection {
                namespace: Some(self.component.namespace().into()),
                project: Some(self.owner.project.clone()),
                component: Some(self.owner.component.clone()),
            },
            environment: Some(environment.into()),
            release: Some(release.into()),
            annotations,
            ..BindingRequest::default()
        };
        let output = generate::bindings(&opened.checkout, &request).map_err(refused)?;
        let namespace = self.place.server.namespace.as_deref();
        let root = self.place.root_dir.as_deref();
        let args = CheckoutArgs::new(root, namespace, self.place.dry_run);
        finish(opened, &args, output, false, true)
    }

    async fn write_object(
        &self,
        cluster: &Cluster,
        environment: &str,
        release: &str,
        annotations: &[(Text, Text)],
    ) -> Outcome {
        let wanted = self.wanted(environment, release, annotations)?;
        let before = self.binding(environment)?;
        let bound = before.map(|own| BindingSummary::of(own).release);
        let changes_release = bound.as_deref() != Some(release);
        if let Some(before) = before
            && changes_release
            && comes_from_git(before)
        {
            let message = format!(
                "ReleaseBinding `{}` comes from Git, and what is changed here would be undone",
                before.name()
            );
            let unit = before.label("kustomize.toolkit.fluxcd.io/name");
            let mut diagnostic = Diagnostic::error(Code("BindingFromGit"), message)
                .with_help("Run the command without --server in a checkout, and push.");
            if let Some(unit) = unit {
                diagnostic = diagnostic.with_help(format!("It is applied by ks/{unit}."));
            }
            return Err(Failure::explained(Exit::Refused, vec![diagnostic]));
        }
        let same = before.is_some_and(|before| before.node == wanted.node);
        let word = match (before.is_some(), same) {
            (_, true) => "unchanged",
            (true, false) => "updated",
            (false, _) => "created",
        };
        if !same && !self.place.dry_run {
            match before {
                Some(before) => {
                    let mut patch = Node::map();
                    patch.set(&["metadata", "resourceVersion"], before.resource_version());
                    for (key, value) in annotations {
                        patch.set(&["metadata", "annotations", key], value.clone());
                    }
                    patch.set(&["spec", "releaseName"], release);
                    let patch = (PatchType::Merge, &patch);
                    cluster.patch(before, "", patch, MANAGER).await?;
                }
                None => {
                    cluster.create(&wanted, MANAGER).await?;
                }
            }
        }
        let mut text = format!("{word} {}", wanted.name());
        text.push_str(if self.place.dry_run {
            ", or would be\n"
        } else {
            "\n"
        });
        match bound {
            Some(bound) if changes_release => {
                text.push_str(&format!("  spec.releaseName: {bound} → {release}\n"));
            }
            None => text.push_str(&format!("  spec.releaseName: {release}\n")),
            Some(_) => {}
        }
        for (key, value) in annotations {
            text.push_str(&format!("  {key}: {value}\n"));
        }
        print(&text);
        Ok(Exit::Done)
    }
}

fn digest_of(release: &Object) -> String {
    let spec = release.node.get("spec").cloned().unwrap_or_default();
    release_digest(&spec)
}

/// The objects of a checkout, with the statuses that a server has of them, or with statuses in
/// which some releases are ready since ever: files do not say more.
fn of_checkout(checkout: &Checkout, seen: Option<&World>, proven: Proven) -> World {
    let mut world = World::default();
    for manifest in checkout.manifests() {
        let mut object = manifest.object.clone();
        object.node.remove(&["status"]);
        if object.namespace().is_empty() && !manifest.namespace.is_empty() {
            let namespace = manifest.namespace.clone();
            object.node.set(&["metadata", "namespace"], namespace);
        }
        let own = seen.and_then(|seen| seen.get(object.kind(), object.namespace(), object.name()));
        if let Some(status) = own.and_then(|own| own.node.get("status")) {
            object.node.set(&["status"], status.clone());
        }
        world.put(object);
    }
    if seen.is_some() {
        return world;
    }
    let bindings: Vec<Object> = world.of("ReleaseBinding").cloned().collect();
    for mut binding in bindings {
        let bound = BindingSummary::of(&binding).release;
        let owner = Owner::of(&binding);
        let releases = world.owned("ComponentRelease", binding.namespace(), &owner);
        let counted = releases.filter(|own| proven == Proven::All || own.name() == bound);
        let entries = counted.map(|release| {
            let mut entry = Node::map();
            entry.set(&["name"], release.name());
            entry.set(&["digest"], digest_of(release));
            let ever = golang::Timestamp::from_unix(0);
            entry.set(&["readySince"], ever.to_string());
            entry
        });
        let entries = Node::list(entries);
        binding.node.set(&["status", "releaseHistory"], entries);
        world.put(binding);
    }
    world
}
