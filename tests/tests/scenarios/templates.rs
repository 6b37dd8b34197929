//! Templates: written, published, sent in everyone's language, and refused where they would not work.

use crate::explaining::explain;
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::{App, Client, until};

const CHANGED: &str = "... on TemplateChanged { template { key revision version archived } warnings { code } }
    ... on TemplateInvalid { problems { code message hint locale channel field line column part } } ... on Refused { code message field }";

async fn save(by: &Client, key: &str, source: Value) -> Result<Value> {
    let query = format!("mutation($input: SaveTemplateInput!) {{ saveTemplate(input: $input) {{ __typename {CHANGED} }} }}");
    Ok(by.query(&query, json!({ "input": { "key": key, "source": source } })).await?["saveTemplate"].clone())
}

/// Runs a mutation that takes a template's key; `more` are further arguments.
pub async fn ask(by: &Client, field: &str, key: &str, more: &str) -> Result<Value> {
    let query = format!("mutation($key: String!) {{ {field}(key: $key {more}) {{ __typename {CHANGED} }} }}");
    Ok(by.query(&query, json!({ "key": key })).await?[field].clone())
}

pub async fn publish(by: &Client, key: &str, source: Value) -> Result<Value> {
    let saved = save(by, key, source).await?;
    ensure!(saved["__typename"] == "TemplateChanged", "{saved}");
    let published = ask(by, "publishTemplate", key, "").await?;
    ensure!(published["__typename"] == "TemplateChanged", "{published}");
    Ok(published["template"].clone())
}

fn shipped(words: &str) -> Value {
    let html = "<mjml><mj-body><mj-section><mj-column><mj-text>{{ name }}님, 주문 {{ order }}번이 출발했어요.</mj-text>\
        <mj-button href=\"{{ link }}\">배송 조회</mj-button></mj-column></mj-section></mj-body></mjml>";
    json!({
        "name": "Order shipped",
        "tags": ["orders"],
        "defaultLocale": "en",
        "parameters": [
            { "name": "name", "type": "STRING", "required": true, "example": "Bongsu" },
            { "name": "order", "type": "INTEGER", "required": true, "example": 42 },
            { "name": "link", "type": "URL", "default": "https://shop.example/orders", "example": "https://shop.example/orders/42" },
        ],
        "locales": [
            { "locale": "en", "bodies": [{ "title": "On its way", "text": format!("{words} {{{{ name }}}}: order {{{{ order }}}}") }] },
            { "locale": "ko", "bodies": [
                { "title": "출발했어요", "text": "{{ name }}님, {{ order }}번 주문이 출발했어요" },
                { "channel": "EMAIL", "title": "주문 {{ order }}번 출발", "mjml": html },
            ] },
        ],
    })
}

fn from(key: &str, parameters: Value, channels: Value) -> Value {
    json!({ "content": null, "template": { "key": key, "parameters": parameters }, "channels": channels })
}

/// What the imitated providers got of a notification, as one text.
async fn raw(app: &App, provider: &str, id: &str) -> Result<String> {
    let messages = app.simulators.messages(provider).await?;
    let own = messages.iter().filter_map(|message| message["raw"].as_str()).find(|raw| raw.contains(id));
    Ok(own.with_context(|| format!("nothing of {id} at {provider}"))?.to_owned())
}

async fn start() -> Result<(App, Client)> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    shop.upsert_recipient(json!({ "id": "alice", "locale": "ko-KR", "timeZone": "Asia/Seoul" })).await?;
    app.recipient(&shop, "bob").await?;
    Ok((app, shop))
}

