//! [`FdTable`]: guest descriptor numbers, each an [`OpenFile`] and a close-on-exec flag.
//!
//! Guest numbers are virtual: a host number never shows, so elfuse's own descriptors cannot collide with the guest's.
//! The host descriptor of an open file closes with its last use, as a Linux file does: a close(2) while another thread
//! sleeps in a read of the same file does not pull the host number from under it. Sources: open(2), dup(2),
//! close_range(2), `fs/file.c` of Linux.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::stat::SFlag;

use super::signal::fd::SignalFd;
use crate::abi::{Errno, Fd};
use crate::host::signal::HostSignalState;

/// What a host descriptor is, as far as it decides how blocking calls use it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FileKind {
    /// A regular file, directory or block device: reads and writes do not wait for other programs.
    Regular,
    /// A socket: calls take `MSG_DONTWAIT`.
    Socket,
    /// A pipe or FIFO.
    Pipe,
    /// A character device.
    Character,
    /// Something without a file type: eventfd, epoll, timerfd, ...
    Anonymous,
}

/// What an entry of a [`Listing`] is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListingKind {
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
}

/// The entries of a directory that elfuse makes up, and how far they have been read.
#[derive(Debug)]
pub struct Listing {
    entries: Vec<(String, ListingKind)>,
    /// Index of the next entry.
    position: Mutex<usize>,
}

impl Listing {
    /// A listing of these entries, with `.` and `..` before them.
    #[must_use]
    pub fn new(entries: impl Iterator<Item = (String, ListingKind)>) -> Self {
        let dots = [".", ".."].map(|name| (name.to_owned(), ListingKind::Directory));
        Self { entries: dots.into_iter().chain(entries).collect(), position: Mutex::new(0) }
    }

    fn position(&self) -> MutexGuard<'_, usize> {
        self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// lseek(2) to an absolute position.
    pub fn seek(&self, position: usize) {
        *self.position() = position;
    }

    /// The next entries as `struct linux_dirent64`, at most `room` bytes; empty at the end.
    ///
    /// # Errors
    /// `EINVAL` where there is no room for one entry.
    pub fn read(&self, room: usize) -> Result<Vec<u8>, Errno> {
        const DT_DIR: u8 = 4;
        const DT_LNK: u8 = 10;
        let mut position = self.position();
        let mut bytes = Vec::new();
        while let Some((name, kind)) = self.entries.get(*position) {
            let len = (19 + name.len() + 1).next_multiple_of(8);
            if bytes.len() + len > room {
                if bytes.is_empty() {
                    return Err(Errno::EINVAL);
                }
                break;
            }
            let end = bytes.len() + len;
            *position += 1;
            let number = *position as u64;
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&number.to_le_bytes());
            bytes.extend_from_slice(&(len as u16).to_le_bytes());
            bytes.push(if *kind == ListingKind::Directory { DT_DIR } else { DT_LNK });
            bytes.extend_from_slice(name.as_bytes());
            bytes.resize(end, 0);
        }
        Ok(bytes)
    }
}

/// An open file of the guest. What `dup` and `fork` share is the host's open file description behind it.
#[derive(Debug)]
pub struct OpenFile {
    host: Arc<OwnedFd>,
    kind: FileKind,
    is_proc_directory: bool,
    listing: Option<Arc<Listing>>,
    signals: Option<Arc<SignalFd>>,
}

impl OpenFile {
    /// Takes a directory over whose entries are made up.
    #[must_use]
    pub fn with_listing(host: OwnedFd, listing: Listing) -> Arc<Self> {
        let host = Arc::new(host);
        Arc::new(Self {
            host,
            kind: FileKind::Regular,
            is_proc_directory: true,
            listing: Some(Arc::new(listing)),
            signals: None,
        })
    }

    /// A signal descriptor: what polls see of it, and what it is about.
    #[must_use]
    pub fn of_signals(event: Arc<OwnedFd>, signals: Arc<SignalFd>) -> Arc<Self> {
        let (kind, is_proc_directory) = (FileKind::Anonymous, false);
        Arc::new(Self { host: event, kind, is_proc_directory, listing: None, signals: Some(signals) })
    }

    /// What a signal descriptor is about.
    #[must_use]
    pub fn signals(&self) -> Option<&SignalFd> {
        self.signals.as_deref()
    }

