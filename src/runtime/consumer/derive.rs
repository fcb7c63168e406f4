//! How a service consumes, as its topology says. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::{Intake, Options, UnknownEvents};
use crate::messaging::{BackOff, RetryPolicy};
use crate::schema::Judge;
use crate::topology::{self, Topic, TopicName, TopicRole, Topology};
use crate::unit;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// `segment.ms` where neither the topic nor the file says another: Kafka deletes whole segments only.
const SEGMENT: Duration = DAY.saturating_mul(7);
/// Of topics that are kept for ever, ids are remembered for so long.
const FOR_EVER: Duration = DAY.saturating_mul(3650);

impl Options {
    /// Of the group of `service`, over the topics that it consumes; `None`: it has no group, or consumes nothing.
    /// `handles` are the types of events that its handler takes of each topic; of others it takes everything.
    pub(crate) fn of_topology(
        topology: &Topology,
        service: &str,
        judge: &Arc<Judge>,
        handles: &BTreeMap<String, BTreeSet<String>>,
    ) -> Option<Self> {
        let group = topology.group_of(service)?.to_owned();
        let consumed = topology.consumed_by(service);
        let sources: Vec<(&Topic, Option<&Topic>, topology::Retry)> = consumed
            .filter_map(|topic| match &topic.role {
                TopicRole::Source { dead_letters, retry } => {
                    let letters = dead_letters.as_ref().map(TopicName::as_str);
                    let letters = topology.topics.iter().find(|topic| Some(topic.name.as_str()) == letters);
                    Some((topic, letters, *retry))
                }
                TopicRole::DeadLettersOf(_) => None,
            })
            .collect();
        if sources.is_empty() {
            return None;
        }
        let longest = |times: &mut dyn Iterator<Item = Duration>| times.max().unwrap_or_default();
        let remembered_for = longest(&mut sources.iter().map(|(topic, ..)| kept(topic))) + DAY;
        let letters = &mut sources.iter().filter_map(|(_, letters, _)| *letters);
        let dead_for = longest(&mut letters.map(|letters| kept(letters) + segment(letters))) + DAY;
        let topics = sources.into_iter().map(|(topic, letters, retry)| {
            let name = topic.name.as_str().to_owned();
            let intake = Intake {
                handles: handles.get(&name).cloned().unwrap_or_default(),
                carries: (!topic.events.is_empty()).then(|| topic.events.iter().cloned().collect()),
                unknown: match topic.unknown_events {
                    topology::UnknownEvents::Skip => UnknownEvents::Skip,
                    topology::UnknownEvents::DeadLetter => UnknownEvents::DeadLetter,
                },
                judge: Some(Arc::clone(judge)),
                dead_letters: letters.map(|letters| letters.name.as_str().to_owned()),
                retry: policy(retry),
            };
            (name, intake)
        });
        Some(Self { remembered_for, dead_for, ..Self::of(group, topics.collect()) })
    }
}

fn policy(retry: topology::Retry) -> RetryPolicy {
    let backoff = match retry.max_backoff {
        None => BackOff::Fixed(duration(retry.backoff)),
        Some(max) => BackOff::Exponential { initial: duration(retry.backoff), max: duration(max) },
    };
    RetryPolicy { attempts: retry.attempts, backoff }
}

fn duration(duration: unit::Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(0))
}

/// How long a topic keeps records.
fn kept(topic: &Topic) -> Duration {
    setting(topic, "retention.ms").map_or(FOR_EVER, |kept| kept.min(FOR_EVER))
}

fn segment(topic: &Topic) -> Duration {
    setting(topic, "segment.ms").unwrap_or(SEGMENT)
}

fn setting(topic: &Topic, key: &str) -> Option<Duration> {
    let millis: i64 = topic.configs.get(key)?.as_ref()?.parse().ok()?;
    // -1 stands for no limit.
    u64::try_from(millis).ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ByType;
    use crate::topology::SchemaFiles;

    fn topology() -> Topology {
        let text = "version: 1
services: { orders: { group: orders }, stock: { group: stock }, audit: {} }
topics:
- { name: orders.placed, partitions: 3, retention: 7d, events: [Placed, Changed], producers: [orders], consumers: [stock, audit],
    dlt: { retention: 30d, config: { segment.ms: 86400000 }, retry: { attempts: 4, backoff: 1s, max_backoff: 1min } } }
- { name: stock.result, partitions: 3, retention: 14d, events: [Reserved], unknown_events: skip, producers: [stock], consumers: [orders, stock], dlt: { retention: 20d } }
- { name: stock.log, partitions: 1, retention: forever, producers: [stock], consumers: [orders], dlt: { retention: forever } }
";
        let loaded = crate::topology::load(text, None, |_| SchemaFiles::Unchecked);
        loaded.topology.unwrap_or_else(|| panic!("{:?}", loaded.problems))
    }

    #[test]
    fn a_service_consumes_as_its_topology_says() {
        let judge = Arc::new(Judge::by_type(ByType::new()));
        let handles = BTreeMap::from([("orders.placed".to_owned(), BTreeSet::from(["Placed".to_owned()]))]);
        let options = Options::of_topology(&topology(), "stock", &judge, &handles).unwrap();
        assert_eq!(options.group, "stock");
        assert_eq!(options.topics.keys().collect::<Vec<_>>(), ["orders.placed", "stock.result"]);
        assert_eq!(options.remembered_for, DAY * 15, "the longest retention and a day");
        assert_eq!(options.dead_for, DAY * 32, "a retention, a segment and a day");
        let placed = &options.topics["orders.placed"];
        assert_eq!(placed.handles, BTreeSet::from(["Placed".to_owned()]));
        assert_eq!(placed.carries.as_ref().map(BTreeSet::len), Some(2));
        assert_eq!(placed.dead_letters.as_deref(), Some("orders.placed.DLT"));
        let backoff = BackOff::Exponential { initial: Duration::from_secs(1), max: Duration::from_secs(60) };
        assert_eq!(placed.retry, RetryPolicy { attempts: 4, backoff });
        let result = &options.topics["stock.result"];
        assert_eq!((result.unknown, result.retry), (UnknownEvents::Skip, RetryPolicy::default()));
        assert!(result.handles.is_empty());
        let orders = Options::of_topology(&topology(), "orders", &judge, &BTreeMap::new()).unwrap();
        assert_eq!(orders.remembered_for, FOR_EVER + DAY);
        assert_eq!(orders.topics["stock.log"].carries, None);
        for service in ["audit", "nobody"] {
            assert!(Options::of_topology(&topology(), service, &judge, &BTreeMap::new()).is_none());
        }
    }
}
