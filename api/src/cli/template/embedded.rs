//! Ready-made templates within this binary, for servers that begin with none.

use super::{key, server};
use crate::cli::exit::CliError;
use crate::cli::remote::Client;
use crate::template_files::read;

/// A file of docs/templates, with its name.
macro_rules! file {
    ($folder:literal, $name:literal) => {
        ($name, include_str!(concat!("../../../../docs/templates/", $folder, "/", $name)))
    };
}

/// Keys with their files, what others rest on first.
pub(super) const ALL: [(&str, &[(&str, &str)]); 2] = [
    ("layout-base", &[file!("layout-base", "template.toml"), file!("layout-base", "en.email.mjml"), file!("layout-base", "ko.email.mjml")]),
    (
        "order-shipped",
        &[
            file!("order-shipped", "template.toml"),
            file!("order-shipped", "en.toml"),
            file!("order-shipped", "ko.toml"),
            file!("order-shipped", "en.email.mjml"),
            file!("order-shipped", "ko.email.mjml"),
        ],
    ),
];

/// Writes and publishes them, unless somebody has written templates of these keys.
pub async fn install(client: &Client) -> Result<(), CliError> {
    for (name, files) in ALL {
        let key = key(name)?;
        if server::template(client, &key).await?.is_some() {
            continue;
        }
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let read = read(&files).map_err(|mistakes| {
            let told: Vec<&str> = mistakes.iter().map(|mistake| mistake.message.as_str()).collect();
            CliError::failure(format!("the template {name} of this binary cannot be read: {}", told.join("; ")))
        })?;
        let revision = server::save(client, &key, &read.source, 0).await?;
        server::publish(client, &key, revision).await?;
    }
    Ok(())
}
