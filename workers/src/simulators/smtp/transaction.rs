//! One mail transaction: MAIL, RCPT and DATA, and what the ledger says about it.

use std::future::pending;
use std::time::Duration;

use bytes::Bytes;

use super::super::ledger::{Arrival, Ending, MailIds, Provider, ProviderId, Verdict, queue_id, sha256};
use super::super::messages::Message;
use super::super::rules::{Fault, SmtpStage};
use super::message::{Ids, declared_size, envelope_notification, ids, path, wrong_ways_out};
use super::replies::{AtRcpt, Refused, at_rcpt, refusal_at};
use super::session::{State, refuse};
use super::wire::{Ended, Wire};
use super::{SmtpSimulator, SmtpSwitches};

/// RFC 5321 section 4.5.3.1.8 asks for at least this many.
const MAX_RECIPIENTS: usize = 100;

#[derive(Debug)]
pub(super) struct Recipient {
    address: String,
    fault: Option<Fault>,
    delay: Option<Duration>,
}

pub(super) async fn mail(server: &SmtpSimulator, wire: &mut Wire, state: &mut State, switches: SmtpSwitches, argument: &str) -> Result<(), Ended> {
    if !state.greeted || state.sender.is_some() {
        return wire.reply("503 5.5.1 Error: bad sequence of commands").await;
    }
    if switches.require_tls && !state.secure {
        return wire.reply("530 5.7.0 Must issue a STARTTLS command first").await;
    }
    if switches.require_auth && !state.authenticated {
        return wire.reply("530 5.7.0 Authentication required").await;
    }
    let Some(sender) = path(argument, "FROM:") else {
        return wire.reply("501 5.5.4 Syntax: MAIL FROM:<address>").await;
    };
    if declared_size(argument).is_some_and(|size| size > switches.max_size) {
        return wire.reply("552 5.3.4 Message size exceeds fixed limit").await;
    }
    if let Some(Fault::Error { status, reason, .. }) = server.world.rules.sender_fate(sender).wait().await {
        return refuse(wire, &Refused::new(status, &reason)).await;
    }
    state.sender = Some(sender.to_owned());
    wire.reply("250 2.1.0 Ok").await
}

pub(super) async fn rcpt(server: &SmtpSimulator, wire: &mut Wire, state: &mut State, argument: &str) -> Result<(), Ended> {
    let Some(sender) = state.sender.as_deref() else {
        return wire.reply("503 5.5.1 Error: need MAIL command").await;
    };
    let address = match path(argument, "TO:") {
        Some(address) if address.contains('@') => address.to_owned(),
        _ => return wire.reply("501 5.1.3 Bad recipient address syntax").await,
    };
    if state.recipients.len() >= MAX_RECIPIENTS {
        return wire.reply("452 4.5.3 Error: too many recipients").await;
    }
    let known = Ids { notification: envelope_notification(sender), ..Ids::default() };
    let fate = server.world.rules.fate(Provider::Smtp, &address);
    let note = |verdict, status, reason: &str| {
        let arrival = arrival(&known, &address, b"");
        let provider_id = ProviderId::None;
        let ending = Ending { verdict, delivered: false, status, reason, provider_id };
        server.world.ledger.record(arrival, ending);
    };
    match at_rcpt(fate.fault) {
        AtRcpt::Take(fault) => {
            state.recipients.push(Recipient { address, fault, delay: fate.delay });
            wire.reply("250 2.1.5 Ok").await
        }
        AtRcpt::Refuse(refused) => {
            note(refused.verdict, refused.code, &refused.text);
            refuse(wire, &refused).await
        }
        AtRcpt::Garbage => {
            note(Verdict::Garbage, 0, "garbage");
            wire.reply("<html><body>It works!</body></html>").await?;
            Err(Ended)
        }
        AtRcpt::Silent { hang } => {
            note(Verdict::Dropped, 0, if hang { "hang" } else { "reset" });
            if hang { pending().await } else { Err(Ended) }
        }
    }
}

