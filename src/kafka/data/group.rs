//! A member of a consumer group.
//!
//! One thread of its own polls the group, so that no work, however long, has it evicted. librdkafka joins, commits and leaves;
//! it reads nothing, its partitions are paused for good. Each partition becomes a [`Stream`] of the fetcher's: who does not
//! take from it for a while pauses it, and nothing but its owner can un-pause it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc as blocking;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode as Code};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinHandle;

use super::DataError;
use super::config::client_config;
use super::context::Context;
use super::place::{Place, start};
use super::record::record;
use crate::connection::ConnectionConfig;
use crate::kafka::fetcher::{self, Feed, Fetcher, Moved};
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

/// Which group, and how it is joined.
#[derive(Clone, Debug)]
pub struct Membership {
    pub group: String,
    pub topics: Vec<String>,
    /// A name that outlives a restart, so that its partitions wait for it (`group.instance.id`).
    pub instance: Option<String>,
    /// How long the group waits for a member that says nothing.
    pub session: Duration,
    /// How long its records wait for others before they are handled.
    pub linger: Duration,
}

/// What becomes of the member's partitions.
pub(crate) enum GroupEvent {
    /// These are its own now.
    Assigned(Vec<Stream>),
    /// These go away: streams of them end. The rebalance goes on when `done` is dropped, or after some seconds.
    Revoked { partitions: Vec<(String, i32)>, done: Done },
    /// Reading goes on elsewhere than where the group was.
    Moved(Moved),
    /// The member cannot go on.
    Failed(DataError),
}

