//! Which keys a relay publishes: buckets of them, shared among the relays that live.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::store::outbox::BUCKETS;
use crate::store::{Store, StoreError, lease};
use crate::unit::UnixMillis;

const MEMBER: &str = "relay/member/";
const BUCKET: &str = "relay/bucket/";

/// The buckets of one relay, with the epochs of their leases.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    leases: BTreeMap<String, i64>,
}

impl Buckets {
    /// The buckets by number.
    pub(super) fn numbers(&self) -> Vec<i16> {
        self.leases.keys().filter_map(|name| name.strip_prefix(BUCKET)?.parse().ok()).collect()
    }

    /// Whether no other relay has any.
    pub(super) fn are_all(&self) -> bool {
        self.leases.len() == BUCKETS as usize
    }

    /// Their leases.
    pub(super) fn leases(&self) -> &BTreeMap<String, i64> {
        &self.leases
    }

    /// Forgets them, as when another relay turned out to have one.
    pub(super) fn forget(&mut self) {
        self.leases.clear();
    }

    /// Renews what the relay has, gives up what is more than its share, and takes what is free of the rest.
    pub(super) async fn refresh(
        &mut self,
        store: &Store,
        owner: &str,
        lasts: Duration,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tx = store.tx();
        let own = [format!("{MEMBER}{owner}")];
        lease::take(&mut tx, owner, &own, lasts, now).await?;
        let members = lease::held(&mut tx, MEMBER, now).await?.len();
        let held = lease::held(&mut tx, BUCKET, now).await?;
        let Wanted { keep, give_up } = wanted(&held, owner, members);
        lease::release(&mut tx, owner, &give_up).await?;
        let leases = lease::take(&mut tx, owner, &keep, lasts, now).await?;
        tx.commit().await?;
        self.leases = leases;
        Ok(())
    }

    /// Gives everything up, so that others need not wait.
    pub(super) async fn leave(&mut self, store: &Store, owner: &str) -> Result<(), StoreError> {
        let mut names: Vec<String> = self.leases.keys().cloned().collect();
        names.push(format!("{MEMBER}{owner}"));
        self.leases.clear();
        let mut tx = store.tx();
        lease::release(&mut tx, owner, &names).await?;
        tx.commit().await
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    /// To be renewed or taken.
    keep: Vec<String>,
    give_up: Vec<String>,
}

/// What a relay should do about the buckets, by who has them now and how many relays there are.
fn wanted(held: &BTreeMap<String, String>, owner: &str, members: usize) -> Wanted {
    let share = (BUCKETS as usize).div_ceil(members.max(1));
    let mut ours: Vec<String> =
        held.iter().filter(|(_, holder)| *holder == owner).map(|(name, _)| name.clone()).collect();
    let give_up = ours.split_off(share.min(ours.len()));
    let room = share - ours.len();
    let free = (0..BUCKETS).map(|number| format!("{BUCKET}{number:02}"));
    ours.extend(free.filter(|name| !held.contains_key(name)).take(room));
    Wanted { keep: ours, give_up }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(by: impl Fn(u32) -> Option<&'static str>) -> BTreeMap<String, String> {
        (0..BUCKETS)
            .filter_map(|number| Some((format!("{BUCKET}{number:02}"), by(number)?.to_owned())))
            .collect()
    }

    #[test]
    fn relays_share_the_buckets_evenly_whoever_comes_first() {
        let nobody = held(|_| None);
        assert_eq!(wanted(&nobody, "a", 1).keep.len(), 64);
        assert_eq!(wanted(&nobody, "a", 3).keep.len(), 22);
        let all_a = held(|_| Some("a"));
        let of_a = wanted(&all_a, "a", 2);
        assert_eq!((of_a.keep.len(), of_a.give_up.len()), (32, 32));
        assert_eq!(wanted(&all_a, "b", 2), Wanted { keep: vec![], give_up: vec![] });
        let half = held(|number| (number < 32).then_some("a"));
        let of_b = wanted(&half, "b", 2);
        assert_eq!((of_b.keep.len(), of_b.keep[0].as_str()), (32, "relay/bucket/32"));
        assert_eq!(wanted(&half, "a", 2).give_up, Vec::<String>::new());
    }
}
