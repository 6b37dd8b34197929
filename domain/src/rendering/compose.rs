//! Layouts and partials, put together before anything else looks at a field.
//!
//! `{% extends %}`, `{% block %}` and `{% include %}` are resolved on the pieces of sources, so that MJML is
//! compiled as a whole and nothing is looked up while a notification is rendered. Keys are constants, no
//! circle is possible, and what comes out is bounded while it grows: ten includes of ten includes are a
//! bomb. Rejected: the engine's own inheritance, which knows no fields and needs a loader at rendering.

use super::limits::{MAX_FIELD, MAX_NESTING, MAX_PARTS_DEEP};
use super::pieces::{Kind, Piece, split};
use super::problem::{Field, Origin, Problem};
use crate::template::{Body, Source, TemplateKind};
use crate::values::{Channel, Locale, TemplateKey};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Sources of everything that a template extends or includes, transitively, by key: the pinned versions.
pub type Parts = BTreeMap<TemplateKey, Arc<Source>>;

type Blocks = BTreeMap<String, Vec<Piece>>;

/// A body's field.
pub(super) fn field_of(body: &Body, field: Field) -> Option<&str> {
    match field {
        Field::Title => body.title.as_deref(),
        Field::Text => body.text.as_deref(),
        Field::Html => body.html.as_deref(),
        Field::Mjml => body.mjml.as_deref(),
        Field::Preheader => body.preheader.as_deref(),
        Field::Data => body.data.as_deref(),
    }
}

/// The key that an `extends` or `include` names.
pub(super) fn named(piece: &Piece) -> Result<TemplateKey, Problem> {
    let rest = piece.rest();
    let quoted = ['"', '\''].into_iter().find_map(|quote| rest.strip_prefix(quote)?.strip_suffix(quote));
    quoted.and_then(|key| TemplateKey::new(key).ok()).ok_or_else(|| {
        let hint = format!("{{% {} \"welcome-footer\" %}}", piece.keyword());
        Problem::new("NOT_A_KEY", format!("`{}` names a template's key in quotes, and nothing else", piece.keyword())).at(&piece.origin).hint(hint)
    })
}

/// For which body and field something is composed.
#[derive(Clone, Copy)]
pub(super) struct Composing<'a> {
    pub parts: &'a Parts,
    pub channel: Channel,
    pub locale: &'a Locale,
    pub field: Field,
}

impl Composing<'_> {
    /// The whole of what stands in a template's own field.
    pub fn whole(self, text: &str) -> Result<Vec<Piece>, Problem> {
        let mut out = Out { pieces: Vec::new(), bytes: 0, depth: 0 };
        self.expand(split(None, text)?, &mut Vec::new(), &mut out)?;
        Ok(out.pieces)
    }

    /// Follows what a template extends up to the outermost layout, and writes that with all blocks filled.
    fn expand(self, pieces: Vec<Piece>, stack: &mut Vec<TemplateKey>, out: &mut Out) -> Result<(), Problem> {
        let depth = stack.len();
        let mut levels: Vec<Blocks> = Vec::new();
        let mut current = pieces;
        while let Some(extends) = first_statement(&current).filter(|piece| piece.keyword() == "extends") {
            let (key, origin) = (named(extends)?, extends.origin.clone());
            levels.push(overrides(&current)?);
            current = self.part(&key, &origin, TemplateKind::Layout, stack)?;
        }
        let mut inline = Blocks::new();
        collect(&current, &mut inline)?;
        levels.push(inline);
        self.write(&current, &levels, None, stack, out)?;
        stack.truncate(depth);
        Ok(())
    }

    /// Writes pieces, a block as the innermost level has it. `within`: the block that they are of, and of which level.
    fn write(self, pieces: &[Piece], levels: &[Blocks], within: Option<(&str, usize)>, stack: &mut Vec<TemplateKey>, out: &mut Out) -> Result<(), Problem> {
        let mut rest = pieces;
        while let Some((piece, after)) = rest.split_first() {
            rest = after;
            match (piece.keyword(), within) {
                ("block", _) => {
                    let (_, end) = inner(piece, after)?;
                    rest = after.get(end + 1..).unwrap_or_default();
                    self.block((&block_name(piece)?, 0), levels, stack, out)?;
                }
                ("include", _) => {
                    let key = named(piece)?;
                    let included = self.part(&key, &piece.origin, TemplateKind::Partial, stack)?;
                    self.expand(included, stack, out)?;
                    stack.pop();
                }
                ("extends", _) => return Err(Problem::new("EXTENDS_FIRST", "`extends` comes before everything else").at(&piece.origin)),
                ("endblock", _) => return Err(Problem::new("SYNTAX", "`endblock` without `block`").at(&piece.origin)),
                (_, Some((name, level))) if is_super(piece) => self.block((name, level + 1), levels, stack, out)?,
                _ => out.push(piece)?,
            }
        }
        Ok(())
    }

    /// Writes a block as the first level from one on has it; `{{ super() }}` in it is that of the next.
    fn block(self, (name, from): (&str, usize), levels: &[Blocks], stack: &mut Vec<TemplateKey>, out: &mut Out) -> Result<(), Problem> {
        let Some((level, content)) = levels.iter().enumerate().skip(from).find_map(|(level, blocks)| Some((level, blocks.get(name)?))) else {
            return Ok(());
        };
        out.enter()?;
        self.write(content, levels, Some((name, level)), stack, out)?;
        out.depth -= 1;
        Ok(())
    }

    /// The pieces of another template's field, which is put onto the stack.
    fn part(self, key: &TemplateKey, origin: &Origin, kind: TemplateKind, stack: &mut Vec<TemplateKey>) -> Result<Vec<Piece>, Problem> {
        let problem = |code, message: String| Err(Problem::new(code, message).at(origin));
        if stack.contains(key) {
            return problem("CIRCLE", format!("`{}` rests on itself", key.as_str()));
        }
        if stack.len() >= MAX_PARTS_DEEP {
            return problem("TOO_DEEP", format!("layouts and partials rest on each other more than {MAX_PARTS_DEEP} levels deep"));
        }
        let Some(source) = self.parts.get(key) else { return problem("NO_PART", format!("there is no published template `{}`", key.as_str())) };
        if source.kind != kind {
            let (word, wants) = if kind == TemplateKind::Layout { ("extends", "layout") } else { ("include", "partial") };
            return problem("WRONG_KIND", format!("`{}` is no {wants}, which `{word}` needs", key.as_str()));
        }
        let body = source.body(self.channel, self.locale).map(|(_, body)| body);
        // A partial's text serves for any field that is plain text.
        let plain = !matches!(self.field, Field::Html | Field::Mjml) && kind == TemplateKind::Partial;
        let text = body.and_then(|body| field_of(body, self.field).or_else(|| field_of(body, Field::Text).filter(|_| plain)));
        let Some(text) = text else {
            return problem("NO_PART", format!("`{}` has no {} for {} in {}", key.as_str(), self.field.name(), self.channel, self.locale));
        };
        stack.push(key.clone());
        split(Some(key), text)
    }
}

