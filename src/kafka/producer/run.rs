//! The producer at work: one task that asks brokers and keeps the book.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::{
    InitProducerIdRequest, InitProducerIdResponse, MetadataResponse, ProduceResponse,
};
use kafka_protocol::protocol::StrBytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::Settings;
use super::batch::Identity;
use super::book::Book;
use crate::connection::ConnectionConfig;
use crate::kafka::wire::{DOUBT, Inquiry, QUESTION, Said, Target, in_time, name_of};
use crate::messaging::until;
use crate::messaging::{Intents, Outgoing, Told};
use crate::unit::UnixMillis;

/// How long nothing is acknowledged of what is in hand before it is said, and said again.
const SILENCE: Duration = Duration::from_secs(10);
/// How often it is looked whether something can be done, though nobody says so.
const LOOK: Duration = Duration::from_secs(1);

/// What the producer is told.
pub(super) enum Order {
    Publish(Vec<Outgoing>, Told),
    /// How many partitions the topic has; nothing where nobody knows it.
    Partitions(String, oneshot::Sender<Option<u32>>),
}

/// What an asked broker said, or why none did.
enum Answer {
    Said(Said),
    Identity(Result<InitProducerIdResponse, String>),
    Produced(i32, Result<ProduceResponse, String>),
}

/// Works until nobody can tell it anything any more, then tells that nothing more is known.
pub(super) async fn run(
    config: ConnectionConfig,
    settings: Settings,
    mut orders: mpsc::Receiver<Order>,
    intents: Arc<Intents>,
) {
    let mut work = Work {
        book: Book::new(settings),
        calls: JoinSet::new(),
        called: HashMap::new(),
        inquiry: Inquiry::of("the producer", config, Instant::now()),
        questions: Vec::new(),
        doubt_at: Instant::now() + DOUBT,
        silent_since: Instant::now(),
    };
    loop {
        // Asked first: whoever has published what was intended is heard below.
        let intended = intents.any();
        while !work.book.is_full()
            && let Ok(order) = orders.try_recv()
        {
            work.ordered(order);
        }
        work.step(intended);
        let wake = work.wake(intended);
        tokio::select! {
            // What brokers said makes room for what is new.
            biased;
            Some(ended) = work.calls.join_next_with_id() => work.ended(ended),
            order = orders.recv(), if !work.book.is_full() => match order {
                Some(order) => work.ordered(order),
                None => break,
            },
            () = intents.over() => {}
            // What it is full of may never be acknowledged.
            () = until(wake) => if orders.is_closed() && work.book.is_full() { break },
        }
    }
    work.book.abandon("the producer ended");
}

struct Work {
    book: Book,
    calls: JoinSet<Answer>,
    /// Whose answers are waited for.
    called: HashMap<Id, i32>,
    /// What is asked beside what is produced.
    inquiry: Inquiry,
    questions: Vec<(String, oneshot::Sender<Option<u32>>)>,
    doubt_at: Instant,
    /// Since when nothing was acknowledged, or there was nothing.
    silent_since: Instant,
}

impl Work {
    fn ordered(&mut self, order: Order) {
        if self.book.is_empty() {
            self.silent_since = Instant::now();
        }
        match order {
            Order::Publish(records, told) => self.book.take(records, &told, Instant::now()),
            Order::Partitions(topic, whom) => self.questions.push((topic, whom)),
        }
    }

    /// Does all that can be done now; `intended`: somebody is about to publish.
    fn step(&mut self, intended: bool) {
        let now = Instant::now();
        self.questions.retain(|(_, whom)| !whom.is_closed());
        if self.doubt_at <= now {
            self.doubt_at = now + DOUBT;
            self.book.doubt();
        }
        if !self.book.is_empty() && now.duration_since(self.silent_since) >= SILENCE {
            self.silent_since = now;
            tracing::warn!("no record was acknowledged for {} s: {}", SILENCE.as_secs(), self.book);
        }
        if self.inquiry.is_free(now) && self.is_curious() {
            self.ask();
        }
        let Some(client) = self.inquiry.client() else { return };
        let limit = self.inquiry.limit();
        for shipment in self.book.ship(now, UnixMillis::now(), intended) {
            let client = Arc::clone(client);
            let broker = shipment.broker;
            let call = self.calls.spawn(async move {
                let call = client.call(Target::Broker(broker), &shipment.request);
                Answer::Produced(broker, in_time(limit, call).await)
            });
            self.called.insert(call.id(), broker);
        }
    }

