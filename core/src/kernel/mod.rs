//! Linux objects: process, task, signals, futexes, timers, descriptors, and the one way to sleep.
//!
//! A guest process is a host process and a guest thread is a host thread with a vCPU, so ids are the host's own.
//! [`Process`] is what all threads share, [`Task`] is one thread as others see it, [`TaskContext`] is what only its own
//! thread touches. Neighbours: `preempt` calls in through [`sink`], `syscall` and `run` call from above.
//! The order of its locks stands at the top of the library (`lib.rs`).

pub mod blocking;
pub mod bring_up;
pub mod children;
pub mod clone;
pub mod exec;
pub mod exit;
pub mod fd_table;
pub mod futex;
pub mod limits;
pub mod open_file;
pub mod other_limits;
pub mod paths;
pub mod pool;
pub mod process;
pub mod published;
pub mod quiesce;
pub mod recent;
pub mod restart;
pub mod rseq;
pub mod send;
pub mod signal;
pub mod sink;
pub mod task;
pub mod timers;
pub mod uts;

pub use blocking::{Interrupted, Waker};
pub use process::Process;
pub use restart::{Control, Restart, SyscallError, SyscallResult};
pub use task::{Task, TaskContext};
