#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use super::reference;
use super::show;
use super::source::{Origin, Sources};
use super::{Config, ConfigError};
use domain::policy::retry::RetrySchedule;
use domain::values::{Channel, Country};
use std::path::PathBuf;
use workers::redis::RedisPlace;

fn sources(file: &str, environment: &[(&str, &str)]) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bongsu.toml");
    std::fs::write(&path, file).unwrap();
    let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sources = Sources { flags: Vec::new(), environment, file: Some(path) };
    (folder, sources)
}

fn problems(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let (_folder, sources) = sources(file, environment);
    match Config::load(&sources) {
        Err(ConfigError::Invalid { problems }) => problems,
        other => panic!("expected mistakes, got {other:?}"),
    }
}

#[test]
fn without_anything_the_defaults_are_safe_and_whole() {
    let (config, _) = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.storage.data_dir, PathBuf::from("./bongsu-data"));
    assert!(config.providers.fcm.is_none());
    assert!(config.providers.apns.is_none());
    assert!(config.providers.smtp.is_none());
    let webhook = config.providers.webhook.unwrap();
    assert!(!webhook.allow_http && webhook.allow_private.is_empty());
    for channel in Channel::ALL {
        assert_eq!(config.delivery.schedule(channel), RetrySchedule::default_for(channel));
    }
    let bounds = crate::graphql::transport::Bounds::default();
    assert_eq!(config.limits.bounds(), bounds);
}

#[test]
fn flags_beat_the_environment_which_beats_the_file_which_beats_the_defaults() {
    let (_folder, sources) = sources(
        "[server]\nlisten = \"127.0.0.1:1\"\nbody_limit = \"1MiB\"\nworker_threads = 3\n",
        &[("BONGSU_SERVER__LISTEN", "127.0.0.1:2"), ("BONGSU_SERVER__BODY_LIMIT", "3MiB"), ("BONGSU_KEY", "not a setting"), ("HOME", "/root")],
    );
    let sources = sources.flag("server.listen", "--listen", Some("127.0.0.1:3".to_owned()));
    let (config, layers) = Config::load(&sources).unwrap();
    assert_eq!(config.server.listen.port(), 3);
    assert_eq!(config.server.body_limit.0, 3 << 20);
    assert_eq!(config.server.worker_threads, 3);
    let origin = |key: &str| layers.get(key).unwrap().1.to_string();
    assert_eq!(origin("server.listen"), "flag --listen");
    assert_eq!(origin("server.body_limit"), "environment BONGSU_SERVER__BODY_LIMIT");
    assert!(origin("server.worker_threads").ends_with("bongsu.toml line 4"));
    assert_eq!(origin("server.graphiql"), "default");
}

#[test]
fn unknown_keys_are_errors_that_name_the_nearest() {
    let found = problems("[server]\nlisten = \"127.0.0.1:1\"\nbody_limt = \"1MiB\"\n[zebra]\nstripes = 3\n", &[("BONGSU_SERVER__LISTN", "127.0.0.1:2")]);
    assert_eq!(found.len(), 3);
    assert!(found[0].contains("unknown key server.body_limt"), "{found:?}");
    assert!(found[0].contains("line 3"), "{found:?}");
    assert!(found[0].contains("did you mean server.body_limit?"));
    assert!(found[1].contains("zebra.stripes") && found[1].contains("config reference"));
    assert!(found[2].contains("did you mean BONGSU_SERVER__LISTEN?"));
}

#[test]
fn every_mistake_is_told_at_once_with_its_place() {
    let found = problems(
        "[server]\nlisten = \"somewhere\"\nbody_limit = 5\n[limits]\ndepth = \"15\"\n[delivery.retry.email]\nfirst = \"soon\"\n",
        &[("BONGSU_LOG__FORMAT", "xml")],
    );
    let all = found.join("\n");
    assert_eq!(found.len(), 5, "{all}");
    assert!(all.contains("server.listen = \"somewhere\""));
    assert!(all.contains("such as `127.0.0.1:8080`"));
    assert!(all.contains("server.body_limit = 5") && all.contains("in quotes"));
    assert!(all.contains("limits.depth") && all.contains("without quotes"));
    assert!(all.contains("delivery.retry.email.first"));
    assert!(all.contains("environment BONGSU_LOG__FORMAT"));
}

