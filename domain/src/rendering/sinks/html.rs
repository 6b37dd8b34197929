//! HTML read as far as it decides what an expression's value may do.
//!
//! After the tokenizer of the HTML standard (section 13.2.5), without character references, since only
//! ASCII punctuation changes its state. What an Outlook conditional comment holds is read as HTML, as Outlook does.

use super::super::problem::Problem;
use super::Reader;

/// What an attribute's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Value {
    /// Text.
    Plain,
    /// An address; `empty`: nothing of it is written yet; `scheme`: what is written may still be its scheme.
    Link { empty: bool, scheme: bool },
    /// Styles.
    Style,
    /// Runs, or is a document of its own.
    Code,
}

/// The elements whose content is no markup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Raw {
    Style,
    Script,
    Title,
}

impl Raw {
    const fn end(self) -> &'static str {
        match self {
            Self::Style => "</style",
            Self::Script => "</script",
            Self::Title => "</title",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// After `<`.
    Opening,
    TagName,
    InTag,
    AttributeName,
    AfterName,
    BeforeValue,
    Quoted(char, Value),
    Unquoted,
    Comment,
    Raw(Raw),
}

/// Where the reader is, for who has to put something there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Position {
    /// Between tags.
    Between,
    /// Within a tag, where an attribute could begin.
    Attribute,
    /// Within a `<style>`.
    Style,
    /// Anywhere else.
    Within,
}

/// What a letter was, for who makes a text of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Seen {
    /// Text that is shown.
    Text(String),
    /// A tag has ended.
    Tag {
        /// Its element.
        name: String,
        /// It is an end tag.
        closing: bool,
    },
    /// A letter of a link's address.
    Link(char),
    /// Nothing that is shown.
    Nothing,
}

/// A reader of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Html {
    state: State,
    /// Within a conditional comment.
    conditional: bool,
    /// Name of the tag that is read, and of the attribute.
    tag: String,
    attribute: String,
    /// The last characters, as far as they may belong to what ends a comment or a style.
    tail: String,
    /// The tag is an end tag; it has ended with `/`.
    closing: bool,
    slash: bool,
    /// How many elements are open. What is never closed counts too.
    depth: usize,
    /// The most that there were.
    deepest: usize,
}

impl Default for Html {
    fn default() -> Self {
        let empty = String::new;
        Self { state: State::Text, conditional: false, tag: empty(), attribute: empty(), tail: empty(), closing: false, slash: false, depth: 0, deepest: 0 }
    }
}

