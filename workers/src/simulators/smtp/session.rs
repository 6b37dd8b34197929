//! One SMTP session: greeting, encryption, authentication, and which command comes next.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::ledger::Provider;
use super::super::rules::{Action, Fault, SmtpStage};
use super::replies::Refused;
use super::transaction::{Recipient, data, mail, rcpt};
use super::wire::{Ended, Wire};
use super::{SmtpSimulator, SmtpSwitches};

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) greeted: bool,
    pub(super) secure: bool,
    pub(super) authenticated: bool,
    pub(super) sender: Option<String>,
    pub(super) recipients: Vec<Recipient>,
}

impl State {
    fn clear_transaction(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }
}

pub(super) async fn run(server: &SmtpSimulator, mut wire: Wire) -> Result<(), Ended> {
    let greeting = verb_fault(server, SmtpStage::Greeting).await;
    if let Some(refused) = greeting {
        wire.reply(&refused.line()).await?;
        return Err(Ended);
    }
    wire.reply("220 simulator.bongsu.test ESMTP").await?;
    let mut state = State::default();
    loop {
        let line = wire.line().await?;
        let switches = server.world.smtp_switches();
        if line.bare {
            wire.reply("521 5.5.2 Error: bare <CR> or <LF> received").await?;
            return Err(Ended);
        }
        if wire.has_more() && !switches.pipelining {
            wire.reply("503 5.5.0 Error: SMTP protocol synchronization").await?;
            return Err(Ended);
        }
        let (verb, argument) = line.text.split_once(' ').unwrap_or((&line.text, ""));
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" | "HELO" => ehlo(server, &mut wire, &mut state, switches, verb).await?,
            "STARTTLS" if switches.starttls && !state.secure => {
                wire.reply("220 2.0.0 Ready to start TLS").await?;
                wire = wire.secured(&server.tls).await?;
                // Everything learnt in clear is forgotten, the greeting too (RFC 3207 section 4.2).
                state = State { secure: true, ..State::default() };
            }
            "AUTH" => auth(server, &mut wire, &mut state, switches, argument).await?,
            "MAIL" => mail(server, &mut wire, &mut state, switches, argument).await?,
            "RCPT" => rcpt(server, &mut wire, &mut state, argument).await?,
            "DATA" => data(server, &mut wire, &mut state, switches).await?,
            "RSET" => {
                state.clear_transaction();
                wire.reply("250 2.0.0 Ok").await?;
            }
            "NOOP" => wire.reply("250 2.0.0 Ok").await?,
            "VRFY" => wire.reply("252 2.0.0 Send some mail, I'll try my best").await?,
            "QUIT" => {
                wire.reply("221 2.0.0 Bye").await?;
                return Ok(());
            }
            _ => wire.reply("502 5.5.2 Error: command not recognized").await?,
        }
    }
}

/// An error or outage rule for a verb without an address.
async fn verb_fault(server: &SmtpSimulator, stage: SmtpStage) -> Option<Refused> {
    let fate = server.world.rules.ruled(Provider::Smtp, "", |action| match action {
        Action::Error { at, .. } => *at == Some(stage),
        Action::Outage => stage == SmtpStage::Greeting,
        _ => false,
    });
    match fate.wait().await? {
        Fault::Error { status, reason, .. } => Some(Refused::new(status, &reason)),
        _ => Some(Refused::new(421, "4.3.2 Service not available")),
    }
}

/// Sends a refusal; 421 ends the session.
pub(super) async fn refuse(wire: &mut Wire, refused: &Refused) -> Result<(), Ended> {
    wire.reply(&refused.line()).await?;
    if refused.code == 421 { Err(Ended) } else { Ok(()) }
}

async fn ehlo(server: &SmtpSimulator, wire: &mut Wire, state: &mut State, switches: SmtpSwitches, verb: &str) -> Result<(), Ended> {
    if let Some(refused) = verb_fault(server, SmtpStage::Ehlo).await {
        return refuse(wire, &refused).await;
    }
    state.greeted = true;
    state.clear_transaction();
    if verb.eq_ignore_ascii_case("HELO") {
        return wire.reply("250 simulator.bongsu.test").await;
    }
    let mut lines = vec!["simulator.bongsu.test".to_owned(), format!("SIZE {}", switches.max_size)];
    if switches.pipelining {
        lines.push("PIPELINING".into());
    }
    if switches.starttls && !state.secure {
        lines.push("STARTTLS".into());
    }
    if state.secure || !switches.require_tls {
        lines.push("AUTH PLAIN LOGIN".into());
    }
    lines.extend(["8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"].map(String::from));
    let last = lines.len() - 1;
    let text: Vec<_> = lines.iter().enumerate().map(|(index, line)| format!("250{}{line}", if index == last { ' ' } else { '-' })).collect();
    wire.reply(&text.join("\r\n")).await
}

async fn auth(server: &SmtpSimulator, wire: &mut Wire, state: &mut State, switches: SmtpSwitches, argument: &str) -> Result<(), Ended> {
    if switches.require_tls && !state.secure {
        return wire.reply("530 5.7.0 Must issue a STARTTLS command first").await;
    }
    if !state.greeted || state.authenticated {
        return wire.reply("503 5.5.1 Error: bad sequence of commands").await;
    }
    if let Some(refused) = verb_fault(server, SmtpStage::Auth).await {
        return refuse(wire, &refused).await;
    }
    let (mechanism, initial) = argument.split_once(' ').unwrap_or((argument, ""));
    let (username, password) = match mechanism.to_ascii_uppercase().as_str() {
        "PLAIN" => {
            let answer = answer_or(wire, initial, "334 ").await?;
            // authorization id, user name and password, separated by NUL (RFC 4616).
            let mut parts = answer.split(|byte| *byte == 0).skip(1).map(<[u8]>::to_vec);
            (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
        }
        "LOGIN" => {
            let username = answer_or(wire, initial, "334 VXNlcm5hbWU6").await?;
            (username, answer_or(wire, "", "334 UGFzc3dvcmQ6").await?)
        }
        _ => {
            return wire.reply("504 5.5.4 Unrecognized authentication type").await;
        }
    };
    let same = |a: &[u8], b: &str| aws_lc_rs::constant_time::verify_slices_are_equal(a, b.as_bytes()).is_ok();
    if same(&username, &server.username) & same(&password, &server.password) {
        state.authenticated = true;
        wire.reply("235 2.7.0 Authentication successful").await
    } else {
        wire.reply("535 5.7.8 Error: authentication failed").await
    }
}

/// The initial response, or the answer to a challenge; malformed base64 counts as empty.
async fn answer_or(wire: &mut Wire, initial: &str, challenge: &str) -> Result<Vec<u8>, Ended> {
    if !initial.is_empty() {
        return Ok(STANDARD.decode(initial).unwrap_or_default());
    }
    wire.reply(challenge).await?;
    let line = wire.line().await?;
    Ok(STANDARD.decode(line.text.trim()).unwrap_or_default())
}
