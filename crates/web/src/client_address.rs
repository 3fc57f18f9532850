//! Finds the client's address behind proxies: walks `X-Forwarded-For` or `Forwarded` from the right, past networks that the configuration trusts.
//!
//! Never: an entry that was not written by a trusted proxy. Lists are split from the right, so that a quote that a client left open cannot hide the entry
//! that a proxy appended. `ipnet` parses the networks; ours instead of `axum-client-ip`, which takes the rightmost entry and so fits one proxy only.

use std::net::{IpAddr, Ipv4Addr};

use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Why a trusted network cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// Not an address or network.
    #[error("`{0}` is neither an address nor a network; write for example 10.0.0.10, 10.0.0.0/8 or 2001:db8::/32")]
    Unreadable(String),
    /// The network of all addresses.
    #[error("`{0}` contains every address, so each client could choose its own; name the networks of your proxies")]
    AllAddresses(String),
    /// A network that is too wide for proxies alone.
    #[error(
        "`{0}` is wider than /{1}, so clients in it could choose their own addresses; name the networks of your proxies"
    )]
    TooWide(String, u8),
}

/// Of a trusted IPv4 network.
const IPV4_PREFIX_MIN: u8 = 8;
/// Of a trusted IPv6 network.
const IPV6_PREFIX_MIN: u8 = 16;

/// The networks of trusted proxies: their forwarding headers name the client.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads addresses and networks, separated by commas or blanks; empty items are left out.
    ///
    /// # Errors
    /// [`NetworkError`] with the item that cannot be used.
    pub fn parse<'a>(lists: impl IntoIterator<Item = &'a str>) -> Result<Self, NetworkError> {
        let items = lists.into_iter().flat_map(|list| list.split([',', ' ', '\t', '\r', '\n']));
        items.filter(|item| !item.is_empty()).map(network).collect::<Result<_, _>>().map(Self)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

fn network(text: &str) -> Result<IpNet, NetworkError> {
    let unreadable = || NetworkError::Unreadable(text.to_owned());
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    let network = match bare.parse::<IpNet>() {
        Ok(network) => network,
        Err(_) => IpNet::from(bare.parse::<IpAddr>().map_err(|_| unreadable())?),
    };
    let canonical = match network {
        IpNet::V6(six) => match (six.addr().to_ipv4_mapped(), six.prefix_len().checked_sub(96)) {
            (Some(four), Some(prefix)) => IpNet::V4(Ipv4Net::new(four, prefix).map_err(|_| unreadable())?),
            _ => network,
        },
        IpNet::V4(_) => network,
    };
    let mapped = IpAddr::V6(Ipv4Addr::UNSPECIFIED.to_ipv6_mapped());
    let contains_ipv4 = matches!(canonical, IpNet::V6(_)) && canonical.contains(&mapped);
    if canonical.prefix_len() == 0 || contains_ipv4 {
        return Err(NetworkError::AllAddresses(text.to_owned()));
    }
    let prefix_min = if matches!(canonical, IpNet::V4(_)) { IPV4_PREFIX_MIN } else { IPV6_PREFIX_MIN };
    if canonical.prefix_len() < prefix_min {
        return Err(NetworkError::TooWide(text.to_owned(), prefix_min));
    }
    Ok(canonical)
}

/// The header in which trusted proxies name the client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ForwardingHeader {
    /// Whichever is present. Where both are and they disagree, one of them was written by the client, and the proxy's own address counts.
    #[default]
    Any,
    /// `X-Forwarded-For` alone.
    XForwardedFor,
    /// `Forwarded` (RFC 7239) alone.
    Forwarded,
}

impl std::str::FromStr for ForwardingHeader {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.trim().to_ascii_lowercase().as_str() {
            "any" => Ok(Self::Any),
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("must be \"any\", \"x-forwarded-for\" or \"forwarded\""),
        }
    }
}

