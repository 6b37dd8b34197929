#![allow(clippy::unwrap_used, missing_docs)]

use super::{Asking, TOO_SOON, is_program, is_too_soon, nth_link, rewritten, tracked};
use commands::links::{LinkSettings, Links, TrackedMail};
use commands::log::MasterKey;
use domain::values::{Content, NotificationId, RecipientId};
use proptest::prelude::*;
use std::sync::Arc;
use uuid::Uuid;

const BASE: &str = "https://n.acme.test";

fn mail(opens: bool, clicks: bool) -> TrackedMail {
    let settings = LinkSettings { base_url: Some(BASE.to_owned()), ..LinkSettings::default() };
    let links = Arc::new(Links::new(&MasterKey::new([7; 32]), settings));
    TrackedMail::of(&links, RecipientId(Uuid::from_u128(1)), NotificationId(Uuid::from_u128(2)), 0, (opens, clicks)).unwrap()
}

fn clicks(html: &str) -> String {
    rewritten(html, &mail(false, true)).unwrap()
}

fn leads(html: &str, number: u16) -> Option<String> {
    nth_link(html, number).map(String::from)
}

#[test]
fn links_lead_through_here_and_on_to_what_the_content_says() {
    let html = "<p><a href=\"https://a.test/?x=1&amp;y=2#z\">a</a> <A class=b HREF='HTTP://B.test/&#x41;'>b</A> <a href=https://c.test/ id=c>c</a></p>";
    let sent = clicks(html);
    for number in 0..3 {
        assert_eq!(sent.matches(&format!("\"{}\"", mail(false, true).link(number))).count(), 1, "{sent}");
    }
    assert!(sent.contains("class=b") && sent.contains("id=c") && !sent.contains(".test/?") && sent.ends_with("</p>"), "{sent}");
    let targets: Vec<_> = (0..4).map(|number| leads(html, number)).collect();
    assert_eq!(targets, [Some("https://a.test/?x=1&y=2#z".to_owned()), Some("http://b.test/A".to_owned()), Some("https://c.test/".to_owned()), None]);
}

#[test]
fn what_a_browser_does_not_follow_over_the_net_is_left_alone() {
    for html in [
        "<a href=\"mailto:a@b.test\">m</a>",
        "<a href=\"tel:+8210\">t</a>",
        "<a href=\"javascript:alert(1)\">j</a>",
        "<a href=\"data:text/html,x\">d</a>",
        "<a href=\"#top\">top</a><a href=\"/relative\">r</a><a href=\"//evil.test/\">s</a>",
        "<a name=\"x\">no target</a><a href>empty</a><a href=\"\">empty</a>",
        "<!-- <a href=\"https://comment.test/\">x</a> -->",
        "<!--[if mso]><a href=\"https://outlook.test/\">x</a><![endif]-->",
        "<script>var a = '<a href=\"https://script.test/\">';</script>",
        "<style>/* <a href=\"https://style.test/\"> */</style>",
        "<textarea><a href=\"https://text.test/\"></textarea>",
        "<title><a href=\"https://title.test/\"></title>",
        "<link href=\"https://sheet.test/\"><img src=\"https://picture.test/\">",
        "<p title='<a href=\"https://attribute.test/\">'>x</p>",
    ] {
        assert_eq!(clicks(html), html);
        assert_eq!(leads(html, 0), None, "{html}");
    }
}

#[test]
fn odd_html_is_read_as_browsers_read_it() {
    for (html, target) in [
        ("<a\nhref\t=\n\"https://a.test/\"\n>x", "https://a.test/"),
        ("<a title=\">\" href=https://a.test/>x", "https://a.test/"),
        ("<a href='https://a.test/' href='https://second.test/'>x", "https://a.test/"),
        ("<a href=\" https://a.test/\n\">x", "https://a.test/"),
        ("<a href=\"https://a.te\nst/\">x", "https://a.test/"),
        ("<p <a href=\"https://no.test/\">x</p><a/href=\"https://a.test/\">x", "https://a.test/"),
        ("</a><a href=\"https://a.test/한글?q=😀\">x", "https://a.test/%ED%95%9C%EA%B8%80?q=%F0%9F%98%80"),
        ("<map><area shape=rect href=\"https://a.test/\"></map>", "https://a.test/"),
        ("<!--[if !mso]><!--><a href=\"https://a.test/\">x</a><!--<![endif]-->", "https://a.test/"),
        ("<a href=\"http://user@a.test:8080/\">x", "http://user@a.test:8080/"),
    ] {
        assert_eq!(leads(html, 0).as_deref(), Some(target), "{html}");
        let sent = clicks(html);
        assert_eq!(sent.matches(&mail(false, true).link(0)).count(), 1, "{html}: {sent}");
    }
}

#[test]
fn our_own_pages_stay_and_count_all_the_same() {
    let html = format!("<a href=\"{BASE}/u/abc\">leave</a><a href=\"{BASE}/p/abc\">choose</a><a href=\"https://shop.test/\">shop</a>");
    let sent = clicks(&html);
    assert!(sent.contains(&format!("{BASE}/u/abc\"")) && sent.contains(&format!("{BASE}/p/abc\"")), "{sent}");
    assert!(sent.contains(&mail(false, true).link(2)) && !sent.contains("shop.test"), "{sent}");
    assert_eq!(leads(&html, 2).as_deref(), Some("https://shop.test/"));
}

