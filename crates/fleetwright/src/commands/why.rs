//! `why`: why a unit is not in sync, down to the cause.

use cluster::Cluster;
use golang::{Timestamp, human_duration};
use health::Status;
use object::{GroupVersionKind, Node, Object};
use runtime::{Clock, Health, SyncState, SystemClock, Targets, UnitSummary};

use super::{Outcome, get, helm, openchoreo};
use crate::cli::{UnitArgs, WhyArgs};
use crate::connect::{connect, find, target};
use crate::exit::{Exit, Failure};
use crate::output::{print_as, short_revision};

/// Longest chain of dependencies that is followed; a longer one is cut, and says so.
const CHAIN_MAX: usize = 20;

/// Says where a value of a chart comes from.
pub fn value(args: &WhyArgs) -> Outcome {
    let chart = args.value.chart.as_deref().unwrap_or_default();
    match args.unit.unit.as_slice() {
        [word, path] if word == "value" => helm::why(&args.value, chart, path, args.unit.output),
        _ => Err(Failure::plain(
            Exit::Usage,
            "--chart goes with `why value PATH`",
        )),
    }
}

/// Says why a unit is how it is.
pub async fn run(args: UnitArgs, env: Option<&str>) -> Outcome {
    if let [unit, selector] = args.unit.as_slice()
        && let Some((wanted, name)) = openchoreo::target(std::slice::from_ref(unit))
    {
        return openchoreo::origin::run(&args, wanted, &name, selector).await;
    }
    if let Some((wanted, name)) = openchoreo::target(&args.unit) {
        return openchoreo::why::run(&args, env, wanted, &name).await;
    }
    if env.is_some() {
        return Err(Failure::plain(Exit::Usage, "--env goes with a component"));
    }
    let cluster = connect(&args.server).await?;
    let (kind, name) = target(&args.unit)?;
    let object = find(&cluster, &kind, args.server.namespace(), &name).await?;
    let mut search = Search {
        // What a person asks for on their own machine may be on their own machine.
        targets: Targets::new(cluster, true),
        now: SystemClock.now(),
        causes: Vec::new(),
        next: None,
    };
    search.explain(&object).await?;
    let summary = UnitSummary::of(&object);
    let fine = summary.sync == SyncState::Synced && summary.health != Health::Degraded;
    let mut node = get::to_node(&summary);
    let causes = search.causes.iter().map(String::as_str);
    node.set(&["because"], Node::list(causes));
    if let Some(next) = &search.next {
        node.set(&["next"], next.as_str());
    }
    print_as(args.output, &node, |_| {
        let mut text = headline(&object, &summary, search.now);
        for cause in &search.causes {
            text.push_str(&format!("  because {cause}\n"));
        }
        if let Some(next) = &search.next {
            text.push_str(&format!("Next: {next}\n"));
        }
        text
    });
    Ok(if fine { Exit::Done } else { Exit::Negative })
}

fn headline(object: &Object, summary: &UnitSummary, now: Timestamp) -> String {
    let attempted = object.node.str_at(&["status", "lastAttemptedRevision"]);
    let desired = attempted.unwrap_or(&summary.revision);
    let applied = match summary.revision.as_str() {
        "" => "nothing".to_owned(),
        revision => short_revision(revision),
    };
    let conditions = api::Conditions::read(object.node.at(&["status", "conditions"]));
    let since = conditions.get(api::condition_type::READY);
    let since = since.and_then(|ready| ready.last_transition_time.parse::<Timestamp>().ok());
    let since = since.map(|at| format!(", for {}", human_duration(now.since(at))));
    let state = match (summary.suspended, summary.sync, summary.health) {
        (true, ..) => "suspended".to_owned(),
        (_, SyncState::Synced, Health::Healthy) => "Synced and Healthy".to_owned(),
        (_, SyncState::Synced, health) => format!("Synced and {}", health.as_str()),
        (_, sync, _) => sync.as_str().to_owned(),
    };
    format!(
        "{} is {state}: desired {}, applied {applied}{}\n",
        get::id(summary),
        match desired {
            "" => "nothing".to_owned(),
            revision => short_revision(revision),
        },
        since.unwrap_or_default(),
    )
}

