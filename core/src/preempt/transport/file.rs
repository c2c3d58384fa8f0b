//! What senders and receivers of transport files share: the check of a file, and the bounded lock.

use std::fs::{File, Metadata, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use crate::host::clock;

/// How long an append or a drain waits for the file's lock, in nanoseconds.
pub(super) const LOCK_PATIENCE_NS: u64 = 200_000_000;

/// True for a regular file, mode 0600, under one name.
fn is_private(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.nlink() <= 1 && metadata.mode() & 0o077 == 0
}

/// True for such a file of this user.
pub(super) fn is_ours(metadata: &Metadata) -> bool {
    is_private(metadata) && metadata.uid() == nix::unistd::geteuid().as_raw()
}

/// True for such a file that this user may take away where it is stale: its own, and to root everybody's.
pub(super) fn is_removable(metadata: &Metadata) -> bool {
    is_private(metadata) && (nix::unistd::geteuid().is_root() || is_ours(metadata))
}

/// Runs `body` under the exclusive lock of `file`, or gives `None` where a peer held it for longer than `patience_ns`.
///
/// # Errors
/// The host's, from the lock or from `body`.
pub(super) fn locked<T>(file: &File, patience_ns: u64, body: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
    let deadline = clock::monotonic_ns().saturating_add(patience_ns);
    let mut pause = Duration::from_micros(20);
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if clock::monotonic_ns() >= deadline => return Ok(None),
            Err(TryLockError::WouldBlock) => std::thread::sleep(pause),
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        pause = (pause * 2).min(Duration::from_millis(1));
    }
    let result = body();
    file.unlock()?;
    result.map(Some)
}
