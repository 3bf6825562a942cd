//! The controllers that belong to the API itself, run until they rest.

use std::collections::BTreeSet;

use crate::{Env, Event, Key, State, Writer};
use crate::{crds, garbage, namespaces, policies, protection, quota};

/// Rounds before the rest is left to the next call.
///
/// Each round follows one level of owners or one stage of a namespace's end; real chains are a
/// handful deep, and a hostile one continues with the next write.
const ROUNDS_MAX: usize = 64;

/// Names of objects to look at, by resource.
pub(crate) type Worklist = BTreeSet<(object::Text, Key)>;

/// Looks at every object.
pub(crate) fn everything(state: &mut State, env: &Env) -> Vec<Event> {
    let resources: Vec<_> = state.stored_resources().cloned().collect();
    let mut worklist = Worklist::new();
    for resource in resources {
        worklist.extend(
            state
                .list(&resource, None)
                .map(|(key, _)| (resource.clone(), key.clone())),
        );
    }
    run(state, env, worklist, &[])
}

/// Looks at what changed.
pub(crate) fn after(state: &mut State, env: &Env, events: &[Event]) -> Vec<Event> {
    run(state, env, Worklist::new(), events)
}

fn run(state: &mut State, env: &Env, mut worklist: Worklist, events: &[Event]) -> Vec<Event> {
    let mut all: Vec<Event> = Vec::new();
    let mut news = events.to_vec();
    for _ in 0..ROUNDS_MAX {
        worklist.extend(
            news.iter()
                .map(|event| (event.resource.clone(), event.key.clone())),
        );
        if worklist.is_empty() && news.is_empty() {
            break;
        }
        let mut definitions = Writer::new(state, env, "kube-apiserver");
        crds::react(&mut definitions, &worklist);
        policies::react(&mut definitions, &worklist);
        let mut written = definitions.events().to_vec();
        let mut writer = Writer::new(state, env, "kube-controller-manager");
        garbage::react(&mut writer, &worklist, &news);
        namespaces::react(&mut writer, &worklist, &news);
        protection::react(&mut writer, &worklist, &news);
        quota::react(&mut writer, &worklist, &news);
        written.extend(writer.events().iter().cloned());
        written.extend(crate::rbac::react(state, env, &worklist));
        worklist.clear();
        news.clone_from(&written);
        all.extend(written);
    }
    all
}
