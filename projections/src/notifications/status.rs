//! Where a delivery and a notification stand, in the words of queries.
//!
//! A running attempt is no state here: it lasts milliseconds, and writing it down would change
//! every row once more. The log has it.

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeliveryStatus {
    /// Waits for a worker, or is with one.
    Queued,
    /// Waits for the moment of its next attempt, or is in it.
    Waiting,
    /// Handed to the provider.
    Sent,
    /// Will not be delivered.
    Failed,
    /// Taken back.
    Cancelled,
    /// Too late.
    Expired,
    /// Decided not to, after it was queued.
    Suppressed,
    /// Awaits a person.
    DeadLettered,
    /// Given up by a person.
    Discarded,
    /// Arrived, as its provider reports.
    Delivered,
    /// Did not arrive, as its provider reports.
    Bounced,
}

impl DeliveryStatus {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Waiting,
        Self::Sent,
        Self::Failed,
        Self::Cancelled,
        Self::Expired,
        Self::Suppressed,
        Self::DeadLettered,
        Self::Discarded,
        Self::Delivered,
        Self::Bounced,
    ];

    /// The name in queries and in the CLI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Suppressed => "suppressed",
            Self::DeadLettered => "dead_lettered",
            Self::Discarded => "discarded",
            Self::Delivered => "delivered",
            Self::Bounced => "bounced",
        }
    }

    /// Whether something is still owed.
    pub const fn is_pending(self) -> bool {
        matches!(self, Self::Queued | Self::Waiting)
    }

    /// Its letter in the column `deliveries`.
    pub(super) const fn letter(self) -> char {
        match self {
            Self::Queued => 'q',
            Self::Waiting => 'w',
            Self::Sent => 's',
            Self::Failed => 'f',
            Self::Cancelled => 'c',
            Self::Expired => 'e',
            Self::Suppressed => 'u',
            Self::DeadLettered => 'd',
            Self::Discarded => 'x',
            Self::Delivered => 'a',
            Self::Bounced => 'b',
        }
    }

    /// Reads [`letter`](Self::letter) back.
    pub(super) fn from_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.letter() == letter)
    }
}

/// Where a notification stands as a whole: follows from its deliveries, or from that it has none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NotificationStatus {
    /// Nothing was queued, or all that was queued was decided against later.
    Suppressed,
    /// A delivery is still owed.
    Pending,
    /// Every delivery was handed to its provider, and none came back.
    Sent,
    /// Some were, others ended otherwise.
    PartlySent,
    /// None was sent, and one awaits a person.
    DeadLettered,
    /// None was sent, and one failed or was given up.
    Failed,
    /// None was sent, and one was too late.
    Expired,
    /// Taken back.
    Cancelled,
    /// Waits for a moment: its time, or the end of quiet hours.
    Deferred,
    /// Waits for a place under a limit.
    Held,
    /// A digest collected it.
    Digested,
}

impl NotificationStatus {
    /// From the deliveries.
    pub fn of(deliveries: impl IntoIterator<Item = DeliveryStatus>) -> Self {
        use DeliveryStatus as D;
        let all: Vec<D> = deliveries.into_iter().collect();
        let any = |wanted: &[D]| all.iter().any(|status| wanted.contains(status));
        if any(&[D::Queued, D::Waiting]) {
            Self::Pending
        } else if any(&[D::Sent, D::Delivered]) {
            if all.iter().all(|status| matches!(status, D::Sent | D::Delivered)) { Self::Sent } else { Self::PartlySent }
        } else if any(&[D::DeadLettered]) {
            Self::DeadLettered
        } else if any(&[D::Failed, D::Bounced, D::Discarded]) {
            Self::Failed
        } else if any(&[D::Expired]) {
            Self::Expired
        } else if any(&[D::Cancelled]) {
            Self::Cancelled
        } else {
            Self::Suppressed
        }
    }

    /// The name in queries and in the CLI.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Pending => "pending",
            Self::Deferred => "deferred",
            Self::Held => "held",
            Self::Digested => "digested",
            Self::Sent => "sent",
            Self::PartlySent => "partly_sent",
            Self::DeadLettered => "dead_lettered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }
}
