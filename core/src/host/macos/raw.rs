#![expect(unsafe_code, reason = "calls on memory that is not Rust's")]
//! [`syscall`]: macOS has no stable numbers for system calls, and Linux's mean nothing to it. What both have under one name
//! is a row of the table, with Linux's flags and structures translated ([`calls`](super::posix)); every other call answers
//! `ENOSYS`.
//!
//! Neighbours: `posix`, which has the bodies that take more than a line, `copy`, for memory of the guest. Sources: section 2
//! of the manuals of both.

use libc::{c_int, c_long};

use super::posix as body;

/// Makes the functions of the table, each with arguments in register form, and [`syscall`], which finds them.
macro_rules! table {
    (($d:tt) $($number:ident($($argument:ident),*) $name:ident => $call:expr;)*) => {
        $(
            #[doc = concat!("Linux's `", stringify!($number), "`.")]
            ///
            /// # Safety
            /// As for syscall(2): pointers are null or foreign, or valid for what the call does with them.
            pub(in crate::host) unsafe fn $name($($argument: c_long),*) -> c_long {
                // SAFETY: the caller promises what the call needs; a pointer goes to the kernel or to `copy`, and nowhere else.
                unsafe { ($call) as c_long }
            }
        )*

        /// One system call of Linux by the name of its number: `unsafe` as syscall(2) is, whose result it has.
        macro_rules! syscall {
            $(($number $d(, $d argument:expr)* $d(,)?) => {
                $crate::host::raw::$name($d($d argument as libc::c_long),*)
            };)*
            ($d number:ident $d(, $d argument:expr)* $d(,)?) => {{
                $d(let _unused = $d argument;)*
                $crate::host::raw::absent()
            }};
        }
    };
}

