#![expect(unsafe_code, reason = "calls on memory that is not Rust's")]
//! Bodies of the calls that Linux and macOS both have, with Linux's numbers and structures: those of `raw`'s table that take
//! more than a line. Each returns what syscall(2) does, and sets errno.

use std::mem::MaybeUninit;

use libc::{c_char, c_int, c_long, c_uint};
use zerocopy::IntoBytes;

use super::copy::{load, store};
use super::{children, clock, process};
use crate::abi::Pid;

/// -1, with this error.
pub(in crate::host) fn fail(errno: c_int) -> c_long {
    nix::errno::Errno::from_raw(errno).set();
    -1
}

/// `AT_*` of Linux. 0x200 means one thing to unlinkat(2) and another to faccessat(2); a flag that macOS does not have is
/// `EINVAL` there, which -1 is, too.
pub(in crate::host) const fn at_flags(linux: c_long, of_0x200: c_int) -> c_int {
    let mut flags = 0;
    if linux & !0x700 != 0 || linux & 0x200 != 0 && of_0x200 == 0 {
        return -1;
    }
    if linux & 0x100 != 0 {
        flags |= libc::AT_SYMLINK_NOFOLLOW;
    }
    if linux & 0x200 != 0 {
        flags |= of_0x200;
    }
    if linux & 0x400 != 0 {
        flags |= libc::AT_SYMLINK_FOLLOW;
    }
    flags
}

/// `SEEK_DATA` and `SEEK_HOLE` are 3 and 4 on Linux, and 4 and 3 here.
pub(in crate::host) const fn whence(linux: c_long) -> c_int {
    match linux {
        3 => libc::SEEK_DATA,
        4 => libc::SEEK_HOLE,
        common => common as c_int,
    }
}

/// `RENAME_NOREPLACE` and `RENAME_EXCHANGE`; there are no whiteouts here.
pub(in crate::host) const fn rename_flags(linux: c_long) -> c_uint {
    match linux {
        0 => 0,
        1 => libc::RENAME_EXCL,
        2 => libc::RENAME_SWAP,
        _unknown => c_uint::MAX,
    }
}

/// `XATTR_CREATE` and `XATTR_REPLACE`.
pub(in crate::host) const fn xattr_flags(linux: c_long) -> c_int {
    match linux {
        0 => 0,
        1 => libc::XATTR_CREATE,
        2 => libc::XATTR_REPLACE,
        _unknown => -1,
    }
}

/// As Linux's kernel answers: 20 minus the nice value.
///
/// # Safety
/// None; it stands where syscall(2) does.
pub(super) unsafe fn getpriority(which: c_int, who: u32) -> c_long {
    nix::errno::Errno::clear();
    // SAFETY: the call takes no pointers.
    let nice = unsafe { libc::getpriority(which, who) };
    // -1 may be a nice value.
    if nice == -1 && nix::errno::Errno::last_raw() != 0 { -1 } else { c_long::from(20 - nice) }
}

/// FIFOs and, for the superuser, devices.
///
/// # Safety
/// The path is null or a string.
pub(super) unsafe fn mknodat(dir: c_int, path: *const c_char, mode: c_long, device: u32) -> c_int {
    let (kind, mode) = (mode as libc::mode_t & libc::S_IFMT, mode as libc::mode_t);
    let (major, minor) = (crate::abi::stat::major(device.into()), crate::abi::stat::minor(device.into()));
    // SAFETY: see above; both calls only read the path.
    unsafe {
        if kind == libc::S_IFIFO {
            libc::mkfifoat(dir, path, mode & !libc::S_IFMT)
        } else {
            libc::mknodat(dir, path, mode, (major << 24 | minor & 0x00ff_ffff).cast_signed())
        }
    }
}

/// # Safety
/// The buffer is foreign.
pub(super) unsafe fn getcwd(buffer: *mut u8, len: usize) -> c_long {
    let Ok(directory) = std::env::current_dir() else { return -1 };
    let mut bytes = directory.into_os_string().into_encoded_bytes();
    bytes.push(0);
    if bytes.len() > len {
        return fail(libc::ERANGE);
    }
    // SAFETY: see above; there is room.
    unsafe { store(buffer, &bytes, bytes.len() as c_long) }
}

/// # Safety
/// The path is null or a string, the times are null or foreign.
pub(super) unsafe fn utimensat(dir: c_int, path: *const c_char, times: *const u8, flags: c_long) -> c_int {
    /// `UTIME_NOW` and `UTIME_OMIT` of Linux.
    const NOW: i64 = 0x3fff_ffff;
    const OMIT: i64 = 0x3fff_fffe;
    let nanoseconds = |linux| match linux {
        NOW => libc::UTIME_NOW.into(),
        OMIT => libc::UTIME_OMIT.into(),
        count => count,
    };
    let mut host = None;
    if !times.is_null() {
        // SAFETY: see above.
        let Some([access, access_ns, change, change_ns]) = (unsafe { load::<4>(times) }) else { return -1 };
        host = Some(
            [(access, access_ns), (change, change_ns)]
                .map(|(tv_sec, ns)| libc::timespec { tv_sec, tv_nsec: nanoseconds(ns) }),
        );
    }
    let host = host.as_ref().map_or(std::ptr::null(), |times| times.as_ptr());
    // SAFETY: see above; the times are null or two.
    unsafe {
        // Linux's way to name the descriptor itself.
        if path.is_null() { libc::futimens(dir, host) } else { libc::utimensat(dir, path, host, at_flags(flags, 0)) }
    }
}

