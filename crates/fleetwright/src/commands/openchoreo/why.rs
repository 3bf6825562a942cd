//! `why` of OpenChoreo's objects: from a component or binding to what keeps it from being ready.

use api::Conditions;
use component::catalog::{BindingError, Outcome, Session};
use component::model::Owner;
use control::components::keys;
use control::release::DATA_PLANE;
use golang::{Timestamp, human_duration};
use health::Status;
use object::{Node, Object};
use runtime::{BindingSummary, Clock, Readiness, ReadyState, SystemClock, release_history};

use super::get::{binding_node, components, environments, readiness_node};
use super::planes::{OnPlane, Planes};
use super::world::as_owner;
use super::{Wanted, World, find, id};
use crate::cli::UnitArgs;
use crate::commands::Outcome as Ended;
use crate::connect::{connect, kubeconfig};
use crate::exit::{Exit, Failure};
use crate::output::print_as;

/// Environments that are followed back along a pipeline; a longer way is cut.
const CHAIN_MAX: usize = 10;

/// Most reasons of one kind that are told, such as errors of one rendering.
const CAUSES_SHOWN: usize = 20;

/// Says why an object is how it is.
pub async fn run(args: &UnitArgs, env: Option<&str>, wanted: Wanted, name: &str) -> Ended {
    let cluster = connect(&args.server).await?;
    let namespace = args.server.namespace.as_deref();
    let world = World::read(&cluster, namespace).await?;
    let object = find(&world, wanted, namespace, name)?;
    if env.is_some() && object.kind() != "Component" {
        let message = "--env goes with a component";
        return Err(Failure::plain(Exit::Usage, message));
    }
    let mut search = Search {
        planes: Planes::new(cluster, &kubeconfig(&args.server)?),
        world: &world,
        now: SystemClock.now(),
        next: None,
    };
    let answer = match object.kind() {
        "Component" => search.component(object, env).await?,
        "ComponentRelease" => search.release(object),
        "ReleaseBinding" => {
            let own = search.binding(object, 0).await;
            Answer {
                sections: vec![own],
                ..search.plain(object)
            }
        }
        "Release" | "RenderedRelease" => {
            let mut answer = search.plain(object);
            answer.causes.clear();
            search.rendered(object, &mut answer.causes).await;
            answer.is_fine = answer.causes.is_empty();
            answer
        }
        "Project" => {
            let bindings = world.of("ReleaseBinding").filter(|own| {
                own.namespace() == object.namespace() && Owner::of(own).project == object.name()
            });
            let all = components(&world, object).chain(bindings);
            search.members(object, all.collect())
        }
        "Environment" => {
            let bound = world.of("ReleaseBinding").filter(|own| {
                own.namespace() == object.namespace()
                    && BindingSummary::of(own).environment == object.name()
            });
            search.members(object, bound.collect())
        }
        _ => search.plain(object),
    };
    let next = search.next;
    print_as(args.output, &answer.to_node(next.as_deref()), |_| {
        answer.to_text(next.as_deref())
    });
    Ok(
        match answer.is_fine && answer.sections.iter().all(|own| own.is_fine) {
            true => Exit::Done,
            false => Exit::Negative,
        },
    )
}

/// What is said about an object.
struct Answer {
    id: String,
    ready: Readiness,
    is_fine: bool,
    /// What it is like, in the first line.
    headline: String,
    /// Reasons, each the cause of the one before or one of several.
    causes: Vec<String>,
    /// What is worth a look though it stops nothing.
    notes: Vec<String>,
    /// What is said about its bindings.
    sections: Vec<Section>,
}

/// What is said about one binding.
struct Section {
    binding: BindingSummary,
    is_fine: bool,
    headline: String,
    causes: Vec<String>,
    notes: Vec<String>,
}

