//! What the audit found.

use super::totals::Totals;
use crate::cli::output::table;
use domain::values::Channel;
use serde::Serialize;

/// Violations that are told one by one; all are counted.
pub(super) const TOLD: usize = 100;

/// One broken rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// The event at which it shows.
    pub position: u64,
    /// Of which stream.
    pub stream: String,
    /// Which rule.
    pub rule: String,
}

/// One channel's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OfChannel {
    /// The channel.
    pub channel: &'static str,
    /// Its figures.
    #[serde(flatten)]
    pub totals: Totals,
}

/// The whole finding; the object of `--json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// No rule is broken.
    pub holds: bool,
    /// Events read.
    pub events: u64,
    /// Notifications accepted.
    pub accepted: u64,
    /// Requests recognised as repeats, as far as they were recorded.
    pub deduplicated: u64,
    /// Channels decided against at acceptance.
    pub not_queued: u64,
    /// All channels together.
    pub deliveries: Totals,
    /// Each channel.
    pub channels: Vec<OfChannel>,
    /// How many rules are broken.
    pub violations: u64,
    /// The first of them.
    pub first_violations: Vec<Violation>,
}

impl Report {
    pub(super) fn new() -> Self {
        Self {
            holds: true,
            events: 0,
            accepted: 0,
            deduplicated: 0,
            not_queued: 0,
            deliveries: Totals::default(),
            channels: Channel::ALL.iter().map(|channel| OfChannel { channel: channel.name(), totals: Totals::default() }).collect(),
            violations: 0,
            first_violations: Vec::new(),
        }
    }

    pub(super) fn of(&mut self, channel: Channel) -> Option<&mut Totals> {
        self.channels.iter_mut().find(|of| of.channel == channel.name()).map(|of| &mut of.totals)
    }

    pub(super) fn violation(&mut self, position: u64, stream: String, rule: String) {
        self.violations += 1;
        if self.first_violations.len() < TOLD {
            self.first_violations.push(Violation { position, stream, rule });
        }
    }

    /// Adds the channels up and applies the law.
    pub(super) fn finish(mut self) -> Self {
        for at in 0..self.channels.len() {
            let of = self.channels[at].clone();
            self.deliveries.add(&of.totals);
            if of.totals.queued != of.totals.accounted() {
                self.violation(
                    self.events,
                    of.channel.to_owned(),
                    format!("{} deliveries were queued, {} are accounted for", of.totals.queued, of.totals.accounted()),
                );
            }
        }
        self.holds = self.violations == 0;
        self
    }

    /// For people.
    pub fn text(&self) -> String {
        let head = ["channel", "queued", "sent", "failed", "cancelled", "expired", "suppressed", "dead", "discarded", "in flight", "pending"];
        let row = |name: &str, of: &Totals| -> Vec<String> {
            [of.queued, of.sent, of.failed, of.cancelled, of.expired, of.suppressed, of.dead_lettered, of.discarded, of.unknown, of.pending].iter().fold(
                vec![name.to_owned()],
                |mut row, figure| {
                    row.push(figure.to_string());
                    row
                },
            )
        };
        let mut rows: Vec<Vec<String>> = self.channels.iter().map(|of| row(of.channel, &of.totals)).collect();
        rows.push(row("all", &self.deliveries));
        let mut text = table(&head, &rows);
        let all = &self.deliveries;
        text.push_str(&format!(
            "\n\n{} notifications accepted in {} events; {} repeats recognised; {} channels decided against at acceptance.\n{} provider calls, {} of unknown outcome, {} repeated after one.\n",
            self.accepted,
            self.events,
            self.deduplicated,
            self.not_queued,
            all.attempts,
            all.unknown_outcomes,
            all.repeats_after_unknown,
        ));
        if self.holds {
            text.push_str("The law holds: every delivery that was queued is accounted for.");
            return text;
        }
        text.push_str(&format!("The law is BROKEN, {} times:", self.violations));
        for violation in &self.first_violations {
            text.push_str(&format!("\n  position {}, {}: {}", violation.position, violation.stream, violation.rule));
        }
        text
    }
}
