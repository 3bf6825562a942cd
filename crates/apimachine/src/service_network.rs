//! The addresses that Services get.

use std::net::Ipv4Addr;
use std::str::FromStr;

/// Widest network, in bits of prefix: 2^20 addresses, as kube-apiserver allows.
const PREFIX_MIN: u8 = 12;
/// Narrowest network that has an address to give.
const PREFIX_MAX: u8 = 30;

/// An IPv4 network in CIDR notation: `10.0.0.0/16`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServiceNetwork {
    base: u32,
    prefix: u8,
}

/// A text that names no network Services could get addresses from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no IPv4 network between /{PREFIX_MIN} and /{PREFIX_MAX}, such as 10.96.0.0/16")]
pub struct ServiceNetworkError(String);

impl Default for ServiceNetwork {
    /// kube-apiserver's own default is 10.0.0.0/24; this is the one it is usually given.
    fn default() -> Self {
        Self {
            base: u32::from(Ipv4Addr::new(10, 0, 0, 0)),
            prefix: 16,
        }
    }
}

impl ServiceNetwork {
    /// How many addresses there are, the network's own and its broadcast address left out.
    pub fn len(self) -> u64 {
        (1 << (32 - self.prefix)) - 2
    }

    /// Never: the narrowest network has two addresses.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The address with that number, counted from one; numbers beyond [`Self::len`] wrap around.
    pub fn address(self, number: u64) -> Ipv4Addr {
        let offset = (number.wrapping_sub(1) % self.len()) as u32 + 1;
        Ipv4Addr::from(self.base + offset)
    }

    /// Whether an address is in the network.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        let mask = u32::MAX << (32 - self.prefix);
        u32::from(address) & mask == self.base
    }
}

impl FromStr for ServiceNetwork {
    type Err = ServiceNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || ServiceNetworkError(text.to_owned());
        let (address, prefix) = text.split_once('/').ok_or_else(refuse)?;
        let address: Ipv4Addr = address.parse().map_err(|_| refuse())?;
        let prefix: u8 = prefix.parse().map_err(|_| refuse())?;
        if !(PREFIX_MIN..=PREFIX_MAX).contains(&prefix) {
            return Err(refuse());
        }
        let mask = u32::MAX << (32 - prefix);
        Ok(Self {
            base: u32::from(address) & mask,
            prefix,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_number_their_addresses() {
        let network: ServiceNetwork = "10.96.4.7/22".parse().unwrap();
        assert_eq!(network.len(), 1022);
        assert_eq!(network.address(1), Ipv4Addr::new(10, 96, 4, 1));
        assert_eq!(network.address(1022), Ipv4Addr::new(10, 96, 7, 254));
        assert_eq!(network.address(1023), network.address(1));
        assert!(network.contains(Ipv4Addr::new(10, 96, 5, 9)));
        assert!(!network.contains(Ipv4Addr::new(10, 96, 8, 1)));
        for broken in [
            "10.0.0.0",
            "10.0.0.0/8",
            "10.0.0.0/31",
            "fd00::/108",
            "x/16",
            "",
        ] {
            assert!(broken.parse::<ServiceNetwork>().is_err(), "{broken}");
        }
    }
}
