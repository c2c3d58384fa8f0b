//! What all threads of a guest process share: [`Process`].

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use super::children::Children;
use super::exec::HandedOver;
use super::exit::Lifetime;
use super::futex::FutexTable;
use super::limits::Limits;
use super::pool::Pool;
use super::published::Published;
use super::quiesce::Gate;
use super::rseq::VirtualCpus;
use super::signal::{Delivery, GroupExit, SigAction, SignalTarget, ThreadGroup};
use super::task::{Interrupts, Task};
use super::timers::TimerTable;
use crate::abi::{Errno, Fd, GuestAddr, Pid, SigInfo, SigSet, Signal, Tid};
use crate::elf::{LoadedImage, ProgramAreas};
use crate::fs::{Root, RootConfig};
use crate::host;
use crate::mem::{AddressSpace, GuestMemory};
use crate::preempt::{KickCause, Kicker, Preemption};
use crate::trace;
use crate::vcpu::Machine;

/// What the loader and execve(2) leave behind about the program that runs.
#[derive(Clone, Default, Debug)]
pub struct ImageInfo {
    /// The program's path as /proc/self/exe shows it.
    pub path: std::path::PathBuf,
    /// Where its parts lie, for /proc/self.
    pub areas: ProgramAreas,
    /// Its open file, where this process has it.
    pub file: Option<Arc<OwnedFd>>,
    /// Its path and command line for other processes.
    pub published: Option<Arc<File>>,
    /// Its command line, for reports and /proc/self/cmdline.
    pub args: Vec<Vec<u8>>,
    /// Where signal handlers without a restorer return to (`__kernel_rt_sigreturn` of the vDSO).
    pub sigtramp: GuestAddr,
}

/// The parent of a vfork child, which waits until the child executes a program or ends.
pub trait VforkParent: Send {
    /// Gives the parent what the child has done to the memory that both share, and lets it go on. `child` is still.
    fn release(self: Box<Self>, child: &Process);
}

impl ImageInfo {
    /// What is to be kept of a loaded program.
    #[must_use]
    pub fn of(image: LoadedImage) -> Self {
        Self {
            path: image.path,
            areas: image.areas,
            file: Some(image.file),
            published: None,
            args: image.args,
            sigtramp: image.sigtramp,
        }
    }
}

/// A guest process. One per host process.
pub struct Process {
    pid: Pid,
    machine: Arc<dyn Machine>,
    memory: GuestMemory,
    space: Arc<AddressSpace>,
    group: Mutex<ThreadGroup>,
    gate: Gate,
    lifetime: Lifetime,
    preemption: Preemption,
    futexes: FutexTable,
    timers: TimerTable,
    pool: Arc<Pool>,
    virtual_cpus: VirtualCpus,
    /// Guest descriptors that send signals when they are ready (`O_ASYNC`), by the host's number.
    async_files: Mutex<BTreeMap<i32, Fd>>,
    /// Commands of membarrier(2) that the guest has registered for.
    membarrier: AtomicI32,
    image: Mutex<ImageInfo>,
    handed_over: Mutex<Option<HandedOver>>,
    main_task: OnceLock<Arc<Task>>,
    options: Options,
    /// What absolute paths mean.
    root: Mutex<Arc<Root>>,
    children: Children,
    /// Shared with the group, which enforces one of them.
    limits: Arc<Limits>,
    /// In a vfork child: the parent that waits.
    vfork_parent: Mutex<Option<Box<dyn VforkParent>>>,
    /// There have been children.
    has_forked: AtomicBool,
}

/// What the command line says about every run of this process and of its children.
#[derive(Clone, Default, Debug)]
pub struct Options {
    /// The watchdog of one run, in nanoseconds; `None` is off.
    pub timeout_ns: Option<u64>,
    /// Which system calls are shown, and where; `None` is no trace.
    pub trace: Option<Arc<trace::Config>>,
    /// Where crash records are appended, one JSON object a line.
    pub crash_json: Option<std::path::PathBuf>,
    /// The shared statistics file.
    pub stats: Option<std::path::PathBuf>,
    /// The guest's CPU, in the back end's words; `None` is its best.
    pub cpu: Option<String>,
    /// What the guest's tree of files is made of.
    pub root: RootConfig,
    /// The release that uname(2) shows instead of the built-in one.
    pub release: Option<String>,
    /// How fork children come to be.
    pub fork_way: ForkWay,
}

/// How a fork child comes to be (`docs/design.md` §7).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum ForkWay {
    /// By a host fork where the back end survives it, otherwise as [`Spawn`](Self::Spawn).
    #[default]
    Host,
    /// As a new elfuse that the parent sends its image to.
    Spawn,
}

