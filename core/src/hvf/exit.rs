//! From `hv_vcpu_exit_t` to [`VcpuExit`]: pure functions over numbers.
//!
//! | reason | when, as the framework documents it | what it becomes |
//! |---|---|---|
//! | `CANCELED` (0) | `hv_vcpus_exit` named the vCPU, before or during the run: a vCPU that is not running leaves its next run | `Canceled` |
//! | `EXCEPTION` (1) | the guest took a synchronous exception to EL2 | `Exception`, see below |
//! | `VTIMER_ACTIVATED` (2) | the virtual timer fired; it is masked until `hv_vcpu_set_vtimer_mask` opens it | `VtimerActivated` |
//! | `UNKNOWN` (3) | the framework cannot tell, which should not happen | `Unknown(3)`, as in `soft`: the run loop ends the process |
//! | others | not today | `Unknown` with their number: the same end |
//!
//! The guest's EL0 takes most exceptions to EL1, where the shim's vectors stand, which leave by `hvc #FORWARD`. Then the exit
//! has the class of the HVC, and ESR_EL1 and FAR_EL1 have the guest's syndrome and address. An exception that went to EL2 by
//! itself (a fault of stage 2, a trapped instruction) is described by the exit. Two classes are for the machine to handle
//! before it asks here: WFI and WFE (class 1) do nothing and are stepped over, and an MRS of an ID register (0x18) reads
//! what `features()` says. What is left of 0x18 is undefined.
//!
//! Sources: Hypervisor.framework's documentation of `hv_vcpu_run`, `hv_vcpus_exit` and `hv_exit_reason_t`; Arm ARM D24.2.37
//! (ESR_ELx).

use crate::abi::GuestAddr;
use crate::vcpu::{AbortCause, Access, Esr, Exception, ExceptionKind, VcpuExit};

/// `HV_EXIT_REASON_CANCELED`.
const CANCELED: u32 = 0;
/// `HV_EXIT_REASON_EXCEPTION`.
const EXCEPTION: u32 = 1;
/// `HV_EXIT_REASON_VTIMER_ACTIVATED`.
const VTIMER_ACTIVATED: u32 = 2;

/// EC of `hvc` from AArch64.
const EC_HVC64: u8 = 0x16;
/// EC of a pointer authentication that failed and says so (FEAT_FPAC, which Apple's cores have).
const EC_FPAC: u8 = 0x1c;
/// The immediate by which the shim forwards an exception of the guest. Its other HVCs are nothing that a guest can cause.
pub const FORWARD: u16 = 0;

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

/// What the machine knows of a run besides its exit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Observed {
    /// A guest instruction ran since entry. The framework does not tell; `hv_vcpu_get_exec_time` has grown where it entered
    /// the guest, which registers need not show (`b .`).
    pub is_in_code: bool,
    /// The word at the PC, for undefined instructions.
    pub instruction: u32,
}

/// The exit of a run. `forwarded` reads ESR_EL1 and FAR_EL1; it is asked only where they count.
///
/// Reasons that the framework does not have today stay visible: [`VcpuExit::Unknown`] carries their number.
#[must_use]
pub fn exit_of(exit: ExitInformation, observed: Observed, forwarded: impl FnOnce() -> (Esr, GuestAddr)) -> VcpuExit {
    match exit.reason {
        CANCELED => VcpuExit::Canceled { in_code: observed.is_in_code },
        EXCEPTION => {
            let own = Esr(exit.syndrome);
            let is_forwarded = own.ec() == EC_HVC64 && own.iss() & 0xffff == u32::from(FORWARD);
            let (esr, far) = if is_forwarded { forwarded() } else { (own, exit.far) };
            VcpuExit::Exception(exception_of(esr, far, observed.instruction))
        }
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
        Esr::EC_UNKNOWN | Esr::EC_SYS64 | EC_FPAC => ExceptionKind::Undefined { instruction },
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
        let exit = ExitInformation { reason, syndrome, far: GuestAddr(0x1234) };
        let observed = Observed { is_in_code: true, instruction: 0xdead_beef };
        exit_of(exit, observed, || (Esr::new(Esr::EC_DABT_LOW, ISS_WNR | 0b111), GuestAddr(0x5678)))
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
    fn the_shim_forwards_what_the_guest_took_to_el1() {
        let kind_of = |ec, iss| match exit(EXCEPTION, Esr::new(ec, iss).0) {
            VcpuExit::Exception(exception) => exception.kind,
            other => panic!("{other:?}"),
        };
        let fault =
            |far, access| ExceptionKind::DataAbort { far: GuestAddr(far), access, cause: AbortCause::Translation };
        assert_eq!(kind_of(EC_HVC64, FORWARD.into()), fault(0x5678, Access::Write));
        // A fault of stage 2 is told by the exit.
        assert_eq!(kind_of(Esr::EC_DABT_LOW, 0b111), fault(0x1234, Access::Read));
        assert_eq!(kind_of(EC_HVC64, u32::from(FORWARD) + 1), ExceptionKind::Other);
        assert_eq!(kind_of(EC_FPAC, 0), ExceptionKind::Undefined { instruction: 0xdead_beef });
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
