//! What is to be decided, with the facts, and what the decision appends. No I/O.

use super::Asked;
use crate::accept::{Gathered, Question, digest_stream, question, requested_events, stream_of};
use crate::failpoint;
use crate::log::{Commit, Sequence, StreamAppend};
use domain::aggregate::Aggregate;
use domain::notification::{Notification, NotificationCommand, Requested};
use domain::policy::deciding::{Ask, Decision};
use domain::policy::plan::{StepVerdict, step_due, step_hopeless};
use domain::values::{DigestId, Limit, Millis, NotificationId};
use domain::{Fact, StreamId};
use uuid::Uuid;

/// What is next for a timer.
pub(super) enum Next {
    /// Nothing.
    Answer(Asked),
    /// To append what needs no decision.
    Commit(Commit),
    /// To decide.
    Decide(Box<Ready>),
}

/// What is to be decided about a notification.
pub(super) struct Ready {
    pub id: NotificationId,
    pub facts: Gathered,
    pub work: Work,
}

pub(super) enum Work {
    /// It waited as a whole.
    Release { state: Notification, sequence: Sequence },
    /// A later step of its plan is due.
    Step { state: Notification, sequence: Sequence, step: u8 },
    /// It will sum up a digest's window, and gets its content when that is closed.
    Close { digest: DigestId, window: u32, requested: Requested },
    /// It is an occurrence of a schedule. `content` is the hash of its content, where its category has a
    /// dedup window.
    Fire { requested: Requested, content: Option<Uuid>, fired: StreamAppend },
}

impl Ready {
    /// The question.
    pub(super) fn question(&self) -> Question<'_> {
        let (ask, recipient, sender, sandbox) = match &self.work {
            Work::Release { state, .. } => (Ask::again(state, None), state.recipient, &state.sender, state.sandbox),
            Work::Step { state, step, .. } => (Ask::again(state, Some(*step)), state.recipient, &state.sender, state.sandbox),
            // Sums of equal words are different news.
            Work::Close { requested, .. } => (question(requested, None), requested.recipient, &requested.sender, requested.sandbox),
            Work::Fire { requested, content, .. } => (question(requested, *content), requested.recipient, &requested.sender, requested.sandbox),
        };
        Question { ask, notification: self.id, recipient, sender, sandbox }
    }

    /// The streams at which it stands in line.
    pub(super) fn streams(&self, overall: &[Limit]) -> impl Iterator<Item = StreamId> + use<> {
        let closes = if let Work::Close { digest, .. } = &self.work { Some(digest_stream(*digest)) } else { None };
        closes.into_iter().chain(self.question().streams(&self.facts, overall))
    }

    /// What the decision appends to the streams that are its own.
    pub(super) fn appends(self, decision: Decision, now: Millis) -> Vec<StreamAppend> {
        let stream = stream_of(self.id);
        let decision = Box::new(decision);
        let append = |expected, events| StreamAppend { stream, number: None, expected, events };
        match self.work {
            Work::Release { state, sequence } => vec![append(sequence, decided(&state, NotificationCommand::Release { decision }))],
            Work::Step { state, sequence, step } => vec![append(sequence, decided(&state, NotificationCommand::TakeStep { step, decision, now }))],
            Work::Close { requested, .. } => vec![append(0, requested_events(requested, *decision))],
            Work::Fire { requested, fired, .. } => vec![append(0, requested_events(requested, *decision)), fired],
        }
    }
}

/// What a notification that exists decides; it refuses none of these commands.
pub(super) fn decided(state: &Notification, command: NotificationCommand) -> Vec<Fact> {
    state.decide(command).unwrap_or_default().into_iter().map(Fact::from).collect()
}

/// What is to be done with a notification that waited.
pub(super) fn release(state: &Notification, now: Millis) -> Result<(), Asked> {
    match state.waiting {
        None => Err(Asked::Nothing),
        Some(waiting) if waiting.until > now => Err(Asked::Early { due: waiting.until }),
        Some(_) => Ok(()),
    }
}

/// What is to be done with the next step of a notification's plan: decide on it, or let it go.
pub(super) fn step(state: &Notification, now: Millis) -> Result<(u8, StepVerdict), Asked> {
    match (state.step, step_due(state)) {
        (Some(next), _) if next.due > now && !step_hopeless(state) => Err(Asked::Early { due: next.due }),
        (Some(next), Some(_)) if failpoint::planted("step-unasked") => Ok((next.step, StepVerdict::Take)),
        (Some(next), Some(verdict)) => Ok((next.step, verdict)),
        _ => Err(Asked::Nothing),
    }
}
