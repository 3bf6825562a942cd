//! Addresses: the one that was asked for; a free one, with a notice, instead of a default.

use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::cli::DEFAULT_ADDRESSES;
use crate::exit::{Exit, Failure};

/// Listens at `wanted`, or at a free port with a notice when it is a default that is taken.
pub(super) async fn listen(
    wanted: SocketAddr,
    flag: &str,
    notices: &mut Vec<String>,
) -> Result<TcpListener, Failure> {
    match TcpListener::bind(wanted).await {
        Ok(listener) => Ok(listener),
        Err(error) if may_move(wanted) && error.kind() == std::io::ErrorKind::AddrInUse => {
            let listener = TcpListener::bind(SocketAddr::new(wanted.ip(), 0)).await?;
            notices.push(taken(wanted, listener.local_addr()?, flag));
            Ok(listener)
        }
        Err(error) => {
            let message = format!("cannot listen on {wanted} ({flag}): {error}");
            Err(Failure::plain(Exit::Unreadable, message))
        }
    }
}

pub(super) fn taken(wanted: SocketAddr, found: SocketAddr, flag: &str) -> String {
    format!("{wanted} is used by another program; took {found} instead ({flag} sets it)")
}

/// Whether nobody counts on this very address: it is one of the defaults.
pub(super) fn may_move(wanted: SocketAddr) -> bool {
    DEFAULT_ADDRESSES.contains(&wanted)
}
