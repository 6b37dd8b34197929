//! The command line: one file a command.
//!
//! Conventions (clig.dev): data to stdout, the rest to stderr; `--json` on every command that
//! prints data; every help has examples and says what to do next; documented exit statuses;
//! secrets are never flags; destructive commands say what and how many, and ask.

mod audit;
mod backup;
mod bench;
mod bounce;
mod check;
mod completions;
mod config;
mod demo;
mod dlq;
mod events;
mod exit;
mod explain;
mod folder;
mod key;
mod migrate_profile;
mod output;
mod projection;
mod reconcile;
mod remote;
mod restore;
mod send;
mod serve;
mod simulate;
mod status;
mod template;
#[cfg(test)]
mod tests;
mod token;
mod tracing_setup;
mod vapid;

pub use exit::{CliError, Exit};

use clap::{CommandFactory, Parser, Subcommand};
use output::Output;
use std::process::ExitCode;

/// Sends notifications over push, e-mail, text messages, chat, in-app and webhooks, and can tell the whole story of each.
#[derive(Debug, Parser)]
#[command(
    name = "bongsu",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = concat!(
        "Examples:\n  bongsu demo                                   everything at once, with imitated providers\n  bongsu serve                                  a server with its data in ./bongsu-data\n  bongsu send --to alice --title Hi --body there  a notification\n  bongsu explain ID                             its story, and why\n\n",
        "Exit status: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found, 4 conflict, 5 unavailable (try again), 130 interrupted.\n\n",
        "Next: bongsu serve, and in another terminal bongsu status"
    )
)]
pub struct Cli {
    /// JSON in place of tables and sentences; one object a line for streams.
    #[arg(long, global = true)]
    pub json: bool,
    /// No colours. NO_COLOR and TERM=dumb say the same.
    #[arg(long, global = true)]
    pub no_color: bool,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands, each documented at its own type, from which the help is made.
#[derive(Debug, Subcommand)]
#[allow(missing_docs, reason = "documentation here would take the place of the types' in the help")]
pub enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Simulate(simulate::Simulate),
    Status(status::Status),
    Send(send::Send),
    Explain(explain::Explain),
    #[command(subcommand)]
    Dlq(dlq::Dlq),
    #[command(subcommand)]
    Token(token::Token),
    #[command(subcommand)]
    Key(key::Key),
    #[command(subcommand)]
    Events(events::Events),
    #[command(subcommand)]
    Projection(projection::Projection),
    Audit(audit::Audit),
    Reconcile(reconcile::Reconcile),
    Backup(backup::Backup),
    Restore(restore::Restore),
    MigrateProfile(migrate_profile::MigrateProfile),
    #[command(subcommand)]
    Template(template::Template),
    Check(check::Check),
    Bench(bench::Bench),
    Bounce(bounce::Bounce),
    #[command(subcommand)]
    Vapid(vapid::Vapid),
    #[command(subcommand)]
    Config(config::Config),
    Completions(completions::Completions),
}

/// Parses the command line and does it.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let out = Output { json: cli.json };
    let no_color = cli.no_color;
    match run(cli, out) {
        Ok(status) => status,
        Err(error) => {
            report(&error, out, no_color);
            error.status()
        }
    }
}

/// The whole tree of commands, for completions and tests.
pub fn tree() -> clap::Command {
    Cli::command()
}

fn run(cli: Cli, out: Output) -> Result<ExitCode, CliError> {
    if let Command::Serve(serve) = cli.command {
        // It alone reads the configuration before there is a runtime, which is configured too.
        return serve.run(cli.no_color);
    }
    if let Command::Template(template::Template::Examine) = cli.command {
        // Under limits that a runtime's threads would not fit into.
        return template::examine();
    }
    tracing_setup::for_commands(cli.no_color);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::failure)?;
    let done = ExitCode::SUCCESS;
    runtime.block_on(async {
        match cli.command {
            Command::Serve(_) => Ok(done),
            Command::Demo(command) => command.run(out).await.map(|()| done),
            Command::Simulate(command) => command.run(out).await.map(|()| done),
            Command::Bench(command) => command.run(out).await.map(|()| done),
            Command::Status(command) => command.run(out).await.map(|()| done),
            Command::Send(command) => command.run(out).await.map(|()| done),
            Command::Explain(command) => command.run(out).await.map(|()| done),
            Command::Dlq(command) => command.run(out).await.map(|()| done),
            Command::Token(command) => command.run(out).await.map(|()| done),
            Command::Key(command) => command.run(out).await.map(|()| done),
            Command::Events(command) => command.run(out).await.map(|()| done),
            Command::Projection(command) => command.run(out).await.map(|()| done),
            Command::Audit(command) => command.run(out).await,
            Command::Reconcile(command) => command.run(out).await,
            Command::Backup(command) => command.run(out).await.map(|()| done),
            Command::Restore(command) => command.run(out).await.map(|()| done),
            Command::MigrateProfile(command) => command.run(out).await.map(|()| done),
            Command::Bounce(command) => command.run(out).await.map(|()| done),
            Command::Template(command) => command.run(out).await,
            Command::Check(command) => command.run(out).await,
            Command::Config(command) => command.run(out).map(|()| done),
            Command::Vapid(command) => command.run(out).map(|()| done),
            Command::Completions(command) => command.run(out).map(|()| done),
        }
    })
}

fn report(error: &CliError, out: Output, no_color: bool) {
    if out.json {
        out.note(serde_json::json!({
            "error": { "message": error.message, "code": error.code, "exit": error.exit as u8 }
        }));
        return;
    }
    if output::colours(no_color) {
        out.note(format_args!("\u{1b}[31merror:\u{1b}[0m {error}"));
    } else {
        out.note(format_args!("error: {error}"));
    }
}
