//! One batch.

use std::collections::HashMap;

use super::intake::{self, Sorted};
use super::share::{Fate, Part, Rest, Share, Stop, Work, owned_until};
use super::{Consumer, isolate};
use crate::messaging::dead_letter::{Cause, Class};
use crate::messaging::{Publisher, Record};
use crate::runtime::boundary::Boundary;
use crate::runtime::handler::{BatchOutcome, HandleError, Handling};
use crate::store::fence::{self, Owned};
use crate::store::inbox::{Candidate, Claim, Death};
use crate::store::{StoreError, Tx};
use crate::unit::UnixMillis;

/// Why partitions wait while the breaker is open.
pub(super) const BREAKER: &str = "most records would be dead letters: the breaker is open";

impl<H: Handling, P: Publisher> Consumer<H, P> {
    /// Handles a batch; for each part what is left of it. `chance`, from 0 to 1, spreads retries.
    pub(super) async fn handle_batch(&self, parts: Vec<Part>, now: UnixMillis, chance: f64) -> Vec<Rest> {
        let mut shares: Vec<Share> =
            parts.into_iter().enumerate().map(|(at, part)| self.share(at, part)).collect();
        // What failed before is not tried in company, where it would take others down with it again.
        shares.sort_by_key(|share| share.failing.is_some());
        if H::OUTSIDE {
            self.outside(&mut shares, now, chance).await;
            return self.finish(shares, now).await;
        }
        let sound = shares.iter().take_while(|share| share.failing.is_none()).count();
        let (together, mut alone) = shares.split_at_mut(sound);
        match self.together(together, now).await {
            Ok(()) => {}
            Err(trouble) => {
                self.undecided(together);
                match trouble {
                    Trouble::Store(error) if error.is_transient() => {
                        for share in together {
                            share.stop = Some(Stop::Wait(error.to_string()));
                        }
                    }
                    Trouble::Breaker => {
                        for share in together {
                            share.stop = Some(Stop::Wait(BREAKER.to_owned()));
                        }
                    }
                    // One of them; which, and whose fault it is, shows when each is handled alone.
                    Trouble::Store(_) | Trouble::Handler => alone = &mut shares,
                }
            }
        }
        for share in alone {
            isolate::one_by_one(self, share, now, chance).await;
        }
        self.finish(shares, now).await
    }

    /// After the transactions: dead letters, and what is left.
    async fn finish(&self, mut shares: Vec<Share>, now: UnixMillis) -> Vec<Rest> {
        self.boundary.reach(Boundary::Committed);
        self.bury(&mut shares, now).await;
        if let Some(wake) = &self.wake {
            wake.wake();
        }
        for share in &shares {
            self.count_finished(share);
        }
        shares.sort_by_key(|share| share.at);
        shares.into_iter().map(Share::rest).collect()
    }

    fn share(&self, at: usize, part: Part) -> Share {
        let owned =
            part.epoch.map(|epoch| Owned { topic: part.topic.clone(), partition: part.partition, epoch });
        let work = |record| Work { fate: self.fate(&record), record };
        let works = part.records.into_iter().map(work).collect();
        Share { at, owned, works, failing: part.failing, stop: None }
    }

    /// What is to be done with a record, as far as its headers say.
    pub(super) fn fate(&self, record: &Record) -> Fate {
        let Some(intake) = self.intake(record.topic()) else {
            return Fate::Open { id: record.place(), cause: None };
        };
        if !self.remembers() && intake.takes_anything() {
            return Fate::Open { id: String::new(), cause: None };
        }
        match intake::sort(record, intake) {
            Sorted::Take { id } => Fate::Open { id, cause: None },
            Sorted::Skip => Fate::Skipped,
            Sorted::Dead { id, cause } => Fate::Open { id, cause: Some(Box::new(cause)) },
        }
    }

    /// Nothing is decided about these records any more.
    fn undecided(&self, shares: &mut [Share]) {
        for work in shares.iter_mut().flat_map(|share| &mut share.works) {
            work.fate = self.fate(&work.record);
        }
    }

