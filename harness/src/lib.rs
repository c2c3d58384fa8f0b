//! The stress harness of elfuse: runs guests under a storm of doorbells, counts every vCPU exit, and decides whether the
//! build flag "UNKNOWN is fatal" may be on.
//!
//! `docs/design.md` §8 is the design, `docs/harness.md` the user's and the report's documentation. The flow:
//!
//! ```text
//! cli -> gate::flow -> exec::Executor (job threads) -> exec::run (one run) -> check (what was wrong with it)
//!             |              \-> storm (one thread that rings all processes of all runs)
//!             \---- events ----> results (aggregation) + report::{terminal, json, junit}
//!        gate::verdict: pure function from Results to Verdict
//! ```

// Both panic where nothing can be written: `elfuse::host::tell` does not.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

pub mod check;
pub mod cli;
pub mod event;
pub mod exec;
pub mod gate;
pub mod plan;
pub mod program;
pub mod record;
pub mod report;
pub mod results;
pub mod shard;
pub mod stats;
pub mod storm;
pub mod tally;
