//! Reservations by a call that is waited for, in the place of an event: what a design without Kafka would do, with what
//! that costs. docs/rest-or-kafka.md shows both.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Url};

use super::giving_up::GiveUp;
use super::hearing::Heard;
use super::ids::order_id_of;
use super::results::happened;
use super::store;
use crate::event::Event;
use crate::runtime::HandleError;
use crate::runtime::http::{causes, client};
use crate::runtime::relay::Wake;
use crate::runtime::service::{Ending, asked};
use crate::store::Store;
use crate::store::outbox;
use crate::unit::UnixMillis;

/// Why an order was cancelled that nobody answered, as its customer reads it.
pub(crate) const REASON: &str = "The inventory did not answer";
/// After how long an order without an answer is nobody's any more: whoever asked for it is gone.
const ABANDONED: Duration = Duration::from_secs(60);
/// How often such orders are looked for, and how many are ended in one transaction.
const LOOK: Duration = Duration::from_secs(10);
const AT_ONCE: u32 = 500;
/// How far back: after a start, and from then on.
const STOPPED: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const RECENT: Duration = Duration::from_secs(60 * 60);

/// The inventory's address, and how it is asked.
#[derive(Clone, Debug)]
pub(crate) struct Inventory {
    client: Client,
    url: Url,
    token: Option<HeaderValue>,
}

impl Inventory {
    /// `url` is that of `POST /reservations`; an answer is waited for `within`.
    pub(crate) fn new(
        url: Url,
        token: Option<HeaderValue>,
        within: Duration,
    ) -> Result<Self, reqwest::Error> {
        Ok(Self { client: client().timeout(within).build()?, url, token })
    }

    /// What it answers to an order; else why it does not.
    async fn ask(&self, order: &outbox::Event) -> Result<Event, String> {
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        if let Some(traceparent) = &order.traceparent {
            request = request.header("traceparent", traceparent);
        }
        let answer = request.body(order.payload.clone()).send().await.map_err(|error| in_words(&error))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|error| in_words(&error))?;
        // 409 is an answer: there is not enough.
        if status.as_u16() != 201 && status.as_u16() != 409 {
            return Err(format!("it answers {status}"));
        }
        Event::from_json(&body).map_err(|error| format!("its answer is no event: {error}"))
    }
}

fn in_words(error: &reqwest::Error) -> String {
    if error.is_timeout() { "no answer in time".to_owned() } else { causes(error) }
}

/// Reserves for orders while their clients wait.
#[derive(Clone)]
pub(crate) struct Reserving {
    pub(super) inventory: Inventory,
    pub(super) give_up: GiveUp,
    pub(super) wake: Wake,
}

impl Reserving {
    /// Asks for an order that is written, and records what is answered. `false`: nobody answered, and the order is
    /// cancelled; the inventory is told by Kafka, since it may have reserved all the same.
    pub(super) async fn reserve(
        &self,
        orders: &Store,
        id: &str,
        order: &outbox::Event,
    ) -> Result<bool, HandleError> {
        let answer = match self.inventory.ask(order).await {
            Ok(answer) if answer.order_id().as_str() == id => answer,
            Ok(_) => return self.unanswered(orders, id, "its answer is about another order").await,
            Err(reason) => return self.unanswered(orders, id, &reason).await,
        };
        let heard = Heard {
            order: answer.order_id().clone(),
            happened: happened(&answer)?,
            event_id: Some(answer.event_id().as_str().to_owned()),
            place: None,
            traceparent: order.traceparent.clone(),
        };
        let mut tx = orders.tx();
        self.give_up.ledger.enter(&mut tx, vec![heard]).await?;
        tx.commit().await?;
        self.wake.wake();
        Ok(true)
    }

    async fn unanswered(&self, orders: &Store, id: &str, reason: &str) -> Result<bool, HandleError> {
        tracing::warn!("the inventory did not reserve for {id}, which is cancelled: {reason}");
        self.give_up.end(orders, &[id.to_owned()], true).await?;
        self.wake.wake();
        Ok(false)
    }

    /// Ends orders whose clients, or whose process, went away before there was an answer.
    pub(super) async fn sweep(self, orders: Store, ending: Ending) {
        let sweeping = async {
            let mut since = STOPPED;
            loop {
                match self.sweep_once(&orders, (self.give_up.ledger.now)(), since).await {
                    Ok(count) => {
                        since = RECENT;
                        if count > 0 {
                            tracing::warn!("{count} orders never had an answer, and are cancelled");
                        }
                    }
                    Err(error) => tracing::warn!("orders without an answer: {error}"),
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            () = asked(ending) => {}
            never = sweeping => never,
        }
    }

    /// Those that were placed `since` so long ago; how many.
    async fn sweep_once(
        &self,
        orders: &Store,
        now: UnixMillis,
        since: Duration,
    ) -> Result<usize, HandleError> {
        let mut count = 0;
        loop {
            let (after, older) = (order_id_of(now.before(since)), now.before(ABANDONED));
            let found = store::unannounced(&mut orders.glance(), &after, older, AT_ONCE).await?;
            if found.is_empty() {
                return Ok(count);
            }
            self.give_up.end(orders, &found, true).await?;
            self.wake.wake();
            count += found.len();
        }
    }
}

#[cfg(test)]
#[path = "reserving_tests.rs"]
mod tests;
