//! What `plan` and `apply` share: from a file and a cluster to a plan.

use std::path::{Path, PathBuf};

use tokio::time::Instant;

use super::connect::{ConnectArgs, reach};
use super::error::CliError;
use super::progress;
use super::select::{SelectArgs, Wanted};
use crate::cluster::apply::Patience;
use crate::cluster::evidence;
use crate::cluster::observe::{Observation, Reach, observe, observe_listed};
use crate::cluster::port::{ClusterError, Listing, Log, Scope, Topics};
use crate::cluster::verify::{Verified, verify};
use crate::kafka::admin::Admin;
use crate::plan::{Evidence, Plan, diff, grade, questions};
use crate::topology::TopicName;
use crate::topology::observed::ClusterState;

/// A plan, and what it was made from.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) observed: ClusterState,
}

/// Reads the file while the network works, then plans: observed, compared, graded, asked of the
/// broker. `now` is in milliseconds since the epoch.
pub(crate) async fn plan_live(
    connect: &ConnectArgs,
    select: &SelectArgs,
    file: &Path,
    deadline: Instant,
    now: i64,
) -> Result<(Admin, Wanted, Planned), CliError> {
    let config = connect.config()?;
    let reaching = async {
        let admin = reach(config).await?;
        // Which topics there are can be asked without knowing the file; a whole file wants all of them.
        let listed = if select.is_whole() { Some(admin.list(Scope::Whole).await) } else { None };
        Ok::<_, CliError>((admin, listed))
    };
    let (select, path) = (select.clone(), PathBuf::from(file));
    let reading = tokio::task::spawn_blocking(move || select.wanted(&path, "planned"));
    let (wanted, reached) = tokio::join!(reading, reaching);
    let wanted = wanted.map_err(|error| CliError::failed("reading the file failed").because(error))??;
    let (admin, listed) = reached?;
    let listed = listed.transpose().map_err(|error| cluster_failed("cannot read the cluster", error))?;
    let planning = plan_with(&admin, &wanted, listed, deadline, now);
    let planned = progress::shown_while("reading the cluster and asking the broker", planning).await?;
    Ok((admin, wanted, planned))
}

/// Plans what is at hand against a cluster.
pub(crate) async fn plan_wanted(
    cluster: &(impl Topics + Log),
    wanted: &Wanted,
    deadline: Instant,
    now: i64,
) -> Result<Planned, CliError> {
    let planning = plan_with(cluster, wanted, None, deadline, now);
    progress::shown_while("reading the cluster and asking the broker", planning).await
}

/// Plans against a cluster that was reached already. Brokers fall behind the controller, by seconds
/// after large requests. Where one contradicts another, or the controller contradicts what they
/// showed, the cluster is read again until they agree, within reason. `listed`: all its topics, where
/// they are at hand.
async fn plan_with(
    cluster: &(impl Topics + Log),
    wanted: &Wanted,
    mut listed: Option<Listing>,
    deadline: Instant,
    now: i64,
) -> Result<Planned, CliError> {
    let (_never, stop) = tokio::sync::watch::channel(false);
    let patience = Patience { deadline, stop };
    let names = wanted.names();
    let agreed_by = deadline.min(Instant::now() + CATCH_UP);
    loop {
        let reach = if wanted.whole { Reach::Managed(&names) } else { Reach::Only(&names) };
        let observation = match listed.take() {
            Some(listing) => observe_listed(cluster, reach, listing).await,
            None => observe(cluster, reach).await,
        };
        let observation = observation.map_err(|error| cluster_failed("cannot read the cluster", error))?;
        let may_agree_later = Instant::now() < agreed_by;
        if !(observation.brokers_disagree() && may_agree_later) {
            readable(&observation, &names)?;
            let verified = judge(cluster, wanted, &observation.state, &patience, now).await?;
            if !(verified.outdated && may_agree_later) {
                return Ok(Planned { plan: verified.plan, observed: observation.state });
            }
        }
        tracing::info!("a broker that was read is behind the controller; reading again");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

const CATCH_UP: std::time::Duration = std::time::Duration::from_secs(20);

/// Compares, grades, and asks the broker.
async fn judge(
    cluster: &(impl Topics + Log),
    wanted: &Wanted,
    observed: &ClusterState,
    patience: &Patience,
    now: i64,
) -> Result<Verified, CliError> {
    let plan = diff(&wanted.topology, observed);
    let asked = questions(&plan, observed);
    let evidence = evidence::gather(cluster, &asked, now)
        .await
        .map_err(|error| cluster_failed("cannot read the logs' offsets", error))?;
    let plan = grade(plan, &wanted.topology, observed, &evidence);
    verify(cluster, plan, patience)
        .await
        .map_err(|error| cluster_failed("cannot ask the broker whether it accepts the plan", error))
}

/// Plans without a cluster.
pub(crate) fn plan_offline(wanted: &Wanted, mut observed: ClusterState) -> Planned {
    if !wanted.whole {
        let names: std::collections::HashSet<TopicName> = wanted.names().into_iter().collect();
        observed.topics.retain(|name, _| names.contains(name));
    }
    let plan = grade(diff(&wanted.topology, &observed), &wanted.topology, &observed, &Evidence::default());
    Planned { plan, observed }
}

/// A topic of the file that cannot be read cannot be planned: it would look absent or unset.
fn readable(observation: &Observation, names: &[TopicName]) -> Result<(), CliError> {
    let names: std::collections::HashSet<&TopicName> = names.iter().collect();
    let refused: Vec<_> = observation.refused.iter().filter(|one| names.contains(&one.topic)).collect();
    let Some(first) = refused.first() else { return Ok(()) };
    let mut error = CliError::failed("the cluster does not show every topic of the file");
    for one in refused.iter().take(10) {
        error = error.because(format!("topic {}: {} (needs {})", one.topic, one.refusal, one.needs));
    }
    if refused.len() > 10 {
        error = error.because(format!("and {} more", refused.len() - 10));
    }
    Err(error.help(format!(
        "give the login the right, for example: kafka-acls.sh --add --allow-principal User:NAME --operation {} --topic {}",
        match first.needs {
            "DESCRIBE" => "Describe",
            _ => "DescribeConfigs",
        },
        first.topic
    )))
}

pub(crate) fn cluster_failed(message: &str, error: ClusterError) -> CliError {
    let failed = CliError::failed(message).because(&error.message);
    match error.help {
        Some(help) => failed.help(help),
        None => failed,
    }
}
