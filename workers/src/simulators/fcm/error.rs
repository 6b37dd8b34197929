//! Google's error bodies.

use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use serde_json::{Value, json};

use super::super::fault::{Answer, Dialect, Refusal, answer};

pub(super) const JSON: &str = "application/json; charset=UTF-8";

/// `{"error":{code,message,status,details}}`.
pub(super) fn google_error(code: u16, status: &str, message: &str, details: &[Value]) -> Answer {
    let mut error = json!({ "code": code, "message": message, "status": status });
    if !details.is_empty() {
        error["details"] = details.into();
    }
    answer(code, JSON, json!({ "error": error }).to_string())
}

fn fcm_detail(code: &str) -> Value {
    json!({ "@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code })
}

fn violation(field: &str, description: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.BadRequest",
        "fieldViolations": [{ "field": field, "description": description }],
    })
}

pub(super) struct FcmDialect;

impl Dialect for FcmDialect {
    const THROTTLED: (u16, &'static str) = (429, "QUOTA_EXCEEDED");
    const DOWN: (u16, &'static str) = (503, "UNAVAILABLE");

    /// `reason` is an FCM error code; others are answered as plain Google status.
    fn error(&self, status: u16, reason: &str) -> Answer {
        let (canonical, message) = match reason {
            "UNREGISTERED" => ("NOT_FOUND", "Requested entity was not found."),
            "SENDER_ID_MISMATCH" => ("PERMISSION_DENIED", "SenderId mismatch"),
            "INVALID_ARGUMENT" => ("INVALID_ARGUMENT", "The registration token is not a valid FCM registration token"),
            "THIRD_PARTY_AUTH_ERROR" => ("UNAUTHENTICATED", "Request is missing required authentication credential."),
            "QUOTA_EXCEEDED" => ("RESOURCE_EXHAUSTED", "Quota exceeded for message sending."),
            "INTERNAL" => ("INTERNAL", "Internal error encountered."),
            "UNAVAILABLE" => ("UNAVAILABLE", "The service is currently unavailable."),
            "UNAUTHENTICATED" => return *unauthenticated("ACCESS_TOKEN_EXPIRED").answer,
            "PERMISSION_DENIED" => return *permission_denied().answer,
            _ => (reason, "The simulator was told to answer so."),
        };
        let mut details = vec![fcm_detail(reason)];
        if reason == "QUOTA_EXCEEDED" {
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{
                    "subject": "project_number:100000000000",
                    "description": "Message rate exceeded for the project",
                }],
            }));
        }
        google_error(status, canonical, message, &details)
    }
}

/// 401 as Google's front end words it: no FcmError detail.
pub(super) fn unauthenticated(reason: &'static str) -> Refusal {
    let detail = json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": { "service": "fcm.googleapis.com" },
    });
    let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or \
                   other valid authentication credential.";
    let mut answer = google_error(401, "UNAUTHENTICATED", message, &[detail]);
    answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"https://accounts.google.com/\", error=\"invalid_token\""));
    Refusal::new(answer, reason)
}

pub(super) fn permission_denied() -> Refusal {
    let message = "Permission 'cloudmessaging.messages.create' denied on resource.";
    Refusal::new(google_error(403, "PERMISSION_DENIED", message, &[]), "PERMISSION_DENIED")
}

pub(super) fn not_found() -> Refusal {
    let message = "Requested entity was not found.";
    Refusal::new(google_error(404, "NOT_FOUND", message, &[]), "NOT_FOUND")
}

/// A body that does not fit the protocol buffer: BadRequest without FcmError.
pub(super) fn bad_json(message: &str) -> Refusal {
    let answer = google_error(400, "INVALID_ARGUMENT", message, &[violation("", message)]);
    Refusal::new(answer, "INVALID_ARGUMENT")
}

/// A well-formed message that FCM itself refuses because of one field.
pub(super) fn bad_field(field: &str, description: &str) -> Refusal {
    let details = [violation(field, description), fcm_detail("INVALID_ARGUMENT")];
    let answer = google_error(400, "INVALID_ARGUMENT", description, &details);
    Refusal::new(answer, "INVALID_ARGUMENT")
}
