//! Host processes as the guest's: children, groups, sessions, kill(2), and the ways for this process to end. Options, wait
//! statuses and signals are Linux's.

#![expect(unsafe_code, reason = "calls whose status words nix decodes, or whose signals it cannot name")]

use nix::unistd;

use crate::abi::{Errno, Pid, SiCode, SigInfo, Signal, Tid};

fn checked(result: i32) -> Result<i32, Errno> {
    if result < 0 { Err(std::io::Error::last_os_error().into()) } else { Ok(result) }
}

fn native(pid: Pid) -> unistd::Pid {
    unistd::Pid::from_raw(pid.0)
}

/// kill(2); `None` only asks whether the process exists.
///
/// # Errors
/// `ESRCH`, `EPERM`.
pub fn kill(pid: Pid, signal: Option<Signal>) -> Result<(), Errno> {
    // SAFETY: the call takes no pointers.
    checked(unsafe { libc::kill(pid.0, signal.map_or(Ok(0), imp::number)?) }).map(|_zero| ())
}

/// Whether [`adopt_orphans`] can do it on this host.
pub const ADOPTS_ORPHANS: bool = cfg!(target_os = "linux");

/// Makes this process the parent of all orphans below it; `false` where the host cannot.
///
/// # Errors
/// The host's.
pub fn adopt_orphans() -> Result<bool, Errno> {
    imp::adopt_orphans()
}

/// Whether a process, or a thread of it, exists and may be signalled.
///
/// # Errors
/// `ESRCH`, `EPERM`.
pub fn probe(pid: Pid, tid: Option<Tid>) -> Result<(), Errno> {
    match tid {
        Some(tid) => imp::probe_thread(pid, tid),
        None => kill(pid, None),
    }
}

/// The real user id.
#[must_use]
pub fn own_uid() -> u32 {
    unistd::getuid().as_raw()
}

/// getppid(2).
#[must_use]
pub fn parent_pid() -> Pid {
    Pid(unistd::getppid().as_raw())
}

/// setpgid(2).
///
/// # Errors
/// The host's.
pub fn set_group(pid: Pid, group: Pid) -> Result<(), Errno> {
    unistd::setpgid(native(pid), native(group)).map_err(Errno::from)
}

/// getpgid(2).
///
/// # Errors
/// The host's.
pub fn group_of(pid: Pid) -> Result<Pid, Errno> {
    Ok(Pid(unistd::getpgid(Some(native(pid)))?.as_raw()))
}

/// getsid(2).
///
/// # Errors
/// The host's.
pub fn session_of(pid: Pid) -> Result<Pid, Errno> {
    Ok(Pid(unistd::getsid(Some(native(pid)))?.as_raw()))
}

/// setsid(2).
///
/// # Errors
/// The host's.
pub fn new_session() -> Result<Pid, Errno> {
    Ok(Pid(unistd::setsid()?.as_raw()))
}

/// Which children are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// All.
    Any,
    /// The one with this id.
    One(Pid),
    /// Those in this process group; 0 is the caller's own.
    Group(Pid),
    /// The one that this descriptor of a process names.
    Handle(i32),
}

impl Whose {
    /// As waitpid(2) and wait4(2) name them.
    ///
    /// # Errors
    /// `ESRCH` for a group that no number names.
    pub fn of_wait4(pid: Pid) -> Result<Self, Errno> {
        match pid.0 {
            -1 => Ok(Self::Any),
            0 => Ok(Self::Group(Pid(0))),
            positive if positive > 0 => Ok(Self::One(pid)),
            negative => negative.checked_neg().map(|group| Self::Group(Pid(group))).ok_or(Errno::ESRCH),
        }
    }

    fn to_wait4(self) -> Result<i32, Errno> {
        match self {
            Self::Any => Ok(-1),
            Self::One(pid) => Ok(pid.0),
            Self::Group(group) => Ok(-group.0),
            Self::Handle(_) => Err(Errno::EINVAL),
        }
    }
}

/// True for a process that is one of those meant, as far as its id tells.
#[must_use]
pub fn is_in(pid: Pid, whose: Whose) -> bool {
    match whose {
        Whose::Any => true,
        Whose::One(one) => one == pid,
        Whose::Group(group) => group_of(pid).is_ok_and(|own| Ok(own) == group_of(group).or(Ok::<_, Errno>(group))),
        Whose::Handle(_) => false,
    }
}

/// A child that changed its state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChildChange {
    /// The child.
    pub pid: Pid,
    /// The wait status, as wait(2) encodes it.
    pub status: i32,
    /// `struct rusage` as 18 words; the same on every 64-bit Linux.
    pub usage: [u64; 18],
}

const _: () = assert!(cfg!(target_os = "macos") || size_of::<libc::rusage>() == 18 * 8);

