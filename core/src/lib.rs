//! elfuse runs AArch64 Linux ELF programs in user mode behind a hypervisor-shaped seam.
//!
//! The folders show the architecture; dependencies point from right to left (`ci/check-layers` enforces it):
//!
//! ```text
//! abi, host, trace  <-  mem  <-  vcpu  <-  hvf | soft
//!                        ^        ^
//!               fs, elf, preempt  <-  kernel  <-  procfs, fork  <-  syscall  <-  run, debug  <-  main
//! ```
//!
//! Read `docs/design.md` first: §1 is the problem everything here serves, §2 the invariants.

pub mod abi;
pub mod cli;
pub mod elf;
pub mod fork;
pub mod fs;
pub mod host;
pub mod hvf;
pub mod kernel;
pub mod mem;
pub mod preempt;
pub mod procfs;
pub mod run;
pub mod soft;
pub mod syscall;
pub mod trace;
pub mod vcpu;
