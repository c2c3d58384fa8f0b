//! Signals: kill(2), sigaction(2), sigprocmask(2), sigsuspend(2), sigtimedwait(2), sigreturn(2), sigaltstack(2).

use super::Args;
use super::timers::Timespec;
use crate::abi::{Errno, GuestAddr, GuestPtr, Pid, SiCode, SigInfo, SigSet, Signal, Tid};
use crate::host::clock::monotonic_ns;
use crate::kernel::signal::{AltStack, Handler, SaFlags, SigAction, SignalTarget, pop_frame};
use crate::kernel::task::Interrupts;
use crate::kernel::{Control, Interrupted, Restart, SyscallError, SyscallResult, TaskContext};
use crate::preempt::KickCause;

/// Smallest alternate stack that sigaltstack(2) takes on arm64.
const MINSIGSTKSZ: u64 = 5120;
/// The only size of a signal set.
const SIGSET_LEN: u64 = 8;

pub(super) fn restart_syscall(ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    match ctx.restart_block.take() {
        Some(mut go_on) => go_on(ctx),
        None => Err(Errno::EINTR.into()),
    }
}

fn own_pid(ctx: &TaskContext) -> Pid {
    ctx.process().pid()
}

fn signal_or_probe(number: i32) -> Result<Option<Signal>, Errno> {
    if number == 0 { Ok(None) } else { Signal::new(number).map(Some).ok_or(Errno::EINVAL) }
}

pub(super) fn kill(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, signal) = (args.pid(0), signal_or_probe(args.i32(1))?);
    if pid != own_pid(ctx) {
        crate::kernel::send::kill(ctx.process(), pid, signal)?;
        return Ok(0);
    }
    let Some(signal) = signal else { return Ok(0) };
    if SigSet::UNBLOCKABLE.contains(signal) {
        crate::host::children::kill(pid, Some(signal))?;
        return Ok(0);
    }
    let info = SigInfo::from_sender(signal, SiCode::SI_USER, own_pid(ctx), crate::host::children::own_uid());
    ctx.process().send_signal(info, SignalTarget::Process, KickCause::GuestSignal)?;
    Ok(0)
}

pub(super) fn tkill(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let own = own_pid(ctx);
    send_to_thread(ctx, own, Tid(args.i32(0)), args.i32(1))
}

pub(super) fn tgkill(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    send_to_thread(ctx, args.pid(0), Tid(args.i32(1)), args.i32(2))
}

fn send_to_thread(ctx: &mut TaskContext, pid: Pid, tid: Tid, number: i32) -> SyscallResult {
    if pid.0 <= 0 || tid.0 <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let signal = signal_or_probe(number)?;
    let info = signal
        .map(|signal| SigInfo::from_sender(signal, SiCode::SI_TKILL, own_pid(ctx), crate::host::children::own_uid()));
    if pid != own_pid(ctx) {
        crate::kernel::send::send_info(ctx.process(), pid, Some(tid), info)?;
        return Ok(0);
    }
    match info {
        Some(info) => ctx.process().send_signal(info, SignalTarget::Thread(tid), KickCause::GuestSignal)?,
        None if ctx.process().group().members.contains_key(&tid) => {}
        None => return Err(Errno::ESRCH.into()),
    }
    Ok(0)
}

/// A siginfo that the guest made itself; it may not claim to come from the kernel or from kill(2) of another.
fn own_info(ctx: &TaskContext, number: i32, from: GuestPtr<[u8; 128]>, to: Pid) -> Result<SigInfo, Errno> {
    let signal = Signal::new(number).ok_or(Errno::EINVAL)?;
    let info = SigInfo::from_bytes(signal, ctx.memory().read(from)?);
    if (info.code().0 >= 0 || info.code() == SiCode::SI_TKILL) && to != own_pid(ctx) {
        return Err(Errno::EPERM);
    }
    Ok(info)
}

pub(super) fn rt_sigqueueinfo(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let pid = args.pid(0);
    let info = own_info(ctx, args.i32(1), args.ptr(2), pid)?;
    if pid == own_pid(ctx) {
        ctx.process().send_signal(info, SignalTarget::Process, KickCause::GuestSignal)?;
    } else {
        crate::kernel::send::send_info(ctx.process(), pid, None, Some(info))?;
    }
    Ok(0)
}

