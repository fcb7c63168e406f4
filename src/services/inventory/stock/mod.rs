//! What people do with the stock while the service runs, or does not.

mod store;

pub(crate) use store::{change, levels};

use super::model::Level;

/// The most pieces that are available at a time: what an order's quantity can say.
const MOST: i64 = i32::MAX as i64;

/// How the available pieces of a product are to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// So many are there.
    To(u32),
    /// So many come in, or go out where it is below zero.
    By(i64),
}

/// A change that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) before: Level,
    pub(crate) after: Level,
}

/// Why a change was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Unknown,
    /// There are only so many.
    TooFew {
        available: u64,
    },
    /// More are there, or would be, than can be.
    TooMany {
        available: u64,
    },
}

/// The level after a change. What is reserved stays; a product of which there is something again is restocked, so
/// that operations are told when it runs short the next time.
fn next(level: Level, change: Change) -> Result<Level, Refused> {
    let available = i64::try_from(level.available).unwrap_or(i64::MAX);
    let wanted = match change {
        Change::To(pieces) => i64::from(pieces),
        Change::By(pieces) => available.saturating_add(pieces),
    };
    let grows = wanted > available;
    match u64::try_from(wanted) {
        Err(_) => Err(Refused::TooFew { available: level.available }),
        Ok(_) if wanted > MOST && grows => Err(Refused::TooMany { available: level.available }),
        Ok(available) => Ok(Level { available, told: level.told && available == 0, ..level }),
    }
}

/// The most pieces that can be available.
pub(crate) fn most() -> u64 {
    MOST.unsigned_abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_never_falls_below_zero_and_what_comes_in_is_news() {
        let level = |available, told| Level { available, reserved: 7, told };
        let most = most();
        for (before, change, expected) in [
            (level(3, false), Change::To(500), Ok(level(500, false))),
            (level(3, true), Change::To(500), Ok(level(500, false))),
            (level(3, true), Change::To(0), Ok(level(0, true))),
            (level(0, true), Change::By(1), Ok(level(1, false))),
            (level(5, true), Change::By(-5), Ok(level(0, true))),
            (level(5, true), Change::By(-2), Ok(level(3, false))),
            (level(5, false), Change::By(-6), Err(Refused::TooFew { available: 5 })),
            (level(0, false), Change::By(i64::MIN), Err(Refused::TooFew { available: 0 })),
            (level(most - 1, false), Change::By(1), Ok(level(most, false))),
            (level(most, false), Change::By(1), Err(Refused::TooMany { available: most })),
            (level(1, false), Change::By(i64::MAX), Err(Refused::TooMany { available: 1 })),
            // Cancelled orders brought it above what people can set.
            (level(most + 10, false), Change::By(-1), Ok(level(most + 9, false))),
        ] {
            assert_eq!(next(before, change), expected, "{before:?} {change:?}");
        }
    }
}
