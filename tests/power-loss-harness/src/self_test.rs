//! Tests the tester: each fault is planted in the server (`failpoints`, `BONGSU_PLANTED_FAULT`)
//! and must be found. One that is not found is the violation here.

use crate::Run;
use anyhow::Result;
use serde_json::{Value, json};

/// Images for each fault.
pub const IMAGES: usize = 300;

/// Faults that the server can have on demand (commands::failpoint::planted).
const FAULTS: [(&str, &str); 4] = [
    ("log-normal", "the log is written with synchronous=NORMAL: a commit is acknowledged before it is synced"),
    ("log-off", "the log is written with synchronous=OFF: what is synced, and in which order, is left to chance"),
    ("keys-normal", "keys are not synced before what they seal is"),
    ("folder-unsynced", "the data folder's name is not synced when it is made"),
];

/// Plants each; gives the summary.
pub async fn run(run: &Run, images: usize, seed: u64) -> Result<Value> {
    let mut found = serde_json::Map::new();
    let mut missed = 0;
    for (fault, what) in FAULTS {
        eprintln!("planted: {what}");
        let judged = run.one(images, seed, Some(fault), 0).await?;
        missed += usize::from(judged.tally.violations == 0);
        let wrong: Vec<String> = judged.tally.wrong.iter().map(|(wrong, count)| format!("{wrong:?} {count}")).collect();
        found.insert(
            fault.to_owned(),
            json!({ "caught": judged.tally.violations > 0, "images": judged.tally.images, "caught_in": judged.tally.violations, "shown_as": wrong }),
        );
    }
    Ok(json!({ "self_test": found, "caught": FAULTS.len() - missed, "violations": missed, "seed": seed }))
}
