//! What the crate `hv` tells of an exit, as plain numbers.
//!
//! `hv`'s own `ExitReason` is not used: it turns reasons that it does not know into UNKNOWN and loses their number.

use super::ExitInformation;
use crate::abi::GuestAddr;

/// The exit information of `hv_vcpu_exit_t`.
#[must_use]
pub fn exit_information(exit: &hv::arm64::VcpuExit) -> ExitInformation {
    ExitInformation {
        reason: exit.reason,
        syndrome: exit.exception.syndrome,
        far: GuestAddr(exit.exception.virtual_address),
    }
}
