//! The software vCPU: instruction table, interpreter, machine. `docs/design.md` §5.

pub mod a64;
mod code;
pub(crate) mod fp;
pub mod interp;
mod machine;
mod vcpu;

pub use code::{CodeChanges, CodePages};
pub use machine::{SoftMachine, SoftMachineError};
