//! What tells a repeat of a request from another one under the same idempotency key.
//!
//! Logs of older versions hold fingerprints of requests that had fewer fields: what a request does not
//! name adds nothing, so that the same request still has the same one.

use super::request::SendRequest;
use crate::log::Hashing;
use base64::Engine as _;
use domain::event::write_json;
use domain::values::{Priority, RecipientId};

/// A keyed hash of all that was asked for; not of the facts it is decided on.
pub(super) fn fingerprint(request: &SendRequest, recipient: RecipientId, hashing: &Hashing) -> String {
    let optional = |text: &Option<String>| text.as_ref().map_or_else(|| vec![0], |text| [&[1], text.as_bytes()].concat());
    let channels: Option<Vec<u8>> = request.channels.as_ref().map(|channels| {
        let mut numbers: Vec<u8> = channels.iter().map(|channel| channel.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    });
    let content = &request.content;
    let channels = channels.map_or_else(|| vec![0], |channels| [vec![1], channels].concat());
    let (priority, expires_at) = ([request.priority.map_or(255, Priority::rank)], request.expires_at.unwrap_or(0).to_le_bytes());
    let optional = [&content.title, &content.html, &content.data, &content.collapse_key, &content.metadata].map(optional);
    let [title, html, data, collapse_key, metadata] = &optional;
    let first: [&[u8]; 12] = [
        b"fingerprint/1",
        recipient.0.as_bytes(),
        request.category.as_str().as_bytes(),
        &channels,
        &priority,
        &expires_at,
        content.body.as_bytes(),
        title,
        html,
        data,
        collapse_key,
        metadata,
    ];
    let later = later(request);
    let hash = if later.is_empty() {
        hashing.hash(&first)
    } else {
        let parts: Vec<&[u8]> = first.into_iter().chain(later.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_slice()])).collect();
        hashing.hash(&parts)
    };
    base64::engine::general_purpose::STANDARD_NO_PAD.encode(&hash[..15])
}

/// Fields that came later, by name, where they are given.
fn later(request: &SendRequest) -> Vec<(&'static str, Vec<u8>)> {
    let mut later = Vec::new();
    if let Some(at) = request.not_before {
        later.push(("not_before", at.to_le_bytes().to_vec()));
    }
    // As it was asked: where the recipient is when it is asked again makes no other request.
    if let Some(local) = request.local_time {
        later.push(("local_time", local.to_string().into_bytes()));
    }
    if let Some(topic) = &request.topic {
        later.push(("topic", topic.as_str().as_bytes().to_vec()));
    }
    if let Some(key) = &request.digest_key {
        later.push(("digest_key", key.as_bytes().to_vec()));
    }
    if let Some(plan) = &request.plan {
        let mut json = Vec::new();
        write_json(plan, &mut json);
        later.push(("plan", json));
    }
    if let Some(key) = &request.content.template {
        later.push(("template", key.as_str().as_bytes().to_vec()));
    }
    if let Some(parameters) = &request.content.parameters {
        later.push(("parameters", parameters.as_bytes().to_vec()));
    }
    // Not their sizes, which the request does not name.
    for attachment in &request.content.attachments {
        later.push(("attachment", format!("{} {} {}", attachment.id, attachment.kind, attachment.name).into_bytes()));
    }
    later
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::fingerprint;
    use crate::accept::SendRequest;
    use crate::accept::tests::request;
    use crate::log::MasterKey;
    use domain::calendar::LocalDateTime;
    use domain::values::{Attachment, AttachmentId, Channel, ChannelPlan, Content, PlanStep, TemplateKey, TopicKey};
    use std::collections::HashSet;

    #[test]
    fn a_request_of_an_older_version_has_the_fingerprint_that_is_in_its_log() {
        let hashing = MasterKey::new([3; 32]).hashing();
        let recipient = hashing.recipient("alice");
        let plain = SendRequest { channels: Some(vec![Channel::Email, Channel::IosPush]), expires_at: Some(9), ..request(Some("k"), "Paid") };
        // As the first version made it: HMAC-SHA256 reckoned outside of this code.
        assert_eq!(fingerprint(&plain, recipient, &hashing), "w4VMgjXPE2QDmiHTMr1j");
    }

    #[test]
    fn every_field_makes_another_request() {
        let hashing = MasterKey::new([3; 32]).hashing();
        let recipient = hashing.recipient("alice");
        let plain = || request(Some("k"), "Paid");
        let with_file = |name: &str| {
            let (id, kind) = (AttachmentId::new(&"0".repeat(64)).unwrap(), "application/pdf".to_owned());
            let attachments = vec![Attachment { id, name: name.to_owned(), kind, bytes: 0 }];
            SendRequest { content: Content { attachments, ..plain().content }, ..plain() }
        };
        let plan = ChannelPlan { steps: vec![PlanStep { channels: vec![Channel::Email], next: None }] };
        let others = [
            plain(),
            SendRequest { not_before: Some(5), ..plain() },
            SendRequest { local_time: Some(LocalDateTime::new("2027-03-28T09:00").unwrap()), ..plain() },
            SendRequest { topic: Some(TopicKey::new("goals").unwrap()), ..plain() },
            SendRequest { digest_key: Some("goals".to_owned()), ..plain() },
            SendRequest { plan: Some(plan), ..plain() },
            SendRequest { content: Content { template: Some(TemplateKey::new("paid").unwrap()), ..plain().content }, ..plain() },
            SendRequest { content: Content { parameters: Some("{}".to_owned()), ..plain().content }, ..plain() },
            with_file("a.pdf"),
            with_file("b.pdf"),
        ];
        let different: HashSet<_> = others.iter().map(|request| fingerprint(request, recipient, &hashing)).collect();
        assert_eq!(different.len(), others.len());
    }
}
