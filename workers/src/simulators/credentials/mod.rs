//! Test credentials: made at the first start, kept in the state folder, the same at every later start.
//!
//! Guarantee: with a state folder a restarted simulator accepts what it accepted before, and a server in another
//! process finds `fcm.json`, `apns.p8`, `ca.pem` and `webhook.secret` there. They are worth nothing outside these
//! simulators. Rejected: key pairs in the source, which every secret scanner reports for ever.

mod browser;
mod state;

use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde::{Deserialize, Serialize};

use super::config::SimulatorError;
use super::tls::TestAuthority;
use crate::providers::web_push::VapidKeys;
pub(crate) use browser::Browser;
pub(crate) use state::StateDir;

/// Project the FCM simulator serves.
pub const FCM_PROJECT: &str = "demo";
const FCM_CLIENT_EMAIL: &str = "bongsu@demo.iam.gserviceaccount.com";
const APNS_KEY_ID: &str = "ABC123DEFG";
const APNS_TEAM_ID: &str = "DEF123GHIJ";
const APNS_TOPIC: &str = "com.example.bongsu";
/// The account that the Twilio simulator serves.
pub(crate) const TWILIO_ACCOUNT: &str = "AC00000000000000000000000000000001";
/// Its number, which Twilio keeps for tests.
pub(crate) const TWILIO_FROM: &str = "+15005550006";
/// What else the account may send from, and call from where it is a number.
pub(crate) const TWILIO_ALSO: [&str; 2] = ["ORDERS", "+15005550100"];
/// The account that the Vonage simulator serves.
pub(crate) const VONAGE_KEY: &str = "abcd1234";
/// Its sender.
pub(crate) const VONAGE_FROM: &str = "BONGSU";
/// What else the account may send from.
pub(crate) const VONAGE_ALSO: &str = "ORDERS";
/// The domain that the SendGrid and Mailgun simulators send for.
pub(crate) const MAIL_DOMAIN: &str = "example.com";
/// The application that the AlimTalk simulator serves.
pub(crate) const KAKAO_APP_KEY: &str = "bongsuAppKey0001";
/// Its one sender.
pub(crate) const KAKAO_SENDER_KEY: &str = "00000000000000000000000000000000b0a65c01";
/// Its template for what names none.
pub(crate) const KAKAO_TEMPLATE: &str = "NOTICE";
/// The number that text messages may come from where KakaoTalk cannot deliver.
pub(crate) const KAKAO_FALLBACK_FROM: &str = "0215880000";
const SMTP_USERNAME: &str = "bongsu";

/// Everything a client of the simulators needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TestCredentials {
    /// A service-account file; `token_uri` points to the simulator's `/token`.
    pub fcm_service_account_json: String,
    /// Signing key for provider tokens, PKCS#8 P-256.
    pub apns_key_pem: String,
    /// `kid` of provider tokens.
    pub apns_key_id: String,
    /// `iss` of provider tokens.
    pub apns_team_id: String,
    /// The application's bundle id.
    pub apns_topic: String,
    /// The authority to trust for APNs over TLS and for STARTTLS.
    pub tls_ca_pem: String,
    /// User name for AUTH.
    pub smtp_username: String,
    /// Password for AUTH.
    pub smtp_password: String,
    /// Signing secret of the webhook receiver, `whsec_…`.
    pub webhook_secret: String,
    /// Twilio's account.
    pub twilio_account_sid: String,
    /// Its token.
    pub twilio_auth_token: String,
    /// Its number.
    pub twilio_from: String,
    /// The VAPID key of the server: base64url of its private half.
    pub vapid_private_key: String,
    /// Its public half, under which the browsers subscribed.
    pub vapid_public_key: String,
    /// `keys.p256dh` of every browser's subscription.
    pub browser_p256dh: String,
    /// `keys.auth` of every browser's subscription.
    pub browser_auth: String,
    /// Vonage's account.
    pub vonage_api_key: String,
    /// Its secret.
    pub vonage_api_secret: String,
    /// Its sender.
    pub vonage_from: String,
    /// SendGrid's API key.
    pub sendgrid_api_key: String,
    /// The verification key of SendGrid's event webhook.
    #[serde(default)]
    pub sendgrid_callback_key: String,
    /// Mailgun's API key, which signs its webhooks as well.
    pub mailgun_api_key: String,
    /// The domain that SendGrid and Mailgun send for.
    pub mail_domain: String,
    /// NHN Cloud's application.
    pub kakao_app_key: String,
    /// Its secret.
    pub kakao_secret_key: String,
    /// The sender's key.
    pub kakao_sender_key: String,
    /// An approved template whose one variable is `body`.
    pub kakao_template: String,
    /// A number that text messages may come from.
    pub kakao_fallback_from: String,
}

