//! The ready-made mails as people see them: on a telephone and at a desk, by day and by night.
//!
//! In a real browser with fonts that are always the same. Facts of the layout are asked by script: nothing
//! leaves the screen, everything can be read and touched. Pictures (`tests/golden/pictures`) show the rest, and
//! whether it is still what somebody looked at: `BONGSU_BLESS=1` takes those of now.

mod picture;

use anyhow::{Context, Result, ensure};
use picture::Picture;
use std::path::{Path, PathBuf};
use tests::browser::{Browser, Screen};

const READY_MADE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/templates");
const PICTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/pictures");
const MAILS: [&str; 6] = ["incident", "order-shipped", "security-alert", "verification-code", "weekly-digest", "welcome"];
const PHONE: Screen = Screen { width: 375, height: 812, mobile: true, dark: false };
const DESK: Screen = Screen { width: 800, height: 900, mobile: false, dark: false };
/// Two pictures of the same thing: squares further apart are of another layout.
const ALIKE: f64 = 24.0;

/// The mail that a template makes of its examples, in a file.
async fn mail(folder: &Path, key: &str, language: &str) -> Result<PathBuf> {
    let file = folder.join(format!("{key}.{language}.html"));
    let arguments = ["template", "preview", &format!("{READY_MADE}/{key}"), "--locale", language, "--html", &file.display().to_string()];
    let output = tests::process::run(&arguments, folder, &[]).await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(file)
}

async fn shown(browser: &Browser, file: &Path, screen: Screen) -> Result<Vec<String>> {
    browser.show_on(screen).await?;
    browser.visit(&format!("file://{}", file.display())).await?;
    let found = browser.run(include_str!("facts.js")).await?;
    found.as_array().with_context(|| format!("no list: {found}"))?.iter().map(|one| Ok(one.as_str().context("no text")?.to_owned())).collect()
}

/// What is seen now.
async fn picture(browser: &Browser) -> Result<Picture> {
    Picture::read(&browser.picture().await?)
}

/// The picture that somebody looked at; the one of now where they are being taken.
fn stored(name: &str, seen: &Picture) -> Result<Picture> {
    let file = Path::new(PICTURES).join(format!("{name}.png"));
    if std::env::var_os("BONGSU_BLESS").is_some() {
        std::fs::create_dir_all(PICTURES)?;
        std::fs::write(&file, seen.write()?)?;
    }
    Picture::read(&std::fs::read(&file).with_context(|| format!("{name}: nobody has looked at it; take it with BONGSU_BLESS=1"))?)
}

/// How two pictures differ, if they do.
fn difference(one: &Picture, other: &Picture) -> Option<String> {
    match one.distance(other) {
        Ok(distance) if distance.worst <= ALIKE => None,
        Ok(distance) => Some(format!("{:.0} of 255 apart near {:?}", distance.worst, distance.at)),
        Err(sizes) => Some(sizes.to_string()),
    }
}

/// They need neither a server nor a store: once is enough for both profiles.
mod embedded {
    use super::*;

    #[tokio::test]
    async fn ready_made_mails_can_be_read_and_touched_and_look_as_they_did() -> Result<()> {
        let folder = tempfile::Builder::new().prefix("bongsu-mails-").tempdir()?;
        let faults = Browser::with(folder.path(), "en-US,en", async |browser| {
            let mut faults = Vec::new();
            for (key, language) in MAILS.into_iter().flat_map(|key| ["en", "ko"].map(|language| (key, language))) {
                let file = mail(folder.path(), key, language).await?;
                for (width, screen) in [("phone", PHONE), ("desk", DESK)] {
                    for (scheme, dark) in [("light", false), ("dark", true)] {
                        let name = format!("{key}.{language}.{width}.{scheme}");
                        let found = shown(browser, &file, Screen { dark, ..screen }).await?;
                        faults.extend(found.into_iter().map(|fault| format!("{name}: {fault}")));
                        // Languages share the layout: of the second one the narrowest is enough.
                        if language == "en" || (width, scheme) == ("phone", "light") {
                            let seen = picture(browser).await?;
                            let differs = difference(&stored(&name, &seen)?, &seen);
                            faults.extend(differs.map(|how| format!("{name}: {how}; look at it, then take the pictures anew with BONGSU_BLESS=1")));
                        }
                    }
                }
            }
            Ok(faults)
        })
        .await?;
        ensure!(faults.is_empty(), "{}", faults.join("\n"));
        Ok(())
    }

    /// What the checks are worth: each of these mails is broken in one way, and that is what is found.
    #[tokio::test]
    async fn a_broken_layout_is_seen() -> Result<()> {
        let folder = tempfile::Builder::new().prefix("bongsu-mails-").tempdir()?;
        let file = mail(folder.path(), "welcome", "en").await?;
        let good = std::fs::read_to_string(&file)?;
        let (day, night) = (PHONE, Screen { dark: true, ..PHONE });
        Browser::with(folder.path(), "en-US,en", async |browser| {
            shown(browser, &file, day).await?;
            let whole = picture(browser).await?;
            for (screen, from, to, expected) in [
                (day, "max-width:600px", "min-width:600px", "the page is 600 px wide on 375"),
                (day, "overflow:hidden;\"><table", "overflow:hidden;\"><table width=\"700\" style=\"min-width:700px\"", "leaves the screen sideways"),
                (day, "color: #242933", "color: #9a9fa9", "contrast of"),
                (night, ".text div, .text table", ".text table", "contrast of"),
                (night, "body, .page", ".page", "the page is light in the dark"),
                (day, "font-size: 16px", "font-size: 13px", "text of 13px"),
                (day, "padding:14px 28px", "padding:4px 28px", "a link of"),
                (day, "display:none;max-height:0;max-width:0;opacity:0", "display:block", "the preheader is seen"),
                (day, "Thank you for joining", "<img src=\"https://www.example.com/a.png\" width=\"40\"> Thank you for joining", "no words for an image"),
            ] {
                ensure!(good.contains(from), "nothing to break: {from}");
                std::fs::write(&file, good.replace(from, to))?;
                let found = shown(browser, &file, screen).await?;
                ensure!(found.iter().any(|fault| fault.contains(expected)), "{from} -> {to}: {found:?}");
            }
            for (from, to) in
                [("#3450a3", "#2a7d4f"), ("padding: 16px 32px", "padding: 28px 32px"), ("text-align: left", "text-align: center"), ("Get started", "")]
            {
                ensure!(good.contains(from), "nothing to break: {from}");
                std::fs::write(&file, good.replace(from, to))?;
                shown(browser, &file, day).await?;
                ensure!(difference(&whole, &picture(browser).await?).is_some(), "{from} -> {to} looks the same");
            }
            Ok(())
        })
        .await
    }
}
