//! Where a value comes from: who gives it, and what they override.
//!
//! Nothing is recorded while values are put together. To answer for one path, every layer is asked
//! again whether it says something there; that is a few files read once more for a question that a
//! person asks.

use diag::Span;
use object::{FieldPath, Map, Node, Step};

use crate::dependencies::Assembly;
use crate::error::ValuesError;
use crate::options::Profile;
use crate::values::{self, ReadFile, UserValues, ValuesFile};
use crate::{Chart, Scope};

/// All that is known about the value at one path.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// What templates see; `None` where there is nothing.
    pub value: Option<Node>,
    /// Who says something about it, the weakest first. Maps are merged from all of them; of anything
    /// else the last one counts.
    pub given: Vec<Given>,
}

/// One layer's word about a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Whose word it is.
    pub source: Source,
    /// The path in that source, which is shorter than the one asked for where the source has
    /// something other than a map on the way: `a: null` takes `a.b` away.
    pub path: FieldPath,
    /// Its file and line, where it is in a file.
    pub at: Option<Span>,
    /// The word itself.
    pub value: Node,
}

/// A layer of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The `values.yaml` of a chart, by path from the outermost one: `umbrella/charts/kid`.
    Chart(String),
    /// A chart that takes values over from one inside it.
    Import {
        /// The chart that takes them.
        chart: String,
        /// Whose they are.
        from: String,
    },
    /// A file given with `-f`.
    File(String),
    /// A flag such as `--set`, and what was given with it.
    Flag(&'static str, String),
}

/// Reads a path as `--set` has it: `image.tag`, `list[0].name`, `annotations.example\.org/name`.
///
/// `None` for a bracket that holds no number or is not closed.
pub fn parse_path(text: &str) -> Option<FieldPath> {
    let mut path = FieldPath::root();
    let mut key = String::new();
    // Whether a key ends here: not right behind a bracket.
    let mut open = true;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => key.push(characters.next()?),
            '.' | '[' => {
                if open {
                    path.push(Step::Key(std::mem::take(&mut key).into()));
                }
                open = character == '.';
                if character == '[' {
                    let (index, rest) = characters.as_str().split_once(']')?;
                    path.push(Step::Index(index.parse().ok()?));
                    characters = rest.chars();
                }
            }
            _ if open => key.push(character),
            _ => return None,
        }
    }
    if open {
        path.push(Step::Key(key.into()));
    }
    Some(path)
}

/// Says where the value at `path` comes from. `scope` is what [`crate::prepare`] made of `user`.
///
/// # Errors
/// [`ValuesError`], which a successful [`crate::prepare`] has ruled out.
pub fn why(
    scope: &Scope,
    user: &UserValues,
    read: ReadFile<'_>,
    path: &FieldPath,
) -> Result<Why, ValuesError> {
    let profile = scope.options.profile;
    let steps = path.steps();
    let found = find(&scope.values, steps);
    let value = found.filter(|(depth, _)| *depth == steps.len());
    let mut asking = Asking {
        profile,
        given: Vec::new(),
    };
    let name = scope.charts.metadata.name.clone();
    asking.chart(&scope.charts, &name, steps);
    // A global of a chart inside may be given for that chart, or for all.
    for path in aliases(&scope.charts, steps) {
        asking.user(user, read, &path)?;
    }
    Ok(Why {
        value: value.map(|(_, node)| node.clone()),
        given: asking.given,
    })
}

struct Asking {
    profile: Profile,
    given: Vec<Given>,
}

impl Asking {
    /// Asks the charts, innermost first, what they have by default.
    fn chart(&mut self, chart: &Assembly, at: &str, steps: &[Step]) {
        if let Some((inside, below)) = section(chart, steps) {
            let name = &inside.metadata.name;
            self.chart(inside, &format!("{at}/charts/{name}"), below);
        }
        self.imports(chart, at, steps);
        for path in aliases(chart, steps) {
            self.defaults(&chart.chart, at, &path, |chart| {
                Source::Chart(chart.to_owned())
            });
        }
    }

    fn defaults(
        &mut self,
        chart: &Chart,
        at: &str,
        steps: &[Step],
        source: impl Fn(&str) -> Source,
    ) {
        let Some((depth, value)) = find(&chart.values, steps) else {
            return;
        };
        let name = format!("{at}/values.yaml");
        let text = chart.values_text();
        let path = path_of(&steps[..depth]);
        self.given.push(Given {
            source: source(at),
            at: locate(&name, text, &path, self.profile),
            path,
            value: value.clone(),
        });
    }

    /// What `chart` takes over from the charts inside it.
    fn imports(&mut self, chart: &Assembly, at: &str, steps: &[Step]) {
        for wanted in &chart.metadata.dependencies {
            let mut inside = chart.charts.iter();
            let Some(inside) = inside.find(|inside| inside.metadata.name == wanted.name) else {
                continue;
            };
            let from = format!("{at}/charts/{}", wanted.name);
            for entry in &wanted.import_values {
                let keys = |key| {
                    let text = entry.get(key).and_then(Node::as_str).unwrap_or(".");
                    let keys = text.split('.').filter(|key| !key.is_empty());
                    keys.map(|key| Step::Key(key.into())).collect::<Vec<_>>()
                };
                if let Some(rest) = steps.strip_prefix(&*keys("parent")) {
                    let mut theirs = keys("child");
                    theirs.extend_from_slice(rest);
                    self.defaults(&inside.chart, &from, &theirs, |from| Source::Import {
                        chart: at.to_owned(),
                        from: from.to_owned(),
                    });
                }
            }
        }
    }

