//! Getting one request through: retried while that makes sense, cut in two when it is refused as a
//! whole.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::cluster::port::{Answers, ClusterError, Refusal, RefusalKind};

/// What became of one item of a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Done,
    Refused(Refusal),
    /// Refused after an attempt whose answer was lost: it may be our own work that stands in the way.
    RefusedAfterLoss(Refusal),
    /// No attempt was answered.
    Lost(ClusterError),
    /// Stopped before it was sent.
    NotSent,
}

/// How long to go on, and who may call it off.
#[derive(Clone, Debug)]
pub(crate) struct Patience {
    pub(crate) deadline: Instant,
    /// Turns true when no further request shall be sent.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Patience {
    pub(crate) fn stopped(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits, but no longer than the deadline or until stopped. Says whether to go on.
    async fn pause(&self, pause: Duration) -> bool {
        if Instant::now() + pause >= self.deadline || self.stopped() {
            return false;
        }
        let mut stop = self.stop.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => true,
            // The sender lives as long as the command; without one there is nobody to stop us.
            Ok(_) = stop.wait_for(|stopped| *stopped) => false,
        }
    }
}

const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Sends `items`, and again those whose refusal may pass, until each has an answer.
pub(crate) async fn settle<T: Clone>(
    items: &[T],
    patience: &Patience,
    send: impl AsyncFn(&[T]) -> Result<Answers, ClusterError>,
) -> Vec<Answer> {
    let mut answers = vec![Answer::NotSent; items.len()];
    // Parts of the request that are still open; a whole that is refused becomes two halves.
    let mut open: Vec<Part> = vec![Part { items: (0..items.len()).collect(), lost: false }];
    let mut pause = FIRST_PAUSE;
    while let Some(part) = open.pop() {
        if part.items.is_empty() {
            continue;
        }
        if patience.stopped() {
            continue;
        }
        let asked: Vec<T> = part.items.iter().map(|index| items[*index].clone()).collect();
        match send(&asked).await {
            Err(error) => {
                let lost = part.lost || error.outcome_unknown;
                for index in &part.items {
                    answers[*index] = Answer::Lost(error.clone());
                }
                if patience.pause(pause).await {
                    open.push(Part { items: part.items, lost });
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            Ok(reply) => {
                let whole = reply.len() > 1
                    && reply
                        .iter()
                        .all(|one| matches!(one, Err(refusal) if refusal.kind == RefusalKind::WholeRequest));
                if whole {
                    let (left, right) = part.items.split_at(part.items.len() / 2);
                    // Popped in order: the left half first.
                    open.push(Part { items: right.to_vec(), lost: part.lost });
                    open.push(Part { items: left.to_vec(), lost: part.lost });
                    for (index, one) in part.items.iter().zip(reply) {
                        answers[*index] = of(one, part.lost);
                    }
                    continue;
                }
                let mut again = Vec::new();
                let mut wait = Duration::ZERO;
                for (index, one) in part.items.iter().zip(reply) {
                    match &one {
                        Err(Refusal { kind: RefusalKind::Throttled(throttle), .. }) => {
                            wait = wait.max(*throttle).max(FIRST_PAUSE);
                            again.push(*index);
                        }
                        Err(Refusal { kind: RefusalKind::Retriable, .. }) => {
                            wait = wait.max(pause);
                            again.push(*index);
                        }
                        _ => {}
                    }
                    answers[*index] = of(one, part.lost);
                }
                if again.is_empty() {
                    pause = FIRST_PAUSE;
                } else if patience.pause(wait).await {
                    // A request that timed out at the controller may have been carried out.
                    open.push(Part { items: again, lost: true });
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }
    answers
}

struct Part {
    items: Vec<usize>,
    /// An earlier attempt may have been carried out without our knowing.
    lost: bool,
}

fn of(one: Result<(), Refusal>, lost: bool) -> Answer {
    match one {
        Ok(()) => Answer::Done,
        Err(refusal) if lost => Answer::RefusedAfterLoss(refusal),
        Err(refusal) => Answer::Refused(refusal),
    }
}
