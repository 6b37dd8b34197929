//! What may follow what in the life of one delivery.

use domain::notification::{HoldReason, NotificationEvent as E, Stood};
use domain::values::Channel;

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The provider has it.
    Sent,
    /// It never will be delivered.
    Failed,
    /// Taken back.
    Cancelled,
    /// Too late.
    Expired,
    /// No longer wanted.
    Suppressed,
    /// Awaits a person.
    DeadLettered,
    /// Given up by a person.
    Discarded,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Owed, no attempt under way.
    Owed,
    /// An attempt was recorded, its outcome not.
    InFlight,
    /// An attempt came to nothing; what follows must be recorded with it.
    Undecided,
    /// Over.
    Ended(End),
}

/// One delivery as the audit sees it.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Its channel.
    pub channel: Channel,
    /// Where it stands.
    pub stand: Stand,
    attempt: u32,
    unknown: bool,
}

impl Delivery {
    /// Just queued.
    pub fn queued(channel: Channel) -> Self {
        Self { channel, stand: Stand::Owed, attempt: 0, unknown: false }
    }

    /// Takes the next event in. The error says which rule it breaks; the event still counts, so
    /// that one fault is told once.
    pub fn step(&mut self, event: &E) -> Result<(), String> {
        let before = self.clone();
        let (next, allowed) = self.next(event);
        self.stand = next;
        match allowed {
            Ok(()) => Ok(()),
            Err(reason) => Err(format!("{reason} (it was {})", words(before.stand, before.attempt))),
        }
    }

    fn next(&mut self, event: &E) -> (Stand, Result<(), &'static str>) {
        let stand = self.stand;
        let owed = rule(stand == Stand::Owed, "it was not owed");
        let undecided = rule(stand == Stand::Undecided, "no attempt had come to nothing just before");
        let dead = rule(stand == Stand::Ended(End::DeadLettered), "it was no dead letter");
        let outcome = |attempt: u32| rule(stand == Stand::InFlight && attempt == self.attempt, "that attempt was not in flight");
        match event {
            E::AttemptStarted(e) => {
                let fits = owed
                    .and(rule(e.attempt == self.attempt + 1, "attempts are not numbered one by one"))
                    .and(rule(e.after_unknown == self.unknown, "a repeat after an unknown outcome is not marked as one, or the reverse"));
                self.attempt = e.attempt;
                (Stand::InFlight, fits)
            }
            E::Sent(e) if self.channel.has_provider() => {
                let twice = rule(stand != Stand::Ended(End::Sent), "it was sent already");
                (Stand::Ended(End::Sent), twice.and(outcome(e.attempt)))
            }
            E::Sent(_) => (Stand::Ended(End::Sent), owed),
            E::AttemptFailed(e) => {
                let fits = outcome(e.attempt);
                self.unknown = false;
                (Stand::Undecided, fits)
            }
            E::AttemptUnknown(e) => {
                let fits = outcome(e.attempt);
                self.unknown = true;
                (Stand::Undecided, fits)
            }
            E::CancelRequested(_) => (stand, rule(stand == Stand::InFlight, "no call was under way")),
            E::Held(e) => {
                let until = rule(e.reason == HoldReason::NotMade || e.until > 0, "it is held until no moment");
                (Stand::Owed, outcome(e.attempt).and(until))
            }
            E::RetryScheduled(_) => (Stand::Owed, undecided),
            E::Failed(_) => (Stand::Ended(End::Failed), undecided),
            E::DeadLettered(_) => (Stand::Ended(End::DeadLettered), undecided),
            E::Redriven(_) => (Stand::Owed, dead),
            E::Discarded(_) => (Stand::Ended(End::Discarded), dead),
            E::Cancelled(_) => (Stand::Ended(End::Cancelled), owed),
            E::Expired(_) => (Stand::Ended(End::Expired), owed),
            E::Suppressed(_) => (Stand::Ended(End::Suppressed), owed),
            E::Delivered(e) => (Stand::Ended(End::Sent), self.reported(e.stood, e.attempt)),
            E::Bounced(e) => (Stand::Ended(if e.stood == Stood::Sent { End::Sent } else { End::Failed }), self.reported(e.stood, e.attempt)),
            E::Complained(_) | E::Opened(_) | E::Clicked(_) => (stand, rule(self.attempt > 0, "nothing was sent that somebody could have seen")),
            E::Postponed(e) => (Stand::Owed, owed.and(rule(e.until > 0, "it is put off until no moment"))),
            E::Requested(_)
            | E::Deduplicated(_)
            | E::Queued(_)
            | E::Seen(_)
            | E::Read(_)
            | E::Archived(_)
            | E::Deferred(_)
            | E::Released(_)
            | E::Digested(_)
            | E::StepScheduled(_)
            | E::StepTaken(_)
            | E::StepSkipped(_) => (stand, Err("it is not about a delivery")),
        }
    }

    /// Whether a report fits what it says of where the delivery stood.
    fn reported(&self, stood: Stood, attempt: Option<u32>) -> Result<(), &'static str> {
        let fits = match self.stand {
            Stand::Ended(End::Sent) => matches!(stood, Stood::Sent | Stood::Over),
            Stand::Owed | Stand::InFlight => stood == Stood::Owed,
            Stand::Ended(End::DeadLettered) => stood == Stood::DeadLettered,
            Stand::Ended(_) => stood == Stood::Over,
            Stand::Undecided => false,
        };
        rule(self.attempt > 0, "nothing was sent that could have been reported")
            .and(rule(attempt.is_none_or(|attempt| (1..=self.attempt).contains(&attempt)), "it reports an attempt that was never made"))
            .and(rule(fits, "the report says otherwise where it stood"))
    }
}

fn rule(holds: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(otherwise) }
}

fn words(stand: Stand, attempt: u32) -> String {
    match stand {
        Stand::Owed => "waiting to be sent".to_owned(),
        Stand::InFlight => format!("in flight with attempt {attempt}"),
        Stand::Undecided => format!("undecided after attempt {attempt}"),
        Stand::Ended(end) => format!("ended as {end:?}"),
    }
}
