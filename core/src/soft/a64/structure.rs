//! [`Structure`]: what a load or store of structures (LD1 to LD4, ST1 to ST4, LD1R to LD4R) moves.
//!
//! Source: Arm ARM C4.1.94 (Advanced SIMD load/store multiple and single structures), C7.2 (their decoding).

use super::decode::Inst;

/// Which lanes of the registers take part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StructureLanes {
    /// All of them, from consecutive memory.
    All,
    /// All of them hold the one element that is loaded.
    Replicated,
    /// One.
    One(u32),
}

/// The shape of a load or store of structures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Structure {
    /// Registers in the list.
    pub register_count: u32,
    /// Elements of a structure: 1, or as many as there are registers.
    pub element_count: u32,
    /// log2 of the bytes of an element.
    pub size: u32,
    /// The lanes.
    pub lanes: StructureLanes,
    /// True for 128-bit registers.
    pub is_full: bool,
}

impl Structure {
    /// The shape of an instruction of these groups.
    #[must_use]
    pub fn of(inst: Inst) -> Self {
        let word = inst.word();
        let is_full = word >> 30 & 1 == 1;
        if word >> 24 & 1 == 0 {
            let (register_count, element_count) = match word >> 12 & 0xf {
                0b0000 => (4, 4),
                0b0010 => (4, 1),
                0b0100 => (3, 3),
                0b0110 => (3, 1),
                0b1000 => (2, 2),
                0b1010 => (2, 1),
                0b0111.. | 1 | 3 | 5 => (1, 1),
            };
            let size = word >> 10 & 3;
            return Self { register_count, element_count, size, lanes: StructureLanes::All, is_full };
        }
        let count = (word >> 12 & 2 | word >> 21 & 1) + 1;
        // Q:S:size, of which an element's index is the upper part.
        let index = word >> 27 & 8 | word >> 10 & 7;
        let (size, lanes) = match word >> 14 & 3 {
            0 => (0, StructureLanes::One(index)),
            1 => (1, StructureLanes::One(index >> 1)),
            2 if word >> 10 & 1 == 0 => (2, StructureLanes::One(index >> 2)),
            2 => (3, StructureLanes::One(index >> 3)),
            3.. => (word >> 10 & 3, StructureLanes::Replicated),
        };
        Self { register_count: count, element_count: count, size, lanes, is_full }
    }

    /// Bytes of memory.
    #[must_use]
    pub fn bytes(self) -> u32 {
        match self.lanes {
            StructureLanes::All => self.register_count * if self.is_full { 16 } else { 8 },
            StructureLanes::Replicated | StructureLanes::One(_) => self.element_count << self.size,
        }
    }
}
