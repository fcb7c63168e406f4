//! A cluster in memory: the ports over a [`ClusterState`], with Kafka's refusals as a contract suite
//! found them on real brokers, and faults on request.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::port::{
    AlterTopic, Answers, ClusterError, ListedTopic, Listing, Log, Mode, MorePartitions, NewTopic, OffsetSpec,
    Refusal, RefusalKind, Reported, Scope, SettingsSink, Topics,
};
use crate::plan::{MAX_RECORDS, records};
use crate::topology::observed::{Broker, ClusterState, ObservedTopic, SNAPSHOT_VERSION, Setting, Source};
use crate::topology::{TopicId, TopicName};

/// What shall go wrong with a request that mutates.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Carried out, but the answer gets lost.
    AnswerLost,
    /// Carried out, and by mistake carried out again: the second answer comes.
    SentAgain,
    /// Never carried out, and no answer either.
    RequestLost,
    /// Every item is refused with this, and nothing is done.
    Refused(Refusal),
}

/// The first offset kept, the end, and (time, offset) of the records.
pub(crate) type Records = (i64, i64, Vec<(i64, i64)>);

pub(crate) struct Memory {
    pub(crate) state: RefCell<ClusterState>,
    /// Faults of the next mutations, in order.
    pub(crate) faults: RefCell<Vec<Fault>>,
    /// The answer to every question about what could be done.
    pub(crate) asking: RefCell<Option<Refusal>>,
    /// Items of every mutating request so far.
    pub(crate) requests: RefCell<Vec<usize>>,
    /// What each partition holds; empty where nothing is said.
    pub(crate) logs: RefCell<BTreeMap<(TopicName, i32), Records>>,
    /// Reads of `broker` show the state of this many mutations ago.
    pub(crate) lagging: Cell<Option<(i32, usize)>>,
    past: RefCell<Vec<ClusterState>>,
    ids: Cell<u8>,
}

/// What brokers give a topic that says nothing, as Kafka 4.3 has it.
const DEFAULTS: &[(&str, &str)] = &[
    ("cleanup.policy", "delete"),
    ("compression.type", "producer"),
    ("max.message.bytes", "1048588"),
    ("min.insync.replicas", "1"),
    ("retention.bytes", "-1"),
    ("retention.ms", "604800000"),
    ("segment.bytes", "1073741824"),
];

impl Memory {
    pub(crate) fn empty() -> Self {
        let default = |(key, value): &(&str, &str)| {
            ((*key).to_owned(), Setting { value: Some((*value).to_owned()), source: Source::Default })
        };
        Self::of(ClusterState {
            version: SNAPSHOT_VERSION,
            cluster_id: "memory".into(),
            brokers: (1..=3).map(|id| Broker { id, rack: None }).collect(),
            elr_version: 1,
            defaults: DEFAULTS.iter().map(default).collect(),
            topics: BTreeMap::new(),
        })
    }

    pub(crate) fn of(state: ClusterState) -> Self {
        Self {
            state: RefCell::new(state),
            faults: RefCell::default(),
            asking: RefCell::default(),
            requests: RefCell::default(),
            logs: RefCell::default(),
            lagging: Cell::new(None),
            past: RefCell::default(),
            ids: Cell::new(100),
        }
    }

    fn seen_from(&self, broker: i32) -> ClusterState {
        match self.lagging.get() {
            Some((behind, mutations)) if behind == broker && mutations > 0 => {
                self.lagging.set(Some((behind, mutations - 1)));
                let past = self.past.borrow();
                past.get(past.len().saturating_sub(mutations))
                    .cloned()
                    .unwrap_or_else(|| self.state.borrow().clone())
            }
            _ => self.state.borrow().clone(),
        }
    }

