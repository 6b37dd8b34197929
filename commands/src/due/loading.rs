//! What is due, with the facts to decide it on. One that cannot be read stops no other.

use super::firing::{self, Occurrence};
use super::ready::{Next, Ready, Work, decided, release, step};
use super::{Asked, Due, Open, is_unreadable};
use crate::accept::{Gathered, folded, stream_of};
use crate::bus::{Cached, Refused};
use crate::log::{Bare, Commit, LogError, Metadata, StreamAppend};
use domain::aggregate::Aggregate;
use domain::notification::{Notification, NotificationCommand};
use domain::policy::deciding::zone_of;
use domain::policy::plan::StepVerdict;
use domain::policy::timers::TimerName;
use domain::schedule::{Schedule, ScheduleCommand};
use domain::values::{CategoryKey, DigestId, Millis, NotificationId, RecipientId};
use domain::{AggregateKind, Fact, StreamId};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

/// The events of each stream.
type Streams = HashMap<StreamId, Result<Vec<Bare>, LogError>>;

impl Due {
    /// What is next for each.
    pub(super) async fn load(&self, metadata: &Arc<Metadata>, open: Vec<Open>, now: Millis) -> Result<Vec<(Open, Next)>, LogError> {
        let of = |kind| open.iter().map(|item| item.timer.stream).filter(move |stream| stream.kind == kind).collect();
        // Nothing is decided on a notification's content, which may be large; a schedule hands its own on.
        let mut streams = self.read(of(AggregateKind::Notification), false).await?;
        streams.extend(self.read(of(AggregateKind::Schedule), true).await?);
        let recipients = streams.values().filter_map(|events| recipient(events.as_ref().ok()?));
        match self.facts.prefetch(&self.bus, recipients).await {
            // Who it is shows when they are gathered one by one.
            Err(error) if !is_unreadable(&error) => return Err(error),
            _ => {}
        }
        let mut loaded = Vec::with_capacity(open.len());
        for item in open {
            let events = streams.remove(&item.timer.stream).unwrap_or_else(|| Ok(Vec::new()));
            let next = match events {
                Ok(events) => self.next(metadata, item, &events, now).await,
                Err(error) => Err(error),
            };
            match next {
                Ok(next) => loaded.push((item, next)),
                Err(error) if is_unreadable(&error) => loaded.push((item, Next::Answer(Asked::Unreadable { error }))),
                Err(error) => return Err(error),
            }
        }
        Ok(loaded)
    }