    /// The same open file under a host number of its own, for another number of the guest: epoll(7) tells the two apart,
    /// and closing either releases record locks, as on Linux.
    ///
    /// # Errors
    /// `EMFILE` where the host has no number left.
    pub fn duplicate(&self) -> Result<Arc<Self>, Errno> {
        let host = Arc::new(self.host.try_clone()?);
        let (kind, is_proc_directory) = (self.kind, self.is_proc_directory);
        let (listing, signals) = (self.listing.clone(), self.signals.clone());
        Ok(Arc::new(Self { host, kind, is_proc_directory, listing, signals }))
    }

    /// True where the guest asked for `O_NONBLOCK`, which lives in the host's open file description.
    ///
    /// # Errors
    /// The host's errno.
    pub fn is_nonblocking(&self) -> Result<bool, Errno> {
        use nix::fcntl::{FcntlArg, OFlag, fcntl};
        let flags = fcntl(&self.host, FcntlArg::F_GETFL)?;
        Ok(OFlag::from_bits_retain(flags).contains(OFlag::O_NONBLOCK))
    }

    /// The entries, where they are made up.
    #[must_use]
    pub fn listing(&self) -> Option<&Listing> {
        self.listing.as_deref()
    }

    /// True for a directory of /proc: names in it may mean the guest's objects.
    #[must_use]
    pub const fn is_proc_directory(&self) -> bool {
        self.is_proc_directory
    }

    /// Takes a host descriptor over. It should be close-on-exec: the guest's flag is kept in the table.
    #[must_use]
    pub fn new(host: OwnedFd) -> Arc<Self> {
        let mut is_directory = false;
        let kind = match nix::sys::stat::fstat(&host) {
            Ok(stat) => match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
                SFlag::S_IFDIR => {
                    is_directory = true;
                    FileKind::Regular
                }
                SFlag::S_IFREG | SFlag::S_IFBLK | SFlag::S_IFLNK => FileKind::Regular,
                SFlag::S_IFSOCK => FileKind::Socket,
                SFlag::S_IFIFO => FileKind::Pipe,
                SFlag::S_IFCHR => FileKind::Character,
                _no_type => FileKind::Anonymous,
            },
            Err(_) => FileKind::Anonymous,
        };
        let is_proc_directory = is_directory && crate::host::paths::is_proc(host.as_fd());
        Arc::new(Self { host: Arc::new(host), kind, is_proc_directory, listing: None, signals: None })
    }

    /// In the child of a host fork: the parent's open file as one of this process. The number belongs to the answer, or to
    /// a mapping that shares it; the parent's value is leaked, since threads that do not exist here may hold it.
    fn inherit(parent: Arc<Self>) -> Arc<Self> {
        let is_shared_with_a_mapping = Arc::strong_count(&parent.host) > 1;
        let host = if is_shared_with_a_mapping { parent.host.clone() } else { adopt(parent.host.as_raw_fd()) };
        let (kind, is_proc_directory) = (parent.kind, parent.is_proc_directory);
        // Read only, until the process makes its own of it.
        let signals = parent.signals.clone();
        std::mem::forget(parent);
        Arc::new(Self { host, kind, is_proc_directory, listing: None, signals })
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> FileKind {
        self.kind
    }

    /// The host descriptor, shared with mappings of the file.
    #[must_use]
    pub const fn host(&self) -> &Arc<OwnedFd> {
        &self.host
    }
}

impl AsFd for OpenFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.host.as_fd()
    }
}

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

    /// In the child of a host fork: a table with the files of `entries`, which are those of the parent's table and are
    /// leaked. `limit` is that table's.
    #[must_use]
    pub fn inherit_forked(entries: Vec<FdEntry>, limit: u64) -> Self {
        let table = Self::new(limit);
        let mut known: BTreeMap<*const OpenFile, Arc<OpenFile>> = BTreeMap::new();
        let mut slots = table.lock();
        for entry in entries {
            let key = Arc::as_ptr(&entry.file);
            let file = match known.get(&key) {
                Some(file) => {
                    std::mem::forget(entry.file);
                    file.clone()
                }
                None => known.entry(key).or_insert(OpenFile::inherit(entry.file)).clone(),
            };
            // The number was good in the parent.
            let slot = Slot { file, is_close_on_exec: entry.is_close_on_exec };
            let _placed = slots.put(entry.fd.0.cast_unsigned() as usize, slot);
        }
        drop(slots);
        table
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

/// Takes over a number whose owner is leaked.
#[expect(unsafe_code, reason = "the owner is in another process")]
fn adopt(number: i32) -> Arc<OwnedFd> {
    // SAFETY: the number is open, and its owner in this copy of the parent's memory is leaked by `OpenFile::inherit`.
    Arc::new(unsafe { OwnedFd::from_raw_fd(number) })
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
