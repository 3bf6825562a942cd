//! What a ReleaseBinding needs now.

use std::collections::BTreeMap;
use std::sync::Arc;

use api::{ConditionStatus, condition_type};
use component::catalog::{BindingError, GatewayUrls, Outcome, Reachable};
use component::dependencies::{Dependencies, EndpointItem, EndpointUrl};
use component::model::{DataPlane, Endpoint, Item, Owner, Plane, ReleaseBinding};
use component::render::Rendering;
use diag::Explain;
use golang::{Duration, Timestamp};
use object::{Map, Node, Object, ObjectKey, Text};

use super::promotion::{self, Candidate};
use super::remembered::{Made, What};
use super::rendered::{self, Wanted};
use super::rendering::render;
use super::report::{FINALIZING, Report};
use super::subject::{Subject, delete, key};
use super::{Action, Decision, PromotionMode, data_plane, keys, readiness};
use crate::Event;

/// Whether the release of the data plane is what the binding asks for.
const RELEASE_SYNCED: &str = "ReleaseSynced";
/// Whether what the workload needs of others is there.
const CONNECTIONS_RESOLVED: &str = "ConnectionsResolved";
/// Whether resources the workload needs are there.
const DEPENDENCIES_READY: &str = "ResourceDependenciesReady";
/// Whether what was applied is ready.
const RESOURCES_READY: &str = "ResourcesReady";
/// Whether another binding is for the same component and environment; present only while true.
const DUPLICATE: &str = "DuplicateBinding";
/// Whether a promotion rule holds the release back; present only while a rule is not met.
const PROMOTION_BLOCKED: &str = "PromotionBlocked";

/// How long a binding tells nothing of a release that was made for it and is on its way.
const SETTLING_TIME_MAX: Duration = Duration::from_seconds(3);

/// The same of a release that is ready, when nobody has looked yet at a binding that comes before.
const SOURCE_TIME_MAX: Duration = Duration::from_seconds(10);

/// Conditions that `Ready` is made of, the first that is not true gives the reason.
const PARTS: [&str; 5] = [
    PROMOTION_BLOCKED,
    RELEASE_SYNCED,
    CONNECTIONS_RESOLVED,
    DEPENDENCIES_READY,
    RESOURCES_READY,
];

pub(super) fn next(subject: &Subject<'_>) -> Decision {
    if subject.object.is_deleting() {
        return finalize(subject);
    }
    if !subject.has_finalizer(keys::BINDING_FINALIZER) {
        return Decision::finalizer(keys::BINDING_FINALIZER, true);
    }
    let mut report = Report::new(subject);
    let observed = report
        .status
        .get("observedGeneration")
        .and_then(Node::as_i64);
    if observed != Some(subject.object.generation()) {
        let now = subject.view.timing.now.to_string();
        report.field("lastSpecUpdateTime", now);
    }
    let binding = match subject.readable() {
        Ok((Item::ReleaseBinding(binding), findings)) => {
            report.warn(findings);
            binding
        }
        Ok(_) => return Decision::default(),
        Err(message) => {
            let reason = "InvalidConfiguration";
            report.set(RELEASE_SYNCED, false, reason, &message);
            return finish(subject, report, None);
        }
    };
    let releases = rendered::controlled_by(subject);
    if let Err(first) = first_of_place(subject, binding, &releases, &mut report) {
        let message = format!(
            "ReleaseBinding `{first}` is for the same component and environment and came first; delete one of them"
        );
        report.set(RELEASE_SYNCED, false, DUPLICATE, &message);
        return finish(subject, report, None);
    }
    if !binding.active {
        return undeploy(subject, report, &releases);
    }
    deploy(subject, binding, report, &releases)
}

/// Deletes the releases of a binding that goes, and lets it go when they are gone.
fn finalize(subject: &Subject<'_>) -> Decision {
    if !subject.has_finalizer(keys::BINDING_FINALIZER) {
        return Decision::default();
    }
    let releases = rendered::controlled_by(subject);
    if releases.is_empty() {
        return Decision::finalizer(keys::BINDING_FINALIZER, false);
    }
    let mut report = Report::new(subject);
    let message = cleanup_message(&releases);
    report.set(FINALIZING, true, "Finalizing", &message);
    report.ready(false, "Finalizing", &message);
    let mut decision = report.finish();
    decision.actions.extend(delete(&releases));
    decision
}

