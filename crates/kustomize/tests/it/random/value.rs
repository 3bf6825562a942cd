//! What a file says, before it is decided how it is written.

/// A tree of values whose scalars know whether they are texts.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Written exactly so: a number, a boolean, or something that only looks like one.
    Plain(String),
    /// A text, whatever the way it is written.
    Text(String),
    List(Vec<Value>),
    Map(Vec<(Value, Value)>),
}

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    Key(String),
    Index(usize),
}

pub type Path = Vec<Step>;

/// A map of texts to whatever becomes a [`Value`].
macro_rules! map {
    ($($key:expr => $value:expr),* $(,)?) => {
        $crate::random::value::Value::Map(vec![
            $(($crate::random::value::Value::from($key), $crate::random::value::Value::from($value))),*
        ])
    };
}

/// A list of whatever becomes a [`Value`].
macro_rules! list {
    ($($value:expr),* $(,)?) => {
        $crate::random::value::Value::List(vec![$($crate::random::value::Value::from($value)),*])
    };
}

pub(crate) use {list, map};

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Plain(number.to_string())
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Plain(flag.to_string())
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(items)
    }
}

impl Value {
    pub fn plain(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }

    pub fn null() -> Self {
        Self::plain("null")
    }

    pub fn empty_map() -> Self {
        Self::Map(Vec::new())
    }

    /// The words of a scalar.
    pub fn scalar(&self) -> Option<&str> {
        match self {
            Self::Plain(text) | Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    pub fn is_empty_collection(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Plain(_) | Self::Text(_) => false,
        }
    }

    pub fn get(&self, key: &str) -> Option<&Value> {
        let Self::Map(entries) = self else {
            return None;
        };
        let entry = entries.iter().find(|(name, _)| name.scalar() == Some(key));
        entry.map(|(_, value)| value)
    }

    pub fn at(&self, path: &[Step]) -> Option<&Value> {
        path.iter().try_fold(self, |value, step| match step {
            Step::Key(key) => value.get(key),
            Step::Index(index) => match value {
                Self::List(items) => items.get(*index),
                _ => None,
            },
        })
    }

    pub fn str_at(&self, keys: &[&str]) -> &str {
        keys.iter()
            .try_fold(self, |value, key| value.get(key))
            .and_then(Value::scalar)
            .unwrap_or_default()
    }

    /// The value of a key, made null where it is missing. A value that is no map becomes one.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        if !matches!(self, Self::Map(_)) {
            *self = Self::empty_map();
        }
        let Self::Map(entries) = self else {
            unreachable!("it was made a map");
        };
        let at = entries
            .iter()
            .position(|(name, _)| name.scalar() == Some(key));
        let at = at.unwrap_or_else(|| {
            entries.push((key.into(), Self::null()));
            entries.len() - 1
        });
        &mut entries[at].1
    }

    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        *self.entry(key) = value.into();
    }

    /// Makes texts of all numbers and booleans.
    pub fn scalars_as_texts(&mut self) {
        match self {
            Self::Plain(text) if matches!(text.as_str(), "null" | "~" | "") => {}
            Self::Plain(text) => *self = Self::Text(std::mem::take(text)),
            Self::Text(_) => {}
            Self::List(items) => items.iter_mut().for_each(Self::scalars_as_texts),
            Self::Map(entries) => {
                for (_, value) in entries {
                    value.scalars_as_texts();
                }
            }
        }
    }

    /// Whether it is null or has a null inside.
    pub fn has_null(&self) -> bool {
        match self {
            Self::Plain(text) => matches!(text.as_str(), "null" | "~" | ""),
            Self::Text(_) => false,
            Self::List(items) => items.iter().any(Self::has_null),
            Self::Map(entries) => entries.iter().any(|(_, value)| value.has_null()),
        }
    }

    pub fn remove(&mut self, key: &str) {
        if let Self::Map(entries) = self {
            entries.retain(|(name, _)| name.scalar() != Some(key));
        }
    }

    /// The paths to every value below this one.
    pub fn paths(&self) -> Vec<Path> {
        let mut found = Vec::new();
        self.collect(&mut Vec::new(), &mut found);
        found
    }

    fn collect(&self, here: &mut Path, found: &mut Vec<Path>) {
        let mut visit = |step: Step, value: &Value| {
            here.push(step);
            found.push(here.clone());
            value.collect(here, found);
            here.pop();
        };
        match self {
            Self::Plain(_) | Self::Text(_) => {}
            Self::List(items) => items
                .iter()
                .enumerate()
                .for_each(|(index, item)| visit(Step::Index(index), item)),
            Self::Map(entries) => entries.iter().for_each(|(key, value)| {
                if let Some(key) = key.scalar() {
                    visit(Step::Key(key.to_owned()), value);
                }
            }),
        }
    }
}