impl Process {
    /// A process with no thread and an empty address space, whose tree of files is `root`.
    #[must_use]
    pub fn new(
        machine: Arc<dyn Machine>,
        space: Arc<AddressSpace>,
        preemption: Preemption,
        options: Options,
        root: Arc<Root>,
    ) -> Arc<Self> {
        let limits = Arc::<Limits>::default();
        Arc::new(Self {
            pid: host::process::own_pid(),
            memory: machine.memory(),
            machine,
            space,
            group: Mutex::new(ThreadGroup::new(limits.clone())),
            gate: Gate::default(),
            lifetime: Lifetime::default(),
            preemption,
            futexes: FutexTable::default(),
            timers: TimerTable::default(),
            pool: Arc::default(),
            virtual_cpus: VirtualCpus::default(),
            async_files: Mutex::default(),
            membarrier: AtomicI32::new(0),
            image: Mutex::default(),
            handed_over: Mutex::default(),
            main_task: OnceLock::new(),
            options,
            root: Mutex::new(root),
            children: Children::default(),
            limits,
            vfork_parent: Mutex::default(),
            has_forked: AtomicBool::new(false),
        })
    }

    /// The process id, which is the host's.
    #[must_use]
    pub const fn pid(&self) -> Pid {
        self.pid
    }

    /// The machine that runs its threads.
    #[must_use]
    pub const fn machine(&self) -> &Arc<dyn Machine> {
        &self.machine
    }

    /// Access to guest memory.
    #[must_use]
    pub const fn memory(&self) -> GuestMemory {
        self.memory
    }

    /// The guest's mappings.
    #[must_use]
    pub const fn space(&self) -> &Arc<AddressSpace> {
        &self.space
    }

    /// The threads and their signal state, locked.
    pub fn group(&self) -> MutexGuard<'_, ThreadGroup> {
        self.group.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The gate that holds the world still for fork and exec.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The count of live threads.
    #[must_use]
    pub const fn lifetime(&self) -> &Lifetime {
        &self.lifetime
    }

    /// The kick thread and what belongs to it.
    #[must_use]
    pub const fn preemption(&self) -> &Preemption {
        &self.preemption
    }

    /// The way to the kick thread.
    #[must_use]
    pub const fn kicker(&self) -> &Kicker {
        self.preemption.kicker()
    }

    /// Who waits on which futex.
    #[must_use]
    pub const fn futexes(&self) -> &FutexTable {
        &self.futexes
    }

    /// Interval and POSIX timers.
    #[must_use]
    pub const fn timers(&self) -> &TimerTable {
        &self.timers
    }

    /// The threads that make calls which cannot be polled for.
    #[must_use]
    pub const fn pool(&self) -> &Arc<Pool> {
        &self.pool
    }

    /// The CPUs that rseq(2) tells of.
    #[must_use]
    pub const fn virtual_cpus(&self) -> &VirtualCpus {
        &self.virtual_cpus
    }

    /// The commands of membarrier(2) that were registered for, as a set of bits.
    #[must_use]
    pub fn membarrier_registrations(&self) -> i32 {
        self.membarrier.load(Ordering::Acquire)
    }

    /// Registers for a command of membarrier(2).
    pub fn register_membarrier(&self, command: i32) {
        self.membarrier.fetch_or(command, Ordering::AcqRel);
    }

    /// Notes which guest descriptor a host descriptor is, for the signals that tell its number.
    pub fn name_async_file(&self, host: i32, guest: Fd) {
        self.async_files.lock().unwrap_or_else(PoisonError::into_inner).insert(host, guest);
    }

    /// The guest descriptor that a signal of this host descriptor is about.
    #[must_use]
    pub fn async_file(&self, host: i32) -> Option<Fd> {
        self.async_files.lock().unwrap_or_else(PoisonError::into_inner).get(&host).copied()
    }

    /// The options of this run.
    #[must_use]
    pub const fn options(&self) -> &Options {
        &self.options
    }

