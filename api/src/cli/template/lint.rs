//! `bongsu template lint`: everything that publishing would ask, without a server.

use super::folder::Folder;
use super::remark::{Level, Remark};
use crate::cli::exit::CliError;
use crate::cli::output::Output;
use clap::Args;
use commands::templates::{Examined, examined};
use domain::template::CONTROL;
use domain::values::TemplateKey;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;

/// Tries all templates of a folder: reads, compiles, and renders their examples. Needs no server.
///
/// Prints a line for each finding: file:line:column code message. Ends with 1 where there are problems; warnings are none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu template lint templates
  bongsu template lint docs/templates --json

Next: bongsu template preview DIR/KEY, then bongsu template push DIR")]
pub struct Lint {
    /// Folder with a folder for each template.
    pub dir: PathBuf,
}

impl Lint {
    pub(super) fn run(&self, out: Output) -> Result<ExitCode, CliError> {
        let folder = Folder::read(&self.dir)?;
        let remarks = remarks(&folder);
        let problems = remarks.iter().filter(|remark| remark.level == Level::Problem).count();
        let templates = folder.templates.len();
        if out.json {
            out.json_value(&json!({ "templates": templates, "problems": problems, "findings": remarks }))?;
        } else {
            for remark in &remarks {
                out.line(remark)?;
            }
            out.note(format_args!("{templates} templates, {problems} problems, {} warnings", remarks.len() - problems));
        }
        Ok(if problems > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
    }
}

/// Everything that there is to say about a folder, in the order of its files.
pub fn remarks(folder: &Folder) -> Vec<Remark> {
    let mut remarks = folder.mistakes.clone();
    for key in folder.templates.keys() {
        remarks.extend(about(folder, key));
    }
    remarks.sort();
    // What a layout does wrong is told once, not for each that uses it: those say the same and name themselves.
    remarks.dedup_by(|later, first| {
        let same = (&later.file, later.line, later.column, &later.code) == (&first.file, first.line, first.column, &first.code);
        same && later.message.starts_with(&first.message)
    });
    remarks
}

fn about(folder: &Folder, key: &TemplateKey) -> Vec<Remark> {
    let Some(read) = folder.templates.get(key) else { return Vec::new() };
    if let Err(refusal) = read.source.check() {
        return vec![Remark::of_shape(key, &refusal)];
    }
    let (parts, mut found) = (folder.parts(&read.source), Examined::default());
    for (variant, whole) in read.source.all_variants() {
        found.add(examined(&whole, &parts), (variant != CONTROL).then_some(variant));
    }
    let of = |level| move |finding| Remark::of_finding(folder, key, level, finding);
    let mut remarks: Vec<Remark> = found.problems.iter().map(of(Level::Problem)).collect();
    remarks.extend(found.warnings.iter().map(of(Level::Warning)));
    remarks.extend(domain::rendering::missing(&read.source).into_iter().map(|(locale, channel, field)| {
        let message = format!("[{}] has no {}, which {} has", crate::template_files::section_of(channel), field.name(), read.source.default_locale);
        Remark::new(Level::Warning, &format!("{key}/{locale}.toml"), "MISSING_TRANSLATION", message)
    }));
    remarks
}