/// What the cleanup of releases waits for, as they say themselves.
fn cleanup_message(releases: &[Arc<Object>]) -> String {
    let mut texts = Vec::new();
    for release in releases {
        let conditions = api::Conditions::read(release.node.at(&["status", "conditions"]));
        let pending = conditions
            .get("CleanupPending")
            .or(conditions.get(FINALIZING));
        let why = pending.map_or("", |own| own.message.as_str());
        let why = match why {
            "" => "",
            why => &format!(": {why}"),
        };
        texts.push(format!(
            "waits until the objects of {} `{}` are deleted{why}",
            release.kind(),
            release.name()
        ));
    }
    texts.join("; ")
}

/// Which of several bindings of one component and environment runs: the one that does already,
/// else the oldest. Tells all of them; of a later one the error is the name of the first.
fn first_of_place(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    own_releases: &[Arc<Object>],
    report: &mut Report,
) -> Result<(), Text> {
    let catalog = subject.view.catalog;
    let same = catalog
        .bindings_of(subject.namespace(), &binding.owner, &binding.environment)
        .filter(|other| other.head.name != binding.head.name);
    let same = same.filter_map(|other| {
        let key = key("ReleaseBinding", subject.namespace(), &other.head.name);
        subject.view.objects.get(&key)
    });
    let others: Vec<Arc<Object>> = same.filter(|other| !other.is_deleting()).collect();
    if others.is_empty() {
        report.conditions.remove(DUPLICATE);
        return Ok(());
    }
    let names: Vec<String> = others
        .iter()
        .map(|own| format!("`{}`", own.name()))
        .collect();
    let message = format!(
        "component `{}` has more bindings for `{}`: {}",
        binding.owner,
        binding.environment,
        names.join(", ")
    );
    report.set(DUPLICATE, true, DUPLICATE, &message);
    if !own_releases.is_empty() {
        return Ok(());
    }
    let age = |object: &Object| -> (Text, Text) {
        let created = object.node.str_at(&["metadata", "creationTimestamp"]);
        (created.unwrap_or_default().into(), object.name().into())
    };
    let runs = |other: &Object| {
        let own = Some(("ReleaseBinding", other.name()));
        let release = release_name(binding);
        rendered::named(subject, &release)
            .is_some_and(|release| rendered::controller(&release) == own)
    };
    let first = others
        .iter()
        .find(|other| runs(other))
        .or_else(|| others.iter().min_by_key(|other| age(other)));
    match first {
        Some(first) if runs(first) || age(first) < age(&subject.object) => Err(first.name().into()),
        _ => Ok(()),
    }
}

fn release_name(binding: &ReleaseBinding) -> String {
    format!("{}-{}", binding.owner.component, binding.environment)
}

/// Takes away what runs, except objects that say they stay.
fn undeploy(subject: &Subject<'_>, mut report: Report, releases: &[Arc<Object>]) -> Decision {
    let mut actions = Vec::new();
    let mut kept = 0;
    for release in releases.iter().filter(|release| !release.is_deleting()) {
        let resources = release.node.at(&["spec", "resources"]);
        let resources = resources.and_then(Node::as_list).unwrap_or_default();
        let stays = |own: &&Node| {
            own.str_at(&["object", "metadata", "annotations", keys::RETAIN]) == Some("true")
        };
        let staying: Vec<Node> = resources.iter().filter(stays).cloned().collect();
        kept += staying.len();
        if staying.is_empty() {
            actions.push(Action::Delete(release.key()));
        } else if staying.len() < resources.len() {
            actions.push(Action::Apply(with_resources(release, staying)));
        }
    }
    if !actions.is_empty() {
        return Decision {
            actions,
            ..Decision::default()
        };
    }
    let message = match (releases.iter().any(|release| release.is_deleting()), kept) {
        (true, _) => cleanup_message(releases),
        (false, 0) => "nothing of it runs, as `state: Undeploy` asks".to_owned(),
        (false, count) => format!(
            "nothing of it runs, as `state: Undeploy` asks; {count} objects stay because of annotation `{}`",
            keys::RETAIN
        ),
    };
    for kind in [RELEASE_SYNCED, CONNECTIONS_RESOLVED, DEPENDENCIES_READY] {
        report.conditions.remove(kind);
    }
    report.conditions.remove(PROMOTION_BLOCKED);
    report.field("endpoints", Node::Null);
    report.field("resolvedConnections", Node::Null);
    report.field("pendingConnections", Node::Null);
    report.field("pendingResourceDependencies", Node::Null);
    report.set(RESOURCES_READY, false, "ResourcesUndeployed", &message);
    finish(subject, report, None)
}

