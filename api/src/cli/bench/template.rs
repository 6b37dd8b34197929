//! The template of a bench: a push of the size of the inline one, and a mail of 100 KB that is not sent here, but would
//! be stored where what is rendered were.

use serde_json::{Value, json};

/// Its key.
const KEY: &str = "bench";

/// The mutations that write and publish it.
pub(super) const SAVE: &str = "mutation($i:SaveTemplateInput!){saveTemplate(input:$i){__typename}}";
pub(super) const PUBLISH: &str = "mutation{publishTemplate(key:\"bench\"){__typename ...on TemplateInvalid{problems{code message}}}}";

/// What is written.
pub(super) fn source() -> Value {
    let words = "It is on its way and will be with you soon. ".repeat(4);
    let mail =
        format!("<html><body><h1>Order {{{{ number }}}}</h1>{}</body></html>", "<p>It is on its way, {{ name }}, and will be with you soon.</p>".repeat(1_600));
    json!({
        "key": KEY,
        "source": {
            "name": "Bench",
            "parameters": [
                { "name": "number", "type": "STRING", "required": true, "example": "00000042" },
                { "name": "name", "type": "STRING", "required": true, "example": "Bongsu" },
            ],
            "locales": [{ "locale": "en", "bodies": [
                { "title": "Order", "text": format!("{{{{ number }}}} {{{{ name }}}}: {words}") },
                { "channel": "EMAIL", "title": "Order {{ number }}", "html": mail },
            ] }],
        },
    })
}

/// What a notification names in place of its content.
pub(super) fn used(number: u64) -> Value {
    json!({ "key": KEY, "parameters": { "number": format!("{number:08}"), "name": format!("Person {}", number % 1_000) } })
}
