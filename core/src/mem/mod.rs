//! Guest memory: the trait that back ends implement, host access to guest memory, the VMA map and mmap policy.
//!
//! `docs/design.md` §5. Neighbours: `soft` implements [`Mapper`]; `kernel` and `syscall` use the VMA map.

mod mapper;

pub use mapper::{Backing, Mapper, Prot};
