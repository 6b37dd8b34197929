//! From which address a request comes: the connection's other end, unless that is a proxy of ours.

use crate::config::providers::Network;
use axum::http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The other end of the connection; set on every request by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// The caller's address: the last one in `X-Forwarded-For` that is not of our proxies, and only where
/// our proxies handed it over. What stands before it was written by the caller.
pub(in crate::http) fn address(headers: &HeaderMap, peer: Option<Peer>, proxies: &[Network]) -> Option<IpAddr> {
    let ours = |address: IpAddr| proxies.iter().any(|network| network.holds(address));
    let mut address = peer?.0.ip();
    if !ours(address) {
        return Some(address);
    }
    let lines: Vec<&str> = headers.get_all("x-forwarded-for").iter().filter_map(|line| line.to_str().ok()).collect();
    for told in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        let Ok(told) = told.trim().parse() else { break };
        address = told;
        if !ours(address) {
            break;
        }
    }
    Some(address)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::{Peer, address};
    use crate::config::providers::Network;
    use axum::http::HeaderMap;

    fn seen(peer: &str, lines: &[&str]) -> String {
        let proxies = [Network { address: "10.0.0.0".parse().unwrap(), prefix: 8 }, Network { address: "fd00::".parse().unwrap(), prefix: 16 }];
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        address(&headers, Some(Peer(peer.parse().unwrap())), &proxies).unwrap().to_string()
    }

    #[test]
    fn only_our_proxies_are_believed_and_only_their_own_word() {
        assert_eq!(seen("192.0.2.1:5", &["198.51.100.7"]), "192.0.2.1", "a caller says what it likes");
        assert_eq!(seen("10.1.1.1:5", &["203.0.113.9, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(seen("10.1.1.1:5", &["203.0.113.9", "198.51.100.7, 10.2.2.2"]), "198.51.100.7", "two proxies");
        assert_eq!(seen("[fd00::1]:5", &["2001:db8::7"]), "2001:db8::7");
        assert_eq!(seen("10.1.1.1:5", &[]), "10.1.1.1");
        assert_eq!(seen("10.1.1.1:5", &["198.51.100.7, unknown"]), "10.1.1.1");
    }
}
