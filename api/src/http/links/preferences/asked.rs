//! What the preference form asks for: what was changed in it, and nothing else.
//!
//! The form says how each switch was when the page was made. A page that lay open for days, while
//! something was switched off elsewhere, so switches nothing back on that was not touched on it.

use crate::http::links::form::Form;
use crate::http::links::problem::Problem;
use domain::calendar::{LocalTime, Weekday, WeeklyWindow, WeeklyWindows};
use domain::subscription::Scope;
use domain::values::{CategoryKey, Channel, Millis};

/// Switches on one page: the channels, the preferred ones, «nothing» and the categories shown.
const MOST: usize = 200;
const HOUR: Millis = 3_600_000;

/// See the module.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Switches with what they are to be.
    pub switches: Vec<(Scope, bool)>,
    /// Quiet hours, or none any more.
    pub quiet_hours: Option<Option<WeeklyWindows>>,
    /// A pause of so many milliseconds from now, or none any more.
    pub do_not_disturb: Option<Option<Millis>>,
    /// The preferred channels.
    pub preferred: Option<Vec<Channel>>,
}

impl Asked {
    /// Reads the form.
    pub fn of(form: &Form) -> Result<Self, Problem> {
        let mut asked = Self { quiet_hours: quiet_hours(form)?, do_not_disturb: pause(form)?, ..Self::default() };
        let (mut preferred, mut preferred_changed) = (Vec::new(), false);
        for (number, shown) in form.all("shown").enumerate() {
            let (switch, was) = shown.rsplit_once('=').filter(|(_, was)| matches!(*was, "0" | "1")).ok_or(Problem::Form)?;
            if number >= MOST {
                return Err(Problem::Form);
            }
            let (was, is) = (was == "1", form.all("on").any(|on| on == switch));
            let changed = was != is;
            let channel = |name| Channel::from_name(name).ok_or(Problem::Form);
            let (scope, on) = match switch.split_once(':').unwrap_or((switch, "")) {
                ("nothing", "") => (Scope::All, !is),
                ("untracked", "") => (Scope::Tracking, !is),
                ("channel", name) => (Scope::Channel(channel(name)?), is),
                ("category", key) => (Scope::Category(CategoryKey::new(key).map_err(|_| Problem::Form)?), is),
                ("prefer", name) => {
                    let channel = channel(name)?;
                    preferred_changed |= changed;
                    preferred.extend(is.then_some(channel));
                    continue;
                }
                _ => return Err(Problem::Form),
            };
            if changed {
                asked.switches.push((scope, on));
            }
        }
        asked.preferred = preferred_changed.then_some(preferred);
        Ok(asked)
    }
}

fn quiet_hours(form: &Form) -> Result<Option<Option<WeeklyWindows>>, Problem> {
    if form.get("no_quiet_hours").is_some() {
        return Ok(Some(None));
    }
    let field = |name| form.get(name).unwrap_or_default();
    let (from, to) = (field("quiet_from"), field("quiet_to"));
    if (from, to) == (field("quiet_from_was"), field("quiet_to_was")) {
        return Ok(None);
    }
    if from.is_empty() && to.is_empty() {
        return Ok(Some(None));
    }
    let time = |text| LocalTime::new(text).map_err(|_| Problem::QuietHours);
    let window = WeeklyWindow { days: Weekday::ALL.into_iter().collect(), from: time(from)?, to: time(to)? };
    WeeklyWindows::new(vec![window]).map(|windows| Some(Some(windows))).map_err(|_| Problem::QuietHours)
}

