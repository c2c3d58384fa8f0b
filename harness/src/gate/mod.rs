//! The gate: builds the binaries, runs the phases, decides, and writes the record.
//!
//! `flow.rs` is the order of things, `build.rs` makes the binaries, `controls.rs` is the table of deliberate breakages,
//! `latency.rs` the times, `verdict.rs` the decision as a pure function, `record.rs` the tracked file that opens the flag.

pub mod verdict;
