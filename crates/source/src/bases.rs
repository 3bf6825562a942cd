//! Remote bases: repositories and documents that kustomizations name by address.
//!
//! A build says what it misses; [`Bases::complete`] fetches that and builds again, until nothing is
//! missing that can be had. Builds stay pure, and the network is touched between them only.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::git::client::{Addresses, Client, Credentials, Remote, RemoteUrl, Tls};
use ::git::{Oid, RefName, Rewrites};
use tree::{Entry, Missing, SourceKind, SourceRef, Tree, TreeBuilder, TreePath, World};

use crate::submodules;

/// Most fetches for one build; people use a handful.
pub const FETCHES_MAX: usize = 32;

/// Most fetches for one build at the same time.
const CONCURRENT: usize = 4;

/// Longest time for one fetch, which is kustomize's own.
const TIME_MAX: Duration = Duration::from_secs(27);

/// Most bytes of a document.
const DOCUMENT_BYTES_MAX: usize = 32 << 20;

/// Most bytes of repositories that are kept for later builds.
const KEPT_BYTES_MAX: usize = 256 << 20;

/// Fetches what builds miss, and keeps repositories by commit.
#[derive(Debug)]
pub struct Bases {
    client: Client,
    rewrites: Rewrites,
    addresses: Addresses,
    documents: Result<reqwest::Client, String>,
    kept: Mutex<Kept>,
}

/// What was fetched for one build.
#[derive(Clone, Debug, Default)]
pub struct FetchedBases(BTreeMap<SourceRef, Result<(Tree, String), String>>);

impl World for FetchedBases {
    fn tree(&self, at: &SourceRef) -> Result<Tree, Missing> {
        match self.0.get(at) {
            Some(Ok((tree, _))) => Ok(tree.clone()),
            Some(Err(why)) => Err(Missing {
                source: at.clone(),
                why: Some(why.clone()),
            }),
            None => Err(Missing {
                source: at.clone(),
                why: None,
            }),
        }
    }

    fn revision(&self, at: &SourceRef) -> Option<String> {
        let found = self.0.get(at)?.as_ref().ok()?;
        Some(found.1.clone())
    }

    fn lookup(&self, _key: &object::ObjectKey) -> Option<object::Object> {
        None
    }
}

impl Bases {
    /// Fetches through `client`, from where `rewrites` lead; documents only from `addresses`.
    pub fn new(client: Client, rewrites: Rewrites, addresses: Addresses) -> Self {
        let followed = addresses;
        let redirects = reqwest::redirect::Policy::custom(move |attempt| {
            let host = attempt.url().host_str().unwrap_or("");
            let forbidden = host
                .trim_matches(['[', ']'])
                .parse()
                .is_ok_and(|address| !followed.allow(address));
            match forbidden || attempt.previous().len() > 5 {
                true => attempt.stop(),
                false => attempt.follow(),
            }
        });
        let documents = reqwest::Client::builder()
            .redirect(redirects)
            .dns_resolver(addresses.resolver())
            .timeout(TIME_MAX)
            .build();
        Self {
            client,
            rewrites,
            addresses,
            documents: documents.map_err(|error| error.to_string()),
            kept: Mutex::default(),
        }
    }

    /// Runs `build` with what was fetched so far until it misses nothing that was not tried.
    ///
    /// `build` gives its result and what it missed; the last result is returned, also when the
    /// limit of [`FETCHES_MAX`] ends the search.
    pub async fn complete<T, B, F>(&self, build: B) -> T
    where
        B: Fn(Arc<FetchedBases>) -> F,
        F: Future<Output = (T, Vec<SourceRef>)>,
    {
        let mut fetched = FetchedBases::default();
        loop {
            let (result, mut missing) = build(Arc::new(fetched.clone())).await;
            missing.retain(|source| !fetched.0.contains_key(source));
            missing.sort();
            missing.dedup();
            missing.truncate(FETCHES_MAX - fetched.0.len());
            if missing.is_empty() {
                return result;
            }
            for some in missing.chunks(CONCURRENT) {
                let all = some.iter().map(|source| self.fetch(source));
                let all = futures::future::join_all(all).await;
                fetched.0.extend(some.iter().cloned().zip(all));
            }
        }
    }

    /// The files of one source with the revision they are from.
    async fn fetch(&self, source: &SourceRef) -> Result<(Tree, String), String> {
        match source.kind {
            SourceKind::Repository => self.repository(source).await,
            SourceKind::Document => self.document(source).await,
        }
    }

