//! Guest memory: the trait that back ends implement, host access to guest memory, the VMA map and mmap policy.
//!
//! `docs/design.md` §5. Neighbours: `soft` implements [`Mapper`]; `kernel` and `syscall` use the VMA map.

pub mod access;
pub mod atomic;
pub mod fault;
mod mapper;

pub use access::{Faulted, WindowRef};
pub use mapper::{Backing, Mapper, Prot};
