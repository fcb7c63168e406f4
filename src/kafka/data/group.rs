//! A member of a consumer group.
//!
//! One thread of its own polls the group, so that no work, however long, has it evicted. Each partition that it is
//! assigned becomes a [`Stream`] with a queue of its own: who does not take from it for a while pauses it, and
//! nothing but its owner can un-pause it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as blocking;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::base_consumer::PartitionQueue;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::{Notify, mpsc};

use super::DataError;
use super::config::client_config;
use super::context::Context;
use super::record::record;
use crate::connection::ConnectionConfig;
use crate::messaging::Record;

/// How long one look at the group lasts.
const LOOK: Duration = Duration::from_millis(50);
/// How long a rebalance waits for work on partitions that go away; then they go without it, and the fence of the
/// database refuses what comes too late.
const REVOKE: Duration = Duration::from_secs(5);
/// How long a question about offsets may take.
const ASK: Duration = Duration::from_secs(10);
/// Events that nobody has taken yet.
const EVENTS: usize = 16;
/// What a partition's queue holds in advance.
const QUEUED_KBYTES: &str = "4096";

/// Which group, and how it is joined.
#[derive(Clone, Debug)]
pub struct Membership {
    pub group: String,
    pub topics: Vec<String>,
    /// A name that outlives a restart, so that its partitions wait for it (`group.instance.id`).
    pub instance: Option<String>,
    /// How long the group waits for a member that says nothing.
    pub session: Duration,
}

/// What becomes of the member's partitions.
pub(crate) enum GroupEvent {
    /// These are its own now.
    Assigned(Vec<Stream>),
    /// These go away: streams of them end. The rebalance goes on when `done` is dropped, or after some seconds.
    Revoked { partitions: Vec<(String, i32)>, done: Done },
    /// Reading starts elsewhere than where the group was: so many records were deleted before anybody read them.
    Reset { topic: String, partition: i32, deleted: i64, at: i64 },
    /// The member cannot go on.
    Failed(DataError),
}

