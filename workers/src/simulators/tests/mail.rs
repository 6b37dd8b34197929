use lettre::message::Mailbox;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::*;

fn transport(sims: &RunningSimulators, tls: bool) -> AsyncSmtpTransport<Tokio1Executor> {
    let ca = Certificate::from_pem(sims.credentials.tls_ca_pem.as_bytes()).unwrap();
    let parameters = TlsParameters::builder("localhost".into()).add_root_certificate(ca);
    let tls = if tls { Tls::Required(parameters.build().unwrap()) } else { Tls::None };
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(sims.smtp.port())
        .tls(tls)
        .credentials(Credentials::new(sims.credentials.smtp_username.clone(), sims.credentials.smtp_password.clone()))
        .build()
}

/// Raw header lines would need a header type each; a raw message says what is sent.
fn raw(to: &str) -> (lettre::address::Envelope, Vec<u8>) {
    let envelope = lettre::address::Envelope::new(Some(format!("b+{NID}.mac@bounce.test").parse().unwrap()), vec![to.parse().unwrap()]);
    let text = format!(
        "Message-ID: <{NID}@acme.test>\r\nX-Bongsu-Notification: {NID}\r\nX-Bongsu-Delivery: 2\r\n\
         X-Bongsu-Attempt: 1\r\nSubject: hi\r\n\r\nline\r\n.starts with a dot\r\n"
    );
    (envelope.unwrap(), text.into_bytes())
}

async fn send(sims: &RunningSimulators, to: &str) -> Result<(), Option<u16>> {
    let (envelope, text) = raw(to);
    let sent = transport(sims, false).send_raw(&envelope, &text).await;
    sent.map(drop).map_err(|error| error.status().map(u16::from))
}

#[tokio::test]
async fn over_starttls_and_stored_without_stuffed_dots() {
    let sims = started().await;
    let (envelope, text) = raw("kim@example.org");
    let reply = transport(&sims, true).send_raw(&envelope, &text).await.unwrap();
    let entry = last(&sims);
    assert!(reply.message().any(|line| line.contains(entry.provider_id.as_deref().unwrap())));
    assert_eq!(entry.notification.as_deref(), Some(NID));
    assert_eq!((entry.delivery, entry.attempt, entry.status), (Some(2), Some(1), Some(250)));
    assert_eq!(entry.message_id, Some(format!("<{NID}@acme.test>")));
    let stored = sims.messages().latest(Provider::Smtp, 1).remove(0);
    let text = String::from_utf8(stored.raw.to_vec()).unwrap();
    assert!(text.contains("\r\n\r\nline\r\n.starts with a dot\r\n"), "{text}");
    assert_eq!(stored.address, "kim@example.org");
    sims.shutdown().await;
}

#[tokio::test]
async fn a_built_message_arrives() {
    let sims = started().await;
    let from: Mailbox = "Acme <a@acme.test>".parse().unwrap();
    let to: Mailbox = "kim@example.org".parse().unwrap();
    let mail = Mail::builder().from(from).to(to).subject("hi").body("text".to_owned()).unwrap();
    transport(&sims, true).send(mail).await.unwrap();
    assert!(last(&sims).delivered);
}

#[tokio::test]
async fn built_in_recipients() {
    let sims = started().await;
    for (to, code) in [
        ("bounce@x.test", 550),
        ("bounce+1@x.test", 550),
        ("nodomain@x.test", 550),
        ("disabled@x.test", 550),
        ("full@x.test", 452),
        ("quota@x.test", 552),
        ("throttle@x.test", 450),
        ("shutdown@x.test", 421),
        ("spam@x.test", 550),
        ("unauthenticated@x.test", 550),
        ("toolarge@x.test", 552),
        ("rcpt-451@x.test", 451),
        ("data-554@x.test", 554),
        ("dot-452@x.test", 452),
    ] {
        assert_eq!(send(&sims, to).await, Err(Some(code)), "{to}");
        let entry = last(&sims);
        assert_eq!((entry.status, entry.delivered), (Some(code), false), "{to}");
        assert_eq!(entry.notification.as_deref(), Some(NID), "{to}");
    }
    assert_eq!(send(&sims, "greylist@x.test").await, Err(Some(451)));
    assert_eq!(send(&sims, "greylist@x.test").await, Ok(()));
    for code in [451, 451] {
        assert_eq!(send(&sims, "flaky2@x.test").await, Err(Some(code)));
    }
    assert_eq!(send(&sims, "flaky2@x.test").await, Ok(()));
    assert_eq!(send(&sims, "slow10@x.test").await, Ok(()));
    assert_eq!(send(&sims, "fullerton@x.test").await, Ok(()));
}

#[tokio::test]
async fn lost_after_the_final_dot() {
    let sims = started().await;
    assert_eq!(send(&sims, "drop@x.test").await, Err(None));
    assert!(last(&sims).delivered);
    assert_eq!(send(&sims, "drop@x.test").await, Ok(()));
    assert!(last(&sims).duplicate);
    assert_eq!(send(&sims, "ghost@x.test").await, Err(Some(451)));
    assert!(last(&sims).delivered);
    assert_eq!(send(&sims, "reset@x.test").await, Err(None));
    assert!(!last(&sims).delivered);
}