impl Answer {
    fn to_text(&self, next: Option<&str>) -> String {
        let mut text = String::new();
        let mut say = |indent: &str, headline: &str, causes: &[String], notes: &[String]| {
            text.push_str(&format!("{indent}{headline}\n"));
            for cause in causes {
                text.push_str(&format!("{indent}  because {cause}\n"));
            }
            for note in notes {
                text.push_str(&format!("{indent}  note: {note}\n"));
            }
        };
        // Of a binding the one section says everything.
        let single = self.id.starts_with("binding/");
        if !single {
            say("", &self.headline, &self.causes, &self.notes);
        }
        let indent = if single { "" } else { "  " };
        for section in &self.sections {
            say(indent, &section.headline, &section.causes, &section.notes);
        }
        if let Some(next) = next {
            text.push_str(&format!("Next: {next}\n"));
        }
        text
    }

    fn to_node(&self, next: Option<&str>) -> Node {
        let mut node = Node::map();
        node.set(&["id"], self.id.as_str());
        readiness_node(&self.ready, &mut node);
        let say = |node: &mut Node, causes: &[String], notes: &[String]| {
            let list = |texts: &[String]| Node::list(texts.iter().map(String::as_str));
            node.set(&["because"], list(causes));
            node.set(&["notes"], list(notes));
        };
        match self.sections.as_slice() {
            [only] if self.id.starts_with("binding/") => {
                node = binding_node(&only.binding);
                node.set(&["id"], self.id.as_str());
                say(&mut node, &only.causes, &only.notes);
            }
            sections => {
                say(&mut node, &self.causes, &self.notes);
                let sections = sections.iter().map(|section| {
                    let mut node = binding_node(&section.binding);
                    say(&mut node, &section.causes, &section.notes);
                    node
                });
                node.set(&["environments"], Node::list(sections));
            }
        }
        if let Some(next) = next {
            node.set(&["next"], next);
        }
        node
    }
}

/// A walk from an object to what stops it.
struct Search<'a> {
    world: &'a World,
    planes: Planes,
    now: Timestamp,
    /// What helps with the first trouble that was found.
    next: Option<String>,
}

impl<'a> Search<'a> {
    fn help(&mut self, next: impl Into<String>) {
        self.next.get_or_insert(next.into());
    }

    /// `, for 5m`, if it is known since when.
    fn age(&self, ready: &Readiness) -> String {
        let since = ready.since.parse::<Timestamp>().ok();
        since.map_or(String::new(), |at| {
            format!(", for {}", human_duration(self.now.since(at)))
        })
    }

    /// What an object's own condition says.
    fn plain(&mut self, object: &Object) -> Answer {
        let ready = Readiness::of(object);
        let id = id(object);
        let headline = format!("{id} is {}{}", ready.word(), self.age(&ready));
        let causes = match ready.state {
            ReadyState::Ready => Vec::new(),
            _ => self.unready(&id, &ready),
        };
        Answer {
            is_fine: ready.is_ready(),
            id,
            ready,
            headline,
            causes,
            notes: Vec::new(),
            sections: Vec::new(),
        }
    }

    /// Why something is not ready as far as its own condition knows.
    fn unready(&mut self, id: &str, ready: &Readiness) -> Vec<String> {
        if ready.reason.is_empty() {
            return vec![format!(
                "no controller has looked at {id} yet; is one with the role `component` running?"
            )];
        }
        if ready.state == ReadyState::Outdated {
            return vec![format!("the newest change of {id} was not looked at yet")];
        }
        ready.message.lines().map(str::to_owned).collect()
    }

    /// A component: itself, then each of its bindings in the order of its pipeline.
    async fn component(
        &mut self,
        component: &'a Object,
        env: Option<&str>,
    ) -> Result<Answer, Failure> {
        let world = self.world;
        let owner = as_owner(component);
        let mut answer = self.plain(component);
        if !answer.is_fine {
            self.component_help(component, &answer.ready);
        }
        let known = environments(world, &[component]);
        if let Some(env) = env
            && !known.iter().any(|own| own == env)
        {
            let message = format!(
                "component `{}` has no environment `{env}`; there are: {}",
                owner.component,
                known.join(", ")
            );
            return Err(Failure::plain(Exit::Usage, message));
        }
        let mut unbound = Vec::new();
        for environment in known {
            if env.is_some_and(|env| env != environment) {
                continue;
            }
            let bindings: Vec<&Object> = world
                .bindings(component.namespace(), &owner, &environment)
                .collect();
            if bindings.is_empty() {
                unbound.push(environment);
                continue;
            }
            for binding in bindings {
                let mut section = self.binding(binding, 0).await;
                section.headline = format!("{environment}: {}", section.headline);
                answer.sections.push(section);
            }
        }
        if env.is_some()
            && let Some(environment) = unbound.first()
        {
            answer.is_fine = false;
            answer
                .causes
                .push(format!("it is not bound in {environment}"));
            self.help(self.bind_command(component, environment, None));
        } else if !unbound.is_empty() {
            answer
                .headline
                .push_str(&format!("; not bound in {}", unbound.join(", ")));
        }
        if answer.ready.reason == "UpdateAvailable" && answer.ready.is_ready() {
            answer.notes.push(answer.ready.message.clone());
        }
        Ok(answer)
    }

