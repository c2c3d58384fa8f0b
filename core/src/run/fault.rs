//! Exceptions of guest code as signals. Source: Linux `arch/arm64/mm/fault.c`, `arch/arm64/kernel/traps.c`.

use super::State;
use crate::abi::{GuestAddr, SiCode, SigInfo, Signal};
use crate::kernel::TaskContext;
use crate::kernel::signal::FaultRecord;
use crate::vcpu::{AbortCause, Esr, Exception, ExceptionKind};

/// Makes the signal of an exception pending for this thread, past any mask.
pub(super) fn raise(ctx: &mut TaskContext, exception: Exception) -> State {
    if is_abort(exception.kind) && ctx.process().space().catch_up() {
        // Another process of the same memory has changed it: the instruction finds what is there by now.
        return State::Enter;
    }
    let state = ctx.vcpu.pull();
    let (signal, code, addr) = describe(exception.kind, GuestAddr(state.pc), GuestAddr(state.sp));
    if let Some(record) = record(&exception) {
        ctx.fault = record;
    }
    ctx.process().group().force(ctx.task.tid(), SigInfo::fault(signal, code, addr));
    State::Interrupts
}

/// True for what a mapping may mend.
fn is_abort(kind: ExceptionKind) -> bool {
    match kind {
        ExceptionKind::DataAbort { cause, .. } | ExceptionKind::InstructionAbort { cause, .. } => match cause {
            AbortCause::Translation | AbortCause::Permission | AbortCause::External => true,
            AbortCause::Alignment => false,
        },
        ExceptionKind::PcAlignment { .. }
        | ExceptionKind::SpAlignment
        | ExceptionKind::Breakpoint { .. }
        | ExceptionKind::Undefined { .. }
        | ExceptionKind::BranchTarget { .. }
        | ExceptionKind::Syscall { .. }
        | ExceptionKind::Other => false,
    }
}

/// Signal, code and `si_addr` of an exception at `pc`.
fn describe(kind: ExceptionKind, pc: GuestAddr, sp: GuestAddr) -> (Signal, SiCode, GuestAddr) {
    match kind {
        ExceptionKind::DataAbort { far, cause, .. } | ExceptionKind::InstructionAbort { far, cause } => {
            let (signal, code) = match cause {
                AbortCause::Translation => (Signal::SIGSEGV, SiCode::SEGV_MAPERR),
                AbortCause::Permission => (Signal::SIGSEGV, SiCode::SEGV_ACCERR),
                AbortCause::Alignment => (Signal::SIGBUS, SiCode::BUS_ADRALN),
                AbortCause::External => (Signal::SIGBUS, SiCode::BUS_ADRERR),
            };
            (signal, code, far)
        }
        ExceptionKind::PcAlignment { far } => (Signal::SIGBUS, SiCode::BUS_ADRALN, far),
        ExceptionKind::SpAlignment => (Signal::SIGBUS, SiCode::BUS_ADRALN, sp),
        ExceptionKind::Breakpoint { .. } => (Signal::SIGTRAP, SiCode::TRAP_BRKPT, pc),
        ExceptionKind::Undefined { .. } | ExceptionKind::BranchTarget { .. } => {
            (Signal::SIGILL, SiCode::ILL_ILLOPC, pc)
        }
        // Neither comes here: a syscall is no fault, and a class that is not known is a crash.
        ExceptionKind::Syscall { .. } | ExceptionKind::Other => (Signal::SIGILL, SiCode::ILL_ILLOPC, pc),
    }
}

/// What the frames say of an exception from now on; `None` where Linux leaves the thread's record as it was.
fn record(exception: &Exception) -> Option<FaultRecord> {
    match exception.kind {
        ExceptionKind::DataAbort { far, cause, .. } => {
            Some(abort_record(far, cause, exception.esr, Esr::CM | Esr::WNR))
        }
        ExceptionKind::InstructionAbort { far, cause } => Some(abort_record(far, cause, exception.esr, 0)),
        ExceptionKind::PcAlignment { .. } | ExceptionKind::SpAlignment => {
            Some(FaultRecord { address: GuestAddr::NULL, esr: exception.esr })
        }
        ExceptionKind::Breakpoint { .. } => None,
        ExceptionKind::Undefined { .. }
        | ExceptionKind::BranchTarget { .. }
        | ExceptionKind::Syscall { .. }
        | ExceptionKind::Other => Some(FaultRecord::NONE),
    }
}

/// An abort at an address that no user has looks like a level 0 translation fault, whatever it was: of its syndrome
/// only the bits `kept` are shown. Behind the end of a file no page is mapped, so that a processor sees what it sees in a hole.
fn abort_record(far: GuestAddr, cause: AbortCause, esr: Esr, kept: u64) -> FaultRecord {
    let esr = match cause {
        AbortCause::External => Esr(esr.0 & !Esr::FAULT_STATUS | u64::from(AbortCause::Translation.fault_status())),
        AbortCause::Translation | AbortCause::Permission | AbortCause::Alignment => esr,
    };
    const TASK_SIZE: u64 = 1 << 48;
    let address = far.without_tag();
    let esr = if address.0 < TASK_SIZE {
        esr
    } else {
        Esr(esr.0 & (Esr::EC_MASK | Esr::IL | kept) | Esr::LEVEL_0_TRANSLATION)
    };
    FaultRecord { address, esr }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vcpu::Access;

    #[test]
    fn faults_become_the_signals_of_linux() {
        let abort = |cause| ExceptionKind::DataAbort { far: GuestAddr(8), access: Access::Read, cause };
        let describe = |kind| describe(kind, GuestAddr(0x1000), GuestAddr(0x2001));
        let segv = |code| (Signal::SIGSEGV, code, GuestAddr(8));
        assert_eq!(describe(abort(AbortCause::Translation)), segv(SiCode::SEGV_MAPERR));
        assert_eq!(describe(abort(AbortCause::Permission)), segv(SiCode::SEGV_ACCERR));
        assert_eq!(describe(abort(AbortCause::External)).0, Signal::SIGBUS);
        let undefined = ExceptionKind::Undefined { instruction: 0 };
        assert_eq!(describe(undefined), (Signal::SIGILL, SiCode::ILL_ILLOPC, GuestAddr(0x1000)));
        assert_eq!(describe(ExceptionKind::SpAlignment), (Signal::SIGBUS, SiCode::BUS_ADRALN, GuestAddr(0x2001)));
    }

    #[test]
    fn frames_say_of_faults_what_linux_says() {
        let abort = |far| {
            let (access, cause) = (Access::Write, AbortCause::Permission);
            Exception::new(ExceptionKind::DataAbort { far: GuestAddr(far), access, cause })
        };
        let (far, cause) = (GuestAddr(0x1230), AbortCause::External);
        let beyond = Exception::new(ExceptionKind::InstructionAbort { far, cause });
        let shown = |exception| record(&exception).map(|record| (record.address.0, record.esr.0));
        assert_eq!(shown(abort(0xab00_0000_0000_1230)), Some((0x1230, 0x9200_004f)));
        assert_eq!(shown(beyond), Some((0x1230, 0x8200_0007)));
        assert_eq!(shown(abort(0xab80_0000_0000_1230)), Some((0xab80_0000_0000_1230, 0x9200_0044)));
        assert_eq!(shown(Exception::new(ExceptionKind::Undefined { instruction: 0 })), Some((0, 0)));
        assert_eq!(shown(Exception::new(ExceptionKind::Breakpoint { comment: 1 })), None);
        assert_eq!(shown(Exception::new(ExceptionKind::SpAlignment)), Some((0, 0x9a00_0000)));
    }
}
