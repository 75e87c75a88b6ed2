//! What a host's name tells about the network that it is in.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What kind of network a host is in, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Network {
    Public,
    Loopback,
    LinkLocal,
    Private,
    /// Unspecified, multicast, or written so that readers disagree about it.
    Unusable,
}

/// The host is `localhost`, of 127/8, or `::1`: exactly these. An IPv6 address may stand in brackets or without.
///
/// ```
/// use chartoci::http::host::is_loopback;
/// assert!(is_loopback("localhost") && is_loopback("127.0.0.9") && is_loopback("[::1]") && is_loopback("::1"));
/// assert!(!is_loopback("127.evil.example") && !is_loopback("localhost.evil.example") && !is_loopback("a.localhost"));
/// ```
pub fn is_loopback(host: &str) -> bool {
    let network = match host.parse::<Ipv6Addr>() {
        Ok(address) => address_network(IpAddr::V6(address)),
        Err(_) => network(host),
    };
    network == Network::Loopback
}

pub(crate) fn network(host: &str) -> Network {
    if let Some(address) = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        return match address.parse::<Ipv6Addr>() {
            Ok(address) => address_network(IpAddr::V6(address)),
            Err(_) => Network::Unusable,
        };
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if host.eq_ignore_ascii_case("localhost") {
        Network::Loopback
    } else if last.is_empty() || last.eq_ignore_ascii_case("localhost") {
        // A trailing dot, or a name below localhost: resolvers disagree.
        Network::Unusable
    } else if last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x") || last.starts_with("0X") {
        // Whatever ends in a number is an address: four plain decimals, or an octal, hexadecimal or short disguise.
        host.parse::<Ipv4Addr>().map_or(Network::Unusable, |address| address_network(IpAddr::V4(address)))
    } else {
        Network::Public
    }
}

fn address_network(address: IpAddr) -> Network {
    match address {
        IpAddr::V4(address) => {
            let shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64;
            if address.is_loopback() {
                Network::Loopback
            } else if address.is_link_local() {
                Network::LinkLocal
            } else if address.is_private() || shared {
                Network::Private
            } else if address.octets()[0] == 0 || address.is_multicast() || address.is_broadcast() {
                Network::Unusable
            } else {
                Network::Public
            }
        }
        IpAddr::V6(address) => {
            let [first, .., high, low] = address.segments();
            if address == Ipv6Addr::LOCALHOST {
                Network::Loopback
            } else if address.is_unspecified() || address.is_multicast() {
                Network::Unusable
            } else if address.segments()[..5] == [0; 5] || address.segments()[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
                // An IPv4 address within (mapped, compatible, NAT64) would be a disguise of a near one.
                let [a, b] = high.to_be_bytes();
                let [c, d] = low.to_be_bytes();
                match address_network(IpAddr::V4(Ipv4Addr::new(a, b, c, d))) {
                    Network::Public => Network::Public,
                    _ => Network::Unusable,
                }
            } else if first & 0xffc0 == 0xfe80 {
                Network::LinkLocal
            } else if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 {
                Network::Private
            } else {
                Network::Public
            }
        }
    }
}
