//! `get` of OpenChoreo's objects.

use component::generate::names;
use component::model::Owner;
use component::snapshot::release_digest;
use control::components::keys;
use object::{Node, Object};
use runtime::{BindingSummary, Readiness};

use super::world::as_owner;
use super::{Wanted, World, find, id};
use crate::cli::GetArgs;
use crate::commands::Outcome;
use crate::connect::connect;
use crate::exit::Exit;
use crate::output::{print_as, table};

/// What stands in a cell about which nothing is known.
pub const NOTHING: &str = "-";

/// Digits of a digest that people need to tell two apart.
pub const DIGEST_SHOWN: usize = 12;

/// Most characters of a message in a table or a tree; `-o wide` and `why` show all of it.
const MESSAGE_SHOWN: usize = 120;

/// Lists objects of some kinds, or one of them.
pub async fn run(args: &GetArgs, wanted: Wanted, name: Option<&str>) -> Outcome {
    let cluster = connect(&args.server).await?;
    let namespace = match args.all_namespaces {
        true => None,
        false => args.server.namespace.as_deref(),
    };
    let world = World::read(&cluster, namespace).await?;
    let objects: Vec<&Object> = match name {
        Some(name) => vec![find(&world, wanted, namespace, name)?],
        None => {
            let all = wanted.kinds.iter().flat_map(|kind| world.of(kind.name()));
            all.collect()
        }
    };
    let columns = columns(&world, wanted, &objects);
    let mut node = Node::map();
    node.set(&["apiVersion"], "fleetwright.dev/v1alpha1");
    node.set(&["kind"], format!("{}List", wanted.kinds[0].name()));
    let items = objects.iter().map(|own| item(&world, own, &columns));
    node.set(&["items"], Node::list(items));
    let namespaces = args.all_namespaces || namespace.is_none();
    print_as(args.output, &node, |wide| {
        to_table(&world, &objects, &columns, namespaces, wide)
    });
    Ok(Exit::Done)
}

/// What stands in a column about an object.
type Cell<T> = Box<dyn Fn(&World, &Object) -> T>;

/// A column: its name for programs, whether people see it only when they ask for more, and what
/// stands in it.
struct Column {
    name: String,
    wide: bool,
    /// Whether it is a number.
    count: bool,
    text: Cell<String>,
    /// More for programs than the text.
    node: Option<Cell<Node>>,
}

impl Column {
    fn new(name: &str, text: impl Fn(&World, &Object) -> String + 'static) -> Self {
        Self {
            name: name.to_owned(),
            wide: false,
            count: false,
            text: Box::new(text),
            node: None,
        }
    }

    fn wide(name: &str, text: impl Fn(&World, &Object) -> String + 'static) -> Self {
        Self {
            wide: true,
            ..Self::new(name, text)
        }
    }

    fn count(name: &str, count: impl Fn(&World, &Object) -> usize + 'static) -> Self {
        Self {
            count: true,
            ..Self::new(name, move |world, own| count(world, own).to_string())
        }
    }

    /// The heading for people: `dataPlane` is DATA PLANE.
    fn heading(&self) -> String {
        let mut heading = String::new();
        for c in self.name.chars() {
            if c.is_uppercase() {
                heading.push(' ');
            }
            heading.extend(c.to_uppercase());
        }
        heading
    }
}

