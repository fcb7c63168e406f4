//! The ports of topics and logs; CreateTopics, CreatePartitions, IncrementalAlterConfigs.

use std::collections::HashMap;

use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig};
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreateTopicsRequest, IncrementalAlterConfigsRequest, TopicName as WireName,
};
use kafka_protocol::protocol::{HeaderVersion, Request, StrBytes};

use super::refusal::refusal;
use super::settings::TOPIC;
use super::{Admin, again, failed};
use crate::cluster::port::{
    AlterTopic, Answers, ClusterError, Listing, Log, Mode, MorePartitions, NewTopic, OffsetSpec, Refusal,
    RefusalKind, Scope, SettingsSink, Topics,
};
use crate::kafka::Target;
use crate::topology::TopicName;

/// `AlterConfigOp.OpType`.
const SET: i8 = 0;
const DELETE: i8 = 1;

impl Topics for Admin {
    async fn brokers(&self) -> Result<Vec<i32>, ClusterError> {
        again(&self.client, || self.client.refresh()).await?;
        Ok(self.client.brokers())
    }

    async fn list(&self, scope: Scope<'_>) -> Result<Listing, ClusterError> {
        self.metadata(Target::Any, scope).await
    }

    async fn list_from(&self, broker: i32, scope: Scope<'_>) -> Result<Listing, ClusterError> {
        self.metadata(Target::Broker(broker), scope).await
    }

    async fn settings(&self, topics: &[TopicName], sink: SettingsSink<'_>) -> Result<(), ClusterError> {
        self.read_settings(topics, sink).await
    }

    async fn settings_from(
        &self,
        broker: i32,
        topics: &[TopicName],
        keys: &[String],
        sink: SettingsSink<'_>,
    ) -> Result<(), ClusterError> {
        self.read_settings_from(broker, topics, keys, sink).await
    }

    async fn create(&self, topics: &[NewTopic], mode: Mode) -> Result<Answers, ClusterError> {
        let request = CreateTopicsRequest::default()
            .with_topics(topics.iter().map(creatable).collect())
            .with_timeout_ms(self.broker_timeout_ms())
            .with_validate_only(mode == Mode::ValidateOnly);
        let answer = self.mutate(&request).await?;
        let throttle = answer.throttle_time_ms;
        let answers = answer.topics.into_iter().map(|result| {
            let refused = refusal(result.error_code, result.error_message.as_deref(), throttle);
            (result.name.0.to_string(), refused)
        });
        self.in_order(topics.iter().map(|topic| &topic.name), answers).await
    }

    async fn add_partitions(&self, topics: &[MorePartitions], mode: Mode) -> Result<Answers, ClusterError> {
        let grown = |topic: &MorePartitions| {
            CreatePartitionsTopic::default()
                .with_name(wire_name(&topic.name))
                .with_count(topic.total)
                .with_assignments(None)
        };
        let request = CreatePartitionsRequest::default()
            .with_topics(topics.iter().map(grown).collect())
            .with_timeout_ms(self.broker_timeout_ms())
            .with_validate_only(mode == Mode::ValidateOnly);
        let answer = self.mutate(&request).await?;
        let throttle = answer.throttle_time_ms;
        let answers = answer.results.into_iter().map(|result| {
            let refused = refusal(result.error_code, result.error_message.as_deref(), throttle);
            (result.name.0.to_string(), refused)
        });
        self.in_order(topics.iter().map(|topic| &topic.name), answers).await
    }

    async fn alter(&self, topics: &[AlterTopic], mode: Mode) -> Result<Answers, ClusterError> {
        let request = IncrementalAlterConfigsRequest::default()
            .with_resources(topics.iter().map(alterable).collect())
            .with_validate_only(mode == Mode::ValidateOnly);
        let answer = self.mutate(&request).await?;
        let throttle = answer.throttle_time_ms;
        let answers = answer.responses.into_iter().map(|result| {
            let refused = refusal(result.error_code, result.error_message.as_deref(), throttle);
            (result.resource_name.to_string(), refused)
        });
        self.in_order(topics.iter().map(|topic| &topic.name), answers).await
    }
}

impl Log for Admin {
    async fn offsets(
        &self,
        questions: &[(TopicName, i32, OffsetSpec)],
    ) -> Result<Vec<Option<i64>>, ClusterError> {
        self.read_offsets(questions).await
    }
}

impl Admin {
    /// Sends a mutation once. What is lost with its connection is the caller's to look up; the next
    /// attempt goes to whoever leads by then.
    async fn mutate<R: Request + HeaderVersion>(&self, request: &R) -> Result<R::Response, ClusterError> {
        match self.client.call(Target::Controller, request).await {
            Ok(answer) => Ok(answer),
            Err(error) => {
                let _ = self.client.refresh().await;
                Err(failed(&error, true))
            }
        }
    }

    /// Puts named answers into the order of the request. A broker that is not the controller says
    /// so for every item; then the controller is looked up for the next attempt.
    async fn in_order<'a>(
        &self,
        names: impl Iterator<Item = &'a TopicName>,
        answers: impl Iterator<Item = (String, Option<Refusal>)>,
    ) -> Result<Answers, ClusterError> {
        let mut by_name: HashMap<String, Option<Refusal>> = answers.collect();
        let not_controller = |refusal: &Option<Refusal>| {
            refusal.as_ref().is_some_and(|refusal| refusal.error == "NOT_CONTROLLER")
        };
        if by_name.values().any(not_controller) {
            let _ = self.client.refresh().await;
        }
        Ok(names
            .map(|name| match by_name.remove(name.as_str()) {
                Some(None) => Ok(()),
                Some(Some(refusal)) => Err(refusal),
                None => Err(Refusal {
                    error: "NO_ANSWER".into(),
                    message: Some("the broker's answer does not mention the topic".into()),
                    kind: RefusalKind::Final,
                }),
            })
            .collect())
    }
}

fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

pub(super) fn wire_name(name: &TopicName) -> WireName {
    WireName(text(name.as_str()))
}

fn creatable(topic: &NewTopic) -> CreatableTopic {
    let config = |(key, value): (&String, &String)| {
        CreatableTopicConfig::default().with_name(text(key)).with_value(Some(text(value)))
    };
    CreatableTopic::default()
        .with_name(wire_name(&topic.name))
        .with_num_partitions(topic.partitions)
        // -1 asks for the cluster's default (KIP-464).
        .with_replication_factor(topic.replication.unwrap_or(-1))
        .with_configs(topic.configs.iter().map(config).collect())
}

fn alterable(topic: &AlterTopic) -> AlterConfigsResource {
    let config = |(key, value): (&String, &Option<String>)| {
        AlterableConfig::default()
            .with_name(text(key))
            .with_config_operation(if value.is_some() { SET } else { DELETE })
            .with_value(value.as_deref().map(text))
    };
    AlterConfigsResource::default()
        .with_resource_type(TOPIC)
        .with_resource_name(text(topic.name.as_str()))
        .with_configs(topic.configs.iter().map(config).collect())
}
