//! `kafkaflow up` without brokers: the one inside of this process.

use std::fmt::Write as _;
use std::io::Write;
use std::time::Duration;

use super::carry_to;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::run::assets::Assets;
use crate::cli::run::settings::{Common, ended};
use crate::kafka::Cluster;
use crate::kafka::embedded::{Consuming, Embedded};
use crate::runtime::service::ServiceError;
use crate::services::order::run::Settings;
use crate::store::cluster::ClusterKind;
use crate::up::embedded::{Stores, StoresError, groups};

/// Brokers that it has at least.
const BROKERS: i32 = 3;
/// How long the end waits for what is on its way.
const DRAIN: Duration = Duration::from_secs(10);
/// Orders that are named one by one.
const NAMED: usize = 10;
const REMARK: &str = "Settings are remembered, and not enforced by the embedded broker.\n";

/// The broker, and the stores that go with it.
pub(super) struct Inside {
    broker: Embedded,
    stores: Stores,
    groups: Vec<Consuming>,
}

impl Inside {
    /// Starts the broker, makes its topics, and settles what the one before it left.
    pub(super) async fn begin<P>(
        common: &Common,
        assets: &Assets,
        settings: &Settings<P>,
        out: &mut impl Write,
    ) -> Result<Self, CliError> {
        let topology = &assets.topology;
        let replicas = topology.topics.iter().filter_map(|topic| topic.replication).max().unwrap_or(1);
        let broker = Embedded::start(BROKERS.max(replicas.into()))
            .map_err(|error| CliError::failed("the embedded broker does not start").because(error))?;
        // There is nothing that a change could harm.
        let brought = carry_to(&broker, common, assets, true, Some(REMARK), out).await?;
        if brought != Exit::Fine {
            return Err(CliError::failed("the embedded broker does not have every topic"));
        }
        let failed = |error: ServiceError| ended("up", &error);
        let stores = Stores::open(common.location()).await.map_err(|error| match error {
            StoresError::Store(error) => failed(error.into()),
            StoresError::Taken => CliError::failed("up does not start")
                .because(&error)
                .help("end that one, or give this one stores of its own: `--store sqlite:FOLDER`"),
        })?;
        let lost = stores.cancel_lost(settings, topology).await.map_err(failed)?;
        if !lost.is_empty() {
            out.write_all(named(&lost).as_bytes())?;
        }
        Ok(Self { broker, stores, groups: groups(topology) })
    }

    pub(super) fn cluster(&self) -> Result<(Cluster, ClusterKind), CliError> {
        let cluster = self.broker.cluster();
        let cluster =
            cluster.map_err(|error| CliError::failed("the embedded broker cannot be used").because(error))?;
        Ok((cluster, ClusterKind::Embedded))
    }

    pub(super) fn addresses(&self) -> String {
        self.broker.addresses()
    }

    /// Waits for what is on its way, and says what is not done in time.
    pub(super) async fn drained(&self) {
        let onlooker = match self.broker.onlooker(&self.groups) {
            Ok(onlooker) => onlooker,
            Err(error) => {
                eprintln!("warning: whether anything is on its way cannot be told: {error}");
                return;
            }
        };
        let drained = self.stores.drained(&onlooker, DRAIN).await;
        onlooker.end().await;
        if let Err(left) = drained {
            eprintln!(
                "warning: after {} s, {} outbox rows and {} records are still on their way; rows are kept, records end \
                 with the broker",
                DRAIN.as_secs(),
                left.rows,
                left.records
            );
        }
    }

    pub(super) async fn end(self) {
        self.stores.close().await;
    }
}

/// Which orders were cancelled, and why.
fn named(lost: &[String]) -> String {
    let (count, are) = if lost.len() == 1 {
        ("1 order".to_owned(), "is")
    } else {
        (format!("{} orders", lost.len()), "are")
    };
    let mut text = format!(
        "\n{count} {are} cancelled, and the stock given back: the records ended with the embedded broker of a run that was killed.\n"
    );
    for id in lost.iter().take(NAMED) {
        text.push_str("  ");
        text.push_str(id);
        text.push('\n');
    }
    if lost.len() > NAMED {
        let _ = writeln!(text, "  and {} more", lost.len() - NAMED);
    }
    text
}
