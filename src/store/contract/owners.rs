//! Fences and leases.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{NOW, effect, effects, until_somebody_waits_for_a_lock};
use crate::store::cluster::{ClusterKind, stay_with};
use crate::store::inbox::{self, Candidate, Claim};
use crate::store::testing::{TestStore, on_both_stores};
use crate::store::{StoreError, fence, lease};
use crate::unit::UnixMillis;

on_both_stores! { crate::store::contract::MIGRATIONS;
    a_former_owner_is_refused_and_changes_nothing,
    a_fence_is_held_together_with_a_claim_or_the_claim_is_refused,
    a_new_owner_waits_for_the_former_ones_transaction,
    a_lease_has_one_owner_and_every_owner_an_epoch,
    a_store_stays_with_its_kind_of_cluster,
}

async fn a_former_owner_is_refused_and_changes_nothing(test: TestStore) {
    let own = async || {
        let mut tx = test.store.tx();
        let owned =
            fence::own(&mut tx, "g", &[("orders".to_owned(), 1), ("orders".to_owned(), 0)]).await.unwrap();
        tx.commit().await.unwrap();
        owned
    };
    let batch =
        |owned: &[fence::Owned], next: i64| owned.iter().map(|one| (one.clone(), next)).collect::<Vec<_>>();
    let first = own().await;
    assert_eq!(
        first.iter().map(|owned| (owned.partition, owned.epoch)).collect::<Vec<_>>(),
        [(0, 1), (1, 1)]
    );
    let mut tx = test.store.tx();
    fence::hold(&mut tx, "g", &batch(&first, 5)).await.unwrap();
    tx.commit().await.unwrap();
    let second = own().await;
    let mut tx = test.store.tx();
    effect(&mut tx, 1, "a").await.unwrap();
    let refused = fence::hold(&mut tx, "g", &batch(&first, 9)).await;
    let expected = StoreError::Fenced { what: "orders/0 of group g".to_owned(), ours: 1, found: 2 };
    assert_eq!(refused, Err(expected));
    drop(tx);
    let mut tx = test.store.tx();
    fence::hold(&mut tx, "g", &batch(&second[1..], 7)).await.unwrap();
    assert_eq!(fence::next_offset(&mut tx, "g", "orders", 0).await.unwrap(), Some(5));
    assert_eq!(fence::next_offset(&mut tx, "g", "orders", 1).await.unwrap(), Some(7));
    assert_eq!(fence::next_offset(&mut tx, "g", "orders", 2).await.unwrap(), None);
    fence::forget_offsets(&mut tx).await.unwrap();
    assert_eq!(fence::next_offset(&mut tx, "g", "orders", 1).await.unwrap(), None);
}

async fn a_fence_is_held_together_with_a_claim_or_the_claim_is_refused(test: TestStore) {
    let own = async || {
        let mut tx = test.store.tx();
        let owned =
            fence::own(&mut tx, "g", &[("orders".to_owned(), 0), ("orders".to_owned(), 1)]).await.unwrap();
        tx.commit().await.unwrap();
        owned
    };
    let fences = |owned: &[fence::Owned]| owned.iter().cloned().zip([8, 4]).collect::<Vec<_>>();
    let event = |id| [Candidate { id, place: ("orders", 0, 7) }];
    let first = own().await;
    let mut tx = test.store.tx();
    let claims = inbox::claim(&mut tx, "g", &fences(&first), &event("a"), NOW).await.unwrap();
    assert_eq!(claims, [Claim::New]);
    tx.commit().await.unwrap();
    let second = own().await;
    let mut tx = test.store.tx();
    let refused = inbox::claim(&mut tx, "g", &fences(&first), &event("b"), NOW).await;
    let expected = StoreError::Fenced { what: "orders/0 of group g".to_owned(), ours: 1, found: 2 };
    assert_eq!(refused, Err(expected));
    drop(tx);
    let mut tx = test.store.tx();
    for (at, next) in [(0, 8), (1, 4)] {
        assert_eq!(fence::next_offset(&mut tx, "g", "orders", at).await.unwrap(), Some(next));
    }
    let claims = inbox::claim(&mut tx, "g", &fences(&second), &event("b"), NOW).await.unwrap();
    assert_eq!(claims, [Claim::New]);
}