    fn is_curious(&self) -> bool {
        !self.questions.is_empty()
            || !self.book.is_empty() && (!self.book.asks_about().is_empty() || self.book.asks_for_identity())
    }

    /// When there is something to be done though nobody says anything.
    fn wake(&self, intended: bool) -> Option<Instant> {
        let asks = self.inquiry.free_at().filter(|_| self.is_curious());
        let looks = (!self.book.is_empty()).then(|| self.doubt_at.min(Instant::now() + LOOK));
        [asks, looks, self.book.rests_until(intended)].into_iter().flatten().min()
    }

    fn ask(&mut self) {
        let mut topics = self.book.asks_about();
        topics.extend(self.questions.iter().map(|(topic, _)| StrBytes::from_string(topic.clone())));
        topics.sort();
        topics.dedup();
        match self.inquiry.client().cloned() {
            Some(client) if topics.is_empty() => {
                self.inquiry.begin();
                let request = InitProducerIdRequest::default()
                    .with_transactional_id(None)
                    .with_producer_id((-1).into())
                    .with_producer_epoch(-1);
                self.calls.spawn(async move {
                    Answer::Identity(in_time(QUESTION, client.call(Target::Any, &request)).await)
                });
            }
            _ => {
                let asking = self.inquiry.ask(topics);
                self.calls.spawn(async { Answer::Said(asking.await) });
            }
        }
    }

    fn ended(&mut self, ended: Result<(Id, Answer), JoinError>) {
        match ended {
            Ok((call, answer)) => {
                self.called.remove(&call);
                self.answered(answer);
            }
            // A call that panics is a mistake of ours; what it was about must not wait for ever.
            Err(error) => match self.called.remove(&error.id()) {
                Some(broker) => self.answered(Answer::Produced(broker, Err(error.to_string()))),
                None => self.inquiry.failed(&error.to_string(), Instant::now()),
            },
        }
    }

    fn answered(&mut self, answer: Answer) {
        let now = Instant::now();
        match answer {
            Answer::Produced(broker, Ok(answer)) => {
                let waited = self.book.weight();
                for again in self.book.answered(broker, &answer, now) {
                    tracing::info!("a batch of records is sent again: {again}");
                }
                if self.book.weight() < waited {
                    self.silent_since = now;
                }
            }
            Answer::Produced(broker, Err(error)) => {
                tracing::info!("a batch of records was not acknowledged: {error}");
                self.book.lost(broker, now);
            }
            Answer::Said(said) => {
                if let Some(answer) = self.inquiry.heard(said, now) {
                    self.tell(&answer);
                    self.book.learn(&answer, now);
                    self.inquiry.answered(self.book.asks_about().is_empty(), now);
                }
            }
            Answer::Identity(Ok(answer)) if answer.error_code == 0 => {
                self.book.identify(Identity { id: answer.producer_id.0, epoch: answer.producer_epoch });
                self.inquiry.answered(true, now);
            }
            Answer::Identity(Ok(answer)) => {
                let reason = format!("no identity for a producer: {}", name_of(answer.error_code));
                self.inquiry.failed(&reason, now);
            }
            Answer::Identity(Err(reason)) => self.inquiry.failed(&reason, now),
        }
    }

    /// Tells who asked for partitions.
    fn tell(&mut self, answer: &MetadataResponse) {
        for (topic, whom) in std::mem::take(&mut self.questions) {
            let known = answer
                .topics
                .iter()
                .find(|known| known.name.as_ref().is_some_and(|name| name.as_str() == topic));
            match known {
                Some(known) => {
                    let count = u32::try_from(known.partitions.len()).ok().filter(|count| *count > 0);
                    // Whoever waits no longer needs no answer.
                    let _ = whom.send(count);
                }
                None => self.questions.push((topic, whom)),
            }
        }
    }
}