    async fn repository(&self, source: &SourceRef) -> Result<(Tree, String), String> {
        let reached = self.rewrites.apply(&source.url);
        let remote = Remote {
            url: RemoteUrl::parse(&reached).map_err(with_causes)?,
            credentials: Credentials::None,
            tls: Tls::default(),
            proxy: None,
            timeout: TIME_MAX,
        };
        let wanted = self.wanted(&remote, &source.reference).await?;
        let key = (source.url.clone(), wanted);
        if let Some(tree) = self.kept().get(&key) {
            return Ok((tree, wanted.to_string()));
        }
        let snapshot = self.client.fetch(&remote, wanted).await;
        let snapshot = snapshot.map_err(with_causes)?;
        let tree = submodules::lay_in(&self.client, &remote, snapshot).await;
        let tree = tree.map_err(with_causes)?;
        self.kept().put(key, &tree);
        Ok((tree, wanted.to_string()))
    }

    /// The object that a reference names, looked for where `git fetch` does.
    async fn wanted(&self, remote: &Remote, reference: &str) -> Result<Oid, String> {
        if let Some(id) = Oid::from_hex(reference.as_bytes()) {
            return Ok(id);
        }
        let names = match reference {
            "" => vec!["HEAD".to_owned(), "refs/heads/".to_owned()],
            full if full.starts_with("refs/") => vec![full.to_owned()],
            short => vec![format!("refs/tags/{short}"), format!("refs/heads/{short}")],
        };
        let prefixes: Vec<&str> = names.iter().map(String::as_str).collect();
        let refs = self.client.list(remote, &prefixes).await;
        let refs = refs.map_err(with_causes)?;
        let named = |name: &String| RefName::new(name).ok().and_then(|name| refs.get(&name));
        let found = match reference {
            "" => refs.head.as_ref().and_then(|head| refs.get(head)),
            _ => names.iter().find_map(named),
        };
        let found = found.ok_or_else(|| match reference {
            "" => format!("`{}` has no default branch", remote.url),
            name => format!("`{}` has no branch or tag `{name}`", remote.url),
        })?;
        Ok(found.id)
    }

    async fn document(&self, source: &SourceRef) -> Result<(Tree, String), String> {
        let reached = self.rewrites.apply(&source.url);
        let url = reqwest::Url::parse(&reached).map_err(with_causes)?;
        let host = url.host_str().unwrap_or("").trim_matches(['[', ']']);
        if host
            .parse()
            .is_ok_and(|address| !self.addresses.allow(address))
        {
            return Err(format!("the address of `{}` is not allowed", source.url));
        }
        let client = self.documents.as_ref().map_err(Clone::clone)?;
        let mut response = client.get(url).send().await.map_err(with_causes)?;
        let status = response.status();
        if !status.is_success() {
            let text = status.canonical_reason().unwrap_or_default();
            return Err(format!(
                "HTTP Error: status code {} ({text})",
                status.as_u16()
            ));
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(with_causes)? {
            if bytes.len() + piece.len() > DOCUMENT_BYTES_MAX {
                return Err(format!(
                    "`{}` is larger than {DOCUMENT_BYTES_MAX} bytes",
                    source.url
                ));
            }
            bytes.extend_from_slice(&piece);
        }
        let revision = crate::storage::sha256(&bytes);
        let mut builder = TreeBuilder::default();
        let path = TreePath::new(SourceRef::DOCUMENT).map_err(with_causes)?;
        builder.file(path, bytes);
        Ok((builder.build(), revision))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn with_causes(error: impl std::error::Error) -> String {
    diag::with_causes(&error)
}

/// Repositories by address and commit, the one used last at the end.
#[derive(Debug, Default)]
struct Kept {
    trees: VecDeque<((String, Oid), Tree, usize)>,
    bytes: usize,
}

impl Kept {
    fn get(&mut self, key: &(String, Oid)) -> Option<Tree> {
        let at = self.trees.iter().position(|(kept, ..)| kept == key)?;
        let found = self.trees.remove(at)?;
        let tree = found.1.clone();
        self.trees.push_back(found);
        Some(tree)
    }

    fn put(&mut self, key: (String, Oid), tree: &Tree) {
        let size = |entry: &Entry| match entry {
            Entry::File { content, .. } => content.len(),
            Entry::Link(target) => target.len(),
        };
        let bytes = tree
            .entries()
            .map(|(path, entry)| path.as_str().len() + size(entry))
            .sum();
        self.trees.push_back((key, tree.clone(), bytes));
        self.bytes += bytes;
        while self.bytes > KEPT_BYTES_MAX {
            let Some((.., bytes)) = self.trees.pop_front() else {
                break;
            };
            self.bytes -= bytes;
        }
    }
}
