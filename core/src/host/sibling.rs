//! [`spawn_sibling`]: a program in a new process that is a child of this process's parent, as `CLONE_PARENT` makes it. It
//! is the parent's to wait for and sends its signal there; this process knows it by a descriptor.
//!
//! No function of the C library makes one, and a fork past it would leave its locks (malloc's among them) as they were. So
//! the new process shares this one's memory until it executes the program, as with vfork(2), and takes no lock and no memory:
//! all that it needs stands in [`Start`].
//!
//! Sources: clone(2), vfork(2).

#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "a process by clone(2) has no safe form"))]

use std::ffi::CStr;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use crate::abi::Pid;

/// Executes `program` with `args` (the first is its name), the environment of this process, `input` as standard input and
/// `output` as standard output. The descriptor of the process is close-on-exec, as all others of this process have to be.
///
/// # Errors
/// The host's: `EINVAL` in the first process of a pid namespace, `EAGAIN`; `ENOSYS` where it makes no such processes.
pub fn spawn_sibling(
    program: &CStr,
    args: &[&CStr],
    input: BorrowedFd<'_>,
    output: BorrowedFd<'_>,
) -> io::Result<(Pid, OwnedFd)> {
    imp::spawn_sibling(program, args, input, output)
}

#[cfg(target_os = "linux")]
mod imp {
    use std::ffi::{CStr, CString, c_char, c_int, c_void};
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
    use std::os::unix::ffi::OsStringExt;
    use std::ptr::null;

    use crate::abi::Pid;

    /// The stack of the new process until it executes the program, in bytes; four system calls are made on it.
    const STACK_BYTES: usize = 64 << 10;
    /// What a stack pointer is a multiple of.
    const STACK_ALIGN: usize = 16;
    /// Exit status of a process that could not execute its program; nobody reads it as that.
    const NOT_EXECUTED: c_int = 127;

    /// What the new process needs, made before it is.
    struct Start {
        program: *const c_char,
        args: *const *const c_char,
        environment: *const *const c_char,
        input: RawFd,
        output: RawFd,
    }

    /// The new process, in the memory of this one.
    extern "C" fn begin(start: *mut c_void) -> c_int {
        // SAFETY: 1. `spawn_sibling` passes a `Start` that lives until this process has executed its program or ended,
        // and whose pointers are those of live strings and of lists that end with null; 2. only system calls are made.
        unsafe {
            let start = &*start.cast::<Start>();
            if libc::dup2(start.input, 0) >= 0 && libc::dup2(start.output, 1) >= 0 {
                libc::execve(start.program, start.args, start.environment);
            }
            libc::_exit(NOT_EXECUTED)
        }
    }

    fn pointers(strings: &[impl AsRef<CStr>]) -> Vec<*const c_char> {
        strings.iter().map(|string| string.as_ref().as_ptr()).chain([null()]).collect()
    }

    pub(super) fn spawn_sibling(
        program: &CStr,
        args: &[&CStr],
        input: BorrowedFd<'_>,
        output: BorrowedFd<'_>,
    ) -> io::Result<(Pid, OwnedFd)> {
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let text = [name.into_vec(), b"=".to_vec(), value.into_vec()].concat();
            CString::new(text).ok()
        });
        let variables: Vec<CString> = variables.collect();
        let (args, environment) = (pointers(args), pointers(&variables));
        let mut start = Start {
            program: program.as_ptr(),
            args: args.as_ptr(),
            environment: environment.as_ptr(),
            input: input.as_raw_fd(),
            output: output.as_raw_fd(),
        };
        let mut stack = vec![0u8; STACK_BYTES];
        let end = stack.as_mut_ptr().wrapping_add(STACK_BYTES);
        let top = end.wrapping_sub(end.addr() % STACK_ALIGN);
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT | libc::CLONE_PIDFD | libc::SIGCHLD;
        let mut descriptor: RawFd = -1;
        // SAFETY: 1. CLONE_VFORK keeps this thread here until the new process has executed its program or ended, so that
        // its stack and `start` outlive its use of them; 2. `begin` is fit to run in a process that shares this memory;
        // 3. the kernel writes one descriptor number.
        let pid = unsafe { libc::clone(begin, top.cast(), flags, (&raw mut start).cast(), &raw mut descriptor) };
        if pid < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has made this number, and nobody else knows it.
        Ok((Pid(pid), unsafe { OwnedFd::from_raw_fd(descriptor) }))
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::ffi::CStr;
    use std::io;
    use std::os::fd::{BorrowedFd, OwnedFd};

    use crate::abi::Pid;

    pub(super) fn spawn_sibling(
        _program: &CStr,
        _args: &[&CStr],
        _input: BorrowedFd<'_>,
        _output: BorrowedFd<'_>,
    ) -> io::Result<(Pid, OwnedFd)> {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Read;
    use std::os::fd::AsFd;

    use super::*;
    use crate::host::children;
    use crate::host::fork::{Forked, fork};

    /// Made by a child of the test's, a sibling is the test's own child: it is the test that waits for it.
    #[test]
    fn a_sibling_is_a_child_of_the_parent() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let input = std::fs::File::open("/dev/null").unwrap();
        // SAFETY: the child makes system calls, and memory, which the C library's fork sees to, and ends.
        let maker = match unsafe { fork() }.unwrap() {
            Forked::Child => {
                let args = [c"sh", c"-c", c"echo $PPID $$; exit 3"];
                let made = spawn_sibling(c"/bin/sh", &args, input.as_fd(), writer.as_fd());
                let Ok((pid, _descriptor)) = made else { children::exit_now(1) };
                // Not the maker's to wait for.
                children::exit_now(if children::reap(pid).is_err() { 0 } else { 2 });
            }
            Forked::Parent(maker) => maker,
        };
        drop(writer);
        assert_eq!(children::reap(maker).unwrap(), 0);
        let mut said = String::new();
        reader.read_to_string(&mut said).unwrap();
        let (parent, own) = said.trim().split_once(' ').unwrap();
        assert_eq!(parent, std::process::id().to_string());
        assert_eq!(children::reap(Pid(own.parse().unwrap())).unwrap(), 3 << 8);
    }
}
