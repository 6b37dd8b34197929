//! `[delivery]` and `[delivery.retry.CHANNEL]`: workers and retry schedules.

use super::section::{Key, Reader, Section, SectionDoc, section};
use super::value::{Value, duration_text};
use domain::policy::retry::RetrySchedule;
use domain::values::Channel;
use std::time::Duration;

section! {
    /// How deliveries are worked off.
    Workers at "delivery" {
        /// Deliveries that one worker takes at once; their attempts are recorded together.
        batch: usize = "256",
        /// Deliveries a channel that are kept in memory in front of the table of what is owed. A
        /// longer backlog stays on disk.
        window: usize = "16384",
    }
}

impl Workers {
    fn check(&self, reader: &mut Reader<'_>) {
        reader.require((1..=1_024).contains(&self.batch), "delivery.batch", "must be between 1 and 1024");
        reader.require(self.window >= self.batch && self.window <= 1_000_000, "delivery.window", "must be between delivery.batch and 1000000");
    }
}

/// Workers and the retry schedules of all channels.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// How deliveries are worked off.
    pub workers: Workers,
    retry: Vec<(Channel, RetrySchedule)>,
}

const FIELDS: [(&str, &str); 5] = [
    ("first", "Pause after the first failure. Half of every pause is random."),
    ("factor", "Factor from one pause to the next."),
    ("longest", "Longest pause."),
    ("attempts", "Attempts that count, the first included; throttled ones do not. After the last the delivery is a dead letter."),
    ("max_age", "A delivery older than this is not tried again."),
];

fn path_of(channel: Channel) -> String {
    format!("delivery.retry.{}", channel.name())
}

/// Channels whose deliveries can fail.
fn channels() -> impl Iterator<Item = Channel> {
    Channel::ALL.into_iter().filter(|channel| channel.has_provider())
}

impl Delivery {
    /// The documentation of the section and its subsections.
    pub fn describe_all() -> Vec<SectionDoc> {
        let mut all = vec![Workers::describe()];
        for channel in channels() {
            let schedule = RetrySchedule::default_for(channel);
            let defaults = [
                duration_text(schedule.first),
                format!("{:?}", schedule.factor),
                duration_text(schedule.longest),
                schedule.attempts.to_string(),
                duration_text(schedule.max_age),
            ];
            let kinds = [
                (Duration::KIND, Duration::FORM),
                (f64::KIND, f64::FORM),
                (Duration::KIND, Duration::FORM),
                (u32::KIND, u32::FORM),
                (Duration::KIND, Duration::FORM),
            ];
            let keys = FIELDS
                .iter()
                .zip(defaults)
                .zip(kinds)
                .map(|(((name, doc), default), (kind, form))| Key {
                    path: format!("{}.{name}", path_of(channel)),
                    doc: (*doc).to_owned(),
                    kind,
                    default: Some(default),
                    secret: false,
                    form,
                })
                .collect();
            all.push(SectionDoc { path: path_of(channel), doc: format!("When a failed delivery over `{}` is tried again.", channel.name()), keys });
        }
        all
    }

    /// Reads and checks everything.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let workers = Workers::read(reader);
        let retry: Vec<Option<(Channel, RetrySchedule)>> = channels().map(|channel| Some((channel, schedule(reader, &path_of(channel))?))).collect();
        Some(Self { workers: workers?, retry: retry.into_iter().collect::<Option<_>>()? })
    }

    /// A channel's schedule.
    pub fn schedule(&self, channel: Channel) -> RetrySchedule {
        self.retry.iter().find(|(of, _)| *of == channel).map_or_else(|| RetrySchedule::default_for(channel), |(_, found)| *found)
    }
}

fn schedule(reader: &mut Reader<'_>, path: &str) -> Option<RetrySchedule> {
    let key = |name: &str| format!("{path}.{name}");
    let first: Option<Duration> = reader.value(&key("first"));
    let factor: Option<f64> = reader.value(&key("factor"));
    let longest: Option<Duration> = reader.value(&key("longest"));
    let attempts: Option<u32> = reader.value(&key("attempts"));
    let max_age: Option<Duration> = reader.value(&key("max_age"));
    let schedule = RetrySchedule { first: first?, factor: factor?, longest: longest?, attempts: attempts?, max_age: max_age? };
    reader.require(schedule.first >= Duration::from_millis(10), &key("first"), "must be at least 10ms");
    reader.require((1.0..=100.0).contains(&schedule.factor), &key("factor"), "must be between 1 and 100");
    reader.require(schedule.longest >= schedule.first, &key("longest"), "must not be shorter than `first`");
    reader.require((1..=1_000).contains(&schedule.attempts), &key("attempts"), "must be between 1 and 1000");
    reader.require(schedule.max_age <= Duration::from_secs(365 * 86_400), &key("max_age"), "must be at most 365d");
    Some(schedule)
}
