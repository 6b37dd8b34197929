//! An e-mail's markup: MJML becomes HTML, styles go to where mail programs see them, and a text part is made.
//!
//! All of that is done once, at compile time, on a template whose tags are hidden from the tools behind tokens
//! ([`tokens`]); rendering is then one run of the engine. A tag that does not come through is a mistake, told
//! with its place, and never a mail that lacks it. Nothing is loaded: no includes, no remote styles or fonts.
//!
//! Rejected: compiling for each recipient, which takes milliseconds, and lets data become markup on the way.

mod plain;
mod preheader;
mod tokens;

pub(super) use plain::{plain, squeezed};
pub(super) use preheader::with_preheader;

use super::limits::MAX_ELEMENTS_DEEP;
use super::pieces::{Kind, Piece};
use super::problem::{Field, Problem};
use super::sinks::Html;
use css_inline::CSSInliner;
use mrml::prelude::render::RenderOptions;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tokens::Marked;

/// The finished HTML of an `html` or `mjml` field.
pub(super) fn markup(field: Field, pieces: Vec<Piece>) -> Result<Vec<Piece>, Problem> {
    check_depth(&pieces)?;
    let styled = pieces.iter().any(|piece| piece.kind == Kind::Text && piece.code.to_ascii_lowercase().contains("<style"));
    if field != Field::Mjml && !styled {
        return Ok(pieces);
    }
    let marked = Marked::new(&pieces)?;
    // The tools are well tested; a template that makes one panic all the same is refused, and nothing else happens.
    let html = catch_unwind(AssertUnwindSafe(|| {
        let html = if field == Field::Mjml { mjml(&marked)? } else { marked.text.clone() };
        inlined(&html)
    }));
    let html = html.unwrap_or_else(|_| Err(Problem::new("MARKUP", "the markup cannot be read")))?;
    marked.restore(&html)
}

/// The tools descend once for each element.
fn check_depth(pieces: &[Piece]) -> Result<(), Problem> {
    let mut reader = Html::default();
    for piece in pieces.iter().filter(|piece| piece.kind == Kind::Text) {
        reader.read(&piece.code);
        if reader.deepest() > MAX_ELEMENTS_DEEP {
            let message = format!("more than {MAX_ELEMENTS_DEEP} elements are open at once");
            return Err(Problem::new("TOO_DEEP", message).at(&piece.origin).hint("close them: `</p>`, `</td>`"));
        }
    }
    Ok(())
}

fn mjml(marked: &Marked<'_>) -> Result<String, Problem> {
    use mrml::prelude::parser::Error;
    let parsed = mrml::parse(&marked.text).map_err(|error| {
        let (position, message) = match &error {
            Error::UnexpectedElement { position, .. } => (Some(position), "an element that MJML does not have here".to_owned()),
            Error::UnexpectedToken { position, .. } => (Some(position), "something that MJML does not have here".to_owned()),
            Error::MissingAttribute { name, position, .. } => (Some(position), format!("the attribute `{name}` is missing")),
            Error::InvalidAttribute { position, .. } => (Some(position), "an attribute that cannot be read".to_owned()),
            Error::InvalidFormat { position, .. } => (Some(position), "something that cannot be read".to_owned()),
            Error::IncludeLoaderError { position, .. } => (Some(position), "`mj-include` is not there; use `{% include \"key\" %}`".to_owned()),
            Error::EndOfStream { .. } => (None, "an element is not closed".to_owned()),
            Error::NoRootNode => (None, "there is no `<mjml>`".to_owned()),
            Error::SizeLimit { .. } | Error::ParserError { .. } => (None, "it cannot be read".to_owned()),
        };
        let at = position.map_or(marked.text.len(), |span| span.start);
        Problem::new("MJML", message).at(&marked.origin(at))
    })?;
    let options = RenderOptions { fonts: Default::default(), ..RenderOptions::default() };
    parsed.element.render(&options).map_err(|_| Problem::new("MJML", "it cannot be made into HTML"))
}

/// Styles where mail programs that ignore `<style>` see them; what cannot be there (`@media`) stays.
fn inlined(html: &str) -> Result<String, Problem> {
    let inliner = CSSInliner::options().keep_style_tags(true).remove_inlined_selectors(true).load_remote_stylesheets(false).build();
    inliner.inline(&with_table_bodies(html)).map_err(|_| Problem::new("CSS", "the styles cannot be read"))
}

/// HTML in which no parser has to add a `<tbody>`: it would do so behind a loop that stands before the rows.
fn with_table_bodies(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(end) = rest.find("<table").and_then(|start| Some(start + rest.get(start..)?.find('>')? + 1)) {
        let (table, content) = rest.split_at(end);
        out.push_str(table);
        let mut first = content.trim_start();
        while let Some(after) = first.strip_prefix("<!--").filter(|comment| comment.starts_with(tokens::OPEN)).and_then(|comment| comment.split_once("-->")) {
            first = after.1.trim_start();
        }
        if first.len() < content.trim_start().len() && first.get(..3).is_some_and(|tag| tag.eq_ignore_ascii_case("<tr")) {
            out.push_str("<tbody>");
        }
        rest = content;
    }
    out.push_str(rest);
    out
}
