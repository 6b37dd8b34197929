//! The reference: what must become of each notification, written from the guide on deciding, the order of the
//! questions and the documentation of the values, and sharing no code with what it is held against. Slow on
//! purpose: it keeps everything, forgets nothing and looks at one moment after the other.

mod digests;
mod questions;
mod wanted;
mod when;

pub use when::LONG;

use super::steps::{Case, Hours, Request, START, Step, Switch, Terms, counted_back};
use super::told::{News, Subject, Told};
use domain::values::{Channel, Limit, Millis, Priority, Rule};
use std::collections::{BTreeMap, BTreeSet};

/// Repeats of a request that are recorded.
const RECORDED_REPEATS: u32 = 10;

#[derive(Default)]
struct Person {
    seoul: bool,
    switches: BTreeMap<Switch, bool>,
    quiet: Option<Hours>,
    allowed: Option<Hours>,
    silent_until: Option<Millis>,
    preferred: Vec<Channel>,
    suppressed: BTreeSet<usize>,
    places: Vec<Place>,
    heard: Vec<Heard>,
}

/// A place under the limits that was taken, or will be.
struct Place {
    category: usize,
    at: Millis,
    /// Of a required category: counts for its own limits only.
    alone: bool,
    /// Whose it is.
    note: usize,
}

/// A content that a request told, or will.
struct Heard {
    category: usize,
    content: u8,
    at: Millis,
}

/// A notification.
#[derive(Clone)]
struct Note {
    subject: Subject,
    who: usize,
    category: usize,
    /// As they were when it was accepted.
    terms: Terms,
    content: u8,
    priority: Priority,
    channels: Option<Vec<Channel>>,
    not_before: Option<Millis>,
    expires: Option<Millis>,
    topic: bool,
    /// In the order in which streams began.
    number: usize,
    until: Option<Millis>,
    holds_place: bool,
    window: Option<u32>,
    /// Deliveries that a provider is still to be called for.
    open: BTreeSet<u16>,
    repeats: u32,
}

/// One channel or address.
struct Line {
    channel: Channel,
    address: Option<usize>,
    verdict: Result<Rule, Rule>,
}

#[derive(Default)]
struct Window {
    closes_at: Millis,
    most: usize,
    listed: Vec<Subject>,
    counted: Vec<Subject>,
}

struct Digest {
    number: usize,
    window: u32,
    open: Option<Window>,
}

/// What is due.
enum Due {
    Note(usize),
    Digest(usize, usize),
}

pub struct Model {
    pub now: Millis,
    overall: Vec<Limit>,
    categories: [Terms; 2],
    people: [Person; 2],
    notes: Vec<Note>,
    digests: BTreeMap<(usize, usize), Digest>,
    streams: usize,
    /// Requests that were sent.
    asked: Vec<Request>,
    /// What is new since it was asked last.
    news: News,
}

impl Model {
    pub fn new(case: &Case) -> Self {
        let (overall, categories) = (case.overall.clone(), case.categories.clone());
        Self {
            now: START,
            overall,
            categories,
            people: Default::default(),
            notes: vec![],
            digests: BTreeMap::new(),
            streams: 0,
            asked: vec![],
            news: News::new(),
        }
    }

    /// All notifications, in the order in which they came.
    pub fn subjects(&self) -> Vec<Subject> {
        self.notes.iter().map(|note| note.subject).collect()
    }

    /// Whether anything waits.
    pub fn waits(&self) -> bool {
        !self.due(Millis::MAX).is_empty()
    }

