//! `bongsu completions`.

use super::exit::CliError;
use super::output::Output;
use clap::Args;
use clap_complete::Shell;

/// Prints completions for a shell.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  bongsu completions bash > ~/.local/share/bash-completion/completions/bongsu
  bongsu completions zsh > ~/.zfunc/_bongsu
  bongsu completions fish > ~/.config/fish/completions/bongsu.fish

Next: open a new shell and press Tab after bongsu")]
pub struct Completions {
    /// Which shell.
    pub shell: Shell,
}

impl Completions {
    pub(super) fn run(self, out: Output) -> Result<(), CliError> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut super::tree(), "bongsu", &mut text);
        out.line(String::from_utf8_lossy(&text).trim_end())
    }
}
