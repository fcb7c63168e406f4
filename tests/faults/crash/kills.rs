//! `kill -9` at every boundary, on both stores.

use std::time::{Duration, Instant};

use super::child::Signal;
use super::world::{Kind, World};
use crate::support::brokers::prefix;
use kafkaflow::runtime::Boundary;

/// How long a child has to meet its fate before it is killed wherever it is.
const PATIENCE: Duration = Duration::from_secs(3);
const INPUTS: u64 = 15;

/// Eight lanes, each with topics and a database of its own; `KAFKAFLOW_CRASH_KILLS` says how many kills there are
/// in all.
#[test]
fn two_hundred_kills_cost_nothing() {
    let kills: usize =
        std::env::var("KAFKAFLOW_CRASH_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(200);
    let seed: u64 =
        std::env::var("KAFKAFLOW_CRASH_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let prefix = prefix("kills");
    let began = Instant::now();
    let lanes: Vec<_> = (0..8)
        .map(|lane| {
            let name = format!("{prefix}.{lane}");
            let kind = match lane % 4 {
                0 | 2 => Kind::Sqlite,
                1 => Kind::Postgres,
                _ => Kind::Optimistic,
            };
            std::thread::spawn(move || kill_again_and_again(&name, kind, kills / 8, seed * 1000 + lane))
        })
        .collect();
    let mut total = (0, 0, 0, 0, 0);
    for lane in lanes {
        let (met, figures) = lane.join().expect("a lane is clean");
        total.0 += met;
        total.1 += figures.inputs;
        total.2 += figures.effects;
        total.3 += figures.dead;
        total.4 += figures.repeats;
    }
    println!(
        "{kills} kills ({} at their boundary) in {:.0} s: {} inputs, {} effects, {} dead letters, {} repeats",
        total.0,
        began.elapsed().as_secs_f64(),
        total.1,
        total.2,
        total.3,
        total.4
    );
    assert!(total.0 * 2 > kills, "only {} of {kills} children were killed where they should be", total.0);
}

fn kill_again_and_again(name: &str, kind: Kind, kills: usize, seed: u64) -> (usize, super::check::Figures) {
    let mut world = World::new(name, kind);
    let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut met = 0;
    for round in 0..kills {
        world.produce(INPUTS);
        // Every boundary in turn, after more or fewer times; the rarest are met at once.
        let boundary = (round + usize::try_from(seed).unwrap_or(0)) % Boundary::ALL.len();
        let times = match Boundary::ALL[boundary] {
            Boundary::Burying | Boundary::Buried | Boundary::Revoked => 1,
            _ => 1 + chance.below(4),
        };
        // A tenth are dynamic members, whose partitions go to nobody until their session is over.
        let instance = (chance.below(10) > 0).then_some("one");
        let mut child = world.start(Some((boundary, times, Signal::Kill)), instance);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if child.try_wait().unwrap().is_some() {
                met += 1;
                break;
            }
            if Instant::now() > deadline {
                child.kill().unwrap();
                child.wait().unwrap();
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
    let last = world.start(None, Some("one"));
    world.finish(vec![last]);
    (met, world.check())
}

/// xorshift: the same kills for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit).unwrap_or(0)
    }
}
