//! Our identifiers in headers and envelope.

use super::super::ledger::IdText;

/// The header fields the ledger needs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Ids {
    pub(super) notification: IdText,
    pub(super) delivery: Option<u32>,
    pub(super) attempt: Option<u32>,
    pub(super) message_id: Option<Box<str>>,
}

/// Reads the header section, folded lines included.
pub(super) fn ids(message: &[u8]) -> Ids {
    let text = String::from_utf8_lossy(message);
    let headers = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
    let headers = headers.replace("\r\n\t", " ");
    let mut ids = Ids::default();
    for line in headers.split("\r\n") {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "x-bongsu-notification" => ids.notification = IdText::parse(value),
            "x-bongsu-delivery" => ids.delivery = value.parse().ok(),
            "x-bongsu-attempt" => ids.attempt = value.parse().ok(),
            "message-id" => {
                ids.message_id = Some(value.chars().take(200).collect::<String>().into());
            }
            _ => {}
        }
    }
    ids
}

/// Why the ways out of a list are not as mail providers ask (RFC 2369, RFC 8058); none where they are, or
/// there are none.
pub(super) fn wrong_ways_out(message: &[u8]) -> Option<&'static str> {
    let text = String::from_utf8_lossy(message);
    let headers = text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ").replace("\r\n\t", " ");
    let named = |wanted: &str| -> Vec<String> {
        let lines = headers.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.filter(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned()).collect()
    };
    let (list, post) = (named("List-Unsubscribe"), named("List-Unsubscribe-Post"));
    let (list, post) = match (list.as_slice(), post.as_slice()) {
        ([], []) => return None,
        ([list], [post]) => (list, post),
        _ => return Some("List-Unsubscribe and List-Unsubscribe-Post belong together, one of each"),
    };
    if post != "List-Unsubscribe=One-Click" {
        return Some("List-Unsubscribe-Post is not List-Unsubscribe=One-Click");
    }
    let urls: Option<Vec<&str>> = list.split(',').map(|one| one.trim().strip_prefix('<')?.strip_suffix('>')).collect();
    let urls = urls.unwrap_or_default();
    // Of a server that is tried out on the same machine.
    let local = |url: &str| ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|host| url.starts_with(host));
    let wrong = urls.iter().any(|url| url.contains(char::is_whitespace)) || !urls.iter().any(|url| url.starts_with("https://") || local(url));
    wrong.then_some("List-Unsubscribe names no https URL in angle brackets")
}

/// The notification in a bounce address `b+<nid>.<hmac>@…`, so that a refused recipient has an owner in the ledger.
pub(super) fn envelope_notification(sender: &str) -> IdText {
    let id = sender.strip_prefix("b+").and_then(|rest| rest.split(['.', '@']).next());
    match id.map(IdText::parse) {
        Some(IdText::Uuid(uuid)) => IdText::Uuid(uuid),
        _ => IdText::Missing,
    }
}

/// The address in `FROM:<a@b> SIZE=1` or `TO:<a@b>`; `None` when the syntax is wrong.
pub(super) fn path<'a>(argument: &'a str, keyword: &str) -> Option<&'a str> {
    let head = argument.get(..keyword.len())?;
    if !head.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let rest = argument[keyword.len()..].trim_start().strip_prefix('<')?;
    rest.split_once('>').map(|(address, _)| address)
}

/// The SIZE parameter of MAIL.
pub(super) fn declared_size(argument: &str) -> Option<usize> {
    argument.split(' ').find_map(|word| {
        let (name, value) = word.split_once('=')?;
        name.eq_ignore_ascii_case("SIZE").then(|| value.parse().ok())?
    })
}

#[cfg(test)]
mod tests {
    use super::wrong_ways_out;

    fn wrong(headers: &str) -> bool {
        wrong_ways_out(format!("Subject: s\r\n{headers}\r\n\r\nList-Unsubscribe: body").as_bytes()).is_some()
    }

    #[test]
    fn ways_out_are_taken_as_mail_providers_take_them() {
        let post = "List-Unsubscribe-Post: List-Unsubscribe=One-Click";
        for right in [
            "To: a@b.test".to_owned(),
            format!("List-Unsubscribe: <https://a.test/u/x>\r\n{post}"),
            format!("List-Unsubscribe: <https://a.test/u/x>,\r\n <mailto:a@b.test?subject=x>\r\n{post}"),
            format!("list-unsubscribe: <http://127.0.0.1:80/u/x>\r\n{post}"),
        ] {
            assert!(!wrong(&right), "{right}");
        }
        for bad in [
            post.to_owned(),
            "List-Unsubscribe: <https://a.test/u/x>".to_owned(),
            format!("List-Unsubscribe: https://a.test/u/x\r\n{post}"),
            format!("List-Unsubscribe: <http://a.test/u/x>\r\n{post}"),
            format!("List-Unsubscribe: <mailto:a@b.test>\r\n{post}"),
            format!("List-Unsubscribe: <https://a.test/u/ x>\r\n{post}"),
            format!("List-Unsubscribe: <https://a.test/u/x>\r\n{post}\r\n{post}"),
            "List-Unsubscribe: <https://a.test/u/x>\r\nList-Unsubscribe-Post: one-click".to_owned(),
        ] {
            assert!(wrong(&bad), "{bad}");
        }
    }
}
