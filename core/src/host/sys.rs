#![expect(unsafe_code, reason = "system calls on memory that is not Rust's")]
//! Host system calls on behalf of the guest, on [`ForeignBuffer`]s: memory that the host kernel checks and fills, and
//! that Rust never looks at.
//!
//! Safe wrappers of `nix` take slices, which guest memory must never be: other guest threads change it at any time. Each
//! function here is one system call, named after it; section 2 of the manual describes it. They are Linux's calls by
//! number, with its flags and structures; another host translates those that it has, and answers `ENOSYS` to the others.

use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::raw;
use crate::abi::Errno;

mod opening;
mod own_memory;

pub use opening::{
    MFD_CLOEXEC, ioctl_descriptor, is_fifo, memfd_create, memfd_secret, open_by_handle_at, openat, openat2,
};
pub use own_memory::{
    End, Moved, getcpu, interfaces, ioctl_bytes, read_bytes, read_words_of, sendfile, set_thread_name, splice,
    thread_name, wait_for_lock, write_bytes, write_words_of,
};

/// A buffer in memory that Rust does not own: the layout of `struct iovec`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct ForeignBuffer {
    start: *mut u8,
    len: usize,
}

const _: () = assert!(size_of::<ForeignBuffer>() == size_of::<libc::iovec>());

impl ForeignBuffer {
    /// The absent buffer, for arguments that may be null.
    pub const NULL: Self = Self { start: std::ptr::null_mut(), len: 0 };

    /// A buffer of the guest.
    ///
    /// # Safety
    /// 1. The range lies in memory that holds no Rust object, now and for the life of the process (the guest's window).
    /// 2. It need not be mapped: the host kernel answers `EFAULT`.
    #[must_use]
    pub const unsafe fn new(start: *mut u8, len: usize) -> Self {
        Self { start, len }
    }

    /// Bytes of elfuse that the host kernel only reads.
    pub(super) const fn of(data: &[u8]) -> Self {
        Self { start: data.as_ptr().cast_mut(), len: data.len() }
    }

    /// The host address of its first byte, which is not to be dereferenced.
    #[must_use]
    pub const fn start(&self) -> *mut u8 {
        self.start
    }

    /// Its length in bytes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// True for length 0.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The buffer without its first `count` bytes, or empty.
    #[must_use]
    pub fn skip(self, count: usize) -> Self {
        let count = count.min(self.len);
        Self { start: self.start.wrapping_add(count), len: self.len - count }
    }
}

/// A directory that paths are relative to; `None` is the working directory.
pub type DirFd<'fd> = Option<BorrowedFd<'fd>>;

/// An argument of a system call in register form.
trait Register {
    fn register(&self) -> libc::c_long;
}

macro_rules! registers {
    ($($type:ty, |$value:ident| $conversion:expr;)*) => {
        $(impl Register for $type {
            fn register(&self) -> libc::c_long {
                let $value = self;
                $conversion as libc::c_long
            }
        })*
    };
}

registers! {
    i32, |value| *value;
    u32, |value| *value;
    i64, |value| *value;
    u64, |value| *value;
    usize, |value| *value;
    BorrowedFd<'_>, |fd| fd.as_raw_fd();
    DirFd<'_>, |fd| fd.map_or(libc::AT_FDCWD, |fd| fd.as_raw_fd());
    ForeignBuffer, |buffer| buffer.start;
    &[ForeignBuffer], |buffers| buffers.as_ptr();
    &[u64], |words| words.as_ptr();
    &[[u64; 2]], |vectors| vectors.as_ptr();
    &CStr, |text| text.as_ptr();
    Option<&CStr>, |text| text.map_or(std::ptr::null(), CStr::as_ptr);
}

fn checked(result: libc::c_long) -> Result<u64, Errno> {
    if result < 0 { Err(nix::errno::Errno::last().into()) } else { Ok(result.cast_unsigned()) }
}

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($($param:ident: $type:ty),*) = $number:ident($($arg:expr),*);)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Errors
            /// The host's errno, `EFAULT` for a buffer that is not there.
            pub fn $name($($param: $type),*) -> Result<u64, Errno> {
                // SAFETY: 1. the row of the table passes what the manual's synopsis asks for; 2. pointers are those of
                // foreign buffers, which hold no Rust object, with a length that is theirs, or of strings and slices
                // that outlive the call and are only read.
                checked(unsafe { raw::syscall!($number $(, Register::register(&$arg))*) })
            }
        )*
    };
}

