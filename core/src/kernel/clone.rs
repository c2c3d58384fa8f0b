//! clone(2) for threads: a host thread with a vCPU of its own.
//!
//! Source: clone(2), Linux `kernel/fork.c` `copy_process`.

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use super::fd_table::FdTable;
use super::open_file::OpenFile;
use super::pool::CredentialLabel;
use super::signal::Member;
use super::task::Interrupts;
use super::{Process, Task, TaskContext};
use crate::abi::{Errno, GuestAddr, GuestPtr, Pid, SigSet, Tid};
use crate::host::pidfd;
use crate::host::signal::SignalsBlocked;
use crate::host::thread::{self, Role};
use crate::preempt::stats::TaskRole;
use crate::vcpu::CpuState;

bitflags::bitflags! {
    /// The flags of clone(2); the low byte is the exit signal.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct CloneFlags: u64 {
        /// The exit signal.
        const CSIGNAL = 0xff;
        /// Shared memory.
        const VM = 0x100;
        /// Shared working directory and umask.
        const FS = 0x200;
        /// Shared descriptor table.
        const FILES = 0x400;
        /// Shared dispositions.
        const SIGHAND = 0x800;
        /// A pidfd is stored in the parent.
        const PIDFD = 0x1000;
        /// The parent waits for exec or exit.
        const VFORK = 0x4000;
        /// Sibling instead of child.
        const PARENT = 0x8000;
        /// Same thread group.
        const THREAD = 0x1_0000;
        /// SysV semaphore adjustments shared.
        const SYSVSEM = 0x4_0000;
        /// New thread pointer.
        const SETTLS = 0x8_0000;
        /// The child's id is stored in the parent.
        const PARENT_SETTID = 0x10_0000;
        /// The word is zeroed and woken when the child ends.
        const CHILD_CLEARTID = 0x20_0000;
        /// Ignored.
        const DETACHED = 0x40_0000;
        /// The child's id is stored in the child.
        const CHILD_SETTID = 0x100_0000;
        /// clone3(2): caught signals go back to the default in the child.
        const CLEAR_SIGHAND = 0x1_0000_0000;
        /// clone3(2): into a control group that a descriptor names.
        const INTO_CGROUP = 0x2_0000_0000;
        /// clone3(2): a time namespace; to clone(2) a part of the exit signal.
        const NEWTIME = 0x80;
        /// `CLONE_NEW*` but for time namespaces, which only unshare(2) and clone3(2) make.
        const NAMESPACES = 0x7e02_0000;
        const _ = !0;
    }
}

impl CloneFlags {
    /// What a thread of the same group must share.
    pub const THREAD_SET: Self = Self::VM.union(Self::SIGHAND).union(Self::THREAD);

    /// What clone3(2) takes of what is known here: neither an exit signal nor `CLONE_DETACHED`.
    pub const OF_CLONE3: Self = Self::from_bits_retain(0x1_ffff_ff00 & !(Self::DETACHED.bits()));
}

/// The arguments of clone(2).
#[derive(Clone, Copy, Debug)]
pub struct CloneArgs {
    /// Flags and exit signal.
    pub flags: CloneFlags,
    /// The child's stack pointer; null keeps the parent's.
    pub stack: GuestAddr,
    /// `parent_tid`.
    pub parent_tid: GuestPtr<i32>,
    /// Where the descriptor of the child is stored.
    pub pidfd: GuestPtr<i32>,
    /// `child_tid`.
    pub child_tid: GuestPtr<i32>,
    /// `tls`.
    pub tls: u64,
}

impl CloneArgs {
    /// The number of the signal that the child sends at its end; 0 is none.
    #[must_use]
    pub fn exit_signal(&self) -> i32 {
        (self.flags.bits() & CloneFlags::CSIGNAL.bits()) as i32
    }

    /// True for a process that runs on beside its maker in the same memory.
    #[must_use]
    pub fn shares_memory(&self) -> bool {
        self.flags.contains(CloneFlags::VM) && !self.flags.intersects(CloneFlags::VFORK | CloneFlags::THREAD)
    }

    /// `CLONE_CHILD_CLEARTID`: what is zeroed when the child ends, null for nothing.
    #[must_use]
    pub fn word_to_clear(&self) -> GuestAddr {
        if self.flags.contains(CloneFlags::CHILD_CLEARTID) { self.child_tid.addr() } else { GuestAddr::NULL }
    }
}

/// What a new thread begins with.
struct Seed {
    process: Arc<Process>,
    files: Arc<FdTable>,
    state: CpuState,
    blocked: SigSet,
    credentials: CredentialLabel,
    args: CloneArgs,
}

/// Runs a guest thread to its end; `run` gives it to [`spawn_thread`].
pub type Body = fn(&mut TaskContext);

/// The registers that a new thread or process begins with.
#[must_use]
pub fn first_registers(ctx: &TaskContext, args: &CloneArgs) -> CpuState {
    let mut state = ctx.vcpu.pull();
    state.x[0] = 0;
    if !args.stack.is_null() {
        state.sp = args.stack.0;
    }
    if args.flags.contains(CloneFlags::SETTLS) {
        state.tpidr_el0 = args.tls;
    }
    state
}

