//! The services of the seed's design. None imports another: what connects them is Kafka, or whoever wires a port.

mod announce;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "`run inventory` is to start it"))]
pub(crate) mod inventory;
pub(crate) mod order;
pub(crate) mod payment;