impl ChildChange {
    /// True where the child has ended, and is gone.
    #[must_use]
    pub const fn is_end(&self) -> bool {
        const CONTINUED: i32 = 0xffff;
        const STOPPED: i32 = 0x7f;
        self.status != CONTINUED && self.status & 0xff != STOPPED
    }

    /// What SIGCHLD says of a child that has ended. Its user is taken to be this process's.
    #[must_use]
    pub fn end_info(&self) -> SigInfo {
        const CORE: i32 = 0x80;
        let signal = self.status & 0x7f;
        let (code, status) = if signal == 0 {
            (SiCode::CLD_EXITED, self.status >> 8 & 0xff)
        } else if self.status & CORE != 0 {
            (SiCode::CLD_DUMPED, signal)
        } else {
            (SiCode::CLD_KILLED, signal)
        };
        SigInfo::child(code, self.pid, own_uid(), status)
    }
}

/// wait4(2) that never sleeps; `None` when no child has changed its state.
///
/// # Errors
/// `ECHILD`, `EINVAL`.
pub fn wait_child(whose: Whose, options: i32) -> Result<Option<ChildChange>, Errno> {
    let pid = whose.to_wait4()?;
    let mut status = 0;
    let mut usage = [0u64; 18];
    // SAFETY: both places are valid; the assertion above says that a rusage fits.
    let child = checked(unsafe {
        libc::wait4(pid, &mut status, imp::wait_options(options) | libc::WNOHANG, usage.as_mut_ptr().cast())
    })?;
    Ok((child != 0).then(|| ChildChange { pid: Pid(child), status: imp::status(status), usage: imp::usage(usage) }))
}

/// Waits for the end of a child of this process and takes it away; the answer is its wait status. For a child that ends
/// at once, since nothing ends this wait.
///
/// # Errors
/// `ECHILD`.
pub fn reap(pid: Pid) -> Result<i32, Errno> {
    let mut status = 0;
    loop {
        // SAFETY: the place is valid, and no usage is asked for.
        match checked(unsafe { libc::wait4(pid.0, &mut status, imp::wait_options(ALL_KINDS), std::ptr::null_mut()) }) {
            Ok(_pid) => return Ok(imp::status(status)),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Children whatever signal they send at their end.
const ALL_KINDS: i32 = 0x4000_0000;
/// Those that have ended.
const WEXITED: i32 = 4;
/// Leaves them there.
const WNOWAIT: i32 = 0x0100_0000;

/// Bytes of a siginfo.
pub const SIGINFO_LEN: usize = 128;

/// The `siginfo_t` of a waited-for child and its `struct rusage`.
pub type WaitedFor = ([u8; SIGINFO_LEN], [u64; 18]);

/// waitid(2) that never sleeps: the siginfo and the rusage; `None` when no child has changed its state.
///
/// # Errors
/// `ECHILD`, `EINVAL`, `EBADF`.
pub fn wait_id(whose: Whose, options: i32) -> Result<Option<WaitedFor>, Errno> {
    imp::wait_id(whose, options)
}

/// Looks for a child that has ended and leaves it there: its id.
///
/// # Errors
/// As [`wait_id`].
pub fn peek(whose: Whose) -> Result<Option<Pid>, Errno> {
    Ok(peek_info(whose)?.map(|info| SigInfo::from_bytes(Signal::SIGCHLD, info).pid()))
}

/// The same: its siginfo.
///
/// # Errors
/// As [`wait_id`].
pub fn peek_info(whose: Whose) -> Result<Option<[u8; SIGINFO_LEN]>, Errno> {
    Ok(wait_id(whose, WEXITED | WNOWAIT | ALL_KINDS)?.map(|(info, _usage)| info))
}

/// Ends the process at once, without destructors.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: ends the process; nothing runs after it.
    unsafe { libc::_exit(status) }
}

/// Ends the process by `signal`, so that whoever waits for it sees that death.
pub fn die_by(signal: Signal) -> ! {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // The guest's window would make an enormous core file that describes elfuse, not the guest.
    // SAFETY: the pointer is to a valid value.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const no_core) };
    // To this thread: a signal to the process could be taken by the kick thread.
    super::signal::raise_by_default(signal);
    // Only where the host ignores the signal's default: the shell's encoding of the same news.
    exit_now(128 + signal.number())
}

#[cfg(target_os = "linux")]
#[path = "linux/children.rs"]
mod imp;
#[cfg(target_os = "macos")]
#[path = "macos/children.rs"]
mod imp;

/// `struct rusage` of the host as 18 words of Linux's.
#[cfg(target_os = "macos")]
pub(super) fn usage(words: [u64; 18]) -> [u64; 18] {
    imp::usage(words)
}
