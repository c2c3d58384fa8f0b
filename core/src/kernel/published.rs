//! [`Published`]: what other guests may know of this process's program.
//!
//! Each process publishes its program's path and command line in a memory file, and others find that by its name among
//! the process's descriptors: nothing is left behind by a process that dies.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::abi::{Errno, Pid};
use crate::host::memory::memory_file;

/// The memory file's name, as /proc shows it.
const LINK: &str = "/memfd:elfuse-guest (deleted)";
/// Longest text that others read, in bytes.
const TEXT_MAX: usize = 1 << 20;

/// Bytes of the window's address, which come first.
const WINDOW_LEN: usize = 8;

/// A program as its process published it.
#[derive(Debug)]
pub struct Published {
    /// The host address of the guest's address 0.
    pub window: u64,
    /// The guest's path.
    pub path: Vec<u8>,
    /// The arguments, each with a NUL behind it.
    pub command_line: Vec<u8>,
}

impl Published {
    /// Publishes this process's program for as long as the file lives.
    ///
    /// # Errors
    /// The host's errno.
    pub fn publish(window: u64, path: &[u8], args: &[Vec<u8>]) -> Result<File, Errno> {
        let command_line: Vec<u8> = args.iter().flat_map(|arg| [arg.as_slice(), b"\0"].concat()).collect();
        let text = [&window.to_le_bytes(), path, b"\0", &command_line].concat();
        let file = File::from(memory_file(c"elfuse-guest", text.len() as u64)?);
        file.write_all_at(&text, 0)?;
        Ok(file)
    }

    /// What another process published; `None` where it runs no guest, or may not be looked at.
    #[must_use]
    pub fn of(pid: Pid) -> Option<Self> {
        let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).ok()?;
        let is_it = |path: &std::path::PathBuf| std::fs::read_link(path).is_ok_and(|link| link.as_os_str() == LINK);
        let place = entries.filter_map(|entry| Some(entry.ok()?.path())).find(is_it)?;
        let file = File::open(place).ok()?;
        let len = usize::try_from(file.metadata().ok()?.len()).ok()?.min(TEXT_MAX);
        let mut window = [0; WINDOW_LEN];
        file.read_exact_at(&mut window, 0).ok()?;
        let mut path = vec![0; len.checked_sub(WINDOW_LEN)?];
        file.read_exact_at(&mut path, WINDOW_LEN as u64).ok()?;
        let end = path.iter().position(|byte| *byte == 0)?;
        let command_line = path.split_off(end + 1);
        path.pop();
        Some(Self { window: u64::from_le_bytes(window), path, command_line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_found() {
        let args = [b"a".to_vec(), Vec::new(), b"c d".to_vec()];
        let file = Published::publish(7, b"/usr/bin/prog", &args).unwrap();
        let own = crate::host::process::own_pid();
        let published = Published::of(own).unwrap();
        assert_eq!(published.window, 7);
        assert_eq!((published.path, published.command_line), (b"/usr/bin/prog".to_vec(), b"a\0\0c d\0".to_vec()));
        drop(file);
        assert!(Published::of(own).is_none());
    }
}
