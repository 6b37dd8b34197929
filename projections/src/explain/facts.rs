//! What a decision saw: each fact rebuilt from its stream, up to exactly the sequence that the
//! decision recorded, so that what changed since does not colour the answer.

use super::library::Library;
use super::outcome::Outcome;
use super::quiet;
use super::types::ExplainedFact;
use super::words::{self, by_name, by_words, moment, source_name, source_words};
use commands::accept::{category_stream, digest_stream, frequency_stream, recipient_stream, subscription_stream};
use commands::log::{Position, Recorded, Sequence};
use domain::address::{AddressEvent, SuppressionReason};
use domain::aggregate::Aggregate;
use domain::category::{Category, CategoryEvent};
use domain::digest::{DigestEvent, TemplateUnused};
use domain::frequency::{Counted, FrequencyEvent};
use domain::notification::Notification;
use domain::recipient::{Recipient, RecipientEvent, RemovalReason};
use domain::subscription::{Scope, Subscription, SubscriptionEvent};
use domain::values::{AddressId, CategoryKey, Channel, DigestId, FactVersions, Limit, LimitWindow, Millis, NotificationId, Rule};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashSet;
use std::sync::Arc;

/// A decision as its event tells it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decided {
    pub(super) rule: Option<Rule>,
    pub(super) versions: FactVersions,
    pub(super) at: Millis,
    pub(super) position: Position,
    pub(super) channel: Option<Channel>,
    pub(super) address: Option<AddressId>,
    pub(super) limit: Option<Limit>,
    pub(super) digest: Option<(DigestId, u32)>,
}

/// What it saw: what turned it first, then what else it was made on.
pub(super) fn of(library: &Library, state: &Notification, decided: &Decided) -> Vec<ExplainedFact> {
    let seen = Seen {
        recipient: library.upto(recipient_stream(state.recipient), decided.versions.recipient),
        subscription: library.upto(subscription_stream(state.recipient), decided.versions.subscription),
        category: library.upto(category_stream(&state.category), decided.versions.category),
        frequency: library.upto(frequency_stream(state.recipient, state.sandbox), decided.versions.frequency),
        library,
        state,
        decided,
    };
    let mut facts = decided.rule.map_or_else(Vec::new, |rule| seen.decisive(rule));
    facts.iter_mut().for_each(|fact| fact.decisive = true);
    let told = |facts: &[ExplainedFact], kind| facts.iter().any(|fact| fact.kind == kind);
    if !told(&facts, AggregateKind::Category) {
        facts.push(seen.category());
    }
    if !told(&facts, AggregateKind::Subscription) {
        facts.push(seen.preferences());
    }
    if !told(&facts, AggregateKind::Recipient) {
        facts.push(seen.addresses());
    }
    facts
}

struct Seen<'a> {
    recipient: &'a [Arc<Recorded>],
    subscription: &'a [Arc<Recorded>],
    category: &'a [Arc<Recorded>],
    frequency: &'a [Arc<Recorded>],
    library: &'a Library,
    state: &'a Notification,
    decided: &'a Decided,
}

