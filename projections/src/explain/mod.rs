//! Why a notification came, or did not: in words and as data.
//!
//! - [`library`]: the streams that the decisions name, read from the log; the only I/O.
//! - [`facts`]: what a decision saw, rebuilt from the streams at exactly the sequences it recorded.
//! - [`steps`]: every event of the notification as a step with its rule, its facts and a sentence.
//! - [`outcome`]: one word and one sentence for the whole.
//! - [`absence`]: why a recipient heard nothing in a stretch of time.
//! - [`words`]: the English for rules, limits, moments and providers' answers.
//!
//! Personal parts stay sealed: whoever explains sees no address in clear and no content, so that an
//! explanation reads the same after the person was erased. Rejected: a read model of explanations.
//! They are asked for seldom, and the log holds every input already; a table of sentences would be
//! written for all and be stale in its words.

mod absence;
mod facts;
mod library;
mod outcome;
mod quiet;
mod steps;
#[cfg(test)]
mod tests;
mod types;
mod words;

pub use absence::{Absence, AbsenceReason, AbsentNotification, Asked, explain_absence};
pub use library::{Library, own_events};
pub use outcome::Outcome;
pub use types::{ExplainedDelivery, ExplainedFact, ExplainedStep, Explanation};

use commands::log::Recorded;
use domain::aggregate::Aggregate;
use domain::notification::Notification;
use domain::values::NotificationId;
use std::sync::Arc;

/// Why, by this rule: a clause that can follow a colon.
pub const fn rule_words(rule: domain::values::Rule) -> &'static str {
    words::rule(rule)
}

/// Explains a notification of these events; the library has [learned](Library::learn) from them.
pub fn explain(events: &[Arc<Recorded>], library: &Library) -> Explanation {
    let id = events.first().map_or_else(NotificationId::default, |event| NotificationId(event.stream.id));
    let state = Notification::replay(own_events(events).map(|(_, event)| event));
    let told = steps::tell(events, &state, library);
    let outcome = Outcome::of(&state);
    let sentence = outcome::sentence(outcome, &state, &told);
    let erased = library.is_erased(state.recipient);
    let over = outcome::is_over(&state, library);
    Explanation { id, outcome, sentence, over, erased, steps: told.steps, deliveries: told.deliveries }
}
