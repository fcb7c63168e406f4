//! Desired against observed.

use std::collections::{BTreeMap, HashSet};

use super::change::{Action, Change, Plan, Unmanaged, UnmanagedSetting};
use super::limits::{MAX_RECORDS, records};
use super::value::same;
use crate::topology::observed::{ClusterState, ObservedTopic, Source};
use crate::topology::{Topic, TopicName, TopicRole, Topology};

/// Everything that has to change so that the cluster is as the topology says. Risks are not graded
/// yet ([`super::grade`]) and the broker has not been asked.
///
/// Topics that only the cluster has are listed as unmanaged; a caller that observed a part of the
/// cluster sees only that part there.
pub(crate) fn diff(desired: &Topology, observed: &ClusterState) -> Plan {
    let mut changes = Vec::new();
    let mut unmanaged = Unmanaged::default();
    let mut unchanged = 0;
    for topic in &desired.topics {
        let before = changes.len();
        match observed.topics.get(&topic.name) {
            None => changes.push(create(topic)),
            Some(found) => {
                compare(topic, found, observed, &mut changes);
                unmanaged.settings.extend(unmentioned(topic, found));
            }
        }
        if changes.len() == before {
            unchanged += 1;
        }
    }
    let named: HashSet<&TopicName> = desired.topics.iter().map(|topic| &topic.name).collect();
    let others = observed.topics.iter().filter(|(name, found)| !found.internal && !named.contains(name));
    unmanaged.topics = others.map(|(name, _)| name.clone()).collect();
    Plan { cluster_id: observed.cluster_id.clone(), changes, unmanaged, unchanged }
}

fn create(topic: &Topic) -> Change {
    let configs: BTreeMap<String, String> = topic
        .configs
        .iter()
        // A reset has nothing to undo on a topic that does not exist yet.
        .filter_map(|(key, value)| value.clone().map(|value| (key.clone(), value)))
        .collect();
    let dead_letters_of = match &topic.role {
        TopicRole::DeadLettersOf(source) => Some(source.clone()),
        TopicRole::Source { .. } => None,
    };
    let needed = records(topic.partitions, configs.len());
    let change = Change::new(
        &topic.name,
        Action::Create {
            partitions: topic.partitions,
            replication: topic.replication,
            configs,
            dead_letters_of,
        },
    );
    if topic.name.as_str() == "__consumer_offsets" || topic.name.as_str() == "__transaction_state" {
        return change.blocked(
            "the cluster makes this topic by itself",
            "remove it from the file; offsets.topic.* and transaction.state.log.* shape it on the brokers",
        );
    }
    if needed > MAX_RECORDS {
        return change.blocked(
            format!(
                "creating it takes {needed} metadata records, and a KRaft controller refuses more than {MAX_RECORDS} in a request"
            ),
            format!("create it with at most {} partitions, then add the others in steps", MAX_RECORDS / 2),
        );
    }
    change
}

fn compare(topic: &Topic, found: &ObservedTopic, observed: &ClusterState, changes: &mut Vec<Change>) {
    let before = changes.len();
    let name = &topic.name;
    let (from, to) = (found.partition_count(), topic.partitions);
    if from < to {
        let change = Change::new(name, Action::AddPartitions { from, to });
        let added = usize::try_from(to - from).unwrap_or(0);
        changes.push(if added > MAX_RECORDS {
            change.blocked(
                format!("{added} partitions at once: a KRaft controller refuses more than {MAX_RECORDS} in a request"),
                "raise the count in the file in steps, one apply each",
            )
        } else {
            change
        });
    }
    if from > to {
        changes.push(Change::new(name, Action::RemovePartitions { from, to }).blocked(
            "Kafka cannot remove partitions from a topic",
            format!(
                "keep `partitions: {from}`, or move: create `{name}.v2` with {to} partitions, let the producers \
                 write there, let the consumers finish `{name}` first, then delete it"
            ),
        ));
    }
    if let Some(to) = topic.replication {
        let (least, most) = found.replication();
        let wanted = usize::try_from(to).unwrap_or(0);
        if !found.partitions.is_empty() && (least, most) != (wanted, wanted) {
            changes.push(Change::new(name, Action::ChangeReplication { from: (least, most), to }).blocked(
                "this version of kafkaflow does not move replicas yet",
                format!(
                    "kafka-reassign-partitions.sh with a plan that gives each partition of `{name}` {to} \
                     {}, or put the replication that it has into the file",
                    if to == 1 { "replica" } else { "replicas" }
                ),
            ));
        }
    }
    for (key, wanted) in &topic.configs {
        changes.extend(setting(name, key, wanted.as_deref(), found, observed));
    }
    if found.internal {
        for change in &mut changes[before..] {
            *change = change.clone().blocked(
                "the topic is one of Kafka's own",
                "remove it from the file; its settings belong to the brokers",
            );
        }
    }
}

fn setting(
    name: &TopicName,
    key: &str,
    wanted: Option<&str>,
    found: &ObservedTopic,
    observed: &ClusterState,
) -> Option<Change> {
    let own = found.overrides.get(key);
    let key_text = key.to_owned();
    let action = match (wanted, own) {
        (None, None) => return None,
        (None, Some(from)) => {
            let to = observed.defaults.get(key).and_then(|setting| setting.value.clone());
            Action::ResetConfig { key: key_text, from: from.clone(), to }
        }
        (Some(to), Some(Some(from))) if same(from, to) => return None,
        (Some(to), Some(from)) => {
            Action::SetConfig { key: key_text, from: from.clone(), source: Source::Topic, to: to.to_owned() }
        }
        (Some(to), None) => match observed.effective(found, key) {
            Some((Some(value), source)) if same(value, to) => {
                Action::PinConfig { key: key_text, value: to.to_owned(), source }
            }
            Some((from, source)) => {
                let from = from.map(str::to_owned);
                Action::SetConfig { key: key_text, from, source, to: to.to_owned() }
            }
            None => {
                Action::SetConfig { key: key_text, from: None, source: Source::Unknown, to: to.to_owned() }
            }
        },
    };
    Some(Change::new(name, action))
}

fn unmentioned<'a>(
    topic: &'a Topic,
    found: &'a ObservedTopic,
) -> impl Iterator<Item = UnmanagedSetting> + 'a {
    found.overrides.iter().filter(|(key, _)| !topic.configs.contains_key(*key)).map(|(key, value)| {
        UnmanagedSetting { topic: topic.name.clone(), key: key.clone(), value: value.clone() }
    })
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
