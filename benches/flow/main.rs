//! Orders over HTTP, their outcomes from the topic of notifications; the same client for every service that has
//! `POST /orders` and `GET /orders/{id}/events`.
//!
//! `flow WHAT URL BROKERS TOPIC SECONDS NUMBER` prints `begin` and `end` around what is measured, then one line of JSON.
//! `sustained`: as many orders as are settled, with at most NUMBER on their way. `paced`: NUMBER a second. `trial`: the same
//! without a warm-up, and whatever is refused.

mod outcomes;
mod place;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use outcomes::Outcomes;
use place::{Connection, Placed, follow};

const USAGE: &str = "usage: flow sustained|paced|trial URL BROKERS TOPIC SECONDS NUMBER";
/// Connections that place orders.
const CONNECTIONS: usize = 64;
/// Before it is measured: groups come together, the JVM compiles, caches fill.
const WARM: Duration = Duration::from_secs(30);
/// Before that ends it is said that it will.
const SOON: Duration = Duration::from_secs(6);
/// Seconds of a run that have a figure of their own.
const SLICE: u64 = 10;
/// How long the last orders may take.
const LAST: Duration = Duration::from_secs(60);
/// Orders of a second whose events are followed.
const FOLLOWED: u64 = 100;
/// One order of so many asks for what is sold out.
const SOLD_OUT_EACH: u64 = 500;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [what, url, brokers, topic, seconds, number] = args.as_slice() else {
        eprintln!("{USAGE}");
        std::process::exit(2);
    };
    let lasts = Duration::from_secs(seconds.parse().expect("SECONDS is a number"));
    let number: u64 = number.parse().expect("NUMBER is a number");
    let address = url.trim_start_matches("http://").to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let outcomes = Outcomes::listen(brokers, topic);
    let figures = runtime.block_on(async {
        match what.as_str() {
            "sustained" => sustained(&address, &outcomes, lasts, number).await,
            "paced" => paced(&address, &outcomes, lasts, number, WARM).await,
            "trial" => paced(&address, &outcomes, lasts, number, Duration::ZERO).await,
            _ => {
                eprintln!("{USAGE}");
                std::process::exit(2);
            }
        }
    });
    println!("{figures}");
}

/// What was placed in all.
#[derive(Default)]
struct Ledger {
    accepted: HashSet<String>,
    refused: u64,
}

impl Ledger {
    fn note(&mut self, placed: Option<Placed>) {
        match placed {
            Some(placed) => {
                self.accepted.insert(placed.id);
            }
            None => self.refused += 1,
        }
    }
}

fn product(number: u64) -> &'static str {
    if number % SOLD_OUT_EACH == SOLD_OUT_EACH - 1 {
        "PROD-404"
    } else {
        ["LOAD-1", "LOAD-2"][usize::try_from(number % 2).unwrap_or(0)]
    }
}

fn latencies() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("bounds")
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

fn millis_at(quantile: f64, of: &Histogram<u64>) -> f64 {
    of.value_at_quantile(quantile) as f64 / 1000.0
}

fn percentiles(of: &Histogram<u64>) -> serde_json::Value {
    serde_json::json!({ "p50": millis_at(0.5, of), "p99": millis_at(0.99, of), "max": of.max() as f64 / 1000.0, "count": of.len() })
}

