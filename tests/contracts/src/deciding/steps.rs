//! What a sequence is made of: commands and steps of the clock, in numbers instead of keys, and how they are
//! drawn. Times are relative, so that a sequence that was made shorter still says something.

use domain::calendar::Period;
use domain::category::{OverLimit, QuietHoursBehaviour};
use domain::values::{Channel, DAY_MS, Limit, LimitWindow, Millis, Priority};
use proptest::prelude::*;
use proptest::sample::select;
use std::ops::{Range, RangeInclusive};

pub const SECOND: Millis = 1_000;
pub const MINUTE: Millis = 60 * SECOND;
pub const HOUR: Millis = 60 * MINUTE;

/// Monday, 16 November 2026, 09:30 UTC: half past six in the evening in Seoul.
pub const START: Millis = 1_794_821_400_000;

/// The addresses of each person, oldest first.
pub const ADDRESSES: [&[Channel]; 2] = [&[Channel::AndroidPush, Channel::Email], &[Channel::AndroidPush, Channel::AndroidPush]];

/// Channels that are used. Nobody has an address on the last.
pub const CHANNELS: [Channel; 4] = [Channel::InApp, Channel::AndroidPush, Channel::Email, Channel::Webhook];

/// A category's definition.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    pub required: bool,
    pub by_default: bool,
    pub channels: Vec<Channel>,
    pub priority: Priority,
    pub dedup: Option<Millis>,
    pub limits: Vec<Limit>,
    pub over: OverLimit,
    pub quiet: QuietHoursBehaviour,
    /// How long from the first item, and how many are listed.
    pub digest: Option<(Millis, u16)>,
    pub life: Option<Millis>,
}

/// A switch; categories and addresses by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    All,
    Channel(Channel),
    Category(usize),
    CategoryChannel(usize, Channel),
    Address(usize),
    Topic,
}

/// The same hours on some days, Monday first; minutes of the day. `to` before `from` is that of the next day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    pub days: [bool; 7],
    pub from: u16,
    pub to: u16,
}

/// A request; moments from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    pub who: usize,
    pub category: usize,
    pub content: u8,
    pub priority: Option<Priority>,
    pub channels: Option<Vec<Channel>>,
    pub not_before: Option<Millis>,
    /// Behind the moment from which it may go out.
    pub expires: Option<Millis>,
    pub topic: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Define(usize, Terms),
    Turn {
        who: usize,
        switch: Switch,
        on: bool,
    },
    Hours {
        who: usize,
        quiet: Option<Hours>,
        allowed: Option<Hours>,
    },
    Silence {
        who: usize,
        lasts: Option<Millis>,
    },
    Move {
        who: usize,
        seoul: bool,
    },
    Prefer {
        who: usize,
        channels: Vec<Channel>,
    },
    /// One list.
    Send(Vec<Request>),
    /// What a request of before asked for, as a new one; counted back from the newest.
    Again(usize),
    /// A request of before, with its key; counted back from the newest.
    Repeat(usize),
    /// A notification of before, also a summary; counted back from the newest.
    Cancel(usize),
    Address {
        who: usize,
        address: usize,
        suppressed: bool,
    },
    /// Time passes. What comes due is asked at its moment; where nobody asked meanwhile, all at the end.
    Pass {
        time: Millis,
        late: bool,
    },
}

/// What one case is made of.
#[derive(Debug, Clone)]
pub struct Case {
    /// Limits over all categories.
    pub overall: Vec<Limit>,
    pub categories: [Terms; 2],
    pub steps: Vec<Step>,
}

/// The place in a list of so many, counted back from the newest; none in an empty list.
pub fn counted_back(back: usize, count: usize) -> Option<usize> {
    back.checked_rem(count).map(|back| count - 1 - back)
}

fn one_of(times: Range<Millis>, unit: Millis) -> impl Strategy<Value = Millis> {
    // Exact edges are worth more than anything between.
    (times, select(vec![0, 0, 0, 1, -1])).prop_map(move |(times, off)| (times * unit + off).max(1))
}

/// Of a few times, so that one is often exactly as long as another.
fn often() -> impl Strategy<Value = Millis> {
    prop_oneof![4 => select(vec![HOUR, 6 * HOUR, DAY_MS]), 1 => one_of(1..72, HOUR)]
}

fn channels() -> impl Strategy<Value = Vec<Channel>> {
    prop::sample::subsequence(CHANNELS.to_vec(), 1..=CHANNELS.len())
}

fn limits(count: RangeInclusive<usize>) -> impl Strategy<Value = Vec<Limit>> {
    let calendar = select(vec![Period::Hour, Period::Day, Period::Day, Period::Week, Period::Month]).prop_map(LimitWindow::Calendar);
    let sliding = often().prop_map(LimitWindow::Sliding);
    prop::collection::vec((1_u32..4, prop_oneof![calendar, sliding]).prop_map(|(most, per)| Limit { most, per }), count)
}

