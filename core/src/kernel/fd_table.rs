//! [`FdTable`]: guest descriptor numbers, each an [`OpenFile`] (`open_file.rs`) and a close-on-exec flag.
//!
//! Guest numbers are virtual: a host number never shows, so elfuse's own descriptors cannot collide with the guest's.
//! The host descriptor of an open file closes with its last use, as a Linux file does: a close(2) while another thread
//! sleeps in a read of the same file does not pull the host number from under it. Sources: open(2), dup(2),
//! close_range(2), `fs/file.c` of Linux.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::open_file::OpenFile;
use crate::abi::{Errno, Fd};
use crate::host::signal::HostSignalState;

/// A used slot of the table.
#[derive(Clone, Debug)]
struct Slot {
    file: Arc<OpenFile>,
    is_close_on_exec: bool,
}

/// A descriptor as fork and listings see it.
#[derive(Clone, Debug)]
pub struct FdEntry {
    /// The guest's number.
    pub fd: Fd,
    /// `FD_CLOEXEC`.
    pub is_close_on_exec: bool,
    /// The file.
    pub file: Arc<OpenFile>,
}

/// The descriptor table of one or more tasks (`CLONE_FILES`).
#[derive(Debug)]
pub struct FdTable {
    slots: Mutex<Slots>,
}

#[derive(Clone, Debug)]
struct Slots {
    slots: Vec<Option<Slot>>,
    /// `RLIMIT_NOFILE`, soft: one more than the highest number that can be given out.
    limit: usize,
}

/// A [`FdTable`] that nobody else changes.
pub struct HeldFiles<'table> {
    slots: MutexGuard<'table, Slots>,
}

impl HeldFiles<'_> {
    /// The host's numbers of all files.
    pub fn host_numbers(&self) -> impl Iterator<Item = i32> {
        self.slots.slots.iter().flatten().map(|slot| slot.file.as_fd().as_raw_fd())
    }
}

impl Slots {
    fn get(&self, fd: Fd) -> Result<&Slot, Errno> {
        usize::try_from(fd.0).ok().and_then(|index| self.slots.get(index)?.as_ref()).ok_or(Errno::EBADF)
    }

    fn get_mut(&mut self, fd: Fd) -> Result<&mut Slot, Errno> {
        usize::try_from(fd.0).ok().and_then(|index| self.slots.get_mut(index)?.as_mut()).ok_or(Errno::EBADF)
    }

    fn put(&mut self, index: usize, slot: Slot) -> Result<(Fd, Option<Slot>), Errno> {
        let fd = i32::try_from(index).map(Fd).map_err(|_| Errno::EMFILE)?;
        if index >= self.slots.len() {
            self.slots.resize(index + 1, None);
        }
        Ok((fd, self.slots[index].replace(slot)))
    }

    fn lowest_free(&self, minimum: usize) -> usize {
        let used = self.slots.iter().skip(minimum).position(Option::is_none);
        used.map_or(self.slots.len().max(minimum), |offset| minimum + offset)
    }
}

/// How many numbers a table gives out unless `RLIMIT_NOFILE` says otherwise: Linux's default.
pub const DEFAULT_LIMIT: u64 = 1024;

/// No table grows beyond this many numbers (`fs.nr_open` of Linux).
const NR_OPEN: u64 = 1 << 20;

impl Default for FdTable {
    fn default() -> Self {
        Self::new(DEFAULT_LIMIT)
    }
}

impl FdTable {
    /// An empty table that gives out numbers below `limit`.
    #[must_use]
    pub fn new(limit: u64) -> Self {
        let limit = usize::try_from(limit.min(NR_OPEN)).unwrap_or(0);
        Self { slots: Mutex::new(Slots { slots: Vec::new(), limit }) }
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // Every change of the table is one assignment, so that a panic elsewhere leaves it usable.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file behind a number.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn get(&self, fd: Fd) -> Result<Arc<OpenFile>, Errno> {
        self.lock().get(fd).map(|slot| slot.file.clone())
    }

    /// Gives the file the lowest free number.
    ///
    /// # Errors
    /// `EMFILE` at the limit.
    pub fn add(&self, file: Arc<OpenFile>, is_close_on_exec: bool) -> Result<Fd, Errno> {
        self.add_from(0, file, is_close_on_exec)
    }

