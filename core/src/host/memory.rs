//! Host memory primitives: page size, reservation, fixed mappings, memory files.
//!
//! `mem::window` and the back ends build the guest's address space from these. Sources: mmap(2), mremap(2),
//! memfd_create(2), mincore(2).

#![expect(unsafe_code, reason = "host memory mappings")]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::ptr::{self, NonNull};

/// The host's page size in bytes.
#[must_use]
pub fn page_size() -> usize {
    // SAFETY: sysconf(3) with a known name.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    usize::try_from(size).unwrap_or(4096)
}

/// Reserves `len_bytes` of address space without access rights or commitment.
///
/// # Errors
/// mmap(2) failed: `ENOMEM` where the address space is limited (RLIMIT_AS).
pub fn reserve(len_bytes: usize) -> io::Result<NonNull<u8>> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping at a place of the kernel's choice.
    let base = unsafe { libc::mmap(ptr::null_mut(), len_bytes, libc::PROT_NONE, flags, -1, 0) };
    if base == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    NonNull::new(base.cast()).ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))
}

/// What a fixed mapping shows.
#[derive(Clone, Copy, Debug)]
pub enum Source<'fd> {
    /// Zero-filled private memory; not accounted as committed.
    Anonymous,
    /// A file from `offset`, shared or copy-on-write.
    File {
        /// The file.
        file: BorrowedFd<'fd>,
        /// Offset in bytes, a multiple of the page size.
        offset: u64,
        /// True for MAP_SHARED.
        is_shared: bool,
    },
    /// A System V shared memory segment from `offset`.
    Segment {
        /// Its identifier.
        id: i32,
        /// Offset in bytes, a multiple of the page size.
        offset: u64,
        /// False to attach it with `SHM_RDONLY`.
        is_writable: bool,
    },
}

/// Maps `len_bytes` at `place`, replacing what is there. `prot` is the host's.
///
/// # Safety
/// The range belongs to a reservation of the caller, and no Rust reference points into it.
///
/// # Errors
/// mmap(2) failed. What was mapped is either untouched or gone; gone, the range is reserved again.
pub unsafe fn map_fixed(place: *mut u8, len_bytes: usize, prot: i32, source: Source<'_>) -> io::Result<()> {
    let (flags, fd, offset) = match source {
        Source::Anonymous => (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1, 0),
        Source::File { file, offset, is_shared } => {
            let kind = if is_shared { libc::MAP_SHARED } else { libc::MAP_PRIVATE };
            let offset = libc::off_t::try_from(offset).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))?;
            (kind | libc::MAP_NORESERVE, file.as_raw_fd(), offset)
        }
        Source::Segment { id, offset, is_writable } => {
            let offset = usize::try_from(offset).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?;
            // SAFETY: the caller's promise.
            return unsafe { attach_fixed(place, len_bytes, prot, (id, offset), is_writable) };
        }
    };
    // SAFETY: the caller's promise.
    let result = unsafe { libc::mmap(place.cast(), len_bytes, prot, flags | libc::MAP_FIXED, fd, offset) };
    if result != libc::MAP_FAILED {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    #[cfg(target_os = "linux")]
    // SAFETY: the caller's promise.
    unsafe {
        reserve_hole(place, len_bytes);
    }
    Err(error)
}

/// Reserves a range again out of which a call that failed has taken the old mapping.
///
/// # Safety
/// The range belonged to a reservation of the caller before the call.
#[cfg(target_os = "linux")]
unsafe fn reserve_hole(place: *mut u8, len_bytes: usize) {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_FIXED_NOREPLACE;
    // SAFETY: nothing is replaced: this succeeds only where there is a hole.
    unsafe { libc::mmap(place.cast(), len_bytes, libc::PROT_NONE, flags, -1, 0) };
}

