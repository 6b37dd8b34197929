//! KakaoTalk AlimTalk, by NHN Cloud.

use crate::told::{events, fails_at_once, held, sent_by_the_second, sent_over, unknown_then_sent};
use anyhow::{Context, Result};
use serde_json::{Value, json};
use tests::{App, Client};

/// Less patience than a hanging provider has.
const IMPATIENT: [(&str, &str); 1] = [("BONGSU_PROVIDERS__KAKAO_TALK__TIMEOUT", "1s")];

/// A recipient at each number.
async fn at(shop: &Client, numbers: &[&str]) -> Result<()> {
    for number in numbers {
        shop.upsert_recipient(json!({ "id": number, "phone": number })).await?;
    }
    Ok(())
}

async fn calls_for(app: &App, notification: &Value) -> Result<Vec<Value>> {
    app.simulators.calls_for(notification["id"].as_str().context("no id")?).await
}

#[tokio::test]
async fn an_alimtalk_arrives_by_its_template_where_it_is_named() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "phone": "+82 (10) 2345-6789" })).await?;
    let data = json!({ "kakao_talk": { "template": "ORDER_PAID", "variables": { "name": "김봉수", "order": 42 } } });
    let content = json!({ "title": "주문", "body": "결제가 완료되었습니다", "data": data.to_string() });
    let sent = shop.send("alice", json!({ "channels": ["KAKAO_TALK"], "content": content })).await?;
    let notification = shop.await_status(&sent.id, "sent").await?;
    let calls = app.simulators.calls_for(&sent.id).await?;
    assert_eq!((calls.len(), &calls[0]["provider"], &calls[0]["delivered"]), (1, &json!("kakao_talk"), &json!(true)), "{calls:?}");
    assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[0]["provider_id"], "{notification:#}");
    let messages = app.simulators.messages("kakao_talk").await?;
    let asked: Value = serde_json::from_str(messages[0]["raw"].as_str().context("no request")?)?;
    assert_eq!((&messages[0]["address"], &asked["templateCode"]), (&json!("01023456789"), &json!("ORDER_PAID")));
    assert_eq!(asked["recipientList"][0]["templateParameter"], json!({ "name": "김봉수", "order": "42" }));
    // Not without being named, and without a template of its own by the configured one.
    let plain = shop.send("alice", json!({ "channels": null })).await?;
    shop.await_status(&plain.id, "sent").await?;
    assert_eq!(app.simulators.calls_for(&plain.id).await?, Vec::<Value>::new());
    sent_over(&shop, "alice", "KAKAO_TALK", "sent").await?;
    let messages = app.simulators.messages("kakao_talk").await?;
    assert!(messages[1]["raw"].as_str().is_some_and(|raw| raw.contains("NOTICE")), "{messages:?}");
    // A template that nobody approved fails for good, and for this notification only.
    let wrong = json!({ "body": "b", "data": json!({ "kakao_talk": { "template": "NOBODYS" } }).to_string() });
    let refused = shop.send("alice", json!({ "channels": ["KAKAO_TALK"], "content": wrong })).await?;
    let refused = shop.await_status(&refused.id, "failed").await?;
    assert_eq!(events(&refused, "Failed")?[0]["code"], "result -3003", "{refused:#}");
    sent_over(&shop, "alice", "KAKAO_TALK", "sent").await?;
    Ok(())
}

#[tokio::test]
async fn every_answer_of_nhn_is_taken_for_what_it_means() -> Result<()> {
    let app = App::with_environment("", &IMPATIENT).await?;
    let shop = app.sender("shop").await?;
    let refused = [("+15005550001", "result -4019"), ("+15005550003", "result 4"), ("+15005561201", "result -3004")];
    let (throttled, failing) = ("+15005560801", "+15005560901");
    let created = ["+15005560101", "+15005560201"];
    let silent = ["+15005560301", "+15005560401", "+15005560501"];
    at(&shop, &refused.map(|(number, _)| number)).await?;
    at(&shop, &created).await?;
    at(&shop, &silent).await?;
    at(&shop, &[throttled, failing, "+15005561001"]).await?;
    for (number, code) in refused {
        fails_at_once(&shop, number, "KAKAO_TALK", code).await?;
    }
    let (notification, calls) = sent_by_the_second(&app, &shop, throttled, "KAKAO_TALK").await?;
    assert_eq!((&calls[0]["verdict"], events(&notification, "AttemptFailed")?.len()), (&json!("throttled"), 0), "{notification:#}");
    let (notification, _) = sent_by_the_second(&app, &shop, failing, "KAKAO_TALK").await?;
    assert_eq!(events(&notification, "AttemptFailed")?[0]["class"], "transient", "{notification:#}");
    for number in silent {
        let calls = unknown_then_sent(&app, &shop, number, "KAKAO_TALK").await?;
        assert_eq!((&calls[0]["delivered"], &calls[1]["duplicate"]), (&json!(false), &json!(false)), "{number}: {calls:?}");
    }
    // Taken although nobody said so: it is found there, and not sent again.
    for number in created {
        let notification = sent_over(&shop, number, "KAKAO_TALK", "sent").await?;
        let calls = calls_for(&app, &notification).await?;
        assert_eq!((calls.len(), events(&notification, "AttemptUnknown")?.len()), (1, 1), "{number}: {calls:?}");
        assert_eq!(events(&notification, "Sent")?[0]["provider_id"], calls[0]["provider_id"], "{notification:#}");
    }
    held(&app, &shop, "+15005561001", "KAKAO_TALK", "kakao_talk").await
}

