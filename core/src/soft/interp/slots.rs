//! Which slot of [`Cpu::r`](super::cpu::Cpu) a register field means. A field that can name SP is its own slot.

use super::cpu::{SINK_SLOT, ZERO_SLOT};

/// Slot of a source register where 31 is XZR.
pub(super) fn source(number: u8) -> u8 {
    if number == 31 { ZERO_SLOT } else { number }
}

/// Slot of a destination register where 31 is XZR.
pub(super) fn dest(number: u8) -> u8 {
    if number == 31 { SINK_SLOT } else { number }
}
