//! The fetcher at work: one task that asks brokers and keeps the book.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kafka_protocol::messages::{FetchResponse, ListOffsetsResponse};
use tokio::sync::{Notify, mpsc};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use super::answers::Notice;
use super::book::{Asked, Book, Request};
use super::stream::Feed;
use super::track::Start;
use super::{Moved, Settings};
use crate::connection::ConnectionConfig;
use crate::kafka::wire::{DOUBT, Inquiry, Said, Target, in_time};
use crate::messaging::until;

/// What the fetcher is told.
#[derive(Debug)]
pub(super) enum Order {
    Begin(Feed, Start),
    End(Vec<(String, i32)>),
}

/// What an asked broker said, or why none did.
enum Answer {
    Said(Said),
    Records(u64, Result<FetchResponse, String>),
    Offsets(u64, Result<ListOffsetsResponse, String>),
}

/// Works until nobody can tell it anything any more.
pub(super) async fn run(
    config: ConnectionConfig,
    settings: Settings,
    mut orders: mpsc::Receiver<Order>,
    room: Arc<Notify>,
    moved: mpsc::Sender<Moved>,
) {
    let mut work = Work {
        book: Book::new(settings),
        calls: JoinSet::new(),
        called: HashMap::new(),
        inquiry: Inquiry::of("the fetcher", config, Instant::now()),
        doubt_at: Instant::now() + DOUBT,
    };
    loop {
        work.step();
        let wake = work.wake();
        let notices = tokio::select! {
            // Who gives partitions back waits for it.
            biased;
            order = orders.recv() => match order {
                Some(order) => {
                    work.ordered(order);
                    Vec::new()
                }
                None => return,
            },
            Some(ended) = work.calls.join_next_with_id() => work.ended(ended),
            () = room.notified() => Vec::new(),
            () = until(wake) => Vec::new(),
        };
        for notice in notices {
            match notice {
                // Who does not listen any more does not miss it.
                Notice::Moved(place) => _ = moved.send(place).await,
                Notice::Nearer(what) => tracing::debug!("{what}"),
                Notice::Again(what) => tracing::info!("records are asked for again: {what}"),
                Notice::Grave(what) => tracing::error!("{what}"),
            }
        }
    }
}

struct Work {
    book: Book,
    calls: JoinSet<Answer>,
    /// Whose answers are waited for.
    called: HashMap<Id, u64>,
    /// What is asked beside records and offsets.
    inquiry: Inquiry,
    doubt_at: Instant,
}

impl Work {
    fn ordered(&mut self, order: Order) {
        match order {
            Order::Begin(feed, start) => self.book.begin(feed, start),
            Order::End(partitions) => self.book.end(&partitions),
        }
    }

    /// Does all that can be done now.
    fn step(&mut self) {
        let now = Instant::now();
        if self.doubt_at <= now {
            self.doubt_at = now + DOUBT;
            self.book.doubt();
        }
        if self.inquiry.is_free(now) && self.is_curious() {
            let asking = self.inquiry.ask(self.book.asks_about());
            self.calls.spawn(async { Answer::Said(asking.await) });
        }
        let Some(client) = self.inquiry.client() else { return };
        let wait = Duration::from_millis(u64::try_from(self.book.settings.wait_ms).unwrap_or(0));
        let limit = self.inquiry.limit() + wait;
        for Asked { call, broker, request } in self.book.ask(now) {
            let (client, to) = (Arc::clone(client), Target::Broker(broker));
            let task = self.calls.spawn(async move {
                match request {
                    Request::Records(request) => {
                        Answer::Records(call, in_time(limit, client.call(to, &request)).await)
                    }
                    Request::Offsets(request) => {
                        Answer::Offsets(call, in_time(limit, client.call(to, &request)).await)
                    }
                }
            });
            self.called.insert(task.id(), call);
        }
    }

    fn is_curious(&self) -> bool {
        !self.book.is_empty() && (self.inquiry.client().is_none() || !self.book.asks_about().is_empty())
    }

    /// When there is something to be done though nobody says anything.
    fn wake(&self) -> Option<Instant> {
        let asks = self.inquiry.free_at().filter(|_| self.is_curious());
        let doubts = (!self.book.is_empty()).then_some(self.doubt_at);
        [asks, doubts, self.book.rests_until()].into_iter().flatten().min()
    }

    fn ended(&mut self, ended: Result<(Id, Answer), JoinError>) -> Vec<Notice> {
        let now = Instant::now();
        match ended {
            Ok((task, answer)) => {
                self.called.remove(&task);
                self.answered(answer, now)
            }
            // A call that panics is a mistake of ours; what it was about must not wait for ever.
            Err(error) => {
                match self.called.remove(&error.id()) {
                    Some(call) => self.book.lost(call, now),
                    None => self.inquiry.failed(&error.to_string(), now),
                }
                Vec::new()
            }
        }
    }

    fn answered(&mut self, answer: Answer, now: Instant) -> Vec<Notice> {
        match answer {
            Answer::Records(call, Ok(answer)) => return self.book.fetched(call, answer, now),
            Answer::Offsets(call, Ok(answer)) => return self.book.located(call, &answer, now),
            Answer::Records(call, Err(reason)) | Answer::Offsets(call, Err(reason)) => {
                self.book.lost(call, now);
                return vec![Notice::Again(reason)];
            }
            Answer::Said(said) => {
                if let Some(answer) = self.inquiry.heard(said, now) {
                    self.book.learn(&answer);
                    self.inquiry.answered(self.book.asks_about().is_empty(), now);
                }
            }
        }
        Vec::new()
    }
}