fn columns(world: &World, wanted: Wanted, objects: &[&Object]) -> Vec<Column> {
    let project = || Column::new("project", |_, own| Owner::of(own).project.to_string());
    let component = || Column::new("component", |_, own| Owner::of(own).component.to_string());
    let ready = || Column::new("ready", |_, own| Readiness::of(own).word().to_owned());
    let message = || Column::new("message", |_, own| Readiness::of(own).message);
    match wanted.word {
        "component" => {
            let mut columns = vec![
                project(),
                Column::new("type", |_, own| component_type(own)),
                Column::new("latestRelease", latest_release),
                ready(),
            ];
            columns.extend(environments(world, objects).into_iter().map(environment));
            columns.push(Column {
                wide: true,
                ..message()
            });
            columns
        }
        "release" => vec![
            project(),
            component(),
            Column::new("boundIn", |world, own| match bound_in(world, own) {
                places if places.is_empty() => NOTHING.to_owned(),
                places => places.join(", "),
            }),
            Column::new("renders", |_, own| match Readiness::of(own) {
                ready if ready.is_ready() => "Yes".to_owned(),
                ready => ready.word().to_owned(),
            }),
            Column::wide("digest", |_, own| {
                let spec = own.node.get("spec").cloned().unwrap_or_default();
                release_digest(&spec)[..DIGEST_SHOWN].to_owned()
            }),
            message(),
        ],
        "binding" => vec![
            project(),
            component(),
            Column::new("environment", |_, own| BindingSummary::of(own).environment),
            Column::new("release", |_, own| BindingSummary::of(own).release),
            Column::wide("running", |_, own| BindingSummary::of(own).running),
            ready(),
            message(),
        ],
        "project" => vec![
            Column::new("pipeline", |world, own| {
                let pipeline = world.catalog.pipeline_of(own.namespace(), own.name());
                pipeline.map_or(NOTHING.to_owned(), |own| own.head.name.to_string())
            }),
            Column::count("components", |world, own| components(world, own).count()),
            Column::new("bindingsReady", |world, own| {
                ready_of(world, |binding| {
                    binding.namespace() == own.namespace()
                        && Owner::of(binding).project == own.name()
                })
            }),
            ready(),
            message(),
        ],
        "environment" => vec![
            Column::new("dataPlane", |world, own| {
                let environment = world.catalog.environment(own.namespace(), own.name());
                let plane = environment.and_then(|own| own.data_plane.as_ref());
                plane.map_or(NOTHING.to_owned(), |own| {
                    format!("{}/{}", own.kind, own.name)
                })
            }),
            Column::new("promotion", |_, own| {
                own.annotation(keys::PROMOTION).unwrap_or("warn").to_owned()
            }),
            Column::wide("soak", |_, own| {
                let soak = own.annotation(keys::PROMOTION_SOAK);
                soak.unwrap_or(NOTHING).to_owned()
            }),
            Column::new("bindingsReady", |world, own| {
                ready_of(world, |binding| {
                    binding.namespace() == own.namespace()
                        && BindingSummary::of(binding).environment == own.name()
                })
            }),
            ready(),
            message(),
        ],
        "pipeline" => vec![
            Column::new("paths", |world, own| {
                let pipeline = world.catalog.pipeline(own.namespace(), own.name());
                let paths = pipeline.into_iter().flat_map(|own| &own.paths);
                let texts = paths.flat_map(|path| {
                    path.targets.iter().map(|target| {
                        let approval = if target.approval { " (approval)" } else { "" };
                        format!("{} → {}{approval}", path.source, target.environment)
                    })
                });
                texts.collect::<Vec<_>>().join(", ")
            }),
            ready(),
            message(),
        ],
        "dataplane" => vec![
            Column::new("cluster", |_, own| match own.annotation(keys::KUBECONFIG) {
                Some(secret) => format!("Secret {secret}"),
                None => "default".to_owned(),
            }),
            ready(),
            message(),
        ],
        "rendered" => vec![
            project(),
            component(),
            Column::new("environment", |_, own| {
                let name = own.node.str_at(&["spec", "environmentName"]);
                name.unwrap_or_default().to_owned()
            }),
            Column::new("dataPlane", |_, own| {
                own.annotation(keys::DATA_PLANE)
                    .unwrap_or(NOTHING)
                    .to_owned()
            }),
            Column::count("objects", |_, own| {
                let resources = own.node.at(&["spec", "resources"]);
                let resources = resources.and_then(Node::as_list).unwrap_or_default();
                resources.len()
            }),
            ready(),
            message(),
        ],
        "workload" => vec![project(), component()],
        _ => vec![ready(), message()],
    }
}

/// What a binding of a component to one environment is like.
fn environment(name: String) -> Column {
    let (for_text, for_node) = (name.clone(), name.clone());
    let text = move |world: &World, own: &Object| {
        let cells = world.bindings(own.namespace(), &as_owner(own), &for_text);
        let cells: Vec<String> = cells
            .map(|binding| {
                let binding = BindingSummary::of(binding);
                let word = binding.ready.word();
                match binding.release.as_str() {
                    "" => word.to_owned(),
                    release => format!("{} {word}", short_release(release, own.name())),
                }
            })
            .collect();
        match cells.is_empty() {
            true => NOTHING.to_owned(),
            false => cells.join(", "),
        }
    };
    let node = move |world: &World, own: &Object| {
        let bindings = world.bindings(own.namespace(), &as_owner(own), &for_node);
        Node::list(bindings.map(|binding| binding_node(&BindingSummary::of(binding))))
    };
    Column {
        node: Some(Box::new(node)),
        ..Column::new(&name, text)
    }
}

/// A release without the name of its component in front.
fn short_release<'a>(release: &'a str, component: &str) -> &'a str {
    let rest = release.strip_prefix(component);
    let rest = rest.and_then(|rest| rest.strip_prefix('-'));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(release)
}

/// A binding as printed for programs.
pub fn binding_node(binding: &BindingSummary) -> Node {
    let mut node = Node::map();
    node.set(&["binding"], binding.key.name.as_str());
    node.set(&["environment"], binding.environment.as_str());
    node.set(&["release"], binding.release.as_str());
    node.set(&["running"], binding.running.as_str());
    readiness_node(&binding.ready, &mut node);
    node
}

/// Whether an object is ready, as printed for programs.
pub fn readiness_node(ready: &Readiness, node: &mut Node) {
    node.set(&["ready"], ready.is_ready());
    node.set(&["reason"], ready.reason.as_str());
    node.set(&["message"], ready.message.as_str());
}

