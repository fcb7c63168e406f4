//! Processes that consume and publish are killed, stopped and cut off, again and again; afterwards every input has had
//! its effect once, in order, and everything that was announced or given up is there.

mod check;
mod child;
mod kills;
mod outages;
mod world;