    /// Applies `change` to each item under the next fault; whole requests above the cap are refused.
    fn mutate<T>(
        &self,
        items: &[T],
        mode: Mode,
        weight: impl Fn(&T) -> usize,
        mut change: impl FnMut(&mut ClusterState, &T) -> Result<(), Refusal>,
    ) -> Result<Answers, ClusterError> {
        self.requests.borrow_mut().push(items.len());
        if mode == Mode::ValidateOnly
            && let Some(refusal) = &*self.asking.borrow()
        {
            return Ok(items.iter().map(|_| Err(refusal.clone())).collect());
        }
        let fault = {
            let mut faults = self.faults.borrow_mut();
            if mode == Mode::Execute && !faults.is_empty() { Some(faults.remove(0)) } else { None }
        };
        let lost = |outcome_unknown| ClusterError {
            message: "127.0.0.1:9092: the connection was lost".into(),
            help: None,
            outcome_unknown,
        };
        match fault {
            Some(Fault::RequestLost) => return Err(lost(true)),
            Some(Fault::Refused(refusal)) => return Ok(items.iter().map(|_| Err(refusal.clone())).collect()),
            Some(Fault::AnswerLost | Fault::SentAgain) | None => {}
        }
        if items.iter().map(weight).sum::<usize>() > MAX_RECORDS {
            let refusal = refusal(
                "POLICY_VIOLATION",
                "Unable to perform excessively large batch operation.",
                RefusalKind::WholeRequest,
            );
            return Ok(items.iter().map(|_| Err(refusal.clone())).collect());
        }
        let mut next = self.state.borrow().clone();
        let mut answers = items.iter().map(|item| change(&mut next, item)).collect();
        if matches!(fault, Some(Fault::SentAgain)) {
            answers = items.iter().map(|item| change(&mut next, item)).collect();
        }
        if mode == Mode::Execute {
            let before = self.state.replace(next);
            self.past.borrow_mut().push(before);
        }
        if matches!(fault, Some(Fault::AnswerLost)) { Err(lost(true)) } else { Ok(answers) }
    }

    fn next_id(&self) -> TopicId {
        self.ids.set(self.ids.get().wrapping_add(1));
        TopicId::from_bytes([self.ids.get(); 16])
    }
}

pub(crate) fn refusal(error: &str, message: &str, kind: RefusalKind) -> Refusal {
    Refusal { error: error.into(), message: Some(message.into()), kind }
}

fn unknown() -> Refusal {
    refusal(
        "UNKNOWN_TOPIC_OR_PARTITION",
        "This server does not host this topic-partition.",
        RefusalKind::Unknown,
    )
}

fn listing(state: &ClusterState, scope: Scope<'_>) -> Listing {
    let wanted = |name: &TopicName| match scope {
        Scope::Whole => true,
        Scope::Only(names) => names.contains(name),
    };
    let topics = state.topics.iter().filter(|(name, _)| wanted(name)).map(|(name, topic)| ListedTopic {
        name: name.clone(),
        id: topic.id,
        internal: topic.internal,
        partitions: topic.partitions.clone(),
    });
    Listing {
        cluster_id: state.cluster_id.clone(),
        brokers: state.brokers.clone(),
        elr_version: state.elr_version,
        topics: topics.collect(),
        refused: Vec::new(),
    }
}

fn tell(state: &ClusterState, topics: &[TopicName], keys: Option<&[String]>, sink: SettingsSink<'_>) {
    for name in topics {
        let Some(topic) = state.topics.get(name) else {
            sink(name, Err(unknown()));
            continue;
        };
        let known: Vec<&String> = state.defaults.keys().chain(topic.overrides.keys()).collect();
        let mut reported: Vec<Reported<'_>> = Vec::new();
        for key in known {
            if keys.is_some_and(|keys| !keys.contains(key)) || reported.iter().any(|one| one.key == key) {
                continue;
            }
            if let Some((value, source)) = state.effective(topic, key) {
                reported.push(Reported { key, value, source });
            }
        }
        sink(name, Ok(&reported));
    }
}

impl Topics for Memory {
    async fn brokers(&self) -> Result<Vec<i32>, ClusterError> {
        Ok(self.state.borrow().brokers.iter().map(|broker| broker.id).collect())
    }

    async fn list(&self, scope: Scope<'_>) -> Result<Listing, ClusterError> {
        Ok(listing(&self.state.borrow(), scope))
    }

    async fn list_from(&self, broker: i32, scope: Scope<'_>) -> Result<Listing, ClusterError> {
        Ok(listing(&self.seen_from(broker), scope))
    }

    async fn settings(&self, topics: &[TopicName], sink: SettingsSink<'_>) -> Result<(), ClusterError> {
        tell(&self.state.borrow(), topics, None, sink);
        Ok(())
    }

    async fn settings_from(
        &self,
        broker: i32,
        topics: &[TopicName],
        keys: &[String],
        sink: SettingsSink<'_>,
    ) -> Result<(), ClusterError> {
        tell(&self.seen_from(broker), topics, Some(keys), sink);
        Ok(())
    }