    /// What helps a component that is not ready.
    fn component_help(&mut self, component: &Object, ready: &Readiness) {
        let owner = as_owner(component);
        let known = |kinds: [&str; 2]| {
            let all = kinds.into_iter().flat_map(|kind| self.world.of(kind));
            let near = all.filter(|own| {
                own.namespace().is_empty() || own.namespace() == component.namespace()
            });
            let names: Vec<&str> = near.map(Object::name).collect();
            match names.is_empty() {
                true => "there are none yet".to_owned(),
                false => format!("there are: {}", names.join(", ")),
            }
        };
        let next = match ready.reason.as_str() {
            "WorkloadNotFound" => format!(
                "fleetwright workload create --component {} --project {} --image IMAGE, in a checkout",
                owner.component, owner.project
            ),
            "ComponentTypeNotFound" => format!(
                "create the component type, or name another; {}",
                known(["ComponentType", "ClusterComponentType"])
            ),
            "TraitNotFound" => format!(
                "create the trait, or name another; {}",
                known(["Trait", "ClusterTrait"])
            ),
            "ProjectNotFound" => format!("create Project {} in Git", owner.project),
            "DeploymentPipelineNotFound" => {
                "create the pipeline that the project names in `spec.deploymentPipelineRef`".into()
            }
            "" => return,
            reason => format!("fleetwright explain {reason}"),
        };
        self.help(next);
    }

    /// The command that binds a component in an environment.
    fn bind_command(&self, component: &Object, environment: &str, release: Option<&str>) -> String {
        let owner = as_owner(component);
        self.bind_command_of(component.namespace(), &owner, environment, release)
    }

    fn bind_command_of(
        &self,
        namespace: &str,
        owner: &Owner,
        environment: &str,
        release: Option<&str>,
    ) -> String {
        let release = release.map_or(String::new(), |name| format!(" --release {name}"));
        match self
            .world
            .leading_to(namespace, &owner.project, environment)
            .is_empty()
        {
            true => format!(
                "fleetwright component deploy {} --env {environment}{release}",
                owner.component
            ),
            false => format!(
                "fleetwright promote component/{} --to {environment}{release}",
                owner.component
            ),
        }
    }

    /// A binding, by the first part of its chain that is not as it should be.
    async fn binding(&mut self, binding: &'a Object, depth: usize) -> Section {
        let own = BindingSummary::of(binding);
        let undeployed = own.ready.reason == "ResourcesUndeployed";
        let release = match (own.release.as_str(), own.is_behind()) {
            ("", _) => "no release".to_owned(),
            (release, true) => format!("{release}, and {} goes on running", own.running),
            (release, false) => release.to_owned(),
        };
        let headline = format!(
            "{} is {}: {release}{}",
            id(binding),
            own.ready.word(),
            self.age(&own.ready)
        );
        let (mut causes, mut notes) = (Vec::new(), Vec::new());
        match own.ready.reason.as_str() {
            _ if own.ready.state == ReadyState::Outdated => {
                causes = self.unready(&id(binding), &own.ready);
            }
            _ if own.ready.is_ready() => {
                // The environment only warns.
                let rule = Readiness::of_condition(binding, "PromotionBlocked");
                if rule.state == ReadyState::NotReady {
                    notes.push(format!(
                        "{} does not hold releases back, but {}",
                        own.environment, rule.message
                    ));
                }
            }
            "PromotionBlocked" => Box::pin(self.promotion(binding, &own, &mut causes, depth)).await,
            "RenderingFailed" => self.rendering(binding, &own, &mut causes),
            "ResourceApplyFailed"
            | "ResourcesProgressing"
            | "ResourcesDegraded"
            | "ResourcesUnknown"
            | "DataPlaneUnreachable"
            | "JobRunning"
            | "JobFailed" => {
                for rendered in self.world.rendered(binding) {
                    self.rendered(rendered, &mut causes).await;
                }
                if causes.is_empty() {
                    causes = self.unready(&id(binding), &own.ready);
                }
                self.degraded_help(binding, &own);
            }
            _ => {
                causes = self.unready(&id(binding), &own.ready);
                self.binding_help(&own);
            }
        }
        Section {
            is_fine: own.ready.is_ready() || undeployed,
            binding: own,
            headline,
            causes,
            notes,
        }
    }

