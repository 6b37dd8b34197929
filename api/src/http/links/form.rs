//! The body of a POST: a form as browsers write it, or as mail providers do. RFC 8058 section 3.2 allows
//! both encodings for the one click.

use super::problem::Problem;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use std::time::Duration;

/// More than any form of ours; the one click has 26 bytes.
const LONGEST: usize = 64 * 1024;
/// A body has to arrive in this time.
const WITHIN: Duration = Duration::from_secs(10);
/// Fields of one form.
const MOST_FIELDS: usize = 1_000;

/// Fields in their order; a name may come several times.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body.
    pub async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Problem> {
        let bytes = tokio::time::timeout(WITHIN, axum::body::to_bytes(body, LONGEST)).await.map_err(|_| Problem::Form)?.map_err(|_| Problem::Form)?;
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self::parse(kind, &bytes).ok_or(Problem::Form)
    }

    fn parse(kind: &str, bytes: &[u8]) -> Option<Self> {
        let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
        let fields: Vec<(String, String)> = match essence.trim().to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => {
                let fields = url::form_urlencoded::parse(bytes);
                fields.take(MOST_FIELDS + 1).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
            }
            "multipart/form-data" => parts(parameters, std::str::from_utf8(bytes).ok()?)?,
            _ => return None,
        };
        (fields.len() <= MOST_FIELDS).then_some(Self(fields))
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is the mail provider's one click.
    pub fn is_one_click(&self) -> bool {
        self.get("List-Unsubscribe") == Some("One-Click")
    }

    #[cfg(test)]
    pub fn of(fields: &[(&str, &str)]) -> Self {
        Self(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }
}

/// The parts of `multipart/form-data` (RFC 7578), all of which are short texts here.
fn parts(parameters: &str, body: &str) -> Option<Vec<(String, String)>> {
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?.trim_matches('"');
    if boundary.is_empty() || boundary.len() > 70 {
        return None;
    }
    let delimiter = format!("--{boundary}");
    let mut fields = Vec::new();
    // Before the first delimiter stands nothing that counts.
    for part in body.split(delimiter.as_str()).skip(1).take(MOST_FIELDS + 2) {
        if part.starts_with("--") {
            return Some(fields);
        }
        let (head, value) = part.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let disposition = head.split("\r\n").find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let name = disposition.split(';').find_map(|parameter| parameter.trim().strip_prefix("name="))?;
        fields.push((name.trim_matches('"').to_owned(), value.strip_suffix("\r\n")?.to_owned()));
    }
    // It was cut short.
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::Form;

    #[test]
    fn one_click_is_read_in_both_encodings() {
        let multipart = "--x y\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x y--\r\n";
        for (kind, body) in [
            ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", "a=b&List-Unsubscribe=One-Click"),
            ("multipart/form-data; boundary=\"x y\"", multipart),
        ] {
            assert!(Form::parse(kind, body.as_bytes()).unwrap().is_one_click(), "{kind}");
        }
        for (kind, body) in [
            ("application/x-www-form-urlencoded", ""),
            ("application/x-www-form-urlencoded", "list-unsubscribe=One-Click"),
            ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click2"),
        ] {
            assert!(!Form::parse(kind, body.as_bytes()).unwrap().is_one_click(), "{kind} {body}");
        }
        for (kind, body) in [
            ("", "List-Unsubscribe=One-Click"),
            ("text/plain", "List-Unsubscribe=One-Click"),
            ("multipart/form-data", multipart),
            ("multipart/form-data; boundary=\"x y\"", &multipart[..multipart.len() - 6]),
            ("multipart/form-data; boundary=z", "--z\r\nno head"),
        ] {
            assert!(Form::parse(kind, body.as_bytes()).is_none(), "{kind} {body}");
        }
    }
}
