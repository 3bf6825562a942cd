//! Trees that are known to differ, told by what they contain or by what we make of them.

use super::check::Verdict;
use super::maker::Maker;

/// How many characters of a hash end the name of a generated object.
const HASH_LENGTH: usize = 10;

/// Features that the reference is known to treat in another way when they meet in one tree.
const MEETING: &[(&[&str], &[&str])] = &[
    // The object is looked for by the kind it had, or by the one it has.
    (
        &["patch: kind of the object"],
        &["behavior: merge", "behavior: replace"],
    ),
    // Its own annotations are there for a replacement, though not in what it prints.
    (&["internal annotation"], &["field: replacements"]),
    (&["local config: "], &["field: replacements"]),
    // Numbers go through JSON, and are printed as Go prints them.
    (
        &["style: annotation that is no text"],
        &[
            "json patch",
            "kind: List",
            "kind: ConfigMapList",
            "kind: ResourceList",
            "kind: FooList",
        ],
    ),
    // The empty lines at the end are counted once or twice.
    (
        &["style: >+"],
        &[
            "kind: List",
            "kind: ConfigMapList",
            "kind: ResourceList",
            "kind: FooList",
        ],
    ),
    // Only some kinds of lists are expanded as text.
    (
        &["style: repeated key"],
        &[
            "kind: List",
            "kind: ConfigMapList",
            "kind: ResourceList",
            "kind: FooList",
        ],
    ),
    // The reference writes its own annotations into such a patch, and makes texts of the others.
    (
        &["patch option", "patch: $retainKeys"],
        &["patch: null annotation"],
    ),
    // A schema that is read later changes the scope of objects that were read earlier.
    (&["schema: scope"], &["layers: 2", "layers: 3", "layers: 4"]),
];

/// Whether the reference is known to make something else of a tree.
pub fn differs(maker: &Maker, ours: &Verdict) -> bool {
    let has = |features: &[&str]| {
        let mut reached = maker.reach.iter();
        reached.any(|reached| features.iter().any(|feature| begins(reached, feature)))
    };
    let meet = MEETING.iter().any(|(one, other)| has(one) && has(other));
    meet || maker.files.values().any(|bytes| has_merge_text(bytes))
        || match ours {
            Verdict::Built(text) => text.split("---\n").any(object_differs),
            // Only some ways lead through a text that cannot have them.
            Verdict::Refused(text) => text.contains("control characters are not allowed"),
            _ => false,
        }
}

/// Whether a feature is the asked one, or begins like it.
fn begins(reached: &str, asked: &str) -> bool {
    reached == asked || !asked.ends_with(' ') && reached.starts_with(asked)
}

/// Whether `<<` stands there as anything but a plain key.
fn has_merge_text(bytes: &[u8]) -> bool {
    bytes
        .windows(3)
        .any(|three| three.starts_with(b"<<") && three[2] != b':')
}

fn object_differs(object: &str) -> bool {
    // The reference keeps the former names of an object in a list with commas.
    field(object, "  name: ").contains(',')
        || field(object, "  namespace: ").contains(',')
        // An empty name is one to the reference only in some places.
        || field(object, "  name: ") == "\"\""
        || is_hashed(field(object, "  name: ")) && !is_generated(field(object, "kind: "))
        // It makes a block of a text that begins with a tab, and cannot read that.
        || object.contains(": \"\\t") || object.contains("- \"\\t")
        // A key without a value in braces.
        || object.contains("apiVersion \"")
}

/// The rest of the last line that begins so.
fn field<'a>(object: &'a str, start: &str) -> &'a str {
    let mut lines = object.lines().rev();
    lines
        .find_map(|line| line.strip_prefix(start))
        .unwrap_or_default()
}

/// The reference hashes other kinds together with its own annotations.
fn is_generated(kind: &str) -> bool {
    matches!(kind, "ConfigMap" | "Secret")
}

fn is_hashed(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, hash)| {
        hash.len() == HASH_LENGTH && hash.chars().all(|c| "bcdfghkmt2456789".contains(c))
    })
}
