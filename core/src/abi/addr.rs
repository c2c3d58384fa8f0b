//! Guest addresses as types: [`GuestAddr`], typed [`GuestPtr`] and page-aware [`GuestRange`].
//!
//! Arithmetic is checked: an address computation that leaves 64 bits is `EFAULT`, as Linux answers it. Only
//! `mem::guest_memory` turns a guest address into a host one.

use std::fmt;
use std::marker::PhantomData;

use super::Errno;

/// Size of a guest page in bytes. arm64 Linux with 4 KiB pages is the personality that elfuse shows.
pub const PAGE_SIZE: u64 = 4096;

/// A virtual address of the guest. The top byte may hold a tag (TBI); see [`GuestAddr::untagged`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct GuestAddr(pub u64);

impl GuestAddr {
    /// The null address.
    pub const NULL: Self = Self(0);

    /// True for address 0.
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.0 == 0
    }

    /// The address `len_bytes` further on.
    ///
    /// # Errors
    /// `EFAULT` when the sum leaves the 64-bit address space.
    pub const fn add(self, len_bytes: u64) -> Result<Self, Errno> {
        match self.0.checked_add(len_bytes) {
            Some(sum) => Ok(Self(sum)),
            None => Err(Errno::EFAULT),
        }
    }

    /// The address `offset_bytes` away, modulo 2^64, as the CPU computes it.
    #[must_use]
    pub const fn wrapping_offset(self, offset_bytes: i64) -> Self {
        Self(self.0.wrapping_add_signed(offset_bytes))
    }

    /// The address without its tag: bits 63:56 replaced by bit 55 (Arm ARM D8.8, "Address tagging").
    #[must_use]
    pub const fn untagged(self) -> Self {
        Self((((self.0 << 8) as i64) >> 8) as u64)
    }

    /// The address as Linux's `untagged_addr` shows it: a user's without its tag, any other as it is.
    #[must_use]
    pub const fn without_tag(self) -> Self {
        Self(self.0 & self.untagged().0)
    }

    /// The start of the page that holds this address.
    #[must_use]
    pub const fn page_floor(self) -> Self {
        Self(self.0 & !(PAGE_SIZE - 1))
    }

    /// The next page boundary at or after this address, or `None` past the end of the address space.
    #[must_use]
    pub const fn page_ceil(self) -> Option<Self> {
        match self.0.checked_add(PAGE_SIZE - 1) {
            Some(end) => Some(Self(end & !(PAGE_SIZE - 1))),
            None => None,
        }
    }

    /// True on a page boundary.
    #[must_use]
    pub const fn is_page_aligned(self) -> bool {
        self.0.is_multiple_of(PAGE_SIZE)
    }
}

impl fmt::Debug for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::Display for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

impl fmt::LowerHex for GuestAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::LowerHex::fmt(&self.0, f)
    }
}

/// A guest address that a syscall's prototype says points at a `T`.
pub struct GuestPtr<T> {
    addr: GuestAddr,
    target: PhantomData<fn() -> T>,
}

impl<T> GuestPtr<T> {
    /// Types an address.
    #[must_use]
    pub const fn new(addr: GuestAddr) -> Self {
        Self { addr, target: PhantomData }
    }

    /// The address itself.
    #[must_use]
    pub const fn addr(self) -> GuestAddr {
        self.addr
    }

    /// `None` for a null pointer: the usual "argument absent" of Linux calls.
    #[must_use]
    pub const fn non_null(self) -> Option<Self> {
        if self.addr.is_null() { None } else { Some(self) }
    }

    /// The pointer to element `index` of an array of `T`.
    ///
    /// # Errors
    /// `EFAULT` when the address leaves the 64-bit address space.
    pub const fn index(self, index: u64) -> Result<Self, Errno> {
        match index.checked_mul(size_of::<T>() as u64) {
            Some(offset) => match self.addr.add(offset) {
                Ok(addr) => Ok(Self::new(addr)),
                Err(errno) => Err(errno),
            },
            None => Err(Errno::EFAULT),
        }
    }
}

impl<T> Clone for GuestPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for GuestPtr<T> {}

impl<T> fmt::Debug for GuestPtr<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr.fmt(f)
    }
}

/// A half-open range of guest addresses, `start..end`, never wrapping.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GuestRange {
    /// First address of the range.
    pub start: GuestAddr,
    /// First address after the range.
    pub end: GuestAddr,
}

impl GuestRange {
    /// The range of `len_bytes` bytes at `start`.
    ///
    /// # Errors
    /// `EFAULT` when the end leaves the 64-bit address space.
    pub const fn new(start: GuestAddr, len_bytes: u64) -> Result<Self, Errno> {
        match start.add(len_bytes) {
            Ok(end) => Ok(Self { start, end }),
            Err(errno) => Err(errno),
        }
    }

    /// Length in bytes.
    #[must_use]
    pub const fn len(self) -> u64 {
        self.end.0 - self.start.0
    }

    /// True when the range holds no address.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.end.0 == self.start.0
    }

    /// True when `addr` lies in the range.
    #[must_use]
    pub const fn contains(self, addr: GuestAddr) -> bool {
        self.start.0 <= addr.0 && addr.0 < self.end.0
    }

    /// True when the two ranges share an address.
    #[must_use]
    pub const fn overlaps(self, other: Self) -> bool {
        self.start.0 < other.end.0 && other.start.0 < self.end.0
    }
}

impl fmt::Display for GuestRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_replaced_by_bit_55() {
        assert_eq!(GuestAddr(0xab00_1234_5678_9abc).untagged(), GuestAddr(0x1234_5678_9abc));
        assert_eq!(GuestAddr(0x00ff_ffff_ffff_f000).untagged(), GuestAddr(0xffff_ffff_ffff_f000));
    }

    #[test]
    fn sums_out_of_the_address_space_are_efault() {
        assert_eq!(GuestAddr(u64::MAX).add(1), Err(Errno::EFAULT));
        assert_eq!(GuestAddr(u64::MAX - 1).add(1), Ok(GuestAddr(u64::MAX)));
        assert_eq!(GuestAddr(u64::MAX).page_ceil(), None);
    }
}