#[tokio::test]
async fn a_check_asks_nhn_for_sender_and_template_and_names_the_setting_that_is_wrong() -> Result<()> {
    let app = App::start().await?;
    let config = app.config().display().to_string();
    for (environment, verdict, word) in [(vec![], "ok", "answers"), (vec![("BONGSU_PROVIDERS__KAKAO_TALK__TEMPLATE", "OTHER")], "failed", "template")] {
        let output = tests::process::run(&["check", "--json", "--config", &config], app.root(), &environment).await?;
        let findings: Value = serde_json::from_slice(&output.stdout)?;
        let found = findings.as_array().into_iter().flatten().find(|one| one["what"] == "provider kakao_talk").context("not looked at")?;
        assert_eq!(found["verdict"], verdict, "{found}");
        assert!(found["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{found}");
    }
    Ok(())
}

/// Posts to the door as whoever knows the fixed text.
async fn hook(app: &App, signature: &str, request: &str, result: &str) -> Result<u16> {
    let hooks = json!({ "hooksId": "1", "event": "MESSAGE_RESULT_UPDATE", "hooks": [{ "hookId": "1", "requestId": request, "recipientSeq": 1, "resultCode": result }] });
    let url = format!("{}/callbacks/kakao_talk", app.admin.base());
    let answer = reqwest::Client::builder().no_proxy().build()?.post(url).header("x-toast-webhook-signature", signature).body(hooks.to_string()).send().await?;
    Ok(answer.status().as_u16())
}

#[tokio::test]
async fn what_became_of_an_alimtalk_is_asked_of_nhn_whatever_a_webhook_claims() -> Result<()> {
    let app = App::with_environment("", &IMPATIENT).await?;
    app.simulators.callbacks(json!({ "base": app.admin.base(), "times": 2 })).await?;
    let shop = app.sender("shop").await?;
    let (arrives, lost, silent) = ("+821023456789", "+15005570101", "+15005570401");
    at(&shop, &[arrives, lost, silent]).await?;
    let sent = shop.send(arrives, json!({ "channels": ["KAKAO_TALK"] })).await?;
    let told = shop.await_delivery(&sent.id, "delivered").await?;
    assert_eq!(events(&told, "Delivered")?.len(), 1, "{told:#}");
    let sent = shop.send(lost, json!({ "channels": ["KAKAO_TALK"] })).await?;
    let told = shop.await_delivery(&sent.id, "bounced").await?;
    let bounced = &events(&told, "Bounced")?[0];
    assert_eq!((&bounced["code"], &bounced["class"]), (&json!("result 3019"), &json!("bad_address")), "{told:#}");
    // Of this one NHN knows nothing yet, whatever somebody says who knows the text.
    let notification = sent_over(&shop, silent, "KAKAO_TALK", "sent").await?;
    let id = notification["id"].as_str().context("no id")?;
    let signature = app.simulators.credential("kakao_secret_key").await?;
    let request = events(&notification, "Sent")?[0]["provider_id"]
        .as_str()
        .and_then(|id| id.split_once('.'))
        .map(|(request, _)| request.to_owned())
        .context("no provider id")?;
    let head = shop.story(id).await?;
    assert_eq!(hook(&app, &signature, &request, "MRC02").await?, 200);
    assert_eq!(hook(&app, "another text of some length", &request, "MRC02").await?, 403);
    assert_eq!(shop.story(id).await?, head);
    // Where NHN cannot be asked, nothing is recorded, and it is told to come again.
    app.simulators.rules(json!({ "provider": "kakao_talk", "every_call": true, "action": "garbage" })).await?;
    assert_eq!(hook(&app, &signature, &request, "MRC01").await?, 503);
    assert_eq!(shop.story(id).await?, head);
    Ok(())
}
