//! Streams of documents: lines, arrays, or pretty-printed one after another; of any size, in bounded memory.
//!
//! [`frame`] cuts a stream into chunks that end between documents, [`documents`] judges the documents of a chunk,
//! [`stream`] does so on several threads and gives what was found in the stream's order.

mod documents;
mod frame;
mod outline;
mod snippet;
mod stream;

pub(crate) use snippet::Snippet;
pub(crate) use stream::{Finding, Options, Totals, finding, judge_stream};
