//! Behaviour that a telephone number asks for, in the range that Twilio keeps for tests (+1 500 555)
//! and, for what Twilio has no number for, in the one beside it (+1 500 556).
//!
//! Rejected: the last digits of any number, by which half of all made-up numbers would misbehave.

use super::super::ledger::Provider;
use super::Fault;
use super::builtin::{Pattern, SLOW, error, wait};

/// The reason of each provider for the same event: Twilio's error code, Vonage's status, NHN's result.
struct Reasons {
    not_a_number: &'static str,
    blocked: &'static str,
    no_country: &'static str,
    not_mobile: &'static str,
    throttled: &'static str,
    down: &'static str,
    sender: &'static str,
    credential: &'static str,
    refused: &'static str,
}

const TWILIO: Reasons = Reasons {
    not_a_number: "21211",
    blocked: "21610",
    no_country: "21408",
    not_mobile: "21614",
    throttled: "20429",
    down: "20503",
    sender: "21606",
    credential: "20003",
    refused: "21617",
};

const VOICE: Reasons = Reasons { blocked: "21216", no_country: "21215", not_mobile: "21214", sender: "21210", refused: "12100", ..TWILIO };

const VONAGE: Reasons =
    Reasons { not_a_number: "33", blocked: "7", no_country: "6", not_mobile: "7", throttled: "1", down: "5", sender: "15", credential: "4", refused: "3" };

const KAKAO_TALK: Reasons = Reasons {
    not_a_number: "-4019",
    blocked: "-1028",
    no_country: "4",
    not_mobile: "-4019",
    throttled: "too many requests",
    down: "-9999",
    sender: "-2017",
    credential: "-1001",
    refused: "-3004",
};

pub(super) fn phone(provider: Provider, number: &str) -> Option<Pattern> {
    let reasons = match provider {
        Provider::Vonage => &VONAGE,
        Provider::TwilioVoice => &VOICE,
        Provider::KakaoTalk => &KAKAO_TALK,
        _ => &TWILIO,
    };
    let digits = number.trim_start_matches('+');
    if let Some(last) = digits.strip_prefix("1500555") {
        return Some(Pattern::Always(match last {
            "0001" => error(400, reasons.not_a_number),
            "0003" => error(400, reasons.no_country),
            "0004" => error(400, reasons.blocked),
            "0009" => error(400, reasons.not_mobile),
            _ => return None,
        }));
    }
    Some(match digits.strip_prefix("1500556")?.get(..2)? {
        "01" => Pattern::First(1, Fault::AcceptThenDrop),
        "02" => Pattern::First(1, Fault::UnavailableAfterDelivery),
        "03" => Pattern::First(1, Fault::Reset),
        "04" => Pattern::First(1, Fault::Garbage),
        "05" => Pattern::First(1, Fault::Empty),
        "06" => Pattern::Always(Fault::Hang),
        "07" => Pattern::Delay(SLOW),
        "08" => Pattern::First(1, wait(429, reasons.throttled, 1)),
        "09" => Pattern::First(1, error(503, reasons.down)),
        "10" => Pattern::First(1, error(400, reasons.sender)),
        "11" => Pattern::First(1, error(401, reasons.credential)),
        "12" => Pattern::Always(error(400, reasons.refused)),
        _ => return None,
    })
}
