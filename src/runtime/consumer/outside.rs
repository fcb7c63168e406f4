//! Batches that are done outside of the store: claimed in one transaction, performed in none, settled in another.

use std::error::Error;
use std::time::Duration;

use super::Consumer;
use super::share::{Fate, Share, Stop};
use super::step::{BREAKER, candidate};
use crate::messaging::dead_letter::{Cause, Class};
use crate::messaging::{Publisher, Record};
use crate::runtime::boundary::Boundary;
use crate::runtime::handler::{BatchOutcome, HandleError, Handling};
use crate::store::StoreError;
use crate::store::inbox::{Candidate, Claim};
use crate::unit::UnixMillis;

/// What became of a record outside.
enum Came {
    Done,
    /// It may be tried again.
    Failed(Box<dyn Error + Send + Sync>),
    Poison(HandleError),
    /// No fault of the record.
    Waits(String),
    /// Its time has not come.
    Later {
        after: Duration,
        reason: String,
    },
}

impl From<Result<(), HandleError>> for Came {
    fn from(result: Result<(), HandleError>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(HandleError::Transient(error)) => Self::Failed(error),
            Err(HandleError::Waits(reason)) => Self::Waits(reason.to_string()),
            Err(HandleError::Store(error)) => Self::Waits(error.to_string()),
            Err(HandleError::Later { after, reason }) => Self::Later { after, reason },
            Err(poison @ HandleError::Poison(_)) => Self::Poison(poison),
        }
    }
}

impl<H: Handling, P: Publisher> Consumer<H, P> {
    /// Does shares in company, and those alone, record by record, of which one failed before.
    pub(super) async fn outside(&self, shares: &mut [Share], now: UnixMillis, chance: f64) {
        let sound = shares.iter().take_while(|share| share.failing.is_none()).count();
        let (together, alone) = shares.split_at_mut(sound);
        self.attempt(together, now, chance).await;
        for share in alone {
            self.one_after_the_other(share, now, chance).await;
        }
    }

    async fn one_after_the_other(&self, share: &mut Share, now: UnixMillis, chance: f64) {
        let mut works = std::mem::take(&mut share.works).into_iter();
        while share.stop.is_none()
            && let Some(work) = works.next()
        {
            let mut one = Share {
                at: share.at,
                owned: share.owned.clone(),
                works: vec![work],
                failing: share.failing,
                stop: None,
            };
            self.attempt(std::slice::from_mut(&mut one), now, chance).await;
            share.stop = one.stop;
            share.works.append(&mut one.works);
        }
        share.works.extend(works);
    }

    async fn attempt(&self, shares: &mut [Share], now: UnixMillis, chance: f64) {
        if shares.is_empty() {
            return;
        }
        let came = match self.perform(shares, now).await {
            Ok(came) => came,
            Err(reason) => {
                for share in shares {
                    self.forget(share);
                    share.stop = Some(Stop::Wait(reason.clone()));
                }
                return;
            }
        };
        let mut done: Vec<Vec<usize>> = vec![Vec::new(); shares.len()];
        for ((share, work), came) in came {
            self.decide(&mut shares[share], work, came, &mut done[share], chance);
        }
        let handled = done.iter().map(Vec::len).sum();
        let is_doomed = |share: &Share| {
            share.works.iter().filter(|work| matches!(work.fate, Fate::Doomed { .. })).count()
        };
        let dying = shares.iter().map(is_doomed).sum();
        let goes = self.breaker_lets_go(handled, dying);
        if !goes {
            for share in shares.iter_mut() {
                self.spare(share);
            }
        }
        self.settle_all(shares, &done, now).await;
        if goes {
            self.breaker_saw(handled, dying);
        }
    }

    /// What became of each record that is new and as it should be; else why nothing could be begun.
    async fn perform(
        &self,
        shares: &mut [Share],
        now: UnixMillis,
    ) -> Result<Vec<((usize, usize), Came)>, String> {
        // Asked only: an id is in the inbox when its work is settled.
        let (taken, _) = self.take(None, shares, now).await.map_err(|error| error.to_string())?;
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        let empty = Record::at("", 0, 0);
        let mut batch: Vec<Record> = taken
            .iter()
            .map(|(share, work)| std::mem::replace(&mut shares[*share].works[*work].record, empty.clone()))
            .collect();
        let came = self.perform_batch(&mut batch).await;
        for ((share, work), record) in taken.iter().zip(batch) {
            shares[*share].works[*work].record = record;
        }
        Ok(taken.into_iter().zip(came?).collect())
    }

    async fn perform_batch(&self, batch: &mut [Record]) -> Result<Vec<Came>, String> {
        let spans = self.tracing.processing(&self.options.group, batch);
        let began = tokio::time::Instant::now();
        let mut tx = self.tx();
        let tasks = self.handler.claim(&mut tx, batch).await.map_err(|error| error.to_string())?;
        tx.commit().await.map_err(|error| error.to_string())?;
        self.boundary.reach(Boundary::Claimed);
        let outcomes = self.handler.perform(tasks).await;
        self.boundary.reach(Boundary::Performed);
        self.measure(began, batch.len());
        let failed = outcomes.iter().enumerate().filter_map(|(at, outcome)| match outcome {
            Ok(()) | Err(HandleError::Later { .. }) => None,
            Err(error) => Some((at, HandleError::transient(error.to_string()))),
        });
        spans.ended(&BatchOutcome::Poisoned(failed.collect()));
        Ok(outcomes.into_iter().map(Came::from).collect())
    }

