//! A field's source taken apart: static text, expressions and statements, each knowing where it was written.
//!
//! The engine's own tokenizer decides what is a tag, so that nothing is a tag to the one and text to the
//! other. Comments and `-` beside a tag's braces have done their work afterwards. Rejected: searching for
//! braces, which goes wrong in strings, raw blocks and maps.

use super::limits::{MAX_ELIFS, MAX_NESTING, MAX_TAG};
use super::problem::{Origin, Problem};
use crate::values::TemplateKey;
use minijinja::machinery::{Token, tokenize};

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Written as it is.
    Text,
    /// `{{ … }}`
    Expression,
    /// `{% … %}`
    Statement,
}

/// A piece of a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// What it is.
    pub kind: Kind,
    /// The text, or what stands between the braces.
    pub code: String,
    /// Where it was written.
    pub origin: Origin,
}

impl Piece {
    /// Of a statement its first word, else nothing.
    pub fn keyword(&self) -> &str {
        match self.kind {
            Kind::Statement => self.code.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default(),
            _ => "",
        }
    }

    /// What follows the keyword of a statement.
    pub fn rest(&self) -> &str {
        self.code.get(self.keyword().len()..).unwrap_or_default().trim()
    }
}

/// Takes apart what `key` (none: the template itself) has in a field.
pub(super) fn split(key: Option<&TemplateKey>, source: &str) -> Result<Vec<Piece>, Problem> {
    let mut pieces = Vec::new();
    let mut opened: Option<(Kind, usize, usize)> = None;
    for token in tokenize(source, false, Default::default()) {
        let Ok((token, span)) = token else { return Err(unreadable(key, source, opened.map(|(_, start, _)| start))) };
        let (start, end) = (span.start_offset as usize, span.end_offset as usize);
        match token {
            Token::TemplateData("") => {}
            Token::TemplateData(text) => pieces.push(Piece { kind: Kind::Text, code: text.to_owned(), origin: Origin::of(key, source, start) }),
            Token::VariableStart => opened = Some((Kind::Expression, start, end)),
            Token::BlockStart => opened = Some((Kind::Statement, start, end)),
            Token::VariableEnd | Token::BlockEnd => {
                if let Some((kind, from, code_from)) = opened.take() {
                    let code = source.get(code_from..start).unwrap_or_default().trim().to_owned();
                    let origin = Origin::of(key, source, from);
                    if code.len() > MAX_TAG {
                        return Err(Problem::new("TAG_TOO_LONG", format!("a tag has more than {MAX_TAG} bytes"))
                            .at(&origin)
                            .hint("divide it; `set` names parts"));
                    }
                    pieces.push(Piece { kind, code, origin });
                }
            }
            _ => {}
        }
    }
    if let Some((_, start, _)) = opened {
        return Err(unreadable(key, source, Some(start)));
    }
    check_nesting(&pieces)?;
    Ok(pieces)
}

fn unreadable(key: Option<&TemplateKey>, source: &str, start: Option<usize>) -> Problem {
    let error = minijinja::machinery::parse(source, "", Default::default()).err();
    let offset = error.as_ref().and_then(minijinja::Error::range).map(|range| range.start).or(start).unwrap_or(source.len());
    let detail = error.as_ref().and_then(minijinja::Error::detail).unwrap_or("a tag is not closed").to_owned();
    Problem::new("SYNTAX", detail).at(&Origin::of(key, source, offset))
}

/// The engine descends once for each level, so they are counted before it is asked.
fn check_nesting(pieces: &[Piece]) -> Result<(), Problem> {
    let mut open: Vec<usize> = Vec::new();
    for piece in pieces {
        match piece.keyword() {
            "if" | "for" | "with" | "block" => open.push(0),
            "elif" => {
                if let Some(count) = open.last_mut() {
                    *count += 1;
                }
            }
            "endif" | "endfor" | "endwith" | "endblock" => drop(open.pop()),
            _ => {}
        }
        if open.len() > MAX_NESTING || open.last().is_some_and(|count| *count > MAX_ELIFS) {
            let message = format!("statements nest more than {MAX_NESTING} levels, or an `if` has more than {MAX_ELIFS} branches");
            return Err(Problem::new("TOO_DEEP", message).at(&piece.origin));
        }
    }
    Ok(())
}

/// Pieces put together to what the engine reads, and back from its positions to where authors wrote.
#[derive(Debug, Clone, Default)]
pub(super) struct Assembled {
    /// What the engine reads.
    pub text: String,
    /// Where each tag begins in it, ascending.
    tags: Vec<(usize, Origin)>,
}

impl Assembled {
    /// Puts pieces together; an expression is written as `expression` says.
    pub fn new(pieces: &[Piece], expression: impl Fn(usize, &Piece) -> String) -> Self {
        let mut assembled = Self::default();
        for (index, piece) in pieces.iter().enumerate() {
            match piece.kind {
                Kind::Text => assembled.literal(&piece.code),
                Kind::Expression => assembled.tag(&format!("{{{{ {} }}}}", expression(index, piece)), &piece.origin),
                Kind::Statement => assembled.tag(&format!("{{% {} %}}", piece.code), &piece.origin),
            }
        }
        assembled
    }

    /// Adds text as it is: what would begin a tag (it stood in a raw block) is kept from doing so.
    pub fn literal(&mut self, text: &str) {
        let mut rest = text;
        // A brace at the end of one piece and another at the beginning of the next would meet.
        while let Some(at) = rest.find('{') {
            let (plain, brace) = rest.split_at(at);
            self.text.push_str(plain);
            let braces = brace.len() - brace.trim_start_matches('{').len();
            let (run, after) = brace.split_at(braces);
            if braces > 1 || after.is_empty() || after.starts_with(['%', '#']) {
                self.text.push_str("{% raw %}");
                self.text.push_str(run);
                self.text.push_str("{% endraw %}");
            } else {
                self.text.push_str(run);
            }
            rest = after;
        }
        self.text.push_str(rest);
    }

    /// Adds a tag.
    pub fn tag(&mut self, tag: &str, origin: &Origin) {
        self.tags.push((self.text.len(), origin.clone()));
        self.text.push_str(tag);
    }

    /// Where the tag that holds a byte of the text was written.
    pub fn origin(&self, offset: usize) -> Origin {
        let before = self.tags.partition_point(|(start, _)| *start <= offset);
        let tag = before.checked_sub(1).and_then(|index| self.tags.get(index)).or_else(|| self.tags.first());
        tag.map_or(Origin { key: None, line: 1, column: 1 }, |(_, origin)| origin.clone())
    }
}
