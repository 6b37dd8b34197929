//! Telephone numbers in the international form (ITU-T E.164): `+`, country code, number.
//!
//! Guarantee: what is stored has one spelling, so the same number has one address. Whether a number
//! is in use only its network knows, and says so when something is sent. Rejected: the tables of
//! national numbering plans, megabytes that are out of date whenever a plan changes, to refuse a
//! little earlier what the network refuses anyhow.

use std::fmt;

/// Longest and shortest number, in digits with the country code.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Country codes of one and two digits; all others have three (ITU-T E.164.D).
const SHORT_CODES: [&str; 46] = [
    "1", "7", "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51", "52", "53", "54", "55", "56",
    "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
];

/// The first two digits of the zones with codes of three digits, and the third digits given out in each.
const LONG_CODES: [(&str, &str); 23] = [
    ("21", "12368"),
    ("22", "0123456789"),
    ("23", "0123456789"),
    ("24", "0123456789"),
    ("25", "012345678"),
    ("26", "0123456789"),
    ("29", "01789"),
    ("35", "0123456789"),
    ("37", "0123456789"),
    ("38", "01235679"),
    ("42", "013"),
    ("50", "0123456789"),
    ("59", "0123456789"),
    ("67", "023456789"),
    ("68", "012356789"),
    ("69", "012"),
    ("80", "08"),
    ("85", "02356"),
    ("87", "08"),
    ("88", "012368"),
    ("96", "012345678"),
    ("97", "012345679"),
    ("99", "234568"),
];

/// A telephone number.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PhoneNumber(String);

/// Why a text is not taken as a telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Not the international form.
    #[error("a telephone number begins with + and the country code, such as +82 10 2345 6789")]
    NotInternational,
    /// Letters, an extension, two numbers.
    #[error("a telephone number holds digits, spaces, dashes, dots and brackets only; leave out extensions and other words")]
    Characters,
    /// `+44 (0)20 …`.
    #[error("the zero in brackets is dialled within the country only; leave it out after the country code")]
    TrunkZero,
    /// Too short or too long.
    #[error("a telephone number has 7 to 15 digits with its country code")]
    Length,
    /// No country has it.
    #[error("no country has this code; give + and the country code first, such as +82 for Korea")]
    CountryCode,
}

impl PhoneNumber {
    /// Reads a number as people write it: spaces, dashes, dots and brackets go.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PhoneError> {
        let written = text.trim().strip_prefix('+').ok_or(PhoneError::NotInternational)?;
        if written.contains("(0)") {
            return Err(PhoneError::TrunkZero);
        }
        let mut number = String::with_capacity(DIGITS.end() + 1);
        number.push('+');
        for letter in written.chars() {
            match letter {
                '0'..='9' if number.len() > *DIGITS.end() => return Err(PhoneError::Length),
                '0'..='9' => number.push(letter),
                // The last two: the spaces and dashes that word processors put in their place.
                ' ' | '-' | '.' | '(' | ')' | '/' | '\u{a0}' | '\u{2010}'..='\u{2015}' => {}
                _ => return Err(PhoneError::Characters),
            }
        }
        let number = Self(number);
        if !DIGITS.contains(&number.digits().len()) {
            return Err(PhoneError::Length);
        }
        if number.country_code().is_none() { Err(PhoneError::CountryCode) } else { Ok(number) }
    }

    /// `+821023456789`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the `+`, as some providers want it.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// The country code, such as `82`; none where nobody has it.
    pub fn country_code(&self) -> Option<&str> {
        let digits = self.digits();
        let short = SHORT_CODES.iter().find(|code| digits.starts_with(**code)).map(|code| code.len());
        let long = || {
            LONG_CODES.iter().any(|(zone, thirds)| digits.strip_prefix(zone).and_then(|rest| rest.chars().next()).is_some_and(|third| thirds.contains(third)))
        };
        short.or_else(|| long().then_some(3)).and_then(|length| digits.get(..length))
    }
}

/// The country only: what people are reached at belongs in no trace.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PhoneNumber").field("country_code", &self.country_code()).finish_non_exhaustive()
    }
}
