//! Metadata: which topics there are.

use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{MetadataRequest, MetadataResponse};
use kafka_protocol::protocol::StrBytes;

use super::refusal::refusal;
use super::{Admin, again};
use crate::cluster::port::{ClusterError, ListedTopic, Listing, RefusalKind, Scope};
use crate::kafka::Target;
use crate::topology::observed::Broker;
use crate::topology::{TopicId, TopicName};

impl Admin {
    pub(super) async fn metadata(&self, target: Target, scope: Scope<'_>) -> Result<Listing, ClusterError> {
        let topics = match scope {
            Scope::Whole => None,
            Scope::Only(names) => Some(names.iter().map(requested).collect()),
        };
        let request = MetadataRequest::default().with_topics(topics).with_allow_auto_topic_creation(false);
        let answer = again(&self.client, || self.client.call(target, &request)).await?;
        self.client.learn(&answer);
        Ok(listing(answer, self.client.elr_version()))
    }
}

fn requested(name: &TopicName) -> MetadataRequestTopic {
    let name = StrBytes::from_string(name.as_str().to_owned());
    MetadataRequestTopic::default().with_name(Some(kafka_protocol::messages::TopicName(name)))
}

fn listing(answer: MetadataResponse, elr_version: i16) -> Listing {
    let mut listing = Listing {
        cluster_id: answer.cluster_id.map_or_else(String::new, |id| id.to_string()),
        elr_version,
        ..Listing::default()
    };
    listing.brokers = answer
        .brokers
        .into_iter()
        .map(|broker| Broker { id: broker.node_id.0, rack: broker.rack.map(|rack| rack.to_string()) })
        .collect();
    listing.brokers.sort();
    for topic in answer.topics {
        // A topic without a name is only known by an id that we never ask for.
        let Some(Ok(name)) = topic.name.as_ref().map(|name| TopicName::parse(name.as_str())) else {
            continue;
        };
        let refused = refusal(topic.error_code, None, 0);
        match refused {
            Some(refusal) if refusal.kind == RefusalKind::Unknown => continue,
            // It exists, though its leaders are still being chosen.
            Some(refusal) if refusal.kind == RefusalKind::Retriable => {}
            Some(refusal) => {
                listing.refused.push((name, refusal));
                continue;
            }
            None => {}
        }
        let mut partitions = topic.partitions;
        partitions.sort_by_key(|partition| partition.partition_index);
        listing.topics.push(ListedTopic {
            name,
            id: TopicId::from_bytes(*topic.topic_id.as_bytes()),
            internal: topic.is_internal,
            partitions: partitions
                .into_iter()
                .map(|partition| partition.replica_nodes.iter().map(|broker| broker.0).collect())
                .collect(),
        });
    }
    listing.topics.sort_by(|a, b| a.name.cmp(&b.name));
    listing
}
