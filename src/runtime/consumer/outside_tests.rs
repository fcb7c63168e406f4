//! Batches that are done outside of the store, over both stores, with a performer and a producer that do what a test
//! says.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::share::{Part, Rest, Stop};
use super::{Consumer, Intake, Options};
use crate::messaging::{BackOff, Outgoing, Record, RetryPolicy};
use crate::runtime::testing::{Does, Fake};
use crate::runtime::{HandleError, Outside, Performer};
use crate::store::testing::{self, TestStore, effect, on_both_stores};
use crate::store::{Store, StoreError, Tx, fence};
use crate::unit::UnixMillis;

const NOW: UnixMillis = UnixMillis(1_725_185_730_000);

on_both_stores! { crate::store::testing::EFFECTS;
    what_is_performed_is_settled_and_a_duplicate_is_not_performed,
    what_fails_for_now_is_tried_again_alone_and_nothing_else_is,
    attempts_end_in_the_dead_letter_topic,
    poison_goes_to_the_dead_letter_topic_and_its_neighbours_are_settled,
    what_waits_for_somebody_costs_no_attempts_and_is_no_dead_letter,
    what_has_its_time_waits_for_it_and_what_failed_beside_it_keeps_its_count,
    a_claim_is_committed_before_anything_is_done,
    what_could_not_be_settled_is_performed_again_with_its_key,
    what_another_owner_has_is_not_settled,
    a_flood_of_failures_is_no_flood_of_dead_letters,
    a_dead_letter_that_nobody_acknowledges_leaves_its_record_unfinished,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Acts {
    Fails(u32),
    Poison,
    Waits,
    Later,
    /// Works, and the store is away afterwards.
    LosesTheStore,
    /// Works, and another owner begins an epoch.
    LosesThePartition,
}

#[derive(Default)]
struct Inner {
    script: HashMap<String, Acts>,
    performed: Vec<String>,
    store: Option<Store>,
}

/// Performs as it is told, and remembers what it performed.
#[derive(Clone, Default)]
struct Script(Arc<Mutex<Inner>>);

impl Script {
    fn set(&self, id: &str, acts: Acts) {
        self.0.lock().unwrap().script.insert(id.to_owned(), acts);
    }

    /// What was performed since the last time this was asked.
    fn performed(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().performed)
    }

    fn act(&self, id: &str) -> Option<Acts> {
        let mut inner = self.0.lock().unwrap();
        inner.performed.push(id.to_owned());
        match inner.script.get_mut(id) {
            Some(Acts::Fails(0)) | None => None,
            Some(Acts::Fails(left)) => {
                *left -= 1;
                Some(Acts::Fails(1))
            }
            Some(other) => Some(*other),
        }
    }
}

impl Performer for Script {
    /// The key.
    type Task = String;

    async fn claim(&self, tx: &mut Tx, batch: &[Record]) -> Result<Vec<String>, StoreError> {
        for record in batch {
            effect(tx, "claimed", &id(record)).await?;
        }
        Ok(batch.iter().map(id).collect())
    }

    async fn perform(&self, tasks: Vec<String>) -> Vec<Result<(), HandleError>> {
        let mut came = Vec::new();
        for task in tasks {
            let store = self.0.lock().unwrap().store.clone();
            came.push(match self.act(&task) {
                None => Ok(()),
                Some(Acts::Fails(_)) => Err(HandleError::transient("503")),
                Some(Acts::Poison) => Err(HandleError::poison("no such mailbox")),
                Some(Acts::Waits) => Err(HandleError::waits("the provider refuses our credentials")),
                Some(Acts::Later) => Err(HandleError::later(Duration::from_secs(3), "too many")),
                Some(Acts::LosesTheStore) => {
                    store.unwrap().close().await;
                    Ok(())
                }
                Some(Acts::LosesThePartition) => {
                    own(&store.unwrap(), 0).await;
                    Ok(())
                }
            });
        }
        came
    }

    async fn settle(&self, tx: &mut Tx, done: &[&Record]) -> Result<(), StoreError> {
        for record in done {
            effect(tx, "settled", &id(record)).await?;
        }
        Ok(())
    }
}

fn id(record: &Record) -> String {
    String::from_utf8(record.header("eventId").unwrap().to_vec()).unwrap()
}

async fn own(store: &Store, partition: i32) -> i64 {
    let mut tx = store.tx();
    let owned = fence::own(&mut tx, "g", &[("mails".to_owned(), partition)]).await.unwrap();
    tx.commit().await.unwrap();
    owned[0].epoch
}

struct Setup {
    test: TestStore,
    script: Script,
    fake: Fake,
    consumer: Consumer<Outside<Script>, Fake>,
}

impl Setup {
    fn of(test: TestStore) -> Self {
        let intake = Intake {
            dead_letters: Some("mails.DLT".to_owned()),
            retry: RetryPolicy { attempts: 3, backoff: BackOff::Fixed(Duration::from_secs(7)) },
            ..Intake::default()
        };
        let options = Options::of("g", BTreeMap::from([("mails".to_owned(), intake)]));
        let (script, fake) = (Script::default(), Fake::new());
        script.0.lock().unwrap().store = Some(test.store.clone());
        let consumer =
            Consumer::new(Outside(script.clone()), fake.clone(), Some(test.store.clone()), options);
        Self { test, script, fake, consumer }
    }

