//! Starting and stopping all simulators.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::PublicKeyData;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::apns::ApnsSimulator;
use super::clock::SimClock;
use super::config::{SimulatorError, SimulatorsConfig};
use super::credentials::{KeyRing, Ports, StateDir, TestCredentials};
use super::fcm::{FcmSimulator, TokenEndpoint};
use super::http::{Versions, accept, serve};
use super::ledger::{Ledger, file};
use super::mailgun::MailgunSimulator;
use super::messages::Messages;
use super::rules::Rules;
use super::sendgrid::SendgridSimulator;
use super::slack::SlackSimulator;
use super::smtp::{SmtpSimulator, SmtpSwitches};
use super::twilio::TwilioSimulator;
use super::twilio_voice::TwilioVoiceSimulator;
use super::vonage::VonageSimulator;
use super::web_push::WebPushSimulator;
use super::webhook::WebhookSimulator;
use super::{World, admin};

/// The running simulators. Dropping this without [`RunningSimulators::shutdown`] leaves them running until the
/// runtime ends.
pub struct RunningSimulators {
    /// FCM, HTTP/1.1 and h2c.
    pub fcm: SocketAddr,
    /// APNs over TLS.
    pub apns: SocketAddr,
    /// APNs without TLS.
    pub apns_cleartext: SocketAddr,
    /// SMTP submission.
    pub smtp: SocketAddr,
    /// Webhook receiver.
    pub webhook: SocketAddr,
    /// Twilio.
    pub twilio: SocketAddr,
    /// The browsers' push service.
    pub web_push: SocketAddr,
    /// Slack.
    pub slack: SocketAddr,
    /// Vonage.
    pub vonage: SocketAddr,
    /// Twilio Voice.
    pub twilio_voice: SocketAddr,
    /// SendGrid.
    pub sendgrid: SocketAddr,
    /// Mailgun.
    pub mailgun: SocketAddr,
    /// Administration.
    pub admin: SocketAddr,
    /// What clients need to authenticate.
    pub credentials: TestCredentials,
    world: Arc<World>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl RunningSimulators {
    /// Closes every connection and waits until all tasks have ended and the ledger file is written.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// The ledger, shared.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.world.ledger.clone()
    }

    /// The rules, shared.
    #[must_use]
    pub fn rules(&self) -> Rules {
        self.world.rules.clone()
    }

    /// The last received messages, shared.
    #[must_use]
    pub fn messages(&self) -> Messages {
        self.world.messages.clone()
    }

    /// Changes what the SMTP server offers and insists on.
    pub fn set_smtp_switches(&self, switches: SmtpSwitches) {
        self.world.set_smtp_switches(switches);
    }

    /// The simulators' clock, shared.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        self.world.clock.clone()
    }
}

