#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::{Cli, Command};
use clap::Parser;

fn every(command: &clap::Command, path: &str, visit: &mut impl FnMut(&str, &clap::Command)) {
    visit(path, command);
    for inner in command.get_subcommands() {
        if inner.get_name() != "help" {
            every(inner, &format!("{path} {}", inner.get_name()), visit);
        }
    }
}

#[test]
fn the_tree_is_sound() {
    super::tree().debug_assert();
}

#[test]
fn every_help_has_examples_that_parse_and_says_what_is_next() {
    let tree = super::tree();
    let mut seen = 0;
    every(&tree, "bongsu", &mut |path, command| {
        seen += 1;
        let help = command.get_after_help().unwrap_or_else(|| panic!("{path} has no examples")).to_string();
        assert!(help.contains("Examples:\n"), "{path} has no examples");
        assert!(help.contains("Next: "), "{path} says nothing of what is next");
        assert!(command.get_about().is_some(), "{path} is not explained");
        for argument in command.get_arguments() {
            let named = ["help", "version"].contains(&argument.get_id().as_str());
            assert!(named || argument.get_help().is_some(), "{path} {} is not explained", argument.get_id());
        }
    });
    assert!(seen > 25, "{seen}");
}

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

#[test]
fn commands_of_the_first_minutes_parse() {
    for line in [
        "bongsu demo --exit --data d --listen 127.0.0.1:0",
        "bongsu serve --data d --listen 127.0.0.1:0 --config c --ready-file r",
        "bongsu simulate --state s --ready-file r",
        "bongsu status --server http://127.0.0.1:1",
        "bongsu send --to alice --title Hi --body there --channel email,in_app",
        "bongsu explain 1 --follow --json",
        "bongsu trace 1 --follow --json",
        "bongsu explain --recipient alice --category orders --from 2026-11-20T00:00:00Z --to 2026-11-21T00:00:00Z",
        "bongsu dlq retry --code x --dry-run",
        "bongsu dlq discard --id 1 --reason r --yes",
        "bongsu token create --recipient alice",
        "bongsu key create --name shop --sender shop --sandbox",
        "bongsu events tail --type Sent,Failed",
        "bongsu events read --after 3 --limit 4 --open",
        "bongsu projection rebuild notifications",
        "bongsu audit --data d --json",
        "bongsu backup to --data d",
        "bongsu restore --from b --data d",
        "bongsu check",
        "bongsu config show --origin",
        "bongsu completions bash",
    ] {
        if let Err(error) = parse(line) {
            panic!("{line}: {error}");
        }
    }
}

#[test]
fn secrets_are_no_flags() {
    every(&super::tree(), "bongsu", &mut |path, command| {
        for argument in command.get_arguments() {
            let name = argument.get_long().unwrap_or_default();
            assert!(!["key", "password", "secret", "token", "master-key"].contains(&name), "{path} --{name}");
        }
    });
}

#[test]
fn typing_mistakes_are_usage_errors_with_a_suggestion() {
    let error = parse("bongsu statsu").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("status"), "{error}");
}

#[test]
fn flags_of_serve_win_over_the_environment() {
    let cli = parse("bongsu serve --data d --listen 127.0.0.1:7").unwrap();
    let Command::Serve(serve) = cli.command else {
        panic!("not serve");
    };
    let mut sources = serve.sources();
    sources.file = None;
    sources.environment = vec![("BONGSU_SERVER__LISTEN".to_owned(), "127.0.0.1:8".to_owned())];
    let (config, _) = crate::config::Config::load(&sources).unwrap();
    assert_eq!(config.server.listen.port(), 7);
    assert_eq!(config.storage.data_dir, std::path::PathBuf::from("d"));
}

#[test]
fn the_catalogue_of_events_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/events.md");
    let fresh = domain::catalogue::markdown();
    if std::env::var_os("BONGSU_BLESS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == fresh, "docs/events.md is stale; run this test with BONGSU_BLESS=1");
}
