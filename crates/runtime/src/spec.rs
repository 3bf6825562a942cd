//! From a Kustomization to what `render` and `plan` take.

use std::sync::Arc;

use api::Kustomization;
use golang::regexp::Regexp;
use object::{LabelSelector, Object};
use plan::{IgnoreRule, IgnoreTarget};

/// What a unit says about building.
pub fn render_spec(unit: &Kustomization) -> render::Spec {
    render::Spec {
        path: unit.path.clone(),
        target_namespace: unit.target_namespace.clone(),
        name_prefix: unit.name_prefix.clone(),
        name_suffix: unit.name_suffix.clone(),
        patches: unit.patches.iter().map(patch).collect(),
        images: unit.images.iter().map(image).collect(),
        components: unit.components.clone(),
        ignore_missing_components: unit.ignore_missing_components,
        common_metadata: render::CommonMetadata {
            labels: unit.common_labels.clone(),
            annotations: unit.common_annotations.clone(),
        },
        build_metadata: unit.build_metadata.clone(),
        substitute_always: unit.substitute_always,
        owner: Some(render::Owner {
            name: unit.meta.name().to_owned(),
            namespace: unit.meta.namespace().to_owned(),
        }),
        ..render::Spec::default()
    }
}

fn patch(patch: &api::Patch) -> render::Patch {
    render::Patch {
        patch: patch.patch.clone(),
        target: patch.target.as_ref().map(|target| render::Selector {
            group: target.group.clone(),
            version: target.version.clone(),
            kind: target.kind.clone(),
            namespace: target.namespace.clone(),
            name: target.name.clone(),
            label_selector: target.label_selector.clone(),
            annotation_selector: target.annotation_selector.clone(),
        }),
    }
}

fn image(image: &api::Image) -> render::Image {
    render::Image {
        name: image.name.clone(),
        new_name: image.new_name.clone(),
        new_tag: image.new_tag.clone(),
        digest: image.digest.clone(),
    }
}

/// The fields a unit leaves alone, with compiled selectors.
///
/// # Errors
/// A sentence naming the selector that cannot be read.
pub(crate) fn ignore_rules(unit: &Kustomization) -> Result<Vec<IgnoreRule>, String> {
    let rule = |(paths, target): &(Vec<String>, api::Selector)| {
        let matcher = Matcher::new(target)?;
        Ok(IgnoreRule {
            paths: paths.clone(),
            target: IgnoreTarget(Arc::new(move |object| matcher.matches(object))),
        })
    };
    unit.ignore.iter().map(rule).collect()
}

/// A selector of a spec, compiled.
struct Matcher {
    group: Option<Regexp>,
    version: Option<Regexp>,
    kind: Option<Regexp>,
    namespace: Option<Regexp>,
    name: Option<Regexp>,
    labels: LabelSelector,
    annotations: LabelSelector,
}

impl Matcher {
    fn new(selector: &api::Selector) -> Result<Self, String> {
        let pattern = |text: &str| match text {
            "" => Ok(None),
            text => Regexp::new(&format!("^(?:{text})$"))
                .map(Some)
                .map_err(|error| format!("`{text}` in spec.ignore: {error}")),
        };
        let labels = |text: &str| {
            LabelSelector::parse(text).map_err(|error| format!("`{text}` in spec.ignore: {error}"))
        };
        Ok(Self {
            group: pattern(&selector.group)?,
            version: pattern(&selector.version)?,
            kind: pattern(&selector.kind)?,
            namespace: pattern(&selector.namespace)?,
            name: pattern(&selector.name)?,
            labels: labels(&selector.label_selector)?,
            annotations: labels(&selector.annotation_selector)?,
        })
    }

    fn matches(&self, object: &Object) -> bool {
        let kind = object.gvk();
        let fits = |pattern: &Option<Regexp>, text: &str| {
            pattern
                .as_ref()
                .is_none_or(|pattern| pattern.is_match(text))
        };
        let annotations = object.node.at(&["metadata", "annotations"]);
        let annotations = annotations.and_then(object::Node::as_map);
        fits(&self.group, &kind.group)
            && fits(&self.version, &kind.version)
            && fits(&self.kind, &kind.kind)
            && fits(&self.namespace, object.namespace())
            && fits(&self.name, object.name())
            && self.labels.matches(object.labels())
            && self.annotations.matches(annotations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_match_whole_names_and_labels() {
        let object = |kind: &str, name: &str, tier: &str| {
            let mut node = object::Node::map();
            node.set(&["apiVersion"], "apps/v1");
            node.set(&["kind"], kind);
            node.set(&["metadata", "name"], name);
            node.set(&["metadata", "labels", "tier"], tier);
            Object::new(node)
        };
        let selector = api::Selector {
            kind: "Deployment|StatefulSet".into(),
            name: "web-.*".into(),
            label_selector: "tier in (gold, silver),!draft".into(),
            ..api::Selector::default()
        };
        let matcher = Matcher::new(&selector).unwrap();
        assert!(matcher.matches(&object("Deployment", "web-1", "gold")));
        assert!(!matcher.matches(&object("Deployment", "my-web-1", "gold")));
        assert!(!matcher.matches(&object("Deployment", "web-1", "bronze")));
        assert!(!matcher.matches(&object("Service", "web-1", "gold")));
        let broken = api::Selector {
            label_selector: "tier in gold".into(),
            ..api::Selector::default()
        };
        assert_eq!(
            Matcher::new(&broken).err().unwrap(),
            "`tier in gold` in spec.ignore: unable to parse requirement: found 'gold' expected: '('"
        );
    }
}
