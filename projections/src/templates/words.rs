//! The text of a template as it is looked through. Pure.

use domain::template::{Body, Source};
use domain::values::TemplateKey;

/// Most bytes of one template that are looked through; what its names and its first languages say comes first.
const MOST: usize = 64 * 1024;

/// What is found first: key, name and tags.
pub(super) fn names(key: &TemplateKey, source: &Source) -> String {
    let tags = source.tags.iter().map(String::as_str);
    let words: Vec<&str> = [key.as_str(), &source.name].into_iter().chain(tags).collect();
    words.join(" ").to_lowercase()
}

/// All of it.
pub(super) fn words(key: &TemplateKey, source: &Source) -> String {
    let mut words = names(key, source);
    let bodies = source.locales.iter().flat_map(|localized| &localized.bodies);
    for text in std::iter::once(source.description.as_str()).chain(bodies.flat_map(texts)) {
        if words.len() >= MOST {
            break;
        }
        words.push(' ');
        plain(text, &mut words);
    }
    words
}

fn texts(body: &Body) -> impl Iterator<Item = &str> {
    [&body.title, &body.preheader, &body.text, &body.html, &body.mjml].into_iter().filter_map(Option::as_deref)
}

/// The lower case of what people read: without elements, tags of the template, and runs of blanks.
fn plain(text: &str, words: &mut String) {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '{']) {
        push(&rest[..at], words);
        let tail = &rest[at..];
        let end = [("<", ">"), ("{{", "}}"), ("{%", "%}"), ("{#", "#}")].iter().find_map(|(open, close)| {
            let close = tail.starts_with(open).then(|| tail.find(close).map(|end| end + close.len()));
            close.flatten()
        });
        let end = end.unwrap_or(1);
        words.push(' ');
        rest = &tail[end..];
    }
    push(rest, words);
}

fn push(text: &str, words: &mut String) {
    for word in text.split_whitespace() {
        if words.len() >= MOST {
            return;
        }
        if !words.ends_with(' ') {
            words.push(' ');
        }
        words.push_str(&word.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_left_out_and_what_people_read_stays() {
        let mut words = String::new();
        plain("<p class=\"x\">Hello {{ name }},</p>\n{% if late %}주문이 늦어요{% endif %} 1 < 2 {x} <b", &mut words);
        assert_eq!(words.split_whitespace().collect::<Vec<_>>(), ["hello", ",", "주문이", "늦어요", "1", "2", "x}", "b"]);
    }
}