/// Binds all addresses, prepares credentials and serves until shutdown.
///
/// # Errors
/// An address that is taken or not loopback, or a state folder that cannot be used.
pub async fn start(config: SimulatorsConfig) -> Result<RunningSimulators, SimulatorError> {
    let state = config.state_dir.clone().map(StateDir::open).transpose()?;
    let (keys, last, last_seq) = match &state {
        Some(state) => (state.keys()?, state.ports()?, file::last_seq(state.path())?),
        None => (KeyRing::generate()?, Ports::default(), 0),
    };
    let (fcm_listener, fcm) = bind("fcm", config.fcm, last.fcm).await?;
    let (apns_listener, apns) = bind("apns", config.apns, last.apns).await?;
    let (clear_listener, apns_cleartext) = bind("apns-cleartext", config.apns_cleartext, last.apns_cleartext).await?;
    let (smtp_listener, smtp) = bind("smtp", config.smtp, last.smtp).await?;
    let (webhook_listener, webhook) = bind("webhook", config.webhook, last.webhook).await?;
    let (twilio_listener, twilio) = bind("twilio", config.twilio, last.twilio).await?;
    let (web_push_listener, web_push) = bind("web_push", config.web_push, last.web_push).await?;
    let (slack_listener, slack) = bind("slack", config.slack, last.slack).await?;
    let (vonage_listener, vonage) = bind("vonage", config.vonage, last.vonage).await?;
    let (twilio_voice_listener, twilio_voice) = bind("twilio_voice", config.twilio_voice, last.twilio_voice).await?;
    let (sendgrid_listener, sendgrid) = bind("sendgrid", config.sendgrid, last.sendgrid).await?;
    let (mailgun_listener, mailgun) = bind("mailgun", config.mailgun, last.mailgun).await?;
    let (admin_listener, admin) = bind("admin", config.admin, last.admin).await?;
    let credentials = keys.credentials(fcm);
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let world = Arc::new(World::new(config.seed, last_seq, &keys));
    if let Some(state) = &state {
        let ports = Ports {
            fcm: fcm.port(),
            apns: apns.port(),
            apns_cleartext: apns_cleartext.port(),
            smtp: smtp.port(),
            webhook: webhook.port(),
            twilio: twilio.port(),
            web_push: web_push.port(),
            slack: slack.port(),
            vonage: vonage.port(),
            twilio_voice: twilio_voice.port(),
            sendgrid: sendgrid.port(),
            mailgun: mailgun.port(),
            admin: admin.port(),
        };
        state.save(&keys, &credentials, ports)?;
        let folder = state.path().to_owned();
        tracker.spawn(file::write(world.ledger.clone(), folder, last_seq, stop.clone()));
    }

    let (calling, stopped) = (Arc::clone(&world), stop.clone());
    tracker.spawn(async move { calling.callbacks.run(stopped).await });

    let tokens = TokenEndpoint::new(Arc::clone(&world), keys.fcm.der_bytes().to_vec(), format!("http://{fcm}/token"));
    let simulator = Arc::new(FcmSimulator::new(Arc::clone(&world), tokens));
    tracker.spawn(accept(fcm_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(WebhookSimulator::new(Arc::clone(&world), &keys.webhook_secret));
    tracker.spawn(accept(webhook_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(TwilioSimulator::new(Arc::clone(&world), &keys.twilio_token));
    tracker.spawn(accept(twilio_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(WebPushSimulator::new(Arc::clone(&world), &keys.browser, &keys.vapid.public)?);
    tracker.spawn(accept(web_push_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(SlackSimulator::new(Arc::clone(&world)));
    tracker.spawn(accept(slack_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(VonageSimulator::new(Arc::clone(&world), &keys.vonage_secret));
    tracker.spawn(accept(vonage_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(TwilioVoiceSimulator::new(Arc::clone(&world), &keys.twilio_token));
    tracker.spawn(accept(twilio_voice_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(SendgridSimulator::new(Arc::clone(&world), &keys.sendgrid_key));
    tracker.spawn(accept(sendgrid_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(MailgunSimulator::new(Arc::clone(&world), &keys.mailgun_key));
    tracker.spawn(accept(mailgun_listener, tracker.clone(), stop.clone(), move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both)));

    let simulator = Arc::new(ApnsSimulator::new(Arc::clone(&world), keys.apns.der_bytes().to_vec(), &credentials));
    let acceptor = TlsAcceptor::from(keys.authority.server_config(&[b"h2"])?);
    let clear = Arc::clone(&simulator);
    tracker.spawn(accept(apns_listener, tracker.clone(), stop.clone(), move |socket| Arc::clone(&simulator).secure(acceptor.clone(), socket)));
    tracker.spawn(accept(clear_listener, tracker.clone(), stop.clone(), move |socket| Arc::clone(&clear).cleartext(socket)));

    let acceptor = TlsAcceptor::from(keys.authority.server_config(&[])?);
    let simulator = Arc::new(SmtpSimulator::new(Arc::clone(&world), acceptor, &credentials));
    tracker.spawn(accept(smtp_listener, tracker.clone(), stop.clone(), move |socket| Arc::clone(&simulator).session(socket)));

    let router = admin::router(Arc::clone(&world), credentials.clone());
    let stopped = stop.clone().cancelled_owned();
    tracker.spawn(async move {
        // Graceful shutdown waits for idle keep-alive connections; cancellation must not.
        tokio::select! {
            () = stopped => {}
            _ = axum::serve(admin_listener, router) => {}
        }
    });
    Ok(RunningSimulators {
        fcm,
        apns,
        apns_cleartext,
        smtp,
        webhook,
        twilio,
        web_push,
        slack,
        vonage,
        twilio_voice,
        sendgrid,
        mailgun,
        admin,
        credentials,
        world,
        tracker,
        stop,
    })
}

/// Binds the wanted address; for port 0 first the port of the last start, so that a restart keeps it.
async fn bind(name: &'static str, wanted: SocketAddr, last_port: u16) -> Result<(TcpListener, SocketAddr), SimulatorError> {
    if !wanted.ip().is_loopback() {
        return Err(SimulatorError::NotLoopback { name, address: wanted });
    }
    let failed = |source| SimulatorError::Bind { name, address: wanted, source };
    let again = SocketAddr::new(wanted.ip(), last_port);
    let listener = match (wanted.port(), last_port) {
        (0, 1..) => match TcpListener::bind(again).await {
            Ok(listener) => listener,
            Err(_) => TcpListener::bind(wanted).await.map_err(failed)?,
        },
        _ => TcpListener::bind(wanted).await.map_err(failed)?,
    };
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}
