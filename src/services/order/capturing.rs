//! Captures payments of confirmed orders: claimed in one transaction, asked for outside of any, settled in another.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::hearing::Heard;
use super::payment::{Answer, Charge, Payments};
use super::results::Ledger;
use super::state::Happened;
use super::store::{self, Capture, Outcome};
use crate::event::OrderId;
use crate::messaging::doubled;
use crate::runtime::HandleError;
use crate::runtime::relay::Wake;
use crate::store::Store;
use crate::unit::UnixMillis;

/// Captures that are asked for at the same time.
const AT_ONCE: u32 = 128;
/// How long a provider may take before the capture is anybody's again.
const CLAIMED_FOR: Duration = Duration::from_secs(60);
/// How long an answer is waited for.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);
/// The pause before a capture of which nothing is known is asked for again: at first, and at most.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// How often captures are looked for that nobody said anything of.
const LOOK: Duration = Duration::from_secs(1);

/// Works captures off.
pub(crate) struct Captures<P> {
    pub(crate) store: Store,
    pub(crate) ledger: Ledger,
    pub(crate) payments: std::sync::Arc<P>,
    /// The relay, and whoever waits for changes.
    pub(crate) wake: Wake,
}

/// The key under which a provider is asked for an order's money; one for each order, for ever.
pub(crate) fn key(order: &str) -> String {
    format!("{order}:capture")
}

impl<P: Payments> Captures<P> {
    /// Works until `shutdown` completes; `due` says that a capture may be due.
    pub(crate) async fn run(&self, due: &Notify, shutdown: impl Future<Output = ()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            let step = tokio::select! {
                biased;
                () = &mut shutdown => return,
                step = self.step((self.ledger.now)()) => step,
            };
            match step {
                Ok(0) => {}
                Ok(_) => continue,
                Err(error) => tracing::warn!("captures: {error}"),
            }
            tokio::select! {
                biased;
                () = &mut shutdown => return,
                () = due.notified() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Asks for what is due; how many that were.
    pub(crate) async fn step(&self, now: UnixMillis) -> Result<usize, HandleError> {
        let due = store::next_capture(&mut self.store.glance()).await?;
        if due.is_none_or(|due| due > now) {
            return Ok(0);
        }
        let mut tx = self.store.tx();
        let claimed = store::claim_captures(&mut tx, now, now.after(CLAIMED_FOR), AT_ONCE).await?;
        tx.commit().await?;
        let count = claimed.len();
        let mut asked = JoinSet::new();
        for capture in claimed {
            let payments = std::sync::Arc::clone(&self.payments);
            asked.spawn(async move {
                let charge =
                    Charge { key: key(&capture.order), order: capture.order.clone(), amount: capture.amount };
                let answer = tokio::time::timeout(ANSWERED_WITHIN, payments.capture(charge)).await;
                let silence =
                    |_| Answer::Unknown { reason: "the provider did not answer in time".to_owned() };
                (capture, answer.unwrap_or_else(silence))
            });
        }
        let mut answers = Vec::new();
        while let Some(answer) = asked.join_next().await {
            answers.extend(answer.ok());
        }
        self.settle(answers).await?;
        Ok(count)
    }

    async fn settle(&self, answers: Vec<(Capture, Answer)>) -> Result<(), HandleError> {
        if answers.is_empty() {
            return Ok(());
        }
        let now = (self.ledger.now)();
        let mut tx = self.store.tx();
        let mut ended = Vec::new();
        for (capture, answer) in &answers {
            match answer {
                Answer::Captured => ended.push((capture.order.as_str(), Outcome::Captured)),
                Answer::Declined { .. } => ended.push((capture.order.as_str(), Outcome::Declined)),
                Answer::Unknown { reason } => {
                    tracing::warn!("capture of {}: {reason}; it is asked for again", capture.order);
                    let pause = doubled(PAUSE, u32::try_from(capture.attempts).unwrap_or(0));
                    store::postpone(&mut tx, &capture.order, now.after(pause), reason).await?;
                }
            }
        }
        // Somebody who took one over may have settled it; the answer was the same.
        let settled = store::settle_captures(&mut tx, &ended).await?;
        let mut heard = Vec::new();
        for (capture, answer) in answers.into_iter().filter(|(capture, _)| settled.contains(&capture.order)) {
            let happened = match answer {
                Answer::Captured => Happened::Captured,
                Answer::Declined { reason } => Happened::Declined { reason },
                Answer::Unknown { .. } => continue,
            };
            heard.push(Heard {
                order: OrderId::new(capture.order.as_str()).map_err(HandleError::poison)?,
                happened,
                event_id: None,
                place: None,
                traceparent: capture.traceparent,
            });
        }
        self.ledger.enter(&mut tx, heard).await?;
        tx.commit().await?;
        self.wake.wake();
        Ok(())
    }
}
