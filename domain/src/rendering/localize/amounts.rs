//! Amounts of money, and percentages.

use super::formatters::decimal;
use super::rounded;
use super::table::{ROWS, THOUSANDTHS, WHOLE};
use crate::values::Locale;
use icu_decimal::input::Decimal;
use minijinja::Error;

/// An ISO 4217 code, as far as its form tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code([u8; 3]);

impl Code {
    /// Three capitals.
    pub fn new(code: &str) -> Option<Self> {
        let bytes: [u8; 3] = code.as_bytes().try_into().ok()?;
        bytes.iter().all(u8::is_ascii_uppercase).then_some(Self(bytes))
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Digits of its fraction.
    pub fn digits(self) -> i16 {
        let code = self.as_str();
        if WHOLE.contains(&code) {
            0
        } else if THOUSANDTHS.contains(&code) {
            3
        } else {
            2
        }
    }
}

/// What a number counts.
#[derive(Debug, Clone, Copy)]
pub(super) enum Style {
    Currency(Code),
    Percent,
}

/// The rows for a locale, its own before its language's; English where there are none.
fn rows(locale: &Locale) -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str, &'static str)> {
    let of = |tag: &str| ROWS.iter().find(|row| row.0 == tag);
    // Chinese as it is written in the region: only traditional has regions of its own here.
    let traditional = matches!(locale.as_str(), "zh-TW" | "zh-HK" | "zh-MO").then(|| of("zh-Hant")).flatten();
    let own: Vec<_> = locale.chain().filter_map(of).collect();
    let rows: Vec<_> = traditional.into_iter().chain(own).collect();
    let english = if rows.is_empty() { of("en") } else { None };
    rows.into_iter().chain(english)
}

/// Writes it.
pub(super) fn amount(locale: &Locale, style: Style, number: Decimal, digits: i16) -> Result<String, Error> {
    let mut number = rounded(number, digits);
    match style {
        Style::Currency(_) => number.absolute.pad_end(-digits),
        Style::Percent => number.absolute.trim_end(),
    }
    let signed = decimal(locale, &number)?;
    number.sign = fixed_decimal::Sign::None;
    let positive = decimal(locale, &number)?;
    // The language's own sign: some have a longer one than ASCII.
    let minus = signed.strip_suffix(positive.as_str()).unwrap_or_default();
    let pattern = rows(locale).next().map_or("¤0", |row| if matches!(style, Style::Percent) { row.2 } else { row.1 });
    let (plus_pattern, minus_pattern) = pattern.split_once(';').unwrap_or((pattern, ""));
    let (pattern, before) = match (minus.is_empty(), minus_pattern.is_empty()) {
        (true, _) => (plus_pattern, ""),
        (false, true) => (plus_pattern, minus),
        (false, false) => (minus_pattern, ""),
    };
    let mut out = before.to_owned();
    let symbol = match &style {
        Style::Currency(code) => symbol(locale, code),
        Style::Percent => "",
    };
    for (index, letter) in pattern.char_indices() {
        match letter {
            '0' => out.push_str(&positive),
            '-' => out.push_str(minus),
            '¤' => {
                let (left, right) = (pattern.get(..index), pattern.get(index + letter.len_utf8()..));
                // CLDR: letters and digits are kept apart.
                if left.is_some_and(|left| left.ends_with('0')) && symbol.starts_with(char::is_alphabetic) {
                    out.push('\u{a0}');
                }
                out.push_str(symbol);
                if right.is_some_and(|right| right.starts_with(['0', '-'])) && symbol.ends_with(char::is_alphabetic) {
                    out.push('\u{a0}');
                }
            }
            other => out.push(other),
        }
    }
    Ok(out)
}

fn symbol<'c>(locale: &Locale, code: &'c Code) -> &'c str {
    let own = |row: &'static (&str, &str, &str, &'static str)| row.3.split(' ').find_map(|symbol| symbol.strip_prefix(code.as_str()));
    rows(locale).find_map(own).unwrap_or_else(|| code.as_str())
}
