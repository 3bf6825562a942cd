//! Which commits and objects a client lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::object::Mode;
use crate::odb::{ObjectError, Objects, Odb, each_entry};
use crate::{Commit, Kind, Oid};

/// Most objects sent at once, as many as a pack may hold that is received.
const OBJECTS_MAX: usize = 2_000_000;

/// Why there is no list of objects.
#[derive(Debug, thiserror::Error)]
pub(super) enum WalkError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("the request reaches more objects than the limit of {OBJECTS_MAX}")]
    TooMany,
}

/// How much history a client wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Deepen {
    /// No change of what it has.
    #[default]
    No,
    /// So many commits from the wanted ones.
    Depth(u32),
    /// So many commits more than it has.
    Further(u32),
    /// Commits since a time, in seconds since 1970, and not reachable from others.
    Since(Option<i64>, Vec<Oid>),
}

/// What of the reachable objects a client does not want yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Filter {
    /// It wants all.
    #[default]
    None,
    /// No file contents of so many bytes or more.
    Blobs(u64),
    /// Neither directories nor file contents.
    Trees,
}

impl Filter {
    /// Reads the forms `blob:none`, `blob:limit=SIZE` and `tree:0`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(size) = text.strip_prefix("blob:limit=") {
            let unit = size.chars().last()?.to_ascii_lowercase();
            let shift = match unit {
                'k' => 10,
                'm' => 20,
                'g' => 30,
                _ => 0,
            };
            let digits = size.trim_end_matches(|c: char| shift > 0 && c.is_ascii_alphabetic());
            return Some(Self::Blobs(
                digits.parse::<u64>().ok()?.checked_mul(1 << shift)?,
            ));
        }
        match text {
            "blob:none" => Some(Self::Blobs(0)),
            "tree:0" => Some(Self::Trees),
            _ => None,
        }
    }
}

/// Where a client's history ends and will end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Boundary {
    /// Commits whose parents the client will not have.
    pub shallow: BTreeSet<Oid>,
    /// Commits whose parents it lacked and will have.
    pub unshallow: BTreeSet<Oid>,
}

struct Node {
    tree: Oid,
    parents: Vec<Oid>,
    seconds: i64,
}

/// Walks the history of one repository; remembers commits it has read.
pub(super) struct Walker<'a> {
    odb: &'a Odb,
    nodes: BTreeMap<Oid, Node>,
}

impl<'a> Walker<'a> {
    pub(super) fn new(odb: &'a Odb) -> Self {
        Self {
            odb,
            nodes: BTreeMap::new(),
        }
    }

    fn node(&mut self, id: Oid) -> Result<&Node, WalkError> {
        if !self.nodes.contains_key(&id) {
            let Commit {
                tree,
                parents,
                committer,
                ..
            } = self.odb.commit(id)?;
            let seconds = committer.seconds;
            let node = Node {
                tree,
                parents,
                seconds,
            };
            self.nodes.insert(id, node);
            if self.nodes.len() > OBJECTS_MAX {
                return Err(WalkError::TooMany);
            }
        }
        Ok(&self.nodes[&id])
    }

    /// The commits that these objects are or name; others are left out.
    fn commits(&self, ids: &[Oid]) -> Result<Vec<Oid>, WalkError> {
        let mut commits = Vec::new();
        for id in ids {
            if let (Kind::Commit, id) = self.odb.peel(*id)? {
                commits.push(id);
            }
        }
        Ok(commits)
    }

    /// Every commit reachable from `from`; the parents of those in `ends` are not looked at.
    fn closure(&mut self, from: &[Oid], ends: &BTreeSet<Oid>) -> Result<BTreeSet<Oid>, WalkError> {
        let mut seen: BTreeSet<Oid> = from.iter().copied().collect();
        let mut next: Vec<Oid> = from.to_vec();
        while let Some(id) = next.pop() {
            if ends.contains(&id) {
                continue;
            }
            for parent in self.node(id)?.parents.clone() {
                if seen.insert(parent) {
                    next.push(parent);
                }
            }
        }
        Ok(seen)
    }

