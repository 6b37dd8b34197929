//! Providers as configured.

use super::callbacks;
use crate::config::Config;
use crate::config::providers::Encryption;
use commands::ports::Clock;
use std::path::Path;
use std::sync::Arc;
use workers::providers::Provider;
use workers::providers::apns::{self, Apns};
use workers::providers::fcm::{self, Fcm};
use workers::providers::http::{Credential, ProviderError};
use workers::providers::kakao_talk::{self, KakaoTalk};
use workers::providers::mailgun::{self, Mailgun};
use workers::providers::sendgrid::{self, Sendgrid};
use workers::providers::slack::{self, Slack};
use workers::providers::smtp::{self, Security, Smtp};
use workers::providers::twilio::{self, Twilio};
use workers::providers::twilio_voice::{self, TwilioVoice};
use workers::providers::vonage::{self, Vonage};
use workers::providers::web_push::{self, WebPush};
use workers::providers::webhook::{self, WebhookPolicy, WebhookProvider};

/// Why a provider could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum ProvidersError {
    /// Its settings.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// A file that was there when the configuration was checked.
    #[error("{what} cannot be read any more")]
    Gone {
        /// Which.
        what: &'static str,
    },
}

fn pem(path: Option<&Path>) -> Result<Option<String>, ProvidersError> {
    path.map(std::fs::read_to_string).transpose().map_err(|_| ProvidersError::Gone { what: "a ca_file" })
}

/// Which webhook URLs are allowed.
pub fn webhook_policy(config: &Config) -> WebhookPolicy {
    config.providers.webhook.as_ref().map_or_else(WebhookPolicy::default, |webhook| WebhookPolicy {
        allow_http: webhook.allow_http,
        allow_private: webhook.allow_private.iter().map(|network| (network.address, network.prefix)).collect(),
    })
}

/// Where chat addresses are.
pub fn slack_place(config: &Config) -> String {
    config.providers.slack.as_ref().map_or_else(|| slack::PLACE.to_owned(), |slack| slack.endpoint.to_string())
}

/// Sets up every provider that is on; several may serve one channel.
pub fn build(config: &Config, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Provider>>, ProvidersError> {
    let mut all: Vec<Arc<dyn Provider>> = Vec::new();
    let gone = |what| ProvidersError::Gone { what };
    if let Some(fcm) = &config.providers.fcm {
        let account = fcm.credential().ok_or(gone("the FCM service account"))?;
        let settings = fcm::Settings {
            service_account: Credential::new(account.expose()),
            base_url: fcm.endpoint.to_string(),
            ca_pem: pem(fcm.ca_file.as_deref())?,
            concurrency: fcm.concurrency,
            timeout: fcm.timeout,
            http2: fcm.endpoint.scheme() == "https",
        };
        all.push(Arc::new(Fcm::new(&settings, Arc::clone(clock))?));
    }
    if let Some(apns) = &config.providers.apns {
        let key = apns.credential().ok_or(gone("the APNs signing key"))?;
        let settings = apns::Settings {
            key_pem: Credential::new(key.expose()),
            key_id: apns.key_id.clone(),
            team_id: apns.team_id.clone(),
            topic: apns.topic.clone(),
            base_url: apns.endpoint.to_string(),
            ca_pem: pem(apns.ca_file.as_deref())?,
            http2_prior_knowledge: apns.endpoint.scheme() == "http",
            concurrency: apns.concurrency,
            timeout: apns.timeout,
        };
        all.push(Arc::new(Apns::new(&settings, Arc::clone(clock))?));
    }
    if let Some(smtp) = &config.providers.smtp {
        let domain = smtp.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain).trim_end_matches('>').to_owned();
        let settings = smtp::Settings {
            host: smtp.host.clone(),
            port: smtp.port,
            security: match smtp.encryption {
                Encryption::StartTls => Security::StartTls,
                Encryption::Tls => Security::Tls,
                Encryption::None => Security::None,
            },
            username: smtp.username.clone(),
            password: smtp.credential().map(|password| Credential::new(password.expose())),
            from: smtp.from.clone(),
            bounce_address: smtp.bounce_address.clone(),
            bounce_secret: smtp.bounce_credential().map(|secret| Credential::new(secret.expose())),
            message_id_domain: domain,
            ca_pem: pem(smtp.ca_file.as_deref())?,
            concurrency: smtp.concurrency,
            timeout: smtp.timeout,
        };
        all.push(Arc::new(Smtp::new(&settings, Arc::clone(clock))?));
    }
    if let Some(webhook) = &config.providers.webhook {
        let settings = webhook::Settings {
            policy: webhook_policy(config),
            ca_pem: pem(webhook.ca_file.as_deref())?,
            concurrency: webhook.concurrency,
            timeout: webhook.timeout,
        };
        all.push(Arc::new(WebhookProvider::new(&settings, Arc::clone(clock))?));
    }
    all.extend(build_mail(config, clock)?);
    all.extend(build_later(config, clock)?);
    Ok(all)
}

