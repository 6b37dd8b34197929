//! What a digest's summary tells: how many, something of each that is listed, and how many more. Pure.
//!
//! In words of ours, in the recipient's language where that is one of ours; or as the parameters of the template that
//! the category names ([`wording`](super::wording)).

use domain::category::Category;
use domain::values::Content;
use serde_json::{Map, Value, json};

/// Most characters of a line.
const LINE: usize = 200;
/// About the most bytes of all lines: what comes after is counted only.
const MOST_BYTES: usize = 256 * 1_024;
/// About the most bytes of a template's `items`: less than a template's parameters may have.
const MOST_ITEM_BYTES: usize = 192 * 1_024;

/// What is told of one that is listed.
struct Item {
    /// Its title, or where it has none the beginning of its text.
    title: String,
    /// The beginning of its text, where that is not its title.
    text: Option<String>,
}

/// See the module.
pub(super) struct Summary<'a> {
    category: &'a Category,
    korean: bool,
    items: Vec<Item>,
    bytes: usize,
    more: usize,
}

impl<'a> Summary<'a> {
    /// Of nothing yet.
    pub(super) fn new(category: &'a Category, locale: Option<&str>) -> Self {
        let language = locale.and_then(|locale| locale.split(['-', '_']).next());
        let korean = language.is_some_and(|language| language.eq_ignore_ascii_case("ko"));
        Self { category, korean, items: Vec::new(), bytes: 0, more: 0 }
    }

    /// Whether further ones are counted only.
    pub(super) const fn is_full(&self) -> bool {
        self.bytes >= MOST_BYTES
    }

    /// Lists one.
    pub(super) fn add(&mut self, content: &Content) {
        if self.is_full() {
            return self.count(1);
        }
        let texts = [content.title.as_deref(), Some(content.body.as_str())];
        let mut lines = texts.into_iter().flatten().map(line).filter(|line| !line.is_empty());
        match lines.next() {
            Some(title) => {
                self.bytes += title.len() + 1;
                self.items.push(Item { title, text: lines.next() });
            }
            None => self.count(1),
        }
    }

    /// Counts some that cannot be listed.
    pub(super) const fn count(&mut self, some: usize) {
        self.more = self.more.saturating_add(some);
    }

    fn total(&self) -> usize {
        self.items.len().saturating_add(self.more)
    }

    /// The category's name, for people.
    fn name(&self) -> &str {
        if self.category.name.is_empty() { self.category.key.as_str() } else { &self.category.name }
    }

    /// The same as a template's parameters.
    pub(super) fn parameters(&self) -> Map<String, Value> {
        let (mut items, mut bytes) = (Vec::new(), 0);
        for item in &self.items {
            let mut told = json!({ "title": item.title });
            if let Some(text) = &item.text {
                told["text"] = json!(text);
            }
            bytes += told.to_string().len() + 1;
            if bytes > MOST_ITEM_BYTES {
                break;
            }
            items.push(told);
        }
        let more = self.total().saturating_sub(items.len());
        let told = json!({ "count": self.total(), "items": items, "more": more, "category": self.name() });
        if let Value::Object(parameters) = told { parameters } else { Map::new() }
    }

    /// The words of ours.
    pub(super) fn content(&self) -> Content {
        let (total, name) = (self.total(), self.name());
        let how_many = match (self.korean, total) {
            (true, _) => format!("알림 {total}건"),
            (false, 1) => "1 notification".to_owned(),
            (false, _) => format!("{total} notifications"),
        };
        let lines: Vec<&str> = self.items.iter().map(|item| item.title.as_str()).collect();
        let lines = lines.join("\n");
        let body = match (self.items.len(), self.more) {
            (0, _) => how_many.clone(),
            (_, 0) => lines,
            (_, more) if self.korean => format!("{lines}\n외 {more}건"),
            (_, more) => format!("{lines}\nand {more} more"),
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
    fn a_template_is_given_the_same_and_the_beginnings_of_texts() {
        let category = Category { name: "Orders".to_owned(), ..Category::default() };
        let mut summary = Summary::new(&category, None);
        for content in [text(Some("Paid"), "You \n paid."), text(None, "Shipped"), text(Some(" "), "")] {
            summary.add(&content);
        }
        summary.count(2);
        let items = serde_json::json!([{ "title": "Paid", "text": "You paid." }, { "title": "Shipped" }]);
        let told = serde_json::json!({ "count": 5, "items": items, "more": 3, "category": "Orders" });
        assert_eq!(serde_json::Value::Object(summary.parameters()), told);
    }

    #[test]
    fn a_template_is_given_no_more_than_it_can_take() {
        let category = Category::default();
        let mut summary = Summary::new(&category, None);
        let long = text(Some(&"\"".repeat(300)), &"말".repeat(300));
        (0..1_000).for_each(|_| summary.add(&long));
        let parameters = summary.parameters();
        assert!(serde_json::to_string(&parameters).unwrap().len() < domain::rendering::limits::MAX_PARAMETERS);
        let (listed, more) = (parameters["items"].as_array().unwrap().len(), usize::try_from(parameters["more"].as_u64().unwrap()).unwrap());
        assert!(listed > 100 && listed + more == 1_000, "each is listed or counted: {listed} and {more}");
        assert_eq!(parameters["count"], 1_000);
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
