//! Where objects came from, and who changed them, as annotations that `buildMetadata` asks for.
//!
//! # Source
//! kubernetes-sigs/kustomize `api/resource/origin.go`.

use std::fmt::Write as _;

use yaml::Node;

use crate::giturl;
use crate::ops;
use crate::resource::{Item, ORIGIN, TRANSFORMATIONS};

/// The way from the top of a build to a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trail {
    path: String,
    repository: String,
    reference: String,
}

impl Trail {
    /// The trail one entry further.
    pub fn append(&self, entry: &str) -> Self {
        match giturl::parse(entry) {
            Some(address) => Self {
                path: clean(&address.path),
                repository: address.repository,
                reference: address.reference,
            },
            None => Self {
                path: clean(&format!("{}/{entry}", self.path)),
                ..self.clone()
            },
        }
    }

    /// The text of the origin annotation of an object from here.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        line(&mut out, "path", &self.path);
        line(&mut out, "repo", &self.repository);
        line(&mut out, "ref", &self.reference);
        out
    }

    /// The text for something that a field of the kustomization file configures.
    pub fn configured_in(&self, file_name: &str, kind: &str) -> String {
        let mut out = String::new();
        line(&mut out, "repo", &self.repository);
        line(&mut out, "ref", &self.reference);
        line(
            &mut out,
            "configuredIn",
            &clean(&format!("{}/{file_name}", self.path)),
        );
        let _ = write!(
            out,
            "configuredBy:\n  apiVersion: builtin\n  kind: {kind}\n"
        );
        out
    }
}

fn line(out: &mut String, key: &str, value: &str) {
    if !value.is_empty() {
        let written = ops::emit(&Node::string(value));
        let _ = writeln!(out, "{key}: {}", written.trim_end());
    }
}

/// A relative path without `.`, and with `..` resolved as far as possible.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    match parts.is_empty() {
        true => ".".into(),
        false => parts.join("/"),
    }
}

/// The text for something that an object configures; `None` when origins are not tracked.
pub(crate) fn of_plugin(item: &Item) -> Option<String> {
    let origin = item.annotation(ORIGIN)?;
    let mut out = String::new();
    for (from, to) in [
        ("repo: ", "repo"),
        ("ref: ", "ref"),
        ("path: ", "configuredIn"),
    ] {
        if let Some(value) = origin.lines().find_map(|line| line.strip_prefix(from)) {
            let _ = writeln!(out, "{to}: {value}");
        }
    }
    out.push_str("configuredBy:\n");
    let mut block = String::new();
    line(&mut block, "  apiVersion", &item.id.gvk.api_version());
    line(&mut block, "  kind", &item.id.gvk.kind);
    line(&mut block, "  name", &item.id.name);
    line(&mut block, "  namespace", &item.id.namespace);
    out.push_str(&block);
    Some(out)
}

/// Notes that a transformer worked on an object, or made it.
pub(crate) fn record(item: &mut Item, origin: &str) {
    if item.annotation(ORIGIN).is_none() {
        item.set_annotation(ORIGIN, origin);
        return;
    }
    let mut text = item
        .annotation(TRANSFORMATIONS)
        .unwrap_or_default()
        .to_owned();
    for (at, line) in origin.lines().enumerate() {
        let _ = writeln!(text, "{}{line}", if at == 0 { "- " } else { "  " });
    }
    item.set_annotation(TRANSFORMATIONS, &text);
}
