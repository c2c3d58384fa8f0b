//! A guest thread: [`Task`] as other threads see it, [`TaskContext`] as its own thread uses it.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::blocking::Waker;
use super::clone::{CloneArgs, CloneFlags};
use super::fd_table::FdTable;
use super::futex::Ticket;
use super::pool::CredentialLabel;
use super::recent::RecentCalls;
use super::rseq::Rseq;
use super::signal::{AltStack, FaultRecord};
use super::{Process, Restart, SyscallError};
use crate::abi::{GuestAddr, Tid};
use crate::host::SignalsBlocked;
use crate::preempt::{Enlisted, KickCause};
use crate::vcpu::{Exception, Vcpu, VcpuId};

bitflags::bitflags! {
    /// Why a task must leave guest code or a wait. Set by anyone, looked at by the owner before it enters the guest.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct Interrupts: u32 {
        /// A signal may be deliverable.
        const SIGNAL = 1;
        /// The task must end: exit_group, a fatal signal, or execve by another thread.
        const EXIT = 2;
        /// Another thread wants the world to stand still.
        const QUIESCE = 4;
    }
}

/// A guest thread as the rest of its process sees it.
pub struct Task {
    tid: Tid,
    process: Arc<Process>,
    vcpu: OnceLock<VcpuId>,
    interrupts: AtomicU32,
    waker: Waker,
    ticket: Ticket,
    recent: RecentCalls,
    traced: Mutex<TracedCall>,
    credentials: AtomicU64,
}

/// Where the call stands that the trace shows.
#[derive(Default)]
enum TracedCall {
    /// There is none, or its end alone is shown.
    #[default]
    None,
    /// Its line, should it sleep.
    Awake(String),
    /// The line has been written.
    Shown,
}

impl Task {
    /// A thread with this id; its vCPU is named later, by its own thread.
    #[must_use]
    pub fn new(process: Arc<Process>, tid: Tid) -> Arc<Self> {
        Arc::new(Self {
            tid,
            process,
            vcpu: OnceLock::new(),
            interrupts: AtomicU32::new(0),
            waker: Waker::default(),
            ticket: Ticket::default(),
            recent: RecentCalls::default(),
            traced: Mutex::default(),
            credentials: AtomicU64::new(CredentialLabel::default().0),
        })
    }

    /// The thread id, which is the host's.
    #[must_use]
    pub const fn tid(&self) -> Tid {
        self.tid
    }

    /// The process it belongs to.
    #[must_use]
    pub const fn process(&self) -> &Arc<Process> {
        &self.process
    }

    /// True for the thread that the process began with.
    #[must_use]
    pub fn is_main(&self) -> bool {
        self.tid.0 == self.process.pid().0
    }

    /// What ends this task's sleeps.
    #[must_use]
    pub const fn waker(&self) -> &Waker {
        &self.waker
    }

    /// What says that its wait on a futex is over.
    #[must_use]
    pub const fn ticket(&self) -> &Ticket {
        &self.ticket
    }

    /// Which threads have the same users, groups and capabilities.
    #[must_use]
    pub fn credentials(&self) -> CredentialLabel {
        CredentialLabel(self.credentials.load(Ordering::Relaxed))
    }

    /// Labels its users, groups and capabilities: as its maker's, or anew.
    pub fn set_credentials(&self, label: CredentialLabel) {
        self.credentials.store(label.0, Ordering::Relaxed);
    }

    /// Its last system calls.
    #[must_use]
    pub const fn recent(&self) -> &RecentCalls {
        &self.recent
    }

    fn traced(&self) -> MutexGuard<'_, TracedCall> {
        self.traced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a call that the trace shows; `line` is to be written before it sleeps.
    pub fn open_call(&self, line: Option<String>) {
        *self.traced() = line.map_or(TracedCall::None, TracedCall::Awake);
    }

    /// Ends it; true where its line has been written.
    pub fn close_call(&self) -> bool {
        matches!(std::mem::take(&mut *self.traced()), TracedCall::Shown)
    }

    /// True where a traced call has not been shown to sleep.
    #[must_use]
    pub fn has_unshown_call(&self) -> bool {
        self.process.options().trace.is_some() && matches!(*self.traced(), TracedCall::Awake(_))
    }

    /// Shows a traced call that is about to sleep, once.
    pub fn show_call(&self) {
        let Some(trace) = &self.process.options().trace else { return };
        let mut traced = self.traced();
        let TracedCall::Awake(line) = &mut *traced else { return };
        let line = std::mem::take(line);
        *traced = TracedCall::Shown;
        drop(traced);
        trace.put(&line);
    }

    /// Names the vCPU that runs this task.
    pub fn set_vcpu(&self, id: VcpuId) {
        // A task has one vCPU for life; a second call would be a bug here, and the first id stays right.
        let _already_set = self.vcpu.set(id);
    }

    /// The vCPU that runs this task, once it has one.
    #[must_use]
    pub fn vcpu(&self) -> Option<VcpuId> {
        self.vcpu.get().copied()
    }

    /// The interrupts that are set.
    #[must_use]
    pub fn interrupts(&self) -> Interrupts {
        Interrupts::from_bits_retain(self.interrupts.load(Ordering::SeqCst))
    }

    /// Clears interrupts before they are handled, so that one that arrives meanwhile is not lost.
    pub fn clear_interrupts(&self, interrupts: Interrupts) {
        self.interrupts.fetch_and(!interrupts.bits(), Ordering::SeqCst);
    }

