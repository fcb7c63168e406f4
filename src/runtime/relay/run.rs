//! The relay's loop: rounds for as long as something waits, sleep in between.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::round::Room;
use super::{Relay, Relayed};
use crate::messaging::{Publisher, doubled, until};
use crate::store::{StoreError, lease, outbox};
use crate::unit::UnixMillis;

/// How often old rows are looked for.
const TIDY: Duration = Duration::from_secs(60);
/// How often it is measured what waits.
const LOOK: Duration = Duration::from_secs(5);
/// What `/healthz` calls it.
const PART: &str = "relay";
/// Rows that are deleted at a time.
const TIDY_BATCH: u32 = 5000;
/// How long a round may take. A store that answers no more is no failure by itself; nothing is lost with the round.
const ROUND: Duration = Duration::from_secs(60);
/// How long the pause after a failure is: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(5));

/// Wakes a relay: called after the commit of a transaction that wrote to its outbox.
#[derive(Clone, Debug, Default)]
pub struct Wake {
    relay: Arc<Notify>,
    others: Vec<Arc<Notify>>,
}

impl Wake {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Something may wait to be published.
    pub fn wake(&self) {
        self.relay.notify_one();
        for other in &self.others {
            other.notify_one();
        }
    }

    /// Wakes somebody else too, who waits for commits.
    #[must_use]
    pub(crate) fn and(mut self, other: Arc<Notify>) -> Self {
        self.others.push(other);
        self
    }

    async fn woken(&self) {
        self.relay.notified().await;
    }
}

/// Runs a relay until `shutdown` completes; then what the producer has is waited for, at most for `grace`.
///
/// A store or a cluster that cannot be reached is waited for; nothing is lost meanwhile. Only a store that a newer
/// kafkaflow wrote, or one whose tables are gone, ends the loop.
pub async fn run<P: Publisher>(
    mut relay: Relay<P>,
    wake: Wake,
    grace: Duration,
    shutdown: impl Future<Output = ()>,
) -> Result<(), StoreError> {
    let mut shutdown = std::pin::pin!(shutdown);
    let _listener = relay.options.listen.then(|| outbox::listen(&relay.store, Arc::clone(&wake.relay)));
    let mut beat = Beat::new(&relay.options, Instant::now());
    loop {
        let step = tokio::select! {
            biased;
            () = &mut shutdown => break,
            step = tokio::time::timeout(ROUND, step(&mut relay, &mut beat)) => step,
        };
        let late = |_| {
            StoreError::Unavailable(format!(
                "a round did not end within {} s: it {}",
                ROUND.as_secs(),
                relay.doing
            ))
        };
        let pause = match step.map_err(late).flatten() {
            Ok((relayed, looked)) => beat.after(&relayed, looked, relay.room()),
            Err(error) if error.is_transient() || matches!(error, StoreError::Fenced { .. }) => {
                tracing::warn!("relay: {error}");
                relay.health.troubled(PART, error.to_string());
                beat.after_failure()
            }
            Err(error) => return Err(error),
        };
        if !pause.is_zero() {
            let recording = until(relay.recording_due());
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                () = relay.one_landed(), if !beat.failing() => {}
                () = recording, if !beat.failing() => {}
                () = wake.woken(), if !beat.failing() && !beat.expects => beat.woken(),
                () = tokio::time::sleep(pause) => beat.expects = true,
            }
        }
    }
    if let Err(error) = relay.finish(grace, UnixMillis::now()).await {
        tracing::warn!("relay: {error}");
    }
    let owner = relay.owner.clone();
    if let Err(error) = relay.buckets.leave(&relay.store, &owner).await {
        tracing::warn!("relay: {error}");
    }
    Ok(())
}

/// What the round came to, and whether rows were looked for.
async fn step<P: Publisher>(relay: &mut Relay<P>, beat: &mut Beat) -> Result<(Relayed, bool), StoreError> {
    let instant = Instant::now();
    if instant >= beat.renew || relay.buckets.leases().is_empty() {
        let now = lease::clock(&relay.store).await?;
        relay.refresh(now).await?;
        beat.renew = instant + relay.options.lease / 3;
        beat.expects = true;
    }
    let now = UnixMillis::now();
    if instant >= beat.tidy {
        relay.doing = "deletes old rows";
        tidy(relay, now).await?;
        beat.tidy = instant + TIDY;
    }
    if instant >= beat.look {
        relay.doing = "counts rows";
        look(relay, now).await?;
        beat.look = instant + LOOK;
    }
    let looks = beat.expects && relay.room() == Room::Now;
    let relayed = if looks { relay.take_off(now).await? } else { relay.hear(now).await? };
    observe(relay, &relayed);
    Ok((relayed, looks))
}

