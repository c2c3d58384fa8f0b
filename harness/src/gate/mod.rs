//! The gate: builds the binaries, runs the phases, decides, and writes the record.
//!
//! `flow.rs` is the order of things, `builds.rs` makes the binaries, `controls.rs` is the table of deliberate breakages,
//! `latency.rs` the times, `verdict.rs` the decision as a pure function. The record itself is `crate::record`.

pub mod builds;
pub mod controls;
pub mod flow;
pub mod latency;
pub mod verdict;
