//! The tree in the making: its files, the dice, what it has reached, and how odd it may become.

use std::collections::{BTreeMap, BTreeSet};

use super::value::Value;
use super::words;
use super::writer;
use testkit::Dice;

/// A kind of oddity. A tree has few of them, so that most trees build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Odd {
    // How things are written; these rarely make a build fail.
    Comments,
    Flow,
    Anchors,
    Quotes,
    Blocks,
    Documents,
    Json,
    LineEnds,
    LongLines,
    // What is written.
    Texts,
    Scalars,
    Keys,
    Nulls,
    Hostile,
    Tags,
    Annotations,
    LetterCase,
    // What makes most builds fail.
    Fields,
    Types,
    Repeats,
    Misses,
    Damage,
}

/// Every oddity with its chance in percent.
const ODDITIES: &[(Odd, usize)] = &[
    (Odd::Comments, 30),
    (Odd::Flow, 30),
    (Odd::Anchors, 20),
    (Odd::Quotes, 30),
    (Odd::Blocks, 30),
    (Odd::Documents, 25),
    (Odd::Json, 10),
    (Odd::LineEnds, 5),
    (Odd::LongLines, 15),
    (Odd::Texts, 30),
    (Odd::Scalars, 25),
    (Odd::Keys, 12),
    (Odd::Nulls, 12),
    (Odd::Hostile, 3),
    (Odd::Tags, 5),
    (Odd::Annotations, 8),
    (Odd::LetterCase, 5),
    (Odd::Fields, 2),
    (Odd::Types, 2),
    (Odd::Repeats, 3),
    (Odd::Misses, 5),
    (Odd::Damage, 3),
];

/// An object as it was written, and the names it had since.
#[derive(Clone, Debug)]
pub struct Made {
    pub value: Value,
    /// Oldest first.
    pub names: Vec<String>,
    pub namespace: String,
}

impl Made {
    pub fn new(value: Value) -> Self {
        Self {
            names: vec![value.str_at(&["metadata", "name"]).to_owned()],
            namespace: value.str_at(&["metadata", "namespace"]).to_owned(),
            value,
        }
    }

    pub fn kind(&self) -> &str {
        self.value.str_at(&["kind"])
    }

    pub fn api_version(&self) -> &str {
        self.value.str_at(&["apiVersion"])
    }

    /// The name and namespace it was written with, or those it has by now.
    pub fn id(&self, dice: &mut Dice) -> (String, String) {
        let (Some(first), Some(last)) = (self.names.first(), self.names.last()) else {
            return (String::new(), String::new());
        };
        match dice.one_in(2) {
            true => {
                let namespace = self.value.str_at(&["metadata", "namespace"]);
                (first.clone(), namespace.to_owned())
            }
            false => (last.clone(), self.namespace.clone()),
        }
    }

    pub fn group(&self) -> &str {
        self.api_version()
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    pub fn version(&self) -> &str {
        let version = self.api_version();
        version
            .split_once('/')
            .map_or(version, |(_, version)| version)
    }
}

/// Makes one tree.
pub struct Maker {
    pub dice: Dice,
    pub files: BTreeMap<String, Vec<u8>>,
    /// `group:feature` for everything the tree contains.
    pub reach: BTreeSet<String>,
    oddities: Vec<Odd>,
    /// Ids in use, so that they are rarely taken twice.
    pub taken: BTreeSet<String>,
    /// How many percent of the usual fields a kustomization gets; less where there are many.
    pub crowd: usize,
    /// Whether objects say their namespaces, which makes some of them collide later.
    pub namespaces: bool,
    /// Whether a map may give a key that it merges as well another value.
    pub overrides: bool,
    count: usize,
}

impl Maker {
    pub fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let oddities: Vec<Odd> = ODDITIES
            .iter()
            .filter(|(_, chance)| dice.percent(*chance))
            .map(|(odd, _)| *odd)
            .collect();
        let reach = oddities
            .iter()
            .map(|odd| format!("oddity: {odd:?}"))
            .collect();
        let namespaces = dice.percent(35);
        Self {
            dice,
            namespaces,
            files: BTreeMap::new(),
            reach,
            oddities,
            taken: BTreeSet::new(),
            crowd: 100,
            overrides: true,
            count: 0,
        }
    }

    /// Whether to be odd here: never in a tree without that oddity, else once in `chances`.
    pub fn odd(&mut self, odd: Odd, chances: usize) -> bool {
        self.oddities.contains(&odd) && self.dice.one_in(chances)
    }