/// A release with other resources and what else we apply of it.
fn with_resources(release: &Object, resources: Vec<Node>) -> Object {
    let mut node = Node::map();
    for keys in [
        &["apiVersion"][..],
        &["kind"],
        &["metadata", "name"],
        &["metadata", "namespace"],
        &["metadata", "labels"],
        &["metadata", "annotations"],
        &["metadata", "ownerReferences"],
        &["spec"],
    ] {
        if let Some(value) = release.node.at(keys) {
            node.set(keys, value.clone());
        }
    }
    node.set(&["spec", "resources"], Node::list(resources));
    Object::new(node)
}

/// Renders a binding, unless it is known what that comes to, and hands the result over.
fn deploy(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    mut report: Report,
    releases: &[Arc<Object>],
) -> Decision {
    let catalog = subject.view.catalog;
    let remembered = &subject.view.options.remembered;
    let from = catalog.readings(binding);
    if let Some(made) = from.and_then(|from| remembered.made(subject.key, from, releases)) {
        needs(binding, &Dependencies::default(), &mut report);
        if promotion(subject, binding, &made.what.candidate, &mut report) {
            return held(subject, binding, report, releases);
        }
        return hand_over(subject, binding, report, releases, made);
    }
    let renderer = &subject.view.options.renderer;
    let rendered = render(catalog, renderer, binding);
    needs(binding, &rendered.dependencies, &mut report);
    let candidate = candidate(subject, binding);
    if let Some(candidate) = &candidate
        && promotion(subject, binding, candidate, &mut report)
    {
        return held(subject, binding, report, releases);
    }
    let rendering = match rendered.outcome {
        Outcome::Rendered(rendering) => rendering,
        Outcome::Undeployed => return Decision::default(),
        Outcome::Pending { missing, .. } => {
            let (endpoints, resources): (Vec<&str>, Vec<&str>) = missing
                .iter()
                .map(String::as_str)
                .partition(|own| own.starts_with("endpoint "));
            for (kind, reason, own) in [
                (CONNECTIONS_RESOLVED, "ConnectionsPending", endpoints),
                (DEPENDENCIES_READY, "ResourceDependenciesPending", resources),
            ] {
                let message = format!("waits for {}", own.join(", "));
                match own.is_empty() {
                    true => report.conditions.remove(kind),
                    false => report.set(kind, false, reason, &message),
                }
            }
            report.conditions.remove(RELEASE_SYNCED);
            return held(subject, binding, report, releases);
        }
        Outcome::Failed(error) => {
            let reason = match &error {
                BindingError::References(_) => error.reason().0,
                BindingError::Render(_) => "RenderingFailed",
            };
            report.set(RELEASE_SYNCED, false, reason, &error.to_string());
            return held(subject, binding, report, releases);
        }
    };
    let (Some(candidate), Some(plane)) = (candidate, catalog.data_plane_of(binding)) else {
        return Decision::default(); // Without them nothing renders.
    };
    if rendering.objects.is_empty() {
        let message = format!("release `{}` makes no objects", candidate.name);
        report.set(
            RELEASE_SYNCED,
            false,
            "InvalidReleaseConfiguration",
            &message,
        );
        return held(subject, binding, report, releases);
    }
    let workload = catalog.release(subject.namespace(), &candidate.name);
    let workload = workload.map(|release| &release.workload.endpoints);
    let releases_wanted = wanted(subject, binding, plane, &rendering, releases);
    let fields = vec![
        ("dialect", rendering.dialect.word().into()),
        (
            "endpoints",
            endpoints(workload, &rendered.inside, &rendered.gateways),
        ),
        ("secretReferenceNames", texts(&rendering.secret_references)),
        ("warnings", warnings(&rendering)),
    ];
    let made = Made {
        from,
        what: Arc::new(What { candidate, fields }),
        releases: releases_wanted.into_iter().map(Arc::new).collect(),
    };
    hand_over(subject, binding, report, releases, made)
}