#[test]
fn a_link_that_its_author_excludes_stays_and_counts_all_the_same() {
    let html = "<a data-bongsu-track=\"off\" href=\"https://law.test/\">law</a><a DATA-BONGSU-TRACK=' OFF ' href=https://in.test/>in</a><a data-bongsu-track=on href=\"https://shop.test/\">shop</a>";
    let content = Arc::new(Content { html: Some(html.to_owned()), ..Content::default() });
    let sent = tracked(Arc::clone(&content), Some(&mail(false, true))).html.clone().unwrap();
    assert!(sent.contains("<a href=\"https://law.test/\">law") && sent.contains("in.test/") && !sent.contains("shop.test"), "{sent}");
    assert!(sent.contains(&mail(false, true).link(2)) && !sent.to_ascii_lowercase().contains("bongsu-track"), "{sent}");
    assert_eq!(leads(html, 2).as_deref(), Some("https://shop.test/"));
    // The mark is for us only, also where nothing is tracked.
    let plain = tracked(content, None).html.clone().unwrap();
    assert!(plain.contains("https://shop.test/") && !plain.to_ascii_lowercase().contains("bongsu-track"), "{plain}");
}

#[test]
fn the_picture_stands_once_at_the_end() {
    let picture = mail(true, false).picture();
    for (html, behind) in
        [("<html><body><p>x</p></body></html>", "</body></html>"), ("<p>x", ""), ("<body>x", ""), ("<body>a</body><body>b</body>", "</body><body>b</body>")]
    {
        let sent = rewritten(html, &mail(true, false)).unwrap();
        assert_eq!(sent.matches(&picture).count(), 1, "{sent}");
        assert!(sent.ends_with(&format!("border:0\">{behind}")), "{sent}");
    }
    assert!(!clicks("<body>x</body>").contains("<img"));
}

#[test]
fn a_content_that_is_not_tracked_or_has_no_html_is_the_very_same() {
    let plain = Arc::new(Content { body: "https://a.test/".to_owned(), ..Content::default() });
    assert!(Arc::ptr_eq(&tracked(Arc::clone(&plain), Some(&mail(true, true))), &plain));
    let rich = Arc::new(Content { html: Some("<a href=\"https://a.test/\">x</a>".to_owned()), ..Content::clone(&plain) });
    assert!(Arc::ptr_eq(&tracked(Arc::clone(&rich), None), &rich));
    let sent = tracked(Arc::clone(&rich), Some(&mail(true, true)));
    assert!(sent.body == rich.body && sent.html != rich.html);
    assert_eq!(tracked(Arc::clone(&rich), Some(&mail(true, true))), sent);
}

proptest! {
    #[test]
    fn whatever_the_html_every_link_that_was_put_in_leads_on(parts in prop::collection::vec(prop::sample::select(vec![
        "<a href=\"https://a.test/1\">", "<a href='http://b.test/'>", "</a>", "<a href=", "\"", "'", ">", "<", "<!--", "-->", "<script>", "</script>", "<p ", "x", "&amp;",
        "<select>", "<textarea>", "<svg>", "</svg>", "<![CDATA[", "]]>", "<title>", "</title>", "<table><a href=https://c.test>", "<plaintext>", "<template>", "</template>", "</body>", "<body>",
    ]), 0..24)) {
        let html = parts.concat();
        if let Some(sent) = rewritten(&html, &mail(true, true)) {
            for number in 0..24 {
                let link = mail(true, true).link(number);
                if sent.contains(&link) {
                    prop_assert!(nth_link(&html, number).is_some(), "{} in {}", number, html);
                }
            }
        }
    }

    #[test]
    fn html_without_links_is_not_touched(html in "[^<]{0,200}") {
        prop_assert_eq!(rewritten(&html, &mail(false, true)), Some(html));
    }
}

#[test]
fn programs_are_told_from_people_as_far_as_they_say() {
    let program = |agent: Option<&str>| is_program(&Asking { agent, purpose: None });
    for agent in [
        None,
        Some(""),
        Some("Mozilla/5.0"),
        Some("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
        Some("Barracuda Sentinel (EE)"),
        Some("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0 Safari/537.36"),
        Some("Slackbot-LinkExpanding 1.0"),
        Some("python-requests/2.31"),
        Some("facebookexternalhit/1.1; kakaotalk-scrap/1.0"),
    ] {
        assert!(program(agent), "{agent:?}");
    }
    for agent in [
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
        "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Mobile Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0 Safari/537.36",
    ] {
        assert!(!program(Some(agent)), "{agent}");
        assert!(is_program(&Asking { agent: Some(agent), purpose: Some("prefetch;prerender") }), "{agent}");
    }
    assert!(
        is_too_soon(Some(1_000), 1_000) && is_too_soon(Some(1_000), 999 + TOO_SOON) && !is_too_soon(Some(1_000), 1_000 + TOO_SOON) && !is_too_soon(None, 0)
    );
}
