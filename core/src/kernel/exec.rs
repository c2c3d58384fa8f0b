//! execve(2): another program in the same process.
//!
//! Everything that can fail is done before the point of no return: the program is opened, read and checked while the old
//! one could still go on. Then the other threads end, the old mappings go, and the new ones come; a failure from there on
//! ends the process, as on Linux. Masks, pending signals, ITIMER_REAL, ids and the working directory stay.
//!
//! A new program runs as the main thread. Another thread that calls execve hands its checked [`Plan`] to the main thread and
//! ends; the main thread drops what it is doing ([`Interrupts::EXECUTE`]) and goes on with that plan and the caller's
//! mask. Missing: a caller whose main thread has ended, which gets `EAGAIN`. Sources: execve(2), `begin_new_exec` and `de_thread` in `fs/exec.c` of Linux.

use std::path::Path;
use std::time::Duration;

use super::process::ImageInfo;
use super::signal::GroupExit;
use super::task::Interrupts;
use super::{Control, TaskContext};
use crate::abi::{Errno, GuestAddr, SigSet, Signal};
use crate::elf::{HwCaps, LoadError, LoadedImage, Plan, Program};
use crate::preempt::KickCause;
use crate::vcpu::CpuState;

/// How long a wait for the other threads lasts until they are told again: one may have been in the making.
const TELL_AGAIN: Duration = Duration::from_millis(5);

/// What the guest's CPU can do, for `AT_HWCAP` of every program that is loaded.
#[must_use]
pub fn hwcaps() -> HwCaps {
    HwCaps::default()
}

/// A program that another thread wants the main thread to begin.
pub struct Handed {
    plan: Plan,
    /// The mask of the thread that called execve(2).
    blocked: SigSet,
}

/// Replaces the program of the calling thread's process. The answer is how the call ends: with the registers of the new
/// program, or with the end of a thread that is not the main one.
///
/// # Errors
/// Those of execve(2) while the old program still exists: `ENOENT`, `EACCES`, `ENOEXEC`, `E2BIG`, `ELOOP`, ...; `EAGAIN` where the
/// main thread has ended or begins another program; `EINTR` where the process is to end meanwhile.
pub fn execute(ctx: &mut TaskContext, path: &Path, args: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Result<Control, Errno> {
    let plan = Program::open(path, args, env).and_then(|program| Plan::new(program, None));
    let plan = plan.map_err(|error| error.errno())?;
    if !ctx.task.is_main() {
        return hand_over(ctx, plan);
    }
    end_other_threads(ctx)?;
    replace(ctx, plan);
    Ok(Control::RegistersReplaced)
}

/// Leaves the plan to the main thread.
fn hand_over(ctx: &TaskContext, plan: Plan) -> Result<Control, Errno> {
    let process = ctx.process();
    let (main, blocked) = {
        let group = process.group();
        let main = group.members.values().find(|member| member.task.is_main());
        let own = group.members.get(&ctx.task.tid());
        (main.map(|member| member.task.clone()), own.map_or(SigSet::EMPTY, |member| member.blocked))
    };
    let main = main.ok_or(Errno::EAGAIN)?;
    process.hand_program(Handed { plan, blocked })?;
    main.interrupt(Interrupts::EXECUTE, KickCause::Exec);
    Ok(Control::ExitThread(0))
}

/// The main thread's part where another thread called execve(2).
pub fn take_over(ctx: &mut TaskContext) {
    let process = ctx.process().clone();
    let Some(Handed { plan, blocked }) = process.handed_program() else { return };
    if end_other_threads(ctx).is_err() {
        // The process is to end, and this thread looks at that next.
        return;
    }
    if let Some(member) = process.group().members.get_mut(&ctx.task.tid()) {
        member.blocked = blocked;
        member.saved_mask = None;
    }
    replace(ctx, plan);
}

/// Ends all threads but the calling one and waits until they are gone.
fn end_other_threads(ctx: &TaskContext) -> Result<(), Errno> {
    let process = ctx.process();
    let own = ctx.task.tid();
    loop {
        let others: Vec<_> = {
            let group = process.group();
            let others = group.members.values().filter(|member| member.task.tid() != own);
            others.map(|member| member.task.clone()).collect()
        };
        for task in others {
            task.interrupt(Interrupts::EXIT, KickCause::Exec);
        }
        // Outside: one of them may be waiting for the world to stand still.
        if process.gate().outside(|| process.lifetime().wait_for_others_within(TELL_AGAIN)) {
            return Ok(());
        }
        if ctx.task.interrupts().contains(Interrupts::EXIT) {
            return Err(Errno::EINTR);
        }
    }
}

/// The old program for the new one. A failure ends the process: nothing is left to return to.
fn replace(ctx: &mut TaskContext, plan: Plan) {
    let space = ctx.process().space();
    let cleared = space.clear().map_err(|errno| LoadError::Map { what: "an empty address space", errno });
    match cleared.and_then(|()| plan.commit(space, hwcaps())) {
        Ok(image) => begin(ctx, image),
        Err(error) => {
            crate::cli::report_error("execve", &error);
            ctx.process().begin_exit(GroupExit::Signal(Signal::SIGKILL));
            ctx.task.set_interrupts(Interrupts::EXIT);
        }
    }
}

/// What else a new program begins with.
fn begin(ctx: &mut TaskContext, image: LoadedImage) {
    let process = ctx.process().clone();
    process.group().actions.reset_for_exec();
    process.timers().reset_for_exec(&process);
    ctx.files = std::sync::Arc::new(ctx.files.fork());
    ctx.files.close_on_exec();
    ctx.alt_stack = None;
    ctx.clear_child_tid = GuestAddr::NULL;
    ctx.robust_list = GuestAddr::NULL;
    ctx.restart_block = None;
    ctx.fault = None;
    ctx.restart = None;
    ctx.vcpu.push(&CpuState { pc: image.entry.0, sp: image.sp.0, ..CpuState::default() });
    process.set_image(ImageInfo { path: image.path, args: image.args, sigtramp: image.sigtramp });
    // A vfork parent goes on.
    process.hold_vfork_parent(None);
}