    /// Gives the file the lowest free number that is at least `minimum` (`F_DUPFD`).
    ///
    /// # Errors
    /// `EINVAL` when `minimum` is beyond the limit, `EMFILE` at the limit.
    pub fn add_from(&self, minimum: u64, file: Arc<OpenFile>, is_close_on_exec: bool) -> Result<Fd, Errno> {
        let mut slots = self.lock();
        let minimum = usize::try_from(minimum).map_err(|_| Errno::EINVAL)?;
        if minimum != 0 && minimum >= slots.limit {
            return Err(Errno::EINVAL);
        }
        let index = slots.lowest_free(minimum);
        if index >= slots.limit {
            return Err(Errno::EMFILE);
        }
        slots.put(index, Slot { file, is_close_on_exec }).map(|(fd, _free)| fd)
    }

    /// Gives two files their numbers, or neither (pipe2, socketpair).
    ///
    /// # Errors
    /// `EMFILE` at the limit.
    pub fn add_pair(&self, files: [Arc<OpenFile>; 2], is_close_on_exec: bool) -> Result<[Fd; 2], Errno> {
        let [first_file, second_file] = files;
        let first = self.add(first_file, is_close_on_exec)?;
        match self.add(second_file, is_close_on_exec) {
            Ok(second) => Ok([first, second]),
            Err(errno) => {
                let _still_there = self.close(first);
                Err(errno)
            }
        }
    }

    /// Puts the file at exactly this number, closing what was there (dup3, and inheriting).
    ///
    /// # Errors
    /// `EBADF` for a number outside the limit.
    pub fn set(&self, fd: Fd, file: Arc<OpenFile>, is_close_on_exec: bool) -> Result<(), Errno> {
        let mut slots = self.lock();
        let index = usize::try_from(fd.0).map_err(|_| Errno::EBADF)?;
        if index >= slots.limit {
            return Err(Errno::EBADF);
        }
        let replaced = slots.put(index, Slot { file, is_close_on_exec })?;
        // A host close may take long: after the lock.
        drop(slots);
        drop(replaced);
        Ok(())
    }

