//! Guest memory: the trait that back ends implement, host access to guest memory, the VMA map and mmap policy.
//!
//! `docs/design.md` §5. Neighbours: `soft` implements [`Mapper`]; `kernel` and `syscall` use [`AddressSpace`].

pub mod access;
mod address_space;
mod advice;
pub mod atomic;
mod bounds;
mod brk;
mod commons;
mod copy;
mod differences;
pub mod fault;
mod guest_memory;
mod inherit;
mod layout;
mod mapper;
mod mremap;
mod range_map;
mod seal;
mod segments;
mod sharing;
mod vma;
mod window;

pub use access::{Faulted, WindowRef};
pub use address_space::{AddressSpace, MmapRequest};
pub use commons::{CodeCounter, Commons};
pub use differences::differences;
pub use guest_memory::GuestMemory;
pub use inherit::HeldSpace;
pub use layout::{Layout, MMAP_MIN_ADDR};
pub use mapper::{Backing, Mapper, Prot};
pub use range_map::{RangeMap, Segment};
pub use segments::{AttachAt, SharedSegment};
pub use vma::{MappedFile, Vma, VmaBacking, VmaFlags};
pub use window::{GUARD_BYTES, Window, WindowError};
