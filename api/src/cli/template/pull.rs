//! `bongsu template pull`: from the server into files.

use super::folder::files;
use super::server;
use crate::cli::exit::CliError;
use crate::cli::output::Output;
use crate::cli::remote::Remote;
use crate::template_files::{Files, HEAD, read, write};
use clap::Args;
use domain::template::Source;
use domain::values::TemplateKey;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Writes the server's drafts into a folder, one folder for each template.
///
/// What says the same already stays as it is, comments included; other templates of the folder are left alone.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu template pull templates
  bongsu template pull templates order-shipped layout-base --yes

Next: keep the folder under version control; bongsu template lint DIR")]
pub struct Pull {
    /// Folder to write into; it is made where it is missing.
    pub dir: PathBuf,
    /// Only these templates.
    #[arg(value_name = "KEY")]
    pub keys: Vec<String>,
    /// Do not ask before files are replaced.
    #[arg(long)]
    pub yes: bool,
    /// Which server.
    #[command(flatten)]
    pub remote: Remote,
}

impl Pull {
    pub(super) async fn run(&self, out: Output) -> Result<(), CliError> {
        let client = self.remote.client()?;
        let keys = if self.keys.is_empty() { server::keys(&client).await? } else { self.keys.iter().map(|key| super::key(key)).collect::<Result<_, _>>()? };
        let mut wanted: Vec<(TemplateKey, Source)> = Vec::new();
        let (mut replaced, mut unchanged) = (0, 0);
        for key in keys {
            let found = server::template(&client, &key).await?.ok_or_else(|| super::no_template(&key))?;
            match self.here(&key)? {
                Some(files) if read(&files).is_ok_and(|here| here.source == found.draft) => unchanged += 1,
                here => {
                    replaced += usize::from(here.is_some());
                    wanted.push((key, found.draft));
                }
            }
        }
        if replaced > 0 {
            let question = format!("{replaced} templates in {} say something else and are replaced by the server's drafts.", self.dir.display());
            out.confirm(&question, self.yes, "bongsu template diff")?;
        }
        for (key, source) in &wanted {
            replace(&self.dir.join(key.as_str()), &write(source))?;
            if !out.json {
                out.line(format_args!("{key}"))?;
            }
        }
        if out.json {
            let written: Vec<&str> = wanted.iter().map(|(key, _)| key.as_str()).collect();
            return out.json_value(&json!({ "written": written, "unchanged": unchanged }));
        }
        out.note(format_args!("{} templates written, {unchanged} unchanged", wanted.len()));
        Ok(())
    }

    /// The files that there are; none where the template is not in the folder.
    fn here(&self, key: &TemplateKey) -> Result<Option<Files>, CliError> {
        let path = self.dir.join(key.as_str());
        if path.join(HEAD).exists() { files(&path).map(Some) } else { Ok(None) }
    }
}

/// Writes a template's files and removes those that it has no more. Notes and hidden files are left alone.
fn replace(path: &Path, written: &Files) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::failure(format!("{} cannot be written: {error}", path.display()));
    std::fs::create_dir_all(path).map_err(failed)?;
    for old in files(path)?.keys().filter(|name| !written.contains_key(*name)) {
        std::fs::remove_file(path.join(old)).map_err(failed)?;
        // The folder of a variant that is no more goes with its last file.
        if let Some((folder, _)) = old.split_once('/') {
            let _ = std::fs::remove_dir(path.join(folder));
        }
    }
    for (name, text) in written {
        if let Some((folder, _)) = name.split_once('/') {
            std::fs::create_dir_all(path.join(folder)).map_err(failed)?;
        }
        std::fs::write(path.join(name), text).map_err(failed)?;
    }
    Ok(())
}
