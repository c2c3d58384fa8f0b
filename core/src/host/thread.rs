//! elfuse's threads: [`spawn`], **the** function that makes every one of them, and the audit that reads their masks.
//!
//! A thread inherits its creator's signal mask, and the creator proves with [`SignalsBlocked`] that the kick set is in
//! it, so the kick set is blocked before the new thread's first instruction (`docs/design.md` §2, invariant 1). The
//! thread still reads its mask before it does anything, and ends the process where it is wrong: a claim about UNKNOWN
//! that rests on a false mask is worth nothing.

use std::fmt;
use std::io;

use super::controls::{self, Control};
use super::fault::AltStack;
use super::native_thread::{self, Handle};
use super::schedule;
use super::signal::{self, SignalsBlocked};
use crate::abi::{SigSet, Tid};

/// What a thread of elfuse is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Role {
    /// The first vCPU thread of a process.
    Bootstrap,
    /// The first vCPU thread of a fork child.
    ForkChildBootstrap,
    /// A vCPU thread of a CLONE_THREAD guest task.
    Worker,
    /// The kick thread.
    Kick,
    /// A helper that does blocking work for others: transport, calls that cannot be polled for.
    Pool,
    /// A thread that writes logs or traces.
    Log,
}

impl Role {
    /// The control that leaves this role's mask open.
    const fn mask_control(self) -> Option<Control> {
        match self {
            Self::Bootstrap => Some(Control::MaskBootstrap),
            Self::ForkChildBootstrap => Some(Control::MaskForkChild),
            Self::Worker => Some(Control::MaskWorker),
            Self::Pool => Some(Control::MaskPool),
            Self::Kick | Self::Log => None,
        }
    }

    /// True for threads that run a vCPU.
    #[must_use]
    pub const fn runs_vcpu(self) -> bool {
        matches!(self, Self::Bootstrap | Self::ForkChildBootstrap | Self::Worker)
    }

    /// True for threads between the sender of a signal and the vCPU that takes it.
    #[must_use]
    pub const fn is_prompt(self) -> bool {
        matches!(self, Self::Kick | Self::Pool)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bootstrap => "bootstrap",
            Self::ForkChildBootstrap => "fork-child",
            Self::Worker => "worker",
            Self::Kick => "kick",
            Self::Pool => "pool",
            Self::Log => "log",
        })
    }
}

/// Makes a thread. It starts with the kick set blocked, checks that, and gets a proof of its own.
///
/// `name` is what debuggers and `/proc` show; the first 15 bytes count.
///
/// # Errors
/// The host's, mostly `EAGAIN`.
pub fn spawn<T: Send + 'static>(
    role: Role,
    name: &str,
    _proof: &SignalsBlocked,
    body: impl FnOnce(SignalsBlocked) -> T + Send + 'static,
) -> io::Result<Handle<T>> {
    let name: String = name.chars().filter(|c| *c != '\0').collect();
    let thread = native_thread::start(&name, move || {
        // A thread that cannot have one runs on: only a fault of elfuse itself would be told less of. So does the kick thread,
        // which never goes deep and is made at every fork.
        let _stack = (role != Role::Kick).then(AltStack::install);
        body(adopt(role))
    });
    // pthread_create(3) opens signals 32 and 33 on this thread too.
    signal::block_library_signals()?;
    thread
}

/// Has the C library look up once what it calls to start a thread on the stack of one that has ended. That is how the first
/// thread of a forked process begins, and each such process would look it up anew: a dozen pages of tables.
///
/// [`super::fork::prepare`] calls it.
pub(super) fn rehearse(proof: &SignalsBlocked) {
    for _ in 0..2 {
        // Where the host has no room for a thread, the fork will say so.
        let _ended = spawn(Role::Pool, "elfuse-pool", proof, |_proof| ()).map(Handle::join);
    }
}

/// Checks the mask of a thread that was just made and gives it its proof. Also the way for the main thread to take its
/// role, after [`signal::block_kick_set`].
#[must_use]
pub fn adopt(role: Role) -> SignalsBlocked {
    if role.is_prompt() {
        schedule::prefer_promptness();
    }
    if let Some(is_open) = open_by_control(role) {
        // Other roles are not to inherit what the control opens on one.
        let blocked = signal::block_kick_set();
        if is_open {
            signal::open_for_control();
        }
        return blocked.unwrap_or_else(|_| SignalsBlocked::assume());
    }
    // What the C library has opened is closed again, once what was inherited has been found right.
    match signal::verify_kick_set().and_then(|_inherited| signal::block_kick_set()) {
        Ok(proof) => proof,
        Err(error) => {
            super::tell(format_args!("elfuse: a {role} thread started with a wrong signal mask: {error}"));
            std::process::abort();
        }
    }
}

