//! Names for what the inventory makes.

use uuid::Uuid;

use crate::event::{EventId, ReservationId};
use crate::services::announce::new_event_id;

/// Makes names that nothing else has; tests have their own.
pub(crate) trait Ids: Send + Sync + 'static {
    fn event_id(&self) -> EventId;
    fn reservation_id(&self) -> ReservationId;
}

/// Names of production: UUIDs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Uuids;

impl Ids for Uuids {
    fn event_id(&self) -> EventId {
        new_event_id()
    }

    fn reservation_id(&self) -> ReservationId {
        ReservationId::new(format!("RES-{}", Uuid::now_v7())).expect("a UUID is short")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_say_what_they_name_and_nothing_has_the_same() {
        let (first, second) = (Uuids.event_id(), Uuids.event_id());
        assert!(first != second && first.as_str().starts_with("evt-"), "{first} {second}");
        let (one, other) = (Uuids.reservation_id(), Uuids.reservation_id());
        assert!(one != other && one.as_str().starts_with("RES-"), "{one} {other}");
    }
}