impl Seen<'_> {
    fn decisive(&self, rule: Rule) -> Vec<ExplainedFact> {
        let category = self.state.category.clone();
        let channel = self.decided.channel;
        let one = |fact: Option<ExplainedFact>| fact.into_iter().collect::<Vec<_>>();
        match rule {
            Rule::DefaultOptIn | Rule::RequiredCategory | Rule::NotOptedIn => vec![self.category()],
            Rule::OptedIn => {
                let narrow = channel.and_then(|channel| self.switch(&Scope::CategoryChannel { category: category.clone(), channel }));
                one(narrow.or_else(|| self.switch(&Scope::Category(category))))
            }
            Rule::OptedOutOfAll => one(self.switch(&Scope::All)),
            Rule::OptedOutOfChannel => one(channel.and_then(|channel| self.switch(&Scope::Channel(channel)))),
            Rule::OptedOutOfCategory => one(self.switch(&Scope::Category(category))),
            Rule::OptedOutOfCategoryChannel => one(channel.and_then(|channel| self.switch(&Scope::CategoryChannel { category, channel }))),
            Rule::OptedOutOfTopic => one(self.state.topic.clone().and_then(|topic| self.switch(&Scope::Topic(topic)))),
            Rule::OptedOutOfDevice => one(self.decided.address.and_then(|address| self.switch(&Scope::Device(address)))),
            Rule::NoAddress => vec![self.addresses()],
            Rule::AddressRemoved => one(self.removal()),
            Rule::RecipientErased => one(erasure(self.recipient, self.decided.versions.recipient)),
            Rule::AddressSuppressed => one(self.suppression()),
            Rule::QuietHours => self.hours(true),
            Rule::OutsideAllowedWindow => self.hours(false),
            Rule::DoNotDisturb => one(quiet::do_not_disturb(self.subscription, self.decided.versions.subscription)),
            Rule::OverLimit => {
                let mut facts = one(self.places());
                facts.extend(self.decided.digest.map(|(digest, window)| collected(self.library, digest, window)));
                facts
            }
            Rule::DuplicateContent => one(self.told()),
            Rule::Digested => one(self.decided.digest.map(|(digest, window)| collected(self.library, digest, window))),
            // The request or the notification's own events say it.
            Rule::NoChannel | Rule::Expired | Rule::NotBefore | Rule::AlreadySeen | Rule::AlreadyRead | Rule::StepDelivered | Rule::Cancelled => Vec::new(),
            // So does the configuration, which is not in the log.
            Rule::CountryNotAllowed | Rule::OverCountryCap | Rule::OverRangeCap | Rule::NoProvider | Rule::ProvidersBusy => Vec::new(),
        }
    }

    fn category(&self) -> ExplainedFact {
        let sequence = self.decided.versions.category;
        let defined = self.category.last();
        let state = Category::replay(self.category.iter().filter_map(|event| match &event.fact {
            Fact::Category(event) => Some(event),
            _ => None,
        }));
        let Some(defined) = defined else {
            return ExplainedFact::new(AggregateKind::Category, sequence, format!("the category {} was not defined", self.state.category));
        };
        let (by, words) = actor(&defined.metadata.actor);
        let reaches = match (state.required, state.subscribed_by_default) {
            (true, _) => "it is required",
            (false, true) => "it reaches everybody who has not opted out",
            (false, false) => "it reaches those only who asked for it",
        };
        let mut sentence =
            format!("the category {} stood at version {}, defined on {} {words}: {reaches}", self.state.category, state.version, moment(defined.at));
        if !state.limits.is_empty() {
            let limits: Vec<String> = state.limits.iter().map(words::limit).collect();
            sentence.push_str(&format!("; its limits are {}", words::list(&limits)));
        }
        if let Some(window) = state.dedup_window {
            sentence.push_str(&format!("; the same content is told once within {}", words::length(window)));
        }
        if let Some(digest) = &state.digest {
            sentence.push_str(&format!("; its digests collect {}", words::digest(digest)));
        }
        ExplainedFact { at: Some(defined.at), by: Some(by), ..ExplainedFact::new(AggregateKind::Category, sequence, sentence) }
    }

    /// The last word about a switch.
    fn switch(&self, scope: &Scope) -> Option<ExplainedFact> {
        last_word(self.subscription, self.decided.versions.subscription, scope)
    }

    fn preferences(&self) -> ExplainedFact {
        let sequence = self.decided.versions.subscription;
        let state = Subscription::replay(self.subscription.iter().filter_map(|event| match &event.fact {
            Fact::Subscription(event) => Some(event),
            _ => None,
        }));
        let off: Vec<String> = state.switches.iter().filter(|(_, on)| !**on).map(|(scope, _)| words::scope(scope)).collect();
        let sentence = match (self.subscription.last(), off.is_empty()) {
            (None, _) => "the recipient had set no preference".to_owned(),
            (Some(_), true) => "the recipient had switched nothing off".to_owned(),
            (Some(_), false) => format!("the recipient had switched off {}", words::list(&off)),
        };
        ExplainedFact { at: self.subscription.last().map(|event| event.at), ..ExplainedFact::new(AggregateKind::Subscription, sequence, sentence) }
    }

    fn addresses(&self) -> ExplainedFact {
        let sequence = self.decided.versions.recipient;
        let state = Recipient::replay(self.recipient.iter().filter_map(|event| match &event.fact {
            Fact::Recipient(event) => Some(event),
            _ => None,
        }));
        if let Some(address) = self.decided.address.and_then(|id| state.address(id)) {
            let sentence = format!("this address over {} was registered on {}", words::channel(address.channel), moment(address.registered_at));
            return ExplainedFact { at: Some(address.registered_at), ..ExplainedFact::new(AggregateKind::Recipient, sequence, sentence) };
        }
        let channels: Vec<String> = Channel::ALL
            .into_iter()
            .filter(|channel| self.decided.channel.is_none_or(|only| only == *channel))
            .filter_map(|channel| {
                let count = state.addresses_on(channel).count();
                (count > 0).then(|| format!("{count} address{} for {}", if count == 1 { "" } else { "es" }, words::channel(channel)))
            })
            .collect();
        let there = self.decided.channel.map_or_else(String::new, |channel| format!(" for {}", words::channel(channel)));
        if !channels.is_empty() {
            return ExplainedFact::new(AggregateKind::Recipient, sequence, format!("the recipient had {}", words::list(&channels)));
        }
        let removed = self.recipient.iter().rev().find_map(|event| {
            let (channel, _, reason) = removed(&event.fact)?;
            self.decided.channel.is_none_or(|only| only == channel).then_some((event.at, reason))
        });
        match removed {
            Some((at, reason)) => {
                let sentence = format!("the recipient had no address{there}: the last was removed on {} {}", moment(at), removal_words(reason));
                ExplainedFact { at: Some(at), ..ExplainedFact::new(AggregateKind::Recipient, sequence, sentence) }
            }
            None => ExplainedFact::new(AggregateKind::Recipient, sequence, format!("the recipient never had an address{there}")),
        }
    }

    fn removal(&self) -> Option<ExplainedFact> {
        let wanted = self.decided.address?;
        self.recipient.iter().rev().find_map(|event| {
            let (channel, address, reason) = removed(&event.fact)?;
            let sentence = format!("this address for {} was removed on {} {}", words::channel(channel), moment(event.at), removal_words(reason));
            let fact = ExplainedFact::new(AggregateKind::Recipient, self.decided.versions.recipient, sentence);
            (address == wanted).then(|| ExplainedFact { at: Some(event.at), ..fact })
        })
    }

    /// The address's stream is not among the versions: it counts as it was when this was recorded.
    fn suppression(&self) -> Option<ExplainedFact> {
        let stream = StreamId::new(AggregateKind::Address, self.decided.address?.0);
        self.library.before(stream, self.decided.position).iter().rev().find_map(|event| match &event.fact {
            Fact::Address(AddressEvent::AddressSuppressed(suppressed)) => {
                let why = match suppressed.reason {
                    SuppressionReason::HardBounce => "because its provider said that it does not exist",
                    SuppressionReason::Complaint => "because of a complaint",
                    SuppressionReason::Stop => "because of a STOP from there",
                    SuppressionReason::Manual => "by an administrator",
                };
                let note = suppressed.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
                let sentence = format!("the address was put on the suppression list on {} {why}{note}", moment(event.at));
                Some(ExplainedFact { at: Some(event.at), ..ExplainedFact::new(AggregateKind::Address, event.sequence, sentence) })
            }
            _ => None,
        })
    }

    fn hours(&self, quiet_hours: bool) -> Vec<ExplainedFact> {
        let versions = self.decided.versions;
        let mut facts: Vec<_> = quiet::hours(self.subscription, versions.subscription, quiet_hours).into_iter().collect();
        facts.push(quiet::clock(self.recipient, versions.recipient, self.decided.at));
        facts
    }

    /// The limit that is used up, and the places that use it up.
    fn places(&self) -> Option<ExplainedFact> {
        let sequence = self.decided.versions.frequency;
        // Of others than the asking sender it is said only that they have places, and not when.
        let of_category = self.counted().filter(|(_, counted)| counted.category == self.state.category);
        let (own, others): (Vec<_>, Vec<_>) = of_category
            .filter_map(|(_, counted)| Some((counted.notification, counted.at?)))
            .filter(|(_, at)| *at != self.state.place.unwrap_or(Millis::MIN))
            .partition(|(notification, _)| self.library.may_name(*notification, self.state));
        let mut own: Vec<Millis> = own.into_iter().map(|(_, at)| at).collect();
        own.sort_unstable();
        let Some(limit) = self.decided.limit else {
            let taken = if others.is_empty() { format!("{} places", own.len()) } else { "too many places".to_owned() };
            let sentence = format!("{taken} of this category were taken, and none is free in time");
            return (sequence > 0).then(|| ExplainedFact::new(AggregateKind::Frequency, sequence, sentence));
        };
        let (zone, _) = quiet::zone(self.recipient);
        let from = match limit.per {
            LimitWindow::Calendar(period) => period.start_of(self.decided.at, zone),
            LimitWindow::Sliding(millis) => self.decided.at.saturating_sub(millis),
        };
        own.retain(|at| *at >= from);
        let moments: Vec<String> = own.iter().map(|at| moment(*at)).collect();
        let others = others.iter().any(|(_, at)| *at >= from);
        let taken = match (moments.is_empty(), others) {
            (true, true) => "places of other senders".to_owned(),
            (true, false) => "places of other categories".to_owned(),
            (false, true) => format!("places on {} and places of other senders", words::list(&moments)),
            (false, false) => format!("places on {}", words::list(&moments)),
        };
        let sentence = format!("the limit of {} was used up by {taken}", words::limit(&limit));
        Some(ExplainedFact::new(AggregateKind::Frequency, sequence, sentence))
    }

    /// What the recipient was told within the dedup window. The hash of what was refused is not
    /// recorded: with one candidate it is named.
    fn told(&self) -> Option<ExplainedFact> {
        let (window, told) = told_lately(self.frequency, self.category, &self.state.category, self.decided.at)?;
        let within = format!("within the {} before", words::length(window));
        let (sentence, at, notification) = match told.as_slice() {
            [one] if !self.library.may_name(one.notification, self.state) => {
                (format!("the recipient was told the same by another sender {within}"), None, None)
            }
            [one] => (format!("the recipient was told the same on {}, {within}", moment(one.asked_at)), Some(one.asked_at), Some(one.notification)),
            several => (format!("the recipient was told the same by one of {} notifications of this category {within}", several.len()), None, None),
        };
        Some(ExplainedFact { at, notification, ..ExplainedFact::new(AggregateKind::Frequency, self.decided.versions.frequency, sentence) })
    }

    /// Those that were counted, but for places that had been given back.
    fn counted(&self) -> impl Iterator<Item = (&Recorded, &Counted)> {
        let freed: HashSet<NotificationId> = self
            .frequency
            .iter()
            .filter_map(|event| match &event.fact {
                Fact::Frequency(FrequencyEvent::PlaceFreed(freed)) => Some(freed.notification),
                _ => None,
            })
            .collect();
        self.frequency.iter().filter_map(move |event| match &event.fact {
            Fact::Frequency(FrequencyEvent::Counted(counted)) if !freed.contains(&counted.notification) => Some((event.as_ref(), counted)),
            _ => None,
        })
    }
}

