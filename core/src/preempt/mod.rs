//! Preemption: the kick thread, the doorbell and its transport, timers, watchdog, exit statistics.
//!
//! Every interruption of a vCPU comes from one kick thread (`kick`) through the registry of live vCPUs
//! ([`crate::vcpu::registry`]). [`Preemption`] brings all of it up and is what the kernel holds; [`Kicker`] is how any
//! thread asks for a kick or a timer; [`KickSink`] is what the kernel implements to learn what happened.
//! `docs/design.md` §1, §2, §6.

mod bring_up;
mod kick;
mod kicker;
pub mod stats;
pub mod timers;
pub mod transport;
pub mod watchdog;

pub use bring_up::{Bounds, BringUpError, Enlisted, Preemption};
pub use kicker::{Directed, KickSink, Kicker, RecordOutcome};
pub use timers::{Expired, TimerGeneration, TimerKey};
pub use watchdog::{Overrun, WatchdogVerdict, Watched};

pub use crate::host::controls;
pub use crate::vcpu::registry::{KickCause, KickTargets};
