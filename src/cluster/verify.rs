//! Asking the broker, change by change, whether it would accept a plan. Nothing is changed.

use std::collections::{BTreeMap, HashMap};

use super::apply::{Answer, Batch, Patience, batches, settle};
use super::port::{AlterTopic, ClusterError, Mode, Refusal, RefusalKind, Topics};
use crate::plan::{Action, Plan, Verification};

/// A plan that the controller was asked about.
#[derive(Debug)]
pub(crate) struct Verified {
    /// With what the broker said of each change that is not blocked.
    pub(crate) plan: Plan,
    /// The controller contradicts what was observed: a topic that seemed absent exists, or one has
    /// more partitions. The broker that was read is behind; a later observation may differ.
    pub(crate) outdated: bool,
}

/// Asks about every change that is not blocked.
pub(crate) async fn verify(
    cluster: &impl Topics,
    mut plan: Plan,
    patience: &Patience,
) -> Result<Verified, ClusterError> {
    let mut outdated = false;
    let mut refused_topics: Vec<(AlterTopic, Vec<usize>)> = Vec::new();
    for batch in batches(&plan.changes) {
        match batch {
            Batch::Create(items) => {
                let asked: Vec<_> = items.iter().map(|item| item.asked.clone()).collect();
                let send = async |topics: &[_]| cluster.create(topics, Mode::ValidateOnly).await;
                for (item, answer) in items.iter().zip(settle(&asked, patience, send).await) {
                    outdated |= contradicts(&answer);
                    record(&mut plan, &item.changes, "CREATE", &answer)?;
                }
            }
            Batch::AddPartitions(items) => {
                let asked: Vec<_> = items.iter().map(|item| item.asked.clone()).collect();
                let send = async |topics: &[_]| cluster.add_partitions(topics, Mode::ValidateOnly).await;
                for (item, answer) in items.iter().zip(settle(&asked, patience, send).await) {
                    outdated |= contradicts(&answer);
                    record(&mut plan, &item.changes, "ALTER", &answer)?;
                }
            }
            Batch::Alter(items) => {
                let asked: Vec<_> = items.iter().map(|item| item.asked.clone()).collect();
                let send = async |topics: &[_]| cluster.alter(topics, Mode::ValidateOnly).await;
                for (item, answer) in items.into_iter().zip(settle(&asked, patience, send).await) {
                    record(&mut plan, &item.changes, "ALTER_CONFIGS", &answer)?;
                    let refused =
                        matches!(&answer, Answer::Refused(refusal) if refusal.kind == RefusalKind::Final);
                    if refused && item.changes.len() > 1 {
                        refused_topics.push((item.asked, item.changes));
                    }
                }
            }
        }
    }
    isolate(cluster, &mut plan, refused_topics, patience).await?;
    Ok(Verified { plan, outdated })
}

fn contradicts(answer: &Answer) -> bool {
    let (Answer::Refused(refusal) | Answer::RefusedAfterLoss(refusal)) = answer else { return false };
    refusal.kind == RefusalKind::AlreadyExists || refusal.error == "INVALID_PARTITIONS"
}

/// A topic's settings are refused together; asked one by one, only the guilty ones are. Where each
/// passes by itself it is the combination that is refused, and all of them keep the refusal.
async fn isolate(
    cluster: &impl Topics,
    plan: &mut Plan,
    refused: Vec<(AlterTopic, Vec<usize>)>,
    patience: &Patience,
) -> Result<(), ClusterError> {
    let rounds = refused.iter().map(|(topic, _)| topic.configs.len()).max().unwrap_or(0);
    let mut answers: HashMap<usize, Answer> = HashMap::new();
    for round in 0..rounds {
        let mut asked = Vec::new();
        let mut changes = Vec::new();
        for (topic, indexes) in &refused {
            let Some((key, value)) = topic.configs.iter().nth(round) else { continue };
            let is_about = |index: &&usize| match &plan.changes[**index].action {
                Action::SetConfig { key: own, .. }
                | Action::ResetConfig { key: own, .. }
                | Action::PinConfig { key: own, .. } => own == key,
                _ => false,
            };
            let Some(change) = indexes.iter().find(is_about) else { continue };
            let configs = BTreeMap::from([(key.clone(), value.clone())]);
            asked.push(AlterTopic { name: topic.name.clone(), configs });
            changes.push(*change);
        }
        let send = async |topics: &[_]| cluster.alter(topics, Mode::ValidateOnly).await;
        answers.extend(changes.into_iter().zip(settle(&asked, patience, send).await));
    }
    for (_, indexes) in &refused {
        if indexes.iter().all(|index| matches!(answers.get(index), Some(Answer::Done))) {
            continue;
        }
        for index in indexes {
            if let Some(answer) = answers.get(index) {
                record(plan, &[*index], "ALTER_CONFIGS", answer)?;
            }
        }
    }
    Ok(())
}

fn record(plan: &mut Plan, changes: &[usize], right: &str, answer: &Answer) -> Result<(), ClusterError> {
    let verification = match answer {
        Answer::Done => Verification::Accepted,
        Answer::Refused(refusal) | Answer::RefusedAfterLoss(refusal) => judged(refusal, right),
        Answer::Lost(error) => return Err(error.clone()),
        Answer::NotSent => Verification::NotAsked,
    };
    for change in changes {
        plan.changes[*change].verification = match &verification {
            Verification::Unverified(_) => {
                Verification::Unverified(format!("{right} on {}", plan.changes[*change].topic))
            }
            other => other.clone(),
        };
    }
    Ok(())
}

fn judged(refusal: &Refusal, right: &str) -> Verification {
    if refusal.kind == RefusalKind::Unauthorized {
        return Verification::Unverified(right.to_owned());
    }
    Verification::Refused(refusal.to_string())
}
