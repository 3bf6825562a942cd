//! OpenChoreo's objects on a server: `get`, `tree`, `why`, `history` of them, and what changes which
//! release runs where.

pub mod change;
pub mod get;
pub mod history;
pub mod origin;
mod planes;
pub mod tree;
pub mod why;
mod world;

pub use world::World;

use api::openchoreo::Kind;
use object::{GroupVersionKind, Object};

use crate::connect::not_found;
use crate::exit::{Exit, Failure};

/// What people call kinds: the kinds that one word means, the word that is printed, and all words.
const WORDS: &[(&[Kind], &str, &[&str])] = &[
    (
        &[Kind::Component],
        "component",
        &["component", "components", "comp", "comps"],
    ),
    (
        &[Kind::ComponentRelease],
        "release",
        &[
            "release",
            "releases",
            "componentrelease",
            "componentreleases",
        ],
    ),
    (
        &[Kind::ReleaseBinding],
        "binding",
        &[
            "binding",
            "bindings",
            "releasebinding",
            "releasebindings",
            "rb",
        ],
    ),
    (
        &[Kind::Project],
        "project",
        &["project", "projects", "proj", "projs"],
    ),
    (
        &[Kind::Environment],
        "environment",
        &["environment", "environments", "env", "envs"],
    ),
    (
        &[Kind::DeploymentPipeline],
        "pipeline",
        &[
            "pipeline",
            "pipelines",
            "deploymentpipeline",
            "deploymentpipelines",
            "deppipe",
            "deppipes",
        ],
    ),
    (
        &[Kind::DataPlane, Kind::ClusterDataPlane],
        "dataplane",
        &[
            "dataplane",
            "dataplanes",
            "dp",
            "dps",
            "clusterdataplane",
            "clusterdataplanes",
            "cdp",
            "cdps",
        ],
    ),
    (
        &[Kind::ComponentType, Kind::ClusterComponentType],
        "componenttype",
        &[
            "componenttype",
            "componenttypes",
            "ct",
            "cts",
            "clustercomponenttype",
            "clustercomponenttypes",
            "cct",
            "ccts",
        ],
    ),
    (
        &[Kind::Trait, Kind::ClusterTrait],
        "trait",
        &[
            "trait",
            "traits",
            "clustertrait",
            "clustertraits",
            "ctrait",
            "ctraits",
        ],
    ),
    (&[Kind::Workload], "workload", &["workload", "workloads"]),
    (
        &[Kind::Release, Kind::RenderedRelease],
        "rendered",
        &["rendered", "renderedrelease", "renderedreleases"],
    ),
];

/// Kinds that one word means, by any word people use.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The kinds; one of a namespace and one of the cluster may share a word.
    pub kinds: &'static [Kind],
    /// The word that is printed.
    pub word: &'static str,
}

/// What a word means, if it means kinds of OpenChoreo.
pub fn kinds(word: &str) -> Option<Wanted> {
    let word = word.to_ascii_lowercase();
    let found = WORDS
        .iter()
        .find(|(.., words)| words.contains(&word.as_str()));
    found.map(|(kinds, word, _)| Wanted { kinds, word })
}

/// The words for messages.
pub fn words() -> String {
    let words: Vec<&str> = WORDS.iter().map(|(_, word, _)| *word).collect();
    words.join(", ")
}

/// Kinds and name that `KIND/NAME` or `KIND NAME` name, if the kind is one of OpenChoreo's.
pub fn target(words: &[String]) -> Option<(Wanted, String)> {
    let (kind, name) = match words {
        [one] => one.split_once('/')?,
        [kind, name] => (kind.as_str(), name.as_str()),
        _ => return None,
    };
    Some((kinds(kind)?, name.to_owned()))
}

/// The name by which commands take an object: `component/web`.
pub fn id(object: &Object) -> String {
    let own = WORDS.iter().find(|(kinds, ..)| {
        let mut names = kinds.iter().map(|kind| kind.name());
        names.any(|name| name == object.kind())
    });
    let word = own.map_or(object.kind(), |(_, word, _)| word);
    format!("{word}/{}", object.name())
}

/// The one object of these kinds and this name.
///
/// # Errors
/// It is not there, or in several namespaces and none was given.
pub fn find<'a>(
    world: &'a World,
    wanted: Wanted,
    namespace: Option<&str>,
    name: &str,
) -> Result<&'a Object, Failure> {
    let all = || {
        let all = wanted.kinds.iter().flat_map(|kind| world.of(kind.name()));
        all.filter(|own| {
            let place = own.namespace();
            place.is_empty() || namespace.is_none_or(|namespace| namespace == place)
        })
    };
    let found: Vec<&Object> = all().filter(|own| own.name() == name).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let kind: GroupVersionKind = wanted.kinds[0].group_version_kind();
            let others: Vec<&str> = all().map(Object::name).collect();
            Err(not_found(&kind.kind, name, namespace, others))
        }
        several => {
            let places: Vec<&str> = several.iter().map(|own| own.namespace()).collect();
            let message = format!(
                "{}/{name} is in several namespaces: {}; say which with -n",
                wanted.word,
                places.join(", ")
            );
            Err(Failure::plain(Exit::Usage, message))
        }
    }
}
