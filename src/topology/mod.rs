//! The topology: desired state, observed state, and the rules that hold between its parts. No I/O.

pub(crate) mod model;
pub(crate) mod name;
pub(crate) mod observed;
mod topic_id;

pub(crate) use model::{Topic, TopicRole, Topology};
pub(crate) use name::TopicName;
pub(crate) use topic_id::TopicId;
