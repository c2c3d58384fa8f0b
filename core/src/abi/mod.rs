//! The Linux arm64 user ABI as data: addresses, errnos, signals, ids. No logic beyond encoding.
//!
//! Neighbours: everything else depends on this module, it depends on nothing. Sources: `include/uapi` of Linux
//! (asm-generic as arm64 uses it) and `arch/arm64/include/uapi`.

mod addr;
mod errno;
mod ids;
pub mod mman;
pub mod prctl;
mod rseq;
mod siginfo;
mod signal;
pub mod socket;
pub mod stat;
pub mod time;

pub use addr::{GuestAddr, GuestPtr, GuestRange, PAGE_SIZE};
pub use errno::Errno;
pub use ids::{Fd, Pid, Tid};
pub use rseq::{RSEQ_ALIGN, RSEQ_FEATURE_SIZE};
pub use siginfo::{SiCode, SigInfo};
pub use signal::{SigSet, Signal};
