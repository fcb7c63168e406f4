//! Random stories of records that work, fail and come again, handled to their end.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use proptest::prelude::*;

use super::testing::{Acts, Setup, effects, part, record};
use crate::messaging::Record;
use crate::runtime::consumer::share::{Part, Stop};
use crate::runtime::testing::Does;
use crate::store::testing::{EFFECTS, TestStore};

/// What happens to records of four partitions, however it is cut into batches.
#[derive(Clone, Debug)]
struct Story {
    records: Vec<(i32, u8, Acts)>,
    batch: usize,
    lost_letters: u8,
}

fn stories() -> impl Strategy<Value = Story> {
    let acts = prop_oneof![
        6 => Just(Acts::Works),
        1 => Just(Acts::Poison),
        1 => Just(Acts::Named),
        1 => (1_u32..5).prop_map(Acts::Fails),
    ];
    let records = prop::collection::vec((0..3_i32, 0..40_u8, acts), 1..40);
    (records, 1..12_usize, 0..3_u8).prop_map(|(records, batch, lost_letters)| Story {
        records,
        batch,
        lost_letters,
    })
}

/// Handles a story to its end; effects and dead letters.
async fn tell(story: &Story) -> (Vec<String>, Vec<String>, Vec<String>) {
    let setup = Setup::of(TestStore::sqlite(EFFECTS).await);
    let lost = Arc::new(Mutex::new(story.lost_letters));
    setup.fake.script(move |_| {
        let mut lost = lost.lock().unwrap();
        if *lost > 0 {
            *lost -= 1;
            return Does::Lose;
        }
        Does::Acknowledge
    });
    let mut queues: BTreeMap<i32, Vec<Record>> = BTreeMap::new();
    let mut first = Vec::new();
    for (partition, id, acts) in &story.records {
        // An id belongs to one partition, and acts the same way always.
        let id = format!("{partition}-{id}");
        let queue = queues.entry(*partition).or_default();
        queue.push(record(*partition, i64::try_from(queue.len()).unwrap(), &id));
        if !first.contains(&id) {
            setup.script.set(&id, *acts);
            first.push(id);
        }
    }
    let mut failing: HashMap<i32, (i64, u32)> = HashMap::new();
    while queues.values().any(|queue| !queue.is_empty()) {
        let parts: Vec<Part> = queues
            .iter_mut()
            .filter(|(_, queue)| !queue.is_empty())
            .map(|(partition, queue)| Part {
                records: queue.drain(..story.batch.min(queue.len())).collect(),
                failing: failing.remove(partition),
                ..part(*partition, &[])
            })
            .collect();
        let partitions: Vec<i32> = parts.iter().map(|part| part.partition).collect();
        for (partition, rest) in partitions.into_iter().zip(setup.handle(parts).await) {
            if let Some(Stop::Retry { offset, attempts, .. }) = rest.stop {
                failing.insert(partition, (offset, attempts));
            }
            queues.entry(partition).or_default().splice(..0, rest.unfinished);
        }
    }
    let letters = setup.letters().iter().map(|letter| letter.split(' ').next().unwrap().to_owned()).collect();
    (effects(&setup.test.store).await, letters, first)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn every_event_has_one_effect_in_order_or_a_dead_letter(story in stories()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (effects, letters, ids) = runtime.block_on(tell(&story));
        let dead: BTreeSet<&String> = letters.iter().collect();
        let worked: BTreeSet<&String> = effects.iter().collect();
        prop_assert_eq!(worked.len(), effects.len(), "an effect twice");
        let told: BTreeSet<&String> = worked.union(&dead).copied().collect();
        prop_assert_eq!(told.len(), ids.len(), "an event was lost");
        let mortal: BTreeSet<String> = story
            .records
            .iter()
            .filter(|(.., acts)| matches!(acts, Acts::Poison | Acts::Named | Acts::Fails(3..)))
            .map(|(partition, id, _)| format!("{partition}-{id}"))
            .collect();
        // Of each partition, effects stand in the order in which their events came first.
        for partition in ["0-", "1-", "2-"] {
            // A copy that comes after an event's death has the effect that it had not: out of order, as a replay.
            let of = |list: &[String]| -> Vec<String> {
                list.iter().filter(|id| id.starts_with(partition) && !mortal.contains(*id)).cloned().collect()
            };
            let expected: Vec<String> = of(&ids).into_iter().filter(|id| worked.contains(id)).collect();
            prop_assert_eq!(of(&effects), expected);
        }
    }
}
