//! [`Mapper`]: what a back end must do with guest address ranges. Policy (where, whether, merging) is above it.
//!
//! All ranges are page aligned and inside `0..address_space_len()`; callers see to that.

use std::os::fd::BorrowedFd;

use super::{CodeCounter, GuestMemory};
use crate::abi::{Errno, GuestAddr, GuestRange};

bitflags::bitflags! {
    /// Access rights of a mapping, with the numbers of `PROT_*` in mmap(2).
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
    pub struct Prot: u8 {
        /// `PROT_READ`.
        const READ = 1;
        /// `PROT_WRITE`.
        const WRITE = 2;
        /// `PROT_EXEC`.
        const EXEC = 4;
        /// `PROT_BTI`: branches may only go where the code expects them (FEAT_BTI).
        const BTI = 16;
    }
}

/// What is behind a mapping.
#[derive(Clone, Copy, Debug)]
pub enum Backing<'fd> {
    /// Private zero-filled memory.
    Anonymous,
    /// A private copy-on-write view of a file.
    PrivateFile {
        /// The file.
        file: BorrowedFd<'fd>,
        /// Offset of the first byte, a multiple of the page size.
        offset: u64,
    },
    /// A shared view of a file (shared anonymous memory is a memory file).
    SharedFile {
        /// The file.
        file: BorrowedFd<'fd>,
        /// Offset of the first byte, a multiple of the page size.
        offset: u64,
        /// False for a file that was opened read-only: the mapping can never become writable.
        writable: bool,
    },
    /// A System V shared memory segment.
    Segment {
        /// The host's identifier.
        id: i32,
        /// Offset of the first byte, a multiple of the page size.
        offset: u64,
        /// False for a segment that is attached read-only: the mapping can never become writable.
        writable: bool,
    },
}

/// The guest address space as a back end keeps it.
pub trait Mapper: Send + Sync {
    /// Length in bytes of the guest address space: addresses `0..len` can be mapped.
    fn address_space_len(&self) -> u64;

    /// How host code reads and writes guest memory.
    fn memory(&self) -> GuestMemory;

    /// Maps `range`, replacing what was there.
    ///
    /// # Errors
    /// The host's errno: `ENOMEM`, `EACCES`, `ENODEV`, `EAGAIN`, ...
    fn map(&self, range: GuestRange, prot: Prot, backing: Backing<'_>) -> Result<(), Errno>;

    /// Changes the rights of mapped pages.
    ///
    /// # Errors
    /// The host's errno.
    fn protect(&self, range: GuestRange, prot: Prot) -> Result<(), Errno>;

    /// Releases `range`: accesses fault afterwards, and the addresses stay reserved.
    ///
    /// # Errors
    /// The host's errno.
    fn unmap(&self, range: GuestRange) -> Result<(), Errno>;

    /// Moves the pages of `from` to `to`, replacing what is there; the old place is released. The ranges do not overlap.
    ///
    /// # Errors
    /// The host's errno.
    fn relocate(&self, from: GuestRange, to: GuestAddr) -> Result<(), Errno>;

    /// Passes a madvise(2) advice (the host's number) on to the pages of `range`.
    ///
    /// # Errors
    /// The host's errno.
    fn advise(&self, range: GuestRange, advice: i32) -> Result<(), Errno>;

    /// Writes shared file mappings back, with the flags of msync(2).
    ///
    /// # Errors
    /// The host's errno.
    fn sync(&self, range: GuestRange, flags: i32) -> Result<(), Errno>;

    /// Tells for each page from `start` on whether it is resident (bit 0 of its byte), as mincore(2).
    ///
    /// # Errors
    /// The host's errno.
    fn resident(&self, start: GuestAddr, pages: &mut [u8]) -> Result<(), Errno>;

    /// From now on, changes of instructions by the guest's own cache maintenance are counted for other processes that run in
    /// the same memory; with `None` no more.
    fn count_code_changes(&self, _counter: Option<CodeCounter>) {}

    /// Looks what other processes have counted.
    fn see_code_changes(&self) {}

    /// Says that instructions in `range` may have changed (`IC IVAU`, or the mapping changed).
    fn invalidate_code(&self, range: GuestRange);
}
