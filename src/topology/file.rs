//! A topology file as it was written: every value with its place, nothing inherited yet.

use std::collections::{BTreeMap, BTreeSet};

use super::model::UnknownEvents;
use super::name::TopicName;
use super::problem::Code;
use crate::text::{Located, Span};
use crate::unit::{Duration, Rate};

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) enum Given<T> {
    /// Not written.
    #[default]
    No,
    /// Written, unusable and already reported: no rule complains about it again.
    Broken,
    Is(Located<T>),
}

impl<T> Given<T> {
    pub(crate) fn get(&self) -> Option<&Located<T>> {
        match self {
            Self::Is(located) => Some(located),
            Self::No | Self::Broken => None,
        }
    }

    pub(crate) fn value(&self) -> Option<&T> {
        self.get().map(|located| &located.value)
    }

    pub(crate) fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }

    pub(crate) fn is_broken(&self) -> bool {
        matches!(self, Self::Broken)
    }

    /// `self` where it is written, else `base`.
    pub(crate) fn or(self, base: Self) -> Self {
        if self.is_no() { base } else { self }
    }
}

impl<T> Given<Vec<T>> {
    /// The items of a list; none when there is no list.
    pub(crate) fn items(&self) -> &[T] {
        self.value().map_or(&[], Vec::as_slice)
    }
}

pub(crate) type Names = Given<Vec<Located<String>>>;

#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    pub(crate) name: Given<String>,
    pub(crate) schemas: Given<String>,
    pub(crate) dlt_suffix: Given<String>,
    pub(crate) defaults: Defaults,
    pub(crate) services: Vec<ServiceBlock>,
    pub(crate) topics: Vec<TopicBlock>,
    pub(crate) environments: Vec<Environment>,
}

/// What an environment changes.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) name: Located<String>,
    pub(crate) defaults: Defaults,
    pub(crate) services: Vec<ServiceBlock>,
    pub(crate) topics: Vec<TopicBlock>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Defaults {
    pub(crate) partitions: Given<i32>,
    pub(crate) replication: Given<i16>,
    /// `retention:` is here as `retention.ms`.
    pub(crate) config: Config,
}

/// Topic settings by Kafka's key.
pub(crate) type Config = BTreeMap<String, Setting>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: SettingValue,
    /// The value's place.
    pub(crate) span: Span,
    /// As the file has it, for messages: `7d` where `value` is `604800000`.
    pub(crate) written: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SettingValue {
    /// Back to the cluster's own default.
    Reset,
    /// In Kafka's text.
    Is(String),
    /// Already reported.
    Broken,
}

impl Setting {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            SettingValue::Is(text) => Some(text),
            SettingValue::Reset | SettingValue::Broken => None,
        }
    }

    pub(crate) fn number(&self) -> Option<i64> {
        self.text()?.parse().ok()
    }
}

#[derive(Clone, Debug)]
pub(crate) struct ServiceBlock {
    pub(crate) name: Located<String>,
    /// Nothing is stated about it: it runs elsewhere.
    pub(crate) external: bool,
    pub(crate) group: Given<String>,
    pub(crate) instances: Given<u32>,
    pub(crate) handler: Given<Duration>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct TopicBlock {
    /// The whole entry.
    pub(crate) span: Span,
    pub(crate) name: Given<TopicName>,
    pub(crate) partitions: Given<i32>,
    pub(crate) replication: Given<i16>,
    pub(crate) config: Config,
    pub(crate) key: Given<String>,
    pub(crate) events: Names,
    pub(crate) producers: Names,
    pub(crate) consumers: Names,
    pub(crate) unknown_events: Given<UnknownEvents>,
    pub(crate) dlt: DltBlock,
    pub(crate) reason: Given<String>,
    pub(crate) rate: Given<Rate>,
    pub(crate) copartitioned_with: Given<String>,
    pub(crate) rationale: Given<String>,
    pub(crate) allow: BTreeSet<Code>,
}

#[derive(Clone, Debug, Default)]
pub(crate) enum DltBlock {
    #[default]
    NotSaid,
    Broken,
    /// `dlt: none`.
    None(Span),
    Is(Box<DltFields>),
}

#[derive(Clone, Debug, Default)]
pub(crate) struct DltFields {
    /// The word `dlt`.
    pub(crate) span: Span,
    pub(crate) partitions: Given<i32>,
    pub(crate) replication: Given<i16>,
    pub(crate) config: Config,
    pub(crate) consumers: Names,
    pub(crate) retry: RetryBlock,
    pub(crate) rationale: Given<String>,
}

/// `retry:` of a `dlt:` block.
#[derive(Clone, Debug, Default)]
pub(crate) struct RetryBlock {
    pub(crate) attempts: Given<u32>,
    pub(crate) backoff: Given<Duration>,
    pub(crate) max_backoff: Given<Duration>,
}
