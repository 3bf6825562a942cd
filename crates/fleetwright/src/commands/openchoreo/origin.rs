//! `why binding/NAME KIND[/NAME][:PATH]`: which template, patch and value made a field of an object.

use component::catalog::Session;
use component::render::{Input, Layer, Origins, Renderer, Write};
use diag::Explain;
use object::{FieldPath, Node, Object, ObjectKey};
use runtime::BindingSummary;

use super::{Wanted, World, find, id};
use crate::cli::UnitArgs;
use crate::commands::Outcome;
use crate::connect::connect;
use crate::exit::{Exit, Failure};
use crate::output::print_as;

/// Says how an object that a binding renders to, or one field of it, came to be.
pub async fn run(args: &UnitArgs, wanted: Wanted, name: &str, selector: &str) -> Outcome {
    let (selected, path) = read_selector(selector)?;
    let cluster = connect(&args.server).await?;
    let namespace = args.server.namespace.as_deref();
    let world = World::read(&cluster, namespace).await?;
    let binding = find(&world, wanted, namespace, name)?;
    if binding.kind() != "ReleaseBinding" {
        let message =
            "only what a binding renders to has fields to explain: why binding/NAME KIND:PATH";
        return Err(Failure::plain(Exit::Usage, message));
    }
    let own = BindingSummary::of(binding);
    let read = world.catalog.bindings().find(|read| {
        read.head.namespace == binding.namespace() && read.head.name == binding.name()
    });
    let Some(read) = read else {
        let message = format!("{} cannot be read", id(binding));
        return Err(Failure::plain(Exit::Unreadable, message));
    };
    let mut session = Session::new(&world.catalog);
    let inputs = session.inputs(read);
    let inputs = inputs
        .map_err(|error| Failure::explained(Exit::Unreadable, vec![error.to_diagnostic()]))?;
    let renderer = Renderer::default();
    let refused = |errors: component::render::RenderErrors| {
        Failure::explained(Exit::Unreadable, vec![errors.to_diagnostic()])
    };
    let rendering = renderer.render(&inputs).map_err(refused)?;
    let keys: Vec<ObjectKey> = rendering
        .objects
        .iter()
        .map(|own| Object::new(own.object.clone()).key())
        .collect();
    let key = select(&keys, &selected)?;
    let found = renderer.origins(&inputs, key, &path).map_err(refused)?;
    let what = match path.is_root() {
        true => format!("{}/{}", key.kind, key.name),
        false => format!("{}/{} {path}", key.kind, key.name),
    };
    let mut node = to_node(&found, path.is_root());
    node.set(&["id"], id(binding));
    node.set(&["release"], own.release.as_str());
    node.set(&["object"], format!("{}/{}", key.kind, key.name));
    node.set(&["path"], path.to_string());
    print_as(args.output, &node, |_| {
        to_text(&what, &own, &found, path.is_root())
    });
    Ok(match found.value.is_some() {
        true => Exit::Done,
        false => Exit::Negative,
    })
}

/// What `KIND[/NAME][:PATH]` says.
fn read_selector(text: &str) -> Result<(String, FieldPath), Failure> {
    let (selected, path) = text.split_once(':').unwrap_or((text, ""));
    let path = path.trim_start_matches('.');
    let path = match path {
        "" => Some(FieldPath::root()),
        path => helm::provenance::parse_path(path),
    };
    let path = path.ok_or_else(|| {
        let message = format!(
            "`{text}` is no KIND[/NAME][:PATH], as `deployment:spec.replicas`; a dot in a key is written `\\.`"
        );
        Failure::plain(Exit::Usage, message)
    })?;
    Ok((selected.to_owned(), path))
}

