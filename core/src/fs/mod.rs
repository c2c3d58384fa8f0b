//! Files: the guest's tree and the walk in it, flag translation between the guest's arm64 and the host, and the layouts
//! that stat(2) and its kin fill in.
//!
//! Neighbours: `syscall::fs` and `syscall::path` call in; nothing here knows tasks. `docs/design.md` §3.

pub mod flags;
mod host_walk;
pub mod root;
pub mod stat;
pub mod walk;

pub use flags::OpenFlags;
pub use root::{Root, RootConfig, RootError};
pub use walk::{Found, Last};