prop_compose! {
    fn terms()(
        (required, by_default) in select(vec![(false, true), (false, true), (false, false), (true, true)]),
        channels in channels(),
        priority in select(vec![Priority::Normal, Priority::Normal, Priority::Normal, Priority::Critical]),
        dedup in prop::option::of(often()),
        limits in limits(0..=2),
        over in select(vec![OverLimit::Hold, OverLimit::Hold, OverLimit::Suppress, OverLimit::Digest]),
        quiet in select(vec![QuietHoursBehaviour::Defer, QuietHoursBehaviour::Defer, QuietHoursBehaviour::Suppress, QuietHoursBehaviour::Ignore]),
        digest in prop::option::weighted(0.3, (one_of(1..24, HOUR), 1_u16..3)),
        after in one_of(1..12, HOUR),
        life in prop::option::weighted(0.2, one_of(1..60, HOUR)),
    ) -> Terms {
        // Over a limit it can be collected only where there is a digest.
        let digest = if over == OverLimit::Digest { digest.or(Some((after, 1))) } else { digest };
        Terms { required, by_default, channels, priority, dedup, limits, over, quiet, digest, life }
    }
}

fn hours() -> impl Strategy<Value = Hours> {
    let days = prop_oneof![3 => Just([true; 7]), 1 => prop::array::uniform7(any::<bool>()).prop_filter("some day", |days| days.contains(&true))];
    (days, 0_u16..48, 1_u16..40).prop_map(|(days, from, long)| Hours { days, from: from * 30, to: (from + long) % 48 * 30 })
}

prop_compose! {
    fn request()(
        who in 0_usize..2,
        category in 0_usize..2,
        content in 0_u8..3,
        priority in prop::option::weighted(0.3, select(vec![Priority::Normal, Priority::Critical])),
        channels in prop::option::weighted(0.2, channels()),
        not_before in prop::option::weighted(0.2, one_of(-2..72, HOUR)),
        expires in prop::option::weighted(0.25, prop_oneof![often(), one_of(1..90, HOUR)]),
        topic in any::<bool>(),
    ) -> Request {
        Request { who, category, content, priority, channels, not_before, expires, topic }
    }
}

fn switch() -> impl Strategy<Value = Switch> {
    let channel = || select(CHANNELS.to_vec());
    prop_oneof![
        1 => Just(Switch::All),
        1 => channel().prop_map(Switch::Channel),
        1 => (0_usize..2).prop_map(Switch::Category),
        2 => (0_usize..2, channel()).prop_map(|(category, channel)| Switch::CategoryChannel(category, channel)),
        1 => (0_usize..2).prop_map(Switch::Address),
        2 => Just(Switch::Topic),
    ]
}

fn back() -> impl Strategy<Value = usize> {
    prop_oneof![0_usize..3, 0_usize..60]
}

fn step() -> impl Strategy<Value = Step> {
    let who = || 0_usize..2;
    let time = prop_oneof![1 => one_of(1..120, SECOND), 1 => one_of(1..120, MINUTE), 1 => one_of(1..24, HOUR), 3 => often()];
    prop_oneof![
        2 => (who(), terms()).prop_map(|(category, terms)| Step::Define(category, terms)),
        // Back on as often as off, or soon nobody is told anything.
        3 => (who(), switch(), prop::bool::weighted(0.55)).prop_map(|(who, switch, on)| Step::Turn { who, switch, on }),
        1 => (who(), prop::option::of(hours()), prop::option::weighted(0.3, hours())).prop_map(|(who, quiet, allowed)| Step::Hours { who, quiet, allowed }),
        1 => (who(), prop::option::of(one_of(1..48, HOUR))).prop_map(|(who, lasts)| Step::Silence { who, lasts }),
        1 => (who(), any::<bool>()).prop_map(|(who, seoul)| Step::Move { who, seoul }),
        1 => (who(), prop_oneof![Just(Vec::new()), channels()]).prop_map(|(who, channels)| Step::Prefer { who, channels }),
        12 => prop::collection::vec(request(), 1..4).prop_map(Step::Send),
        5 => back().prop_map(Step::Again),
        1 => back().prop_map(Step::Repeat),
        3 => back().prop_map(Step::Cancel),
        1 => (who(), 0_usize..2, any::<bool>()).prop_map(|(who, address, suppressed)| Step::Address { who, address, suppressed }),
        9 => (time, any::<bool>()).prop_map(|(time, late)| Step::Pass { time, late }),
    ]
}

prop_compose! {
    pub fn case()(
        overall in prop_oneof![1 => Just(Vec::new()), 1 => limits(1..=1)],
        categories in [terms(), terms()],
        steps in prop::collection::vec(step(), 1..50),
    ) -> Case {
        Case { overall, categories, steps }
    }
}
