//! Rows that were handed to the producer, and what is known of them. Pure but for the outcomes' channel.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::messaging::{Delivery, Header, Outcome, Outgoing, PublishError};
use crate::runtime::trace::Sending;
use crate::store::outbox::{Dead, Pending, Published};

/// The rows of one round.
pub(super) struct Flight {
    rows: Vec<(Pending, Fate)>,
    /// Of each row the span in which it is sent; none where there is no tracing.
    spans: Vec<Option<Sending>>,
    /// Of how many nothing is known.
    flying: usize,
    /// When it began, and when something was heard last.
    began: Instant,
    heard: Instant,
    delivery: Delivery,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    /// Nothing is known yet.
    Flying,
    Acknowledged(Published),
    /// Not this time; it stays pending.
    Unacknowledged(String),
    /// No broker takes it.
    Refused(String),
    /// Refused in company: to be asked about alone.
    Suspect,
    /// Recorded, or left to the next round.
    Done,
}

/// What of a flight can be acted upon.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Landed {
    /// To be recorded: of each key the acknowledged prefix.
    pub(super) published: Vec<Published>,
    pub(super) dead: Vec<Dead>,
    /// To be published alone, in this order.
    pub(super) suspects: Vec<Pending>,
    /// Rows that stay pending, and why the last of them does.
    pub(super) unacknowledged: usize,
    pub(super) reason: Option<String>,
}

impl Flight {
    pub(super) fn new(rows: Vec<Pending>, spans: Vec<Option<Sending>>, delivery: Delivery) -> Self {
        let flying = rows.len();
        let rows = rows.into_iter().map(|row| (row, Fate::Flying)).collect();
        let began = Instant::now();
        Self { rows, spans, flying, began, heard: began, delivery }
    }

    /// Waits for outcomes; `false`: there will be no more.
    pub(super) async fn hear(&mut self) -> bool {
        let outcomes = self.delivery.next().await;
        let more = !outcomes.is_empty();
        self.learn(outcomes);
        if !more {
            self.lose();
        }
        more
    }

    /// Takes the outcomes that are there.
    pub(super) fn hear_ready(&mut self) {
        let outcomes = self.delivery.ready();
        self.learn(outcomes);
    }

    fn learn(&mut self, outcomes: Vec<Outcome>) {
        if !outcomes.is_empty() {
            self.heard = Instant::now();
        }
        for (at, outcome) in outcomes {
            let Some((row, fate)) = self.rows.get_mut(at) else { continue };
            self.flying -= usize::from(*fate == Fate::Flying);
            if let Some(span) = self.spans.get_mut(at).and_then(Option::take) {
                span.ended(&outcome);
            }
            *fate = match outcome {
                Ok(place) => Fate::Acknowledged(Published {
                    seq: row.seq,
                    partition: place.partition,
                    offset: place.offset,
                }),
                Err(PublishError::Refused(reason)) => Fate::Refused(reason),
                Err(PublishError::RefusedInCompany(_)) => Fate::Suspect,
                Err(PublishError::Unacknowledged(reason)) => Fate::Unacknowledged(reason),
            };
        }
    }

    /// The producer is gone, and with it what it knew.
    fn lose(&mut self) {
        for (_, fate) in &mut self.rows {
            if *fate == Fate::Flying {
                *fate = Fate::Unacknowledged("the producer ended".to_owned());
            }
        }
        self.flying = 0;
    }

    pub(super) fn is_flying(&self) -> bool {
        self.flying > 0
    }

    /// Whether it flies, and nothing was heard of it for so long.
    pub(super) fn is_stuck(&self, patience: Duration) -> bool {
        self.is_flying() && self.heard.elapsed() >= patience
    }

    /// Waits until all is known of it, or it is stuck.
    pub(super) async fn wait(&mut self, patience: Duration) {
        while self.is_flying() {
            let heard = tokio::time::timeout_at(self.heard + patience, self.hear()).await;
            if !heard.unwrap_or(false) {
                return;
            }
        }
    }

