//! Files: put there, sent with mails, got by links, and refused.

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{App, Client};

const PDF: &str = "application/pdf";
const INVOICE: &[u8] = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\n%%EOF\n";

fn http() -> Result<reqwest::Client> {
    Ok(reqwest::Client::builder().no_proxy().build()?)
}

/// Asks for an upload; the address, or the code of the refusal.
async fn asked(shop: &Client, name: &str, kind: &str, bytes: usize) -> Result<Result<String, String>> {
    let input = json!({ "fileName": name, "contentType": kind, "bytes": bytes });
    let result = shop.attempt("createAttachmentUpload", "CreateAttachmentUploadInput", "... on AttachmentUpload { uploadUrl }", input).await?;
    Ok(match result["uploadUrl"].as_str() {
        Some(url) => Ok(url.strip_prefix("https://notify.example.com").context("another base")?.to_owned()),
        None => Err(result["code"].as_str().context("no code")?.to_owned()),
    })
}

async fn put(shop: &Client, path: &str, kind: &str, body: &[u8]) -> Result<(StatusCode, Value)> {
    let answer = http()?.put(format!("{}{path}", shop.base())).header("content-type", kind).body(body.to_vec()).send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    Ok((status, serde_json::from_str(&text).with_context(|| format!("{status}: not JSON: {text}"))?))
}

async fn uploaded(shop: &Client, kind: &str, body: &[u8]) -> Result<String> {
    let path = asked(shop, "file.pdf", kind, body.len()).await?.map_err(anyhow::Error::msg)?;
    let (status, answer) = put(shop, &path, kind, body).await?;
    anyhow::ensure!(status == StatusCode::OK, "{answer}");
    Ok(answer["attachment"].as_str().context("no id")?.to_owned())
}

fn files(id: &str) -> Value {
    json!([{ "id": id, "fileName": "청구서 3월.pdf", "contentType": PDF }])
}

/// A link with another character in its middle.
fn altered(link: &str) -> String {
    let (begin, end) = link.split_at(40);
    format!("{begin}{}{}", if end.starts_with('A') { 'B' } else { 'A' }, &end[1..])
}

const LINKS: &str = "\n[links]\nbase_url = \"https://notify.example.com/\"\ninvalid_requests = 0\n";

/// With the files where every profile takes them; beside the configuration, as no replica alone has it.
async fn started(environment: &[(&str, &str)]) -> Result<(App, Client)> {
    let environment = [environment, &[("BONGSU_ATTACHMENTS__FOLDER", "files")]].concat();
    let app = App::with_environment(LINKS, &environment).await?;
    let shop = app.sender("shop").await?;
    shop.upsert_recipient(json!({ "id": "alice", "email": "alice@example.org" })).await?;
    Ok((app, shop))
}

/// The one mail that arrived.
async fn mailed(provider: &str, environment: &[(&str, &str)]) -> Result<String> {
    let (app, shop) = started(environment).await?;
    let id = uploaded(&shop, PDF, INVOICE).await?;
    let sent = shop.send("alice", json!({ "channels": ["EMAIL"], "attachments": files(&id) })).await?;
    shop.await_status(&sent.id, "sent").await?;
    let mails = app.simulators.messages(provider).await?;
    assert_eq!(mails.len(), 1, "{mails:?}");
    Ok(mails[0]["raw"].as_str().context("no text")?.to_owned())
}

#[tokio::test]
async fn a_mail_by_smtp_carries_its_file() -> Result<()> {
    let raw = mailed("smtp", &[]).await?;
    assert!(raw.contains("multipart/mixed") && raw.contains("Content-Disposition: attachment;"), "{raw}");
    let lines = STANDARD.encode(INVOICE);
    let folded = raw.replace("\r\n", "").replace('\n', "");
    assert!(folded.contains(&lines), "{raw}");
    Ok(())
}

