use uuid::Uuid;

use super::super::ledger::{Arrival, Ending, IdText, ProviderId};
use super::*;

fn push(ledger: &Ledger, id: u128) -> u64 {
    let arrival = Arrival {
        provider: Provider::Fcm,
        notification: IdText::Uuid(Uuid::from_u128(id)),
        delivery: Some(0),
        attempt: Some(1),
        address_hash: [1; 32],
        body_sha256: [2; 32],
    };
    let ending = Ending { verdict: Verdict::Accepted, delivered: true, status: 200, reason: "", provider_id: ProviderId::Fcm { micros: 1, number: 1 } };
    ledger.record(arrival, ending)
}

#[test]
fn an_entry_stays_small() {
    assert!(size_of::<super::super::ledger::Stored>() <= 136);
}

#[test]
fn pages_follow_positions_across_the_memory_bound() {
    let ledger = Ledger::new(SimClock::default(), 10);
    for id in 0..2_050_000 {
        push(&ledger, id);
    }
    let counters = ledger.counters();
    assert_eq!((counters.fcm.delivered, counters.fcm.duplicates), (2_050_000, 0));
    assert!(counters.forgotten > 0);
    let newest = ledger.entries(2_050_009, 10);
    assert_eq!(newest.len(), 1);
    assert_eq!(newest[0].seq, 2_050_010);
    let oldest = ledger.entries(0, 1);
    assert_eq!(oldest[0].seq, 10 + counters.forgotten + 1);
    // The newest 1.8 million deliveries are remembered.
    push(&ledger, 2_000_000);
    assert_eq!(ledger.counters().fcm.duplicates, 1);
    ledger.reset();
    assert_eq!(push(&ledger, 1), 2_050_012);
}
