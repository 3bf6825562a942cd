//! Every stable built-in kind in JSON and in protobuf comes to the same canonical object.

use object::{Node, json};
use schema::builtin;

fn canonical(mut node: Node, name: &str) -> Node {
    let api_version = node.str_at(&["apiVersion"]).unwrap_or_default().to_owned();
    let kind = node.str_at(&["kind"]).unwrap_or_default().to_owned();
    let ty = builtin::types().of_kind(&api_version, &kind);
    let ty = ty.unwrap_or_else(|| panic!("{name}: {api_version} {kind} is unknown"));
    let unknown = builtin::canonicalize(ty, &mut node).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(unknown, [], "{name}");
    node
}

#[test]
fn every_recorded_object_survives_canonical_form_and_equals_its_protobuf() {
    let Some(folder) = testkit::corpus("apimachinery/api/testdata/v1.36.0") else {
        return;
    };
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .expect("a folder")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    names.sort();
    let (mut same, mut elsewhere, mut differences) = (0, 0, Vec::new());
    for path in &names {
        let name = path
            .file_stem()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let text = std::fs::read(path).expect("a file");
        let written = json::parse(&text, json::OBJECT_LIMITS).expect("JSON");
        let binary = std::fs::read(path.with_extension("pb")).expect("a file");
        let api_version = written.str_at(&["apiVersion"]).unwrap_or_default();
        let unserved = ["apidiscovery", "imagepolicy"];
        // A watch event has no kind of its own; what a later release made of an object is not ours.
        if name.ends_with("WatchEvent")
            || name.ends_with("after_roundtrip")
            || unserved.iter().any(|group| api_version.starts_with(group))
        {
            elsewhere += 1;
            continue;
        }
        let decoded = builtin::protobuf::decode(&binary).unwrap_or_else(|e| panic!("{name}: {e}"));
        let from_json = canonical(written.clone(), name);
        let from_binary = canonical(decoded, name);
        if from_json != from_binary {
            differences.push(format!(
                "{name}: json and protobuf differ\n{}\n{}",
                json::to_string(&from_json),
                json::to_string(&from_binary)
            ));
        } else if from_json != written {
            differences.push(format!(
                "{name}: canonical form changes it\n{}\n{}",
                json::to_string(&written),
                json::to_string(&from_json)
            ));
        } else {
            same += 1;
        }
    }
    eprintln!(
        "{same} of {} recorded objects are equal in all forms, {elsewhere} are not compared",
        names.len()
    );
    assert_eq!(same + elsewhere + differences.len(), names.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
