//! Whether a later step of a channel plan is still needed.

use crate::notification::{DeliveryState, Notification};
use crate::values::{NextWhen, Rule};

/// What to do with a step that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepVerdict {
    /// Take it: decide on its channels.
    Take,
    /// Let it go, for this reason.
    Skip(Rule),
}

/// Asked when the step is due, of the state at that moment. None where no step is scheduled.
pub fn step_due(notification: &Notification) -> Option<StepVerdict> {
    let step = notification.step?;
    Some(match step.when {
        NextWhen::NotSeen if notification.seen || notification.is_noticed() => StepVerdict::Skip(Rule::AlreadySeen),
        NextWhen::NotRead if notification.read || notification.is_noticed() => StepVerdict::Skip(Rule::AlreadyRead),
        NextWhen::Failed if last_step(notification).any(DeliveryState::is_taken) => StepVerdict::Skip(Rule::StepDelivered),
        NextWhen::NotDelivered if last_step(notification).any(has_arrived) => StepVerdict::Skip(Rule::StepDelivered),
        NextWhen::NotSeen | NextWhen::NotRead | NextWhen::Failed | NextWhen::NotDelivered => StepVerdict::Take,
    })
}

/// Whether the next step need not be waited for: every delivery of the last one has ended, and none
/// was taken by its provider. A delivery that was taken back wants no next step.
pub fn step_hopeless(notification: &Notification) -> bool {
    let mut deliveries = last_step(notification).peekable();
    notification.step.is_some() && deliveries.peek().is_some() && deliveries.all(is_lost)
}

const fn is_lost(state: DeliveryState) -> bool {
    use DeliveryState as S;
    matches!(state, S::Failed | S::Bounced | S::DeadLettered | S::Discarded | S::Suppressed)
}

/// Its provider reports that it arrived.
fn has_arrived(state: DeliveryState) -> bool {
    state == DeliveryState::Delivered
}

fn last_step(notification: &Notification) -> impl Iterator<Item = DeliveryState> {
    notification.deliveries.iter().skip(usize::from(notification.step_from)).map(|delivery| delivery.state)
}