/// Writes what a binding was rendered to, or tells what became of it.
fn hand_over(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    mut report: Report,
    releases: &[Arc<Object>],
    mut made: Made,
) -> Decision {
    let catalog = subject.view.catalog;
    let remembered = &subject.view.options.remembered;
    connections(binding, catalog, &mut report);
    let wanted = &made.releases;
    let blocked = wanted
        .iter()
        .find_map(|wanted| refusal(subject, binding, wanted));
    if let Some((reason, message)) = blocked {
        report.set(RELEASE_SYNCED, false, reason, &message);
        return held(subject, binding, report, releases);
    }
    let mut actions = Vec::new();
    for wanted in wanted {
        match subject.view.objects.get(&wanted.key()) {
            None => actions.push(Action::Create(rendered::fresh(wanted))),
            Some(own) if !rendered::is_applied(&own, wanted) => {
                actions.push(Action::Apply((**wanted).clone()));
            }
            Some(_) => {}
        }
    }
    let names: Vec<ObjectKey> = wanted.iter().map(|own| own.key()).collect();
    let stale = releases.iter().filter(|own| !names.contains(&own.key()));
    actions.extend(delete(stale));
    if !actions.is_empty() {
        remembered.remember(subject.key, made);
        return Decision {
            actions,
            ..Decision::default()
        };
    }

    let name = wanted[0].name();
    let message = format!("release `{name}` is what the binding asks for");
    report.set(RELEASE_SYNCED, true, RELEASE_SYNCED, &message);
    let candidate = &made.what.candidate;
    report.field("release", candidate.to_node());
    for (field, value) in &made.what.fields {
        report.field(field, value.clone());
    }
    let workload_type = catalog
        .release(subject.namespace(), &candidate.name)
        .map_or("", |release| &release.component_type.workload_type);
    // As the server has them: what is remembered shares their parts.
    let live = wanted.iter().map(|wanted| wanted.key());
    made.releases = live
        .filter_map(|key| subject.view.objects.get(&key))
        .collect();
    resources_ready(subject, workload_type, &made.releases, &mut report);
    let what = made.what.clone();
    let settling = settling(subject, binding, &made.releases, &report);
    remembered.remember(subject.key, made);
    match settling {
        Some(until) => Decision {
            wake: Some(report.wake.map_or(until, |wake| wake.min(until))),
            ..Decision::default()
        },
        None => finish(subject, report, Some(&what.candidate)),
    }
}

/// Until when nothing is told of releases that were made just now, because what there is to tell
/// is about to change: they are on their way, or a binding before this one on the pipeline's path
/// was not told of yet. What is told to be ready is not ready for as long.
fn settling(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    releases: &[Arc<Object>],
    report: &Report,
) -> Option<Timestamp> {
    let told = api::Conditions::read(report.status.get("conditions"));
    if told.is_true(condition_type::READY) {
        return None;
    }
    let resources = report.conditions.get(RESOURCES_READY)?;
    let time = match resources.reason.as_str() {
        "ResourcesProgressing" => SETTLING_TIME_MAX,
        _ if report.conditions.get(PROMOTION_BLOCKED).is_some()
            && promotion::awaits_source(subject, binding) =>
        {
            SOURCE_TIME_MAX
        }
        _ => return None,
    };
    let created = releases.iter().filter_map(|own| {
        let created = own.node.str_at(&["metadata", "creationTimestamp"])?;
        created.parse::<Timestamp>().ok()
    });
    let until = created.max()?.plus(time);
    (until > subject.view.timing.now).then_some(until)
}

/// What a binding selects, if that is there.
fn candidate(subject: &Subject<'_>, binding: &ReleaseBinding) -> Option<Candidate> {
    let name = binding.release.as_ref()?;
    let key = key("ComponentRelease", subject.namespace(), name);
    let release = subject.view.objects.get(&key)?;
    Some(Candidate::of(
        binding,
        &subject.object,
        name.clone(),
        &release,
    ))
}

/// Looks at the promotion rules; whether they hold the release back.
fn promotion(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    candidate: &Candidate,
    report: &mut Report,
) -> bool {
    let gate = promotion::gate_of(subject, binding, candidate);
    let holds = gate.holds();
    let Some(unmet) = gate.unmet else {
        report.conditions.remove(PROMOTION_BLOCKED);
        report.field("promotion", Node::Null);
        return false;
    };
    let rule = Map::from_iter([
        ("release", Node::from(candidate.name.clone())),
        ("rule", unmet.reason.into()),
        ("digest", gate.digest.into()),
    ]);
    report.field("promotion", rule);
    report.set(PROMOTION_BLOCKED, holds, unmet.reason, &unmet.message);
    report.wake = unmet.wake;
    if gate.forced && gate.mode == PromotionMode::Enforce {
        let message = format!(
            "release `{}` goes to `{}` by force: {}",
            candidate.name, binding.environment, unmet.message
        );
        report
            .events
            .push(Event::info("PromotionForced", message, ""));
    }
    holds
}

