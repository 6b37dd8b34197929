//! `[policy]`: what holds for all categories together.

use super::section::{Reader, section};
use super::value::{Form, Value, duration_millis};
use domain::calendar::Period;
use domain::values::{Limit, LimitWindow, check_limits};
use std::path::Path;

section! {
    /// What holds for all categories together, for whoever sends.
    Policy at "policy" {
        /// How many notifications one recipient may get over all categories together; what is over waits,
        /// or what its category says. Required categories and critical notifications are not counted.
        /// Calendar periods are of the recipient's time zone.
        limits: Vec<PolicyLimit> = "",
    }
}

/// A limit as it is written: `20 per day`, or `3 per 90m` for any stretch of that length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyLimit(pub Limit);

impl Value for PolicyLimit {
    const KIND: &'static str = "limits: a number, `per`, and `hour`, `day`, `week`, `month` or a length of time, such as `20 per day` or `3 per 90m`";
    const FORM: Form = Form::Text;

    fn parse(text: &str, _: &Path) -> Result<Self, String> {
        let wrong = || format!("expected {}", Self::KIND);
        let (most, window) = text.split_once(" per ").ok_or_else(wrong)?;
        let most = most.trim().parse().map_err(|_| wrong())?;
        let per = match window.trim() {
            "hour" => LimitWindow::Calendar(Period::Hour),
            "day" => LimitWindow::Calendar(Period::Day),
            "week" => LimitWindow::Calendar(Period::Week),
            "month" => LimitWindow::Calendar(Period::Month),
            length => LimitWindow::Sliding(duration_millis(length).ok_or_else(wrong)?),
        };
        let limit = Limit { most, per };
        check_limits(&[limit]).map_err(|error| error.to_string())?;
        Ok(Self(limit))
    }
}

impl Policy {
    fn check(&self, reader: &mut Reader<'_>) {
        if let Err(error) = check_limits(&self.limits()) {
            reader.problem("policy.limits", error);
        }
    }

    /// As the acceptor wants them.
    pub fn limits(&self) -> Vec<Limit> {
        self.limits.iter().map(|limit| limit.0).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::PolicyLimit;
    use crate::config::value::Value as _;
    use domain::calendar::Period;
    use domain::values::{Limit, LimitWindow};
    use std::path::Path;

    fn parse(text: &str) -> Result<Limit, String> {
        PolicyLimit::parse(text, Path::new("")).map(|limit| limit.0)
    }

    #[test]
    fn limits_are_read_as_people_write_them() {
        assert_eq!(parse("20 per day"), Ok(Limit { most: 20, per: LimitWindow::Calendar(Period::Day) }));
        assert_eq!(parse(" 3 per  90m "), Ok(Limit { most: 3, per: LimitWindow::Sliding(5_400_000) }));
        for (text, told) in [
            ("0 per day", "a limit of 0"),
            ("101 per day", "at most 100"),
            ("3 per 40d", "31 days"),
            ("3 a day", "`20 per day`"),
            ("x per day", "such as"),
            ("3 per moon", "such as"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
