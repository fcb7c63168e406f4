//! A producer for tests that does what it is told.

use std::sync::{Arc, Mutex};

use crate::messaging::{
    Acknowledged, Delivery, Intent, Intents, Outgoing, PublishError, Publisher, Told, partition_of,
};

/// Partitions of every topic.
pub(crate) const PARTITIONS: u32 = 4;

/// What the producer does with a record.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    Acknowledge,
    /// As a broker refuses a batch.
    Refuse,
    RefuseSurely,
    Lose,
    Hold,
}

type Script = Box<dyn Fn(&Outgoing) -> Does + Send>;

/// Acknowledges at once unless the script says otherwise; behind a record that fails it acknowledges none of the
/// same partition, as the real one.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Mutex<Inner>>);

struct Inner {
    script: Script,
    /// What was acknowledged, in its order.
    log: Vec<Outgoing>,
    held: Vec<(Told, usize, Outgoing)>,
    intents: Arc<Intents>,
    /// Whether each batch was intended.
    intended: Vec<bool>,
}

impl Fake {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(Inner {
            script: Box::new(|_| Does::Acknowledge),
            log: Vec::new(),
            held: Vec::new(),
            intents: Arc::default(),
            intended: Vec::new(),
        })))
    }

    pub(crate) fn script(&self, script: impl Fn(&Outgoing) -> Does + Send + 'static) {
        self.0.lock().unwrap().script = Box::new(script);
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.0.lock().unwrap().log.iter().map(id).collect()
    }

    /// What was acknowledged, in its order.
    pub(crate) fn log(&self) -> Vec<Outgoing> {
        self.0.lock().unwrap().log.clone()
    }

    /// Whether somebody is about to publish.
    pub(crate) fn is_intended(&self) -> bool {
        self.0.lock().unwrap().intents.any()
    }

    /// Whether each batch was intended, in their order.
    pub(crate) fn intended(&self) -> Vec<bool> {
        self.0.lock().unwrap().intended.clone()
    }

    /// Acknowledges what was held.
    pub(crate) fn release(&self) {
        let mut inner = self.0.lock().unwrap();
        for (told, at, record) in std::mem::take(&mut inner.held) {
            let place = inner.write(record);
            told.tell(at, Ok(place));
        }
    }
}

impl Inner {
    fn write(&mut self, record: Outgoing) -> Acknowledged {
        let partition = partition_of(record.key.as_deref().unwrap_or_default(), PARTITIONS);
        self.log.push(record);
        Acknowledged {
            partition: partition.cast_signed(),
            offset: i64::try_from(self.log.len()).unwrap() - 1,
        }
    }
}

impl Publisher for Fake {
    fn publish(&self, records: Vec<Outgoing>) -> Delivery {
        let (told, delivery) = Delivery::of(records.len());
        let mut inner = self.0.lock().unwrap();
        let intended = inner.intents.any();
        inner.intended.push(intended);
        let mut failed = Vec::new();
        for (at, record) in records.into_iter().enumerate() {
            let partition =
                (record.topic.clone(), partition_of(record.key.as_deref().unwrap_or_default(), PARTITIONS));
            let does = if failed.contains(&partition) { Does::Lose } else { (inner.script)(&record) };
            match does {
                Does::Acknowledge => {
                    let place = inner.write(record);
                    told.tell(at, Ok(place));
                }
                Does::Hold => inner.held.push((told.clone(), at, record)),
                Does::Refuse => {
                    failed.push(partition);
                    told.tell(at, Err(PublishError::RefusedInCompany("too large".to_owned())));
                }
                Does::RefuseSurely => {
                    told.tell(at, Err(PublishError::Refused("no such topic".to_owned())));
                }
                Does::Lose => {
                    failed.push(partition);
                    told.tell(at, Err(PublishError::Unacknowledged("no leader".to_owned())));
                }
            }
        }
        delivery
    }

    fn intend(&self) -> Intent {
        self.0.lock().unwrap().intents.begin()
    }

    async fn partitions(&self, _: &str) -> Option<u32> {
        Some(PARTITIONS)
    }
}

/// The header `id` of a record.
pub(crate) fn id(record: &Outgoing) -> String {
    let header = record.headers.iter().find(|header| header.name == "id").unwrap();
    String::from_utf8(header.value.clone().unwrap()).unwrap()
}
