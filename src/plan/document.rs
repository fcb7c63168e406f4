//! The plan as JSON, version 1. Documented in `docs/plan-json.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::change::{Action, Blocked, Change, Plan, Risk, Unmanaged, Verification};
use crate::topology::TopicName;
use crate::topology::observed::Source;

/// Version of the JSON form; a field may be added within a version, none changes its meaning.
pub(crate) const PLAN_VERSION: u32 = 1;

#[derive(Debug, Serialize)]
pub(crate) struct PlanDocument {
    version: u32,
    cluster: String,
    summary: Summary,
    changes: Vec<ChangeRecord>,
    unmanaged: UnmanagedRecord,
}

#[derive(Debug, Serialize)]
struct Summary {
    create: usize,
    change: usize,
    reset: usize,
    pin: usize,
    blocked: usize,
    refused: usize,
    unverified: usize,
    unchanged_topics: usize,
}

#[derive(Debug, Serialize)]
struct UnmanagedRecord {
    topics: Vec<TopicName>,
    settings: Vec<UnmanagedSettingRecord>,
}

#[derive(Debug, Serialize)]
struct UnmanagedSettingRecord {
    topic: TopicName,
    key: String,
    value: Option<String>,
}

/// One change; which of the optional fields are there depends on `action`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRecord {
    resource: String,
    name: TopicName,
    action: ActionName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    partitions: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replication: Option<i16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    configs: Option<BTreeMap<String, String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    dead_letters_of: Option<TopicName>,
    risk: RiskName,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocked: Option<BlockedRecord>,
    verification: VerificationRecord,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum ActionName {
    Create,
    AddPartitions,
    RemovePartitions,
    ChangeReplication,
    SetConfig,
    ResetConfig,
    PinConfig,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RiskName {
    Safe,
    Caution,
    Destructive,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockedRecord {
    reason: String,
    recipe: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct VerificationRecord {
    result: VerificationName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum VerificationName {
    NotAsked,
    Accepted,
    Refused,
    Unverified,
}

impl PlanDocument {
    pub(crate) fn of(plan: &Plan) -> Self {
        let Unmanaged { topics, settings } = plan.unmanaged.clone();
        let settings = settings
            .into_iter()
            .map(|setting| UnmanagedSettingRecord {
                topic: setting.topic,
                key: setting.key,
                value: setting.value,
            })
            .collect();
        Self {
            version: PLAN_VERSION,
            cluster: plan.cluster_id.clone(),
            summary: Summary::of(plan),
            changes: plan.changes.iter().map(ChangeRecord::of).collect(),
            unmanaged: UnmanagedRecord { topics, settings },
        }
    }
}

impl Summary {
    fn of(plan: &Plan) -> Self {
        let open = plan.changes.iter().filter(|change| change.blocked.is_none());
        let count =
            |wanted: fn(&Action) -> bool| open.clone().filter(|change| wanted(&change.action)).count();
        Self {
            create: count(|action| matches!(action, Action::Create { .. })),
            change: count(|action| matches!(action, Action::AddPartitions { .. } | Action::SetConfig { .. })),
            reset: count(|action| matches!(action, Action::ResetConfig { .. })),
            pin: count(|action| matches!(action, Action::PinConfig { .. })),
            blocked: plan.blocked().count(),
            refused: plan.refused().count(),
            unverified: plan.unverified().count(),
            unchanged_topics: plan.unchanged,
        }
    }
}

impl ChangeRecord {
    pub(crate) fn of(change: &Change) -> Self {
        let (result, message) = match &change.verification {
            Verification::NotAsked => (VerificationName::NotAsked, None),
            Verification::Accepted => (VerificationName::Accepted, None),
            Verification::Refused(words) => (VerificationName::Refused, Some(words.clone())),
            Verification::Unverified(right) => (VerificationName::Unverified, Some(right.clone())),
        };
        let record = Self {
            resource: "topic".into(),
            name: change.topic.clone(),
            action: ActionName::Create,
            key: None,
            from: None,
            from_source: None,
            to: None,
            partitions: None,
            replication: None,
            configs: None,
            dead_letters_of: None,
            risk: match change.risk {
                Risk::Safe => RiskName::Safe,
                Risk::Caution => RiskName::Caution,
                Risk::Destructive => RiskName::Destructive,
            },
            reasons: change.reasons.clone(),
            blocked: change
                .blocked
                .clone()
                .map(|blocked| BlockedRecord { reason: blocked.reason, recipe: blocked.recipe }),
            verification: VerificationRecord { result, message },
        };
        record.with_action(&change.action)
    }

    fn with_action(self, action: &Action) -> Self {
        match action.clone() {
            Action::Create { partitions, replication, configs, dead_letters_of } => Self {
                action: ActionName::Create,
                partitions: Some(partitions),
                replication,
                configs: Some(configs),
                dead_letters_of,
                ..self
            },
            Action::AddPartitions { from, to } => Self {
                action: ActionName::AddPartitions,
                from: Some(from.to_string()),
                to: Some(to.to_string()),
                ..self
            },
            Action::RemovePartitions { from, to } => Self {
                action: ActionName::RemovePartitions,
                from: Some(from.to_string()),
                to: Some(to.to_string()),
                ..self
            },
            Action::ChangeReplication { from: (least, most), to } => Self {
                action: ActionName::ChangeReplication,
                from: Some(if least == most { least.to_string() } else { format!("{least}-{most}") }),
                to: Some(to.to_string()),
                ..self
            },
            Action::SetConfig { key, from, source, to } => Self {
                action: ActionName::SetConfig,
                key: Some(key),
                from,
                from_source: Some(source),
                to: Some(to),
                ..self
            },
            Action::ResetConfig { key, from, to } => {
                Self { action: ActionName::ResetConfig, key: Some(key), from, to, ..self }
            }
            Action::PinConfig { key, value, source } => Self {
                action: ActionName::PinConfig,
                key: Some(key),
                from_source: Some(source),
                to: Some(value),
                ..self
            },
        }
    }

    /// The change that the record stands for; `None` when a field that its action needs is missing.
    /// Blocked changes are never saved, so they are not read back.
    pub(crate) fn to_change(&self) -> Option<Change> {
        let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<i32>().ok());
        let action = match self.action {
            ActionName::Create => Action::Create {
                partitions: self.partitions?,
                replication: self.replication,
                configs: self.configs.clone()?,
                dead_letters_of: self.dead_letters_of.clone(),
            },
            ActionName::AddPartitions => {
                Action::AddPartitions { from: number(&self.from)?, to: number(&self.to)? }
            }
            ActionName::SetConfig => Action::SetConfig {
                key: self.key.clone()?,
                from: self.from.clone(),
                source: self.from_source?,
                to: self.to.clone()?,
            },
            ActionName::ResetConfig => {
                Action::ResetConfig { key: self.key.clone()?, from: self.from.clone(), to: self.to.clone() }
            }
            ActionName::PinConfig => Action::PinConfig {
                key: self.key.clone()?,
                value: self.to.clone()?,
                source: self.from_source?,
            },
            ActionName::RemovePartitions | ActionName::ChangeReplication => return None,
        };
        let mut change = Change::new(&self.name, action);
        change.risk = match self.risk {
            RiskName::Safe => Risk::Safe,
            RiskName::Caution => Risk::Caution,
            RiskName::Destructive => Risk::Destructive,
        };
        change.reasons.clone_from(&self.reasons);
        change.blocked = self
            .blocked
            .as_ref()
            .map(|blocked| Blocked { reason: blocked.reason.clone(), recipe: blocked.recipe.clone() });
        let message = || self.verification.message.clone().unwrap_or_default();
        change.verification = match self.verification.result {
            VerificationName::NotAsked => Verification::NotAsked,
            VerificationName::Accepted => Verification::Accepted,
            VerificationName::Refused => Verification::Refused(message()),
            VerificationName::Unverified => Verification::Unverified(message()),
        };
        Some(change)
    }
}
