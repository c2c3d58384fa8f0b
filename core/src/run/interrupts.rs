//! The state before the guest is entered: exit, quiet moment, signals, in this order, and the end of interrupted calls.
//!
//! There are two resume points. A signal that finds the guest preempted in its own code redirects the PC; one that is
//! found at the end of a system call redirects the return, after the call's restart code is resolved. Both act on the
//! same saved registers here, so neither can be taken for the other. Source: Linux `arch/arm64/kernel/signal.c`
//! `do_signal`.

use super::{State, die};
use crate::abi::{Errno, SiCode, SigInfo, SigSet, Signal};
use crate::host::signal::{StopBy, stop_process};
use crate::kernel::signal::{Delivery, FrameRequest, SaFlags, SigAction, push_frame};
use crate::kernel::task::Interrupts;
use crate::kernel::{Restart, TaskContext};
use crate::kernel::{exec, rseq};
use crate::preempt::stats::TaskCounter;
use crate::trace::End;

/// Number of restart_syscall(2).
const RESTART_SYSCALL: u64 = 128;

pub(super) fn handle(ctx: &mut TaskContext) -> State {
    let pending = ctx.task.interrupts();
    if pending.contains(Interrupts::EXIT) {
        return if exec::take_over(ctx) { State::Interrupts } else { State::Ended(0) };
    }
    if pending.contains(Interrupts::QUIESCE) {
        ctx.task.clear_interrupts(Interrupts::QUIESCE);
        ctx.process().gate().pass();
    }
    ctx.task.clear_interrupts(Interrupts::SIGNAL);
    let tid = ctx.task.tid();
    loop {
        let delivery = ctx.process().next_delivery(tid);
        match delivery {
            None => break,
            Some(Delivery::Handler { info, action, mask_to_restore }) => {
                show_signal(ctx, &info);
                run_handler(ctx, &info, action, mask_to_restore);
            }
            Some(Delivery::Terminate(info)) => {
                show_signal(ctx, &info);
                show_end(ctx, End::Killed(info.signal()));
                return die(ctx, info.signal());
            }
            Some(Delivery::Stop { signal, continued }) => {
                show_end(ctx, End::Stopped(signal));
                stop(ctx, signal, continued);
            }
            Some(Delivery::StopWaits(signal)) => {
                show_end(ctx, End::Stopped(signal));
                stop_by_waiting(ctx, signal);
            }
        }
    }
    ctx.process().group().restore_saved_mask(tid);
    make_call_again(ctx);
    State::Enter
}

/// Has the trace show a signal that this thread takes.
fn show_signal(ctx: &TaskContext, info: &SigInfo) {
    if let Some(trace) = &ctx.process().options().trace {
        trace.write_signal(ctx.process().pid(), ctx.task.tid(), info);
    }
}

/// Has the trace show what a signal does to the process.
fn show_end(ctx: &TaskContext, end: End) {
    if let Some(trace) = &ctx.process().options().trace {
        trace.write_end(ctx.process().pid(), ctx.task.tid(), end);
    }
}

/// Stops the process by a signal that was taken when `continued` SIGCONTs had been sent. The host stops all of its threads and
/// tells its parent, and no SIGCONT that has been sent by then is lost.
///
/// Only signals of this process's own, and those that were blocked when they came, are raised, so nobody can tell whether a
/// SIGCONT from outside, which the host forgets if it comes just before, came earlier still.
fn stop(ctx: &TaskContext, signal: Signal, continued: u64) {
    let process = ctx.process();
    process.gate().outside(|| {
        // The host knows every stop signal and stops for each.
        let _stopped = stop_process(signal, StopBy::Raising, || {
            // A SIGCONT that the kick thread has taken is counted, too.
            let kept = process.kicker().keep_signals();
            (process.group().continued == continued).then_some(kept)
        });
        // What came while it was stopped comes before anything that the guest does next: it may stop again at once.
        process.kicker().settle_records();
    });
}

/// Has the host stop the process by a signal that waits there, unless a SIGCONT took it away.
fn stop_by_waiting(ctx: &TaskContext, signal: Signal) {
    let process = ctx.process();
    process.gate().outside(|| {
        // As above.
        let _stopped = stop_process(signal, StopBy::Waiting, || Some(process.kicker().keep_signals()));
        process.kicker().served_stop(signal);
        process.kicker().settle_records();
    });
}

/// An interrupted call that no handler interrupted is made again.
fn make_call_again(ctx: &mut TaskContext) {
    let Some(restart) = ctx.restart.take() else { return };
    let mut state = ctx.vcpu.pull();
    state.pc = state.pc.wrapping_sub(4);
    state.x[0] = restart.x0;
    if restart.kind == Restart::Block {
        state.x[8] = RESTART_SYSCALL;
    }
    ctx.vcpu.push(&state);
}

fn run_handler(ctx: &mut TaskContext, info: &SigInfo, action: SigAction, mask_to_restore: SigSet) {
    let mut state = ctx.vcpu.pull();
    if let Some(restart) = ctx.restart.take() {
        let is_restarted = match restart.kind {
            Restart::Sys => action.flags.contains(SaFlags::RESTART),
            Restart::NoIntr => true,
            Restart::NoHand | Restart::Block => false,
        };
        if is_restarted {
            state.pc = state.pc.wrapping_sub(4);
            state.x[0] = restart.x0;
        } else {
            state.x[0] = Errno::EINTR.to_return_value();
        }
    }
    if !rseq::before_handler(ctx, &mut state) {
        // SIGSEGV comes first, and this one is lost as with a frame that does not fit.
        ctx.vcpu.push(&state);
        ctx.process().group().leave_handler(ctx.task.tid(), mask_to_restore);
        return;
    }
    ctx.enlisted.stats.bump(TaskCounter::SignalsDelivered);
    let fault = ctx.fault;
    let sigtramp = ctx.process().image().sigtramp;
    let alt_stack = ctx.alt_stack;
    let request = FrameRequest { state: &state, info, action: &action, mask_to_restore, alt_stack, fault, sigtramp };
    match push_frame(ctx.memory(), &request) {
        Ok(next) => {
            if ctx.alt_stack.is_some_and(|stack| stack.autodisarm) && action.flags.contains(SaFlags::ONSTACK) {
                ctx.alt_stack = None;
            }
            ctx.vcpu.push(&next);
        }
        Err(_no_room) => {
            ctx.vcpu.push(&state);
            let tid = ctx.task.tid();
            let mut group = ctx.task.process().group();
            // The handler's mask holds for a handler that runs.
            group.leave_handler(tid, mask_to_restore);
            // A handler for SIGSEGV could not run either, if it was SIGSEGV's frame that did not fit.
            if info.signal() == Signal::SIGSEGV {
                group.set_action(Signal::SIGSEGV, SigAction::default());
            }
            group.force(tid, SigInfo::new(Signal::SIGSEGV, SiCode::SI_KERNEL));
        }
    }
}
