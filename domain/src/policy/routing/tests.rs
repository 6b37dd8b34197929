#![allow(clippy::unwrap_used, missing_docs)]

use super::*;
use proptest::prelude::*;
use uuid::Uuid;

fn terms(provider: &str, priority: u32, weight: u32) -> Terms {
    Terms { priority, weight, ..Terms::any(provider) }
}

fn sender(name: &str) -> SenderKey {
    SenderKey::new(name).unwrap()
}

fn country(code: &str) -> Country {
    Country::parse(code).unwrap()
}

fn pick(terms: &[Terms], id: u128, sender: &SenderKey, country: Option<Country>, previous: Option<Previous<'_>>, free: &[usize]) -> Choice {
    let wanted = Wanted { notification: NotificationId(Uuid::from_u128(id)), delivery: 0, sender, country, previous };
    choose(terms, &wanted, &|place| free.contains(&place))
}

#[test]
fn the_lowest_priority_goes_first_and_the_next_where_it_cannot() {
    let (all, shop) = ([terms("a", 0, 1), terms("b", 1, 9)], sender("shop"));
    for id in 0..50 {
        assert_eq!(pick(&all, id, &shop, None, None, &[0, 1]), Choice::Use(0));
        assert_eq!(pick(&all, id, &shop, None, None, &[1]), Choice::Use(1));
    }
    assert_eq!(pick(&all, 1, &shop, None, None, &[]), Choice::Wait(vec![0, 1]));
}

#[test]
fn who_does_not_serve_the_country_or_the_sender_is_not_asked() {
    let korea = Terms { countries: vec![country("KR")], ..terms("korea", 0, 1) };
    let bank = Terms { senders: vec![sender("bank")], ..terms("bank", 0, 1) };
    let all = [korea, bank];
    let ask = |from: &str, code: Option<&str>, free: &[usize]| pick(&all, 1, &sender(from), code.map(country), None, free);
    assert_eq!(ask("shop", Some("KR"), &[0, 1]), Choice::Use(0));
    assert_eq!(ask("bank", Some("US"), &[0, 1]), Choice::Use(1));
    assert_eq!(ask("bank", Some("US"), &[0]), Choice::Wait(vec![1]));
    assert_eq!(ask("shop", Some("US"), &[0, 1]), Choice::Nobody);
    assert_eq!(ask("shop", None, &[0, 1]), Choice::Nobody, "a number of no country is of none that is served");
}

#[test]
fn after_a_failure_another_is_preferred_and_after_an_unknown_outcome_only_the_same_is_asked() {
    let (all, shop) = ([terms("a", 0, 1), terms("b", 7, 1)], sender("shop"));
    let after = |provider, unknown| Some(Previous { provider, unknown });
    assert_eq!(pick(&all, 1, &shop, None, after("a", false), &[0, 1]), Choice::Use(1));
    assert_eq!(pick(&all, 1, &shop, None, after("a", false), &[0]), Choice::Use(0));
    assert_eq!(pick(&all, 1, &shop, None, after("b", true), &[0, 1]), Choice::Use(1));
    assert_eq!(pick(&all, 1, &shop, None, after("b", true), &[0]), Choice::Wait(vec![1]));
    assert_eq!(pick(&all, 1, &shop, None, after("gone", true), &[0, 1]), Choice::Use(0), "nobody is left who could know");
}

#[test]
fn equals_share_by_weight() {
    let (all, shop) = ([terms("a", 0, 1), terms("b", 0, 3)], sender("shop"));
    let to_b = (0..4_000).filter(|id| pick(&all, *id, &shop, None, None, &[0, 1]) == Choice::Use(1)).count();
    assert!((2_850..3_150).contains(&to_b), "{to_b} of 4000");
}

type Drawn = (u32, u32, Vec<&'static str>, Vec<&'static str>);

fn any_terms() -> impl Strategy<Value = Vec<Terms>> {
    let one = (0_u32..3, 1_u32..5, prop::sample::subsequence(vec!["KR", "US", "DE"], 0..3), prop::sample::subsequence(vec!["shop", "bank"], 0..2));
    prop::collection::vec(one, 1..6).prop_map(|all| {
        let of = |(place, (priority, weight, countries, senders)): (usize, Drawn)| Terms {
            provider: format!("p{place}"),
            priority,
            weight,
            countries: countries.into_iter().map(country).collect(),
            senders: senders.into_iter().map(sender).collect(),
        };
        all.into_iter().enumerate().map(of).collect()
    })
}

proptest! {
    // Few cases have a failed provider that would come first.
    #![proptest_config(ProptestConfig { cases: 4_096, ..ProptestConfig::default() })]

    #[test]
    fn what_is_chosen_serves_is_free_and_comes_before_no_better_one(
        all in any_terms(), id in any::<u128>(), from in prop::sample::select(vec!["shop", "bank"]),
        code in prop::option::of(prop::sample::select(vec!["KR", "US"])), last in prop::option::of((0_usize..6, any::<bool>())), free in any::<u8>(),
    ) {
        let (from, code) = (sender(from), code.map(country));
        let name = last.map(|(place, _)| format!("p{place}"));
        let previous = last.zip(name.as_deref()).map(|((_, unknown), provider)| Previous { provider, unknown });
        let free: Vec<usize> = (0..all.len()).filter(|place| free & (1 << place) != 0).collect();
        let serves = |terms: &Terms| (terms.countries.is_empty() || code.is_some_and(|code| terms.countries.contains(&code)))
            && (terms.senders.is_empty() || terms.senders.contains(&from));
        let serving: Vec<usize> = (0..all.len()).filter(|place| serves(&all[*place])).collect();
        let choice = pick(&all, id, &from, code, previous, &free);
        prop_assert_eq!(&choice, &pick(&all, id, &from, code, previous, &free), "the same each time");
        if let Some((place, true)) = last && place < all.len() {
            prop_assert_eq!(choice, if free.contains(&place) { Choice::Use(place) } else { Choice::Wait(vec![place]) });
            return Ok(());
        }
        let failed = |place: usize| last.is_some_and(|(failed, _)| failed == place);
        match choice {
            Choice::Use(best) => {
                prop_assert!(serving.contains(&best) && free.contains(&best));
                for other in serving.iter().filter(|other| free.contains(other)) {
                    prop_assert!((failed(best), all[best].priority) <= (failed(*other), all[*other].priority));
                }
            }
            Choice::Wait(waiting) => prop_assert!(!waiting.is_empty() && waiting == serving && waiting.iter().all(|place| !free.contains(place))),
            Choice::Nobody => prop_assert!(serving.is_empty()),
        }
    }

    #[test]
    fn what_one_leaves_moves_nothing_else(ids in prop::collection::vec(any::<u128>(), 1..100), weights in prop::collection::vec(1_u32..9, 3)) {
        let all: Vec<Terms> = weights.iter().enumerate().map(|(place, weight)| terms(&format!("p{place}"), 0, *weight)).collect();
        for id in ids {
            let before = pick(&all, id, &sender("shop"), None, None, &[0, 1, 2]);
            if before != Choice::Use(0) {
                prop_assert_eq!(before, pick(&all, id, &sender("shop"), None, None, &[1, 2]));
            }
        }
    }
}
