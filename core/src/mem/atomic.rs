//! Atomic accesses to guest memory, for exclusives, LSE atomics and acquire/release: methods of [`WindowRef`].
//!
//! All of them are sequentially consistent read-modify-writes, or acquire loads and release stores that are ordered
//! among each other as LDAR and STLR are (Arm ARM B2.3). Addresses must be naturally aligned; callers see to that,
//! since the guest's misaligned access is an alignment fault.
//!
//! On x86 a plain load is an acquire, and a release store is an XCHG, so that a later acquire load cannot pass it.
//! 16-byte loads are one aligned SSE access, which is atomic on every CPU with AVX (Intel SDM vol. 3A §10.1.1, AMD APM
//! vol. 2 §7.3.2).

#![expect(unsafe_code, reason = "guest memory is reached by assembly on raw host addresses")]

use std::arch::asm;

use super::access::{Faulted, Loadable, WindowRef, checked, fixup};
use crate::abi::GuestAddr;

/// A type with atomic accesses.
pub trait Atomic: Loadable + PartialEq {
    /// If memory holds `expected`, stores `new`; returns what memory held. A write in any case.
    ///
    /// # Errors
    /// [`Faulted::Host`].
    ///
    /// # Safety
    /// `host` lies in a window or its guards, naturally aligned.
    unsafe fn compare_exchange(host: *mut u8, expected: Self, new: Self) -> Result<Self, Faulted>;

    /// Stores `new` and returns what memory held.
    ///
    /// # Errors
    /// [`Faulted::Host`].
    ///
    /// # Safety
    /// As [`compare_exchange`](Self::compare_exchange).
    unsafe fn swap(host: *mut u8, new: Self) -> Result<Self, Faulted>;

    /// Loads with acquire semantics, single-copy atomic.
    ///
    /// # Errors
    /// [`Faulted::Host`].
    ///
    /// # Safety
    /// As [`compare_exchange`](Self::compare_exchange).
    unsafe fn load_acquire(host: *const u8) -> Result<Self, Faulted>;
}

impl WindowRef {
    /// Compare and swap; returns what memory held.
    ///
    /// # Errors
    /// [`Faulted`] where the guest has nothing writable.
    #[inline]
    pub fn compare_exchange<T: Atomic>(self, addr: GuestAddr, expected: T, new: T) -> Result<T, Faulted> {
        let host = self.host(addr)?;
        // SAFETY: `host` is inside the window, and callers pass aligned addresses.
        unsafe { T::compare_exchange(host, expected, new) }
    }

    /// Exchanges; returns what memory held.
    ///
    /// # Errors
    /// [`Faulted`] where the guest has nothing writable.
    #[inline]
    pub fn swap<T: Atomic>(self, addr: GuestAddr, new: T) -> Result<T, Faulted> {
        let host = self.host(addr)?;
        // SAFETY: as in `compare_exchange`.
        unsafe { T::swap(host, new) }
    }

    /// Replaces the value by `update` of it, in one atomic step; returns what memory held.
    ///
    /// # Errors
    /// [`Faulted`] where the guest has nothing writable.
    #[inline]
    pub fn fetch_update<T: Atomic>(self, addr: GuestAddr, update: impl Fn(T) -> T) -> Result<T, Faulted> {
        let host = self.host(addr)?;
        // SAFETY: as in `compare_exchange`.
        unsafe {
            let mut old = T::load(host)?;
            loop {
                let seen = T::compare_exchange(host, old, update(old))?;
                if seen == old {
                    return Ok(old);
                }
                old = seen;
            }
        }
    }

    /// Loads with acquire semantics, single-copy atomic.
    ///
    /// # Errors
    /// [`Faulted`] where the guest has nothing readable.
    #[inline]
    pub fn load_acquire<T: Atomic>(self, addr: GuestAddr) -> Result<T, Faulted> {
        let host = self.host(addr)?;
        // SAFETY: as in `compare_exchange`.
        unsafe { T::load_acquire(host) }
    }

    /// Stores with release semantics, ordered before later acquire loads.
    ///
    /// # Errors
    /// [`Faulted`] where the guest has nothing writable.
    #[inline]
    pub fn store_release<T: Atomic>(self, addr: GuestAddr, value: T) -> Result<(), Faulted> {
        self.swap(addr, value).map(|_| ())
    }
}