#[tokio::test]
async fn everybody_is_told_in_their_language_what_was_published_when_it_was_accepted() -> Result<()> {
    let (app, shop) = start().await?;
    let first = publish(&app.admin, "order-shipped", shipped("Hello")).await?;
    assert_eq!((&first["revision"], &first["version"]), (&json!(1), &json!(1)));
    let parameters = json!({ "name": "<김봉수>", "order": 1042 });
    let both = shop.send("alice", from("order-shipped", parameters.clone(), json!(["EMAIL", "WEBHOOK"]))).await?;
    let told = shop.await_status(&both.id, "sent").await?;
    assert_eq!(told["content"]["body"], "<김봉수>님, 1042번 주문이 출발했어요", "as it is in the app: {told:#}");
    let calls = app.simulators.calls_for(&both.id).await?;
    assert_eq!(calls.len(), 2, "{calls:?}");
    let asked = "query($id: ID!) { notification(id: $id) { template { key version locale timeZone } content(channel: EMAIL) { title body html } } }";
    let mail = shop.query(asked, json!({ "id": both.id })).await?["notification"].clone();
    assert_eq!(mail["template"], json!({ "key": "order-shipped", "version": 1, "locale": "ko-KR", "timeZone": "Asia/Seoul" }));
    let html = mail["content"]["html"].as_str().context("no HTML")?;
    ensure!(html.contains("&lt;김봉수&gt;") && !html.contains("<김봉수>") && html.contains("https:"), "what parameters hold is text: {html}");
    let text = mail["content"]["body"].as_str().context("no text")?;
    ensure!(text.contains("<김봉수>님, 주문 1042번") && !text.contains("{{"), "made from the HTML: {text}");
    assert_eq!(mail["content"]["title"], "주문 1042번 출발");

    // What was accepted before stays as it was promised.
    let later = json!({ "sendAt": crate::deciding::written(crate::deciding::ahead(2_500)), "idempotencyKey": "held" });
    let mut held = from("order-shipped", json!({ "name": "Bob", "order": 7 }), json!(["WEBHOOK"]));
    held.as_object_mut().context("no object")?.extend(later.as_object().cloned().unwrap_or_default());
    let held_one = shop.send("bob", held.clone()).await?;
    assert_eq!(publish(&app.admin, "order-shipped", shipped("Dear")).await?["version"], 2);
    let fresh = shop.send("bob", from("order-shipped", json!({ "name": "Bob", "order": 8 }), json!(["WEBHOOK"]))).await?;
    let fresh = shop.await_status(&fresh.id, "sent").await?;
    assert_eq!(fresh["content"]["body"], "Dear Bob: order 8", "{fresh:#}");
    let sent = shop.await_status(&held_one.id, "sent").await?;
    assert_eq!(sent["content"]["body"], "Hello Bob: order 7", "{sent:#}");
    ensure!(raw(&app, "webhook", &held_one.id).await?.contains("Hello Bob: order 7"));

    // The version before is published again, and a repeat is what it was whatever became of the template.
    let back = ask(&app.admin, "rollBackTemplate", "order-shipped", "toVersion: 1").await?;
    assert_eq!((&back["template"]["version"], &back["template"]["revision"]), (&json!(3), &json!(3)), "{back}");
    let third = shop.send("bob", from("order-shipped", json!({ "name": "Bob", "order": 9 }), json!(["WEBHOOK"]))).await?;
    assert_eq!(shop.await_status(&third.id, "sent").await?["content"]["body"], "Hello Bob: order 9");
    ask(&app.admin, "archiveTemplate", "order-shipped", "").await?;
    let refused = shop.attempt_send("bob", from("order-shipped", json!({ "name": "Bob", "order": 9 }), json!(null))).await?;
    assert_eq!(refused["code"], "TEMPLATE_ARCHIVED", "{refused}");
    let again = shop.send("bob", held).await?;
    assert_eq!((&again.id, again.duplicate), (&held_one.id, true));
    let story = explain(&shop, &held_one.id).await?;
    ensure!(story.to_string().contains("order-shipped"), "{story:#}");
    Ok(())
}

