//! A directory for the runs' files, [`Scratch`], which outlives no harness for long.
//!
//! A harness that is killed cannot remove its directory. So each holds a lock on its own, and the next one removes those
//! that nobody holds. Source: flock(2).

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

const PREFIX: &str = "elfuse-harness-";
/// How often a new directory may be taken for an abandoned one, between its making and its lock.
const TRIES: usize = 16;

/// A directory that goes with this value, or with the next harness.
#[derive(Debug)]
pub(super) struct Scratch {
    directory: TempDir,
    _lock: File,
}

impl Scratch {
    /// Makes one, in memory where the host has that, and removes abandoned ones beside it.
    pub(super) fn new() -> io::Result<Self> {
        Self::beneath(&PathBuf::from("/dev/shm")).or_else(|_| Self::beneath(&std::env::temp_dir()))
    }

    fn beneath(parent: &Path) -> io::Result<Self> {
        sweep(parent)?;
        for _ in 0..TRIES {
            let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
            let lock = File::open(directory.path())?;
            lock.lock()?;
            // Who swept meanwhile held the lock before, and has removed it.
            if is_at(&lock, directory.path()) {
                return Ok(Self { directory, _lock: lock });
            }
        }
        Err(io::Error::other("new directories are removed at once"))
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }
}

fn is_at(directory: &File, path: &Path) -> bool {
    let inode = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    directory.metadata().map(inode).ok() == std::fs::symlink_metadata(path).map(inode).ok()
}

/// Removes what killed harnesses have left in `parent`. Directories of other users cannot be opened or removed, and stay.
fn sweep(parent: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(parent)?.flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_ours
            && let Ok(directory) = File::open(entry.path())
            && directory.try_lock().is_ok()
        {
            // Who does not get it removed leaves it to the next.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_abandoned_is_removed_and_what_is_used_stays() {
        let parent = tempfile::tempdir().unwrap();
        let used = Scratch::beneath(parent.path()).unwrap();
        let abandoned = parent.path().join(format!("{PREFIX}abandoned"));
        std::fs::create_dir_all(abandoned.join("job0/signals")).unwrap();
        std::fs::write(abandoned.join("job0/stats"), "left").unwrap();
        let foreign = parent.path().join("another-program");
        std::fs::create_dir(&foreign).unwrap();
        let next = Scratch::beneath(parent.path()).unwrap();
        assert!(used.path().is_dir() && next.path().is_dir() && foreign.is_dir());
        assert!(!abandoned.exists());
    }

    #[test]
    fn a_directory_made_anew_under_the_same_name_is_another() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("one");
        std::fs::create_dir(&path).unwrap();
        let directory = File::open(&path).unwrap();
        assert!(is_at(&directory, &path));
        std::fs::rename(&path, parent.path().join("moved")).unwrap();
        assert!(!is_at(&directory, &path));
        std::fs::create_dir(&path).unwrap();
        assert!(!is_at(&directory, &path));
    }
}
