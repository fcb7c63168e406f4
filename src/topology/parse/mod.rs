//! YAML text to the file model, collecting every problem on the way.

mod config;
mod decode;
mod reader;
mod syntax;
mod topic;
mod tree;
mod value;

pub(crate) use decode::decode;
// Other files of ours are read in the same way.
pub(crate) use reader::read;
pub(crate) use tree::{Entry, Kind, Node};
pub(crate) use value::{Decoder, whole_number};
