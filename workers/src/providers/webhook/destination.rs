//! Which URLs and addresses a webhook may go to.
//!
//! Guarantee: without an exception in the policy, only addresses of the public internet pass. For IPv6
//! that is an allow-list (the global unicast block without its special parts), so a block assigned
//! tomorrow is closed. Rejected: checking the text of the host, which misses decimal, octal and mapped
//! forms; the URL parser turns those into addresses first (WHATWG URL, section 3.5).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, Url};

/// What the operator allows beyond `https` to public addresses.
#[derive(Debug, Clone, Default)]
pub struct WebhookPolicy {
    /// Also `http`, for development.
    pub allow_http: bool,
    /// Networks that are allowed though they are not public: address and prefix length in bits.
    pub allow_private: Vec<(IpAddr, u8)>,
}

impl WebhookPolicy {
    /// Whether a connection to this address may be made.
    pub fn permits(&self, ip: IpAddr) -> bool {
        is_public(ip) || self.allow_private.iter().any(|(network, bits)| is_within(ip, *network, *bits))
    }
}

/// Why a URL is not taken as a webhook's address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// Not a URL with a host.
    #[error("the address is not a URL; give one like https://example.org/hook")]
    Malformed,
    /// Neither `https` nor an allowed `http`.
    #[error("the URL's scheme is not allowed; use https")]
    Scheme,
    /// Name or password before the host.
    #[error("the URL holds a user name or password; remove it, calls are signed instead")]
    UserInfo,
    /// A port of another service.
    #[error("the URL's port is not allowed; use 443, 8443 or one from 1024")]
    Port,
    /// An address that is not public.
    #[error("DESTINATION_BLOCKED: the URL's address is not public; use one that is, or have it allowed in the server's settings")]
    Blocked,
}

impl UrlRefused {
    /// Stable short code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Blocked => "DESTINATION_BLOCKED",
            Self::Malformed | Self::Scheme | Self::UserInfo | Self::Port => "INVALID_URL",
        }
    }
}

/// Checks a webhook's URL as far as that goes without resolving its name: scheme, port, user
/// information and addresses written out in any form.
///
/// # Errors
/// What is wrong with it.
pub fn check_url(text: &str, policy: &WebhookPolicy) -> Result<Url, UrlRefused> {
    let url = Url::parse(text).map_err(|_| UrlRefused::Malformed)?;
    let plain = match url.scheme() {
        "https" => false,
        "http" if policy.allow_http => true,
        _ => return Err(UrlRefused::Scheme),
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(UrlRefused::UserInfo);
    }
    match url.port_or_known_default() {
        Some(443 | 8_443 | 1_024..) => {}
        Some(80) if plain => {}
        _ => return Err(UrlRefused::Port),
    }
    let ip = match url.host() {
        None => return Err(UrlRefused::Malformed),
        // The resolver checks what the name leads to.
        Some(Host::Domain(_)) => return Ok(url),
        Some(Host::Ipv4(ip)) => IpAddr::V4(ip),
        Some(Host::Ipv6(ip)) => IpAddr::V6(ip),
    };
    if policy.permits(ip) { Ok(url) } else { Err(UrlRefused::Blocked) }
}

/// Whether an address belongs to the public internet (IANA special-purpose registries,
/// RFC 6890). Forms that carry an IPv4 address within an IPv6 one never do.
pub fn is_public(ip: IpAddr) -> bool {
    let closed: &[(IpAddr, u8)] = match ip {
        IpAddr::V4(_) => &CLOSED_V4,
        // Outside 2000::/3: loopback, v4-mapped, NAT64, unique local, link-local, multicast.
        IpAddr::V6(_) if !is_within(ip, v6(0x2000, 0, 0), 3) => return false,
        IpAddr::V6(_) => &CLOSED_V6,
    };
    !closed.iter().any(|(network, bits)| is_within(ip, *network, *bits))
}

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(a: u16, b: u16, c: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
}

const CLOSED_V4: [(IpAddr, u8); 16] = [
    (v4(0, 0, 0, 0), 8),
    (v4(10, 0, 0, 0), 8),
    // Carrier-grade NAT.
    (v4(100, 64, 0, 0), 10),
    (v4(127, 0, 0, 0), 8),
    // Azure's own host, answered from within its machines only: metadata and credentials.
    (v4(168, 63, 129, 16), 32),
    // Link-local, with the clouds' metadata.
    (v4(169, 254, 0, 0), 16),
    (v4(172, 16, 0, 0), 12),
    (v4(192, 0, 0, 0), 24),
    (v4(192, 0, 2, 0), 24),
    // 6to4 relays.
    (v4(192, 88, 99, 0), 24),
    (v4(192, 168, 0, 0), 16),
    (v4(198, 18, 0, 0), 15),
    (v4(198, 51, 100, 0), 24),
    (v4(203, 0, 113, 0), 24),
    // Multicast.
    (v4(224, 0, 0, 0), 4),
    // Reserved, with broadcast.
    (v4(240, 0, 0, 0), 4),
];

const CLOSED_V6: [(IpAddr, u8); 4] = [
    // Protocol assignments, with Teredo.
    (v6(0x2001, 0, 0), 23),
    (v6(0x2001, 0xdb8, 0), 32),
    // 6to4.
    (v6(0x2002, 0, 0), 16),
    // Documentation.
    (v6(0x3fff, 0, 0), 20),
];

fn is_within(ip: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let host = 32_u32.saturating_sub(u32::from(bits));
            (u32::from(ip) ^ u32::from(network)).checked_shr(host).unwrap_or(0) == 0
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let host = 128_u32.saturating_sub(u32::from(bits));
            (u128::from(ip) ^ u128::from(network)).checked_shr(host).unwrap_or(0) == 0
        }
        _ => false,
    }
}
