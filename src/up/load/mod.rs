//! Load: orders placed over HTTP at a rate, as any client would, and afterwards an account of every one of them.

mod account;
mod client;
mod figures;

pub(crate) use account::Account;
pub(crate) use figures::{Figures, Percentiles};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use account::Accepted;
use client::{Answer, Client, Product};

use crate::unit::Rate;

/// Orders that wait for an answer; more are not sent before one comes.
const IN_FLIGHT: usize = 2048;
/// Of so many orders one asks for a product that is sold out.
const SOLD_OUT_EACH: u64 = 500;
/// Orders a second that are followed to their outcome, each by a stream of its own; of faster load it is a part.
const FOLLOWED: u64 = 100;
/// Customers of one load.
const CUSTOMERS: u64 = 50;
/// How far behind its time an order may be sent before its latency counts from then.
const PUNCTUAL: Duration = Duration::from_millis(2);
/// How often `shown` is called.
const SHOW: Duration = Duration::from_millis(500);
/// How long the last orders may take to their outcome.
const OUTCOME: Duration = Duration::from_secs(60);
/// The pause before orders without an outcome are looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// How much, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Load {
    pub(crate) rate: Rate,
    pub(crate) lasts: Duration,
}

/// Where the API is.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) token: Option<String>,
}

/// Why there was no load, or no account of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("no product has {0} pieces in stock, one for every order")]
    NoStock(u64),
    #[error("nothing was ready, or the first order had no outcome, within {} s; is everything running?", OUTCOME.as_secs())]
    NotReady,
    #[error("{0}")]
    Http(String),
}

/// What it came to.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    pub(crate) figures: Figures,
    pub(crate) account: Account,
    /// Whether a product was sold out, so that orders for it could be cancelled.
    pub(crate) sold_out: bool,
}

impl Load {
    pub(crate) fn orders(&self) -> u64 {
        let (count, seconds) = self.rate.as_fraction();
        let orders = u128::from(count) * self.lasts.as_millis() / (u128::from(seconds) * 1000);
        u64::try_from(orders).unwrap_or(u64::MAX).max(1)
    }

