//! The consumer's loop: partitions come and go, and lanes have them.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::lane::{self, Command};
use super::{Consumer, Shared};
use crate::kafka::data::{GroupConsumer, GroupEvent, Membership, Moved, Stream};
use crate::kafka::{Cluster, DataError};
use crate::messaging::Publisher;
use crate::runtime::boundary::Boundary;
use crate::runtime::handler::Handling;
use crate::store::inbox;
use crate::unit::UnixMillis;

/// How often in a row a group may refuse a member before it gives up, how long it waits in between, and how long it
/// must have belonged to the group for the count to begin anew.
const REFUSALS: u32 = 3;
const AGAIN: Duration = Duration::from_secs(1);
const SETTLED: Duration = Duration::from_secs(60);
/// How often old ids are looked for, and how many of them go at a time on SQLite.
const FORGET: Duration = Duration::from_secs(600);
const FORGOTTEN_AT_ONCE: u32 = 10_000;
/// Commands that a lane has not taken yet.
const COMMANDS: usize = 16;

/// Why a consumer ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    /// The group refuses it, as when another member has its static name.
    #[error("the group {group}: {reason}")]
    Group { group: String, reason: String },
    /// A handler panicked. What it did was undone.
    #[error("the handler of the group {group} panicked")]
    Panicked { group: String },
}

/// Which lane has a partition.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum LaneOf {
    Number(usize),
    Partition(usize),
}

/// Joins the group and consumes until `shutdown` completes: then what is in hand is finished, offsets are committed
/// and the group is left, within the options' grace and a second. A cluster that cannot be reached is waited for.
///
/// `instance` is a name that outlives a restart (`group.instance.id`); `session` is how long the group waits for a
/// member that says nothing.
pub async fn run<H: Handling, P: Publisher>(
    consumer: Consumer<H, P>,
    cluster: &Cluster,
    instance: Option<String>,
    session: Duration,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ConsumerError> {
    let membership = Membership {
        group: consumer.options.group.clone(),
        topics: consumer.options.topics.keys().cloned().collect(),
        instance,
        session,
        linger: consumer.options.linger,
    };
    let consumer = Arc::new(consumer);
    tokio::select! {
        ended = belong_again(&consumer, cluster, &membership, shutdown) => ended,
        never = forget(&consumer) => match never {},
    }
}

/// Belongs to the group, again where it is refused, until `shutdown` completes.
async fn belong_again<H: Handling, P: Publisher>(
    consumer: &Shared<H, P>,
    cluster: &Cluster,
    membership: &Membership,
    shutdown: impl Future<Output = ()>,
) -> Result<(), ConsumerError> {
    let mut shutdown = std::pin::pin!(shutdown);
    let mut refusals = 0;
    loop {
        let joined = Instant::now();
        let reason = match join(cluster, membership).await {
            Ok(member) => match belong(consumer, member, shutdown.as_mut()).await {
                Ended::Asked => return Ok(()),
                Ended::Panicked => {
                    return Err(ConsumerError::Panicked { group: membership.group.clone() });
                }
                Ended::Refused(reason) => reason,
            },
            Err(error) => return Err(refused(membership, error.to_string())),
        };
        // A coordinator that dies in the middle of a static member's joining leaves it fenced by itself; a member that
        // has this name too would do the same to us again.
        refusals = if joined.elapsed() > SETTLED { 1 } else { refusals + 1 };
        if refusals > REFUSALS {
            return Err(refused(membership, reason));
        }
        tracing::warn!("the group {} refuses this member, which joins again: {reason}", membership.group);
        consumer.health.troubled(&consumer.part(), format!("the group refuses it, it joins again: {reason}"));
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            () = tokio::time::sleep(AGAIN * refusals) => {}
        }
    }
}

/// Deletes from the inbox what cannot come again.
async fn forget<H, P>(consumer: &Consumer<H, P>) -> std::convert::Infallible {
    let Some(store) = consumer.store.as_ref().filter(|_| consumer.options.inbox) else {
        return std::future::pending().await;
    };
    loop {
        let now = UnixMillis::now();
        let oldest = now.before(consumer.options.remembered_for);
        let forgotten = async {
            while inbox::prune(store, oldest, now, FORGOTTEN_AT_ONCE).await? {}
            store.shrink().await?;
            inbox::size(&mut store.reading()).await
        };
        match forgotten.await {
            Ok(rows) => {
                metrics::gauge!("kafkaflow_inbox_rows", "group" => consumer.options.group.clone())
                    .set(rows as f64);
            }
            Err(error) => tracing::warn!("inbox of {}: {error}", consumer.options.group),
        }
        tokio::time::sleep(FORGET).await;
    }
}

/// On a thread that may wait: librdkafka starts threads of its own meanwhile.
async fn join(cluster: &Cluster, membership: &Membership) -> Result<GroupConsumer, DataError> {
    let (config, membership) = (cluster.config().clone(), membership.clone());
    let runtime = tokio::runtime::Handle::current();
    let joined =
        tokio::task::spawn_blocking(move || GroupConsumer::join(&config, &membership, &runtime)).await;
    joined.unwrap_or_else(|error| Err(DataError::Kafka { reason: error.to_string() }))
}

