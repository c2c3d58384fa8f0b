//! [`GuestMemory`]: how host code reads and writes guest memory. A bad guest pointer is `EFAULT`, never a crash.
//!
//! Addresses are taken as Linux takes them by default: a tagged pointer is refused with `EFAULT`
//! (`Documentation/arch/arm64/tagged-address-abi.rst`; a process opts in with prctl). Callers that Linux lets untag
//! (munmap, mprotect, madvise) do so themselves. Rights are the host mapping's; an executable page is readable, as on
//! arm64 CPUs without FEAT_PAN3. `docs/design.md` §5.

#![expect(unsafe_code, reason = "turns guest addresses into host ones")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use zerocopy::{FromBytes, Immutable, IntoBytes};

use super::atomic::Atomic;
use super::copy;
use crate::abi::{Errno, GuestAddr, GuestPtr, PAGE_SIZE};

/// Longest piece that [`GuestMemory::read_cstr`] reads at once; pieces end at page boundaries.
const STRING_PIECE_BYTES: usize = 256;

/// Access to the guest's memory for host code: a handle, freely copied.
#[derive(Clone, Copy, Debug)]
pub struct GuestMemory {
    base: NonNull<u8>,
    len_bytes: u64,
}

// SAFETY: the handle is an address range that stays reserved for the life of the process; access to it is by assembly
// that tolerates concurrent change.
unsafe impl Send for GuestMemory {}
// SAFETY: as above.
unsafe impl Sync for GuestMemory {}

impl GuestMemory {
    /// For `Window`, whose range is reserved for good.
    pub(super) fn new(base: NonNull<u8>, len_bytes: u64) -> Self {
        Self { base, len_bytes }
    }

    /// An accessor without memory: every access is `EFAULT`. For machines that map nothing.
    #[must_use]
    pub fn none() -> Self {
        Self { base: NonNull::dangling(), len_bytes: 0 }
    }

    /// The host address of guest address 0.
    #[must_use]
    pub fn base(self) -> NonNull<u8> {
        self.base
    }

    /// Length of the guest address space in bytes.
    #[must_use]
    pub fn len_bytes(self) -> u64 {
        self.len_bytes
    }

    /// The host address of a guest buffer, to be handed to a host system call, whose kernel answers `EFAULT` itself for
    /// pages that are not there. It must not be dereferenced.
    ///
    /// # Errors
    /// `EFAULT` where the buffer leaves the guest's address space.
    pub fn host_range(self, addr: GuestAddr, len_bytes: u64) -> Result<*mut u8, Errno> {
        let end = addr.add(len_bytes)?;
        if end.0 > self.len_bytes {
            return Err(Errno::EFAULT);
        }
        let offset = usize::try_from(addr.0).map_err(|_| Errno::EFAULT)?;
        Ok(self.base.as_ptr().wrapping_add(offset))
    }

    /// The guest address of a host address inside the window.
    #[must_use]
    pub fn guest_address(self, host: usize) -> Option<GuestAddr> {
        let offset = host.checked_sub(self.base.addr().get())? as u64;
        (offset < self.len_bytes).then_some(GuestAddr(offset))
    }