#[tokio::test]
async fn what_would_not_work_is_refused_with_its_place_and_changes_nothing() -> Result<()> {
    let (app, shop) = start().await?;
    let body = |text: &str| json!({ "name": "T", "parameters": [{ "name": "n", "type": "INTEGER", "example": 3 }], "locales": [{ "locale": "en", "bodies": [{ "text": text }] }] });
    let mistakes = [
        "one\ntwo {{ n",
        "one\n  {{ nobody }}",
        "{{ n|nothing }}",
        "{% include \"missing\" %}",
        "{% for a in range(1, 100) %}{% for b in range(1, 100) %}{{ a }}{% endfor %}{% endfor %}{% macro x() %}{% endmacro %}",
    ];
    for (number, text) in mistakes.iter().enumerate() {
        let key = format!("wrong-{number}");
        ensure!(save(&app.admin, &key, body(text)).await?["__typename"] == "TemplateChanged");
        let answer = ask(&app.admin, "publishTemplate", &key, "").await?;
        ensure!(answer["__typename"] == "TemplateInvalid", "{text}: {answer}");
        let problem = &answer["problems"][0];
        ensure!(problem["code"].is_string() && problem["message"].is_string(), "{answer}");
        if number < 2 {
            assert_eq!(problem["line"], 2, "{answer}");
        }
        let refused = shop.attempt_send("alice", from(&key, json!({}), json!(null))).await?;
        assert_eq!(refused["code"], "TEMPLATE_UNPUBLISHED", "{refused}");
    }
    publish(&app.admin, "fine", shipped("Hello")).await?;
    let cases = [
        (from("nobody", json!({}), json!(null)), "TEMPLATE_NOT_FOUND"),
        (from("No Key", json!({}), json!(null)), "TEMPLATE_NOT_FOUND"),
        (from("fine", json!({ "order": 1 }), json!(null)), "TEMPLATE_PARAMETERS"),
        (from("fine", json!({ "name": "a", "order": "x" }), json!(null)), "TEMPLATE_PARAMETERS"),
        (from("fine", json!({ "name": "a", "order": 1, "more": 1 }), json!(null)), "TEMPLATE_PARAMETERS"),
        (from("fine", json!({ "name": "a", "order": 1, "link": "javascript:alert(1)" }), json!(null)), "TEMPLATE_PARAMETERS"),
        (from("fine", json!([]), json!(null)), "TEMPLATE_PARAMETERS"),
        (json!({ "template": { "key": "fine" } }), "TEMPLATE_AND_CONTENT"),
        (json!({ "content": null }), "CONTENT_INVALID"),
    ];
    for (extra, code) in cases {
        let refused = shop.attempt_send("alice", extra.clone()).await?;
        assert_eq!(refused["code"], code, "{extra}: {refused}");
    }
    let again = ask(&app.admin, "publishTemplate", "fine", "").await?;
    assert_eq!(again["code"], "NOTHING_NEW", "{again}");
    let stale = ask(&app.admin, "publishTemplate", "fine", "revision: 7").await?;
    assert_eq!(stale["code"], "STALE", "{stale}");

    // A sender does with it what it may, and does not know of what is not its.
    let refused = save(&shop, "fine", shipped("Mine")).await?;
    assert_eq!(refused["code"], "FORBIDDEN", "{refused}");
    let access = "mutation { setTemplateAccess(key: \"fine\", access: { editors: [\"shop\"], users: [\"bank\"] }) { __typename } }";
    assert_eq!(app.admin.query(access, json!({})).await?["setTemplateAccess"]["__typename"], "TemplateChanged");
    ensure!(save(&shop, "fine", shipped("Mine")).await?["__typename"] == "TemplateChanged");
    assert_eq!(ask(&shop, "publishTemplate", "fine", "").await?["code"], "FORBIDDEN");
    let refused = shop.attempt_send("alice", from("fine", json!({ "name": "a", "order": 1 }), json!(null))).await?;
    assert_eq!(refused["code"], "TEMPLATE_NOT_FOUND", "only the bank may send it: {refused}");
    let blog = app.sender("blog").await?;
    assert_eq!(ask(&blog, "archiveTemplate", "fine", "").await?["code"], "NOT_FOUND");
    let found = "query($position: Position) { templates(search: \"ORDER shipped\", atLeastPosition: $position) { key version } }";
    let position = json!({ "position": app.admin.head().await? });
    assert_eq!(app.admin.query(found, position.clone()).await?["templates"], json!([{ "key": "fine", "version": 1 }]));
    assert_eq!(blog.query(found, position).await?["templates"], json!([]));
    Ok(())
}

