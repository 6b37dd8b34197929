//! E-mail through a submission server (RFC 6409): one recipient per transaction, so each verdict is
//! its own.
//!
//! SMTP knows no idempotency: a connection that breaks after the final dot leaves it open whether the
//! message was taken. That is told as `Unknown`; a repeat carries the same `Message-ID`, by which some
//! receivers recognise it.

mod bounces;
mod error_map;
mod message;
mod pool;
mod return_path;
mod seal;
mod session;
mod settings;
#[cfg(test)]
mod tests;

pub use bounces::SmtpBounces;
pub use settings::{Security, Settings};

use self::seal::Seal;
use super::callbacks::OurIds;
use super::http::ProviderError;
use super::{Call, Message, Provider, mail};
use commands::ports::Clock;
use domain::values::{Channel, Outcome};
use lettre::Address;
use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use pool::Pool;
use session::{Endpoint, Sent, Session};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// See the module.
pub struct Smtp {
    endpoint: Endpoint,
    from: Mailbox,
    /// Where what cannot be delivered goes back to, if not to the author.
    bounces: Option<Address>,
    /// Of what is sent, where reports on it are read.
    seal: Option<Seal>,
    domain: String,
    pool: Pool,
    clock: Arc<dyn Clock>,
    concurrency: usize,
    timeout: Duration,
}

impl Smtp {
    /// From settings. Nothing is connected yet.
    ///
    /// # Errors
    /// The sender, the domain, the login or the certificates are not of the right form.
    pub fn new(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, ProviderError> {
        let wrong = |reason: &str| ProviderError::settings("smtp", reason);
        let from = mail::author("smtp", &settings.from)?;
        let bounces =
            settings.bounce_address.as_deref().map(str::parse::<Address>).transpose().ok().filter(|bounces| bounces.as_ref().is_none_or(return_path::has_room));
        let bounces = bounces.ok_or_else(|| {
            wrong("bounce_address is not an address of at most 14 ASCII characters before the @, without a +; give one like bounces@acme.com")
        })?;
        let domain = settings.message_id_domain.clone();
        if domain.is_empty() || !domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-') {
            return Err(wrong("message_id_domain is not a domain name; give one like acme.com"));
        }
        let credentials = match (&settings.username, &settings.password) {
            (Some(username), Some(password)) => Some(Credentials::new(username.clone(), password.reveal().to_owned())),
            (None, None) => None,
            _ => return Err(wrong("username and password go together; give both or neither")),
        };
        let tls = if settings.security == Security::None { None } else { Some(tls(settings)?) };
        let endpoint = Endpoint {
            host: settings.host.clone(),
            port: settings.port,
            security: settings.security,
            tls,
            credentials,
            hello: ClientId::Domain(domain.clone()),
            connect_timeout: settings.timeout.min(Duration::from_secs(10)),
        };
        let pool = Pool::new(settings.concurrency);
        let seal = settings.bounce_secret.as_ref().map(Seal::new);
        Ok(Self { endpoint, from, bounces, seal, domain, pool, clock, concurrency: settings.concurrency, timeout: settings.timeout })
    }

    async fn call(&self, message: &Message) -> Outcome {
        let author = mail::author_of(message, &self.from);
        let mut mail = match message::build(message, &author, &self.domain, self.clock.now()) {
            Ok(mail) => mail,
            Err(outcome) => return outcome,
        };
        if let Some(seal) = &self.seal {
            mail.put_in_front(seal::HEADER, &seal.of(OurIds::of(message)));
        }
        let sender = self.bounces.as_ref().and_then(|bounces| return_path::of(bounces, message)).unwrap_or_else(|| author.email.clone());
        let begun = AtomicBool::new(false);
        tokio::select! {
            biased;
            outcome = self.deliver(&sender, &mail, &begun) => outcome,
            // The connection is dropped with the call: nobody reads the late reply.
            () = self.clock.sleep(self.timeout) => {
                let code = "no answer in time".to_owned();
                if begun.load(Ordering::Relaxed) { Outcome::Unknown { code } } else { Outcome::Retry { after: None, code } }
            }
        }
    }

    async fn deliver(&self, sender: &Address, mail: &message::Mail, begun: &AtomicBool) -> Outcome {
        loop {
            let (mut session, kept) = match self.pool.take(self.clock.monotonic()) {
                Some(session) => (session, true),
                None => match Session::open(&self.endpoint).await {
                    Ok(session) => (session, false),
                    Err(outcome) => return outcome,
                },
            };
            match session.send(sender, mail, begun).await {
                Sent::Verdict(outcome) => {
                    self.pool.put(session, self.clock.monotonic());
                    return outcome;
                }
                Sent::Last(outcome) => return outcome,
                // The next one; in the end a new one.
                Sent::Stale if kept => {}
                Sent::Stale => return Outcome::Retry { after: None, code: "connection closed".to_owned() },
            }
        }
    }

    async fn reach(&self) -> Result<(), Outcome> {
        let mut session = Session::open(&self.endpoint).await?;
        if session.is_alive().await { Ok(()) } else { Err(Outcome::Retry { after: None, code: "connection closed".to_owned() }) }
    }
}

fn tls(settings: &Settings) -> Result<TlsParameters, ProviderError> {
    let mut parameters = TlsParameters::builder(settings.host.clone());
    if let Some(pem) = &settings.ca_pem {
        // lettre takes a text without certificates for an empty list of them.
        let certificate = Some(pem).filter(|pem| pem.contains("-----BEGIN CERTIFICATE-----")).and_then(|pem| Certificate::from_pem(pem.as_bytes()).ok());
        let certificate = certificate.ok_or_else(|| ProviderError::settings("smtp", "ca_pem holds no certificates that can be read; give them as PEM"))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| ProviderError::settings("smtp", error))
}

impl Provider for Smtp {
    fn name(&self) -> &str {
        "smtp"
    }

    fn channel(&self) -> Channel {
        Channel::Email
    }

    fn concurrency(&self) -> usize {
        self.concurrency
    }

    fn send<'a>(&'a self, message: &'a Message) -> Call<'a> {
        Box::pin(self.call(message))
    }

    /// Connects, encrypts and logs in.
    fn check(&self) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + '_>> {
        Box::pin(async move {
            let reached = tokio::select! {
                reached = self.reach() => reached,
                () = self.clock.sleep(self.timeout) => return Err("the mail server does not answer in time".to_owned()),
            };
            match reached {
                Ok(()) => Ok(()),
                Err(Outcome::Misconfigured { code, .. }) => Err(format!("the mail server refuses us ({code}); check user name, password and security")),
                Err(Outcome::Retry { code, .. } | Outcome::Throttled { code, .. }) => {
                    Err(format!("the mail server cannot be used now ({code}); check host, port and certificate"))
                }
                Err(_) => Err("the mail server refuses the connection; check host, port and security".to_owned()),
            }
        })
    }
}
