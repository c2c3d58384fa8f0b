//! The sender's side of the transport: [`SenderHandle`], [`is_elfuse`], [`ring_thread`].

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};

use super::record::{self, HEADER_BYTES, MAX_FILE_BYTES, RECORD_BYTES, Record, RecordKind};
use super::{Directory, Doorbell, file};
use crate::abi::{Pid, SiCode, SigInfo, Signal, Tid};
use crate::host::clock;
use crate::host::pidfd::{self, PidFd};
use crate::host::process::{self, ProcessIdentity};

/// Why something could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The process is no elfuse that takes records: no file, not ours, or another process's. Send the signal itself.
    #[error("process {0} takes no records")]
    NotElfuse(Pid),
    /// There is no such process (any more).
    #[error("process {0} is gone")]
    Gone(Pid),
    /// A peer held the lock of the file for too long.
    #[error("the transport file of process {0} stays locked")]
    Busy(Pid),
    /// The receiver does not drain its file.
    #[error("the transport file of process {0} is full")]
    Full(Pid),
    /// The host refused.
    #[error("cannot send to process {pid}: {source}")]
    Io {
        /// The receiver.
        pid: Pid,
        /// What the host said.
        source: io::Error,
    },
}

/// How far a send got.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Delivery {
    /// The record is in the file and the doorbell was rung.
    Rung,
    /// The record is in the file, but the doorbell could not be queued: it waits for the next one.
    Appended,
}

/// A receiver that is open for sending: as many records and doorbells as one likes, at two or three system calls each.
#[derive(Debug)]
pub struct SenderHandle {
    file: File,
    process: PidFd,
    target: ProcessIdentity,
    header: [u8; HEADER_BYTES],
    /// How long the lock may be somebody else's.
    patience_ns: u64,
}

impl SenderHandle {
    /// Opens the receiver `pid`: its descriptor, its file, and makes sure that both are about one process.
    ///
    /// # Errors
    /// [`SendError::Gone`], [`SendError::NotElfuse`], [`SendError::Io`].
    pub fn open(directory: &Directory, pid: Pid) -> Result<Self, SendError> {
        let process = PidFd::open(pid).map_err(|source| of_process(pid, source))?;
        let target = process::identity_of(pid).ok_or(SendError::Gone(pid))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(libc::O_NOFOLLOW | libc::O_CLOEXEC | libc::O_NONBLOCK);
        let file = options.open(directory.file_of(pid)).map_err(|_| SendError::NotElfuse(pid))?;
        let metadata = file.metadata().map_err(|source| SendError::Io { pid, source })?;
        let handle =
            Self { file, process, target, header: record::header(target, true), patience_ns: file::LOCK_PATIENCE_NS };
        if !file::is_ours(&metadata) || !handle.is_open().map_err(|source| SendError::Io { pid, source })? {
            return Err(SendError::NotElfuse(pid));
        }
        Ok(handle)
    }

    /// The same, but nothing is waited for: a locked file is [`SendError::Busy`] at once. For who serves many receivers.
    #[must_use]
    pub const fn impatient(mut self) -> Self {
        self.patience_ns = 0;
        self
    }

    /// The receiver.
    #[must_use]
    pub const fn target(&self) -> ProcessIdentity {
        self.target
    }

    /// The receiver's descriptor, to wait for its end with.
    #[must_use]
    pub const fn process(&self) -> &PidFd {
        &self.process
    }

    /// Sends a guest signal to the process, or to one thread of it.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent then.
    pub fn send_signal(&self, thread: Option<Tid>, info: &SigInfo) -> Result<Delivery, SendError> {
        self.send(RecordKind::Signal, thread, info)
    }

    /// Sends a record without meaning: the receiver drains it and counts it.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent then.
    pub fn send_null(&self) -> Result<Delivery, SendError> {
        self.send(RecordKind::Null, None, &SigInfo::new(Signal::SIGUSR2, SiCode::SI_QUEUE))
    }

    /// Appends a record made by [`record`](Self::record) and rings.
    ///
    /// # Errors
    /// [`SendError`]; nothing was sent then.
    pub fn send(&self, kind: RecordKind, thread: Option<Tid>, info: &SigInfo) -> Result<Delivery, SendError> {
        let pid = self.target.pid;
        let bytes = self.record(kind, thread, info).to_bytes();
        file::locked(&self.file, self.patience_ns, || self.append_and_ring(&bytes))
            .map_err(|source| of_process(pid, source))?
            .ok_or(SendError::Busy(pid))?
    }

