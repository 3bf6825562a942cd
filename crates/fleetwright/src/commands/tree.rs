//! `tree`: the objects of a unit, and of the units among them; of a component, down to its pods.

use golang::Timestamp;
use object::{Node, Object};
use runtime::{Clock, SystemClock, Targets};

use super::{Outcome, openchoreo};
use crate::cli::{Format, UnitArgs};
use crate::connect::{connect, find, target};
use crate::exit::{Exit, Failure};
use crate::output::print_as;

/// Deepest nesting of units that is shown.
const DEPTH_MAX: usize = 10;

/// Prints a unit and what belongs to it.
pub async fn run(args: UnitArgs) -> Outcome {
    if let Some((wanted, name)) = openchoreo::target(&args.unit) {
        return openchoreo::tree::run(&args, wanted, &name).await;
    }
    let cluster = connect(&args.server).await?;
    let (kind, name) = target(&args.unit)?;
    if kind != api::kustomization_kind() {
        return Err(Failure::plain(
            Exit::Usage,
            "only a Kustomization and OpenChoreo's objects have a tree",
        ));
    }
    let object = find(&cluster, &kind, args.server.namespace(), &name).await?;
    let targets = Targets::new(cluster, true);
    let root = branch(&targets, &object, SystemClock.now(), 0).await?;
    Ok(print_tree(args.output, root))
}

/// Prints a tree of maps, see [`draw`].
pub fn print_tree(output: Format, mut root: Node) -> Exit {
    root.set(&["apiVersion"], "fleetwright.dev/v1alpha1");
    print_as(output, &root, |_| {
        let mut text = String::new();
        draw(&root, "", "", &mut text);
        text
    });
    Exit::Done
}

/// One unit and what belongs to it, as a tree of maps.
async fn branch(
    targets: &Targets,
    object: &Object,
    now: Timestamp,
    depth: usize,
) -> Result<Node, Failure> {
    let mut node = Node::map();
    node.set(&["name"], format!("{}", object.key()));
    node.set(
        &["status"],
        runtime::UnitSummary::of(object).health.as_str(),
    );
    let unit = api::Kustomization::read(object);
    let unit = unit.map_err(|error| Failure::plain(Exit::Unreadable, error.to_string()))?;
    let cluster = match targets.of(&unit).await {
        Ok(cluster) => cluster,
        Err(error) => {
            node.set(&["problem"], error.to_string());
            return Ok(node);
        }
    };
    let entries = unit.status.inventory.iter();
    let inventory = plan::Inventory::read(entries.map(|(id, v)| (id.as_str(), v.as_str())));
    let mut children = Vec::new();
    for entry in inventory.entries() {
        let key = &entry.key;
        let live = cluster.get(&entry.gvk(), &key.namespace, &key.name).await?;
        let is_unit = entry.gvk().group_kind() == api::kustomization_kind().group_kind();
        let child = match live {
            Some(live) if is_unit && depth < DEPTH_MAX => {
                Box::pin(branch(targets, &live, now, depth + 1)).await?
            }
            live => {
                let status = match live {
                    None => "NotFound".to_owned(),
                    Some(live) => health::assess(&live, now).status.to_string(),
                };
                let mut child = Node::map();
                child.set(&["name"], key.to_string());
                child.set(&["status"], status);
                child
            }
        };
        children.push(child);
    }
    node.set(&["objects"], Node::from(children));
    Ok(node)
}

/// Draws a tree of maps: `name`, `status`, perhaps a `detail` and a `problem`, and `objects`.
fn draw(node: &Node, first: &str, rest: &str, text: &mut String) {
    let field = |key: &str| node.str_at(&[key]).unwrap_or_default();
    text.push_str(&format!("{first}{}   {}", field("name"), field("status")));
    if let Some(detail) = node.str_at(&["detail"]) {
        text.push_str(&format!("   {detail}"));
    }
    text.push('\n');
    if let Some(problem) = node.str_at(&["problem"]) {
        text.push_str(&format!("{rest}    {problem}\n"));
    }
    let children = node.get("objects").and_then(Node::as_list).unwrap_or(&[]);
    for (at, child) in children.iter().enumerate() {
        let last = at + 1 == children.len();
        let (branch, below) = if last {
            ("└── ", "    ")
        } else {
            ("├── ", "│   ")
        };
        draw(
            child,
            &format!("{rest}{branch}"),
            &format!("{rest}{below}"),
            text,
        );
    }
}