    async fn handle(&self, mut parts: Vec<Part>) -> Vec<Rest> {
        for part in &mut parts {
            part.epoch = Some(own(&self.test.store, part.partition).await);
        }
        self.consumer.handle_batch(parts, NOW, 0.5).await
    }

    async fn settled(&self) -> Vec<String> {
        let effects = testing::effects(&self.test.store).await;
        effects.into_iter().filter(|(what, _)| what == "settled").map(|(_, id)| id).collect()
    }

    fn letters(&self) -> Vec<String> {
        let id = |letter: &Outgoing| {
            let header = letter.headers.iter().find(|header| header.name == "eventId");
            String::from_utf8(header.unwrap().value.clone().unwrap()).unwrap()
        };
        self.fake.log().iter().map(id).collect()
    }
}

/// Records of a partition, at offsets from 0 on.
fn part(partition: i32, ids: &[&str]) -> Part {
    let record = |(offset, id): (i64, &&str)| {
        let headers = [("eventId", Some(id.as_bytes()))];
        Record::at("mails", partition, offset).holding(Some(b"k"), Some(b"{}"), headers.into_iter())
    };
    Part {
        topic: "mails".to_owned(),
        partition,
        epoch: None,
        records: (0..).zip(ids).map(record).collect(),
        failing: None,
    }
}

/// What is left, as it comes again.
fn again(partition: i32, rest: Rest) -> Part {
    let failing = match rest.stop {
        Some(Stop::Retry { offset, attempts, .. }) => Some((offset, attempts)),
        _ => None,
    };
    Part { topic: "mails".to_owned(), partition, epoch: None, records: rest.unfinished, failing }
}

fn left(rest: &Rest) -> Vec<String> {
    rest.unfinished.iter().map(id).collect()
}

async fn what_is_performed_is_settled_and_a_duplicate_is_not_performed(test: TestStore) {
    let setup = Setup::of(test);
    let rests = setup.handle(vec![part(0, &["a", "b", "a"]), part(1, &["c"])]).await;
    assert!(rests.iter().all(|rest| rest.unfinished.is_empty() && rest.stop.is_none()), "{rests:?}");
    assert_eq!(setup.script.performed(), ["a", "b", "c"]);
    setup.handle(vec![part(0, &["a", "b", "a", "d"]), part(1, &["c"])]).await;
    assert_eq!(setup.script.performed(), ["d"]);
    assert_eq!(setup.settled().await, ["a", "b", "c", "d"]);
    let next = fence::next_offset(&mut setup.test.store.reading(), "g", "mails", 0).await.unwrap();
    assert_eq!(next, Some(4));
}

async fn what_fails_for_now_is_tried_again_alone_and_nothing_else_is(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Fails(1));
    let mut rests = setup.handle(vec![part(0, &["a", "b", "c"]), part(1, &["d"])]).await;
    assert_eq!(setup.script.performed(), ["a", "b", "c", "d"]);
    assert_eq!((left(&rests[0]), left(&rests[1])), (vec!["b".to_owned()], vec![]));
    let retry = Stop::Retry { offset: 1, attempts: 1, after: Duration::from_secs(7) };
    assert_eq!(rests[0].stop, Some(retry));
    assert_eq!(setup.settled().await, ["a", "c", "d"]);
    let mut parts = vec![again(0, rests.swap_remove(0))];
    // What came after it is known by the inbox if it comes again, as after a rebalance.
    parts[0].records.push(part(0, &["x", "y", "c"]).records.swap_remove(2));
    let rests = setup.handle(parts).await;
    assert!(rests[0].unfinished.is_empty() && rests[0].stop.is_none(), "{rests:?}");
    assert_eq!(setup.script.performed(), ["b"]);
    assert_eq!(setup.settled().await, ["a", "c", "d", "b"]);
}

async fn attempts_end_in_the_dead_letter_topic(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("a", Acts::Fails(99));
    let mut rest = setup.handle(vec![part(0, &["a", "b"])]).await.swap_remove(0);
    for attempts in 1..=2 {
        let retry = Stop::Retry { offset: 0, attempts, after: Duration::from_secs(7) };
        assert_eq!((left(&rest), rest.stop.as_ref()), (vec!["a".to_owned()], Some(&retry)));
        rest = setup.handle(vec![again(0, rest)]).await.swap_remove(0);
    }
    assert!(rest.unfinished.is_empty() && rest.stop.is_none(), "{rest:?}");
    assert_eq!((setup.letters(), setup.settled().await), (vec!["a".to_owned()], vec!["b".to_owned()]));
    assert_eq!(setup.script.performed(), ["a", "b", "a", "a"]);
}

