//! Durations, sizes and rates as people write them: parsed exactly, printed back exactly.

mod duration;
mod rate;
mod size;

pub(crate) use duration::Duration;
pub(crate) use rate::Rate;
pub(crate) use size::Size;
