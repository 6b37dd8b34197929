//! What mail servers send back: delivery status notifications (RFC 3464, in other scripts RFC 6533) and
//! complaints (RFC 5965), as they come to `/callbacks/smtp`.
//!
//! Guarantee: nothing is believed without the installation's own secret; what is no report of these forms,
//! or about no mail of ours, says nothing and is no mistake: a mailbox for bounces gets all kinds of mail.
//! Rejected: reading a mailbox by IMAP, one more server to keep a password of, and a poll where every mail
//! server can hand a message to a program.

mod fields;
mod report;
mod status;
#[cfg(test)]
mod tests;

use crate::providers::callbacks::{CallbackRefused, CallbackRequest, Callbacks, Told};
use crate::providers::http::Credential;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};

/// Reads returned mails. The body of a request is one mail, as it came.
#[derive(Debug)]
pub struct SmtpBounces {
    secret: Credential,
}

impl SmtpBounces {
    /// With the secret that requests carry as `Authorization: Bearer`.
    pub const fn new(secret: Credential) -> Self {
        Self { secret }
    }

    fn is_believed(&self, request: &CallbackRequest<'_>) -> bool {
        let Some((scheme, token)) = request.header("authorization").and_then(|value| value.split_once(' ')) else { return false };
        // Hashes are of one length whatever was sent.
        let (told, own) = (digest(&SHA256, token.trim().as_bytes()), digest(&SHA256, self.secret.reveal().as_bytes()));
        scheme.eq_ignore_ascii_case("bearer") && verify_slices_are_equal(told.as_ref(), own.as_ref()).is_ok()
    }
}

impl Callbacks for SmtpBounces {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn read(&self, request: &CallbackRequest<'_>) -> Result<Vec<Told>, CallbackRefused> {
        if !self.is_believed(request) {
            return Err(CallbackRefused::Signature);
        }
        report::read(request.body, request.now).map(|told| told.into_iter().collect()).ok_or(CallbackRefused::Form)
    }
}
