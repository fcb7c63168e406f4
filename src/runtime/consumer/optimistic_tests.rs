//! Batches that are first tried without holding what is read.

use super::testing::{Acts, Call, Setup, effects, part, part_from};
use crate::store::testing::{TestStore, on_both_stores};

on_both_stores! { crate::store::testing::EFFECTS;
    a_batch_is_tried_without_locks_and_handled_with_them_where_that_is_refused,
}

async fn a_batch_is_tried_without_locks_and_handled_with_them_where_that_is_refused(test: TestStore) {
    let setup = Setup::of(test);
    let tried = setup.test.is_postgres();
    setup.script.set("p", Acts::Named);
    let calls = |expected: &[Call]| {
        // SQLite knows one kind of transaction.
        let expected: Vec<Call> = expected.iter().copied().filter(|call| tried || !call.0).collect();
        assert_eq!(setup.script.calls(), expected);
    };
    setup.handle(vec![part(0, &["a"]), part(1, &["b", "c"])]).await;
    calls(&[(tried, 3)]);
    // One of them was handled.
    setup.handle(vec![part_from(0, 1, &["d", "a"])]).await;
    calls(&[(true, 2), (false, 1)]);
    // What happens once happens again soon.
    for n in 0..50 {
        setup.handle(vec![part_from(0, 3 + n, &[&format!("e{n}")])]).await;
        calls(&[(false, 1)]);
    }
    // Others are not handled with one that dies.
    setup.handle(vec![part_from(0, 100, &["f", "p", "g"])]).await;
    calls(&[(true, 3), (false, 3)]);
    assert_eq!(setup.letters(), ["p to orders.DLT/0: kafkaflow.Poison: no such product"]);
    assert_eq!(effects(&setup.test.store).await.len(), 6 + 50);
    assert_eq!(setup.next_offset(0).await, Some(103));
}