/// Asks until an order is taken and settled.
async fn warm_up(address: &str, outcomes: &Outcomes, ledger: &mut Ledger) {
    let deadline = Instant::now() + LAST;
    let mut connection = Connection::open(address).await;
    while outcomes.seen() == 0 {
        assert!(Instant::now() < deadline, "no order was settled within {LAST:?}");
        ledger.note(connection.place("LOAD-WARM", product(0)).await);
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn sustained(address: &str, outcomes: &Outcomes, lasts: Duration, most: u64) -> serde_json::Value {
    let mut ledger = Ledger::default();
    warm_up(address, outcomes, &mut ledger).await;
    let (taken, number) =
        (Arc::new(AtomicU64::new(ledger.accepted.len() as u64)), Arc::new(AtomicU64::new(0)));
    let measured = Arc::new(AtomicBool::new(false));
    let ended = Arc::new(AtomicBool::new(false));
    let post = Arc::new(Mutex::new(latencies()));
    let mut placing = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let (taken, number, measured, ended, post, seen, address) = (
            Arc::clone(&taken),
            Arc::clone(&number),
            Arc::clone(&measured),
            Arc::clone(&ended),
            Arc::clone(&post),
            outcomes.counter(),
            address.to_owned(),
        );
        placing.spawn(async move {
            let mut connection = Connection::open(&address).await;
            let (mut accepted, mut refused) = (Vec::new(), 0_u64);
            let customer = format!("LOAD-{}", number.fetch_add(1, Ordering::Relaxed));
            while !ended.load(Ordering::Relaxed) {
                if taken.load(Ordering::Relaxed) >= seen.load(Ordering::Relaxed) + most {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    continue;
                }
                taken.fetch_add(1, Ordering::Relaxed);
                let began = Instant::now();
                match connection.place(&customer, product(number.fetch_add(1, Ordering::Relaxed))).await {
                    Some(placed) => accepted.push(placed.id),
                    None => {
                        taken.fetch_sub(1, Ordering::Relaxed);
                        refused += 1;
                    }
                }
                if measured.load(Ordering::Relaxed) {
                    post.lock().await.saturating_record(micros(began.elapsed()));
                }
            }
            (accepted, refused)
        });
    }
    tokio::time::sleep(WARM).await;
    println!("begin");
    measured.store(true, Ordering::Relaxed);
    let (began, before) = (Instant::now(), outcomes.seen());
    tokio::time::sleep(lasts).await;
    let settled = outcomes.seen() - before;
    let per_second = settled as f64 / began.elapsed().as_secs_f64();
    println!("end");
    ended.store(true, Ordering::Relaxed);
    while let Some(placed) = placing.join_next().await {
        let (accepted, refused) = placed.expect("a connection's task");
        ledger.accepted.extend(accepted);
        ledger.refused += refused;
    }
    let post = percentiles(&*post.lock().await);
    let account = account(&ledger, outcomes).await;
    serde_json::json!({
        "what": "sustained", "per_second": per_second.round(), "settled": settled, "post_ms": post, "account": account,
    })
}

async fn paced(
    address: &str,
    outcomes: &Outcomes,
    lasts: Duration,
    rate: u64,
    warm: Duration,
) -> serde_json::Value {
    let mut ledger = Ledger::default();
    if !warm.is_zero() {
        warm_up(address, outcomes, &mut ledger).await;
    }
    let idle = Arc::new(Mutex::new(Vec::new()));
    let room = Arc::new(Semaphore::new(10 * CONNECTIONS));
    let mut measured = Measured::default();
    let mut sending: JoinSet<Sent> = JoinSet::new();
    let began = Instant::now();
    let warm = warm.as_secs() * rate;
    for number in 0..warm + lasts.as_secs() * rate {
        let due = began + Duration::from_secs_f64(number as f64 / rate as f64);
        tokio::time::sleep_until(due.into()).await;
        if number + SOON.as_secs() * rate == warm {
            println!("soon");
        }
        if number == warm {
            println!("begin");
        }
        let place = Arc::clone(&room).acquire_owned().await.expect("room");
        // The timer's own milliseconds are not the service's; a client that is late is.
        let now = Instant::now();
        let from = if now.duration_since(due) < Duration::from_millis(2) { now } else { due };
        let (idle, address) = (Arc::clone(&idle), address.to_owned());
        let followed = number % (rate / FOLLOWED).max(1) == 0;
        sending.spawn(async move {
            let waiting: Option<Connection> = idle.lock().await.pop();
            let mut connection = match waiting {
                Some(connection) => connection,
                None => Connection::open(&address).await,
            };
            let placed = connection.place(&format!("LOAD-{}", number % 64), product(number)).await;
            let took = from.elapsed();
            idle.lock().await.push(connection);
            drop(place);
            let outcome = match &placed {
                Some(placed) if placed.settled => Some(took),
                Some(placed) if followed => {
                    let followed = tokio::time::timeout(LAST, follow(&address, &placed.id)).await;
                    followed.unwrap_or(false).then(|| from.elapsed())
                }
                _ => None,
            };
            Sent {
                placed,
                took,
                outcome,
                slice: number.checked_sub(warm).map(|number| number / (rate * SLICE)),
            }
        });
        while let Some(sent) = sending.try_join_next() {
            measured.note(sent.expect("an order's task"), &mut ledger);
        }
    }
    println!("end");
    while let Some(sent) = sending.join_next().await {
        measured.note(sent.expect("an order's task"), &mut ledger);
    }
    let account = account(&ledger, outcomes).await;
    serde_json::json!({
        "what": "paced", "post_ms": measured.of(|slice| &slice.0), "outcome_ms": measured.of(|slice| &slice.1),
        "account": account,
    })
}

/// What became of one order.
struct Sent {
    placed: Option<Placed>,
    took: Duration,
    outcome: Option<Duration>,
    /// In which ten seconds of the run, if it counts.
    slice: Option<u64>,
}

/// The run's latencies, and those of every ten seconds of it: what gets worse with time shows there.
#[derive(Default)]
struct Measured(BTreeMap<u64, (Histogram<u64>, Histogram<u64>)>);

impl Measured {
    fn note(&mut self, sent: Sent, ledger: &mut Ledger) {
        ledger.note(sent.placed);
        let Some(slice) = sent.slice else { return };
        let (post, outcome) = self.0.entry(slice).or_insert_with(|| (latencies(), latencies()));
        post.saturating_record(micros(sent.took));
        if let Some(took) = sent.outcome {
            outcome.saturating_record(micros(took));
        }
    }

    fn of(&self, which: impl Fn(&(Histogram<u64>, Histogram<u64>)) -> &Histogram<u64>) -> serde_json::Value {
        let mut whole = latencies();
        self.0.values().for_each(|slice| whole += which(slice));
        let mut answer = percentiles(&whole);
        answer["p99_of_10_s"] = self.0.values().map(|slice| millis_at(0.99, which(slice))).collect();
        answer
    }
}

/// Waits for the last, then holds what was accepted against what was settled.
async fn account(ledger: &Ledger, outcomes: &Outcomes) -> serde_json::Value {
    let deadline = Instant::now() + LAST;
    loop {
        let (lost, strangers) = outcomes.against(&ledger.accepted);
        if lost == 0 || Instant::now() >= deadline {
            return serde_json::json!({
                "accepted": ledger.accepted.len(), "refused": ledger.refused, "lost": lost, "strangers": strangers,
                "again": outcomes.again(),
            });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
