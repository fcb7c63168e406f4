//! Changes put together into requests, none larger than a controller accepts. Pure.

use std::collections::BTreeMap;

use crate::cluster::port::{AlterTopic, MorePartitions, NewTopic};
use crate::plan::{Action, Change, records};
use crate::topology::TopicName;

/// Metadata records in one request. Half of what a controller accepts: the rest of its limit is for
/// what we do not count, and smaller requests show progress.
const RECORDS: usize = 5_000;

/// Items of one kind that go into one request; each knows the changes that it stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Batch {
    Create(Vec<Item<NewTopic>>),
    AddPartitions(Vec<Item<MorePartitions>>),
    Alter(Vec<Item<AlterTopic>>),
}

/// What is asked for, and the indexes of the plan's changes that it carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item<T> {
    pub(crate) asked: T,
    pub(crate) changes: Vec<usize>,
}

/// The requests that carry out `changes`: creations first, then partitions, then settings. Blocked
/// changes are left out. All settings of a topic go into one item, because Kafka takes a topic only
/// once in a request, and all or none of its settings.
pub(crate) fn batches(changes: &[Change]) -> Vec<Batch> {
    let mut create = Vec::new();
    let mut partitions = Vec::new();
    let mut alter: Vec<Item<AlterTopic>> = Vec::new();
    let mut altered: BTreeMap<&TopicName, usize> = BTreeMap::new();
    for (index, change) in changes.iter().enumerate().filter(|(_, change)| change.blocked.is_none()) {
        let name = change.topic.clone();
        let (key, value) = match &change.action {
            Action::Create { partitions, replication, configs, .. } => {
                let asked = NewTopic {
                    name,
                    partitions: *partitions,
                    replication: *replication,
                    configs: configs.clone(),
                };
                create.push(Item { asked, changes: vec![index] });
                continue;
            }
            Action::AddPartitions { to, .. } => {
                partitions.push(Item { asked: MorePartitions { name, total: *to }, changes: vec![index] });
                continue;
            }
            // Always blocked, hence filtered out above.
            Action::RemovePartitions { .. } | Action::ChangeReplication { .. } => continue,
            Action::SetConfig { key, to, .. } => (key, Some(to.clone())),
            Action::PinConfig { key, value, .. } => (key, Some(value.clone())),
            Action::ResetConfig { key, .. } => (key, None),
        };
        let at = *altered.entry(&change.topic).or_insert_with(|| {
            alter.push(Item { asked: AlterTopic { name, configs: BTreeMap::new() }, changes: Vec::new() });
            alter.len() - 1
        });
        alter[at].asked.configs.insert(key.clone(), value);
        alter[at].changes.push(index);
    }
    let added = |item: &Item<MorePartitions>| match &changes[item.changes[0]].action {
        Action::AddPartitions { from, to } => usize::try_from(to - from).unwrap_or(1),
        _ => 1,
    };
    let created = |item: &Item<NewTopic>| records(item.asked.partitions, item.asked.configs.len());
    let set = |item: &Item<AlterTopic>| item.asked.configs.len();
    let mut all: Vec<Batch> = chunks(create, created).into_iter().map(Batch::Create).collect();
    all.extend(chunks(partitions, added).into_iter().map(Batch::AddPartitions));
    all.extend(chunks(alter, set).into_iter().map(Batch::Alter));
    all
}

/// Cuts `items` into runs of at most [`RECORDS`]; an item that is heavier stands alone.
fn chunks<T>(items: Vec<T>, weight: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut chunks: Vec<Vec<T>> = Vec::new();
    let mut held = 0;
    for item in items {
        let weight = weight(&item);
        match chunks.last_mut() {
            Some(chunk) if held + weight <= RECORDS => {
                chunk.push(item);
                held += weight;
            }
            _ => {
                chunks.push(vec![item]);
                held = weight;
            }
        }
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn creation(name: &str, partitions: i32, settings: usize) -> Change {
        let configs = (0..settings).map(|n| (format!("k{n}"), "v".to_owned())).collect();
        let action = Action::Create { partitions, replication: None, configs, dead_letters_of: None };
        Change::new(&TopicName::parse(name).unwrap(), action)
    }

    #[test]
    fn creations_are_cut_by_the_records_that_they_write() {
        let changes: Vec<Change> = (0..3000).map(|n| creation(&format!("t{n}"), 1, 2)).collect();
        let sizes: Vec<usize> = batches(&changes)
            .iter()
            .map(|batch| match batch {
                Batch::Create(items) => items.len(),
                _ => 0,
            })
            .collect();
        assert_eq!(sizes, [1250, 1250, 500]);
    }

    #[test]
    fn a_topic_heavier_than_a_chunk_stands_alone() {
        let changes = [creation("a", 1, 0), creation("b", 6000, 0), creation("c", 1, 0)];
        assert_eq!(batches(&changes).len(), 3);
    }

    #[test]
    fn settings_of_one_topic_go_together_and_blocked_changes_go_nowhere() {
        let name = TopicName::parse("t").unwrap();
        let pin = |key: &str| Action::PinConfig {
            key: key.into(),
            value: "1".into(),
            source: crate::topology::observed::Source::Default,
        };
        let changes = [
            Change::new(&name, pin("a")),
            Change::new(&name, Action::RemovePartitions { from: 2, to: 1 }).blocked("no", ""),
            Change::new(&name, pin("b")),
        ];
        let expected = AlterTopic {
            name,
            configs: [("a".to_owned(), Some("1".to_owned())), ("b".to_owned(), Some("1".to_owned()))].into(),
        };
        assert_eq!(batches(&changes), [Batch::Alter(vec![Item { asked: expected, changes: vec![0, 2] }])]);
    }
}
