//! Templates as files: tried, pushed, compared, pulled, and sent. Those that come with Bongsu are the example.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use tests::{App, until};

const READY_MADE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/templates");

/// All files below a folder, by their paths in it.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, String>> {
    let (mut open, mut files) = (vec![folder.to_owned()], BTreeMap::new());
    while let Some(path) = open.pop() {
        for entry in std::fs::read_dir(&path)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.insert(path.strip_prefix(folder)?.to_owned(), std::fs::read_to_string(&path)?);
            }
        }
    }
    Ok(files)
}

fn write(folder: &Path, files: &BTreeMap<PathBuf, String>) -> Result<()> {
    for (name, text) in files {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().context("no folder")?)?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What a command printed, if it ended with this status.
async fn ends(app: &App, status: i32, arguments: &[&str]) -> Result<String> {
    let output = app.run(&[&["template"], arguments].concat()).await?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(status), "{arguments:?} ended with {:?}: {}{said}", output.status, printed(&output));
    Ok(printed(&output))
}

async fn asked(app: &App, arguments: &[&str]) -> Result<Value> {
    Ok(serde_json::from_str(&ends(app, 0, &[arguments, &["--json"]].concat()).await?)?)
}

#[tokio::test]
async fn a_folder_and_the_server_become_the_same_and_stay_so() -> Result<()> {
    let app = App::start().await?;
    ends(&app, 1, &["diff", READY_MADE]).await?;
    let pushed = asked(&app, &["push", READY_MADE, "--publish", "--yes"]).await?;
    let rows = pushed.as_array().context("no list")?;
    ensure!(rows.len() == 7 && rows.iter().all(|row| row["revision"] == 1 && row["version"] == 1), "{pushed}");
    ensure!(
        rows[0]["key"] == "layout-base" || rows.iter().position(|row| row["key"] == "layout-base") < rows.iter().position(|row| row["key"] == "order-shipped")
    );
    assert_eq!(ends(&app, 0, &["diff", READY_MADE]).await?, "");
    let again = asked(&app, &["push", READY_MADE, "--publish", "--yes"]).await?;
    ensure!(again.as_array().context("no list")?.iter().all(|row| row["revision"].is_null() && row["version"].is_null()), "{again}");

    // A pull gives the same files, and then nothing more.
    let own = app.root().join("own");
    let folder = own.display().to_string();
    until("all templates are found", async || {
        asked(&app, &["pull", &folder]).await?;
        Ok((std::fs::read_dir(&own)?.count() == 7).then_some(()))
    })
    .await?;
    assert_eq!(files(&own)?, files(Path::new(READY_MADE))?);
    let again = asked(&app, &["pull", &folder]).await?;
    assert_eq!((&again["written"], &again["unchanged"]), (&json!([]), &json!(7)));

    // What is changed here is told, and not replaced without being asked for.
    let head = own.join("welcome/ko.toml");
    let before = std::fs::read_to_string(&head)?;
    std::fs::write(&head, before.replace("환영합니다", "어서 오세요"))?;
    let differs = ends(&app, 1, &["diff", &folder]).await?;
    ensure!(differs.contains("+++ welcome/ko.toml") && differs.contains("\n+title = \"{{ name }}님, 어서 오세요\""), "{differs}");
    ends(&app, 2, &["pull", &folder]).await?;
    ends(&app, 2, &["push", &folder]).await?;
    let pushed = asked(&app, &["push", &folder, "--yes"]).await?;
    let written: Vec<&Value> = pushed.as_array().context("no list")?.iter().filter(|row| !row["revision"].is_null()).collect();
    ensure!(written.len() == 1 && written[0]["key"] == "welcome" && written[0]["revision"] == 2 && written[0]["version"].is_null(), "{pushed}");
    ends(&app, 1, &["diff", READY_MADE]).await?;
    asked(&app, &["pull", &folder, "welcome"]).await?;
    ends(&app, 3, &["pull", &folder, "nothing"]).await?;

    // A changed layout is published anew with all that rests on it.
    for language in ["en", "ko"] {
        let path = own.join(format!("layout-base/{language}.email.mjml"));
        std::fs::write(&path, std::fs::read_to_string(&path)?.replace("#3450a3", "#2a7d4f"))?;
    }
    let published = asked(&app, &["push", &folder, "--publish", "--yes"]).await?;
    ensure!(published.as_array().context("no list")?.iter().all(|row| row["version"] == 2), "{published}");
    Ok(())
}