fn refused(membership: &Membership, reason: String) -> ConsumerError {
    ConsumerError::Group { group: membership.group.clone(), reason }
}

/// How a membership ended.
enum Ended {
    Asked,
    Refused(String),
    Panicked,
}

async fn belong<H: Handling, P: Publisher>(
    consumer: &Shared<H, P>,
    mut member: GroupConsumer,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
) -> Ended {
    let mut lanes = Lanes::new(Arc::clone(consumer));
    lanes.tell();
    let ended = loop {
        tokio::select! {
            biased;
            () = &mut shutdown => break Ended::Asked,
            Some(lane) = lanes.tasks.join_next() => {
                if lane.is_err_and(|error| error.is_panic()) {
                    break Ended::Panicked;
                }
            }
            event = member.next() => match event {
                None => break Ended::Refused("the member ended".to_owned()),
                Some(GroupEvent::Failed(error)) => break Ended::Refused(error.to_string()),
                Some(event) => {
                    lanes.on(event).await;
                    lanes.tell();
                }
            }
        }
    };
    lanes.end(consumer.options.grace).await;
    member.leave().await;
    ended
}

/// The lanes and which partition each has.
struct Lanes<H, P> {
    consumer: Shared<H, P>,
    commands: HashMap<LaneOf, mpsc::Sender<Command>>,
    of: HashMap<(String, i32), LaneOf>,
    tasks: JoinSet<()>,
    next: usize,
}

impl<H: Handling, P: Publisher> Lanes<H, P> {
    fn new(consumer: Shared<H, P>) -> Self {
        Self { consumer, commands: HashMap::new(), of: HashMap::new(), tasks: JoinSet::new(), next: 0 }
    }

    /// Says which partitions this member has.
    fn tell(&self) {
        let consumer = &self.consumer;
        let count = self.of.len();
        metrics::gauge!("kafkaflow_consumer_partitions", "group" => consumer.options.group.clone())
            .set(count as f64);
        let what = match count {
            0 => "it has no partitions (yet)".to_owned(),
            1 => "it has 1 partition".to_owned(),
            _ => format!("it has {count} partitions"),
        };
        consumer.health.fine(&consumer.part(), what);
    }

    async fn on(&mut self, event: GroupEvent) {
        match event {
            GroupEvent::Assigned(streams) => {
                for stream in streams {
                    self.take(stream).await;
                }
            }
            GroupEvent::Revoked { partitions, done } => {
                let done = Arc::new(done);
                self.consumer.boundary.reach(Boundary::Revoked);
                let mut by_lane: HashMap<LaneOf, Vec<(String, i32)>> = HashMap::new();
                for partition in partitions {
                    if let Some(lane) = self.of.remove(&partition) {
                        by_lane.entry(lane).or_default().push(partition);
                    }
                }
                for (lane, partitions) in by_lane {
                    if let Some(commands) = self.commands.get(&lane) {
                        let _ =
                            commands.send(Command::GiveBack { partitions, done: Arc::clone(&done) }).await;
                    }
                    if !self.of.values().any(|other| *other == lane) {
                        self.commands.remove(&lane);
                    }
                }
            }
            GroupEvent::Moved(Moved { topic, partition, deleted, at }) => {
                let group = self.consumer.options.group.clone();
                if deleted > 0 {
                    tracing::error!(
                        "{topic}/{partition}: {deleted} records were deleted before group {group} read them; \
                         it goes on at {at}"
                    );
                } else {
                    tracing::error!(
                        "{topic}/{partition}: the offset of group {group} lies behind the end of the log; \
                         it begins anew at {at}"
                    );
                }
                let labels = [("group", group), ("topic", topic)];
                metrics::counter!("kafkaflow_consumer_deleted_unread_records_total", &labels)
                    .increment(u64::try_from(deleted).unwrap_or(0));
            }
            GroupEvent::Failed(_) => {}
        }
    }

    async fn take(&mut self, stream: Stream) {
        let lane = match self.consumer.options.concurrency {
            Some(count) => LaneOf::Number(usize::try_from(stream.partition()).unwrap_or(0) % count.max(1)),
            None => {
                self.next += 1;
                LaneOf::Partition(self.next)
            }
        };
        self.of.insert((stream.topic().to_string(), stream.partition()), lane);
        let commands = self.commands.entry(lane).or_insert_with(|| {
            let (sender, commands) = mpsc::channel(COMMANDS);
            self.tasks.spawn(lane::work(Arc::clone(&self.consumer), commands));
            sender
        });
        let _ = commands.send(Command::Take(stream)).await;
    }

    /// Lets lanes finish what they have in hand.
    async fn end(mut self, grace: Duration) {
        self.commands.clear();
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            // Their transactions are undone.
            self.tasks.shutdown().await;
        }
    }
}