/// Ends a rebalance when it is dropped.
pub(crate) struct Done(#[expect(dead_code, reason = "dropping it is the message")] blocking::SyncSender<()>);

/// A member of a group. Dropped, or told to [`GroupConsumer::leave`], it commits what was stored and leaves.
pub(crate) struct GroupConsumer {
    events: mpsc::Receiver<GroupEvent>,
    moved: mpsc::Receiver<Moved>,
    leaving: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
    fetching: Option<JoinHandle<()>>,
}

impl GroupConsumer {
    /// Joins a group; what it reads is fetched on that runtime. A cluster that cannot be reached is waited for.
    pub(crate) fn join(
        connection: &ConnectionConfig,
        membership: &Membership,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Self, DataError> {
        let mut config = client_config(connection)?;
        let session = membership.session.as_millis().to_string();
        let heartbeat = (membership.session / 3).min(Duration::from_secs(3)).as_millis().to_string();
        for (key, value) in [
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
            // It is the fetcher's to say where reading goes on.
            .set("auto.offset.reset", "error");
        if let Some(instance) = &membership.instance {
            config.set("group.instance.id", instance);
        }
        let (send_event, events) = mpsc::channel(EVENTS);
        let (fetcher, moved, fetching) = Fetcher::open(connection, membership.linger, runtime)?;
        let context = GroupContext {
            inner: Context::of(connection),
            consumer: OnceLock::new(),
            events: send_event.clone(),
            fetcher,
            assigned: Mutex::default(),
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
            .spawn(move || poll(consumer, &send_event, &stop))
            .map_err(|error| DataError::Kafka { reason: error.to_string() })?;
        Ok(Self { events, moved, leaving, thread: Some(thread), fetching: Some(fetching) })
    }

    /// What happens next; `None`: the member has left.
    pub(crate) async fn next(&mut self) -> Option<GroupEvent> {
        tokio::select! {
            biased;
            event = self.events.recv() => event,
            Some(moved) = self.moved.recv() => Some(GroupEvent::Moved(moved)),
            // A mistake of ours: it works for as long as the member does.
            reason = ended(&mut self.fetching) => {
                self.fetching = None;
                Some(GroupEvent::Failed(DataError::Kafka { reason }))
            }
        }
    }

    /// Commits what was stored, and leaves. Streams must be gone.
    pub(crate) async fn leave(mut self) {
        self.leaving.store(true, Ordering::Relaxed);
        // Whoever is in the middle of a rebalance is let go.
        self.events.close();
        while self.events.recv().await.is_some() {}
        self.moved.close();
        while self.moved.recv().await.is_some() {}
        if let Some(thread) = self.thread.take() {
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        // Nobody can tell it anything any more.
        if let Some(fetching) = self.fetching.take() {
            let _ = fetching.await;
        }
    }
}

/// Waits until the fetcher has ended, and says how; for ever where it has.
async fn ended(fetching: &mut Option<JoinHandle<()>>) -> String {
    match fetching {
        Some(fetching) => match fetching.await {
            Ok(()) => "the fetcher ended".to_owned(),
            Err(error) => format!("the fetcher ended: {error}"),
        },
        None => std::future::pending().await,
    }
}

impl Drop for GroupConsumer {
    fn drop(&mut self) {
        self.leaving.store(true, Ordering::Relaxed);
    }
}

fn poll(consumer: Arc<BaseConsumer<GroupContext>>, events: &mpsc::Sender<GroupEvent>, leaving: &AtomicBool) {
    while !leaving.load(Ordering::Relaxed) {
        match consumer.poll(LOOK) {
            None => {}
            Some(Ok(message)) => {
                // Every partition's queue was split off and paused before it was assigned.
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
        consumer.context().begin_where_it_was_not_known(&consumer);
        consumer.context().store(&consumer);
    }
    consumer.context().store(&consumer);
    // Closing serves the last rebalance, which asks for the streams back; the last one to hold the consumer closes it.
    drop(consumer);
}

/// The records of one partition, for as long as the member owns it.
pub(crate) struct Stream {
    records: fetcher::Stream,
    finished: Finished,
}

impl Stream {
    pub(crate) fn topic(&self) -> &Arc<str> {
        self.records.topic()
    }

    pub(crate) fn partition(&self) -> i32 {
        self.records.partition()
    }

    /// From now on this is notified when there may be something to take.
    pub(crate) fn notify(&self, ready: Arc<Notify>) {
        self.records.notify(ready);
    }

    /// Takes at most `most` records, without waiting; whether there may be more.
    pub(crate) fn take(&mut self, most: usize, into: &mut VecDeque<Record>) -> bool {
        self.records.take(most, into)
    }

    /// Has the offset committed soon as the next one to be read. Where the member no longer owns the partition
    /// nothing happens.
    pub(crate) fn store(&self, next: i64) {
        self.finished.set(Place { next, epoch: self.records.epoch_before(next) });
    }
}

/// A partition that the member owns.
struct Assigned {
    feed: Feed,
    /// Whether it is known where the group was in it.
    begun: bool,
    finished: Finished,
}

/// The place behind what is finished, where it is not committed yet.
#[derive(Clone, Default)]
struct Finished(Arc<Mutex<Option<Place>>>);

impl Finished {
    fn set(&self, place: Place) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(place);
    }

    fn take(&self) -> Option<Place> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// What librdkafka tells and asks of a group's member.
struct GroupContext {
    inner: Context,
    /// Itself, once it is there.
    consumer: OnceLock<Weak<BaseConsumer<GroupContext>>>,
    events: mpsc::Sender<GroupEvent>,
    fetcher: Fetcher,
    assigned: Mutex<HashMap<(String, i32), Assigned>>,
}

impl GroupContext {
    fn assigned(&self) -> MutexGuard<'_, HashMap<(String, i32), Assigned>> {
        self.assigned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Streams of what is about to be assigned.
    fn streams(&self, list: &TopicPartitionList) -> Vec<Stream> {
        let consumer = self.consumer.get().and_then(Weak::upgrade);
        let mut assigned = self.assigned();
        let stream = |(topic, partition): (String, i32)| {
            let records = self.fetcher.stream(&topic, partition);
            let finished = Finished::default();
            // Now librdkafka knows it, so that it can be paused; whatever it would read of it stays apart.
            drop(consumer.as_ref().map(|consumer| consumer.split_partition_queue(&topic, partition)));
            let feed = records.feed().clone();
            assigned.insert((topic, partition), Assigned { feed, begun: false, finished: finished.clone() });
            Stream { records, finished }
        };
        partitions(list).into_iter().map(stream).collect()
    }

    /// Reads on where the group was, or from the first record where it never was. What no broker says now is asked for
    /// again.
    fn begin(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) {
        let committed = match consumer.committed_offsets(list.clone(), ASK) {
            Ok(committed) => committed,
            Err(error) => return tracing::info!("nobody says yet where the group was: {error}"),
        };
        let mut assigned = self.assigned();
        for one in committed.elements().iter().filter(|one| one.error().is_ok()) {
            let Some(start) = start(one.offset(), one.metadata()) else { continue };
            if let Some(assigned) = assigned.get_mut(&(one.topic().to_owned(), one.partition())) {
                self.fetcher.begin(&assigned.feed, start);
                assigned.begun = true;
            }
        }
    }

    fn begin_where_it_was_not_known(&self, consumer: &BaseConsumer<Self>) {
        let mut list = TopicPartitionList::new();
        for ((topic, partition), _) in self.assigned().iter().filter(|(_, assigned)| !assigned.begun) {
            list.add_partition(topic, *partition);
        }
        if list.count() > 0 {
            self.begin(consumer, &list);
        }
    }

    /// Hands over what is finished, to be committed soon.
    fn store(&self, consumer: &BaseConsumer<Self>) {
        let mut list = TopicPartitionList::new();
        for ((topic, partition), assigned) in self.assigned().iter() {
            if let Some(place) = assigned.finished.take()
                && let Err(error) = place.add_to(&mut list, topic, *partition)
            {
                tracing::error!("{topic}/{partition}@{}: {error}", place.next);
            }
        }
        if list.count() > 0
            && let Err(error) = consumer.store_offsets(&list)
        {
            tracing::debug!("not stored: {error}");
        }
    }
}

fn partitions(list: &TopicPartitionList) -> Vec<(String, i32)> {
    list.elements().iter().map(|one| (one.topic().to_owned(), one.partition())).collect()
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
            let streams = self.streams(list);
            self.begin(consumer, list);
            // Nothing is read from there; so it is of no use to look for an offset of the group.
            for (topic, partition) in partitions(list) {
                let _ = list.set_partition_offset(&topic, partition, Offset::Offset(0));
            }
            // Before they are assigned: librdkafka would begin to read at once.
            let result = consumer.pause(list).and_then(|()| {
                if cooperative { consumer.incremental_assign(list) } else { consumer.assign(list) }
            });
            let _ = self.events.blocking_send(GroupEvent::Assigned(streams));
            result
        } else {
            let partitions = partitions(list);
            let (done, finished) = blocking::sync_channel(0);
            let revoked = GroupEvent::Revoked { partitions: partitions.clone(), done: Done(done) };
            if self.events.blocking_send(revoked).is_ok() {
                // Until `Done` is dropped.
                let _ = finished.recv_timeout(REVOKE);
            }
            self.fetcher.end(&partitions);
            self.store(consumer);
            self.assigned().retain(|partition, _| !partitions.contains(partition));
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
