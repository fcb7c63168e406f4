//! How a service is configured: by flags, by the environment, by a file. The earlier wins.

use std::fmt::Write as _;
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use tokio::net::TcpListener;

use super::assets::Assets;
use crate::cli::connect::ConnectArgs;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::kafka::Cluster;
use crate::runtime::http::Limits;
use crate::runtime::service::{ServiceError, Surroundings};
use crate::runtime::{Measured, Tracing, measure};
use crate::store::cluster::ClusterKind;
use crate::store::{Location, LocationError, StoreError};
use crate::text::quoted;

/// What every service takes. A setting of the file has the flag's name.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct CommonArgs {
    /// A file with settings: the flags' names and values, as YAML; flags and environment win
    #[arg(long, value_name = "FILE", env = "KAFKAFLOW_SETTINGS", hide_env_values = true)]
    settings: Option<PathBuf>,

    /// Print what is in effect, as such a file, and end
    #[arg(long)]
    print_config: bool,

    /// The topology file [default: the one that is part of kafkaflow]
    #[arg(long, value_name = "FILE", env = "KAFKAFLOW_TOPOLOGY", hide_env_values = true)]
    topology: Option<PathBuf>,

    /// Lay an environment of the topology over its base
    #[arg(long, value_name = "NAME", env = "KAFKAFLOW_ENV", hide_env_values = true)]
    env: Option<String>,

    /// The services' stores: a folder of SQLite files, or a PostgreSQL database [default: sqlite:.kafkaflow]
    #[arg(
        long,
        value_name = "sqlite:DIR|postgres://…",
        env = "KAFKAFLOW_STORE",
        hide_env_values = true,
        help_heading = "Store"
    )]
    store: Option<String>,

    /// A name that outlives a restart (group.instance.id): partitions wait for it instead of moving
    #[arg(long, value_name = "NAME", env = "KAFKAFLOW_INSTANCE", hide_env_values = true)]
    instance: Option<String>,

    /// How long the group waits for an instance that says nothing, in seconds [default: 10]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=3600))]
    session_timeout: Option<u32>,

    /// Where HTTP is served; port 0 takes a free one
    #[arg(
        long,
        value_name = "HOST:PORT",
        env = "KAFKAFLOW_LISTEN",
        hide_env_values = true,
        help_heading = "HTTP"
    )]
    listen: Option<String>,

    #[command(flatten)]
    connect: ConnectArgs,
}

/// The settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(crate) struct File {
    brokers: Option<String>,
    config: Option<PathBuf>,
    topology: Option<PathBuf>,
    env: Option<String>,
    store: Option<String>,
    instance: Option<String>,
    session_timeout: Option<u32>,
    listen: Option<String>,
    pub(super) catalog: Option<PathBuf>,
    #[serde(rename = "api-token-file")]
    pub(super) api_token: Option<PathBuf>,
    pub(super) anonymous: Option<bool>,
    pub(super) reserve: Option<super::order::ReserveBy>,
    pub(super) inventory: Option<String>,
    #[serde(rename = "inventory-token-file")]
    pub(super) inventory_token: Option<PathBuf>,
    pub(super) reserve_within: Option<String>,
    pub(super) payments: Option<super::order::PaymentsBy>,
    pub(super) decline_rate: Option<f64>,
    pub(super) operators: Option<String>,
    pub(super) reservations: Option<bool>,
    #[serde(rename = "reservation-token-file")]
    pub(super) reservation_token: Option<PathBuf>,
    pub(super) delay: Option<String>,
    pub(super) email: Option<String>,
    pub(super) sms: Option<String>,
    pub(super) operator: Option<String>,
    pub(super) without_address: Option<String>,
    pub(super) templates: Option<PathBuf>,
    pub(super) batch: Option<u32>,
    pub(super) batch_wait: Option<String>,
    pub(super) rate: Option<String>,
    pub(super) burst: Option<u32>,
    pub(super) connections: Option<u32>,
    pub(super) send_timeout: Option<String>,
    pub(super) from: Option<String>,
    pub(super) list: Option<Vec<String>>,
    pub(super) smtp_user: Option<String>,
    #[serde(rename = "smtp-password-file")]
    pub(super) smtp_password: Option<PathBuf>,
    pub(super) smtp_plain: Option<bool>,
    #[serde(rename = "webhook-token-file")]
    pub(super) webhook_token: Option<PathBuf>,
    pub(super) webhook_batch: Option<u32>,
}

/// What is in effect.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) print: bool,
    topology: Option<PathBuf>,
    env: Option<String>,
    location: Location,
    instance: Option<String>,
    session_timeout: u32,
    listen: String,
    connect: ConnectArgs,
}

