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
//! # Locks
//!
//! Whoever holds an ordered lock takes only locks that stand below it; under a leaf nothing is taken. None is held across
//! a run, a sleep, or host input and output that may block; a fork by the host's fork(2) holds those of what the child takes
//! of its parent (`fork::host`), leaves among them one after the other, so that the child finds it whole. `ci/check-locks` compares this list with the source both ways.
//!
//! | lock | kind | what it guards |
//! |---|---|---|
//! | `Shared::draining` | ordered 1 | the draining of the transport file, whose lock is waited for some time |
//! | `Shared::taking` | ordered 2 | that a host signal that was taken is served, too |
//! | `Children::state` | ordered 3 | that nobody sees a child whose fork may still fail |
//! | `Gate::state` | ordered 4 | who may touch guest memory, and who holds the world still |
//! | `Timers::expiring` | ordered 5 | that whoever finds a timer expired finds its signal sent |
//! | `TimerTable::state` | ordered 6 | the guest's timers; held while their signals are sent |
//! | `FutexTable::buckets` | ordered 7, by index | futex waiters; held while the owner of a lock is looked up |
//! | `Process::group` | ordered 8 | threads, masks, pending signals, dispositions, how the process ends |
//! | `AddressSpace::state` | ordered 9 | the guest's mappings; held while the back end changes them |
//! | `CodePages::inner` | ordered 10 | which pages hold decoded code |
//! | `Registry::live` | ordered 11 | the live vCPUs; held while they are cancelled |
//! | `VcpuTable::words` | leaf | the interrupt words of vCPUs |
//! | `FdTable::slots` | leaf | guest descriptors |
//! | `Handle::result` | leaf | what a thread ended with |
//! | `Listing::position` | leaf | where the reading of a made-up directory stands |
//! | `Children::inbox` | leaf | changes of children that nobody has looked at |
//! | `Limits::set` | leaf | limits that are the guest's alone |
//! | `Process::image` | leaf | what is known about the program |
//! | `Process::async_files` | leaf | the guest's numbers of files that send signals |
//! | `Process::root` | leaf | the guest's root |
//! | `Process::handed_over` | leaf | the program that the main thread is to execute |
//! | `Process::vfork_parent` | leaf | the stream that keeps a vfork parent waiting |
//! | `Task::traced` | leaf | how far the line of a traced call has been written |
//! | `Pool::idle` | leaf | the threads of the pool that wait for work |
//! | `Call::state` | leaf | where a call stands that a thread of the pool makes for another |
//! | `Lifetime::state` | leaf | the count of live threads |
//! | `Preemption::running` | leaf | the kick thread, its sink, the transport's receiver |
//! | `Shared::queue` | leaf | requests for kicks |
//! | `Timers::heap` | leaf | the deadlines |
//! | `Watchdog::slots` | leaf | the watched runs |
//! | `Stats::returned` | leaf | slots of the statistics file that are free again |
//!
//! Read `docs/design.md` first: §1 is the problem everything here serves, §2 the invariants.

// Both panic where nothing can be written: `host::tell` does not.
#![cfg_attr(not(test), deny(clippy::print_stdout, clippy::print_stderr))]

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