#[test]
fn a_file_that_is_not_toml_says_the_line() {
    let (_folder, sources) = sources("[server]\nlisten = \n", &[]);
    let error = Config::load(&sources).unwrap_err().to_string();
    assert!(error.contains("line 2"), "{error}");
}

#[test]
fn schedules_differ_by_channel() {
    let (_folder, sources) =
        sources("[delivery.retry.webhook]\nfirst = \"50ms\"\nfactor = 1.5\nattempts = 3\n", &[("BONGSU_DELIVERY__RETRY__EMAIL__MAX_AGE", "1h")]);
    let (config, _) = Config::load(&sources).unwrap();
    let webhook = config.delivery.schedule(Channel::Webhook);
    assert_eq!(webhook.first.as_millis(), 50);
    assert_eq!(webhook.attempts, 3);
    assert!((webhook.factor - 1.5).abs() < f64::EPSILON);
    let email = config.delivery.schedule(Channel::Email);
    assert_eq!(email.max_age.as_secs(), 3_600);
    assert_eq!(email.first, RetrySchedule::default_for(Channel::Email).first);
}

#[test]
fn secrets_are_never_shown() {
    let (folder, sources) =
        sources("[providers.smtp]\nhost = \"mail.example.com\"\nusername = \"u\"\npassword = \"hunter2-inline\"\nfrom = \"a@example.com\"\n", &[]);
    let (config, layers) = Config::load(&sources).unwrap();
    let smtp = config.providers.smtp.as_ref().unwrap();
    assert_eq!(smtp.credential().unwrap().expose(), "hunter2-inline");
    let shown = show::values(&layers, &Config::sections());
    let password = shown.iter().find(|value| value.key == "providers.smtp.password").unwrap();
    assert_eq!(password.value.as_deref(), Some(show::MASK));
    assert!(password.origin.contains("line 4"));
    let everything = format!("{config:?} {}", serde_json::to_string(&shown).unwrap());
    assert!(!everything.contains("hunter2"));
    drop(folder);
    // A secret of the wrong type is not quoted in the message either.
    let found = problems("[providers.smtp]\nhost = \"h\"\nfrom = \"a@b\"\npassword = 12345\n", &[]);
    assert!(!found.join("").contains("12345"), "{found:?}");
}

#[test]
fn credentials_come_from_a_file_beside_the_configuration() {
    let (folder, sources) = sources("[providers.smtp]\nhost = \"h\"\nusername = \"u\"\npassword_file = \"smtp.password\"\nfrom = \"a@example.com\"\n", &[]);
    let missing = Config::load(&sources).unwrap_err().to_string();
    assert!(missing.contains("providers.smtp.password_file"), "{missing}");
    std::fs::write(folder.path().join("smtp.password"), "from-file\n").unwrap();
    let (config, _) = Config::load(&sources).unwrap();
    let smtp = config.providers.smtp.unwrap();
    assert_eq!(smtp.credential().unwrap().expose(), "from-file");
}

#[test]
fn a_provider_is_on_when_it_is_configured_and_off_when_told() {
    let found = problems("[providers.apns]\nkey_id = \"ABC\"\n", &[]);
    let all = found.join("\n");
    assert!(all.contains("providers.apns.team_id must be set"), "{all}");
    assert!(all.contains("providers.apns.topic must be set"), "{all}");
    let (_folder, off) = sources("[providers.apns]\nenabled = false\nkey_id = \"ABC\"\n[providers.webhook]\nenabled = false\n", &[]);
    let (config, _) = Config::load(&off).unwrap();
    assert!(config.providers.apns.is_none() && config.providers.webhook.is_none());
}

#[test]
fn risky_values_are_refused() {
    let found = problems(
        "[server]\nallowed_origins = [\"https://a.example/path\"]\n[providers.smtp]\nhost = \"mail.example.com\"\nfrom = \"a@b\"\nencryption = \"none\"\n[providers.webhook]\nallow_private = [\"127.0.0.0/33\"]\n",
        &[],
    );
    let all = found.join("\n");
    assert!(all.contains("server.allowed_origins"), "{all}");
    assert!(all.contains("providers.smtp.encryption"), "{all}");
    assert!(all.contains("providers.webhook.allow_private"), "{all}");
}

