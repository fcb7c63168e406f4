//! How dangerous a change is, and why: a pass of its own over the changes.

use std::collections::BTreeMap;

use super::change::{Action, Change, Plan, Risk};
use super::value::retention;
use crate::topology::observed::{ClusterState, ObservedTopic};
use crate::topology::{Topic, TopicName, Topology, shown};
use crate::unit::grouped;

/// What the logs have to be asked before risks can be graded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) topic: TopicName,
    pub(crate) partitions: i32,
    /// Records older than this many milliseconds would expire.
    pub(crate) retention_ms: i64,
}

/// What the logs answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Evidence {
    pub(crate) expiring: BTreeMap<TopicName, Expiring>,
}

/// How many records a shorter retention would delete: counted by offsets, so compacted and
/// transactional gaps count as records. Kafka deletes whole segments, so it may keep some longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Expiring {
    pub(crate) records: u64,
    /// Partitions whose leader gave no answer.
    pub(crate) silent: u32,
}

/// The shortened retentions of a plan.
pub(crate) fn questions(plan: &Plan, observed: &ClusterState) -> Vec<Question> {
    plan.changes
        .iter()
        .filter(|change| change.blocked.is_none())
        .filter_map(|change| {
            let topic = observed.topics.get(&change.topic)?;
            let retention_ms = shortened(&change.action)?;
            Some(Question { topic: change.topic.clone(), partitions: topic.partition_count(), retention_ms })
        })
        .collect()
}

/// The new retention, where it is shorter than the old one.
fn shortened(action: &Action) -> Option<i64> {
    let (from, to) = match action {
        Action::SetConfig { key, from, to, .. } if key == "retention.ms" => (from.as_deref()?, to.as_str()),
        Action::ResetConfig { key, from, to } if key == "retention.ms" => (from.as_deref()?, to.as_deref()?),
        _ => return None,
    };
    let (from, to) = (retention(from)?, retention(to)?);
    (to < from).then_some(to)
}

/// Grades every change of the plan.
pub(crate) fn grade(
    mut plan: Plan,
    desired: &Topology,
    observed: &ClusterState,
    evidence: &Evidence,
) -> Plan {
    let topics: BTreeMap<&TopicName, &Topic> =
        desired.topics.iter().map(|topic| (&topic.name, topic)).collect();
    for change in &mut plan.changes {
        let found = observed.topics.get(&change.topic);
        let (risk, reasons) = match found {
            None => (Risk::Safe, Vec::new()),
            Some(found) => judge(change, topics.get(&change.topic).copied(), found, observed, evidence),
        };
        change.risk = risk;
        change.reasons = reasons;
    }
    plan
}

fn judge(
    change: &Change,
    topic: Option<&Topic>,
    found: &ObservedTopic,
    observed: &ClusterState,
    evidence: &Evidence,
) -> (Risk, Vec<String>) {
    match &change.action {
        Action::Create { .. } => (Risk::Safe, Vec::new()),
        Action::AddPartitions { .. } => (Risk::Caution, partitions_added(topic, found, observed)),
        Action::RemovePartitions { .. } => (Risk::Destructive, Vec::new()),
        Action::ChangeReplication { .. } => (Risk::Caution, Vec::new()),
        Action::PinConfig { key, .. } => match elr_cleared(key, observed) {
            Some(reason) => (Risk::Caution, vec![reason]),
            None => (Risk::Safe, Vec::new()),
        },
        Action::SetConfig { key, from, to, .. } => {
            let expiring = evidence.expiring.get(&change.topic);
            setting_changed(key, from.as_deref(), Some(to), expiring, observed)
        }
        Action::ResetConfig { key, from, to } => {
            let expiring = evidence.expiring.get(&change.topic);
            setting_changed(key, from.as_deref(), to.as_deref(), expiring, observed)
        }
    }
}

fn effective<'a>(found: &'a ObservedTopic, observed: &'a ClusterState, key: &str) -> Option<&'a str> {
    observed.effective(found, key).and_then(|(value, _)| value)
}

fn partitions_added(topic: Option<&Topic>, found: &ObservedTopic, observed: &ClusterState) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(key) = topic.and_then(|topic| topic.key.as_deref()) {
        reasons.push(format!(
            "records are keyed by {key}, and keys move to other partitions: order per key can break for each \
             live group until its backlog of that moment is drained"
        ));
        let compacted =
            effective(found, observed, "cleanup.policy").is_some_and(|policy| policy.contains("compact"));
        let kept = effective(found, observed, "retention.ms").map(|value| shown("retention.ms", value));
        reasons.push(match kept {
            _ if compacted => {
                "the topic is compacted: an old record of a key stays in its old partition for good"
                    .to_owned()
            }
            Some(kept) if kept != "forever" => {
                format!("a replay meets the same until retention ({kept}) has passed")
            }
            _ => "a replay from the beginning meets the same for good".to_owned(),
        });
    }
    reasons.push("a group with auto.offset.reset=latest may skip records of the new partitions".to_owned());
    reasons
}