/// A walk from a unit to what stops it.
struct Search {
    targets: Targets,
    now: Timestamp,
    /// Reasons, each the cause of the one before.
    causes: Vec<String>,
    /// The command that helps.
    next: Option<String>,
}

impl Search {
    /// Walks from one object to its cause, through other units if need be.
    async fn explain(&mut self, object: &Object) -> Result<(), Failure> {
        let mut current = object.clone();
        for _ in 0..CHAIN_MAX {
            match self.one_step(&current).await? {
                Some(next) => current = next,
                None => return Ok(()),
            }
        }
        self.causes.push(format!(
            "the chain is longer than {CHAIN_MAX} units; look at the last one"
        ));
        Ok(())
    }

    /// Tells why one object is how it is; gives the object to look at next, if it is another's fault.
    async fn one_step(&mut self, object: &Object) -> Result<Option<Object>, Failure> {
        let summary = UnitSummary::of(object);
        let id = get::id(&summary);
        let namespace = object.namespace();
        if summary.suspended {
            self.causes.push(format!("{id} is suspended"));
            self.next = Some(format!("fleetwright resume {id} -n {namespace}"));
            return Ok(None);
        }
        match summary.reason.as_str() {
            "" => {
                let controller = match object.kind() {
                    "GitRepository" => "source",
                    _ => "kustomize",
                };
                self.causes.push(format!(
                    "no controller has looked at {id} yet; is one with the role `{controller}` running?"
                ));
                Ok(None)
            }
            "DependencyNotReady" => self.dependency(object, &summary).await,
            "ArtifactFailed" => self.source(object, &summary).await,
            "HealthCheckFailed" | "Progressing" | "HealthCheckCanceled" => {
                self.unhealthy(object, &summary).await?;
                self.next
                    .get_or_insert(format!("fleetwright tree {id} -n {namespace}"));
                Ok(None)
            }
            "ReconciliationSucceeded" | "Succeeded" => {
                self.unserved(object);
                Ok(None)
            }
            reason => {
                for line in summary.message.lines() {
                    self.causes.push(line.to_owned());
                }
                if reason == "DeletionHeld" {
                    let command = summary.message.split("fleetwright confirm").nth(1);
                    self.next = command.map(|rest| format!("fleetwright confirm{rest}"));
                } else {
                    self.next = Some(format!(
                        "fix it in Git and push, or: fleetwright reconcile {id} -n {namespace}"
                    ));
                }
                Ok(None)
            }
        }
    }

    async fn dependency(
        &mut self,
        object: &Object,
        summary: &UnitSummary,
    ) -> Result<Option<Object>, Failure> {
        if summary.message.starts_with("circular") {
            self.causes.push(summary.message.clone());
            self.next = Some("take one of these dependsOn entries out in Git".to_owned());
            return Ok(None);
        }
        let name = summary.message.split('\'').nth(1).unwrap_or_default();
        let Some((namespace, name)) = name.split_once('/') else {
            self.causes.push(summary.message.clone());
            return Ok(None);
        };
        let kind = api::kustomization_kind();
        let control_plane = self.targets.control_plane();
        let found = control_plane.get(&kind, namespace, name).await?;
        let Some(found) = found else {
            self.causes.push(format!(
                "it depends on ks/{name} in {namespace}, which is not there"
            ));
            return Ok(None);
        };
        let of = UnitSummary::of(&found);
        let state = match of.sync {
            SyncState::Synced => of.health.as_str(),
            sync => sync.as_str(),
        };
        self.causes
            .push(format!("it depends on ks/{name}, which is {state}"));
        if of.sync == SyncState::Synced && of.health == Health::Healthy {
            let uid = object.uid();
            self.causes.push(format!("{} ({uid})", summary.message));
            return Ok(None);
        }
        Ok(Some(found))
    }

