//! Starting processes: [`Command`], by posix_spawn(3) with a process group, signal mask and dispositions of their own.
//!
//! The harness blocks SIGINT and SIGTERM on all of its threads (`stop.rs`) and, like every Rust program, ignores SIGPIPE;
//! neither may reach what it starts. Output goes to memory files, so that nobody has to read while a run lasts.

use elfuse::abi::Pid;
use elfuse::host::sys::{MFD_CLOEXEC, memfd_create};
use nix::fcntl::OFlag;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawn};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::Mode;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// A process to be started.
#[derive(Debug)]
pub struct Command {
    program: PathBuf,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
}

/// A started process: the leader of a process group of its own, not reaped yet.
#[derive(Debug)]
pub struct Started {
    /// Its id, which is also its process group's.
    pub pid: Pid,
    /// Its standard output, a memory file.
    pub stdout: File,
    /// Its standard error, a memory file.
    pub stderr: File,
}

impl Command {
    /// `program` without arguments, in the harness's own environment without the variables that `drop_env` picks.
    #[must_use]
    pub fn new(program: &Path, drop_env: impl Fn(&OsStr) -> bool) -> Self {
        let env = std::env::vars_os().filter(|(name, _)| !drop_env(name)).collect();
        Self { program: program.to_owned(), args: vec![program.as_os_str().to_owned()], env }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.env.retain(|(known, _)| known != name.as_ref());
        self.env.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// The host's; that of execve(2) too.
    pub fn start(self) -> io::Result<Started> {
        let stdout = File::from(memfd_create(c"stdout", MFD_CLOEXEC)?);
        let stderr = File::from(memfd_create(c"stderr", MFD_CLOEXEC)?);
        let mut actions = PosixSpawnFileActions::init()?;
        actions.add_open(0, "/dev/null", OFlag::O_RDONLY, Mode::empty())?;
        actions.add_dup2(stdout.as_raw_fd(), 1)?;
        actions.add_dup2(stderr.as_raw_fd(), 2)?;
        let mut attr = PosixSpawnAttr::init()?;
        attr.set_flags(
            PosixSpawnFlags::POSIX_SPAWN_SETPGROUP
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGMASK
                | PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF,
        )?;
        attr.set_pgroup(nix::unistd::Pid::from_raw(0))?;
        attr.set_sigmask(&SigSet::empty())?;
        let defaults: SigSet = [Signal::SIGPIPE, Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        attr.set_sigdefault(&defaults)?;
        let args = c_strings(self.args)?;
        let env = c_strings(self.env.into_iter().map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        }))?;
        let pid = posix_spawn(self.program.as_path(), &actions, &attr, &args, &env)?;
        Ok(Started { pid: Pid(pid.as_raw()), stdout, stderr })
    }
}

fn c_strings(strings: impl IntoIterator<Item = OsString>) -> io::Result<Vec<CString>> {
    strings.into_iter().map(|text| CString::new(text.into_vec()).map_err(io::Error::other)).collect()
}

/// All of a memory file, up to `limit` bytes.
///
/// # Errors
/// The host's.
pub fn read_all(file: &File, limit: u64) -> io::Result<Vec<u8>> {
    let len = file.metadata()?.len().min(limit);
    let mut bytes = vec![0; usize::try_from(len).map_err(io::Error::other)?];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// The last `limit` bytes of what a process wrote, as text for people.
#[must_use]
pub fn tail(bytes: &[u8], limit: usize) -> String {
    String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(limit)..]).trim_end().to_owned()
}

/// Whether a variable steers elfuse, so that a guest run or a build must not inherit it.
#[must_use]
pub fn steers_elfuse(name: &OsStr) -> bool {
    name.as_bytes().starts_with(b"ELFUSE_")
}
