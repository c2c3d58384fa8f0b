//! Everything that depends on the host operating system: **edit here to port**.
//!
//! One list of functions with a body for Linux and one for macOS. Nothing here knows about guests.

pub mod cancel;
pub mod children;
pub mod clock;
pub mod controls;
#[cfg(target_os = "macos")]
#[path = "macos/copy.rs"]
mod copy;
pub mod cpu_timer;
#[cfg(target_os = "macos")]
#[path = "macos/directory.rs"]
mod directory;
pub mod epoll;
pub mod errno;
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
pub mod metadata;
pub mod mq;
pub mod native_thread;
pub mod net;
pub mod paths;
pub mod pidfd;
#[cfg(target_os = "macos")]
#[path = "macos/posix.rs"]
mod posix;
pub mod process;
pub mod random;
#[cfg(target_os = "linux")]
#[path = "linux/raw.rs"]
mod raw;
#[cfg(target_os = "macos")]
#[path = "macos/raw.rs"]
mod raw;
pub mod schedule;
pub mod shared_words;
pub mod short_lived;
pub mod sibling;
pub mod signal;
pub mod signal_wait;
#[cfg(target_os = "macos")]
#[path = "macos/statx.rs"]
mod statx;
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
