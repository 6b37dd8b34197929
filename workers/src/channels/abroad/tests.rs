#![allow(clippy::unwrap_used, missing_docs)]

use super::{Abroad, Allowed, HOUR_MS, Verdict};
use commands::bus::Bus;
use commands::database::Readers;
use commands::log::sqlite::{SqliteReader, SqliteWriter};
use commands::log::{Committer, CommitterSettings, KeyStore, MasterKey, Metadata, Sealer, Tail};
use commands::ports::{ManualClock, SeededRandom};
use domain::values::{Channel, Country, Millis, PhoneNumber, Rule};
use proptest::prelude::*;
use std::num::NonZeroU32;
use std::sync::Arc;

fn log(folder: &std::path::Path) -> Bus {
    let random = Arc::new(SeededRandom::new(7));
    let keys = Arc::new(KeyStore::open(&folder.join("keys.db"), MasterKey::new([3; 32]), random.clone()).unwrap());
    let (sealer, path) = (Sealer::new(keys, random), folder.join("log.db"));
    let writer = SqliteWriter::open(path.clone(), sealer.clone()).unwrap();
    let (committer, _thread) = Committer::start(writer, Arc::new(Tail::at(0)), Vec::new(), Arc::new(ManualClock::at(0)), CommitterSettings::default()).unwrap();
    Bus::new(committer, Arc::new(SqliteReader::new(Readers::new(path, 2), sealer)))
}

fn allowed(countries: Option<&[&str]>, per_country: u32, per_range: u32) -> Allowed {
    let countries = countries.map(|codes| codes.iter().map(|code| Country::parse(code).unwrap()).collect());
    Allowed { countries, per_country: NonZeroU32::new(per_country), per_range: NonZeroU32::new(per_range) }
}

async fn spend(abroad: &Abroad, bus: &Bus, number: &str, now: Millis) -> Verdict {
    let number = PhoneNumber::parse(number).unwrap();
    abroad.spend(bus, &Arc::new(Metadata::of("delivery")), &number, Country::of(&number), now).await.unwrap()
}

#[tokio::test]
async fn only_what_is_named_may_be_reached_and_an_empty_list_names_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bus = log(folder.path());
    let never = Verdict::Never(Rule::CountryNotAllowed);
    for (countries, korea, service) in [(Some(&["KR"][..]), Verdict::Go, never), (Some(&[][..]), never, never), (None, Verdict::Go, Verdict::Go)] {
        let abroad = Abroad::new(Channel::Sms, allowed(countries, 0, 0));
        assert_eq!(spend(&abroad, &bus, "+821023456789", 0).await, korea, "{countries:?}");
        assert_eq!(spend(&abroad, &bus, "+881612345678", 0).await, service, "{countries:?}");
    }
}

#[tokio::test]
async fn who_is_over_the_cap_of_a_range_waits_for_the_next_hour_and_nobody_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let bus = log(folder.path());
    let abroad = Abroad::new(Channel::Voice, allowed(None, 40, 2));
    let now = 7 * HOUR_MS + 5;
    for number in ["+821055550001", "+821055550002"] {
        assert_eq!(spend(&abroad, &bus, number, now).await, Verdict::Go);
    }
    let later = Verdict::Later { until: 8 * HOUR_MS, rule: Rule::OverRangeCap };
    assert_eq!(spend(&abroad, &bus, "+821055550003", now).await, later);
    assert_eq!(spend(&abroad, &bus, "+821077770003", now).await, Verdict::Go);
    assert_eq!(spend(&abroad, &bus, "+821055550003", now + HOUR_MS).await, Verdict::Go);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// Replicas that share a log, and lose what they hold when they start anew.
    #[test]
    fn in_no_hour_do_all_replicas_together_send_more_than_the_cap(cap in 1_u32..45, asks in prop::collection::vec((0_usize..3, 0_u8..20), 1..120)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let bus = log(folder.path());
            let fresh = || Abroad::new(Channel::Sms, allowed(None, cap, 0));
            let mut replicas = [fresh(), fresh(), fresh()];
            let (mut now, mut sent) = (HOUR_MS, 0);
            for (replica, what) in asks {
                match what {
                    0 => replicas[replica] = fresh(),
                    1 => {
                        now += HOUR_MS;
                        sent = 0;
                    }
                    _ => match spend(&replicas[replica], &bus, "+821055550001", now).await {
                        Verdict::Go => sent += 1,
                        verdict => prop_assert_eq!(verdict, Verdict::Later { until: now + HOUR_MS, rule: Rule::OverCountryCap }),
                    },
                }
                prop_assert!(sent <= cap, "{} of {}", sent, cap);
            }
            Ok(())
        })?;
    }
}