/// KIP-966: eligible leader replicas rest on the value that held while they were collected.
fn elr_cleared(key: &str, observed: &ClusterState) -> Option<String> {
    (key == "min.insync.replicas" && observed.elr_version > 0)
        .then(|| "it clears the topic's eligible leader replicas (ELR)".to_owned())
}

fn setting_changed(
    key: &str,
    from: Option<&str>,
    to: Option<&str>,
    expiring: Option<&Expiring>,
    observed: &ClusterState,
) -> (Risk, Vec<String>) {
    let number = |text: Option<&str>| text.and_then(|text| text.trim().parse::<i64>().ok());
    let shrinks = matches!((number(from), number(to)), (Some(from), Some(to)) if to < from);
    let grows = matches!((number(from), number(to)), (Some(from), Some(to)) if to > from);
    let shorter =
        matches!((from.and_then(retention), to.and_then(retention)), (Some(from), Some(to)) if to < from);
    let unknown_to = to.is_none();
    match key {
        "retention.ms" if shorter => retention_shortened(expiring),
        "retention.bytes" if shorter => {
            let kept = to.map_or_else(String::new, |to| shown(key, to));
            caution(format!("each partition drops its oldest segments beyond {kept}"))
        }
        "retention.ms" | "retention.bytes" if unknown_to => {
            caution("the cluster's default is not known here; if it is shorter, records expire".to_owned())
        }
        "cleanup.policy" => cleanup_changed(from.unwrap_or(""), to.unwrap_or("")),
        "min.insync.replicas" => {
            let mut reasons: Vec<String> = elr_cleared(key, observed).into_iter().collect();
            if grows {
                reasons
                    .push("producers with acks=all are refused while fewer replicas are in sync".to_owned());
            }
            if shrinks {
                reasons.push("an acknowledged record may exist on fewer brokers".to_owned());
            }
            graded(reasons)
        }
        "max.message.bytes" if shrinks => {
            caution("producers' larger batches are refused from now on".to_owned())
        }
        "unclean.leader.election.enable" if to == Some("true") => {
            caution("a replica that is behind may become leader; acknowledged records can be lost".to_owned())
        }
        "message.timestamp.type" => caution(
            "retention and time-based reads judge new records by another clock than old ones".to_owned(),
        ),
        "delete.retention.ms" | "max.compaction.lag.ms" if shrinks => {
            caution("a consumer that is behind may miss deletions (tombstones)".to_owned())
        }
        _ => (Risk::Safe, Vec::new()),
    }
}

fn caution(reason: String) -> (Risk, Vec<String>) {
    (Risk::Caution, vec![reason])
}

fn graded(reasons: Vec<String>) -> (Risk, Vec<String>) {
    (if reasons.is_empty() { Risk::Safe } else { Risk::Caution }, reasons)
}

fn retention_shortened(expiring: Option<&Expiring>) -> (Risk, Vec<String>) {
    let Some(Expiring { records, silent }) = expiring.copied() else {
        return caution("records older than that expire; how many is not known here".to_owned());
    };
    let mut reasons = Vec::new();
    if records > 0 {
        let noun = if records == 1 { "record is" } else { "records are" };
        reasons.push(format!(
            "up to {} {noun} older than that and would be deleted",
            grouped(usize::try_from(records).unwrap_or(usize::MAX))
        ));
    } else {
        reasons.push("no record is older than that at the moment".to_owned());
    }
    if silent > 0 {
        let noun = if silent == 1 { "partition" } else { "partitions" };
        reasons.push(format!("{silent} {noun} did not answer and may hold more"));
    }
    (if records > 0 { Risk::Destructive } else { Risk::Caution }, reasons)
}

fn cleanup_changed(from: &str, to: &str) -> (Risk, Vec<String>) {
    let compacts = |policy: &str| policy.contains("compact");
    let deletes = |policy: &str| policy.contains("delete");
    let mut reasons = Vec::new();
    if compacts(to) && !compacts(from) {
        reasons.push(
            "compaction keeps only the newest record of each key; records without a key are refused"
                .to_owned(),
        );
    }
    if deletes(to) && !deletes(from) {
        reasons.push("retention now applies: records that were kept for good expire".to_owned());
    }
    if compacts(from) && !compacts(to) {
        reasons.push("older records of a key are no longer cleaned up".to_owned());
    }
    let loses = (compacts(to) && !compacts(from)) || (deletes(to) && !deletes(from));
    (if loses { Risk::Destructive } else { Risk::Caution }, reasons)
}
