//! The state folder: keys and addresses of earlier starts.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use rcgen::KeyPair;

use super::super::config::SimulatorError;
use super::super::list::Places;
use super::super::tls::TestAuthority;
use super::{Browser, KeyRing, TestCredentials, broken};
use crate::providers::web_push::VapidKeys;

/// A folder that exists.
#[derive(Debug, Clone)]
pub(crate) struct StateDir(PathBuf);

impl StateDir {
    pub(crate) fn open(path: PathBuf) -> std::io::Result<Self> {
        std::fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The keys of an earlier start, or new ones.
    pub(crate) fn keys(&self) -> Result<KeyRing, SimulatorError> {
        let (
            Some(account),
            Some(apns),
            Some(ca),
            Some(ca_key),
            Some(webhook),
            Some(smtp),
            Some(twilio),
            Some(vonage),
            Some(vapid),
            Some(browser),
            Some(sendgrid),
            Some(mailgun),
            Some(kakao),
        ) = (
            self.read("fcm.json")?,
            self.read("apns.p8")?,
            self.read("ca.pem")?,
            self.read("ca.key")?,
            self.read("webhook.secret")?,
            self.read("smtp.password")?,
            self.read("twilio.token")?,
            self.read("vonage.secret")?,
            self.read("vapid.key")?,
            self.read("browser.key")?,
            self.read("sendgrid.key")?,
            self.read("mailgun.key")?,
            self.read("kakao.secret")?,
        )
        else {
            return KeyRing::generate();
        };
        let account: serde_json::Value = serde_json::from_str(&account).map_err(broken)?;
        let key = account["private_key"].as_str().unwrap_or_default();
        Ok(KeyRing {
            fcm: KeyPair::from_pem(key).map_err(broken)?,
            apns: KeyPair::from_pem(&apns).map_err(broken)?,
            authority: TestAuthority::from_pem(ca, &ca_key)?,
            smtp_password: smtp.trim().to_owned(),
            webhook_secret: webhook.trim().to_owned(),
            twilio_token: twilio.trim().to_owned(),
            vonage_secret: vonage.trim().to_owned(),
            vapid: VapidKeys::of_private(vapid.trim()).ok_or_else(|| broken("vapid.key is not a key"))?,
            browser: Browser::of_text(&browser)?,
            sendgrid_key: sendgrid.trim().to_owned(),
            mailgun_key: mailgun.trim().to_owned(),
            kakao_secret: kakao.trim().to_owned(),
        })
    }

    /// Ports of the last start, tried again when the configuration leaves them open.
    pub(crate) fn ports(&self) -> Result<Places<u16>, SimulatorError> {
        let text = self.read("addresses.json")?.unwrap_or_default();
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    pub(crate) fn save(&self, keys: &KeyRing, credentials: &TestCredentials, ports: Places<u16>) -> Result<(), SimulatorError> {
        self.write("fcm.json", &credentials.fcm_service_account_json)?;
        self.write("apns.p8", &credentials.apns_key_pem)?;
        self.write("ca.pem", &credentials.tls_ca_pem)?;
        self.write("ca.key", &keys.authority.key_pem())?;
        self.write("webhook.secret", &credentials.webhook_secret)?;
        self.write("smtp.password", &credentials.smtp_password)?;
        self.write("twilio.token", &credentials.twilio_auth_token)?;
        self.write("vonage.secret", &credentials.vonage_api_secret)?;
        self.write("vapid.key", &credentials.vapid_private_key)?;
        self.write("browser.key", &keys.browser.text())?;
        self.write("sendgrid.key", &credentials.sendgrid_api_key)?;
        self.write("mailgun.key", &credentials.mailgun_api_key)?;
        self.write("kakao.secret", &credentials.kakao_secret_key)?;
        self.write("addresses.json", &serde_json::to_string_pretty(&ports).map_err(broken)?)?;
        Ok(())
    }

    fn read(&self, name: &str) -> std::io::Result<Option<String>> {
        match std::fs::read_to_string(self.0.join(name)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file in one step, so that a server starting meanwhile never reads half of it.
    fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        let fresh = self.0.join(format!("{name}.new"));
        let mut options = std::fs::OpenOptions::new();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&fresh)?.write_all(text.as_bytes())?;
        std::fs::rename(fresh, self.0.join(name))
    }
}
