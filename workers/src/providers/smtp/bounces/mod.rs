//! What mail servers send back: delivery status notifications (RFC 3464, in other scripts RFC 6533) and
//! complaints (RFC 5965), as they come to `/callbacks/smtp`.
//!
//! Guarantee: nothing is believed without the installation's own secret, and nothing that would keep an
//! address from being sent to without the seal of the mail that came back; what is no report of these forms,
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
use crate::providers::smtp::seal::Seal;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use domain::notification::{Receipt, Said};
use report::Report;

/// Reads returned mails. The body of a request is one mail, as it came.
#[derive(Debug)]
pub struct SmtpBounces {
    secret: Credential,
    seal: Seal,
}

impl SmtpBounces {
    /// With the secret that requests carry as `Authorization: Bearer`.
    pub fn new(secret: Credential) -> Self {
        Self { seal: Seal::new(&secret), secret }
    }

    fn is_believed(&self, request: &CallbackRequest<'_>) -> bool {
        let Some((scheme, token)) = request.header("authorization").and_then(|value| value.split_once(' ')) else { return false };
        // Hashes are of one length whatever was sent.
        let (told, own) = (digest(&SHA256, token.trim().as_bytes()), digest(&SHA256, self.secret.reveal().as_bytes()));
        scheme.eq_ignore_ascii_case("bearer") && verify_slices_are_equal(told.as_ref(), own.as_ref()).is_ok()
    }
}

impl SmtpBounces {
    /// Without our seal a report may be made up by anybody who knows our ids: it ends its own delivery, and
    /// says nothing of the address.
    fn weigh(&self, report: Report) -> Option<Told> {
        let Report { ids, seal, told } = report;
        if seal.is_some_and(|seal| self.seal.fits(ids, &seal)) {
            return Some(told);
        }
        match told {
            Told::Receipt { notification, receipt } => match receipt.said {
                Said::Bounced { class, dead: _, code } => {
                    let said = Said::Bounced { class, dead: false, code };
                    Some(Told::Receipt { notification, receipt: Receipt { said, ..receipt } })
                }
                Said::Complained { .. } => None,
                _ => Some(Told::Receipt { notification, receipt }),
            },
            Told::Named { .. } | Told::Reply { .. } => None,
        }
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
        let report = report::read(request.body, request.now).ok_or(CallbackRefused::Form)?;
        Ok(report.and_then(|report| self.weigh(report)).into_iter().collect())
    }
}
