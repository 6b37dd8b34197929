//! The recipient's own links in what is rendered: placeholders first, then the links.
//!
//! Rendering stays a function of what was fixed at acceptance, and the n-th tracked link of a mail is the n-th of what
//! is rendered again later; the links themselves are signed when a call is made, and last from then on.

use domain::rendering;
use domain::values::Content;
use std::borrow::Cow;

/// Stands for the link that ends the category. RFC 6761 keeps `.invalid` from ever leading anywhere.
const UNSUBSCRIBE: &str = "https://bongsu.invalid/unsubscribe";
/// Stands for the link to the preferences.
const PREFERENCES: &str = "https://bongsu.invalid/preferences";
/// As HTML says them.
const ESCAPED: [&str; 2] = ["https:&#x2f;&#x2f;bongsu.invalid&#x2f;unsubscribe", "https:&#x2f;&#x2f;bongsu.invalid&#x2f;preferences"];

/// What a template is rendered with, where links can be made at all.
pub fn placeholders(at_hand: bool) -> rendering::Links {
    let link = |text: &str| at_hand.then(|| text.to_owned());
    rendering::Links { unsubscribe: link(UNSUBSCRIBE), preferences: link(PREFERENCES) }
}

/// Whether an address is one of the placeholders.
pub fn is_placeholder(url: &str) -> bool {
    url.starts_with(UNSUBSCRIBE) || url.starts_with(PREFERENCES)
}

/// The content with its links; `link` makes the one that ends the category (`true`) or leads to the preferences.
pub fn filled(content: &Content, link: impl Fn(bool) -> Option<String>) -> Option<Content> {
    let texts = [content.title.as_deref(), Some(content.body.as_str()), content.html.as_deref(), content.data.as_deref()];
    if !texts.into_iter().flatten().any(|text| text.contains("bongsu.invalid")) {
        return None;
    }
    let fill = |text: &str| {
        let mut text = Cow::Borrowed(text);
        for (placeholder, ends) in [(UNSUBSCRIBE, true), (ESCAPED[0], true), (PREFERENCES, false), (ESCAPED[1], false)] {
            if text.contains(placeholder) {
                text = text.replace(placeholder, &link(ends).unwrap_or_default()).into();
            }
        }
        text.into_owned()
    };
    Some(Content {
        title: content.title.as_deref().map(fill),
        body: fill(&content.body),
        html: content.html.as_deref().map(fill),
        data: content.data.as_deref().map(fill),
        ..content.clone()
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn placeholders_become_the_recipients_own_links() {
        let content = Content {
            body: format!("Stop: {UNSUBSCRIBE}"),
            html: Some(format!("<a href=\"{}\">x</a> <a href='{PREFERENCES}'>y</a>", ESCAPED[0])),
            ..Content::default()
        };
        let told = filled(&content, |ends| Some(if ends { "https://n.example/u/1" } else { "https://n.example/p/2" }.to_owned())).unwrap();
        assert_eq!(told.body, "Stop: https://n.example/u/1");
        assert_eq!(told.html.unwrap(), "<a href=\"https://n.example/u/1\">x</a> <a href='https://n.example/p/2'>y</a>");
        assert_eq!(filled(&Content { body: "nothing".to_owned(), ..Content::default() }, |_| None), None);
        assert!(is_placeholder(UNSUBSCRIBE) && is_placeholder(PREFERENCES) && !is_placeholder("https://shop.example/unsubscribe"));
    }
}
