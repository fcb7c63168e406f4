//! ListOffsets: asked of each partition's leader.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{BrokerId, ListOffsetsRequest, MetadataRequest};
use tokio::time::Instant;

use super::topics::wire_name;
use super::{Admin, again};
use crate::cluster::port::{ClusterError, OffsetSpec};
use crate::kafka::Target;
use crate::topology::TopicName;

/// How long a partition may be without a leader that everybody knows.
const ELECTION: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(100);
/// LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, OFFSET_NOT_AVAILABLE.
const LEADERSHIP_CHANGES: [i16; 5] = [5, 6, 74, 75, 78];

type Question = (TopicName, i32, OffsetSpec);

impl Admin {
    /// Offsets, one for each question; `None` where the leader does not answer or has no such record.
    ///
    /// A leader that was just elected is not known to everybody at once: such partitions are asked for again, for
    /// a few seconds.
    pub(super) async fn read_offsets(
        &self,
        questions: &[Question],
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        let mut answers = vec![None; questions.len()];
        let mut open: Vec<usize> = (0..questions.len()).collect();
        let until = Instant::now() + ELECTION;
        loop {
            open = self.ask_leaders(questions, &open, &mut answers).await?;
            if open.is_empty() || Instant::now() + PAUSE >= until {
                return Ok(answers);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Asks for some of the questions; those whose partition has no leader yet, or another one, stay open.
    async fn ask_leaders(
        &self,
        questions: &[Question],
        ask: &[usize],
        answers: &mut [Option<i64>],
    ) -> Result<Vec<usize>, ClusterError> {
        let leaders = self.leaders(ask.iter().map(|index| &questions[*index])).await?;
        let mut open = Vec::new();
        // A request holds a partition only once, so each kind of question is a request of its own.
        let mut by_request: BTreeMap<(i32, i64), Vec<usize>> = BTreeMap::new();
        for index in ask.iter().copied() {
            let (topic, partition, spec) = &questions[index];
            match leaders.get(&(topic.as_str().to_owned(), *partition)) {
                Some(Some(leader)) => by_request.entry((*leader, timestamp(*spec))).or_default().push(index),
                Some(None) => open.push(index),
                // Nobody knows the topic, or this login may not ask.
                None => {}
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
            let mut found: HashMap<(String, i32), (i16, i64)> = HashMap::new();
            for topic in &answer.topics {
                for partition in &topic.partitions {
                    let key = (topic.name.0.to_string(), partition.partition_index);
                    found.insert(key, (partition.error_code, partition.offset));
                }
            }
            for index in indexes {
                let (topic, partition, _) = &questions[index];
                match found.get(&(topic.as_str().to_owned(), *partition)) {
                    Some((0, offset)) => answers[index] = Some(*offset).filter(|offset| *offset >= 0),
                    Some((error, _)) if LEADERSHIP_CHANGES.contains(error) => open.push(index),
                    _ => {}
                }
            }
        }
        Ok(open)
    }

    /// The leaders of all partitions of the topics that are asked about; `None` = there is none now.
    async fn leaders<'a>(
        &self,
        questions: impl Iterator<Item = &'a Question>,
    ) -> Result<HashMap<(String, i32), Option<i32>>, ClusterError> {
        let mut names: Vec<&TopicName> = questions.map(|(topic, _, _)| topic).collect();
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
            for partition in &topic.partitions {
                let leader = Some(partition.leader_id.0).filter(|leader| *leader >= 0);
                leaders.insert((name.0.to_string(), partition.partition_index), leader);
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
