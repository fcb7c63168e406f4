//! Tests that stop brokers or look at the whole cluster; run one at a time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apply;
mod crash;
mod notification;
mod services;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the other test binary, which uses the rest")]
mod support;
