//! Charts inside a chart: which of them are used, under what names, and whose values they get.

use testkit::Dice;

use super::chart::{Case, known};
use super::expression::Maker;
use super::functions::Call;
use super::template::Writer;
use super::values::{self, Tree, Value};

const VERSIONS: &[&str] = &[
    ">=0.1.0", ">=0.1.0", "0.1.x", "~0.1.1", "^0.1.0", "0.1.0", "0.1.2", "*", ">0.1.1", "",
];

/// Paths that conditions name; some of them are there.
const CONDITIONS: &[&str] = &[
    "kid.enabled",
    "kid.enabled",
    "kid.enabled",
    "other.enabled",
    "other.enabled",
    "other.enabled",
    "global.on",
    "aux.enabled",
    "global.on",
    "kid.deep.flag",
    "enabled",
    "leaf.enabled",
    "nope.nope",
    "tags.front",
    "kid",
    "",
];

const TAGS: &[&str] = &["front", "back", "all"];

const IMPORTS: &[&str] = &[
    "  - data\n",
    "  - data\n",
    "  - more\n",
    "  - nope\n",
    "  - child: inner\n    parent: imported\n",
    "  - child: inner\n    parent: .\n",
    "  - child: inner.deep\n    parent: a.b\n",
    "  - child: exports.data\n    parent: imported\n",
    "  - child: exports.data\n    parent: imported.data\n",
    "  - child: nope\n    parent: x\n",
    "  - child: inner\n    parent: global\n",
    "  - child: a\n    parent: a\n",
];

/// Adds charts inside, their sections in the values of the chart, and gives what its `Chart.yaml` says
/// about them.
pub fn add(dice: &mut Dice, case: &mut Case, parent: &mut Tree, calls: &[Call]) -> String {
    case.reach.push("chart: subchart".into());
    let mut kid = tree(dice);
    let mut inside = String::new();
    if dice.one_in(3) {
        case.reach.push("chart: subchart of a subchart".into());
        let leaf = tree(dice);
        if dice.percent(70) {
            inside = format!("dependencies:\n{}", entry(dice, case, "leaf"));
        }
        section(dice, &mut kid, &leaf, "leaf");
        write(dice, case, calls, "charts/kid/charts/leaf", &leaf, "");
    }
    switches(dice, &mut kid);
    section(dice, parent, &kid, "kid");
    if dice.percent(40) {
        case.reach.push("values: globals on both sides".into());
        share(dice, &mut kid);
        share(dice, parent);
    }
    write(dice, case, calls, "charts/kid", &kid, &inside);
    let mut entries = String::new();
    if dice.percent(85) {
        case.reach.push("chart: dependency".into());
        entries.push_str(&entry(dice, case, "kid"));
        if dice.one_in(5) {
            entries.push_str("- name: kid\n  version: 0.1.x\n  alias: second\n");
            case.reach.push("dependency: twice".into());
            if dice.one_in(2) {
                section(dice, parent, &kid, "second");
            }
        }
    }
    if dice.one_in(3) {
        case.reach.push("chart: two subcharts".into());
        let aux = tree(dice);
        section(dice, parent, &aux, "aux");
        write(dice, case, calls, "charts/aux", &aux, "");
        if dice.percent(70) {
            entries.push_str(&entry(dice, case, "aux"));
        }
    }
    switches(dice, parent);
    match entries.is_empty() {
        true => String::new(),
        false => format!("dependencies:\n{entries}"),
    }
}

/// Puts globals into a tree that others have as well, with other values.
fn share(dice: &mut Dice, tree: &mut Tree) {
    let mut shared = values::tree(dice, 2);
    for key in ["a", "b"] {
        if dice.percent(70) {
            shared.push(key, values::value(dice, 3));
        }
    }
    let deeper = Tree(vec![("a".into(), values::value(dice, 4))]);
    shared.push("c", Value::Map(deeper));
    let mut global = values::tree(dice, 2);
    global.push("shared", Value::Map(shared));
    tree.push("global", Value::Map(global));
}

/// The default values of a chart inside.
fn tree(dice: &mut Dice) -> Tree {
    let mut tree = values::tree(dice, 1);
    let mut data = values::tree(dice, 2);
    data.push("fromkid", values::value(dice, 1));
    let mut exports = Tree(vec![("data".into(), Value::Map(data))]);
    if dice.one_in(2) {
        exports.push("more", Value::Map(values::tree(dice, 2)));
    }
    tree.push("exports", Value::Map(exports));
    let mut inner = values::tree(dice, 1);
    inner.push("deep", Value::Map(values::tree(dice, 2)));
    tree.push("inner", Value::Map(inner));
    if dice.one_in(2) {
        tree.push("global", Value::Map(values::tree(dice, 1)));
    }
    tree
}

