//! Consents that were given elsewhere, brought in in bulk with what proves them.
//!
//! Each is decided on its own and in order; those of one recipient are one commit, and all commits of a
//! list go to the committer together. A consent says when it was given: it does not undo what the
//! person chose after that, here or in a consent that was brought in before. Rejected: the last import
//! wins. A list that is brought in again after somebody has unsubscribed would subscribe them anew.

use crate::accept::{category_stream, recipient_stream, subscription_stream};
use crate::bus::Bus;
use crate::log::{Commit, CommitOutcome, Lane, LogError, Metadata, Position, Sequence, StreamAppend};
use domain::aggregate::Aggregate as _;
use domain::category::Category;
use domain::event::Personal;
use domain::recipient::Recipient;
use domain::subscription::{ChangedBy, Evidence, Scope, SetSubscription, Source, Subscription, SubscriptionEvent, SubscriptionRefusal};
use domain::values::{CategoryKey, Millis, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Times that a recipient's consents are decided anew because something else changed meanwhile.
const ROUNDS: usize = 8;

/// A consent, or its withdrawal. When it was given stands in the evidence; absent: now.
#[derive(Debug, Clone)]
pub struct Consent {
    /// Whose.
    pub recipient: RecipientId,
    /// To what.
    pub scope: Scope,
    /// Given or withdrawn.
    pub subscribed: bool,
    /// What proves it.
    pub evidence: Evidence,
}

/// It is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// From here on it can be read.
    pub position: Position,
    /// Whether it changed anything.
    pub changed: bool,
}

/// Why a consent was not taken; nothing of it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentRefusal {
    /// No such recipient.
    #[error("there is no recipient of this id; create it with upsertRecipient")]
    UnknownRecipient,
    /// Erased.
    #[error("this recipient was erased")]
    Erased,
    /// No such category.
    #[error("there is no category of this key; an administrator creates it with defineCategory")]
    UnknownCategory,
    /// Not given yet.
    #[error("`at` is in the future; give the moment at which the consent was given or withdrawn")]
    Future,
    /// What stands is newer.
    #[error("the person chose otherwise after this was given, and that stands; leave the item out")]
    NewerChoice,
    /// The subscription's own reason.
    #[error(transparent)]
    Subscription(#[from] SubscriptionRefusal),
    /// The facts changed again and again.
    #[error("too many changes of the same recipient at the same time; try again")]
    Contended,
}

/// What is known of one recipient.
#[derive(Default)]
struct Person {
    recipient: Recipient,
    recipient_sequence: Sequence,
    subscription: Subscription,
    sequence: Sequence,
    /// Where each switch was turned last.
    turned: HashMap<Scope, Position>,
}

/// The facts of one round.
#[derive(Default)]
struct Known {
    people: HashMap<RecipientId, Person>,
    categories: HashMap<StreamId, Category>,
    /// When what stands at these positions was said.
    said: HashMap<Position, Millis>,
}

/// Takes a list; the answers are in its order. An error means that nothing is known to be taken: the
/// same list again does no harm.
pub async fn import(bus: &Bus, metadata: &Arc<Metadata>, consents: &[Consent], now: Millis) -> Result<Vec<Result<Imported, ConsentRefusal>>, LogError> {
    let mut answers: Vec<Result<Imported, ConsentRefusal>> = consents.iter().map(|_| Err(ConsentRefusal::Contended)).collect();
    let mut open: Vec<(RecipientId, Vec<usize>)> = Vec::new();
    let mut places: HashMap<RecipientId, usize> = HashMap::new();
    for (index, consent) in consents.iter().enumerate() {
        let place = *places.entry(consent.recipient).or_insert_with(|| {
            open.push((consent.recipient, Vec::new()));
            open.len() - 1
        });
        if let Some((_, items)) = open.get_mut(place) {
            items.push(index);
        }
    }
    for _ in 0..ROUNDS {
        if open.is_empty() {
            break;
        }
        open = round(bus, metadata, consents, open, now, &mut answers).await?;
    }
    Ok(answers)
}