    /// The guest's tree of files.
    #[must_use]
    pub fn root(&self) -> Arc<Root> {
        self.root.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same for a host fork: nobody changes it until the answer is dropped.
    pub fn hold_root(&self) -> MutexGuard<'_, Arc<Root>> {
        self.root.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes another tree the guest's: chroot(2).
    pub fn set_root(&self, root: Arc<Root>) {
        *self.root.lock().unwrap_or_else(PoisonError::into_inner) = root;
    }

    /// What is known about the program that runs.
    #[must_use]
    pub fn image(&self) -> ImageInfo {
        self.image.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The same for a host fork: nobody changes it until the answer is dropped.
    pub fn hold_image(&self) -> MutexGuard<'_, ImageInfo> {
        self.image.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the program that runs from now on, and publishes it where that has not been done.
    pub fn set_image(&self, mut image: ImageInfo) {
        if image.published.is_none() {
            let window = self.memory.base().addr().get() as u64;
            let file = Published::publish(window, &image.areas, image.path.as_os_str().as_bytes(), &image.args);
            // Where the host refuses, others see elfuse's own.
            image.published = file.ok().map(Arc::new);
        }
        *self.image.lock().unwrap_or_else(PoisonError::into_inner) = image;
    }

    /// Resource limits that the host does not keep.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The children.
    #[must_use]
    pub const fn children(&self) -> &Children {
        &self.children
    }

    /// Has every sleeper check again what it waits for.
    pub fn wake_all(&self) {
        for member in self.group().members.values() {
            member.task.waker().wake();
        }
    }

    /// True where a vfork parent waits for what this process does to the memory.
    #[must_use]
    pub fn has_vfork_parent(&self) -> bool {
        self.vfork_parent.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Keeps a vfork parent waiting until [`release_vfork_parent`](Self::release_vfork_parent).
    pub fn hold_vfork_parent(&self, parent: Box<dyn VforkParent>) {
        *self.vfork_parent.lock().unwrap_or_else(PoisonError::into_inner) = Some(parent);
    }

    /// Lets a vfork parent go on, if one waits: before execve(2) replaces the memory, and at the end of this process.
    pub fn release_vfork_parent(&self) {
        let parent = self.vfork_parent.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(parent) = parent {
            parent.release(self);
        }
    }

    /// Notes that there is a child.
    pub fn note_fork(&self) {
        self.has_forked.store(true, Ordering::Relaxed);
    }

    /// True once there has been a child.
    #[must_use]
    pub fn has_forked(&self) -> bool {
        self.has_forked.load(Ordering::Relaxed)
    }

    /// Leaves a program for the main thread to execute; false where one waits there already.
    #[must_use]
    pub fn hand_over_program(&self, program: HandedOver) -> bool {
        let mut place = self.handed_over.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = place.is_none();
        if is_free {
            *place = Some(program);
        }
        is_free
    }

    /// True while a program waits for the main thread.
    #[must_use]
    pub fn has_program(&self) -> bool {
        self.handed_over.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// The main thread's task, even where its guest thread has ended.
    #[must_use]
    pub fn main_task(&self) -> Option<Arc<Task>> {
        self.main_task.get().cloned()
    }

    /// Names the main thread's task, once.
    pub fn set_main_task(&self, task: Arc<Task>) {
        let _only_one = self.main_task.set(task);
    }

    /// Takes the program that another thread left.
    #[must_use]
    pub fn take_program(&self) -> Option<HandedOver> {
        self.handed_over.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Sends a signal to a thread of this process, or to whichever thread takes it, and interrupts that one thread.
    ///
    /// # Errors
    /// `ESRCH` when the thread is gone, `EAGAIN` when the queue of real-time signals is full.
    pub fn send_signal(&self, info: SigInfo, target: SignalTarget, cause: KickCause) -> Result<(), Errno> {
        let chosen = self.group().post(info, target)?;
        if let Some(task) = chosen {
            task.interrupt(Interrupts::SIGNAL, cause);
        }
        Ok(())
    }

    /// Sends a signal of a timer. False when it will never be taken: it is ignored, or its thread is gone.
    pub fn send_to_be_taken(&self, info: SigInfo, target: SignalTarget, cause: KickCause) -> bool {
        let posted = {
            let mut group = self.group();
            let is_dropped = group.is_dropped(info.signal(), target);
            group.post(info, target).ok().filter(|_| !is_dropped)
        };
        let is_pending = posted.is_some();
        if let Some(task) = posted.flatten() {
            task.interrupt(Interrupts::SIGNAL, cause);
        }
        is_pending
    }

    /// Takes the next pending signal of `wanted` for the thread `tid`, as a handler or a waiter shall see it.
    #[must_use]
    pub fn take_signal(&self, tid: Tid, wanted: SigSet) -> Option<SigInfo> {
        let mut info = self.group().take(tid, wanted)?;
        self.timers.taken(self, &mut info);
        Some(info)
    }

    /// What the thread `tid` has to do about its signals before it goes on.
    #[must_use]
    pub fn next_delivery(&self, tid: Tid) -> Option<Delivery> {
        let mut delivery = self.group().next_delivery(tid)?;
        if let Delivery::Handler { info, .. } = &mut delivery {
            self.timers.taken(self, info);
        }
        Some(delivery)
    }

    /// Changes a disposition; the answer is the old one.
    pub fn set_action(&self, signal: Signal, action: SigAction) -> SigAction {
        let (old, is_ignored) = {
            let mut group = self.group();
            let old = group.set_action(signal, action);
            (old, group.actions.ignores(signal))
        };
        if is_ignored {
            self.timers.ignored(self, signal);
        }
        old
    }

    /// Begins the end of the process: the first caller decides how it ends, everybody else is told to leave.
    pub fn begin_exit(&self, exit: GroupExit) {
        let others: Vec<_> = {
            let mut group = self.group();
            if group.exit.is_some() {
                return;
            }
            group.exit = Some(exit);
            group.members.values().map(|member| member.task.clone()).collect()
        };
        for task in others {
            task.interrupt(Interrupts::EXIT, KickCause::ExitGroup);
        }
        self.lifetime.begin_end();
    }
}