/// The report of a binding that leaves what runs as it is.
fn held(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    mut report: Report,
    releases: &[Arc<Object>],
) -> Decision {
    let running = report.status.str_at(&["release", "name"]).map(Text::from);
    let name = running
        .or_else(|| binding.release.clone())
        .unwrap_or_default();
    let release = subject.view.catalog.release(subject.namespace(), &name);
    let workload_type = release.map_or("", |release| &release.component_type.workload_type);
    let running: Vec<Arc<Object>> = releases
        .iter()
        .filter(|own| !own.is_deleting())
        .cloned()
        .collect();
    resources_ready(subject, workload_type, &running, &mut report);
    finish(subject, report, None)
}

/// Which dependencies of the workload are there; nothing pends here.
fn connections(
    binding: &ReleaseBinding,
    catalog: &component::catalog::Catalog,
    report: &mut Report,
) {
    let name = binding.release.as_deref().unwrap_or_default();
    let release = catalog.release(&binding.head.namespace, name);
    let (mut endpoints, mut resources) = (0, 0);
    if let Some(release) = release {
        endpoints = release.workload.endpoint_dependencies.len();
        resources = release.workload.resource_dependencies.len();
    }
    let v1 = release.is_some_and(|release| release.dialect.is_v1());
    for (kind, count, some, none) in [
        (
            CONNECTIONS_RESOLVED,
            endpoints,
            "AllConnectionsResolved",
            "NoConnections",
        ),
        (
            DEPENDENCIES_READY,
            resources,
            "AllResourceDependenciesReady",
            "NoResourceDependencies",
        ),
    ] {
        match count {
            _ if !v1 => report.conditions.remove(kind),
            0 => report.set(kind, true, none, "the workload needs nothing of others"),
            count => {
                let message = format!("{count} of {count} are there");
                report.set(kind, true, some, &message);
            }
        }
    }
}

/// The releases that a rendering makes: for the data plane, and for the observability plane.
fn wanted(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    plane: &DataPlane,
    rendering: &Rendering,
    releases: &[Arc<Object>],
) -> Vec<Object> {
    // Of what runs the kind stays: a change would delete and create everything.
    let known = releases
        .iter()
        .find(|own| own.name() == release_name(binding));
    let kind = match known.map(|own| own.kind()) {
        Some("Release") => "Release",
        Some(_) => "RenderedRelease",
        None if rendering.dialect.is_v1() => "RenderedRelease",
        None => "Release",
    };
    let make = |name: String, plane_reference: String, plane: Plane| {
        let wanted = Wanted {
            kind,
            name,
            owner: &binding.owner,
            environment: &binding.environment,
            plane_reference,
            plane,
            is_v1: rendering.dialect.is_v1(),
            resources: rendered::resources(&rendering.objects, plane),
        };
        wanted.object(subject)
    };
    let name = release_name(binding);
    let reference = |kind: &str, name: &str| format!("{kind}/{name}");
    let own = reference(&plane.head.kind, &plane.head.name);
    let mut out = vec![make(name.clone(), own, Plane::Data)];
    let observed = rendering
        .objects
        .iter()
        .any(|own| own.plane == Plane::Observability);
    let catalog = subject.view.catalog;
    if observed
        && let Some(observer) = catalog.observability_plane_of(plane, rendering.dialect)
        && catalog.has(&plane.head.namespace, &observer)
    {
        let name = format!("{name}-observability");
        let observer = reference(&observer.kind, &observer.name);
        out.push(make(name, observer, Plane::Observability));
    }
    out
}