    /// Rows of which nothing is known.
    pub(super) fn flying(&self) -> impl Iterator<Item = &Pending> {
        self.rows.iter().filter(|(_, fate)| *fate == Fate::Flying).map(|(row, _)| row)
    }

    /// Rows that wait in the store still, and are not to be taken again.
    pub(super) fn taken(&self) -> impl Iterator<Item = i64> {
        let taken = |fate: &Fate| matches!(fate, Fate::Flying | Fate::Acknowledged(_));
        self.rows.iter().filter(move |(_, fate)| taken(fate)).map(|(row, _)| row.seq)
    }

    /// What can be acted upon now. A row behind one of its key whose fate is open stays where it is.
    pub(super) fn land(&mut self) -> Landed {
        let mut landed = Landed::default();
        let mut open: HashSet<&str> = HashSet::new();
        for (row, fate) in &mut self.rows {
            if open.contains(row.key.as_str()) {
                continue;
            }
            match fate {
                Fate::Flying => {
                    open.insert(&row.key);
                }
                Fate::Acknowledged(published) => {
                    landed.published.push(*published);
                    *fate = Fate::Done;
                }
                Fate::Refused(reason) => {
                    let reason = std::mem::take(reason);
                    landed.dead.push(Dead { seq: row.seq, key: row.key.clone(), reason });
                    open.insert(&row.key);
                    *fate = Fate::Done;
                }
                Fate::Suspect => {
                    landed.suspects.push(row.clone());
                    // What follows it is published again, if at all, when it has been decided about.
                    open.insert(&row.key);
                    *fate = Fate::Done;
                }
                Fate::Unacknowledged(reason) => {
                    landed.unacknowledged += 1;
                    landed.reason = Some(std::mem::take(reason));
                    open.insert(&row.key);
                    *fate = Fate::Done;
                }
                Fate::Done => {}
            }
        }
        if !self.is_flying() {
            landed.unacknowledged += self.rows.iter().filter(|(_, fate)| *fate != Fate::Done).count();
            self.rows.clear();
        }
        landed
    }

    /// How long it flew until what was heard last.
    pub(super) fn flew(&self) -> Duration {
        self.heard - self.began
    }

    pub(super) fn is_over(&self) -> bool {
        self.rows.is_empty()
    }
}

/// Which of these rows may be handed over now: not those whose key is in flight, and of a key only rows for one
/// topic, since two topics' records are acknowledged in any order.
pub(super) fn admit(rows: Vec<Pending>, busy: &HashSet<&str>) -> Vec<Pending> {
    let mut topics: HashMap<String, Option<String>> = HashMap::new();
    let mut admitted = Vec::with_capacity(rows.len());
    for row in rows {
        if busy.contains(row.key.as_str()) {
            continue;
        }
        let topic = topics.entry(row.key.clone()).or_insert_with(|| Some(row.topic.clone()));
        if topic.as_ref() == Some(&row.topic) {
            admitted.push(row);
        } else {
            *topic = None;
        }
    }
    admitted
}

/// The record of a row, as Debezium's EventRouter makes it with the settings that we ship.
pub(super) fn record_of(row: &Pending) -> Outgoing {
    let mut headers = vec![
        Header::new("id", row.id.as_bytes()),
        Header::new("eventType", row.event_type.as_bytes()),
        Header::new("eventId", row.id.as_bytes()),
    ];
    if let Some(traceparent) = &row.traceparent {
        headers.push(Header::new("traceparent", traceparent.as_bytes()));
    }
    headers.push(Header::new("content-type", "application/json"));
    Outgoing {
        topic: row.topic.clone(),
        partition: None,
        key: Some(row.key.clone().into_bytes()),
        value: Some(row.payload.clone().into_bytes()),
        headers,
        timestamp: None,
    }
}
