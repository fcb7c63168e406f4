//! What kafkaflow needs of a cluster: narrow ports, and the work that is done over them — observing
//! it and bringing it to a plan.

pub(crate) mod apply;
pub(crate) mod evidence;
#[cfg(test)]
pub(crate) mod memory;
pub(crate) mod observe;
pub(crate) mod port;
pub(crate) mod verify;
