//! What the clients ask for that does not go out at once: for a time, under a limit, into a digest, by a
//! plan, on a schedule, and for people who do not want to be disturbed. All within seconds, so
//! that a short run sees it come due, under whatever is done to the system then.

use anyhow::Result;
use crash_harness::api::{Client, Item, PRIORITIES};
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::{Value, json};

/// At most two in any two seconds; the others wait for their places.
const HELD: &str = "held";
/// At most twenty an hour; the others are not sent.
const SCARCE: &str = "scarce";
/// Collected for a second.
const DIGEST: &str = "digest";
/// Collected until there was nothing for a second, for three at most.
const SLIDING: &str = "sliding";
/// By mail, and by a webhook where it was not seen within two seconds.
const UNSEEN: &str = "unseen";
/// By push, and by mail where that has failed.
const FALLBACK: &str = "fallback";
/// Turned on and off as a whole.
pub const NEWS: &str = "news";
/// Turned on and off on single channels.
pub const OFFERS: &str = "offers";
/// Turned on and off.
pub const TOPIC: &str = "matches";

/// Defines the categories that the load uses.
pub async fn define(administrator: &Client) -> Result<()> {
    let step = |channels: Value, next: Value| json!({ "channels": channels, "next": next });
    let plan = |first: Value, when: &str, then: Value| json!({ "steps": [step(first, json!({ "afterSeconds": 2, "when": when })), step(then, Value::Null)] });
    let mail = json!(["EMAIL"]);
    for (key, rules) in [
        (HELD, json!({ "defaultChannels": mail, "limits": [{ "most": 2, "per": { "slidingSeconds": 2 } }] })),
        (SCARCE, json!({ "defaultChannels": mail, "limits": [{ "most": 20, "per": { "period": "HOUR" } }], "overLimit": "SUPPRESS" })),
        (DIGEST, json!({ "defaultChannels": mail, "digest": { "window": { "fixedSeconds": 1 }, "maxItems": 4 } })),
        (SLIDING, json!({ "defaultChannels": mail, "digest": { "window": { "sliding": { "seconds": 1, "atMostSeconds": 3 } } } })),
        (UNSEEN, json!({ "plan": plan(json!(["EMAIL", "IN_APP"]), "NOT_SEEN", json!(["WEBHOOK"])) })),
        (FALLBACK, json!({ "plan": plan(json!(["ANDROID_PUSH"]), "FAILED", json!(["EMAIL"])) })),
        (NEWS, json!({})),
        (OFFERS, json!({})),
    ] {
        let mut input = rules;
        input["key"] = json!(key);
        input["name"] = json!(key);
        administrator.define_category(input).await?;
    }
    Ok(())
}

/// A moment so many ms after now, as the schema has it.
pub fn after(now: i64, ms: i64) -> String {
    let at = now + ms;
    let (days, rest) = (at.div_euclid(86_400_000), at.rem_euclid(86_400_000));
    // Days to a date, by the civil calendar (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = year_of_era + era * 400 + carry;
    let (hour, minute, second, millis) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// One of the kinds.
pub fn category(random: &mut StdRng) -> &'static str {
    [HELD, SCARCE, DIGEST, DIGEST, SLIDING, UNSEEN, FALLBACK, "general"][random.random_range(0..8)]
}

/// Something of a kind, which does not go out at once.
pub fn item(random: &mut StdRng, category: &'static str, key: String, recipient: usize, now: i64) -> Item {
    let mut item = Item::new(key, recipient, &["EMAIL"], PRIORITIES[random.random_range(0..3)]);
    item.input["category"] = json!(category);
    match category {
        DIGEST | SLIDING => item.input["digestKey"] = json!(["a", "b"][random.random_range(0..2)]),
        UNSEEN | FALLBACK => drop(item.input.as_object_mut().and_then(|input| input.remove("channels"))),
        _ => {}
    }
    // Before it is decided on limits and digests, it may wait for its time.
    if category == "general" || random.random_bool(0.2) {
        item.input["sendAt"] = json!(after(now, random.random_range(200..4_000)));
    }
    item
}