    /// Reads a value.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn read<T: FromBytes>(self, from: GuestPtr<T>) -> Result<T, Errno> {
        let mut value = MaybeUninit::<T>::uninit();
        let place = self.host_range(from.addr(), size_of::<T>() as u64)?;
        // SAFETY: (1) `value` has room for a T and is not guest memory; (2) `host_range` checked the window.
        if unsafe { copy::copy(place, value.as_mut_ptr().cast(), size_of::<T>()) } != 0 {
            return Err(Errno::EFAULT);
        }
        // SAFETY: every byte was written, and every byte pattern is a valid T (`FromBytes`).
        Ok(unsafe { value.assume_init() })
    }

    /// Writes a value.
    ///
    /// # Errors
    /// `EFAULT`; the part before the faulting page is written.
    pub fn write<T: IntoBytes + Immutable>(self, to: GuestPtr<T>, value: &T) -> Result<(), Errno> {
        self.write_bytes(to.addr(), value.as_bytes())
    }

    /// Fills `buffer` from guest memory.
    ///
    /// # Errors
    /// `EFAULT`; part of the buffer may be filled.
    pub fn read_bytes(self, from: GuestAddr, buffer: &mut [u8]) -> Result<(), Errno> {
        if self.read_up_to(from, buffer)? == buffer.len() { Ok(()) } else { Err(Errno::EFAULT) }
    }

    /// Fills as much of `buffer` as is readable and returns how many bytes that is, for calls with partial results.
    ///
    /// # Errors
    /// `EFAULT` where the buffer leaves the guest's address space.
    pub fn read_up_to(self, from: GuestAddr, buffer: &mut [u8]) -> Result<usize, Errno> {
        let place = self.host_range(from, buffer.len() as u64)?;
        // SAFETY: (1) the slice is host memory of this length; (2) `host_range` checked the window.
        let left = unsafe { copy::copy(place, buffer.as_mut_ptr(), buffer.len()) };
        Ok(buffer.len() - left)
    }

    /// Writes bytes.
    ///
    /// # Errors
    /// `EFAULT`; the part before the faulting page is written.
    pub fn write_bytes(self, to: GuestAddr, bytes: &[u8]) -> Result<(), Errno> {
        if self.write_up_to(to, bytes)? == bytes.len() { Ok(()) } else { Err(Errno::EFAULT) }
    }

    /// Writes as much as is writable and returns how many bytes that is.
    ///
    /// # Errors
    /// `EFAULT` where the target leaves the guest's address space.
    pub fn write_up_to(self, to: GuestAddr, bytes: &[u8]) -> Result<usize, Errno> {
        let place = self.host_range(to, bytes.len() as u64)?;
        // SAFETY: (1) the slice is host memory of this length; (2) `host_range` checked the window.
        let left = unsafe { copy::copy(bytes.as_ptr(), place, bytes.len()) };
        Ok(bytes.len() - left)
    }

    /// Writes `len_bytes` zeros.
    ///
    /// # Errors
    /// `EFAULT`; the part before the faulting page is zeroed.
    pub fn zero(self, to: GuestAddr, len_bytes: u64) -> Result<(), Errno> {
        let place = self.host_range(to, len_bytes)?;
        let len = usize::try_from(len_bytes).map_err(|_| Errno::EFAULT)?;
        // SAFETY: `host_range` checked the window.
        if unsafe { copy::zero(place, len) } == 0 { Ok(()) } else { Err(Errno::EFAULT) }
    }

    /// Reads a NUL-terminated string without its NUL, as strncpy_from_user of Linux.
    ///
    /// # Errors
    /// `EFAULT` where a byte before the NUL cannot be read, `ENAMETOOLONG` where the first `max_bytes` hold no NUL.
    pub fn read_cstr(self, from: GuestAddr, max_bytes: usize) -> Result<Vec<u8>, Errno> {
        let mut string = Vec::new();
        let mut piece = [0; STRING_PIECE_BYTES];
        while string.len() < max_bytes {
            let at = from.add(string.len() as u64)?;
            let to_page_end = PAGE_SIZE - at.0 % PAGE_SIZE;
            let len = STRING_PIECE_BYTES.min(max_bytes - string.len()).min(to_page_end as usize);
            self.read_bytes(at, &mut piece[..len])?;
            if let Some(nul) = piece[..len].iter().position(|&byte| byte == 0) {
                string.extend_from_slice(&piece[..nul]);
                return Ok(string);
            }
            string.extend_from_slice(&piece[..len]);
        }
        Err(Errno::ENAMETOOLONG)
    }

    /// Loads a word with acquire order, for futexes.
    ///
    /// # Errors
    /// `EINVAL` off a four-byte boundary, as futex(2); `EFAULT`.
    pub fn load_u32(self, from: GuestPtr<u32>) -> Result<u32, Errno> {
        let place = self.word(from)?;
        // SAFETY: `word` checked window and alignment.
        unsafe { u32::load_acquire(place) }.map_err(|_faulted| Errno::EFAULT)
    }

    /// Replaces a word that holds `expected` by `new`, sequentially consistent. Returns what it held: `expected` where it
    /// was replaced.
    ///
    /// # Errors
    /// As [`load_u32`](Self::load_u32).
    pub fn compare_exchange_u32(self, place: GuestPtr<u32>, expected: u32, new: u32) -> Result<u32, Errno> {
        let place = self.word(place)?;
        // SAFETY: `word` checked window and alignment.
        unsafe { u32::compare_exchange(place, expected, new) }.map_err(|_faulted| Errno::EFAULT)
    }

    /// Replaces a word by `update` of it, atomically, and returns what it held; `update` may run more than once.
    ///
    /// # Errors
    /// As [`load_u32`](Self::load_u32).
    pub fn fetch_update_u32(self, place: GuestPtr<u32>, mut update: impl FnMut(u32) -> u32) -> Result<u32, Errno> {
        let mut held = self.load_u32(place)?;
        loop {
            let seen = self.compare_exchange_u32(place, held, update(held))?;
            if seen == held {
                return Ok(held);
            }
            held = seen;
        }
    }

    fn word(self, at: GuestPtr<u32>) -> Result<*mut u8, Errno> {
        if !at.addr().0.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        self.host_range(at.addr(), 4)
    }
}
