//! execve(2): another program in the same process.
//!
//! Everything that can fail is done before the point of no return: the program is opened, read and checked while the old
//! one could still go on. Then the other threads end, the old mappings go, and the new ones come; a failure from there on
//! ends the process, as on Linux. Masks, pending signals, ITIMER_REAL, ids and the working directory stay.
//!
//! Missing: execve by another thread than the main one, which Linux gives the main thread's id. It is refused with
//! `EAGAIN`. Sources: execve(2), `begin_new_exec` and `de_thread` in `fs/exec.c` of Linux.

use std::path::Path;
use std::time::Duration;

use super::TaskContext;
use super::process::ImageInfo;
use super::signal::GroupExit;
use super::task::Interrupts;
use crate::abi::{Errno, GuestAddr, Signal};
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

/// Replaces the program of the calling thread's process. On success the registers are those of the new program.
///
/// # Errors
/// Those of execve(2) while the old program still exists: `ENOENT`, `EACCES`, `ENOEXEC`, `E2BIG`, `ELOOP`, ...; `EAGAIN` for a
/// caller that is not the main thread; `EINTR` where the process is to end meanwhile.
pub fn execute(ctx: &mut TaskContext, path: &Path, args: Vec<Vec<u8>>, env: Vec<Vec<u8>>) -> Result<(), Errno> {
    let plan = Program::open(path, args, env).and_then(|program| Plan::new(program, None));
    let plan = plan.map_err(|error| error.errno())?;
    if !ctx.task.is_main() {
        return Err(Errno::EAGAIN);
    }
    end_other_threads(ctx)?;
    match replace(ctx, plan) {
        Ok(image) => {
            begin(ctx, image);
            Ok(())
        }
        Err(error) => {
            crate::cli::report_error("execve", &error);
            // Nothing is left to return to.
            ctx.process().begin_exit(GroupExit::Signal(Signal::SIGKILL));
            ctx.task.set_interrupts(Interrupts::EXIT);
            Ok(())
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
    let space = ctx.process().space();
    space.clear().map_err(|errno| LoadError::Map { what: "an empty address space", errno })?;
    plan.commit(space, hwcaps())
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
    ctx.vcpu.push(&CpuState { pc: image.entry.0, sp: image.sp.0, ..CpuState::default() });
    process.set_image(ImageInfo { path: image.path, args: image.args, sigtramp: image.sigtramp });
    // A vfork parent goes on.
    process.hold_vfork_parent(None);
}
