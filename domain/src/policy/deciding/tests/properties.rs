//! What holds whatever the facts: opt-outs, expiry, and that nothing waits for ever.

use super::*;
use crate::category::{OverLimit, QuietHoursBehaviour};
use crate::policy::deciding::explain;
use crate::values::{ChannelPlan, DAY_MS, DigestSettings, DigestWindow, NextStep, NextWhen, PlanStep, TopicKey};
use proptest::prelude::*;

fn topic() -> TopicKey {
    TopicKey::new("seoul").unwrap()
}

fn channel() -> impl Strategy<Value = Channel> {
    prop::sample::select(Channel::ALL.to_vec())
}

fn scopes() -> impl Strategy<Value = Vec<(Scope, bool)>> {
    let scope = prop_oneof![
        Just(Scope::All),
        channel().prop_map(Scope::Channel),
        Just(Scope::Category(key())),
        channel().prop_map(|channel| Scope::CategoryChannel { category: key(), channel }),
        Just(Scope::Device(PHONE)),
        Just(Scope::Topic(topic())),
    ];
    prop::collection::vec((scope, any::<bool>()), 0..4)
}

fn windows() -> impl Strategy<Value = Option<WeeklyWindows>> {
    prop::option::of((0_u16..24, 1_u16..24).prop_map(|(from, hours)| daily(&format!("{from:02}:00"), &format!("{:02}:30", (from + hours) % 24))))
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let window = prop_oneof![(1_i64..50).prop_map(|hours| LimitWindow::Sliding(hours * HOUR)), Just(LimitWindow::Calendar(crate::calendar::Period::Day))];
    prop::collection::vec((1_u32..3, window).prop_map(|(most, per)| Limit { most, per }), 0..3)
}

prop_compose! {
    fn worlds()(
        scopes in scopes(), quiet in windows(), allowed in windows(), dnd in prop::option::of(-5_i64..50), required in any::<bool>(),
        by_default in any::<bool>(), limits in limits(), overall in limits(), places in prop::collection::vec(-40_i64..40, 0..6),
        over in prop::sample::select(vec![OverLimit::Hold, OverLimit::Digest, OverLimit::Suppress]),
        behaviour in prop::sample::select(vec![QuietHoursBehaviour::Defer, QuietHoursBehaviour::Suppress, QuietHoursBehaviour::Ignore]),
        digest in any::<bool>(), suppressed in any::<bool>(), dedup in any::<bool>(),
        zone in prop::sample::select(vec!["Asia/Seoul", "America/New_York", "Europe/Berlin", "Pacific/Apia", "UTC"]),
    ) -> World {
        let mut world = World::new();
        world.recipient.time_zone = Some(zone.to_owned());
        world.subscription.switches = scopes.into_iter().collect();
        world.subscription.quiet_hours = quiet;
        // Both together may leave no time at all, which setting them refuses.
        world.subscription.allowed = allowed.filter(|_| world.subscription.quiet_hours.is_none());
        world.subscription.do_not_disturb_until = dnd.map(|hours| START + hours * HOUR);
        world.category.required = required;
        world.category.subscribed_by_default = by_default || required;
        world.category.default_channels = Channel::ALL.to_vec();
        world.category.limits = limits;
        world.category.over_limit = over;
        world.category.quiet_hours = behaviour;
        world.category.dedup_window = dedup.then_some(DAY_MS);
        if digest || over == OverLimit::Digest {
            world.category.digest = Some(DigestSettings { window: DigestWindow::Fixed { millis: HOUR }, max_items: 5, template: None });
        }
        world.overall = overall;
        for at in places {
            world.place(Some(START + at * HOUR), None, false);
        }
        if suppressed {
            world.suppressed.push(MAIL);
        }
        world
    }
}

/// 1 November 2026, 04:00 UTC, about when New York's clocks go back.
const START: Millis = 1_793_505_600_000;

/// What the asks of a test are made of.
#[derive(Debug, Clone)]
struct Asked {
    priority: Priority,
    not_before: Option<Millis>,
    expires_at: Option<Millis>,
    channels: Option<Vec<Channel>>,
    plan: Option<ChannelPlan>,
    topic: Option<TopicKey>,
    digest: bool,
    content: bool,
}

prop_compose! {
    fn asks()(
        priority in prop::sample::select(Priority::DESCENDING.to_vec()), not_before in prop::option::of(-9_i64..99), expires in prop::option::of(-9_i64..99),
        channels in prop::option::of(prop::collection::vec(channel(), 1..3)), planned in any::<bool>(), topic in prop::option::of(Just(topic())),
        digest in any::<bool>(), content in any::<bool>(),
    ) -> Asked {
        let next = Some(NextStep { after: HOUR, when: NextWhen::NotSeen });
        let step = |channel, next| PlanStep { channels: vec![channel], next };
        let plan = planned.then(|| ChannelPlan { steps: vec![step(Channel::InApp, next), step(Channel::AndroidPush, next), step(Channel::Email, None)] });
        let at = |hours: i64| START + hours * HOUR;
        Asked { priority, not_before: not_before.map(at), expires_at: expires.map(at), channels, plan, topic, digest, content }
    }
}

