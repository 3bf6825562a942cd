//! What a caller adds to the kustomization it builds, as Flux does from its own object.
//!
//! # Source
//! fluxcd/pkg `kustomize/kustomize_generator.go`, `GenerateManifest`.

use crate::file::{self, File};
use crate::select::Selector;

/// Additions to the kustomization of a build.
///
/// The file itself is then read as leniently as the reference's own additions make it: fields it
/// does not know are ignored. Errors still point into the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overlay {
    /// The resources of a directory without a kustomization file; `None` when it has one.
    pub generated: Option<Vec<String>>,
    /// Replaces `namespace` unless empty.
    pub namespace: String,
    /// Replaces `namePrefix` unless empty.
    pub name_prefix: String,
    /// Replaces `nameSuffix` unless empty.
    pub name_suffix: String,
    /// Follow the file's own patches.
    pub patches: Vec<OverlayPatch>,
    /// Follow the file's own components.
    pub components: Vec<String>,
    /// Joined with the file's own images by name.
    pub images: Vec<OverlayImage>,
    /// Replaces `buildMetadata` unless empty.
    pub build_metadata: Vec<String>,
}

/// A patch that a caller adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlayPatch {
    /// The patch, YAML or JSON.
    pub patch: String,
    /// Which objects it is for.
    pub target: Option<OverlaySelector>,
}

/// Which objects a patch is for; empty fields match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlaySelector {
    /// API group, a regular expression.
    pub group: String,
    /// Version, a regular expression.
    pub version: String,
    /// Kind, a regular expression.
    pub kind: String,
    /// Name, a regular expression.
    pub name: String,
    /// Namespace, a regular expression.
    pub namespace: String,
    /// Selector over labels.
    pub label_selector: String,
    /// Selector over annotations.
    pub annotation_selector: String,
}

/// An image that a caller replaces; empty fields keep what there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OverlayImage {
    /// Name to look for.
    pub name: String,
    /// Name to put in its place.
    pub new_name: String,
    /// Tag to put in its place.
    pub new_tag: String,
    /// Digest to pin.
    pub digest: String,
}

impl Overlay {
    /// Adds to a file that was read, or to an empty one for a generated kustomization.
    pub(crate) fn apply(&self, file: &mut File) {
        match &self.generated {
            Some(resources) => {
                file.resources = resources.clone();
                file.empty = false;
            }
            // Keeps a file without resources from being empty, and shows in what it generates.
            None if !file.lists_resources => {
                file.build_metadata = vec!["originAnnotations".into()];
                file.empty = false;
            }
            None => {}
        }
        for (own, wanted) in [
            (&mut file.namespace, &self.namespace),
            (&mut file.name_prefix, &self.name_prefix),
            (&mut file.name_suffix, &self.name_suffix),
        ] {
            if !wanted.is_empty() {
                own.clone_from(wanted);
            }
        }
        file.patches
            .extend(self.patches.iter().map(|patch| file::Patch {
                patch: patch.patch.clone(),
                target: patch.target.as_ref().map(OverlaySelector::to_selector),
                ..file::Patch::default()
            }));
        file.components.extend(self.components.iter().cloned());
        for image in &self.images {
            add_image(&mut file.images, image);
        }
        if !self.build_metadata.is_empty() {
            file.build_metadata.clone_from(&self.build_metadata);
        }
    }
}

fn add_image(images: &mut Vec<file::Image>, image: &OverlayImage) {
    let Some(own) = images.iter_mut().find(|own| own.name == image.name) else {
        images.push(file::Image {
            name: image.name.clone(),
            new_name: image.new_name.clone(),
            new_tag: image.new_tag.clone(),
            digest: image.digest.clone(),
            ..file::Image::default()
        });
        return;
    };
    if !image.new_name.is_empty() {
        own.new_name.clone_from(&image.new_name);
    }
    // Tag and digest are one choice: setting one takes the other away.
    if !image.new_tag.is_empty() || !image.digest.is_empty() {
        own.new_tag.clone_from(&image.new_tag);
        own.digest.clone_from(&image.digest);
    }
}

impl OverlaySelector {
    fn to_selector(&self) -> Selector {
        Selector {
            group: self.group.clone(),
            version: self.version.clone(),
            kind: self.kind.clone(),
            name: self.name.clone(),
            namespace: self.namespace.clone(),
            label_selector: self.label_selector.clone(),
            annotation_selector: self.annotation_selector.clone(),
        }
    }
}
