//! The preheader: what mail programs show beside the subject is the first text of a mail, hidden.

use super::super::pieces::{Kind, Piece};
use super::super::problem::Origin;

const BEFORE: &str = "<div style=\"display:none;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all\">";
/// Blanks that no program shows keep the mail's own text from following in the preview.
const AFTER: &str = "&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;&#847;&zwnj;&nbsp;</div>";

/// HTML with its preheader at the beginning of the body.
pub(in super::super) fn with_preheader(html: Vec<Piece>, preheader: &[Piece]) -> Vec<Piece> {
    let text = |code: &str| Piece { kind: Kind::Text, code: code.to_owned(), origin: Origin { key: None, line: 1, column: 1 } };
    let (index, at) = body_begins(&html).unwrap_or((0, 0));
    let mut out = Vec::with_capacity(html.len() + preheader.len() + 4);
    let mut pieces = html.into_iter();
    out.extend(pieces.by_ref().take(index));
    let mut rest = Vec::new();
    if let Some(piece) = pieces.next() {
        if piece.kind == Kind::Text {
            let (before, after) = piece.code.split_at(at);
            out.push(text(before));
            rest.push(text(after));
        } else {
            rest.push(piece);
        }
    }
    out.push(text(BEFORE));
    out.extend(preheader.iter().cloned());
    out.push(text(AFTER));
    out.extend(rest);
    out.extend(pieces);
    out.retain(|piece| piece.kind != Kind::Text || !piece.code.is_empty());
    out
}

/// The piece and the byte in it after `<body …>`.
fn body_begins(html: &[Piece]) -> Option<(usize, usize)> {
    let texts = || html.iter().enumerate().filter(|(_, piece)| piece.kind == Kind::Text);
    let (first, from) = texts().find_map(|(index, piece)| Some((index, piece.code.to_ascii_lowercase().find("<body")?)))?;
    texts().skip_while(|(index, _)| *index < first).find_map(|(index, piece)| {
        let from = if index == first { from } else { 0 };
        Some((index, from + piece.code.get(from..)?.find('>')? + 1))
    })
}