/// Makes a thread of this process; the answer is its id.
///
/// # Errors
/// `EAGAIN` when the host or the back end has no room for another one.
pub fn spawn_thread(ctx: &TaskContext, args: CloneArgs, body: Body) -> Result<Tid, Errno> {
    let process = ctx.process().clone();
    let state = first_registers(ctx, &args);
    let files = if args.flags.contains(CloneFlags::FILES) { ctx.files.clone() } else { Arc::new(ctx.files.fork()) };
    let blocked = process.group().members.get(&ctx.task.tid()).map_or(SigSet::EMPTY, |member| member.blocked);
    let credentials = ctx.task.credentials();
    let seed = Seed { process: process.clone(), files, state, blocked, credentials, args };
    let (ready, is_ready) = sync_channel(1);
    let (go, may_go) = sync_channel::<()>(1);
    let (alive, ended) = sync_channel::<()>(0);
    process.lifetime().begin();
    let spawned = thread::spawn(Role::Worker, &own_name(), &ctx.proof, move |proof| {
        let process = seed.process.clone();
        live(seed, proof, body, &ready, &may_go);
        drop(alive);
        process.lifetime().end();
    });
    if spawned.is_err() {
        process.lifetime().end();
        return Err(Errno::EAGAIN);
    }
    let tid = is_ready.recv().map_err(|_thread_gave_up| Errno::EAGAIN)?;
    // A thread that is not told to go ends.
    if args.flags.contains(CloneFlags::PIDFD) {
        store_pidfd(ctx, &args, pidfd::open(Pid(tid.0), pidfd::THREAD)?)?;
    }
    if args.flags.contains(CloneFlags::PARENT_SETTID) {
        // As on Linux: the thread exists whatever becomes of this store.
        let _ignored = ctx.memory().write(args.parent_tid, &tid.0);
    }
    // The thread waits for this; it is there, since it has just answered.
    let _sent = go.send(());
    if args.flags.contains(CloneFlags::VFORK) {
        wait_for_end(ctx, &ended);
    }
    Ok(tid)
}

/// The calling thread's name, which a new thread begins with.
fn own_name() -> String {
    let name = crate::host::sys::thread_name().unwrap_or_default();
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
    String::from_utf8_lossy(&name[..end]).into_owned()
}

/// Waits until a thread has ended, or this one is to end.
fn wait_for_end(ctx: &TaskContext, ended: &Receiver<()>) {
    let is_alive =
        || ctx.process().gate().outside(|| ended.recv_timeout(LOOK_INTERVAL)) == Err(RecvTimeoutError::Timeout);
    while is_alive() && !ctx.task.interrupts().contains(Interrupts::EXIT) {}
}

/// How often a wait for the end of a thread looks whether its own is to end.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// `CLONE_PIDFD`: a descriptor of the child, which is stored in the parent.
///
/// # Errors
/// `EMFILE`, `EFAULT`.
pub fn store_pidfd(ctx: &TaskContext, args: &CloneArgs, descriptor: OwnedFd) -> Result<(), Errno> {
    let file = OpenFile::new(descriptor);
    let fd = ctx.files.add(file, true)?;
    ctx.memory().write(args.pidfd, &fd.0).inspect_err(|_unreachable| drop(ctx.files.close(fd)))
}

/// The life of a worker thread, on that thread.
fn live(seed: Seed, proof: SignalsBlocked, body: Body, ready: &SyncSender<Tid>, may_go: &Receiver<()>) {
    let Seed { process, files, state, blocked, credentials, args } = seed;
    let Ok(vcpu) = process.machine().create_vcpu(&proof) else { return };
    if !args.flags.contains(CloneFlags::FS) && thread::separate_directories().is_err() {
        return;
    }
    let task = Task::new(process.clone(), thread::gettid());
    task.set_vcpu(vcpu.id());
    task.set_credentials(credentials);
    let enlisted = process.preemption().enlist(vcpu.id(), Role::Worker, TaskRole::Worker);
    let mut ctx = TaskContext::new(task.clone(), vcpu, files, enlisted, proof, body);
    ctx.vcpu.push(&state);
    ctx.clear_child_tid = args.word_to_clear();
    {
        let mut group = process.group();
        group.members.insert(task.tid(), Member::new(task.clone(), blocked));
        if group.exit.is_some() {
            // The process began to end before we were on its list.
            task.set_interrupts(Interrupts::EXIT);
        }
    }
    if ready.send(task.tid()).is_err() || may_go.recv().is_err() {
        process.group().members.remove(&task.tid());
        return;
    }
    process.gate().enter();
    ctx.store_child_tid(&args);
    body(&mut ctx);
    if !Arc::ptr_eq(ctx.process(), &process) {
        // The child of a host fork by this thread: it is the main thread of another process now.
        ctx.finish();
    }
    process.gate().leave();
}
