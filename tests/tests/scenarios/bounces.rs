//! Mails that come back over plain SMTP: handed over by the command of a mail server's pipe.

use crate::told::{events, sent_over};
use anyhow::{Context, Result};
use serde_json::json;
use std::process::Stdio;
use tests::{App, Client};
use tokio::io::AsyncWriteExt as _;

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const BOUNCES: [(&str, &str); 2] = [("BONGSU_PROVIDERS__SMTP__BOUNCE_SECRET", SECRET), ("BONGSU_PROVIDERS__SMTP__BOUNCE_ADDRESS", "bounces@example.com")];

async fn start() -> Result<(App, Client)> {
    let app = App::with_environment("", &BOUNCES).await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    Ok((app, shop))
}

/// Sends a mail; gives its id, the envelope's sender, and its headers.
async fn sent(app: &App, shop: &Client) -> Result<(String, String, String)> {
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    let messages = app.simulators.messages("smtp").await?;
    let mail = messages.iter().find(|mail| mail["raw"].as_str().is_some_and(|raw| raw.contains(&sent.id))).context("no mail")?;
    let (sender, raw) = (mail["sender"].as_str().context("no sender")?, mail["raw"].as_str().context("no text")?);
    Ok((sent.id, sender.to_owned(), raw.split("\r\n\r\n").next().unwrap_or_default().to_owned()))
}

/// What a mail server writes to the envelope's sender.
fn report(to: &str, status: &str, returned: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.example.org\r\nTo: <{to}>\r\nDate: Tue, 14 Nov 2023 22:13:22 +0000\r\nSubject: Undelivered Mail Returned to Sender\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n\
         I'm sorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; alice@example.org\r\n\
         Action: failed\r\nStatus: {status}\r\nDiagnostic-Code: smtp; 550 {status} no\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{returned}\r\n\r\n--b--\r\n"
    )
}

/// Hands a mail over as a mail server's pipe does; gives the status.
async fn pipe(app: &App, server: &str, secret: &str, mail: &str) -> Result<Option<i32>> {
    let mut command = tokio::process::Command::new(tests::binary::path()?);
    command.args(["bounce", "--server", server]).env("BONGSU_BOUNCE_SECRET", secret).current_dir(app.root());
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
    let mut input = running.stdin.take().context("no standard input")?;
    // A command that ends before it has read has said so by its status.
    let _ = input.write_all(mail.as_bytes()).await;
    drop(input);
    Ok(running.wait().await?.code())
}

#[tokio::test]
async fn a_mail_that_comes_back_ends_its_delivery_and_an_address_that_is_none() -> Result<()> {
    let (app, shop) = start().await?;
    let (full, sender, _) = sent(&app, &shop).await?;
    // All that came back is where it came back to.
    assert_eq!(sender, format!("bounces+{}-0-1@example.com", full.replace('-', "")));
    assert_eq!(pipe(&app, app.admin.base(), SECRET, &report(&sender, "5.2.2", "Subject: Hello")).await?, Some(0));
    let told = shop.await_delivery(&full, "bounced").await?;
    let bounced = events(&told, "Bounced")?;
    assert_eq!((&bounced[0]["code"], &bounced[0]["class"], &bounced[0]["attempt"]), (&json!("5.2.2"), &json!("bad_address"), &json!(1)));

    // A full mailbox is none that is dead.
    let (gone, _, headers) = sent(&app, &shop).await?;
    let mail = report("no-reply@example.com", "5.1.1", &headers);
    for _ in 0..2 {
        assert_eq!(pipe(&app, app.admin.base(), SECRET, &mail).await?, Some(0));
    }
    let told = shop.await_delivery(&gone, "bounced").await?;
    let bounced = events(&told, "Bounced")?;
    assert_eq!((bounced.len(), &bounced[0]["address_dead"]), (1, &json!(true)), "{told:#}");
    let next = sent_over(&shop, "alice", "EMAIL", "suppressed").await?;
    assert_eq!(next["suppressions"][0]["rule"], "address_suppressed", "{next:#}");
    Ok(())
}

#[tokio::test]
async fn whoever_complains_gets_nothing_more_there() -> Result<()> {
    let (app, shop) = start().await?;
    let (id, _, headers) = sent(&app, &shop).await?;
    let mail = format!(
        "From: abuse@isp.example\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n--b\r\n\
         Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{headers}\r\n\r\nHello\r\n--b--\r\n"
    );
    assert_eq!(pipe(&app, app.admin.base(), SECRET, &mail).await?, Some(0));
    shop.await_event(&id, "Complained").await?;
    sent_over(&shop, "alice", "EMAIL", "suppressed").await?;
    Ok(())
}

#[tokio::test]
async fn what_cannot_be_taken_now_is_kept_by_the_mail_server_and_nothing_is_believed_without_the_secret() -> Result<()> {
    let (app, shop) = start().await?;
    let (id, sender, headers) = sent(&app, &shop).await?;
    let (mail, before) = (report(&sender, "5.1.1", &headers), app.admin.head().await?);
    assert_eq!(pipe(&app, app.admin.base(), "another-secret-of-32-characters.", &mail).await?, Some(75));
    assert_eq!(pipe(&app, "http://127.0.0.1:9", SECRET, &mail).await?, Some(75));
    // Other mail gets into such a mailbox, and says nothing.
    assert_eq!(pipe(&app, app.admin.base(), SECRET, &format!("From: a@b.example\r\nSubject: I am away\r\n\r\nabout {id}\r\n")).await?, Some(0));
    assert_eq!(app.admin.head().await?, before);
    Ok(())
}