/// How client addresses are found and counted.
#[derive(Debug, Clone)]
pub struct AddressRules {
    /// The trusted proxies.
    pub trusted_proxies: TrustedProxies,
    /// The header that they write.
    pub header: ForwardingHeader,
    /// The bits of an IPv6 address that distinguish clients, since one customer has a whole network.
    pub ipv6_prefix_length: u8,
}

impl AddressRules {
    /// The address by which limits count a request that came from `peer`.
    #[must_use]
    pub fn counted(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        match self.client(peer.to_canonical(), headers) {
            IpAddr::V6(six) => {
                let network = Ipv6Net::new(six, self.ipv6_prefix_length).map(|network| network.network());
                IpAddr::V6(network.unwrap_or(six))
            }
            four @ IpAddr::V4(_) => four,
        }
    }

    /// The address by which limits count a connection; none where a proxy made it, which speaks for many.
    #[must_use]
    pub fn connection(&self, peer: IpAddr) -> Option<IpAddr> {
        (!self.trusted_proxies.contains(peer.to_canonical())).then(|| self.counted(peer, &HeaderMap::new()))
    }

    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusted_proxies.contains(peer) {
            return peer;
        }
        let by_list = || self.walk(peer, entries(headers, "x-forwarded-for").map(address_of));
        let by_forwarded = || self.walk(peer, entries(headers, "forwarded").map(forwarded_for));
        match self.header {
            ForwardingHeader::XForwardedFor => by_list(),
            ForwardingHeader::Forwarded => by_forwarded(),
            ForwardingHeader::Any => {
                match (headers.contains_key("x-forwarded-for"), headers.contains_key("forwarded")) {
                    (_, false) => by_list(),
                    (false, true) => by_forwarded(),
                    (true, true) => {
                        let (one, other) = (by_list(), by_forwarded());
                        if one == other { one } else { peer }
                    }
                }
            }
        }
    }

    /// The first hop from the right that is no trusted proxy; an entry without an address ends the walk at the proxy that wrote it.
    fn walk(&self, peer: IpAddr, entries: impl Iterator<Item = Option<IpAddr>>) -> IpAddr {
        let mut hop = peer;
        for entry in entries {
            match entry {
                Some(before) if self.trusted_proxies.contains(hop) => hop = before,
                Some(_) | None => break,
            }
        }
        hop
    }
}

/// The entries of all lines of a header from the last to the first; empty ones are left out.
fn entries<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).into_iter().rev();
    lines
        .flat_map(|line| FromRight { rest: Some(line.as_bytes()), separator: b',' })
        .map(<[u8]>::trim_ascii)
        .filter(|entry| !entry.is_empty())
}

/// Splits from the right at a separator that is not quoted.
struct FromRight<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Iterator for FromRight<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.take()?;
        let mut quoted = false;
        for (at, byte) in rest.iter().enumerate().rev() {
            if *byte == b'"' {
                let escapes = rest[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
                quoted ^= escapes % 2 == 0;
            } else if *byte == self.separator && !quoted {
                self.rest = Some(&rest[..at]);
                return Some(&rest[at + 1..]);
            }
        }
        Some(rest)
    }
}

/// The address of an entry of `X-Forwarded-For`.
fn address_of(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let text = text.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(text).trim();
    let bare = match text.strip_prefix('[') {
        Some(inner) => {
            let (address, port) = inner.split_once(']')?;
            (port.is_empty() || port.starts_with(':')).then_some(address)?
        }
        // One colon: an IPv4 address with a port. More: an IPv6 address.
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => address,
            Some(_) | None => text,
        },
    };
    let without_zone = bare.split_once('%').map_or(bare, |(address, _zone)| address);
    without_zone.trim().parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The address of an element of `Forwarded`.
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    FromRight { rest: Some(element), separator: b';' }.find_map(|pair| {
        let at = pair.iter().position(|byte| *byte == b'=')?;
        pair[..at].trim_ascii().eq_ignore_ascii_case(b"for").then(|| address_of(&pair[at + 1..]))
    })?
}

#[cfg(test)]
mod tests;
