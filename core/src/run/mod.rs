//! The run loop: a guest thread as named states, from its first instruction to its end.
//!
//! ```text
//!           +--------------------------- Interrupts <--------------------+
//!           | exit, quiet moment, signals  |   ^ something is pending    |
//!           v                              v   |                         |
//!         Ended                          Enter ----> Exited --> Syscall -+
//!                                          ^ nothing is pending  Fault --+
//!                                          +---------------------+
//! ```
//!
//! Each state is one short function. No exit is resumed by guessing: UNKNOWN is a failure of the hypervisor and ends
//! the process with a crash report (`docs/design.md` §1). Neighbours: [`start`] brings a process up, [`crash`] reports.

mod crash;
mod fault;
mod interrupts;
mod start;

pub use crash::CrashKind;
pub use start::start;

use crate::abi::Errno;
use crate::kernel::rseq;
use crate::kernel::signal::GroupExit;
use crate::kernel::task::{Interrupts, PendingRestart};
use crate::kernel::{Control, SyscallError, TaskContext};
use crate::preempt::WatchdogVerdict;
use crate::preempt::stats::TaskCounter;
use crate::syscall;
use crate::vcpu::{Exception, ExceptionKind, VcpuExit};

/// Where a thread is between two steps.
enum State {
    /// Something may be pending: look before entering the guest.
    Interrupts,
    /// Run guest code.
    Enter,
    /// A run ended.
    Exited(VcpuExit),
    /// The guest made a system call.
    Syscall,
    /// The guest's code faulted.
    Fault(Exception),
    /// The thread is over, with this status.
    Ended(i32),
}

/// Runs the thread to its end, the end included.
pub fn run_thread(ctx: &mut TaskContext) {
    let mut state = State::Interrupts;
    loop {
        state = match state {
            State::Interrupts => interrupts::handle(ctx),
            State::Enter => enter(ctx),
            State::Exited(exit) => exited(ctx, exit),
            State::Syscall => system_call(ctx),
            State::Fault(exception) => fault::raise(ctx, exception),
            State::Ended(status) => return ctx.end(status),
        };
    }
}

/// Interrupts if anything is pending, the guest otherwise.
fn next(ctx: &TaskContext) -> State {
    if ctx.task.interrupts().is_empty() && ctx.restart.is_none() { State::Enter } else { State::Interrupts }
}

fn enter(ctx: &mut TaskContext) -> State {
    if !rseq::enter(ctx) {
        return State::Interrupts;
    }
    ctx.enlisted.watched.enter();
    ctx.enlisted.stats.run_entered();
    let ended = ctx.vcpu.run();
    rseq::leave(ctx);
    match ended {
        Ok(exit) => {
            ctx.enlisted.stats.run_exited(&exit);
            State::Exited(exit)
        }
        Err(error) => {
            ctx.enlisted.stats.bump(TaskCounter::ExitsError);
            crash::end_process(ctx, CrashKind::HvCheck, &error.to_string())
        }
    }
}

fn exited(ctx: &mut TaskContext, exit: VcpuExit) -> State {
    match exit {
        VcpuExit::Canceled { .. } => canceled(ctx),
        VcpuExit::Exception(exception) => {
            ctx.enlisted.watched.leave();
            ctx.last_exception = Some(exception);
            match exception.kind {
                ExceptionKind::Syscall { .. } => State::Syscall,
                ExceptionKind::DataAbort { .. }
                | ExceptionKind::InstructionAbort { .. }
                | ExceptionKind::Undefined { .. }
                | ExceptionKind::Breakpoint { .. }
                | ExceptionKind::PcAlignment { .. }
                | ExceptionKind::SpAlignment
                | ExceptionKind::BranchTarget { .. } => State::Fault(exception),
                ExceptionKind::Other => {
                    let (ec, iss) = (exception.esr.ec(), exception.esr.iss());
                    crash::end_process(
                        ctx,
                        CrashKind::UnexpectedEc,
                        &format!("exception class {ec:#x}, syndrome {iss:#x}"),
                    )
                }
            }
        }
        VcpuExit::VtimerActivated => State::Interrupts,
        VcpuExit::Unknown(raw) => crash::end_process(ctx, CrashKind::UnexpectedExit, &format!("exit reason {raw:#x}")),
    }
}

/// Somebody wants something: the watchdog, a host signal for this thread, or what the task's interrupts say.
fn canceled(ctx: &mut TaskContext) -> State {
    let preemption = ctx.process().preemption().clone();
    preemption.drain_thread_directed(ctx.vcpu.id(), &ctx.enlisted.stats);
    match ctx.enlisted.watched.verdict() {
        WatchdogVerdict::Expired => {
            let limit_ns = ctx.process().options().timeout_ns.unwrap_or(0);
            let detail = format!("a run of guest code took longer than {} ms", limit_ns / 1_000_000);
            return crash::end_process(ctx, CrashKind::Timeout, &detail);
        }
        WatchdogVerdict::Stale => ctx.enlisted.stats.bump(TaskCounter::StaleWatchdogs),
        WatchdogVerdict::Quiet => {}
    }
    next(ctx)
}

fn system_call(ctx: &mut TaskContext) -> State {
    let registers = ctx.vcpu.syscall();
    ctx.enlisted.stats.bump(TaskCounter::Syscalls);
    let process = ctx.process();
    process.timers().expire_due(process);
    match syscall::dispatch(ctx, registers) {
        Ok(value) => ctx.vcpu.set_return_value(value),
        Err(SyscallError::Errno(errno)) => ctx.vcpu.set_return_value(errno.to_return_value()),
        Err(SyscallError::Restart(kind)) => {
            // What the guest would see if it looked now; `interrupts` decides for good.
            ctx.vcpu.set_return_value(Errno::EINTR.to_return_value());
            ctx.restart = Some(PendingRestart { kind, x0: registers.args[0] });
        }
        Err(SyscallError::Control(Control::RegistersReplaced)) => {}
        Err(SyscallError::Control(Control::ExitThread(status))) => return State::Ended(status),
        Err(SyscallError::Control(Control::ExitGroup(status))) => {
            ctx.process().begin_exit(GroupExit::Status(status & 0xff));
            return State::Ended(status);
        }
    }
    next(ctx)
}

/// Ends the process by a signal, as seen from the guest and from outside.
fn die(ctx: &TaskContext, signal: crate::abi::Signal) -> State {
    ctx.process().begin_exit(GroupExit::Signal(signal));
    ctx.task.set_interrupts(Interrupts::EXIT);
    State::Ended(0)
}