impl Asked {
    fn ask<'a>(&'a self, key: &'a CategoryKey) -> Ask<'a> {
        Ask {
            channels: self.channels.as_deref(),
            topic: self.topic.as_ref(),
            not_before: self.not_before,
            expires_at: self.expires_at,
            digest: self.digest.then_some(DIGEST),
            plan: self.plan.as_ref(),
            content: self.content.then_some(Uuid::from_u128(5)),
            ..Ask::plain(key, self.priority)
        }
    }
}

fn delivered(decision: &Decision) -> Vec<(Channel, Option<AddressId>)> {
    match &decision.outcome {
        Decided::Deliver { steps, .. } => steps
            .iter()
            .filter_map(|step| match step {
                Step::Deliver { channel, address, .. } => Some((*channel, *address)),
                Step::Skip { .. } => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn what_was_switched_off_is_never_delivered(world in worlds(), asked in asks(), step in prop::option::of(0_u8..3)) {
        let key = key();
        let decision = world.decide(&Ask { step: step.filter(|_| asked.plan.is_some()), ..asked.ask(&key) }, START);
        let off = |scope: &Scope| world.subscription.switches.get(scope) == Some(&false);
        let free = !world.category.required;
        for (channel, address) in delivered(&decision) {
            let narrow = Scope::CategoryChannel { category: key.clone(), channel };
            let own = world.subscription.switches.get(&narrow) == Some(&true);
            prop_assert!(!off(&Scope::Channel(channel)));
            prop_assert!(!(free && (off(&Scope::All) || off(&narrow) || (off(&Scope::Category(key.clone())) && !own))));
            prop_assert!(!(free && asked.topic.is_some() && off(&Scope::Topic(topic()))));
            prop_assert!(address.is_none_or(|id| !off(&Scope::Device(id)) && !world.suppressed.contains(&id)));
        }
    }

    #[test]
    fn a_required_category_is_not_stopped_by_its_switches(world in worlds(), asked in asks()) {
        let key = key();
        let world = World { category: Category { required: true, subscribed_by_default: true, ..world.category.clone() }, ..world };
        let rule = world.decide(&asked.ask(&key), START).rule();
        let of_switches = [Rule::OptedOutOfAll, Rule::OptedOutOfCategory, Rule::OptedOutOfCategoryChannel, Rule::OptedOutOfTopic, Rule::NotOptedIn];
        prop_assert!(!of_switches.contains(&rule));
    }

    #[test]
    fn expiry_beats_all(world in worlds(), asked in asks()) {
        let key = key();
        let ask = Ask { expires_at: Some(START), ..asked.ask(&key) };
        prop_assert_eq!(world.decide(&ask, START).outcome, Decided::Expire);
    }

    #[test]
    fn what_waits_comes_to_an_end(mut world in worlds(), asked in asks()) {
        let key = key();
        let mut ask = asked.ask(&key);
        let mut now = START;
        let mut waited: Vec<Rule> = Vec::new();
        while let decision = world.decide(&ask, now)
            && let Decided::Defer { until, rule, limit } = decision.outcome
        {
            prop_assert!(until > now);
            prop_assert!(ask.expires_at.is_none_or(|at| until <= at));
            prop_assert!(waited.last() != Some(&rule), "put off again by {rule:?}");
            waited.push(rule);
            prop_assert!(waited.len() < 5, "{waited:?}");
            if let Some(count) = decision.count {
                world.place(count.at, count.content, count.alone);
            }
            // As the notification's state keeps them.
            ask.content = None;
            ask.place = limit.map(|_| until).or(ask.place);
            now = until;
        }
    }

    #[test]
    fn an_explanation_agrees_and_a_place_is_taken_with_a_limit_only(world in worlds(), asked in asks()) {
        let key = key();
        let ask = asked.ask(&key);
        let (decision, considered) = world.with(|facts| explain(&ask, facts, START));
        prop_assert_eq!(&decision, &world.decide(&ask, START));
        prop_assert!(!considered.is_empty());
        if let Some(at) = decision.count.and_then(|count| count.at) {
            prop_assert!(at >= START);
            prop_assert!(!world.category.limits.is_empty() || !world.overall.is_empty());
            let takes = matches!(decision.outcome, Decided::Deliver { .. } | Decided::Defer { .. });
            prop_assert!(takes);
        }
    }
}
