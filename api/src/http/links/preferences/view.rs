//! The preference page's HTML, from what is so.

use crate::http::links::page::{choice, escape};
use crate::http::links::words::{Language, Words};
use domain::calendar::{TimeZone, WeeklyWindows};
use domain::subscription::{Scope, Subscription};
use domain::values::{Channel, Millis};
use projections::directory::CategoryRow;
use std::fmt::Write as _;

/// A category of the page.
pub(super) struct Listed<'a> {
    pub category: &'a CategoryRow,
    /// By the person's choice, else by the category's default.
    pub on: bool,
}

/// What the page shows.
pub(super) struct View<'a> {
    pub subscription: &'a Subscription,
    pub categories: Vec<Listed<'a>>,
    /// Categories that fit the search as well and have no place.
    pub more: usize,
    pub zone: TimeZone,
    pub now: Millis,
    pub search: &'a str,
    /// After a form: whether it changed anything.
    pub saved: Option<bool>,
}

impl View<'_> {
    /// The page, without its frame.
    pub fn content(&self, language: Language) -> String {
        let words = language.words();
        let mut html = String::new();
        if let Some(changed) = self.saved {
            html.push_str(&format!("<p role=\"status\">{}</p>\n", if changed { words.saved } else { words.nothing_changed }));
        }
        html.push_str(&format!(
            "<form method=\"get\" role=\"search\">\n<label for=\"q\">{}</label>\n<input id=\"q\" name=\"q\" type=\"search\" maxlength=\"100\" value=\"{}\">\n\
             <button class=\"quiet\">{}</button>\n</form>\n<form method=\"post\">\n",
            escape(words.search),
            escape(self.search),
            escape(words.search_button)
        ));
        let off = |scope: &Scope| self.subscription.switches.get(scope) == Some(&false);
        html.push_str("<fieldset>\n");
        switch(&mut html, "nothing", off(&Scope::All), words.nothing, &format!("<small>{}</small>", escape(words.nothing_note)));
        switch(&mut html, "untracked", off(&Scope::Tracking), words.untracked, "");
        html.push_str("</fieldset>\n");
        self.list(&mut html, words);
        group(&mut html, words.channels);
        for channel in Channel::ALL {
            switch(&mut html, &format!("channel:{channel}"), !off(&Scope::Channel(channel)), language.channel(channel), "");
        }
        html.push_str("</fieldset>\n");
        self.quiet_hours(&mut html, words);
        self.pause(&mut html, words);
        group(&mut html, words.preferred);
        html.push_str(&format!("<small>{}</small>\n", escape(words.preferred_note)));
        for channel in Channel::ALL {
            let preferred = self.subscription.preferred_channels.contains(&channel);
            switch(&mut html, &format!("prefer:{channel}"), preferred, language.channel(channel), "");
        }
        html.push_str(&format!("</fieldset>\n<button>{}</button>\n</form>\n", escape(words.save)));
        html
    }

    fn list(&self, html: &mut String, words: &Words) {
        group(html, words.categories);
        for Listed { category, on } in &self.categories {
            let mut note = String::new();
            if !category.description.is_empty() {
                note = format!("<small>{}</small>", escape(&category.description));
            }
            if category.required {
                let _ = writeln!(
                    html,
                    "<label><input type=\"checkbox\" checked disabled> {}{note}<small>{}</small></label>",
                    escape(&category.name),
                    escape(words.always)
                );
                continue;
            }
            switch(html, &format!("category:{}", category.key), *on, &category.name, &note);
        }
        if self.categories.is_empty() {
            html.push_str(&format!("<p>{}</p>\n", escape(words.none_found)));
        } else if self.more > 0 {
            html.push_str(&format!("<p>{}</p>\n", escape(&words.more.replace("{}", &self.more.to_string()))));
        }
        html.push_str("</fieldset>\n");
    }

    fn quiet_hours(&self, html: &mut String, words: &Words) {
        group(html, words.quiet_hours);
        let every_day = self.subscription.quiet_hours.as_ref().map(same_every_day);
        let (from, to) = every_day.clone().flatten().unwrap_or_default();
        for (name, label, time) in [("quiet_from", words.from, &from), ("quiet_to", words.to, &to)] {
            let _ = writeln!(
                html,
                "<input type=\"hidden\" name=\"{name}_was\" value=\"{time}\"><label class=\"beside\">{} <input type=\"time\" name=\"{name}\" value=\"{time}\"></label>",
                escape(label)
            );
        }
        html.push_str(&format!("<small>{}</small>\n", escape(&words.zone.replace("{}", self.zone.name()))));
        if every_day == Some(None) {
            html.push_str(&format!("<p>{}</p>\n", escape(words.by_day)));
            choice(html, "checkbox", "no_quiet_hours", "1", false, words.no_quiet_hours, "");
        }
        html.push_str("</fieldset>\n");
    }

    fn pause(&self, html: &mut String, words: &Words) {
        group(html, words.do_not_disturb);
        if let Some(until) = self.subscription.do_not_disturb_until.filter(|until| *until > self.now) {
            let local = self.zone.local(until).to_string().replace('T', " ");
            html.push_str(&format!("<p>{}</p>\n", escape(&words.until.replace("{}", &format!("{local} ({})", self.zone.name())))));
        }
        html.push_str(&format!("<label>{} <select name=\"pause\">\n", escape(words.do_not_disturb)));
        let offered =
            [("", words.as_it_is), ("off", words.off), ("1h", words.one_hour), ("8h", words.eight_hours), ("1d", words.one_day), ("1w", words.one_week)];
        for (value, label) in offered {
            html.push_str(&format!("<option value=\"{value}\">{}</option>\n", escape(label)));
        }
        html.push_str("</select></label>\n</fieldset>\n");
    }
}

fn group(html: &mut String, legend: &str) {
    html.push_str(&format!("<fieldset>\n<legend>{}</legend>\n", escape(legend)));
}

/// A checkbox, and how it was when the page was made.
fn switch(html: &mut String, name: &str, on: bool, label: &str, note: &str) {
    html.push_str(&format!("<input type=\"hidden\" name=\"shown\" value=\"{}={}\">", escape(name), u8::from(on)));
    choice(html, "checkbox", "on", name, on, label, note);
}

/// Beginning and end of quiet hours that are the same every day.
fn same_every_day(windows: &WeeklyWindows) -> Option<(String, String)> {
    match windows.windows() {
        [window] if window.days.len() == 7 => Some((window.from.to_string(), window.to.to_string())),
        _ => None,
    }
}
