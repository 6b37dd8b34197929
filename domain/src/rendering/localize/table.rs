//! How amounts and percentages are written, by language: from CLDR 48.
//!
//! Each row: locale; pattern of an amount, `¤` its symbol and `0` its digits, and after `;` the pattern of a
//! negative one where that is not the other with a sign before it; the same of a percentage; symbols, each behind
//! its currency's code, which is the symbol of every other currency. A row adds to the row of its language.
//! Rejected: icu_experimental, which has the same data with every unit of measure, and no stable interface.

/// The rows, the languages before their regions.
pub(super) const ROWS: &[(&str, &str, &str, &str)] = &[
    ("en", "¤0", "0%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ PHP₱ TWDNT$ USD$ VND₫"),
    ("en-AU", "¤0", "0%", "AUD$ BRLBRL CADCAD CNYCNY EUREUR GBPGBP HKDHKD ILSILS INRINR JPYJPY KRWKRW MXNMXN NZDNZD PHPPHP TWDTWD USDUSD VNDVND"),
    ("en-CA", "¤0", "0%", "CAD$ JPYJP¥ USDUS$"),
    ("en-GB", "¤0", "0%", "JPYJP¥ USDUS$"),
    ("en-IN", "¤0", "0%", "JPYJP¥"),
    ("en-NZ", "¤0", "0%", "JPYJP¥ NZD$ USDUS$"),
    ("en-SG", "¤0", "0%", "JPYJP¥ SGD$ USDUS$"),
    ("ko", "¤0", "0%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ TWDNT$ USDUS$ VND₫"),
    ("ja", "¤0", "0%", "AUDA$ BRLR$ CADCA$ CNY元 EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY￥ KRW₩ MXNMX$ NZDNZ$ TWDNT$ USD$ VND₫"),
    ("zh", "¤0", "0%", "AUDAU$ BRLR$ CADCA$ CNY¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ TWDNT$ USDUS$ VND₫"),
    ("zh-Hant", "¤0", "0%", "CNYCN¥ JPY¥ KRW￦ TWD$"),
    ("zh-Hant-HK", "¤0", "0%", "KRW₩ TWDNT$"),
    ("de", "0\u{a0}¤", "0\u{a0}%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USD$ VND₫"),
    ("de-AT", "¤\u{a0}0", "0\u{a0}%", ""),
    ("de-CH", "¤\u{a0}0;¤-0", "0%", "EUREUR"),
    ("fr", "0\u{a0}¤", "0\u{a0}%", "ARS$AR AUD$AU BRLR$ CAD$CA CLP$CL COP$CO EUR€ GBP£GB ILS₪ INR₹ KRW₩ MXN$MX NZD$NZ SGD$SG USD$US VND₫"),
    (
        "fr-CA",
        "0\u{a0}¤",
        "0\u{a0}%",
        "ARSARS AUD$\u{a0}AU CAD$ CLPCLP CNYCN¥ COPCOP GBP£ HKD$\u{a0}HK ILSILS INRINR JPY¥ KRWKRW MXNMXN NZD$\u{a0}NZ SGD$\u{a0}SG USD$\u{a0}US VNDVND",
    ),
    ("fr-CH", "0\u{a0}¤", "0%", ""),
    ("es", "0\u{a0}¤", "0\u{a0}%", "EUR€ THB฿ USDUS$ VND₫"),
    ("es-AR", "¤\u{a0}0", "0%", "ARS$ EUREUR THBTHB VNDVND"),
    ("es-CL", "¤0;¤-0", "0%", "CLP$ EUREUR THBTHB VNDVND"),
    ("es-CO", "¤\u{a0}0", "0%", "COP$ EUREUR THBTHB VNDVND"),
    ("es-MX", "¤0", "0%", "EUREUR MXN$ THBTHB USDUSD VNDVND"),
    ("es-US", "¤0", "0%", "EUREUR JPY¥ THBTHB USD$ VNDVND"),
    ("it", "0\u{a0}¤", "0%", "AUDA$ CADCA$ CNYCN¥ EUR€ GBP£ ILS₪ NZDNZ$ PHP₱ THB฿"),
    ("it-CH", "¤\u{a0}0;¤-0", "0%", ""),
    ("pt", "¤\u{a0}0", "0%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USDUS$ VND₫"),
    ("pt-PT", "0\u{a0}¤", "0%", ""),
    ("nl", "¤\u{a0}0;¤\u{a0}-0", "0%", "AUDAU$ BRLR$ CADC$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USDUS$ VND₫"),
    ("nl-BE", "¤\u{a0}0;¤\u{a0}-0", "0%", ""),
    ("pl", "0\u{a0}¤", "0%", "BRLR$ EUR€ PLNzł"),
    ("ru", "0\u{a0}¤", "0\u{a0}%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ RUB₽ THB฿ TWDNT$ UAH₴ USD$ VND₫"),
    ("uk", "0\u{a0}¤", "0%", "JPY¥ UAH₴"),
    ("tr", "¤0", "%0", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TRY₺ TWDNT$ USD$ VND₫"),
    ("sv", "0\u{a0}¤", "0\u{a0}%", "BRLBR$ CADCA$ DKKDkr EGPEG£ EUR€ ILS₪ MXNMX$ NOKNkr SEKkr USDUS$"),
    ("da", "0\u{a0}¤", "0\u{a0}%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ DKKkr. EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USDUS$ VND₫"),
    ("nb", "0\u{a0}¤", "0\u{a0}%", "EUR€ GBP£ NOKkr"),
    ("fi", "0\u{a0}¤", "0\u{a0}%", "EUR€ GBP£ JPY¥ USD$"),
    ("cs", "0\u{a0}¤", "0\u{a0}%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ CZKKč EUR€ GBP£ HKDHK$ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ TWDNT$ USDUS$"),
    ("sk", "0\u{a0}¤", "0\u{a0}%", "EUR€ ILSNIS MXNMX$"),
    ("sl", "0\u{a0}¤", "0\u{a0}%", "CNYCN¥ EUR€ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ USD$ VND₫"),
    ("hr", "0\u{a0}¤", "0\u{a0}%", "EUR€"),
    ("hu", "0\u{a0}¤", "0%", "HUFFt JPY¥"),
    ("ro", "0\u{a0}¤", "0\u{a0}%", ""),
    ("bg", "0\u{a0}¤", "0%", "BGNлв. EUR€ USDщ.д."),
    ("el", "0\u{a0}¤", "0%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USD$ VND₫"),
    (
        "he",
        "\u{200f}0\u{a0}\u{200f}¤;\u{200f}\u{200e}-0\u{a0}\u{200f}¤",
        "0%;\u{200e}-0%",
        "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USD$ VND₫",
    ),
    (
        "ar",
        "\u{200f}0\u{a0}¤;\u{200f}\u{200e}-0\u{a0}¤",
        "0\u{200e}%\u{200e};\u{200e}-0\u{200e}%\u{200e}",
        "AEDد.إ. AUDAU$ BHDد.ب. BRLR$ CADCA$ CNYCN¥ EGPج.م. EUR€ GBPUK£ HKDHK$ ILS₪ INR₹ JODد.أ. JPYJP¥ KRW₩ KWDد.ك. MXNMX$ NZDNZ$ OMRر.ع. QARر.ق. SARر.س. THB฿ TNDد.ت. TWDNT$ USDUS$ VND₫",
    ),
    ("ar-EG", "\u{200f}0\u{a0}¤;\u{61c}-\u{200f}0\u{a0}¤", "0%\u{61c};\u{61c}-0%\u{61c}", ""),
    (
        "fa",
        "\u{200e}¤0;\u{200e}-\u{200e}¤0",
        "0%;\u{200e}-0%",
        "AUDA$ BRLR$ CAD$CA CNY¥CN EUR€ GBP£ HKD$HK ILS₪ INR₹ JPY¥ KRW₩ MXN$MX NZD$NZ THB฿ TWDNT$ USD$ VND₫",
    ),
    ("hi", "¤0", "0%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USD$ VND₫"),
    ("bn", "0¤", "0%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USDUS$ VND₫"),
    ("ta", "¤0", "0%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USD$ VND₫"),
    ("th", "¤0", "0%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USDUS$ VND₫"),
    ("vi", "0\u{a0}¤", "0%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USDUS$ VND₫"),
    ("id", "¤0", "0%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ IDRRp ILS₪ INRRs JPYJP¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USDUS$ VND₫"),
    ("ms", "¤0", "0%", "AUDA$ BRLR$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ MYRRM NZDNZ$ TWDNT$ VND₫"),
    ("fil", "¤0", "0%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ PHP₱ THB฿ TWDNT$ USD$ VND₫"),
    ("et", "0\u{a0}¤", "0%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USD$ VND₫"),
    ("lv", "0\u{a0}¤", "0%", "AUDAU$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ MXNMX$ NZDNZ$ THB฿ TWDNT$ USD$ VND₫"),
    ("lt", "0\u{a0}¤", "0\u{a0}%", "EUR€"),
    ("ca", "0\u{a0}¤", "0\u{a0}%", "AUDAU$ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ KRW₩ NZDNZ$ THB฿ TWDNT$ VND₫"),
    ("kk", "0\u{a0}¤", "0%", "AUDA$ BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPYJP¥ KRW₩ KZT₸ MXNMX$ NZDNZ$ RUB₽ THB฿ TWDNT$ USD$ VND₫"),
    ("ka", "0\u{a0}¤", "0%", "BRLR$ CADCA$ EUR€ GBP£ MXNMX$ TWDNT$ USDUS$"),
    ("sr", "0\u{a0}¤", "0%", "BRLR$ CADCA$ CNYCN¥ EUR€ GBP£ HKDHK$ ILS₪ INR₹ JPY¥ MXNMX$ TWDNT$ USDUS$"),
];

/// Currencies without a fraction.
pub(super) const WHOLE: &[&str] = &[
    "AFN", "ALL", "BIF", "CLP", "COP", "DJF", "GNF", "HUF", "IDR", "IQD", "IRR", "ISK", "JPY", "KMF", "KPW", "KRW", "LAK", "LBP", "MGA", "MMK", "PKR", "PYG",
    "RWF", "SLL", "SOS", "SYP", "UGX", "VND", "VUV", "XAF", "XOF", "XPF", "YER",
];

/// Currencies with thousandths.
pub(super) const THOUSANDTHS: &[&str] = &["BHD", "JOD", "KWD", "LYD", "OMR", "TND"];
