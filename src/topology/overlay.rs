//! An environment laid over the base.

use std::collections::HashMap;

use super::file::{
    Config, Defaults, DltBlock, DltFields, Environment, File, RetryBlock, ServiceBlock, TopicBlock,
};
use super::problem::Report;
use super::rules::{unknown_service, unknown_topic};

/// The base with `environment` laid over it: what the environment writes wins, field by field.
/// Names that the base does not have are reported.
pub(crate) fn overlay(mut base: File, environment: Environment, report: &mut Report) -> File {
    base.defaults = defaults(environment.defaults, base.defaults);

    let known: HashMap<String, usize> = (base.services.iter().enumerate())
        .map(|(index, service)| (service.name.value.clone(), index))
        .collect();
    for over in environment.services {
        match known.get(&over.name.value) {
            Some(&index) => service(over, &mut base.services[index]),
            None => unknown_service::in_environment(&over.name, &known, report),
        }
    }

    let known: HashMap<String, usize> = (base.topics.iter().enumerate().rev())
        .filter_map(|(index, topic)| Some((topic.name.value()?.as_str().to_owned(), index)))
        .collect();
    for over in environment.topics {
        let Some(name) = over.name.get() else {
            continue;
        };
        match known.get(name.value.as_str()) {
            Some(&index) => {
                let below = std::mem::take(&mut base.topics[index]);
                base.topics[index] = topic(over, below);
            }
            None => unknown_topic::in_environment(name, known.keys(), report),
        }
    }
    base
}

fn defaults(over: Defaults, base: Defaults) -> Defaults {
    Defaults {
        partitions: over.partitions.or(base.partitions),
        replication: over.replication.or(base.replication),
        config: config(over.config, base.config),
    }
}

/// Key by key, the upper one wins.
pub(super) fn config(over: Config, mut base: Config) -> Config {
    base.extend(over);
    base
}

fn service(over: ServiceBlock, base: &mut ServiceBlock) {
    let below = base.clone();
    base.external &= over.external;
    base.group = over.group.or(below.group);
    base.instances = over.instances.or(below.instances);
    base.handler = over.handler.or(below.handler);
}

fn topic(over: TopicBlock, base: TopicBlock) -> TopicBlock {
    TopicBlock {
        span: base.span,
        name: base.name,
        partitions: over.partitions.or(base.partitions),
        replication: over.replication.or(base.replication),
        config: config(over.config, base.config),
        key: over.key.or(base.key),
        events: over.events.or(base.events),
        producers: over.producers.or(base.producers),
        consumers: over.consumers.or(base.consumers),
        unknown_events: over.unknown_events.or(base.unknown_events),
        dlt: dlt(over.dlt, base.dlt),
        reason: over.reason.or(base.reason),
        rate: over.rate.or(base.rate),
        copartitioned_with: over.copartitioned_with.or(base.copartitioned_with),
        rationale: over.rationale.or(base.rationale),
        allow: &over.allow | &base.allow,
    }
}

fn dlt(over: DltBlock, base: DltBlock) -> DltBlock {
    match (over, base) {
        (DltBlock::NotSaid, base) => base,
        (DltBlock::Is(over), DltBlock::Is(base)) => DltBlock::Is(Box::new(DltFields {
            span: base.span,
            partitions: over.partitions.or(base.partitions),
            replication: over.replication.or(base.replication),
            config: config(over.config, base.config),
            consumers: over.consumers.or(base.consumers),
            retry: RetryBlock {
                attempts: over.retry.attempts.or(base.retry.attempts),
                backoff: over.retry.backoff.or(base.retry.backoff),
                max_backoff: over.retry.max_backoff.or(base.retry.max_backoff),
            },
            rationale: over.rationale.or(base.rationale),
        })),
        (over, _) => over,
    }
}
