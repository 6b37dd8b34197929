//! `bongsu config reference`: `docs/configuration.md`, and a file to start from.

use super::section::{Key, SectionDoc};
use super::value::Form;

const HEAD: &str = "# Configuration

Generated from the code by `bongsu config reference`; do not edit.

Nothing has to be configured: `bongsu serve` works at once, on this machine only, in the folder
`./bongsu-data`. What you do set comes from, the first wins:

1. flags of the command line, such as `--listen`;
2. environment variables: `BONGSU_`, then the key in capitals with two underscores for each dot:
   `server.listen` is `BONGSU_SERVER__LISTEN`; lists have commas between their items;
3. one TOML file: the one named by `--config` or `BONGSU_CONFIG`, else `bongsu.toml` in the current folder;
4. the defaults below.

Unknown keys are errors. Relative paths in the file start at the file's folder. Secrets come from
files (`…_file`), from the environment, or from the TOML file; they are never flags and never shown.
`bongsu config show --origin` says what is in force and why; `bongsu check` tries it out.

Outside the file: `BONGSU_MASTER_KEY` (the master key itself), `BONGSU_KEY` and `BONGSU_SERVER`
(the key and the server of client commands), `NO_COLOR`.
";

/// The whole reference as Markdown.
pub fn markdown(sections: &[SectionDoc]) -> String {
    let mut text = HEAD.to_owned();
    for section in sections {
        text.push_str(&format!("\n## [{}]\n\n{}\n\n", section.path, section.doc));
        text.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
        for key in &section.keys {
            let name = key.path.rsplit('.').next().unwrap_or_default();
            text.push_str(&format!(
                "| `{name}` | {} | {} | {} |\n",
                kind(key),
                key.default.as_ref().map_or_else(|| "–".to_owned(), |_| format!("`{}`", literal(key))),
                key.doc.replace('|', "\\|"),
            ));
        }
    }
    text.push_str(&format!("\n## A file to start from\n\n`bongsu config reference --toml` prints this.\n\n```toml\n{}```\n", toml(sections)));
    text
}

/// A file with every key commented out at its default.
pub fn toml(sections: &[SectionDoc]) -> String {
    let mut text = String::from("# Every key at its default. `bongsu config reference` explains them.\n");
    for section in sections {
        text.push_str(&format!("\n[{}]\n", section.path));
        for key in &section.keys {
            let name = key.path.rsplit('.').next().unwrap_or_default();
            text.push_str(&format!("# {name} = {}\n", literal(key)));
        }
    }
    text
}

fn kind(key: &Key) -> String {
    if key.form == Form::List { format!("a list of {}", key.kind) } else { key.kind.to_owned() }
}

/// The default as TOML; an empty value of the right form where there is none.
fn literal(key: &Key) -> String {
    match (key.form, key.default.as_deref()) {
        (Form::Text, default) => format!("{:?}", default.unwrap_or_default()),
        (Form::Number, default) => default.unwrap_or("0").to_owned(),
        (Form::Flag, default) => default.unwrap_or("true").to_owned(),
        (Form::List, None | Some("")) => "[]".to_owned(),
        (Form::List, Some(items)) => format!("[{}]", items.split(',').map(|item| format!("{:?}", item.trim())).collect::<Vec<_>>().join(", ")),
    }
}