/// Attaches a part of a System V segment at `place`: the whole somewhere else, from where the part is moved, since
/// shmat(2) knows no parts, and would replace whatever lies around one.
///
/// # Safety
/// As [`map_fixed`].
#[cfg(target_os = "linux")]
unsafe fn attach_fixed(
    place: *mut u8,
    len_bytes: usize,
    prot: i32,
    (id, offset): (i32, usize),
    is_writable: bool,
) -> io::Result<()> {
    let flags = if is_writable { 0 } else { libc::SHM_RDONLY };
    // SAFETY: at a place of the kernel's choice.
    let whole = unsafe { libc::shmat(id, ptr::null(), flags) };
    if whole == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let (part, flags) = (whole.wrapping_byte_add(offset), libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED);
    // SAFETY: 1. the caller's promise for `place`; 2. the old place is this function's own, and a part that goes beyond
    // the segment is EFAULT.
    let moved = unsafe { libc::mremap(part, len_bytes, len_bytes, flags, place) };
    let error = io::Error::last_os_error();
    // SAFETY: detaches what is left of the attachment above, and nothing (EINVAL) where all of it was moved.
    unsafe { libc::shmdt(whole) };
    if moved == libc::MAP_FAILED {
        // SAFETY: the caller's promise.
        unsafe { reserve_hole(place, len_bytes) };
        return Err(error);
    }
    // SAFETY: the caller's promise.
    unsafe { protect(place, len_bytes, prot) }
}

/// macOS cannot move a mapping.
#[cfg(target_os = "macos")]
unsafe fn attach_fixed(
    _place: *mut u8,
    _len_bytes: usize,
    _prot: i32,
    _segment: (i32, usize),
    _is_writable: bool,
) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// Changes the host rights of a range.
///
/// # Safety
/// The range belongs to a reservation of the caller.
///
/// # Errors
/// mprotect(2) failed.
pub unsafe fn protect(place: *mut u8, len_bytes: usize, prot: i32) -> io::Result<()> {
    // SAFETY: the caller's promise.
    check(unsafe { libc::mprotect(place.cast(), len_bytes, prot) })
}

/// Passes an advice of madvise(2) on.
///
/// # Safety
/// The range belongs to a reservation of the caller, who accepts what the advice does to its contents.
///
/// # Errors
/// madvise(2) failed.
pub unsafe fn advise(place: *mut u8, len_bytes: usize, advice: i32) -> io::Result<()> {
    // SAFETY: the caller's promise.
    check(unsafe { libc::madvise(place.cast(), len_bytes, advice) })
}

/// Writes a range of shared file mappings back, with the flags of msync(2).
///
/// # Safety
/// The range belongs to a reservation of the caller.
///
/// # Errors
/// msync(2) failed.
pub unsafe fn sync(place: *mut u8, len_bytes: usize, flags: i32) -> io::Result<()> {
    // SAFETY: the caller's promise.
    check(unsafe { libc::msync(place.cast(), len_bytes, flags) })
}

/// Tells for each page of a range whether it is resident (bit 0 of its byte), as mincore(2) does.
///
/// # Safety
/// The range belongs to a reservation of the caller.
///
/// # Errors
/// mincore(2) failed.
pub unsafe fn resident(place: *mut u8, pages: &mut [u8]) -> io::Result<()> {
    // SAFETY: the caller's promise; the vector has one byte for each page.
    check(unsafe { libc::mincore(place.cast(), pages.len() * page_size(), pages.as_mut_ptr().cast()) })
}

/// What the host tells of a page of this process.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct PageState {
    /// It is in memory.
    pub is_present: bool,
    /// It has been moved out of memory.
    pub is_swapped: bool,
    /// It is a file's, or shared memory.
    pub is_file: bool,
    /// No other process has it.
    pub is_exclusive: bool,
}