/// What is composed, bounded.
struct Out {
    pieces: Vec<Piece>,
    bytes: usize,
    depth: usize,
}

impl Out {
    fn push(&mut self, piece: &Piece) -> Result<(), Problem> {
        self.bytes += piece.code.len() + 8;
        self.pieces.push(piece.clone());
        self.within(&piece.origin)
    }

    /// A block begins. With `super()` two layouts can make blocks hold each other for ever.
    fn enter(&mut self) -> Result<(), Problem> {
        self.bytes += 1;
        self.depth += 1;
        let origin = self.pieces.last().map_or(Origin { key: None, line: 1, column: 1 }, |piece| piece.origin.clone());
        if self.depth > MAX_NESTING * MAX_PARTS_DEEP {
            return Err(Problem::new("TOO_DEEP", "blocks hold each other without end").at(&origin));
        }
        self.within(&origin)
    }

    fn within(&self, origin: &Origin) -> Result<(), Problem> {
        if self.bytes <= MAX_FIELD {
            return Ok(());
        }
        Err(Problem::new("TOO_LARGE", format!("with its layouts and partials the field has more than {} KB", MAX_FIELD / 1024)).at(origin))
    }
}

fn first_statement(pieces: &[Piece]) -> Option<&Piece> {
    pieces.iter().find(|piece| piece.kind != Kind::Text || !piece.code.trim().is_empty())
}

fn is_super(piece: &Piece) -> bool {
    piece.kind == Kind::Expression && piece.code.replace(' ', "") == "super()"
}

fn block_name(piece: &Piece) -> Result<String, Problem> {
    let name = piece.rest();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name { Ok(name.to_owned()) } else { Err(Problem::new("SYNTAX", "`block` has one name").at(&piece.origin)) }
}

/// What stands in a block, and the index of its end, in the pieces after its beginning.
fn inner<'p>(piece: &Piece, after: &'p [Piece]) -> Result<(&'p [Piece], usize), Problem> {
    let mut open = 1_usize;
    for (index, candidate) in after.iter().enumerate() {
        match candidate.keyword() {
            "block" => open += 1,
            "endblock" => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Ok((after.get(..index).unwrap_or_default(), index));
        }
    }
    Err(Problem::new("SYNTAX", "`block` without `endblock`").at(&piece.origin))
}

/// All blocks in pieces, those within others too.
fn collect(pieces: &[Piece], blocks: &mut Blocks) -> Result<(), Problem> {
    for (index, piece) in pieces.iter().enumerate() {
        if piece.keyword() == "block" {
            let (content, _) = inner(piece, pieces.get(index + 1..).unwrap_or_default())?;
            if blocks.insert(block_name(piece)?, content.to_vec()).is_some() {
                return Err(Problem::new("BLOCK_TWICE", format!("the block `{}` is there twice", piece.rest())).at(&piece.origin));
            }
        }
    }
    Ok(())
}

/// The blocks of a template that extends another. Outside of them it has nothing to say.
fn overrides(pieces: &[Piece]) -> Result<Blocks, Problem> {
    let mut open = 0_usize;
    let mut extends = false;
    for piece in pieces {
        match piece.keyword() {
            "block" => open += 1,
            "endblock" => open = open.saturating_sub(1),
            "extends" if !extends => extends = true,
            _ if open == 0 && !piece.code.trim().is_empty() => {
                let problem = Problem::new("OUTSIDE_BLOCK", "a template that extends another has everything in blocks").at(&piece.origin);
                return Err(problem.hint("put it between `{% block name %}` and `{% endblock %}`"));
            }
            _ => {}
        }
    }
    let mut blocks = Blocks::new();
    collect(pieces, &mut blocks)?;
    Ok(blocks)
}
