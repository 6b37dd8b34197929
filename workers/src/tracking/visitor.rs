//! Whether a person asked, or a program on its own account.
//!
//! A guess, from what the request says of itself: a report counts people and programs apart, and nothing
//! is decided by it that a wrong guess could spoil. Told apart as programs: scanners and previews by their
//! names; Apple's Mail Privacy Protection, which fetches every picture whether or not the mail is opened
//! and calls itself `Mozilla/5.0` and no more; what says that it fetches ahead; what comes without a name;
//! and whatever comes within [`TOO_SOON`] of the sending, before anybody can have read. Told as people: the
//! picture proxies of Gmail and Yahoo, which fetch when somebody opens the mail.

use domain::values::Millis;

/// So soon after it was sent (ms), nobody has read it.
pub const TOO_SOON: Millis = 3_000;

/// What picture proxies that fetch for a reader call themselves.
const PROXIES: [&str; 2] = ["googleimageproxy", "yahoomailproxy"];

/// Parts of the names of programs, in lower case.
const PROGRAMS: [&str; 38] = [
    "bot",
    "crawl",
    "spider",
    "preview",
    "scan",
    "proofpoint",
    "mimecast",
    "barracuda",
    "symantec",
    "messagelabs",
    "trendmicro",
    "sophos",
    "fireeye",
    "fortinet",
    "zscaler",
    "cloudmark",
    "safelinks",
    "urldefense",
    "headless",
    "phantomjs",
    "puppeteer",
    "playwright",
    "facebookexternalhit",
    "whatsapp",
    "kakaotalk-scrap",
    "slack-imgproxy",
    "skypeuripreview",
    "curl/",
    "wget/",
    "python",
    "go-http-client",
    "java/",
    "okhttp",
    "apache-httpclient",
    "libwww",
    "axios/",
    "node-fetch",
    "ruby",
];

/// What a request says of who makes it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asking<'a> {
    /// `User-Agent`.
    pub agent: Option<&'a str>,
    /// `Sec-Purpose`, `Purpose` or `X-Moz`: says whether it is fetched ahead.
    pub purpose: Option<&'a str>,
}

/// Whether it is a program, as far as the request tells.
pub fn is_program(asking: &Asking<'_>) -> bool {
    if asking.purpose.is_some_and(|purpose| ["prefetch", "prerender", "preview"].iter().any(|ahead| purpose.to_ascii_lowercase().contains(ahead))) {
        return true;
    }
    // A maker of telephones, which name it.
    let agent = asking.agent.unwrap_or_default().trim().to_ascii_lowercase().replace("cubot", "");
    if PROXIES.iter().any(|proxy| agent.contains(proxy)) {
        return false;
    }
    agent.is_empty() || agent == "mozilla/5.0" || PROGRAMS.iter().any(|program| agent.contains(program))
}

/// Whether it came sooner than anybody reads.
pub const fn is_too_soon(sent: Option<Millis>, now: Millis) -> bool {
    matches!(sent, Some(sent) if now < sent + TOO_SOON)
}