#[tokio::test]
async fn a_hostile_template_ends_in_its_own_process_and_the_server_goes_on() -> Result<()> {
    let (app, shop) = start().await?;
    let deep = "{% for a in [1,2,3,4,5,6,7,8,9] %}".repeat(8) + "x" + &"{% endfor %}".repeat(8);
    let hostile = [
        "{{ 'a' * 2000000000 }}".to_owned(),
        "{{ '%2000000000d'|format(1) }}".to_owned(),
        "{% set x = 'aaaaaaaa' %}".to_owned() + &"{% set x = x ~ x %}".repeat(40) + "{{ x }}",
        "{% for i in range(2000000000) %}{{ i }}{% endfor %}".to_owned(),
        deep,
        "{% include \"hostile-5\" %}".to_owned(),
        "{{ [[[[[[[[n]]]]]]]]|tojson|safe }}".to_owned(),
    ];
    for (number, text) in hostile.iter().enumerate() {
        let key = format!("hostile-{number}");
        let source = json!({ "name": "H", "kind": if number == 5 { "PARTIAL" } else { "MESSAGE" }, "parameters": [{ "name": "n", "type": "INTEGER", "example": 3 }],
            "locales": [{ "locale": "en", "bodies": [{ "text": text }] }] });
        ensure!(save(&app.admin, &key, source).await?["__typename"] == "TemplateChanged");
        let answer = ask(&app.admin, "publishTemplate", &key, "").await?;
        ensure!(answer["__typename"] == "TemplateInvalid" && answer["problems"][0]["message"].is_string(), "{text}: {answer}");
    }
    // What a title cannot hold does not get into a header.
    let title = json!({ "name": "T", "parameters": [{ "name": "who", "type": "STRING", "required": true, "example": "a" }],
        "locales": [{ "locale": "en", "bodies": [{ "title": "Hi {{ who }}", "text": "Hello" }] }] });
    publish(&app.admin, "title", title).await?;
    let sent = shop.send("alice", from("title", json!({ "who": "a\r\nBcc: eve@evil.example" }), json!(["EMAIL"]))).await?;
    shop.await_status(&sent.id, "sent").await?;
    let mail = raw(&app, "smtp", &sent.id).await?;
    ensure!(!mail.lines().any(|line| line.starts_with("Bcc:")), "{mail}");
    // What only some parameters make impossible fails for good, for this notification, with its reason.
    let picky = json!({ "name": "P", "parameters": [{ "name": "items", "type": "LIST", "required": true, "example": [{ "price": 1 }] }],
        "locales": [{ "locale": "en", "bodies": [{ "text": "{% for item in items %}{{ item.price }}{% endfor %}" }] }] });
    publish(&app.admin, "picky", picky).await?;
    let failing = shop.send("alice", from("picky", json!({ "items": [{ "cost": 1 }] }), json!(["WEBHOOK"]))).await?;
    let failed = shop.await_status(&failing.id, "failed").await?;
    let reason = failed["events"].as_array().into_iter().flatten().find(|event| event["type"] == "Failed").context("not failed")?;
    ensure!(reason["payload"].to_string().contains("TEMPLATE_UNDEFINED"), "{reason}");
    Ok(())
}

#[tokio::test]
async fn a_layout_is_pinned_and_places_the_links_and_schedules_and_digests_render_too() -> Result<()> {
    const LINKS: &str = "\n[links]\nbase_url = \"https://notify.example.com/\"\n";
    let app = App::with_environment(LINKS, &[]).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    let layout = |words: &str| {
        let mjml = format!(
            "<mjml><mj-body><mj-section><mj-column>{{% block content %}}{{% endblock %}}<mj-text>{words} <a href=\"{{{{ bongsu.unsubscribe }}}}\">Stop</a></mj-text></mj-column></mj-section></mj-body></mjml>"
        );
        json!({ "name": "Base", "kind": "LAYOUT", "locales": [{ "locale": "en", "bodies": [{ "channel": "EMAIL", "mjml": mjml }] }] })
    };
    publish(&app.admin, "base", layout("First")).await?;
    let mjml = "{% extends \"base\" %}{% block content %}<mj-text>News: {{ what }}</mj-text>{% endblock %}";
    let news = json!({ "name": "News", "parameters": [{ "name": "what", "type": "STRING", "required": true, "example": "x" }],
        "locales": [{ "locale": "en", "bodies": [{ "title": "About {{ what }}", "text": "Read {{ what }}" }, { "channel": "EMAIL", "title": "News", "mjml": mjml }] }] });
    publish(&app.admin, "news", news).await?;
    publish(&app.admin, "base", layout("Second")).await?;
    app.admin.mutate("defineCategory", "DefineCategoryInput", "", json!({ "key": "news", "name": "News" })).await?;
    let mut mail = from("news", json!({ "what": "cats" }), json!(["EMAIL"]));
    mail["category"] = json!("news");
    let sent = shop.send("alice", mail).await?;
    shop.await_status(&sent.id, "sent").await?;
    let text = raw(&app, "smtp", &sent.id).await?.replace("=\r\n", "").replace("=3D", "=");
    ensure!(text.contains("News: cats") && text.contains("First") && !text.contains("Second"), "the layout is pinned: {text}");
    ensure!(text.contains("https://notify.example.com/u") && !text.contains("bongsu.invalid"), "{text}");

    let terms = json!({ "trigger": { "at": crate::deciding::written(crate::deciding::ahead(800)) }, "channels": ["WEBHOOK"], "template": { "key": "news", "parameters": { "what": "dogs" } } });
    let made =
        shop.mutate("createSchedule", "CreateScheduleInput", "... on ScheduleChanged { position }", json!({ "recipient": "alice", "terms": terms })).await?;
    ensure!(made["position"].is_string(), "{made}");
    let fired = until("the occurrence was told", async || {
        let messages = app.simulators.messages("webhook").await?;
        Ok(messages.iter().filter_map(|message| message["raw"].as_str()).find(|raw| raw.contains("Read dogs")).map(str::to_owned))
    });
    ensure!(fired.await?.contains("About dogs"));
    Ok(())
}

