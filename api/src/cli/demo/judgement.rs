//! Whether a story ended as it should: by the log, and by what the provider received.

use super::stories::{Ending, Story};
use serde_json::Value;

/// What was wrong, in words; none where all is well. `events` are the story's, in order, each
/// with `type` and `payload`; `arrived` counts messages at the story's provider.
pub(super) fn problem(story: &Story, events: &[Value], arrived: u64) -> Option<String> {
    by_the_log(story.ending, events).or_else(|| {
        let wanted = story.arrivals();
        (arrived != wanted).then(|| format!("the provider received it {arrived} times instead of {wanted}"))
    })
}

fn by_the_log(ending: Ending, events: &[Value]) -> Option<String> {
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    match ending {
        Ending::Sent { failures } => {
            if count("Sent") != 1 {
                return Some(format!("it was to be sent once, and the log says {} times", count("Sent")));
            }
            let failed = count("AttemptFailed");
            (failed != failures).then(|| format!("{failures} attempts were to fail, and {failed} did"))
        }
        Ending::Suppressed { rule } => {
            if count("AttemptStarted") + count("Sent") + count("Queued") > 0 {
                return Some("it was not to be sent, and was".to_owned());
            }
            let by_rule = events.iter().any(|event| event["type"] == "Suppressed" && payload(event)["rule"] == rule);
            (!by_rule).then(|| format!("it was to be stopped by the rule {rule}"))
        }
    }
}

/// The server gives payloads as JSON in a string.
fn payload(event: &Value) -> Value {
    match &event["payload"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    }
}
