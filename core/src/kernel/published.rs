//! [`Published`]: what other guests may know of this process's program.
//!
//! Each process publishes its program's path and command line in a memory file, and others find that by its name among
//! the process's descriptors: nothing is left behind by a process that dies.

use std::fs::File;
use std::os::unix::fs::FileExt;

use crate::abi::{Errno, Pid};
use crate::elf::ProgramAreas;
use crate::host::memory::memory_file;

/// The memory file's name, as /proc shows it.
const LINK: &str = "/memfd:elfuse-guest (deleted)";
/// Longest text that others read, in bytes.
const TEXT_MAX: usize = 1 << 20;

/// Bytes of the numbers that come first: the window, the environment's ends, the stack, the length of the auxiliary vector.
const NUMBERS_LEN: usize = 5 * 8;

/// A program as its process published it.
#[derive(Debug)]
pub struct Published {
    /// The host address of the guest's address 0.
    pub window: u64,
    /// The strings of the environment, as guest addresses.
    pub env: (u64, u64),
    /// The stack pointer at the start.
    pub stack: u64,
    /// The auxiliary vector, as /proc shows it.
    pub auxv: Vec<u8>,
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
    pub fn publish(window: u64, areas: &ProgramAreas, path: &[u8], args: &[Vec<u8>]) -> Result<File, Errno> {
        let command_line: Vec<u8> = args.iter().flat_map(|arg| [arg.as_slice(), b"\0"].concat()).collect();
        let auxv = areas.auxv_bytes();
        let numbers = [window, areas.env.0, areas.env.1, areas.stack, auxv.len() as u64].map(u64::to_le_bytes).concat();
        let text = [&numbers, &auxv, path, b"\0", &command_line].concat();
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
        let mut text = vec![0; len];
        file.read_exact_at(&mut text, 0).ok()?;
        let (numbers, rest) = text.split_at_checked(NUMBERS_LEN)?;
        let (numbers, _) = numbers.as_chunks::<8>();
        let &[window, env_start, env_end, stack, auxv_len] = numbers else { return None };
        let (auxv, rest) = rest.split_at_checked(usize::try_from(u64::from_le_bytes(auxv_len)).ok()?)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        Some(Self {
            window: u64::from_le_bytes(window),
            env: (u64::from_le_bytes(env_start), u64::from_le_bytes(env_end)),
            stack: u64::from_le_bytes(stack),
            auxv: auxv.to_vec(),
            path: rest[..end].to_vec(),
            command_line: rest[end + 1..].to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_published_is_found() {
        let args = [b"a".to_vec(), Vec::new(), b"c d".to_vec()];
        let areas = ProgramAreas { env: (8, 9), stack: 10, auxv: vec![(6, 4096), (0, 0)], ..ProgramAreas::default() };
        let file = Published::publish(7, &areas, b"/usr/bin/prog", &args).unwrap();
        let own = crate::host::process::own_pid();
        let published = Published::of(own).unwrap();
        assert_eq!((published.window, published.env, published.stack), (7, (8, 9), 10));
        assert_eq!(published.auxv, [6u64, 4096, 0, 0].map(u64::to_le_bytes).concat());
        assert_eq!((published.path, published.command_line), (b"/usr/bin/prog".to_vec(), b"a\0\0c d\0".to_vec()));
        drop(file);
        assert!(Published::of(own).is_none());
    }
}
