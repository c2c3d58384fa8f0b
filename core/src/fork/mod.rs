//! Guest fork, in two ways (`docs/design.md` §7): by a host fork where the back end's machine survives one (`host`), and by a
//! spawned process everywhere: `elfuse --fork-child FD` receives an image of its parent and goes on in its place. `--fork`
//! chooses.
//!
//! [`fork_process`] is the parent's side of both. [`receive`] and [`Received::rebuild`] are the spawned child's, [`image`]
//! what parent and child say to each other. Either child makes its own kick thread and registry by the bring-up that
//! every process has.
//!
//! ```text
//! parent: gate closed, snapshot to a memory file, gate open -> spawn -> header, descriptors --> child: receive
//!         fork returns, or EAGAIN at the end of the stream <-- ready <------------------------- rebuild, run
//! ```
//!
//! Neighbours: `syscall::process` calls the parent's side, `run::start` the child's, `host::handover` is the socket.

mod child;
mod host;
pub mod image;
mod pages;
mod parent;
mod ready;
mod vfork;

pub use child::{Received, receive};
pub use parent::{close_gate, fork_process};
