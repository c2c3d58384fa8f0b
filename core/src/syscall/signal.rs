//! Signals: kill(2), sigaction(2), sigprocmask(2), sigsuspend(2), sigtimedwait(2), sigreturn(2), sigaltstack(2).

use super::Args;
use super::timers::Timespec;
use crate::abi::{Errno, GuestAddr, GuestPtr, Pid, SiCode, SigInfo, SigSet, Signal, Tid};
use crate::host::children as host;
use crate::host::clock::monotonic_ns;
use crate::kernel::send;
use crate::kernel::signal::{AltStack, BadFrame, FaultRecord, Handler, SaFlags, SigAction, SignalTarget, pop_frame};
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

/// The signal of a number, or a mere question for 0. To be asked where the receiver is known to be there: Linux says
/// `ESRCH` before `EINVAL`.
fn signal_or_probe(number: i32) -> Result<Option<Signal>, Errno> {
    if number == 0 { Ok(None) } else { Signal::new(number).map(Some).ok_or(Errno::EINVAL) }
}

pub(super) fn kill(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, number) = (args.pid(0), args.i32(1));
    if !is_own(ctx, pid) {
        if pid.0 > 0 && Signal::new(number).is_none() {
            host::probe(pid, None)?;
        }
        send::kill(ctx, pid, signal_or_probe(number)?)?;
        return Ok(0);
    }
    let Some(signal) = signal_or_probe(number)? else { return Ok(0) };
    if SigSet::UNBLOCKABLE.contains(signal) {
        host::kill(own_pid(ctx), Some(signal))?;
        return Ok(0);
    }
    let info = SigInfo::from_sender(signal, SiCode::SI_USER, own_pid(ctx), host::own_uid());
    ctx.process().send_signal(info, SignalTarget::Process, KickCause::GuestSignal)?;
    Ok(0)
}

/// True for the ids of this process and of its threads, which kill(2) takes for the process too.
fn is_own(ctx: &TaskContext, pid: Pid) -> bool {
    pid == own_pid(ctx) || ctx.process().group().members.contains_key(&Tid(pid.0))
}

pub(super) fn tkill(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let tid = Tid(args.i32(0));
    if tid.0 <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let pid = if is_own(ctx, Pid(tid.0)) {
        own_pid(ctx)
    } else {
        crate::host::process::process_of(tid).ok_or(Errno::ESRCH)?
    };
    send_to_thread(ctx, pid, tid, args.i32(1))
}

pub(super) fn tgkill(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    send_to_thread(ctx, args.pid(0), Tid(args.i32(1)), args.i32(2))
}

fn send_to_thread(ctx: &mut TaskContext, pid: Pid, tid: Tid, number: i32) -> SyscallResult {
    let signal = receiver_thread(ctx, pid, tid, number)?;
    let info = signal.map(|signal| SigInfo::from_sender(signal, SiCode::SI_TKILL, own_pid(ctx), host::own_uid()));
    send_info_to_thread(ctx, pid, tid, info)
}

/// Checks the receiver of a thread-directed signal; the signal, or `None` for a mere question.
fn receiver_thread(ctx: &TaskContext, pid: Pid, tid: Tid, number: i32) -> Result<Option<Signal>, Errno> {
    if pid.0 <= 0 || tid.0 <= 0 {
        return Err(Errno::EINVAL);
    }
    if pid != own_pid(ctx) {
        host::probe(pid, Some(tid))?;
    } else if !ctx.process().group().members.contains_key(&tid) {
        return Err(Errno::ESRCH);
    }
    signal_or_probe(number)
}

fn send_info_to_thread(ctx: &TaskContext, pid: Pid, tid: Tid, info: Option<SigInfo>) -> SyscallResult {
    match info {
        None => {}
        Some(info) if pid == own_pid(ctx) => {
            ctx.process().send_signal(info, SignalTarget::Thread(tid), KickCause::GuestSignal)?;
        }
        Some(info) => send::send_info(ctx.process(), pid, Some(tid), Some(info))?,
    }
    Ok(0)
}

/// A siginfo that the guest made itself. Only to its own thread `to` may it claim to come from the kernel, from kill(2)
/// or from tgkill(2).
fn own_info(ctx: &TaskContext, from: GuestPtr<[u8; 128]>, to: i32) -> Result<[u8; 128], Errno> {
    let bytes = ctx.memory().read(from)?;
    let code = SiCode(i32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]));
    if (code.0 >= 0 || code == SiCode::SI_TKILL) && to != ctx.task.tid().0 {
        return Err(Errno::EPERM);
    }
    Ok(bytes)
}

