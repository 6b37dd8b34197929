//! The questions, in the order of the guide, and what follows from the first that stops it.

use super::{Heard, Line, Model, Place};
use crate::deciding::told::{Subject, Told};
use domain::category::{OverLimit, QuietHoursBehaviour};
use domain::values::{Channel, Millis, Priority, Rule};

impl Model {
    /// The questions in their order. `first` is when it is new.
    pub(super) fn decide(&mut self, which: usize, first: bool) {
        let note = self.notes[which].clone();
        let (now, who, subject) = (self.now, note.who, note.subject);
        let (terms, calm) = (&note.terms, note.priority != Priority::Critical);
        let suppress = |model: &mut Self, rule| model.tell(subject, Told::Suppressed(rule));
        // Nobody is erased here.
        if note.expires.is_some_and(|at| at <= now) {
            return self.tell(subject, Told::Expired);
        }
        // Summaries have no content to compare: sums of equal words are different news.
        let tells = first && terms.dedup.is_some() && matches!(subject, Subject::Request(_));
        let same = |heard: &Heard| heard.category == note.category && heard.content == note.content;
        if tells && self.people[who].heard.iter().any(|heard| same(heard) && Some(now - heard.at) < terms.dedup) {
            return suppress(self, Rule::DuplicateContent);
        }
        if note.not_before.is_some_and(|at| at > now) {
            return self.wait(which, tells, note.not_before.unwrap(), Rule::NotBefore);
        }
        let (lines, unreachable) = self.reach(&note);
        if let Some(rule) = unreachable {
            self.deliver(which, lines);
            return suppress(self, rule);
        }
        let heard = lines.iter().any(|line| line.verdict.is_ok() && line.channel != Channel::InApp);
        // What makes no noise disturbs nobody.
        let observes = calm && heard && terms.quiet != QuietHoursBehaviour::Ignore;
        if let Some(rule) = self.disturbed(who, now).filter(|_| observes) {
            if terms.quiet == QuietHoursBehaviour::Suppress {
                return suppress(self, rule);
            }
            return self.wait(which, tells, self.first_free(who, now), rule);
        }
        let collects = calm && terms.digest.is_some() && matches!(subject, Subject::Request(_));
        if collects && terms.over != OverLimit::Digest {
            return self.collect(which, tells, Rule::Digested);
        }
        let overall = if terms.required { Vec::new() } else { self.overall.clone() };
        // A place that it was given holds whatever comes between; it is there by now.
        if calm && !note.holds_place && !(terms.limits.is_empty() && overall.is_empty()) {
            let at = self.next_place(who, note.category, &terms.limits, &overall, observes);
            let late = note.expires.is_some_and(|end| end <= at);
            match terms.over {
                _ if at == now => self.take_place(which, at),
                OverLimit::Digest if collects => return self.collect(which, tells, Rule::OverLimit),
                OverLimit::Suppress => return suppress(self, Rule::OverLimit),
                // It would wait beyond its end, and takes no place from others.
                _ if late => return self.wait(which, tells, at, Rule::OverLimit),
                _ => {
                    self.take_place(which, at);
                    self.notes[which].holds_place = true;
                    return self.wait(which, tells, at, Rule::OverLimit);
                }
            }
        }
        self.remember(which, tells);
        self.deliver(which, lines);
    }

    /// A content counts as told from a request on that is sent, waits or is collected.
    pub(super) fn remember(&mut self, which: usize, tells: bool) {
        let (now, note) = (self.now, &self.notes[which]);
        if tells {
            self.people[note.who].heard.push(Heard { category: note.category, content: note.content, at: now });
        }
    }

    fn take_place(&mut self, which: usize, at: Millis) {
        let note = &self.notes[which];
        self.people[note.who].places.push(Place { category: note.category, at, alone: note.terms.required, note: which });
    }

    /// Nothing waits past its expiry.
    fn wait(&mut self, which: usize, tells: bool, until: Millis, rule: Rule) {
        self.remember(which, tells);
        let note = &mut self.notes[which];
        let until = note.expires.map_or(until, |end| end.min(until));
        note.until = Some(until);
        let (subject, place) = (note.subject, rule == Rule::OverLimit && note.holds_place);
        self.tell(subject, Told::Waits { until, rule, place });
    }

    fn deliver(&mut self, which: usize, lines: Vec<Line>) {
        let (subject, mut delivery) = (self.notes[which].subject, 0);
        for Line { channel, address, verdict } in lines {
            match verdict {
                Ok(rule) => {
                    self.tell(subject, Told::Queued { delivery, channel, address, rule });
                    if channel == Channel::InApp {
                        self.tell(subject, Told::Sent(delivery));
                    } else {
                        self.notes[which].open.insert(delivery);
                    }
                    delivery += 1;
                }
                Err(rule) => self.tell(subject, Told::Skipped { channel, address, rule }),
            }
        }
    }
}
