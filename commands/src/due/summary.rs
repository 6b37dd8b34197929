//! The words of a digest's summary: how many, one line for each that is listed, and how many more. Pure.
//!
//! In the recipient's language, where that is one of ours. Templates of the sender's own replace these
//! words where there are any; a digest without one says what it can.

use domain::category::Category;
use domain::values::Content;

/// Most characters of a line.
const LINE: usize = 200;
/// About the most bytes of all lines: what comes after is counted only.
const MOST_BYTES: usize = 256 * 1_024;

/// See the module.
pub(super) struct Summary<'a> {
    category: &'a Category,
    korean: bool,
    lines: String,
    listed: usize,
    more: usize,
}

impl<'a> Summary<'a> {
    /// Of nothing yet.
    pub(super) fn new(category: &'a Category, locale: Option<&str>) -> Self {
        let language = locale.and_then(|locale| locale.split(['-', '_']).next());
        let korean = language.is_some_and(|language| language.eq_ignore_ascii_case("ko"));
        Self { category, korean, lines: String::new(), listed: 0, more: 0 }
    }

    /// Whether further ones are counted only.
    pub(super) const fn is_full(&self) -> bool {
        self.lines.len() >= MOST_BYTES
    }

    /// Lists one.
    pub(super) fn add(&mut self, content: &Content) {
        let texts = [content.title.as_deref(), Some(content.body.as_str())].into_iter().flatten().filter(|_| !self.is_full());
        match texts.map(line).find(|line| !line.is_empty()) {
            Some(line) => {
                if self.listed > 0 {
                    self.lines.push('\n');
                }
                self.lines.push_str(&line);
                self.listed += 1;
            }
            None => self.count(1),
        }
    }

    /// Counts some that cannot be listed.
    pub(super) const fn count(&mut self, some: usize) {
        self.more = self.more.saturating_add(some);
    }

    /// The words.
    pub(super) fn content(self) -> Content {
        let total = self.listed.saturating_add(self.more);
        let name = if self.category.name.is_empty() { self.category.key.as_str() } else { &self.category.name };
        let how_many = match (self.korean, total) {
            (true, _) => format!("알림 {total}건"),
            (false, 1) => "1 notification".to_owned(),
            (false, _) => format!("{total} notifications"),
        };
        let body = match (self.listed, self.more) {
            (0, _) => how_many.clone(),
            (_, 0) => self.lines,
            (_, more) if self.korean => format!("{}\n외 {more}건", self.lines),
            (_, more) => format!("{}\nand {more} more", self.lines),
        };
        Content { title: Some(format!("{name}: {how_many}")), body, ..Content::default() }
    }
}

/// The beginning of a text, on one line.
fn line(text: &str) -> String {
    let mut line = String::new();
    let (mut count, mut gap) = (0, false);
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = count > 0;
            continue;
        }
        if count + usize::from(gap) >= LINE {
            line.pop();
            line.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            line.push(' ');
            count += 1;
        }
        line.push(character);
        count += 1;
    }
    line
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::{LINE, Summary};
    use domain::category::Category;
    use domain::values::Content;

    fn said(locale: Option<&str>, items: &[Content], more: usize) -> (String, String) {
        let category = Category { name: "Orders".to_owned(), ..Category::default() };
        let mut summary = Summary::new(&category, locale);
        items.iter().for_each(|content| summary.add(content));
        summary.count(more);
        let content = summary.content();
        assert_eq!(content.check(), Ok(()));
        (content.title.unwrap(), content.body)
    }

    fn text(title: Option<&str>, body: &str) -> Content {
        Content { title: title.map(str::to_owned), body: body.to_owned(), ..Content::default() }
    }

    #[test]
    fn lists_titles_else_bodies_and_counts_the_rest() {
        let items = [text(Some("Paid"), "You paid."), text(None, "Shipped\n today \u{7}")];
        assert_eq!(said(Some("en-GB"), &items, 0), ("Orders: 2 notifications".to_owned(), "Paid\nShipped today".to_owned()));
        assert_eq!(said(None, &items, 3), ("Orders: 5 notifications".to_owned(), "Paid\nShipped today\nand 3 more".to_owned()));
        assert_eq!(said(Some("ko-KR"), &items, 3), ("Orders: 알림 5건".to_owned(), "Paid\nShipped today\n외 3건".to_owned()));
        assert_eq!(said(Some("kok"), &items[..1], 0).0, "Orders: 1 notification", "Konkani is not Korean");
    }

    #[test]
    fn says_how_many_where_nothing_can_be_read() {
        assert_eq!(said(Some("en"), &[], 2), ("Orders: 2 notifications".to_owned(), "2 notifications".to_owned()));
        assert_eq!(said(Some("KO"), &[], 2).1, "알림 2건");
    }

    #[test]
    fn stays_small_whatever_it_lists() {
        let long = "말".repeat(300_000);
        let items: Vec<Content> = (0..1_000).map(|_| text(None, &long)).collect();
        let (_, body) = said(Some("ko"), &items, 7);
        assert!(body.len() < 300_000, "{}", body.len());
        assert_eq!(body.lines().next().unwrap().chars().count(), LINE);
        let listed = body.lines().count() - 1;
        assert!(body.ends_with(&format!("외 {}건", 1_007 - listed)), "each is listed or counted");
    }
}
