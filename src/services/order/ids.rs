//! The ids of orders.

use uuid::Uuid;

use crate::event::OrderId;
use crate::unit::UnixMillis;

/// Cannot be guessed, but for when it was (UUID version 7, RFC 9562): so what is written together stands together in every
/// index.
pub(super) fn new_order_id() -> OrderId {
    let id = format!("ORD-{}", Uuid::now_v7());
    OrderId::new(id).unwrap_or_else(|_| unreachable!("an id of 40 characters"))
}

/// What ids of orders that were placed from that time on stand behind.
pub(super) fn order_id_of(time: UnixMillis) -> String {
    let millis = u64::try_from(time.0).unwrap_or(0);
    format!("ORD-{:08x}-{:04x}", millis >> 16, millis & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stand_behind_their_time_and_before_the_next() {
        let before = UnixMillis::now();
        let id = new_order_id();
        let after = UnixMillis(UnixMillis::now().0 + 1);
        assert!(order_id_of(before).as_str() < id.as_str() && id.as_str() < order_id_of(after).as_str());
    }
}
