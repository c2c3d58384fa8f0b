//! From `hv_vcpu_exit_t` to [`VcpuExit`]: pure functions over numbers.
//!
//! Sources: `hv_exit_reason_t` in Hypervisor.framework's `hv_vcpu_types.h`; Arm ARM D24.2.37 (ESR_ELx).

use crate::abi::GuestAddr;
use crate::vcpu::{AbortCause, Access, Esr, Exception, ExceptionKind, VcpuExit};

/// `HV_EXIT_REASON_CANCELED`.
const CANCELED: u32 = 0;
/// `HV_EXIT_REASON_EXCEPTION`.
const EXCEPTION: u32 = 1;
/// `HV_EXIT_REASON_VTIMER_ACTIVATED`.
const VTIMER_ACTIVATED: u32 = 2;

/// ISS.WnR of a data abort: the access was a write.
const ISS_WNR: u32 = 1 << 6;
/// ISS.CM of a data abort: a cache maintenance instruction, which reads although WnR is set.
const ISS_CM: u32 = 1 << 8;

/// An exit as the framework tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExitInformation {
    /// `reason`.
    pub reason: u32,
    /// `exception.syndrome`: an ESR; meaningful for exceptions only.
    pub syndrome: u64,
    /// `exception.virtual_address`: a FAR; meaningful for aborts only.
    pub far: GuestAddr,
}

/// The exit of a run. `is_in_code` says whether a guest instruction ran since entry, which the framework does not tell
/// and its user knows by comparing registers; `instruction` is the word at the PC, for undefined instructions.
///
/// Reasons that the framework does not have today stay visible: [`VcpuExit::Unknown`] carries their number.
#[must_use]
pub fn exit_of(exit: ExitInformation, is_in_code: bool, instruction: u32) -> VcpuExit {
    match exit.reason {
        CANCELED => VcpuExit::Canceled { in_code: is_in_code },
        EXCEPTION => VcpuExit::Exception(exception_of(Esr(exit.syndrome), exit.far, instruction)),
        VTIMER_ACTIVATED => VcpuExit::VtimerActivated,
        unknown => VcpuExit::Unknown(unknown),
    }
}

/// The exception that a syndrome describes, as the guest's EL0 took it.
#[must_use]
pub fn exception_of(esr: Esr, far: GuestAddr, instruction: u32) -> Exception {
    let imm = (esr.iss() & 0xffff) as u16;
    let cause = abort_cause(esr.iss() & 0x3f);
    let kind = match esr.ec() {
        Esr::EC_SVC64 => ExceptionKind::Syscall { imm },
        Esr::EC_DABT_LOW => {
            let is_write = esr.iss() & (ISS_WNR | ISS_CM) == ISS_WNR;
            let access = if is_write { Access::Write } else { Access::Read };
            ExceptionKind::DataAbort { far, access, cause }
        }
        Esr::EC_IABT_LOW => ExceptionKind::InstructionAbort { far, cause },
        Esr::EC_UNKNOWN | Esr::EC_SYS64 => ExceptionKind::Undefined { instruction },
        Esr::EC_BRK64 => ExceptionKind::Breakpoint { comment: imm },
        Esr::EC_PC_ALIGN => ExceptionKind::PcAlignment { far },
        Esr::EC_SP_ALIGN => ExceptionKind::SpAlignment,
        Esr::EC_BTI => ExceptionKind::BranchTarget { branch_type: (esr.iss() & 3) as u8 },
        _class_without_a_kind => ExceptionKind::Other,
    };
    Exception { esr, kind }
}

/// The cause in a fault status code (DFSC or IFSC).
const fn abort_cause(fault_status: u32) -> AbortCause {
    match fault_status {
        // Address size, translation and access flag faults of levels 0 to 3.
        0b00_0000..=0b00_1011 => AbortCause::Translation,
        0b00_1100..=0b00_1111 => AbortCause::Permission,
        0b10_0001 => AbortCause::Alignment,
        // External aborts, parity errors, and codes that only hypervisors and tables see: a bus error for the guest.
        _external => AbortCause::External,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exit(reason: u32, syndrome: u64) -> VcpuExit {
        exit_of(ExitInformation { reason, syndrome, far: GuestAddr(0x1234) }, true, 0xdead_beef)
    }

    #[test]
    fn the_four_reasons_and_those_to_come() {
        assert_eq!(exit(0, 0), VcpuExit::Canceled { in_code: true });
        assert!(matches!(exit(1, 0x5600_0000), VcpuExit::Exception(_)));
        assert_eq!(exit(2, 0), VcpuExit::VtimerActivated);
        assert_eq!(exit(3, 0), VcpuExit::Unknown(VcpuExit::UNKNOWN_RAW));
        assert_eq!(exit(4, 0), VcpuExit::Unknown(4));
        assert_eq!(exit(u32::MAX, 0), VcpuExit::Unknown(u32::MAX));
    }

    /// What the seam encodes is decoded to the same: the two back ends agree on every kind.
    #[test]
    fn syndromes_decode_to_what_the_seam_encodes() {
        let far = GuestAddr(0x1234);
        let causes = [AbortCause::Translation, AbortCause::Permission, AbortCause::Alignment, AbortCause::External];
        let mut kinds = vec![
            ExceptionKind::Syscall { imm: 0xfedc },
            ExceptionKind::Undefined { instruction: 0xdead_beef },
            ExceptionKind::Breakpoint { comment: 0xf000 },
            ExceptionKind::PcAlignment { far },
            ExceptionKind::SpAlignment,
            ExceptionKind::BranchTarget { branch_type: 2 },
        ];
        for cause in causes {
            kinds.push(ExceptionKind::InstructionAbort { far, cause });
            kinds.push(ExceptionKind::DataAbort { far, access: Access::Read, cause });
            kinds.push(ExceptionKind::DataAbort { far, access: Access::Write, cause });
        }
        for kind in kinds {
            let exception = Exception::new(kind);
            assert_eq!(exception_of(exception.esr, far, 0xdead_beef), exception);
        }
    }

    #[test]
    fn cache_maintenance_reads() {
        let access = |iss| match exception_of(Esr::new(Esr::EC_DABT_LOW, iss), GuestAddr(0), 0).kind {
            ExceptionKind::DataAbort { access, .. } => Some(access),
            _other => None,
        };
        assert_eq!(access(ISS_WNR), Some(Access::Write));
        assert_eq!(access(ISS_WNR | ISS_CM), Some(Access::Read));
    }

    #[test]
    fn every_syndrome_is_a_value() {
        for ec in 0..64 {
            let esr = Esr::new(ec, 0x1ff_ffff);
            assert_eq!(exception_of(esr, GuestAddr(0), 0).esr, esr);
        }
        assert_eq!(exception_of(Esr::new(0x07, 0), GuestAddr(0), 0).kind, ExceptionKind::Other);
    }
}
