//! Addresses and ranges: `ip("10.0.0.1")`, `cidr("10.0.0.0/8")`.
//!
//! # Source
//! kubernetes/apiserver `pkg/cel/library/{ip,cidr}.go`: addresses are Go's `netip`, without zones
//! and without IPv4 inside IPv6.

use std::fmt;
use std::net::IpAddr;

use super::{Function, Outcome, global, member, no_overload, text};
use crate::cost::Cost;
use crate::{EvalErrorKind, Shape, Value};

const IP: &[&str] = &["net.IP"];
const CIDR: &[&str] = &["net.CIDR"];

pub(super) static FUNCTIONS: &[Function] = &[
    global("ip", (1, 1), Cost::Traverse, Shape::Named("net.IP"), |a| {
        parse_ip(text(&a[0])?).map(Value::Ip)
    }),
    global("isIP", (1, 1), Cost::Traverse, Shape::Bool, |a| {
        Ok(Value::Bool(parse_ip(text(&a[0])?).is_ok()))
    }),
    global("ip.isCanonical", (1, 1), Cost::Traverse, Shape::Bool, |a| {
        let written = text(&a[0])?;
        Ok(Value::Bool(parse_ip(written)?.to_string() == written))
    }),
    global(
        "cidr",
        (1, 1),
        Cost::Traverse,
        Shape::Named("net.CIDR"),
        |a| parse_cidr(text(&a[0])?).map(Value::Cidr),
    ),
    global("isCIDR", (1, 1), Cost::Traverse, Shape::Bool, |a| {
        Ok(Value::Bool(parse_cidr(text(&a[0])?).is_ok()))
    }),
    member("family", (1, 1), IP, Cost::One, Shape::Int, |a| {
        match &a[0] {
            Value::Ip(IpAddr::V4(_)) => Ok(Value::Int(4)),
            Value::Ip(IpAddr::V6(_)) => Ok(Value::Int(6)),
            _ => no_overload(),
        }
    }),
    member("isUnspecified", (1, 1), IP, Cost::One, Shape::Bool, |a| {
        test(a, |ip| ip.is_unspecified())
    }),
    member("isLoopback", (1, 1), IP, Cost::One, Shape::Bool, |a| {
        test(a, |ip| ip.is_loopback())
    }),
    member(
        "isLinkLocalMulticast",
        (1, 1),
        IP,
        Cost::One,
        Shape::Bool,
        |a| test(a, link_local_multicast),
    ),
    member(
        "isLinkLocalUnicast",
        (1, 1),
        IP,
        Cost::One,
        Shape::Bool,
        |a| test(a, link_local_unicast),
    ),
    member("isGlobalUnicast", (1, 1), IP, Cost::One, Shape::Bool, |a| {
        test(a, |ip| {
            !ip.is_unspecified()
                && !ip.is_loopback()
                && !ip.is_multicast()
                && !link_local_unicast(ip)
                && *ip != IpAddr::from([255, 255, 255, 255])
        })
    }),
    member("ip", (1, 1), CIDR, Cost::One, Shape::Named("net.IP"), |a| {
        Ok(Value::Ip(cidr(&a[0])?.address))
    }),
    member("prefixLength", (1, 1), CIDR, Cost::One, Shape::Int, |a| {
        Ok(Value::Int(i64::from(cidr(&a[0])?.prefix)))
    }),
    member(
        "masked",
        (1, 1),
        CIDR,
        Cost::One,
        Shape::Named("net.CIDR"),
        |a| Ok(Value::Cidr(cidr(&a[0])?.masked())),
    ),
    member(
        "containsIP",
        (2, 2),
        CIDR,
        Cost::Traverse,
        Shape::Bool,
        |a| {
            let ip = match &a[1] {
                Value::Ip(ip) => *ip,
                value => parse_ip(text(value)?)?,
            };
            Ok(Value::Bool(cidr(&a[0])?.contains(ip)))
        },
    ),
    member(
        "containsCIDR",
        (2, 2),
        CIDR,
        Cost::Traverse,
        Shape::Bool,
        |a| {
            let other = match &a[1] {
                Value::Cidr(cidr) => *cidr,
                value => parse_cidr(text(value)?)?,
            };
            let own = cidr(&a[0])?;
            Ok(Value::Bool(
                own.prefix <= other.prefix && own.contains(other.address),
            ))
        },
    ),
];

/// A range of addresses, its address kept as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    /// An address inside.
    pub address: IpAddr,
    /// Leading bits all addresses share.
    pub prefix: u8,
}

impl Cidr {
    fn bits(address: IpAddr) -> (u128, u32) {
        match address {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)), 32),
            IpAddr::V6(ip) => (u128::from(ip), 128),
        }
    }

    /// The address with all bits after the prefix cleared.
    fn network(&self, address: IpAddr) -> u128 {
        let (bits, width) = Self::bits(address);
        let host = width - u32::from(self.prefix);
        bits.checked_shr(host).unwrap_or(0)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4()
            && self.network(self.address) == self.network(address)
    }

    fn masked(&self) -> Self {
        let (_, width) = Self::bits(self.address);
        let host = width - u32::from(self.prefix);
        let bits = self.network(self.address).checked_shl(host).unwrap_or(0);
        let address = match self.address {
            IpAddr::V4(_) => IpAddr::from((bits as u32).to_be_bytes()),
            IpAddr::V6(_) => IpAddr::from(bits.to_be_bytes()),
        };
        Self { address, ..*self }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn parse_ip(text: &str) -> Result<IpAddr, EvalErrorKind> {
    if text.contains('%') {
        return Err(format!("IP address {text:?} with zone value is not allowed").into());
    }
    let ip: IpAddr = text.parse().map_err(|_| {
        EvalErrorKind::from(format!(
            "IP Address {text:?} parse error during conversion from string: ParseAddr({text:?}): unable to parse IP"
        ))
    })?;
    match ip {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed").into())
        }
        ip => Ok(ip),
    }
}

fn parse_cidr(text: &str) -> Result<Cidr, EvalErrorKind> {
    let invalid = || {
        EvalErrorKind::from(format!(
            "network address parse error during conversion from string: netip.ParsePrefix({text:?}): no '/'"
        ))
    };
    let (address, prefix) = text.split_once('/').ok_or_else(invalid)?;
    let address = parse_ip(address)?;
    let width = if address.is_ipv4() { 32 } else { 128 };
    let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = prefix.len() > 1 && prefix.starts_with('0');
    let prefix = prefix
        .parse::<u8>()
        .ok()
        .filter(|prefix| digits && !leading_zero && *prefix <= width);
    let prefix = prefix.ok_or_else(|| {
        EvalErrorKind::from(format!(
            "network address parse error during conversion from string: netip.ParsePrefix({text:?}): bad bits after slash"
        ))
    })?;
    Ok(Cidr { address, prefix })
}

fn cidr(value: &Value) -> Result<&Cidr, EvalErrorKind> {
    match value {
        Value::Cidr(cidr) => Ok(cidr),
        _ => Err(EvalErrorKind::NoSuchOverload),
    }
}

fn test(a: &[Value], holds: fn(&IpAddr) -> bool) -> Outcome {
    match &a[0] {
        Value::Ip(ip) => Ok(Value::Bool(holds(ip))),
        _ => no_overload(),
    }
}

fn link_local_multicast(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
    }
}

fn link_local_unicast(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}