    /// What helps a binding whose own condition says what is wrong.
    fn binding_help(&mut self, own: &BindingSummary) {
        let component = &own.owner.component;
        let next = match own.ready.reason.as_str() {
            "ComponentReleaseNotFound" => match own.release.as_str() {
                "" => self.bind_command_of(&own.key.namespace, &own.owner, &own.environment, None),
                release => format!(
                    "push ComponentRelease {release}, or bind another: fleetwright get releases -n {}",
                    own.key.namespace
                ),
            },
            "EnvironmentNotFound" => format!("create Environment {} in Git", own.environment),
            "DataPlaneNotConfigured" => {
                format!("set `spec.dataPlaneRef` of Environment {}", own.environment)
            }
            "DataPlaneNotFound" => {
                format!(
                    "create the data plane that Environment {} names",
                    own.environment
                )
            }
            "ComponentNotFound" => format!("create Component {component} in Git"),
            "ProjectNotFound" => format!("create Project {} in Git", own.owner.project),
            "ConnectionsPending" => format!(
                "deploy what it waits for in {}, or take the dependency out of the Workload",
                own.environment
            ),
            "ResourcesUndeployed" => {
                format!("set `state: Active` of ReleaseBinding {}", own.key.name)
            }
            "" => return,
            reason => format!("fleetwright explain {reason}"),
        };
        self.help(next);
    }

    /// What helps a binding whose objects are not healthy.
    fn degraded_help(&mut self, binding: &Object, own: &BindingSummary) {
        let name = &own.owner.component;
        let current = binding.node.str_at(&["status", "release", "digest"]);
        let before = release_history(binding)
            .into_iter()
            .find(|entry| Some(entry.digest.as_str()) != current);
        if let Some(before) = before {
            self.help(format!(
                "fix it in a new release, or: fleetwright rollback component/{name} --env {} --to {}",
                own.environment, before.release
            ));
        }
        self.help(format!(
            "fleetwright tree binding/{} -n {}",
            own.key.name, own.key.namespace
        ));
    }

    /// A release that has not earned its environment: which rule, and what is in the way before.
    async fn promotion(
        &mut self,
        binding: &'a Object,
        own: &BindingSummary,
        causes: &mut Vec<String>,
        depth: usize,
    ) {
        let rule = Readiness::of_condition(binding, "PromotionBlocked");
        causes.push(rule.message.clone());
        let component = &own.owner.component;
        if rule.reason == "PromotionApproval" {
            self.help(format!(
                "fleetwright approve component/{component} --env {}",
                own.environment
            ));
            return;
        }
        let namespace = own.key.namespace.as_str();
        let world = self.world;
        for source in world.leading_to(namespace, &own.owner.project, &own.environment) {
            let before = world.bindings(namespace, &own.owner, &source).next();
            let Some(before) = before else {
                causes.push(format!("nothing is bound in {source}"));
                let release = Some(own.release.as_str());
                self.help(self.bind_command_of(namespace, &own.owner, &source, release));
                continue;
            };
            let other = BindingSummary::of(before);
            if other.release != own.release {
                causes.push(format!("{source} is bound to {}", other.release));
                let release = Some(own.release.as_str());
                self.help(self.bind_command_of(namespace, &own.owner, &source, release));
            } else if !other.ready.is_ready() && depth < CHAIN_MAX {
                let section = Box::pin(self.binding(before, depth + 1)).await;
                causes.push(format!("in {source}, {}", section.headline));
                causes.extend(section.causes);
            } else {
                self.help(format!(
                    "wait; it goes on by itself (fleetwright history component/{component})"
                ));
            }
        }
        let name = &own.environment;
        self.help(format!(
            "add a path to {name} to the pipeline of the project"
        ));
    }

