#![expect(unsafe_code, reason = "the call that reads directories has no safe wrapper")]
//! getdents64(2) over macOS's own call, whose records are longer than Linux's for every name: what fits there fits.
//!
//! Sources: `<sys/dirent.h>` of macOS (64-bit inodes), getdents64(2).

use libc::{c_int, c_long};

use super::copy::store;
use super::posix::fail;

unsafe extern "C" {
    fn __getdirentries64(fd: c_int, buffer: *mut u8, len: usize, position: *mut i64) -> isize;
}

/// Where the fields of a record of macOS are: inode, offset of the next, length, name's length, type; the name follows.
const INODE: usize = 0;
const NEXT: usize = 8;
const LENGTH: usize = 16;
const NAME_LENGTH: usize = 18;
const TYPE: usize = 20;
const NAME: usize = 21;

/// Most bytes that are read at once.
const MOST: usize = 32 * 1024;

/// # Safety
/// The buffer is foreign and has room for `len` bytes where it is there.
pub(super) unsafe fn getdents64(fd: c_int, buffer: *mut u8, len: usize) -> c_long {
    let mut records = vec![0u8; len.min(MOST)];
    let mut position = 0;
    // SAFETY: the kernel writes at most as many bytes as it is told of.
    let filled = unsafe { __getdirentries64(fd, records.as_mut_ptr(), records.len(), &raw mut position) };
    let Ok(filled) = usize::try_from(filled) else { return -1 };
    let linux = to_linux(records.get(..filled).unwrap_or_default());
    if linux.len() > len {
        return fail(libc::EINVAL);
    }
    // SAFETY: see above.
    unsafe { store(buffer, &linux, linux.len() as c_long) }
}

fn number(record: &[u8], at: usize) -> usize {
    record.get(at..at + 2).map_or(0, |bytes| usize::from(bytes[0]) | usize::from(bytes[1]) << 8)
}

/// Linux's records: inode, offset, length, type, the name with a NUL; each a multiple of eight long.
fn to_linux(mut records: &[u8]) -> Vec<u8> {
    let mut linux = Vec::new();
    while let Some(record) = records.get(..number(records, LENGTH)).filter(|record| record.len() > NAME) {
        records = &records[record.len()..];
        let Some(name) = record.get(NAME..NAME + number(record, NAME_LENGTH)) else { break };
        // An inode of 0 is no entry.
        if record[INODE..INODE + 8] == [0; 8] {
            continue;
        }
        let start = linux.len();
        let length = (8 + 8 + 2 + 1 + name.len() + 1).next_multiple_of(8);
        linux.extend_from_slice(&record[INODE..INODE + 8]);
        linux.extend_from_slice(&record[NEXT..NEXT + 8]);
        linux.extend_from_slice(&(length as u16).to_le_bytes());
        linux.push(record[TYPE]);
        linux.extend_from_slice(name);
        linux.resize(start + length, 0);
    }
    linux
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_become_linuxs() {
        let mut record = vec![7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 32, 0, 3, 0, 8];
        record.extend_from_slice(b"abc");
        record.resize(32, 0);
        let linux = to_linux(&record);
        assert_eq!(
            (linux.len(), &linux[..8], &linux[16..23]),
            (24, &[7, 0, 0, 0, 0, 0, 0, 0][..], &b"\x18\0\x08abc\0"[..])
        );
        assert!(to_linux(&record[..20]).is_empty());
    }
}
