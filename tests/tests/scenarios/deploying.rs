//! The files of docs/deploy: they can be read, and every setting, flag and path in them is one that the
//! binary knows. Images are not built, and no cluster is asked.

use anyhow::{Context, Result, bail};
use services::postgres::Postgres;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Output;
use tests::process::run;
use tests::{App, process};
use yaml_rust2::{Yaml, YamlLoader};

/// Variables of the binary that are no settings.
const OF_COMMANDS: [&str; 6] = ["BONGSU_MASTER_KEY", "BONGSU_KEY", "BONGSU_SERVER", "BONGSU_CONFIG", "BONGSU_MIGRATE_FROM", "BONGSU_MIGRATE_TO"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/deploy")
}

fn read(name: &str) -> Result<String> {
    std::fs::read_to_string(folder().join(name)).with_context(|| name.to_owned())
}

fn yaml(name: &str) -> Result<Yaml> {
    let documents = YamlLoader::load_from_str(&read(name)?).with_context(|| name.to_owned())?;
    documents.into_iter().next().with_context(|| format!("{name} is empty"))
}

fn texts(list: &Yaml) -> Vec<&str> {
    list.as_vec().into_iter().flatten().filter_map(Yaml::as_str).collect()
}

/// Texts of a mapping, with `${NAME:...}` filled in as somebody would.
fn variables(mapping: &Yaml) -> BTreeMap<String, String> {
    let pairs = mapping.as_hash().into_iter().flatten();
    pairs.filter_map(|(name, value)| Some((name.as_str()?.to_owned(), filled(value.as_str()?)))).collect()
}

fn filled(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let (inside, behind) = after.split_once('}').unwrap_or((after, ""));
        let name = inside.split(':').next().unwrap_or_default();
        let example = match name {
            "BONGSU_MASTER_KEY" => "5".repeat(64),
            "PUBLIC_HOST" => "localhost".to_owned(),
            _ => "secret0".to_owned(),
        };
        out.push_str(before);
        out.push_str(&example);
        rest = behind;
    }
    out + rest
}

