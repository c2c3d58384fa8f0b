//! Host processes as the guest's: children, groups, sessions, kill(2), and the ways for this process to end.

#![expect(unsafe_code, reason = "calls whose status words nix decodes, or whose signals it cannot name")]

use nix::unistd;

use crate::abi::{Errno, Pid, Signal, Tid};

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
    checked(unsafe { libc::kill(pid.0, signal.map_or(0, Signal::number)) }).map(|_zero| ())
}

/// Whether a process, or a thread of it, exists and may be signalled.
///
/// # Errors
/// `ESRCH`, `EPERM`.
pub fn probe(pid: Pid, tid: Option<Tid>) -> Result<(), Errno> {
    let Some(tid) = tid else { return kill(pid, None) };
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the call takes no pointers.
        let result = unsafe { libc::syscall(libc::SYS_tgkill, pid.0, tid.0, 0) };
        if result < 0 { Err(std::io::Error::last_os_error().into()) } else { Ok(()) }
    }
    #[cfg(not(target_os = "linux"))]
    {
        // Threads of other processes cannot be named here.
        let _unnamed = tid;
        kill(pid, None)
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

/// wait4(2) that never sleeps; `None` when no child has changed its state.
///
/// # Errors
/// `ECHILD`, `EINVAL`.
pub fn wait_child(pid: Pid, options: i32) -> Result<Option<ChildChange>, Errno> {
    let mut status = 0;
    let mut usage = [0u64; 18];
    // SAFETY: both places are valid; the assertion above says that a rusage fits.
    let child =
        checked(unsafe { libc::wait4(pid.0, &mut status, options | libc::WNOHANG, usage.as_mut_ptr().cast()) })?;
    Ok((child != 0).then_some(ChildChange { pid: Pid(child), status, usage }))
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
        match checked(unsafe { libc::wait4(pid.0, &mut status, ALL_KINDS, std::ptr::null_mut()) }) {
            Ok(_pid) => return Ok(status),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// Children whatever signal they send at their end.
const ALL_KINDS: i32 = if cfg!(target_os = "linux") { 0x4000_0000 } else { 0 };

/// Bytes of a siginfo.
pub const SIGINFO_LEN: usize = 128;

/// The `siginfo_t` of a waited-for child and its `struct rusage`.
pub type WaitedFor = ([u8; SIGINFO_LEN], [u64; 18]);

/// waitid(2) that never sleeps: the siginfo and the rusage; `None` when no child has changed its state.
///
/// # Errors
/// `ECHILD`, `EINVAL`, `EBADF`; `ENOSYS` on a host without the system call.
pub fn wait_id(kind: i32, id: i32, options: i32) -> Result<Option<WaitedFor>, Errno> {
    #[cfg(target_os = "linux")]
    {
        let mut info = [0u8; SIGINFO_LEN];
        let mut usage = [0u64; 18];
        let (info_place, usage_place) = (info.as_mut_ptr(), usage.as_mut_ptr());
        // SAFETY: the kernel writes at most 128 bytes of siginfo and a rusage, for which there is room.
        let result =
            unsafe { libc::syscall(libc::SYS_waitid, kind, id, info_place, options | libc::WNOHANG, usage_place) };
        if result < 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        // `si_signo` stays 0 where nobody has changed.
        Ok((info[..4] != [0; 4]).then_some((info, usage)))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _unused = (kind, id, options);
        Err(Errno::ENOSYS)
    }
}

/// Ends the process at once, without destructors.
pub fn exit_now(status: i32) -> ! {
    // SAFETY: ends the process; nothing runs after it.
    unsafe { libc::_exit(status) }
}

/// Ends the process by `signal`, so that whoever waits for it sees that death.
pub fn die_by(signal: Signal) -> ! {
    let no_core = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: (1) all pointers are to valid values; (2) the default disposition of a fatal signal runs no code of ours.
    unsafe {
        // The guest's window would make an enormous core file that describes elfuse, not the guest.
        libc::setrlimit(libc::RLIMIT_CORE, &no_core);
        libc::signal(signal.number(), libc::SIG_DFL);
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal.number());
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &set, std::ptr::null_mut());
        // To this thread: a signal to the process could be taken by the kick thread.
        libc::raise(signal.number());
    }
    // Only where the host ignores the signal's default: the shell's encoding of the same news.
    exit_now(128 + signal.number())
}