async fn tidy<P: Publisher>(relay: &Relay<P>, now: UnixMillis) -> Result<(), StoreError> {
    let mut tx = relay.store.tx();
    // One batch a minute would fall behind a busy outbox; a few more do no harm to an idle one.
    for _ in 0..100 {
        let deleted = outbox::prune(&mut tx, now.before(relay.options.keep), TIDY_BATCH).await?;
        tx.commit().await?;
        tx = relay.store.tx();
        if deleted < u64::from(TIDY_BATCH) {
            break;
        }
    }
    relay.store.shrink().await
}

/// Measures what waits.
async fn look<P: Publisher>(relay: &Relay<P>, now: UnixMillis) -> Result<(), StoreError> {
    let backlog = outbox::backlog(&mut relay.store.reading()).await?;
    let age = backlog.oldest.map_or(Duration::ZERO, |oldest| oldest.age(now));
    let service = || relay.store.service().to_owned();
    metrics::gauge!("kafkaflow_outbox_pending_rows", "service" => service()).set(backlog.pending as f64);
    metrics::gauge!("kafkaflow_outbox_dead_rows", "service" => service()).set(backlog.dead as f64);
    metrics::gauge!("kafkaflow_outbox_oldest_pending_age_seconds", "service" => service())
        .set(age.as_secs_f64());
    Ok(())
}

/// Counts what a round came to, and says how the relay is.
fn observe<P>(relay: &Relay<P>, relayed: &Relayed) {
    let service = || relay.store.service().to_owned();
    if relayed.published > 0 {
        metrics::counter!("kafkaflow_relay_published_total", "service" => service())
            .increment(relayed.published as u64);
    }
    if relayed.dead > 0 {
        metrics::counter!("kafkaflow_relay_dead_total", "service" => service())
            .increment(relayed.dead as u64);
    }
    if relayed.unacknowledged > 0 {
        metrics::counter!("kafkaflow_relay_unacknowledged_total", "service" => service())
            .increment(relayed.unacknowledged as u64);
    }
    metrics::gauge!("kafkaflow_relay_in_flight_rows", "service" => service()).set(relayed.in_flight as f64);
    match &relayed.reason {
        Some(reason) => relay
            .health
            .troubled(PART, format!("{} rows are not acknowledged: {reason}", relayed.unacknowledged)),
        None if relayed.in_flight > 0 => {
            relay.health.troubled(PART, format!("{} rows wait for an acknowledgement", relayed.in_flight));
        }
        None => relay.health.fine(
            PART,
            format!("it has {} of {} keys' buckets", relay.buckets.numbers().len(), outbox::BUCKETS),
        ),
    }
}

/// When the next round is due.
struct Beat {
    poll: (Duration, Duration),
    /// Rows of one batch.
    batch: usize,
    /// Whether rows may wait that can be taken.
    expects: bool,
    /// Whether rows wait for others that are in flight: of their keys, or of their partitions.
    left: bool,
    idle: Duration,
    failures: u32,
    renew: Instant,
    tidy: Instant,
    look: Instant,
}

impl Beat {
    fn new(options: &super::Options, now: Instant) -> Self {
        Self {
            poll: options.poll,
            batch: options.batch as usize,
            expects: true,
            left: false,
            idle: options.poll.0,
            failures: 0,
            renew: now,
            tidy: now,
            look: now,
        }
    }

    /// How long to sleep after a round; `looked`: whether rows were looked for in it.
    fn after(&mut self, relayed: &Relayed, looked: bool, room: Room) -> Duration {
        if relayed.acknowledged == 0 && relayed.unacknowledged > 0 {
            if let Some(reason) = &relayed.reason {
                tracing::warn!("relay: {} rows are not acknowledged: {reason}", relayed.unacknowledged);
            }
            return self.after_failure();
        }
        self.failures = 0;
        let landed = relayed.acknowledged > 0 || relayed.dead > 0;
        if looked {
            self.expects = relayed.taken > 0 && relayed.found >= self.batch;
            self.left = relayed.found > relayed.taken || relayed.in_flight > 0;
        } else if landed && self.left {
            self.expects = true;
        }
        self.expects |= relayed.dead > 0 || relayed.unacknowledged > 0;
        if landed || relayed.taken > 0 {
            self.idle = self.poll.0;
        }
        if self.expects {
            return match room {
                Room::Now => Duration::ZERO,
                Room::In(pause) => pause,
                Room::WhenLanded => self.poll.1,
            };
        }
        let pause = self.idle;
        self.idle = (self.idle * 2).min(self.poll.1);
        pause
    }

    fn after_failure(&mut self) -> Duration {
        let pause = doubled(PAUSE, self.failures);
        self.failures += 1;
        pause
    }

    fn failing(&self) -> bool {
        self.failures > 0
    }

    fn woken(&mut self) {
        self.expects = true;
        self.idle = self.poll.0;
    }
}
