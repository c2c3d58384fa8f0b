//! Files: flag translation between the guest's arm64 and the host, and the layouts that stat(2) and its kin fill in.
//!
//! Neighbours: `syscall::fs` and `syscall::path` call in; nothing here knows tasks. `docs/design.md` §3.

pub mod flags;
pub mod stat;

pub use flags::OpenFlags;