/// E-mail over HTTP.
fn build_mail(config: &Config, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Provider>>, ProvidersError> {
    let mut all: Vec<Arc<dyn Provider>> = Vec::new();
    let gone = |what| ProvidersError::Gone { what };
    if let Some(sendgrid) = &config.providers.sendgrid {
        let key = sendgrid.credential().ok_or(gone("the SendGrid key"))?;
        let settings = sendgrid::Settings {
            api_key: Credential::new(key.expose()),
            from: sendgrid.from.clone(),
            base_url: sendgrid.endpoint.to_string(),
            concurrency: sendgrid.concurrency,
            timeout: sendgrid.timeout,
        };
        all.push(Arc::new(Sendgrid::new(&settings, Arc::clone(clock))?));
    }
    if let Some(mailgun) = &config.providers.mailgun {
        let key = mailgun.credential().ok_or(gone("the Mailgun key"))?;
        let settings = mailgun::Settings {
            api_key: Credential::new(key.expose()),
            domain: mailgun.domain.clone(),
            from: mailgun.from.clone(),
            base_url: mailgun.endpoint.to_string(),
            concurrency: mailgun.concurrency,
            timeout: mailgun.timeout,
        };
        all.push(Arc::new(Mailgun::new(&settings, Arc::clone(clock))?));
    }
    Ok(all)
}

/// Text messages, calls, browsers, chat, KakaoTalk.
fn build_later(config: &Config, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Provider>>, ProvidersError> {
    let mut all: Vec<Arc<dyn Provider>> = Vec::new();
    let gone = |what| ProvidersError::Gone { what };
    if let Some(twilio) = &config.providers.twilio {
        let token = twilio.credential().ok_or(gone("the Twilio token"))?;
        let settings = twilio::Settings {
            account_sid: twilio.account_sid.clone(),
            api_key: twilio.api_key.clone(),
            auth_token: Credential::new(token.expose()),
            // Checked: there is either.
            sender: match (&twilio.messaging_service_sid, &twilio.from) {
                (Some(service), _) => twilio::Sender::Service(service.clone()),
                (None, from) => twilio::Sender::From(from.clone().unwrap_or_default()),
            },
            status_callback: callbacks::address(config, "twilio", twilio.status_callback.as_ref()),
            base_url: twilio.endpoint.to_string(),
            concurrency: twilio.concurrency,
            timeout: twilio.timeout,
        };
        all.push(Arc::new(Twilio::new(&settings, Arc::clone(clock))?));
    }
    if let Some(voice) = &config.providers.twilio_voice {
        let token = voice.credential().ok_or(gone("the Twilio Voice token"))?;
        let settings = twilio_voice::Settings {
            account_sid: voice.account_sid.clone(),
            api_key: voice.api_key.clone(),
            auth_token: Credential::new(token.expose()),
            from: voice.from.clone(),
            language: voice.language.clone(),
            ring: voice.ring,
            status_callback: callbacks::address(config, "twilio_voice", voice.status_callback.as_ref()),
            base_url: voice.endpoint.to_string(),
            concurrency: voice.concurrency,
            timeout: voice.timeout,
        };
        all.push(Arc::new(TwilioVoice::new(&settings, Arc::clone(clock))?));
    }
    if let Some(web_push) = &config.providers.web_push {
        let key = web_push.credential().ok_or(gone("the VAPID key"))?;
        let settings = web_push::Settings {
            private_key: Credential::new(key.expose()),
            subject: web_push.subject.clone(),
            policy: webhook_policy(config),
            ca_pem: pem(web_push.ca_file.as_deref())?,
            concurrency: web_push.concurrency,
            timeout: web_push.timeout,
        };
        all.push(Arc::new(WebPush::new(&settings, Arc::clone(clock))?));
    }
    if let Some(slack) = &config.providers.slack {
        let settings = slack::Settings { place: slack.endpoint.to_string(), concurrency: slack.concurrency, timeout: slack.timeout };
        all.push(Arc::new(Slack::new(&settings, Arc::clone(clock))?));
    }
    if let Some(vonage) = &config.providers.vonage {
        let secret = vonage.credential().ok_or(gone("the Vonage secret"))?;
        let settings = vonage::Settings {
            api_key: vonage.api_key.clone(),
            api_secret: Credential::new(secret.expose()),
            from: vonage.from.clone(),
            callback: vonage.callback_credential().and_then(|_| callbacks::address(config, "vonage", None)),
            base_url: vonage.endpoint.to_string(),
            concurrency: vonage.concurrency,
            timeout: vonage.timeout,
        };
        all.push(Arc::new(Vonage::new(&settings, Arc::clone(clock))?));
    }
    if let Some(kakao_talk) = &config.providers.kakao_talk {
        let settings = self::kakao_talk(kakao_talk).ok_or(gone("the KakaoTalk secret key"))?;
        all.push(Arc::new(KakaoTalk::new(&settings, Arc::clone(clock))?));
    }
    Ok(all)
}

/// KakaoTalk's settings, for sending and for asking what became of it; none only if the file with the secret went
/// away since it was checked.
pub(super) fn kakao_talk(section: &crate::config::providers::KakaoTalk) -> Option<kakao_talk::Settings> {
    Some(kakao_talk::Settings {
        app_key: section.app_key.clone(),
        secret_key: Credential::new(section.credential()?.expose()),
        sender_key: section.sender_key.clone(),
        template: section.template.clone(),
        sms_fallback_from: section.sms_fallback_from.clone(),
        base_url: section.endpoint.to_string(),
        concurrency: section.concurrency,
        timeout: section.timeout,
    })
}
