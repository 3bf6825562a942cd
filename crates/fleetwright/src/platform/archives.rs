//! Archives of sources: kept, served, read.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ::git::client::Addresses;
use axum::Router;
use axum::routing::any;
use runtime::Sources;

use super::git::{engine_bases, git_client, rewrites};
use crate::cli::EngineArgs;
use crate::exit::Failure;
use crate::sample;

/// The archives of sources.
pub fn archive_routes(storage: Arc<source::Storage>) -> Router {
    let handle = move |request: axum::extract::Request| {
        let storage = storage.clone();
        async move {
            // The body of a request for a file says nothing.
            let request = request.map(|_| ());
            let response = source::serve::handle(&storage, &request).await;
            response.map(axum::body::Body::new)
        }
    };
    Router::new().fallback(any(handle))
}

/// Storage of archives in a folder, advertised at a host.
pub fn storage(folder: PathBuf, host: &str) -> Arc<source::Storage> {
    let disk = Arc::new(source::disk::RealDisk);
    let retention = source::Retention::default();
    Arc::new(source::Storage::new(folder, host, retention, disk))
}

pub(super) fn sources(
    args: &EngineArgs,
    data: &Path,
    storage_address: SocketAddr,
    base: &str,
    git: &Arc<::git::server::Server>,
) -> Result<(Sources, Arc<source::Storage>), Failure> {
    let sample = format!("{}={base}", sample::ADDRESS);
    let host = base.trim_end_matches('/').trim_end_matches(git.prefix());
    let client = git_client(&args.git_rewrite).with_local(host, git.clone());
    let storage = storage(data.join("artifacts"), &storage_address.to_string());
    let rewrites = rewrites(&args.git_rewrite, Some(&sample))?;
    Ok((
        Sources {
            bases: engine_bases(args, &client, &rewrites),
            client,
            rewrites,
            storage: storage.clone(),
            downloader: source::Downloader::new(storage.clone(), Addresses::ALL),
        },
        storage,
    ))
}
