//! Guest fork by a spawned process: `elfuse --fork-child FD` receives an image of its parent and goes on in its place.
//!
//! [`spawn_process`] is the parent's side, [`receive`] and [`Received::rebuild`] the child's, [`image`] what they say to each
//! other. A machine does not survive a host fork on every back end, so the child is a fresh host process that makes its
//! own machine, kick thread and registry by the bring-up that every process has (`docs/design.md` §7).
//!
//! ```text
//! parent: gate closed, snapshot to a memory file, gate open -> spawn -> header, descriptors --> child: receive
//!         fork returns, or EAGAIN at the end of the stream <-- ready <------------------------- rebuild, run
//! ```
//!
//! Neighbours: `syscall::process` calls the parent's side, `run::start` the child's, `host::handover` is the socket.

mod child;
pub mod image;
mod pages;
mod parent;

pub use child::{Received, receive};
pub use parent::spawn_process;
