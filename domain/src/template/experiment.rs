//! Experiments: who gets which variant of a template, and what came of it. Pure.
//!
//! Assigning is sticky: a person gets the same variant of the same experiment every time, on every replica, whatever
//! else they are in, because it is a hash of both. The figures are of those that were assigned, whether it
//! reached them or not, so that a variant that is delivered worse does not look better by it.

use super::source::{Localized, Source};
use crate::values::{RecipientId, TemplateKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name of what the template says without a variant.
pub const CONTROL: &str = "control";
/// The most variants besides it.
pub const MAX_VARIANTS: usize = 10;
/// The largest weight.
pub const MAX_WEIGHT: u32 = 10_000;

/// Other words that are tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// How many get it, in proportion to the other weights.
    pub weight: u32,
    /// What it says otherwise: bodies in place of those of the same language and channel.
    pub locales: Vec<Localized>,
}

/// What is tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Experiment {
    /// Its name. Another name is another experiment: everybody is assigned anew.
    pub name: String,
    /// How many get the template as it is.
    pub control_weight: u32,
    /// The others.
    pub variants: Vec<Variant>,
}

/// What somebody was assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Assigned {
    /// The experiment.
    pub experiment: String,
    /// The variant, or [`CONTROL`].
    pub variant: String,
}

/// Namespace of the hashes that assign.
const ASSIGNING: Uuid = Uuid::from_u128(0x626f_6e67_7375_5f65_7870_6572_696d_656e);

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
}

impl Experiment {
    /// Whether it can be carried out.
    pub fn is_sound(&self) -> bool {
        let named = |(index, variant): (usize, &Variant)| {
            is_name(&variant.name)
                && variant.name != CONTROL
                && !variant.locales.is_empty()
                && variant.weight <= MAX_WEIGHT
                && !self.variants.iter().take(index).any(|other| other.name == variant.name)
        };
        let weights = self.variants.iter().map(|variant| u64::from(variant.weight)).sum::<u64>();
        is_name(&self.name)
            && (1..=MAX_VARIANTS).contains(&self.variants.len())
            && self.control_weight <= MAX_WEIGHT
            && weights > 0
            && self.variants.iter().enumerate().all(named)
    }

    /// What a person gets.
    pub fn assign(&self, template: &TemplateKey, recipient: RecipientId) -> Assigned {
        let of = Uuid::new_v5(&ASSIGNING, format!("{template}/{}/{}", self.name, recipient.0).as_bytes());
        let (high, _) = of.as_u64_pair();
        let total = u64::from(self.control_weight) + self.variants.iter().map(|variant| u64::from(variant.weight)).sum::<u64>();
        // Of 48 bits: the version's bits of the UUID come after them. The bias is below one in a billion.
        let mut place = (high >> 16) % total.max(1);
        let mut variant = CONTROL;
        if place >= u64::from(self.control_weight) {
            place -= u64::from(self.control_weight);
            for candidate in &self.variants {
                if place < u64::from(candidate.weight) {
                    variant = &candidate.name;
                    break;
                }
                place -= u64::from(candidate.weight);
            }
        }
        Assigned { experiment: self.name.clone(), variant: variant.to_owned() }
    }
}

impl Source {
    /// What a variant says in all: its bodies in place of the template's own, and no experiment. None where there is
    /// no such variant.
    pub fn as_variant(&self, name: &str) -> Option<Self> {
        let mut whole = Self { experiment: None, ..self.clone() };
        if name == CONTROL {
            return Some(whole);
        }
        let variant = self.experiment.as_ref()?.variants.iter().find(|variant| variant.name == name)?;
        for localized in &variant.locales {
            match whole.locales.iter_mut().find(|own| own.locale == localized.locale) {
                None => whole.locales.push(localized.clone()),
                Some(own) => {
                    own.bodies.retain(|body| !localized.bodies.iter().any(|other| other.channel == body.channel));
                    own.bodies.extend(localized.bodies.iter().cloned());
                }
            }
        }
        Some(whole)
    }