/// Where a control opens masks: whether this role's is open.
fn open_by_control(role: Role) -> Option<bool> {
    if controls::active(Control::KickFromHandler) {
        return Some(role.runs_vcpu());
    }
    let missed = [Control::MaskBootstrap, Control::MaskForkChild, Control::MaskWorker, Control::MaskPool];
    let chosen = missed.into_iter().find(|control| controls::active(*control))?;
    Some(role.mask_control() == Some(chosen))
}

/// Gives the calling thread a working directory and a umask of its own, which begin as the process's.
///
/// # Errors
/// The host's; `ENOSYS` where threads cannot have them.
pub fn separate_directories() -> io::Result<()> {
    imp::separate_directories()
}

/// The calling thread's id.
#[must_use]
pub fn gettid() -> Tid {
    imp::gettid()
}

/// A thread of this process as an audit sees it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TaskMask {
    /// Its id.
    pub tid: Tid,
    /// Its name, at most 15 bytes.
    pub name: String,
    /// The signals it blocks (`SigBlk`).
    pub blocked: SigSet,
    /// The signals that wait for it alone (`SigPnd`).
    pub pending: SigSet,
    /// The process is stopped, by a signal that one of its threads has open for that time.
    pub is_stopped: bool,
    /// How many times it has given its processor up or lost it: a thread for which this stands still does not run.
    pub switches: u64,
}

impl TaskMask {
    /// Signals of the kick set that are open and should not be. One by which the thread has stopped its process may be
    /// ([`signal::stop_process`]).
    #[must_use]
    pub fn wrongly_open(&self) -> SigSet {
        let open = signal::kick_set().difference(self.blocked);
        if self.is_stopped { open.difference(SigSet::STOPS) } else { open }
    }

    /// True when the thread blocks the whole kick set. That holds at every moment of its life.
    #[must_use]
    pub fn keeps_the_invariant(&self) -> bool {
        self.wrongly_open().is_empty()
    }

    /// True when the thread blocks a fault signal. pthread_create(3) does so for a moment, in both threads.
    #[must_use]
    pub fn blocks_faults(&self) -> bool {
        !self.blocked.intersection(signal::FAULT_SIGNALS).is_empty()
    }
}

/// All threads of this process with their masks, for audits and crash reports. Threads that end meanwhile are left out.
///
/// # Errors
/// The host's, where it keeps no such list.
pub fn own_tasks() -> io::Result<Vec<TaskMask>> {
    imp::tasks_of("self")
}

/// All threads of another process.
///
/// # Errors
/// The host's: `ENOENT` for a process that is gone, `EACCES`.
pub fn tasks_of(pid: crate::abi::Pid) -> io::Result<Vec<TaskMask>> {
    imp::tasks_of(&pid.to_string())
}

/// The threads of another process, to be looked at again and again: [`TaskWatch::read`].
///
/// Each file of `/proc` is opened once and kept. Opened anew every time, the entries of a process that is just ending come
/// and go while its parent takes it away, and Linux then walks them over and over (`shrink_dcache_parent`), seconds long on
/// a busy machine.
#[derive(Debug)]
pub struct TaskWatch(imp::TaskWatch);

impl TaskWatch {
    /// Begins to watch a process.
    ///
    /// # Errors
    /// The host's: `ENOENT` for a process that is gone, `EACCES`.
    pub fn open(pid: crate::abi::Pid) -> io::Result<Self> {
        imp::TaskWatch::open(pid).map(Self)
    }

    /// All threads that live now.
    ///
    /// # Errors
    /// The host's: `ENOENT` for a process that is gone.
    pub fn read(&mut self) -> io::Result<Vec<TaskMask>> {
        self.0.read()
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::collections::BTreeMap;
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;

    use super::TaskMask;
    use crate::abi::{SigSet, Tid};

    /// More than a status has.
    const STATUS_MAX: usize = 4096;

    #[derive(Debug)]
    pub(super) struct TaskWatch {
        directory: nix::dir::Dir,
        statuses: BTreeMap<i32, File>,
    }

    impl TaskWatch {
        pub(super) fn open(pid: crate::abi::Pid) -> io::Result<Self> {
            let directory = File::open(format!("/proc/{pid}/task"))?;
            Ok(Self { directory: nix::dir::Dir::from_fd(directory.into())?, statuses: BTreeMap::new() })
        }

        pub(super) fn read(&mut self) -> io::Result<Vec<TaskMask>> {
            let tids: Vec<i32> = self
                .directory
                .iter()
                .map(|entry| Ok(entry?.file_name().to_str().ok().and_then(|name| name.parse().ok())))
                .filter_map(|tid: io::Result<Option<i32>>| tid.transpose())
                .collect::<io::Result<_>>()?;
            self.statuses.retain(|tid, _| tids.contains(tid));
            let mut tasks = Vec::new();
            for tid in tids {
                if let Some(task) = self.status(tid).ok().and_then(|status| parse(Tid(tid), &status)) {
                    tasks.push(task);
                }
            }
            tasks.sort_by_key(|task| task.tid);
            Ok(tasks)
        }

        fn status(&mut self, tid: i32) -> io::Result<String> {
            let file = match self.statuses.entry(tid) {
                std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::btree_map::Entry::Vacant(new) => {
                    let fd = nix::fcntl::openat(
                        &self.directory,
                        format!("{tid}/status").as_str(),
                        nix::fcntl::OFlag::O_RDONLY | nix::fcntl::OFlag::O_CLOEXEC,
                        nix::sys::stat::Mode::empty(),
                    )?;
                    new.insert(File::from(fd))
                }
            };
            let mut status = vec![0; STATUS_MAX];
            let length = file.read_at(&mut status, 0)?;
            status.truncate(length);
            String::from_utf8(status).map_err(io::Error::other)
        }
    }

    pub(super) fn gettid() -> Tid {
        Tid(nix::unistd::gettid().as_raw())
    }

    pub(super) fn separate_directories() -> io::Result<()> {
        Ok(nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS)?)
    }