    /// A release that does not render: every reason, as this program finds them itself.
    fn rendering(&mut self, binding: &Object, own: &BindingSummary, causes: &mut Vec<String>) {
        let world = self.world;
        let read = world.catalog.bindings().find(|read| {
            read.head.namespace == binding.namespace() && read.head.name == binding.name()
        });
        let outcome = read.map(|read| Session::new(&world.catalog).render(read));
        match outcome {
            Some(Outcome::Failed(BindingError::Render(errors))) => {
                let count = errors.0.len();
                let shown = errors.0.iter().take(CAUSES_SHOWN);
                causes.extend(shown.map(ToString::to_string));
                if count > CAUSES_SHOWN {
                    causes.push(format!("and {} more reasons", count - CAUSES_SHOWN));
                }
            }
            // The server sees something else: it has the last word.
            _ => causes.push(own.ready.message.clone()),
        }
        let component = &own.owner.component;
        let namespace = own.key.namespace.as_str();
        for source in world.leading_to(namespace, &own.owner.project, &own.environment) {
            let bindings = world.owned("ReleaseBinding", namespace, &own.owner);
            let proven = bindings.map(BindingSummary::of).find(|other| {
                other.environment == source
                    && other.release != own.release
                    && other.ready.is_ready()
            });
            if let Some(proven) = proven {
                self.help(format!(
                    "fleetwright promote component/{component} --to {} --from {source}, where {} is ready",
                    own.environment, proven.release
                ));
            }
        }
        self.help(format!(
            "a release never changes: correct templates or Workload, then fleetwright component release generate --component {component} --project {}, and bind the new one",
            own.owner.project
        ));
    }

    /// What was handed to a data plane: whether it is applied, and which objects are not healthy.
    async fn rendered(&mut self, rendered: &'a Object, causes: &mut Vec<String>) {
        let plane = rendered.annotation(DATA_PLANE).unwrap_or("its data plane");
        let applied = Readiness::of(rendered);
        match applied.state {
            ReadyState::NotReady => {
                causes.push(format!("it is not applied on {plane}: {}", applied.message));
            }
            ReadyState::Unknown => causes.push(format!("it is not applied on {plane} yet")),
            _ => {}
        }
        let OnPlane { objects, made } = self.planes.look(self.world, rendered).await;
        match objects {
            Err(reason) => {
                if applied.state == ReadyState::NotReady {
                    self.plane_help(rendered, plane);
                }
                let unhealthy = unhealthy_by_status(rendered);
                if !unhealthy.is_empty() {
                    causes.push(format!("{reason}; its status says:"));
                    causes.extend(unhealthy);
                } else if applied.is_ready() {
                    causes.push(reason);
                }
            }
            Ok(objects) => {
                for (entry, live) in objects {
                    let Some(live) = live else {
                        if applied.is_ready() {
                            causes.push(format!("{} is not there", entry.key));
                        }
                        continue;
                    };
                    let assessment = health::assess(&live, self.now);
                    if assessment.status == Status::Current {
                        continue;
                    }
                    let cause = health::explain(&live, &made, self.now);
                    let cause = cause.unwrap_or(assessment.message);
                    causes.push(format!("{}: {cause}", entry.key));
                }
            }
        }
        if applied.state == ReadyState::NotReady {
            self.help("correct what the data plane refuses, in Git; it is tried again by itself");
        }
    }

    /// What helps when a data plane cannot be reached.
    fn plane_help(&mut self, rendered: &Object, named: &str) {
        let (kind, name) = named.split_once('/').unwrap_or(("DataPlane", named));
        let namespace = match kind.starts_with("Cluster") {
            true => "",
            false => rendered.namespace(),
        };
        let plane = self.world.get(kind, namespace, name);
        let secret = plane.and_then(|plane| plane.annotation(keys::KUBECONFIG));
        match secret {
            Some(secret) => self.help(format!(
                "make the kubeconfig in Secret {secret} lead to the cluster of {named}; it is tried again by itself"
            )),
            None => self.help(format!(
                "annotate {named} with {}, the Secret with a kubeconfig of its cluster",
                keys::KUBECONFIG
            )),
        }
    }

