//! Tests of the whole program; one binary.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod apply;
mod audit;
mod authorization;
mod completions;
mod example;
mod export;
mod floors;
mod login;
mod notification;
mod order_api;
mod outbox;
mod page;
mod plan;
mod readme;
mod run;
mod schema_check;
mod schema_sample;
mod services;
mod stock;
#[path = "../support/mod.rs"]
mod support;
mod up;
mod validate;
mod validate_event;
