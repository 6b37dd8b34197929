//! A seal in each mail's own headers, which mail servers return with what they could not deliver.
//!
//! Guarantee: whoever makes up a report about a mail that they never saw cannot have its address taken
//! for dead, nor complain in its reader's name: our ids are known to who asked for the notification, the
//! seal only to who got the mail. Rejected: the seal in the return path, for which 64 characters of a
//! local part leave no room beside the ids.

use crate::providers::callbacks::OurIds;
use crate::providers::http::Credential;
use aws_lc_rs::{constant_time, hmac};

/// The header.
pub(super) const HEADER: &str = "X-Bongsu-Seal";

/// Bytes of the code that are kept.
const LENGTH: usize = 12;

/// Makes seals and knows them.
#[derive(Debug, Clone)]
pub(super) struct Seal(hmac::Key);

impl Seal {
    /// With the secret for bounces.
    pub(super) fn new(secret: &Credential) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret.reveal().as_bytes()))
    }

    /// Of one attempt.
    pub(super) fn of(&self, ids: OurIds) -> String {
        let text = format!("bongsu/seal/1 {} {} {}", ids.notification.0, ids.delivery, ids.attempt.unwrap_or_default());
        hmac::sign(&self.0, text.as_bytes()).as_ref()[..LENGTH].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Whether a text is the seal of an attempt.
    pub(super) fn fits(&self, ids: OurIds, text: &str) -> bool {
        constant_time::verify_slices_are_equal(self.of(ids).as_bytes(), text.trim().as_bytes()).is_ok()
    }
}