#[test]
fn the_printed_file_is_a_valid_configuration_when_its_defaults_are_uncommented() {
    let sections = Config::sections();
    let mut text = String::new();
    let mut section = String::new();
    for line in reference::toml(&sections).lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
            text.push_str(&format!("{line}\n"));
        } else if let Some((name, value)) = line.strip_prefix("# ").and_then(|line| line.split_once(" = ")) {
            // Keys without a default have an empty value, which says only what they look like.
            let path = format!("{section}.{name}");
            let mut keys = sections.iter().flat_map(|section| &section.keys);
            if keys.any(|key| key.path == path && key.default.is_some()) {
                text.push_str(&format!("{name} = {value}\n"));
            }
        }
    }
    // Providers that need credentials are switched off again.
    let (_folder, sources) = sources(
        &text,
        &[
            ("BONGSU_PROVIDERS__FCM__ENABLED", "false"),
            ("BONGSU_PROVIDERS__APNS__ENABLED", "false"),
            ("BONGSU_PROVIDERS__SMTP__ENABLED", "false"),
            ("BONGSU_PROVIDERS__TWILIO__ENABLED", "false"),
            ("BONGSU_PROVIDERS__WEB_PUSH__ENABLED", "false"),
            ("BONGSU_PROVIDERS__VONAGE__ENABLED", "false"),
            ("BONGSU_PROVIDERS__TWILIO_VOICE__ENABLED", "false"),
            ("BONGSU_PROVIDERS__SENDGRID__ENABLED", "false"),
            ("BONGSU_PROVIDERS__MAILGUN__ENABLED", "false"),
            ("BONGSU_PROVIDERS__KAKAO_TALK__ENABLED", "false"),
        ],
    );
    let (_, layers) = Config::load(&sources).unwrap();
    for key in sections.iter().flat_map(|section| &section.keys) {
        if let Some((_, origin)) = layers.get(&key.path) {
            assert_ne!(*origin, Origin::Default, "{}", key.path);
        }
    }
}

#[test]
fn the_documentation_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let fresh = reference::markdown(&Config::sections());
    if std::env::var_os("BONGSU_BLESS").is_some() {
        std::fs::write(path, &fresh).unwrap();
    }
    let stored = std::fs::read_to_string(path).unwrap_or_default();
    assert!(stored == fresh, "docs/configuration.md is stale; run this test with BONGSU_BLESS=1");
}

#[test]
fn a_page_is_never_smaller_than_what_clients_get_by_default() {
    for (size, fine) in [("49", false), ("50", true), ("1000", true), ("1001", false)] {
        let (_folder, sources) = sources(&format!("[limits]\npage_size = {size}\n"), &[]);
        assert_eq!(Config::load(&sources).is_ok(), fine, "{size}");
    }
}

const CLUSTER: &str = "[storage]\nprofile = \"cluster\"\n[postgres]\nurl = \"postgres://u@h/d\"\n[redis]\n";

#[test]
fn redis_may_be_one_server_a_cluster_or_behind_sentinels() {
    let settings = |section: &str| {
        let (_folder, sources) = sources(&format!("{CLUSTER}{section}"), &[]);
        Config::load(&sources).unwrap().0.redis.settings()
    };
    assert!(settings("").is_none());
    let one = settings("url = \"rediss://u:pw@h:1/2\"\nprefix = \"mine\"").unwrap();
    assert_eq!(one.prefix, "mine");
    assert!(matches!(one.place, RedisPlace::Single { url } if url == "rediss://u:pw@h:1/2"));
    let cluster = settings("mode = \"cluster\"\nurl = \"redis://:pw@a:1, redis://:pw@b:2\"").unwrap();
    assert!(matches!(cluster.place, RedisPlace::Cluster { urls } if urls == ["redis://:pw@a:1", "redis://:pw@b:2"]));
    let sentinel = settings("mode = \"sentinel\"\nurl = \"redis://a:1,redis://b:2\"\nmaster = \"m\"\npassword = \"pw\"").unwrap();
    let RedisPlace::Sentinel { urls, master, username, password } = sentinel.place else { panic!("another place") };
    assert_eq!((urls.len(), master.as_str(), username, password.as_deref()), (2, "m", None, Some("pw")));
}

