//! From desired and observed state to a [`Plan`]: what differs, how dangerous it is, what must not
//! be done. Pure.

mod change;
mod diff;
mod document;
mod fingerprint;
mod limits;
mod risk;
mod saved;
mod select;
mod value;

#[cfg(test)]
pub(crate) use change::UnmanagedSetting;
pub(crate) use change::{Action, Change, Plan, Risk, Unmanaged, Verification};
pub(crate) use diff::diff;
pub(crate) use document::PlanDocument;
pub(crate) use fingerprint::drift;
#[cfg(test)]
pub(crate) use limits::MAX_RECORDS;
pub(crate) use limits::records;
pub(crate) use risk::{Evidence, Expiring, Question, grade, questions};
pub(crate) use saved::SavedPlan;
pub(crate) use select::select;
