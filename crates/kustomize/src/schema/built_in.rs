//! The kinds of Kubernetes 1.21.2: `merge_keys.txt`, read where it is, line by line.
//!
//! Only the lines are found when a build begins: most builds look at one or two kinds, and a small one
//! would spend more on a map of everything than on its own objects.

use std::sync::OnceLock;

use object::Text;

/// The lines of the table, by their first word.
struct Table {
    kinds: Vec<Line>,
    types: Vec<Line>,
}

/// The name a line is about, and what it says.
type Line = (&'static str, &'static str);

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let lines = |word: &str| -> Vec<Line> {
            let lines = include_str!("merge_keys.txt").lines();
            let mut lines: Vec<Line> = lines
                .filter_map(|line| line.strip_prefix(word)?.split_once(' '))
                .collect();
            lines.sort_unstable();
            lines
        };
        Table {
            kinds: lines("kind "),
            types: lines("type "),
        }
    })
}

fn find(lines: &[Line], name: &str) -> Option<&'static str> {
    let at = lines.binary_search_by(|line| line.0.cmp(name)).ok()?;
    Some(lines[at].1)
}

/// A place in an object of a kind that is built in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BuiltIn {
    /// A type, by its fields as the table has them.
    Type(&'static str),
    /// A list whose elements a patch joins by `keys`, and the name of the elements' type.
    List {
        keys: &'static str,
        element: &'static str,
    },
}

impl BuiltIn {
    /// The type of a kind.
    pub fn kind(api_version: &str, kind: &str) -> Option<Self> {
        let mut kinds = find(&table().kinds, api_version)?.split(' ');
        let version = api_version.rsplit('/').next().unwrap_or_default();
        kinds.find_map(|word| match word.strip_prefix(kind)? {
            "" => Self::named(&format!("{version}.{kind}")),
            rest => Self::named(rest.strip_prefix('=')?),
        })
    }

    /// The type of a name such as `v1.PodSpec`.
    pub fn named(name: &str) -> Option<Self> {
        find(&table().types, name).map(Self::Type)
    }

    /// The schema of a field.
    pub fn field(self, name: &str) -> Option<Self> {
        let Self::Type(fields) = self else {
            return None;
        };
        let mut fields = fields.split(' ');
        let shape = fields.find_map(|word| word.strip_prefix(name)?.strip_prefix('='))?;
        match shape
            .strip_prefix('[')
            .and_then(|list| list.split_once(']'))
        {
            Some((keys, element)) => Some(Self::List { keys, element }),
            None => Self::named(shape),
        }
    }

    /// The schema of the list's elements.
    pub fn elements(self) -> Option<Self> {
        match self {
            Self::List { element, .. } if !element.is_empty() => Self::named(element),
            _ => None,
        }
    }

    /// The keys by which the list's elements are joined.
    pub fn merge_keys(self) -> Option<Vec<Text>> {
        let Self::List { keys, .. } = self else {
            return None;
        };
        let keys = keys.split('+').filter(|key| !key.is_empty());
        Some(keys.map(Text::new_static).collect())
    }
}
