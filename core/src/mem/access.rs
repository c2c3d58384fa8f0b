//! Loads and stores on guest memory: the only instructions of elfuse that may fault on a guest address.
//!
//! [`WindowRef`] turns a guest address into a host one and accesses it by inline assembly. The address of every such
//! instruction stands in the linker section `elfuse_fixups` together with the address where execution goes on when it
//! faults; the fault handler moves the host PC there and does nothing else. An entry is two 32-bit self-relative
//! offsets: instruction, continuation. The accessor then answers [`Faulted`], and [`WindowRef::abort`] says what was
//! wrong. Atomic accessors are in [`atomic`](super::atomic).
//!
//! `docs/design.md` §5. Neighbours: [`fault`](super::fault) keeps what the handler saw; `soft::interp` and
//! `guest_memory` are the callers. Source of the ordering rules: Intel SDM vol. 3A §10.2 (memory ordering).

#![expect(unsafe_code, reason = "guest memory is reached by assembly on raw host addresses")]

use std::arch::asm;

use super::fault::{self, AbortCause};
use crate::abi::GuestAddr;

/// An access that could not be done; [`WindowRef::abort`] tells why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Faulted {
    /// The address is outside the window: nothing is ever mapped there.
    OutsideWindow,
    /// The host refused the access.
    Host,
}

/// The guest's window in the host address space: guest address A is host address `base + A`.
#[derive(Clone, Copy, Debug)]
pub struct WindowRef {
    base: *mut u8,
    len: u64,
}

// SAFETY: the window is process-wide memory, reached only through accessors that work for any thread; see `new`.
unsafe impl Send for WindowRef {}
// SAFETY: as above; a `WindowRef` is only a base and a length.
unsafe impl Sync for WindowRef {}

/// Mask of the address bits below the tag byte.
const ADDRESS_BITS: u64 = 0x00ff_ffff_ffff_ffff;

impl WindowRef {
    /// The window of `len` bytes at `base`.
    ///
    /// # Safety
    /// 1. `base..base + len` and a guard of at least 64 KiB on both sides stay reserved for guest memory as long as any
    ///    copy of the result is used: no memory of the host program is ever in them.
    /// 2. A fault handler that honours `elfuse_fixups` is installed before the first access that can fault.
    #[must_use]
    pub unsafe fn new(base: *mut u8, len: u64) -> Self {
        Self { base, len }
    }

    /// Length of the window in bytes.
    #[must_use]
    pub fn len(self) -> u64 {
        self.len
    }

    /// True for a window of no bytes, in which every access faults.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }

    /// The host address of a guest address, its tag ignored (TBI), or `OutsideWindow`.
    ///
    /// # Errors
    /// [`Faulted::OutsideWindow`].
    #[inline(always)]
    pub(super) fn host(self, addr: GuestAddr) -> Result<*mut u8, Faulted> {
        if addr.0 < self.len {
            return Ok(self.base.wrapping_add(addr.0 as usize));
        }
        self.host_of_tagged(addr)
    }

    #[cold]
    fn host_of_tagged(self, addr: GuestAddr) -> Result<*mut u8, Faulted> {
        let address = addr.0 & ADDRESS_BITS;
        if address < self.len { Ok(self.base.wrapping_add(address as usize)) } else { Err(Faulted::OutsideWindow) }
    }

    /// Loads a `T`; one single-copy atomic access for sizes up to 8 bytes, and for 16 where `T` says so.
    ///
    /// # Errors
    /// [`Faulted`] where the guest has nothing readable.
    #[inline(always)]
    pub fn load<T: Loadable>(self, addr: GuestAddr) -> Result<T, Faulted> {
        let host = self.host(addr)?;
        // SAFETY: `host` is inside the window, or at most its guard (`new`, 1), and a fault is fixed up (`new`, 2).
        unsafe { T::load(host) }
    }

    /// Stores a `T`, as [`load`](Self::load) loads it.
    ///
    /// # Errors
    /// [`Faulted`] where the guest has nothing writable.
    #[inline(always)]
    pub fn store<T: Loadable>(self, addr: GuestAddr, value: T) -> Result<(), Faulted> {
        let host = self.host(addr)?;
        // SAFETY: as in `load`; what is written is guest memory only.
        unsafe { T::store(host, value) }
    }

