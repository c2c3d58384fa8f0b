#![expect(unsafe_code, reason = "calls on memory that is not Rust's")]
//! statx(2) over fstatat(2). Sources: statx(2), Linux `include/uapi/linux/stat.h`.

use std::mem::MaybeUninit;

use libc::{c_char, c_int, c_long};
use zerocopy::{Immutable, IntoBytes};

use super::copy::store;
use super::metadata::device_number;
use super::posix::{at_flags, fail};
use crate::abi::stat::{major, minor};

/// `STATX_BASIC_STATS | STATX_BTIME`.
const MASK: u32 = 0xfff;
/// `AT_EMPTY_PATH`.
const EMPTY_PATH: c_long = 0x1000;
/// `AT_STATX_FORCE_SYNC`, `AT_STATX_DONT_SYNC`, `AT_NO_AUTOMOUNT`: nothing to do here.
const HINTS: c_long = 0x6800;

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
    padding: u32,
}

/// `struct statx`.
#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Statx {
    mask: u32,
    block_size: u32,
    attributes: u64,
    links: u32,
    uid: u32,
    gid: u32,
    mode: u16,
    padding: u16,
    inode: u64,
    size: u64,
    blocks: u64,
    attributes_mask: u64,
    times: [Timestamp; 4],
    special_device: [u32; 2],
    device: [u32; 2],
    rest: [u64; 14],
}

const _: () = assert!(size_of::<Statx>() == 256);

/// # Safety
/// The path is a string, the place is foreign.
pub(super) unsafe fn statx(dir: c_int, path: *const c_char, flags: c_long, place: *mut u8) -> c_long {
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    // SAFETY: 1. the path is only read; 2. the structure is the call's; zero is valid for it.
    let (result, stat) = unsafe {
        let result = if *path == 0 && flags & EMPTY_PATH != 0 {
            libc::fstat(dir, stat.as_mut_ptr())
        } else {
            libc::fstatat(dir, path, stat.as_mut_ptr(), at_flags(flags & !(HINTS | EMPTY_PATH), 0))
        };
        (result, stat.assume_init())
    };
    if result < 0 {
        return -1;
    }
    let Some(statx) = to_linux(&stat) else { return fail(libc::EOVERFLOW) };
    // SAFETY: see above.
    unsafe { store(place, statx.as_bytes(), 0) }
}

fn to_linux(stat: &libc::stat) -> Option<Statx> {
    let time = |seconds, ns: i64| Some(Timestamp { seconds, nanoseconds: u32::try_from(ns).ok()?, padding: 0 });
    let numbers = |device| [major(device_number(device)), minor(device_number(device))];
    Some(Statx {
        mask: MASK,
        block_size: stat.st_blksize.cast_unsigned(),
        attributes: 0,
        links: stat.st_nlink.into(),
        uid: stat.st_uid,
        gid: stat.st_gid,
        mode: stat.st_mode,
        padding: 0,
        inode: stat.st_ino,
        size: stat.st_size.cast_unsigned(),
        blocks: stat.st_blocks.cast_unsigned(),
        attributes_mask: 0,
        // Access, birth, change of metadata, change of contents.
        times: [
            time(stat.st_atime, stat.st_atime_nsec)?,
            time(stat.st_birthtime, stat.st_birthtime_nsec)?,
            time(stat.st_ctime, stat.st_ctime_nsec)?,
            time(stat.st_mtime, stat.st_mtime_nsec)?,
        ],
        special_device: numbers(stat.st_rdev),
        device: numbers(stat.st_dev),
        rest: [0; 14],
    })
}