pub(super) fn rt_tgsigqueueinfo(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, tid) = (args.pid(0), Tid(args.i32(1)));
    let info = own_info(ctx, args.i32(2), args.ptr(3), pid)?;
    if pid == own_pid(ctx) {
        ctx.process().send_signal(info, SignalTarget::Thread(tid), KickCause::GuestSignal)?;
    } else {
        crate::kernel::send::send_info(ctx.process(), pid, Some(tid), Some(info))?;
    }
    Ok(0)
}

/// `struct sigaction` of arm64: handler, flags, restorer, mask.
type WireAction = [u64; 4];

fn action_from_wire([handler, flags, restorer, mask]: WireAction) -> SigAction {
    let handler = match handler {
        0 => Handler::Default,
        1 => Handler::Ignore,
        function => Handler::Function(GuestAddr(function)),
    };
    let mask = SigSet(mask).difference(SigSet::UNBLOCKABLE);
    SigAction { handler, flags: SaFlags::from_bits_retain(flags), restorer: GuestAddr(restorer), mask }
}

fn action_to_wire(action: SigAction) -> WireAction {
    let handler = match action.handler {
        Handler::Default => 0,
        Handler::Ignore => 1,
        Handler::Function(function) => function.0,
    };
    [handler, action.flags.bits(), action.restorer.0, action.mask.0]
}

pub(super) fn rt_sigaction(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let signal = Signal::new(args.i32(0)).ok_or(Errno::EINVAL)?;
    if args.u64(3) != SIGSET_LEN {
        return Err(Errno::EINVAL.into());
    }
    let new = args.ptr::<WireAction>(1).non_null().map(|new| ctx.memory().read(new)).transpose()?;
    if new.is_some() && SigSet::UNBLOCKABLE.contains(signal) {
        return Err(Errno::EINVAL.into());
    }
    let old = {
        let mut group = ctx.process().group();
        match new {
            Some(new) => group.set_action(signal, action_from_wire(new)),
            None => group.actions.get(signal),
        }
    };
    if new.is_some() && signal == Signal::SIGCHLD {
        ctx.process().follow_child_disposition();
    }
    if let Some(place) = args.ptr::<WireAction>(2).non_null() {
        ctx.memory().write(place, &action_to_wire(old))?;
    }
    Ok(0)
}

const SIG_BLOCK: i32 = 0;
const SIG_UNBLOCK: i32 = 1;
const SIG_SETMASK: i32 = 2;

pub(super) fn rt_sigprocmask(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u64(3) != SIGSET_LEN {
        return Err(Errno::EINVAL.into());
    }
    let set = args.ptr::<u64>(1).non_null().map(|set| ctx.memory().read(set).map(SigSet)).transpose()?;
    let old = blocked(ctx);
    if let Some(set) = set {
        let new = match args.i32(0) {
            SIG_BLOCK => old.union(set),
            SIG_UNBLOCK => old.difference(set),
            SIG_SETMASK => set,
            _unknown => return Err(Errno::EINVAL.into()),
        };
        set_mask(ctx, new);
    }
    if let Some(place) = args.ptr::<u64>(2).non_null() {
        ctx.memory().write(place, &old.0)?;
    }
    Ok(0)
}

fn blocked(ctx: &TaskContext) -> SigSet {
    ctx.process().group().members.get(&ctx.task.tid()).map_or(SigSet::EMPTY, |member| member.blocked)
}

/// Changes the thread's mask; what it no longer takes goes to others, what it takes now is delivered at the end of the
/// call.
fn set_mask(ctx: &TaskContext, mask: SigSet) {
    let mask = mask.difference(SigSet::UNBLOCKABLE);
    let tid = ctx.task.tid();
    let heirs = {
        let mut group = ctx.process().group();
        let Some(member) = group.members.get_mut(&tid) else { return };
        let newly_blocked = mask.difference(member.blocked);
        member.blocked = mask;
        group.retarget(tid, newly_blocked)
    };
    ctx.task.set_interrupts(Interrupts::SIGNAL);
    for heir in heirs {
        heir.interrupt(Interrupts::SIGNAL, KickCause::GuestSignal);
    }
}

pub(super) fn rt_sigpending(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let pending = {
        let group = ctx.process().group();
        let tid = ctx.task.tid();
        group.pending_for(tid).intersection(group.members.get(&tid).map_or(SigSet::EMPTY, |member| member.blocked))
    };
    let bytes = pending.0.to_le_bytes();
    let len = usize::try_from(args.u64(1)).ok().filter(|len| *len <= bytes.len()).ok_or(Errno::EINVAL)?;
    ctx.memory().write_bytes(args.addr(0), &bytes[..len])?;
    Ok(0)
}

