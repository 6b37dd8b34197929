#![allow(clippy::unwrap_used, missing_docs)]

use super::{Country, LONGEST, numbers::NUMBERS};
use crate::values::PhoneNumber;
use std::collections::HashSet;

fn of(number: &str) -> Option<String> {
    Country::of(&PhoneNumber::parse(number).unwrap()).map(|country| country.to_string())
}

#[test]
fn a_number_belongs_to_the_country_whose_digits_it_begins_with() {
    let known = [
        ("+821023456789", "KR"),
        ("+15005550009", "US"),
        ("+12125550101", "US"),
        ("+14165550101", "CA"),
        ("+18765550101", "JM"),
        ("+442079460000", "GB"),
        ("+447797712345", "JE"),
        ("+79161234567", "RU"),
        ("+77011234567", "KZ"),
        ("+390669812345", "VA"),
        ("+390612345678", "IT"),
        ("+35312345678", "IE"),
        ("+8001234567890", ""),
        ("+881612345678", ""),
    ];
    for (number, country) in known {
        assert_eq!(of(number).unwrap_or_default(), country, "{number}");
    }
}

#[test]
fn the_table_names_each_beginning_once_and_none_longer_than_is_looked_at() {
    let mut seen = HashSet::new();
    for (code, beginnings) in NUMBERS {
        assert_eq!(Country::parse(&code.to_lowercase()).unwrap().as_str(), code);
        for digits in beginnings.split(' ') {
            assert!(seen.insert(digits) && digits.len() <= LONGEST && digits.bytes().all(|byte| byte.is_ascii_digit()), "{code} {digits}");
        }
    }
}

#[test]
fn what_is_no_country_is_none() {
    for text in ["", "K", "KOR", "K1", "XX", "한"] {
        assert_eq!(Country::parse(text), None, "{text}");
    }
}