#[tokio::test]
async fn a_mail_by_sendgrid_carries_its_file() -> Result<()> {
    let raw = mailed("sendgrid", &[("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__SENDGRID__ENABLED", "true")]).await?;
    let file = serde_json::from_str::<Value>(&raw)?["attachments"][0].clone();
    assert_eq!((file["filename"].as_str(), file["type"].as_str()), (Some("청구서 3월.pdf"), Some(PDF)));
    assert_eq!(STANDARD.decode(file["content"].as_str().context("no content")?)?, INVOICE);
    Ok(())
}

#[tokio::test]
async fn a_mail_by_mailgun_carries_its_file() -> Result<()> {
    let raw = mailed("mailgun", &[("BONGSU_PROVIDERS__SMTP__ENABLED", "false"), ("BONGSU_PROVIDERS__MAILGUN__ENABLED", "true")]).await?;
    let head = "name=\"attachment\"; filename=\"청구서 3월.pdf\"\r\nContent-Type: application/pdf\r\n\r\n";
    assert!(raw.contains(&format!("{head}{}\r\n--", String::from_utf8_lossy(INVOICE))), "{raw}");
    Ok(())
}

#[tokio::test]
async fn a_link_hands_out_the_file_until_its_recipient_is_erased() -> Result<()> {
    let (app, shop) = started(&[]).await?;
    let id = uploaded(&shop, PDF, INVOICE).await?;
    let sent = shop.send("alice", json!({ "channels": ["IN_APP"], "attachments": files(&id) })).await?;
    let query = "query($id: ID!) { notification(id: $id) { attachments { id fileName contentType bytes url } } }";
    let told = shop.query(query, json!({ "id": sent.id })).await?["notification"]["attachments"][0].clone();
    assert_eq!((told["id"].as_str(), told["bytes"].as_u64()), (Some(id.as_str()), Some(INVOICE.len() as u64)), "{told}");
    let alice = shop.as_recipient("alice").await?;
    assert_eq!(alice.query(query, json!({ "id": sent.id })).await?["notification"]["attachments"][0]["fileName"], "청구서 3월.pdf");
    let link = told["url"].as_str().and_then(|url| url.strip_prefix("https://notify.example.com")).context("no link")?;

    let got = http()?.get(format!("{}{link}", shop.base())).send().await?;
    assert_eq!(got.status(), StatusCode::OK);
    let header = |name: &str| got.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    assert_eq!((header("content-type").as_str(), header("x-content-type-options").as_str()), (PDF, "nosniff"));
    assert!(header("content-security-policy").contains("sandbox"), "{:?}", got.headers());
    assert!(header("content-disposition").starts_with("attachment; filename=\"___ 3_.pdf\"; filename*=UTF-8''%EC%B2%AD"), "{:?}", got.headers());
    let tag = header("etag");
    assert_eq!(tag, format!("\"{id}\""));
    assert_eq!(got.bytes().await?, INVOICE);
    let again = http()?.get(format!("{}{link}", shop.base())).header("if-none-match", format!("\"other\", {tag}")).send().await?;
    assert_eq!((again.status(), again.headers()["etag"].to_str()?), (StatusCode::NOT_MODIFIED, tag.as_str()));
    assert!(again.bytes().await?.is_empty());

    // Changed in its middle, cut, of another page, and an upload's.
    let (forged, cut) = (altered(link), &link[..link.len() - 4]);
    let upload = asked(&shop, "a.pdf", PDF, 9).await?.map_err(anyhow::Error::msg)?.replace("/upload", "");
    for wrong in [forged.as_str(), cut, &link.replace("/attachments/", "/u/"), &upload, "/attachments/x"] {
        assert_eq!(shop.get(wrong).await?.0, 400, "{wrong}");
    }
    app.admin.mutate("eraseRecipient", "EraseRecipientInput", "", json!({ "recipient": "alice" })).await?;
    assert_eq!(shop.get(link).await?.0, 410);
    Ok(())
}