/// The last word about a switch in these events of a subscription.
pub(super) fn last_word(subscription: &[Arc<Recorded>], sequence: Sequence, wanted: &Scope) -> Option<ExplainedFact> {
    subscription.iter().rev().find_map(|event| {
        let (scope, on, by, source) = match &event.fact {
            Fact::Subscription(SubscriptionEvent::Unsubscribed(e)) => (&e.scope, false, e.by, e.source),
            Fact::Subscription(SubscriptionEvent::Resubscribed(e)) => (&e.scope, true, e.by, e.source),
            _ => return None,
        };
        let sentence =
            format!("{} was switched {} on {} {} {}", words::scope(scope), if on { "on" } else { "off" }, moment(event.at), by_words(by), source_words(source));
        let source = Some(source_name(source).to_owned());
        let fact = ExplainedFact { at: Some(event.at), by: Some(by_name(by)), source, ..ExplainedFact::new(AggregateKind::Subscription, sequence, sentence) };
        (scope == wanted).then_some(fact)
    })
}

/// That the recipient was erased, where it was.
pub(super) fn erasure(recipient: &[Arc<Recorded>], sequence: Sequence) -> Option<ExplainedFact> {
    let erased = recipient.iter().find(|event| matches!(event.fact, Fact::Recipient(RecipientEvent::Erased(_))))?;
    let sentence = format!("the recipient was erased on {}; content, addresses and evidence can no longer be read", moment(erased.at));
    Some(ExplainedFact { at: Some(erased.at), ..ExplainedFact::new(AggregateKind::Recipient, sequence, sentence) })
}