    /// It, and what each of its variants says in all: everything that may be sent.
    pub fn all_variants(&self) -> impl Iterator<Item = (&str, Self)> {
        let variants = self.experiment.iter().flat_map(|experiment| &experiment.variants).map(|variant| variant.name.as_str());
        std::iter::once(CONTROL).chain(variants).filter_map(|name| Some((name, self.as_variant(name)?)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::template::Body;
    use crate::values::{Channel, Locale};
    use std::collections::BTreeMap;

    fn body(channel: Option<Channel>, text: &str) -> Body {
        Body { channel, text: Some(text.to_owned()), ..Body::default() }
    }

    fn english(bodies: Vec<Body>) -> Localized {
        Localized { locale: Locale::english(), bodies }
    }

    fn experiment() -> Experiment {
        let variant = |name: &str, weight| Variant { name: name.to_owned(), weight, locales: vec![english(vec![body(None, name)])] };
        Experiment { name: "subject".to_owned(), control_weight: 50, variants: vec![variant("warm", 30), variant("short", 20)] }
    }

    fn key() -> TemplateKey {
        TemplateKey::new("welcome").unwrap()
    }

    #[test]
    fn everybody_keeps_what_they_got_and_weights_are_kept() {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for number in 0..20_000_u128 {
            let recipient = RecipientId(Uuid::from_u128(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
            let assigned = experiment().assign(&key(), recipient);
            assert_eq!(assigned, experiment().assign(&key(), recipient));
            *counts.entry(assigned.variant).or_default() += 1;
        }
        // Four standard deviations of a binomial of 20,000.
        for (name, expected) in [("control", 10_000_f64), ("warm", 6_000.0), ("short", 4_000.0)] {
            let deviation = (expected * (1.0 - expected / 20_000.0)).sqrt();
            assert!((f64::from(counts[name]) - expected).abs() < 4.0 * deviation, "{counts:?}");
        }
    }

    #[test]
    fn another_experiment_mixes_people_anew() {
        let other = Experiment { name: "colour".to_owned(), ..experiment() };
        let moved = (0..1_000_u128).map(|number| RecipientId(Uuid::from_u128(number))).filter(|id| {
            experiment().assign(&key(), *id).variant != other.assign(&key(), *id).variant
        });
        assert!((500..750).contains(&moved.count()), "about 62 in 100 of independent draws differ");
    }

    #[test]
    fn a_variant_takes_the_place_of_what_it_names_and_of_nothing_else() {
        let source = Source {
            locales: vec![english(vec![body(None, "all"), body(Some(Channel::Email), "mail")])],
            experiment: Some(experiment()),
            ..crate::template::tests::source("")
        };
        let warm = source.as_variant("warm").unwrap();
        assert_eq!(warm.locales, vec![english(vec![body(Some(Channel::Email), "mail"), body(None, "warm")])]);
        assert_eq!((warm.experiment, source.as_variant("cold")), (None, None));
        assert_eq!(source.as_variant(CONTROL).unwrap().locales, source.locales);
        assert_eq!(source.all_variants().map(|(name, _)| name).collect::<Vec<_>>(), ["control", "warm", "short"]);
    }

    #[test]
    fn what_cannot_be_carried_out_is_not_sound() {
        assert!(experiment().is_sound());
        let with = |change: fn(&mut Experiment)| {
            let mut changed = experiment();
            change(&mut changed);
            changed.is_sound()
        };
        assert!(!with(|experiment| experiment.name = "Sub ject".to_owned()));
        assert!(!with(|experiment| experiment.variants.clear()));
        assert!(!with(|experiment| experiment.variants[1].name = "warm".to_owned()));
        assert!(!with(|experiment| experiment.variants[1].name = "control".to_owned()));
        assert!(!with(|experiment| experiment.variants.iter_mut().for_each(|variant| variant.weight = 0)));
        assert!(with(|experiment| experiment.control_weight = 0), "all may get something new");
    }
}
