//! One suite over every implementation of the ports: what the rest of the house may rely on. The
//! in-memory cluster answers to it as the real brokers do, so tests over it prove something.

use std::collections::BTreeMap;

use crate::cluster::memory::Memory;
use crate::cluster::observe::{Reach, observe};
use crate::cluster::port::{
    AlterTopic, Log, Mode, MorePartitions, NewTopic, OffsetSpec, RefusalKind, Scope, Topics,
};
use crate::kafka::testing::{admin, prefix};
use crate::topology::TopicName;
use crate::topology::observed::Source;

/// Every statement, one after the other, on topics of its own.
async fn holds(cluster: &(impl Topics + Log), prefix: &str) {
    let name = |suffix: &str| TopicName::parse(&format!("{prefix}{suffix}")).unwrap();
    let topic = |suffix: &str, partitions, configs: &[(&str, &str)]| NewTopic {
        name: name(suffix),
        partitions,
        replication: Some(3),
        configs: configs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    };
    asking_changes_nothing(cluster, &topic("asked", 1, &[])).await;
    creation_is_judged_topic_by_topic(cluster, &topic).await;
    partitions_only_grow(cluster, &name("good")).await;
    settings_are_set_and_reset(cluster, &name("good")).await;
    too_much_is_refused_as_a_whole(cluster, &topic).await;
    logs_answer_for_what_exists(cluster, &name("good"), &name("absent")).await;
    brokers_answer_for_themselves(cluster, &name("good")).await;
}

async fn known(cluster: &impl Topics, topic: &TopicName) -> bool {
    !cluster.list(Scope::Only(std::slice::from_ref(topic))).await.unwrap().topics.is_empty()
}

/// Brokers are behind the controller for a moment after every change.
async fn until<T>(mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "the cluster never showed it");
        tokio::task::yield_now().await;
    }
}

async fn asking_changes_nothing(cluster: &impl Topics, topic: &NewTopic) {
    let answers = cluster.create(std::slice::from_ref(topic), Mode::ValidateOnly).await.unwrap();
    assert_eq!(answers, [Ok(())]);
    assert!(!known(cluster, &topic.name).await);
}

async fn creation_is_judged_topic_by_topic(
    cluster: &impl Topics,
    topic: &impl Fn(&str, i32, &[(&str, &str)]) -> NewTopic,
) {
    let many_replicas = NewTopic { replication: Some(99), ..topic("replicas", 1, &[]) };
    let batch = [
        topic("good", 2, &[("retention.ms", "60000")]),
        many_replicas,
        topic("unknown-key", 1, &[("no.such.key", "1")]),
        topic("neighbour", 1, &[]),
    ];
    for mode in [Mode::ValidateOnly, Mode::Execute] {
        let answers = cluster.create(&batch, mode).await.unwrap();
        let errors: Vec<Option<String>> =
            answers.into_iter().map(|answer| answer.err().map(|refusal| refusal.error)).collect();
        let expected = [None, Some("INVALID_REPLICATION_FACTOR"), Some("INVALID_CONFIG"), None];
        assert_eq!(errors, expected.map(|error| error.map(str::to_owned)), "{mode:?}");
    }
    until(async || known(cluster, &batch[0].name).await.then_some(())).await;
    let again = cluster.create(&batch[..1], Mode::Execute).await.unwrap();
    assert_eq!(again[0].as_ref().unwrap_err().kind, RefusalKind::AlreadyExists);
}

async fn partitions_only_grow(cluster: &impl Topics, topic: &TopicName) {
    let more = |total| MorePartitions { name: topic.clone(), total };
    for total in [1, 2] {
        let answers = cluster.add_partitions(&[more(total)], Mode::Execute).await.unwrap();
        assert_eq!(answers[0].as_ref().unwrap_err().error, "INVALID_PARTITIONS", "{total}");
    }
    assert_eq!(cluster.add_partitions(&[more(5)], Mode::ValidateOnly).await.unwrap(), [Ok(())]);
    assert_eq!(cluster.add_partitions(&[more(5)], Mode::Execute).await.unwrap(), [Ok(())]);
    until(async || {
        let listing = cluster.list(Scope::Only(std::slice::from_ref(topic))).await.unwrap();
        (listing.topics.first()?.partitions.len() == 5).then_some(())
    })
    .await;
}

