//! A broker inside of this process: librdkafka's mock cluster. It keeps records in memory, serves producers and
//! groups, and knows nothing of settings: what was asked for is remembered here, and not enforced.

mod progress;

pub(crate) use progress::{Consuming, Onlooker};

use std::cell::RefCell;
use std::collections::BTreeMap;

use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

use super::data::DataError;
use super::{Cluster, ConnectionError};
use crate::cluster::port::{
    AlterTopic, Answers, ClusterError, ListedTopic, Listing, Log, Mode, MorePartitions, NewTopic, OffsetSpec,
    Refusal, RefusalKind, Reported, Scope, SettingsSink, Topics,
};
use crate::topology::observed::{Broker, Source};
use crate::topology::{TopicId, TopicName};

/// What a plan calls it.
const NAME: &str = "embedded";

/// The broker. It ends, and its records are gone, when this is dropped.
pub(crate) struct Embedded {
    mock: MockCluster<'static, DefaultProducerContext>,
    brokers: i32,
    topics: RefCell<BTreeMap<TopicName, NewTopic>>,
}

impl Embedded {
    /// Starts with as many brokers as the largest replication needs.
    pub(crate) fn start(brokers: i32) -> Result<Self, DataError> {
        let brokers = brokers.max(1);
        let mock =
            MockCluster::new(brokers).map_err(|error| DataError::Kafka { reason: error.to_string() })?;
        Ok(Self { mock, brokers, topics: RefCell::default() })
    }

    /// Where it listens.
    pub(crate) fn addresses(&self) -> String {
        self.mock.bootstrap_servers()
    }

    /// How producers and groups reach it.
    pub(crate) fn cluster(&self) -> Result<Cluster, ConnectionError> {
        // The mock does not answer a fetch when a record comes, but when its wait is over.
        Cluster::from_properties(&format!(
            "bootstrap.servers={}\nfetch.wait.max.ms=10",
            self.mock.bootstrap_servers()
        ))
    }

    fn may_be_made(&self, topic: &NewTopic) -> Result<(), Refusal> {
        if self.topics.borrow().contains_key(&topic.name) {
            let message = format!("Topic '{}' already exists.", topic.name);
            return Err(refused("TOPIC_ALREADY_EXISTS", message, RefusalKind::AlreadyExists));
        }
        let replication = i32::from(topic.replication.unwrap_or(1));
        if (1..=self.brokers).contains(&replication) {
            return Ok(());
        }
        let message = format!("replication {replication} of {} brokers", self.brokers);
        Err(refused("INVALID_REPLICATION_FACTOR", message, RefusalKind::Final))
    }

    fn make(&self, topic: &NewTopic) -> Result<(), Refusal> {
        let replication = topic.replication.unwrap_or(1).into();
        self.mock
            .create_topic(topic.name.as_str(), topic.partitions, replication)
            .map_err(|error| refused("MOCK_CLUSTER", error.to_string(), RefusalKind::Final))?;
        self.topics.borrow_mut().insert(topic.name.clone(), topic.clone());
        Ok(())
    }

    fn listing(&self, scope: Scope<'_>) -> Listing {
        let wanted = |name: &TopicName| match scope {
            Scope::Whole => true,
            Scope::Only(names) => names.contains(name),
        };
        let topics = self.topics.borrow();
        let listed = topics.values().filter(|topic| wanted(&topic.name)).map(|topic| ListedTopic {
            name: topic.name.clone(),
            id: TopicId::from_bytes([0; 16]),
            internal: false,
            partitions: (0..topic.partitions)
                .map(|_| (1..=i32::from(topic.replication.unwrap_or(1))).collect())
                .collect(),
        });
        Listing {
            cluster_id: NAME.to_owned(),
            brokers: (1..=self.brokers).map(|id| Broker { id, rack: None }).collect(),
            elr_version: 0,
            topics: listed.collect(),
            refused: Vec::new(),
        }
    }

    fn tell(&self, names: &[TopicName], keys: Option<&[String]>, sink: SettingsSink<'_>) {
        let topics = self.topics.borrow();
        for name in names {
            let Some(topic) = topics.get(name) else {
                let message = "This server does not host this topic-partition.".to_owned();
                sink(name, Err(refused("UNKNOWN_TOPIC_OR_PARTITION", message, RefusalKind::Unknown)));
                continue;
            };
            let asked = |key: &String| keys.is_none_or(|keys| keys.contains(key));
            let reported: Vec<Reported<'_>> = topic
                .configs
                .iter()
                .filter(|(key, _)| asked(key))
                .map(|(key, value)| Reported { key, value: Some(value), source: Source::Topic })
                .collect();
            sink(name, Ok(&reported));
        }
    }
}

fn refused(error: &str, message: String, kind: RefusalKind) -> Refusal {
    Refusal { error: error.to_owned(), message: Some(message), kind }
}