fn said(output: &Output) -> String {
    format!("{}\n{}{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The configuration that the binary makes of this environment, without the file of any folder.
async fn configured(variables: &BTreeMap<String, String>, file: Option<&Path>) -> Result<BTreeMap<String, String>> {
    let root = tempfile::tempdir()?;
    let environment: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut arguments = vec!["config", "show", "--json"];
    let file = file.map(|file| file.display().to_string());
    if let Some(file) = &file {
        arguments.extend(["--config", file]);
    }
    let output = run(&arguments, root.path(), &environment).await?;
    assert!(output.status.success(), "{}", said(&output));
    for secret in ["secret0", "change-me", &"5".repeat(64)] {
        assert!(!said(&output).contains(secret), "a secret is shown: {}", said(&output));
    }
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let values = told.as_array().cloned().unwrap_or_default();
    let value = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Ok(values.iter().filter_map(|one| Some((one["key"].as_str()?.to_owned(), value(&one["value"])))).collect())
}

/// A command line of the binary, whose help names every flag in it.
async fn known(command: &[&str]) -> Result<()> {
    let words: Vec<&str> =
        command.iter().copied().take_while(|word| !word.starts_with('-') && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')).collect();
    let mut help = None;
    // The last of the words may be an argument, such as the name of a read model.
    for length in (1..=words.len()).rev() {
        let output = run(&[&words[..length], &["--help"]].concat(), &std::env::temp_dir(), &[]).await?;
        if output.status.success() {
            help = Some(String::from_utf8(output.stdout)?);
            break;
        }
    }
    let help = help.with_context(|| format!("there is no command {command:?}"))?;
    for flag in command.iter().filter(|word| word.starts_with("--")) {
        let flag = flag.split('=').next().unwrap_or(flag);
        assert!(help.split_whitespace().any(|word| word.trim_end_matches(',') == flag), "{command:?}: no {flag} in\n{help}");
    }
    Ok(())
}

#[tokio::test]
async fn every_variable_that_is_named_is_one_of_ours() -> Result<()> {
    let output = run(&["config", "show", "--json"], &std::env::temp_dir(), &[]).await?;
    let told: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let keys = told.as_array().context("no list")?.iter().filter_map(|one| one["key"].as_str());
    let settings: Vec<String> = keys.map(|key| format!("BONGSU_{}", key.replace('.', "__").to_uppercase())).collect();
    assert!(settings.contains(&"BONGSU_POSTGRES__URL".to_owned()), "{settings:?}");
    let mut named = 0;
    let mut open = vec![folder()];
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(std::fs::read_dir(&path)?.collect::<Result<Vec<_>, _>>()?.into_iter().map(|entry| entry.path()));
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        for word in
            text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_').filter(|word| word.starts_with("BONGSU_") && word.len() > 8)
        {
            named += 1;
            assert!(settings.iter().any(|known| known == word) || OF_COMMANDS.contains(&word), "{word} in {}", path.display());
        }
    }
    assert!(named > 15, "only {named} were found");
    Ok(())
}

#[tokio::test]
async fn the_services_of_the_compose_file_can_be_configured_so() -> Result<()> {
    let compose = yaml("compose.yaml")?;
    let dockerfile = read("Dockerfile")?;
    let mut replicas = 0;
    for (name, service) in compose["services"].as_hash().context("no services")? {
        let name = name.as_str().unwrap_or_default();
        if !name.starts_with("bongsu") {
            assert!(service["image"].as_str().is_some_and(|image| image.contains(':')), "{name} has no version");
            continue;
        }
        replicas += 1;
        let mut environment = variables(&service["environment"]);
        environment.extend(of_image(&dockerfile));
        let values = configured(&environment, None).await?;
        assert_eq!((values["storage.profile"].as_str(), values["server.listen"].as_str()), ("cluster", "0.0.0.0:8080"), "{values:#?}");
        assert_eq!(values["storage.data_dir"], "/var/lib/bongsu/data");
        assert!(read("Caddyfile")?.contains(&format!("{name}:8080")), "the proxy does not know {name}");
        let tmpfs = texts(&service["tmpfs"]).join(" ");
        assert!(tmpfs.starts_with("/var/lib/bongsu:") && tmpfs.contains("uid=10001"), "{tmpfs}");
        assert!(seconds(service["stop_grace_period"].as_str())? > seconds(Some(&values["server.shutdown_grace"]))?);
        assert!(service["build"]["dockerfile"].as_str() == Some("docs/deploy/Dockerfile") && service["build"]["context"].as_str() == Some("../.."));
    }
    assert_eq!(replicas, 3);
    Ok(())
}

/// What the image sets.
fn of_image(dockerfile: &str) -> BTreeMap<String, String> {
    let pairs = dockerfile.split_whitespace().filter_map(|word| word.split_once('='));
    pairs.filter(|(name, _)| name.starts_with("BONGSU_")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn seconds(text: Option<&str>) -> Result<u64> {
    let text = text.context("no duration")?;
    text.strip_suffix('s').and_then(|number| number.parse().ok()).with_context(|| format!("{text} is not in seconds"))
}

#[tokio::test]
async fn the_image_runs_commands_that_there_are() -> Result<()> {
    let dockerfile = read("Dockerfile")?;
    let command = |instruction: &str| -> Result<Vec<String>> {
        let line = dockerfile.lines().map(str::trim).find(|line| line.starts_with(instruction)).with_context(|| format!("no {instruction}"))?;
        Ok(serde_json::from_str(line[instruction.len()..].trim())?)
    };
    assert_eq!((command("ENTRYPOINT")?, command("CMD [\"serve").ok()), (vec!["bongsu".to_owned()], None));
    known(&["serve"]).await?;
    // The health check is CMD too; it comes first.
    let health = command("CMD")?;
    let health: Vec<&str> = health.iter().map(String::as_str).collect();
    assert_eq!(health.first(), Some(&"bongsu"));
    known(&health[1..]).await?;
    assert!(dockerfile.contains("USER 10001") && dockerfile.contains("rust:${RUST_VERSION}"), "{dockerfile}");
    let wanted = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))?;
    let version = wanted.lines().find_map(|line| line.strip_prefix("rust-version = ")).context("no rust-version")?.trim_matches('"');
    assert!(dockerfile.contains(&format!("ARG RUST_VERSION={version}")), "the image is built by another Rust than {version}");

    // It tells whether a server is ready, and needs no key for that.
    let app = App::start().await?;
    let asked = |server: String| async move { run(&[&health[1..3], &[server.as_str()]].concat(), &std::env::temp_dir(), &[]).await };
    let healthy = asked(app.admin.base().to_owned()).await?;
    assert!(healthy.status.success(), "{}", said(&healthy));
    Ok(())
}

#[tokio::test]
async fn the_manifests_fit_each_other_and_the_binary() -> Result<()> {
    let kustomization = yaml("kubernetes/kustomization.yaml")?;
    for name in texts(&kustomization["resources"]) {
        yaml(&format!("kubernetes/{name}"))?;
    }
    let (deployment, config) = (yaml("kubernetes/deployment.yaml")?, yaml("kubernetes/configmap.yaml")?);
    let (secret, service, budget) = (yaml("kubernetes/secret.example.yaml")?, yaml("kubernetes/service.yaml")?, yaml("kubernetes/poddisruptionbudget.yaml")?);
    let root = tempfile::tempdir()?;
    let file = root.path().join("bongsu.toml");
    std::fs::write(&file, config["data"]["bongsu.toml"].as_str().context("no configuration")?)?;
    let values = configured(&variables(&secret["stringData"]), Some(&file)).await?;
    assert_eq!(values["storage.profile"], "cluster");

    let spec = &deployment["spec"];
    let pod = &spec["template"]["spec"];
    let container = &pod["containers"][0];
    let rolling = &spec["strategy"]["rollingUpdate"];
    assert_eq!((spec["replicas"].as_i64(), rolling["maxUnavailable"].as_i64(), rolling["maxSurge"].as_i64()), (Some(3), Some(0), Some(1)));
    let labels = &spec["selector"]["matchLabels"];
    for others in [&spec["template"]["metadata"]["labels"], &service["spec"]["selector"], &budget["spec"]["selector"]["matchLabels"]] {
        assert_eq!(others, labels);
    }
    let names = [&container["envFrom"][0]["secretRef"]["name"], &secret["metadata"]["name"]];
    assert_eq!(names[0], names[1]);
    let args = texts(&container["args"]);
    known(&args).await?;
    let mounted = args.last().and_then(|path| Path::new(path).parent()).context("no configuration file")?;
    let mounts: Vec<&str> = container["volumeMounts"].as_vec().context("no mounts")?.iter().filter_map(|mount| mount["mountPath"].as_str()).collect();
    assert!(mounts.iter().any(|path| Path::new(path) == mounted), "{mounts:?}");
    assert!(mounts.iter().any(|path| Path::new(&values["storage.data_dir"]).starts_with(path)), "{mounts:?}");
    let port = container["ports"][0]["containerPort"].as_i64().context("no port")?;
    assert!(values["server.listen"].ends_with(&format!(":{port}")), "{values:#?}");

    let pause: u64 = texts(&container["lifecycle"]["preStop"]["exec"]["command"]).get(1).context("no pause")?.parse()?;
    let grace = pod["terminationGracePeriodSeconds"].as_i64().context("no grace")?;
    assert!(u64::try_from(grace)? > pause + seconds(Some(&values["server.shutdown_grace"]))?);

    // A server answers where the probes ask.
    let app = App::start().await?;
    for probe in ["startupProbe", "livenessProbe", "readinessProbe"] {
        let path = container[probe]["httpGet"]["path"].as_str().with_context(|| format!("no {probe}"))?;
        assert_eq!(app.admin.with("").get(path).await?.0, 200, "{probe}: {path}");
    }
    Ok(())
}

#[tokio::test]
async fn every_command_of_the_guide_is_one_that_there_is() -> Result<()> {
    let mut commands = 0;
    let guide = read("README.md")?;
    for (number, block) in guide.split("```").enumerate() {
        if number % 2 == 0 || !block.starts_with("sh\n") {
            continue;
        }
        for line in block.lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().skip_while(|word| word.contains('=')).collect();
            if words.first() == Some(&"bongsu") {
                known(&words[1..]).await?;
                commands += 1;
            }
        }
    }
    assert!(commands >= 5, "only {commands} were found");
    Ok(())
}

#[tokio::test]
async fn a_replica_starts_as_the_image_would_start_it() -> Result<()> {
    let url = tokio::task::spawn_blocking(|| Postgres::shared()?.database()).await??;
    let root = tempfile::tempdir()?;
    let mut environment = variables(&yaml("compose.yaml")?["services"]["bongsu-1"]["environment"]);
    let (data, ready) = (root.path().join("lib/data").display().to_string(), root.path().join("ready"));
    std::fs::create_dir(root.path().join("lib"))?;
    // There is no Redis under that name: work goes on without it.
    for (name, value) in [("BONGSU_POSTGRES__URL", url.as_str()), ("BONGSU_STORAGE__DATA_DIR", &data), ("BONGSU_SERVER__LISTEN", "127.0.0.1:0")] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    environment.insert("BONGSU_REDIS__URL".to_owned(), "redis://127.0.0.1:1/0".to_owned());
    let variables: Vec<(&str, &str)> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let arguments = ["serve", "--ready-file", &ready.display().to_string()];
    let mut server = process::Process::start(&arguments, root.path(), &variables, &root.path().join("log"))?;
    server.ready(&ready).await?;
    server.signal("TERM").await?;
    let status = server.ended().await?;
    if !status.success() {
        bail!("{status}: {}", server.printed()?);
    }
    // Nothing that must be kept is in the folder: the key came from outside.
    assert!(!Path::new(&data).join("master.key").exists() && !Path::new(&data).join("log.db").exists());
    Ok(())
}
