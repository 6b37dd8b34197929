//! The types of values: how each is written, read and refused.

mod secret;

pub use secret::Secret;

use super::source::Raw;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a value is written in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In quotes.
    Text,
    /// Bare digits.
    Number,
    /// `true` or `false`.
    Flag,
    /// A list of texts; in the environment with commas between.
    List,
}

/// A type that a key can have.
pub trait Value: Sized {
    /// What may be written, in words, for the documentation.
    const KIND: &'static str;
    /// How it is written in TOML.
    const FORM: Form;
    /// Never shown.
    const SECRET: bool = false;

    /// Reads it; relative paths start at `folder`. The error says what would be right.
    fn parse(text: &str, folder: &Path) -> Result<Self, String>;

    /// The value of a key that is nowhere set and has no default; none where it must be set.
    fn absent() -> Option<Self> {
        None
    }

    /// Reads what a layer holds.
    fn from_raw(raw: &Raw, folder: &Path) -> Result<Self, String> {
        let wrong = || format!("expected {}", Self::KIND);
        match (raw, Self::FORM) {
            (Raw::Untyped(text), _) => Self::parse(text, folder),
            (Raw::Text(text), Form::Text) => Self::parse(text, folder),
            (Raw::Number(text), Form::Number) => Self::parse(text, folder),
            (Raw::Flag(flag), Form::Flag) => Self::parse(&flag.to_string(), folder),
            (Raw::Number(_), Form::Text) => Err(format!("{}, in quotes", wrong())),
            (Raw::Text(_), Form::Number | Form::Flag) => Err(format!("{}, without quotes", wrong())),
            _ => Err(wrong()),
        }
    }
}

impl<T: Value> Value for Option<T> {
    const KIND: &'static str = T::KIND;
    const FORM: Form = T::FORM;
    const SECRET: bool = T::SECRET;

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        T::parse(text, folder).map(Some)
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn from_raw(raw: &Raw, folder: &Path) -> Result<Self, String> {
        T::from_raw(raw, folder).map(Some)
    }
}

impl<T: Value> Value for Vec<T> {
    const KIND: &'static str = T::KIND;
    const FORM: Form = Form::List;

    fn parse(text: &str, folder: &Path) -> Result<Self, String> {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(|part| T::parse(part, folder)).collect()
    }

    fn from_raw(raw: &Raw, folder: &Path) -> Result<Self, String> {
        match raw {
            Raw::Untyped(text) => Self::parse(text, folder),
            Raw::List(parts) => parts.iter().map(|part| T::from_raw(part, folder)).collect(),
            _ => Err(format!("expected a list, such as [\"…\"], of {}", T::KIND)),
        }
    }
}

macro_rules! text {
    ($type:ty, $kind:literal, $form:ident, $parse:expr) => {
        impl Value for $type {
            const KIND: &'static str = $kind;
            const FORM: Form = Form::$form;

            fn parse(text: &str, folder: &Path) -> Result<Self, String> {
                let parse: fn(&str, &Path) -> Option<Self> = $parse;
                parse(text.trim(), folder).ok_or_else(|| format!("expected {}", Self::KIND))
            }
        }
    };
}

text!(String, "text", Text, |text, _| Some(text.to_owned()));
text!(bool, "`true` or `false`", Flag, |text, _| text.parse().ok());
text!(usize, "a whole number", Number, |text, _| text.replace('_', "").parse().ok());
text!(u32, "a whole number", Number, |text, _| text.replace('_', "").parse().ok());
text!(u16, "a whole number up to 65535", Number, |text, _| text.parse().ok());
text!(f64, "a number", Number, |text, _| text.parse::<f64>().ok().filter(|number| number.is_finite()));
text!(SocketAddr, "an address and port, such as `127.0.0.1:8080`", Text, |text, _| text.parse().ok());
text!(url::Url, "a URL, such as `https://notify.example.com`", Text, |text, _| url::Url::parse(text).ok().filter(url::Url::has_host));
text!(PathBuf, "a path", Text, |text, folder| (!text.is_empty()).then(|| folder.join(text)));
text!(Duration, "a duration, such as `500ms`, `30s`, `5m`, `6h` or `4d`", Text, |text, _| duration(text));

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub usize);

text!(Bytes, "a size, such as `512KiB` or `2MiB`", Text, |text, _| bytes(text).map(Bytes));

/// Splits `90s` into 90 and `s`.
fn number_and_unit(text: &str) -> Option<(f64, &str)> {
    let unit = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let number: f64 = text[..unit].parse().ok()?;
    Some((number, text[unit..].trim()))
}

/// A length of time as configuration is written, in milliseconds.
pub fn duration_millis(text: &str) -> Option<i64> {
    duration(text).and_then(|length| i64::try_from(length.as_millis()).ok())
}

fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number * seconds).ok()
}

fn bytes(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let factor = match unit {
        "B" => 1.0,
        "KiB" => 1_024.0,
        "MiB" => 1_048_576.0,
        "GiB" => 1_073_741_824.0,
        _ => return None,
    };
    let size = number * factor;
    // A machine word holds it exactly up to 2^53, far above any size that is meant here.
    (size <= 9_007_199_254_740_992.0).then_some(size as usize)
}

/// Writes a duration as it is read.
pub fn duration_text(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (factor, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")] {
        if millis >= factor && millis.is_multiple_of(factor) {
            return format!("{}{unit}", millis / factor);
        }
    }
    format!("{millis}ms")
}