    /// All records in one transaction. Where the handler can it is first an optimistic one, which costs fewer messages, and
    /// then, when something is not as nearly always, one that holds what it reads.
    async fn together(&self, shares: &mut [Share], now: UnixMillis) -> Result<(), Trouble> {
        let open = |work: &Work| matches!(work.fate, Fate::Open { .. });
        let any = shares.iter().flat_map(|share| &share.works).any(open);
        if any && let Some(tx) = self.optimistic_tx() {
            match self.in_one(tx, shares, now).await {
                Ok(()) => {
                    self.caution().written();
                    return Ok(());
                }
                Err(Trouble::Store(error @ (StoreError::Unavailable(_) | StoreError::Full(_)))) => {
                    return Err(Trouble::Store(error));
                }
                Err(trouble) => {
                    tracing::debug!(
                        "group {}: once more, holding what is read: {trouble:?}",
                        self.options.group
                    );
                    self.caution().refused();
                    self.undecided(shares);
                }
            }
        }
        self.in_one(self.tx(), shares, now).await
    }

    async fn in_one(&self, mut tx: Tx, shares: &mut [Share], now: UnixMillis) -> Result<(), Trouble> {
        let (taken, fences) = self.take(Some(&mut tx), shares, now).await?;
        let mut handled = taken.len();
        let mut done = vec![0; shares.len()];
        if !taken.is_empty() {
            // Moved, not copied, and put back.
            let empty = Record::at("", 0, 0);
            let mut batch: Vec<Record> = taken
                .iter()
                .map(|(share, work)| {
                    std::mem::replace(&mut shares[*share].works[*work].record, empty.clone())
                })
                .collect();
            let outcome = self.handled(&mut tx, &mut batch).await;
            for ((share, work), record) in taken.iter().zip(batch) {
                shares[*share].works[*work].record = record;
            }
            let mut poisoned: HashMap<usize, HandleError> = match outcome {
                BatchOutcome::Done => HashMap::new(),
                BatchOutcome::Poisoned(poisoned) => poisoned.into_iter().collect(),
                BatchOutcome::Failed(HandleError::Store(error)) => return Err(Trouble::Store(error)),
                BatchOutcome::Failed(error @ (HandleError::Waits(_) | HandleError::Later { .. })) => {
                    return Err(Trouble::Store(StoreError::Unavailable(error.to_string())));
                }
                BatchOutcome::Failed(_) => return Err(Trouble::Handler),
            };
            handled = handled.saturating_sub(poisoned.len());
            for (at, (share, work)) in taken.into_iter().enumerate() {
                let poison = if poisoned.is_empty() { None } else { poisoned.remove(&at) };
                done[share] += usize::from(poison.is_none());
                let fate = &mut shares[share].works[work].fate;
                *fate = match (poison, std::mem::replace(fate, Fate::Finished)) {
                    (Some(error), Fate::Open { id, .. }) => {
                        Fate::Doomed { id, cause: Box::new(Cause::of(Class::Poison, &error)) }
                    }
                    _ => Fate::Finished,
                };
            }
        }
        self.boundary.reach(Boundary::Handled);
        let dying = shares.iter().flat_map(|share| &share.works);
        let dying = dying.filter(|work| matches!(work.fate, Fate::Doomed { .. })).count();
        if tx.is_optimistic() && dying > 0 {
            return Err(StoreError::Conflict("records that are to die".to_owned()).into());
        }
        if !self.breaker_lets_go(handled, dying) {
            return Err(Trouble::Breaker);
        }
        self.doom(&mut tx, shares.iter_mut().flat_map(|share| &mut share.works), now).await?;
        self.commit(tx, shares, &fences).await?;
        self.breaker_saw(handled, dying);
        for (share, done) in shares.iter().zip(done) {
            self.count_handled(share, done);
        }
        Ok(())
    }

    /// Which records are to be handled: the inbox does not know them, and they are what they should be. Of the
    /// others it is decided here. In a transaction those that are new are noted, and the fences that are answered held;
    /// without, nothing is.
    pub(super) async fn take(
        &self,
        tx: Option<&mut Tx>,
        shares: &mut [Share],
        now: UnixMillis,
    ) -> Result<(Vec<(usize, usize)>, Vec<(Owned, i64)>), StoreError> {
        let mut places = Vec::new();
        let mut candidates = Vec::new();
        for (share, part) in shares.iter().enumerate() {
            for (work, one) in part.works.iter().enumerate() {
                if let Fate::Open { id, .. } = &one.fate {
                    places.push((share, work));
                    if self.remembers() {
                        candidates.push(candidate(id, &one.record));
                    }
                }
            }
        }
        let mut fences = Vec::new();
        let claims = match tx {
            Some(tx) => {
                fences = self.fences(shares, &candidates);
                self.claim(tx, &fences, &candidates, now).await?
            }
            None => self.look(&candidates).await?,
        };
        let mut claims = claims.into_iter();
        places.retain(|(share, work)| {
            let one = &mut shares[*share].works[*work];
            self.settle(one, claims.next().unwrap_or(Claim::New))
        });
        Ok((places, fences))
    }

