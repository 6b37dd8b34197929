//! A language as people name it: a BCP 47 tag of language, script and region.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;

/// A locale, in the usual capitals: `ko`, `ko-KR`, `zh-Hant-TW`.
///
/// Of BCP 47 (RFC 5646) language, script and region; variants and extensions choose nothing here.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct Locale(Arc<str>);

/// Not a locale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a locale is a language with a script or region if needed, as in \"ko\", \"pt-BR\" or \"zh-Hant-TW\"")]
pub struct LocaleError;

impl Locale {
    /// What is left where nobody said anything.
    pub fn english() -> Self {
        Self("en".into())
    }

    /// Checks, and puts it into the usual capitals.
    pub fn new(text: &str) -> Result<Self, LocaleError> {
        let mut parts = text.split(['-', '_']);
        let language = parts.next().filter(|part| matches!(part.len(), 2 | 3) && is_alphabetic(part)).ok_or(LocaleError)?;
        let mut tag = language.to_ascii_lowercase();
        let mut next = parts.next();
        if let Some(script) = next.filter(|part| part.len() == 4 && is_alphabetic(part)) {
            let (first, rest) = script.split_at(1);
            tag = format!("{tag}-{}{}", first.to_ascii_uppercase(), rest.to_ascii_lowercase());
            next = parts.next();
        }
        if let Some(region) = next.filter(|part| (part.len() == 2 && is_alphabetic(part)) || (part.len() == 3 && part.bytes().all(|b| b.is_ascii_digit()))) {
            tag = format!("{tag}-{}", region.to_ascii_uppercase());
            next = parts.next();
        }
        match next {
            None => Ok(Self(tag.into())),
            Some(_) => Err(LocaleError),
        }
    }

    /// The locale of what people entered freely: whatever follows language, script and region is left out.
    pub fn of_person(text: &str) -> Option<Self> {
        let mut ends: Vec<usize> = text.match_indices(['-', '_', '.', '@']).map(|(at, _)| at).collect();
        ends.push(text.len());
        ends.into_iter().rev().find_map(|end| text.get(..end).and_then(|tag| Self::new(tag).ok()))
    }

    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The language alone, as in `ko`.
    pub fn language(&self) -> &str {
        self.0.split('-').next().unwrap_or_default()
    }

    /// Itself and what it falls back to, the nearest first: `zh-Hant-TW`, `zh-Hant`, `zh`.
    pub fn chain(&self) -> impl Iterator<Item = &str> {
        let whole: &str = &self.0;
        std::iter::successors(Some(whole), |tag| tag.rfind('-').and_then(|end| tag.get(..end)))
    }
}

fn is_alphabetic(part: &str) -> bool {
    part.bytes().all(|b| b.is_ascii_alphabetic())
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Locale {
    type Error = LocaleError;

    fn try_from(text: String) -> Result<Self, LocaleError> {
        Self::new(&text)
    }
}

impl From<Locale> for String {
    fn from(locale: Locale) -> Self {
        locale.0.as_ref().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_mended_and_nonsense_is_refused() {
        for (given, meant) in [("ko", "ko"), ("KO_kr", "ko-KR"), ("zh-hant-tw", "zh-Hant-TW"), ("es-419", "es-419")] {
            assert_eq!(Locale::new(given).map(|locale| locale.to_string()), Ok(meant.to_owned()), "{given}");
        }
        for nonsense in ["", "k", "korean", "ko-", "ko-KR-x", "ko-K1", "한국어", "ko\n"] {
            assert_eq!(Locale::new(nonsense), Err(LocaleError), "{nonsense}");
        }
    }

    #[test]
    fn what_people_enter_is_read_as_far_as_it_goes() {
        for (given, meant) in [("ko_KR.UTF-8", Some("ko-KR")), ("en-US-u-hc-h12", Some("en-US")), ("de@euro", Some("de")), ("C", None), ("", None)] {
            assert_eq!(Locale::of_person(given).as_ref().map(Locale::as_str), meant, "{given}");
        }
    }

    #[test]
    fn it_falls_back_from_the_right() {
        let locale = Locale::new("zh-Hant-TW").unwrap();
        assert_eq!(locale.chain().collect::<Vec<_>>(), ["zh-Hant-TW", "zh-Hant", "zh"]);
    }
}
