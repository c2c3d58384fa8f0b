//! [`Window`]: the reserved part of the host address space that holds all of the guest's.
//!
//! Guest address A is host address `base + A`. Guards of [`GUARD_BYTES`] without access stand on both sides, and no
//! operation leaves a hole that another host mapping could land in. `docs/design.md` §5 and §2 (invariant 8).

#![expect(unsafe_code, reason = "host mappings inside the guest's window")]

use std::io;
use std::ptr::NonNull;

use super::GuestMemory;
use crate::abi::{Errno, GuestAddr, GuestRange, PAGE_SIZE};
use crate::host::memory::{self, Source};

/// Bytes of a guard: more than the largest access that starts at an address just inside of the window.
pub const GUARD_BYTES: usize = 1 << 20;

/// log2 of the window's length, in order of preference: an arm64 VA size that sanitizers know (42 bits), and the smallest
/// one that Linux has with 4 KiB pages and three levels (39 bits).
const LEN_BITS: [u32; 2] = [42, 39];

/// Why there is no window.
#[derive(Debug, thiserror::Error)]
pub enum WindowError {
    /// The host's pages are not the guest's.
    #[error(
        "the software vCPU needs a host with {PAGE_SIZE}-byte pages, this one has {0}-byte pages; boot a kernel with 4 KiB \
         pages, or use a build for Hypervisor.framework on Apple Silicon"
    )]
    PageSize(usize),
    /// The host refuses so much address space.
    #[error(
        "cannot reserve 2^{bits} bytes of address space for the guest: {source}; lift the limit on virtual memory (`ulimit -v \
         unlimited`, or RLIMIT_AS of the service)"
    )]
    Reserve {
        /// log2 of the smallest length that was tried.
        bits: u32,
        /// The host's answer.
        source: io::Error,
    },
}

/// The window of the process. It is never unmapped: stray pointers into it must keep faulting.
#[derive(Debug)]
pub struct Window {
    base: NonNull<u8>,
    len_bytes: u64,
}

// SAFETY: the window is an address range; all access to its memory goes through assembly that the compiler does not
// reason about, and the host kernel serialises mapping changes.
unsafe impl Send for Window {}
// SAFETY: as above.
unsafe impl Sync for Window {}

impl Window {
    /// Reserves the window: 2^42 bytes, or 2^39 where the host allows no more.
    ///
    /// # Errors
    /// [`WindowError`] says what is missing and what to do.
    pub fn reserve() -> Result<Self, WindowError> {
        let page_size = memory::page_size();
        if page_size as u64 != PAGE_SIZE {
            return Err(WindowError::PageSize(page_size));
        }
        let mut refusal = WindowError::Reserve { bits: 0, source: io::Error::from_raw_os_error(libc::ENOMEM) };
        for bits in LEN_BITS {
            match memory::reserve((1 << bits) + 2 * GUARD_BYTES) {
                // SAFETY: the reservation is longer than the guard.
                Ok(start) => return Ok(Self { base: unsafe { start.add(GUARD_BYTES) }, len_bytes: 1 << bits }),
                Err(source) => refusal = WindowError::Reserve { bits, source },
            }
        }
        Err(refusal)
    }

    /// Length of the guest address space in bytes.
    #[must_use]
    pub fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    /// The host address of guest address 0.
    #[must_use]
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// The accessor for host code.
    #[must_use]
    pub fn memory(&self) -> GuestMemory {
        GuestMemory::new(self.base, self.len_bytes)
    }

    /// The window for the accessors of a vCPU. The fault handlers must be installed.
    #[must_use]
    pub fn accessor(&self) -> super::WindowRef {
        // SAFETY: (1) the window and its guards are never unmapped and hold nothing of the host program; (2) the machine
        // installs the fault handlers before it reserves the window.
        unsafe { super::WindowRef::new(self.base.as_ptr(), self.len_bytes) }
    }

    /// Maps a range with host rights `prot`, replacing what was there.
    ///
    /// # Errors
    /// `EINVAL` outside of the window or off page boundaries; otherwise the host's errno.
    pub fn map(&self, range: GuestRange, prot: i32, source: Source<'_>) -> Result<(), Errno> {
        let (place, len) = self.place(range)?;
        // SAFETY: `place` checked that the range lies in the window, which this value owns.
        Ok(unsafe { memory::map_fixed(place, len, prot, source) }?)
    }

    /// Puts inaccessible, unaccounted memory back over a range.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn release(&self, range: GuestRange) -> Result<(), Errno> {
        self.map(range, libc::PROT_NONE, Source::Anonymous)
    }

    /// Changes host rights.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn protect(&self, range: GuestRange, prot: i32) -> Result<(), Errno> {
        let (place, len) = self.place(range)?;
        // SAFETY: as in `map`.
        Ok(unsafe { memory::protect(place, len, prot) }?)
    }

    /// Moves pages to another place and releases the old one.
    ///
    /// # Errors
    /// As [`map`](Self::map), and `EINVAL` for overlapping ranges.
    pub fn relocate(&self, from: GuestRange, to: GuestAddr) -> Result<(), Errno> {
        let target = GuestRange::new(to, from.len())?;
        if from.overlaps(target) {
            return Err(Errno::EINVAL);
        }
        let (source_place, len) = self.place(from)?;
        let (target_place, _) = self.place(target)?;
        // SAFETY: both ranges lie in the window and do not overlap.
        unsafe { memory::relocate(source_place, target_place, len) }?;
        self.release(from)
    }

    /// Passes an advice of madvise(2) on.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn advise(&self, range: GuestRange, advice: i32) -> Result<(), Errno> {
        let (place, len) = self.place(range)?;
        // SAFETY: as in `map`.
        Ok(unsafe { memory::advise(place, len, advice) }?)
    }

    /// Writes shared file mappings back, with the flags of msync(2).
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn sync(&self, range: GuestRange, flags: i32) -> Result<(), Errno> {
        let (place, len) = self.place(range)?;
        // SAFETY: as in `map`.
        Ok(unsafe { memory::sync(place, len, flags) }?)
    }

    /// Residency of each page from `start` on, as mincore(2) tells it.
    ///
    /// # Errors
    /// As [`map`](Self::map).
    pub fn resident(&self, start: GuestAddr, pages: &mut [u8]) -> Result<(), Errno> {
        let (place, _) = self.place(GuestRange::new(start, pages.len() as u64 * PAGE_SIZE)?)?;
        // SAFETY: as in `map`.
        Ok(unsafe { memory::resident(place, pages) }?)
    }

    /// The host place of a page-aligned range inside the window.
    fn place(&self, range: GuestRange) -> Result<(*mut u8, usize), Errno> {
        if range.end.0 > self.len_bytes || !range.start.is_page_aligned() || !range.end.is_page_aligned() {
            return Err(Errno::EINVAL);
        }
        let len = usize::try_from(range.len()).map_err(|_| Errno::EINVAL)?;
        let offset = usize::try_from(range.start.0).map_err(|_| Errno::EINVAL)?;
        Ok((self.base.as_ptr().wrapping_add(offset), len))
    }
}