/// The environments of some components: those of their pipelines in order, then others that they
/// are bound in.
pub fn environments(world: &World, components: &[&Object]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !name.is_empty() && !found.iter().any(|own| own == name) {
            found.push(name.to_owned());
        }
    };
    for component in components {
        let project = Owner::of(component).project;
        let pipeline = world.catalog.pipeline_of(component.namespace(), &project);
        for name in pipeline.into_iter().flat_map(|own| own.environments()) {
            add(&name);
        }
    }
    for component in components {
        let owner = as_owner(component);
        for binding in world.owned("ReleaseBinding", component.namespace(), &owner) {
            add(&BindingSummary::of(binding).environment);
        }
    }
    found
}

/// A component's type as it is declared, in any form.
fn component_type(component: &Object) -> String {
    let declared = component.node.at(&["spec", "componentType"]);
    let name = declared.and_then(|own| own.as_str().or(own.str_at(&["name"])));
    let name = name.or(component.node.str_at(&["spec", "type"]));
    name.unwrap_or(NOTHING).to_owned()
}

/// The release that the controller made last; else the one whose name is the newest.
pub fn latest_release(world: &World, component: &Object) -> String {
    if let Some(name) = component.node.str_at(&["status", "latestRelease", "name"]) {
        return name.to_owned();
    }
    let owner = as_owner(component);
    let releases = world.owned("ComponentRelease", component.namespace(), &owner);
    let newest = names::newest(releases.map(Object::name));
    newest.unwrap_or(NOTHING).to_owned()
}

/// The environments whose bindings select a release.
pub fn bound_in(world: &World, release: &Object) -> Vec<String> {
    let owner = Owner::of(release);
    let bindings = world.owned("ReleaseBinding", release.namespace(), &owner);
    let bindings = bindings.map(BindingSummary::of);
    let own = bindings.filter(|own| own.release == release.name());
    own.map(|own| own.environment).collect()
}

/// The components of a project.
pub fn components<'a>(world: &'a World, project: &'a Object) -> impl Iterator<Item = &'a Object> {
    world.of("Component").filter(move |own| {
        own.namespace() == project.namespace() && Owner::of(own).project == project.name()
    })
}

/// The beginning of a message: all that a line of many has room for.
pub fn short(message: &str) -> String {
    let line = message.lines().next().unwrap_or_default();
    match line.char_indices().nth(MESSAGE_SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

/// How many of some bindings are ready: `2 of 3`.
fn ready_of(world: &World, is_counted: impl Fn(&Object) -> bool) -> String {
    let counted: Vec<&Object> = world
        .of("ReleaseBinding")
        .filter(|own| is_counted(own))
        .collect();
    let ready = counted.iter().filter(|own| Readiness::of(own).is_ready());
    match counted.len() {
        0 => NOTHING.to_owned(),
        all => format!("{} of {all}", ready.count()),
    }
}

/// An object as printed for programs.
fn item(world: &World, object: &Object, columns: &[Column]) -> Node {
    let mut node = Node::map();
    node.set(&["id"], id(object));
    node.set(&["kind"], object.kind());
    node.set(&["namespace"], object.namespace());
    node.set(&["name"], object.name());
    let mut environments = Vec::new();
    for column in columns {
        match &column.node {
            Some(of) => {
                environments.extend(of(world, object).as_list().unwrap_or_default().to_vec());
            }
            None => {
                let text = (column.text)(world, object);
                match text.parse::<i64>() {
                    Ok(number) if column.count => node.set(&[&column.name], number),
                    _ if text == NOTHING => node.set(&[&column.name], ""),
                    _ => node.set(&[&column.name], text),
                }
            }
        }
    }
    if object.kind() == "Component" {
        node.set(&["environments"], Node::from(environments));
    }
    if columns
        .iter()
        .any(|own| own.name == "ready" || own.name == "renders")
    {
        readiness_node(&Readiness::of(object), &mut node);
    }
    node
}

fn to_table(
    world: &World,
    objects: &[&Object],
    columns: &[Column],
    namespaces: bool,
    wide: bool,
) -> String {
    let shown: Vec<&Column> = columns.iter().filter(|own| wide || !own.wide).collect();
    let mut header = vec!["NAME".to_owned()];
    header.extend(shown.iter().map(|own| own.heading()));
    if namespaces {
        header.insert(0, "NAMESPACE".to_owned());
    }
    let rows: Vec<Vec<String>> = objects
        .iter()
        .map(|object| {
            let mut row = vec![id(object)];
            for column in &shown {
                let text = (column.text)(world, object);
                row.push(match wide {
                    true => text.lines().next().unwrap_or_default().to_owned(),
                    false => short(&text),
                });
            }
            if namespaces {
                row.insert(0, object.namespace().to_owned());
            }
            row
        })
        .collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    table(&header, &rows)
}
