//! Whatever brokers do, each record that is committed is taken once, in its order, or somebody is told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::answers::Notice;
use super::book::{Asked, Book, Request};
use super::fakes::{Appended, Log, RACK, TOPIC};
use super::queue::Queue;
use super::stream::Stream;
use super::track::Start;
use super::{Moved, Settings};

/// What happens to a request.
#[derive(Clone, Debug)]
pub(super) enum Does {
    /// It is answered with so many batches at most.
    Answers(usize),
    Loses,
    /// Another broker leads from now on.
    Resigns,
    /// So many records of the log's beginning are deleted first.
    Deletes(i64),
    /// The broker wants to be left alone afterwards.
    Throttles,
    /// A replica that lacks so many of the last records is near from now on.
    Nears(i64),
    /// It is gone.
    Parts,
}

fn appended() -> impl Strategy<Value = Vec<Appended>> {
    let one = prop_oneof![
        3 => (1..9_usize).prop_map(Appended::Plain),
        3 => (0..2_u8, 1..5_usize).prop_map(|(producer, count)| Appended::Transactional(producer, count)),
        1 => (0..2_u8).prop_map(Appended::Commit),
        1 => (0..2_u8).prop_map(Appended::Abort),
        1 => Just(Appended::Thinned),
    ];
    proptest::collection::vec(one, 1..30)
}

fn does() -> impl Strategy<Value = Vec<Does>> {
    let one = prop_oneof![
        4 => (1..4_usize).prop_map(Does::Answers),
        1 => Just(Does::Loses),
        1 => Just(Does::Resigns),
        1 => (1..6_i64).prop_map(Does::Deletes),
        1 => Just(Does::Throttles),
        1 => (0..9_i64).prop_map(Does::Nears),
        1 => Just(Does::Parts),
    ];
    proptest::collection::vec(one, 0..20)
}

pub(super) struct Run {
    pub(super) book: Book,
    pub(super) log: Log,
    pub(super) stream: Stream,
    pub(super) now: Instant,
    pub(super) taken: Vec<i64>,
    pub(super) moved: Vec<Moved>,
}

impl Run {
    pub(super) fn new(log: Log, start: Start, ahead: usize) -> Self {
        let mut book = Book::new(Settings { ahead, rack: RACK.to_owned(), ..Settings::default() });
        let queue = Arc::new(Queue::new(ahead, Arc::new(Notify::new())));
        let stream = Stream::new(TOPIC.into(), 0, queue, true);
        book.begin(stream.feed().clone(), start);
        Self { book, log, stream, now: Instant::now(), taken: Vec::new(), moved: Vec::new() }
    }

    /// Asks what can be asked; after a while, where nothing can be.
    pub(super) fn ask(&mut self) -> Vec<Asked> {
        if !self.book.asks_about().is_empty() {
            self.book.learn(&self.log.topics());
        }
        let asked = self.book.ask(self.now);
        if asked.is_empty() {
            self.now += Duration::from_millis(50);
        }
        asked
    }

    pub(super) fn answer(&mut self, asked: Asked, does: &Does) {
        let Asked { call, broker, request } = asked;
        match does {
            Does::Loses => return self.book.lost(call, self.now),
            Does::Resigns => {
                self.log.leader = 3 - self.log.leader;
                self.log.epoch += 1;
            }
            Does::Deletes(count) => self.log.start = (self.log.start + count).min(self.log.end),
            Does::Nears(lacks) => self.log.near = Some(self.log.end - lacks),
            Does::Parts => self.log.near = None,
            Does::Answers(_) | Does::Throttles => {}
        }
        let throttle = if matches!(does, Does::Throttles) { 100 } else { 0 };
        let batches = if let Does::Answers(batches) = does { *batches } else { 1 };
        let notices = match request {
            Request::Records(request) => {
                let answer = self.log.fetch(broker, &request, batches).with_throttle_time_ms(throttle);
                self.book.fetched(call, answer, self.now)
            }
            Request::Offsets(request) => {
                let answer = self.log.offsets(&request).with_throttle_time_ms(throttle);
                self.book.located(call, &answer, self.now)
            }
        };
        for notice in notices {
            match notice {
                Notice::Moved(moved) => self.moved.push(moved),
                Notice::Nearer(_) | Notice::Again(_) => {}
                Notice::Grave(what) => panic!("{what}"),
            }
        }
    }

