//! Carrying out a plan: [`batch`] puts changes into requests, [`settle`] gets each request through,
//! [`execute`] reports what became of every change, [`converge`] waits until all brokers know.

mod batch;
mod converge;
mod execute;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod scenarios;
mod settle;
mod shown;

pub(crate) use batch::{Batch, batches};
pub(crate) use converge::{Behind, converge};
pub(crate) use execute::{Outcome, execute};
pub(crate) use settle::{Answer, Patience, settle};
