//! Image entries that change no container, or may soon not.

use std::collections::BTreeSet;

use diag::Code;
use object::FieldPath;
use yaml::{Kind, Node};

use super::{Collector, finding};
use crate::accumulate::Target;
use crate::error::nearest;
use crate::fieldspec::{self, Create};
use crate::resource::Item;
use crate::transform::{self, Images};

const UNMATCHED: Code = Code("ImageUnmatched");
const TAGGED: Code = Code("ImageNameTagged");

/// Most different images that are remembered to find the nearest.
const IMAGES_MAX: usize = 2_000;

/// Looks at the entry number `at` of `images`.
pub(super) fn check(
    lint: &mut Collector,
    target: &Target,
    at: usize,
    images: &Images,
    items: &[Item],
) {
    let name = images.image.name.as_str();
    let path = FieldPath::keys(["images"]).index(at).key("name");
    let span = target.value_span(&path, name);
    let mut known = BTreeSet::new();
    let mut matched = false;
    for item in items {
        if item.id.gvk.kind == "CustomResourceDefinition" {
            continue;
        }
        collect(&item.node, &mut known);
        matched |= changes_field(images, item);
    }
    matched |= known.iter().any(|image| images.is_match(image));
    let names: BTreeSet<&str> = known
        .iter()
        .map(|image| transform::split_image(image).0)
        .collect();
    let (own_name, tag, digest) = transform::split_image(name);
    let tagged = !tag.is_empty() || !digest.is_empty();
    let unmatched = (!matched).then(|| {
        let message = format!("image `{name}` is in no container, so this entry changes nothing");
        let found = finding(UNMATCHED, message, "no container has this image");
        let last = |name: &str| name.rsplit('/').next().unwrap_or_default().to_owned();
        let near = match names.iter().find(|known| **known == own_name) {
            Some(same) => Some((*same).to_owned()),
            None => names
                .iter()
                .find(|known| last(known) == last(own_name))
                .map(|known| (*known).to_owned())
                .or_else(|| nearest(own_name, names.iter().copied())),
        };
        match near {
            Some(near) => found.with_help(format!("Did you mean `{near}`?")),
            None if names.is_empty() => {
                found.with_help("No object of this build has a container with an image.")
            }
            None => {
                let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
                found.with_help(format!(
                    "The images of this build are {}.",
                    super::some(&names)
                ))
            }
        }
    });
    lint.see(
        UNMATCHED,
        span.clone(),
        name,
        target.depends_on(),
        unmatched,
    );
    let loose = (matched && tagged).then(|| {
        let message = format!("image name `{name}` includes a tag or digest");
        let found = finding(TAGGED, message, "matches only while the tag stays the same");
        found.with_help(format!(
            "Write `name: {own_name}`, which matches whatever the tag is."
        ))
    });
    lint.see(TAGGED, span, name, target.depends_on(), loose);
}

/// Whether one of the fields outside of containers has the image.
fn changes_field(images: &Images, item: &Item) -> bool {
    let specs = images
        .specs
        .iter()
        .filter(|spec| item.id.gvk.is_selected(&spec.gvk) && !spec.gvk.kind.is_empty());
    let mut found = false;
    for spec in specs {
        let mut node = item.node.clone();
        let walked =
            fieldspec::apply_to_any(&mut node, &item.id, spec, Create::Nothing, &mut |node| {
                found |= images.is_match(&node.value);
                Ok(())
            });
        // The build says so itself.
        found |= walked.is_err();
    }
    found
}

/// The images of all containers, wherever they are.
fn collect(node: &Node, known: &mut BTreeSet<String>) {
    for child in &node.content {
        collect(child, known);
    }
    for (key, value) in node.pairs() {
        let containers = matches!(key.value.as_str(), "containers" | "initContainers");
        if !containers || value.kind != Kind::Sequence {
            continue;
        }
        for container in &value.content {
            if let Some(image) = container.get("image")
                && image.kind == Kind::Scalar
                && known.len() < IMAGES_MAX
            {
                known.insert(image.value.to_string());
            }
        }
    }
}
