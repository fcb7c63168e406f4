//! DescribeConfigs: what topics say about themselves, and what they inherit.

use std::cell::RefCell;
use std::collections::HashSet;

use futures_util::future::join_all;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::DescribeConfigsResult;
use kafka_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};
use kafka_protocol::protocol::StrBytes;

use super::refusal::refusal;
use super::{Admin, again, failed};
use crate::cluster::port::{ClusterError, Reported, SettingsSink};
use crate::kafka::{Target, WireError};
use crate::topology::TopicName;
use crate::topology::observed::Source;

/// `ConfigResource.Type.TOPIC`.
pub(super) const TOPIC: i8 = 2;

/// Topics a request: large enough that round trips do not count, small enough that an answer is
/// decoded and dropped before much memory is held (about 1.3 kB a topic).
const CHUNK: usize = 250;

/// Connections that read at the same time, each to a broker of its own where there are as many.
const LANES: usize = 3;

impl Admin {
    /// Reads from all brokers at once; what a lane loses with its connection is asked again.
    pub(super) async fn read_settings(
        &self,
        topics: &[TopicName],
        sink: SettingsSink<'_>,
    ) -> Result<(), ClusterError> {
        let mut brokers = self.client.brokers();
        brokers.truncate(LANES);
        let lanes: Vec<Target> = if brokers.is_empty() || topics.len() <= CHUNK {
            vec![Target::Any]
        } else {
            brokers.into_iter().map(Target::Broker).collect()
        };
        let requests: Vec<DescribeConfigsRequest> =
            topics.chunks(CHUNK).map(|topics| request(topics, None)).collect();
        let share = requests.len().div_ceil(lanes.len()).max(1);
        let sink = RefCell::new(sink);
        let answered = RefCell::new(HashSet::new());
        let reads = lanes.iter().zip(requests.chunks(share)).enumerate().map(|(lane, (target, requests))| {
            let (sink, answered) = (&sink, &answered);
            async move {
                self.client
                    .pipeline(*target, requests, |index, answer| {
                        answered.borrow_mut().insert(lane * share + index);
                        deliver(&answer, &mut **sink.borrow_mut());
                    })
                    .await
            }
        });
        let lost = join_all(reads).await.into_iter().filter_map(Result::err);
        if let Some(error) = lost.into_iter().find(WireError::is_final) {
            return Err(failed(&error, false));
        }
        let answered = answered.into_inner();
        let sink = sink.into_inner();
        for (index, request) in requests.iter().enumerate() {
            if !answered.contains(&index) {
                let answer = again(&self.client, || self.client.call(Target::Any, request)).await?;
                deliver(&answer, sink);
            }
        }
        Ok(())
    }

    pub(super) async fn read_settings_from(
        &self,
        broker: i32,
        topics: &[TopicName],
        keys: &[String],
        sink: SettingsSink<'_>,
    ) -> Result<(), ClusterError> {
        let requests: Vec<_> = topics.chunks(CHUNK).map(|topics| request(topics, Some(keys))).collect();
        let target = Target::Broker(broker);
        let read = self.client.pipeline(target, &requests, |_, answer| deliver(&answer, sink)).await;
        read.map_err(|error| failed(&error, false))
    }
}

fn request(topics: &[TopicName], keys: Option<&[String]>) -> DescribeConfigsRequest {
    let keys = keys.map(|keys| keys.iter().cloned().map(StrBytes::from_string).collect::<Vec<_>>());
    let resource = |name: &TopicName| {
        DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(StrBytes::from_string(name.as_str().to_owned()))
            .with_configuration_keys(keys.clone())
    };
    DescribeConfigsRequest::default().with_resources(topics.iter().map(resource).collect())
}

fn deliver(answer: &DescribeConfigsResponse, sink: SettingsSink<'_>) {
    for result in &answer.results {
        let Ok(name) = TopicName::parse(result.resource_name.as_str()) else { continue };
        match refusal(result.error_code, result.error_message.as_deref(), answer.throttle_time_ms) {
            Some(refusal) => sink(&name, Err(refusal)),
            None => sink(&name, Ok(&reported(result))),
        }
    }
}

fn reported(result: &DescribeConfigsResult) -> Vec<Reported<'_>> {
    let configs = result.configs.iter().map(|config| Reported {
        key: config.name.as_str(),
        value: config.value.as_deref().filter(|_| !config.is_sensitive),
        source: source(config.config_source),
    });
    configs.collect()
}

/// `DescribeConfigsResponse.ConfigSource`.
fn source(code: i8) -> Source {
    match code {
        1 => Source::Topic,
        2 => Source::DynamicBroker,
        3 => Source::DynamicDefaultBroker,
        4 => Source::StaticBroker,
        5 => Source::Default,
        6 => Source::DynamicBrokerLogger,
        7 => Source::ClientMetrics,
        8 => Source::Group,
        _ => Source::Unknown,
    }
}