impl CommonArgs {
    /// Puts flags, environment and file together. `port` is where the service is served on loopback by default.
    pub(crate) fn merged(self, port: u16) -> Result<(Common, File), CliError> {
        let file = self.settings.as_deref().map(read).transpose()?.unwrap_or_default();
        let store =
            self.store.or_else(|| file.store.clone()).unwrap_or_else(|| "sqlite:.kafkaflow".to_owned());
        let location = store.parse().map_err(|error: LocationError| {
            CliError::usage("--store says no store").because(&error).help(error.help())
        })?;
        let common = Common {
            print: self.print_config,
            topology: self.topology.or_else(|| file.topology.clone()),
            env: self.env.or_else(|| file.env.clone()),
            location,
            instance: self.instance.or_else(|| file.instance.clone()),
            session_timeout: self.session_timeout.or(file.session_timeout).unwrap_or(10),
            listen: self
                .listen
                .or_else(|| file.listen.clone())
                .unwrap_or_else(|| format!("127.0.0.1:{port}")),
            connect: self.connect.or(file.brokers.clone(), file.config.clone()),
        };
        if !(1..=3600).contains(&common.session_timeout) {
            return Err(CliError::usage("`session-timeout` is a number of seconds from 1 to 3600"));
        }
        Ok((common, file))
    }
}

fn read(path: &Path) -> Result<File, CliError> {
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        CliError::failed(format!("cannot read {}", quoted(&shown)))
            .because(error)
            .help("--settings names a file of settings; `--print-config` writes one")
    })?;
    if text.trim().is_empty() {
        return Ok(File::default());
    }
    serde_saphyr::from_str(&text).map_err(|error| {
        // An excerpt follows the first line.
        let said = error.to_string();
        let said = said.lines().next().unwrap_or_default();
        CliError::usage(format!("the settings in {} cannot be used", quoted(&shown)))
            .because(said.strip_prefix("error: ").unwrap_or(said))
            .help("`--print-config` writes every setting there is")
    })
}

impl Common {
    /// As a settings file; secrets are masked.
    pub(crate) fn printed(&self) -> Result<Printed, CliError> {
        let config = self.connect.config()?;
        let brokers: Vec<String> = config.bootstrap.iter().map(ToString::to_string).collect();
        Ok(self.printed_with(Some(brokers.join(","))))
    }

    /// As [`Common::printed`], with or without brokers.
    pub(crate) fn printed_with(&self, brokers: Option<String>) -> Printed {
        let mut printed = Printed::default();
        printed.set("brokers", brokers);
        printed.set("config", self.connect.file());
        printed.path("topology", self.topology.as_deref());
        printed.set("env", self.env.clone());
        printed.set("store", Some(self.location.to_string()));
        printed.set("instance", self.instance.clone());
        printed.set("session-timeout", Some(self.session_timeout.to_string()));
        printed.set("listen", Some(self.listen.clone()));
        printed
    }

    pub(crate) fn assets(&self) -> Result<Assets, CliError> {
        super::assets::assets(self.topology.as_deref(), self.env.as_deref())
    }

    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, CliError> {
        addresses("--listen", &self.listen)
    }

    pub(crate) fn connect(&self) -> &ConnectArgs {
        &self.connect
    }

    pub(crate) fn env(&self) -> Option<&str> {
        self.env.as_deref()
    }

    /// The topology file, or the one that is part of kafkaflow.
    pub(crate) fn topology_file(&self) -> String {
        self.topology.as_ref().map_or_else(|| "topology.yaml".to_owned(), |path| path.display().to_string())
    }

    /// Runs a service, the only one of this process, to its end.
    pub(crate) async fn serve<W: Future<Output = Result<(), ServiceError>>>(
        &self,
        service: &'static str,
        assets: &Assets,
        addresses: &[SocketAddr],
        work: impl FnOnce(Surroundings) -> W,
    ) -> Result<Exit, CliError> {
        let around = self.surrounded(service, assets, addresses, self.cluster()?, measure()).await?;
        let tracing = around.tracing.clone();
        let worked = Box::pin(work(around)).await;
        // Sending may wait for a collector.
        let _ = tokio::task::spawn_blocking(move || tracing.shut_down()).await;
        worked.map_err(|error| ended(service, &error))?;
        Ok(Exit::Fine)
    }

    /// The cluster that brokers were named of.
    pub(crate) fn cluster(&self) -> Result<(Cluster, ClusterKind), CliError> {
        Ok((Cluster::from(self.connect.config()?), ClusterKind::Kafka))
    }

