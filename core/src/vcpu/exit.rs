//! Why a run of a vCPU ended: [`VcpuExit`] with the four reasons of Hypervisor.framework, [`Exception`] with the
//! architectural syndrome.
//!
//! Sources: `hv_exit_reason_t` of Hypervisor.framework; Arm ARM D24.2.37 (ESR_EL1).

use crate::abi::GuestAddr;
pub use crate::mem::fault::AbortCause;

/// Why a run ended. The reasons are those of `hv_exit_reason_t`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VcpuExit {
    /// `HV_EXIT_REASON_CANCELED` (0): somebody called `exit_vcpus`.
    Canceled {
        /// True when at least one guest instruction ran since entry, false for a latched cancel.
        in_code: bool,
    },
    /// `HV_EXIT_REASON_EXCEPTION` (1): the guest took an exception.
    Exception(Exception),
    /// `HV_EXIT_REASON_VTIMER_ACTIVATED` (2).
    VtimerActivated,
    /// `HV_EXIT_REASON_UNKNOWN` (3), or a reason that does not exist yet: the raw number.
    Unknown(u32),
}

impl VcpuExit {
    /// The raw reason of `HV_EXIT_REASON_UNKNOWN`.
    pub const UNKNOWN_RAW: u32 = 3;
}

/// A synchronous exception that the guest took to EL1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exception {
    /// The syndrome as ESR_EL1 would hold it.
    pub esr: Esr,
    /// The same, decoded.
    pub kind: ExceptionKind,
}

/// What kind of exception, with what a handler needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ExceptionKind {
    /// `svc #imm`; the PC is past it.
    Syscall {
        /// The immediate of the instruction.
        imm: u16,
    },
    /// A load or store that could not be done; the PC is at it and no register has changed.
    DataAbort {
        /// The faulting address, with its tag.
        far: GuestAddr,
        /// Read or write (atomics are writes, as in ESR.WnR).
        access: Access,
        /// What was wrong with it.
        cause: AbortCause,
    },
    /// An instruction that could not be fetched.
    InstructionAbort {
        /// The faulting address.
        far: GuestAddr,
        /// What was wrong with it.
        cause: AbortCause,
    },
    /// An instruction that is not defined here (UDF included).
    Undefined {
        /// The word.
        instruction: u32,
    },
    /// `brk #comment`.
    Breakpoint {
        /// The immediate of the instruction.
        comment: u16,
    },
    /// The PC is not a multiple of four.
    PcAlignment {
        /// The PC.
        far: GuestAddr,
    },
    /// SP is not a multiple of 16 where the architecture checks it.
    SpAlignment,
    /// A branch to a place that BTI guards forbid.
    BranchTarget {
        /// PSTATE.BTYPE.
        branch_type: u8,
    },
    /// An exception class that is not in this list; the syndrome says which.
    Other,
}

/// The kind of a memory access.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// A load.
    Read,
    /// A store, or a read-modify-write.
    Write,
}

/// The exception syndrome register ESR_EL1 (Arm ARM D24.2.37).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Esr(pub u64);

impl Esr {
    /// EC of an unknown (undefined) instruction.
    pub const EC_UNKNOWN: u8 = 0x00;
    /// EC of a BTI exception.
    pub const EC_BTI: u8 = 0x0d;
    /// EC of `svc` from AArch64.
    pub const EC_SVC64: u8 = 0x15;
    /// EC of a trapped MSR, MRS or system instruction.
    pub const EC_SYS64: u8 = 0x18;
    /// EC of an instruction abort from EL0.
    pub const EC_IABT_LOW: u8 = 0x20;
    /// EC of a PC alignment fault.
    pub const EC_PC_ALIGN: u8 = 0x22;
    /// EC of a data abort from EL0.
    pub const EC_DABT_LOW: u8 = 0x24;
    /// EC of an SP alignment fault.
    pub const EC_SP_ALIGN: u8 = 0x26;
    /// EC of a trapped floating-point exception.
    pub const EC_FP64: u8 = 0x2c;
    /// EC of `brk`.
    pub const EC_BRK64: u8 = 0x3c;

    /// Bits of the exception class.
    pub const EC_MASK: u64 = 0x3f << 26;
    /// The instruction is 32 bits long.
    pub const IL: u64 = 1 << 25;
    /// Of a data abort: cache maintenance.
    pub const CM: u64 = 1 << 8;
    /// Of a data abort: write, not read.
    pub const WNR: u64 = 1 << 6;
    /// Of an abort: the fault status code.
    pub const FAULT_STATUS: u64 = 0x3f;
    /// Fault status of a translation fault of level 0.
    pub const LEVEL_0_TRANSLATION: u64 = 0b00_0100;

    /// The syndrome of exception class `ec` with syndrome bits `iss`, for a 32-bit instruction (IL set).
    #[must_use]
    pub const fn new(ec: u8, iss: u32) -> Self {
        Self((ec as u64) << 26 | 1 << 25 | (iss & 0x1ff_ffff) as u64)
    }

    /// The exception class, bits 31:26.
    #[must_use]
    pub const fn ec(self) -> u8 {
        (self.0 >> 26 & 0x3f) as u8
    }

    /// The instruction-specific syndrome, bits 24:0.
    #[must_use]
    pub const fn iss(self) -> u32 {
        (self.0 & 0x1ff_ffff) as u32
    }
}

impl std::fmt::Debug for Esr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Esr({:#x}: ec {:#x}, iss {:#x})", self.0, self.ec(), self.iss())
    }
}

impl Exception {
    /// The exception of this kind with the syndrome that the architecture gives it.
    #[must_use]
    pub const fn new(kind: ExceptionKind) -> Self {
        let esr = match kind {
            ExceptionKind::Syscall { imm } => Esr::new(Esr::EC_SVC64, imm as u32),
            ExceptionKind::DataAbort { access, cause, .. } => {
                let wnr = match access {
                    Access::Read => 0,
                    Access::Write => 1 << 6,
                };
                Esr::new(Esr::EC_DABT_LOW, wnr | cause.fault_status())
            }
            ExceptionKind::InstructionAbort { cause, .. } => Esr::new(Esr::EC_IABT_LOW, cause.fault_status()),
            ExceptionKind::Undefined { .. } | ExceptionKind::Other => Esr::new(Esr::EC_UNKNOWN, 0),
            ExceptionKind::Breakpoint { comment } => Esr::new(Esr::EC_BRK64, comment as u32),
            ExceptionKind::PcAlignment { .. } => Esr::new(Esr::EC_PC_ALIGN, 0),
            ExceptionKind::SpAlignment => Esr::new(Esr::EC_SP_ALIGN, 0),
            ExceptionKind::BranchTarget { branch_type } => Esr::new(Esr::EC_BTI, branch_type as u32),
        };
        Self { esr, kind }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syndromes_are_architectural() {
        let abort =
            ExceptionKind::DataAbort { far: GuestAddr(8), access: Access::Write, cause: AbortCause::Translation };
        assert_eq!(Exception::new(abort).esr, Esr(0x9200_0047));
        assert_eq!(Exception::new(ExceptionKind::Syscall { imm: 0 }).esr, Esr(0x5600_0000));
        assert_eq!(Exception::new(ExceptionKind::Breakpoint { comment: 1 }).esr.iss(), 1);
    }
}
