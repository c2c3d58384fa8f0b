//! Bulk copies to and from guest memory by instructions in the fixup table.
//!
//! Each function answers how much it could not do; the fault itself is in
//! [`host::fault::last`](crate::host::fault::last). `guest_memory` checks ranges before it comes here. Single loads and
//! stores are those of [`access`](super::access) and [`atomic`](super::atomic). Source: Intel SDM vol. 2B, `REP MOVS` (registers are precise at a fault).

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
