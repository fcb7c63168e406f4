//! The draft without places: the model.

use super::draft::{DeadLetters, Draft, DraftTopic, Role};
use super::file::{Config, Names, RetryBlock, SettingValue};
use super::model::{Retry, Service, Topic, TopicRole, Topology};
use super::name::TopicName;
use crate::text::Lines;

/// The model of a draft without errors; a topic that lacks what a topic needs would have been an
/// error, and is left out.
pub(crate) fn lower(draft: &Draft, lines: &Lines) -> Topology {
    let services = draft.services.iter().map(|service| Service {
        name: service.name.value.clone(),
        group: service.group.value().cloned(),
        instances: service.instances.value().copied(),
        handler: service.handler.value().copied(),
    });
    let topics = draft.topics.iter().filter_map(|each| topic(each, draft, lines));
    Topology {
        name: draft.name.value().cloned(),
        schemas: draft.schemas.value().cloned(),
        services: services.collect(),
        topics: topics.collect(),
    }
}

fn topic(topic: &DraftTopic, draft: &Draft, lines: &Lines) -> Option<Topic> {
    let name_of = |index: usize| draft.topics[index].name.clone();
    let role = match topic.role {
        Role::Source(DeadLetters::Topic(index)) => {
            TopicRole::Source { dead_letters: name_of(index), retry: retry(&topic.retry) }
        }
        Role::Source(_) => TopicRole::Source { dead_letters: None, retry: retry(&topic.retry) },
        Role::DeadLettersOf(source) => TopicRole::DeadLettersOf(name_of(source)?),
    };
    Some(Topic {
        name: topic.name.clone()?,
        partitions: topic.partitions.value().copied()?,
        replication: topic.replication.value().copied(),
        configs: configs(&topic.config),
        key: topic.key.value().cloned(),
        events: names(&topic.events),
        producers: names(&topic.producers),
        consumers: names(&topic.consumers),
        unknown_events: topic.unknown_events.value().copied().unwrap_or_default(),
        rate: topic.rate.value().copied(),
        copartitioned_with: (topic.copartitioned_with.value()).and_then(|name| TopicName::parse(name).ok()),
        rationale: topic.rationale.value().map(|text| text.trim().to_owned()),
        role,
        line: lines.line(topic.start),
    })
}

fn retry(block: &RetryBlock) -> Retry {
    let usual = Retry::default();
    Retry {
        attempts: block.attempts.value().copied().unwrap_or(usual.attempts),
        backoff: block.backoff.value().copied().unwrap_or(usual.backoff),
        max_backoff: block.max_backoff.value().copied(),
    }
}

fn configs(config: &Config) -> std::collections::BTreeMap<String, Option<String>> {
    config
        .iter()
        .filter_map(|(key, setting)| match &setting.value {
            SettingValue::Is(text) => Some((key.clone(), Some(text.clone()))),
            SettingValue::Reset => Some((key.clone(), None)),
            SettingValue::Broken => None,
        })
        .collect()
}

fn names(names: &Names) -> Vec<String> {
    names.items().iter().map(|name| name.value.clone()).collect()
}
