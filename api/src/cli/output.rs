//! What commands print: data to stdout, everything else to stderr.
//!
//! Tables for people, one JSON value for programs, NDJSON for streams. A reader that goes away
//! (`| head`) ends the command quietly.

use super::exit::CliError;
use serde::Serialize;
use std::io::{ErrorKind, IsTerminal, Write};

/// How this run prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// JSON in place of tables and sentences.
    pub json: bool,
}

impl Output {
    /// A line of data.
    pub fn line(self, text: impl std::fmt::Display) -> Result<(), CliError> {
        let mut stdout = std::io::stdout().lock();
        match writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            Ok(()) => Ok(()),
            // Whoever read has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
            Err(error) => Err(CliError::failure(format!("stdout cannot be written: {error}"))),
        }
    }

    /// One JSON value, over several lines for people who look.
    pub fn json_value(self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value).map_err(CliError::failure)?;
        self.line(text)
    }

    /// One JSON value on one line.
    pub fn json_line(self, value: &impl Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string(value).map_err(CliError::failure)?;
        self.line(text)
    }

    /// A table.
    pub fn table(self, head: &[&str], rows: &[Vec<String>]) -> Result<(), CliError> {
        self.line(table(head, rows))
    }

    /// Something for people that is not data.
    pub fn note(self, text: impl std::fmt::Display) {
        let mut stderr = std::io::stderr().lock();
        // Nobody is left to be told when stderr is gone.
        let _ = writeln!(stderr, "{text}");
    }

    /// Asks before something that cannot be undone: on a terminal a question, otherwise `--yes`. `look` is what shows it
    /// first.
    pub fn confirm(self, question: &str, yes: bool, look: &str) -> Result<(), CliError> {
        if yes {
            return Ok(());
        }
        if !std::io::stdin().is_terminal() {
            return Err(CliError::usage(format!("{question} Nobody can be asked here; say --yes to do it, {look} to look first")));
        }
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "{question} Type yes to go on: ");
        let _ = stderr.flush();
        drop(stderr);
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map_err(CliError::failure)?;
        if answer.trim().eq_ignore_ascii_case("yes") { Ok(()) } else { Err(CliError::failure("nothing was changed")) }
    }
}

/// A borderless table: columns two spaces apart, so that it can be selected and grepped.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_content_arrangement(comfy_table::ContentArrangement::Disabled);
    table.set_header(head.iter().map(|name| name.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    table.to_string().lines().map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end()).collect::<Vec<_>>().join("\n")
}

/// A moment for people: local time with its zone.
pub fn local(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis)
        .map_or_else(|| millis.to_string(), |at| at.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M:%S%.3f %:z").to_string())
}

/// A moment for programs: RFC 3339 in UTC.
pub fn rfc3339(millis: i64) -> String {
    chrono::DateTime::from_timestamp_millis(millis).map_or_else(|| millis.to_string(), |at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true))
}

/// Whether colours are wanted on stderr.
pub fn colours(no_color: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !no_color && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb") && std::io::stderr().is_terminal()
}

/// Progress on stderr: a bar on a terminal, otherwise a line every few seconds.
pub struct Progress {
    bar: Option<indicatif::ProgressBar>,
    what: &'static str,
    clock: commands::ports::SystemClock,
    told: std::time::Duration,
}

/// Pause between two lines.
const TELL_EVERY: std::time::Duration = std::time::Duration::from_secs(3);

impl Progress {
    /// Of something countable.
    pub fn new(what: &'static str, terminal: bool) -> Self {
        let bar = terminal.then(|| {
            let bar = indicatif::ProgressBar::new(0);
            let template = "{bar:40} {human_pos}/{human_len} {msg} {per_sec} ETA {eta}";
            if let Ok(style) = indicatif::ProgressStyle::with_template(template) {
                bar.set_style(style);
            }
            bar.set_message(what);
            bar
        });
        Self { bar, what, clock: commands::ports::SystemClock::default(), told: std::time::Duration::ZERO }
    }

    /// Tells how far it is.
    pub fn at(&mut self, done: u64, all: u64, rate: Option<f64>) {
        use commands::ports::Clock;
        if let Some(bar) = &self.bar {
            bar.set_length(all);
            bar.set_position(done);
            return;
        }
        let now = self.clock.monotonic();
        if now.saturating_sub(self.told) < TELL_EVERY {
            return;
        }
        self.told = now;
        let rate = rate.map_or_else(String::new, |rate| format!(", {rate:.0}/s"));
        // Nobody is left to be told when stderr is gone.
        let _ = writeln!(std::io::stderr().lock(), "{done} of {all} {}{rate}", self.what);
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
