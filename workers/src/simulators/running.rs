//! Starting and stopping all simulators.

use std::net::SocketAddr;
use std::sync::Arc;

use rcgen::PublicKeyData;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::apns::ApnsSimulator;
use super::clock::SimClock;
use super::config::{SimulatorError, SimulatorsConfig};
use super::credentials::{KeyRing, StateDir, TestCredentials};
use super::fcm::{FcmSimulator, TokenEndpoint};
use super::http::{HttpSimulator, Versions, accept, serve};
use super::kakao_talk::KakaoTalkSimulator;
use super::ledger::{Ledger, file};
use super::list::{Places, bind_all};
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
    /// Where each listens.
    pub at: Places<SocketAddr>,
    /// What clients need to authenticate.
    pub credentials: TestCredentials,
    world: Arc<World>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

/// By their names: `simulators.fcm` is where FCM listens.
impl std::ops::Deref for RunningSimulators {
    type Target = Places<SocketAddr>;

    fn deref(&self) -> &Self::Target {
        &self.at
    }
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
        None => (KeyRing::generate()?, Places::default(), 0),
    };
    let (listeners, at) = bind_all(config.at, last).await?;
    let credentials = keys.credentials(at.fcm);
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let world = Arc::new(World::new(config.seed, last_seq, &keys));
    if let Some(state) = &state {
        state.save(&keys, &credentials, at.map(|address| address.port()))?;
        let folder = state.path().to_owned();
        tracker.spawn(file::write(world.ledger.clone(), folder, last_seq, stop.clone()));
    }

    let (calling, stopped) = (Arc::clone(&world), stop.clone());
    tracker.spawn(async move { calling.callbacks.run(stopped).await });

    let tokens = TokenEndpoint::new(Arc::clone(&world), keys.fcm.der_bytes().to_vec(), format!("http://{}/token", at.fcm));
    let http = Http { tracker: tracker.clone(), stop: stop.clone() };
    http.serve_either(listeners.fcm, FcmSimulator::new(Arc::clone(&world), tokens), TlsAcceptor::from(keys.authority.server_config(&[b"h2", b"http/1.1"])?));
    http.serve(listeners.webhook, WebhookSimulator::new(Arc::clone(&world), &keys.webhook_secret));
    http.serve(listeners.twilio, TwilioSimulator::new(Arc::clone(&world), &keys.twilio_token));
    http.serve(listeners.web_push, WebPushSimulator::new(Arc::clone(&world), &keys.browser, &keys.vapid.public)?);
    http.serve(listeners.slack, SlackSimulator::new(Arc::clone(&world)));
    http.serve(listeners.vonage, VonageSimulator::new(Arc::clone(&world), &keys.vonage_secret));
    http.serve(listeners.twilio_voice, TwilioVoiceSimulator::new(Arc::clone(&world), &keys.twilio_token));
    http.serve(listeners.sendgrid, SendgridSimulator::new(Arc::clone(&world), &keys.sendgrid_key));
    http.serve(listeners.mailgun, MailgunSimulator::new(Arc::clone(&world), &keys.mailgun_key));
    http.serve(listeners.kakao_talk, KakaoTalkSimulator::new(Arc::clone(&world), &keys.kakao_secret));

    let simulator = Arc::new(ApnsSimulator::new(Arc::clone(&world), keys.apns.der_bytes().to_vec(), &credentials));
    let acceptor = TlsAcceptor::from(keys.authority.server_config(&[b"h2"])?);
    let clear = Arc::clone(&simulator);
    tracker.spawn(accept(listeners.apns, tracker.clone(), stop.clone(), move |socket| Arc::clone(&simulator).secure(acceptor.clone(), socket)));
    tracker.spawn(accept(listeners.apns_cleartext, tracker.clone(), stop.clone(), move |socket| Arc::clone(&clear).cleartext(socket)));

    let acceptor = TlsAcceptor::from(keys.authority.server_config(&[])?);
    let simulator = Arc::new(SmtpSimulator::new(Arc::clone(&world), acceptor, &credentials));
    tracker.spawn(accept(listeners.smtp, tracker.clone(), stop.clone(), move |socket| Arc::clone(&simulator).session(socket)));

    let router = admin::router(Arc::clone(&world), credentials.clone());
    let stopped = stop.clone().cancelled_owned();
    tracker.spawn(async move {
        // Graceful shutdown waits for idle keep-alive connections; cancellation must not.
        tokio::select! {
            () = stopped => {}
            _ = axum::serve(listeners.admin, router) => {}
        }
    });
    Ok(RunningSimulators { at, credentials, world, tracker, stop })
}

/// What TLS begins with (RFC 8446 section 5.1).
const HANDSHAKE: u8 = 22;

/// Those that speak plain HTTP.
struct Http {
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Http {
    fn serve<S: HttpSimulator<Connection = ()>>(&self, listener: TcpListener, simulator: S) {
        let simulator = Arc::new(simulator);
        let connected = move |socket| serve(Arc::clone(&simulator), (), socket, Versions::Both);
        self.tracker.spawn(accept(listener, self.tracker.clone(), self.stop.clone(), connected));
    }
}

impl Http {
    /// Over TLS too, on the same port: a client's first byte tells.
    fn serve_either<S: HttpSimulator<Connection = ()>>(&self, listener: TcpListener, simulator: S, acceptor: TlsAcceptor) {
        let simulator = Arc::new(simulator);
        let connected = move |socket: TcpStream| {
            let (simulator, acceptor) = (Arc::clone(&simulator), acceptor.clone());
            async move {
                let mut first = [0];
                if socket.peek(&mut first).await.is_ok() && first == [HANDSHAKE] {
                    // A client that does not trust the test authority ends here; that is its error to report.
                    if let Ok(stream) = acceptor.accept(socket).await {
                        serve(simulator, (), stream, Versions::Both).await;
                    }
                } else {
                    serve(simulator, (), socket, Versions::Both).await;
                }
            }
        };
        self.tracker.spawn(accept(listener, self.tracker.clone(), self.stop.clone(), connected));
    }
}

/// Binds the wanted address; for port 0 first the port of the last start, so that a restart keeps it.
pub(super) async fn bind(name: &'static str, wanted: SocketAddr, last_port: u16) -> Result<(TcpListener, SocketAddr), SimulatorError> {
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
