//! Guest signals between elfuse processes: the transport file `elfuse-sig-<pid>` and the doorbell SIGUSR2.
//!
//! A sender appends whole [`Record`]s to the receiver's file and rings its doorbell; the receiver's kick thread hears it
//! and has a pool thread drain the file. Key types: [`SenderHandle`] (open receiver, for one send or for storms),
//! [`Receiver`] (own file), [`Record`]. `docs/design.md` §6.
//!
//! **Rules of the file.** It lies in `/tmp`, or in `/dev/shm` where that is in memory and `/tmp` is not
//! ([`short_lived`](crate::host::short_lived)). Its owner makes it (O_EXCL, O_NOFOLLOW, mode 0600) with a [header](record)
//! that says which process it is; senders open it without O_CREAT and check type, owner, links and header. Appending and draining
//! happen under flock(2), waited for a bounded time. Draining truncates and never unlinks, so that no append is lost.
//! The owner closes the file in its header, under the lock, before it ends or executes a host program; a sender appends
//! *and rings* under the lock, so that no doorbell comes after that. A process that changes its real user gives it to the new
//! one, whose processes may signal it; where the user that the process has become may not remove it, the kick thread does,
//! which is still who made it.
//!
//! **Limit.** SIGUSR2 does not queue: one without the cookie that arrives while a doorbell is pending merges with it, and
//! the guest does not see it. The kick thread takes doorbells within microseconds, and records never depend on how many
//! of them arrive.
//!
//! ```no_run
//! use elfuse::abi::{Pid, SigInfo, Signal};
//! use elfuse::preempt::transport::{Directory, RecordKind, SenderHandle};
//! let directory = Directory::from_environment();
//! let target = SenderHandle::open(&directory, Pid(1234))?;
//! target.send_signal(None, &SigInfo::queued(Signal::SIGUSR1, Pid(77), 1000, 5))?; // record + doorbell
//! target.send_null()?; // a record without meaning + doorbell
//! target.ring()?; // doorbell only
//! # Ok::<(), elfuse::preempt::transport::SendError>(())
//! ```

mod file;
mod receiver;
pub mod record;
mod sender;

pub use receiver::{Drained, OpenWarning, Receiver};
pub use record::{Record, RecordKind};
pub use sender::{Delivery, SendError, SenderHandle, is_elfuse, ring_thread};

use std::path::{Path, PathBuf};

use crate::abi::{Pid, SiCode, SigInfo, Signal};
use crate::host::{process, short_lived};

/// The environment variable that names another directory, for tests and for hosts where none is shared.
pub const DIRECTORY_VARIABLE: &str = "ELFUSE_SIGNAL_DIR";

/// What the name of a transport file begins with; the process id follows.
const FILE_PREFIX: &str = "elfuse-sig-";

/// Where transport files lie.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Directory {
    path: PathBuf,
}

impl Directory {
    /// What `ELFUSE_SIGNAL_DIR` says, or the host's ([`of_host`](Self::of_host)).
    #[must_use]
    pub fn from_environment() -> Self {
        std::env::var_os(DIRECTORY_VARIABLE).map_or_else(Self::of_host, |path| Self { path: PathBuf::from(path) })
    }

    /// Where transport files lie if the environment does not say so: `/tmp` or `/dev/shm`.
    #[must_use]
    pub fn of_host() -> Self {
        Self::at(short_lived::directory())
    }

    /// This directory.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The transport file of a process.
    #[must_use]
    pub fn file_of(&self, pid: Pid) -> PathBuf {
        self.path.join([FILE_PREFIX, &pid.0.to_string()].concat())
    }

    /// Removes the transport file of a process that has ended, if it is a regular file of this user (root removes those of
    /// others too) and not that of a later process of the same id. For whoever reaps a process, or notices that it is gone.
    pub fn remove_file_of(&self, pid: Pid) {
        self.remove_stale(&self.file_of(pid));
    }

    /// Removes what processes have left here that were killed and that nobody reaped who knew of the file. For start-up.
    pub fn sweep(&self) {
        let Ok(entries) = std::fs::read_dir(&self.path) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_str().is_some_and(|name| name.starts_with(FILE_PREFIX)) {
                self.remove_stale(&entry.path());
            }
        }
    }

    /// Removes a transport file whose process is gone. One of another pid namespace may be alive, as far as this one can tell.
    fn remove_stale(&self, path: &Path) {
        let is_removable = path.symlink_metadata().is_ok_and(|metadata| file::is_removable(&metadata));
        let Some(receiver) = is_removable.then(|| record::receiver_of(path)).flatten() else { return };
        let is_here = receiver.pid_namespace == process::own_identity().pid_namespace;
        if is_here && self.file_of(receiver.pid) == path && !process::is_running(receiver) {
            // Nothing to do where somebody else was faster.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The `si_value` of a doorbell: the ASCII text `elfuseDB`.
pub const DOORBELL_COOKIE: u64 = u64::from_be_bytes(*b"elfuseDB");
/// The `si_value` of a doorbell that is directed at one thread: the ASCII text `elfuseDT`.
pub const THREAD_DOORBELL_COOKIE: u64 = u64::from_be_bytes(*b"elfuseDT");

/// A SIGUSR2 that carries one of our cookies; any other one is a guest's signal from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doorbell {
    /// For the process: all vCPUs leave their runs, and the transport file is drained.
    Process,
    /// For one thread, in audits: it is drained there, and must not run a handler.
    Thread,
}

impl Doorbell {
    /// Which doorbell `info` is, if it is one.
    #[must_use]
    pub fn of(info: &SigInfo) -> Option<Self> {
        if info.signal() != Signal::SIGUSR2 || info.code() != SiCode::SI_QUEUE {
            return None;
        }
        match info.value() {
            DOORBELL_COOKIE => Some(Self::Process),
            THREAD_DOORBELL_COOKIE => Some(Self::Thread),
            _other_value => None,
        }
    }

    /// True for a SIGUSR2 of which nothing is known: the host had no memory for its siginfo, or it came from a process that
    /// has no id here.
    #[must_use]
    pub fn has_lost_its_info(info: &SigInfo) -> bool {
        info.signal() == Signal::SIGUSR2 && info.code() == SiCode::SI_USER && info.pid().0 == 0 && info.uid() == 0
    }

    /// This doorbell from the calling process.
    #[must_use]
    pub fn info(self) -> SigInfo {
        let cookie = match self {
            Self::Process => DOORBELL_COOKIE,
            Self::Thread => THREAD_DOORBELL_COOKIE,
        };
        SigInfo::queued(Signal::SIGUSR2, process::own_pid(), nix::unistd::getuid().as_raw(), cookie)
    }
}