/// It begins empty with every process, so that nothing that is there is ever changed.
fn unchangeable<T>(items: &[T]) -> Answers {
    let refusal = || {
        let message = "the embedded broker changes no topic; it begins anew with every start".to_owned();
        refused("UNSUPPORTED_VERSION", message, RefusalKind::Final)
    };
    items.iter().map(|_| Err(refusal())).collect()
}

impl Topics for Embedded {
    async fn brokers(&self) -> Result<Vec<i32>, ClusterError> {
        Ok((1..=self.brokers).collect())
    }

    async fn list(&self, scope: Scope<'_>) -> Result<Listing, ClusterError> {
        Ok(self.listing(scope))
    }

    async fn list_from(&self, _: i32, scope: Scope<'_>) -> Result<Listing, ClusterError> {
        Ok(self.listing(scope))
    }

    async fn settings(&self, topics: &[TopicName], sink: SettingsSink<'_>) -> Result<(), ClusterError> {
        self.tell(topics, None, sink);
        Ok(())
    }

    async fn settings_from(
        &self,
        _: i32,
        topics: &[TopicName],
        keys: &[String],
        sink: SettingsSink<'_>,
    ) -> Result<(), ClusterError> {
        self.tell(topics, Some(keys), sink);
        Ok(())
    }

    async fn create(&self, topics: &[NewTopic], mode: Mode) -> Result<Answers, ClusterError> {
        let answer = |topic| match (self.may_be_made(topic), mode) {
            (Ok(()), Mode::Execute) => self.make(topic),
            (answer, _) => answer,
        };
        Ok(topics.iter().map(answer).collect())
    }

    async fn add_partitions(&self, topics: &[MorePartitions], _: Mode) -> Result<Answers, ClusterError> {
        Ok(unchangeable(topics))
    }

    async fn alter(&self, topics: &[AlterTopic], _: Mode) -> Result<Answers, ClusterError> {
        Ok(unchangeable(topics))
    }
}

impl Log for Embedded {
    /// Asked only about topics whose retention is to become shorter, of which there are none.
    async fn offsets(
        &self,
        questions: &[(TopicName, i32, OffsetSpec)],
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        Ok(vec![None; questions.len()])
    }
}

#[cfg(test)]
mod tests {
    use super::progress::Progress;
    use super::*;
    use crate::messaging::{Outgoing, publish_alone};

    fn topic(name: &str, replication: i16) -> NewTopic {
        NewTopic {
            name: TopicName::parse(name).unwrap(),
            partitions: 3,
            replication: Some(replication),
            configs: BTreeMap::from([("retention.ms".to_owned(), "1000".to_owned())]),
        }
    }

    #[tokio::test]
    async fn a_topic_is_made_once_and_what_was_asked_for_it_is_remembered() {
        let broker = Embedded::start(3).unwrap();
        let asked = [topic("a", 3), topic("b", 4)];
        let could = broker.create(&asked, Mode::ValidateOnly).await.unwrap();
        assert!(could[0].is_ok() && could[1].is_err(), "{could:?}");
        assert!(broker.list(Scope::Whole).await.unwrap().topics.is_empty());
        assert!(broker.create(&asked[..1], Mode::Execute).await.unwrap()[0].is_ok());
        let again = broker.create(&asked[..1], Mode::Execute).await.unwrap();
        assert_eq!(again[0].as_ref().unwrap_err().kind, RefusalKind::AlreadyExists);
        let listed = broker.list_from(1, Scope::Whole).await.unwrap();
        assert_eq!((listed.topics.len(), listed.topics[0].partitions.len()), (1, 3));
        let mut told = Vec::new();
        let names = [topic("a", 1).name, topic("b", 1).name];
        let mut sink = |name: &TopicName, reported: Result<&[Reported<'_>], Refusal>| {
            let keys = reported.map(|all| all.iter().map(|one| one.key.to_owned()).collect::<Vec<_>>());
            told.push((name.as_str().to_owned(), keys.map_err(|refusal| refusal.kind)));
        };
        broker.settings(&names, &mut sink).await.unwrap();
        assert_eq!(told[0], ("a".to_owned(), Ok(vec!["retention.ms".to_owned()])));
        assert_eq!(told[1], ("b".to_owned(), Err(RefusalKind::Unknown)));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_a_group_has_not_committed_yet_is_its_lag() {
        let broker = Embedded::start(1).unwrap();
        broker.create(&[topic("a", 1)], Mode::Execute).await.unwrap();
        let producer = broker.cluster().unwrap().producer().unwrap();
        for key in 0..20 {
            let record = Outgoing {
                topic: "a".to_owned(),
                partition: None,
                key: Some(format!("{key}").into_bytes()),
                value: None,
                headers: Vec::new(),
                timestamp: None,
            };
            publish_alone(&producer, record).await.unwrap();
        }
        let consuming = Consuming { group: "g".to_owned(), partitions: vec![("a".to_owned(), 3)] };
        let progress = broker.onlooker(&[consuming]).unwrap().progress().await.unwrap();
        assert_eq!(progress, Progress { written: 20, lag: 20 });
    }
}