/// The states of the pages from `place` on, as many as `pages` has room for. Source: Documentation/admin-guide/mm/pagemap.rst
/// of Linux.
///
/// # Errors
/// The host's errno; `ENOSYS` where the host does not tell.
pub fn page_states(place: *const u8, pages: &mut [PageState]) -> io::Result<()> {
    use std::os::unix::fs::FileExt;
    const PRESENT: u64 = 1 << 63;
    const SWAPPED: u64 = 1 << 62;
    const FILE: u64 = 1 << 61;
    const EXCLUSIVE: u64 = 1 << 56;
    if cfg!(not(target_os = "linux")) {
        return Err(io::Error::from_raw_os_error(libc::ENOSYS));
    }
    let mut entries = vec![0; pages.len() * size_of::<u64>()];
    let first = place.addr() / page_size();
    let offset = first as u64 * size_of::<u64>() as u64;
    std::fs::File::open("/proc/self/pagemap")?.read_exact_at(&mut entries, offset)?;
    for (page, entry) in pages.iter_mut().zip(entries.as_chunks().0) {
        let entry = u64::from_ne_bytes(*entry);
        let has = |bit| entry & bit != 0;
        *page = PageState {
            is_present: has(PRESENT),
            is_swapped: has(SWAPPED),
            is_file: has(FILE),
            is_exclusive: has(EXCLUSIVE),
        };
    }
    Ok(())
}

/// Moves the pages of one range to another place, where they replace what is there. The old place stays mapped, without
/// contents of its own: the caller maps something over it.
///
/// The range may consist of several host mappings: a move that the host refuses for that reason is halved until
/// each part lies in one.
///
/// # Safety
/// Both ranges belong to reservations of the caller, do not overlap, and no Rust reference points into them.
///
/// # Errors
/// mremap(2) failed; parts may have moved.
#[cfg(target_os = "linux")]
pub unsafe fn relocate(from: *mut u8, to: *mut u8, len_bytes: usize) -> io::Result<()> {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED | libc::MREMAP_DONTUNMAP;
    // SAFETY: the caller's promise. MREMAP_DONTUNMAP leaves no hole at the old place that the host could fill.
    let moved = unsafe { libc::mremap(from.cast(), len_bytes, len_bytes, flags, to) };
    if moved != libc::MAP_FAILED {
        return Ok(());
    }
    let error = io::Error::last_os_error();
    let pages = len_bytes / page_size();
    if error.raw_os_error() != Some(libc::EFAULT) || pages < 2 {
        return Err(error);
    }
    let half = pages / 2 * page_size();
    // SAFETY: the halves are parts of the caller's ranges.
    unsafe {
        relocate(from, to, half)?;
        relocate(from.wrapping_add(half), to.wrapping_add(half), len_bytes - half)
    }
}

/// Makes a file that lives in memory only, of `len_bytes` zero bytes, closed on exec.
///
/// # Errors
/// memfd_create(2) or ftruncate(2) failed.
#[cfg(target_os = "linux")]
pub fn memory_file(name: &std::ffi::CStr, len_bytes: u64) -> io::Result<OwnedFd> {
    use nix::sys::memfd::{MFdFlags, memfd_create};
    let file = memfd_create(name, MFdFlags::MFD_CLOEXEC)?;
    let len = libc::off_t::try_from(len_bytes).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
    nix::unistd::ftruncate(&file, len)?;
    Ok(file)
}

/// Gives pages of a memory file back: they are holes afterwards, which read as zeros.
///
/// # Errors
/// fallocate(2) failed.
#[cfg(target_os = "linux")]
pub fn discard(file: BorrowedFd<'_>, offset: u64, len_bytes: u64) -> io::Result<()> {
    use nix::fcntl::{FallocateFlags, fallocate};
    let number = |value| libc::off_t::try_from(value).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW));
    let flags = FallocateFlags::FALLOC_FL_PUNCH_HOLE | FallocateFlags::FALLOC_FL_KEEP_SIZE;
    Ok(fallocate(file, flags, number(offset)?, number(len_bytes)?)?)
}

