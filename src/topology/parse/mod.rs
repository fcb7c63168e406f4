//! YAML text to the file model, collecting every problem on the way.

mod config;
mod decode;
mod reader;
mod syntax;
mod topic;
mod tree;
mod value;

pub(crate) use decode::decode;