/// Implements [`Atomic`] for an integer: x86 register names, then the suffixes of the Arm instructions and registers.
macro_rules! atomic {
    ($type:ty, $class:ident, $acc:tt, $size:literal, $reg:literal, $arm:literal, $arm_reg:literal) => {
        impl Atomic for $type {
            #[inline(always)]
            unsafe fn compare_exchange(host: *mut u8, expected: Self, new: Self) -> Result<Self, Faulted> {
                let failed: u64;
                let old: $type;
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                unsafe {
                    asm!("mov {e:e}, 1", concat!("2: lock cmpxchg ", $size, " ptr [{p}], {n", $reg, "}"), fixup!(),
                        "xor {e:e}, {e:e}", "3:",
                        n = in($class) new, p = in(reg) host, e = out(reg) failed,
                        inout($acc) expected => old, options(nostack));
                }
                #[cfg(target_arch = "aarch64")]
                // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                unsafe {
                    let held: u64;
                    asm!(".arch_extension lse", "mov {e}, #1",
                        concat!("2: casal", $arm, " {o", $arm_reg, "}, {n", $arm_reg, "}, [{p}]"), fixup!(),
                        "mov {e}, #0", "3:",
                        n = in(reg) u64::from(new), p = in(reg) host, e = out(reg) failed,
                        o = inout(reg) u64::from(expected) => held, options(nostack, preserves_flags));
                    old = held as $type;
                }
                checked(old, failed)
            }

            #[inline(always)]
            unsafe fn swap(host: *mut u8, new: Self) -> Result<Self, Faulted> {
                let failed: u64;
                let old: $type;
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                unsafe {
                    asm!("mov {e:e}, 1", concat!("2: xchg ", $size, " ptr [{p}], {n", $reg, "}"), fixup!(),
                        "xor {e:e}, {e:e}", "3:",
                        n = inout($class) new => old, p = in(reg) host, e = out(reg) failed, options(nostack));
                }
                #[cfg(target_arch = "aarch64")]
                // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                unsafe {
                    let held: u64;
                    asm!(".arch_extension lse", "mov {e}, #1",
                        concat!("2: swpal", $arm, " {n", $arm_reg, "}, {o", $arm_reg, "}, [{p}]"), fixup!(),
                        "mov {e}, #0", "3:",
                        n = in(reg) u64::from(new), p = in(reg) host, e = out(reg) failed,
                        o = out(reg) held, options(nostack, preserves_flags));
                    old = held as $type;
                }
                checked(old, failed)
            }

            #[inline(always)]
            unsafe fn load_acquire(host: *const u8) -> Result<Self, Faulted> {
                #[cfg(target_arch = "x86_64")]
                // SAFETY: the caller's promise.
                unsafe {
                    Self::load(host)
                }
                #[cfg(target_arch = "aarch64")]
                {
                    let failed: u64;
                    let value: u64;
                    // SAFETY: the caller gives an address in the window; the access is in the fixup table.
                    unsafe {
                        asm!("mov {e}, #1", concat!("2: ldar", $arm, " {v", $arm_reg, "}, [{p}]"), fixup!(),
                            "mov {e}, #0", "3:",
                            v = out(reg) value, p = in(reg) host, e = out(reg) failed,
                            options(nostack, preserves_flags));
                    }
                    checked(value as $type, failed)
                }
            }
        }
    };
}

atomic!(u8, reg_byte, "al", "byte", "", "b", ":w");
atomic!(u16, reg, "ax", "word", ":x", "h", ":w");
atomic!(u32, reg, "eax", "dword", ":e", "", ":w");
atomic!(u64, reg, "rax", "qword", ":r", "", "");

impl Atomic for u128 {
    #[inline(always)]
    unsafe fn compare_exchange(host: *mut u8, expected: Self, new: Self) -> Result<Self, Faulted> {
        let failed: u64;
        let (low, high): (u64, u64);
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller gives an aligned address in the window; the access is in the fixup table. RBX, which the
        // compiler reserves, is put back on both ways out.
        unsafe {
            asm!("xchg rbx, rsi", "mov r8d, 1", "2: lock cmpxchg16b xmmword ptr [rdi]", fixup!(),
                "xor r8d, r8d", "3:", "mov rbx, rsi",
                inout("rsi") new as u64 => _, in("rdi") host, out("r8") failed,
                in("rcx") (new >> 64) as u64,
                inout("rax") expected as u64 => low, inout("rdx") (expected >> 64) as u64 => high,
                options(nostack));
        }
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the caller gives an aligned address in the window; the access is in the fixup table.
        unsafe {
            asm!(".arch_extension lse", "mov {e}, #1", "2: caspal x0, x1, x2, x3, [{p}]", fixup!(), "mov {e}, #0", "3:",
                p = in(reg) host, e = out(reg) failed,
                inout("x0") expected as u64 => low, inout("x1") (expected >> 64) as u64 => high,
                in("x2") new as u64, in("x3") (new >> 64) as u64, options(nostack, preserves_flags));
        }
        checked(u128::from(high) << 64 | u128::from(low), failed)
    }

