//! [`Twin`]: a copy of this process's memory as it is now, kept by a process that does nothing, not even exist for anybody
//! else: it sends no signal at its end, ordinary waits do not see it, and it ends with the thread that made it.
//!
//! Sources: clone(2) (a raw call with exit signal 0), process_vm_readv(2), wait(2) `__WCLONE`.

#![cfg_attr(target_os = "linux", expect(unsafe_code, reason = "forks, and reads another process's memory"))]

use std::io;

use crate::abi::Pid;

/// The copy. Dropping it ends the process.
#[derive(Debug)]
pub struct Twin {
    pid: Pid,
}

impl Twin {
    /// Makes a copy of the calling process's memory.
    ///
    /// # Errors
    /// `EAGAIN`, `ENOMEM`; `ENOSYS` where the host has no such processes.
    pub fn make() -> io::Result<Self> {
        imp::make().map(|pid| Self { pid })
    }

    /// Reads from the copy what was at `address` of this process.
    ///
    /// # Errors
    /// `EFAULT` where nothing was, or the host's errno.
    pub fn read(&self, address: usize, bytes: &mut [u8]) -> io::Result<()> {
        imp::read(self.pid, address, bytes)
    }
}

impl Drop for Twin {
    fn drop(&mut self) {
        // It ends at once; if it is gone already, there is nothing to do.
        let _gone = super::children::kill(self.pid, Some(crate::abi::Signal::SIGKILL));
        let _reaped = super::children::reap(self.pid);
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io;

    use crate::abi::Pid;

    pub(super) fn make() -> io::Result<Pid> {
        // SAFETY: 1. without CLONE_VM the child has memory of its own; 2. it makes only system calls from here on, and
        // touches nothing of the runtime, whose locks other threads may hold.
        unsafe {
            let pid = libc::syscall(libc::SYS_clone, 0, 0, 0, 0, 0);
            if pid < 0 {
                return Err(io::Error::last_os_error());
            }
            if pid > 0 {
                return i32::try_from(pid).map(Pid).map_err(|_too_large| io::Error::from_raw_os_error(libc::EAGAIN));
            }
            libc::syscall(libc::SYS_prctl, libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0);
            // Pipes of the guest are not to be kept open by somebody whom nobody knows.
            libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0);
            loop {
                // Every signal that could end this is blocked; one that is not ends the process, which is as well.
                libc::syscall(
                    libc::SYS_ppoll,
                    std::ptr::null::<u8>(),
                    0,
                    std::ptr::null::<u8>(),
                    std::ptr::null::<u8>(),
                    0,
                );
            }
        }
    }

    pub(super) fn read(pid: Pid, address: usize, bytes: &mut [u8]) -> io::Result<()> {
        let local = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
        let remote = libc::iovec { iov_base: address as *mut libc::c_void, iov_len: bytes.len() };
        // SAFETY: the kernel writes at most `bytes.len()` bytes to `bytes`; the remote address is not of this process.
        let read = unsafe { libc::process_vm_readv(pid.0, &raw const local, 1, &raw const remote, 1, 0) };
        match usize::try_from(read) {
            Ok(len) if len == bytes.len() => Ok(()),
            Ok(_short) => Err(io::Error::from_raw_os_error(libc::EFAULT)),
            Err(_) => Err(io::Error::last_os_error()),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::io;

    use crate::abi::Pid;

    pub(super) fn make() -> io::Result<Pid> {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }

    pub(super) fn read(_pid: Pid, _address: usize, _bytes: &mut [u8]) -> io::Result<()> {
        Err(io::Error::from_raw_os_error(libc::ENOSYS))
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_twin_keeps_what_was_there() {
        let mut word = Box::new(1u64);
        let twin = Twin::make().unwrap();
        **std::hint::black_box(&mut word) = 2;
        let mut bytes = [0; 8];
        twin.read(std::ptr::from_ref(&*word).addr(), &mut bytes).unwrap();
        assert_eq!((u64::from_ne_bytes(bytes), *word), (1, 2));
        assert_eq!(twin.read(16, &mut bytes).unwrap_err().raw_os_error(), Some(libc::EFAULT));
        let pid = twin.pid;
        drop(twin);
        assert!(super::super::children::kill(pid, None).is_err());
    }
}
