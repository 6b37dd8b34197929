//! Why somebody heard nothing.

use crate::cli::exit::CliError;
use crate::cli::output::Output;
use crate::cli::remote::{Client, operations};
use serde_json::{Value, json};

/// What was asked.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) recipient: &'a str,
    pub(super) category: Option<&'a str>,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
}

fn time(flag: &str, text: Option<&str>) -> Result<Option<String>, CliError> {
    let refused = |_| CliError::usage(format!("{flag} is a moment such as 2026-11-20T09:00:00Z or 2026-11-20T18:00:00+09:00"));
    text.map(|text| chrono::DateTime::parse_from_rfc3339(text).map(|at| at.to_rfc3339()).map_err(refused)).transpose()
}

pub(super) async fn run(client: &Client, asked: &Asked<'_>, out: Output) -> Result<(), CliError> {
    let (from, to) = (time("--from", asked.from)?, time("--to", asked.to)?);
    let variables = json!({ "recipient": asked.recipient, "category": asked.category, "from": from, "to": to });
    let mut data = client.run(operations::EXPLAIN_ABSENCE, variables).await?;
    let answer = data["explainAbsence"].take();
    if out.json { out.json_value(&answer) } else { out.line(text(&answer)) }
}

/// For people.
pub(super) fn text(answer: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut text = word(&answer["sentence"]);
    for reason in list(&answer["reasons"]) {
        text.push_str(&format!("\n- {}", word(&reason["sentence"])));
    }
    for one in list(&answer["notifications"]) {
        let at = super::story::moment(&one["requestedAt"]);
        text.push_str(&format!("\n\n{at}  {} ({}): {}\n  {}", word(&one["id"]), word(&one["category"]), word(&one["outcome"]), word(&one["sentence"])));
    }
    if answer["more"] == true {
        text.push_str("\n\nThere are more; ask about a shorter time.");
    }
    text
}