async fn round(
    bus: &Bus,
    metadata: &Arc<Metadata>,
    consents: &[Consent],
    open: Vec<(RecipientId, Vec<usize>)>,
    now: Millis,
    answers: &mut [Result<Imported, ConsentRefusal>],
) -> Result<Vec<(RecipientId, Vec<usize>)>, LogError> {
    let mut known = gather(bus, consents, &open).await?;
    let head = bus.log().head().await?;
    let mut set = |index: usize, answer| {
        if let Some(slot) = answers.get_mut(index) {
            *slot = answer;
        }
    };
    let (mut commits, mut submitted) = (Vec::new(), Vec::new());
    for (recipient, items) in open {
        let mut person = known.people.remove(&recipient).unwrap_or_default();
        let mut events = Vec::new();
        let mut changing = Vec::new();
        for (index, consent) in items.iter().filter_map(|index| consents.get(*index).map(|consent| (*index, consent))) {
            match decide(&mut person, consent, &mut known, now) {
                Ok(turned) if turned.is_empty() => set(index, Ok(Imported { position: head, changed: false })),
                Ok(turned) => {
                    events.extend(turned.into_iter().map(Fact::from));
                    changing.push(index);
                }
                Err(refusal) => set(index, Err(refusal)),
            }
        }
        if events.is_empty() {
            continue;
        }
        let append = StreamAppend { stream: subscription_stream(recipient), number: None, expected: person.sequence, events };
        let expectations = vec![(recipient_stream(recipient), person.recipient_sequence)];
        commits.push(Commit { metadata: Arc::clone(metadata), appends: vec![append], expectations });
        submitted.push((recipient, items, changing));
    }
    if commits.is_empty() {
        return Ok(Vec::new());
    }
    let mut again = Vec::new();
    for ((recipient, items, changing), outcome) in submitted.into_iter().zip(bus.committer().commit(Lane::Request, commits).await?) {
        match outcome {
            CommitOutcome::Committed { position, .. } => changing.into_iter().for_each(|index| set(index, Ok(Imported { position, changed: true }))),
            CommitOutcome::Conflict { .. } => again.push((recipient, items)),
        }
    }
    Ok(again)
}

/// The category in a scope.
const fn category_of(scope: &Scope) -> Option<&CategoryKey> {
    match scope {
        Scope::Category(key) | Scope::CategoryChannel { category: key, .. } => Some(key),
        Scope::All | Scope::Channel(_) | Scope::Device(_) | Scope::Topic(_) | Scope::Tracking => None,
    }
}

/// Whether switching the first off is a word about the second too.
fn covers(wide: &Scope, narrow: &Scope) -> bool {
    match (wide, narrow) {
        // Consent to being watched is about no mail.
        (_, Scope::Tracking) => false,
        (Scope::All, _) => narrow != wide,
        (Scope::Category(key), Scope::CategoryChannel { category, .. }) => key == category,
        (Scope::Channel(channel), Scope::CategoryChannel { channel: of, .. }) => channel == of,
        _ => false,
    }
}

