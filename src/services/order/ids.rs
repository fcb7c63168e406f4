//! The ids of orders.

use uuid::Uuid;

use crate::event::OrderId;
use crate::messaging::partition_of;
use crate::runtime::service::BEAT;
use crate::unit::UnixMillis;

/// How long ids stay with one share of the partitions: what a round of the relays sends together, in milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "a beat is a moment")]
const TOGETHER: i64 = BEAT.as_millis() as i64;
/// Shares of many partitions; few have one each. An id is drawn as many times at the mean.
const SHARES: u32 = 16;
/// Fails to meet the share with one id in fifteen million, which then goes elsewhere.
const DRAWS: u16 = 256;
const PREFIX: &[u8; 4] = b"ORD-";
const LENGTH: usize = PREFIX.len() + uuid::fmt::Hyphenated::LENGTH;

/// Makes ids of orders. They cannot be guessed, but for when they were made (UUID version 7, RFC 9562): so what is written
/// together stands together in every index.
///
/// And what is placed together goes together: the id is the key of all that is said about an order, and those of one moment
/// are drawn to have the same partition. It is what Kafka's producer does with records without keys (KIP-480), and spares
/// brokers, which have work with each batch: ten orders are one batch instead of six, and so are their answers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OrderIds {
    partitions: u32,
    shares: u32,
    /// The share of the first moment. Instances with other ones do not all go to the same partition.
    first: u32,
    /// From one moment's share to the next one's: coprime, and no neighbour, since consumers mostly have neighbours.
    step: u32,
}

impl OrderIds {
    /// For a topic of so many partitions; with more or fewer the ids are as good, and only not together. `first` is any number.
    pub(crate) fn new(partitions: u32, first: u32) -> Self {
        let partitions = partitions.max(1);
        let shares = partitions.min(SHARES);
        let step = (1..=shares * 5 / 8).rev().find(|step| gcd(*step, shares) == 1).unwrap_or(1);
        Self { partitions, shares, first: first % shares, step }
    }

    /// An id for an order that is placed at that time.
    pub(crate) fn draw(&self, at: UnixMillis) -> OrderId {
        let (drawn, share) = (Uuid::now_v7().as_u128(), self.share_at(at));
        let mut tries = (0..DRAWS).map(|n| text_of(drawn, n));
        let text = tries.find(|text| self.share_of(text) == share).unwrap_or_else(|| text_of(drawn, 0));
        let id = String::from_utf8_lossy(&text);
        OrderId::new(id).unwrap_or_else(|_| unreachable!("an id of 40 characters"))
    }

    fn share_at(&self, at: UnixMillis) -> u32 {
        let moment = at.0.div_euclid(TOGETHER).rem_euclid(i64::from(self.shares));
        let moment = u32::try_from(moment).unwrap_or(0);
        (moment * self.step + self.first) % self.shares
    }

    fn share_of(&self, key: &[u8]) -> u32 {
        let share = u64::from(partition_of(key, self.partitions)) * u64::from(self.shares)
            / u64::from(self.partitions);
        u32::try_from(share).unwrap_or(0)
    }
}

/// The id that a UUID makes whose last 16 bits are counted on.
fn text_of(drawn: u128, n: u16) -> [u8; LENGTH] {
    const LAST: u128 = 0xffff;
    let uuid = Uuid::from_u128((drawn & !LAST) | (drawn.wrapping_add(u128::from(n)) & LAST));
    let mut text = [0; LENGTH];
    let (prefix, rest) = text.split_at_mut(PREFIX.len());
    prefix.copy_from_slice(PREFIX);
    uuid.hyphenated().encode_lower(rest);
    text
}

fn gcd(one: u32, other: u32) -> u32 {
    if other == 0 { one } else { gcd(other, one % other) }
}

/// What ids of orders that were placed from that time on stand behind.
pub(super) fn order_id_of(time: UnixMillis) -> String {
    let millis = u64::try_from(time.0).unwrap_or(0);
    format!("ORD-{:08x}-{:04x}", millis >> 16, millis & 0xffff)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    #[test]
    fn ids_stand_behind_their_time_and_before_the_next() {
        let before = UnixMillis::now();
        let id = OrderIds::new(12, 0).draw(before);
        let after = UnixMillis(UnixMillis::now().0 + 1);
        assert!(order_id_of(before).as_str() < id.as_str() && id.as_str() < order_id_of(after).as_str());
    }

    fn partitions(ids: OrderIds, at: i64, of: u32) -> BTreeSet<u32> {
        (0..100).map(|_| partition_of(ids.draw(UnixMillis(at)).as_str().as_bytes(), of)).collect()
    }

    #[test]
    fn what_is_placed_together_has_one_partition_and_every_partition_its_turn() {
        let ids = OrderIds::new(12, 5);
        let turns: Vec<u32> = (0..12)
            .map(|moment| {
                let (early, late) = (partitions(ids, moment * 20, 12), partitions(ids, moment * 20 + 19, 12));
                assert_eq!((early.len(), &early), (1, &late));
                early.into_iter().next().unwrap()
            })
            .collect();
        assert_eq!(turns, [5, 0, 7, 2, 9, 4, 11, 6, 1, 8, 3, 10]);
        // Half as many, as letters have, are still one.
        assert_eq!(partitions(ids, 0, 6), BTreeSet::from([5]));
    }

    #[test]
    fn of_many_partitions_a_few_are_those_of_a_moment() {
        assert_eq!(partitions(OrderIds::new(48, 3), 0, 48), BTreeSet::from([9, 10, 11]));
    }

    proptest! {
        #[test]
        fn every_share_has_its_turn(partitions in 0_u32..200, first: u32, start in any::<i32>()) {
            let ids = OrderIds::new(partitions, first);
            let moments = (0..i64::from(ids.shares)).map(|n| ids.share_at(UnixMillis((i64::from(start) + n) * TOGETHER)));
            prop_assert_eq!(moments.collect::<BTreeSet<_>>(), (0..ids.shares).collect());
        }

        #[test]
        fn ids_differ_and_keep_their_time_whatever_was_drawn(drawn: u128, n: u16) {
            let (id, drawn) = (text_of(drawn, n), text_of(drawn, 0));
            prop_assert!((id == drawn) == (n == 0));
            prop_assert_eq!(&id[..36], &drawn[..36]);
        }
    }
}
