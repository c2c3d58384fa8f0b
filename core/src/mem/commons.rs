//! [`Commons`]: the memory that processes have in common which run on beside each other in one (`CLONE_VM` without
//! `CLONE_THREAD`), and what they tell each other of its mappings.
//!
//! Two memory files. One holds the pages: a mapping takes an offset that nobody has had before, so that two processes never
//! mean different pages by one place. The other begins with a page of words ([`SharedWords`]) and has two slots behind it:
//! each change of the mappings writes the whole list to the slot that is not in use and then counts the version, so that a
//! process that is killed meanwhile has changed nothing. Who changes holds a record lock, which the host takes from the dead.
//! What the list means to an address space is in [`sharing`](super::sharing).
//!
//! Sources: memfd_create(2), fcntl(2) `F_SETLK`, fallocate(2) `FALLOC_FL_PUNCH_HOLE`.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use nix::fcntl::{FcntlArg, fcntl};
use serde::{Deserialize, Serialize};

use super::SharedSegment;
use crate::abi::{Errno, PAGE_SIZE};
use crate::host::clock::monotonic_ns;
use crate::host::memory::{discard, memory_file, next_data};
use crate::host::shared_words::SharedWords;

/// Length of the file of pages: no program maps so much in its life. A file of holes takes nothing.
const MEMORY_BYTES: u64 = 1 << 62;

/// Length of a slot: beyond any list with as many mappings as a process may have.
const SLOT_BYTES: u64 = 1 << 30;

/// How long a change of mappings waits for another process, in nanoseconds. One that is stopped by the host in the middle
/// of a change may hold the lock for longer.
const LOCK_PATIENCE_NS: u64 = 10_000_000_000;

/// Indices of the words.
const VERSION: usize = 0;
const NEXT_OFFSET: usize = 1;
const CODE_CHANGES: usize = 2;

/// Memory that several processes run in.
#[derive(Debug)]
pub struct Commons {
    memory: File,
    record: File,
    words: Arc<SharedWords>,
}

/// All mappings, as they are told to the other processes.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct Told {
    /// Start of the heap and the break.
    pub(super) brk: (u64, u64),
    /// In order of address.
    pub(super) mappings: Vec<ToldMapping>,
}

/// One of them.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct ToldMapping {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) prot: u8,
    pub(super) flags: u32,
    pub(super) backing: ToldBacking,
}

/// What is behind it.
#[derive(Serialize, Deserialize, Debug)]
pub(super) enum ToldBacking {
    /// Pages in common, and the name that they have.
    Common { offset: u64, name: Vec<u8> },
    /// A file; the teller has it open.
    File { file: ToldFile, offset: u64 },
    /// A System V segment.
    Segment { segment: SharedSegment, offset: u64 },
    /// What the teller cannot map itself.
    Unknown,
}

/// A mapped file, and where to find it open.
#[derive(Serialize, Deserialize, Debug)]
pub(super) struct ToldFile {
    pub(super) device: u64,
    pub(super) inode: u64,
    pub(super) name: Vec<u8>,
    pub(super) is_writable: bool,
    pub(super) pid: i32,
    pub(super) number: RawFd,
}

impl Commons {
    /// Memory that nobody has yet.
    ///
    /// # Errors
    /// The host's errno.
    pub(super) fn new() -> Result<Arc<Self>, Errno> {
        let make = || -> io::Result<Self> {
            let record = File::from(memory_file(c"elfuse-mappings", PAGE_SIZE + 2 * SLOT_BYTES)?);
            let words = Arc::new(SharedWords::map(&record)?);
            Ok(Self { memory: memory_file(c"elfuse-commons", MEMORY_BYTES)?.into(), record, words })
        };
        Ok(Arc::new(make()?))
    }