async fn poison_goes_to_the_dead_letter_topic_and_its_neighbours_are_settled(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Poison);
    let rests = setup.handle(vec![part(0, &["a", "b", "c"])]).await;
    assert!(rests[0].unfinished.is_empty() && rests[0].stop.is_none(), "{rests:?}");
    assert_eq!(
        (setup.letters(), setup.settled().await),
        (vec!["b".to_owned()], vec!["a".to_owned(), "c".to_owned()])
    );
    // Read again before its offset was committed: a letter again, and not performed.
    setup.script.performed();
    setup.handle(vec![part(0, &["a", "b", "c"])]).await;
    assert_eq!((setup.script.performed(), setup.letters().len()), (vec![], 2));
}

async fn what_waits_for_somebody_costs_no_attempts_and_is_no_dead_letter(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::Waits);
    for _ in 0..5 {
        let rest = setup.handle(vec![part(0, &["a", "b"])]).await.swap_remove(0);
        assert_eq!(left(&rest), ["b"]);
        assert_eq!(rest.stop, Some(Stop::Wait("the provider refuses our credentials".to_owned())));
    }
    assert!(setup.letters().is_empty());
    assert_eq!(setup.settled().await, ["a"]);
}

async fn what_has_its_time_waits_for_it_and_what_failed_beside_it_keeps_its_count(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("a", Acts::Later);
    let rest = setup.handle(vec![part(0, &["a", "b"])]).await.swap_remove(0);
    assert_eq!(left(&rest), ["a"]);
    let later = Stop::Later { after: Duration::from_secs(3), reason: "too many".to_owned() };
    assert_eq!(rest.stop, Some(later));
    setup.script.set("d", Acts::Fails(99));
    let rest = setup.handle(vec![part(0, &["a", "c", "d"])]).await.swap_remove(0);
    assert_eq!(left(&rest), ["a", "d"]);
    assert_eq!(rest.stop, Some(Stop::Retry { offset: 2, attempts: 1, after: Duration::from_secs(7) }));
    assert!(setup.letters().is_empty());
    assert_eq!(setup.settled().await, ["b", "c"]);
}

async fn a_claim_is_committed_before_anything_is_done(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("a", Acts::Waits);
    setup.handle(vec![part(0, &["a"])]).await;
    assert_eq!(testing::effects(&setup.test.store).await, [("claimed".to_owned(), "a".to_owned())]);
}

async fn what_could_not_be_settled_is_performed_again_with_its_key(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("b", Acts::LosesTheStore);
    let rest = setup.handle(vec![part(0, &["a", "b"])]).await.swap_remove(0);
    assert_eq!(left(&rest), ["a", "b"]);
    assert!(matches!(rest.stop, Some(Stop::Wait(_))), "{rest:?}");
    assert_eq!(setup.script.performed(), ["a", "b"]);
    // The next process.
    let store = Store::open(&setup.test.location, "service", testing::EFFECTS, 8).await.unwrap();
    let mut test = setup.test;
    test.store = store;
    let setup = Setup::of(test);
    let rests = setup.handle(vec![part(0, &["a", "b"])]).await;
    assert!(rests[0].unfinished.is_empty(), "{rests:?}");
    assert_eq!(setup.script.performed(), ["a", "b"]);
    assert_eq!(setup.settled().await, ["a", "b"]);
}

async fn what_another_owner_has_is_not_settled(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("a", Acts::LosesThePartition);
    let rests = setup.handle(vec![part(1, &["c"]), part(0, &["a", "b"])]).await;
    assert!(matches!(rests[1].stop, Some(Stop::Fenced(_))), "{rests:?}");
    assert_eq!((left(&rests[0]), left(&rests[1])), (vec![], vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(setup.settled().await, ["c"]);
}

async fn a_flood_of_failures_is_no_flood_of_dead_letters(test: TestStore) {
    let setup = Setup::of(test);
    let ids: Vec<String> = (0..150).map(|n| format!("e{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    for id in &ids[1..] {
        setup.script.set(id, Acts::Poison);
    }
    let rest = setup.handle(vec![part(0, &ids)]).await.swap_remove(0);
    assert!(setup.consumer.breaker_is_open());
    assert_eq!((rest.unfinished.len(), setup.letters().len()), (149, 0));
    assert!(matches!(&rest.stop, Some(Stop::Wait(why)) if why.contains("breaker")), "{:?}", rest.stop);
    assert_eq!(setup.settled().await, ["e0"], "what was done is settled all the same");
}

async fn a_dead_letter_that_nobody_acknowledges_leaves_its_record_unfinished(test: TestStore) {
    let setup = Setup::of(test);
    setup.script.set("a", Acts::Poison);
    setup.fake.script(|_| Does::Lose);
    let rest = setup.handle(vec![part(0, &["a", "b"])]).await.swap_remove(0);
    assert_eq!(left(&rest), ["a"]);
    setup.fake.script(|_| Does::Acknowledge);
    setup.script.performed();
    let rest = setup.handle(vec![again(0, rest)]).await.swap_remove(0);
    assert!(rest.unfinished.is_empty(), "{rest:?}");
    assert_eq!((setup.script.performed(), setup.letters()), (vec![], vec!["a".to_owned()]));
}
