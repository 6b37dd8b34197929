//! Tags hidden from tools that know HTML and nothing else.
//!
//! Between tags a statement is a comment, which no parser moves, even within a table; an expression is a word
//! of Linear B, as is everything within attributes and styles; where an attribute could begin a
//! tag is an attribute. Guarantee: statements between tags come back once each and in their order, and
//! whatever is lost is found. Rejected: giving `{{ }}` to the tools, which escape and move it.

use super::super::pieces::{Kind, Piece};
use super::super::problem::{Origin, Problem};
use super::super::sinks::{Html, Position};
use std::collections::BTreeSet;

/// Linear B: letters that no tool escapes, and nobody writes mails with.
pub(super) const OPEN: char = '\u{10080}';
const CLOSE: char = '\u{10081}';
const ZERO: u32 = 0x1_0082;
const ATTRIBUTE: &str = "bongsu-tag-";

/// A field with tokens for its tags.
pub(super) struct Marked<'a> {
    pub text: String,
    pieces: &'a [Piece],
    /// Where each piece begins in the text.
    starts: Vec<usize>,
    /// For which pieces each token stands: from, up to.
    ends: Vec<(usize, usize)>,
    /// Indices of the statements between tags.
    between: BTreeSet<usize>,
}

fn word(index: usize) -> String {
    let digits = index.to_string().bytes().filter_map(|digit| char::from_u32(ZERO + u32::from(digit - b'0'))).collect::<String>();
    format!("{OPEN}{digits}{CLOSE}")
}

fn lost(piece: &Piece) -> Problem {
    let problem = Problem::new("TAG_LOST", "the markup leaves no place for this here").at(&piece.origin);
    problem.hint("put it between elements, into an element's text or into the value of an attribute")
}

impl<'a> Marked<'a> {
    /// Hides the tags of these pieces.
    pub fn new(pieces: &'a [Piece]) -> Result<Self, Problem> {
        let mut marked = Self { text: String::new(), pieces, starts: Vec::with_capacity(pieces.len()), ends: Vec::new(), between: BTreeSet::new() };
        let mut reader = Html::default();
        let mut index = 0;
        while let Some(piece) = pieces.get(index) {
            let end = if piece.kind == Kind::Statement && reader.position() == Position::Attribute { whole(pieces, index) } else { index + 1 };
            let token = match (piece.kind, reader.position()) {
                (Kind::Text, _) if piece.code.contains([OPEN, CLOSE]) || piece.code.contains(ATTRIBUTE) => return Err(lost(piece)),
                (Kind::Text, _) => piece.code.clone(),
                (Kind::Statement, Position::Style) => return Err(lost(piece)),
                (Kind::Statement, Position::Between) => {
                    marked.between.insert(index);
                    format!("<!--{}-->", word(index))
                }
                (Kind::Statement, Position::Attribute) => format!(" {ATTRIBUTE}{index}=\"\" "),
                _ => word(index),
            };
            for hidden in pieces.iter().take(end).skip(index) {
                marked.starts.push(marked.text.len());
                if hidden.kind == Kind::Text {
                    reader.read(&hidden.code);
                }
            }
            marked.text.push_str(&token);
            marked.ends.push((index, end));
            index = end;
        }
        Ok(marked)
    }

    /// Where the byte `at` of the text was written.
    pub fn origin(&self, at: usize) -> Origin {
        let index = self.starts.partition_point(|start| *start <= at).saturating_sub(1);
        let (Some(piece), Some(start)) = (self.pieces.get(index), self.starts.get(index)) else { return Origin { key: None, line: 1, column: 1 } };
        if piece.kind == Kind::Text { piece.origin.after(piece.code.get(..at - start).unwrap_or_default()) } else { piece.origin.clone() }
    }

    /// The pieces of what a tool made of the text.
    pub fn restore(&self, html: &str) -> Result<Vec<Piece>, Problem> {
        let mut restored: Vec<Piece> = Vec::new();
        let mut found = BTreeSet::new();
        let mut last = None;
        let mut rest = html;
        while let Some((start, end, index)) = next_token(rest) {
            let Some(piece) = self.pieces.get(index) else { break };
            self.push_text(&mut restored, rest.get(..start).unwrap_or_default());
            if self.between.contains(&index) && (last.is_some_and(|last| last >= index) || !found.insert(index)) {
                return Err(lost(piece));
            }
            if self.between.contains(&index) {
                last = Some(index);
            }
            let whole = index..self.end(index);
            found.extend(whole.clone());
            restored.extend(self.pieces.get(whole).unwrap_or_default().iter().cloned());
            rest = rest.get(end..).unwrap_or_default();
        }
        self.push_text(&mut restored, rest);
        let missing = self.pieces.iter().enumerate().find(|(index, piece)| piece.kind != Kind::Text && !found.contains(index));
        missing.map_or(Ok(restored), |(_, piece)| Err(lost(piece)))
    }

    /// Behind the last piece for which a token stands.
    fn end(&self, index: usize) -> usize {
        let at = self.ends.binary_search_by_key(&index, |(from, _)| *from).ok();
        at.and_then(|at| self.ends.get(at)).map_or(index + 1, |(_, end)| *end)
    }

    fn push_text(&self, restored: &mut Vec<Piece>, text: &str) {
        if !text.is_empty() {
            restored.push(Piece { kind: Kind::Text, code: text.to_owned(), origin: Origin { key: None, line: 1, column: 1 } });
        }
    }
}

/// Behind the end of the statement that begins at an index. Attributes have no order, so a branch of them is one token.
fn whole(pieces: &[Piece], index: usize) -> usize {
    let mut open = 0_usize;
    for (at, piece) in pieces.iter().enumerate().skip(index) {
        match piece.keyword() {
            "if" | "for" | "with" => open += 1,
            "endif" | "endfor" | "endwith" => open = open.saturating_sub(1),
            _ => {}
        }
        if open == 0 {
            return at + 1;
        }
    }
    pieces.len()
}

/// The next token: where it begins and ends, with all that was put around it, and the index of its piece.
fn next_token(text: &str) -> Option<(usize, usize, usize)> {
    let word = text.find(OPEN);
    let attribute = text.find(ATTRIBUTE);
    match (word, attribute) {
        (Some(start), other) if other.is_none_or(|other| start < other) => {
            let inside = text.get(start + OPEN.len_utf8()..)?;
            let length = inside.find(CLOSE)?;
            let index = inside.get(..length)?.chars().map(|digit| char::from_digit((digit as u32).checked_sub(ZERO)?, 10)).collect::<Option<String>>()?;
            let end = start + OPEN.len_utf8() + length + CLOSE.len_utf8();
            let comment = text.get(..start)?.ends_with("<!--") && text.get(end..)?.starts_with("-->");
            let (start, end) = if comment { (start - 4, end + 3) } else { (start, end) };
            Some((start, end, index.parse().ok()?))
        }
        (_, Some(start)) => {
            let inside = text.get(start + ATTRIBUTE.len()..)?;
            let digits = inside.bytes().take_while(u8::is_ascii_digit).count();
            let end = start + ATTRIBUTE.len() + digits;
            let empty = if text.get(end..)?.starts_with("=\"\"") { 3 } else { 0 };
            Some((start, end + empty, inside.get(..digits)?.parse().ok()?))
        }
        _ => None,
    }
}
