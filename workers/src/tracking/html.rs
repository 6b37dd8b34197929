//! The links of a mail's HTML, and the HTML with others in their place.
//!
//! Guarantee: reading and rewriting count the same links in the same order, so that the n-th link of
//! what was sent is the n-th of what is kept. Bytes outside of links are not touched, and where the HTML
//! cannot be told apart with certainty it goes out as it is. What counts is what a browser follows: not
//! what stands in comments, scripts and texts, which is why regular expressions were rejected.

use commands::links::TrackedMail;
use commands::templates::is_placeholder;
use lol_html::html_content::{ContentType, Element};
use lol_html::{ElementContentHandlers, RewriteStrSettings, Selector, end, rewrite_str};
use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;
use url::Url;

/// Links that lead through here; those behind lead where they lead, so that no mail outgrows what mail
/// servers take.
const MOST: u16 = 500;

/// What an author writes on a link that is to stay as it is, with the value `off`: such as a link to a page of law, or one that
/// signs somebody in.
const MARK: &str = "data-bongsu-track";

/// Whether an author keeps a link from being tracked.
fn is_excluded(element: &Element<'_, '_>) -> bool {
    element.get_attribute(MARK).is_some_and(|value| value.trim().eq_ignore_ascii_case("off"))
}

/// The HTML without these marks, which are nobody else's business; nothing, where it has none.
pub fn unmarked(html: &str) -> Option<String> {
    // As HTML reads names of attributes.
    if !html.as_bytes().windows(MARK.len()).any(|window| window.eq_ignore_ascii_case(MARK.as_bytes())) {
        return None;
    }
    let marked: Selector = format!("[{MARK}]").parse().ok()?;
    let unmark = ElementContentHandlers::default().element(|element: &mut Element<'_, '_>| {
        element.remove_attribute(MARK);
        Ok(())
    });
    let settings = RewriteStrSettings { element_content_handlers: vec![(Cow::Owned(marked), unmark)], ..RewriteStrSettings::new() };
    rewrite_str(html, settings).ok()
}

/// Where a link leads that a browser would follow over the net; none of others, such as `mailto:`.
fn target(element: &Element<'_, '_>) -> Option<Url> {
    let raw = element.get_attribute("href")?;
    let url = Url::parse(&html_escape::decode_html_entities(&raw)).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// Walks over the links in order; `each` gets a link's number, its target, and the element.
fn walk(html: &str, mut each: impl FnMut(u16, Url, &mut Element<'_, '_>), picture: Option<&str>) -> Option<String> {
    let links: Selector = "a[href], area[href]".parse().ok()?;
    let body: Selector = "body".parse().ok()?;
    let mut next: u16 = 0;
    let placed = Rc::new(Cell::new(picture.is_none()));
    let link = ElementContentHandlers::default().element(|element: &mut Element<'_, '_>| {
        if next < MOST
            && let Some(url) = target(element)
        {
            each(next, url, element);
            next += 1;
        }
        Ok(())
    });
    let mut handlers = vec![(Cow::Owned(links), link)];
    if let Some(picture) = picture {
        let (placed, picture) = (Rc::clone(&placed), picture.to_owned());
        let last = ElementContentHandlers::default().element(move |element: &mut Element<'_, '_>| {
            let (placed, picture) = (Rc::clone(&placed), picture.clone());
            if let Some(ends) = element.end_tag_handlers() {
                ends.push(Box::new(move |tag| {
                    if !placed.replace(true) {
                        tag.before(&picture, ContentType::Html);
                    }
                    Ok(())
                }));
            }
            Ok(())
        });
        handlers.push((Cow::Owned(body), last));
    }
    // Without a `</body>`, which is often left out.
    let at_end = end!(|end| {
        if let Some(picture) = picture.filter(|_| !placed.get()) {
            end.append(picture, ContentType::Html);
        }
        Ok(())
    });
    let settings = RewriteStrSettings { element_content_handlers: handlers, document_content_handlers: vec![at_end], ..RewriteStrSettings::new() };
    rewrite_str(html, settings).ok()
}

/// Where the n-th link leads, from 0.
pub fn nth_link(html: &str, number: u16) -> Option<Url> {
    let mut found = None;
    walk(
        html,
        |at, url, _| {
            if at == number {
                found = Some(url);
            }
        },
        None,
    )?;
    found
}

/// The HTML of a tracked mail; nothing, where it is to go out as it is.
pub fn rewritten(html: &str, mail: &TrackedMail) -> Option<String> {
    let picture = mail.opens.then(|| format!("<img src=\"{}\" width=\"1\" height=\"1\" alt=\"\" style=\"border:0\">", mail.picture()));
    let mut refused = false;
    let rewritten = walk(
        html,
        |number, url, element| {
            if mail.clicks && !is_excluded(element) && !mail.is_ours(url.as_str()) && !is_placeholder(url.as_str()) {
                refused |= element.set_attribute("href", &mail.link(number)).is_err();
            }
        },
        picture.as_deref(),
    )?;
    (!refused).then_some(rewritten)
}
