//! Of whom a partition is read: leaders that change, that never had all of it, and replicas that are nearer.

use std::time::Duration;

use kafka_protocol::messages::fetch_response::PartitionData;

use super::answers::Notice;
use super::book::{Asked, Request};
use super::book_tests::{Does, Run, drain, plain};
use super::fakes::{NEAR, OUT_OF_RANGE, answer, diverging};
use super::track::Start;

/// What another broker is asked when it leads.
fn asked_of_the_next_leader(run: &mut Run, epoch: i32) -> Asked {
    run.book.doubt();
    (run.log.leader, run.log.epoch) = (2, epoch);
    // Whoever led before is asked once more.
    loop {
        match run.ask().pop() {
            Some(one) if one.broker == 2 => return one,
            Some(one) => run.book.lost(one.call, run.now),
            None => {}
        }
    }
}

/// Where reading is, and the epoch that is asked about.
fn place(asked: &Asked) -> (i64, i32) {
    let Request::Records(request) = &asked.request else { panic!("{asked:?}") };
    let partition = &request.topics[0].partitions[0];
    (partition.fetch_offset, partition.last_fetched_epoch)
}

#[test]
fn what_a_new_leader_never_had_is_said_to_be_lost() {
    let mut run = Run::new(plain(2), Start::At(0), 10_000);
    drain(&mut run);
    assert_eq!(run.taken.len(), 10);
    let asked = asked_of_the_next_leader(&mut run, 1);
    assert_eq!(place(&asked), (10, 0));
    let notices = run.book.fetched(asked.call, diverging(6), run.now);
    let [Notice::Grave(what)] = &notices[..] else { panic!("{notices:?}") };
    assert!(what.starts_with("t/0: the records from 6 to 9 are lost"), "{what}");
    assert_eq!(place(&run.ask()[0]), (6, -1));
}

#[test]
fn whoever_reads_on_where_another_ended_asks_whether_the_log_still_has_what_was_read() {
    let mut run = Run::new(plain(4), Start::Behind { next: 10, epoch: 7 }, 10_000);
    run.book.learn(&run.log.topics());
    let asked = run.book.ask(run.now).remove(0);
    assert_eq!(place(&asked), (10, 7));
    let notices = run.book.fetched(asked.call, diverging(6), run.now);
    let [Notice::Grave(what)] = &notices[..] else { panic!("{notices:?}") };
    assert!(what.starts_with("t/0: the records from 6 to 9 are lost"), "{what}");

    let mut run = Run::new(plain(4), Start::Behind { next: 10, epoch: 0 }, 10_000);
    drain(&mut run);
    assert_eq!((run.taken, run.moved), ((10..20).collect::<Vec<_>>(), vec![]));
}

#[test]
fn of_what_was_taken_it_is_known_which_leader_wrote_it() {
    let mut run = Run::new(plain(2), Start::At(0), 10_000);
    drain(&mut run);
    // The next leader has not got the last batch, and writes others.
    run.log.epoch = 3;
    run.log.lose(5);
    run.log.write(10);
    let asked = asked_of_the_next_leader(&mut run, 3);
    assert_eq!(place(&asked), (10, 0));
    run.book.fetched(asked.call, diverging(5), run.now);
    run.taken.clear();
    drain(&mut run);
    assert_eq!(run.taken, (5..15).collect::<Vec<_>>());
    let epochs = [0, 1, 5, 6, 15].map(|next| run.stream.epoch_before(next));
    assert_eq!(epochs, [None, Some(0), Some(0), Some(3), Some(3)]);
}

#[test]
fn a_leader_that_does_not_know_where_an_epoch_ended_is_asked_without_it() {
    let mut run = Run::new(plain(2), Start::At(0), 10_000);
    drain(&mut run);
    let asked = asked_of_the_next_leader(&mut run, 1);
    let answer = answer(PartitionData::default().with_partition_index(0).with_error_code(OUT_OF_RANGE));
    assert_eq!(run.book.fetched(asked.call, answer, run.now), []);
    assert_eq!(place(&run.ask()[0]), (10, -1));
    assert_eq!(run.moved, []);
}

#[test]
fn a_replica_that_is_near_is_read_from_until_the_leader_is_to_say_again_which_one_is() {
    let mut run = Run::new(plain(4), Start::At(0), 10_000);
    run.log.near = Some(10);
    run.book.learn(&run.log.topics());
    let mut asked_of = Vec::new();
    for _ in 0..4 {
        let asked = run.book.ask(run.now).remove(0);
        asked_of.push(asked.broker);
        run.answer(asked, &Does::Answers(1));
        run.take(100);
    }
    assert_eq!((asked_of, run.taken.len()), (vec![1, NEAR, NEAR, NEAR], 10));
    run.now += Duration::from_secs(300);
    assert_eq!(run.book.ask(run.now)[0].broker, 1);
}

#[test]
fn of_a_near_replica_that_has_less_or_says_nothing_or_is_gone_the_leader_is_asked_again() {
    for does in [Does::Nears(15), Does::Loses, Does::Parts] {
        let mut run = Run::new(plain(4), Start::At(0), 10_000);
        run.log.near = Some(20);
        run.book.learn(&run.log.topics());
        for _ in 0..3 {
            let asked = run.book.ask(run.now).remove(0);
            run.answer(asked, &Does::Answers(1));
        }
        let asked = run.book.ask(run.now).remove(0);
        assert_eq!((asked.broker, place(&asked)), (NEAR, (10, -1)));
        run.answer(asked, &does);
        run.now += Duration::from_millis(50);
        let asked = run.book.ask(run.now).remove(0);
        assert_eq!((asked.broker, place(&asked)), (1, (10, -1)), "{does:?}");
        run.answer(asked, &Does::Answers(1));
        drain(&mut run);
        assert_eq!((run.taken.len(), run.moved.len()), (20, 0), "{does:?}");
    }
}
