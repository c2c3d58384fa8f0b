//! execve(2): another program in the same process.
//!
//! Everything that can fail is done before the point of no return: the program is opened, read and checked while the old
//! one could still go on. Then the other threads end, the old mappings go, and the new ones come; a failure from there on
//! ends the process, as on Linux. Masks, pending signals, ITIMER_REAL, ids and the working directory stay.
//!
//! A thread that is not the main one hands its program over to the main thread and ends: the process id stays the id of
//! the thread that goes on, as on Linux. Missing: a main thread that has ended before; then the call is refused with
//! `EAGAIN`. Sources: execve(2), `begin_new_exec` and `de_thread` in `fs/exec.c` of Linux.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::fd_table::FdTable;
use super::paths::GuestFinder;
use super::process::ImageInfo;
use super::signal::{FaultRecord, GroupExit};
use super::task::Interrupts;
use super::{Control, Process, TaskContext};
use crate::abi::{Errno, GuestAddr, SigSet, Signal};
use crate::elf::{HwCaps, LoadError, LoadedImage, Plan, Program};
use crate::preempt::KickCause;
use crate::vcpu::CpuState;

/// How long a wait for the other threads lasts until they are told again: one may have been in the making.
const TELL_AGAIN: Duration = Duration::from_millis(5);

/// What the guest's CPU can do, for `AT_HWCAP` of every program that is loaded.
#[must_use]
pub fn hwcaps(process: &Process) -> HwCaps {
    let [hwcap, hwcap2, hwcap3] = process.machine().features().hwcaps;
    HwCaps { hwcap, hwcap2, hwcap3 }
}

/// Replaces the program of the calling thread's process. On success the registers are those of the new program.
///
/// # Errors
/// Those of execve(2) while the old program still exists: `ENOENT`, `EACCES`, `ENOEXEC`, `E2BIG`, `ELOOP`, ...; `EAGAIN`
/// where the main thread is gone or another thread is executing; `EINTR` where the process is to end meanwhile.
pub fn execute(ctx: &mut TaskContext, path: &Path, args: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Result<Control, Errno> {
    let finder = GuestFinder { process: ctx.process(), files: &ctx.files };
    let plan = Program::open(&finder, path, args, env).and_then(|program| Plan::new(program, &finder));
    let plan = plan.map_err(|error| error.errno())?;
    if !ctx.task.is_main() {
        hand_over(ctx, plan)?;
        return Ok(Control::ExitThread(0));
    }
    end_other_threads(ctx)?;
    become_program(ctx, plan);
    Ok(Control::RegistersReplaced)
}

/// A checked program on its way to the main thread, with what its caller keeps.
pub struct HandedOver {
    plan: Plan,
    files: Arc<FdTable>,
    blocked: SigSet,
}

/// Leaves the program for the main thread and interrupts that.
fn hand_over(ctx: &TaskContext, plan: Plan) -> Result<(), Errno> {
    let process = ctx.process();
    let (main, blocked) = {
        let group = process.group();
        let main = group.members.values().find(|member| member.task.is_main()).map(|member| member.task.clone());
        let own = group.members.get(&ctx.task.tid()).map_or(SigSet::EMPTY, |member| member.blocked);
        (main.ok_or(Errno::EAGAIN)?, own)
    };
    let files = ctx.files.clone();
    if !process.hand_over_program(HandedOver { plan, files, blocked }) {
        return Err(Errno::EAGAIN);
    }
    main.interrupt(Interrupts::EXIT, KickCause::Exec);
    Ok(())
}

/// For the main thread when it is told to leave: goes on with a program that another thread handed over. False where
/// there is none, or the process is to end.
pub fn take_over(ctx: &mut TaskContext) -> bool {
    let process = ctx.process().clone();
    if !ctx.task.is_main() || process.group().exit.is_some() {
        return false;
    }
    let Some(HandedOver { plan, files, blocked }) = process.take_program() else { return false };
    ctx.task.clear_interrupts(Interrupts::EXIT);
    ctx.files = files;
    ctx.restart = None;
    if let Some(member) = process.group().members.get_mut(&ctx.task.tid()) {
        member.blocked = blocked;
        member.saved_mask = None;
    }
    if end_other_threads(ctx).is_err() {
        return false;
    }
    become_program(ctx, plan);
    true
}

/// The point of no return.
fn become_program(ctx: &mut TaskContext, plan: Plan) {
    match replace(ctx, plan) {
        Ok(image) => begin(ctx, image),
        Err(error) => {
            eprintln!("elfuse: execve: {error}");
            // Nothing is left to return to.
            ctx.process().begin_exit(GroupExit::Signal(Signal::SIGKILL));
            ctx.task.set_interrupts(Interrupts::EXIT);
        }
    }
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

/// The old mappings for the new ones.
fn replace(ctx: &TaskContext, plan: Plan) -> Result<LoadedImage, LoadError> {
    let process = ctx.process();
    process.futexes().end_thread(process, ctx.task.tid(), ctx.robust_list);
    process.release_vfork_parent();
    let space = process.space();
    space.clear().map_err(|errno| LoadError::Map { what: "an empty address space", errno })?;
    plan.commit(space, hwcaps(ctx.process()))
}

/// Names the main thread after its program, as `comm` shows it.
pub fn name_thread(program: &Path) {
    use std::os::unix::ffi::OsStrExt;
    let name = program.file_name().unwrap_or_default().as_bytes();
    if let Ok(name) = std::ffi::CString::new(name) {
        // A name is for people.
        let _unnamed = crate::host::sys::set_thread_name(&name);
    }
}

/// What else a new program begins with.
fn begin(ctx: &mut TaskContext, image: LoadedImage) {
    let process = ctx.process().clone();
    process.group().actions.reset_for_exec();
    process.follow_child_disposition();
    process.limits().set_dumpable(true);
    process.timers().reset_for_exec(&process);
    ctx.files = std::sync::Arc::new(ctx.files.fork());
    ctx.files.close_on_exec();
    ctx.alt_stack = None;
    ctx.clear_child_tid = GuestAddr::NULL;
    ctx.robust_list = GuestAddr::NULL;
    ctx.restart_block = None;
    ctx.fault = FaultRecord::NONE;
    ctx.vcpu.push(&CpuState::at_start(image.entry.0, image.sp.0));
    name_thread(&image.path);
    process.set_image(ImageInfo::of(image));
}
