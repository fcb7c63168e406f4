//! Text that people wrote: places in it, and how to show pieces of it.

mod markdown;
mod nearest;
mod place;
mod quote;

pub(crate) use markdown::{code, escaped, prose};
pub(crate) use nearest::nearest;
pub(crate) use place::{Lines, Located, Span};
pub(crate) use quote::{is_unprintable, listed, quoted};