    pub(super) fn take(&mut self, most: usize) {
        let mut records = VecDeque::new();
        self.stream.take(most, &mut records);
        for record in records {
            let value = std::str::from_utf8(record.value().unwrap()).unwrap();
            assert_eq!(value, record.offset().to_string());
            assert_eq!(record.timestamp().unwrap().at.0, 1_725_185_730_000 + record.offset());
            self.taken.push(record.offset());
        }
    }

    fn position(&self) -> i64 {
        self.taken.last().map_or(0, |last| last + 1)
    }
}

proptest! {
    #[test]
    fn whatever_brokers_do_the_committed_records_are_taken_once_and_in_order(
        appended in appended(),
        does in does(),
        takes in proptest::collection::vec(0..7_usize, 1..20),
        ahead in 1..2000_usize,
    ) {
        let mut run = Run::new(Log::of(&appended), Start::At(0), ahead);
        let mut does = does.into_iter();
        let mut takes = takes.into_iter().chain([7]).cycle();
        let last = run.log.committed.last().copied().unwrap_or(-1);
        let mut steps = 0;
        while run.position() <= last && !(run.log.start > last && run.position() < run.log.start) {
            for asked in run.ask() {
                let does = does.next().unwrap_or(Does::Answers(2));
                run.answer(asked, &does);
            }
            run.take(takes.next().unwrap());
            steps += 1;
            prop_assert!(steps < 5000, "it ends: {:?} of {:?}", run.taken, run.log.committed);
        }
        // Nothing but what was deleted is missing, nothing comes twice or out of its order.
        let gone = |offset: i64| {
            run.moved.iter().any(|moved| (moved.at - moved.deleted..moved.at).contains(&offset))
                || offset >= run.position()
        };
        let mut expected = run.log.committed.iter().copied();
        for taken in &run.taken {
            let skipped: Vec<i64> = expected.by_ref().take_while(|offset| offset != taken).collect();
            for offset in skipped {
                prop_assert!(gone(offset), "{offset} is missing of {:?}", run.taken);
            }
        }
        prop_assert!(run.taken.is_sorted_by(|one, next| one < next), "{:?}", run.taken);
        let all: std::collections::BTreeSet<i64> = run.log.committed.iter().copied().collect();
        prop_assert!(run.taken.iter().all(|offset| all.contains(offset)), "{:?}", run.taken);
    }
}

pub(super) fn plain(count: usize) -> Log {
    Log::of(&vec![Appended::Plain(5); count])
}

/// Until there is nothing more to be had.
pub(super) fn drain(run: &mut Run) {
    for _ in 0..50 {
        for asked in run.ask() {
            run.answer(asked, &Does::Answers(1));
        }
        run.take(100);
    }
}

#[test]
fn a_queue_that_is_full_is_not_filled_further() {
    let mut run = Run::new(plain(20), Start::At(0), 1);
    for _ in 0..20 {
        for asked in run.ask() {
            run.answer(asked, &Does::Answers(1));
        }
    }
    assert_eq!(run.book.calls.len(), 0, "nobody asks for what there is no room for");
    run.take(100);
    assert_eq!(run.taken.len(), 5);
    drain(&mut run);
    assert_eq!(run.taken.len(), 100);
}