table! { ($)
    SYS_preadv2(fd, buffers, count, offset, _high, flags) preadv2 => match flags {
        0 if offset == -1 => libc::readv(fd as c_int, buffers as _, count as c_int),
        0 => libc::preadv(fd as c_int, buffers as _, count as c_int, offset),
        _nowait_among_them => body::fail(libc::ENOTSUP) as isize,
    };
    SYS_pwritev2(fd, buffers, count, offset, _high, flags) pwritev2 => match flags {
        0 if offset == -1 => libc::writev(fd as c_int, buffers as _, count as c_int),
        0 => libc::pwritev(fd as c_int, buffers as _, count as c_int, offset),
        _nowait_among_them => body::fail(libc::ENOTSUP) as isize,
    };
    // Ids are the process's here, not the thread's.
    SYS_setuid(id) setuid => libc::setuid(id as u32);
    SYS_setgid(id) setgid => libc::setgid(id as u32);
    SYS_setreuid(real, effective) setreuid => libc::setreuid(real as u32, effective as u32);
    SYS_setregid(real, effective) setregid => libc::setregid(real as u32, effective as u32);
    SYS_setgroups(count, groups) setgroups => libc::setgroups(count as c_int, groups as _);
    SYS_getgroups(count, groups) getgroups => libc::getgroups(count as c_int, groups as _);
    SYS_getpriority(which, who) getpriority => body::getpriority(which as c_int, who as u32);
    SYS_setpriority(which, who, nice) setpriority => libc::setpriority(which as c_int, who as u32, nice as c_int);
    SYS_lseek(fd, offset, whence) lseek => libc::lseek(fd as c_int, offset, body::whence(whence));
    SYS_getdents64(fd, buffer, len) getdents64 => super::directory::getdents64(fd as c_int, buffer as _, len as usize);
    SYS_readlinkat(dir, path, buffer, len) readlinkat =>
        libc::readlinkat(dir as c_int, path as _, buffer as _, len as usize);
    SYS_statx(dir, path, flags, _mask, buffer) statx => super::statx::statx(dir as c_int, path as _, flags, buffer as _);
    SYS_getcwd(buffer, len) getcwd => body::getcwd(buffer as _, len as usize);
    SYS_chdir(path) chdir => libc::chdir(path as _);
    SYS_fchdir(fd) fchdir => libc::fchdir(fd as c_int);
    SYS_faccessat(dir, path, mode) faccessat => libc::faccessat(dir as c_int, path as _, mode as c_int, 0);
    SYS_faccessat2(dir, path, mode, flags) faccessat2 =>
        libc::faccessat(dir as c_int, path as _, mode as c_int, body::at_flags(flags, libc::AT_EACCESS));
    SYS_unlinkat(dir, path, flags) unlinkat =>
        libc::unlinkat(dir as c_int, path as _, body::at_flags(flags, libc::AT_REMOVEDIR));
    SYS_mkdirat(dir, path, mode) mkdirat => libc::mkdirat(dir as c_int, path as _, mode as libc::mode_t);
    SYS_mknodat(dir, path, mode, device) mknodat => body::mknodat(dir as c_int, path as _, mode, device as u32);
    SYS_symlinkat(target, dir, path) symlinkat => libc::symlinkat(target as _, dir as c_int, path as _);
    SYS_linkat(old_dir, old, new_dir, new, flags) linkat =>
        libc::linkat(old_dir as c_int, old as _, new_dir as c_int, new as _, body::at_flags(flags, 0));
    SYS_renameat2(old_dir, old, new_dir, new, flags) renameat2 =>
        libc::renameatx_np(old_dir as c_int, old as _, new_dir as c_int, new as _, body::rename_flags(flags));
    SYS_truncate(path, len) truncate => libc::truncate(path as _, len);
    SYS_ftruncate(fd, len) ftruncate => libc::ftruncate(fd as c_int, len);
    SYS_fsync(fd) fsync => libc::fsync(fd as c_int);
    SYS_fdatasync(fd) fdatasync => libc::fsync(fd as c_int);
    SYS_sync() sync => { libc::sync(); 0 };
    SYS_fchmod(fd, mode) fchmod => libc::fchmod(fd as c_int, mode as libc::mode_t);
    SYS_fchmodat(dir, path, mode) fchmodat => libc::fchmodat(dir as c_int, path as _, mode as libc::mode_t, 0);
    SYS_fchmodat2(dir, path, mode, flags) fchmodat2 =>
        libc::fchmodat(dir as c_int, path as _, mode as libc::mode_t, body::at_flags(flags, 0));
    SYS_fchown(fd, uid, gid) fchown => libc::fchown(fd as c_int, uid as u32, gid as u32);
    SYS_fchownat(dir, path, uid, gid, flags) fchownat =>
        libc::fchownat(dir as c_int, path as _, uid as u32, gid as u32, body::at_flags(flags, 0));
    SYS_utimensat(dir, path, times, flags) utimensat => body::utimensat(dir as c_int, path as _, times as _, flags);
    SYS_setxattr(path, name, value, len, flags) setxattr =>
        libc::setxattr(path as _, name as _, value as _, len as usize, 0, body::xattr_flags(flags));
    SYS_lsetxattr(path, name, value, len, flags) lsetxattr =>
        libc::setxattr(path as _, name as _, value as _, len as usize, 0, body::xattr_flags(flags) | libc::XATTR_NOFOLLOW);
    SYS_fsetxattr(fd, name, value, len, flags) fsetxattr =>
        libc::fsetxattr(fd as c_int, name as _, value as _, len as usize, 0, body::xattr_flags(flags));
    SYS_getxattr(path, name, value, len) getxattr => libc::getxattr(path as _, name as _, value as _, len as usize, 0, 0);
    SYS_lgetxattr(path, name, value, len) lgetxattr =>
        libc::getxattr(path as _, name as _, value as _, len as usize, 0, libc::XATTR_NOFOLLOW);
    SYS_fgetxattr(fd, name, value, len) fgetxattr =>
        libc::fgetxattr(fd as c_int, name as _, value as _, len as usize, 0, 0);
    SYS_listxattr(path, names, len) listxattr => libc::listxattr(path as _, names as _, len as usize, 0);
    SYS_llistxattr(path, names, len) llistxattr =>
        libc::listxattr(path as _, names as _, len as usize, libc::XATTR_NOFOLLOW);
    SYS_flistxattr(fd, names, len) flistxattr => libc::flistxattr(fd as c_int, names as _, len as usize, 0);
    SYS_removexattr(path, name) removexattr => libc::removexattr(path as _, name as _, 0);
    SYS_lremovexattr(path, name) lremovexattr => libc::removexattr(path as _, name as _, libc::XATTR_NOFOLLOW);
    SYS_fremovexattr(fd, name) fremovexattr => libc::fremovexattr(fd as c_int, name as _, 0);
    SYS_flock(fd, operation) flock => libc::flock(fd as c_int, operation as c_int);
    SYS_fcntl(fd, command, value) fcntl => body::fcntl(fd as c_int, command, value);
    SYS_getrandom(buffer, len, _flags) getrandom => body::getrandom(buffer as _, len as usize);
    SYS_clock_gettime(clock, time) clock_gettime => body::clock(libc::clock_gettime, clock, time as _);
    SYS_clock_getres(clock, time) clock_getres => body::clock(libc::clock_getres, clock, time as _);
    SYS_getrusage(who, usage) getrusage => body::getrusage(who as c_int, usage as _);
    SYS_times(buffer) times => body::times(buffer as _);
    SYS_prlimit64(pid, resource, new, old) prlimit64 => body::prlimit(pid as i32, resource as u32, new as _, old as _);
    // The flags are the host's already.
    SYS_openat(dir, path, flags, mode) openat => libc::openat(dir as c_int, path as _, flags as c_int, mode as libc::c_uint);
    SYS_memfd_create(_name, flags) memfd_create => body::memory_file(flags);
}

pub(in crate::host) use syscall;

/// What syscall(2) returns for a number that the host does not have.
///
/// # Safety
/// 1. None; it stands where syscall(2) does, whose callers promise theirs.
pub(in crate::host) unsafe fn absent() -> c_long {
    body::fail(libc::ENOSYS)
}