async fn a_store_stays_with_its_kind_of_cluster(test: TestStore) {
    let mut tx = test.store.tx();
    stay_with(&mut tx, ClusterKind::Embedded).await.unwrap();
    stay_with(&mut tx, ClusterKind::Embedded).await.unwrap();
    let refused = stay_with(&mut tx, ClusterKind::Kafka).await.unwrap_err();
    assert_eq!(refused.to_string(), "the store belongs to the embedded broker, and this is a Kafka cluster");
}

async fn a_new_owner_waits_for_the_former_ones_transaction(test: TestStore) {
    let partition = [("orders".to_owned(), 0)];
    let mut tx = test.store.tx();
    let owned = fence::own(&mut tx, "g", &partition).await.unwrap();
    tx.commit().await.unwrap();
    let mut batch = test.store.tx();
    fence::hold(&mut batch, "g", &[(owned[0].clone(), 3)]).await.unwrap();
    effect(&mut batch, 1, "of the former owner").await.unwrap();
    let store = test.store.clone();
    let next = tokio::spawn(async move {
        let mut tx = store.tx();
        let owned = fence::own(&mut tx, "g", &partition).await.unwrap();
        tx.commit().await.unwrap();
        (owned, effects(&store).await)
    });
    until_somebody_waits_for_a_lock(&test.store).await;
    batch.commit().await.unwrap();
    let (owned, seen) = next.await.unwrap();
    assert_eq!((owned[0].epoch, seen), (2, vec![1]));
}

async fn a_lease_has_one_owner_and_every_owner_an_epoch(test: TestStore) {
    let names = ["relay/1".to_owned(), "relay/2".to_owned()];
    let lasts = Duration::from_secs(10);
    let take = async |owner: &str, names: &[String], now: UnixMillis| {
        let mut tx = test.store.tx();
        let taken = lease::take(&mut tx, owner, names, lasts, now).await.unwrap();
        tx.commit().await.unwrap();
        taken.into_iter().collect::<Vec<_>>()
    };
    let has = |list: &[(&str, i64)]| {
        list.iter().map(|(name, epoch)| ((*name).to_owned(), *epoch)).collect::<Vec<_>>()
    };
    assert_eq!(take("a", &names[..1], NOW).await, has(&[("relay/1", 1)]));
    assert_eq!(take("b", &names, NOW).await, has(&[("relay/2", 1)]));
    let later = NOW.after(Duration::from_secs(5));
    assert_eq!(take("a", &names[..1], later).await, has(&[("relay/1", 1)]));
    let expired = NOW.after(Duration::from_secs(12));
    assert_eq!(take("c", &names, expired).await, has(&[("relay/2", 2)]));
    let check = async |leases: &[(&str, i64)]| {
        let mut tx = test.store.tx();
        let leases: BTreeMap<String, i64> = has(leases).into_iter().collect();
        lease::check(&mut tx, &leases).await
    };
    assert_eq!(check(&[("relay/1", 1), ("relay/2", 2)]).await, Ok(()));
    let fenced = StoreError::Fenced { what: "relay/2".to_owned(), ours: 1, found: 2 };
    assert_eq!(check(&[("relay/1", 1), ("relay/2", 1)]).await, Err(fenced));
    let mut tx = test.store.tx();
    let held = lease::held(&mut tx, "relay/", expired).await.unwrap();
    assert_eq!(
        held.into_iter().collect::<Vec<_>>(),
        [("relay/1".into(), "a".into()), ("relay/2".into(), "c".into())]
    );
    lease::release(&mut tx, "c", &names).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(take("b", &names, expired).await, has(&[("relay/2", 3)]));
}
