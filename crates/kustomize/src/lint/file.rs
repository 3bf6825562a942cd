//! What a kustomization file says that cannot be meant so, whatever its objects are.

use std::collections::BTreeMap;

use diag::{Code, Span};
use object::FieldPath;
use tree::TreePath;
use yaml::{Kind, Node};

use super::{Collector, finding, specs, vars};
use crate::accumulate::Target;
use crate::error::nearest;

const DEPRECATED: Code = Code("DeprecatedField");
const LETTER_CASE: Code = Code("FieldLetterCase");
const REPEATED: Code = Code("FieldRepeated");
const METADATA: Code = Code("BuildMetadataUnknown");
const ORDER: Code = Code("SortOptionsIgnored");
const ENV_LINE: Code = Code("EnvLineWithoutValue");

const METADATA_WORDS: [&str; 3] = [
    "originAnnotations",
    "transformerAnnotations",
    "managedByLabel",
];

/// Looks at a file that was just read.
pub(crate) fn check(
    lint: &mut Collector,
    target: &Target,
    other_case: &[(FieldPath, &'static str)],
) {
    if !target.is_own() {
        return;
    }
    lint.seen.insert(target.loader.root.clone());
    vars::remember(lint, target);
    specs::remember(lint, target);
    check_deprecated(lint, target);
    for (path, known) in other_case {
        let Some(object::Step::Key(written)) = path.steps().last() else {
            continue;
        };
        // Kustomize's own pages write it so.
        if written == "fieldpath" {
            continue;
        }
        let message = format!("field `{written}` is written `{known}` everywhere else");
        let mut found = finding(
            LETTER_CASE,
            message,
            format!("`{known}` in the documentation"),
        );
        found.span = key_span(target, path);
        let found = found.with_help(format!(
            "Write `{known}`: other tools that read this file compare letter by letter."
        ));
        lint.report(LETTER_CASE, "", found);
    }
    if let Some(document) = &target.document {
        let shown = target.loader.shown(target.file_name);
        check_repeated(lint, document, &shown, 0);
    }
    for (at, word) in target.file.build_metadata.iter().enumerate() {
        if METADATA_WORDS.contains(&word.as_str()) {
            continue;
        }
        let message = format!("`buildMetadata` does not know the word `{word}`");
        let mut found = finding(METADATA, message, "has no effect");
        found.span = target.value_span(&FieldPath::keys(["buildMetadata"]).index(at), word);
        let same = METADATA_WORDS
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(word))
            .map(str::to_owned);
        let near = same.or_else(|| nearest(word, METADATA_WORDS.into_iter()));
        let help = match near {
            Some(near) => format!("Did you mean `{near}`?"),
            None => format!("The words are `{}`.", METADATA_WORDS.join("`, `")),
        };
        lint.report(METADATA, "", found.with_help(help));
    }
    check_env_files(lint, target);
}

fn check_deprecated(lint: &mut Collector, target: &Target) {
    for (old, new) in &target.file.deprecated {
        let message = format!("field `{old}` is deprecated in favor of `{new}`");
        let mut found = finding(DEPRECATED, message, format!("now `{new}`"));
        found.span = target.span(&FieldPath::keys([*old])).map(|span| Span {
            length: old.len() as u32,
            ..span
        });
        let help = format!(
            "`fleetwright fix kustomize {}` rewrites it.",
            target.loader.shown(".")
        );
        lint.report(DEPRECATED, old, found.with_help(help));
    }
}

/// The place of a field's name.
fn key_span(target: &Target, path: &FieldPath) -> Option<Span> {
    let mut parent = path.clone();
    let Some(object::Step::Key(name)) = parent.pop() else {
        return None;
    };
    let document = target.document.as_ref()?;
    let map = parent
        .steps()
        .iter()
        .try_fold(document, |node, step| match step {
            object::Step::Key(key) => node.get(key),
            object::Step::Index(at) => node.items().get(*at),
        })?;
    let (key, _) = map.get_pair(&name)?;
    Some(place_of(key, &target.loader.shown(target.file_name)))
}

/// The place of a scalar in a file.
fn place_of(node: &Node, path: &str) -> Span {
    Span {
        path: path.to_owned(),
        line: node.line,
        column: node.column,
        length: node.value.chars().count() as u32,
    }
}

/// Reports names that a map has twice; the first level compares them in any letter case.
fn check_repeated(lint: &mut Collector, node: &Node, shown: &str, level: usize) {
    let mut first: BTreeMap<String, (&Node, &Node)> = BTreeMap::new();
    for (key, value) in node.pairs() {
        check_repeated(lint, value, shown, level + 1);
        let name = match level {
            0 => key.value.to_ascii_lowercase(),
            _ => key.value.to_string(),
        };
        let Some((known, known_value)) = first.get(&name) else {
            first.insert(name, (key, value));
            continue;
        };
        let is_same = value.kind == Kind::Scalar && value.value == known_value.value;
        if is_same || key.value == "<<" {
            continue;
        }
        let line = known.line;
        let message = format!("field `{}` is there twice, and one is ignored", key.value);
        let mut found = finding(REPEATED, message, "again");
        found.span = Some(place_of(key, shown));
        found.notes.push(match known.value == key.value {
            true => format!("the one of line {line} is ignored, the last one counts"),
            false => format!("`{}` of line {line} is the same field", known.value),
        });
        lint.report(REPEATED, "", found.with_help("Join the two."));
    }
    if node.kind == Kind::Sequence {
        for item in &node.content {
            check_repeated(lint, item, shown, level + 1);
        }
    }
}

/// Looks at a kustomization that another one uses.
pub(crate) fn check_nested(lint: &mut Collector, outer: &Target, nested: &Target) {
    if nested.file.sort_options.is_none() || !nested.is_own() || !outer.is_own() {
        return;
    }
    // Who uses it may well say the same.
    if outer.file.sort_options.is_some() {
        return;
    }
    let mut found = finding(
        ORDER,
        "`sortOptions` counts only where a build starts, and is ignored in what others use",
        "is ignored",
    );
    let by = outer.loader.shown(outer.file_name);
    found.notes.push(format!("{by} uses it"));
    let span = nested.span(&FieldPath::keys(["sortOptions"]));
    found.span = span.map(|span| Span {
        length: "sortOptions".len() as u32,
        ..span
    });
    let found = found.with_help(format!("Set `sortOptions` in {by} as well."));
    lint.report(ORDER, "", found);
}

/// Most lines of env files that are reported.
const LINES_MAX: usize = 20;

fn check_env_files(lint: &mut Collector, target: &Target) {
    let file = &target.file;
    let generators = file
        .config_map_generator
        .iter()
        .chain(&file.secret_generator);
    for entry in generators.flat_map(|generator| &generator.envs) {
        if let Ok(path) = target.loader.root.join(entry) {
            check_env_file(lint, target, &path, &target.loader.shown(entry));
        }
    }
}

fn check_env_file(lint: &mut Collector, target: &Target, path: &TreePath, shown: &str) {
    let Ok(text) = target.loader.tree.read_text(path) else {
        return;
    };
    let lines = text.lines().enumerate().filter(|(_, line)| {
        let line = line.trim();
        !line.is_empty() && !line.starts_with('#') && !line.contains('=')
    });
    for (at, line) in lines.take(LINES_MAX) {
        let key = line.trim();
        let message = "a line without `=` in an env file gives a key without value";
        let mut found = finding(ENV_LINE, message, "has no `=`");
        found.span = Some(Span {
            path: shown.to_owned(),
            line: at as u32 + 1,
            column: (line.len() - line.trim_start().len()) as u32 + 1,
            length: key.chars().count() as u32,
        });
        let found = found.with_help(
            "Write `KEY=VALUE`, or `KEY=` for an empty value. Releases of kustomize before 5 took the value from the environment.",
        );
        lint.report(ENV_LINE, "", found);
    }
}
