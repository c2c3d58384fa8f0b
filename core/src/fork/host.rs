//! The host fork: the child is a copy of this process, made while every lock that it needs is held, and goes on as a
//! process of its own with the same bring-up as every other: kick thread, registry, doorbell, counters, transport file.
//!
//! Of the parent's values the child keeps three: the machine with the calling thread's vCPU, the address space, and the
//! open files of the descriptor table. Their locks are held across the fork, and so are those of what the child copies.
//! Everything else (process, threads, waits,
//! timers, pending signals, preemption) is made anew, and what the parent had of it is neither locked nor dropped in the
//! child: it is leaked. Descriptors that are not the guest's are closed. `docs/design.md` §7.

#![expect(unsafe_code, reason = "forks, and closes descriptors by number")]

use std::collections::BTreeMap;
use std::mem::{forget, replace};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::{Arc, MutexGuard};

use super::parent::{child_signals, close_gate, twin_for};
use super::ready::Answer;
use super::vfork::{Before, OnlyWaiting, WaitingParent};
use crate::abi::{Errno, Pid, SigSet};
use crate::fs::Root;
use crate::host::children::exit_now;
use crate::host::fork::{Forked, close_all_but, fork, prepare, take_over};
use crate::host::handover::Handover;
use crate::host::schedule::Together;
use crate::host::thread::{self, Role};
use crate::host::twin::Twin;
use crate::host::wake::WakeFd;
use crate::kernel::clone::{CloneArgs, CloneFlags, first_registers};
use crate::kernel::fd_table::{FdTable, HeldFiles};
use crate::kernel::limits::Limit;
use crate::kernel::process::ImageInfo;
use crate::kernel::signal::{SignalActions, ThreadGroup};
use crate::kernel::{Process, TaskContext, bring_up, signal};
use crate::preempt::{Bounds, Preemption};
use crate::vcpu::CpuState;

/// Exit status of a child that could not be brought up. Nobody sees it: its parent takes the corpse away.
const NOT_BROUGHT_UP: i32 = 1;

/// What the child begins with beside memory and machine. Held while the host forks, so that the child finds it whole and
/// copies it by itself: what the parent would write for that, its threads would have to copy page by page afterwards.
struct Held<'ctx> {
    group: MutexGuard<'ctx, ThreadGroup>,
    limits: MutexGuard<'ctx, BTreeMap<u32, Limit>>,
    image: MutexGuard<'ctx, ImageInfo>,
    root: MutexGuard<'ctx, Arc<Root>>,
    files: HeldFiles<'ctx>,
}

impl<'ctx> Held<'ctx> {
    /// Ordered locks first: the others are leaves, of which nobody else holds two.
    fn of(ctx: &'ctx TaskContext, group: MutexGuard<'ctx, ThreadGroup>) -> Self {
        let process = ctx.process();
        let (limits, image, root) = (process.limits().hold(), process.hold_image(), process.hold_root());
        Self { group, limits, image, root, files: ctx.files.hold() }
    }
}

/// What the child takes of that.
struct Seed {
    state: CpuState,
    actions: SignalActions,
    blocked: SigSet,
    image: ImageInfo,
    root: Arc<Root>,
    files: FdTable,
    /// The descriptors that stay open.
    kept: Vec<RawFd>,
    limits: BTreeMap<u32, Limit>,
    is_dumpable: bool,
    answer: Answer,
    args: CloneArgs,
}

impl Seed {
    /// In the child.
    fn of(ctx: &TaskContext, held: Held<'_>, answer: Answer, args: &CloneArgs) -> Self {
        let process = ctx.process();
        let (actions, blocked) = child_signals(&held.group, ctx.task.tid(), args);
        let kept = kept_descriptors(process, &held, &answer);
        // SAFETY: this is the child, and the parent's process is leaked.
        let published = held.image.published.as_ref().map(|file| unsafe { take_over(file) });
        let seed = Self {
            state: first_registers(ctx, args),
            actions,
            blocked,
            image: ImageInfo { published, ..held.image.clone() },
            root: held.root.clone(),
            files: FdTable::inherit_forked(&held.files),
            kept,
            limits: held.limits.clone(),
            is_dumpable: process.limits().is_dumpable(),
            answer,
            args: *args,
        };
        forget(held);
        seed
    }
}

/// The host descriptors that the child goes on with: its own standard ones, the guest's, those of mapped files, of the
/// program, what is published of it, those of the tree of files, and those of its answer to its parent.
fn kept_descriptors(parent: &Process, held: &Held<'_>, answer: &Answer) -> Vec<RawFd> {
    let program = held.image.file.iter().map(|file| file.as_raw_fd());
    let published = held.image.published.iter().map(|file| file.as_raw_fd());
    let own = [0, 1, 2].into_iter().chain(answer.descriptors()).chain(held.root.descriptors());
    let files = held.files.host_numbers();
    own.chain(program).chain(published).chain(files).chain(parent.space().mapped_descriptors()).collect()
}

/// A child that exists and has not yet said that it is ready.
pub(super) struct Unready {
    pub(super) pid: Pid,
    pub(super) answer: Answer,
    /// The memory at the fork, for a vfork of one thread among several.
    pub(super) twin: Option<Twin>,
    /// What names it where it is a child of this process's parent instead.
    pub(super) sibling: Option<OwnedFd>,
}

