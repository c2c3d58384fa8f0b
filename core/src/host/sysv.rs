//! System V semaphores, message queues and shared memory of the host. Each function is one system call; section 2 of the
//! manual describes it. Other hosts than Linux answer `ENOSYS`: their structures and commands are others.

#![expect(unsafe_code, reason = "calls on memory that is not Rust's")]

use super::raw;
use super::sys::ForeignBuffer;
use crate::abi::Errno;

fn checked(result: libc::c_long) -> Result<u64, Errno> {
    if result < 0 { Err(nix::errno::Errno::last().into()) } else { Ok(result.cast_unsigned()) }
}

/// `struct sembuf`.
pub const SEM_OPERATION_BYTES: usize = 6;

/// `struct semid64_ds` of this host.
pub const SEMID_BYTES: usize = if cfg!(target_arch = "x86_64") { 104 } else { 88 };

/// Where in it, in words of eight bytes after the permissions, arm64's words are: two times and the count.
pub const SEMID_WORDS: [usize; 3] = if cfg!(target_arch = "x86_64") { [0, 2, 4] } else { [0, 1, 2] };

const IPC_SET: i32 = 1;

/// semget(2).
///
/// # Errors
/// The host's errno.
pub fn semget(key: i32, count: i32, flags: i32) -> Result<u64, Errno> {
    // SAFETY: the call takes no pointers.
    checked(unsafe { raw::syscall!(SYS_semget, key, count, flags) })
}

/// semtimedop(2); waits. The timeout is relative.
///
/// # Errors
/// The host's errno.
pub fn semtimedop(id: i32, operations: &[u8], timeout_ns: Option<u64>) -> Result<u64, Errno> {
    let timeout = timeout_ns.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000).cast_signed(),
        tv_nsec: (ns % 1_000_000_000).cast_signed(),
    });
    let timeout = timeout.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let (start, count) = (operations.as_ptr(), operations.len() / SEM_OPERATION_BYTES);
    // SAFETY: 1. the operations are read as many as there are, at any alignment; 2. the timeout is absent or outlives the
    // call.
    checked(unsafe { raw::syscall!(SYS_semtimedop, id, start, count, timeout) })
}

/// semctl(2) with a buffer.
///
/// # Errors
/// The host's errno.
pub fn semctl(id: i32, index: i32, command: i32, argument: ForeignBuffer) -> Result<u64, Errno> {
    // SAFETY: the buffer is the guest's, which the kernel checks.
    checked(unsafe { raw::syscall!(SYS_semctl, id, index, command, argument.start()) })
}

/// semctl(2) with a number.
///
/// # Errors
/// The host's errno.
pub fn semctl_value(id: i32, index: i32, command: i32, value: u32) -> Result<u64, Errno> {
    // SAFETY: the callers pass commands whose argument is a number or absent; a command that is unknown here takes a
    // pointer that holds at most 32 bits, where no memory of elfuse is.
    checked(unsafe { raw::syscall!(SYS_semctl, id, index, command, u64::from(value)) })
}

/// semctl(2) of the `STAT` kind.
///
/// # Errors
/// The host's errno.
pub fn semctl_stat(id: i32, index: i32, command: i32) -> Result<(u64, [u8; SEMID_BYTES]), Errno> {
    let mut place = [0; SEMID_BYTES];
    // SAFETY: the kernel writes a structure of this size.
    let result = checked(unsafe { raw::syscall!(SYS_semctl, id, index, command, place.as_mut_ptr()) })?;
    Ok((result, place))
}

/// semctl(2) with `IPC_SET`.
///
/// # Errors
/// The host's errno.
pub fn semctl_set(id: i32, new: &[u8; SEMID_BYTES]) -> Result<u64, Errno> {
    // SAFETY: the kernel reads a structure of this size.
    checked(unsafe { raw::syscall!(SYS_semctl, id, 0, IPC_SET, new.as_ptr()) })
}

/// msgget(2).
///
/// # Errors
/// The host's errno.
pub fn msgget(key: i32, flags: i32) -> Result<u64, Errno> {
    // SAFETY: the call takes no pointers.
    checked(unsafe { raw::syscall!(SYS_msgget, key, flags) })
}

/// msgsnd(2) of a type and a text; waits.
///
/// # Errors
/// The host's errno.
pub fn msgsnd(id: i32, message: &[u8], flags: u32) -> Result<u64, Errno> {
    let len = message.len().saturating_sub(8);
    // SAFETY: the kernel reads eight bytes and the text.
    checked(unsafe { raw::syscall!(SYS_msgsnd, id, message.as_ptr(), len, flags) })
}

/// msgrcv(2) with `room` for the text; waits. The answer is type and text.
///
/// # Errors
/// The host's errno.
pub fn msgrcv(id: i32, room: usize, kind: i64, flags: u32) -> Result<Vec<u8>, Errno> {
    let mut message = vec![0; 8 + room];
    // SAFETY: the kernel writes eight bytes and at most `room` more.
    let len = checked(unsafe { raw::syscall!(SYS_msgrcv, id, message.as_mut_ptr(), room, kind, flags) })?;
    message.truncate(8 + len as usize);
    Ok(message)
}

/// msgctl(2).
///
/// # Errors
/// The host's errno.
pub fn msgctl(id: i32, command: i32, argument: ForeignBuffer) -> Result<u64, Errno> {
    // SAFETY: the buffer is the guest's, which the kernel checks, and has the command's size.
    checked(unsafe { raw::syscall!(SYS_msgctl, id, command, argument.start()) })
}

/// `struct shmid64_ds`: the generic layout on both architectures.
pub const SHMID_BYTES: usize = 112;

const IPC_STAT: i32 = 2;

/// What an attachment must know of a shared memory segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentInfo {
    /// Its key.
    pub key: u32,
    /// Its length as it was asked for.
    pub len_bytes: u64,
}

/// shmget(2).
///
/// # Errors
/// The host's errno.
pub fn shmget(key: i32, len_bytes: u64, flags: i32) -> Result<u64, Errno> {
    // SAFETY: the call takes no pointers.
    checked(unsafe { raw::syscall!(SYS_shmget, key, len_bytes, flags) })
}

/// shmctl(2).
///
/// # Errors
/// The host's errno.
pub fn shmctl(id: i32, command: i32, argument: ForeignBuffer) -> Result<u64, Errno> {
    // SAFETY: the buffer is the guest's, which the kernel checks, and has the command's size.
    checked(unsafe { raw::syscall!(SYS_shmctl, id, command, argument.start()) })
}

/// Looks at a segment.
///
/// # Errors
/// `EINVAL`, `EIDRM`, `EACCES`.
pub fn segment(id: i32) -> Result<SegmentInfo, Errno> {
    let mut place = [0u8; SHMID_BYTES];
    // SAFETY: the kernel writes a structure of this size.
    checked(unsafe { raw::syscall!(SYS_shmctl, id, IPC_STAT, place.as_mut_ptr()) })?;
    // The permissions begin with the key, and the length follows them.
    let key = u32::from_le_bytes(std::array::from_fn(|at| place[at]));
    let len_bytes = u64::from_le_bytes(std::array::from_fn(|at| place[48 + at]));
    Ok(SegmentInfo { key, len_bytes })
}
