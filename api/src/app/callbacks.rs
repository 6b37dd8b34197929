//! Providers' callbacks as configured: who may call, and where they are told to.

use super::providers::ProvidersError;
use crate::config::Config;
use commands::ports::Clock;
use std::sync::Arc;
use url::Url;
use workers::providers::callbacks::Callbacks;
use workers::providers::http::Credential;
use workers::providers::kakao_talk::{KakaoTalk, KakaoTalkReceipts};
use workers::providers::mailgun::MailgunReceipts;
use workers::providers::sendgrid::SendgridReceipts;
use workers::providers::smtp::SmtpBounces;
use workers::providers::twilio::TwilioReceipts;
use workers::providers::twilio_voice::VoiceReceipts;
use workers::providers::vonage::VonageReceipts;

/// Where a provider is told to call: as configured, else under the public address of the links.
pub fn address(config: &Config, provider: &str, own: Option<&Url>) -> Option<Url> {
    own.cloned().or_else(|| format!("{}/callbacks/{provider}", config.links.settings().base_url?).parse().ok())
}

/// The readers of those providers of which it is known how they sign.
///
/// # Errors
/// What signs is of the wrong form.
pub fn build(config: &Config, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Callbacks>>, ProvidersError> {
    let providers = &config.providers;
    let mut all: Vec<Arc<dyn Callbacks>> = Vec::new();
    if let Some(twilio) = &providers.twilio
        && let Some((address, token)) = address(config, "twilio", twilio.status_callback.as_ref()).zip(twilio.callback_credential())
    {
        all.push(Arc::new(TwilioReceipts::new(address, &Credential::new(token.expose()))));
    }
    if let Some(voice) = &providers.twilio_voice
        && let Some((address, token)) = address(config, "twilio_voice", voice.status_callback.as_ref()).zip(voice.callback_credential())
    {
        all.push(Arc::new(VoiceReceipts::new(address, &Credential::new(token.expose()))));
    }
    if let Some(secret) = providers.vonage.as_ref().and_then(|vonage| vonage.callback_credential()) {
        all.push(Arc::new(VonageReceipts::new(&Credential::new(secret.expose()))));
    }
    if let Some(key) = providers.sendgrid.as_ref().and_then(|sendgrid| sendgrid.callback_key.as_deref()) {
        all.push(Arc::new(SendgridReceipts::new(key)?));
    }
    if let Some(key) = providers.mailgun.as_ref().and_then(|mailgun| mailgun.callback_credential()) {
        all.push(Arc::new(MailgunReceipts::new(&Credential::new(key.expose()))));
    }
    if let Some(secret) = providers.smtp.as_ref().and_then(|smtp| smtp.bounce_credential()) {
        all.push(Arc::new(SmtpBounces::new(Credential::new(secret.expose()))));
    }
    if let Some(kakao_talk) = &providers.kakao_talk
        && let Some((settings, signature)) = super::providers::kakao_talk(kakao_talk).zip(kakao_talk.webhook_credential())
    {
        let asked = KakaoTalk::new(&settings, Arc::clone(clock))?;
        all.push(Arc::new(KakaoTalkReceipts::new(asked, Credential::new(signature.expose()))));
    }
    Ok(all)
}
