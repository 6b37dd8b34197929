//! What a provider's answer means. Codes are short and stable, made where the provider's wire format
//! is known; here they are read for people. What is not known is said by its class alone.

use domain::values::Channel;

/// The meaning of a code on a channel; none where it says nothing beyond its class.
pub(in crate::explain) fn answer(channel: Option<Channel>, code: &str) -> Option<&'static str> {
    let number = code.split([' ', '-', '.']).next().and_then(|word| word.parse::<u16>().ok()).filter(|number| (100..600).contains(number));
    match (number, channel) {
        (Some(number), Some(Channel::Email)) => smtp(number, code),
        (Some(number), _) => http(number, code),
        (None, _) => plain(code),
    }
}

fn smtp(number: u16, code: &str) -> Option<&'static str> {
    Some(match number {
        421 => "the mail server is closing or overloaded for now",
        450..=452 => "the mail server cannot take it for now",
        _ if code.contains("5.1.1") || code.contains("5.1.10") => "the mailbox does not exist",
        _ if code.contains("5.2.2") || number == 552 => "the mailbox is full",
        550 | 551 | 553 => "the mail server does not take mail for this mailbox",
        535 | 530 | 538 => "the mail server does not take our credentials",
        554 => "the mail server refused the message",
        400..=499 => "the mail server asks to try again later",
        500..=599 => "the mail server refuses for good",
        _ => return None,
    })
}

fn http(number: u16, code: &str) -> Option<&'static str> {
    let says = |word: &str| code.to_ascii_lowercase().contains(word);
    Some(match number {
        _ if says("unregistered") || says("baddevicetoken") => "the provider no longer knows this device",
        401 | 403 => "the provider does not take our credentials for this",
        404 | 410 => "the provider no longer knows the address",
        408 | 504 => "the provider did not answer in time",
        413 => "the message is too large for the provider",
        429 => "the provider asks to slow down",
        400..=499 => "the provider does not accept the message as it is",
        503 => "the provider is unavailable for now",
        500..=599 => "the provider failed on its own side",
        _ => return None,
    })
}

fn plain(code: &str) -> Option<&'static str> {
    Some(match code {
        "no connection" | "no connection warmed up in time" => "the provider could not be reached",
        "connection closed" => "the provider closed the connection before the call",
        "connection broken" => "the connection broke before the answer came",
        "no access token" => "the provider's token service could not be reached",
        "not begun in time" => "the call could not be begun in time on our side",
        "process ended" => "our process ended during the call",
        "content erased" => "the content had been erased",
        "content damaged" => "the content could not be read",
        "TEMPLATE_NO_BODY" => "its template has nothing for this channel",
        "TEMPLATE_UNDEFINED" => "its template needs a value that the parameters do not have",
        "TEMPLATE_PARAMETER" | "TEMPLATE_FAILED" => "its template cannot be rendered with these parameters",
        "TEMPLATE_LIMIT" => "its template became too large, or took too long, with these parameters",
        "TEMPLATE_MISSING" | "TEMPLATE_BROKEN" => "its template's version cannot be used",
        "content not read" => "the content could not be read from the log in time",
        _ => return None,
    })
}
