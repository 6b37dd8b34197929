use super::super::{UrlRefused, WebhookPolicy, check_url, is_public};
use std::net::IpAddr;

fn private(network: &str, bits: u8) -> WebhookPolicy {
    WebhookPolicy { allow_http: true, allow_private: vec![(network.parse().unwrap(), bits)] }
}

#[test]
fn addresses_that_are_not_public_are_blocked_in_every_form() {
    let policy = WebhookPolicy { allow_http: true, ..WebhookPolicy::default() };
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0.0.0.0",
        "0",
        "169.254.169.254",
        "10.1.2.3",
        "172.31.255.255",
        "192.168.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "１２７.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[fd00::1]",
        "[fe80::1]",
        "[ff02::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[2001:db8::1]",
        "[3fff::1]",
    ] {
        assert_eq!(check_url(&format!("http://{host}/hook"), &policy), Err(UrlRefused::Blocked), "{host}");
    }
}

#[test]
fn edges_of_closed_networks() {
    for (ip, public) in [
        ("9.255.255.255", true),
        ("11.0.0.0", true),
        ("100.63.255.255", true),
        ("100.127.255.255", false),
        ("100.128.0.0", true),
        ("172.15.255.255", true),
        ("172.16.0.0", false),
        ("172.32.0.0", true),
        ("198.17.255.255", true),
        ("198.19.255.255", false),
        ("198.20.0.0", true),
        ("168.63.129.16", false),
        ("168.63.129.17", true),
        ("100.100.100.200", false),
        ("192.0.0.8", false),
        ("192.0.2.1", false),
        ("192.88.99.1", false),
        ("198.51.100.7", false),
        ("203.0.113.7", false),
        ("223.255.255.255", true),
        ("240.0.0.1", false),
        ("8.8.8.8", true),
        ("2606:4700:4700::1111", true),
        ("2001:4860:4860::8888", true),
        ("::ffff:8.8.8.8", false),
        ("4000::1", false),
    ] {
        assert_eq!(is_public(ip.parse::<IpAddr>().unwrap()), public, "{ip}");
    }
}

#[test]
fn schemes_ports_and_user_information() {
    let strict = WebhookPolicy::default();
    let http = WebhookPolicy { allow_http: true, ..WebhookPolicy::default() };
    for url in ["https://example.org/hook", "https://example.org:8443/", "https://example.org:1024/", "https://8.8.8.8/"] {
        assert!(check_url(url, &strict).is_ok(), "{url}");
    }
    assert!(check_url("http://example.org/hook", &http).is_ok());
    for (url, why) in [
        ("http://example.org/hook", UrlRefused::Scheme),
        ("file:///etc/passwd", UrlRefused::Scheme),
        ("gopher://example.org/", UrlRefused::Scheme),
        ("https://user@example.org/", UrlRefused::UserInfo),
        ("https://user:secret@example.org/", UrlRefused::UserInfo),
        ("https://:secret@example.org/", UrlRefused::UserInfo),
        ("https://example.org:25/", UrlRefused::Port),
        ("https://example.org:80/", UrlRefused::Port),
        ("https://example.org:0/", UrlRefused::Port),
        ("https://example.org:1023/", UrlRefused::Port),
        ("hook", UrlRefused::Malformed),
        ("https://", UrlRefused::Malformed),
        ("https://256.256.256.256/", UrlRefused::Malformed),
        ("https://example.org:99999/", UrlRefused::Malformed),
    ] {
        assert_eq!(check_url(url, &strict), Err(why), "{url}");
    }
}

#[test]
fn an_exception_opens_its_network_only() {
    let policy = private("10.1.0.0", 16);
    assert!(check_url("http://10.1.255.1/", &policy).is_ok());
    assert_eq!(check_url("http://10.2.0.1/", &policy), Err(UrlRefused::Blocked));
    // A mapped form is not what was allowed.
    assert_eq!(check_url("http://[::ffff:10.1.0.1]/", &policy), Err(UrlRefused::Blocked));
    let policy = private("fd00::", 8);
    assert!(check_url("http://[fd12::1]/", &policy).is_ok());
    assert_eq!(check_url("http://[fe80::1]/", &policy), Err(UrlRefused::Blocked));
    assert!(check_url("http://10.0.0.1/", &private("0.0.0.0", 0)).is_ok());
}