    /// The file of pages.
    #[must_use]
    pub fn memory(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// The host's descriptors.
    pub(super) fn descriptors(&self) -> [RawFd; 2] {
        [self.memory.as_raw_fd(), self.record.as_raw_fd()]
    }

    /// How often mappings have changed.
    pub(super) fn version(&self) -> u64 {
        self.words.words()[VERSION].load(SeqCst)
    }

    /// What counts how often a process has said that instructions have changed.
    pub(super) fn code_counter(self: &Arc<Self>) -> CodeCounter {
        CodeCounter(self.words.clone())
    }

    /// An offset of `len_bytes` that nobody has had.
    ///
    /// # Errors
    /// `ENOMEM` where all have been given out.
    pub(super) fn allocate(&self, len_bytes: u64) -> Result<u64, Errno> {
        let next = &self.words.words()[NEXT_OFFSET];
        let fits = |start: u64| start.checked_add(len_bytes).filter(|end| *end <= MEMORY_BYTES);
        next.fetch_update(SeqCst, SeqCst, fits).map_err(|_full| Errno::ENOMEM)
    }

    /// Gives pages back: they are zeros afterwards, to whoever maps them.
    pub(super) fn discard(&self, offset: u64, len_bytes: u64) -> Result<(), Errno> {
        Ok(discard(self.memory.as_fd(), offset, len_bytes)?)
    }

    /// Stores bytes before anybody maps them.
    pub(super) fn fill(&self, offset: u64, bytes: &[u8]) -> Result<(), Errno> {
        Ok(self.memory.write_all_at(bytes, offset)?)
    }

    /// Gives the pages of a range that are there to `take`, with their offsets in the range.
    ///
    /// # Errors
    /// The host's, and those of `take`.
    pub fn each_page(
        &self,
        start: u64,
        len_bytes: u64,
        mut take: impl FnMut(u64, &[u8; PAGE_SIZE as usize]) -> io::Result<()>,
    ) -> io::Result<()> {
        let (mut at, end) = (start, start + len_bytes);
        while let Some(data) = next_data(self.memory.as_fd(), at)?.filter(|data| *data < end) {
            let mut page = [0; PAGE_SIZE as usize];
            self.memory.read_exact_at(&mut page, data)?;
            take(data - start, &page)?;
            at = data + PAGE_SIZE;
        }
        Ok(())
    }

    /// Keeps other processes from changing mappings until [`unlock`](Self::unlock).
    ///
    /// # Errors
    /// `ENOMEM` where one has kept the lock for too long.
    pub(super) fn lock(&self) -> Result<(), Errno> {
        let deadline_ns = monotonic_ns().saturating_add(LOCK_PATIENCE_NS);
        let mut pause = Duration::from_micros(20);
        loop {
            match self.set_lock(libc::F_WRLCK as libc::c_short) {
                Ok(()) => return Ok(()),
                Err(Errno::EAGAIN | Errno::EACCES) if monotonic_ns() < deadline_ns => std::thread::sleep(pause),
                Err(Errno::EINTR) => {}
                Err(_refused) => return Err(Errno::ENOMEM),
            }
            pause = (pause * 2).min(Duration::from_millis(1));
        }
    }

    pub(super) fn unlock(&self) {
        // A lock of this process's on an open file: nothing can fail.
        let _unlocked = self.set_lock(libc::F_UNLCK as libc::c_short);
    }

    fn set_lock(&self, kind: libc::c_short) -> Result<(), Errno> {
        let whole =
            libc::flock { l_type: kind, l_whence: libc::SEEK_SET as libc::c_short, l_start: 0, l_len: 0, l_pid: 0 };
        fcntl(self.record.as_fd(), FcntlArg::F_SETLK(&whole)).map(drop).map_err(Errno::from)
    }

    /// Tells the others. Under the lock.
    pub(super) fn tell(&self, told: &Told) -> Result<u64, Errno> {
        let version = self.version() + 1;
        let text = serde_json::to_vec(told).map_err(|_no_room| Errno::ENOMEM)?;
        let slot = Self::slot(version);
        self.record.write_all_at(&(text.len() as u64).to_ne_bytes(), slot)?;
        self.record.write_all_at(&text, slot + 8)?;
        self.words.words()[VERSION].store(version, SeqCst);
        Ok(version)
    }

    /// What has been told last, with its version; `None` where nothing is. Under the lock.
    pub(super) fn told(&self) -> Option<(u64, Told)> {
        let version = self.version();
        let slot = Self::slot(version);
        let mut len = [0; 8];
        self.record.read_exact_at(&mut len, slot).ok()?;
        let len = usize::try_from(u64::from_ne_bytes(len).min(SLOT_BYTES)).ok()?;
        let mut text = vec![0; len];
        self.record.read_exact_at(&mut text, slot + 8).ok()?;
        Some((version, serde_json::from_slice(&text).ok()?))
    }

    /// Where the list of a version is.
    const fn slot(version: u64) -> u64 {
        PAGE_SIZE + version % 2 * SLOT_BYTES
    }
}

/// Counts what instructions of common memory have changed, for the other processes to see.
#[derive(Clone, Debug)]
pub struct CodeCounter(Arc<SharedWords>);

impl CodeCounter {
    /// Counts one change.
    pub fn count(&self) {
        self.0.words()[CODE_CHANGES].fetch_add(1, SeqCst);
    }

    /// How many there have been.
    #[must_use]
    pub fn seen(&self) -> u64 {
        self.0.words()[CODE_CHANGES].load(SeqCst)
    }
}