#[test]
fn what_redis_cannot_mean_is_refused() {
    for (section, named) in [
        ("url = \"redis://a,redis://b\"", "redis.url"),
        ("url = \"http://secret-host\"", "redis.url"),
        ("url = \",\"", "redis.url"),
        ("mode = \"cluster\"\nurl = \"redis://a/3\"", "redis.url"),
        ("mode = \"cluster\"\nurl = \"redis://a,rediss://b\"", "redis.url"),
        ("mode = \"cluster\"", "redis.url"),
        ("mode = \"sentinel\"\nurl = \"redis://a\"", "redis.master"),
        ("url = \"redis://a\"\nmaster = \"m\"", "redis.master"),
        ("url = \"redis://a\"\npassword = \"pw\"", "redis.password"),
        ("url = \"redis://a\"\nusername = \"u\"", "redis.username"),
        ("url = \"redis://a\"\nprefix = \"a}b\"", "redis.prefix"),
        ("mode = \"ring\"", "redis.mode"),
    ] {
        let found = problems(&format!("{CLUSTER}{section}"), &[]);
        assert_eq!(found.len(), 1, "{section}: {found:?}");
        assert!(found[0].starts_with(named) && !found[0].contains("secret-host"), "{section}: {found:?}");
    }
    let found = problems("[redis]\nurl = \"redis://a\"", &[]);
    assert!(found.len() == 1 && found[0].contains("storage.profile"), "{found:?}");
}

#[test]
fn where_numbers_may_be_reached_must_be_said_where_they_can_be() {
    let voice = "[providers.twilio_voice]\naccount_sid = \"AC00000000000000000000000000000001\"\nauth_token = \"t\"\nfrom = \"+15005550006\"\n";
    let texts = "[providers.vonage]\napi_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\n";
    for (provider, section) in [(voice, "voice"), (texts, "sms")] {
        let found = problems(provider, &[]);
        assert!(found.len() == 1 && found[0].starts_with(&format!("channels.{section}.countries")) && found[0].contains("[\"KR\", \"US\"]"), "{found:?}");
        let found = problems(&format!("{provider}[channels.{section}]\ncountries = [\"KR\", \"Atlantis\"]\n"), &[]);
        assert!(found.iter().any(|found| found.contains("`Atlantis` is no country")), "{found:?}");
        for allowed in ["[\"KR\", \"us\"]", "[\"all\"]", "[]"] {
            let (_folder, sources) = sources(&format!("{provider}[channels.{section}]\ncountries = {allowed}\n"), &[]);
            assert!(Config::load(&sources).is_ok(), "{allowed}");
        }
    }
    let allowed = |text: &str| {
        let (_folder, sources) = sources(text, &[]);
        Config::load(&sources).unwrap().0.channels.allowed(Channel::Sms).unwrap()
    };
    let set = allowed(&format!("{texts}[channels.sms]\ncountries = [\"KR\"]\ncap_per_country = 100\n"));
    assert_eq!((set.countries, set.per_country.map(|cap| cap.get()), set.per_range), (Some(vec![Country::parse("KR").unwrap()]), Some(100), None));
    assert_eq!(allowed("").countries, Some(Vec::new()), "closed");
}