    /// close(2).
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&self, fd: Fd) -> Result<Arc<OpenFile>, Errno> {
        let mut slots = self.lock();
        slots.get(fd)?;
        let index = usize::try_from(fd.0).map_err(|_| Errno::EBADF)?;
        slots.slots[index].take().map(|slot| slot.file).ok_or(Errno::EBADF)
    }

    /// Closes the numbers `first..=last`.
    pub fn close_range(&self, first: u32, last: u32) {
        drop(self.take_where(|fd, _| (first..=last).contains(&fd.0.cast_unsigned())));
    }

    /// Marks the numbers `first..=last` close-on-exec.
    pub fn set_close_on_exec_range(&self, first: u32, last: u32) {
        let mut slots = self.lock();
        let end = slots.slots.len().min(last as usize + 1);
        let range = (first as usize).min(end)..end;
        slots.slots[range].iter_mut().flatten().for_each(|slot| slot.is_close_on_exec = true);
    }

    /// Closes what execve(2) closes.
    pub fn close_on_exec(&self) {
        drop(self.take_where(|_, slot| slot.is_close_on_exec));
    }

    /// Takes slots out, to be dropped after the lock.
    fn take_where(&self, mut is_unwanted: impl FnMut(Fd, &Slot) -> bool) -> Vec<Option<Slot>> {
        let mut slots = self.lock();
        let numbered = slots.slots.iter_mut().zip(0..);
        numbered
            .filter(|(slot, number)| slot.as_ref().is_some_and(|slot| is_unwanted(Fd(*number), slot)))
            .map(|(slot, _)| slot.take())
            .collect()
    }

    /// `FD_CLOEXEC` of a number.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn is_close_on_exec(&self, fd: Fd) -> Result<bool, Errno> {
        self.lock().get(fd).map(|slot| slot.is_close_on_exec)
    }

    /// Changes `FD_CLOEXEC` of a number.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn set_close_on_exec(&self, fd: Fd, is_close_on_exec: bool) -> Result<(), Errno> {
        self.lock().get_mut(fd).map(|slot| slot.is_close_on_exec = is_close_on_exec)
    }

    /// Follows a change of `RLIMIT_NOFILE`. Numbers in use beyond it stay usable, as on Linux.
    pub fn set_limit(&self, limit: u64) {
        self.lock().limit = usize::try_from(limit.min(NR_OPEN)).unwrap_or(0);
    }

    /// One more than the highest number that is given out, for fork.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.lock().limit as u64
    }

    /// A table of its own with the same files: clone(2) without `CLONE_FILES`, and execve(2) of a shared table.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { slots: Mutex::new(self.lock().clone()) }
    }

    /// All used numbers in order, for fork images and /proc/self/fd.
    #[must_use]
    pub fn entries(&self) -> Vec<FdEntry> {
        let slots = self.lock();
        let numbered = slots.slots.iter().zip(0..);
        numbered
            .filter_map(|(slot, number)| {
                let Slot { file, is_close_on_exec } = slot.clone()?;
                Some(FdEntry { fd: Fd(number), is_close_on_exec, file })
            })
            .collect()
    }

    /// Keeps everybody else out until the answer is dropped: for a host fork.
    #[must_use]
    pub fn hold(&self) -> HeldFiles<'_> {
        HeldFiles { slots: self.lock() }
    }

    /// In the child of a host fork: a table with the files of the parent's table, which is to be leaked.
    #[must_use]
    pub fn inherit_forked(parent: &HeldFiles<'_>) -> Self {
        let mut known: BTreeMap<*const OpenFile, Arc<OpenFile>> = BTreeMap::new();
        let mut inherit = |slot: &Slot| {
            let file = known.entry(Arc::as_ptr(&slot.file)).or_insert_with(|| OpenFile::inherit(&slot.file));
            Slot { file: file.clone(), is_close_on_exec: slot.is_close_on_exec }
        };
        let slots = parent.slots.slots.iter().map(|slot| slot.as_ref().map(&mut inherit)).collect();
        Self { slots: Mutex::new(Slots { slots, limit: parent.slots.limit }) }
    }

    /// The table of a fresh process: every descriptor that was open and not close-on-exec when elfuse started, at its
    /// own number. To be called with `open_at_start` from [`open_host_fds`], before elfuse opens anything itself.
    ///
    /// The guest works on duplicates. Descriptors 0 to 2 stay open on the host as well, so that nothing of elfuse lands
    /// on them and its own messages go where they should; the others are closed, which makes the guest's close the last
    /// one.
    ///
    /// # Errors
    /// The host's errno: `EMFILE` where its limit has no room for the duplicates.
    pub fn inherit(open_at_start: &[Fd], limit: u64) -> Result<Self, Errno> {
        let highest = open_at_start.iter().map(|fd| u64::from(fd.0.cast_unsigned()) + 1).max().unwrap_or(0);
        let table = Self::new(limit.max(highest));
        for fd in open_at_start {
            let duplicate = duplicate_inherited(*fd)?;
            table.set(*fd, OpenFile::new(duplicate), false)?;
        }
        Ok(table)
    }
}

/// The lowest host number for the guest's files, out of the way of numbers that shells and tests pass on.
const HOST_FLOOR: i32 = 64;

/// A close-on-exec duplicate of an inherited descriptor at a high number; closes the original unless it is 0, 1 or 2.
#[expect(unsafe_code, reason = "inherited descriptors have no owner yet")]
fn duplicate_inherited(fd: Fd) -> Result<OwnedFd, Errno> {
    use nix::fcntl::{FcntlArg, fcntl};
    // SAFETY: 1. the caller says that the number was open when the process started; 2. nothing else of elfuse has taken
    // ownership of it, since ownership of inherited numbers is taken here alone.
    let original = unsafe { OwnedFd::from_raw_fd(fd.0) };
    let duplicate = fcntl(&original, FcntlArg::F_DUPFD_CLOEXEC(HOST_FLOOR))
        // A low host limit leaves no numbers up there.
        .or_else(|_| fcntl(&original, FcntlArg::F_DUPFD_CLOEXEC(3)));
    if fd.0 <= 2 {
        std::mem::forget(original);
    }
    // SAFETY: fcntl(2) has just made this number, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(duplicate?) })
}