    /// A release: where it renders, and where it is bound.
    fn release(&mut self, release: &Object) -> Answer {
        let mut answer = self.plain(release);
        let conditions = Conditions::read(release.node.at(&["status", "conditions"]));
        if !answer.ready.reason.is_empty() {
            answer.causes.clear();
            answer.headline = match answer.is_fine {
                true => format!(
                    "{} renders for every environment of its pipeline",
                    answer.id
                ),
                false => format!("{} does not render everywhere", answer.id),
            };
            let tried = release.node.at(&["status", "renderable"]);
            let mut failed: Vec<(&str, Vec<&str>)> = Vec::new();
            for own in tried.and_then(Node::as_list).unwrap_or_default() {
                let text = |key: &str| own.str_at(&[key]).unwrap_or_default();
                if own.get("renderable").and_then(Node::as_bool) != Some(false) {
                    continue;
                }
                let known = failed.iter_mut().find(|(why, _)| *why == text("message"));
                match known {
                    Some((_, places)) => places.push(text("environment")),
                    None => failed.push((text("message"), vec![text("environment")])),
                }
            }
            let texts = failed.iter();
            let texts = texts.map(|(why, places)| format!("in {}: {why}", places.join(", ")));
            answer.causes.extend(texts);
            if answer.causes.is_empty() && !answer.is_fine {
                answer.causes.push(answer.ready.message.clone());
            }
        }
        if let Some(tampered) = conditions.get("ReleaseTampered") {
            answer.is_fine = false;
            answer.causes.push(tampered.message.clone());
        }
        let owner = Owner::of(release);
        let bindings = self
            .world
            .owned("ReleaseBinding", release.namespace(), &owner);
        let bound: Vec<String> = bindings
            .map(BindingSummary::of)
            .filter(|own| own.release == release.name())
            .map(|own| format!("{} ({})", own.environment, own.ready.word()))
            .collect();
        match bound.is_empty() {
            true => answer.headline.push_str("; bound nowhere"),
            false => answer
                .headline
                .push_str(&format!("; bound in {}", bound.join(", "))),
        }
        if answer.ready.reason == "RenderingFailed" {
            self.help(format!(
                "a release never changes: correct templates or Workload, then fleetwright component release generate --component {} --project {}",
                owner.component, owner.project
            ));
        }
        answer
    }

    /// A project or environment: itself, and which of its members are not ready.
    fn members(&mut self, object: &Object, members: Vec<&Object>) -> Answer {
        let mut answer = self.plain(object);
        let (mut bindings, mut ready_bindings) = (0, 0);
        for member in members {
            let ready = Readiness::of(member);
            let is_fine = ready.is_ready() || ready.reason == "ResourcesUndeployed";
            if member.kind() == "ReleaseBinding" {
                bindings += 1;
                ready_bindings += usize::from(is_fine);
            }
            if is_fine {
                continue;
            }
            answer.is_fine = false;
            let own = id(member);
            self.help(format!("fleetwright why {own} -n {}", member.namespace()));
            answer.causes.push(format!("{own} is {}", ready.word()));
        }
        answer.headline.push_str(&format!(
            ", with {ready_bindings} of {bindings} bindings as they should be"
        ));
        answer
    }
}

/// The objects of a release that are not healthy, as its status says.
fn unhealthy_by_status(rendered: &Object) -> Vec<String> {
    let listed = rendered.node.at(&["status", "resources"]);
    let listed = listed.and_then(Node::as_list).unwrap_or_default().iter();
    let text = |own: &Node, key: &str| own.str_at(&[key]).unwrap_or_default().to_owned();
    listed
        .filter(|own| !["Healthy", "Suspended"].contains(&text(own, "healthStatus").as_str()))
        .map(|own| {
            let (kind, name) = (text(own, "kind"), text(own, "name"));
            format!("{kind}/{name} is {}", text(own, "healthStatus"))
        })
        .collect()
}
