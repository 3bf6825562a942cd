//! Public trees, schemas and cases: what they hold is read and rendered as upstream does.

use component::model::{self, Item};

use crate::support::tree;

#[test]
fn every_object_of_the_public_trees_is_accepted_as_it_is() {
    let Some(root) = testkit::corpus("openchoreo") else {
        return;
    };
    let mut accepted = 0;
    let mut warnings = Vec::new();
    let mut refused = Vec::new();
    let mut notices = 0;
    for name in [
        "gitops-demo",
        "gitops-demo-23feaa7",
        "gitops-demo-branches",
        "sample-gitops",
        "samples/v0.12.0",
        "samples/v1.2.3",
    ] {
        for object in tree(&root.join(name)) {
            match model::read(&object) {
                None => {}
                Some(Ok(read)) => {
                    accepted += 1;
                    notices += usize::from(matches!(read.item, Item::ReleaseConfig(_)));
                    let told = read.warnings.iter();
                    warnings.extend(
                        told.map(|warning| format!("{name} {}: {warning}", read.item.head())),
                    );
                }
                Some(Err(error)) => refused.push(format!("{name}: {error}")),
            }
        }
    }
    println!(
        "{accepted} objects accepted, {notices} release configs, {} warnings",
        warnings.len()
    );
    for warning in &warnings {
        println!("  {warning}");
    }
    assert!(refused.is_empty(), "{}", refused.join("\n"));
    assert!(accepted > 200 && notices >= 1, "{accepted} {notices}");
    let own = "gitops-demo Project/default/demo-project-gitops: `spec.displayName` is a field of no version";
    assert!(warnings.iter().any(|warning| warning == own));
}