    fn user(
        &mut self,
        user: &UserValues,
        read: ReadFile<'_>,
        steps: &[Step],
    ) -> Result<(), ValuesError> {
        for file in &user.files {
            self.file(file, steps)?;
        }
        let flags: [(&'static str, &[String]); 5] = [
            ("--set-json", &user.set_json),
            ("--set", &user.set),
            ("--set-string", &user.set_string),
            ("--set-file", &user.set_file),
            ("--set-literal", &user.set_literal),
        ];
        // Flags build on what is there: `a[1]=x` keeps the first item.
        let mut so_far = UserValues {
            files: user.files.clone(),
            ..UserValues::default()
        };
        let mut before = so_far.merged(read, self.profile)?;
        for (flag, texts) in flags {
            for text in texts {
                let mut alone = UserValues::default();
                for values in [&mut so_far, &mut alone] {
                    let list = match flag {
                        "--set-json" => &mut values.set_json,
                        "--set" => &mut values.set,
                        "--set-string" => &mut values.set_string,
                        "--set-file" => &mut values.set_file,
                        _ => &mut values.set_literal,
                    };
                    list.push(text.clone());
                }
                let after = so_far.merged(read, self.profile)?;
                let (old, new) = (find(&before, steps), find(&after, steps));
                // A flag that only makes sense on top of others changes something.
                let alone = alone.merged(read, self.profile).unwrap_or_default();
                let says = find(&alone, steps).is_some_and(|(_, node)| !node.is_null());
                if let Some((depth, value)) = new
                    && (says || old != new)
                {
                    self.given.push(Given {
                        source: Source::Flag(flag, text.clone()),
                        path: path_of(&steps[..depth]),
                        at: None,
                        value: value.clone(),
                    });
                }
                before = after;
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &ValuesFile, steps: &[Step]) -> Result<(), ValuesError> {
        let read = file.values(self.profile)?;
        if let Some((depth, value)) = find(&read, steps) {
            let path = path_of(&steps[..depth]);
            self.given.push(Given {
                source: Source::File(file.name.clone()),
                at: locate(&file.name, &file.content, &path, self.profile),
                path,
                value: value.clone(),
            });
        }
        Ok(())
    }
}

/// The chart inside whose section `steps` lead into, and the steps in it.
fn section<'a, 's>(chart: &'a Assembly, steps: &'s [Step]) -> Option<(&'a Assembly, &'s [Step])> {
    let (Step::Key(first), below) = steps.split_first()? else {
        return None;
    };
    let mut inside = chart.charts.iter();
    let inside = inside.find(|inside| *inside.metadata.name == **first)?;
    Some((inside, below))
}

/// `steps`, and where they lead to a global of a chart inside, the same global here, which wins.
fn aliases(chart: &Assembly, steps: &[Step]) -> Vec<Vec<Step>> {
    let mut found = vec![steps.to_vec()];
    if let Some((inside, below)) = section(chart, steps) {
        let inner = aliases(inside, below);
        let globals = inner
            .into_iter()
            .filter(|steps| matches!(steps.first(), Some(Step::Key(key)) if key == "global"));
        found.extend(globals);
    }
    found
}

/// The value at `steps`, or what is on the way in the place of a map; with the number of steps to it.
fn find<'a>(values: &'a Map, steps: &[Step]) -> Option<(usize, &'a Node)> {
    let (Step::Key(first), below) = steps.split_first()? else {
        return None;
    };
    let mut node = values.get(first)?;
    for (depth, step) in (1..).zip(below) {
        node = match (node, step) {
            (Node::Map(map), Step::Key(key)) => map.get(key)?,
            (Node::List(items), Step::Index(index)) => items.get(*index)?,
            _ => return Some((depth, node)),
        };
    }
    Some((steps.len(), node))
}

fn path_of(steps: &[Step]) -> FieldPath {
    let mut path = FieldPath::root();
    steps.iter().for_each(|step| path.push(step.clone()));
    path
}

/// The place of a path in a file: in the last document that has it.
pub(crate) fn locate(file: &str, text: &[u8], path: &FieldPath, profile: Profile) -> Option<Span> {
    let documents = match profile {
        Profile::Helm4 => values::documents(text).ok()?,
        Profile::Helm3 => vec![(0, text)],
    };
    let mut places = documents
        .into_iter()
        .rev()
        .filter_map(|(before, document)| {
            let tree = values::tree(document)?;
            let first = path.steps().first()?;
            let Step::Key(first) = first else { return None };
            tree.get(first)?;
            let (line, column) = yaml::locate(&tree, path)?;
            Some((before + line, column))
        });
    let (line, column) = places.next()?;
    Some(Span {
        path: file.to_owned(),
        line,
        column,
        length: 0,
    })
}
