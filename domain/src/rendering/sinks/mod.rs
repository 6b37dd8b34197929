//! Where in a field an expression stands, and so what must not be in its value.
//!
//! Escaping by field alone is not enough: what is harmless between tags runs in `href`, styles more than one
//! element in `style`, and is several values within a JSON string. So the static text before an expression is
//! read as its receiver will read it, once, at compile time; the expression then goes through a filter of its
//! place. Where no filter makes a value safe (in a script, as the name of an attribute) there is a mistake.
//!
//! Branches must agree: a quote that is opened in one and not in the other would leave the rest undecided.

mod html;
mod json;
mod values;

pub(super) use html::{Html, Position, Seen};
pub(super) use values::{SINKS, add};

use super::engine::Escape;
use super::pieces::{Kind, Piece};
use super::problem::Problem;

/// What reads a field's static text.
trait Reader: Clone {
    /// Reads on.
    fn text(&mut self, text: &str);
    /// The filter of an expression that stands here; none where escaping is enough.
    fn expression(&mut self) -> Result<Option<&'static str>, Problem>;
    /// Both as one, where they agree.
    fn merged(&self, other: &Self) -> Option<Self>;
}

/// For each piece the filter that its value must go through.
pub(super) fn sinks(escape: Escape, pieces: &[Piece]) -> Result<Vec<Option<&'static str>>, Problem> {
    match escape {
        Escape::Plain => Ok(vec![None; pieces.len()]),
        Escape::Html => read(Html::default(), pieces),
        Escape::Json => read(json::Json::default(), pieces),
    }
}

/// A statement that is open: what was before it, and what its finished branches ended with.
struct Open<R> {
    before: R,
    ended: Option<R>,
    complete: bool,
}

fn read<R: Reader>(mut reader: R, pieces: &[Piece]) -> Result<Vec<Option<&'static str>>, Problem> {
    let mut open: Vec<Open<R>> = Vec::new();
    let mut filters = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let mut filter = None;
        match piece.kind {
            Kind::Text => reader.text(&piece.code),
            Kind::Expression => filter = reader.expression().map_err(|problem| problem.at(&piece.origin))?,
            Kind::Statement => statement(&mut reader, &mut open, piece)?,
        }
        filters.push(filter);
    }
    Ok(filters)
}

fn statement<R: Reader>(reader: &mut R, open: &mut Vec<Open<R>>, piece: &Piece) -> Result<(), Problem> {
    let disagree = || {
        let problem = Problem::new("BRANCHES", "the branches end in different places: a tag or quote is open in one of them").at(&piece.origin);
        problem.hint("put the whole tag or the whole value into each branch")
    };
    let merge = |ended: &mut Option<R>, reader: &R| {
        *ended = Some(match ended {
            Some(ended) => ended.merged(reader).ok_or_else(disagree)?,
            None => reader.clone(),
        });
        Ok(())
    };
    match piece.keyword() {
        "if" | "with" => open.push(Open { before: reader.clone(), ended: None, complete: piece.keyword() == "with" }),
        // Once, or not at all.
        "for" => open.push(Open { before: reader.clone(), ended: Some(reader.clone()), complete: true }),
        "else" | "elif" => {
            if let Some(statement) = open.last_mut() {
                merge(&mut statement.ended, reader)?;
                statement.complete |= piece.keyword() == "else";
                *reader = statement.before.clone();
            }
        }
        "endif" | "endfor" | "endwith" => {
            if let Some(mut statement) = open.pop() {
                merge(&mut statement.ended, reader)?;
                if !statement.complete {
                    merge(&mut statement.ended, &statement.before)?;
                }
                *reader = statement.ended.unwrap_or(statement.before);
            }
        }
        _ => {}
    }
    Ok(())
}
