//! [`OpenFile`]: an open file description as guests see it, on a descriptor of the host's.
//!
//! What kind of file it is decides how blocking calls use it; a directory that elfuse makes up has its entries in a
//! [`Listing`]. `fd_table.rs` gives it numbers. Sources: open(2), getdents64(2), stat(2).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::stat::SFlag;

use super::signal::fd::SignalFd;
use crate::abi::Errno;
use crate::host::fork::take_over;

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
    /// a mapping that shares it; the parent's value is to be leaked, since threads that do not exist here may hold it.
    #[expect(unsafe_code, reason = "the descriptor's owner is in another process")]
    pub(super) fn inherit(parent: &Self) -> Arc<Self> {
        let is_shared_with_a_mapping = Arc::strong_count(&parent.host) > 1;
        // SAFETY: this is the child of a fork, and the caller leaks the parent's file.
        let host = if is_shared_with_a_mapping { parent.host.clone() } else { unsafe { take_over(&parent.host) } };
        let (kind, is_proc_directory) = (parent.kind, parent.is_proc_directory);
        // Read only, until the process makes its own of it.
        let signals = parent.signals.clone();
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
