//! A provider with everything that stands between it and us: its pace, its gate, its calls.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{self, StreamExt};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::watch;
use tokio::time::Instant;

use super::gate::Gate;
use super::{Failure, Letter, Sink};
use crate::runtime::{HandleError, Health};
use crate::unit::Rate;

/// For how long letters are sent before what was sent is recorded. What is left then comes again at once: it is no
/// more than this that a crash, or another owner of the partition, can have sent twice for want of tokens.
const SLICE: Duration = Duration::from_secs(1);

/// How many letters a provider takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) rate: Rate,
    /// How many may come at once after a quiet time.
    pub(crate) burst: NonZeroU32,
}

/// A provider by its name, for the log, `/healthz` and the metrics.
#[derive(Debug)]
pub(crate) struct Provider {
    name: String,
    sink: Sink,
    bucket: Option<DefaultDirectRateLimiter>,
    gate: Mutex<Gate>,
}

/// The service that sends.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    pub(crate) health: Health,
    /// Whether nothing more is to be sent.
    pub(crate) ending: watch::Receiver<bool>,
}

impl Provider {
    pub(crate) fn new(name: impl Into<String>, sink: Sink, pace: Option<Pace>) -> Self {
        Self { name: name.into(), sink, bucket: pace.and_then(bucket), gate: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Sends letters, those of one key in their order, until the slice is over or the service ends; what came of each.
    pub(crate) async fn deliver(&self, letters: &[Letter], sender: &Sender) -> Vec<Result<(), HandleError>> {
        let until = Instant::now() + SLICE;
        let mut came: Vec<Option<Result<(), HandleError>>> = letters.iter().map(|_| None).collect();
        let mut chains: Vec<Vec<usize>> = chains(letters);
        // Round after round the next one of each key; with most keys there is one round.
        while !chains.is_empty() {
            let heads: Vec<usize> = chains.iter().filter_map(|chain| chain.last().copied()).collect();
            let mut calls = Vec::new();
            for call in heads.chunks(self.sink.batch().min(heads.len())) {
                calls.push(self.call(letters, call, until, sender));
            }
            let answers: Vec<Vec<Result<(), HandleError>>> =
                stream::iter(calls).buffered(self.sink.calls()).collect().await;
            for (head, answer) in heads.into_iter().zip(answers.into_iter().flatten()) {
                came[head] = Some(answer);
            }
            chains.retain_mut(|chain| {
                let Some(head) = chain.pop() else { return false };
                // What was refused for good holds nobody back; what was not sent does.
                let goes_on = matches!(came[head], Some(Ok(()) | Err(HandleError::Poison(_))));
                if !goes_on {
                    for behind in chain.drain(..) {
                        came[behind] =
                            Some(Err(HandleError::later(Duration::ZERO, "an earlier one of its key waits")));
                    }
                }
                !chain.is_empty()
            });
        }
        let unsent = || Err(HandleError::later(Duration::ZERO, "it was not sent"));
        came.into_iter().map(|one| one.unwrap_or_else(unsent)).collect()
    }

    async fn call(
        &self,
        letters: &[Letter],
        call: &[usize],
        until: Instant,
        sender: &Sender,
    ) -> Vec<Result<(), HandleError>> {
        let mut may = 0;
        let mut why = None;
        while may < call.len() {
            why = self.gate().closed(Instant::now());
            if why.is_some() {
                break;
            }
            match self.token(until, sender).await {
                Ok(()) => may += 1,
                Err(reason) => {
                    why = Some((Duration::ZERO, reason.to_owned()));
                    break;
                }
            }
        }
        let (sent, left) = call.split_at(may);
        let mut came = if sent.is_empty() {
            Vec::new()
        } else {
            let sent: Vec<&Letter> = sent.iter().map(|at| &letters[*at]).collect();
            let began = Instant::now();
            let answers = self.sink.send(&sent).await;
            metrics::histogram!("kafkaflow_notification_call_seconds", "provider" => self.name.clone())
                .record(began.elapsed().as_secs_f64());
            answers.into_iter().map(|answer| self.saw(answer, &sender.health)).collect()
        };
        let (after, reason) = why.unwrap_or_default();
        came.extend(left.iter().map(|_| Err(HandleError::later(after, reason.clone()))));
        came
    }

    /// Takes a token; the error says why there is none.
    async fn token(&self, until: Instant, sender: &Sender) -> Result<(), &'static str> {
        let clock = DefaultClock::default();
        loop {
            if *sender.ending.borrow() {
                return Err("the service ends");
            }
            let now = Instant::now();
            if now >= until {
                return Err("the provider takes only so many a second");
            }
            let Some(bucket) = &self.bucket else { return Ok(()) };
            let Err(not_until) = bucket.check() else { return Ok(()) };
            let next = now + not_until.wait_time_from(clock.now());
            let mut ending = sender.ending.clone();
            tokio::select! {
                _ = ending.wait_for(|ending| *ending) => {}
                () = tokio::time::sleep_until(next.min(until)) => {}
            }
        }
    }

    /// Takes note of an answer; what it means for the record.
    fn saw(&self, answer: Result<(), Failure>, health: &Health) -> Result<(), HandleError> {
        let now = Instant::now();
        let outcome = match &answer {
            Ok(()) => "sent",
            Err(Failure::Refused(_)) => "refused",
            Err(Failure::Again(_)) => "failed",
            Err(Failure::Away { .. }) => "away",
            Err(Failure::Locked(_)) => "locked",
        };
        let labels = [("provider", self.name.clone()), ("outcome", outcome.to_owned())];
        metrics::counter!("kafkaflow_notifications_total", &labels).increment(1);
        match answer {
            Ok(()) => {
                let reopened = self.gate().open();
                health.fine(&self.name, "it takes what is sent");
                if reopened {
                    tracing::info!("{} takes notifications again", self.name);
                }
                Ok(())
            }
            Err(Failure::Refused(reason)) => {
                // Whoever refuses one letter is there.
                self.gate().open();
                health.fine(&self.name, "it refuses some of what is sent");
                Err(HandleError::poison(format!("{} refuses it: {reason}", self.name)))
            }
            Err(Failure::Again(reason)) => {
                health.troubled(&self.name, &reason);
                Err(HandleError::transient(format!("{}: {reason}", self.name)))
            }
            Err(Failure::Away { after, reason }) => {
                let first = self.gate().away(after, &reason, now);
                health.troubled(&self.name, format!("it takes nothing at present: {reason}"));
                if first {
                    tracing::warn!("{} takes nothing at present, notifications wait: {reason}", self.name);
                }
                Err(self.later(now, &reason))
            }
            Err(Failure::Locked(reason)) => {
                let first = self.gate().lock(&reason, now);
                health.troubled(&self.name, format!("it refuses us, notifications wait: {reason}"));
                if first {
                    tracing::error!(
                        "{} refuses us, so notifications wait until its credentials are mended: {reason}",
                        self.name
                    );
                }
                Err(self.later(now, &reason))
            }
        }
    }

    fn later(&self, now: Instant, reason: &str) -> HandleError {
        let after = self.gate().closed(now).map_or(SLICE, |(after, _)| after);
        HandleError::later(after, reason)
    }

    fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The letters of each key by their places, the first one last.
fn chains(letters: &[Letter]) -> Vec<Vec<usize>> {
    let mut chains: Vec<Vec<usize>> = Vec::new();
    let mut of: HashMap<&str, usize> = HashMap::new();
    for (at, letter) in letters.iter().enumerate() {
        let chain = *of.entry(letter.order_id.as_str()).or_insert_with(|| {
            chains.push(Vec::new());
            chains.len() - 1
        });
        chains[chain].push(at);
    }
    for chain in &mut chains {
        chain.reverse();
    }
    chains
}

fn bucket(pace: Pace) -> Option<DefaultDirectRateLimiter> {
    let (count, seconds) = pace.rate.as_fraction();
    let each = Duration::from_secs(seconds).as_nanos() / u128::from(count.max(1));
    let each = Duration::from_nanos(u64::try_from(each).unwrap_or(u64::MAX).max(1));
    Some(RateLimiter::direct(Quota::with_period(each)?.allow_burst(pace.burst)))
}