/// What a digest collected it in, and what became of that: the latter is of now, not of then.
pub(super) fn collected(library: &Library, digest: DigestId, window: u32) -> ExplainedFact {
    let stream = library.all(digest_stream(digest));
    let mut sequence = 0;
    let (mut opened, mut closes, mut items, mut closed) = (None, None, 0_u32, None);
    for event in stream {
        let Fact::Digest(fact) = &event.fact else { continue };
        match fact {
            DigestEvent::DigestOpened(e) if e.window == window => (opened, closes) = (Some(e.opened_at), Some(e.closes_at)),
            DigestEvent::DigestItemAdded(e) if e.window == window => {
                items = items.saturating_add(1);
                closes = e.closes_at.or(closes);
            }
            DigestEvent::DigestItemRemoved(e) if e.window == window => items = items.saturating_sub(1),
            DigestEvent::DigestClosed(e) if e.window == window => closed = Some((event.at, e)),
            _ => continue,
        }
        sequence = event.sequence;
    }
    let since = opened.map_or_else(String::new, |at| format!(" since {}", moment(at)));
    let count = format!("{items} item{}", if items == 1 { "" } else { "s" });
    let Some((at, closed)) = closed else {
        let until = closes.map_or_else(String::new, |at| format!(", and closes on {}", moment(at)));
        let sentence = format!("the digest collects{since} in its window {window}, holds {count} now{until}");
        return ExplainedFact { at: opened, ..ExplainedFact::new(AggregateKind::Digest, sequence, sentence) };
    };
    let summary = match closed.summary {
        None => "nothing was left in it to sum up".to_owned(),
        Some(summary) => {
            let events = library.all(super::library::notification_stream(summary));
            let state = Notification::replay(super::own_events(events).map(|(_, event)| event));
            let instead = closed.template_unused.as_ref().map_or_else(String::new, |unused| {
                let TemplateUnused { key, code } = unused;
                format!("; template {key} could not say it: {}; it is in words of Bongsu's own", words::template_unused(code))
            });
            format!("its summary is notification {summary}, which is {}{instead}", Outcome::of(&state).words())
        }
    };
    let sentence = format!("the digest collected{since} in its window {window} and closed on {} with {count}; {summary}", moment(at));
    ExplainedFact { at: Some(at), notification: closed.summary, ..ExplainedFact::new(AggregateKind::Digest, sequence, sentence) }
}