    pub fn has(&self, odd: Odd) -> bool {
        self.oddities.contains(&odd)
    }

    pub fn note(&mut self, group: &str, feature: &str) {
        self.reach.insert(format!("{group}: {feature}"));
    }

    /// Chooses one of `from` and notes it.
    pub fn noted(&mut self, group: &str, from: &[&'static str]) -> &'static str {
        let word = self.dice.pick(from);
        self.note(group, word);
        word
    }

    /// A number that no other call gets.
    pub fn number(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    pub fn name(&mut self) -> String {
        self.dice.pick(words::NAMES).to_owned()
    }

    /// A text for a place that takes any.
    pub fn text(&mut self) -> Value {
        if self.odd(Odd::Texts, 3) {
            return self.dice.pick(words::TEXTS).into();
        }
        if self.odd(Odd::Scalars, 6) {
            // Quoted, so that it stays a text.
            return self.dice.pick(words::PLAIN).into();
        }
        if self.odd(Odd::LongLines, 3) {
            return self.long_text().into();
        }
        self.dice
            .pick(&[
                "x",
                "value",
                "one two",
                "a,b,c",
                "a:b:c",
                "http://web:80/x",
                "info",
                "/data",
            ])
            .into()
    }

    /// A scalar for a place that takes any type.
    pub fn any_scalar(&mut self) -> Value {
        if self.odd(Odd::Hostile, 8) {
            self.note("style", "hostile scalar");
            return Value::plain(self.dice.pick(words::HOSTILE_PLAIN));
        }
        if self.odd(Odd::Scalars, 2) {
            self.note("style", "odd scalar");
            let word = self.dice.pick(words::PLAIN);
            // The reference forgets how large they were, or in which form, in some patches.
            return Value::plain(match word {
                "9223372036854775808" | "18446744073709551615" | "0xFFFFFFFFFFFFFFFF" => {
                    "4294967296"
                }
                _ if word.starts_with("2001-") && word.contains([' ', 't']) => {
                    "2001-12-15T02:59:43.1Z"
                }
                _ => word,
            });
        }
        if self.odd(Odd::Nulls, 6) {
            self.note("style", "null");
            return Value::plain(self.dice.pick(&["null", "~", ""]));
        }
        match self.dice.below(6) {
            0 => Value::from(true),
            1 => Value::from(self.dice.below(100) as i64),
            _ => self.text(),
        }
    }

    /// Words around the column at which the reference folds.
    fn long_text(&mut self) -> String {
        let mut text = String::new();
        let length = self.dice.between(60, 200);
        while text.len() < length {
            let word = self.dice.between(1, 14);
            let letter = self.dice.pick(&["a", "b", "W", "é", "0", ".", "'", "\""]);
            text.push_str(&letter.repeat(word));
            text.push_str(
                self.dice
                    .pick(&[" ", " ", " ", "  ", ": ", ", ", " - ", "\t"]),
            );
        }
        if self.dice.one_in(4) {
            text.push('x');
        } else {
            text.truncate(text.trim_end().len());
        }
        text
    }

    /// A free key of a map of texts.
    pub fn key(&mut self) -> String {
        if self.odd(Odd::Keys, 2) {
            self.note("style", "odd key");
            return self.dice.pick(words::KEYS).to_owned();
        }
        self.dice
            .pick(&[
                "a",
                "b",
                "host",
                "port",
                "config.yaml",
                "app.properties",
                "x9",
                "x10",
            ])
            .to_owned()
    }

    /// Writes values as the documents of one file, and returns its name in `folder`.
    pub fn write(&mut self, folder: &str, stem: &str, values: &[Value]) -> String {
        // The reference refuses that in files of configurations.
        self.overrides = stem != "configuration";
        let text = writer::documents(self, values);
        self.overrides = true;
        self.store(folder, stem, "yaml", text.into_bytes())
    }

    /// Writes a file that gets a name of its own in `folder`.
    pub fn store(&mut self, folder: &str, stem: &str, ending: &str, bytes: Vec<u8>) -> String {
        let mut name = format!("{stem}.{ending}");
        if self.files.contains_key(&join(folder, &name)) {
            name = format!("{stem}-{}.{ending}", self.number());
        }
        self.files.insert(join(folder, &name), bytes);
        name
    }

    /// One of the objects, as a rule one that matters.
    pub fn target<'a>(&mut self, made: &'a [Made]) -> Option<&'a Made> {
        self.dice.choose(made)
    }
}

pub fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        _ => format!("{folder}/{name}"),
    }
}
