//! Decides whether anything was lost, doubled or reordered, by what stands in the topics and in the database. Shares no
//! code with what it judges: it reads by rdkafka and sqlx alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::{Headers, Message};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::child::is_poison;

/// What was found; ids are numbers, in the order of their places.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    /// Key and id of each input, by partition and in its order.
    pub(super) inputs: BTreeMap<i32, Vec<(String, u64)>>,
    /// The group's committed offset of each partition of the inputs.
    pub(super) committed: BTreeMap<i32, i64>,
    /// Key and id of each effect, in the order of their writing.
    pub(super) effects: Vec<(String, u64)>,
    /// Key and id of each announcement, by partition and in its order.
    pub(super) announced: BTreeMap<i32, Vec<(String, u64)>>,
    pub(super) dead: Vec<u64>,
    /// Rows of the outbox that are not published.
    pub(super) unpublished: i64,
}

/// Figures of a clean bill.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) inputs: usize,
    pub(super) effects: usize,
    pub(super) dead: usize,
    /// Records of the outputs that are there more than once, which is no error.
    pub(super) repeats: usize,
}

/// Everything that is wrong.
pub(super) fn check(found: &Found) -> Result<Figures, Vec<String>> {
    let mut wrong = Vec::new();
    let inputs: Vec<&(String, u64)> = found.inputs.values().flatten().collect();
    // The first occurrence of each input decides about its order.
    let mut expected: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (key, id) in &inputs {
        if seen.insert(*id) && !is_poison(*id) {
            expected.entry(key).or_default().push(*id);
        }
    }
    let alive: BTreeSet<u64> = expected.values().flatten().copied().collect();
    judge("effect", &found.effects, &expected, &alive, true, &mut wrong);
    let announced: Vec<(String, u64)> = found.announced.values().flatten().cloned().collect();
    let repeats = judge("announcement", &announced, &expected, &alive, false, &mut wrong);
    let dead: BTreeSet<u64> = found.dead.iter().copied().collect();
    let poison: BTreeSet<u64> = seen.iter().copied().filter(|id| is_poison(*id)).collect();
    for id in poison.difference(&dead) {
        wrong.push(format!("input {id} is poison and has no dead letter"));
    }
    for id in dead.difference(&poison) {
        wrong.push(format!("input {id} has a dead letter and is no poison"));
    }
    let effects: BTreeSet<u64> = found.effects.iter().map(|(_, id)| *id).collect();
    for (partition, committed) in &found.committed {
        let records = found.inputs.get(partition).map(Vec::as_slice).unwrap_or_default();
        let below = usize::try_from(*committed).unwrap_or(0);
        if below > records.len() {
            wrong.push(format!("partition {partition}: offset {committed} is behind the end"));
        }
        for (_, id) in &records[..below.min(records.len())] {
            if !effects.contains(id) && !dead.contains(id) {
                wrong.push(format!("partition {partition}: offset {committed} is ahead of input {id}"));
            }
        }
    }
    if found.unpublished > 0 {
        wrong.push(format!("{} rows of the outbox are not published", found.unpublished));
    }
    let figures = Figures {
        inputs: seen.len(),
        effects: effects.len(),
        dead: dead.len(),
        repeats: repeats + found.dead.len() - dead.len(),
    };
    if wrong.is_empty() { Ok(figures) } else { Err(wrong) }
}

/// Holds outputs against what is expected of each key; how many are there once more.
fn judge(
    what: &str,
    outputs: &[(String, u64)],
    expected: &BTreeMap<&str, Vec<u64>>,
    alive: &BTreeSet<u64>,
    once: bool,
    wrong: &mut Vec<String>,
) -> usize {
    let mut firsts: HashMap<&str, Vec<u64>> = HashMap::new();
    let mut seen = BTreeSet::new();
    let mut repeats = 0;
    for (key, id) in outputs {
        if seen.insert(*id) {
            firsts.entry(key).or_default().push(*id);
        } else {
            repeats += 1;
            if once {
                wrong.push(format!("{what} of input {id} twice"));
            }
        }
    }
    for id in alive.difference(&seen) {
        wrong.push(format!("no {what} of input {id}"));
    }
    for id in seen.difference(alive) {
        wrong.push(format!("{what} of input {id}, which should have none"));
    }
    for (key, ids) in expected {
        let found = firsts.get(key).map(Vec::as_slice).unwrap_or_default();
        let there: Vec<u64> = ids.iter().copied().filter(|id| seen.contains(id)).collect();
        if found != there {
            let at = found.iter().zip(&there).take_while(|(a, b)| a == b).count();
            wrong.push(format!(
                "{what}s of key {key} are out of order: {:?} where {:?} should be",
                found.get(at),
                there.get(at)
            ));
        }
    }
    repeats
}