async fn settings_are_set_and_reset(cluster: &impl Topics, topic: &TopicName) {
    let alter = |configs: &[(&str, Option<&str>)]| AlterTopic {
        name: topic.clone(),
        configs: configs.iter().map(|(key, value)| ((*key).to_owned(), value.map(str::to_owned))).collect(),
    };
    let bad = alter(&[("segment.bytes", Some("1048576")), ("no.such.key", Some("1"))]);
    for mode in [Mode::ValidateOnly, Mode::Execute] {
        let answers = cluster.alter(std::slice::from_ref(&bad), mode).await.unwrap();
        assert_eq!(answers[0].as_ref().unwrap_err().error, "INVALID_CONFIG");
    }
    let good = alter(&[("retention.bytes", Some("1000000")), ("retention.ms", None)]);
    assert_eq!(cluster.alter(std::slice::from_ref(&good), Mode::ValidateOnly).await.unwrap(), [Ok(())]);
    assert_eq!(cluster.alter(std::slice::from_ref(&good), Mode::Execute).await.unwrap(), [Ok(())]);
    let expected = BTreeMap::from([("retention.bytes".to_owned(), Some("1000000".to_owned()))]);
    let state = until(async || {
        let state = observe(cluster, Reach::Only(std::slice::from_ref(topic))).await.unwrap().state;
        (state.topics.get(topic)?.overrides == expected).then_some(state)
    })
    .await;
    let found = &state.topics[topic];
    assert_eq!(state.effective(found, "retention.ms"), Some((Some("604800000"), Source::Default)));
}

async fn too_much_is_refused_as_a_whole(
    cluster: &impl Topics,
    topic: &impl Fn(&str, i32, &[(&str, &str)]) -> NewTopic,
) {
    let batch = [topic("small", 1, &[]), topic("large", 10_000, &[])];
    let answers = cluster.create(&batch, Mode::ValidateOnly).await.unwrap();
    let kinds: Vec<RefusalKind> = answers.into_iter().map(|answer| answer.unwrap_err().kind).collect();
    assert_eq!(kinds, [RefusalKind::WholeRequest, RefusalKind::WholeRequest]);
}

async fn logs_answer_for_what_exists(cluster: &(impl Topics + Log), topic: &TopicName, absent: &TopicName) {
    let questions = [
        (topic.clone(), 0, OffsetSpec::Earliest),
        (topic.clone(), 0, OffsetSpec::Latest),
        (topic.clone(), 0, OffsetSpec::At(0)),
        (topic.clone(), 99, OffsetSpec::Latest),
        (absent.clone(), 0, OffsetSpec::Latest),
    ];
    // A leader is elected a moment after the partition is there.
    let answers = until(async || {
        let answers = cluster.offsets(&questions).await.unwrap();
        answers[0].is_some().then_some(answers)
    })
    .await;
    assert_eq!(answers, [Some(0), Some(0), None, None, None]);
}

async fn brokers_answer_for_themselves(cluster: &impl Topics, topic: &TopicName) {
    let brokers = cluster.brokers().await.unwrap();
    assert_eq!(brokers.len(), 3);
    for broker in brokers {
        let listing = cluster.list_from(broker, Scope::Only(std::slice::from_ref(topic))).await.unwrap();
        assert_eq!(listing.topics.len(), 1);
        let mut keys = Vec::new();
        let wanted = ["retention.bytes".to_owned()];
        cluster
            .settings_from(broker, std::slice::from_ref(topic), &wanted, &mut |_, reported| {
                keys.extend(reported.unwrap().iter().map(|one| one.key.to_owned()));
            })
            .await
            .unwrap();
        assert_eq!(keys, wanted);
    }
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn the_contract_holds_in_memory() {
    run(holds(&Memory::empty(), "t-contract."));
}

#[test]
fn the_contract_holds_on_kafka() {
    run(async { holds(&admin("KAFKAFLOW_TEST_BROKERS").await, &prefix("contract")).await });
}

#[test]
fn the_contract_holds_on_kafka_3_9() {
    run(async { holds(&admin("KAFKAFLOW_TEST_39_BROKERS").await, &prefix("contract")).await });
}