const fn removed(fact: &Fact) -> Option<(Channel, AddressId, RemovalReason)> {
    match fact {
        Fact::Recipient(RecipientEvent::AddressRemoved(e)) => Some((e.channel, e.address, e.reason)),
        Fact::Recipient(RecipientEvent::DeviceRemoved(e)) => Some((e.channel, e.address, e.reason)),
        _ => None,
    }
}

const fn removal_words(reason: RemovalReason) -> &'static str {
    match reason {
        RemovalReason::Requested => "as the recipient or a sender asked",
        RemovalReason::ReportedDead => "because its provider reported it dead",
        RemovalReason::Rebound => "because another recipient registered the device",
    }
}

/// Who made a commit, without the key that was used.
pub(super) fn actor(actor: &str) -> (&'static str, &'static str) {
    match actor.split(':').next().unwrap_or_default() {
        "administrator" => ("administrator", "by an administrator"),
        "sender" => ("sender", "by a sender"),
        "recipient" => ("recipient", "by the recipient"),
        _ => ("system", "by the system"),
    }
}

/// The dedup window of a category as a decision saw it, and whoever counted a content of it within that
/// window before a moment: one of them told the same, the log does not say which.
pub(super) fn told_lately<'a>(frequency: &'a [Arc<Recorded>], category: &[Arc<Recorded>], key: &CategoryKey, at: Millis) -> Option<(Millis, Vec<&'a Counted>)> {
    let state = Category::replay(category.iter().filter_map(|event| match &event.fact {
        Fact::Category(event @ CategoryEvent::CategoryDefined(_)) => Some(event),
        _ => None,
    }));
    let window = state.dedup_window?;
    let counted = frequency.iter().filter_map(|event| match &event.fact {
        Fact::Frequency(FrequencyEvent::Counted(counted)) => Some(counted),
        _ => None,
    });
    let lately = |counted: &&Counted| counted.content.is_some() && counted.category == *key && counted.asked_at.saturating_add(window) > at;
    Some((window, counted.filter(lately).collect()))
}