fn pause(form: &Form) -> Result<Option<Option<Millis>>, Problem> {
    Ok(match form.get("pause").unwrap_or_default() {
        "" => None,
        "off" => Some(None),
        "1h" => Some(Some(HOUR)),
        "8h" => Some(Some(8 * HOUR)),
        "1d" => Some(Some(24 * HOUR)),
        "1w" => Some(Some(7 * 24 * HOUR)),
        _ => return Err(Problem::Form),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::{Asked, HOUR};
    use crate::http::links::form::Form;
    use crate::http::links::problem::Problem;
    use domain::subscription::Scope;
    use domain::values::{CategoryKey, Channel};

    fn asked(fields: &[(&str, &str)]) -> Result<Asked, Problem> {
        Asked::of(&Form::of(fields))
    }

    #[test]
    fn whoever_is_not_to_be_watched_ticks_it() {
        let ticked = asked(&[("shown", "untracked=0"), ("on", "untracked")]).unwrap();
        assert_eq!(ticked.switches, [(Scope::Tracking, false)]);
        let unticked = asked(&[("shown", "untracked=1")]).unwrap();
        assert_eq!(unticked.switches, [(Scope::Tracking, true)]);
        assert_eq!(asked(&[("shown", "untracked:x=0")]), Err(Problem::Form));
    }

    #[test]
    fn only_what_was_changed_on_the_page_is_asked_for() {
        let same = [("shown", "nothing=0"), ("shown", "channel:email=1"), ("on", "channel:email"), ("shown", "category:news=0"), ("shown", "prefer:email=0")];
        assert_eq!(asked(&same), Ok(Asked::default()));
        let changed = [
            ("shown", "nothing=0"),
            ("on", "nothing"),
            ("shown", "channel:email=1"),
            ("shown", "category:news=0"),
            ("on", "category:news"),
            ("shown", "prefer:in_app=1"),
            ("on", "prefer:in_app"),
            ("shown", "prefer:email=0"),
            ("on", "prefer:email"),
            ("on", "category:not-shown"),
        ];
        let asked = asked(&changed).unwrap();
        let news = Scope::Category(CategoryKey::new("news").unwrap());
        assert_eq!(asked.switches, [(Scope::All, false), (Scope::Channel(Channel::Email), false), (news, true)]);
        assert_eq!(asked.preferred, Some(vec![Channel::InApp, Channel::Email]));
    }

    #[test]
    fn quiet_hours_are_set_kept_and_removed() {
        let quiet = |from, to, was: (&str, &str)| {
            asked(&[("quiet_from", from), ("quiet_to", to), ("quiet_from_was", was.0), ("quiet_to_was", was.1)]).map(|asked| asked.quiet_hours)
        };
        assert_eq!(quiet("22:00", "07:00", ("22:00", "07:00")), Ok(None));
        assert_eq!(quiet("", "", ("22:00", "07:00")), Ok(Some(None)));
        let windows = quiet("22:00", "07:00", ("", "")).unwrap().unwrap().unwrap();
        assert_eq!(windows.windows()[0].days.len(), 7);
        for (from, to) in [("22:00", ""), ("", "07:00"), ("22:00", "22:00"), ("25:00", "07:00"), ("x", "y")] {
            assert_eq!(quiet(from, to, ("", "")), Err(Problem::QuietHours), "{from} {to}");
        }
        assert_eq!(asked(&[("no_quiet_hours", "1")]).unwrap().quiet_hours, Some(None));
    }

    #[test]
    fn a_pause_is_one_of_those_offered() {
        assert_eq!(asked(&[("pause", "8h")]).unwrap().do_not_disturb, Some(Some(8 * HOUR)));
        assert_eq!(asked(&[("pause", "off")]).unwrap().do_not_disturb, Some(None));
        assert_eq!(asked(&[("pause", "")]).unwrap().do_not_disturb, None);
        assert_eq!(asked(&[("pause", "9999d")]), Err(Problem::Form));
    }

    #[test]
    fn what_no_page_of_ours_says_is_refused() {
        for shown in ["channel:pigeon=1", "category:=1", "category:news=2", "category:news", "device:x=1", "prefer:x=0"] {
            assert_eq!(asked(&[("shown", shown), ("on", "category:")]), Err(Problem::Form), "{shown}");
        }
        let many: Vec<_> = std::iter::repeat_n(("shown", "category:news=0"), 201).collect();
        assert_eq!(asked(&many), Err(Problem::Form));
    }
}
