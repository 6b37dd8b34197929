//! `bongsu template preview`: what a template says, from files or from the server.

use super::folder::Folder;
use super::lint::remarks;
use super::remark::Level;
use super::server;
use crate::cli::exit::CliError;
use crate::cli::output::Output;
use crate::cli::remote::{Remote, accepted, operations};
use crate::template_files::HEAD;
use clap::Args;
use commands::templates::placeholders;
use domain::calendar::TimeZone;
use domain::rendering::{Audience, compile};
use domain::template::{CONTROL, check_parameters};
use domain::values::{Channel, Locale, TemplateKey};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Shows what a template says over a channel in a language. Nothing is sent.
///
/// A folder is shown without any server; a key is that of the server's draft.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu template preview docs/templates/order-shipped --channel email --locale ko --html shipped.html
  bongsu template preview docs/templates/verification-code --channel sms --parameters '{\"code\":\"314159\"}'
  bongsu template preview order-shipped --parameters parameters.json

Next: bongsu template test KEY --to RECIPIENT sends the server's draft")]
pub struct Preview {
    /// A template's folder, or a key.
    #[arg(value_name = "DIR/KEY|KEY")]
    pub template: String,
    /// Over which channel.
    #[arg(long, default_value = "email",
          value_parser = ["in_app", "android_push", "ios_push", "email", "webhook", "sms", "voice", "web_push", "chat", "kakao_talk"])]
    pub channel: String,
    /// In which language [default: the template's].
    #[arg(long)]
    pub locale: Option<String>,
    /// A variant of its experiment [default: the template without it].
    #[arg(long, value_name = "NAME")]
    pub variant: Option<String>,
    /// Parameters: a JSON object, or a file with one [default: the examples].
    #[arg(long, value_name = "FILE|JSON")]
    pub parameters: Option<String>,
    /// Write the HTML into this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

/// Parameters as the command line gives them.
pub fn parameters(data: Option<&str>) -> Result<Option<Map<String, Value>>, CliError> {
    let Some(data) = data else { return Ok(None) };
    let text = if data.trim_start().starts_with('{') {
        data.to_owned()
    } else {
        std::fs::read_to_string(data)
            .map_err(|error| CliError::usage(format!("--parameters is a JSON object or a file with one; {data} cannot be read: {error}")))?
    };
    serde_json::from_str(&text).map(Some).map_err(|error| CliError::usage(format!("--parameters is no JSON object: {error}")))
}

impl Preview {
    pub(super) async fn run(&self, out: Output) -> Result<(), CliError> {
        let data = parameters(self.parameters.as_deref())?;
        let path = Path::new(&self.template);
        let told = if path.join(HEAD).is_file() { self.local(path, data)? } else { self.remote(data).await? };
        if let (Some(path), Some(html)) = (&self.html, told["html"].as_str()) {
            std::fs::write(path, html).map_err(|error| CliError::failure(format!("{} cannot be written: {error}", path.display())))?;
        }
        if out.json {
            return out.json_value(&told);
        }
        let text = |name: &str| told[name].as_str();
        if let Some(title) = text("title") {
            out.line(format_args!("{title}\n"))?;
        }
        out.line(text("text").unwrap_or_default())?;
        if let Some(data) = text("data") {
            out.line(format_args!("\n{data}"))?;
        }
        match (&self.html, text("html")) {
            (Some(path), Some(html)) => out.note(format_args!("{} bytes of HTML are in {}", html.len(), path.display())),
            (Some(_), None) => out.note("There is no HTML."),
            (None, Some(html)) => out.note(format_args!("With {} bytes of HTML; --html FILE writes them into a file", html.len())),
            (None, None) => {}
        }
        Ok(())
    }

    fn local(&self, path: &Path, data: Option<Map<String, Value>>) -> Result<Value, CliError> {
        let path = path.canonicalize().map_err(|error| CliError::failure(format!("{} cannot be read: {error}", path.display())))?;
        let (Some(name), Some(above)) = (path.file_name().and_then(|name| name.to_str()), path.parent()) else {
            return Err(CliError::usage(format!("{} is no template's folder", path.display())));
        };
        let folder = Folder::read(above)?;
        let key = TemplateKey::new(name).ok();
        let Some((key, read)) = key.and_then(|key| folder.templates.get_key_value(&key)) else { return Err(wrong(&folder, name)) };
        let variant = self.variant.as_deref().unwrap_or(CONTROL);
        let source = &read.source.as_variant(variant).ok_or_else(|| CliError::usage(format!("{key} has no variant `{variant}`")))?;
        let compiled = compile(source, &folder.parts(source)).map_err(|_| wrong(&folder, key.as_str()))?;
        let parameters = data.unwrap_or_else(|| source.examples());
        check_parameters(&source.parameters, &parameters).map_err(CliError::usage)?;
        let locale = self.locale.as_deref().map(Locale::new).transpose().map_err(CliError::usage)?;
        let locale = locale.as_ref().unwrap_or(&source.default_locale);
        let channel = Channel::from_name(&self.channel).unwrap_or(Channel::Email);
        let audience = Audience { channel, locale, zone: TimeZone::utc(), variant: None, links: placeholders(true) };
        let told = compiled.render(&audience, &parameters).map_err(|error| CliError::failure(&error).with_code(Some(error.code().to_owned())))?;
        Ok(json!({ "locale": told.locale.as_str(), "title": told.title, "text": told.text, "html": told.html, "data": told.data }))
    }

    async fn remote(&self, data: Option<Map<String, Value>>) -> Result<Value, CliError> {
        let key = super::key(&self.template)?;
        let input = json!({ "key": key.as_str(), "channel": self.channel.to_uppercase(), "locale": self.locale, "variant": self.variant, "parameters": data });
        let mut answer = self.remote.client()?.run(operations::PREVIEW_TEMPLATE, json!({ "input": input })).await?;
        let told = &mut answer["previewTemplate"];
        if told["__typename"] == "TemplatePreviewFailed" {
            return Err(CliError::failure(server::problems(told)));
        }
        accepted(told)?;
        if let Some(told) = told.as_object_mut() {
            told.remove("__typename");
        }
        Ok(told.take())
    }
}

/// The first thing that is wrong with a template.
fn wrong(folder: &Folder, name: &str) -> CliError {
    let problem = remarks(folder).into_iter().find(|remark| remark.level == Level::Problem && remark.file.starts_with(&format!("{name}/")));
    CliError::failure(problem.map_or_else(|| format!("{name} cannot be shown; `bongsu template lint` tells why"), |problem| problem.to_string()))
}
