//! (floor)
