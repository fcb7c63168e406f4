//! How many events a service's inbox remembers, by what the file states.

use super::{Topic, TopicRole, Topology};

const DAY: i128 = 24 * 60 * 60 * 1000;

/// What the inbox of one service comes to.
#[derive(Clone, Debug)]
pub(crate) struct Inbox<'t> {
    pub(crate) service: &'t str,
    pub(crate) rows: u64,
    /// The topics that it was reckoned from.
    pub(crate) topics: Vec<&'t Topic>,
}

/// Of every service that keeps an inbox (it has a group) and reads a topic with a stated rate and retention: an id
/// lives as long as its source keeps records, to the end of the day.
pub(crate) fn inboxes(topology: &Topology) -> Vec<Inbox<'_>> {
    let mut found = Vec::new();
    for service in topology.services.iter().filter(|service| service.group.is_some()) {
        let read = topology.topics.iter().filter(|topic| {
            matches!(topic.role, TopicRole::Source { .. }) && topic.consumers.contains(&service.name)
        });
        let (topics, rows): (Vec<&Topic>, Vec<i128>) =
            read.filter_map(|topic| Some((topic, rows_of(topic)?))).unzip();
        if !topics.is_empty() {
            let rows = u64::try_from(rows.iter().sum::<i128>()).unwrap_or(u64::MAX);
            found.push(Inbox { service: &service.name, rows, topics });
        }
    }
    found
}

fn rows_of(topic: &Topic) -> Option<i128> {
    let (count, seconds) = topic.rate?.as_fraction();
    let retention: i128 = topic.configs.get("retention.ms")?.as_ref()?.parse().ok()?;
    // Kept for ever it has no size.
    (retention > 0).then(|| i128::from(count) * (retention + DAY) / (i128::from(seconds) * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inbox_holds_what_its_topics_keep_and_a_day() {
        let text = "version: 1\nservices: { a: { group: a }, b: { group: b }, c: {} }\ntopics:\n\
             - { name: x.one, partitions: 1, rate: 10/s, retention: 1d, consumers: [a, b, c], dlt: {} }\n\
             - { name: x.two, partitions: 1, rate: 60/min, retention: 2d, consumers: [a], dlt: {} }\n\
             - { name: x.three, partitions: 1, rate: 1/s, retention: forever, consumers: [b], dlt: { retention: forever } }\n";
        let loaded = crate::topology::load(text, None, |_| crate::topology::SchemaFiles::Unchecked);
        let topology = loaded.topology.unwrap_or_else(|| panic!("{:?}", loaded.problems));
        let found: Vec<(&str, u64)> =
            inboxes(&topology).iter().map(|inbox| (inbox.service, inbox.rows)).collect();
        assert_eq!(found, [("a", 10 * 172_800 + 259_200), ("b", 10 * 172_800)]);
    }
}
