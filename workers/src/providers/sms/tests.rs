#![allow(clippy::unwrap_used, missing_docs)]

use super::{Encoding, Segments, segments};
use super::{reply_word, text};
use domain::address::ReplyWord;
use domain::values::Content;
use proptest::prelude::*;

fn counted(text: &str) -> (Encoding, u32, u32) {
    let Segments { encoding, units, count } = segments(text);
    (encoding, units, count)
}

#[test]
fn borders_of_one_and_of_several_segments() {
    use Encoding::{Gsm7, Ucs2};
    for (letter, encoding, size, cases) in [
        ("a", Gsm7, 1, vec![(0, 1), (160, 1), (161, 2), (306, 2), (307, 3), (459, 3), (460, 4)]),
        ("é", Gsm7, 1, vec![(160, 1), (161, 2)]),
        // An escape takes a septet of its own: 80 fill one segment, and only 76 one of several.
        ("€", Gsm7, 2, vec![(80, 1), (81, 2), (152, 2), (153, 3)]),
        ("한", Ucs2, 1, vec![(1, 1), (70, 1), (71, 2), (134, 2), (135, 3)]),
        // A surrogate pair: 35 fill one, and only 33 one of several.
        ("🙂", Ucs2, 2, vec![(35, 1), (36, 2), (66, 2), (67, 3)]),
    ] {
        for (times, count) in cases {
            let units = size * u32::try_from(times).unwrap();
            assert_eq!(counted(&letter.repeat(times)), (encoding, units, count), "{letter} {times} times");
        }
    }
}

#[test]
fn one_character_outside_the_alphabet_changes_all() {
    assert_eq!(counted(&"a".repeat(71)), (Encoding::Gsm7, 71, 1));
    assert_eq!(counted(&format!("{}ç", "a".repeat(70))), (Encoding::Ucs2, 71, 2));
    // Capital Ç is in the alphabet, small ç and the backtick are not.
    assert_eq!(counted("Ç").0, Encoding::Gsm7);
    assert_eq!(counted("`").0, Encoding::Ucs2);
    assert_eq!(counted("[]{}~^|\\€\u{c}"), (Encoding::Gsm7, 20, 1));
}

#[test]
fn the_alphabet_has_its_size() {
    let alone: Vec<char> = (0..=0x2fff).filter_map(char::from_u32).filter(|letter| counted(&letter.to_string()) == (Encoding::Gsm7, 1, 1)).collect();
    let escaped = (0..=0x2fff).filter_map(char::from_u32).filter(|letter| counted(&letter.to_string()) == (Encoding::Gsm7, 2, 1)).count();
    assert_eq!((alone.len(), escaped), (127, 10), "{alone:?}");
}

#[test]
fn a_text_is_the_title_above_the_body() {
    let content = |title: Option<&str>| Content { title: title.map(str::to_owned), body: "Order 42".to_owned(), ..Content::default() };
    assert_eq!((text(&content(Some("Paid"))).as_ref(), text(&content(None)).as_ref()), ("Paid\nOrder 42", "Order 42"));
}

proptest! {
    /// Never fewer than the length divided, never more than that with a unit lost in each.
    #[test]
    fn segments_are_as_many_as_needed(text in "[a-z€\\[한🙂]{0,600}") {
        let Segments { encoding, units, count } = segments(&text);
        let (alone, room) = if encoding == Encoding::Gsm7 { (160, 153) } else { (70, 67) };
        if units <= alone {
            prop_assert_eq!(count, 1);
        } else {
            prop_assert!(count >= units.div_ceil(room) && count <= units.div_ceil(room - 1));
        }
    }
}

#[test]
fn only_a_word_that_stands_alone_means_something() {
    for stop in ["STOP", "stop", " Stop! ", "stopall", "수신거부", "거부", "arrêt", "BAJA", "unsubscribe."] {
        assert_eq!(reply_word(stop), Some(ReplyWord::Stop), "{stop}");
    }
    for start in ["START", "unstop", "수신동의", "yes"] {
        assert_eq!(reply_word(start), Some(ReplyWord::Start), "{start}");
    }
    for other in ["please stop calling me later today", "", "HELP", "stop it", "네"] {
        assert_eq!(reply_word(other), None, "{other}");
    }
}