/// Compares `Authorization: Basic`.
pub(crate) struct Basic(String);

impl Basic {
    pub(crate) fn new(user: &str, password: &str) -> Self {
        Self(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
    }

    pub(crate) fn fits(&self, header: Option<&hyper::header::HeaderValue>) -> bool {
        header.is_some_and(|header| header.as_bytes() == self.0.as_bytes())
    }
}

/// Both halves of the keys, as the simulators hold them.
pub(crate) struct KeyRing {
    pub(crate) fcm: KeyPair,
    pub(crate) apns: KeyPair,
    pub(crate) authority: TestAuthority,
    pub(crate) smtp_password: String,
    pub(crate) webhook_secret: String,
    pub(crate) twilio_token: String,
    pub(crate) vonage_secret: String,
    pub(crate) vapid: VapidKeys,
    pub(crate) browser: Browser,
    pub(crate) sendgrid_key: String,
    pub(crate) mailgun_key: String,
    pub(crate) kakao_secret: String,
}

pub(crate) fn broken(error: impl std::fmt::Display) -> SimulatorError {
    SimulatorError::Credentials(error.to_string())
}

fn random_hex() -> Result<String, SimulatorError> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(broken)?;
    Ok(super::ledger::hex(&bytes))
}

impl KeyRing {
    pub(crate) fn generate() -> Result<Self, SimulatorError> {
        let mut secret = [0_u8; 32];
        let mut password = [0_u8; 12];
        aws_lc_rs::rand::fill(&mut secret).map_err(broken)?;
        aws_lc_rs::rand::fill(&mut password).map_err(broken)?;
        Ok(Self {
            fcm: KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).map_err(broken)?,
            apns: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(broken)?,
            authority: TestAuthority::generate()?,
            smtp_password: super::ledger::hex(&password),
            webhook_secret: format!("whsec_{}", STANDARD.encode(secret)),
            twilio_token: random_hex()?,
            vonage_secret: random_hex()?,
            vapid: VapidKeys::generate().ok_or_else(|| broken("no random numbers"))?,
            browser: Browser::generate()?,
            sendgrid_key: format!("SG.{}", random_hex()?),
            mailgun_key: random_hex()?,
            kakao_secret: random_hex()?,
        })
    }

    /// What clients get, for a simulator whose FCM listens on `fcm`.
    pub(crate) fn credentials(&self, fcm: SocketAddr) -> TestCredentials {
        let token_uri = format!("http://{fcm}/token");
        let account = serde_json::json!({
            "type": "service_account",
            "project_id": FCM_PROJECT,
            "private_key_id": "simulated",
            "private_key": self.fcm.serialize_pem(),
            "client_email": FCM_CLIENT_EMAIL,
            "client_id": "100000000000000000000",
            "auth_uri": format!("http://{fcm}/auth"),
            "token_uri": token_uri,
            "universe_domain": "googleapis.com",
        });
        TestCredentials {
            fcm_service_account_json: format!("{account:#}"),
            apns_key_pem: self.apns.serialize_pem(),
            apns_key_id: APNS_KEY_ID.into(),
            apns_team_id: APNS_TEAM_ID.into(),
            apns_topic: APNS_TOPIC.into(),
            tls_ca_pem: self.authority.certificate_pem().to_owned(),
            smtp_username: SMTP_USERNAME.into(),
            smtp_password: self.smtp_password.clone(),
            webhook_secret: self.webhook_secret.clone(),
            twilio_account_sid: TWILIO_ACCOUNT.into(),
            twilio_auth_token: self.twilio_token.clone(),
            twilio_from: TWILIO_FROM.into(),
            vapid_private_key: self.vapid.private.to_string(),
            vapid_public_key: self.vapid.public.clone(),
            browser_p256dh: self.browser.p256dh.clone(),
            browser_auth: self.browser.auth_text(),
            vonage_api_key: VONAGE_KEY.into(),
            vonage_api_secret: self.vonage_secret.clone(),
            vonage_from: VONAGE_FROM.into(),
            sendgrid_api_key: self.sendgrid_key.clone(),
            sendgrid_callback_key: STANDARD.encode(self.apns.subject_public_key_info()),
            mailgun_api_key: self.mailgun_key.clone(),
            mail_domain: MAIL_DOMAIN.into(),
            kakao_app_key: KAKAO_APP_KEY.into(),
            kakao_secret_key: self.kakao_secret.clone(),
            kakao_sender_key: KAKAO_SENDER_KEY.into(),
            kakao_template: KAKAO_TEMPLATE.into(),
            kakao_fallback_from: KAKAO_FALLBACK_FROM.into(),
        }
    }

    /// `client_email` of the service account.
    pub(crate) const fn fcm_issuer() -> &'static str {
        FCM_CLIENT_EMAIL
    }
}