pub(super) fn rt_sigsuspend(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u64(1) != SIGSET_LEN {
        return Err(Errno::EINVAL.into());
    }
    let mask = SigSet(ctx.memory().read(args.ptr::<u64>(0))?).difference(SigSet::UNBLOCKABLE);
    if let Some(member) = ctx.process().group().members.get_mut(&ctx.task.tid()) {
        member.saved_mask = Some(member.blocked);
        member.blocked = mask;
    }
    ctx.task.set_interrupts(Interrupts::SIGNAL);
    match ctx.task.block(None) {
        Ok(never) => match never {},
        Err(interrupted) => Err(interrupted.or_restart(Restart::NoHand)),
    }
}

pub(super) fn rt_sigtimedwait(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    if args.u64(3) != SIGSET_LEN {
        return Err(Errno::EINVAL.into());
    }
    let wanted = SigSet(ctx.memory().read(args.ptr::<u64>(0))?).difference(SigSet::UNBLOCKABLE);
    let deadline = match args.ptr::<Timespec>(2).non_null() {
        Some(timeout) => Some(monotonic_ns().saturating_add(ctx.memory().read(timeout)?.to_ns()?)),
        None => None,
    };
    let tid = ctx.task.tid();
    let wait_for = |set: SigSet| {
        if let Some(member) = ctx.process().group().members.get_mut(&tid) {
            member.waited_for = set;
        }
    };
    wait_for(wanted);
    let waited = ctx.task.block_until(deadline, || ctx.process().group().take(tid, wanted));
    wait_for(SigSet::EMPTY);
    // A signal may have come between the end of the wait and now.
    let taken = match waited {
        Ok(info) => Ok(info),
        Err(interrupted) => ctx.process().group().take(tid, wanted).ok_or(interrupted),
    };
    match taken {
        Ok(info) => {
            if let Some(place) = args.ptr::<[u8; 128]>(1).non_null() {
                ctx.memory().write(place, info.as_bytes())?;
            }
            Ok(info.signal().number().unsigned_abs().into())
        }
        Err(Interrupted::TimedOut) => Err(Errno::EAGAIN.into()),
        Err(Interrupted::Signal) => Err(Errno::EINTR.into()),
        Err(Interrupted::Failed(errno)) => Err(errno.into()),
    }
}

pub(super) fn rt_sigreturn(ctx: &mut TaskContext, _args: &Args) -> SyscallResult {
    let state = ctx.vcpu.pull();
    match pop_frame(ctx.memory(), &state) {
        Ok(frame) => {
            ctx.vcpu.push(&frame.state);
            if let Ok(stack) = alt_stack_from_wire(frame.alt_stack) {
                ctx.alt_stack = stack;
            }
            set_mask(ctx, frame.mask);
        }
        Err(error) => {
            let info = SigInfo::fault(Signal::SIGSEGV, SiCode::SEGV_MAPERR, error.addr);
            ctx.process().group().force(ctx.task.tid(), info);
            ctx.task.set_interrupts(Interrupts::SIGNAL);
        }
    }
    Err(SyscallError::Control(Control::RegistersReplaced))
}

fn alt_stack_from_wire(bytes: [u8; 24]) -> Result<Option<AltStack>, Errno> {
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let (base, flags, len_bytes) = (GuestAddr(word(0)), word(8) as u32, word(16));
    let autodisarm = flags & AltStack::SS_AUTODISARM != 0;
    match flags & !AltStack::SS_AUTODISARM {
        AltStack::SS_DISABLE => Ok(None),
        0 | AltStack::SS_ONSTACK if len_bytes < MINSIGSTKSZ => Err(Errno::ENOMEM),
        0 | AltStack::SS_ONSTACK => Ok(Some(AltStack { base, len_bytes, autodisarm })),
        _unknown => Err(Errno::EINVAL),
    }
}

pub(super) fn sigaltstack(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let sp = ctx.vcpu.pull().sp;
    let old = AltStack::to_wire(ctx.alt_stack, sp);
    if let Some(new) = args.ptr::<[u8; 24]>(0).non_null() {
        let new = ctx.memory().read(new)?;
        if ctx.alt_stack.is_some_and(|stack| stack.holds(sp)) {
            return Err(Errno::EPERM.into());
        }
        ctx.alt_stack = alt_stack_from_wire(new)?;
    }
    if let Some(place) = args.ptr::<[u8; 24]>(1).non_null() {
        ctx.memory().write(place, &old)?;
    }
    Ok(0)
}
