//! Durations, sizes, rates and money as people write them: parsed exactly, printed back exactly.

mod decimal;
mod duration;
mod fixed;
mod grouped;
mod millis;
mod money;
mod rate;
mod size;

pub(crate) use duration::Duration;
pub(crate) use fixed::{fixed, is_number};
pub(crate) use grouped::{counted, grouped};
pub use millis::UnixMillis;
pub(crate) use money::shown as shown_money;
pub use money::{Money, MoneyError};
pub(crate) use rate::Rate;
pub(crate) use size::Size;

/// Why a text is no duration, size or rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct UnitError {
    /// What is wrong, a clause without a full stop.
    pub(crate) message: String,
    /// What to type instead.
    pub(crate) help: String,
}

impl UnitError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into() }
    }
}

/// A piece of someone's text for a message: short, and without control characters.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