/// Flags of descriptors and, in the host's numbers, of files; owners. Locks have a structure of their own here.
///
/// # Safety
/// None; it stands where syscall(2) does.
pub(super) unsafe fn fcntl(fd: c_int, command: c_long, value: c_long) -> c_long {
    let command = match command {
        1 => libc::F_GETFD,
        2 => libc::F_SETFD,
        3 => libc::F_GETFL,
        4 => libc::F_SETFL,
        8 => libc::F_SETOWN,
        9 => libc::F_GETOWN,
        _unknown => return fail(libc::EINVAL),
    };
    // SAFETY: these commands take a number or nothing.
    unsafe { libc::fcntl(fd, command, value as c_int) }.into()
}

/// # Safety
/// The buffer is foreign.
pub(super) unsafe fn getrandom(buffer: *mut u8, len: usize) -> c_long {
    /// Most bytes of one getentropy(2); Linux may give fewer than asked for above it, too.
    const MOST: usize = 256;
    let len = len.min(MOST);
    // SAFETY: the kernel checks the buffer.
    let result = unsafe { libc::getentropy(buffer.cast(), len) };
    if result == 0 { len as c_long } else { -1 }
}

/// clock_gettime(3) or clock_getres(3).
///
/// # Safety
/// The place is null or foreign.
pub(super) unsafe fn clock(
    call: unsafe extern "C" fn(libc::clockid_t, *mut libc::timespec) -> c_int,
    linux: c_long,
    place: *mut u8,
) -> c_long {
    let Some(clock) = clock::of_linux(linux as i32) else { return fail(libc::EINVAL) };
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the call writes one time.
    if unsafe { call(clock, &raw mut time) } < 0 {
        return -1;
    }
    if place.is_null() {
        return 0;
    }
    // SAFETY: see above.
    unsafe { store(place, [time.tv_sec, time.tv_nsec].as_bytes(), 0) }
}

/// # Safety
/// The place is foreign.
pub(super) unsafe fn getrusage(who: c_int, place: *mut u8) -> c_long {
    let mut words = [0u64; 18];
    // SAFETY: a rusage has as many words here, too.
    if unsafe { libc::getrusage(who, words.as_mut_ptr().cast()) } < 0 {
        return -1;
    }
    // SAFETY: see above.
    unsafe { store(place, children::usage(words).as_bytes(), 0) }
}

const _: () = assert!(size_of::<libc::rusage>() == 18 * 8);

/// Ticks are hundredths of a second on both; the moment from which they count is nobody's to rely on.
///
/// # Safety
/// The place is null or foreign.
pub(super) unsafe fn times(place: *mut u8) -> c_long {
    let mut times = MaybeUninit::<libc::tms>::zeroed();
    // SAFETY: the call writes the structure, for which zero is valid.
    let (now, times) = unsafe { (libc::times(times.as_mut_ptr()), times.assume_init()) };
    if place.is_null() {
        return now as c_long;
    }
    let words = [times.tms_utime, times.tms_stime, times.tms_cutime, times.tms_cstime];
    // SAFETY: see above.
    unsafe { store(place, words.as_bytes(), now as c_long) }
}

/// Of the own process alone: macOS does not change another's.
///
/// # Safety
/// Both places are null or foreign.
pub(super) unsafe fn prlimit(pid: i32, resource: u32, new: *const u8, old: *mut u8) -> c_long {
    if pid != 0 && Pid(pid) != process::own_pid() {
        return fail(libc::EPERM);
    }
    let Ok(before) = process::limit_of(resource) else { return fail(libc::EINVAL) };
    if !new.is_null() {
        // SAFETY: see above.
        let Some(limit) = (unsafe { load::<2>(new) }) else { return -1 };
        if let Err(errno) = process::change_limit(resource, limit.map(i64::cast_unsigned)) {
            return fail(errno as c_int);
        }
    }
    if old.is_null() {
        return 0;
    }
    // SAFETY: see above.
    unsafe { store(old, before.as_bytes(), 0) }
}

/// A file without a name: macOS has no memory files that read(2) and write(2) take.
///
/// # Safety
/// None; it stands where syscall(2) does.
pub(super) unsafe fn memory_file(flags: c_long) -> c_long {
    /// `MFD_CLOEXEC` of Linux; sealing is not here.
    const CLOEXEC: c_long = 1;
    let Ok(file) = file_without_name() else { return -1 };
    let closes = if flags & CLOEXEC != 0 { libc::FD_CLOEXEC } else { 0 };
    // SAFETY: the call takes a number.
    let result = unsafe { libc::fcntl(file, libc::F_SETFD, closes) };
    if result < 0 { -1 } else { file.into() }
}

fn file_without_name() -> Result<c_int, ()> {
    let mut template = std::env::temp_dir().join("elfuse.XXXXXX").into_os_string().into_encoded_bytes();
    template.push(0);
    // SAFETY: the template is a string of its own, whose last letters the call replaces; then it is only read.
    unsafe {
        let file = libc::mkstemp(template.as_mut_ptr().cast());
        if file < 0 {
            return Err(());
        }
        libc::unlink(template.as_ptr().cast());
        Ok(file)
    }
}
