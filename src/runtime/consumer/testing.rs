//! A consumer over a store of its own, with a handler and a producer that do what a test says.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::share::{Part, Rest};
use super::{Consumer, Intake, Options};
use crate::messaging::{BackOff, Outgoing, Record, RetryPolicy};
use crate::runtime::testing::Fake;
use crate::runtime::{BatchOutcome, HandleError, Handler};
use crate::store::testing::{self, TestStore, write_effects};
use crate::store::{Store, StoreError, Tx, fence};
use crate::unit::UnixMillis;

pub(super) const NOW: UnixMillis = UnixMillis(1_725_185_730_000);

/// What the handler does with a record of that id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acts {
    Works,
    Poison,
    /// Names it in the outcome of the batch.
    Named,
    /// Fails so often, then works.
    Fails(u32),
    Unavailable,
}

#[derive(Clone, Default)]
pub(super) struct Script {
    acts: Arc<Mutex<HashMap<String, Acts>>>,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// Whether a batch came in an optimistic transaction, and how many records it had.
pub(super) type Call = (bool, usize);

impl Script {
    /// The batches that came since this was asked last.
    pub(super) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    pub(super) fn set(&self, id: &str, acts: Acts) {
        self.acts.lock().unwrap().insert(id.to_owned(), acts);
    }

    /// What is done with a record; `alone`: it counts as an attempt.
    fn act(&self, id: &str, alone: bool) -> Acts {
        let mut script = self.acts.lock().unwrap();
        let Some(acts) = script.get_mut(id) else { return Acts::Works };
        match acts {
            Acts::Fails(0) => Acts::Works,
            Acts::Fails(left) => {
                *left -= u32::from(alone);
                Acts::Fails(1)
            }
            other => *other,
        }
    }
}

impl Handler for Script {
    const OPTIMISTIC: bool = true;

    async fn handle(&self, tx: &mut Tx, batch: &[Record]) -> BatchOutcome {
        self.calls.lock().unwrap().push((tx.is_optimistic(), batch.len()));
        let mut named = Vec::new();
        let mut effects = Vec::new();
        for (at, record) in batch.iter().enumerate() {
            let id = id(record);
            match self.act(&id, batch.len() == 1) {
                Acts::Works => effects.push(id),
                Acts::Poison => return BatchOutcome::Failed(HandleError::poison("no such product")),
                Acts::Named => named.push((at, HandleError::poison("no such product"))),
                Acts::Fails(_) => return BatchOutcome::Failed(HandleError::transient("try again")),
                Acts::Unavailable => {
                    return BatchOutcome::Failed(StoreError::Unavailable("gone".to_owned()).into());
                }
            }
        }
        let effects: Vec<(&str, &str)> = effects.iter().map(|id: &String| ("k", id.as_str())).collect();
        if let Err(error) = write_effects(tx, &effects).await {
            return BatchOutcome::Failed(error.into());
        }
        if named.is_empty() { BatchOutcome::Done } else { BatchOutcome::Poisoned(named) }
    }
}

pub(super) fn id(record: &Record) -> String {
    String::from_utf8(record.header("eventId").unwrap().to_vec()).unwrap()
}

pub(super) async fn effects(store: &Store) -> Vec<String> {
    testing::effects(store).await.into_iter().map(|(_, id)| id).collect()
}

pub(super) struct Setup {
    pub(super) test: TestStore,
    pub(super) script: Script,
    pub(super) fake: Fake,
    pub(super) consumer: Consumer<Script, Fake>,
}

impl Setup {
    pub(super) fn of(test: TestStore) -> Self {
        Self::with(test, |_| {})
    }

    pub(super) fn with(test: TestStore, change: impl Fn(&mut Intake)) -> Self {
        let mut intake = Intake {
            handles: BTreeSet::from(["Placed".to_owned()]),
            carries: Some(BTreeSet::from(["Placed".to_owned(), "Paid".to_owned()])),
            dead_letters: Some("orders.DLT".to_owned()),
            retry: RetryPolicy { attempts: 3, backoff: BackOff::Fixed(Duration::from_secs(7)) },
            ..Intake::default()
        };
        change(&mut intake);
        let options = Options::of("g", BTreeMap::from([("orders".to_owned(), intake)]));
        let (script, fake) = (Script::default(), Fake::new());
        let consumer = Consumer::new(script.clone(), fake.clone(), Some(test.store.clone()), options);
        Self { test, script, fake, consumer }
    }

    /// Begins an epoch of the partitions of a batch.
    pub(super) async fn own(&self, parts: &mut [Part]) {
        let partitions: Vec<(String, i32)> =
            parts.iter().map(|part| (part.topic.clone(), part.partition)).collect();
        let mut tx = self.test.store.tx();
        let owned = fence::own(&mut tx, "g", &partitions).await.unwrap();
        tx.commit().await.unwrap();
        for part in parts {
            part.epoch = owned.iter().find(|one| one.partition == part.partition).map(|one| one.epoch);
        }
    }

    pub(super) async fn handle(&self, mut parts: Vec<Part>) -> Vec<Rest> {
        self.own(&mut parts).await;
        self.consumer.handle_batch(parts, NOW, 0.5).await
    }

    pub(super) async fn next_offset(&self, partition: i32) -> Option<i64> {
        fence::next_offset(&mut self.test.store.reading(), "g", "orders", partition).await.unwrap()
    }

    pub(super) fn letters(&self) -> Vec<String> {
        self.fake.log().iter().map(letter).collect()
    }
}

pub(super) fn letter(letter: &Outgoing) -> String {
    let text = |name: &str| {
        let header = letter.headers.iter().rev().find(|header| header.name == name);
        String::from_utf8(header.unwrap().value.clone().unwrap()).unwrap()
    };
    format!(
        "{} to {}/{}: {}: {}",
        text("eventId"),
        letter.topic,
        letter.partition.unwrap(),
        text("kafka_dlt-exception-fqcn"),
        text("kafka_dlt-exception-message")
    )
}

pub(super) fn record(partition: i32, offset: i64, id: &str) -> Record {
    typed(partition, offset, id, "Placed")
}

pub(super) fn typed(partition: i32, offset: i64, id: &str, kind: &str) -> Record {
    let headers = [("eventId", Some(id.as_bytes())), ("eventType", Some(kind.as_bytes()))];
    Record::at("orders", partition, offset).holding(Some(b"k"), Some(b"{}"), headers.into_iter())
}

/// Records of a partition, at offsets from 0 on.
pub(super) fn part(partition: i32, ids: &[&str]) -> Part {
    part_from(partition, 0, ids)
}

pub(super) fn part_from(partition: i32, first: i64, ids: &[&str]) -> Part {
    let records = ids.iter().zip(first..).map(|(id, offset)| record(partition, offset, id)).collect();
    Part { topic: "orders".to_owned(), partition, epoch: None, records, failing: None }
}

pub(super) fn unfinished(rest: &Rest) -> Vec<String> {
    rest.unfinished.iter().map(id).collect()
}
