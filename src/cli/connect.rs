//! Connection options: `-b`, `-X`, `--config`, `KAFKAFLOW_BROKERS`.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;

use super::error::CliError;
use super::progress;
use crate::connection::{ConnectionConfig, Given, HONOURED, OF_RECORDS, parse_properties};
use crate::kafka::WireError;
use crate::kafka::admin::Admin;

/// How to reach the cluster.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectArgs {
    /// Brokers to ask first [env: KAFKAFLOW_BROKERS]
    #[arg(short = 'b', long, value_name = "HOST:PORT,…")]
    brokers: Option<String>,

    /// A client property, as librdkafka or Java name it; wins over --config
    #[arg(short = 'X', value_name = "KEY=VALUE")]
    properties: Vec<String>,

    /// A client.properties file
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConnectArgs {
    /// Does the command line say anything about a cluster?
    pub(crate) fn is_given(&self) -> bool {
        self.brokers.is_some() || !self.properties.is_empty() || self.config.is_some()
    }

    /// Is there anything that may say where brokers are?
    pub(crate) fn names_brokers(&self) -> bool {
        self.is_given() || of_environment().is_some()
    }

    /// With brokers and a file for where none are given.
    pub(crate) fn or(self, brokers: Option<String>, config: Option<PathBuf>) -> Self {
        let brokers = self.brokers.or_else(|| brokers.filter(|_| of_environment().is_none()));
        Self { brokers, config: self.config.or(config), ..self }
    }

    /// The client.properties file.
    pub(crate) fn file(&self) -> Option<String> {
        self.config.as_ref().map(|path| path.display().to_string())
    }

    /// Puts file, environment and flags together; the later wins.
    pub(crate) fn config(&self) -> Result<ConnectionConfig, CliError> {
        let mut given = Vec::new();
        if let Some(path) = &self.config {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| {
                CliError::failed(format!("cannot read {shown}"))
                    .because(error)
                    .help("--config names a client.properties file")
            })?;
            given.extend(parse_properties(&text).into_iter().map(|property| Given {
                origin: format!("{shown}:{}", property.line),
                key: property.key,
                value: property.value,
            }));
        }
        let bootstrap = |value: String, origin: &str| Given {
            key: "bootstrap.servers".into(),
            value,
            origin: origin.into(),
        };
        if let Some(brokers) = of_environment() {
            given.push(bootstrap(brokers, "KAFKAFLOW_BROKERS"));
        }
        for property in &self.properties {
            let Some((key, value)) = property.split_once('=') else {
                return Err(
                    CliError::usage("-X takes KEY=VALUE").help("for example -X security.protocol=SSL")
                );
            };
            given.push(Given { key: key.trim().into(), value: value.into(), origin: "-X".into() });
        }
        if let Some(brokers) = &self.brokers {
            given.push(bootstrap(brokers.clone(), "-b"));
        }
        let config = ConnectionConfig::build(&given).map_err(|problems| {
            let several = if problems.len() == 1 {
                "the connection cannot be configured"
            } else {
                "the connection cannot be configured, for several reasons"
            };
            let mut error = CliError { exit: super::exit::Exit::Usage, ..CliError::failed(several) };
            let mut help: Vec<String> = Vec::new();
            for problem in problems {
                let place =
                    if problem.origin.is_empty() { String::new() } else { format!("{}: ", problem.origin) };
                error = error.because(format!("{place}{}", problem.message));
                help.extend(problem.help.filter(|line| !help.contains(line)));
            }
            if help.is_empty() { error } else { error.help(help.join("\n")) }
        })?;
        for (key, _) in &config.rest {
            tracing::info!("{key} is of no use to the admin plane; kept for producers and consumers");
        }
        Ok(config)
    }

    /// Reaches the cluster.
    pub(crate) async fn connect(&self) -> Result<Admin, CliError> {
        reach(self.config()?).await
    }
}

/// The brokers that the environment names.
fn of_environment() -> Option<String> {
    std::env::var("KAFKAFLOW_BROKERS").ok().filter(|brokers| !brokers.is_empty())
}

pub(crate) async fn reach(config: ConnectionConfig) -> Result<Admin, CliError> {
    let reaching = progress::shown_while("reaching the cluster", Admin::connect(config));
    reaching.await.map_err(|error| unreachable(&error))
}

fn unreachable(error: &WireError) -> CliError {
    let failed = CliError::failed("cannot reach the cluster").because(error);
    match error.help() {
        Some(help) => failed.help(help),
        None => failed,
    }
}

/// The table of honoured properties, for the long help.
pub(crate) fn properties_help() -> String {
    let mut text = String::from("Properties that -X and --config may give:\n");
    for (names, meaning) in HONOURED {
        let _ = writeln!(text, "  {names}\n      {meaning}");
    }
    text.push_str("Producers and consumers heed these too:\n");
    for (names, meaning) in OF_RECORDS {
        let _ = writeln!(text, "  {names}\n      {meaning}");
    }
    text.push_str("Others are left to librdkafka, which joins groups (-v names what it does not know); a security\nproperty that cannot be honoured is an error.");
    text
}
