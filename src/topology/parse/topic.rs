//! Topics and their dead letters.

use std::collections::BTreeSet;

use super::tree::{Entry, Kind};
use super::value::Decoder;
use crate::text::{Located, Span};
use crate::topology::file::{DltBlock, DltFields, Given, RetryBlock, TopicBlock};
use crate::topology::model::UnknownEvents;
use crate::topology::name::TopicName;
use crate::topology::problem::Problem;
use crate::topology::rules::{count, topic_name, wrong_kind};
use crate::unit::{Duration, Rate};

const TOPIC: &[&str] = &[
    "name",
    "partitions",
    "replication",
    "retention",
    "config",
    "key",
    "events",
    "producers",
    "consumers",
    "unknown_events",
    "dlt",
    "reason",
    "rate",
    "copartitioned_with",
    "rationale",
    "allow",
];
const DLT: &[&str] = &["partitions", "replication", "retention", "config", "consumers", "retry", "rationale"];
const RETRY: &[&str] = &["attempts", "backoff", "max_backoff"];

impl Decoder<'_> {
    pub(super) fn topics(&mut self, block: &Entry<'_>) -> Vec<TopicBlock> {
        let example = "write `topics:` and below it `- { name: orders, partitions: 3 }`, or `topics: []`";
        let Kind::Sequence(items) = &block.value.kind else {
            self.misfit(block, "a list", example);
            return Vec::new();
        };
        let mut topics = Vec::with_capacity(items.len());
        for item in items.iter() {
            if matches!(item.kind, Kind::Null) {
                self.report.push(
                    Problem::new(&wrong_kind::RULE, item.span, "an entry of `topics` is empty")
                        .help("remove the `-`, or write `- name: orders`"),
                );
                continue;
            }
            let Kind::Mapping(entries) = &item.kind else {
                self.wrong_kind(item, "topics", "a list of mappings", "write `- name: orders`");
                continue;
            };
            let topic = self.topic(entries, item.span);
            if topic.name.is_no() {
                let start = entries.first().map_or(item.span, |entry| entry.key_span);
                self.missing(start, "this topic", "name", "add `name: my-service.my-event`");
            }
            topics.push(topic);
        }
        topics
    }

    /// An environment names the topics that it changes.
    pub(super) fn topics_by_name(&mut self, block: &Entry<'_>) -> Vec<TopicBlock> {
        let example = "name the topics that change: `topics: { my-service.my-event: { partitions: 1 } }`";
        let Some(named) = self.mapping(block, example) else {
            return Vec::new();
        };
        let mut topics = Vec::with_capacity(named.len());
        for entry in named {
            let Some(entries) = self.mapping(entry, "write `my-topic: { partitions: 1 }`") else {
                continue;
            };
            if let Some(name) = entries.iter().find(|entry| entry.key == "name") {
                self.unknown_field(name, "a topic of an environment", &TOPIC[1..]);
            }
            let mut topic = self.topic(entries, entry.value.span);
            topic.name = topic_name::check(&entry.key, entry.key_span, self.report);
            topics.push(topic);
        }
        topics
    }

    fn topic(&mut self, entries: &[Entry<'_>], span: Span) -> TopicBlock {
        let mut topic = TopicBlock { span, ..TopicBlock::default() };
        // First, so that it holds for the topic's other fields whatever their order.
        if let Some(entry) = entries.iter().find(|entry| entry.key == "allow") {
            topic.allow = self.allow(entry);
        }
        self.report.allowed_here.clone_from(&topic.allow);
        let mut retention = None;
        for entry in entries {
            match entry.key.as_ref() {
                "name" => topic.name = self.topic_name(entry),
                "partitions" => topic.partitions = self.count(entry, &count::PARTITIONS),
                "replication" => topic.replication = self.count(entry, &count::REPLICATION),
                "retention" => retention = Some(entry),
                "config" => topic.config = self.config(entry),
                "key" => topic.key = self.text(entry),
                "events" => topic.events = self.names(entry),
                "producers" => topic.producers = self.names(entry),
                "consumers" => topic.consumers = self.names(entry),
                "unknown_events" => topic.unknown_events = self.unknown_events(entry),
                "dlt" => topic.dlt = self.dlt(entry),
                "reason" => topic.reason = self.text(entry),
                "rate" => topic.rate = self.unit(entry, "a rate", Rate::parse),
                "copartitioned_with" => topic.copartitioned_with = self.text(entry),
                "rationale" => topic.rationale = self.text(entry),
                "allow" => {}
                _ => self.unknown_field(entry, "a topic", TOPIC),
            }
        }
        self.retention(retention, &mut topic.config);
        self.report.allowed_here = BTreeSet::new();
        topic
    }

    fn topic_name(&mut self, entry: &Entry<'_>) -> Given<TopicName> {
        if let Kind::Scalar(text) = &entry.value.kind {
            return topic_name::check(text, entry.value.span, self.report);
        }
        self.misfit(entry, "a topic name", "write `name: my-service.my-event`");
        Given::Broken
    }

    fn dlt(&mut self, block: &Entry<'_>) -> DltBlock {
        const HELP: &str = "write `dlt: {}` for a dead-letter topic of 1 partition and 30 days, or `dlt: none` with a `reason:`";
        let entries = match &block.value.kind {
            Kind::Scalar(text) if text == "none" => return DltBlock::None(block.value.span),
            Kind::Mapping(entries) => entries,
            _ => {
                self.misfit(block, "a mapping or `none`", HELP);
                return DltBlock::Broken;
            }
        };
        let mut dlt = DltFields { span: block.key_span, ..DltFields::default() };
        let mut retention = None;
        for entry in entries.iter() {
            match entry.key.as_ref() {
                "partitions" => dlt.partitions = self.count(entry, &count::PARTITIONS),
                "replication" => dlt.replication = self.count(entry, &count::REPLICATION),
                "retention" => retention = Some(entry),
                "config" => dlt.config = self.config(entry),
                "consumers" => dlt.consumers = self.names(entry),
                "retry" => dlt.retry = self.retry(entry),
                "rationale" => dlt.rationale = self.text(entry),
                _ => self.unknown_field(entry, "`dlt`", DLT),
            }
        }
        self.retention(retention, &mut dlt.config);
        DltBlock::Is(Box::new(dlt))
    }

    fn retry(&mut self, block: &Entry<'_>) -> RetryBlock {
        let example =
            "write `retry: { attempts: 10, backoff: 1s }`; with `max_backoff: 1m` pauses double up to that";
        let mut retry = RetryBlock::default();
        for entry in self.mapping(block, example).unwrap_or_default() {
            match entry.key.as_ref() {
                "attempts" => retry.attempts = self.count(entry, &count::ATTEMPTS),
                "backoff" => retry.backoff = self.unit(entry, "a duration", Duration::parse),
                "max_backoff" => retry.max_backoff = self.unit(entry, "a duration", Duration::parse),
                _ => self.unknown_field(entry, "`retry`", RETRY),
            }
        }
        retry
    }

    fn unknown_events(&mut self, entry: &Entry<'_>) -> Given<UnknownEvents> {
        let choice = match &entry.value.kind {
            Kind::Scalar(text) if text == "skip" => UnknownEvents::Skip,
            Kind::Scalar(text) if text == "dead-letter" => UnknownEvents::DeadLetter,
            _ => {
                self.misfit(
                    entry,
                    "`skip` or `dead-letter`",
                    "write `unknown_events: skip` or `unknown_events: dead-letter`",
                );
                return Given::Broken;
            }
        };
        Given::Is(Located::new(choice, entry.value.span))
    }
}
