//! What a plan rests on: the observed facts that it would change. If one of them is different
//! later, the plan is stale.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::{Action, Plan};
use crate::topology::observed::{ClusterState, Setting, Source};
use crate::topology::{TopicId, TopicName, shown};

/// The facts about one topic that a plan touches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Touched {
    /// `None`: there was no such topic.
    pub(crate) id: Option<TopicId>,
    /// Present when the plan adds partitions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) partitions: Option<i32>,
    /// The settings that the plan changes, as they were; `None`: the cluster reported no such key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) settings: BTreeMap<String, Option<Setting>>,
}

/// A fact that has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    pub(crate) topic: TopicName,
    /// `partitions 6 -> 12`.
    pub(crate) what: String,
}

/// The facts that the executable changes of `plan` rest on.
pub(crate) fn touched(plan: &Plan, observed: &ClusterState) -> BTreeMap<TopicName, Touched> {
    let mut facts: BTreeMap<TopicName, Touched> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| change.blocked.is_none()) {
        let found = observed.topics.get(&change.topic);
        let fact = facts.entry(change.topic.clone()).or_default();
        fact.id = found.map(|found| found.id);
        match &change.action {
            Action::Create { .. } | Action::ChangeReplication { .. } => {}
            Action::AddPartitions { from, .. } | Action::RemovePartitions { from, .. } => {
                fact.partitions = Some(*from);
            }
            Action::SetConfig { key, .. }
            | Action::ResetConfig { key, .. }
            | Action::PinConfig { key, .. } => {
                fact.settings.insert(key.clone(), setting(observed, &change.topic, key));
            }
        }
    }
    facts
}

fn setting(observed: &ClusterState, topic: &TopicName, key: &str) -> Option<Setting> {
    let found = observed.topics.get(topic)?;
    let (value, source) = observed.effective(found, key)?;
    Some(Setting { value: value.map(str::to_owned), source })
}

/// What of `then` is different `now`, by topic.
pub(crate) fn drift(then: &BTreeMap<TopicName, Touched>, now: &ClusterState) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for (topic, fact) in then {
        let mut report = |what: String| drifts.push(Drift { topic: topic.clone(), what });
        let found = now.topics.get(topic);
        match (fact.id, found.map(|found| found.id)) {
            (None, Some(_)) => report("has been created".into()),
            (Some(_), None) => report("has been deleted".into()),
            (Some(old), Some(new)) if old != new => {
                report(format!("has been deleted and created anew (topic id {old} -> {new})"));
            }
            _ => {}
        }
        let Some(found) = found.filter(|found| Some(found.id) == fact.id) else { continue };
        if let Some(partitions) = fact.partitions
            && partitions != found.partition_count()
        {
            report(format!("partitions {partitions} -> {}", found.partition_count()));
        }
        for (key, old) in &fact.settings {
            let new = setting(now, topic, key);
            if *old != new {
                report(format!("{key} {} -> {}", words(key, old.as_ref()), words(key, new.as_ref())));
            }
        }
    }
    drifts
}

fn words(key: &str, setting: Option<&Setting>) -> String {
    match setting.and_then(|setting| setting.value.as_deref()) {
        Some(value) => {
            let own = setting.is_some_and(|setting| setting.source == Source::Topic);
            format!("{}{}", shown(key, value), if own { "" } else { " (inherited)" })
        }
        None => "(none)".to_owned(),
    }
}