    fn decide(&self, share: &mut Share, at: usize, came: Came, done: &mut Vec<usize>, chance: f64) {
        let work = &mut share.works[at];
        let Fate::Open { id, .. } = &work.fate else { return };
        let id = id.clone();
        match came {
            Came::Done => done.push(at),
            Came::Waits(reason) => {
                share.stop.get_or_insert(Stop::Wait(reason));
            }
            Came::Later { after, reason } => {
                share.stop.get_or_insert(Stop::Later { after, reason });
            }
            Came::Poison(error) => {
                work.fate = Fate::Doomed { id, cause: Box::new(Cause::of(Class::Poison, &error)) }
            }
            Came::Failed(error) => {
                let offset = work.record.offset();
                let attempts = match share.failing {
                    Some((failed, attempts)) if failed == offset => attempts + 1,
                    _ => 1,
                };
                let topic = work.record.topic().to_owned();
                let policy = self.intake(&topic).map(|intake| intake.retry).unwrap_or_default();
                self.count("retried", &topic, 1);
                if let Some(after) = policy.delay(attempts, chance) {
                    tracing::info!(attempts, "{:?}: {error}", work.record);
                    // What only waits goes on waiting beside it.
                    if !matches!(share.stop, Some(Stop::Retry { .. })) {
                        share.stop = Some(Stop::Retry { offset, attempts, after });
                    }
                } else {
                    let mut cause = Cause::of(Class::RetriesExhausted, error.as_ref());
                    cause.message = format!("{attempts} attempts: {}", cause.message);
                    work.fate = Fate::Doomed { id, cause: Box::new(cause) };
                }
            }
        }
    }

    /// Records what was done and who dies, for partitions that are still ours: in one transaction, or in one for each
    /// where another process owns some of them.
    async fn settle_all(&self, shares: &mut [Share], done: &[Vec<usize>], now: UnixMillis) {
        let fates = |share: &Share| share.works.iter().map(|work| work.fate.clone()).collect::<Vec<_>>();
        let before: Vec<Vec<Fate>> = shares.iter().map(fates).collect();
        match self.settle_shares(shares, done, now).await {
            Ok(()) => {
                for (share, done) in shares.iter().zip(done) {
                    self.count_handled(share, done.len());
                }
            }
            Err(StoreError::Fenced { .. }) if shares.len() > 1 => {
                for ((share, done), before) in shares.iter_mut().zip(done).zip(before) {
                    for (work, fate) in share.works.iter_mut().zip(before) {
                        work.fate = fate;
                    }
                    match self
                        .settle_shares(std::slice::from_mut(share), std::slice::from_ref(done), now)
                        .await
                    {
                        Ok(()) => self.count_handled(share, done.len()),
                        Err(error) => self.unsettled(share, &error),
                    }
                }
            }
            Err(error) => {
                for share in shares {
                    self.unsettled(share, &error);
                }
            }
        }
    }

    /// What was done is done again with the same keys.
    fn unsettled(&self, share: &mut Share, error: &StoreError) {
        self.forget(share);
        share.stop = Some(match error {
            StoreError::Fenced { .. } => Stop::Fenced(error.to_string()),
            other => Stop::Wait(other.to_string()),
        });
    }

    async fn settle_shares(
        &self,
        shares: &mut [Share],
        done: &[Vec<usize>],
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = self.tx();
        let works: Vec<(usize, usize)> = done
            .iter()
            .enumerate()
            .flat_map(|(share, done)| done.iter().map(move |at| (share, *at)))
            .collect();
        let asked = |(share, at): &(usize, usize)| {
            let work = &shares[*share].works[*at];
            let id = match &work.fate {
                Fate::Open { id, .. } => id.as_str(),
                _ => "",
            };
            candidate(id, &work.record)
        };
        let candidates: Vec<Candidate<'_>> = works.iter().map(asked).collect();
        let fences = self.fences(shares, &candidates);
        let claims = self.claim(&mut tx, &fences, &candidates, now).await?;
        // Somebody else may have settled one meanwhile.
        let new = works.iter().zip(claims).filter(|(_, claim)| !matches!(claim, Claim::Known));
        let records: Vec<&Record> = new.map(|((share, at), _)| &shares[*share].works[*at].record).collect();
        if !records.is_empty() {
            self.handler.settle(&mut tx, &records).await?;
        }
        for (share, at) in works {
            shares[share].works[at].fate = Fate::Finished;
        }
        self.doom(&mut tx, shares.iter_mut().flat_map(|share| &mut share.works), now).await?;
        self.commit(tx, shares, &fences).await
    }

    /// Nothing of the share counts as done.
    fn forget(&self, share: &mut Share) {
        for work in &mut share.works {
            work.fate = self.fate(&work.record);
        }
    }

    /// The breaker is open: who was to die is not decided about.
    fn spare(&self, share: &mut Share) {
        let doomed = share.works.iter_mut().filter(|work| matches!(work.fate, Fate::Doomed { .. }));
        for work in doomed {
            work.fate = self.fate(&work.record);
            share.stop = Some(Stop::Wait(BREAKER.to_owned()));
        }
    }
}
