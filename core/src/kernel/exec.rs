//! execve(2): another program in the same process.
//!
//! Everything that can fail is done before the point of no return: the program is opened, read and checked while the old
//! one could still go on. Then the other threads end, the old mappings go, and the new ones come; a failure from there on
//! ends the process, as on Linux. Masks, pending signals, ITIMER_REAL, ids and the working directory stay.
//!
//! A thread that is not the main one hands its program over to the main thread and ends: the process id stays the id of
//! the thread that goes on, as on Linux. A main thread that has ended before comes back for it. A program of the host's own
//! architecture takes elfuse's place ([`crate::host::exec`]). Sources: execve(2), `begin_new_exec` and `de_thread` in `fs/exec.c` of Linux.

use std::ffi::CString;
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::fd_table::FdTable;
use super::paths::GuestFinder;
use super::process::ImageInfo;
use super::signal::{FaultRecord, GroupExit, Member};
use super::task::Interrupts;
use super::{Control, Process, TaskContext};
use crate::abi::{Errno, GuestAddr, SigInfo, SigSet, Signal};
use crate::elf::{HwCaps, LoadError, LoadedImage, Plan, Program};
use crate::host::exec::Execution;
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
/// where another thread is executing; `EINTR` where the process is to end meanwhile.
pub fn execute(ctx: &mut TaskContext, path: &Path, args: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Result<Control, Errno> {
    let finder = GuestFinder { process: ctx.process(), files: &ctx.files };
    let next = Program::open(&finder, path, args, env).and_then(|program| {
        if program.is_native() { Ok(Next::Host(program)) } else { Plan::new(program, &finder).map(Next::Guest) }
    });
    let next = next.map_err(|error| error.errno())?;
    if !ctx.task.is_main() {
        hand_over(ctx, next)?;
        return Ok(Control::ExitThread(0));
    }
    end_other_threads(ctx)?;
    become_program(ctx, next);
    Ok(Control::RegistersReplaced)
}

/// What comes next in this process.
enum Next {
    /// Another guest program.
    Guest(Plan),
    /// A program that the host executes.
    Host(Program),
}

/// A checked program on its way to the main thread, with what its caller keeps.
pub struct HandedOver {
    next: Next,
    files: Arc<FdTable>,
    blocked: SigSet,
}

/// Leaves the program for the main thread and interrupts that.
fn hand_over(ctx: &TaskContext, next: Next) -> Result<(), Errno> {
    let process = ctx.process();
    let main = process.main_task().ok_or(Errno::EAGAIN)?;
    let blocked = process.group().members.get(&ctx.task.tid()).map_or(SigSet::EMPTY, |member| member.blocked);
    let files = ctx.files.clone();
    if !process.hand_over_program(HandedOver { next, files, blocked }) {
        return Err(Errno::EAGAIN);
    }
    // A main thread that has ended is a member again, so that this one is not the last when it leaves.
    process.group().members.entry(main.tid()).or_insert_with(|| Member::new(main.clone(), blocked));
    // Before the announcement, with which one that has ended comes back and clears it.
    main.interrupt(Interrupts::EXIT, KickCause::Exec);
    process.lifetime().announce_program();
    Ok(())
}

/// For a main thread whose guest thread has ended: comes back for a program that another thread handed over. False where
/// there is none.
pub fn come_back(ctx: &mut TaskContext) -> bool {
    let process = ctx.process().clone();
    if !process.has_program() {
        return false;
    }
    process.lifetime().begin();
    process.gate().enter();
    let is_back = take_over(ctx);
    if !is_back {
        process.gate().leave();
        process.lifetime().end();
    }
    is_back
}

/// For the main thread when it is told to leave: goes on with a program that another thread handed over. False where
/// there is none, or the process is to end.
pub fn take_over(ctx: &mut TaskContext) -> bool {
    let process = ctx.process().clone();
    if !ctx.task.is_main() || process.group().exit.is_some() {
        return false;
    }
    let Some(HandedOver { next, files, blocked }) = process.take_program() else { return false };
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
    become_program(ctx, next);
    true
}

/// The point of no return.
fn become_program(ctx: &mut TaskContext, next: Next) {
    let plan = match next {
        Next::Guest(plan) => plan,
        Next::Host(program) => become_host_program(ctx, &program),
    };
    match replace(ctx, plan) {
        Ok(image) => begin(ctx, image),
        Err(error) => {
            crate::host::tell(format_args!("elfuse: execve: {error}"));
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
    if space.is_common() {
        ctx.tell_of_leaving();
        space.leave();
    }
    space.clear().map_err(|errno| LoadError::Map { what: "an empty address space", errno })?;
    plan.commit(space, hwcaps(ctx.process()))
}

/// Hands the process to a program of the host.
fn become_host_program(ctx: &TaskContext, program: &Program) -> ! {
    let process = ctx.process();
    process.futexes().end_thread(process, ctx.task.tid(), ctx.robust_list);
    process.release_vfork_parent();
    let timer = process.timers().real();
    process.preemption().shut_down();
    process.attend_to_children(true);
    let (blocked, ignored, pending) = {
        let group = process.group();
        let blocked = group.members.get(&ctx.task.tid()).map_or(SigSet::EMPTY, |member| member.blocked);
        let own = group.members.get(&ctx.task.tid()).map(|member| &member.pending);
        let pending: Vec<SigInfo> =
            group.shared.iter().chain(own.into_iter().flat_map(|own| own.iter())).copied().collect();
        (blocked, group.actions.ignored_set(), pending)
    };
    for info in &pending {
        // What the host does not queue is lost.
        let _lost = crate::host::pidfd::queue_to_process(process.pid(), info);
    }
    for (resource, limit) in process.limits().all() {
        crate::host::process::set_limit(resource, [limit.soft, limit.hard]);
    }
    crate::host::process::set_real_timer(timer.value_ns, timer.interval_ns);
    let entries: Vec<_> = ctx.files.entries().into_iter().filter(|entry| !entry.is_close_on_exec).collect();
    let strings =
        |strings: &[Vec<u8>]| strings.iter().filter_map(|bytes| CString::new(bytes.as_slice()).ok()).collect();
    let execution = Execution {
        file: program.file.as_fd(),
        args: strings(&program.args),
        env: strings(&program.env),
        descriptors: entries.iter().map(|entry| (entry.fd.0, entry.file.as_fd())).collect(),
        blocked,
        ignored,
        pending: pending.iter().fold(SigSet::EMPTY, |set, info| set.with(info.signal())),
    };
    let error = execution.run();
    crate::host::tell(format_args!("elfuse: execve: {}: {error}", program.path.display()));
    // As on Linux, where an execution that fails past the point of no return is a death.
    crate::host::children::die_by(Signal::SIGKILL)
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
    ctx.rseq = None;
    ctx.vcpu.push(&CpuState::at_start(image.entry.0, image.sp.0));
    name_thread(&image.path);
    process.set_image(ImageInfo::of(image));
}
