//! Twilio's signature of a callback (<https://www.twilio.com/docs/usage/webhooks/webhooks-security>):
//! over the address as Twilio was given it, and the fields of the form.

use crate::providers::callbacks::{CallbackRefused, CallbackRequest};
use crate::providers::http::Credential;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::Url;

/// Checks callbacks of one account.
pub(crate) struct Signature {
    /// The address as Twilio knows it; its query is the request's own.
    address: Url,
    sha1: hmac::Key,
    sha256: hmac::Key,
}

impl Signature {
    pub(crate) fn new(address: Url, token: &Credential) -> Self {
        let token = token.reveal().as_bytes();
        Self { address, sha1: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token), sha256: hmac::Key::new(hmac::HMAC_SHA256, token) }
    }

    /// The fields of the form.
    ///
    /// # Errors
    /// Twilio did not sign it.
    pub(crate) fn check(&self, request: &CallbackRequest<'_>) -> Result<Vec<(String, String)>, CallbackRefused> {
        let told = request.header("x-twilio-signature").and_then(|signature| STANDARD.decode(signature).ok()).ok_or(CallbackRefused::Signature)?;
        let stronger = request.header("x-twilio-webhooks-signature-settings").is_some_and(|settings| settings.contains("algorithm=HMAC_SHA256"));
        let key = if stronger { &self.sha256 } else { &self.sha1 };
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(request.body).into_owned().collect();
        let mut sorted = fields.clone();
        sorted.sort();
        sorted.dedup();
        let form: String = sorted.into_iter().flat_map(|(name, value)| [name, value]).collect();
        let right = self.spellings(request.query).iter().any(|address| hmac::verify(key, format!("{address}{form}").as_bytes(), &told).is_ok());
        if right { Ok(fields) } else { Err(CallbackRefused::Signature) }
    }

    /// Twilio signs with the port and without it, depending on the product.
    fn spellings(&self, query: &str) -> [String; 2] {
        let mut address = self.address.clone();
        address.set_query(None);
        address.set_fragment(None);
        let bare = |address: &Url| if query.is_empty() { address.to_string() } else { format!("{address}?{query}") };
        let without = {
            let mut address = address.clone();
            // A URL with a host takes it.
            let _ = address.set_port(None);
            bare(&address)
        };
        let port = address.port_or_known_default().unwrap_or(443);
        let host = address.host_str().unwrap_or_default();
        let path = if query.is_empty() { address.path().to_owned() } else { format!("{}?{query}", address.path()) };
        [without, format!("{}://{host}:{port}{path}", address.scheme())]
    }
}
