//! Connections.

use super::{MIGRATIONS, effect, effects};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{Connection, Store, StoreError};

on_both_stores! { crate::store::contract::MIGRATIONS;
    transactions_that_are_dropped_are_undone_and_give_their_connections_back,
    no_more_connections_are_lent_than_there_are,
    a_store_that_is_closed_lends_nothing_and_waits_for_what_is_lent,
}

async fn backend(store: &Store) -> i32 {
    let mut tx = store.glance();
    let Connection::Postgres(connection) = tx.connection().await.unwrap() else { unreachable!() };
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await.unwrap();
    tx.commit().await.unwrap();
    pid
}

#[tokio::test]
async fn a_connection_that_ended_its_work_in_order_is_lent_again() {
    let test = TestStore::postgres(MIGRATIONS).await;
    let first = backend(&test.store).await;
    for id in 1..=3 {
        let mut tx = test.store.tx();
        effect(&mut tx, id, "a").await.unwrap();
        if id == 2 {
            tx.rollback().await.unwrap();
        } else {
            tx.commit().await.unwrap();
        }
        assert_eq!(backend(&test.store).await, first);
    }
    assert_eq!(effects(&test.store).await, [1, 3]);
}

async fn transactions_that_are_dropped_are_undone_and_give_their_connections_back(test: TestStore) {
    // More often than there are connections.
    for id in 1..=20 {
        let mut tx = test.store.tx();
        effect(&mut tx, id, "a").await.unwrap();
        let twice = effect(&mut tx, id, "a").await;
        assert!(matches!(twice, Err(StoreError::Duplicate(_))), "{twice:?}");
        drop(tx);
        let mut tx = test.store.reading();
        tx.connection().await.unwrap();
        drop(tx);
    }
    let mut tx = test.store.tx();
    effect(&mut tx, 1, "a").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(effects(&test.store).await, [1]);
}

async fn no_more_connections_are_lent_than_there_are(test: TestStore) {
    let mut lent = Vec::new();
    for _ in 0..4 {
        let mut tx = test.store.reading();
        tx.connection().await.unwrap();
        lent.push(tx);
    }
    let more = (0..20).map(|_| async {
        let mut tx = test.store.reading();
        tx.connection().await.map(drop)?;
        tx.commit().await
    });
    let more = futures_util::future::join_all(more);
    let back = async {
        for tx in lent {
            tx.commit().await.unwrap();
        }
    };
    let (more, ()) = tokio::join!(more, back);
    assert_eq!(more, vec![Ok(()); 20]);
}

async fn a_store_that_is_closed_lends_nothing_and_waits_for_what_is_lent(test: TestStore) {
    let mut tx = test.store.tx();
    effect(&mut tx, 1, "a").await.unwrap();
    let mut closing = std::pin::pin!(test.store.close());
    assert!(futures_util::poll!(&mut closing).is_pending());
    let refused = test.store.ping().await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    tx.commit().await.unwrap();
    closing.await;
    let again = Store::open(&test.location, "service", MIGRATIONS, 2).await.unwrap();
    assert_eq!(effects(&again).await, [1]);
}
