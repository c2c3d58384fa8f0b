//! [`Layout`]: where Linux puts things in the address space of an arm64 process.
//!
//! Source: `arch_mmap_rnd`, `mmap_base` in `mm/util.c`, `ELF_ET_DYN_BASE` and `STACK_TOP` in
//! `arch/arm64/include/asm/{elf,processor}.h`.

use crate::abi::{GuestAddr, PAGE_SIZE};

/// Lowest address that an unprivileged process may map (`vm.mmap_min_addr`).
pub const MMAP_MIN_ADDR: GuestAddr = GuestAddr(0x1_0000);

/// Room between the highest mapping and the top of the stack where the stack's limit is not known: 128 MiB
/// (`MIN_GAP` of Linux).
const STACK_GAP_BYTES: u64 = 128 << 20;

/// The fixed points of a guest's address space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// First address past the address space (`TASK_SIZE`).
    pub task_size: u64,
    /// End of the main stack's mapping.
    pub stack_top: GuestAddr,
    /// mmap(2) places mappings downwards from here.
    pub mmap_base: GuestAddr,
    /// Load address of a position-independent executable.
    pub pie_base: GuestAddr,
    /// Pages between the end of the executable and the start of the brk area, in bytes.
    pub brk_gap_bytes: u64,
}

impl Layout {
    /// The layout without randomisation, as under `setarch -R`: the same in every run.
    #[must_use]
    pub fn fixed(task_size: u64) -> Self {
        Self {
            task_size,
            stack_top: GuestAddr(task_size - PAGE_SIZE),
            mmap_base: GuestAddr(task_size - STACK_GAP_BYTES),
            pie_base: GuestAddr(task_size / 3 * 2).page_floor(),
            brk_gap_bytes: 0,
        }
    }

    /// A layout randomised by `seed` as far as Linux does it by default: 18 bits of pages for mappings and executable, 8
    /// MiB of stack, 32 MiB of brk.
    #[must_use]
    pub fn randomised(task_size: u64, seed: u64) -> Self {
        let fixed = Self::fixed(task_size);
        let pages = |shift: u32, bits: u32| (seed >> shift & ((1 << bits) - 1)) * PAGE_SIZE;
        Self {
            stack_top: GuestAddr(fixed.stack_top.0 - pages(0, 11)),
            mmap_base: GuestAddr(fixed.mmap_base.0 - pages(11, 18)),
            pie_base: GuestAddr(fixed.pie_base.0 + pages(29, 18)),
            brk_gap_bytes: pages(47, 13),
            ..fixed
        }
    }

    /// Tells the layout how large the main stack may become (RLIMIT_STACK), which moves the mappings down as Linux
    /// does: at least 128 MiB, at most five sixths of the address space.
    #[must_use]
    pub fn with_stack_limit(self, limit_bytes: u64) -> Self {
        let gap = limit_bytes.clamp(STACK_GAP_BYTES, self.task_size / 6 * 5) & !(PAGE_SIZE - 1);
        Self { mmap_base: GuestAddr(self.mmap_base.0 - (gap - STACK_GAP_BYTES)), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_keep_their_order() {
        for bits in [39, 42] {
            for seed in [0, u64::MAX, 0x1234_5678_9abc_def0] {
                let layout = Layout::randomised(1 << bits, seed);
                let places = [layout.pie_base, layout.mmap_base, layout.stack_top];
                assert!(places.is_sorted() && places.iter().all(|place| place.is_page_aligned()), "{layout:?}");
                assert!(layout.with_stack_limit(u64::MAX).mmap_base.0 > MMAP_MIN_ADDR.0);
            }
        }
    }
}
