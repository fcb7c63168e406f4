//! `kafkaflow run`

pub(super) mod assets;
pub(super) mod inventory;
mod means;
pub(super) mod notification;
pub(super) mod order;
pub(super) mod settings;

use std::io::Write;

use clap::Subcommand;

use super::error::CliError;
use super::exit::Exit;

/// Run one service of the design, until SIGTERM or Ctrl-C.
///
/// A service keeps its state, its inbox and its outbox in a store of its own, consumes in its group, and publishes what its
/// outbox holds. Several instances share the work. Without a topology of yours the one that is part of kafkaflow is used.
///
/// A cluster or a store that cannot be reached is waited for; a cluster that lacks topics or partitions is refused.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    service: Service,
}

#[derive(Subcommand)]
enum Service {
    Order(Box<order::Args>),
    Inventory(Box<inventory::Args>),
    Notification(Box<notification::Args>),
}

/// Every client holds a connection; the system's usual limit of open files is for programs that have few.
pub(super) fn allow_many_connections() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::info!("the limit of open files stays: {error}");
    }
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    allow_many_connections();
    match args.service {
        Service::Inventory(args) => Box::pin(inventory::run(*args, out)).await,
        Service::Notification(args) => Box::pin(notification::run(*args, out)).await,
        Service::Order(args) => Box::pin(order::run(*args, out)).await,
    }
}
