//! Languages: against what ICU 78 (CLDR 48) writes, as in Node's `Intl`.

use super::*;

fn in_language(template_text: &str, locale: &str, parameters: Value) -> String {
    render_for(&with_language(template_text, locale), Channel::Sms, locale, parameters).map(|rendered| rendered.text).unwrap()
}

fn with_language(template_text: &str, locale: &str) -> Source {
    let mut source = with_names(text(template_text));
    source.default_locale = Locale::new(locale).unwrap();
    source.locales[0].locale = source.default_locale.clone();
    source
}

#[test]
fn amounts_are_as_in_icu() {
    for (locale, currency, amount, meant) in [
        ("ko", "KRW", 1234567.0, "₩1,234,567"),
        ("ko-KR", "USD", -1234.5, "-US$1,234.50"),
        ("en", "USD", 1234.5, "$1,234.50"),
        ("en-US", "KRW", 1234567.0, "₩1,234,567"),
        ("en-GB", "GBP", -0.5, "-£0.50"),
        ("ja", "JPY", 1234567.0, "￥1,234,567"),
        ("ja-JP", "KRW", 500.0, "₩500"),
        ("zh-Hans-CN", "CNY", 99.9, "¥99.90"),
        ("zh-Hant-TW", "TWD", 1234.0, "$1,234.00"),
        ("de", "EUR", 1234567.891, "1.234.567,89\u{a0}€"),
        ("de-CH", "CHF", 1234567.5, "CHF\u{a0}1'234'567.50"),
        ("fr", "EUR", 1234567.5, "1\u{202f}234\u{202f}567,50\u{a0}€"),
        ("fr-CA", "CAD", 12.0, "12,00\u{a0}$"),
        ("es", "EUR", 1234.5, "1234,50\u{a0}€"),
        ("es", "EUR", 12345.5, "12.345,50\u{a0}€"),
        ("es-MX", "MXN", 1234.5, "$1,234.50"),
        ("pt-BR", "BRL", 1234.5, "R$\u{a0}1.234,50"),
        ("it", "EUR", 1234.5, "1234,50\u{a0}€"),
        ("nl", "EUR", -1234.5, "€\u{a0}-1.234,50"),
        ("pl", "PLN", 1234.5, "1234,50\u{a0}zł"),
        ("ru", "RUB", 1234567.5, "1\u{a0}234\u{a0}567,50\u{a0}₽"),
        ("tr", "TRY", 1234.5, "₺1.234,50"),
        ("sv", "SEK", -1234.5, "\u{2212}1\u{a0}234,50\u{a0}kr"),
        ("en-IN", "INR", 1234567.5, "₹12,34,567.50"),
        ("hi", "INR", 1234567.0, "₹12,34,567.00"),
        ("vi", "VND", 1234567.0, "1.234.567\u{a0}₫"),
        ("th", "THB", 1234.5, "฿1,234.50"),
        ("id", "IDR", 1234567.0, "Rp\u{a0}1.234.567"),
        ("en", "CHF", 12.0, "CHF\u{a0}12.00"),
        ("en", "KWD", 1.2345, "KWD\u{a0}1.235"),
        ("cs", "CZK", 1234.5, "1\u{a0}234,50\u{a0}Kč"),
    ] {
        assert_eq!(in_language(&format!("{{{{ n | currency('{currency}') }}}}"), locale, json!({"n": amount})), meant, "{locale} {currency}");
    }
}

#[test]
fn percentages_and_numbers_are_as_in_icu() {
    for (locale, percent, number) in
        [("ko", "-12.3%", "1,234,567.892"), ("de", "-12,3\u{a0}%", "1.234.567,892"), ("tr", "-%12,3", "1.234.567,892"), ("en", "-12.3%", "1,234,567.892")]
    {
        assert_eq!(in_language("{{ n | percent(1) }}", locale, json!({"n": -0.1234})), percent, "{locale}");
        assert_eq!(in_language("{{ n | number }}", locale, json!({"n": 1_234_567.891_5})), number, "{locale}");
    }
    assert_eq!(in_language("{{ n | number(2) }} {{ n | number(0) }}", "en", json!({"n": 2.5})), "2.50 3");
}

#[test]
fn moments_are_on_the_recipients_clock() {
    let at = json!({"a": "2026-11-22T01:30:00Z", "n": 1_795_311_000_000_i64});
    for (locale, template, meant) in [
        ("en", "{{ a | date }}", "Nov 22, 2026"),
        ("en", "{{ n | date('short') }}", "11/22/26"),
        ("en", "{{ a | date('full') }}", "Sunday, November 22, 2026"),
        ("en-GB", "{{ a | date('long') }}", "22 November 2026"),
        ("ko", "{{ a | date('full') }}", "2026년 11월 22일 일요일"),
        ("ja", "{{ a | date('full') }}", "2026年11月22日日曜日"),
        ("de", "{{ a | date('full') }}", "Sonntag, 22. November 2026"),
        ("fr", "{{ a | date('long') }}", "22 novembre 2026"),
        ("pt-BR", "{{ a | date('long') }}", "22 de novembro de 2026"),
        ("de", "{{ a | time }} {{ a | time('medium') }}", "10:30 10:30:00"),
        ("de", "{{ a | time('long') }}", "10:30:00 GMT+9"),
        ("de", "{{ a | datetime }}", "22.11.2026, 10:30"),
        ("en", "{{ '2026-01-31' | date }}", "Jan 31, 2026"),
    ] {
        assert_eq!(in_language(template, locale, at.clone()).replace('\u{202f}', " "), meant, "{locale} {template}");
    }
    assert!(matches!(shown("{{ a | date }}", json!({"a": "soon"})), Err(RenderError::Failed { reason: "it is no moment or day", .. })));
}

#[test]
fn plurals_are_each_languages_own() {
    let template = "{{ n | plural(one='# one', few='# few', many='# many', other='# other') }}";
    for (locale, number, meant) in [
        ("en", 1, "1 one"),
        ("en", 0, "0 other"),
        ("ru", 1, "1 one"),
        ("ru", 3, "3 few"),
        ("ru", 11, "11 many"),
        ("ru", 21, "21 one"),
        ("ko", 1, "1 other"),
        ("fr", 0, "0 one"),
        ("pl", 22, "22 few"),
        ("en", 1_000, "1,000 other"),
    ] {
        assert_eq!(in_language(template, locale, json!({"n": number})), meant, "{locale} {number}");
    }
    assert_eq!(in_language("{{ n | plural(zero='none', other='#') }}", "ko", json!({"n": 0})), "none");
}

#[test]
fn the_recipients_country_counts_where_its_language_is_spoken() {
    let source = with_language("{{ a | date('short') }}", "en");
    let at = json!({"a": "2026-11-22T01:30:00Z"});
    assert_eq!(render_for(&source, Channel::Sms, "en-GB", at.clone()).unwrap().text, "22/11/2026");
    assert_eq!(render_for(&source, Channel::Sms, "ja-JP", at).unwrap().text, "11/22/26");
}
