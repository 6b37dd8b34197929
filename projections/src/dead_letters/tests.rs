#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::*;
use crate::testing::events::*;
use crate::testing::stores::{Store, on_every_store};
use crate::testing::views::View;
use domain::values::Channel;

on_every_store!(a_dead_letter_stays_until_a_person_decides, whatever_a_code_holds_is_taken_in_and_codes_are_in_the_order_of_their_bytes);

async fn a_dead_letter_stays_until_a_person_decides<S: Store>() {
    let mut story = Story::default();
    for number in 1..=4 {
        story
            .notification(number, requested(recipient(1), false))
            .notification(number, queued(0, Channel::Email))
            .notification(number, dead(0, if number % 2 == 0 { "503" } else { "TIMEOUT" }));
    }
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let letters = DeadLetters::new(view.projection.clone());
    assert_eq!(letters.counts().await.unwrap(), [("503".to_owned(), 2), ("TIMEOUT".to_owned(), 2)]);
    let first = letters.list(0, 3, None).await.unwrap();
    assert_eq!(first.iter().map(|row| row.number).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!((first[0].attempts, first[0].unknown), (5, false));
    let next = letters.list(first[2].position, 3, None).await.unwrap();
    assert_eq!(next.iter().map(|row| row.number).collect::<Vec<_>>(), [4]);
    let of_code = letters.list(0, 3, Some("503".to_owned())).await.unwrap();
    assert_eq!(of_code.iter().map(|row| row.number).collect::<Vec<_>>(), [2, 4]);

    let before = story.events.len();
    story.notification(1, redriven(0)).notification(2, discarded(0)).notification(3, redriven(0)).notification(3, dead(0, "410"));
    view.take(&story.events[before..]).await;
    let once = view.dump().await;
    view.take(&story.events[before..]).await;
    assert_eq!(once, view.dump().await);
    let left = letters.list(0, 10, None).await.unwrap();
    let left: Vec<_> = left.iter().map(|row| (row.number, row.code.as_str())).collect();
    assert_eq!(left, [(4, "503"), (3, "410")]);
}

async fn whatever_a_code_holds_is_taken_in_and_codes_are_in_the_order_of_their_bytes<S: Store>() {
    let mut story = Story::default();
    for (number, code) in (1..).zip(["b", "C", "é", "a\0", "A"]) {
        story.notification(number, requested(recipient(1), false)).notification(number, queued(0, Channel::Email)).notification(number, dead(0, code));
    }
    let view = View::<S>::new(REGISTRATION).await;
    view.take(&story.events).await;
    let counts = DeadLetters::new(view.projection.clone()).counts().await.unwrap();
    let codes: Vec<_> = counts.iter().map(|(code, _)| code.replace(['\0', '\u{fffd}'], "?")).collect();
    assert_eq!(codes, ["A", "C", "a?", "b", "é"]);
}
