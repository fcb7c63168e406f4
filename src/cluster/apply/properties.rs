//! What holds for every topology and every cluster, tried on the in-memory one.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tokio::sync::watch;
use tokio::time::{Duration, Instant};

use super::execute::{Outcome, execute};
use super::settle::Patience;
use crate::cluster::memory::Memory;
use crate::cluster::observe::{Reach, observe};
use crate::plan::{Plan, diff};
use crate::topology::observed::{ClusterState, ObservedTopic};
use crate::topology::{Topic, TopicId, TopicName, TopicRole, Topology};

/// Few names and values, so that desired and observed meet often.
fn settings() -> impl Strategy<Value = BTreeMap<String, Option<String>>> {
    let value = prop_oneof![
        Just(None),
        prop::sample::select(vec!["1", "2", "604800000", "604800001", "-1", "1048588"])
            .prop_map(|v| Some(v.to_owned()))
    ];
    let key = prop::sample::select(vec![
        "retention.ms",
        "retention.bytes",
        "min.insync.replicas",
        "max.message.bytes",
    ]);
    prop::collection::btree_map(key.prop_map(str::to_owned), value, 0..4)
}

fn topics<T: std::fmt::Debug>(
    topic: impl Strategy<Value = T>,
) -> impl Strategy<Value = BTreeMap<TopicName, T>> {
    let name = prop::sample::select(vec!["a", "b", "c.d", "e", "f"])
        .prop_map(|name| TopicName::parse(name).unwrap());
    prop::collection::btree_map(name, topic, 0..5)
}

prop_compose! {
    fn desired()(topics in topics((1i32..6, prop::option::of(1i16..4), settings(), any::<bool>()))) -> Topology {
        let topic = |(name, (partitions, replication, configs, keyed)): (TopicName, (i32, Option<i16>, _, bool))| Topic {
            name,
            partitions,
            replication,
            configs,
            key: keyed.then(|| "orderId".to_owned()),
            events: Vec::new(),
            producers: Vec::new(),
            consumers: Vec::new(),
            rate: None,
            unknown_events: crate::topology::UnknownEvents::default(),
            copartitioned_with: None,
            rationale: None,
            role: TopicRole::Source { dead_letters: None, retry: crate::topology::Retry::default() },
            line: 1,
        };
        Topology { topics: topics.into_iter().map(topic).collect(), ..Topology::default() }
    }
}

prop_compose! {
    fn observed()(topics in topics((1usize..6, 1usize..4, settings(), any::<bool>()))) -> ClusterState {
        let mut state = Memory::empty().state.into_inner();
        // A topic that inherits everything: what is inherited is known from such topics alone.
        state.topics.insert(TopicName::parse("plain").unwrap(), ObservedTopic {
            id: TopicId::default(),
            internal: false,
            partitions: vec![vec![1]],
            overrides: BTreeMap::new(),
            inherited: BTreeMap::new(),
        });
        for (at, (name, (partitions, replication, configs, internal))) in topics.into_iter().enumerate() {
            let replicas: Vec<i32> = state.brokers.iter().map(|broker| broker.id).take(replication).collect();
            let own = configs.into_iter().filter_map(|(key, value)| value.map(|value| (key, Some(value))));
            state.topics.insert(name, ObservedTopic {
                id: TopicId::from_bytes([u8::try_from(at).unwrap(); 16]),
                internal: internal && at == 0,
                partitions: vec![replicas; partitions],
                overrides: own.collect(),
                inherited: BTreeMap::new(),
            });
        }
        state
    }
}

fn patience() -> (watch::Sender<bool>, Patience) {
    let (sender, stop) = watch::channel(false);
    (sender, Patience { deadline: Instant::now() + Duration::from_secs(60), stop })
}

fn applied(plan: &Plan, observed: ClusterState) -> (Vec<Outcome>, ClusterState) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let cluster = Memory::of(observed);
        let (_sender, patience) = patience();
        let outcomes = execute(&cluster, plan, &patience, &mut |_| {}).await;
        let state = observe(&cluster, Reach::Everything).await.unwrap().state;
        (outcomes, state)
    })
}

proptest! {
    #[test]
    fn a_cluster_that_is_as_the_file_says_needs_nothing(desired in desired()) {
        let empty = Memory::empty().state.into_inner();
        let (_, state) = applied(&diff(&desired, &empty), empty);
        prop_assert!(diff(&desired, &state).is_empty());
    }

    #[test]
    fn after_a_plan_was_applied_only_what_was_blocked_remains(desired in desired(), observed in observed()) {
        let plan = diff(&desired, &observed);
        let (outcomes, state) = applied(&plan, observed);
        for (change, outcome) in plan.changes.iter().zip(&outcomes) {
            let expected_done = change.blocked.is_none();
            prop_assert_eq!(*outcome == Outcome::Done, expected_done, "{:?} {:?}", change, outcome);
        }
        let blocked: Vec<_> = plan.blocked().cloned().collect();
        prop_assert_eq!(diff(&desired, &state).changes, blocked);
    }

    #[test]
    fn what_the_file_does_not_mention_is_never_touched(desired in desired(), observed in observed()) {
        let plan = diff(&desired, &observed);
        let (_, state) = applied(&plan, observed.clone());
        for (name, before) in &observed.topics {
            let after = &state.topics[name];
            prop_assert_eq!(before.id, after.id);
            match desired.topics.iter().find(|topic| topic.name == *name) {
                None => prop_assert_eq!(before, after),
                Some(topic) => {
                    prop_assert!(after.partitions.len() >= before.partitions.len());
                    prop_assert_eq!(&before.partitions[0], &after.partitions[0]);
                    for (key, value) in &before.overrides {
                        if !topic.configs.contains_key(key) {
                            prop_assert_eq!(after.overrides.get(key), Some(value));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_plan_is_the_same_however_often_it_is_made(desired in desired(), observed in observed()) {
        prop_assert_eq!(diff(&desired, &observed), diff(&desired, &observed));
    }
}
