//! Everything that depends on the host operating system: **edit here to port**.
//!
//! One list of functions with a body for Linux and one for macOS. Nothing here knows about guests.

pub mod cancel;
pub mod children;
pub mod clock;
pub mod controls;
pub mod cpu_timer;
pub mod events;
pub mod exec;
pub mod fault;
pub mod fault_report;
pub mod fds;
pub mod fork;
pub mod forward;
pub mod futex;
pub mod futex_shared;
pub mod handover;
pub mod memory;
pub mod mq;
pub mod net;
pub mod paths;
pub mod pidfd;
pub mod process;
pub mod random;
pub mod schedule;
pub mod signal;
pub mod signal_wait;
pub mod sys;
pub mod sysv;
pub mod tell;
pub mod terminal;
pub mod thread;
pub mod twin;
pub mod vector;
pub mod wake;

pub use signal::SignalsBlocked;
pub use tell::tell;
