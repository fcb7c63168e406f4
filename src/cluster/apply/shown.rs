//! Does a cluster show what was asked of it?

use std::collections::BTreeMap;

use crate::cluster::port::{AlterTopic, MorePartitions, NewTopic};
use crate::topology::TopicName;
use crate::topology::observed::ObservedTopic;

/// Something asked of a topic.
pub(crate) trait Asked: Clone {
    fn topic(&self) -> &TopicName;

    /// The settings that it concerns.
    fn keys(&self) -> Vec<String>;

    /// How the observed topic differs from what was asked; `None` = it is so.
    fn difference(&self, found: Option<&ObservedTopic>) -> Option<String>;
}

impl Asked for NewTopic {
    fn topic(&self) -> &TopicName {
        &self.name
    }

    fn keys(&self) -> Vec<String> {
        self.configs.keys().cloned().collect()
    }

    fn difference(&self, found: Option<&ObservedTopic>) -> Option<String> {
        let Some(found) = found else { return Some("there is no such topic".into()) };
        if found.partition_count() != self.partitions {
            return Some(format!("it has {} partitions, not {}", found.partition_count(), self.partitions));
        }
        let (least, most) = found.replication();
        if let Some(replication) = self.replication.and_then(|count| usize::try_from(count).ok())
            && (least, most) != (replication, replication)
        {
            return Some(format!("its replication is {least}, not {replication}"));
        }
        let mut wanted = self.configs.iter().map(|(key, value)| (key, Some(value)));
        wanted.find_map(|(key, value)| setting(found, key, value))
    }
}

impl Asked for MorePartitions {
    fn topic(&self) -> &TopicName {
        &self.name
    }

    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    fn difference(&self, found: Option<&ObservedTopic>) -> Option<String> {
        let Some(found) = found else { return Some("there is no such topic".into()) };
        let count = found.partition_count();
        (count != self.total).then(|| format!("it has {count} partitions, not {}", self.total))
    }
}

impl Asked for AlterTopic {
    fn topic(&self) -> &TopicName {
        &self.name
    }

    fn keys(&self) -> Vec<String> {
        self.configs.keys().cloned().collect()
    }

    fn difference(&self, found: Option<&ObservedTopic>) -> Option<String> {
        let Some(found) = found else { return Some("there is no such topic".into()) };
        let wanted: BTreeMap<_, _> = self.configs.iter().map(|(key, value)| (key, value.as_ref())).collect();
        wanted.into_iter().find_map(|(key, value)| setting(found, key, value))
    }
}

/// Compared to the letter: Kafka keeps a value as it was sent.
fn setting(found: &ObservedTopic, key: &str, wanted: Option<&String>) -> Option<String> {
    match (found.overrides.get(key), wanted) {
        (None, None) => None,
        (Some(Some(found)), Some(wanted)) if found == wanted => None,
        (None, Some(wanted)) => Some(format!("{key} is not set, it should be {wanted}")),
        (Some(found), None) => {
            Some(format!("{key} is still set to {}", found.as_deref().unwrap_or("(hidden)")))
        }
        (Some(found), Some(wanted)) => {
            Some(format!("{key} is {}, not {wanted}", found.as_deref().unwrap_or("(hidden)")))
        }
    }
}