    async fn source(
        &mut self,
        object: &Object,
        summary: &UnitSummary,
    ) -> Result<Option<Object>, Failure> {
        let reference = |field: &str| object.node.str_at(&["spec", "sourceRef", field]);
        let name = reference("name").unwrap_or_default();
        let namespace = reference("namespace").unwrap_or(object.namespace());
        self.causes.push(summary.message.clone());
        if reference("kind") != Some("GitRepository") {
            return Ok(None);
        }
        let kind = api::git_repository_kind();
        let found = self
            .targets
            .control_plane()
            .get(&kind, namespace, name)
            .await?;
        if found.is_none() {
            self.next = Some(format!("create the GitRepository {name} in {namespace}"));
        }
        Ok(found)
    }

    /// Looks at every object of a unit for what is not healthy, and why.
    async fn unhealthy(&mut self, object: &Object, summary: &UnitSummary) -> Result<(), Failure> {
        let before = self.causes.len();
        let unit = api::Kustomization::read(object);
        let unit = unit.map_err(|error| Failure::plain(Exit::Unreadable, error.to_string()))?;
        let cluster = self.targets.of(&unit).await;
        match cluster {
            Err(error) => self.causes.push(error.to_string()),
            Ok(cluster) => {
                let entries = unit.status.inventory.iter();
                let inventory =
                    plan::Inventory::read(entries.map(|(id, v)| (id.as_str(), v.as_str())));
                for entry in inventory.entries() {
                    self.unhealthy_object(&cluster, &entry).await?;
                }
            }
        }
        if self.causes.len() == before {
            self.causes.push(summary.message.clone());
        }
        Ok(())
    }

    async fn unhealthy_object(
        &mut self,
        cluster: &Cluster,
        entry: &plan::Entry,
    ) -> Result<(), Failure> {
        let key = &entry.key;
        let Some(live) = cluster.get(&entry.gvk(), &key.namespace, &key.name).await? else {
            self.causes.push(format!("{key} is not there"));
            return Ok(());
        };
        let assessment = health::assess(&live, self.now);
        if assessment.status == Status::Current {
            return Ok(());
        }
        let related = owned_by(cluster, &live).await?;
        let cause = health::explain(&live, &related, self.now);
        let cause = cause.unwrap_or(assessment.message);
        self.causes.push(format!("{key}: {cause}"));
        Ok(())
    }

    fn unserved(&mut self, object: &Object) {
        let unserved = match object.kind() {
            "GitRepository" => api::GitRepository::read(object).map(|it| it.unserved),
            _ => api::Kustomization::read(object).map(|it| it.unserved),
        };
        for field in unserved.unwrap_or_default() {
            self.causes
                .push(format!("spec.{field} is set, but nothing here acts on it"));
        }
    }
}

/// ReplicaSets and pods below an object, in its namespace.
async fn owned_by(cluster: &Cluster, object: &Object) -> Result<Vec<Object>, Failure> {
    let mut related: Vec<Object> = Vec::new();
    let mut owners = vec![object.uid().to_owned()];
    for kind in [
        GroupVersionKind::new("apps/v1", "ReplicaSet"),
        GroupVersionKind::new("v1", "Pod"),
    ] {
        let listed = cluster.list(&kind, object.namespace(), "").await?;
        for candidate in listed {
            let references = candidate.node.at(&["metadata", "ownerReferences"]);
            let references = references.and_then(Node::as_list).unwrap_or(&[]);
            let owned = references.iter().any(|reference| {
                let uid = reference.str_at(&["uid"]).unwrap_or_default();
                owners.iter().any(|owner| owner == uid)
            });
            if owned {
                owners.push(candidate.uid().to_owned());
                related.push(candidate);
            }
        }
    }
    Ok(related)
}
