//! Records, as both planes and the services know them. Knows no event name.

mod record;

pub(crate) use record::{Header, Record};
