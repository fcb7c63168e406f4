//! Requests for notifications, and the account of what arrived.
//!
//! `outage fill BROKERS TOPIC ORDERS FROM TO` asks for those numbers. `outage return BROKERS TOPIC ORDERS FILE BEFORE ASKED
//! RATE LIMIT BURST` watches FILE, where BEFORE letters are, while the service catches up with ASKED, and RATE a second
//! more are asked for; it says `begin` before it looks and `caught up` once nothing waits, then reads on for a while and
//! prints a line of JSON. LIMIT and BURST are the pace that the service was given, 0 for none.

mod arrivals;
mod letters;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arrivals::Arrivals;
use kafkaflow::kafka::Cluster;
use letters::Letters;

const USAGE: &str = "usage: outage fill BROKERS TOPIC ORDERS FROM TO\n       \
                     outage return BROKERS TOPIC ORDERS FILE BEFORE ASKED RATE LIMIT BURST";
const EVERY: Duration = Duration::from_millis(10);
/// Seconds: behind by no more than is asked for meanwhile, the service has caught up.
const BEHIND: usize = 1;
/// What would come twice may come for so much longer.
const AFTERWARDS: Duration = Duration::from_secs(5);
/// Without anything new for so long, the rest is lost.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let number =
        |text: &str| -> usize { text.parse().unwrap_or_else(|_| panic!("{text} is no number\n{USAGE}")) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match args.as_slice() {
        ["fill", brokers, topic, orders, from, to] => {
            let letters = Letters::of(&Cluster::at(brokers).expect("brokers"), topic, number(orders));
            let (from, to) = (number(from), number(to));
            let began = Instant::now();
            runtime.block_on(letters.gather(from..to));
            println!(
                "{}",
                serde_json::json!({ "per_second": (to - from) as f64 / began.elapsed().as_secs_f64() })
            );
        }
        ["return", brokers, topic, orders, file, before, asked, rate, limit, burst] => {
            let orders = number(orders);
            let letters = Letters::of(&Cluster::at(brokers).expect("brokers"), topic, orders);
            let arrivals = Arrivals::of(file, orders);
            let back = Back {
                before: number(before),
                asked: number(asked),
                rate: number(rate),
                limit: number(limit),
                burst: number(burst),
            };
            println!("{}", runtime.block_on(back.watch(&letters, arrivals)));
        }
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    }
}

/// A service that comes back.
struct Back {
    before: usize,
    asked: usize,
    rate: usize,
    limit: usize,
    burst: usize,
}

impl Back {
    async fn watch(&self, letters: &Letters, mut arrivals: Arrivals) -> serde_json::Value {
        arrivals.look();
        assert_eq!(arrivals.arrived, self.before, "what arrived before the outage");
        println!("begin");
        let began = Instant::now();
        let arrived = AtomicUsize::new(self.before);
        let over = AtomicBool::new(false);
        let behind = self.rate * BEHIND;
        let caught_up =
            |asked: usize| arrived.load(Ordering::Relaxed) + behind >= asked || over.load(Ordering::Relaxed);
        let asking = async {
            let asked = letters.go_on(self.asked, self.rate, caught_up).await;
            (asked, Instant::now())
        };
        let looking = async {
            let (mut last, mut moved) = (self.before, Instant::now());
            let mut all = None;
            let mut asking = std::pin::pin!(asking);
            loop {
                tokio::select! {
                    ended = &mut asking, if all.is_none() => {
                        all = Some(ended);
                        println!("caught up");
                    }
                    () = tokio::time::sleep(EVERY) => {}
                }
                arrivals.look();
                arrived.store(arrivals.arrived, Ordering::Relaxed);
                if arrivals.arrived > last {
                    (last, moved) = (arrivals.arrived, Instant::now());
                } else if moved.elapsed() >= PATIENCE {
                    over.store(true, Ordering::Relaxed);
                }
                if let Some((asked, at)) = all
                    && (arrivals.arrived == asked && moved.elapsed() >= AFTERWARDS
                        || moved.elapsed() >= PATIENCE)
                {
                    break (asked, at);
                }
            }
        };
        let (asked, ended) = looking.await;
        let first =
            arrivals.looks.iter().find(|(_, count)| *count > self.before).map_or(ended, |(at, _)| *at);
        let seconds = ended.duration_since(began).as_secs_f64();
        let until_then = arrivals
            .looks
            .iter()
            .rev()
            .find(|(at, _)| *at <= ended)
            .map_or(0, |(_, count)| count - self.before);
        serde_json::json!({
            "waited": self.asked - self.before,
            "meanwhile": asked - self.asked,
            "first_after": first.duration_since(began).as_secs_f64(),
            "seconds": seconds,
            "per_second": until_then as f64 / ended.duration_since(first).as_secs_f64().max(0.001),
            "too_many": if self.limit == 0 { 0 } else { arrivals.too_many(began, self.before, self.limit, self.burst) },
            "lost": arrivals.lost(asked),
            "again": arrivals.again,
            "out_of_order": arrivals.out_of_order,
        })
    }
}
