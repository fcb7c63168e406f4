//! Tests that stop brokers or look at the whole cluster; run one at a time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apply;
mod crash;
mod leaders;
mod notification;
mod services;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared with the other test binary, which uses the rest")]
mod support;

use support::brokers::dev;

/// Starts a broker again, even when the test fails: others need it.
struct Returning<'a>(&'a str);

impl Drop for Returning<'_> {
    fn drop(&mut self) {
        dev(&["kafka", "start", self.0]);
    }
}
