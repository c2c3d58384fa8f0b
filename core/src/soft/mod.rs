//! The software vCPU: instruction table, interpreter, machine. `docs/design.md` §5.

pub mod a64;
pub mod interp;
mod code;
mod machine;

pub use code::{CodeChanges, CodePages};
pub use machine::{SoftMachine, SoftMachineError};