    /// The record that [`send`](Self::send) would append.
    #[must_use]
    pub fn record(&self, kind: RecordKind, thread: Option<Tid>, info: &SigInfo) -> Record {
        Record {
            kind,
            target: self.target,
            thread,
            sender: process::own_pid(),
            sender_uid: nix::unistd::getuid().as_raw(),
            sent_at_ns: clock::monotonic_ns(),
            info: *info,
        }
    }

    /// Rings a doorbell that is directed at one thread, as [`ring_thread`] does, but never at the host program that may have
    /// taken the receiver's place: it would die of the signal.
    ///
    /// # Errors
    /// [`SendError`]; [`SendError::Io`] with `ESRCH` where the receiver has no such thread.
    pub fn ring_thread(&self, tid: Tid) -> Result<(), SendError> {
        let pid = self.target.pid;
        let ring = || Ok(if self.is_open()? { Some(ring_thread(pid, tid)?) } else { None });
        match file::locked(&self.file, self.patience_ns, ring) {
            Ok(Some(Some(()))) => Ok(()),
            Ok(Some(None)) => Err(SendError::NotElfuse(pid)),
            Ok(None) => Err(SendError::Busy(pid)),
            Err(source) => Err(SendError::Io { pid, source }),
        }
    }

    /// True while the receiver is an elfuse that takes records. Where it is not, its threads may have any mask.
    #[must_use]
    pub fn takes_records(&self) -> bool {
        !self.process.has_ended() && self.is_open().unwrap_or(false)
    }

    /// Rings the doorbell alone: a kick, and a drain of whatever there is.
    ///
    /// Not under the file's lock, so it must not be used on a process that may be about to execute a host program;
    /// [`send_null`](Self::send_null) may.
    ///
    /// # Errors
    /// [`SendError::Gone`], [`SendError::Io`].
    pub fn ring(&self) -> Result<(), SendError> {
        self.process.send(&Doorbell::Process.info()).map_err(|source| of_process(self.target.pid, source))
    }

    fn is_open(&self) -> io::Result<bool> {
        let mut header = [0; HEADER_BYTES];
        match self.file.read_exact_at(&mut header, 0) {
            Ok(()) => Ok(header == self.header),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Under the lock.
    fn append_and_ring(&self, bytes: &[u8; RECORD_BYTES]) -> io::Result<Result<Delivery, SendError>> {
        let pid = self.target.pid;
        if !self.is_open()? {
            return Ok(Err(SendError::NotElfuse(pid)));
        }
        let end = self.file.metadata()?.len();
        if end + RECORD_BYTES as u64 > MAX_FILE_BYTES {
            // The receiver may have missed a doorbell: it gets another before the sender gives up.
            let _ = self.process.send(&Doorbell::Process.info());
            return Ok(Err(SendError::Full(pid)));
        }
        if let Err(error) = self.file.write_all_at(bytes, end) {
            // A record that is cut short is taken back; the receiver rejects it where even that fails.
            let _ = self.file.set_len(end);
            return Err(error);
        }
        match self.process.send(&Doorbell::Process.info()) {
            Ok(()) => Ok(Ok(Delivery::Rung)),
            Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => Ok(Ok(Delivery::Appended)),
            Err(error) => Ok(Err(of_process(pid, error))),
        }
    }
}

/// True when the process is an elfuse that takes records now.
#[must_use]
pub fn is_elfuse(directory: &Directory, pid: Pid) -> bool {
    SenderHandle::open(directory, pid).is_ok()
}

/// Rings a doorbell that is directed at one thread: on a thread of elfuse it waits until that thread drains its own
/// signals, and no handler may run. For audits.
///
/// # Errors
/// `ESRCH`, `EPERM`, `EAGAIN`.
pub fn ring_thread(pid: Pid, tid: Tid) -> io::Result<()> {
    pidfd::queue_to_thread(pid, tid, &Doorbell::Thread.info())
}

fn of_process(pid: Pid, source: io::Error) -> SendError {
    if source.raw_os_error() == Some(libc::ESRCH) { SendError::Gone(pid) } else { SendError::Io { pid, source } }
}