#[tokio::test]
async fn rules_at_each_verb() {
    let sims = started().await;
    for stage in [SmtpStage::Greeting, SmtpStage::Ehlo, SmtpStage::Auth, SmtpStage::Mail, SmtpStage::Rcpt, SmtpStage::Data, SmtpStage::Dot] {
        let reason = "4.3.0 told to".to_owned();
        let error = Action::Error { status: 451, reason, retry_after: None, at: Some(stage) };
        sims.rules().add(Rule::all(Provider::Smtp, error));
        assert_eq!(send(&sims, "kim@x.test").await, Err(Some(451)), "{stage:?}");
        sims.rules().clear();
    }
    sims.rules().add(Rule::all(Provider::Smtp, Action::Outage));
    assert_eq!(send(&sims, "kim@x.test").await, Err(Some(421)));
}

#[tokio::test]
async fn wrong_password() {
    let sims = started().await;
    let wrong = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1")
        .port(sims.smtp.port())
        .credentials(Credentials::new("bongsu".into(), "guess".into()))
        .build();
    let (envelope, text) = raw("kim@x.test");
    let error = wrong.send_raw(&envelope, &text).await.unwrap_err();
    assert_eq!(error.status().map(u16::from), Some(535));
}

/// A conversation by hand.
struct Talk(BufReader<TcpStream>);

impl Talk {
    async fn start(sims: &RunningSimulators) -> Self {
        let mut talk = Self(BufReader::new(TcpStream::connect(sims.smtp).await.unwrap()));
        assert_eq!(talk.reply().await, 220);
        talk
    }

    async fn reply(&mut self) -> u16 {
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).await.unwrap() == 0 {
                return 0;
            }
            if line.as_bytes().get(3) == Some(&b' ') {
                return line[..3].parse().unwrap();
            }
        }
    }

    async fn say(&mut self, text: &str) -> u16 {
        self.0.write_all(text.as_bytes()).await.unwrap();
        self.reply().await
    }
}

async fn open(sims: &RunningSimulators) -> Talk {
    let mut talk = Talk::start(sims).await;
    assert_eq!(talk.say("EHLO me\r\n").await, 250);
    talk
}

#[tokio::test]
async fn smuggling_with_bare_newlines_is_refused() {
    let sims = started().await;
    sims.set_smtp_switches(SmtpSwitches { require_auth: false, ..Default::default() });
    let mut talk = open(&sims).await;
    assert_eq!(talk.say("MAIL FROM:<a@x.test>\r\n").await, 250);
    assert_eq!(talk.say("RCPT TO:<kim@x.test>\r\n").await, 250);
    assert_eq!(talk.say("DATA\r\n").await, 354);
    let smuggled = "Subject: one\r\n\r\ntext\n.\nMAIL FROM:<evil@x.test>\r\n.\r\n";
    assert_eq!(talk.say(smuggled).await, 550);
    assert!(!last(&sims).delivered);
    assert!(sims.messages().latest(Provider::Smtp, 10).is_empty());
    assert_eq!(talk.say("NOOP\n").await, 521);
    let mut rest = Vec::new();
    talk.0.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn pipelining_only_when_advertised() {
    let sims = started().await;
    sims.set_smtp_switches(SmtpSwitches { require_auth: false, ..Default::default() });
    let mut talk = open(&sims).await;
    let both = "MAIL FROM:<a@x.test>\r\nRCPT TO:<kim@x.test>\r\n";
    assert_eq!((talk.say(both).await, talk.reply().await), (250, 250));
    sims.set_smtp_switches(SmtpSwitches { require_auth: false, pipelining: false, ..Default::default() });
    let mut talk = open(&sims).await;
    assert_eq!((talk.say(both).await, talk.reply().await), (503, 0));
}

#[tokio::test]
async fn sequence_authentication_and_size() {
    let sims = started().await;
    let mut talk = Talk::start(&sims).await;
    assert_eq!(talk.say("MAIL FROM:<a@x.test>\r\n").await, 503);
    assert_eq!(talk.say("EHLO me\r\n").await, 250);
    assert_eq!(talk.say("MAIL FROM:<a@x.test>\r\n").await, 530);
    sims.set_smtp_switches(SmtpSwitches { require_tls: true, ..Default::default() });
    assert_eq!(talk.say("AUTH PLAIN AAAA\r\n").await, 530);
    sims.set_smtp_switches(SmtpSwitches { require_auth: false, max_size: 40, ..Default::default() });
    assert_eq!(talk.say("MAIL FROM:<a@x.test> SIZE=41\r\n").await, 552);
    assert_eq!(talk.say("MAIL FROM:<mail-451@x.test>\r\n").await, 451);
    assert_eq!(talk.say("MAIL FROM:<a@x.test>\r\n").await, 250);
    assert_eq!(talk.say("DATA\r\n").await, 503);
    assert_eq!(talk.say("MAIL FROM:<a@x.test>\r\n").await, 250);
    assert_eq!(talk.say("RCPT TO:<nobody>\r\n").await, 501);
    assert_eq!(talk.say("RCPT TO:<kim@x.test>\r\n").await, 250);
    assert_eq!(talk.say("DATA\r\n").await, 354);
    assert_eq!(talk.say(&format!("{}\r\n.\r\n", "x".repeat(50))).await, 552);
    assert_eq!(talk.say("HELP\r\n").await, 502);
    assert_eq!(talk.say("QUIT\r\n").await, 221);
}
