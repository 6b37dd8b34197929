//! The category's state and its decisions.

use super::events::{CategoryDefined, CategoryEvent, OverLimit, QuietHoursBehaviour, Tracking};
use super::refusal::CategoryRefusal;
use crate::aggregate::Aggregate;
use crate::values::{CategoryKey, Channel, ChannelPlan, DAY_MS, DigestSettings, Limit, Millis, Priority, SentFrom, check_limits};
use serde::{Deserialize, Serialize};

/// What is said of a category, the same in the command, the event and the state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Category {
    /// Whether it was defined.
    pub exists: bool,
    /// How many times it was defined; 1 is the first.
    pub version: u32,
    /// Its key.
    pub key: CategoryKey,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Whether it can be switched off.
    pub required: bool,
    /// The channels of a request that names none.
    pub default_channels: Vec<Channel>,
    /// The priority of a request that names none.
    pub priority: Priority,
    /// Whether it reaches who has said nothing about it.
    pub subscribed_by_default: bool,
    /// The plan of a request that names neither plan nor channels.
    pub plan: Option<ChannelPlan>,
    /// For so long (ms), the same content is not told twice.
    pub dedup_window: Option<Millis>,
    /// How many a recipient may get.
    pub limits: Vec<Limit>,
    /// What becomes of those over a limit.
    pub over_limit: OverLimit,
    /// What becomes of those in quiet hours.
    pub quiet_hours: QuietHoursBehaviour,
    /// How digests are made.
    pub digest: Option<DigestSettings>,
    /// For so long (ms) it is worth sending, where a request does not say.
    pub time_to_live: Option<Millis>,
    /// Whether what becomes of its e-mails is watched.
    #[serde(default)]
    pub tracking: Tracking,
    /// Whom its messages come from, where that is not as configured for the provider.
    #[serde(default)]
    pub from: SentFrom,
}

impl Default for Category {
    fn default() -> Self {
        Self {
            exists: false,
            version: 0,
            key: CategoryKey::default(),
            name: String::new(),
            description: String::new(),
            required: false,
            default_channels: Channel::UNNAMED.to_vec(),
            priority: Priority::Normal,
            subscribed_by_default: true,
            plan: None,
            dedup_window: None,
            limits: Vec::new(),
            over_limit: OverLimit::default(),
            quiet_hours: QuietHoursBehaviour::default(),
            digest: None,
            time_to_live: None,
            tracking: Tracking::default(),
            from: SentFrom::default(),
        }
    }
}

impl Category {
    /// When a notification of it expires: as asked, else after the category's time to live from
    /// the moment from which it may go out.
    pub fn expiry(&self, asked: Option<Millis>, from: Millis) -> Option<Millis> {
        asked.or_else(|| self.time_to_live.map(|life| from.saturating_add(life)))
    }

    /// Whether everything of it is collected, not only what is over a limit.
    pub fn collects_all(&self) -> bool {
        self.digest.is_some() && self.over_limit != OverLimit::Digest
    }
}

/// Define it, or define it anew. See [`CategoryDefined`] for the meaning of the fields.
#[derive(Debug, Clone)]
pub struct DefineCategory {
    /// Its key.
    pub key: CategoryKey,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// Whether it can be switched off.
    pub required: bool,
    /// The channels of a request that names none.
    pub default_channels: Vec<Channel>,
    /// The priority of a request that names none.
    pub priority: Priority,
    /// Opt-out (true) or opt-in.
    pub subscribed_by_default: bool,
    /// The plan of a request that names neither plan nor channels.
    pub plan: Option<ChannelPlan>,
    /// In milliseconds.
    pub dedup_window: Option<Millis>,
    /// How many a recipient may get.
    pub limits: Vec<Limit>,
    /// What becomes of those over a limit.
    pub over_limit: OverLimit,
    /// What becomes of those in quiet hours.
    pub quiet_hours: QuietHoursBehaviour,
    /// How digests are made.
    pub digest: Option<DigestSettings>,
    /// In milliseconds.
    pub time_to_live: Option<Millis>,
    /// Whether what becomes of its e-mails is watched.
    pub tracking: Tracking,
    /// Whom its messages come from, where that is not as configured for the provider.
    pub from: SentFrom,
}