    /// The streams in one read, with their personal parts or without; one by one where one of them cannot
    /// be read.
    pub(super) async fn read(&self, mut streams: Vec<StreamId>, personal: bool) -> Result<Streams, LogError> {
        // A stream may have two timers.
        streams.sort_unstable();
        streams.dedup();
        let mut found: Streams = streams.iter().map(|stream| (*stream, Ok(Vec::new()))).collect();
        if streams.is_empty() {
            return Ok(found);
        }
        match self.bus.log().bare_streams(streams.clone(), personal).await {
            Ok(events) => {
                for event in events {
                    if let Some(Ok(stream)) = found.get_mut(&event.stream) {
                        stream.push(event);
                    }
                }
            }
            Err(error) if is_unreadable(&error) => {
                for stream in streams {
                    match self.bus.log().bare_streams(vec![stream], personal).await {
                        Err(error) if !is_unreadable(&error) => return Err(error),
                        answer => drop(found.insert(stream, answer)),
                    }
                }
            }
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    /// Under the version of its category that it was accepted under.
    async fn gather_for(&self, state: &Notification) -> Result<Gathered, LogError> {
        let gathered = self.facts.gather_as_of::<Infallible>(&self.bus, state.recipient, &state.category, state.category_version).await;
        gathered.map_err(of_log)
    }

    async fn gather(&self, recipient: RecipientId, category: &CategoryKey) -> Result<Gathered, LogError> {
        self.facts.gather::<Infallible>(&self.bus, recipient, category).await.map_err(of_log)
    }

    async fn next(&self, metadata: &Arc<Metadata>, item: Open, events: &[Bare], now: Millis) -> Result<Next, LogError> {
        let stream = item.timer.stream;
        match (stream.kind, item.timer.name) {
            (AggregateKind::Notification, TimerName::Release) => {
                let Cached { state, sequence } = folded::<Notification>(events);
                if let Err(answer) = release(&state, now) {
                    return Ok(Next::Answer(answer));
                }
                let facts = self.gather_for(&state).await?;
                let work = Work::Release { state: Arc::unwrap_or_clone(state), sequence };
                Ok(Next::Decide(Box::new(Ready { id: NotificationId(stream.id), facts, work })))
            }
            (AggregateKind::Notification, TimerName::Step) => {
                let Cached { state, sequence } = folded::<Notification>(events);
                let (step, verdict) = match step(&state, now) {
                    Ok(due) => due,
                    Err(answer) => return Ok(Next::Answer(answer)),
                };
                if let StepVerdict::Skip(rule) = verdict {
                    let events = decided(&state, NotificationCommand::SkipStep { step, rule });
                    let append = StreamAppend { stream, number: None, expected: sequence, events };
                    return Ok(Next::Commit(Commit { metadata: Arc::clone(metadata), appends: vec![append], expectations: Vec::new() }));
                }
                let facts = self.gather_for(&state).await?;
                let work = Work::Step { state: Arc::unwrap_or_clone(state), sequence, step };
                Ok(Next::Decide(Box::new(Ready { id: NotificationId(stream.id), facts, work })))
            }
            (AggregateKind::Digest, TimerName::Close) => self.closing(metadata, stream, now).await,
            (AggregateKind::Schedule, TimerName::Run) => self.firing(metadata, stream, &folded(events), now).await,
            // A timer of another build, or of a table that is being rebuilt.
            _ => Ok(Next::Answer(Asked::Nothing)),
        }
    }

    /// A digest whose window is due. Nobody else is asked for an empty one.
    async fn closing(&self, metadata: &Arc<Metadata>, stream: StreamId, now: Millis) -> Result<Next, LogError> {
        let mut loaded = self.facts.digest(&self.bus, stream).await?;
        if loaded.state.open.as_ref().is_none_or(|open| open.closes_at > now) {
            // No append will tell that this was stale, as after another replica had opened it.
            self.facts.forget(stream);
            loaded = self.facts.digest(&self.bus, stream).await?;
        }
        let digest = &loaded.state;
        let Some(open) = &digest.open else { return Ok(Next::Answer(Asked::Nothing)) };
        if open.closes_at > now {
            return Ok(Next::Answer(Asked::Early { due: open.closes_at }));
        }
        let (id, window) = (DigestId(stream.id), digest.window);
        let summary = self.hashing.summary(id, window);
        if open.items.is_empty() && open.more == 0 {
            let close = domain::digest::DigestCommand::Close { window, summary, unwanted: Vec::new(), template_unused: None, now };
            let events = digest.decide(close).unwrap_or_default().into_iter().map(Fact::from).collect();
            let append = StreamAppend { stream, number: None, expected: loaded.sequence, events };
            return Ok(Next::Commit(Commit { metadata: Arc::clone(metadata), appends: vec![append], expectations: Vec::new() }));
        }
        let mut facts = self.gather(digest.recipient, &digest.category).await?;
        if let Some(key) = facts.category.state.digest.as_ref().and_then(|settings| settings.template.clone()) {
            facts.template = Some(self.facts.template::<Infallible>(&self.bus, &key).await.map_err(of_log)?);
        }
        let requested = super::closing::requested(id, digest, &facts, &self.hashing, now);
        Ok(Next::Decide(Box::new(Ready { id: summary, facts, work: Work::Close { digest: id, window, requested } })))
    }

    async fn firing(&self, metadata: &Arc<Metadata>, stream: StreamId, loaded: &Cached<Schedule>, now: Millis) -> Result<Next, LogError> {
        let schedule = &loaded.state;
        let Some(terms) = &schedule.terms else { return Ok(Next::Answer(Asked::Nothing)) };
        let mut facts = self.gather(schedule.recipient, &terms.category).await?;
        if let Some(key) = schedule.content.known().and_then(|content| content.template.as_ref()) {
            facts.template = Some(self.facts.template::<Infallible>(&self.bus, key).await.map_err(of_log)?);
        }
        let zone = zone_of(&facts.recipient.state);
        let command = match firing::occurrence(schedule, &facts, &self.hashing, now) {
            Occurrence::Never => ScheduleCommand::Cancel,
            Occurrence::None => ScheduleCommand::Fire { occurrence: None, zone, now },
            Occurrence::Fire { moment, id, requested, content } => {
                let command = ScheduleCommand::Fire { occurrence: Some((moment, id)), zone, now };
                let events = schedule.decide(command).unwrap_or_default().into_iter().map(Fact::from).collect();
                let fired = StreamAppend { stream, number: None, expected: loaded.sequence, events };
                return Ok(Next::Decide(Box::new(Ready { id, facts, work: Work::Fire { requested: *requested, content, fired } })));
            }
        };
        let events: Vec<Fact> = schedule.decide(command).unwrap_or_default().into_iter().map(Fact::from).collect();
        if events.is_empty() {
            let later = schedule.next_run(zone).filter(|due| *due > now);
            return Ok(Next::Answer(later.map_or(Asked::Nothing, |due| Asked::Early { due })));
        }
        let append = StreamAppend { stream, number: None, expected: loaded.sequence, events };
        Ok(Next::Commit(Commit { metadata: Arc::clone(metadata), appends: vec![append], expectations: facts.expectations() }))
    }

    /// The requests of some notifications, as far as they can be read.
    pub(super) async fn requests(&self, notifications: &[NotificationId]) -> Result<HashMap<NotificationId, domain::notification::Requested>, LogError> {
        let streams = self.read(notifications.iter().map(|id| stream_of(*id)).collect(), true).await?;
        let first = |(stream, events): (StreamId, Result<Vec<Bare>, LogError>)| match events.ok()?.into_iter().next()?.fact {
            Fact::Notification(domain::notification::NotificationEvent::Requested(requested)) => Some((NotificationId(stream.id), requested)),
            _ => None,
        };
        Ok(streams.into_iter().filter_map(first).collect())
    }
}

/// For whom it is, as the first event says.
fn recipient(events: &[Bare]) -> Option<RecipientId> {
    match &events.first()?.fact {
        Fact::Notification(domain::notification::NotificationEvent::Requested(requested)) => Some(requested.recipient),
        Fact::Schedule(domain::schedule::ScheduleEvent::ScheduleDefined(defined)) => Some(defined.recipient),
        _ => None,
    }
}

fn of_log(error: Refused<Infallible>) -> LogError {
    match error {
        Refused::Log(error) => error,
        Refused::Refusal(_) | Refused::Erased | Refused::Contended => LogError::Overloaded,
    }
}