/// Why a release cannot be written, if it cannot.
fn refusal(
    subject: &Subject<'_>,
    binding: &ReleaseBinding,
    wanted: &Object,
) -> Option<(&'static str, String)> {
    let own = rendered::named(subject, wanted.name())?;
    let (kind, name) = (own.kind(), own.name());
    let controlled = rendered::controller(&own);
    let ours = match controlled {
        Some(controller) => controller == ("ReleaseBinding", subject.name()),
        None => {
            Owner::of(&own) == binding.owner
                && own.node.str_at(&["spec", "environmentName"]) == Some(&binding.environment)
        }
    };
    if !ours {
        let whose = match controlled {
            Some((kind, name)) => format!("belongs to {kind} `{name}`"),
            None => "belongs to nobody and is for something else".to_owned(),
        };
        let message = format!("{kind} `{name}` {whose}; delete or rename one of the two");
        return Some(("ReleaseOwnershipConflict", message));
    }
    own.is_deleting().then(|| {
        let message = format!("waits until the objects of {kind} `{name}` are deleted");
        ("ReleaseDeleting", message)
    })
}

/// Judges what was applied.
fn resources_ready(
    subject: &Subject<'_>,
    workload_type: &str,
    wanted: &[Arc<Object>],
    report: &mut Report,
) {
    let mut verdict = None;
    for wanted in wanted {
        let Some(release) = subject.view.objects.get(&wanted.key()) else {
            continue;
        };
        if let Some(message) = silent_plane(subject, &release) {
            return report.unknown(RESOURCES_READY, "DataPlaneUnreachable", &message);
        }
        let data = release.node.str_at(&["spec", "targetPlane"]) != Some("observabilityplane");
        let own = match data {
            true => readiness::of(&release, workload_type),
            false => readiness::of(&release, ""),
        };
        if verdict
            .as_ref()
            .is_none_or(|known: &readiness::Verdict| known.ready && !own.ready)
        {
            verdict = Some(own);
        }
    }
    match verdict {
        Some(own) => report.set(RESOURCES_READY, own.ready, own.reason, &own.message),
        None => report.conditions.remove(RESOURCES_READY),
    }
}

/// Why nothing is known of what a release has become, if its data plane does not answer.
pub(super) fn silent_plane(subject: &Subject<'_>, release: &Object) -> Option<String> {
    let (kind, name) = release.annotation(keys::DATA_PLANE)?.split_once('/')?;
    let namespace = match kind.starts_with("Cluster") {
        true => "",
        false => subject.namespace(),
    };
    let plane = subject.view.objects.get(&key(kind, namespace, name))?;
    data_plane::silent(&plane)
}

/// Makes `Ready` of the other conditions, and remembers what was ready.
fn finish(subject: &Subject<'_>, mut report: Report, candidate: Option<&Candidate>) -> Decision {
    let failing = PARTS.iter().find_map(|kind| {
        let own = report.conditions.get(kind)?;
        let good = match *kind {
            PROMOTION_BLOCKED => own.status != ConditionStatus::True,
            _ => own.status == ConditionStatus::True,
        };
        (!good).then(|| (*kind, own.status, own.reason.clone(), own.message.clone()))
    });
    let known = report.conditions.get(RESOURCES_READY).is_some();
    match failing {
        Some((PROMOTION_BLOCKED, _, _, message)) => {
            report.ready(false, PROMOTION_BLOCKED, &message);
        }
        Some((_, ConditionStatus::Unknown, reason, message)) => {
            report.unknown(condition_type::READY, &reason, &message);
        }
        Some((_, _, reason, message)) => report.ready(false, &reason, &message),
        None if !known => {
            report.ready(false, "ResourcesProgressing", "nothing is applied yet");
        }
        None => report.ready(true, "Ready", "the release runs and is ready"),
    }
    let ready = report.conditions.is_true(condition_type::READY);
    let current = candidate.filter(|_| ready);
    let now = subject.view.timing.now;
    let history = promotion::record(&subject.object, current, now);
    report.field("releaseHistory", history);
    report.finish()
}

/// What a rendering found worth a look.
fn warnings(rendering: &Rendering) -> Node {
    /// Most warnings a status lists.
    const SHOWN: usize = 20;
    let shown: Vec<String> = rendering
        .warnings
        .iter()
        .take(SHOWN)
        .map(ToString::to_string)
        .collect();
    texts(&shown)
}

