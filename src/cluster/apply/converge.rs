//! Brokers lag behind the controller, by seconds after large requests: a plan made right after an
//! apply must not see the past.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::batch::{Batch, batches};
use super::execute::Outcome;
use super::settle::Patience;
use super::shown::Asked;
use crate::cluster::observe::StateBuilder;
use crate::cluster::port::{ClusterError, Scope, Topics};
use crate::plan::{Change, Plan};
use crate::topology::TopicName;
use crate::topology::observed::ClusterState;

/// A broker that does not show everything yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Behind {
    /// `None`: the cluster does not even say which brokers there are.
    pub(crate) broker: Option<i32>,
    /// Changes that it is not known to show.
    pub(crate) changes: usize,
    /// What is missing, of one of them; or why the broker cannot be asked.
    pub(crate) example: String,
}

/// Changes that a broker is asked about while it is behind. Asking for thousands would take the processors
/// with which it makes the replicas' files.
const PROBES: usize = 50;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Waits until every live broker shows the changes that were done. Returns the brokers that do not
/// when the patience ends.
pub(crate) async fn converge(
    cluster: &impl Topics,
    plan: &Plan,
    outcomes: &[Outcome],
    patience: &Patience,
    on_round: &mut dyn FnMut(&[Behind]),
) -> Vec<Behind> {
    let done: Vec<Change> = plan
        .changes
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| **outcome == Outcome::Done)
        .map(|(change, _)| change.clone())
        .collect();
    let done = Rc::new(done);
    if done.is_empty() {
        return Vec::new();
    }
    let mut waiting: Option<Vec<Waiting>> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let mut behind = Vec::new();
        match cluster.brokers().await {
            Ok(alive) => {
                let alive: BTreeSet<i32> = alive.into_iter().collect();
                // A broker that has shown everything is not asked again; one that is gone need not.
                let ask: Vec<Waiting> = match waiting.take() {
                    None => alive
                        .into_iter()
                        .map(|broker| Waiting { broker, lacking: Rc::clone(&done) })
                        .collect(),
                    Some(waiting) => waiting.into_iter().filter(|one| alive.contains(&one.broker)).collect(),
                };
                // At once: after large requests every broker takes its time, and each works for itself.
                let checks = ask.into_iter().map(|waiting| check(cluster, waiting));
                let (still, shown) = join_all(checks).await.into_iter().flatten().unzip();
                waiting = Some(still);
                behind = shown;
            }
            Err(error) => {
                behind.push(Behind { broker: None, changes: done.len(), example: error.to_string() });
            }
        }
        if behind.is_empty() || patience.stopped() || Instant::now() + pause >= patience.deadline {
            return behind;
        }
        on_round(&behind);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A broker that did not show everything yet.
struct Waiting {
    broker: i32,
    /// What it is not known to show.
    lacking: Rc<Vec<Change>>,
}

/// What the brokers should show.
struct Expected {
    topics: Vec<TopicName>,
    keys: Vec<String>,
    /// Topics whose settings matter.
    with_settings: Vec<TopicName>,
    batches: Vec<Batch>,
}

impl Expected {
    fn of(done: &[Change]) -> Self {
        let batches = batches(done);
        let mut topics = BTreeSet::new();
        let mut keys = BTreeSet::new();
        let mut with_settings = BTreeSet::new();
        for (topic, own_keys) in batches.iter().flat_map(parts) {
            if !own_keys.is_empty() {
                with_settings.insert(topic.clone());
            }
            keys.extend(own_keys);
            topics.insert(topic);
        }
        Self {
            topics: topics.into_iter().collect(),
            keys: keys.into_iter().collect(),
            with_settings: with_settings.into_iter().collect(),
            batches,
        }
    }
}

fn parts(batch: &Batch) -> Vec<(TopicName, Vec<String>)> {
    fn of<T: Asked>(items: &[super::batch::Item<T>]) -> Vec<(TopicName, Vec<String>)> {
        items.iter().map(|item| (item.asked.topic().clone(), item.asked.keys())).collect()
    }
    match batch {
        Batch::Create(items) => of(items),
        Batch::AddPartitions(items) => of(items),
        Batch::Alter(items) => of(items),
    }
}