/// Reads a topic from its beginning to its end.
pub(super) fn records(brokers: &str, topic: &str) -> BTreeMap<i32, Vec<(String, u64)>> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "checker")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .create()
        .unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(30)).unwrap();
    let partitions: Vec<i32> =
        metadata.topics()[0].partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect();
    let mut list = TopicPartitionList::new();
    for partition in &partitions {
        list.add_partition_offset(topic, *partition, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut found: BTreeMap<i32, Vec<(String, u64)>> =
        partitions.iter().map(|partition| (*partition, Vec::new())).collect();
    let mut ended = BTreeSet::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    while ended.len() < partitions.len() {
        assert!(Instant::now() < deadline, "{topic} has no end");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => {
                let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
                let headers = message.headers().expect("headers");
                let id = headers.iter().find(|header| header.key == "eventId").expect("an id");
                let id = String::from_utf8_lossy(id.value.unwrap_or_default()).into_owned();
                let id = id.trim_start_matches("out-").parse().expect("a number");
                found.entry(message.partition()).or_default().push((key, id));
            }
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(partition))) => {
                ended.insert(partition);
            }
            Some(Err(_)) | None => {}
        }
    }
    found
}

/// The group's committed offsets of a topic.
pub(super) fn committed(brokers: &str, group: &str, topic: &str, partitions: i32) -> BTreeMap<i32, i64> {
    let consumer: BaseConsumer =
        ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", group).create().unwrap();
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
        list.add_partition(topic, partition);
    }
    let found = consumer.committed_offsets(list, Duration::from_secs(30)).unwrap();
    found
        .elements()
        .iter()
        .filter_map(|one| match one.offset() {
            Offset::Offset(offset) => Some((one.partition(), offset)),
            _ => None,
        })
        .collect()
}

fn fine() -> Found {
    let inputs: Vec<(String, u64)> =
        [("a", 1), ("b", 2), ("a", 3), ("a", 5), ("b", 6)].map(|(key, id)| (key.to_owned(), id)).to_vec();
    let outputs: Vec<(String, u64)> = inputs.iter().filter(|(_, id)| *id != 5).cloned().collect();
    Found {
        inputs: BTreeMap::from([(0, inputs)]),
        committed: BTreeMap::from([(0, 5)]),
        effects: outputs.clone(),
        announced: BTreeMap::from([(1, outputs)]),
        dead: vec![5, 5],
        unpublished: 0,
    }
}

#[test]
fn the_checker_is_content_with_a_clean_run() {
    let figures = check(&fine()).unwrap();
    assert_eq!((figures.inputs, figures.effects, figures.dead, figures.repeats), (5, 4, 1, 1));
}

#[test]
fn the_checker_catches_what_is_lost_doubled_and_reordered() {
    type Damage = fn(&mut Found);
    let cases: [(Damage, &str); 9] = [
        (|found| drop(found.effects.remove(1)), "no effect of input 2"),
        (|found| found.effects.push(("a".to_owned(), 1)), "effect of input 1 twice"),
        (|found| found.effects.swap(0, 2), "effects of key a are out of order"),
        (|found| drop(found.announced.get_mut(&1).unwrap().pop()), "no announcement of input 6"),
        (|found| found.announced.get_mut(&1).unwrap().swap(1, 3), "announcements of key b are out of order"),
        (|found| found.dead.clear(), "input 5 is poison and has no dead letter"),
        (|found| found.dead.push(3), "input 3 has a dead letter and is no poison"),
        (|found| _ = found.committed.insert(0, 6), "offset 6 is behind the end"),
        (|found| found.unpublished = 2, "2 rows of the outbox are not published"),
    ];
    for (damage, expected) in cases {
        let mut found = fine();
        damage(&mut found);
        let wrong = check(&found).unwrap_err().join("\n");
        assert!(wrong.contains(expected), "{expected}: {wrong}");
    }
    let mut ahead = fine();
    ahead.effects.remove(3);
    let wrong = check(&ahead).unwrap_err().join("\n");
    assert!(wrong.contains("offset 5 is ahead of input 6"), "{wrong}");
    let mut repeated = fine();
    repeated.announced.get_mut(&1).unwrap().push(("a".to_owned(), 1));
    assert_eq!(check(&repeated).unwrap().repeats, 2);
}