/// Tells what a workload needs of others, and what of that is there.
fn needs(binding: &ReleaseBinding, dependencies: &Dependencies, report: &mut Report) {
    let place = |item: &EndpointItem| {
        Map::from_iter([
            ("namespace", Node::from(item.namespace.clone())),
            ("project", item.project.clone().into()),
            ("component", item.dependency.component.clone().into()),
            ("endpoint", item.dependency.endpoint.clone().into()),
        ])
    };
    let visibility = |item: &EndpointItem| match item.dependency.visibility.as_str() {
        "" => Text::from("project"),
        own => own.into(),
    };
    let (mut targets, mut resolved, mut pending) = (Vec::new(), Vec::new(), Vec::new());
    for item in &dependencies.endpoints {
        let mut own = place(item);
        own.insert("visibility", visibility(item));
        let mut target = own.clone();
        target.insert("environment", binding.environment.clone());
        targets.push(Node::from(target));
        match &item.url {
            Some(found) => {
                own.insert("url", url(found));
                resolved.push(Node::from(own));
            }
            None => {
                let mut own = place(item);
                own.insert("reason", item.why.clone());
                pending.push(Node::from(own));
            }
        }
    }
    report.field("connectionTargets", targets);
    report.field("resolvedConnections", resolved);
    report.field("pendingConnections", pending);
    let (mut targets, mut pending) = (Vec::new(), Vec::new());
    for item in &dependencies.resources {
        let own = Map::from_iter([
            ("namespace", binding.head.namespace.clone()),
            ("project", binding.owner.project.clone()),
            ("resourceName", item.dependency.reference.clone()),
        ]);
        let with = |key: &str, value: Text| {
            let mut own = own.clone();
            own.insert(key, value);
            Node::from(own)
        };
        targets.push(with("environment", binding.environment.clone()));
        pending.extend(item.problem().map(|why| with("reason", why.into())));
    }
    report.field("resourceDependencyTargets", targets);
    report.field("pendingResourceDependencies", pending);
}

/// Where the endpoints of a binding are: those that are anywhere.
fn endpoints(
    workload: Option<&BTreeMap<Text, Endpoint>>,
    inside: &BTreeMap<Text, EndpointUrl>,
    gateways: &BTreeMap<Text, Reachable>,
) -> Node {
    let nowhere = Reachable::default();
    let all = workload.into_iter().flatten();
    Node::list(all.filter_map(|(name, endpoint)| {
        let service = inside.get(name);
        let reachable = gateways.get(name).unwrap_or(&nowhere);
        if service.is_none() && *reachable == nowhere {
            return None;
        }
        let mut own = Map::from_iter([("name", name.clone())]);
        if !endpoint.kind.is_empty() {
            own.insert("type", endpoint.kind.clone());
        }
        if let Some(service) = service {
            own.insert("serviceURL", url(service));
        }
        let fields = [
            ("internalURLs", &reachable.internal),
            ("externalURLs", &reachable.external),
        ];
        for (field, urls) in fields {
            if !urls.is_empty() {
                let urls = urls.iter().map(|(listener, own)| (*listener, url(own)));
                own.insert(field, urls.collect::<Map>());
            }
        }
        let both = [&reachable.external, &reachable.internal];
        let listeners = ["https", "http", "tls"];
        let first = |urls: &GatewayUrls| listeners.iter().find_map(|own| urls.get(own).cloned());
        if let Some(first) = both.into_iter().find_map(first) {
            own.insert("invokeURL", invoke_url(&first));
        }
        Some(Node::from(own))
    }))
}

fn url(url: &EndpointUrl) -> Node {
    let mut own = Map::from_iter([
        ("scheme", Node::from(url.scheme.clone())),
        ("host", url.host.clone().into()),
    ]);
    if url.port != 0 {
        own.insert("port", url.port);
    }
    if !url.path.is_empty() {
        own.insert("path", url.path.clone());
    }
    own.into()
}

/// An address in one text, without the port that its scheme has anyway.
fn invoke_url(url: &EndpointUrl) -> String {
    let EndpointUrl {
        scheme,
        host,
        port,
        path,
    } = url;
    let port = match (scheme.as_str(), port) {
        (_, 0) | ("http" | "ws", 80) | ("https" | "wss", 443) => String::new(),
        (_, port) => format!(":{port}"),
    };
    format!("{scheme}://{host}{port}{path}")
}

fn texts<T: AsRef<str>>(texts: &[T]) -> Node {
    Node::list(texts.iter().map(|text| Node::from(text.as_ref())))
}

/// The decision after a write of the binding's release was refused.
pub(super) fn refused(subject: &Subject<'_>, message: &str) -> Decision {
    let mut report = Report::new(subject);
    report.set(RELEASE_SYNCED, false, "ReleaseUpdateFailed", message);
    finish(subject, report, None)
}