/// Ends a rebalance when it is dropped.
pub(crate) struct Done(#[expect(dead_code, reason = "dropping it is the message")] blocking::SyncSender<()>);

/// A member of a group. Dropped, or told to [`GroupConsumer::leave`], it commits what was stored and leaves.
pub(crate) struct GroupConsumer {
    events: mpsc::Receiver<GroupEvent>,
    leaving: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

enum Command {
    /// The position of a partition does not exist (any more).
    Reset { topic: String, partition: i32, next: Option<i64> },
}

impl GroupConsumer {
    /// Joins a group. A cluster that cannot be reached is waited for.
    pub(crate) fn join(connection: &ConnectionConfig, membership: &Membership) -> Result<Self, DataError> {
        let mut config = client_config(connection)?;
        let session = membership.session.as_millis().to_string();
        let heartbeat = (membership.session / 3).min(Duration::from_secs(3)).as_millis().to_string();
        for (key, value) in [
            ("queued.max.messages.kbytes", QUEUED_KBYTES),
            // A queue that was full is soon empty again; librdkafka would wait for a second.
            ("fetch.queue.backoff.ms", "5"),
            // A broker is asked about partitions without news alone while the queues of the others are full; these wait for
            // its answer when they are empty again.
            ("fetch.wait.max.ms", "50"),
            ("auto.commit.interval.ms", "1000"),
            ("session.timeout.ms", session.as_str()),
            ("heartbeat.interval.ms", heartbeat.as_str()),
            ("reconnect.backoff.max.ms", "2000"),
            ("partition.assignment.strategy", "cooperative-sticky"),
        ] {
            if config.get(key).is_none() {
                config.set(key, value);
            }
        }
        config
            .set("group.id", &membership.group)
            .set("enable.auto.commit", "true")
            .set("enable.auto.offset.store", "false")
            // Nothing is skipped in silence: a position that does not exist is an error here, and is looked into.
            .set("auto.offset.reset", "error");
        if let Some(instance) = &membership.instance {
            config.set("group.instance.id", instance);
        }
        let (send_event, events) = mpsc::channel(EVENTS);
        let (send_command, commands) = blocking::sync_channel(EVENTS);
        let context = GroupContext {
            inner: Context::of(connection),
            consumer: OnceLock::new(),
            events: send_event.clone(),
            commands: send_command,
        };
        let consumer: BaseConsumer<GroupContext> =
            config.create_with_context(context).map_err(|error| DataError::of_config(&error))?;
        let consumer = Arc::new(consumer);
        let _ = consumer.context().consumer.set(Arc::downgrade(&consumer));
        let topics: Vec<&str> = membership.topics.iter().map(String::as_str).collect();
        consumer.subscribe(&topics).map_err(|error| DataError::Kafka { reason: error.to_string() })?;
        let leaving = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&leaving);
        let thread = std::thread::Builder::new()
            .name(format!("group {}", membership.group))
            .spawn(move || poll(consumer, &send_event, &commands, &stop))
            .map_err(|error| DataError::Kafka { reason: error.to_string() })?;
        Ok(Self { events, leaving, thread: Some(thread) })
    }

    /// What happens next; `None`: the member has left.
    pub(crate) async fn next(&mut self) -> Option<GroupEvent> {
        self.events.recv().await
    }

    /// Commits what was stored, and leaves. Streams must be gone.
    pub(crate) async fn leave(mut self) {
        self.leaving.store(true, Ordering::Relaxed);
        // Whoever is in the middle of a rebalance is let go.
        self.events.close();
        while self.events.recv().await.is_some() {}
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.leaving.store(true, Ordering::Relaxed);
    }
}

fn poll(
    consumer: Arc<BaseConsumer<GroupContext>>,
    events: &mpsc::Sender<GroupEvent>,
    commands: &blocking::Receiver<Command>,
    leaving: &AtomicBool,
) {
    while !leaving.load(Ordering::Relaxed) {
        match consumer.poll(LOOK) {
            None => {}
            Some(Ok(message)) => {
                // Every partition's queue was split off before it was assigned.
                tracing::error!("a record came by the group's queue: {:?}", record(&message, "?".into()));
            }
            Some(Err(KafkaError::MessageConsumptionFatal(code))) => {
                let reason =
                    consumer.client().fatal_error().map_or_else(|| code.to_string(), |(_, reason)| reason);
                let _ = events.blocking_send(GroupEvent::Failed(DataError::Kafka { reason }));
                break;
            }
            Some(Err(error)) => tracing::info!("group: {error}"),
        }
        while let Ok(command) = commands.try_recv() {
            let Command::Reset { topic, partition, next } = command;
            reset(&consumer, events, &topic, partition, next);
        }
    }
    // Closing serves the last rebalance, which asks for the streams back; the last one to hold the consumer closes it.
    drop(consumer);
}

/// Goes on at the first record that there is.
fn reset(
    consumer: &BaseConsumer<GroupContext>,
    events: &mpsc::Sender<GroupEvent>,
    topic: &str,
    partition: i32,
    next: Option<i64>,
) {
    let (low, high) = match consumer.fetch_watermarks(topic, partition, ASK) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!("{topic}/{partition}: no offsets: {error}");
            (0, i64::MAX)
        }
    };
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let committed = consumer.committed_offsets(list.clone(), ASK).ok().and_then(|found| {
        match found.elements().first()?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }
    });
    let position = next.or(committed);
    let moved = || -> KafkaResult<()> {
        consumer.incremental_unassign(&list)?;
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(topic, partition, Offset::Beginning)?;
        consumer.incremental_assign(&list)
    };
    if let Err(error) = moved() {
        tracing::warn!("{topic}/{partition}: reading cannot start anew: {error}");
    }
    if let Some(position) = position {
        let deleted = if position > high { 0 } else { (low - position).max(0) };
        let topic = topic.to_owned();
        let _ = events.blocking_send(GroupEvent::Reset { topic, partition, deleted, at: low });
    }
}

/// The records of one partition, for as long as the member owns it.
pub(crate) struct Stream {
    topic: Arc<str>,
    partition: i32,
    queue: PartitionQueue<GroupContext>,
    consumer: Weak<BaseConsumer<GroupContext>>,
    ready: Arc<OnceLock<Arc<Notify>>>,
    commands: blocking::SyncSender<Command>,
}

impl Stream {
    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub(crate) fn partition(&self) -> i32 {
        self.partition
    }

    /// From now on this is notified when there is something to take where nothing was before.
    pub(crate) fn notify(&self, ready: Arc<Notify>) {
        let _ = self.ready.set(ready);
    }