#[tokio::test]
async fn what_is_not_taken_is_refused_and_nothing_is_stored() -> Result<()> {
    let (app, shop) = started(&[("BONGSU_ATTACHMENTS__MAX_BYTES", "4KiB"), ("BONGSU_ATTACHMENTS__MAX_TOTAL_BYTES", "6KiB")]).await?;
    for (name, kind, bytes, code) in [
        ("../../etc/passwd", PDF, 9, "ATTACHMENT_INVALID"),
        ("a\\b.pdf", PDF, 9, "ATTACHMENT_INVALID"),
        ("a.exe", PDF, 9, "ATTACHMENT_INVALID"),
        ("a.html", "text/html", 9, "ATTACHMENT_TYPE"),
        ("a.pdf", "application/pdf; x=1", 9, "ATTACHMENT_INVALID"),
        ("a.pdf", PDF, 4_097, "ATTACHMENT_TOO_LARGE"),
        ("a.pdf", PDF, 0, "ATTACHMENT_EMPTY"),
    ] {
        assert_eq!(asked(&shop, name, kind, bytes).await?, Err(code.to_owned()), "{name}");
    }
    let path = asked(&shop, "a.pdf", PDF, INVOICE.len()).await?.map_err(anyhow::Error::msg)?;
    let larger = [INVOICE, b"more"].concat();
    let program = [b"MZ", &INVOICE[2..]].concat();
    for (kind, body, status, code) in [
        (PDF, &larger[..], StatusCode::PAYLOAD_TOO_LARGE, "ATTACHMENT_TOO_LARGE"),
        (PDF, &INVOICE[1..], StatusCode::BAD_REQUEST, "ATTACHMENT_SIZE"),
        (PDF, &program[..], StatusCode::UNSUPPORTED_MEDIA_TYPE, "ATTACHMENT_TYPE"),
        ("image/png", INVOICE, StatusCode::UNSUPPORTED_MEDIA_TYPE, "ATTACHMENT_TYPE"),
    ] {
        let (told, answer) = put(&shop, &path, kind, body).await?;
        assert_eq!((told, answer["code"].as_str()), (status, Some(code)), "{answer}");
    }
    assert_eq!(put(&shop, &altered(&path), PDF, INVOICE).await?.0, StatusCode::BAD_REQUEST);
    assert!(!app.root().join("files/objects").exists(), "nothing was stored");

    let (first, second) = (put(&shop, &path, PDF, INVOICE).await?, put(&shop, &path, PDF, INVOICE).await?);
    assert_eq!(first, second, "the same upload again");
    let id = first.1["attachment"].as_str().context("no id")?;
    assert_eq!(std::fs::read_dir(app.root().join("files/objects"))?.count(), 1);
    let refused = async |sender: &Client, files: Value| -> Result<Value> {
        Ok(sender.attempt_send("alice", json!({ "attachments": files, "idempotencyKey": "k" })).await?["code"].clone())
    };
    let bank = app.sender("bank").await?;
    assert_eq!(refused(&bank, files(id)).await?, "ATTACHMENT_NOT_FOUND", "another sender's");
    assert_eq!(refused(&shop, files(&"0".repeat(64))).await?, "ATTACHMENT_NOT_FOUND");
    assert_eq!(refused(&shop, files("../../keys.db")).await?, "ATTACHMENT_NOT_FOUND");
    assert_eq!(refused(&shop, json!([{ "id": id, "fileName": "../a", "contentType": PDF }])).await?, "ATTACHMENT_INVALID");
    assert_eq!(refused(&shop, json!([{ "id": id, "fileName": "a.html", "contentType": "text/html" }])).await?, "ATTACHMENT_TYPE");
    let many: Vec<Value> = (0..11).map(|_| files(id)[0].clone()).collect();
    assert_eq!(refused(&shop, json!(many)).await?, "ATTACHMENT_INVALID");

    // Nothing was accepted under the key; with another file it is another request.
    let sent = shop.send("alice", json!({ "attachments": files(id), "idempotencyKey": "k" })).await?;
    let again = shop.send("alice", json!({ "attachments": files(id), "idempotencyKey": "k" })).await?;
    assert_eq!((sent.id, again.duplicate), (again.id, true));
    assert_eq!(refused(&shop, json!([{ "id": id, "fileName": "b.pdf", "contentType": PDF }])).await?, "IDEMPOTENCY_CONFLICT");
    Ok(())
}