/// The host descriptors that a guest inherits: open before Rust's runtime fills 0 to 2, and not close-on-exec. To be called first thing in `main`.
///
/// # Errors
/// The host's errno where it does not list descriptors.
pub fn open_host_fds() -> Result<Vec<Fd>, Errno> {
    let listing = if cfg!(target_os = "linux") { "/proc/self/fd" } else { "/dev/fd" };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(listing)? {
        if let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            found.push(number);
        }
    }
    // The listing's own descriptor is closed by now, and close-on-exec as everything that Rust opens.
    let standard = HostSignalState::capture().standard_open;
    let was_open =
        |number: i32| usize::try_from(number).ok().and_then(|index| standard.get(index)).is_none_or(|is_open| *is_open);
    found.retain(|number| was_open(*number) && is_inheritable(*number));
    found.sort_unstable();
    Ok(found.into_iter().map(Fd).collect())
}

#[expect(unsafe_code, reason = "asks about numbers that nobody owns")]
fn is_inheritable(number: i32) -> bool {
    // SAFETY: F_GETFD takes no argument and changes nothing, whatever the number is.
    let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
    flags >= 0 && flags & libc::FD_CLOEXEC == 0
}

impl FdEntry {
    /// The host number, for messages and for passing the descriptor on.
    #[must_use]
    pub fn host_number(&self) -> i32 {
        self.file.as_fd().as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::open_file::FileKind;

    fn file() -> Arc<OpenFile> {
        OpenFile::new(std::fs::File::open("/dev/null").unwrap().into())
    }

    #[test]
    fn the_lowest_free_number_is_given_out() {
        let table = FdTable::new(8);
        let given: Vec<_> = (0..4).map(|_| table.add(file(), false).unwrap().0).collect();
        assert_eq!(given, [0, 1, 2, 3]);
        table.close(Fd(1)).unwrap();
        assert_eq!(table.add(file(), false), Ok(Fd(1)));
        assert_eq!(table.add_from(6, file(), false), Ok(Fd(6)));
        assert_eq!(table.add_from(6, file(), false), Ok(Fd(7)));
        assert_eq!(table.add_from(6, file(), false), Err(Errno::EMFILE));
        assert_eq!(table.add_from(8, file(), false), Err(Errno::EINVAL));
    }

    #[test]
    fn bad_numbers_are_ebadf() {
        let table = FdTable::new(4);
        for fd in [-1, 0, 3, 4, i32::MAX, i32::MIN] {
            assert_eq!(table.get(Fd(fd)).err(), Some(Errno::EBADF), "{fd}");
            assert_eq!(table.close(Fd(fd)).err(), Some(Errno::EBADF), "{fd}");
            assert_eq!(table.set_close_on_exec(Fd(fd), true).err(), Some(Errno::EBADF), "{fd}");
        }
        assert_eq!(table.set(Fd(4), file(), false), Err(Errno::EBADF));
    }

    #[test]
    fn a_pair_takes_two_numbers_or_none() {
        let table = FdTable::new(3);
        table.add(file(), false).unwrap();
        table.add(file(), false).unwrap();
        assert_eq!(table.add_pair([file(), file()], false), Err(Errno::EMFILE));
        assert_eq!(table.entries().len(), 2);
    }

    #[test]
    fn exec_closes_what_is_marked_and_a_copy_is_its_own() {
        let table = FdTable::new(16);
        table.add(file(), false).unwrap();
        table.add(file(), true).unwrap();
        table.add(file(), false).unwrap();
        let copy = table.fork();
        table.close_on_exec();
        let left: Vec<_> = table.entries().iter().map(|entry| entry.fd.0).collect();
        assert_eq!(left, [0, 2]);
        assert_eq!(copy.entries().len(), 3);
        copy.set_close_on_exec_range(2, u32::MAX);
        assert_eq!(copy.is_close_on_exec(Fd(2)), Ok(true));
        assert_eq!(copy.is_close_on_exec(Fd(0)), Ok(false));
        copy.close_range(0, u32::MAX);
        assert!(copy.entries().is_empty());
    }

    #[test]
    fn a_file_in_use_outlives_its_number() {
        let table = FdTable::new(4);
        let fd = table.add(file(), false).unwrap();
        let used = table.get(fd).unwrap();
        drop(table.close(fd).unwrap());
        assert!(nix::sys::stat::fstat(used.as_fd()).is_ok());
        assert_eq!(used.kind(), FileKind::Character);
    }
}
