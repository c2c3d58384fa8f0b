#![expect(unsafe_code, reason = "proc_pidinfo and the limits have no safe wrapper")]
//! Processes of macOS: proc_pidinfo(3), getrlimit(2).

use std::mem::MaybeUninit;

use super::{ProcessIdentity, Relation};
use crate::abi::{Errno, Pid, Tid};

/// `SZOMB` of `<sys/proc.h>`.
const SZOMB: u32 = 5;

/// Linux's number of a resource and macOS's. Both count bytes and seconds; Linux's `RLIMIT_SIGPENDING` and those after it
/// are not here.
const RESOURCES: [(u32, libc::c_int); 9] = [
    (0, libc::RLIMIT_CPU),
    (1, libc::RLIMIT_FSIZE),
    (2, libc::RLIMIT_DATA),
    (3, libc::RLIMIT_STACK),
    (4, libc::RLIMIT_CORE),
    (6, libc::RLIMIT_NPROC),
    (7, libc::RLIMIT_NOFILE),
    (8, libc::RLIMIT_MEMLOCK),
    (9, libc::RLIMIT_AS),
];

/// `RLIM_INFINITY` of Linux; macOS's is `i64::MAX`.
const INFINITY: u64 = u64::MAX;

/// What the kernel tells of a process, a zombie included.
fn information(pid: Pid) -> Option<libc::proc_bsdinfo> {
    let mut place = MaybeUninit::<libc::proc_bsdinfo>::uninit();
    let size = size_of::<libc::proc_bsdinfo>() as libc::c_int;
    // SAFETY: 1. the kernel writes at most `size` bytes; 2. the structure is whole where it says that it wrote as many.
    unsafe {
        let written = libc::proc_pidinfo(pid.0, libc::PROC_PIDTBSDINFO, 0, place.as_mut_ptr().cast(), size);
        (written == size).then(|| place.assume_init())
    }
}

fn own_information() -> Result<libc::proc_bsdinfo, Errno> {
    information(super::own_pid()).ok_or_else(|| nix::errno::Errno::last().into())
}

pub(super) fn was_started_with(_pid: Pid, _assignment: &[u8]) -> bool {
    false
}

pub(super) fn user_ids() -> Result<[u32; 3], Errno> {
    own_information().map(|own| [own.pbi_ruid, own.pbi_uid, own.pbi_svuid])
}

pub(super) fn group_ids() -> Result<[u32; 3], Errno> {
    own_information().map(|own| [own.pbi_rgid, own.pbi_gid, own.pbi_svgid])
}

/// Threads of other processes cannot be named here.
pub(super) fn process_of(_tid: Tid) -> Option<Pid> {
    None
}

pub(super) fn relation_of(pid: Pid) -> Option<Relation> {
    let process = information(pid)?;
    let id = |number: u32| Pid(number.cast_signed());
    Some(Relation { pid, parent: id(process.pbi_ppid), group: id(process.pbi_pgid), is_dead: false })
}

pub(super) fn all() -> std::io::Result<Vec<Pid>> {
    /// Room for those that begin between the two calls.
    const SPARE: usize = 64;
    // SAFETY: without a buffer the call only counts.
    let count = unsafe { libc::proc_listallpids(std::ptr::null_mut(), 0) };
    let mut ids = vec![0i32; usize::try_from(count).map_err(|_negative| std::io::Error::last_os_error())? + SPARE];
    let size = libc::c_int::try_from(size_of_val(ids.as_slice())).map_err(std::io::Error::other)?;
    // SAFETY: the call writes at most `size` bytes of ids.
    let count = unsafe { libc::proc_listallpids(ids.as_mut_ptr().cast(), size) };
    ids.truncate(usize::try_from(count).map_err(|_negative| std::io::Error::last_os_error())?);
    Ok(ids.into_iter().map(Pid).collect())
}

pub(super) fn is_zombie(pid: Pid) -> bool {
    information(pid).is_none_or(|process| process.pbi_status == SZOMB)
}

fn to_host(resource: u32) -> Option<libc::c_int> {
    RESOURCES.iter().find(|(linux, _)| *linux == resource).map(|(_, host)| *host)
}

/// What the host refuses stays as it is.
pub(super) fn set_limit(resource: u32, limit: [u64; 2]) {
    let _kept = change_limit(resource, limit);
}

/// What only Linux has cannot be changed.
pub(super) fn change_limit(resource: u32, limit: [u64; 2]) -> nix::Result<()> {
    let resource = to_host(resource).ok_or(nix::errno::Errno::EPERM)?;
    let [rlim_cur, rlim_max] = limit.map(|value| value.min(libc::RLIM_INFINITY));
    let limit = libc::rlimit { rlim_cur, rlim_max };
    // SAFETY: the call reads the structure.
    nix::errno::Errno::result(unsafe { libc::setrlimit(resource, &raw const limit) }).map(drop)
}

/// A resource that only Linux has is not limited.
pub(super) fn limit_of(resource: u32) -> Result<[u64; 2], Errno> {
    /// `RLIM_NLIMITS` of Linux.
    const RESOURCES_OF_LINUX: u32 = 16;
    let Some(resource) = to_host(resource) else {
        return if resource < RESOURCES_OF_LINUX { Ok([INFINITY; 2]) } else { Err(Errno::EINVAL) };
    };
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call writes the structure.
    if unsafe { libc::getrlimit(resource, &raw mut limit) } < 0 {
        return Err(nix::errno::Errno::last().into());
    }
    Ok([limit.rlim_cur, limit.rlim_max].map(|value| if value >= libc::RLIM_INFINITY { INFINITY } else { value }))
}

/// Start times are the host's own, to the microsecond: nothing tells them but the host.
pub(super) const fn start_time_between(_earliest_ns: u64, _latest_ns: u64) -> Option<u64> {
    None
}

/// The start time is in microseconds here, which tells bearers of an id apart as well as Linux's ticks do.
pub(super) fn identity_of(pid: Pid) -> Option<ProcessIdentity> {
    let process = information(pid)?;
    let start_time_ticks = process.pbi_start_tvsec * 1_000_000 + process.pbi_start_tvusec;
    Some(ProcessIdentity { pid, start_time_ticks, pid_namespace: 0 })
}
