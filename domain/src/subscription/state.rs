//! The subscription's state and its decisions.

use super::commands::{SetSubscription, SubscriptionCommand, SubscriptionRefusal};
use super::events::{DoNotDisturbChanged, Evidence, PreferredChannelsChanged, QuietHoursChanged, Resubscribed, Scope, Source, SubscriptionEvent, Unsubscribed};
use crate::aggregate::Aggregate;
use crate::calendar::{TimeZone, WeeklyWindows};
use crate::event::Personal;
use crate::values::{Channel, DAY_MS, Millis};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Switches that one recipient may have turned.
pub const MAX_SWITCHES: usize = 1_000;

/// What a recipient chose; who chose nothing gets what the categories say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    /// What was chosen, on or off. As a list in JSON, whose keys are strings.
    #[serde(with = "pairs")]
    pub switches: BTreeMap<Scope, bool>,
    /// Not within these.
    pub quiet_hours: Option<WeeklyWindows>,
    /// Only within these.
    pub allowed: Option<WeeklyWindows>,
    /// Not before this moment.
    pub do_not_disturb_until: Option<Millis>,
    /// Over these, where the sender leaves the choice.
    pub preferred_channels: Vec<Channel>,
}

mod pairs {
    use super::{BTreeMap, Scope};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(map: &BTreeMap<Scope, bool>, serializer: S) -> Result<S::Ok, S::Error> {
        map.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Scope, bool>, D::Error> {
        Ok(Vec::<(Scope, bool)>::deserialize(deserializer)?.into_iter().collect())
    }
}

impl Subscription {
    fn set(&self, set: SetSubscription) -> Result<Vec<SubscriptionEvent>, SubscriptionRefusal> {
        let SetSubscription { recipient, scope, subscribed, by, source, evidence, required } = set;
        if required && !subscribed && scope.is_of_category() {
            return Err(SubscriptionRefusal::RequiredCategory);
        }
        let long = |text: &Option<String>, most: usize| text.as_ref().is_some_and(|text| text.chars().count() > most);
        if long(&evidence.text, 4_000) || long(&evidence.ip, 64) || long(&evidence.user_agent, 512) {
            return Err(SubscriptionRefusal::Evidence);
        }
        let along = self.along(&scope, subscribed, source);
        let known = self.switches.get(&scope).copied();
        // On is news only where it may be consent to something that is off by default.
        let news = known != Some(subscribed) && (known.is_some() || !subscribed || scope.is_of_category());
        if news && known.is_none() && self.switches.len() >= MAX_SWITCHES {
            return Err(SubscriptionRefusal::TooManySwitches);
        }
        let (recipient, personal) = (Some(recipient), if evidence == Evidence::default() { Personal::Erased } else { Personal::from(evidence) });
        let turned = |scope| {
            let personal = personal.clone();
            if subscribed {
                SubscriptionEvent::Resubscribed(Resubscribed { recipient, scope, by, source, personal })
            } else {
                SubscriptionEvent::Unsubscribed(Unsubscribed { recipient, scope, by, source, personal })
            }
        };
        Ok(news.then_some(scope).into_iter().chain(along).map(turned).collect())
    }

    /// The switches of single channels that are turned with their category. Whoever leaves a category
    /// leaves it on every channel, also where that channel was asked for before. Whoever comes back by the
    /// link of a mail wants the mails, which may have been switched off with the category; by the page of
    /// their preferences, which shows categories whole, the whole of it.
    fn along(&self, scope: &Scope, subscribed: bool, source: Source) -> Vec<Scope> {
        let Scope::Category(key) = scope else { return Vec::new() };
        let was_off = self.switches.get(scope) == Some(&false);
        let turns = |channel: Channel| match (subscribed, source) {
            (false, _) => true,
            (true, Source::UnsubscribeLink) => channel == Channel::Email,
            (true, Source::PreferencePage) => was_off,
            (true, _) => false,
        };
        let turned = |scope: &Scope, on: bool| match scope {
            Scope::CategoryChannel { category, channel } => category == key && on != subscribed && turns(*channel),
            _ => false,
        };
        self.switches.iter().filter(|(scope, on)| turned(scope, **on)).map(|(scope, _)| scope.clone()).collect()
    }
}

/// Whether any moment of a week lies within the allowed hours and without the quiet ones.
fn leaves_time(quiet: &WeeklyWindows, allowed: &WeeklyWindows) -> bool {
    // The windows begin and end at full minutes, and a moment that is free begins where a quiet
    // window ends or an allowed one starts: those alone need to be looked at. UTC has no gaps.
    let zone = TimeZone::utc();
    let mut at: Millis = 0;
    while at < 8 * DAY_MS {
        if let Some(end) = quiet.end_of(at, zone) {
            at = end;
        } else if let Some(start) = allowed.next_start(at, zone) {
            at = start;
        } else {
            return true;
        }
    }
    false
}

impl Aggregate for Subscription {
    type Command = SubscriptionCommand;
    type Event = SubscriptionEvent;
    type Refusal = SubscriptionRefusal;

    fn decide(&self, command: SubscriptionCommand) -> Result<Vec<SubscriptionEvent>, SubscriptionRefusal> {
        use SubscriptionCommand as C;
        let (unchanged, event) = match command {
            C::Set(set) => return self.set(*set),
            C::SetQuietHours { quiet_hours, allowed, by, source } => {
                if let (Some(quiet), Some(allowed)) = (&quiet_hours, &allowed)
                    && !leaves_time(quiet, allowed)
                {
                    return Err(SubscriptionRefusal::NeverAllowed);
                }
                (
                    self.quiet_hours == quiet_hours && self.allowed == allowed,
                    SubscriptionEvent::QuietHoursChanged(QuietHoursChanged { quiet_hours, allowed, by, source }),
                )
            }
            C::SetDoNotDisturb { until, now, by, source } => {
                if until.is_some_and(|until| until <= now) {
                    return Err(SubscriptionRefusal::PastDoNotDisturb);
                }
                if until.is_some_and(|until| until > now.saturating_add(366 * DAY_MS)) {
                    return Err(SubscriptionRefusal::LongDoNotDisturb);
                }
                (self.do_not_disturb_until == until, SubscriptionEvent::DoNotDisturbChanged(DoNotDisturbChanged { until, by, source }))
            }
            C::SetPreferredChannels { mut channels, by, source } => {
                channels.sort();
                channels.dedup();
                (self.preferred_channels == channels, SubscriptionEvent::PreferredChannelsChanged(PreferredChannelsChanged { channels, by, source }))
            }
        };
        Ok(if unchanged { Vec::new() } else { vec![event] })
    }

    fn evolve(&mut self, event: &SubscriptionEvent) {
        match event {
            SubscriptionEvent::Unsubscribed(e) => {
                self.switches.insert(e.scope.clone(), false);
            }
            SubscriptionEvent::Resubscribed(e) => {
                // Without a say of its own again, where that is the same: switches are bounded.
                if e.scope.is_of_category() {
                    self.switches.insert(e.scope.clone(), true);
                } else {
                    self.switches.remove(&e.scope);
                }
            }
            SubscriptionEvent::QuietHoursChanged(e) => {
                self.quiet_hours.clone_from(&e.quiet_hours);
                self.allowed.clone_from(&e.allowed);
            }
            SubscriptionEvent::DoNotDisturbChanged(e) => self.do_not_disturb_until = e.until,
            SubscriptionEvent::PreferredChannelsChanged(e) => self.preferred_channels.clone_from(&e.channels),
        }
    }
}