    /// Whether nothing says where brokers are.
    pub(crate) fn names_no_cluster(&self) -> bool {
        !self.connect.names_brokers()
    }

    pub(crate) fn location(&self) -> &Location {
        &self.location
    }

    /// Begins to listen. `measured`: what the process measures.
    pub(crate) async fn surrounded(
        &self,
        service: &'static str,
        assets: &Assets,
        addresses: &[SocketAddr],
        (cluster, kind): (Cluster, ClusterKind),
        measured: Option<Measured>,
    ) -> Result<Surroundings, CliError> {
        let listener = TcpListener::bind(addresses).await.map_err(|error| {
            let at: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            CliError::failed(format!("cannot serve on {}", at.join(", ")))
                .because(error)
                .help("another process may serve there; port 0, as in `--listen 127.0.0.1:0`, is a free one")
        })?;
        let at = listener.local_addr().map_err(|error| CliError::failed("no address").because(error))?;
        tracing::info!("{service} serves http://{at}, stores in {}", self.location);
        Ok(Surroundings {
            topology: assets.topology.clone(),
            cluster,
            kind,
            location: self.location.clone(),
            listener,
            limits: Limits::default(),
            instance: self.instance.clone(),
            session: Duration::from_secs(self.session_timeout.into()),
            measured,
            tracing: tracing_of(service)?,
            process: format!("{service}-{}", uuid::Uuid::new_v4()),
        })
    }
}

/// The first of these that other machines reach.
pub(super) fn open_to_others(addresses: &[SocketAddr]) -> Option<&SocketAddr> {
    addresses.iter().find(|address| !address.ip().is_loopback())
}

/// Where `flag` says that HTTP is served.
pub(crate) fn addresses(flag: &str, text: &str) -> Result<Vec<SocketAddr>, CliError> {
    let wrong = || CliError::usage(format!("{} is no address to serve on", quoted(text)));
    let help = format!("{flag} takes HOST:PORT, such as 127.0.0.1:8080 or [::]:8080");
    let addresses = text.to_socket_addrs().map_err(|error| wrong().because(error).help(help))?;
    let addresses: Vec<SocketAddr> = addresses.collect();
    if addresses.is_empty() { Err(wrong()) } else { Ok(addresses) }
}

/// Spans are sent when OpenTelemetry's own variables name a collector.
fn tracing_of(service: &str) -> Result<Tracing, CliError> {
    let named = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
    let is_set = |name: &&str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    if !named.iter().any(is_set) {
        return Ok(Tracing::default());
    }
    let service = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| service.to_owned());
    Tracing::by_otlp(&service).map_err(|error| CliError::failed("no spans can be sent").because(error))
}

/// A settings file that is being written.
#[derive(Default)]
pub(crate) struct Printed(String);

impl Printed {
    /// What is not set stands there as a comment.
    pub(crate) fn set(&mut self, name: &str, value: Option<String>) {
        let _ = match value {
            None => writeln!(self.0, "# {name}:"),
            Some(value) => {
                let plain = value.parse::<f64>().is_ok() || matches!(value.as_str(), "true" | "false");
                let value = if plain { value } else { serde_json::to_string(&value).unwrap_or_default() };
                writeln!(self.0, "{name}: {value}")
            }
        };
    }

    pub(crate) fn path(&mut self, name: &str, path: Option<&Path>) {
        self.set(name, path.map(|path| path.display().to_string()));
    }

    pub(crate) fn list(&mut self, name: &str, values: &[String]) {
        let _ = match values {
            [] => writeln!(self.0, "# {name}:"),
            _ => writeln!(self.0, "{name}: {}", serde_json::to_string(values).unwrap_or_default()),
        };
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

/// A service that ended by itself.
pub(crate) fn ended(service: &str, error: &ServiceError) -> CliError {
    let failed = CliError::failed(format!("{service} ended")).because(error);
    match error {
        ServiceError::Lacking(lacking) => {
            let failed = CliError::failed(format!("{service} does not start: {error}"));
            let failed = lacking.0.iter().fold(failed, CliError::because);
            failed.help("`kafkaflow apply topology.yaml` makes what is missing; `kafkaflow init` writes that file where you have none of your own")
        }
        ServiceError::Store(StoreError::OtherCluster { .. }) => {
            let failed = CliError::failed(format!("{service} does not start")).because(error);
            failed.help("what it published is in that cluster alone; give this one a store of its own: `--store sqlite:FOLDER`")
        }
        ServiceError::NoOutlet(_) | ServiceError::NoGroup(_) => CliError {
            message: format!("{service} does not start"),
            ..failed.help("the service needs its place in the topology; see the topology.yaml of kafkaflow")
        },
        _ => failed,
    }
}