    pub(super) fn tasks_of(process: &str) -> io::Result<Vec<TaskMask>> {
        let mut tasks = Vec::new();
        for entry in std::fs::read_dir(format!("/proc/{process}/task"))? {
            let entry = entry?;
            let status = std::fs::read_to_string(entry.path().join("status"));
            let tid = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if let (Ok(status), Some(tid)) = (status, tid)
                && let Some(task) = parse(Tid(tid), &status)
            {
                tasks.push(task);
            }
        }
        tasks.sort_by_key(|task| task.tid);
        Ok(tasks)
    }

    /// Reads `Name`, `SigPnd` and `SigBlk` of a `/proc/PID/task/TID/status`.
    ///
    /// A task that has ended and is just being released has no signal state any more, and Linux shows zeros in its place,
    /// which would read as an open mask. The same zeros stand in `Threads`, which no living task has (proc_pid_status(5)).
    pub(super) fn parse(tid: Tid, status: &str) -> Option<TaskMask> {
        let field =
            |name: &str| status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim));
        let set = |name| field(name).and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(SigSet);
        let name = field("Name")?.to_owned();
        if field("Threads") == Some("0") {
            return None;
        }
        let is_stopped = field("State").is_some_and(|state| state.starts_with('T'));
        let count = |name| field(name).and_then(|digits| digits.parse::<u64>().ok()).unwrap_or(0);
        let switches = count("voluntary_ctxt_switches") + count("nonvoluntary_ctxt_switches");
        Some(TaskMask { tid, name, blocked: set("SigBlk")?, pending: set("SigPnd")?, is_stopped, switches })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_status_is_read_and_a_short_one_is_not() {
            let status = "Name:\tkick\nSigPnd:\t0000000000000800\nShdPnd:\t0\nSigBlk:\t0000000000002000\n";
            let task = parse(Tid(7), status).unwrap();
            assert_eq!((task.name.as_str(), task.blocked, task.pending), ("kick", SigSet(0x2000), SigSet(0x800)));
            assert_eq!(parse(Tid(7), "Name:\tkick\nSigBlk:\tzz\n"), None);
        }

        #[test]
        fn a_task_being_released_is_left_out() {
            let status = |threads| format!("Name:\tkick\nThreads:\t{threads}\nSigPnd:\t0\nSigBlk:\t0\n");
            assert_eq!(parse(Tid(7), &status(0)), None);
            assert_eq!(parse(Tid(7), &status(1)).map(|task| task.blocked), Some(SigSet(0)));
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;

    use super::TaskMask;
    use crate::abi::Tid;

    pub(super) fn gettid() -> Tid {
        use std::cell::Cell;
        use std::sync::atomic::{AtomicI32, Ordering};
        static NEXT: AtomicI32 = AtomicI32::new(1);
        thread_local! { static OWN: Cell<i32> = const { Cell::new(0) }; }
        if OWN.get() == 0 {
            OWN.set(NEXT.fetch_add(1, Ordering::Relaxed));
        }
        Tid(OWN.get())
    }

    pub(super) fn separate_directories() -> io::Result<()> {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }

    pub(super) fn tasks_of(_process: &str) -> io::Result<Vec<TaskMask>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Never made: masks of other processes cannot be read here.
    #[derive(Debug)]
    pub(super) enum TaskWatch {}

    impl TaskWatch {
        pub(super) fn open(_pid: crate::abi::Pid) -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(super) fn read(&mut self) -> io::Result<Vec<TaskMask>> {
            match *self {}
        }
    }
}
