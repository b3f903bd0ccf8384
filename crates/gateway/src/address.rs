//! Whose request it is, as far as limits go: the peer's address, or what a proxy that we trust says of it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use actix_web::HttpRequest;
use serde::{Deserialize, Serialize};

/// A network, for example `10.0.0.0/8` or `::1/128`. An address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cidr {
    bits: u128,
    prefix: u32,
}

/// IPv4 lives at the end of IPv6's `::ffff:0:0/96`, so one comparison serves both.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or(0)
}

impl Cidr {
    /// Is that the whole internet?
    pub fn is_everybody(&self) -> bool {
        self.prefix == 0 || (self.prefix == 96 && self.contains(std::net::Ipv4Addr::UNSPECIFIED.into()))
    }

    /// Is the address inside?
    pub fn contains(&self, address: IpAddr) -> bool {
        bits(address) & mask(self.prefix) == self.bits
    }
}

impl FromStr for Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a network like 10.0.0.0/8");
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let (longest, above) = if address.is_ipv4() { (32, 96) } else { (128, 0) };
        let prefix = prefix.unwrap_or(longest);
        if prefix > longest {
            return Err(wrong());
        }
        let prefix = prefix + above;
        Ok(Self { bits: bits(address) & mask(prefix), prefix })
    }
}

impl TryFrom<String> for Cidr {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Cidr> for String {
    fn from(Cidr { bits, prefix }: Cidr) -> Self {
        let address = Ipv6Addr::from_bits(bits);
        match (address.to_ipv4_mapped(), prefix.checked_sub(96)) {
            (Some(v4), Some(prefix)) => format!("{v4}/{prefix}"),
            _ => format!("{address}/{prefix}"),
        }
    }
}

/// What a limit on addresses counts: an IPv4 address, or the /64 that one IPv6 customer usually has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin(u128);

impl Origin {
    /// The origin of a request.
    pub fn of(request: &HttpRequest, trusted: &[Cidr]) -> Self {
        let peer = request.peer_addr().map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.ip());
        let hops = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
        Self::from_address(client(peer, hops, trusted))
    }

    /// Of this address.
    pub fn from_address(address: IpAddr) -> Self {
        match address.to_canonical() {
            v4 @ IpAddr::V4(_) => Self(bits(v4)),
            IpAddr::V6(v6) => Self(v6.to_bits() & mask(64)),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ipv6Addr::from_bits(self.0).to_canonical().fmt(f)
    }
}

/// Does a proxy that we trust say that its client came over TLS? Its last word counts: what stands left of it was
/// written by others.
pub fn came_over_tls(request: &HttpRequest, trusted: &[Cidr]) -> bool {
    let peer = request.peer_addr().map(|peer| peer.ip());
    let is_trusted = peer.is_some_and(|peer| trusted.iter().any(|network| network.contains(peer)));
    let last = request.headers().get_all("x-forwarded-proto").last().and_then(|value| value.to_str().ok());
    let last = last.and_then(|value| value.rsplit(',').next());
    is_trusted && last.is_some_and(|proto| proto.trim().eq_ignore_ascii_case("https"))
}

/// The peer, unless it is a trusted proxy: then the rightmost hop that is not one. Whatever stands left of that was
/// written by the client and proves nothing.
fn client<'a>(peer: IpAddr, headers: impl Iterator<Item = &'a str>, trusted: &[Cidr]) -> IpAddr {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    if !is_trusted(peer) {
        return peer;
    }
    let hops: Vec<&str> = headers.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer;
    for hop in hops.into_iter().rev() {
        let Ok(address) = hop.parse::<IpAddr>() else { break };
        client = address;
        if !is_trusted(address) {
            break;
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use actix_web::test::TestRequest;

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_contains_its_addresses_and_no_others() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.9", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1/128", "::1", "::2"),
        ] {
            let network: Cidr = network.parse().unwrap();
            assert!(network.contains(ip(inside)), "{network:?} {inside}");
            assert!(!network.contains(ip(outside)), "{network:?} {outside}");
            assert_eq!(String::from(network).parse(), Ok(network));
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Cidr>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_a_trusted_proxy_is_believed_and_only_its_last_word() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let whose = |peer: &str, header: &str| client(ip(peer), [header].into_iter(), &trusted);
        assert_eq!(whose("203.0.113.9", "192.0.2.1"), ip("203.0.113.9"), "an unknown peer may write what it likes");
        assert_eq!(whose("10.0.0.1", "6.6.6.6, 192.0.2.1"), ip("192.0.2.1"), "the leftmost was written by the client");
        assert_eq!(whose("10.0.0.1", "6.6.6.6, 192.0.2.1, 10.0.0.2"), ip("192.0.2.1"));
        assert_eq!(whose("10.0.0.1", "192.0.2.1, nonsense"), ip("10.0.0.1"));
        assert_eq!(whose("10.0.0.1", ""), ip("10.0.0.1"));
        assert_eq!(whose("10.0.0.1", "10.0.0.3"), ip("10.0.0.3"));
    }

    /// H8.
    #[test]
    fn what_an_unknown_peer_writes_does_not_choose_the_key() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let of = |peer: &str, header: &str, n: u32| {
            let said = format!("{}, 192.0.2.1", Ipv4Addr::from_bits(n.wrapping_mul(2_654_435_761)));
            let forwarded = format!("for={said};proto=https");
            let request = TestRequest::default().peer_addr((ip(peer), 4711).into());
            let request = request.insert_header(("forwarded", forwarded)).insert_header((header, said));
            Origin::of(&request.to_http_request(), &trusted)
        };
        let distinct = |peer: &str, header: &str, count: u32| {
            (0..count).map(|n| of(peer, header, n)).collect::<std::collections::HashSet<_>>()
        };
        let peer = Origin::from_address(ip("203.0.113.9"));
        assert_eq!(distinct("203.0.113.9", "x-forwarded-for", 100_000), [peer].into());
        assert_eq!(distinct("203.0.113.9", "x-real-ip", 100), [peer].into());
        let client = Origin::from_address(ip("192.0.2.1"));
        assert_eq!(distinct("10.0.0.1", "x-forwarded-for", 100), [client].into(), "nor what it wrote to our proxy");
    }

    #[test]
    fn only_a_trusted_proxy_says_that_a_client_came_over_tls() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let says = |peer: &str, said: &str| {
            let request = TestRequest::default().peer_addr((ip(peer), 4711).into());
            came_over_tls(&request.insert_header(("x-forwarded-proto", said)).to_http_request(), &trusted)
        };
        assert!(says("10.0.0.1", "https") && says("10.0.0.1", "http, HTTPS"));
        assert!(!says("203.0.113.9", "https") && !says("10.0.0.1", "http") && !says("10.0.0.1", "https, http"));
        assert!(!came_over_tls(&TestRequest::default().to_http_request(), &trusted));
    }

    #[test]
    fn one_customer_is_one_origin() {
        let origin = |text: &str| Origin::from_address(ip(text));
        assert_eq!(origin("2001:db8:1:2::1"), origin("2001:db8:1:2:ffff::9"));
        assert_ne!(origin("2001:db8:1:2::1"), origin("2001:db8:1:3::1"));
        assert_ne!(origin("192.0.2.1"), origin("192.0.2.2"));
        assert_eq!(origin("::ffff:192.0.2.1"), origin("192.0.2.1"));
    }
}
