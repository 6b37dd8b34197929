//! The frame of every page: one small document, readable by any browser and screen reader, without
//! script, picture or anything fetched from elsewhere.
//!
//! Guarantee: whatever is put in goes through [`escape`]; what a page may do is said by its
//! `Content-Security-Policy`, which allows this one style, by its hash, and forms to ourselves.

use super::problem::Problem;
use super::words::Language;
use aws_lc_rs::digest::{SHA256, digest};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::Write as _;

const CSS: &str = "body{margin:0;background:#f4f5f7;color:#1c1e21;font:1rem/1.5 system-ui,sans-serif}\
main{max-width:36rem;margin:2rem auto;padding:1.5rem;background:#fff;border-radius:.5rem}\
h1{font-size:1.4rem;margin-top:0}fieldset{border:1px solid #8a8d91;border-radius:.4rem;margin:0 0 1rem;padding:.75rem 1rem}\
legend{font-weight:600}label{display:block;padding:.25rem 0}label.beside{display:inline-block;margin-right:1rem}\
input[type=checkbox],input[type=radio]{width:1.1rem;height:1.1rem;vertical-align:text-bottom;margin-right:.5rem}\
small{display:block;color:#4b4f56}input,select,button{font:inherit}\
button{padding:.6rem 1.2rem;border:0;border-radius:.4rem;background:#0b57d0;color:#fff;cursor:pointer}\
button.quiet{background:#e4e6eb;color:#1c1e21}:focus-visible{outline:3px solid #f29900;outline-offset:2px}\
[role=status]{padding:.75rem 1rem;background:#e6f4ea;border-radius:.4rem}[role=alert]{padding:.75rem 1rem;background:#fce8e6;border-radius:.4rem}";

/// The style's hash, worked out once.
#[derive(Debug)]
pub(super) struct Style {
    policy: HeaderValue,
}

impl Style {
    pub fn new() -> Self {
        let hash = STANDARD.encode(digest(&SHA256, CSS.as_bytes()));
        let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
        // Base64 and fixed words are a header's value; without it nothing at all is allowed.
        Self { policy: HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")) }
    }

    /// A page. `content` is HTML already.
    pub fn page(&self, status: StatusCode, language: Language, title: &str, content: &str) -> Response<Body> {
        let title = escape(title);
        let tag = language.tag();
        let html = format!(
            "<!DOCTYPE html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n<style>{CSS}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n{content}</main>\n</body>\n</html>\n"
        );
        self.answer(status, "text/html; charset=utf-8", html, Some(language))
    }

    /// A page that says why not.
    pub fn problem(&self, problem: Problem, language: Language) -> Response<Body> {
        let content = format!(
            "<p role=\"alert\">{}</p>\n<p><small>{}: <code>{}</code></small></p>\n",
            escape(problem.message(language)),
            language.words().code,
            problem.code()
        );
        self.with_problem(problem, self.page(problem.status(), language, language.words().not_done, &content))
    }

    /// Sends on to an address, which is ASCII as every parsed one is; none: it cannot be a header's value.
    pub fn redirect(&self, target: &str) -> Option<Response<Body>> {
        let location = HeaderValue::from_str(target).ok()?;
        let mut response = self.answer(StatusCode::FOUND, "text/plain; charset=utf-8", String::new(), None);
        response.headers_mut().insert(header::LOCATION, location);
        Some(response)
    }

    /// A picture.
    pub fn picture(&self, bytes: &'static [u8]) -> Response<Body> {
        let mut response = self.answer(StatusCode::OK, "image/gif", String::new(), None);
        // Mail programs in a browser show it on another site than ours.
        response.headers_mut().insert(header::HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin"));
        *response.body_mut() = Body::from(bytes);
        response
    }

    /// The answer to a program, which reads the status.
    pub fn plain(&self, text: &str) -> Response<Body> {
        self.answer(StatusCode::OK, "text/plain; charset=utf-8", format!("{text}\n"), None)
    }

    /// The same to a program that asked in vain.
    pub fn plain_problem(&self, problem: Problem) -> Response<Body> {
        let text = format!("{}: {}\n", problem.code(), problem.message(Language::English));
        self.with_problem(problem, self.answer(problem.status(), "text/plain; charset=utf-8", text, None))
    }

    fn with_problem(&self, problem: Problem, mut response: Response<Body>) -> Response<Body> {
        if let Some(seconds) = problem.retry_after() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }

    fn answer(&self, status: StatusCode, kind: &'static str, text: String, language: Option<Language>) -> Response<Body> {
        let mut response = Response::new(Body::from(text));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, kind),
            (header::CACHE_CONTROL, "no-store"),
            // The address is the credential: no other site may learn it.
            (header::REFERRER_POLICY, "no-referrer"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        if let Some(language) = language {
            headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
            headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
        }
        response
    }
}

/// Text as text, also within an attribute's quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// A checkbox (or, of one group, a radio button) with its words; `note` is HTML already.
pub(super) fn choice(html: &mut String, kind: &str, name: &str, value: &str, checked: bool, label: &str, note: &str) {
    let checked = if checked { " checked" } else { "" };
    // Writing to a text cannot fail.
    let _ = writeln!(html, "<label><input type=\"{kind}\" name=\"{name}\" value=\"{}\"{checked}> {}{note}</label>", escape(value), escape(label));
}