#[tokio::test]
async fn mistakes_are_told_by_file_and_line_and_nothing_is_written() -> Result<()> {
    let app = App::start().await?;
    let own = app.root().join("own");
    let folder = own.display().to_string();
    let mut all = files(Path::new(READY_MADE))?;
    write(&own, &all)?;
    ends(&app, 0, &["lint", &folder]).await?;
    let sms = all.get_mut(Path::new("welcome/en.toml")).context("no file")?;
    *sms = sms.replace("Start here: {{ start_url }}", "Start here: {{ start }}");
    let line = sms.lines().position(|line| line.contains("{{ start }}")).context("no line")? + 1;
    all.insert(PathBuf::from("order-shipped/ko.toml"), "[any]\ntitel = \"x\"\n".to_owned());
    write(&own, &all)?;
    let told = ends(&app, 1, &["lint", &folder]).await?;
    ensure!(told.contains(&format!("welcome/en.toml:{line}:")) && told.contains("UNKNOWN_PARAMETER"), "{told}");
    ensure!(told.contains("order-shipped/ko.toml:2:1 FILE unknown field `titel`"), "{told}");
    let told: Value = serde_json::from_str(&ends(&app, 1, &["lint", &folder, "--json"]).await?)?;
    ensure!(told["problems"] == 2, "{told}");
    ends(&app, 1, &["push", &folder, "--publish", "--yes"]).await?;
    ends(&app, 3, &["preview", "welcome"]).await?;
    ends(&app, 3, &["lint", "nowhere"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_draft_is_looked_at_tried_on_oneself_and_sent() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    app.recipient(&shop, "alice").await?;
    asked(&app, &["push", READY_MADE, "--publish", "--yes"]).await?;

    let here = format!("{READY_MADE}/order-shipped");
    let html = app.root().join("shipped.html").display().to_string();
    let local = asked(&app, &["preview", &here, "--locale", "ko", "--html", &html]).await?;
    let remote = asked(&app, &["preview", "order-shipped", "--locale", "ko"]).await?;
    assert_eq!((&local["title"], &local["text"], &local["html"]), (&remote["title"], &remote["text"], &remote["html"]));
    ensure!(std::fs::read_to_string(&html)?.contains("주문하신 상품이 출발했어요"));
    let data = json!({ "code": "007" }).to_string();
    let code = ends(&app, 0, &["preview", &format!("{READY_MADE}/verification-code"), "--channel", "sms", "--parameters", &data]).await?;
    ensure!(code.contains("007 is your Acme code"), "{code}");
    ends(&app, 2, &["preview", "verification-code", "--parameters", "{}"]).await?;

    let id = ends(&app, 0, &["test", "order-shipped", "--to", "alice", "--sender", "shop"]).await?;
    let id = id.trim();
    shop.await_status(id, "sent").await?;
    let subject = |messages: Vec<Value>, id: &str| {
        let raw = messages.iter().filter_map(|message| message["raw"].as_str()).find(|raw| raw.contains(id)).map(str::to_owned)?;
        raw.lines().find(|line| line.starts_with("Subject:")).map(str::to_owned)
    };
    assert_eq!(subject(app.simulators.messages("smtp").await?, id).as_deref(), Some("Subject: [Test] Your order 1042 is on its way"));
    let test = "mutation($input: SendTemplateTestInput!) { sendTemplateTest(input: $input) { __typename ... on Refused { code } } }";
    let input = json!({ "input": { "key": "order-shipped", "recipient": "alice", "channel": "SMS" } });
    assert_eq!(shop.query(test, input.clone()).await?["sendTemplateTest"]["code"], "FORBIDDEN");
    let access = "mutation { setTemplateAccess(key: \"order-shipped\", access: { publishers: [\"shop\"] }) { __typename } }";
    app.admin.query(access, json!({})).await?;
    assert_eq!(shop.query(test, input.clone()).await?["sendTemplateTest"]["__typename"], "TemplateTestSent");
    assert_eq!(app.admin.query(test, input).await?["sendTemplateTest"]["code"], "BAD_USER_INPUT", "an administrator is no sender");

    let parameters = json!({ "name": "Alice", "order": "2077", "tracking_url": "https://shop.example/2077" });
    let sent = shop.send("alice", json!({ "content": null, "template": { "key": "order-shipped", "parameters": parameters }, "channels": ["EMAIL"] })).await?;
    shop.await_status(&sent.id, "sent").await?;
    assert_eq!(subject(app.simulators.messages("smtp").await?, &sent.id).as_deref(), Some("Subject: Your order 2077 is on its way"));
    Ok(())
}

#[tokio::test]
async fn an_experiment_is_kept_as_files() -> Result<()> {
    let app = App::start().await?;
    let shop = app.sender("shop").await?;
    let own = app.root().join("own");
    let folder = own.display().to_string();
    let head = "name = \"Greeting\"\ndefault_locale = \"en\"\n\n[[parameters]]\nname = \"name\"\ntype = \"string\"\nrequired = true\nexample = \"Mina\"\n";
    let tried =
        |weight: u32| format!("{head}\n[experiment]\nname = \"tone\"\ncontrol_weight = {weight}\n\n[[experiment.variants]]\nname = \"warm\"\nweight = 100\n");
    let mut all = BTreeMap::new();
    let mut put = |name: &str, text: String| drop(all.insert(PathBuf::from(name), text));
    put("greeting/template.toml", tried(0));
    put("greeting/en.toml", "[any]\ntitle = \"Hello\"\ntext = \"Hello {{ name }}\"\n".to_owned());
    put("greeting/variant-warm/en.toml", "[any]\ntext = \"Dear {{ name }}\"\n".to_owned());
    put("greeting/variant-warm/ko.toml", "[any]\ntext = \"{{ name }}님께\"\n".to_owned());
    write(&own, &all)?;
    ends(&app, 0, &["lint", &folder]).await?;
    let preview = ends(&app, 0, &["preview", &format!("{folder}/greeting"), "--channel", "in_app", "--variant", "warm"]).await?;
    ensure!(preview.contains("Dear Mina"), "{preview}");
    ends(&app, 2, &["preview", &format!("{folder}/greeting"), "--variant", "cold"]).await?;
    asked(&app, &["push", &folder, "--publish", "--yes"]).await?;
    assert_eq!(ends(&app, 0, &["diff", &folder]).await?, "");
    let remote = ends(&app, 0, &["preview", "greeting", "--channel", "in_app", "--locale", "ko", "--variant", "warm"]).await?;
    ensure!(remote.contains("Mina님께"), "{remote}");

    // It is what is sent: with these weights everybody gets the variant.
    app.recipient(&shop, "alice").await?;
    let sent =
        shop.send("alice", json!({ "content": null, "template": { "key": "greeting", "parameters": { "name": "Ali" } }, "channels": ["IN_APP"] })).await?;
    let told = shop.query("query($id: ID!) { notification(id: $id) { content { body } template { variant } } }", json!({ "id": sent.id })).await?;
    assert_eq!(told["notification"], json!({ "content": { "body": "Dear Ali" }, "template": { "variant": "warm" } }));

    // A pull gives the same files, and takes away what is no more.
    let other = app.root().join("other");
    let pulled = other.display().to_string();
    asked(&app, &["pull", &pulled, "greeting"]).await?;
    assert_eq!(files(&other)?, all);
    std::fs::remove_dir_all(own.join("greeting/variant-warm"))?;
    std::fs::write(own.join("greeting/template.toml"), head)?;
    let differs = ends(&app, 1, &["diff", &folder]).await?;
    ensure!(differs.contains("--- server/greeting/variant-warm/en.toml") && differs.contains("-[experiment]"), "{differs}");
    asked(&app, &["push", &folder, "--yes"]).await?;
    asked(&app, &["pull", &pulled, "greeting", "--yes"]).await?;
    assert_eq!(files(&other)?.keys().collect::<Vec<_>>(), [Path::new("greeting/en.toml"), Path::new("greeting/template.toml")]);
    ensure!(!other.join("greeting/variant-warm").exists());

    // What is out is the older version still; GraphQL tells the difference, too.
    let difference =
        "query($from: Int, $to: Int) { templateDiff(key: \"greeting\", from: $from, to: $to) { from to files { file added removed diff } parts { key } } }";
    let diff = app.admin.query(difference, json!({})).await?["templateDiff"].clone();
    assert_eq!((&diff["from"], &diff["to"]), (&json!(1), &Value::Null));
    let names: Vec<&str> = diff["files"].as_array().into_iter().flatten().filter_map(|file| file["file"].as_str()).collect();
    assert_eq!(names, ["template.toml", "variant-warm/en.toml", "variant-warm/ko.toml"]);
    assert_eq!((&diff["files"][1]["added"], &diff["files"][1]["removed"]), (&json!(0), &json!(2)));
    let same = app.admin.query(difference, json!({ "from": 1, "to": 1 })).await?["templateDiff"].clone();
    assert_eq!(same["files"], json!([]));
    ensure!(app.admin.query(difference, json!({ "from": 9 })).await.is_err());
    assert_eq!(app.sender("blog").await?.query("{ templateDiff(key: \"nobody\") { from } }", json!({})).await?["templateDiff"], Value::Null);
    Ok(())
}