    /// Loads two adjacent `T`s, each by one access.
    ///
    /// # Errors
    /// [`Faulted`] where either is not readable.
    #[inline(always)]
    pub fn load_pair<T: Loadable>(self, addr: GuestAddr) -> Result<(T, T), Faulted> {
        let host = self.host(addr)?;
        // SAFETY: as in `load`; the guards are wider than a pair.
        unsafe { Ok((T::load(host)?, T::load(host.wrapping_add(size_of::<T>()))?)) }
    }

    /// Stores two adjacent `T`s, each by one access; where the second faults the first may have been done.
    ///
    /// # Errors
    /// [`Faulted`] where either is not writable.
    #[inline(always)]
    pub fn store_pair<T: Loadable>(self, addr: GuestAddr, first: T, second: T) -> Result<(), Faulted> {
        let host = self.host(addr)?;
        // SAFETY: as in `load_pair`; what is written is guest memory only.
        unsafe {
            T::store(host, first)?;
            T::store(host.wrapping_add(size_of::<T>()), second)
        }
    }

    /// What was wrong with the access at `addr` that just answered `faulted` on this thread: the first byte that could
    /// not be accessed, with the tag of `addr`, and the cause.
    #[cold]
    #[must_use]
    pub fn abort(self, addr: GuestAddr, faulted: Faulted) -> (GuestAddr, AbortCause) {
        match faulted {
            Faulted::OutsideWindow => (addr, AbortCause::Translation),
            Faulted::Host => {
                let (host, cause) = fault::last();
                let start = (self.base as u64).wrapping_add(addr.0 & ADDRESS_BITS);
                // An access that crosses into a bad page is told by the first byte there.
                let into = (host as u64).wrapping_sub(start);
                (GuestAddr(if into < 64 { addr.0.wrapping_add(into) } else { addr.0 }), cause)
            }
        }
    }
}

/// A type that guest memory can hold.
pub trait Loadable: Copy {
    /// Loads from a host address in the window.
    ///
    /// # Errors
    /// [`Faulted::Host`] when the host faulted.
    ///
    /// # Safety
    /// `host` lies in a window or its guards, see [`WindowRef::new`].
    unsafe fn load(host: *const u8) -> Result<Self, Faulted>;

    /// Stores to a host address in the window.
    ///
    /// # Errors
    /// [`Faulted::Host`] when the host faulted.
    ///
    /// # Safety
    /// `host` lies in a window or its guards, see [`WindowRef::new`].
    unsafe fn store(host: *mut u8, value: Self) -> Result<(), Faulted>;
}

/// The fixup entry for the instruction at label 2 that goes on at label 3.
macro_rules! fixup {
    () => {
        $crate::host::fault::fixup_entry!("2b", "3f")
    };
}
pub(super) use fixup;

/// The result of an accessor whose error register holds `failed`.
#[inline(always)]
pub(super) fn checked<T>(value: T, failed: u64) -> Result<T, Faulted> {
    if failed == 0 { Ok(value) } else { Err(Faulted::Host) }
}

/// Implements [`Loadable`] for an integer; the error register is 1 while the access is tried.
macro_rules! loadable {
    ($type:ty, $class:ident, $x86_load:literal, $x86_store:literal, $arm_load:literal, $arm_store:literal) => {
        impl Loadable for $type {
            #[inline(always)]
            unsafe fn load(host: *const u8) -> Result<Self, Faulted> {
                let failed: u64;
                #[cfg(target_arch = "x86_64")]
                {
                    let value: u64;
                    // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                    unsafe {
                        asm!("mov {e:e}, 1", concat!("2: ", $x86_load), fixup!(), "xor {e:e}, {e:e}", "3:",
                            v = out(reg) value, p = in(reg) host, e = out(reg) failed,
                            options(nostack, readonly));
                    }
                    checked(value as $type, failed)
                }
                #[cfg(target_arch = "aarch64")]
                {
                    let value: u64;
                    // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                    unsafe {
                        asm!("mov {e}, #1", concat!("2: ", $arm_load), fixup!(), "mov {e}, #0", "3:",
                            v = out(reg) value, p = in(reg) host, e = out(reg) failed,
                            options(nostack, readonly, preserves_flags));
                    }
                    checked(value as $type, failed)
                }
            }

            #[inline(always)]
            unsafe fn store(host: *mut u8, value: Self) -> Result<(), Faulted> {
                let failed: u64;
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                unsafe {
                    asm!("mov {e:e}, 1", concat!("2: ", $x86_store), fixup!(), "xor {e:e}, {e:e}", "3:",
                        v = in($class) value, p = in(reg) host, e = out(reg) failed,
                        options(nostack));
                }
                #[cfg(target_arch = "aarch64")]
                // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                unsafe {
                    asm!("mov {e}, #1", concat!("2: ", $arm_store), fixup!(), "mov {e}, #0", "3:",
                        v = in(reg) u64::from(value), p = in(reg) host, e = out(reg) failed,
                        options(nostack, preserves_flags));
                }
                checked((), failed)
            }
        }
    };
}

