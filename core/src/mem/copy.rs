//! Bulk copies to and from guest memory, and compare-and-swap of a word, by instructions in the fixup table.
//!
//! Each function answers how much it could not do, or whether it faulted; the fault itself is in
//! [`host::fault::last`](crate::host::fault::last). `guest_memory` checks ranges before it comes here. Single loads and
//! stores of the CPU are another file's. Source: Intel SDM vol. 2B, `REP MOVS` (registers are precise at a fault).

#![expect(unsafe_code, reason = "assembly on raw guest memory")]

use std::arch::asm;

use crate::host::fault::fixup_entry;

/// Copies `len` bytes and returns how many were left when an access faulted (0: all done).
///
/// # Safety
/// 1. The side that is host memory is valid for `len` bytes and does not overlap the other.
/// 2. The side that is guest memory lies in the window, and the fault handler is installed.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) -> usize {
    let left;
    // SAFETY: the caller's promise; on a fault execution goes on behind the instruction with RCX bytes left.
    unsafe {
        asm!(
            "2: rep movsb",
            "3:",
            fixup_entry!("2b", "3b"),
            inout("rcx") len => left,
            inout("rsi") from => _,
            inout("rdi") to => _,
            options(nostack, preserves_flags),
        );
    }
    left
}

/// Writes `len` zero bytes and returns how many were left when an access faulted (0: all done).
///
/// # Safety
/// `to` is guest memory in the window, and the fault handler is installed.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn zero(to: *mut u8, len: usize) -> usize {
    let left;
    // SAFETY: as in `copy`.
    unsafe {
        asm!(
            "2: rep stosb",
            "3:",
            fixup_entry!("2b", "3b"),
            inout("rcx") len => left,
            inout("rdi") to => _,
            in("al") 0_u8,
            options(nostack, preserves_flags),
        );
    }
    left
}

/// Loads a word with acquire order, `None` on a fault.
///
/// # Safety
/// `from` is an aligned word of guest memory in the window, and the fault handler is installed.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn load_u32(from: *const u32) -> Option<u32> {
    let value: u32;
    let failed: u32;
    // SAFETY: the caller's promise; a plain x86 load has acquire order.
    unsafe {
        asm!(
            "mov {failed:e}, 1",
            "2: mov {value:e}, dword ptr [{from}]",
            "mov {failed:e}, 0",
            "3:",
            fixup_entry!("2b", "3b"),
            from = in(reg) from,
            value = out(reg) value,
            failed = out(reg) failed,
            options(nostack, preserves_flags),
        );
    }
    (failed == 0).then_some(value)
}

/// Replaces a word that holds `expected` by `new`, sequentially consistent; returns what it held, `None` on a fault.
///
/// # Safety
/// As [`load_u32`].
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn compare_exchange_u32(place: *mut u32, expected: u32, new: u32) -> Option<u32> {
    let held: u32;
    let failed: u32;
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "mov {failed:e}, 1",
            "2: lock cmpxchg dword ptr [{place}], {new:e}",
            "mov {failed:e}, 0",
            "3:",
            fixup_entry!("2b", "3b"),
            place = in(reg) place,
            new = in(reg) new,
            failed = out(reg) failed,
            inout("eax") expected => held,
            options(nostack),
        );
    }
    (failed == 0).then_some(held)
}

/// As on x86-64, a byte at a time.
///
/// # Safety
/// As on x86-64.
#[cfg(target_arch = "aarch64")]
pub(super) unsafe fn copy(from: *const u8, to: *mut u8, len: usize) -> usize {
    let left;
    // SAFETY: as on x86-64; on a fault execution goes on behind the loop with the count of bytes left.
    unsafe {
        asm!(
            "cbz {left}, 4f",
            "5:",
            "2: ldrb {byte:w}, [{from}]",
            "3: strb {byte:w}, [{to}]",
            "add {from}, {from}, #1",
            "add {to}, {to}, #1",
            "subs {left}, {left}, #1",
            "b.ne 5b",
            "4:",
            fixup_entry!("2b", "4b"),
            fixup_entry!("3b", "4b"),
            left = inout(reg) len => left,
            from = inout(reg) from => _,
            to = inout(reg) to => _,
            byte = out(reg) _,
            options(nostack),
        );
    }
    left
}

/// As on x86-64.
///
/// # Safety
/// As on x86-64.
#[cfg(target_arch = "aarch64")]
pub(super) unsafe fn zero(to: *mut u8, len: usize) -> usize {
    let left;
    // SAFETY: as in `copy`.
    unsafe {
        asm!(
            "cbz {left}, 4f",
            "5:",
            "2: strb wzr, [{to}]",
            "add {to}, {to}, #1",
            "subs {left}, {left}, #1",
            "b.ne 5b",
            "4:",
            fixup_entry!("2b", "4b"),
            left = inout(reg) len => left,
            to = inout(reg) to => _,
            options(nostack),
        );
    }
    left
}

/// As on x86-64.
///
/// # Safety
/// As on x86-64.
#[cfg(target_arch = "aarch64")]
pub(super) unsafe fn load_u32(from: *const u32) -> Option<u32> {
    let value: u32;
    let failed: u32;
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "mov {failed:w}, #1",
            "2: ldar {value:w}, [{from}]",
            "mov {failed:w}, #0",
            "3:",
            fixup_entry!("2b", "3b"),
            from = in(reg) from,
            value = out(reg) value,
            failed = out(reg) failed,
            options(nostack, preserves_flags),
        );
    }
    (failed == 0).then_some(value)
}

/// As on x86-64.
///
/// # Safety
/// As on x86-64.
#[cfg(target_arch = "aarch64")]
pub(super) unsafe fn compare_exchange_u32(place: *mut u32, expected: u32, new: u32) -> Option<u32> {
    let held: u32;
    let failed: u32;
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "mov {failed:w}, #1",
            "5:",
            "2: ldaxr {held:w}, [{place}]",
            "cmp {held:w}, {expected:w}",
            "b.ne 4f",
            "3: stlxr {failed:w}, {new:w}, [{place}]",
            "cbnz {failed:w}, 5b",
            "b 6f",
            "4: mov {failed:w}, #0",
            "clrex",
            "6:",
            "b 8f",
            "7: mov {failed:w}, #1",
            "8:",
            fixup_entry!("2b", "7b"),
            fixup_entry!("3b", "7b"),
            place = in(reg) place,
            expected = in(reg) expected,
            new = in(reg) new,
            held = out(reg) held,
            failed = out(reg) failed,
            options(nostack),
        );
    }
    (failed == 0).then_some(held)
}
