//! The text part, made from the HTML: for programs that show no HTML, and for filters that mistrust mails without.
//!
//! Works on the pieces, so that every tag stays where it is among the words, within its loop and its branch.
//! Rejected: html2text, which lays out tables and gathers links at the end, and so takes expressions out of the
//! branches that make them valid.

use super::super::pieces::{Kind, Piece};
use super::super::problem::Origin;
use super::super::sinks::{Html, Seen};

/// What stands between two words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Gap {
    Blank,
    Line,
    Paragraph,
}

#[derive(Default)]
struct Writer {
    out: Vec<Piece>,
    gap: Option<Gap>,
    words: String,
    /// The address of the link that is open.
    link: Vec<Piece>,
}

fn text(code: String) -> Piece {
    Piece { kind: Kind::Text, code, origin: Origin { key: None, line: 1, column: 1 } }
}

/// The text of HTML.
pub(in super::super) fn plain(html: &[Piece]) -> Vec<Piece> {
    let mut reader = Html::default();
    let mut writer = Writer::default();
    for piece in html {
        match piece.kind {
            Kind::Text => piece.code.chars().for_each(|letter| match reader.see(letter) {
                Seen::Text(words) => writer.words.push_str(&words),
                Seen::Tag { name, closing } => writer.element(&name, closing),
                Seen::Link(letter) => writer.address(letter),
                Seen::Nothing => {}
            }),
            _ if reader.shows() => writer.tag(piece),
            _ if reader.links() => writer.link.push(piece.clone()),
            _ => {}
        }
    }
    writer.flush();
    writer.out
}

impl Writer {
    /// Words up to here, their blanks made one.
    fn flush(&mut self) {
        let words = html_escape::decode_html_entities(&self.words).into_owned();
        self.words.clear();
        if words.starts_with(is_blank) {
            self.widen(Gap::Blank);
        }
        let one_blank = words.split(is_blank).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if !one_blank.is_empty() {
            self.fill();
            self.out.push(text(one_blank));
            if words.ends_with(is_blank) {
                self.widen(Gap::Blank);
            }
        }
    }

    fn widen(&mut self, gap: Gap) {
        self.gap = self.gap.max(Some(gap));
    }

    fn fill(&mut self) {
        let gap = match self.gap.take() {
            Some(Gap::Blank) => " ",
            Some(Gap::Line) => "\n",
            Some(Gap::Paragraph) => "\n\n",
            None => return,
        };
        self.out.push(text(gap.to_owned()));
    }

    fn tag(&mut self, piece: &Piece) {
        self.flush();
        self.fill();
        self.out.push(piece.clone());
    }

    fn address(&mut self, letter: char) {
        match self.link.last_mut() {
            Some(piece) if piece.kind == Kind::Text => piece.code.push(letter),
            _ => self.link.push(text(letter.to_string())),
        }
    }

    fn element(&mut self, name: &str, closing: bool) {
        self.flush();
        match name {
            "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "ul" | "ol" | "table" | "blockquote" | "hr" => self.widen(Gap::Paragraph),
            "br" | "div" | "tr" | "section" | "header" | "footer" | "center" | "dt" | "dd" | "pre" => self.widen(Gap::Line),
            "td" | "th" => self.widen(Gap::Blank),
            "li" => {
                self.widen(Gap::Line);
                if !closing {
                    self.fill();
                    self.out.push(text("- ".to_owned()));
                }
            }
            "a" if closing => self.link_ends(),
            _ => {}
        }
    }

    /// Its address, unless that is what it said.
    fn link_ends(&mut self) {
        let mut link = std::mem::take(&mut self.link);
        link.iter_mut()
            .filter(|piece| piece.kind == Kind::Text)
            .for_each(|piece| piece.code = html_escape::decode_html_entities(&piece.code).trim().to_owned());
        let same = |(said, link): (&Piece, &Piece)| said.kind == link.kind && said.code == link.code;
        let said = self.out.len() >= link.len() && self.out.iter().rev().zip(link.iter().rev()).all(same);
        let leads_nowhere = matches!(link.as_slice(), [only] if only.kind == Kind::Text && (only.code.is_empty() || only.code.starts_with('#')));
        if !link.is_empty() && !said && !leads_nowhere {
            self.out.push(text(" (".to_owned()));
            self.out.append(&mut link);
            self.out.push(text(")".to_owned()));
        }
    }
}

fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200c}' | '\u{34f}' | '\u{feff}')
}

/// A rendered text without the gaps that branches not taken have left.
pub(in super::super) fn squeezed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut empty = 0_usize;
    for line in text.trim().lines().map(str::trim_end) {
        empty = if line.is_empty() { empty + 1 } else { 0 };
        if empty < 2 {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out
}