    /// When the order of this number is due, from the beginning on.
    fn due(&self, number: u64) -> Duration {
        let (count, seconds) = self.rate.as_fraction();
        let nanos = u128::from(number) * u128::from(seconds) * 1_000_000_000 / u128::from(count.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// One of so many orders is followed.
    fn followed_each(&self) -> u64 {
        let (count, seconds) = self.rate.as_fraction();
        count.div_ceil(seconds * FOLLOWED).max(1)
    }
}

/// What the load buys.
struct Shelf {
    plenty: Vec<String>,
    sold_out: Option<String>,
}

impl Shelf {
    fn product(&self, number: u64) -> &str {
        match &self.sold_out {
            Some(product) if number % SOLD_OUT_EACH == SOLD_OUT_EACH - 1 => product,
            _ => &self.plenty[usize::try_from(number).unwrap_or(0) % self.plenty.len()],
        }
    }
}

/// Waits until an order goes all the way, places orders, waits for their outcomes, and accounts for them. `run` is unlike
/// that of every other load; `shown` is told of the figures now and then.
pub(crate) async fn run(
    load: Load,
    target: &Target,
    run: &str,
    shown: &dyn Fn(&Figures),
) -> Result<Report, LoadError> {
    let client = Arc::new(Client::new(target)?);
    let orders = load.orders();
    let products = stock(&client).await?;
    let plenty = products.iter().filter(|one| one.available.unwrap_or(0) > orders);
    let shelf = Shelf {
        plenty: plenty.map(|one| one.id.clone()).collect(),
        sold_out: products.iter().find(|one| one.available == Some(0)).map(|one| one.id.clone()),
    };
    if shelf.plenty.is_empty() {
        return Err(LoadError::NoStock(orders + 1));
    }
    warm_up(&client, run, &shelf).await?;
    let before = client.products().await?;

    let (figures, accepted) = place(load, &client, run, &shelf, shown).await;
    let mut found = Vec::new();
    for customer in 0..CUSTOMERS {
        found.extend(client.orders_of(&customer_of(run, customer)).await?);
    }
    let deadline = Instant::now() + OUTCOME;
    while found.iter().any(|order| order.status == "PENDING") && Instant::now() < deadline {
        tokio::time::sleep(LOOK_AGAIN).await;
        for order in found.iter_mut().filter(|order| order.status == "PENDING") {
            order.status = client.status(&order.id).await?;
        }
    }
    let after = client.products().await?;
    let account = Account::of(&accepted, figures.unanswered, &found, &before, &after);
    Ok(Report { figures, account, sold_out: shelf.sold_out.is_some() })
}

/// The stock, as soon as the inventory has opened its own.
async fn stock(client: &Client) -> Result<Vec<Product>, LoadError> {
    let deadline = Instant::now() + OUTCOME;
    loop {
        match client.products().await {
            Ok(products) if products.iter().any(|one| one.available.is_some()) => return Ok(products),
            Ok(_) if Instant::now() >= deadline => return Err(LoadError::NotReady),
            Err(error) if Instant::now() >= deadline => return Err(error),
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

fn customer_of(run: &str, number: u64) -> String {
    format!("LOAD-{run}-{}", number % CUSTOMERS)
}

/// Groups need seconds to come together; what is measured begins afterwards.
async fn warm_up(client: &Client, run: &str, shelf: &Shelf) -> Result<(), LoadError> {
    let deadline = Instant::now() + OUTCOME;
    let customer = format!("LOAD-{run}-first");
    loop {
        if let Answer::Accepted(id) = client.place(&customer, &shelf.plenty[0], &customer).await {
            while Instant::now() < deadline {
                if client.status(&id).await? != "PENDING" {
                    return Ok(());
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
        if Instant::now() >= deadline {
            return Err(LoadError::NotReady);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// What became of one order.
struct Sent {
    answer: Answer,
    product: String,
    took: Duration,
    /// From when it was sent to its outcome.
    outcome: Option<Duration>,
}

async fn place(
    load: Load,
    client: &Arc<Client>,
    run: &str,
    shelf: &Shelf,
    shown: &dyn Fn(&Figures),
) -> (Figures, Vec<Accepted>) {
    let mut figures = Figures::new(load.orders());
    let mut accepted = Vec::new();
    let room = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut sending = JoinSet::new();
    let began = Instant::now();
    let mut show_at = began + SHOW;
    for number in 0..load.orders() {
        let due = began + load.due(number);
        sleep_until(due).await;
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { break };
        let now = Instant::now();
        let counted_from = if now.duration_since(due) < PUNCTUAL { now } else { due };
        let (client, customer, product) =
            (Arc::clone(client), customer_of(run, number), shelf.product(number).to_owned());
        let key = format!("{run}-{number}");
        let followed = number % load.followed_each() == 0;
        sending.spawn(async move {
            let answer = client.place(&customer, &product, &key).await;
            let took = counted_from.elapsed();
            drop(place);
            let outcome = match &answer {
                Answer::Accepted(id) if followed => {
                    let followed = tokio::time::timeout(OUTCOME, client.follow(id)).await;
                    followed.ok().and_then(Result::ok).map(|()| counted_from.elapsed())
                }
                _ => None,
            };
            Sent { answer, product, took, outcome }
        });
        while let Some(sent) = sending.try_join_next() {
            settle(sent, &mut figures, &mut accepted);
        }
        if now >= show_at {
            figures.placing_took = began.elapsed();
            shown(&figures);
            show_at = now + SHOW;
        }
    }
    figures.placing_took = began.elapsed().max(load.lasts);
    while let Some(sent) = sending.join_next().await {
        settle(sent, &mut figures, &mut accepted);
    }
    shown(&figures);
    (figures, accepted)
}

fn settle(sent: Result<Sent, tokio::task::JoinError>, figures: &mut Figures, accepted: &mut Vec<Accepted>) {
    let Ok(sent) = sent else {
        figures.unanswered += 1;
        return;
    };
    match sent.answer {
        Answer::Accepted(id) => {
            figures.answered(sent.took);
            accepted.push(Accepted { id, product: sent.product });
        }
        Answer::Refused(status) => *figures.refused.entry(status).or_default() += 1,
        Answer::None => figures.unanswered += 1,
    }
    if let Some(outcome) = sent.outcome {
        figures.settled(outcome);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_five_hundred_asks_for_what_is_sold_out_and_at_most_a_hundred_a_second_are_followed() {
        let shelf = Shelf { plenty: vec!["A".into(), "B".into()], sold_out: Some("S".into()) };
        let bought: Vec<&str> = (0..30_000).map(|number| shelf.product(number)).collect();
        assert_eq!(bought.iter().filter(|product| **product == "S").count(), 60);
        assert!(bought[..499].iter().all(|product| *product != "S"));
        let load = |rate| Load { rate: Rate::parse(rate).unwrap(), lasts: Duration::from_secs(60) };
        assert_eq!((load("500/s").orders(), load("500/s").followed_each()), (30_000, 5));
        assert_eq!((load("20/s").followed_each(), load("30/m").orders()), (1, 30));
        assert_eq!(
            (load("500/s").due(500), load("30/m").due(1)),
            (Duration::from_secs(1), Duration::from_secs(2))
        );
    }
}