loadable!(
    u8,
    reg_byte,
    "movzx {v:e}, byte ptr [{p}]",
    "mov byte ptr [{p}], {v}",
    "ldrb {v:w}, [{p}]",
    "strb {v:w}, [{p}]"
);
loadable!(
    u16,
    reg,
    "movzx {v:e}, word ptr [{p}]",
    "mov word ptr [{p}], {v:x}",
    "ldrh {v:w}, [{p}]",
    "strh {v:w}, [{p}]"
);
loadable!(u32, reg, "mov {v:e}, dword ptr [{p}]", "mov dword ptr [{p}], {v:e}", "ldr {v:w}, [{p}]", "str {v:w}, [{p}]");
loadable!(u64, reg, "mov {v:r}, qword ptr [{p}]", "mov qword ptr [{p}], {v:r}", "ldr {v}, [{p}]", "str {v}, [{p}]");

/// 16 bytes as a SIMD register holds them, by one access of the host. Not single-copy atomic by the host's manual
/// (the architecture asks that only of LDP/STP under LSE2); see `atomic` for the 128-bit atomics.
impl Loadable for u128 {
    #[inline(always)]
    unsafe fn load(host: *const u8) -> Result<Self, Faulted> {
        let failed: u64;
        #[cfg(target_arch = "x86_64")]
        {
            let value: std::arch::x86_64::__m128i;
            // SAFETY: the caller gives an address in the window; the access is in the fixup table.
            unsafe {
                asm!("mov {e:e}, 1", "2: movdqu {v}, xmmword ptr [{p}]", fixup!(), "xor {e:e}, {e:e}", "3:",
                    v = out(xmm_reg) value, p = in(reg) host, e = out(reg) failed, options(nostack, readonly));
            }
            // SAFETY: both types are 16 bytes without padding and any bits are valid.
            checked(unsafe { std::mem::transmute::<std::arch::x86_64::__m128i, u128>(value) }, failed)
        }
        #[cfg(target_arch = "aarch64")]
        {
            let (low, high): (u64, u64);
            // SAFETY: the caller gives an address in the window; the access is in the fixup table.
            unsafe {
                asm!("mov {e}, #1", "2: ldp {l}, {h}, [{p}]", fixup!(), "mov {e}, #0", "3:",
                    l = out(reg) low, h = out(reg) high, p = in(reg) host, e = out(reg) failed,
                    options(nostack, readonly, preserves_flags));
            }
            checked(u128::from(high) << 64 | u128::from(low), failed)
        }
    }

    #[inline(always)]
    unsafe fn store(host: *mut u8, value: Self) -> Result<(), Faulted> {
        let failed: u64;
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller gives an address in the window; the access is in the fixup table; both types are 16 bytes
        // without padding and any bits are valid.
        unsafe {
            let value = std::mem::transmute::<u128, std::arch::x86_64::__m128i>(value);
            asm!("mov {e:e}, 1", "2: movdqu xmmword ptr [{p}], {v}", fixup!(), "xor {e:e}, {e:e}", "3:",
                v = in(xmm_reg) value, p = in(reg) host, e = out(reg) failed, options(nostack));
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the caller gives an address in the window; the access is in the fixup table.
        unsafe {
            asm!("mov {e}, #1", "2: stp {l}, {h}, [{p}]", fixup!(), "mov {e}, #0", "3:",
                l = in(reg) value as u64, h = in(reg) (value >> 64) as u64, p = in(reg) host, e = out(reg) failed,
                options(nostack, preserves_flags));
        }
        checked((), failed)
    }
}
