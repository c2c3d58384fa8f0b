//! Preemption: the kick thread, the doorbell and its transport, timers, watchdog, exit statistics.
//!
//! `docs/design.md` §2, §6.

pub mod stats;
pub mod transport;

pub use crate::host::controls;