#[tokio::test]
async fn an_experiment_keeps_everybody_on_their_variant_and_tells_what_came_of_it() -> Result<()> {
    const LINKS: &str = "\n[links]\nbase_url = \"https://notify.example.com/\"\n";
    let app = App::with_environment(LINKS, &[]).await?;
    let shop = app.sender("shop").await?;
    let mut source = shipped("Hello");
    let warm =
        json!({ "name": "warm", "weight": 50, "locales": [{ "locale": "en", "bodies": [{ "title": "Good news", "text": "Dear {{ name }}: {{ order }}" }] }] });
    source["experiment"] = json!({ "name": "tone", "controlWeight": 50, "variants": [warm] });
    let mut wrong = source.clone();
    wrong["experiment"]["variants"][0]["name"] = json!("control");
    assert_eq!(save(&app.admin, "order-shipped", wrong).await?["code"], "INVALID_EXPERIMENT");
    let mut broken = source.clone();
    broken["experiment"]["variants"][0]["locales"][0]["bodies"][0]["text"] = json!("{{ nobody }}");
    save(&app.admin, "broken", broken).await?;
    let answer = ask(&app.admin, "publishTemplate", "broken", "").await?;
    ensure!(answer["__typename"] == "TemplateInvalid", "a variant is tried too: {answer}");
    publish(&app.admin, "order-shipped", source).await?;

    let asked = "query($id: ID!) { notification(id: $id) { content { body } template { experiment variant } } }";
    let (mut control, mut others) = (0, 0);
    for number in 0..24 {
        let person = format!("person-{number}");
        app.recipient(&shop, &person).await?;
        let mut variants = Vec::new();
        for order in [1, 2] {
            let sent = shop.send(&person, from("order-shipped", json!({ "name": person, "order": order }), json!(["IN_APP"]))).await?;
            let told = shop.query(asked, json!({ "id": sent.id })).await?["notification"].clone();
            assert_eq!(told["template"]["experiment"], "tone");
            let variant = told["template"]["variant"].as_str().context("no variant")?.to_owned();
            let begins = if variant == "warm" { "Dear " } else { "Hello " };
            ensure!(told["content"]["body"].as_str().is_some_and(|body| body.starts_with(begins)), "{told}");
            variants.push(variant);
        }
        ensure!(variants[0] == variants[1], "{person} got two of them: {variants:?}");
        if variants[0] == "warm" { others += 1 } else { control += 1 }
    }
    ensure!(control > 0 && others > 0, "{control} and {others} of 24");
    let results = "query($position: Position) { experimentResults(key: \"order-shipped\", atLeastPosition: $position) {
        experiment variants { variant assigned opened { count rate low high pValue } } } }";
    let told = app.admin.query(results, json!({ "position": app.admin.head().await? })).await?["experimentResults"].clone();
    let assigned = |index: usize| told[0]["variants"][index]["assigned"].as_i64();
    assert_eq!((assigned(0), assigned(1)), (Some(control), Some(others)), "people, each once: {told}");
    ensure!(told[0]["variants"][1]["opened"]["pValue"].is_null(), "so few say nothing: {told}");

    let won = ask(&app.admin, "promoteVariant", "order-shipped", "variant: \"warm\"").await?;
    assert_eq!(won["template"]["version"], 2, "{won}");
    let sent = shop.send("person-0", from("order-shipped", json!({ "name": "all", "order": 3 }), json!(["IN_APP"]))).await?;
    let told = shop.query(asked, json!({ "id": sent.id })).await?["notification"].clone();
    assert_eq!((&told["content"]["body"], &told["template"]["variant"]), (&json!("Dear all: 3"), &Value::Null));
    assert_eq!(ask(&app.admin, "promoteVariant", "order-shipped", "variant: \"warm\"").await?["code"], "NOT_FOUND");
    Ok(())
}