    #[inline(always)]
    unsafe fn swap(host: *mut u8, new: Self) -> Result<Self, Faulted> {
        // SAFETY: the caller's promise.
        unsafe {
            let mut old = Self::load(host)?;
            loop {
                let seen = Self::compare_exchange(host, old, new)?;
                if seen == old {
                    return Ok(old);
                }
                old = seen;
            }
        }
    }

    #[inline(always)]
    unsafe fn load_acquire(host: *const u8) -> Result<Self, Faulted> {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's promise; an aligned 16-byte access.
        unsafe {
            Self::load(host)
        }
        #[cfg(target_arch = "aarch64")]
        {
            // LDP is atomic under LSE2, which every host with LDAPR of the second version has; DMB makes it an acquire.
            // SAFETY: the caller's promise.
            let value = unsafe { Self::load(host) };
            std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
            value
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A window over a buffer of 4096 bytes in the middle of guards.
    fn window(buffer: &mut Vec<u128>) -> WindowRef {
        *buffer = vec![0; (4096 + (1 << 17)) / 16];
        // SAFETY: the buffer has 64 KiB on both sides, and the tests stay inside.
        unsafe { WindowRef::new(buffer.as_mut_ptr().byte_add(1 << 16).cast(), 4096) }
    }

    #[test]
    fn compare_exchange_stores_only_what_it_expects() {
        let mut buffer = Vec::new();
        let mem = window(&mut buffer);
        let addr = GuestAddr(64);
        let (old, new) = (0x1122_3344_5566_7788_99aa_bbcc_ddee_ff00_u128, u128::MAX - 5);
        mem.store(addr, old).unwrap();
        assert_eq!(mem.compare_exchange(addr, old + 1, new), Ok(old));
        assert_eq!(mem.load(addr), Ok(old));
        assert_eq!(mem.compare_exchange(addr, old, new), Ok(old));
        assert_eq!(mem.load_acquire(addr), Ok(new));
        assert_eq!(mem.compare_exchange(addr, new as u8, 7u8), Ok(new as u8));
        assert_eq!(mem.load::<u16>(addr), Ok(((new as u16) & 0xff00) | 7));
        assert_eq!(mem.swap(addr, 0xabcd_u16), Ok(((new as u16) & 0xff00) | 7));
        assert_eq!(mem.swap(addr, 1_u128).map(|old| old as u16), Ok(0xabcd));
        assert_eq!(mem.fetch_update(addr, |old: u32| old + 41), Ok(1));
        assert_eq!(mem.load(addr), Ok(42_u64));
        assert_eq!(mem.store_release(addr, 3_u64), Ok(()));
        assert_eq!(mem.load_pair::<u32>(addr), Ok((3, 0)));
    }

    #[test]
    fn concurrent_updates_are_not_lost() {
        let mut buffer = Vec::new();
        let mem = window(&mut buffer);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10_000 {
                        mem.fetch_update(GuestAddr(32), |old: u128| old + (1 << 64 | 1)).unwrap();
                        mem.fetch_update(GuestAddr(48), |old: u8| old.wrapping_add(1)).unwrap();
                    }
                });
            }
        });
        assert_eq!(mem.load(GuestAddr(32)), Ok(40_000_u128 << 64 | 40_000));
        assert_eq!(mem.load(GuestAddr(48)), Ok((40_000 % 256) as u64));
    }

    #[test]
    fn outside_is_refused_and_tags_are_ignored() {
        let mut buffer = Vec::new();
        let mem = window(&mut buffer);
        assert_eq!(mem.load::<u64>(GuestAddr(4096)), Err(Faulted::OutsideWindow));
        assert_eq!(mem.load::<u64>(GuestAddr(0x00f0_0000_0000_0000)), Err(Faulted::OutsideWindow));
        mem.store(GuestAddr(0xff00_0000_0000_0010), 5_u8).unwrap();
        assert_eq!(mem.load::<u8>(GuestAddr(0x10)), Ok(5));
    }
}