pub(super) fn rt_sigqueueinfo(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, number) = (args.pid(0), args.i32(1));
    let bytes = own_info(ctx, args.ptr(2), pid.0)?;
    if !is_own(ctx, pid) {
        host::probe(pid, None)?;
    }
    let Some(signal) = signal_or_probe(number)? else { return Ok(0) };
    let info = SigInfo::from_bytes(signal, bytes);
    if is_own(ctx, pid) {
        ctx.process().send_signal(info, SignalTarget::Process, KickCause::GuestSignal)?;
    } else {
        send::send_info(ctx.process(), pid, None, Some(info))?;
    }
    Ok(0)
}

pub(super) fn rt_tgsigqueueinfo(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let (pid, tid) = (args.pid(0), Tid(args.i32(1)));
    let bytes = own_info(ctx, args.ptr(3), tid.0)?;
    let signal = receiver_thread(ctx, pid, tid, args.i32(2))?;
    send_info_to_thread(ctx, pid, tid, signal.map(|signal| SigInfo::from_bytes(signal, bytes)))
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
    SigAction { handler, flags: SaFlags::from_bits_truncate(flags), restorer: GuestAddr(restorer), mask }
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
    let old = match new {
        Some(new) => ctx.process().set_action(signal, action_from_wire(new)),
        None => ctx.process().group().actions.get(signal),
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
    let waited = ctx.task.block_until(deadline, || ctx.process().take_signal(tid, wanted));
    wait_for(SigSet::EMPTY);
    // A signal may have come between the end of the wait and now.
    let taken = match waited {
        Ok(info) => Ok(info),
        Err(interrupted) => ctx.process().take_signal(tid, wanted).ok_or(interrupted),
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
            // Everything but an unreadable frame is forgiven, as on Linux.
            let _refused = set_alt_stack(ctx, frame.state.sp, frame.alt_stack);
            set_mask(ctx, frame.mask);
        }
        Err(BadFrame { taken }) => {
            let mut sp = state.sp;
            if let Some(taken) = taken {
                let (state, mask) = &*taken;
                sp = state.sp;
                ctx.vcpu.push(state);
                set_mask(ctx, *mask);
            }
            let is_mapped = ctx.process().space().has_mapping_after(GuestAddr(sp).without_tag());
            let code = if is_mapped { SiCode::SEGV_ACCERR } else { SiCode::SEGV_MAPERR };
            ctx.fault = FaultRecord::NONE;
            let info = SigInfo::fault(Signal::SIGSEGV, code, GuestAddr(sp));
            ctx.process().group().force(ctx.task.tid(), info);
            ctx.task.set_interrupts(Interrupts::SIGNAL);
        }
    }
    Err(SyscallError::Control(Control::RegistersReplaced))
}

/// Changes the alternate stack to what a `stack_t` says, unless `sp` lies on the present one.
fn set_alt_stack(ctx: &mut TaskContext, sp: u64, bytes: [u8; 24]) -> Result<(), Errno> {
    let word = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    let (base, flags, len_bytes) = (GuestAddr(word(0)), word(8) as u32, word(16));
    if ctx.alt_stack.is_some_and(|stack| stack.holds(sp)) {
        return Err(Errno::EPERM);
    }
    let autodisarm = flags & AltStack::SS_AUTODISARM != 0;
    ctx.alt_stack = match flags & !AltStack::SS_AUTODISARM {
        AltStack::SS_DISABLE => None,
        0 | AltStack::SS_ONSTACK if len_bytes < MINSIGSTKSZ => return Err(Errno::ENOMEM),
        0 | AltStack::SS_ONSTACK => Some(AltStack { base, len_bytes, autodisarm }),
        _unknown => return Err(Errno::EINVAL),
    };
    Ok(())
}

pub(super) fn sigaltstack(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let sp = ctx.vcpu.pull().sp;
    let old = AltStack::to_wire(ctx.alt_stack, sp);
    if let Some(new) = args.ptr::<[u8; 24]>(0).non_null() {
        let new = ctx.memory().read(new)?;
        set_alt_stack(ctx, sp, new)?;
    }
    if let Some(place) = args.ptr::<[u8; 24]>(1).non_null() {
        ctx.memory().write(place, &old)?;
    }
    Ok(0)
}
