//! Each event in words.

use crate::cli::output::local;
use serde_json::Value;

/// Whether a delivery has ended with this event, as far as it goes by itself.
pub(super) fn ends(kind: &str) -> bool {
    matches!(kind, "Sent" | "Failed" | "DeadLettered" | "Discarded" | "Cancelled" | "Expired" | "Suppressed")
}

/// What happened.
pub(super) fn of(kind: &str, payload: &Value) -> String {
    let text = |field: &str| payload[field].as_str().unwrap_or("?").to_owned();
    let moment = |field: &str| payload[field].as_i64().map_or_else(String::new, local);
    let attempt = payload["attempt"].as_u64().unwrap_or(0);
    let unknown = |field: &str, words: &str| {
        if payload[field] == true { words.to_owned() } else { String::new() }
    };
    match kind {
        "Requested" => {
            let sandbox = unknown("sandbox", ", in the sandbox");
            format!("requested by {} in category {}, {} priority{sandbox}", text("sender"), text("category"), text("priority"))
        }
        "Deduplicated" => format!("requested again and recognised (repeat {})", payload["repeats"]),
        "Queued" => format!("queued; {}", rule(&text("rule"))),
        "Suppressed" if payload["delivery"].is_null() => {
            let channel = payload["channel"].as_str().map_or_else(|| "not sent at all".to_owned(), |channel| format!("not sent over {channel}"));
            format!("{channel}: {}", rule(&text("rule")))
        }
        "Suppressed" => format!("stopped: {}", rule(&text("rule"))),
        "AttemptStarted" => {
            let repeat = unknown("after_unknown", ", a repeat after an unknown outcome (it may arrive twice)");
            format!("attempt {attempt} by {}{repeat}", text("provider"))
        }
        "Sent" if attempt == 0 => "shown in the app".to_owned(),
        "Sent" => match payload["provider_id"].as_str() {
            Some(id) => format!("sent: the provider took it as {id}"),
            None => "sent: the provider took it".to_owned(),
        },
        "AttemptFailed" => format!("attempt {attempt} failed: {}", text("code")),
        "AttemptUnknown" => format!("attempt {attempt} has an unknown outcome: {}; it may have been delivered", text("code")),
        "Held" => {
            let why = match payload["reason"].as_str() {
                Some("throttled") => "the provider asked to slow down",
                Some("misconfigured") => "our credentials or settings are wrong; `bongsu check`",
                _ => "the call was not made in time",
            };
            format!("held until {} ({why}: {}); the attempt does not count", moment("until"), text("code"))
        }
        "RetryScheduled" => format!("to be tried again at {}", moment("due")),
        "Failed" => {
            let dead = unknown("address_dead", "; the address is dead and was dropped");
            format!("failed for good: {}{dead}", text("code"))
        }
        "DeadLettered" => {
            let maybe = unknown("unknown", "; it may have been delivered");
            format!("dead letter after {} attempts: {}{maybe}; `bongsu dlq retry` tries again", payload["attempts"], text("code"))
        }
        "Redriven" => "tried again by a person".to_owned(),
        "Discarded" => format!("given up by a person: {}", text("reason")),
        "Deferred" => format!("waits until {}; {}", moment("until"), rule(&text("rule"))),
        "Released" => "waits no longer; decided anew".to_owned(),
        "Digested" => format!("collected in window {} of digest {}; {}", payload["window"], text("digest"), rule(&text("rule"))),
        "StepScheduled" => format!("step {} of its channel plan is due at {}", payload["step"], moment("due")),
        "StepTaken" => format!("step {} of its channel plan was taken", payload["step"]),
        "StepSkipped" => format!("step {} of its channel plan was left out: {}", payload["step"], rule(&text("rule"))),
        "Postponed" => format!("put off until {}; {}", moment("until"), rule(&text("rule"))),
        "Cancelled" => "taken back by the sender".to_owned(),
        "Expired" => "too late to be worth sending".to_owned(),
        "Seen" => "seen by the recipient".to_owned(),
        "Read" => "read by the recipient".to_owned(),
        "Archived" => "put away by the recipient".to_owned(),
        other => format!("{other} {payload}"),
    }
}

/// A rule of the policy in words.
fn rule(name: &str) -> String {
    match name {
        "default_opt_in" => "the recipient has not opted out".to_owned(),
        "required_category" => "the category is required".to_owned(),
        "opted_out_of_all" => "the recipient switched everything off".to_owned(),
        "opted_out_of_channel" => "the recipient switched this channel off".to_owned(),
        "opted_out_of_category" => "the recipient switched this category off".to_owned(),
        "no_address" => "the recipient has no address there".to_owned(),
        "no_channel" => "no channel can be used".to_owned(),
        "address_removed" => "the address was removed before the call".to_owned(),
        "recipient_erased" => "the recipient was erased".to_owned(),
        "expired" => "too late".to_owned(),
        "opted_in" => "the recipient asked for this category".to_owned(),
        "opted_out_of_category_channel" => "the recipient switched this category off on this channel".to_owned(),
        "opted_out_of_topic" => "the recipient switched this topic off".to_owned(),
        "opted_out_of_device" => "the recipient switched this device off".to_owned(),
        "not_opted_in" => "the category is opt-in, and the recipient did not ask for it".to_owned(),
        "address_suppressed" => "the address bounced, complained or was taken off".to_owned(),
        "quiet_hours" => "it is within the recipient's quiet hours".to_owned(),
        "outside_allowed_window" => "it is outside of the hours that the recipient allows".to_owned(),
        "do_not_disturb" => "the recipient is not to be disturbed".to_owned(),
        "over_limit" => "a limit is used up".to_owned(),
        "duplicate_content" => "the recipient got the same content lately".to_owned(),
        "not_before" => "the sender asked for a later moment".to_owned(),
        "digested" => "it goes out together with others".to_owned(),
        "already_seen" => "it was seen".to_owned(),
        "already_read" => "it was read".to_owned(),
        "step_delivered" => "the step before was delivered".to_owned(),
        "cancelled" => "the sender took it back".to_owned(),
        other => format!("rule {other}"),
    }
}
