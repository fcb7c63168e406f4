//! ListOffsets: asked of each partition's leader.

use std::collections::{BTreeMap, HashMap};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, MetadataRequest};

use super::topics::wire_name;
use super::{Admin, again};
use crate::cluster::port::{ClusterError, OffsetSpec};
use crate::kafka::Target;
use crate::topology::TopicName;

type Question = (TopicName, i32, OffsetSpec);

impl Admin {
    /// Offsets, one for each question; `None` where the leader does not answer or has no such record.
    pub(super) async fn read_offsets(
        &self,
        questions: &[Question],
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        let leaders = self.leaders(questions).await?;
        let mut answers = vec![None; questions.len()];
        // A request holds a partition only once, so each kind of question is a request of its own.
        let mut by_request: BTreeMap<(i32, i64), Vec<usize>> = BTreeMap::new();
        for (index, (topic, partition, spec)) in questions.iter().enumerate() {
            if let Some(leader) = leaders.get(&(topic.as_str().to_owned(), *partition)) {
                by_request.entry((*leader, timestamp(*spec))).or_default().push(index);
            }
        }
        for ((leader, timestamp), indexes) in by_request {
            let request = request(indexes.iter().map(|index| &questions[*index]), timestamp);
            // A leader that is gone leaves its partitions without an answer; the caller says so.
            let answer =
                match again(&self.client, || self.client.call(Target::Broker(leader), &request)).await {
                    Ok(answer) => answer,
                    Err(error) => {
                        tracing::warn!("broker {leader} does not say what its partitions hold: {error}");
                        continue;
                    }
                };
            let mut found: HashMap<(String, i32), i64> = HashMap::new();
            for topic in &answer.topics {
                for partition in &topic.partitions {
                    if partition.error_code == 0 && partition.offset >= 0 {
                        found.insert((topic.name.0.to_string(), partition.partition_index), partition.offset);
                    }
                }
            }
            for index in indexes {
                let (topic, partition, _) = &questions[index];
                answers[index] = found.get(&(topic.as_str().to_owned(), *partition)).copied();
            }
        }
        Ok(answers)
    }

    async fn leaders(&self, questions: &[Question]) -> Result<HashMap<(String, i32), i32>, ClusterError> {
        let mut names: Vec<&TopicName> = questions.iter().map(|(topic, _, _)| topic).collect();
        names.sort();
        names.dedup();
        let topics = names
            .iter()
            .map(|name| MetadataRequestTopic::default().with_name(Some(wire_name(name))))
            .collect();
        let request =
            MetadataRequest::default().with_topics(Some(topics)).with_allow_auto_topic_creation(false);
        let answer = again(&self.client, || self.client.call(Target::Any, &request)).await?;
        let mut leaders = HashMap::new();
        for topic in &answer.topics {
            let Some(name) = &topic.name else { continue };
            for partition in topic.partitions.iter().filter(|partition| partition.leader_id.0 >= 0) {
                leaders.insert((name.0.to_string(), partition.partition_index), partition.leader_id.0);
            }
        }
        Ok(leaders)
    }
}

/// `ListOffsetsRequest`: -1 latest, -2 earliest, else a time.
fn timestamp(spec: OffsetSpec) -> i64 {
    match spec {
        OffsetSpec::Latest => -1,
        OffsetSpec::Earliest => -2,
        OffsetSpec::At(millis) => millis,
    }
}

fn request<'a>(questions: impl Iterator<Item = &'a Question>, timestamp: i64) -> ListOffsetsRequest {
    let mut topics: BTreeMap<&TopicName, Vec<ListOffsetsPartition>> = BTreeMap::new();
    for (topic, partition, _) in questions {
        let asked = ListOffsetsPartition::default()
            .with_partition_index(*partition)
            .with_current_leader_epoch(-1)
            .with_timestamp(timestamp);
        topics.entry(topic).or_default().push(asked);
    }
    let topics = topics
        .into_iter()
        .map(|(name, partitions)| {
            ListOffsetsTopic::default().with_name(wire_name(name)).with_partitions(partitions)
        })
        .collect();
    ListOffsetsRequest::default().with_replica_id(BrokerId(-1)).with_topics(topics)
}