#[test]
fn a_channel_may_have_several_providers_and_each_says_what_it_needs() {
    let twilio = "[providers.twilio]\naccount_sid = \"AC00000000000000000000000000000001\"\nauth_token = \"t\"\nfrom = \"+15005550006\"\n";
    let vonage = "[providers.vonage]\napi_key = \"k\"\napi_secret = \"s\"\nfrom = \"ACME\"\n";
    let told = |text: &str| {
        let (_folder, sources) = sources(&format!("{text}[channels.sms]\ncountries = [\"KR\"]\n[channels.voice]\ncountries = [\"all\"]\n"), &[]);
        Config::load(&sources).map(drop).map_err(|error| error.to_string())
    };
    let smtp = "[providers.smtp]\nhost = \"mail.example.com\"\nfrom = \"a@example.com\"\n";
    let sendgrid = "[providers.sendgrid]\napi_key = \"SG.k\"\nfrom = \"a@example.com\"\n";
    let mailgun = "[providers.mailgun]\napi_key = \"k\"\ndomain = \"mg.example.com\"\nfrom = \"a@example.com\"\n";
    assert_eq!(told(&format!("{twilio}{vonage}{smtp}{sendgrid}{mailgun}")), Ok(()));
    let routed = "priority = 1\nweight = 3\ncountries = [\"KR\", \"us\"]\nsenders = [\"shop\"]\n";
    assert_eq!(told(&format!("{twilio}{vonage}{routed}{mailgun}ramp_up = \"50/day from 2026-11-20\"\n")), Ok(()));
    for (wrong, key) in [
        ("weight = 0\n", "providers.vonage.weight"),
        ("countries = [\"Korea\"]\n", "providers.vonage.countries"),
        ("senders = [\"a b\"]\n", "providers.vonage.senders"),
        ("ramp_up = \"50\"\n", "providers.vonage.ramp_up"),
    ] {
        let error = told(&format!("{vonage}{wrong}")).unwrap_err();
        assert!(error.contains(key), "{key}: {error}");
    }
    let error = told(&format!("{mailgun}ramp_up = \"slowly\"\n")).unwrap_err();
    assert!(error.contains("providers.mailgun.ramp_up") && error.contains("50/day from"), "{error}");
    let voice = twilio.replace("twilio]", "twilio_voice]");
    assert_eq!(told(&format!("{twilio}{voice}rate = 1\n")), Ok(()));
    for (wrong, key) in [(voice.replace('+', ""), "providers.twilio_voice.from"), (format!("{voice}ring = \"500ms\"\n"), "providers.twilio_voice.ring")] {
        let error = told(&wrong).unwrap_err();
        assert!(error.contains(key), "{key}: {error}");
    }
    for (wrong, key) in [
        ("[providers.sendgrid]\nfrom = \"a@b.example\"\n", "providers.sendgrid.api_key_file"),
        ("[providers.mailgun]\napi_key = \"k\"\ndomain = \"a/b\"\nfrom = \"a@b.example\"\n", "providers.mailgun.domain"),
        ("[providers.twilio]\naccount_sid = \"AC1\"\nauth_token = \"t\"\nfrom = \"+1\"\n", "providers.twilio.account_sid"),
        ("[providers.twilio]\naccount_sid = \"AC00000000000000000000000000000001\"\nauth_token = \"t\"\n", "providers.twilio.from"),
        ("[providers.vonage]\napi_key = \"k\"\napi_secret = \"s\"\nfrom = \"+82 10\"\n", "providers.vonage.from"),
        ("[providers.slack]\nendpoint = \"https://hooks.slack.com/services/\"\n", "providers.slack.endpoint"),
        ("[providers.web_push]\nprivate_key = \"x\"\nsubject = \"mailto:a@b.example\"\n", "providers.web_push.private_key"),
        ("[providers.web_push]\nprivate_key = \"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA\"\nsubject = \"me\"\n", "providers.web_push.subject"),
    ] {
        let error = told(wrong).unwrap_err();
        assert!(error.contains(key), "{key}: {error}");
    }
}

#[test]
fn kakao_talk_says_what_it_needs() {
    let told = |text: &str| {
        let (_folder, sources) = sources(text, &[]);
        Config::load(&sources).map(drop).map_err(|error| error.to_string())
    };
    let least = format!("[providers.kakao_talk]\napp_key = \"k1\"\nsecret_key = \"s\"\nsender_key = \"{}\"\n", "a".repeat(40));
    let more = format!("{least}template = \"ORDER_PAID\"\nsms_fallback_from = \"0215880000\"\n");
    assert_eq!((told(&least), told(&more)), (Ok(()), Ok(())));
    for (wrong, key) in [
        (least.replace("k1", "k/1"), "app_key"),
        (least.replace("secret_key = \"s\"\n", ""), "secret_key_file"),
        (least.replace("aa\"", "a\""), "sender_key"),
        (more.replace("ORDER_PAID", "ORDER PAID"), "template"),
        (more.replace("\"0215880000\"", "\"+82 2 1588 0000\""), "sms_fallback_from"),
    ] {
        let error = told(&wrong).unwrap_err();
        assert!(error.contains(&format!("providers.kakao_talk.{key}")), "{key}: {error}");
    }
}
