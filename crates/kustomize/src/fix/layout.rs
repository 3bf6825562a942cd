//! The order of the fields in a file, and the comments between them.
//!
//! Comments and empty lines belong to the field that begins below them. Those inside a field move
//! above it, and those after the last line that begins a field are lost.
//!
//! # Source
//! kubernetes-sigs/kustomize `kustomize/commands/internal/kustfile/kustomizationfile.go`.

use object::Map;

use super::fields;
use crate::decode::folds_to;

/// The order of fields that the file does not have yet.
const ORDER: [&str; 33] = [
    "apiVersion",
    "kind",
    "metadata",
    "sortOptions",
    "resources",
    "bases",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "crds",
    "commonLabels",
    "labels",
    "commonAnnotations",
    "patchesStrategicMerge",
    "patchesJson6902",
    "patches",
    "configMapGenerator",
    "secretGenerator",
    "helmCharts",
    "helmChartInflationGenerator",
    "helmGlobals",
    "generatorOptions",
    "vars",
    "images",
    "replacements",
    "replicas",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "components",
    "openapi",
    "buildMetadata",
];

/// The fields of a file in its own order, each with the comments above it.
pub(super) struct Layout(Vec<(&'static str, String)>);

impl Layout {
    /// Reads the lines of a file. A last line without a line feed is not looked at.
    pub fn read(text: &str) -> Self {
        let mut layout: Vec<(&'static str, String)> = Vec::new();
        let mut comments = String::new();
        let lines = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        for line in lines {
            if is_comment_or_blank(line) {
                comments.push_str(line);
            } else if let Some(field) = begun_field(line) {
                layout.push((field, std::mem::take(&mut comments)));
            } else if let Some((_, above)) = layout.last_mut() {
                above.push_str(&comments);
                comments.clear();
            }
        }
        Self(layout)
    }

    /// The file anew: the fields that it had in its own order, then the others.
    ///
    /// # Errors
    /// The field with text that cannot be written.
    pub fn write(&self, file: &Map) -> Result<String, &'static str> {
        let mut text = String::new();
        for (field, comments) in &self.0 {
            text.push_str(comments);
            text.push_str(&fields::write(field, file)?);
        }
        for field in ORDER {
            if !self.0.iter().any(|(known, _)| *known == field) {
                text.push_str(&fields::write(field, file)?);
            }
        }
        Ok(text)
    }
}

fn is_comment_or_blank(line: &str) -> bool {
    let content = line.trim_start_matches(' ').trim_end_matches('\n');
    content.is_empty() || content.starts_with('#')
}

/// The field that a line begins with, in any letter case.
fn begun_field(line: &str) -> Option<&'static str> {
    let (name, _) = line.split_once(':')?;
    ORDER.into_iter().find(|field| folds_to(name, field))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_move_to_the_field_below_and_those_inside_above_it() {
        let layout = Layout::read(
            "# file\n\nResources:\n# inside\n- a # beside\n# tags\nimageTags: []\n  # kind\nkind: K\n# end\n",
        );
        assert_eq!(
            layout.0,
            [
                ("resources", "# file\n\n# inside\n# tags\n".to_owned()),
                ("kind", "  # kind\n".to_owned())
            ]
        );
    }

    #[test]
    fn comments_before_any_field_wait_for_one() {
        let layout = Layout::read("# a\n---\n# b\nkind: K\nresources: [x]");
        assert_eq!(layout.0, [("kind", "# a\n# b\n".to_owned())]);
    }
}