async fn gather(bus: &Bus, consents: &[Consent], open: &[(RecipientId, Vec<usize>)]) -> Result<Known, LogError> {
    let items = || open.iter().flat_map(|(_, items)| items).filter_map(|index| consents.get(*index));
    let people = open.iter().flat_map(|(recipient, _)| [recipient_stream(*recipient), subscription_stream(*recipient)]);
    let streams: HashSet<StreamId> = people.chain(items().filter_map(|consent| category_of(&consent.scope)).map(category_stream)).collect();
    let mut known = Known::default();
    for event in bus.log().bare_streams(streams.into_iter().collect(), false).await? {
        let id = RecipientId(event.stream.id);
        match (event.stream.kind, &event.fact) {
            (AggregateKind::Recipient, Fact::Recipient(fact)) => {
                let person = known.people.entry(id).or_default();
                person.recipient.evolve(fact);
                person.recipient_sequence = event.sequence;
            }
            (AggregateKind::Subscription, Fact::Subscription(fact)) => {
                let person = known.people.entry(id).or_default();
                person.subscription.evolve(fact);
                person.sequence = event.sequence;
                if let Some(scope) = scope_of(fact) {
                    person.turned.insert(scope.clone(), event.position);
                }
            }
            (_, Fact::Category(fact)) => {
                known.categories.entry(event.stream).or_default().evolve(fact);
            }
            _ => {}
        }
    }
    let turned = |consent: &Consent| {
        let turned = known.people.get(&consent.recipient).map(|person| &person.turned);
        let related = |(scope, _): &(&Scope, &Position)| *scope == &consent.scope || covers(scope, &consent.scope) || covers(&consent.scope, scope);
        turned.into_iter().flatten().filter(related).map(|(_, position)| *position).collect::<Vec<_>>()
    };
    let positions: HashSet<Position> = items().filter(|consent| consent.evidence.at.is_some()).flat_map(turned).collect();
    if !positions.is_empty() {
        for recorded in bus.log().read_at(positions.into_iter().collect(), true).await? {
            let said = if let Fact::Subscription(fact) = &recorded.fact { given(fact) } else { None };
            known.said.insert(recorded.position, said.unwrap_or(recorded.at));
        }
    }
    Ok(known)
}

const fn scope_of(event: &SubscriptionEvent) -> Option<&Scope> {
    match event {
        SubscriptionEvent::Unsubscribed(e) => Some(&e.scope),
        SubscriptionEvent::Resubscribed(e) => Some(&e.scope),
        _ => None,
    }
}

/// When it was said, where that is not when it was recorded.
fn given(event: &SubscriptionEvent) -> Option<Millis> {
    let personal = match event {
        SubscriptionEvent::Unsubscribed(e) => &e.personal,
        SubscriptionEvent::Resubscribed(e) => &e.personal,
        _ => return None,
    };
    if let Personal::Known(evidence) = personal { evidence.at } else { None }
}

/// Decides one consent and remembers it; nothing where it changes nothing.
fn decide(person: &mut Person, consent: &Consent, known: &mut Known, now: Millis) -> Result<Vec<SubscriptionEvent>, ConsentRefusal> {
    if person.recipient.erased {
        return Err(ConsentRefusal::Erased);
    }
    if !person.recipient.exists {
        return Err(ConsentRefusal::UnknownRecipient);
    }
    let given = consent.evidence.at.unwrap_or(now);
    if given > now {
        return Err(ConsentRefusal::Future);
    }
    let mut required = false;
    if let Some(key) = category_of(&consent.scope) {
        let category = known.categories.get(&category_stream(key)).filter(|category| category.exists);
        required = category.ok_or(ConsentRefusal::UnknownCategory)?.required;
    }
    let Consent { recipient, scope, subscribed, evidence } = consent.clone();
    let set = SetSubscription { recipient, scope, subscribed, by: ChangedBy::Import, source: Source::Import, evidence, required };
    let newer = |scope: &Scope| person.turned.get(scope).and_then(|position| known.said.get(position)).is_some_and(|said| *said > given);
    let mut events = person.subscription.decide(set.into())?;
    if events.is_empty() {
        return Ok(events);
    }
    // Who has left a category since then has left it on all channels, and so on.
    let left = |(scope, on): (&Scope, &bool)| !*on && covers(scope, &consent.scope) && newer(scope);
    if newer(&consent.scope) || (consent.subscribed && person.subscription.switches.iter().any(left)) {
        return Err(ConsentRefusal::NewerChoice);
    }
    // Nor is a single channel left with its category that was asked for since.
    events.retain(|event| !scope_of(event).is_some_and(newer));
    // Stands for a place that the log has not given yet; later items of the list are held against it.
    let place = Position::MAX - known.said.len() as u64;
    known.said.insert(place, given);
    for event in &events {
        person.subscription.evolve(event);
        person.turned.extend(scope_of(event).map(|scope| (scope.clone(), place)));
    }
    Ok(events)
}

#[cfg(test)]
mod tests;