pub(super) async fn data(server: &SmtpSimulator, wire: &mut Wire, state: &mut State, switches: SmtpSwitches) -> Result<(), Ended> {
    let (Some(sender), false) = (state.sender.take(), state.recipients.is_empty()) else {
        return wire.reply("503 5.5.1 Error: need RCPT command").await;
    };
    let recipients = std::mem::take(&mut state.recipients);
    let refusal = |stage| recipients.iter().find_map(|one| refusal_at(one.fault.as_ref(), stage));
    if let Some(refused) = refusal(SmtpStage::Data) {
        let known = Ids { notification: envelope_notification(&sender), ..Ids::default() };
        record_all(server, &recipients, &known, b"", &Outcome::refused(&refused));
        return refuse(wire, &refused).await;
    }
    wire.reply("354 End data with <CR><LF>.<CR><LF>").await?;
    let data = wire.data(switches.max_size).await?;
    let known = ids(&data.bytes);
    let refused = if data.bare {
        Some(Refused::new(550, "5.5.2 Error: bare <CR> or <LF> received"))
    } else if data.too_big {
        Some(Refused::new(552, "5.3.4 Message size exceeds fixed limit"))
    } else if let Some(wrong) = wrong_ways_out(&data.bytes) {
        Some(Refused::new(550, &format!("5.7.1 {wrong}")))
    } else {
        refusal(SmtpStage::Dot)
    };
    if let Some(delay) = recipients.iter().filter_map(|one| one.delay).max() {
        super::super::clock::pause(delay).await;
    }
    if let Some(refused) = refused {
        record_all(server, &recipients, &known, &data.bytes, &Outcome::refused(&refused));
        return refuse(wire, &refused).await;
    }
    let after = recipients.iter().find_map(|one| one.fault.clone());
    let queue = server.world.next_queue_number();
    let (verdict, status, reason) = match &after {
        Some(Fault::AcceptThenDrop) => (Verdict::Dropped, 0, "accept_then_drop"),
        Some(_) => (Verdict::Unavailable, 451, "unavailable_after_delivery"),
        None => (Verdict::Accepted, 250, ""),
    };
    let outcome = Outcome { verdict, status, reason, queue: Some(queue) };
    let seq = record_all(server, &recipients, &known, &data.bytes, &outcome);
    let addresses: Vec<_> = recipients.into_iter().map(|one| one.address).collect();
    let message = Message { seq, address: addresses.join(","), sender, raw: Bytes::from(data.bytes) };
    server.world.messages.push(Provider::Smtp, message);
    match after {
        Some(Fault::AcceptThenDrop) => Err(Ended),
        Some(_) => wire.reply("451 4.3.0 Temporary failure, please try again later").await,
        None => wire.reply(&format!("250 2.0.0 Ok: queued as {}", queue_id(queue))).await,
    }
}

struct Outcome<'a> {
    verdict: Verdict,
    status: u16,
    reason: &'a str,
    /// Number in the queue when the message was delivered.
    queue: Option<u64>,
}

impl<'a> Outcome<'a> {
    fn refused(refused: &'a Refused) -> Self {
        Self { verdict: refused.verdict, status: refused.code, reason: &refused.text, queue: None }
    }
}

/// One entry per recipient; returns the position of the first.
fn record_all(server: &SmtpSimulator, recipients: &[Recipient], known: &Ids, body: &[u8], outcome: &Outcome<'_>) -> u64 {
    let mut first = None;
    for recipient in recipients {
        let provider_id = outcome.queue.map_or(ProviderId::None, |queue| {
            let message_id = known.message_id.clone();
            ProviderId::Mail(Box::new(MailIds { queue, message_id }))
        });
        let ending = Ending { verdict: outcome.verdict, delivered: outcome.queue.is_some(), status: outcome.status, reason: outcome.reason, provider_id };
        let seq = server.world.ledger.record(arrival(known, &recipient.address, body), ending);
        first.get_or_insert(seq);
    }
    first.unwrap_or_default()
}

fn arrival(known: &Ids, address: &str, body: &[u8]) -> Arrival {
    Arrival {
        provider: Provider::Smtp,
        notification: known.notification.clone(),
        delivery: known.delivery,
        attempt: known.attempt,
        address_hash: sha256(address.as_bytes()),
        body_sha256: sha256(body),
    }
}
