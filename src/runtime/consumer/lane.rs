//! A lane: one batch at a time from the partitions that it has.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::Shared;
use super::share::{Part, Rest, Stop};
use crate::kafka::data::Stream;
use crate::messaging::{Publisher, Record, doubled};
use crate::runtime::boundary::Boundary;
use crate::runtime::handler::Handling;
use crate::store::fence;
use crate::unit::UnixMillis;

/// How long a partition waits for what is not there: at first, and at most.
const WAIT: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));
/// How long a partition that another process seems to own waits for Kafka to say so.
const FENCED: Duration = Duration::from_secs(1);

/// What a lane is told.
pub(super) enum Command {
    Take(Stream),
    /// To give these back; it has when `done` is dropped.
    GiveBack {
        partitions: Vec<(String, i32)>,
        done: Arc<crate::kafka::data::Done>,
    },
}

/// A partition of a lane.
struct Held {
    stream: Stream,
    epoch: Option<i64>,
    /// Records that were taken and are not finished.
    queue: VecDeque<Record>,
    /// The offset that follows what was taken.
    end: Option<i64>,
    /// What was stored last.
    stored: Option<i64>,
    failing: Option<(i64, u32)>,
    due: Option<Instant>,
    waits: u32,
}

impl Held {
    fn is_due(&self, now: Instant) -> bool {
        self.due.is_none_or(|due| due <= now)
    }

    /// Stores the offset that follows the finished prefix.
    fn store(&mut self) {
        let next = self.queue.front().map(Record::offset).or(self.end);
        if next != self.stored
            && let Some(next) = next
        {
            self.stream.store(next);
            self.stored = Some(next);
        }
    }

    fn put_back(&mut self, rest: Rest, now: Instant) {
        for record in rest.unfinished.into_iter().rev() {
            self.queue.push_front(record);
        }
        let wait = |waits: u32| doubled(WAIT, waits);
        match rest.stop {
            None => {
                self.failing = None;
                self.due = None;
                self.waits = 0;
            }
            Some(Stop::Retry { offset, attempts, after }) => {
                self.failing = Some((offset, attempts));
                self.due = Some(now + after);
                self.waits = 0;
            }
            Some(Stop::Wait(reason)) => {
                tracing::warn!("{}/{} waits: {reason}", self.stream.topic(), self.stream.partition());
                self.due = Some(now + wait(self.waits));
                self.waits += 1;
            }
            Some(Stop::Later { after, reason }) => {
                tracing::debug!("{}/{} waits: {reason}", self.stream.topic(), self.stream.partition());
                self.due = Some(now + after);
                self.waits = 0;
            }
            Some(Stop::Fenced(reason)) => {
                tracing::warn!("{}/{}: {reason}", self.stream.topic(), self.stream.partition());
                // If it is still ours when that time is over, a new epoch begins.
                self.epoch = None;
                self.due = Some(now + FENCED);
            }
        }
        self.store();
    }
}

/// Works until there will be no more commands. What is in hand then was finished.
pub(super) async fn work<H: Handling, P: Publisher>(
    consumer: Shared<H, P>,
    mut commands: mpsc::Receiver<Command>,
) {
    let ready = Arc::new(Notify::new());
    let mut held: Vec<Held> = Vec::new();
    let mut first = 0;
    let mut seed = u64::from(std::process::id());
    // Since when there are records that wait for others, and they are in hand.
    let mut lingering = None;
    loop {
        loop {
            match commands.try_recv() {
                Ok(command) => obey(command, &mut held, &ready),
                Err(mpsc::error::TryRecvError::Empty) => break,
                Err(mpsc::error::TryRecvError::Disconnected) => return,
            }
        }
        own(&consumer, &mut held).await;
        let now = Instant::now();
        // One record shows whether the trouble is over.
        let most = if consumer.breaker_is_open() { 1 } else { consumer.options.batch };
        let batch = gather(&mut held, &mut first, most, now);
        if batch.takes.is_empty() && batch.more {
            // Complaints came where records were looked for.
            tokio::task::yield_now().await;
            continue;
        }
        let since = lingering.as_ref().map_or(now, |(since, _)| *since);
        let goes = batch.records >= most || batch.retries || now >= since + consumer.options.linger;
        if batch.takes.is_empty() || !goes {
            let due = held.iter().filter_map(|held| held.due).filter(|due| *due > now).min();
            let due = if batch.takes.is_empty() {
                lingering = None;
                due
            } else {
                lingering.get_or_insert_with(|| (now, consumer.in_hand.take()));
                let until = since + consumer.options.linger;
                Some(due.map_or(until, |due| due.min(until)))
            };
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => obey(command, &mut held, &ready),
                    None => return,
                },
                () = ready.notified() => {}
                () = tokio::time::sleep_until(due.unwrap_or(now)), if due.is_some() => {}
            }
            continue;
        }
        let taken = lingering.take().map_or_else(|| consumer.in_hand.take(), |(_, taken)| taken);
        let (parts, from) = drain(&mut held, &batch);
        consumer.boundary.reach(Boundary::Polled);
        let rests = consumer.handle_batch(parts, UnixMillis::now(), chance(&mut seed)).await;
        drop(taken);
        let now = Instant::now();
        for (at, rest) in from.into_iter().zip(rests) {
            held[at].put_back(rest, now);
        }
        consumer.boundary.reach(Boundary::Stored);
        // A handler that never waits would keep other lanes from a thread.
        tokio::task::yield_now().await;
    }
}