    /// Whether every want has a commit among its ancestors that the client has.
    pub(super) fn all_reach(&mut self, wants: &[Oid], common: &[Oid]) -> Result<bool, WalkError> {
        let common: BTreeSet<Oid> = self.commits(common)?.into_iter().collect();
        if common.is_empty() {
            return Ok(false);
        }
        for want in self.commits(wants)? {
            let mut seen = BTreeSet::from([want]);
            let mut next = vec![want];
            let mut found = false;
            while let Some(id) = next.pop() {
                if common.contains(&id) {
                    found = true;
                    break;
                }
                for parent in self.node(id)?.parents.clone() {
                    if seen.insert(parent) {
                        next.push(parent);
                    }
                }
            }
            if !found {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the client's history will end.
    pub(super) fn boundary(
        &mut self,
        wants: &[Oid],
        client: &BTreeSet<Oid>,
        deepen: &Deepen,
    ) -> Result<Boundary, WalkError> {
        let wants = self.commits(wants)?;
        let (within, edge) = match deepen {
            Deepen::No => return Ok(Boundary::default()),
            Deepen::Depth(depth) => self.levels(&wants, *depth)?,
            Deepen::Further(depth) => {
                let reachable = self.closure(&wants, &BTreeSet::new())?;
                let from: Vec<Oid> = client.intersection(&reachable).copied().collect();
                self.levels(&from, depth.saturating_add(1))?
            }
            Deepen::Since(since, not) => self.since(&wants, *since, not)?,
        };
        let unshallow = client
            .iter()
            .filter(|id| within.contains(id) && !edge.contains(id));
        Ok(Boundary {
            unshallow: unshallow.copied().collect(),
            shallow: edge,
        })
    }

    /// Commits at most `depth` levels from `from`, and those whose parents are further.
    fn levels(
        &mut self,
        from: &[Oid],
        depth: u32,
    ) -> Result<(BTreeSet<Oid>, BTreeSet<Oid>), WalkError> {
        let mut within: BTreeSet<Oid> = from.iter().copied().collect();
        let mut level: Vec<Oid> = within.iter().copied().collect();
        let mut edge = BTreeSet::new();
        let mut number = 1;
        while !level.is_empty() {
            let mut below = Vec::new();
            for id in level {
                let parents = self.node(id)?.parents.clone();
                if number >= depth {
                    if !parents.is_empty() {
                        edge.insert(id);
                    }
                    continue;
                }
                below.extend(parents.into_iter().filter(|parent| within.insert(*parent)));
            }
            level = below;
            number += 1;
        }
        Ok((within, edge))
    }

    fn since(
        &mut self,
        wants: &[Oid],
        since: Option<i64>,
        not: &[Oid],
    ) -> Result<(BTreeSet<Oid>, BTreeSet<Oid>), WalkError> {
        let not = self.commits(not)?;
        let excluded = self.closure(&not, &BTreeSet::new())?;
        let mut within: BTreeSet<Oid> = wants.iter().copied().collect();
        let mut next: Vec<Oid> = wants.to_vec();
        let mut edge = BTreeSet::new();
        while let Some(id) = next.pop() {
            for parent in self.node(id)?.parents.clone() {
                let old = since
                    .is_some_and(|since| self.node(parent).is_ok_and(|node| node.seconds < since));
                if old || excluded.contains(&parent) {
                    edge.insert(id);
                } else if within.insert(parent) {
                    next.push(parent);
                }
            }
        }
        Ok((within, edge))
    }

    /// The objects reachable from `wants` that a client with `haves` lacks.
    ///
    /// `client` is where its history ends now, `boundary` how that changes; `tags` are pairs of an
    /// annotated tag and its commit, added when the commit is sent. What is wanted by its own id is
    /// sent whatever `filter` says.
    pub(super) fn missing(
        &mut self,
        wants: &[Oid],
        haves: &[Oid],
        client: &BTreeSet<Oid>,
        boundary: &Boundary,
        tags: &[(Oid, Oid)],
        filter: Filter,
    ) -> Result<Vec<Oid>, WalkError> {
        let mut ends: BTreeSet<Oid> = client.difference(&boundary.unshallow).copied().collect();
        ends.extend(&boundary.shallow);
        let haves = self.commits(haves)?;
        let had = self.closure(&haves, client)?;

        let mut list = List::default();
        let mut next = Vec::new();
        let mut roots = Vec::new();
        let mut wanted_trees = Vec::new();
        for want in wants {
            self.add_want(*want, &mut list, &mut next, &mut wanted_trees)?;
        }
        // Deepening asks for the parents of commits that the client has.
        for id in &boundary.unshallow {
            next.extend(self.node(*id)?.parents.clone());
        }
        let mut sent = BTreeSet::new();
        let mut border: BTreeSet<Oid> = haves.iter().copied().collect();
        while let Some(id) = next.pop() {
            if had.contains(&id) {
                border.insert(id);
                continue;
            }
            if !sent.insert(id) {
                continue;
            }
            list.add(id)?;
            let node = self.node(id)?;
            roots.push(node.tree);
            if !ends.contains(&id) {
                next.extend(node.parents.clone());
            }
        }
        for (tag, commit) in tags {
            if sent.contains(commit) {
                list.add(*tag)?;
            }
        }
        for id in border {
            let tree = self.node(id)?.tree;
            self.trees(tree, Filter::None, &mut |id| Ok(list.seen.insert(id)))?;
        }
        for root in wanted_trees {
            match filter {
                Filter::Trees => {
                    list.add(root)?;
                }
                _ => roots.push(root),
            }
        }
        if filter != Filter::Trees {
            for root in roots {
                self.trees(root, filter, &mut |id| list.add(id))?;
            }
        }
        Ok(list.ordered)
    }

    /// Adds a wanted object that is no commit, or queues the commit it is or names.
    fn add_want(
        &mut self,
        want: Oid,
        list: &mut List,
        commits: &mut Vec<Oid>,
        roots: &mut Vec<Oid>,
    ) -> Result<(), WalkError> {
        let mut at = want;
        loop {
            match self.odb.kind(at)? {
                None => return Err(ObjectError::Missing { kind: None, id: at }.into()),
                Some(Kind::Tag) => {
                    if !list.add(at)? {
                        return Ok(());
                    }
                    at = self.odb.tag(at)?.target;
                }
                Some(Kind::Commit) => {
                    commits.push(at);
                    return Ok(());
                }
                Some(Kind::Tree) => {
                    roots.push(at);
                    return Ok(());
                }
                Some(Kind::Blob) => {
                    list.add(at)?;
                    return Ok(());
                }
            }
        }
    }

    /// Calls `add` with a directory and what is in it; what `add` knew already is not entered.
    fn trees(
        &self,
        root: Oid,
        filter: Filter,
        add: &mut dyn FnMut(Oid) -> Result<bool, WalkError>,
    ) -> Result<(), WalkError> {
        let mut next = vec![root];
        while let Some(id) = next.pop() {
            if !add(id)? {
                continue;
            }
            each_entry(self.odb, id, |entry| {
                match entry.mode {
                    Mode::Directory => next.push(entry.id),
                    Mode::Submodule => {}
                    _ => {
                        let kept = match filter {
                            Filter::None => true,
                            Filter::Trees | Filter::Blobs(0) => false,
                            Filter::Blobs(size) => self.odb.size(entry.id)? < size,
                        };
                        if kept {
                            add(entry.id)?;
                        }
                    }
                }
                Ok::<(), WalkError>(())
            })?;
        }
        Ok(())
    }
}

#[derive(Default)]
struct List {
    ordered: Vec<Oid>,
    seen: BTreeSet<Oid>,
}

impl List {
    fn add(&mut self, id: Oid) -> Result<bool, WalkError> {
        let new = self.seen.insert(id);
        if new {
            self.ordered.push(id);
        }
        match self.ordered.len() > OBJECTS_MAX {
            true => Err(WalkError::TooMany),
            false => Ok(new),
        }
    }
}
