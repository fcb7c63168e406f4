//! Brokers lag behind the controller, by seconds after large requests: a plan made right after an
//! apply must not see the past.

use std::collections::BTreeSet;
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
    /// Changes that it does not show.
    pub(crate) changes: usize,
    /// What is missing, of one of them; or why the broker cannot be asked.
    pub(crate) example: String,
}

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
    let expected = Expected::of(&done);
    if expected.topics.is_empty() {
        return Vec::new();
    }
    let mut waiting: Option<BTreeSet<i32>> = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let mut behind = Vec::new();
        match cluster.brokers().await {
            Ok(alive) => {
                let alive: BTreeSet<i32> = alive.into_iter().collect();
                // A broker that has shown everything is not asked again; one that is gone need not.
                let ask: Vec<i32> = match &waiting {
                    None => alive.into_iter().collect(),
                    Some(waiting) => waiting.intersection(&alive).copied().collect(),
                };
                // At once: after large requests every broker takes its time, and each works for itself.
                let checks = ask.into_iter().map(|broker| check(cluster, broker, &expected));
                behind.extend(join_all(checks).await.into_iter().flatten());
                waiting = Some(behind.iter().filter_map(|lag| lag.broker).collect());
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

fn differences(batch: &Batch, state: &ClusterState) -> Vec<String> {
    fn of<T: Asked>(items: &[super::batch::Item<T>], state: &ClusterState) -> Vec<String> {
        let differs = |item: &super::batch::Item<T>| {
            let topic = item.asked.topic();
            item.asked
                .difference(state.topics.get(topic))
                .map(|difference| format!("`{topic}`: {difference}"))
        };
        items.iter().filter_map(differs).collect()
    }
    match batch {
        Batch::Create(items) => of(items, state),
        Batch::AddPartitions(items) => of(items, state),
        Batch::Alter(items) => of(items, state),
    }
}

async fn check(cluster: &impl Topics, broker: i32, expected: &Expected) -> Option<Behind> {
    match read(cluster, broker, expected).await {
        Ok(state) => {
            let missing: Vec<String> =
                expected.batches.iter().flat_map(|batch| differences(batch, &state)).collect();
            let example = missing.first()?.clone();
            Some(Behind { broker: Some(broker), changes: missing.len(), example })
        }
        Err(error) => {
            Some(Behind { broker: Some(broker), changes: expected.topics.len(), example: error.to_string() })
        }
    }
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
