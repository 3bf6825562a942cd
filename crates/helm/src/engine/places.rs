//! Places in values, what a file learned at each, and what differs there between two renders.

use std::collections::HashMap;

use gotemplate::{Str, Use};
use object::{Map, Node};

/// A path of keys and indices, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place(u32);

impl Place {
    /// The values as a whole.
    pub const ROOT: Self = Self(0);
}

/// Most places that are numbered; large charts have two thousand maps and lists.
pub(super) const PLACES_MAX: usize = 1 << 20;

/// All places that were ever looked at.
#[derive(Debug)]
pub(super) struct Places(Vec<Below>);

/// What is directly below a place. A place can hold a map at one time and a list at another.
#[derive(Debug, Default)]
struct Below {
    keys: HashMap<Str, Place>,
    items: Vec<Place>,
}

impl Default for Places {
    fn default() -> Self {
        Self(vec![Below::default()])
    }
}

impl Places {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn add(&mut self) -> Place {
        let place =
            Place(u32::try_from(self.0.len()).expect("renders begin anew before that many"));
        self.0.push(Below::default());
        place
    }

    /// The place of a key.
    pub fn key(&mut self, of: Place, key: &[u8]) -> Place {
        if let Some(place) = self.0[of.0 as usize].keys.get(key) {
            return *place;
        }
        let place = self.add();
        self.0[of.0 as usize].keys.insert(Str::from(key), place);
        place
    }

    /// The place of an element.
    pub fn item(&mut self, of: Place, at: usize) -> Place {
        while self.0[of.0 as usize].items.len() <= at {
            let place = self.add();
            self.0[of.0 as usize].items.push(place);
        }
        self.0[of.0 as usize].items[at]
    }
}

/// What can be learned of a value without looking at everything in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Aspects(u8);

impl Aspects {
    /// Whether it is there, what it is, and if it is single, its value.
    pub const SHAPE: Self = Self(1);
    /// Whether it is empty.
    pub const TRUTH: Self = Self(2);
    /// How many elements it has.
    pub const LENGTH: Self = Self(4);
    /// Its keys, and the shape of every element.
    pub const ELEMENTS: Self = Self(8);
    /// Everything in it.
    pub const WHOLE: Self = Self(16);
    const ALL: Self = Self(31);

    pub fn of(how: Use) -> Self {
        match how {
            Use::Truth => Self::TRUTH,
            Use::Length => Self::LENGTH,
            Use::Elements => Self::ELEMENTS,
            Use::Printed | Use::Passed => Self::WHOLE,
        }
    }
}

/// Aspects by place: of what a file learned, or of what is different.
#[derive(Clone, Debug, Default)]
pub(super) struct Marks(HashMap<Place, Aspects>);

impl Marks {
    pub fn add(&mut self, place: Place, aspects: Aspects) {
        self.0.entry(place).or_default().0 |= aspects.0;
    }

    /// Whether some place has an aspect in common.
    pub fn meets(&self, other: &Self) -> bool {
        let (few, many) = match self.0.len() < other.0.len() {
            true => (self, other),
            false => (other, self),
        };
        // Whether there is one does not depend on the order.
        #[expect(clippy::iter_over_hash_type, reason = "the result has no order")]
        for (place, aspects) in &few.0 {
            if many
                .0
                .get(place)
                .is_some_and(|found| found.0 & aspects.0 != 0)
            {
                return true;
            }
        }
        false
    }

    /// What is different between two values of a release.
    pub fn between(places: &Places, old: &Map, new: &Map) -> Self {
        let mut marks = Self::default();
        marks.maps(places, Some(Place::ROOT), old, new);
        marks
    }

    /// Marks what differs at a place; whether anything does, and whether it shows from above.
    fn nodes(
        &mut self,
        places: &Places,
        place: Option<Place>,
        old: Option<&Node>,
        new: Option<&Node>,
    ) -> Differs {
        match (old, new) {
            (Some(Node::Map(old)), Some(Node::Map(new))) => Differs {
                shape: false,
                whole: self.maps(places, place, old, new),
            },
            (Some(Node::List(old)), Some(Node::List(new))) => Differs {
                shape: false,
                whole: self.lists(places, place, old, new),
            },
            (Some(old), Some(new)) if same(old, new) => Differs::default(),
            _ => {
                if let Some(place) = place {
                    self.everything(places, place);
                }
                Differs {
                    shape: true,
                    whole: true,
                }
            }
        }
    }

    fn maps(&mut self, places: &Places, place: Option<Place>, old: &Map, new: &Map) -> bool {
        let mut found = Found::default();
        let below = |key: &str| {
            place.and_then(|place| places.0[place.0 as usize].keys.get(key.as_bytes()).copied())
        };
        for (key, value) in old.iter() {
            let other = new.get(key);
            found.keys |= other.is_none();
            found.add(self.nodes(places, below(key), Some(value), other));
        }
        for (key, value) in new.iter() {
            if old.get(key).is_none() {
                found.keys = true;
                found.add(self.nodes(places, below(key), None, Some(value)));
            }
        }
        self.found(place, &found, old.len(), new.len())
    }

    fn lists(&mut self, places: &Places, place: Option<Place>, old: &[Node], new: &[Node]) -> bool {
        let mut found = Found::default();
        for at in 0..old.len().max(new.len()) {
            let below = place.and_then(|place| places.0[place.0 as usize].items.get(at).copied());
            found.add(self.nodes(places, below, old.get(at), new.get(at)));
        }
        self.found(place, &found, old.len(), new.len())
    }

    /// Marks a map or list by what was found in it.
    fn found(&mut self, place: Option<Place>, found: &Found, old: usize, new: usize) -> bool {
        let aspects = [
            (found.whole || found.keys, Aspects::WHOLE),
            (found.shape || found.keys, Aspects::ELEMENTS),
            (old != new, Aspects::LENGTH),
            ((old == 0) != (new == 0), Aspects::TRUTH),
        ];
        if let Some(place) = place {
            for (_, aspects) in aspects.into_iter().filter(|(differs, _)| *differs) {
                self.add(place, aspects);
            }
        }
        found.whole || found.keys
    }

    /// Marks a place and all below it.
    fn everything(&mut self, places: &Places, place: Place) {
        self.add(place, Aspects::ALL);
        let below = &places.0[place.0 as usize];
        #[expect(clippy::iter_over_hash_type, reason = "marks have no order")]
        for below in below.keys.values() {
            self.everything(places, *below);
        }
        for below in &below.items {
            self.everything(places, *below);
        }
    }
}

#[derive(Default)]
struct Differs {
    shape: bool,
    whole: bool,
}

#[derive(Default)]
struct Found {
    keys: bool,
    shape: bool,
    whole: bool,
}

impl Found {
    fn add(&mut self, differs: Differs) {
        self.shape |= differs.shape;
        self.whole |= differs.whole;
    }
}

/// Whether two single values are one and the same to a template.
fn same(old: &Node, new: &Node) -> bool {
    match (old, new) {
        (Node::Float(old), Node::Float(new)) => old.to_bits() == new.to_bits(),
        (Node::Map(_) | Node::List(_), _) | (_, Node::Map(_) | Node::List(_)) => false,
        (old, new) => old == new,
    }
}
