//! What is collected, and the summaries.

use super::{Digest, Model, Note, Window};
use crate::deciding::steps::Switch;
use crate::deciding::told::{Subject, Told};
use domain::values::Rule;
use std::collections::BTreeSet;

impl Model {
    pub(super) fn is_empty(&self, who: usize, category: usize) -> bool {
        let open = self.digests.get(&(who, category)).and_then(|digest| digest.open.as_ref());
        open.is_some_and(|open| open.listed.is_empty() && open.counted.is_empty())
    }

    /// Takes no place: the summary does.
    pub(super) fn collect(&mut self, which: usize, tells: bool, rule: Rule) {
        self.remember(which, tells);
        let Note { who, category, subject, .. } = self.notes[which];
        let (long, most) = self.notes[which].terms.digest.unwrap();
        let known = self.digests.contains_key(&(who, category));
        let number = if known { 0 } else { self.next_number() };
        let digest = self.digests.entry((who, category)).or_insert(Digest { number, window: 0, open: None });
        let opens = digest.open.is_none();
        digest.window += u32::from(opens);
        let (window, closes_at) = (digest.window, self.now + long);
        let open = digest.open.get_or_insert_with(|| Window { closes_at, most: usize::from(most), ..Window::default() });
        if open.listed.len() < open.most {
            open.listed.push(subject)
        } else {
            open.counted.push(subject)
        }
        self.notes[which].window = Some(window);
        if opens {
            self.tell(Subject::Digest(who, category), Told::Opened { window, closes_at });
        }
        self.tell(Subject::Digest(who, category), Told::Item { window, item: subject });
        self.tell(subject, Told::Collected { window, rule });
    }

    /// Takes a notification out of its digest, if that is still open.
    pub(super) fn take_out(&mut self, which: usize) -> bool {
        let Note { who, category, subject, window, .. } = self.notes[which];
        let Some(digest) = self.digests.get_mut(&(who, category)) else { return false };
        let Some(open) = digest.open.as_mut().filter(|_| window == Some(digest.window)) else { return false };
        let held = open.listed.iter().chain(&open.counted).any(|item| *item == subject);
        open.listed.retain(|item| *item != subject);
        open.counted.retain(|item| *item != subject);
        let window = digest.window;
        if held {
            self.tell(Subject::Digest(who, category), Told::LetGo { window, item: subject });
        }
        held
    }

    /// Closes it under the category as it is now. Of what would be listed, that is left out whose topic was
    /// switched off; what is only counted stays.
    pub(super) fn close(&mut self, who: usize, category: usize) {
        let terms = self.categories[category].clone();
        let off = !terms.required && self.people[who].switches.get(&Switch::Topic) == Some(&false);
        let digest = self.digests.get_mut(&(who, category)).unwrap();
        let (window, open) = (digest.window, digest.open.take().unwrap());
        let about = |item: &Subject| self.notes.iter().any(|note| note.subject == *item && note.topic);
        let items: Vec<Subject> = open.listed.into_iter().filter(|item| !(off && about(item))).collect();
        let more = u32::try_from(open.counted.len()).unwrap();
        let told = !items.is_empty() || more > 0;
        self.tell(Subject::Digest(who, category), Told::Closed { window, summary: told, items, more });
        if told {
            let number = self.next_number();
            self.accept(Note {
                subject: Subject::Summary(who, category, window),
                who,
                category,
                content: 0,
                priority: terms.priority,
                channels: None,
                not_before: None,
                expires: terms.life.map(|life| self.now + life),
                topic: false,
                number,
                until: None,
                holds_place: false,
                window: None,
                open: BTreeSet::new(),
                repeats: 0,
                terms,
            });
        }
    }
}