    async fn create(&self, topics: &[NewTopic], mode: Mode) -> Result<Answers, ClusterError> {
        let weight = |topic: &NewTopic| records(topic.partitions, topic.configs.len());
        self.mutate(topics, mode, weight, |state, topic| {
            if state.topics.contains_key(&topic.name) {
                let message = format!("Topic '{}' already exists.", topic.name);
                return Err(refusal("TOPIC_ALREADY_EXISTS", &message, RefusalKind::AlreadyExists));
            }
            let replication = usize::try_from(topic.replication.unwrap_or(1)).unwrap_or(0);
            if replication > state.brokers.len() {
                let message = format!("The target replication factor of {replication} cannot be reached.");
                return Err(refusal("INVALID_REPLICATION_FACTOR", &message, RefusalKind::Final));
            }
            known_keys(state, topic.configs.keys())?;
            let brokers: Vec<i32> = state.brokers.iter().map(|broker| broker.id).take(replication).collect();
            let created = ObservedTopic {
                id: self.next_id(),
                internal: false,
                partitions: (0..topic.partitions).map(|_| brokers.clone()).collect(),
                overrides: topic
                    .configs
                    .iter()
                    .map(|(key, value)| (key.clone(), Some(value.clone())))
                    .collect(),
                inherited: BTreeMap::new(),
            };
            state.topics.insert(topic.name.clone(), created);
            Ok(())
        })
    }

    async fn add_partitions(&self, topics: &[MorePartitions], mode: Mode) -> Result<Answers, ClusterError> {
        let state = self.state.borrow().clone();
        let weight = |topic: &MorePartitions| {
            let has = state.topics.get(&topic.name).map_or(0, ObservedTopic::partition_count);
            usize::try_from(topic.total - has).unwrap_or(0)
        };
        self.mutate(topics, mode, weight, |state, topic| {
            let found = state.topics.get_mut(&topic.name).ok_or_else(unknown)?;
            let has = found.partition_count();
            if topic.total <= has {
                let message = format!("Topic already has {has} partition(s).");
                return Err(refusal("INVALID_PARTITIONS", &message, RefusalKind::Final));
            }
            let brokers = found.partitions[0].clone();
            found.partitions.resize(usize::try_from(topic.total).unwrap_or(0), brokers);
            Ok(())
        })
    }

    async fn alter(&self, topics: &[AlterTopic], mode: Mode) -> Result<Answers, ClusterError> {
        self.mutate(
            topics,
            mode,
            |topic| topic.configs.len(),
            |state, topic| {
                if !state.topics.contains_key(&topic.name) {
                    return Err(unknown());
                }
                known_keys(state, topic.configs.keys())?;
                let Some(found) = state.topics.get_mut(&topic.name) else { return Err(unknown()) };
                for (key, value) in &topic.configs {
                    match value {
                        Some(value) => found.overrides.insert(key.clone(), Some(value.clone())),
                        None => found.overrides.remove(key),
                    };
                }
                Ok(())
            },
        )
    }
}

fn known_keys<'a>(state: &ClusterState, mut keys: impl Iterator<Item = &'a String>) -> Result<(), Refusal> {
    match keys.find(|key| !state.defaults.contains_key(*key)) {
        Some(key) => {
            let message = format!("Unknown topic config name: {key}");
            Err(refusal("INVALID_CONFIG", &message, RefusalKind::Final))
        }
        None => Ok(()),
    }
}

impl Log for Memory {
    async fn offsets(
        &self,
        questions: &[(TopicName, i32, OffsetSpec)],
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        let logs = self.logs.borrow();
        let state = self.state.borrow();
        let answer = |(topic, partition, spec): &(TopicName, i32, OffsetSpec)| {
            let found = state.topics.get(topic)?;
            if *partition >= found.partition_count() {
                return None;
            }
            let empty = (0, 0, Vec::new());
            let (first, end, records) = logs.get(&(topic.clone(), *partition)).unwrap_or(&empty);
            match spec {
                OffsetSpec::Earliest => Some(*first),
                OffsetSpec::Latest => Some(*end),
                OffsetSpec::At(time) => records.iter().find(|(at, _)| at >= time).map(|(_, offset)| *offset),
            }
        };
        Ok(questions.iter().map(answer).collect())
    }
}
