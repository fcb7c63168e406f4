//! Dead letters: published and acknowledged before anything says that their records are finished.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use super::Consumer;
use super::share::{Fate, Share, Stop};
use crate::messaging::dead_letter::spring::dead_letter;
use crate::messaging::{Outgoing, Publisher};
use crate::runtime::boundary::Boundary;
use crate::store::fence::{self, Owned};
use crate::unit::UnixMillis;

/// How long brokers have to acknowledge dead letters before the records are tried again as a whole.
const ACKNOWLEDGED_WITHIN: Duration = Duration::from_secs(10);

impl<H, P: Publisher> Consumer<H, P> {
    /// Publishes the dead of a batch. What is not acknowledged stays unfinished.
    pub(super) async fn bury(&self, shares: &mut [Share], now: UnixMillis) {
        let mut places = Vec::new();
        let mut letters = Vec::new();
        for (at, share) in shares.iter_mut().enumerate() {
            for (work, one) in share.works.iter().enumerate() {
                let Fate::Dead { cause } = &one.fate else { continue };
                let record = &one.record;
                let Some(topic) = self.intake(record.topic()).and_then(|intake| intake.dead_letters.clone())
                else {
                    // No letter will say why.
                    let reason = format!("{record:?} cannot be handled: {}", cause.message);
                    share.stop = Some(Stop::Wait(format!("{reason}, and there is no dead-letter topic")));
                    break;
                };
                // The dead letter says why; that may quote what is the customer's own business.
                tracing::warn!(class = cause.class.name(), "{record:?} goes to {topic}");
                tracing::debug!("{record:?}: {}", cause.message);
                let partitions = self.partitions(&topic).await;
                letters.push(dead_letter(record, cause, &self.options.group, &topic, partitions, now));
                places.push((at, work));
            }
        }
        if letters.is_empty() {
            return;
        }
        let outcomes = self.acknowledged(letters).await;
        self.boundary.reach(Boundary::Buried);
        let mut buried = BTreeSet::new();
        for ((at, work), outcome) in places.into_iter().zip(outcomes) {
            let share = &mut shares[at];
            match outcome {
                Ok(()) => {
                    self.count("dead_lettered", share.works[work].record.topic(), 1);
                    share.works[work].fate = Fate::Finished;
                    buried.insert(at);
                }
                Err(reason) => {
                    share.stop = Some(Stop::Wait(format!("a dead letter is not acknowledged: {reason}")));
                }
            }
        }
        self.note(shares, &buried).await;
    }

    /// Notes how far partitions are now, for whoever checks; what is finished stays so if this fails.
    async fn note(&self, shares: &[Share], buried: &BTreeSet<usize>) {
        let held: Vec<(Owned, i64)> =
            buried.iter().filter_map(|at| Some((shares[*at].owned.clone()?, shares[*at].next()))).collect();
        if self.store.is_none() || held.is_empty() {
            return;
        }
        let noted = async {
            let mut tx = self.tx();
            fence::hold(&mut tx, &self.options.group, &held).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::info!("after dead letters: {error}");
        }
    }

    /// Of a dead-letter topic; asked until it is known.
    async fn partitions(&self, topic: &str) -> Option<u32> {
        let known = self.letter_boxes.lock().unwrap_or_else(PoisonError::into_inner).get(topic).copied();
        if known.is_some() {
            return known;
        }
        let count = self.publisher.partitions(topic).await?;
        self.letter_boxes.lock().unwrap_or_else(PoisonError::into_inner).insert(topic.to_owned(), count);
        Some(count)
    }

    async fn acknowledged(&self, letters: Vec<Outgoing>) -> Vec<Result<(), String>> {
        let mut outcomes: Vec<Result<(), String>> = vec![Err("no broker answers".to_owned()); letters.len()];
        let mut delivery = self.publisher.publish(letters);
        self.boundary.reach(Boundary::Burying);
        let all = async {
            loop {
                let some = delivery.next().await;
                if some.is_empty() {
                    return;
                }
                for (at, outcome) in some {
                    outcomes[at] = outcome.map(drop).map_err(|error| error.to_string());
                }
            }
        };
        let _ = tokio::time::timeout(ACKNOWLEDGED_WITHIN, all).await;
        outcomes
    }
}
