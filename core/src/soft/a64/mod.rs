//! The A64 instruction set as one table, with the decoder and the disassembler that read it.
//!
//! A row of [`table`] has a symbol, the Arm assembly form, the bit pattern with its named fields, the function that
//! lowers it for the interpreter, and the feature that it belongs to. Source: Arm ARM DDI 0487 C4 (encoding index) and C6.

pub mod bits;
mod cpu_model;
mod decode;
mod disasm;
pub mod features;
mod pattern;
mod simd_forms;
mod simd_text;
pub mod structure;
pub mod sysreg;
pub mod table;

pub use cpu_model::{CpuModel, CpuModelError, FeatureSet};
pub use decode::Inst;
pub use disasm::disassemble;
pub use pattern::Pattern;
pub(crate) use simd_text::{element_index, expand_immediate, fraction_bits, immediate as fp_immediate};
