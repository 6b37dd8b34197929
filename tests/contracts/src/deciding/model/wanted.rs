//! Over which channels and to which addresses: the switches, as the documentation of `subscription::verdict`
//! and of the channels says.

use super::{Line, Model, Note};
use crate::deciding::steps::{ADDRESSES, CHANNELS, Switch, Terms};
use domain::values::{Channel, Rule};

impl Model {
    /// One decision a channel or address, in the order of the channels; in error, why it can go nowhere.
    pub(super) fn reach(&self, note: &Note) -> (Vec<Line>, Option<Rule>) {
        let person = &self.people[note.who];
        let asked = note.channels.as_ref();
        // Preferences narrow down what the sender leaves open, as long as something is left.
        let preferred = |channel: &Channel| person.preferred.contains(channel);
        let narrow = asked.is_none() && note.terms.channels.iter().any(preferred);
        let wanted = asked.unwrap_or(&note.terms.channels);
        let mut lines = Vec::new();
        for channel in CHANNELS.into_iter().filter(|channel| wanted.contains(channel) && (!narrow || preferred(channel))) {
            let rule = match self.wants(note, channel) {
                Ok(rule) => rule,
                Err(rule) => {
                    lines.push(Line { channel, address: None, verdict: Err(rule) });
                    continue;
                }
            };
            if channel == Channel::InApp {
                lines.push(Line { channel, address: None, verdict: Ok(rule) });
                continue;
            }
            let addresses: Vec<usize> = ADDRESSES[note.who].iter().enumerate().filter(|(_, of)| **of == channel).map(|(address, _)| address).collect();
            // That one of the category's channels has no address is no news; that one asked for has none, is.
            if addresses.is_empty() && asked.is_some() {
                lines.push(Line { channel, address: None, verdict: Err(Rule::NoAddress) });
            }
            for address in addresses {
                let verdict = if person.switches.get(&Switch::Address(address)) == Some(&false) {
                    Err(Rule::OptedOutOfDevice)
                } else if person.suppressed.contains(&address) {
                    Err(Rule::AddressSuppressed)
                } else {
                    Ok(rule)
                };
                lines.push(Line { channel, address: Some(address), verdict });
            }
        }
        if lines.iter().any(|line| line.verdict.is_ok()) {
            return (lines, None);
        }
        let mut rules: Vec<Rule> = lines.iter().filter_map(|line| line.verdict.err()).collect();
        rules.dedup();
        let why = match rules[..] {
            [] => Rule::NoAddress,
            [one] => one,
            _ => Rule::NoChannel,
        };
        (lines, Some(why))
    }

    fn wants(&self, note: &Note, channel: Channel) -> Result<Rule, Rule> {
        let (category, Terms { required, by_default, .. }) = (note.category, &note.terms);
        let said = |switch| self.people[note.who].switches.get(&switch).copied();
        if said(Switch::Channel(channel)) == Some(false) {
            return Err(Rule::OptedOutOfChannel);
        }
        if *required {
            return Ok(Rule::RequiredCategory);
        }
        if said(Switch::All) == Some(false) {
            return Err(Rule::OptedOutOfAll);
        }
        match (said(Switch::CategoryChannel(category, channel)), said(Switch::Category(category))) {
            (Some(false), _) => return Err(Rule::OptedOutOfCategoryChannel),
            (None, Some(false)) => return Err(Rule::OptedOutOfCategory),
            _ => {}
        }
        if note.topic && said(Switch::Topic) == Some(false) {
            return Err(Rule::OptedOutOfTopic);
        }
        let chosen = said(Switch::CategoryChannel(category, channel)).or(said(Switch::Category(category)));
        match (chosen, by_default) {
            (Some(true), _) => Ok(Rule::OptedIn),
            (_, true) => Ok(Rule::DefaultOptIn),
            (_, false) => Err(Rule::NotOptedIn),
        }
    }

    /// Turns a switch; false where that is refused.
    pub(super) fn turn(&mut self, who: usize, switch: Switch, on: bool) -> bool {
        let of_category = match switch {
            Switch::Category(category) | Switch::CategoryChannel(category, _) => Some(category),
            _ => None,
        };
        if !on && of_category.is_some_and(|category| self.categories[category].required) {
            return false;
        }
        let switches = &mut self.people[who].switches;
        if let (Switch::Category(category), false) = (switch, on) {
            // Leaving a category turns its channels off with it.
            for (other, state) in switches.iter_mut() {
                *state = *state && !matches!(other, Switch::CategoryChannel(of, _) if *of == category);
            }
        }
        if on && of_category.is_none() {
            // «Everything» switched on is no consent: it lifts its own opt-out.
            switches.remove(&switch);
        } else {
            switches.insert(switch, on);
        }
        true
    }
}