fn obey(command: Command, held: &mut Vec<Held>, ready: &Arc<Notify>) {
    match command {
        Command::Take(stream) => {
            stream.notify(Arc::clone(ready));
            held.push(Held {
                stream,
                epoch: None,
                queue: VecDeque::new(),
                end: None,
                stored: None,
                failing: None,
                due: None,
                waits: 0,
            });
        }
        Command::GiveBack { partitions, done } => {
            held.retain(|held| {
                let gone = |(topic, partition): &(String, i32)| {
                    **topic == **held.stream.topic() && *partition == held.stream.partition()
                };
                !partitions.iter().any(gone)
            });
            drop(done);
        }
    }
}

/// Begins an epoch for partitions that have none.
async fn own<H, P>(consumer: &Shared<H, P>, held: &mut [Held]) {
    let Some(store) = &consumer.store else { return };
    let now = Instant::now();
    let fresh: Vec<(String, i32)> = held
        .iter()
        .filter(|held| held.epoch.is_none() && held.is_due(now))
        .map(|held| (held.stream.topic().to_string(), held.stream.partition()))
        .collect();
    if fresh.is_empty() {
        return;
    }
    let owned = async {
        let mut tx = store.tx();
        let owned = fence::own(&mut tx, &consumer.options.group, &fresh).await?;
        tx.commit().await.map(|()| owned)
    }
    .await;
    match owned {
        Ok(owned) => {
            for one in owned {
                let same = |held: &&mut Held| {
                    **held.stream.topic() == *one.topic && held.stream.partition() == one.partition
                };
                if let Some(held) = held.iter_mut().find(same) {
                    held.epoch = Some(one.epoch);
                    held.due = None;
                    held.waits = 0;
                }
            }
        }
        Err(error) => {
            for held in held.iter_mut().filter(|held| held.epoch.is_none() && held.is_due(now)) {
                held.put_back(
                    Rest { unfinished: Vec::new(), stop: Some(Stop::Wait(error.to_string())) },
                    now,
                );
            }
        }
    }
}

/// Which records make a batch.
struct Batch {
    /// The partition, by its place, and how many of its first records.
    takes: Vec<(usize, usize)>,
    records: usize,
    /// Whether one of the partitions tries something again.
    retries: bool,
    /// Whether any may have more.
    more: bool,
}

/// A batch from the partitions that are due, another one first each time.
fn gather(held: &mut [Held], first: &mut usize, most: usize, now: Instant) -> Batch {
    let mut batch = Batch { takes: Vec::new(), records: 0, retries: false, more: false };
    let count = held.len();
    for step in 0..count {
        let at = (*first + step) % count;
        let one = &mut held[at];
        if !one.is_due(now) {
            continue;
        }
        let room = most - batch.records;
        if one.queue.len() < room {
            batch.more |= one.stream.take(room - one.queue.len(), &mut one.queue);
        }
        if let Some(last) = one.queue.back() {
            one.end = one.end.max(Some(last.offset() + 1));
        }
        let take = one.queue.len().min(room);
        if take == 0 {
            continue;
        }
        batch.records += take;
        batch.retries |= one.failing.is_some();
        batch.takes.push((at, take));
        if batch.records == most {
            batch.more = true;
            break;
        }
    }
    if count > 0 {
        *first = (*first + 1) % count;
    }
    batch
}

/// Takes the batch out of the queues; which partitions its parts come from.
fn drain(held: &mut [Held], batch: &Batch) -> (Vec<Part>, Vec<usize>) {
    let part = |&(at, take): &(usize, usize)| {
        let one = &mut held[at];
        // What failed is tried alone; what follows it waits behind it.
        let part = Part {
            topic: one.stream.topic().to_string(),
            partition: one.stream.partition(),
            epoch: one.epoch,
            records: one.queue.drain(..take).collect(),
            failing: one.failing,
        };
        (part, at)
    };
    batch.takes.iter().map(part).unzip()
}

/// A number from 0 to 1; xorshift is chance enough to spread retries.
fn chance(seed: &mut u64) -> f64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    (*seed >> 11) as f64 / (1_u64 << 53) as f64
}