/// The parent's end of the answer where it is not the child's too, and the child's. A vfork child has more to say.
fn answers(args: &CloneArgs) -> std::io::Result<(Option<Answer>, Answer)> {
    if !args.flags.contains(CloneFlags::VFORK) {
        return Ok((None, Answer::Bell(WakeFd::new()?)));
    }
    let (own, child) = Handover::pair()?;
    Ok((Some(Answer::Stream(own)), Answer::Stream(child.into())))
}

/// Forks; `None` in the child, whose context has become that of the child's first thread.
///
/// # Errors
/// `EAGAIN`, `ENOMEM` where the host refuses; `ENOSYS` where the machine does not survive a host fork.
pub(super) fn host_fork(ctx: &mut TaskContext, args: &CloneArgs) -> Result<Option<Unready>, Errno> {
    let (own_end, child_end) = answers(args).map_err(|_no_descriptors| Errno::EAGAIN)?;
    let process = ctx.process().clone();
    let machine = process.machine().clone();
    prepare(&ctx.proof);
    let closed = close_gate(ctx);
    if args.shares_memory() {
        share_memory(&process)?;
    }
    let mut making = process.children().make();
    let twin = twin_for(ctx, args)?;
    let group = process.group();
    let held_space = process.space().hold();
    let held_machine = machine.hold_for_fork().ok_or(Errno::ENOSYS)?;
    let held = Held::of(ctx, group);
    let together = Together::begin();
    // SAFETY: the locks of address space and machine are held, and those of what else the child needs of its parent;
    // everything that other threads may have been using is leaked in the child, below and in `become_child`.
    match unsafe { fork() }? {
        Forked::Parent(pid) => {
            drop(together);
            drop((held, held_machine, held_space));
            making.made(pid, args.exit_signal());
            drop((making, closed));
            Ok(Some(Unready { pid, answer: own_end.unwrap_or(child_end), twin, sibling: None }))
        }
        Forked::Child => {
            held_machine.continue_with(ctx.vcpu.id());
            drop(held_space);
            forget((closed, making, twin));
            drop(own_end);
            let seed = Seed::of(ctx, held, child_end, args);
            if become_child(ctx, process, seed, together).is_err() {
                exit_now(NOT_BROUGHT_UP);
            }
            Ok(None)
        }
    }
}

/// Makes the memory one that the child runs in too. Waits on words of it are the host's from now on.
///
/// # Errors
/// `EINVAL` in the child of a vfork, which is to give its memory back; `ENOMEM`, or the host's errno.
fn share_memory(process: &Process) -> Result<(), Errno> {
    if process.has_vfork_parent() {
        return Err(Errno::EINVAL);
    }
    process.space().share()?;
    process.futexes().give_to_host();
    Ok(())
}

/// In the child: everything that a process needs, for the calling thread.
fn become_child(
    ctx: &mut TaskContext,
    parent: Arc<Process>,
    seed: Seed,
    together: Option<Together>,
) -> Result<(), Box<dyn std::error::Error>> {
    let Seed { state, actions, blocked, image, root, files, mut kept, limits, is_dumpable, answer, args } = seed;
    // SAFETY: what owns the others is leaked: with the parent's process, its threads' contexts and its preemption.
    unsafe { close_all_but(&mut kept) };
    let proof = thread::adopt(Role::ForkChildBootstrap);
    let machine = parent.machine().clone();
    let options = parent.options().clone();
    let bounds = Bounds { run_limit_ns: options.timeout_ns, directory: None };
    let spread = together.as_ref().map(Together::spread);
    let preemption = Preemption::in_forked_process(parent.preemption(), machine.clone(), bounds, spread)?;
    let process = Process::new(machine, parent.space().clone(), preemption, options, root);
    forget(parent);
    if !args.flags.contains(CloneFlags::VM) {
        process.space().inherit()?;
    }
    process.set_image(image);
    process.limits().inherit(limits, is_dumpable);
    process.group().actions = actions;
    process.follow_child_disposition();
    let files = Arc::new(files);
    signal::fd::renew(&process, &files)?;
    let (task, enlisted) = bring_up::enlist_first_thread(&process, ctx.vcpu.id(), Role::ForkChildBootstrap, blocked);
    ctx.vcpu.push(&state);
    forget(replace(&mut ctx.task, task));
    forget(replace(&mut ctx.enlisted, enlisted));
    forget(replace(&mut ctx.files, files));
    ctx.begin_as_child(proof, &args);
    process.gate().enter();
    ctx.store_child_tid(&args);
    // Late: while the process has one thread, pages are copied without telling another processor.
    if let Some(warning) = bring_up::start_kicks(&process, &ctx.proof)? {
        crate::host::tell(format_args!("elfuse: signals from other elfuse processes will not arrive: {warning}"));
    }
    let stream = answer.say_ready()?;
    drop(together);
    let Some(stream) = stream else { return Ok(()) };
    let is_copy = args.flags.contains(CloneFlags::VM) && !process.space().is_common();
    process.hold_vfork_parent(if is_copy {
        Box::new(WaitingParent::new(stream, Before::Shared, process.space()))
    } else {
        Box::new(OnlyWaiting { _stream: stream.into() })
    });
    Ok(())
}
