//! How many segments a text message takes (3GPP TS 23.038 sections 6.1 and 6.2, TS 23.040 section
//! 9.2.3.24): that is what providers bill and networks limit.
//!
//! Without a character outside the GSM 7-bit alphabet 160 septets fit into one segment, else 70
//! UTF-16 units; in several segments 153 and 67, since each begins with its place among them.
//! Guarantee: an escape is not parted from what it escapes, nor one half of a surrogate pair from
//! the other, as phones cannot join them again. Rejected: dividing the length, which counts one too
//! few where such a pair falls on the border.

/// How the characters travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// GSM 7-bit default alphabet with its extension table.
    Gsm7,
    /// UCS-2, in practice UTF-16.
    Ucs2,
}

impl Encoding {
    /// Units in the only segment, and in each of several.
    const fn room(self) -> (u32, u32) {
        match self {
            Self::Gsm7 => (160, 153),
            Self::Ucs2 => (70, 67),
        }
    }
}

/// What a text takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segments {
    /// How its characters travel.
    pub encoding: Encoding,
    /// Septets or UTF-16 units.
    pub units: u32,
    /// Segments; at least one.
    pub count: u32,
}

/// The default alphabet (TS 23.038 section 6.2.1), without the escape.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

/// The extension table (section 6.2.1.1): an escape before each.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Septets of a character; none where the alphabet lacks it.
fn septets(letter: char) -> Option<u32> {
    // The most common, without a search.
    if letter.is_ascii_alphanumeric() || letter == ' ' || BASIC.contains(letter) { Some(1) } else { EXTENSION.contains(letter).then_some(2) }
}

/// Counts.
pub fn segments(text: &str) -> Segments {
    let gsm: Option<Vec<u32>> = text.chars().map(septets).collect();
    match gsm {
        Some(sizes) => pack(Encoding::Gsm7, &sizes),
        None => pack(Encoding::Ucs2, &text.chars().map(|letter| if letter.len_utf16() == 2 { 2 } else { 1 }).collect::<Vec<_>>()),
    }
}

/// Fills segments, one after the other, with what must not be parted.
fn pack(encoding: Encoding, sizes: &[u32]) -> Segments {
    let units: u32 = sizes.iter().fold(0, |sum, size| sum.saturating_add(*size));
    let (alone, room) = encoding.room();
    if units <= alone {
        return Segments { encoding, units, count: 1 };
    }
    let (mut count, mut used) = (1_u32, 0);
    for size in sizes {
        if used + size > room {
            count = count.saturating_add(1);
            used = 0;
        }
        used += size;
    }
    Segments { encoding, units, count }
}
