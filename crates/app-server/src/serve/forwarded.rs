//! Where a caller is, behind proxies that are trusted to say so.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderValue};
use ipnet::IpNet;

/// Whether this address is one of the trusted proxies.
pub(super) fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|network| network.contains(&address))
}

/// The peer, or what the last trusted proxy says of it: `X-Forwarded-For` is read from its end, where each proxy adds whom it heard,
/// and only past trusted ones. What anybody else wrote there does not count.
pub(super) fn caller_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let mut address = peer.to_canonical();
    let lines: Vec<&HeaderValue> = headers.get_all("x-forwarded-for").iter().collect();
    let hops = lines
        .into_iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(hop);
    for hop in hops {
        match hop {
            Some(hop) if is_trusted(address, trusted) => address = hop,
            _ => break,
        }
    }
    address
}

/// An address, for some proxies with the port that it came from.
fn hop(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?.trim();
    let plain = text.parse::<IpAddr>().ok();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let with_port = || Some(text.parse::<SocketAddr>().ok()?.ip());
    plain
        .or_else(bracketed)
        .or_else(with_port)
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        headers.insert("forwarded", "for=203.0.113.77".parse().unwrap());
        headers.insert("x-real-ip", "203.0.113.77".parse().unwrap());
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        caller_address(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_s_word_about_addresses_counts() {
        let forwarded = ["203.0.113.9, 198.51.100.7"];
        let net = ["10.0.0.0/8"];
        assert_eq!(address("192.0.2.1", &forwarded, &[]), "192.0.2.1");
        assert_eq!(address("192.0.2.1", &forwarded, &net), "192.0.2.1");
        assert_eq!(address("10.9.8.7", &forwarded, &net), "198.51.100.7");
        let both = ["10.0.0.1/32", "198.51.100.0/24"];
        assert_eq!(address("::ffff:10.0.0.1", &forwarded, &both), "203.0.113.9");
        let lines = ["203.0.113.9", "198.51.100.7 ,10.0.0.2"];
        assert_eq!(address("10.0.0.1", &lines, &net), "198.51.100.7");
    }

    #[test]
    fn a_hop_that_is_no_address_ends_the_reading() {
        let net = ["10.0.0.0/8"];
        for nonsense in ["nonsense", "", "unknown", "203.0.113.9, _hidden"] {
            assert_eq!(address("10.0.0.1", &[nonsense], &net), "10.0.0.1");
        }
        for (written, read) in [
            ("203.0.113.9:4711", "203.0.113.9"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(address("10.0.0.1", &[written], &net), read);
        }
    }
}
