//! `kafkaflow snapshot`

use std::io::Write;

use super::connect::ConnectArgs;
use super::error::CliError;
use super::exit::Exit;
use super::planning::cluster_failed;
use super::progress;
use crate::cluster::observe::{Reach, observe};

/// Write the cluster's observed state as JSON.
///
/// Every topic with its partitions, replicas and settings. `kafkaflow plan --against` plans with it
/// later, without a cluster.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    connect: ConnectArgs,
}

pub(crate) async fn run(args: &Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let admin = args.connect.connect().await?;
    let observing = progress::shown_while("reading the cluster", observe(&admin, Reach::Everything));
    let observation = observing.await.map_err(|error| cluster_failed("cannot read the cluster", error))?;
    for one in &observation.refused {
        eprintln!("warning: topic {} is incomplete: {} (needs {})", one.topic, one.refusal, one.needs);
    }
    serde_json::to_writer_pretty(&mut *out, &observation.state).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(Exit::Fine)
}