    /// Sets interrupts without waking anybody: for the owner itself.
    pub fn set_interrupts(&self, interrupts: Interrupts) {
        self.interrupts.fetch_or(interrupts.bits(), Ordering::SeqCst);
    }

    /// Interrupts this task wherever it is: in guest code, in a sleep, or between the two.
    pub fn interrupt(&self, interrupts: Interrupts, cause: KickCause) {
        self.set_interrupts(interrupts);
        self.waker.wake();
        if !self.is_current()
            && let Some(id) = self.vcpu()
        {
            self.process.kicker().request(id, cause);
        }
    }

    /// True on the task's own thread.
    #[must_use]
    pub fn is_current(&self) -> bool {
        crate::host::thread::gettid() == self.tid
    }

    /// True when a wait of this task must end now.
    #[must_use]
    pub fn must_stop_waiting(&self) -> bool {
        let interrupts = self.interrupts();
        if interrupts.contains(Interrupts::EXIT) {
            return true;
        }
        if !interrupts.contains(Interrupts::SIGNAL) {
            return false;
        }
        // The signal may be gone: another thread took it, or it is ignored by now.
        self.clear_interrupts(Interrupts::SIGNAL);
        let is_deliverable = self.process.group().has_deliverable(self.tid);
        if is_deliverable {
            self.set_interrupts(Interrupts::SIGNAL);
        }
        is_deliverable
    }
}

/// A continuation for restart_syscall(2): what goes on with the deadline that the interrupted call had.
pub type RestartBlock = Box<dyn FnMut(&mut TaskContext) -> Result<u64, SyscallError>>;

/// A guest thread as its own thread uses it. Not shared.
pub struct TaskContext {
    /// The shared side.
    pub task: Arc<Task>,
    /// The vCPU's counters, watchdog and place in the registry. Stands before the vCPU, to be dropped before it.
    pub enlisted: Enlisted,
    /// The vCPU.
    pub vcpu: Box<dyn Vcpu>,
    /// The descriptor table, shared or not with other threads (`CLONE_FILES`).
    pub files: Arc<FdTable>,
    /// sigaltstack(2).
    pub alt_stack: Option<AltStack>,
    /// set_tid_address(2): zeroed and woken when the thread ends; null for none.
    pub clear_child_tid: GuestAddr,
    /// set_robust_list(2): the head of the list; null for none.
    pub robust_list: GuestAddr,
    /// rseq(2).
    pub rseq: Option<Rseq>,
    /// What restart_syscall(2) goes on with.
    pub restart_block: Option<RestartBlock>,
    /// The last synchronous fault, for the signal frames.
    pub fault: FaultRecord,
    /// The last exception of this thread's guest code, for crash reports.
    pub last_exception: Option<Exception>,
    /// The call that a signal interrupted, until it is decided what becomes of it.
    pub restart: Option<PendingRestart>,
    /// That the kick set is blocked on this thread.
    pub proof: SignalsBlocked,
    /// The run loop, for the threads that this one makes.
    pub run_thread: super::clone::Body,
}

/// An interrupted call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PendingRestart {
    /// How it may go on.
    pub kind: Restart,
    /// x0 as it was when the call was made.
    pub x0: u64,
}

impl TaskContext {
    /// A thread that has run nothing yet.
    #[must_use]
    pub fn new(
        task: Arc<Task>,
        vcpu: Box<dyn Vcpu>,
        files: Arc<FdTable>,
        enlisted: Enlisted,
        proof: SignalsBlocked,
        run_thread: super::clone::Body,
    ) -> Self {
        Self {
            task,
            vcpu,
            files,
            alt_stack: None,
            clear_child_tid: GuestAddr::NULL,
            robust_list: GuestAddr::NULL,
            rseq: None,
            restart_block: None,
            fault: FaultRecord::NONE,
            last_exception: None,
            restart: None,
            enlisted,
            proof,
            run_thread,
        }
    }

    /// What a forked thread does not have of its parent's.
    pub fn begin_as_child(&mut self, proof: SignalsBlocked, args: &CloneArgs) {
        self.proof = proof;
        self.clear_child_tid = args.word_to_clear();
        self.robust_list = GuestAddr::NULL;
        if args.flags.contains(CloneFlags::VM) {
            // The area is its maker's.
            self.rseq = None;
        }
        if let Some(rseq) = &mut self.rseq {
            // The virtual CPUs of the child are its own.
            rseq.cpu = None;
        }
        if args.flags.intersection(CloneFlags::VM | CloneFlags::VFORK) == CloneFlags::VM {
            self.alt_stack = None;
        }
        self.restart_block = None;
        self.restart = None;
    }

    /// `CLONE_CHILD_SETTID`, by the child.
    pub fn store_child_tid(&self, args: &CloneArgs) {
        if args.flags.contains(CloneFlags::CHILD_SETTID) {
            // A bad pointer is the guest's affair: Linux ignores it too.
            let _ignored = self.memory().write(args.child_tid, &self.task.tid().0);
        }
    }

    /// The process.
    #[must_use]
    pub fn process(&self) -> &Arc<Process> {
        self.task.process()
    }

    /// Guest memory.
    #[must_use]
    pub fn memory(&self) -> crate::mem::GuestMemory {
        self.task.process().memory()
    }
}
