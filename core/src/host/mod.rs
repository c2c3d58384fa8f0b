//! Everything that depends on the host operating system: **edit here to port**.
//!
//! One list of functions with a body for Linux and one for macOS. Nothing here knows about guests.

pub mod fault;
pub mod memory;
pub mod signal;

pub use signal::SignalsBlocked;
