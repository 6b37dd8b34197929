//! Why a notification says no.

/// Refusals of a notification.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationRefusal {
    /// The idempotency key was used for something else.
    #[error("this idempotency key was used for another notification; use a new key for new content")]
    IdempotencyConflict,
    /// There is none of this id.
    #[error("there is no notification of this id")]
    NotFound,
    /// It has no delivery of this number.
    #[error("the notification has no delivery of this number")]
    NoSuchDelivery,
    /// Only dead letters can be redriven or discarded.
    #[error("this delivery is not a dead letter")]
    NotADeadLetter,
}