calls! {
    /// preadv2(2); `offset` -1 reads at the file's position.
    preadv2(fd: BorrowedFd<'_>, buffers: &[ForeignBuffer], offset: i64, flags: u32)
        = SYS_preadv2(fd, buffers, buffers.len(), offset, 0i32, flags);
    /// pwritev2(2); `offset` -1 writes at the file's position.
    pwritev2(fd: BorrowedFd<'_>, buffers: &[ForeignBuffer], offset: i64, flags: u32)
        = SYS_pwritev2(fd, buffers, buffers.len(), offset, 0i32, flags);
    /// setuid(2) of the calling thread.
    setuid(id: u32) = SYS_setuid(id);
    /// setgid(2) of the calling thread.
    setgid(id: u32) = SYS_setgid(id);
    /// setreuid(2) of the calling thread.
    setreuid(real: u32, effective: u32) = SYS_setreuid(real, effective);
    /// setregid(2) of the calling thread.
    setregid(real: u32, effective: u32) = SYS_setregid(real, effective);
    /// setresuid(2) of the calling thread.
    setresuid(real: u32, effective: u32, saved: u32) = SYS_setresuid(real, effective, saved);
    /// setresgid(2) of the calling thread.
    setresgid(real: u32, effective: u32, saved: u32) = SYS_setresgid(real, effective, saved);
    /// setfsuid(2) of the calling thread.
    setfsuid(id: u32) = SYS_setfsuid(id);
    /// setfsgid(2) of the calling thread.
    setfsgid(id: u32) = SYS_setfsgid(id);
    /// setgroups(2) of the calling thread.
    setgroups(count: i32, groups: ForeignBuffer) = SYS_setgroups(count, groups);
    /// capget(2).
    capget(header: ForeignBuffer, data: ForeignBuffer) = SYS_capget(header, data);
    /// capset(2) of the calling thread.
    capset(header: ForeignBuffer, data: ForeignBuffer) = SYS_capset(header, data);
    /// getpriority(2), as the kernel answers: 20 minus the nice value.
    getpriority(which: i32, who: i32) = SYS_getpriority(which, who);
    /// setpriority(2).
    setpriority(which: i32, who: i32, nice: i32) = SYS_setpriority(which, who, nice);
    /// ioprio_get(2).
    ioprio_get(which: i32, who: i32) = SYS_ioprio_get(which, who);
    /// ioprio_set(2).
    ioprio_set(which: i32, who: i32, value: i32) = SYS_ioprio_set(which, who, value);
    /// prctl(2) with an option whose arguments are numbers, or a buffer for the second.
    prctl_at(option: i32, place: ForeignBuffer) = SYS_prctl(option, place, 0u64, 0u64, 0u64);
    /// prctl(2) with an option whose arguments are numbers.
    prctl_numbers(option: i32, second: u64, third: u64, fourth: u64, fifth: u64)
        = SYS_prctl(option, second, third, fourth, fifth);
    /// personality(2) of the calling thread.
    personality(persona: u32) = SYS_personality(persona);
    /// lseek(2).
    lseek(fd: BorrowedFd<'_>, offset: i64, whence: u32) = SYS_lseek(fd, offset, whence);
    /// getdents64(2).
    getdents64(fd: BorrowedFd<'_>, buffer: ForeignBuffer) = SYS_getdents64(fd, buffer, buffer.len());
    /// readlinkat(2).
    readlinkat(dir: DirFd<'_>, path: &CStr, buffer: ForeignBuffer) = SYS_readlinkat(dir, path, buffer, buffer.len());
    /// statx(2); the buffer is a `struct statx`.
    statx(dir: DirFd<'_>, path: &CStr, flags: u32, mask: u32, buffer: Struct<256>) = SYS_statx(dir, path, flags, mask, buffer.0);
    /// getcwd(2) with its return value: the length with the NUL.
    getcwd(buffer: ForeignBuffer) = SYS_getcwd(buffer, buffer.len());
    /// chdir(2).
    chdir(path: &CStr) = SYS_chdir(path);
    /// fchdir(2).
    fchdir(fd: BorrowedFd<'_>) = SYS_fchdir(fd);
    /// faccessat(2) as the kernel has it, without flags.
    faccessat(dir: DirFd<'_>, path: &CStr, mode: u32) = SYS_faccessat(dir, path, mode);
    /// faccessat2(2).
    faccessat2(dir: DirFd<'_>, path: &CStr, mode: u32, flags: u32) = SYS_faccessat2(dir, path, mode, flags);
    /// unlinkat(2).
    unlinkat(dir: DirFd<'_>, path: &CStr, flags: u32) = SYS_unlinkat(dir, path, flags);
    /// mkdirat(2).
    mkdirat(dir: DirFd<'_>, path: &CStr, mode: u32) = SYS_mkdirat(dir, path, mode);
    /// mknodat(2).
    mknodat(dir: DirFd<'_>, path: &CStr, mode: u32, device: u32) = SYS_mknodat(dir, path, mode, device);
    /// symlinkat(2).
    symlinkat(target: &CStr, dir: DirFd<'_>, path: &CStr) = SYS_symlinkat(target, dir, path);
    /// linkat(2).
    linkat(old_dir: DirFd<'_>, old: &CStr, new_dir: DirFd<'_>, new: &CStr, flags: u32)
        = SYS_linkat(old_dir, old, new_dir, new, flags);
    /// renameat2(2).
    renameat2(old_dir: DirFd<'_>, old: &CStr, new_dir: DirFd<'_>, new: &CStr, flags: u32)
        = SYS_renameat2(old_dir, old, new_dir, new, flags);
    /// truncate(2).
    truncate(path: &CStr, len: i64) = SYS_truncate(path, len);
    /// ftruncate(2).
    ftruncate(fd: BorrowedFd<'_>, len: i64) = SYS_ftruncate(fd, len);
    /// fallocate(2).
    fallocate(fd: BorrowedFd<'_>, mode: u32, offset: i64, len: i64) = SYS_fallocate(fd, mode, offset, len);
    /// fsync(2).
    fsync(fd: BorrowedFd<'_>) = SYS_fsync(fd);
    /// fdatasync(2).
    fdatasync(fd: BorrowedFd<'_>) = SYS_fdatasync(fd);
    /// sync(2).
    sync() = SYS_sync();
    /// fchmod(2).
    fchmod(fd: BorrowedFd<'_>, mode: u32) = SYS_fchmod(fd, mode);
    /// fchmodat(2) as the kernel has it, without flags.
    fchmodat(dir: DirFd<'_>, path: &CStr, mode: u32) = SYS_fchmodat(dir, path, mode);
    /// fchmodat2(2), number 452 everywhere.
    fchmodat2(dir: DirFd<'_>, path: &CStr, mode: u32, flags: u32) = SYS_fchmodat2(dir, path, mode, flags);
    /// fchown(2).
    fchown(fd: BorrowedFd<'_>, uid: u32, gid: u32) = SYS_fchown(fd, uid, gid);
    /// fchownat(2).
    fchownat(dir: DirFd<'_>, path: &CStr, uid: u32, gid: u32, flags: u32) = SYS_fchownat(dir, path, uid, gid, flags);
    /// utimensat(2); the buffer is two `struct timespec` or absent, the path may be too.
    utimensat(dir: DirFd<'_>, path: Option<&CStr>, times: Option<Struct<32>>, flags: u32)
        = SYS_utimensat(dir, path, times.map_or(ForeignBuffer::NULL, |times| times.0), flags);
    /// setxattr(2).
    setxattr(path: &CStr, name: &CStr, value: ForeignBuffer, flags: u32)
        = SYS_setxattr(path, name, value, value.len(), flags);
    /// lsetxattr(2).
    lsetxattr(path: &CStr, name: &CStr, value: ForeignBuffer, flags: u32)
        = SYS_lsetxattr(path, name, value, value.len(), flags);
    /// fsetxattr(2).
    fsetxattr(fd: BorrowedFd<'_>, name: &CStr, value: ForeignBuffer, flags: u32)
        = SYS_fsetxattr(fd, name, value, value.len(), flags);
    /// getxattr(2).
    getxattr(path: &CStr, name: &CStr, value: ForeignBuffer) = SYS_getxattr(path, name, value, value.len());
    /// lgetxattr(2).
    lgetxattr(path: &CStr, name: &CStr, value: ForeignBuffer) = SYS_lgetxattr(path, name, value, value.len());
    /// fgetxattr(2).
    fgetxattr(fd: BorrowedFd<'_>, name: &CStr, value: ForeignBuffer) = SYS_fgetxattr(fd, name, value, value.len());
    /// listxattr(2).
    listxattr(path: &CStr, names: ForeignBuffer) = SYS_listxattr(path, names, names.len());
    /// llistxattr(2).
    llistxattr(path: &CStr, names: ForeignBuffer) = SYS_llistxattr(path, names, names.len());
    /// flistxattr(2).
    flistxattr(fd: BorrowedFd<'_>, names: ForeignBuffer) = SYS_flistxattr(fd, names, names.len());
    /// removexattr(2).
    removexattr(path: &CStr, name: &CStr) = SYS_removexattr(path, name);
    /// lremovexattr(2).
    lremovexattr(path: &CStr, name: &CStr) = SYS_lremovexattr(path, name);
    /// fremovexattr(2).
    fremovexattr(fd: BorrowedFd<'_>, name: &CStr) = SYS_fremovexattr(fd, name);
    /// syncfs(2).
    syncfs(fd: BorrowedFd<'_>) = SYS_syncfs(fd);
    /// sync_file_range(2).
    sync_file_range(fd: BorrowedFd<'_>, offset: i64, len: i64, flags: u32) = SYS_sync_file_range(fd, offset, len, flags);
    /// readahead(2).
    readahead(fd: BorrowedFd<'_>, offset: i64, len: usize) = SYS_readahead(fd, offset, len);
    /// copy_file_range(2); an offset may be absent.
    copy_file_range(
        from: BorrowedFd<'_>,
        from_offset: Option<Struct<8>>,
        to: BorrowedFd<'_>,
        to_offset: Option<Struct<8>>,
        len: usize,
        flags: u32
    ) = SYS_copy_file_range(
        from,
        from_offset.map_or(ForeignBuffer::NULL, |offset| offset.0),
        to,
        to_offset.map_or(ForeignBuffer::NULL, |offset| offset.0),
        len,
        flags
    );
    /// fadvise64(2).
    fadvise64(fd: BorrowedFd<'_>, offset: i64, len: i64, advice: u32) = SYS_fadvise64(fd, offset, len, advice);
    /// cachestat(2): the buffers are `struct cachestat_range` and `struct cachestat`.
    cachestat(fd: BorrowedFd<'_>, range: Struct<16>, counts: Struct<40>, flags: u32)
        = SYS_cachestat(fd, range.0, counts.0, flags);
    /// flock(2); callers add `LOCK_NB`.
    flock(fd: BorrowedFd<'_>, operation: u32) = SYS_flock(fd, operation);
    /// fcntl(2) with a `struct flock`, which has one layout on 64-bit Linux.
    fcntl_lock(fd: BorrowedFd<'_>, command: i32, lock: Struct<32>) = SYS_fcntl(fd, command, lock.0);
    /// fcntl(2) with a `struct f_owner_ex`.
    fcntl_owner(fd: BorrowedFd<'_>, command: i32, owner: Struct<8>) = SYS_fcntl(fd, command, owner.0);
    /// fcntl(2) with a number.
    fcntl(fd: BorrowedFd<'_>, command: i32, value: i32) = SYS_fcntl(fd, command, value);
    /// ioctl(2) with a buffer that has room for what the request moves.
    ioctl(fd: BorrowedFd<'_>, request: u32, buffer: ForeignBuffer) = SYS_ioctl(fd, request, buffer);
    /// ioctl(2) with a number.
    ioctl_value(fd: BorrowedFd<'_>, request: u32, value: u64) = SYS_ioctl(fd, request, value);
    /// timerfd_settime(2); each buffer is a `struct itimerspec`, the old one may be absent.
    timerfd_settime(fd: BorrowedFd<'_>, flags: u32, new: Struct<32>, old: Option<Struct<32>>)
        = SYS_timerfd_settime(fd, flags, new.0, old.map_or(ForeignBuffer::NULL, |old| old.0));
    /// timerfd_gettime(2).
    timerfd_gettime(fd: BorrowedFd<'_>, now: Struct<32>) = SYS_timerfd_gettime(fd, now.0);
    /// inotify_add_watch(2).
    inotify_add_watch(fd: BorrowedFd<'_>, path: &CStr, mask: u32) = SYS_inotify_add_watch(fd, path, mask);
    /// inotify_rm_watch(2).
    inotify_rm_watch(fd: BorrowedFd<'_>, watch: i32) = SYS_inotify_rm_watch(fd, watch);
    /// tee(2).
    tee(from: BorrowedFd<'_>, to: BorrowedFd<'_>, len: usize, flags: u32) = SYS_tee(from, to, len, flags);
    /// vmsplice(2).
    vmsplice(fd: BorrowedFd<'_>, buffers: &[ForeignBuffer], flags: u32)
        = SYS_vmsplice(fd, buffers, buffers.len(), flags);
    /// getrandom(2).
    getrandom(buffer: ForeignBuffer, flags: u32) = SYS_getrandom(buffer, buffer.len(), flags);
    /// clock_gettime(2).
    clock_gettime(clock: i32, time: Struct<16>) = SYS_clock_gettime(clock, time.0);
    /// clock_getres(2); the buffer may be absent.
    clock_getres(clock: i32, time: Option<Struct<16>>)
        = SYS_clock_getres(clock, time.map_or(ForeignBuffer::NULL, |time| time.0));
    /// sysinfo(2).
    sysinfo(info: Struct<112>) = SYS_sysinfo(info.0);
    /// getrusage(2).
    getrusage(who: i32, usage: Struct<144>) = SYS_getrusage(who, usage.0);
    /// times(2); the buffer may be absent.
    times(buffer: Option<Struct<32>>) = SYS_times(buffer.map_or(ForeignBuffer::NULL, |buffer| buffer.0));
    /// getgroups(2); the buffer's length is in bytes.
    getgroups(buffer: ForeignBuffer) = SYS_getgroups(buffer.len() / 4, buffer);
    /// sched_getaffinity(2).
    sched_getaffinity(pid: i32, mask: ForeignBuffer) = SYS_sched_getaffinity(pid, mask.len(), mask);
    /// sched_getscheduler(2).
    sched_getscheduler(pid: i32) = SYS_sched_getscheduler(pid);
    /// sched_setscheduler(2).
    sched_setscheduler(pid: i32, policy: i32, param: Option<Struct<4>>)
        = SYS_sched_setscheduler(pid, policy, param.map_or(ForeignBuffer::NULL, |param| param.0));
    /// sched_getparam(2).
    sched_getparam(pid: i32, param: Option<Struct<4>>)
        = SYS_sched_getparam(pid, param.map_or(ForeignBuffer::NULL, |param| param.0));
    /// sched_setparam(2).
    sched_setparam(pid: i32, param: Option<Struct<4>>)
        = SYS_sched_setparam(pid, param.map_or(ForeignBuffer::NULL, |param| param.0));
    /// sched_rr_get_interval(2).
    sched_rr_get_interval(pid: i32, interval: Struct<16>) = SYS_sched_rr_get_interval(pid, interval.0);
    /// sched_getattr(2); the buffer has the size that is asked for.
    sched_getattr(pid: i32, attr: ForeignBuffer, flags: u32) = SYS_sched_getattr(pid, attr, attr.len(), flags);
    /// sched_setattr(2); the structure says its own size.
    sched_setattr(pid: i32, attr: ForeignBuffer, flags: u32) = SYS_sched_setattr(pid, attr, flags);
    /// sched_setaffinity(2).
    sched_setaffinity(pid: i32, mask: ForeignBuffer) = SYS_sched_setaffinity(pid, mask.len(), mask);
    /// prlimit(2) as the kernel has it; each buffer is a pair of 64-bit limits or absent.
    prlimit64(pid: i32, resource: u32, new: Option<Struct<16>>, old: Option<Struct<16>>)
        = SYS_prlimit64(pid, resource, new.map_or(ForeignBuffer::NULL, |new| new.0), old.map_or(ForeignBuffer::NULL, |old| old.0));
    /// get_mempolicy(2); buffers may be absent.
    get_mempolicy(mode: Option<Struct<4>>, nodes: ForeignBuffer, bits: u64, place: ForeignBuffer, flags: u64)
        = SYS_get_mempolicy(mode.map_or(ForeignBuffer::NULL, |mode| mode.0), nodes, bits, place, flags);
    /// set_mempolicy(2); the mask may be absent.
    set_mempolicy(mode: i32, nodes: ForeignBuffer, bits: u64) = SYS_set_mempolicy(mode, nodes, bits);
    /// mbind(2); the mask may be absent.
    mbind(range: ForeignBuffer, mode: i32, nodes: ForeignBuffer, bits: u64, flags: u32)
        = SYS_mbind(range, range.len(), mode, nodes, bits, flags);
    /// process_vm_readv(2); the other process's vectors are addresses and lengths.
    process_vm_readv(pid: i32, local: &[ForeignBuffer], remote: &[[u64; 2]])
        = SYS_process_vm_readv(pid, local, local.len(), remote, remote.len(), 0u64);
    /// process_vm_writev(2), in the same way.
    process_vm_writev(pid: i32, local: &[ForeignBuffer], remote: &[[u64; 2]])
        = SYS_process_vm_writev(pid, local, local.len(), remote, remote.len(), 0u64);
    /// process_madvise(2); the vectors are addresses and lengths in that process.
    process_madvise(process: BorrowedFd<'_>, vectors: &[[u64; 2]], advice: i32, flags: u32)
        = SYS_process_madvise(process, vectors, vectors.len(), advice, flags);
    /// migrate_pages(2); the masks have so many bits.
    migrate_pages(pid: i32, bits: u64, from: ForeignBuffer, to: ForeignBuffer) = SYS_migrate_pages(pid, bits, from, to);
    /// move_pages(2): addresses in that process, a node of each (or none: a question), and room for the status of each.
    move_pages(pid: i32, pages: &[u64], nodes: ForeignBuffer, status: ForeignBuffer, flags: u32)
        = SYS_move_pages(pid, pages.len(), pages, nodes, status, flags);
    /// kcmp(2); descriptors are those of the host.
    kcmp(first: i32, second: i32, kind: i32, first_index: i32, second_index: i32)
        = SYS_kcmp(first, second, kind, first_index, second_index);
    /// process_mrelease(2).
    process_mrelease(process: BorrowedFd<'_>, flags: u32) = SYS_process_mrelease(process, flags);
    /// set_mempolicy_home_node(2).
    set_mempolicy_home_node(range: ForeignBuffer, node: u64, flags: u64)
        = SYS_set_mempolicy_home_node(range, range.len(), node, flags);
    /// name_to_handle_at(2); the handle begins with the room behind its two words, the mount id is 4 or 8 bytes.
    name_to_handle_at(dir: DirFd<'_>, path: &CStr, handle: ForeignBuffer, mount_id: ForeignBuffer, flags: u32)
        = SYS_name_to_handle_at(dir, path, handle, mount_id, flags);
    /// clock_adjtime(2); the buffer is a `struct timex`.
    clock_adjtime(clock: i32, time: Struct<208>) = SYS_clock_adjtime(clock, time.0);
    /// membarrier(2).
    membarrier(command: i32, flags: u32, cpu: i32) = SYS_membarrier(command, flags, cpu);
}

/// A foreign buffer of exactly `LEN` bytes: the room that a fixed structure needs.
#[derive(Clone, Copy, Debug)]
pub struct Struct<const LEN: usize>(ForeignBuffer);

impl<const LEN: usize> Struct<LEN> {
    /// The buffer as a structure, where it is long enough.
    ///
    /// # Errors
    /// `EFAULT` for a shorter one.
    pub fn new(buffer: ForeignBuffer) -> Result<Self, Errno> {
        if buffer.len() >= LEN { Ok(Self(buffer)) } else { Err(Errno::EFAULT) }
    }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn buffers_that_are_not_there_are_efault() {
        let (reader, writer) = nix::unistd::pipe().unwrap();
        nix::unistd::write(&writer, b"x").unwrap();
        // SAFETY: page 0 holds nothing.
        let bad = unsafe { ForeignBuffer::new(std::ptr::without_provenance_mut(64), 8) };
        assert_eq!(preadv2(reader.as_fd(), &[bad], -1, 0), Err(Errno::EFAULT));
        assert_eq!(bad.skip(3).len(), 5);
        assert!(bad.skip(100).is_empty());
        assert!(Struct::<9>::new(bad).is_err());
    }

    #[test]
    fn nothing_to_read_is_eagain_on_a_blocking_pipe() {
        let (reader, _writer) = nix::unistd::pipe().unwrap();
        // SAFETY: page 0 holds nothing.
        let bad = unsafe { ForeignBuffer::new(std::ptr::without_provenance_mut(64), 8) };
        assert_eq!(preadv2(reader.as_fd(), &[bad], -1, 8), Err(Errno::EAGAIN));
    }
}
