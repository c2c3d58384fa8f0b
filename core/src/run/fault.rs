//! Exceptions of guest code as signals. Source: Linux `arch/arm64/mm/fault.c`, `arch/arm64/kernel/traps.c`.

use super::State;
use crate::abi::{GuestAddr, SiCode, SigInfo, Signal};
use crate::kernel::TaskContext;
use crate::vcpu::{AbortCause, Exception, ExceptionKind};

/// Makes the signal of an exception pending for this thread, past any mask.
pub(super) fn raise(ctx: &mut TaskContext, exception: Exception) -> State {
    let pc = GuestAddr(ctx.vcpu.pull().pc);
    let (signal, code, addr) = describe(exception.kind, pc);
    ctx.fault = Some((exception.esr, addr));
    ctx.process().group().force(ctx.task.tid(), SigInfo::fault(signal, code, addr));
    State::Interrupts
}

/// Signal, code and `si_addr` of an exception at `pc`.
fn describe(kind: ExceptionKind, pc: GuestAddr) -> (Signal, SiCode, GuestAddr) {
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
        ExceptionKind::SpAlignment => (Signal::SIGBUS, SiCode::BUS_ADRALN, pc),
        ExceptionKind::Breakpoint { .. } => (Signal::SIGTRAP, SiCode::TRAP_BRKPT, pc),
        ExceptionKind::Undefined { .. } | ExceptionKind::BranchTarget => (Signal::SIGILL, SiCode::ILL_ILLOPC, pc),
        // Neither comes here: a syscall is no fault, and a class that is not known is a crash.
        ExceptionKind::Syscall { .. } | ExceptionKind::Other => (Signal::SIGILL, SiCode::ILL_ILLOPC, pc),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vcpu::Access;

    #[test]
    fn faults_become_the_signals_of_linux() {
        let abort = |cause| ExceptionKind::DataAbort { far: GuestAddr(8), access: Access::Read, cause };
        let pc = GuestAddr(0x1000);
        let segv = |code| (Signal::SIGSEGV, code, GuestAddr(8));
        assert_eq!(describe(abort(AbortCause::Translation), pc), segv(SiCode::SEGV_MAPERR));
        assert_eq!(describe(abort(AbortCause::Permission), pc), segv(SiCode::SEGV_ACCERR));
        assert_eq!(describe(abort(AbortCause::External), pc).0, Signal::SIGBUS);
        let undefined = ExceptionKind::Undefined { instruction: 0 };
        assert_eq!(describe(undefined, pc), (Signal::SIGILL, SiCode::ILL_ILLOPC, pc));
    }
}