#[tokio::test]
async fn notifications_are_found_by_template_status_and_words_of_their_title_until_somebody_is_erased() -> Result<()> {
    let (app, shop) = start().await?;
    publish(&app.admin, "order-shipped", shipped("Hello")).await?;
    let parameters = json!({ "name": "Mina", "order": 7 });
    let korean = shop.send("alice", from("order-shipped", parameters.clone(), json!(["IN_APP"]))).await?.id;
    let english = shop.send("bob", from("order-shipped", parameters, json!(["IN_APP"]))).await?.id;
    let plain = shop.send("alice", json!({ "channels": ["IN_APP"], "content": { "title": "Straßenfest: 출발 Today", "body": "b" } })).await?.id;
    let later = crate::deciding::written(crate::deciding::ahead(3_600_000));
    let held = shop.send("bob", json!({ "sendAt": later, "content": { "title": "On its way soon", "body": "b" } })).await?.id;
    let bank = app.sender("bank").await?;
    let other = bank.send("bob", json!({ "channels": ["IN_APP"], "content": { "title": "On its way to the bank", "body": "b" } })).await?.id;

    let asked = "query($query: NotificationFilter!, $first: Int!, $after: Position, $at: Position) {
        requestedNotifications(query: $query, first: $first, after: $after, atLeastPosition: $at) { notifications { id } cursor } }";
    let at = app.admin.head().await?;
    let page = async |by: &Client, query: Value, first: i32, after: Value| -> Result<(Vec<String>, Value)> {
        let told = by.query(asked, json!({ "query": query, "first": first, "after": after, "at": at })).await?["requestedNotifications"].clone();
        let ids = told["notifications"].as_array().into_iter().flatten().filter_map(|one| one["id"].as_str().map(str::to_owned)).collect();
        Ok((ids, told["cursor"].clone()))
    };
    let found = async |by: &Client, query: Value| -> Result<Vec<String>> { Ok(page(by, query, 20, Value::Null).await?.0) };
    assert_eq!(found(&shop, json!({ "template": "order-shipped" })).await?, [korean.clone(), english.clone()]);
    assert_eq!(found(&shop, json!({ "template": "order-shipped", "recipient": "bob" })).await?, std::slice::from_ref(&english));
    assert_eq!(found(&shop, json!({ "template": "nobody" })).await?, Vec::<String>::new());
    assert_eq!(found(&shop, json!({ "status": "deferred" })).await?, std::slice::from_ref(&held));
    assert_eq!(found(&shop, json!({ "recipient": "alice", "titleWords": "출발" })).await?, [korean.clone(), plain.clone()]);
    assert_eq!(found(&shop, json!({ "recipient": "alice", "titleWords": "today STRASSE" })).await?, Vec::<String>::new(), "ß is no ss");
    assert_eq!(found(&shop, json!({ "recipient": "alice", "titleWords": "  TODAY straß " })).await?, std::slice::from_ref(&plain));
    // In the words of its own language, and of one's own notifications only.
    let since = json!({ "category": "general", "requestedAfter": "2020-01-01T00:00:00Z", "titleWords": "on its WAY" });
    assert_eq!(found(&shop, since.clone()).await?, [english.clone(), held.clone()]);
    assert_eq!(found(&bank, since.clone()).await?, std::slice::from_ref(&other));
    assert_eq!(found(&app.admin, since.clone()).await?, [english.clone(), held, other]);
    let (first, cursor) = page(&shop, since.clone(), 1, Value::Null).await?;
    assert_eq!((first, cursor.is_string()), (vec![english], true));
    let (rest, _) = page(&shop, since, 1, cursor).await?;
    assert_eq!(rest.len(), 1, "{rest:?}");
    for unbounded in [json!({ "titleWords": "way" }), json!({ "titleWords": "way", "category": "general" }), json!({ "recipient": "bob", "titleWords": " " })] {
        let refused = shop.query(asked, json!({ "query": unbounded, "first": 5, "at": at })).await;
        ensure!(refused.is_err(), "{unbounded}");
    }
    // Titles go with the person.
    app.admin.query("mutation { eraseRecipient(input: { recipient: \"alice\" }) { __typename } }", json!({})).await?;
    assert_eq!(found(&shop, json!({ "recipient": "alice", "titleWords": "출발" })).await?, Vec::<String>::new());
    assert_eq!(found(&shop, json!({ "recipient": "alice" })).await?, [korean, plain]);
    Ok(())
}