/// What `state` does not show: the indexes of the changes, and how it differs.
fn differences(batch: &Batch, state: &ClusterState) -> Vec<(Vec<usize>, String)> {
    fn of<T: Asked>(items: &[super::batch::Item<T>], state: &ClusterState) -> Vec<(Vec<usize>, String)> {
        let differs = |item: &super::batch::Item<T>| {
            let topic = item.asked.topic();
            let difference = item.asked.difference(state.topics.get(topic))?;
            Some((item.changes.clone(), format!("`{topic}`: {difference}")))
        };
        items.iter().filter_map(differs).collect()
    }
    match batch {
        Batch::Create(items) => of(items, state),
        Batch::AddPartitions(items) => of(items, state),
        Batch::Alter(items) => of(items, state),
    }
}

/// Some of many changes: brokers take over what the controller did in its order, so the last stands for all, and
/// others for requests that overtook each other.
fn probes<T: Clone>(changes: &[T]) -> Vec<T> {
    let every = changes.len().div_ceil(PROBES).max(1);
    changes.iter().rev().step_by(every).cloned().collect()
}

/// Asks a broker for a few of the changes, and for all when it shows those. `None` = it shows everything.
async fn check(cluster: &impl Topics, mut waiting: Waiting) -> Option<(Waiting, Behind)> {
    let few = probes(&waiting.lacking);
    let mut whole = few.len() == waiting.lacking.len();
    let mut found = lacking(cluster, waiting.broker, &few).await;
    if !whole && matches!(&found, Ok((lacking, _)) if lacking.is_empty()) {
        whole = true;
        found = lacking(cluster, waiting.broker, &waiting.lacking).await;
    }
    if let (true, Ok((lacking, _))) = (whole, &found) {
        waiting.lacking = Rc::new(lacking.clone());
    }
    let example = match found {
        Ok((lacking, _)) if lacking.is_empty() => return None,
        Ok((_, example)) => example,
        Err(error) => error.to_string(),
    };
    let behind = Behind { broker: Some(waiting.broker), changes: waiting.lacking.len(), example };
    Some((waiting, behind))
}

/// Which of `changes` a broker does not show, and how one of them differs.
async fn lacking(
    cluster: &impl Topics,
    broker: i32,
    changes: &[Change],
) -> Result<(Vec<Change>, String), ClusterError> {
    let expected = Expected::of(changes);
    let state = read(cluster, broker, &expected).await?;
    let differences: Vec<_> = expected.batches.iter().flat_map(|batch| differences(batch, &state)).collect();
    let example = differences.first().map(|(_, example)| example.clone()).unwrap_or_default();
    let indexes: BTreeSet<usize> = differences.into_iter().flat_map(|(indexes, _)| indexes).collect();
    Ok((indexes.into_iter().map(|index| changes[index].clone()).collect(), example))
}

async fn read(cluster: &impl Topics, broker: i32, expected: &Expected) -> Result<ClusterState, ClusterError> {
    let listing = cluster.list_from(broker, Scope::Only(&expected.topics)).await?;
    let all_there = listing.topics.len() == expected.topics.len();
    let mut builder = StateBuilder::new(listing);
    // Settings of topics that the broker does not know yet would only be refused.
    if all_there && !expected.with_settings.is_empty() {
        cluster
            .settings_from(broker, &expected.with_settings, &expected.keys, &mut |topic, reported| {
                builder.settings(topic, reported);
            })
            .await?;
    }
    Ok(builder.finish().state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_thousands_of_changes_few_are_asked_for_and_the_last_is_among_them() {
        for count in [0, 1, PROBES, PROBES + 1, 10_000] {
            let changes: Vec<usize> = (0..count).collect();
            let probes = probes(&changes);
            assert!(probes.len() <= PROBES, "{count}");
            assert_eq!(probes.first(), changes.last());
        }
    }
}
