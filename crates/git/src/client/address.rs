//! Which addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// The kinds of addresses that may be connected to, beside public ones.
///
/// Link-local addresses, which serve the metadata of clouds, unspecified and multicast ones are
/// never among them. What a name resolves to is checked, and then connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// This machine.
    pub loopback: bool,
    /// Private networks.
    pub private: bool,
}

impl Default for Addresses {
    /// Private networks, where many Git hosts live, but not this machine.
    fn default() -> Self {
        Self {
            loopback: false,
            private: true,
        }
    }
}

impl Addresses {
    /// Every address that can be allowed.
    pub const ALL: Self = Self {
        loopback: true,
        private: true,
    };

    /// A resolver of names that knows only addresses that may be connected to.
    pub fn resolver(self) -> std::sync::Arc<dyn Resolve> {
        std::sync::Arc::new(Resolver(self))
    }

    /// Whether `address` may be connected to.
    pub fn allow(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let refused = match address {
            IpAddr::V4(v4) => {
                v4.is_link_local() || v4.is_broadcast() || v4.octets()[0] == 0 || v4 == ALIBABA
            }
            IpAddr::V6(v6) => v6.is_unicast_link_local() || v6 == AWS,
        };
        let private = match address {
            IpAddr::V4(v4) => v4.is_private() || is_shared(v4),
            IpAddr::V6(v6) => v6.is_unique_local(),
        };
        !refused
            && !address.is_multicast()
            && !address.is_unspecified()
            && (self.loopback || !address.is_loopback())
            && (self.private || !private)
    }
}

/// Metadata services that live outside the link-local ranges.
const ALIBABA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
const AWS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Addresses that providers share among customers, 100.64.0.0/10.
fn is_shared(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    first == 100 && second & 0xc0 == 64
}

/// Resolves names with the system and drops what may not be connected to.
struct Resolver(Addresses);

/// A name that leads only to addresses that may not be connected to.
#[derive(Debug, thiserror::Error)]
#[error("`{host}` resolves to {address}, which is not an allowed destination")]
struct Forbidden {
    host: String,
    address: IpAddr,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0;
        Box::pin(async move {
            let host = name.as_str().to_owned();
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            let good: Vec<_> = found
                .iter()
                .filter(|at| allowed.allow(at.ip()))
                .copied()
                .collect();
            match (good.is_empty(), found.first()) {
                (true, Some(first)) => Err(Forbidden {
                    host,
                    address: first.ip(),
                }
                .into()),
                _ => Ok(Box::new(good.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether a request failed because its host's address may not be connected to.
pub fn is_forbidden_address(error: &reqwest::Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if inner.is::<Forbidden>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_services_are_never_reached() {
        let addresses = Addresses::default();
        for (address, allowed) in [
            ("140.82.121.4", true),
            ("10.1.2.3", true),
            ("127.0.0.1", false),
            ("::1", false),
            ("::ffff:127.0.0.1", false),
            ("169.254.169.254", false),
            ("fe80::1", false),
            ("fd00:ec2::254", false),
            ("100.100.100.200", false),
            ("0.0.0.0", false),
            ("::", false),
            ("224.0.0.1", false),
        ] {
            assert_eq!(
                addresses.allow(address.parse().unwrap()),
                allowed,
                "{address}"
            );
        }
        assert!(Addresses::ALL.allow("127.0.0.1".parse().unwrap()));
        assert!(!Addresses::ALL.allow("169.254.169.254".parse().unwrap()));
    }
}
