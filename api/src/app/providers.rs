//! Providers as configured.

use crate::config::Config;
use crate::config::providers::Encryption;
use commands::ports::Clock;
use std::path::Path;
use std::sync::Arc;
use workers::providers::Provider;
use workers::providers::apns::{self, Apns};
use workers::providers::fcm::{self, Fcm};
use workers::providers::http::{Credential, ProviderError};
use workers::providers::smtp::{self, Security, Smtp};
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

/// Sets up every provider that is on.
pub fn build(config: &Config, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn Provider>>, ProvidersError> {
    let mut all: Vec<Arc<dyn Provider>> = Vec::new();
    let gone = |what| ProvidersError::Gone { what };
    if let Some(fcm) = &config.providers.fcm {
        let account = fcm.credential().ok_or(gone("the FCM service account"))?;
        let settings = fcm::Settings {
            service_account: Credential::new(account.expose()),
            base_url: fcm.endpoint.to_string(),
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
    Ok(all)
}
