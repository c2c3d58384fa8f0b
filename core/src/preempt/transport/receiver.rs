//! The receiver's side of the transport: [`Receiver`], this process's own file.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::record::{self, HEADER_BYTES, MAX_FILE_BYTES, Record};
use super::{Directory, file};
use crate::host::clock;
use crate::host::errno::io_text;
use crate::host::process::{self, ProcessIdentity};
use crate::host::short_lived;

/// How long after a record its doorbell may still be about, in nanoseconds.
const RECORDS_COME_NS: u64 = 1_000_000_000;

/// Why this process goes without a transport. It runs on: other elfuse processes send it plain host signals.
#[derive(Debug, thiserror::Error)]
#[error(
    "no transport: cannot {action} {path}: {}; remove it, or name a folder of your own in ELFUSE_SIGNAL_DIR",
    io_text(source)
)]
pub struct OpenWarning {
    action: &'static str,
    path: PathBuf,
    source: io::Error,
}

/// True for the file of an earlier process of this one's id that this user may remove. Whose it is does not matter.
fn is_stale(path: &Path, metadata: &std::fs::Metadata, own: ProcessIdentity) -> bool {
    let is_of_earlier = |receiver: ProcessIdentity| {
        receiver.pid == own.pid && receiver.pid_namespace == own.pid_namespace && receiver != own
    };
    file::is_removable(metadata) && record::receiver_of(path).is_some_and(is_of_earlier)
}

/// This process's transport file. Dropping it closes and removes the file.
#[derive(Debug)]
pub struct Receiver {
    file: File,
    path: PathBuf,
    identity: ProcessIdentity,
    /// When a drain last found records; 0 before the first.
    records_came_ns: AtomicU64,
    /// The file is closed and could not be removed.
    is_left: AtomicBool,
}

/// What one drain found.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Drained {
    /// Records for this process, in the order of sending.
    pub records: Vec<Record>,
    /// Runs of bytes that are no record.
    pub malformed: u64,
    /// Whole records for another process (an earlier one of the same id, another namespace).
    pub foreign: u64,
    /// True when a peer held the lock for too long: nothing was read, and the drain must be tried again.
    pub busy: bool,
}

impl Receiver {
    /// Makes this process's file; a stale one of this user in its place is replaced, by root one of anybody.
    ///
    /// # Errors
    /// [`OpenWarning`] where something of somebody else is in its place, or the directory cannot be written.
    pub fn create(directory: &Directory) -> Result<Self, OpenWarning> {
        let identity = process::own_identity();
        let path = directory.file_of(identity.pid);
        let warning = |action| {
            let path = path.clone();
            move |source| OpenWarning { action, path, source }
        };
        let header = record::header(identity, true);
        let file = match short_lived::make(&path, &header) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                match path.symlink_metadata() {
                    Ok(metadata) if file::is_ours(&metadata) || is_stale(&path, &metadata, identity) => {
                        std::fs::remove_file(&path).map_err(warning("replace the stale file"))?;
                    }
                    Ok(_) => return Err(warning("use the foreign file or symlink")(error)),
                    // Somebody else has removed it.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(warning("inspect")(error)),
                }
                short_lived::make(&path, &header)
            }
            made => made,
        };
        let file = file.map_err(warning("make"))?;
        let metadata = file.metadata().map_err(warning("inspect"))?;
        if !file::is_ours(&metadata) {
            return Err(warning("trust")(io::ErrorKind::PermissionDenied.into()));
        }
        Ok(Self { file, path, identity, records_came_ns: AtomicU64::new(0), is_left: AtomicBool::new(false) })
    }

    /// Takes all records out of the file: read and truncate under its lock. Blocks for a bounded time.
    ///
    /// # Errors
    /// The host's.
    pub fn drain(&self) -> io::Result<Drained> {
        // A look without the lock: an append that this misses rings its doorbell later.
        if self.file.metadata()?.len() <= HEADER_BYTES as u64 {
            return Ok(Drained::default());
        }
        self.records_came_ns.store(clock::monotonic_ns(), Ordering::Relaxed);
        let Some(bytes) = file::locked(&self.file, file::LOCK_PATIENCE_NS, || self.take_bytes())? else {
            return Ok(Drained { busy: true, ..Drained::default() });
        };
        let (records, malformed) = record::parse_all(&bytes);
        let whole = records.len() as u64;
        let records: Vec<Record> = records.into_iter().filter(|record| record.target == self.identity).collect();
        let foreign = whole - records.len() as u64;
        Ok(Drained { records, malformed, foreign, busy: false })
    }

    /// True where a record waits, or one came in the last second, so that its doorbell may be about.
    #[must_use]
    pub fn gets_records(&self) -> bool {
        // In this order: a drain notes the time before it empties the file.
        let waits = self.file.metadata().is_ok_and(|metadata| metadata.len() > HEADER_BYTES as u64);
        let came_ns = self.records_came_ns.load(Ordering::Relaxed);
        waits || came_ns != 0 && clock::monotonic_ns().saturating_sub(came_ns) < RECORDS_COME_NS
    }

    /// Under the lock. Whoever may write the file may make it longer than senders do; the rest of that is dropped.
    fn take_bytes(&self) -> io::Result<Vec<u8>> {
        let len = self.file.metadata()?.len().min(MAX_FILE_BYTES).saturating_sub(HEADER_BYTES as u64);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
        self.file.read_exact_at(&mut bytes, HEADER_BYTES as u64)?;
        self.file.set_len(HEADER_BYTES as u64)?;
        Ok(bytes)
    }

    /// Closes the file for senders and removes it, and takes what it still holds. After this no doorbell that belongs
    /// to a record will come; the last step before a host program is executed, and idempotent.
    ///
    /// # Errors
    /// The host's.
    pub fn close(&self) -> io::Result<Drained> {
        if process::own_pid() != self.identity.pid {
            // A copy in a forked process: the file is the parent's.
            return Ok(Drained::default());
        }
        let last = self.drain();
        let closed = record::header(self.identity, false);
        // Where a peer keeps the lock, closing without it is still better than leaving the file open.
        if file::locked(&self.file, file::LOCK_PATIENCE_NS, || self.file.write_all_at(&closed, 0))?.is_none() {
            self.file.write_all_at(&closed, 0)?;
        }
        self.unlink();
        last
    }

    /// Gives the file to another user, whose processes may signal this one from now on. Only root can; otherwise it stays
    /// whose it is, and others send plain signals.
    pub fn give_to(&self, uid: u32) {
        let _refused = std::os::unix::fs::fchown(&self.file, Some(uid), None);
    }

    /// True where [`close`](Self::close) could not remove the file, since the thread that closed it is another user's by now
    /// than the one that made it.
    #[must_use]
    pub fn is_left(&self) -> bool {
        self.is_left.load(Ordering::Relaxed)
    }

    /// Removes the name, if it is still this file's.
    pub(in crate::preempt) fn unlink(&self) {
        let own = self.file.metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        let named = self.path.symlink_metadata().map(|metadata| (metadata.dev(), metadata.ino()));
        let is_left = match (own, named) {
            (Ok(own), Ok(named)) => own == named && std::fs::remove_file(&self.path).is_err(),
            (_, Err(error)) => error.kind() != io::ErrorKind::NotFound,
            (Err(_unknown), Ok(_)) => true,
        };
        self.is_left.store(is_left, Ordering::Relaxed);
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // Nobody is left to tell about a failure; start-up of a later process of this id replaces the file.
        let _ = self.close();
    }
}
