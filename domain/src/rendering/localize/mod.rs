//! Numbers, amounts, dates and plurals as the recipient's language writes them (Unicode CLDR, by ICU4X).
//!
//! Language and zone come from the audience, never from the template. What a language's tables are needed for
//! is kept once they were loaded: that is a memo, and changes no result.

mod amounts;
mod formatters;
mod moments;
mod table;

use super::filters::{bounded, number_of, refused};
use super::values::Here;
use amounts::{Style, amount};
use formatters::{decimal, plural_category};
use icu_decimal::input::Decimal;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, State, Value};

/// Adds the filters.
pub(super) fn add(engine: &mut Environment<'static>) {
    engine.add_filter("number", |state: &State, value: &Value, digits: Option<u8>| with_here(state, |here| bounded(number(here, value, digits)?)));
    engine.add_filter("percent", |state: &State, value: &Value, digits: Option<u8>| {
        with_here(state, |here| {
            let digits = i16::from(digits.unwrap_or(0).min(MOST_DIGITS));
            let mut ratio = exact(value)?;
            ratio.multiply_pow10(2);
            ratio.absolute.trim_start();
            bounded(amount(&here.locale, Style::Percent, ratio, digits)?)
        })
    });
    engine.add_filter("currency", |state: &State, value: &Value, code: &str| {
        with_here(state, |here| {
            let code = amounts::Code::new(code).ok_or_else(|| refused("the currency is a code of three capitals"))?;
            bounded(amount(&here.locale, Style::Currency(code), exact(value)?, code.digits())?)
        })
    });
    engine.add_filter("plural", |state: &State, value: &Value, forms: Kwargs| with_here(state, |here| plural(here, value, &forms)));
    moments::add(engine);
}

/// More digits than anybody reads.
const MOST_DIGITS: u8 = 12;

fn with_here(state: &State, run: impl FnOnce(&Here) -> Result<Value, Error>) -> Result<Value, Error> {
    let bongsu = state.lookup("bongsu");
    let here = bongsu.as_ref().and_then(|bongsu| bongsu.downcast_object_ref::<Here>()).ok_or_else(|| refused("there is no language"))?;
    run(here)
}

/// A number with all its digits.
fn exact(value: &Value) -> Result<Decimal, Error> {
    if let Some(whole) = value.as_i64().filter(|_| value.is_integer()) {
        return Ok(Decimal::from(whole));
    }
    // Rust writes the shortest decimal that is the same number, as ICU does.
    Decimal::try_from_str(&number_of(value)?.to_string()).map_err(|_| refused("it is no number"))
}

fn rounded(mut number: Decimal, digits: i16) -> Decimal {
    use fixed_decimal::{SignedRoundingMode, UnsignedRoundingMode};
    number.round_with_mode(-digits, SignedRoundingMode::Unsigned(UnsignedRoundingMode::HalfExpand));
    number
}

/// With so many digits of its fraction; without a count as many as it has, up to three.
fn number(here: &Here, value: &Value, digits: Option<u8>) -> Result<String, Error> {
    let mut number = exact(value)?;
    match digits.map(|digits| i16::from(digits.min(MOST_DIGITS))) {
        Some(digits) => {
            number = rounded(number, digits);
            number.absolute.pad_end(-digits);
        }
        None => {
            number = rounded(number, 3);
            number.absolute.trim_end();
        }
    }
    decimal(&here.locale, &number)
}

/// The form of the number's category (CLDR: `zero`, `one`, `two`, `few`, `many`, `other`), its `#` the number.
/// `zero` serves for 0 in every language.
fn plural(here: &Here, value: &Value, forms: &Kwargs) -> Result<Value, Error> {
    let number = exact(value)?;
    let mut named = [("zero", None), ("one", None), ("two", None), ("few", None), ("many", None), ("other", None)];
    for (name, form) in &mut named {
        *form = forms.get::<Option<&str>>(name)?;
    }
    forms.assert_all_used()?;
    let form = |wanted: &str| named.iter().find(|(name, _)| *name == wanted).and_then(|(_, form)| *form);
    let zero = form("zero").filter(|_| number.absolute.is_zero());
    let chosen = zero.or_else(|| form(plural_category(&here.locale, &number))).or_else(|| form("other"));
    let chosen = chosen.ok_or_else(|| refused("a plural needs `other`"))?;
    if !chosen.contains('#') {
        return bounded(chosen.to_owned());
    }
    let mut shown = rounded(number, 3);
    shown.absolute.trim_end();
    let shown = decimal(&here.locale, &shown)?;
    bounded(chosen.split('#').collect::<Vec<_>>().join(&shown))
}