impl DefineCategory {
    /// A category without any rules of its own: everything goes out at once.
    pub fn plain(key: CategoryKey, name: String, description: String, required: bool, default_channels: Vec<Channel>, priority: Priority) -> Self {
        Self {
            key,
            name,
            description,
            required,
            default_channels,
            priority,
            subscribed_by_default: true,
            plan: None,
            dedup_window: None,
            limits: Vec::new(),
            over_limit: OverLimit::default(),
            quiet_hours: QuietHoursBehaviour::default(),
            digest: None,
            time_to_live: None,
            tracking: Tracking::default(),
            from: SentFrom::default(),
        }
    }

    fn check(&self) -> Result<(), CategoryRefusal> {
        let plain = |text: &str, most: usize| text.chars().count() <= most && !text.chars().any(char::is_control);
        if self.name.trim().is_empty() || !plain(&self.name, 100) || !plain(&self.description, 1_000) {
            return Err(CategoryRefusal::Text);
        }
        if self.default_channels.is_empty() {
            return Err(CategoryRefusal::NoChannels);
        }
        if self.required && !self.subscribed_by_default {
            return Err(CategoryRefusal::RequiredOptIn);
        }
        if let Some(plan) = &self.plan {
            plan.check()?;
        }
        check_limits(&self.limits)?;
        if let Some(digest) = &self.digest {
            digest.check()?;
        }
        if self.over_limit == OverLimit::Digest && self.digest.is_none() {
            return Err(CategoryRefusal::NoDigest);
        }
        if self.dedup_window.is_some_and(|window| !(1_000..=7 * DAY_MS).contains(&window)) {
            return Err(CategoryRefusal::DedupWindow);
        }
        if self.time_to_live.is_some_and(|life| !(1_000..=366 * DAY_MS).contains(&life)) {
            return Err(CategoryRefusal::TimeToLive);
        }
        self.from.check()?;
        Ok(())
    }
}

impl Aggregate for Category {
    type Command = DefineCategory;
    type Event = CategoryEvent;
    type Refusal = CategoryRefusal;

    fn decide(&self, mut command: DefineCategory) -> Result<Vec<CategoryEvent>, CategoryRefusal> {
        command.check()?;
        command.default_channels.sort();
        command.default_channels.dedup();
        let defined = CategoryEvent::CategoryDefined(CategoryDefined {
            key: command.key,
            name: command.name,
            description: command.description,
            required: command.required,
            default_channels: command.default_channels,
            priority: command.priority,
            subscribed_by_default: command.subscribed_by_default,
            plan: command.plan,
            dedup_window: command.dedup_window,
            limits: command.limits,
            over_limit: command.over_limit,
            quiet_hours: command.quiet_hours,
            digest: command.digest,
            time_to_live: command.time_to_live,
            tracking: command.tracking,
            from: command.from,
        });
        let mut after = self.clone();
        after.evolve(&defined);
        after.version = self.version;
        Ok(if *self == after { Vec::new() } else { vec![defined] })
    }

    fn evolve(&mut self, event: &CategoryEvent) {
        let CategoryEvent::CategoryDefined(e) = event;
        *self = Self {
            exists: true,
            version: self.version.saturating_add(1),
            key: e.key.clone(),
            name: e.name.clone(),
            description: e.description.clone(),
            required: e.required,
            default_channels: e.default_channels.clone(),
            priority: e.priority,
            subscribed_by_default: e.subscribed_by_default,
            plan: e.plan.clone(),
            dedup_window: e.dedup_window,
            limits: e.limits.clone(),
            over_limit: e.over_limit,
            quiet_hours: e.quiet_hours,
            digest: e.digest.clone(),
            time_to_live: e.time_to_live,
            tracking: e.tracking,
            from: e.from.clone(),
        };
    }
}