const LINKS: &[&str] = &["href", "src", "action", "formaction", "background", "poster", "cite", "xlink:href", "data", "longdesc", "srcset", "ping", "manifest"];
const VOID: &[&str] = &["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];

impl Html {
    /// Where it is.
    pub fn position(&self) -> Position {
        match self.state {
            State::Text if !self.conditional => Position::Between,
            State::InTag => Position::Attribute,
            State::Raw(Raw::Style) => Position::Style,
            _ => Position::Within,
        }
    }

    /// Whether text here is shown.
    pub fn shows(&self) -> bool {
        self.position() == Position::Between
    }

    /// Whether this is a link's address.
    pub fn links(&self) -> bool {
        !self.conditional && self.tag == "a" && self.attribute == "href" && !self.closing && matches!(self.state, State::Quoted(..))
    }

    /// Reads a letter, and tells what it was.
    pub fn see(&mut self, letter: char) -> Seen {
        let (before, linked, shown) = (self.state, self.links(), self.shows());
        self.letter(letter);
        let ended = matches!(self.state, State::Text | State::Raw(_)) && !matches!(before, State::Text | State::Opening | State::Comment | State::Raw(_));
        match before {
            _ if self.conditional => Seen::Nothing,
            _ if ended => Seen::Tag { name: self.tag.clone(), closing: self.closing },
            State::Text if shown && self.state == State::Text => Seen::Text(letter.to_string()),
            // It was no tag.
            State::Opening if self.state == State::Text => Seen::Text(format!("<{letter}")),
            State::Quoted(..) if linked && self.links() => Seen::Link(letter),
            _ => Seen::Nothing,
        }
    }

    /// How many elements were open at once.
    pub fn deepest(&self) -> usize {
        self.deepest
    }

    /// Reads on.
    pub fn read(&mut self, text: &str) {
        text.chars().for_each(|letter| self.letter(letter));
    }

    fn letter(&mut self, letter: char) {
        self.remember(letter);
        self.state = match self.state {
            State::Text if letter == '<' => State::Opening,
            State::Text => State::Text,
            State::Opening => self.opening(letter),
            State::TagName | State::InTag | State::AttributeName | State::AfterName if letter == '>' => self.tag_ends(),
            State::TagName if letter.is_whitespace() || letter == '/' => self.in_tag(letter),
            State::TagName => {
                self.tag.push(letter.to_ascii_lowercase());
                State::TagName
            }
            State::InTag | State::AfterName if letter.is_whitespace() || letter == '/' => {
                let after = if self.state == State::AfterName && letter != '/' { State::AfterName } else { State::InTag };
                self.slash = letter == '/';
                after
            }
            State::AfterName | State::AttributeName if letter == '=' => State::BeforeValue,
            State::AttributeName if letter.is_whitespace() => State::AfterName,
            State::AttributeName if letter == '/' => self.in_tag(letter),
            State::AttributeName => {
                self.attribute.push(letter.to_ascii_lowercase());
                State::AttributeName
            }
            State::InTag | State::AfterName => {
                self.slash = false;
                self.attribute = letter.to_ascii_lowercase().to_string();
                State::AttributeName
            }
            State::BeforeValue if letter.is_whitespace() => State::BeforeValue,
            State::BeforeValue if matches!(letter, '"' | '\'') => State::Quoted(letter, self.value()),
            State::BeforeValue | State::Unquoted if letter == '>' => self.tag_ends(),
            State::BeforeValue => State::Unquoted,
            State::Unquoted if letter.is_whitespace() => State::InTag,
            State::Unquoted => State::Unquoted,
            State::Quoted(quote, _) if letter == quote => State::InTag,
            State::Quoted(quote, value) => State::Quoted(quote, read_value(value, letter)),
            State::Comment => self.comment(),
            State::Raw(raw) if self.tail.ends_with(raw.end()) => {
                self.tag = raw.end().trim_start_matches("</").to_owned();
                self.closing = true;
                State::TagName
            }
            State::Raw(raw) => State::Raw(raw),
        };
    }

    fn remember(&mut self, letter: char) {
        const LONGEST: usize = 16;
        self.tail.push(letter.to_ascii_lowercase());
        if self.tail.len() > LONGEST * 4 {
            self.tail = self.tail.chars().rev().take(LONGEST).collect::<Vec<_>>().into_iter().rev().collect();
        }
    }

    fn opening(&mut self, letter: char) -> State {
        self.tag.clear();
        self.attribute.clear();
        (self.closing, self.slash) = (letter == '/', false);
        match letter {
            '!' | '?' => {
                self.tail = format!("<{letter}");
                State::Comment
            }
            '/' => State::TagName,
            _ if letter.is_ascii_alphabetic() => {
                self.tag.push(letter.to_ascii_lowercase());
                State::TagName
            }
            '<' => State::Opening,
            _ => State::Text,
        }
    }

    /// `<!…`: a comment to `-->`, anything else to `>`.
    fn comment(&mut self) -> State {
        let tail = &self.tail;
        if tail.starts_with("<![endif]") && tail.ends_with('>') {
            self.conditional = false;
            return State::Text;
        }
        if tail.starts_with("<!--[if") && tail.ends_with("]>") {
            self.conditional = true;
            return State::Text;
        }
        // `<!--[if !mso]><!-->`: what follows is for everybody.
        if self.conditional && (tail == "<!-->" || tail == "<!--") {
            if tail == "<!-->" {
                self.conditional = false;
                return State::Text;
            }
            return State::Comment;
        }
        let is_comment = "<!--".starts_with(tail.as_str()) || tail.starts_with("<!--");
        let ends = if is_comment { tail.ends_with("-->") || tail.ends_with("--!>") } else { tail.ends_with('>') };
        if tail.len() > 60 {
            // Only the beginning tells what it is, only the end when it is over.
            let end: String = tail.chars().rev().take(4).collect::<Vec<_>>().into_iter().rev().collect();
            let begin: String = tail.chars().take(7).collect();
            self.tail = format!("{begin}{end}");
        }
        if ends { State::Text } else { State::Comment }
    }

    fn in_tag(&mut self, letter: char) -> State {
        self.slash = letter == '/';
        State::InTag
    }

    fn tag_ends(&mut self) -> State {
        let void = self.slash || VOID.contains(&self.tag.as_str());
        if self.closing {
            self.depth = self.depth.saturating_sub(1);
        } else if !void {
            self.depth += 1;
            self.deepest = self.deepest.max(self.depth);
        }
        match self.tag.as_str() {
            _ if self.closing => State::Text,
            "style" | "mj-style" => State::Raw(Raw::Style).unless(self.tag == "mj-style"),
            "script" => State::Raw(Raw::Script),
            "title" => State::Raw(Raw::Title),
            _ => State::Text,
        }
    }

    fn value(&self) -> Value {
        let name = self.attribute.as_str();
        if name.starts_with("on") || name == "srcdoc" {
            Value::Code
        } else if name == "style" {
            Value::Style
        } else if LINKS.contains(&name) {
            Value::Link { empty: true, scheme: true }
        } else {
            Value::Plain
        }
    }
}

impl State {
    fn unless(self, otherwise: bool) -> Self {
        if otherwise { Self::Text } else { self }
    }
}

fn read_value(value: Value, letter: char) -> Value {
    match value {
        Value::Link { empty, scheme } if letter.is_whitespace() => Value::Link { empty, scheme },
        Value::Link { scheme, .. } => Value::Link { empty: false, scheme: scheme && !matches!(letter, ':' | '/' | '?' | '#') },
        other => other,
    }
}

impl Reader for Html {
    fn text(&mut self, text: &str) {
        self.read(text);
    }

    fn expression(&mut self) -> Result<Option<&'static str>, Problem> {
        let refused = |message: &str| Err(Problem::new("HTML_PLACE", message));
        match self.state {
            State::Text | State::Comment | State::Raw(Raw::Title) | State::Quoted(_, Value::Plain) => Ok(None),
            State::Quoted(quote, Value::Link { empty, scheme }) => {
                self.state = State::Quoted(quote, Value::Link { empty: false, scheme });
                Ok(match (empty, scheme) {
                    (true, _) => Some("_link"),
                    (false, true) => Some("_link_part"),
                    (false, false) => None,
                })
            }
            State::Quoted(_, Value::Style) | State::Raw(Raw::Style) => Ok(Some("_style")),
            State::Quoted(_, Value::Code) | State::Raw(Raw::Script) => refused("an expression cannot stand in a script"),
            State::BeforeValue | State::Unquoted => {
                refused("an expression cannot be an attribute's value without quotes").map_err(|problem| problem.hint("write `name=\"{{ value }}\"`"))
            }
            State::Opening | State::TagName | State::InTag | State::AttributeName | State::AfterName => {
                refused("an expression cannot name a tag or an attribute").map_err(|problem| problem.hint("put it into a value, in quotes"))
            }
        }
    }

    fn merged(&self, other: &Self) -> Option<Self> {
        let state = match (self.state, other.state) {
            (State::Quoted(quote, Value::Link { empty, scheme }), State::Quoted(other, Value::Link { empty: also, scheme: or })) if quote == other => {
                State::Quoted(quote, Value::Link { empty: empty && also, scheme: scheme || or })
            }
            (one, same) if one == same => one,
            // Both are where an attribute could begin.
            (State::InTag | State::AfterName | State::AttributeName, State::InTag | State::AfterName | State::AttributeName) => State::InTag,
            _ => return None,
        };
        let whole = !matches!(state, State::TagName | State::InTag) || self.tag == other.tag;
        let same = self.conditional == other.conditional && whole;
        let deepest = self.deepest.max(other.deepest);
        same.then(|| Self { state, depth: self.depth.max(other.depth), deepest, ..self.clone() })
    }
}