#[test]
fn a_broker_that_has_answered_with_little_and_has_no_more_is_left_alone_while_its_records_wait() {
    let mut run = Run::new(plain(3), Start::At(0), 10_000);
    run.book.settings.rest = Duration::from_millis(25);
    run.book.learn(&run.log.topics());
    let asked = run.book.ask(run.now).remove(0);
    run.answer(asked, &Does::Answers(1));
    let asked = run.book.ask(run.now).remove(0);
    run.answer(asked, &Does::Answers(100));
    let rests = run.now + run.book.settings.rest;
    assert_eq!((run.book.ask(run.now).len(), run.book.rests_until()), (0, Some(rests)));
    run.now = rests;
    let asked = run.book.ask(run.now).remove(0);
    run.answer(asked, &Does::Throttles);
    // For as long as it wants to be, where that is longer.
    assert_eq!(run.book.rests_until(), Some(run.now + Duration::from_millis(100)));
    drain(&mut run);
    assert_eq!(run.taken.len(), 15);
    // One that has nothing is asked again at once.
    run.now += Duration::from_secs(1);
    let asked = run.book.ask(run.now).remove(0);
    run.answer(asked, &Does::Answers(1));
    assert_eq!(run.book.ask(run.now).len(), 1);
}

#[test]
fn a_partition_whose_beginning_is_gone_begins_with_the_first_record_that_there_is() {
    let mut run = Run::new(plain(4), Start::Earliest, 10_000);
    run.log.start = 7;
    drain(&mut run);
    assert_eq!(run.taken, (7..20).collect::<Vec<_>>());
    assert_eq!(run.moved, []);

    let mut run = Run::new(plain(4), Start::At(3), 10_000);
    run.log.start = 7;
    drain(&mut run);
    assert_eq!(run.taken, (7..20).collect::<Vec<_>>());
    assert_eq!(run.moved, [Moved { topic: TOPIC.to_owned(), partition: 0, deleted: 4, at: 7 }]);
}

#[test]
fn an_offset_behind_the_end_begins_anew() {
    let mut run = Run::new(plain(2), Start::At(4711), 10_000);
    drain(&mut run);
    assert_eq!(run.taken, (0..10).collect::<Vec<_>>());
    assert_eq!(run.moved, [Moved { topic: TOPIC.to_owned(), partition: 0, deleted: 0, at: 0 }]);
}

#[test]
fn a_batch_that_is_damaged_on_its_way_is_read_again() {
    let mut run = Run::new(plain(3), Start::At(0), 10_000);
    run.book.learn(&run.log.topics());
    let asked = run.ask().remove(0);
    let Request::Records(request) = &asked.request else { panic!("{asked:?}") };
    let mut answer = run.log.fetch(asked.broker, request, 3);
    let part = &mut answer.responses[0].partitions[0];
    let mut bytes = part.records.take().unwrap().to_vec();
    let at = bytes.windows(1).rposition(|byte| byte == b"7").unwrap();
    bytes[at] = b'8';
    part.records = Some(bytes.into());
    assert_eq!(run.book.fetched(asked.call, answer, run.now), []);
    run.take(100);
    assert_eq!(run.taken, (0..5).collect::<Vec<_>>(), "what comes before it is not held back");
    // It rests for a while.
    assert!(run.book.ask(run.now).is_empty());
    run.now += Duration::from_secs(6);
    drain(&mut run);
    assert_eq!(run.taken, (0..15).collect::<Vec<_>>());
}

#[test]
fn what_is_given_back_is_read_no_more_and_what_comes_back_is_read_where_it_was() {
    let mut run = Run::new(plain(3), Start::At(0), 10_000);
    run.book.learn(&run.log.topics());
    let asked = run.ask().remove(0);
    run.book.end(&[(TOPIC.to_owned(), 0)]);
    assert!(run.book.is_empty());
    let again = Stream::new(TOPIC.into(), 0, Arc::new(Queue::new(10_000, Arc::default())), true);
    run.book.begin(again.feed().clone(), Start::At(10));
    // The answer is for whoever had it before.
    run.answer(asked, &Does::Answers(3));
    run.take(100);
    assert_eq!(run.taken, [0_i64; 0]);
    run.stream = again;
    drain(&mut run);
    assert_eq!(run.taken, (10..15).collect::<Vec<_>>());
}
