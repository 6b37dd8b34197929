//! The rules of a category as administrators write and read them.

use crate::graphql::problem::Refused;
use async_graphql::{Enum, InputObject, OneofObject, SimpleObject};
use domain::calendar::{self, LocalTime};
use domain::category;
use domain::values::{self, LimitWindow, TemplateKey};

/// A stretch of the calendar in the recipient's time zone.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "calendar::Period")]
pub enum Period {
    /// From one full hour to the next.
    Hour,
    /// From midnight to midnight.
    Day,
    /// Seven days from Monday.
    Week,
    /// From the first of a month.
    Month,
}

/// What becomes of a notification that is over a limit.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "category::OverLimit")]
pub enum OverLimit {
    /// It waits for the next free place.
    Hold,
    /// It joins a digest.
    Digest,
    /// It is not sent.
    Suppress,
}

/// What becomes of a notification within quiet hours. Critical ones pass in any case.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "category::QuietHoursBehaviour", name = "QuietHoursBehaviour")]
pub enum QuietBehaviour {
    /// It waits for their end.
    Defer,
    /// It is not sent.
    Suppress,
    /// It is sent all the same.
    Ignore,
}

/// The stretch of time that a limit is about.
#[derive(OneofObject, Debug, Clone, Copy)]
pub enum LimitWindowInput {
    /// Of the calendar in the recipient's time zone.
    Period(Period),
    /// Any stretch of so many seconds, up to 31 days.
    SlidingSeconds(i32),
}

/// At most so many in such a window.
#[derive(InputObject, Debug, Clone, Copy)]
pub struct LimitInput {
    /// The most, 1 to 100.
    most: i32,
    /// The window.
    per: LimitWindowInput,
}

impl From<LimitInput> for values::Limit {
    fn from(input: LimitInput) -> Self {
        let per = match input.per {
            LimitWindowInput::Period(period) => LimitWindow::Calendar(period.into()),
            LimitWindowInput::SlidingSeconds(seconds) => LimitWindow::Sliding(i64::from(seconds) * 1_000),
        };
        // Less than nothing is refused as nothing is.
        Self { most: u32::try_from(input.most).unwrap_or(0), per }
    }
}

/// At most so many in such a window: of the calendar, or of any so many seconds.
#[derive(SimpleObject, Debug, Clone, Copy)]
#[graphql(name = "Limit")]
pub struct LimitObject {
    most: i64,
    /// Of the calendar in the recipient's time zone.
    period: Option<Period>,
    /// Any stretch of so many seconds.
    sliding_seconds: Option<i64>,
}

impl From<&values::Limit> for LimitObject {
    fn from(limit: &values::Limit) -> Self {
        let (period, sliding_seconds) = match limit.per {
            LimitWindow::Calendar(period) => (Some(period.into()), None),
            LimitWindow::Sliding(millis) => (None, Some(millis / 1_000)),
        };
        Self { most: i64::from(limit.most), period, sliding_seconds }
    }
}

/// So long after the last item, but no longer than that after the first.
#[derive(InputObject, Debug, Clone, Copy)]
pub struct SlidingWindowInput {
    /// Seconds without an item, up to seven days.
    seconds: i32,
    /// Seconds after the first item, up to seven days.
    at_most_seconds: i32,
}

/// When a digest closes.
#[derive(OneofObject, Debug, Clone)]
pub enum DigestWindowInput {
    /// So many seconds after its first item, up to seven days.
    FixedSeconds(i32),
    /// So long after its last item.
    Sliding(SlidingWindowInput),
    /// At the next such time on the recipient's clock, such as `08:00`.
    Until(String),
}

/// How digests are made.
#[derive(InputObject, Debug, Clone)]
pub struct DigestInput {
    /// How long it collects.
    window: DigestWindowInput,
    /// Items that the summary lists, 1 to 1000; further ones are counted only.
    #[graphql(default = 20)]
    max_items: i32,
    /// Key of the template that says the summary, from `count`, `items`, `more` and `category`; leave out for words of
    /// Bongsu's own. Where it cannot be used when a digest closes, those are used.
    template: Option<String>,
}

impl DigestInput {
    /// As the domain wants it.
    pub fn settings(self) -> Result<values::DigestSettings, Refused> {
        let millis = |seconds: i32| i64::from(seconds) * 1_000;
        let window = match self.window {
            DigestWindowInput::FixedSeconds(seconds) => values::DigestWindow::Fixed { millis: millis(seconds) },
            DigestWindowInput::Sliding(window) => values::DigestWindow::Sliding { millis: millis(window.seconds), at_most: millis(window.at_most_seconds) },
            DigestWindowInput::Until(text) => values::DigestWindow::Until {
                local_time: LocalTime::new(&text).map_err(|error| Refused::at("digest.window.until", "TIME_INVALID", error.to_string()))?,
            },
        };
        let key = |text: String| TemplateKey::new(&text).map_err(|error| Refused::at("digest.template", "TEMPLATE_NOT_FOUND", error.to_string()));
        let template = self.template.map(key).transpose()?;
        Ok(values::DigestSettings { window, max_items: u16::try_from(self.max_items).unwrap_or(0), template })
    }
}

/// How digests are made: one of the first three says when a digest closes.
#[derive(SimpleObject, Debug, Clone)]
#[graphql(name = "DigestSettings")]
pub struct DigestObject {
    /// So many seconds after its first item.
    fixed_seconds: Option<i64>,
    /// So many seconds after its last item.
    sliding_seconds: Option<i64>,
    /// At this time on the recipient's clock.
    until: Option<String>,
    /// With `slidingSeconds`: no later than this after its first item.
    at_most_seconds: Option<i64>,
    /// Items that the summary lists.
    max_items: i32,
    /// The template that says the summary.
    template: Option<String>,
}

impl From<&values::DigestSettings> for DigestObject {
    fn from(digest: &values::DigestSettings) -> Self {
        let mut object = Self {
            fixed_seconds: None,
            sliding_seconds: None,
            until: None,
            at_most_seconds: None,
            max_items: i32::from(digest.max_items),
            template: digest.template.as_ref().map(ToString::to_string),
        };
        match digest.window {
            values::DigestWindow::Fixed { millis } => object.fixed_seconds = Some(millis / 1_000),
            values::DigestWindow::Sliding { millis, at_most } => {
                object.sliding_seconds = Some(millis / 1_000);
                object.at_most_seconds = Some(at_most / 1_000);
            }
            values::DigestWindow::Until { local_time } => object.until = Some(local_time.to_string()),
        }
        object
    }
}

/// Whether what becomes of e-mails is watched. A recipient may switch that off (`SubscriptionScope.TRACKING`), and
/// so may the installation.
#[derive(InputObject, Debug, Clone, Copy)]
pub struct TrackingInput {
    /// By a picture of one point, whether they are opened.
    #[graphql(default = false)]
    opens: bool,
    /// By links that lead through here, whether their links are followed.
    #[graphql(default = false)]
    clicks: bool,
}

impl From<TrackingInput> for category::Tracking {
    fn from(input: TrackingInput) -> Self {
        Self { opens: input.opens, clicks: input.clicks }
    }
}

/// Whether what becomes of e-mails is watched.
#[derive(SimpleObject, Debug, Clone, Copy)]
#[graphql(name = "Tracking")]
pub struct TrackingObject {
    /// Whether they are opened.
    opens: bool,
    /// Whether their links are followed.
    clicks: bool,
}

impl From<category::Tracking> for TrackingObject {
    fn from(tracking: category::Tracking) -> Self {
        Self { opens: tracking.opens, clicks: tracking.clicks }
    }
}