/// The one object that is meant.
fn select<'k>(keys: &'k [ObjectKey], selected: &str) -> Result<&'k ObjectKey, Failure> {
    let (kind, name) = match selected.split_once('/') {
        Some((kind, name)) => (kind, Some(name)),
        None => (selected, None),
    };
    let fits = |key: &&ObjectKey| {
        key.kind.eq_ignore_ascii_case(kind) && name.is_none_or(|name| key.name == name)
    };
    let found: Vec<&ObjectKey> = keys.iter().filter(fits).collect();
    if let [one] = found.as_slice() {
        return Ok(one);
    }
    let told = keys
        .iter()
        .filter(|key| found.is_empty() || found.contains(key));
    let names: Vec<String> = told
        .map(|key| format!("{}/{}", key.kind, key.name))
        .collect();
    let message = match found.is_empty() {
        true => format!("no object is `{selected}`; there are: {}", names.join(", ")),
        false => format!("several objects are `{selected}`: {}", names.join(", ")),
    };
    Err(Failure::plain(Exit::Usage, message))
}

fn to_text(what: &str, own: &BindingSummary, found: &Origins, whole: bool) -> String {
    let mut text = match (&found.value, whole) {
        (_, true) => format!("{what} of {} in {}", own.release, own.environment),
        (Some(value), false) => {
            format!(
                "{what} is {value}, of {} in {}",
                own.release, own.environment
            )
        }
        (None, false) => format!("{what} is not there"),
    };
    text.push('\n');
    for (at, write) in found.writes.iter().enumerate() {
        let verb = if at == 0 { "written" } else { "changed" };
        text.push_str(&format!(
            "  {verb} by {}{}\n",
            maker(write),
            place(write, whole)
        ));
        for input in &write.inputs {
            text.push_str(&format!("    {}\n", input_text(input)));
        }
    }
    text
}

fn maker(write: &Write) -> String {
    let part = write.part.to_string();
    match (part.as_str(), write.place.as_str()) {
        ("", _) => format!("the {}", write.maker),
        (part, _) => format!("{}, {part}", write.maker),
    }
}

/// The place in the template, what stands there, and what came of it.
fn place(write: &Write, whole: bool) -> String {
    let mut text = String::new();
    let is_all_of_it = write.place.is_empty() || whole && write.place == "template";
    if !is_all_of_it {
        text.push_str(&format!(", {}", write.place));
    }
    if whole {
        return text;
    }
    if !write.text.is_empty() {
        text.push_str(&format!(": {}", write.text));
    }
    let value = write.value.as_deref();
    if Some(write.text.as_str()) != value {
        text.push_str(&format!(" → {}", value.unwrap_or("nothing")));
    }
    text
}

fn input_text(input: &Input) -> String {
    let value = input.value.as_deref();
    let value = value.map_or(String::new(), |value| format!(" = {value}"));
    format!("{}{value}, from {}", input.place, layer(input.layer))
}

fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Default => "the defaults of the schema",
        Layer::Component => "the parameters of the component, frozen in the release",
        Layer::Binding => "the binding, for this environment",
        Layer::Workload => "the workload, frozen in the release",
        Layer::Platform => "the platform",
        Layer::Template => "the template itself",
    }
}

fn to_node(found: &Origins, whole: bool) -> Node {
    let mut node = Node::map();
    if let Some(value) = found.value.as_ref().filter(|_| !whole) {
        node.set(&["value"], value.as_str());
    }
    let writes = found.writes.iter().map(|write| {
        let mut node = Node::map();
        node.set(&["by"], write.maker.to_string());
        node.set(&["part"], write.part.to_string());
        node.set(&["place"], write.place.as_str());
        node.set(&["text"], write.text.as_str());
        if let Some(value) = &write.value {
            node.set(&["value"], value.as_str());
        }
        let inputs = write.inputs.iter().map(|input| {
            let mut node = Node::map();
            node.set(&["place"], input.place.as_str());
            if let Some(value) = &input.value {
                node.set(&["value"], value.as_str());
            }
            node.set(&["from"], input.layer.word());
            node
        });
        node.set(&["inputs"], Node::list(inputs));
        node
    });
    node.set(&["writes"], Node::list(writes));
    node
}
