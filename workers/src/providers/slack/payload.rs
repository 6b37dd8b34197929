//! The message as Slack wants it: the text for notifications, and blocks that show it
//! (<https://docs.slack.dev/reference/block-kit/blocks>).

use crate::providers::{Message, sms};
use serde::Serialize;

/// Longest heading, in characters.
const LONGEST_HEADING: usize = 150;

/// Longest text of one section, in characters.
const LONGEST_SECTION: usize = 3_000;

/// Most blocks in a message.
const MOST_BLOCKS: usize = 50;

#[derive(Serialize)]
struct Body {
    /// What notifications and screen readers tell.
    text: String,
    blocks: Vec<Block>,
}

#[derive(Serialize)]
struct Block {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    block_id: Option<String>,
    text: Text,
}

#[derive(Serialize)]
struct Text {
    #[serde(rename = "type")]
    kind: &'static str,
    text: String,
}

/// The request's body, or why there can be none. The title is a heading where it fits into one; a
/// long body becomes several sections, cut between lines or words where that is possible.
pub(super) fn encode(message: &Message) -> Result<Vec<u8>, &'static str> {
    let content = &message.content;
    let mut blocks = Vec::new();
    match &content.title {
        Some(title) if title.chars().count() <= LONGEST_HEADING => {
            blocks.push(Block { kind: "header", block_id: None, text: Text { kind: "plain_text", text: title.clone() } });
        }
        Some(title) => blocks.extend(sections(title)),
        None => {}
    }
    blocks.extend(sections(&content.body));
    if blocks.len() > MOST_BLOCKS {
        return Err("text over 50 blocks");
    }
    if let Some(first) = blocks.first_mut() {
        first.block_id = Some(sms::reference(message));
    }
    let body = Body { text: escape(&sms::text(content)), blocks };
    serde_json::to_vec(&body).map_err(|_| "message cannot be written")
}

fn sections(text: &str) -> impl Iterator<Item = Block> {
    parts(text).into_iter().map(|part| Block { kind: "section", block_id: None, text: Text { kind: "mrkdwn", text: escape(part) } })
}

/// The text in parts that fit into a section even when escaped.
fn parts(mut rest: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let (mut size, mut end) = (0, rest.len());
        for (at, letter) in rest.char_indices() {
            size += escaped(letter).map_or(1, str::len);
            if size > LONGEST_SECTION {
                end = at;
                break;
            }
        }
        let cut = if end == rest.len() { end } else { rest[..end].rfind(['\n', ' ']).map_or(end, |at| at + 1) };
        let (part, left) = rest.split_at(cut);
        parts.push(part);
        rest = left;
    }
    parts
}

/// The three characters by which Slack's markup links, mentions and commands.
const fn escaped(letter: char) -> Option<&'static str> {
    match letter {
        '&' => Some("&amp;"),
        '<' => Some("&lt;"),
        '>' => Some("&gt;"),
        _ => None,
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match escaped(letter) {
            Some(word) => out.push_str(word),
            None => out.push(letter),
        }
    }
    out
}