    pub fn news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }

    fn tell(&mut self, subject: Subject, told: Told) {
        self.news.entry(subject).or_default().push(told);
    }

    fn next_number(&mut self) -> usize {
        self.streams += 1;
        self.streams
    }

    /// Does a step; false where it is refused.
    pub fn step(&mut self, step: &Step) -> bool {
        match step {
            Step::Define(category, terms) => self.categories[*category] = terms.clone(),
            Step::Turn { who, switch, on } => return self.turn(*who, *switch, *on),
            Step::Hours { quiet: Some(quiet), allowed: Some(allowed), .. } if !when::leaves_time(quiet, allowed) => return false,
            Step::Hours { who, quiet, allowed } => (self.people[*who].quiet, self.people[*who].allowed) = (quiet.clone(), allowed.clone()),
            Step::Silence { who, lasts } => self.people[*who].silent_until = lasts.map(|lasts| self.now + lasts),
            Step::Move { who, seoul } => self.people[*who].seoul = *seoul,
            Step::Prefer { who, channels } => self.people[*who].preferred.clone_from(channels),
            Step::Send(requests) => requests.iter().for_each(|request| self.send(request)),
            Step::Again(which) => {
                if let Some(which) = counted_back(*which, self.asked.len()) {
                    self.send(&self.asked[which].clone());
                }
            }
            Step::Repeat(which) => self.repeat(*which),
            Step::Cancel(which) => self.cancel(*which),
            Step::Address { who, address, suppressed: true } => drop(self.people[*who].suppressed.insert(*address)),
            Step::Address { who, address, suppressed: false } => drop(self.people[*who].suppressed.remove(address)),
            Step::Pass { time, late } => self.pass(*time, *late),
        }
        true
    }

    fn send(&mut self, request: &Request) {
        let Request { who, category, content, priority, topic, .. } = *request;
        self.asked.push(request.clone());
        let terms = self.categories[category].clone();
        let not_before = request.not_before.map(|wait| self.now + wait);
        let from = not_before.map_or(self.now, |at| at.max(self.now));
        let number = self.next_number();
        self.accept(Note {
            subject: Subject::Request(self.asked.len() - 1),
            who,
            category,
            content,
            priority: priority.unwrap_or(terms.priority),
            channels: request.channels.clone(),
            not_before,
            expires: request.expires.or(terms.life).map(|life| from + life),
            topic,
            number,
            until: None,
            holds_place: false,
            window: None,
            open: BTreeSet::new(),
            repeats: 0,
            terms,
        });
    }

    fn accept(&mut self, note: Note) {
        self.tell(note.subject, Told::Requested { priority: note.priority, not_before: note.not_before, expires: note.expires });
        self.notes.push(note);
        self.decide(self.notes.len() - 1, true);
    }

    fn repeat(&mut self, which: usize) {
        let Some(which) = counted_back(which, self.asked.len()) else { return };
        let note = self.notes.iter_mut().find(|note| note.subject == Subject::Request(which)).unwrap();
        if note.repeats < RECORDED_REPEATS {
            note.repeats += 1;
            let repeats = note.repeats;
            self.tell(Subject::Request(which), Told::Repeated(repeats));
        }
    }

    /// Takes back what waits, lies in an open digest, or is queued. Who waits for a place gives it back.
    fn cancel(&mut self, which: usize) {
        let Some(which) = counted_back(which, self.notes.len()) else { return };
        let collected = self.take_out(which);
        let note = &mut self.notes[which];
        let subject = note.subject;
        let open = std::mem::take(&mut note.open);
        let waited = note.until.take().is_some();
        if waited && note.holds_place {
            let who = note.who;
            self.people[who].places.retain(|place| place.note != which);
        }
        if waited || collected {
            self.tell(subject, Told::TakenBack);
        }
        open.into_iter().for_each(|delivery| self.tell(subject, Told::Stopped(delivery)));
    }

    fn pass(&mut self, time: Millis, late: bool) {
        let target = self.now + time;
        while let Some((at, ..)) = self.due(target).first().filter(|_| !late) {
            self.now = self.now.max(*at);
            self.fire();
        }
        self.now = target;
        self.fire();
    }

    /// What is due by a moment, the earliest first, then in the order in which streams began.
    fn due(&self, by: Millis) -> Vec<(Millis, usize, Due)> {
        let notes = self.notes.iter().enumerate().filter_map(|(which, note)| Some((note.until?, note.number, Due::Note(which))));
        let digests =
            self.digests.iter().filter_map(|((who, category), digest)| Some((digest.open.as_ref()?.closes_at, digest.number, Due::Digest(*who, *category))));
        let mut due: Vec<_> = notes.chain(digests).filter(|(at, ..)| *at <= by).collect();
        due.sort_by_key(|(at, number, _)| (*at, *number));
        due
    }

    /// Asks for all that is due, and for what comes of it.
    fn fire(&mut self) {
        loop {
            let mut due = self.due(self.now);
            if due.is_empty() {
                return;
            }
            // Nothing has to be decided about an empty digest: it is closed before the others are.
            due.sort_by_key(|(.., due)| !matches!(due, Due::Digest(who, category) if self.is_empty(*who, *category)));
            for (.., due) in due {
                match due {
                    Due::Note(which) => {
                        self.notes[which].until = None;
                        self.tell(self.notes[which].subject, Told::Released);
                        self.decide(which, false);
                    }
                    Due::Digest(who, category) => self.close(who, category),
                }
            }
        }
    }
}