    /// The fences that are held when these are claimed, as if all records of the shares became finished.
    pub(super) fn fences(&self, shares: &[Share], claimed: &[Candidate<'_>]) -> Vec<(Owned, i64)> {
        // Nothing is asked of the store where nothing is claimed.
        let asks = self.remembers() && !claimed.is_empty();
        if asks { owned_until(shares, Share::end) } else { Vec::new() }
    }

    /// Whether a record is to be handled, by what the inbox says of it and by its payload.
    pub(super) fn settle(&self, work: &mut Work, claim: Claim) -> bool {
        let Fate::Open { id, cause } = &mut work.fate else { return false };
        let (id, cause) = (std::mem::take(id), cause.take());
        match claim {
            Claim::Known => {
                self.count("duplicates", work.record.topic(), 1);
                work.fate = Fate::Finished;
                return false;
            }
            Claim::Dead(death) => {
                let class = death.class.parse().unwrap_or(Class::Poison);
                work.fate = Fate::Dead { cause: Box::new(Cause::new(class, death.reason)) };
                return false;
            }
            Claim::New => {}
        }
        let judge = || intake::judge(&work.record, self.intake(work.record.topic())?).map(Box::new);
        match cause.or_else(judge) {
            Some(cause) => {
                work.fate = Fate::Doomed { id, cause };
                false
            }
            None => {
                work.fate = Fate::Open { id, cause: None };
                true
            }
        }
    }

    /// Tells the inbox who is given up. Before any later record of the same event is claimed, or together with it.
    pub(super) async fn doom(
        &self,
        tx: &mut Tx,
        works: impl Iterator<Item = &mut Work>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut dead = Vec::new();
        for work in works {
            if let Fate::Doomed { id, cause } = &work.fate {
                dead.push((
                    id.clone(),
                    Death {
                        place: work.record.place(),
                        class: cause.class.name().to_owned(),
                        reason: cause.message.clone(),
                    },
                ));
                work.fate = Fate::Dead { cause: cause.clone() };
            }
        }
        if dead.is_empty() { Ok(()) } else { self.give_up(tx, &dead, now).await }
    }

    /// Holds the fence of the shares, where it is not `held` with their offsets yet, and commits.
    pub(super) async fn commit(
        &self,
        mut tx: Tx,
        shares: &[Share],
        held: &[(Owned, i64)],
    ) -> Result<(), StoreError> {
        let due = owned_until(shares, Share::next);
        if due != held && self.store.is_some() {
            if tx.is_optimistic() {
                return Err(StoreError::Conflict("records that are not finished".to_owned()));
            }
            fence::hold(&mut tx, &self.options.group, &due).await?;
        }
        tx.commit().await
    }

    /// Hands records to the handler.
    pub(super) async fn handled(&self, tx: &mut Tx, batch: &mut [Record]) -> BatchOutcome {
        let spans = self.tracing.processing(&self.options.group, batch);
        let began = tokio::time::Instant::now();
        let outcome = self.handler.handle(tx, batch).await;
        spans.ended(&outcome);
        self.measure(began, batch.len());
        outcome
    }

    /// How long a batch took, and how many records it had.
    pub(super) fn measure(&self, began: tokio::time::Instant, records: usize) {
        let group = || self.options.group.clone();
        metrics::histogram!("kafkaflow_consumer_handler_seconds", "group" => group())
            .record(began.elapsed().as_secs_f64());
        metrics::histogram!("kafkaflow_consumer_batch_records", "group" => group()).record(records as f64);
    }

    pub(super) fn count_handled(&self, share: &Share, handled: usize) {
        if let Some(work) = share.works.first() {
            self.count("handled", work.record.topic(), handled);
        }
    }

    fn count_finished(&self, share: &Share) {
        if let Some(work) = share.works.first() {
            let finished = share.works.iter().filter(|work| work.fate.is_finished()).count();
            self.count("finished", work.record.topic(), finished);
            let skipped = share.works.iter().filter(|work| matches!(work.fate, Fate::Skipped)).count();
            self.count("skipped", work.record.topic(), skipped);
        }
    }
}

/// Why a batch was undone.
#[derive(Debug)]
pub(super) enum Trouble {
    Store(StoreError),
    Handler,
    /// Too many records would be dead letters.
    Breaker,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub(super) fn candidate<'r>(id: &'r str, record: &'r Record) -> Candidate<'r> {
    Candidate { id, place: (record.topic(), record.partition(), record.offset()) }
}