    /// Takes at most `most` records, without waiting; whether there may be more. `next` is the offset that follows
    /// the last record taken, if any was.
    pub(crate) fn take(&self, most: usize, next: Option<i64>, into: &mut VecDeque<Record>) -> bool {
        for _ in 0..most {
            match self.queue.poll(Duration::ZERO) {
                None => return false,
                Some(Ok(message)) => into.push_back(record(&message, Arc::clone(&self.topic))),
                Some(Err(error)) => self.failed(&error, into.back().map(|last| last.offset() + 1).or(next)),
            }
        }
        true
    }

    fn failed(&self, error: &KafkaError, next: Option<i64>) {
        match error.rdkafka_error_code() {
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                let topic = self.topic.to_string();
                let reset = Command::Reset { topic, partition: self.partition, next };
                if self.commands.try_send(reset).is_err() {
                    tracing::warn!("{}/{}: {error}", self.topic, self.partition);
                }
            }
            _ => tracing::info!("{}/{}: {error}", self.topic, self.partition),
        }
    }

    /// Has the offset committed soon as the next one to be read. Where the member no longer owns the partition
    /// nothing happens.
    pub(crate) fn store(&self, next: i64) {
        let Some(consumer) = self.consumer.upgrade() else { return };
        let mut list = TopicPartitionList::new();
        let stored = list
            .add_partition_offset(&self.topic, self.partition, Offset::Offset(next))
            .and_then(|()| consumer.store_offsets(&list));
        if let Err(error) = stored {
            tracing::debug!("{}/{}@{next}: not stored: {error}", self.topic, self.partition);
        }
    }
}

/// What librdkafka tells and asks of a group's member.
struct GroupContext {
    inner: Context,
    /// Itself, once it is there.
    consumer: OnceLock<Weak<BaseConsumer<GroupContext>>>,
    events: mpsc::Sender<GroupEvent>,
    commands: blocking::SyncSender<Command>,
}

impl GroupContext {
    fn streams(&self, consumer: &Arc<BaseConsumer<Self>>, list: &TopicPartitionList) -> Vec<Stream> {
        let mut streams = Vec::new();
        for element in list.elements() {
            let (topic, partition) = (element.topic(), element.partition());
            let Some(mut queue) = consumer.split_partition_queue(topic, partition) else { continue };
            let ready: Arc<OnceLock<Arc<Notify>>> = Arc::default();
            let slot = Arc::clone(&ready);
            queue.set_nonempty_callback(move || {
                if let Some(ready) = slot.get() {
                    ready.notify_one();
                }
            });
            streams.push(Stream {
                topic: topic.into(),
                partition,
                queue,
                consumer: Arc::downgrade(consumer),
                ready,
                commands: self.commands.clone(),
            });
        }
        streams
    }
}

impl ClientContext for GroupContext {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.inner.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.inner.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.inner.generate_oauth_token(config)
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, kind: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let result = if kind == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            // Before they are assigned, or first records would come by the group's queue.
            let owned = self.consumer.get().and_then(Weak::upgrade);
            let streams = owned.map(|consumer| self.streams(&consumer, list)).unwrap_or_default();
            begin_where_nothing_was_committed(consumer, list);
            let result = if cooperative { consumer.incremental_assign(list) } else { consumer.assign(list) };
            let _ = self.events.blocking_send(GroupEvent::Assigned(streams));
            result
        } else {
            let partitions =
                list.elements().iter().map(|one| (one.topic().to_owned(), one.partition())).collect();
            let (done, finished) = blocking::sync_channel(0);
            let revoked = GroupEvent::Revoked { partitions, done: Done(done) };
            if self.events.blocking_send(revoked).is_ok() {
                // Until `Done` is dropped.
                let _ = finished.recv_timeout(REVOKE);
            }
            // What was stored for them is committed on the way.
            if cooperative { consumer.incremental_unassign(list) } else { consumer.unassign() }
        };
        if let Err(error) = result {
            tracing::warn!("rebalance: {error}");
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _: &TopicPartitionList) {
        if let Err(error) = result
            && error.rdkafka_error_code() != Some(Code::NoOffset)
        {
            tracing::info!("offsets are not committed yet: {error}");
        }
    }
}

/// A group that was never in a partition begins with its first record.
fn begin_where_nothing_was_committed(consumer: &BaseConsumer<GroupContext>, list: &mut TopicPartitionList) {
    let Ok(committed) = consumer.committed_offsets(list.clone(), ASK) else { return };
    for one in committed.elements() {
        if matches!(one.offset(), Offset::Invalid) && one.error().is_ok() {
            let _ = list.set_partition_offset(one.topic(), one.partition(), Offset::Beginning);
        }
    }
}