/// An entry of `dependencies`.
fn entry(dice: &mut Dice, case: &mut Case, name: &str) -> String {
    let version = dice.pick(VERSIONS);
    let mut text = format!("- name: {name}\n  version: \"{version}\"\n");
    let reach = &mut case.reach;
    let mut note = |what: &str| reach.push(format!("dependency: {what}"));
    if dice.one_in(4) {
        note("alias");
        let alias = dice.pick(&["kiddo", "other", "kiddo", "x"]);
        text.push_str(&format!("  alias: {alias}\n"));
    }
    if dice.percent(50) {
        note("condition");
        let mut paths = Vec::new();
        for _ in 0..dice.between(1, 3) {
            paths.push(dice.pick(CONDITIONS));
        }
        if paths.len() > 1 {
            note("several conditions");
        }
        let between = dice.pick(&[",", ",", ", "]);
        text.push_str(&format!("  condition: \"{}\"\n", paths.join(between)));
    }
    if dice.percent(40) {
        note("tags");
        let mut tags = Vec::new();
        for _ in 0..dice.between(1, 3) {
            tags.push(dice.pick(TAGS));
        }
        text.push_str(&format!("  tags: [{}]\n", tags.join(", ")));
    }
    if dice.percent(45) {
        note("import-values");
        text.push_str("  import-values:\n");
        for _ in 0..dice.between(1, 3) {
            text.push_str(dice.pick(IMPORTS));
        }
    }
    text
}

/// What switches charts on and off, and sometimes is no such thing.
fn switches(dice: &mut Dice, tree: &mut Tree) {
    let switch = |dice: &mut Dice| match dice.below(10) {
        0 | 1 => Value::Text("yes".into()),
        2 => match dice.below(3) {
            0 => Value::Null("null"),
            1 => Value::Map(Tree(Vec::new())),
            _ => Value::Number("1"),
        },
        3..=5 => Value::Bool("false"),
        _ => Value::Bool("true"),
    };
    for (name, key, chance) in [
        ("kid", "enabled", 60),
        ("other", "enabled", 60),
        ("aux", "enabled", 30),
        ("leaf", "enabled", 30),
        ("global", "on", 40),
        ("tags", "front", 50),
        ("tags", "back", 50),
        ("tags", "all", 25),
    ] {
        if dice.percent(chance) {
            let switch = switch(dice);
            match tree.0.iter_mut().find(|(known, _)| known == name) {
                Some((_, Value::Map(inside))) => inside.push(key, switch),
                Some(_) => {}
                None => tree.push(name, Value::Map(Tree(vec![(key.into(), switch)]))),
            }
        }
    }
}

/// What the chart around it gives to a chart inside.
fn section(dice: &mut Dice, parent: &mut Tree, inside: &Tree, name: &str) {
    if dice.percent(65) {
        let name = if dice.one_in(5) { "kiddo" } else { name };
        parent.push(name, Value::Map(over(dice, inside, 0)));
    }
    if dice.one_in(4) {
        // Tables where the other has none, and the other way round.
        parent.push("global", Value::Map(values::tree(dice, 1)));
    }
}

/// Values over those of a tree: other ones, nulls, and the same deeper down.
pub fn over(dice: &mut Dice, tree: &Tree, depth: usize) -> Tree {
    let mut over = Tree(Vec::new());
    for (name, value) in &tree.0 {
        if !dice.percent(40) {
            continue;
        }
        let other = match value {
            Value::Map(tree) if dice.percent(70) => Value::Map(self::over(dice, tree, depth + 1)),
            _ if dice.percent(45) => Value::Null(dice.pick(&["null", "~", ""])),
            _ => values::value(dice, depth + 1),
        };
        over.push(name, other);
    }
    if dice.one_in(4) {
        let key = dice.pick(&["new", "a", "global", "extra"]);
        over.push(key, values::value(dice, depth + 1));
    }
    over
}

/// The files of a chart inside.
fn write(
    dice: &mut Dice,
    case: &mut Case,
    calls: &[Call],
    folder: &str,
    tree: &Tree,
    entries: &str,
) {
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let kind = match dice.one_in(10) {
        true => "type: library\n",
        false => "",
    };
    let version = dice.below(4);
    let metadata = format!("apiVersion: v2\nname: {name}\nversion: 0.1.{version}\n{kind}{entries}");
    case.files.insert(format!("{folder}/Chart.yaml"), metadata);
    case.files
        .insert(format!("{folder}/values.yaml"), values::write(tree, dice));
    // Kinds of values may be others when the chart around it has its say.
    let mut paths = known(tree, ".Values");
    paths.retain(|known| !known.text.contains(".Values") || dice.one_in(3));
    let mut reach = Vec::new();
    let mut maker = Maker {
        dice,
        calls,
        known: paths,
        defined: Vec::new(),
        root: "$",
        risks: 0,
        reach: &mut reach,
    };
    let mut writer = Writer::new(&mut maker);
    writer.document();
    let mut text = writer.text;
    text.push_str("values: {{ toJson .Values }}\n");
    text.push_str("sub: {{ keys .Subcharts | sortAlpha | toJson }} \n");
    text.push_str("place: {{ .Template.Name }} {{ .Template.BasePath }} {{ .Chart.IsRoot }}\n");
    if dice.one_in(3) {
        text.push_str("chart: {{ toJson .Chart }}\n");
    }
    case.reach.append(&mut reach);
    case.files
        .insert(format!("{folder}/templates/{name}.yaml"), text);
    if dice.one_in(3) {
        let text = format!(
            "{{{{ define \"c.any\" }}}}of {name}{{{{ end }}}}{{{{ define \"{name}.own\" }}}}own{{{{ end }}}}"
        );
        case.files
            .insert(format!("{folder}/templates/_{name}.tpl"), text);
    }
    if dice.one_in(6) {
        case.files
            .insert(format!("{folder}/files/a.txt"), format!("of {name}\n"));
    }
}
