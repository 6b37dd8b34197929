//! Reply texts, and what a fault means at RCPT.

use super::super::ledger::Verdict;
use super::super::rules::{Fault, SmtpStage};

/// A refusal of one recipient or message.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: u16,
    pub(super) text: String,
    pub(super) verdict: Verdict,
}

impl Refused {
    pub(super) fn new(code: u16, reason: &str) -> Self {
        let text = if reason.is_empty() { format!("{}.0.0 Simulated error", code / 100) } else { reason.to_owned() };
        let verdict = if code == 421 { Verdict::Unavailable } else { Verdict::Rejected };
        Self { code, text, verdict }
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.code, self.text)
    }
}

/// What happens to a recipient.
#[derive(Debug)]
pub(super) enum AtRcpt {
    /// Taken; the fault, if any, acts later.
    Take(Option<Fault>),
    Refuse(Refused),
    /// Close or hang without a reply.
    Silent {
        hang: bool,
    },
    /// Something that is not SMTP.
    Garbage,
}

pub(super) fn at_rcpt(fault: Option<Fault>) -> AtRcpt {
    match fault {
        None | Some(Fault::AcceptThenLose | Fault::DeliverTwice) => AtRcpt::Take(None),
        Some(Fault::Error { status, reason, at: SmtpStage::Rcpt, .. }) => AtRcpt::Refuse(Refused::new(status, &reason)),
        Some(later @ (Fault::Error { .. } | Fault::AcceptThenDrop | Fault::UnavailableAfterDelivery)) => AtRcpt::Take(Some(later)),
        Some(Fault::Throttled { .. }) => AtRcpt::Refuse(Refused { verdict: Verdict::Throttled, ..Refused::new(450, "4.7.1 Too many messages, slow down") }),
        Some(Fault::Outage) => AtRcpt::Refuse(Refused::new(421, "4.3.2 Service not available")),
        Some(Fault::Hang) => AtRcpt::Silent { hang: true },
        Some(Fault::Reset | Fault::RstStream | Fault::Goaway(_)) => AtRcpt::Silent { hang: false },
        Some(Fault::Garbage | Fault::Empty | Fault::Noise | Fault::ErrorInside | Fault::Redirect) => AtRcpt::Garbage,
    }
}

/// The refusal a recipient carries for this stage.
pub(super) fn refusal_at(fault: Option<&Fault>, stage: SmtpStage) -> Option<Refused> {
    match fault {
        Some(Fault::Error { status, reason, at, .. }) if *at == stage => Some(Refused::new(*status, reason)),
        _ => None,
    }
}