/// As on Linux. Memory objects of macOS have no holes.
///
/// # Errors
/// `ENOTSUP`, always.
#[cfg(target_os = "macos")]
pub fn discard(_file: BorrowedFd<'_>, _offset: u64, _len_bytes: u64) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// The offset of the first page of a memory file from `offset` on that is no hole; `None` where only holes follow.
///
/// # Errors
/// lseek(2) failed.
#[cfg(target_os = "linux")]
pub fn next_data(file: BorrowedFd<'_>, offset: u64) -> io::Result<Option<u64>> {
    use nix::unistd::{Whence, lseek};
    let start = libc::off_t::try_from(offset).map_err(|_| io::Error::from_raw_os_error(libc::EOVERFLOW))?;
    match lseek(file, start, Whence::SeekData) {
        Ok(found) => Ok(Some(found.cast_unsigned())),
        Err(nix::errno::Errno::ENXIO) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// As on Linux. Memory objects of macOS have no holes.
///
/// # Errors
/// `ENOTSUP`, always.
#[cfg(target_os = "macos")]
pub fn next_data(_file: BorrowedFd<'_>, _offset: u64) -> io::Result<Option<u64>> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// Has a private mapping be zeros in the child of a fork, whatever the parent has there.
///
/// # Safety
/// The range is mapped, and zeros are valid for everything in it.
///
/// # Errors
/// madvise(2) failed: `EINVAL` before Linux 4.14.
#[cfg(target_os = "linux")]
pub unsafe fn wipe_on_fork(start: NonNull<libc::c_void>, len_bytes: usize) -> io::Result<()> {
    // SAFETY: the caller's promise.
    check(unsafe { libc::madvise(start.as_ptr(), len_bytes, libc::MADV_WIPEONFORK) })
}

/// As on Linux. macOS has nothing like it.
///
/// # Safety
/// As on Linux.
///
/// # Errors
/// `ENOTSUP`, always.
#[cfg(target_os = "macos")]
pub unsafe fn wipe_on_fork(_start: NonNull<libc::c_void>, _len_bytes: usize) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// Has the pages of a shared mapping of a file made, so that no store to them finds the disk full.
///
/// # Safety
/// The range is mapped for writing, and whatever it holds may be read and written back by anybody.
///
/// # Errors
/// madvise(2) `MADV_POPULATE_WRITE`: `EFAULT` where a store would be SIGBUS. A kernel before 5.14 cannot tell, which is
/// no error.
#[cfg(target_os = "linux")]
pub unsafe fn make_pages(start: *mut u8, len_bytes: usize) -> io::Result<()> {
    let first = start.map_addr(|address| address & !(page_size() - 1));
    let len_bytes = len_bytes + (start.addr() - first.addr());
    // SAFETY: the caller's promise covers the range; its first page is widened to begin at the page's start.
    match check(unsafe { libc::madvise(first.cast(), len_bytes, libc::MADV_POPULATE_WRITE) }) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => Ok(()),
        done => done,
    }
}

/// As on Linux, where there is no way to tell.
///
/// # Safety
/// As on Linux.
///
/// # Errors
/// None.
#[cfg(target_os = "macos")]
pub unsafe fn make_pages(_start: *mut u8, _len_bytes: usize) -> io::Result<()> {
    Ok(())
}

/// As on Linux. macOS has no call that moves a mapping and keeps its file.
///
/// # Safety
/// As on Linux.
///
/// # Errors
/// `ENOTSUP`, always.
#[cfg(target_os = "macos")]
pub unsafe fn relocate(_from: *mut u8, _to: *mut u8, _len_bytes: usize) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(libc::ENOTSUP))
}

/// As on Linux: a shared memory object that has lost its name.
///
/// # Errors
/// shm_open(2) or ftruncate(2) failed.
#[cfg(target_os = "macos")]
pub fn memory_file(name: &std::ffi::CStr, len_bytes: u64) -> io::Result<OwnedFd> {
    use nix::fcntl::OFlag;
    use nix::sys::mman::{shm_open, shm_unlink};
    use nix::sys::stat::Mode;
    use std::sync::atomic::{AtomicU64, Ordering};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let unique = format!("/{}-{}-{}", name.to_string_lossy(), std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_EXCL;
    let file = shm_open(unique.as_str(), flags, Mode::S_IRUSR | Mode::S_IWUSR)?;
    shm_unlink(unique.as_str())?;
    let len = libc::off_t::try_from(len_bytes).map_err(|_| io::Error::from_raw_os_error(libc::ENOMEM))?;
    nix::unistd::ftruncate(&file, len)?;
    Ok(file)
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
