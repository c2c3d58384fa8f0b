//! [`Snapshot`]: the private pages that the guest has written, copied to a memory file while the world stands still.
//!
//! Which pages those are is asked of the host: a page that is present or swapped out and not a page of a file
//! (proc_pid_pagemap(5), bits 63, 62 and 61; bit 56 says that no other process has it). They are read by way of proc_pid_mem(5), which reaches pages that the guest
//! itself may not read now. Zero pages of anonymous memory are left out: the child gets them afresh.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use super::image::Run;
use crate::abi::{GuestRange, PAGE_SIZE};
use crate::host::memory::memory_file;
use crate::mem::{GuestMemory, Vma, VmaBacking, VmaFlags};

/// Pages that are looked at and copied at once.
const PAGES_AT_ONCE: usize = 512;
pub(super) const PAGE_LEN: usize = PAGE_SIZE as usize;

const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
const FILE_PAGE: u64 = 1 << 61;
const EXCLUSIVE: u64 = 1 << 56;

/// The memory file and what it is filled from.
pub(super) struct Snapshot {
    file: File,
    len: u64,
    contents: File,
    page_map: File,
    memory: GuestMemory,
}

impl Snapshot {
    /// An empty snapshot of this process's guest.
    ///
    /// # Errors
    /// The host's: it has no memory files or no `/proc`.
    pub(super) fn new(memory: GuestMemory) -> io::Result<Self> {
        Ok(Self {
            file: memory_file(c"elfuse-fork", 0)?.into(),
            len: 0,
            contents: File::open("/proc/self/mem")?,
            page_map: File::open("/proc/self/pagemap")?,
            memory,
        })
    }

    /// Copies the written pages of a private mapping.
    ///
    /// # Errors
    /// The host's: `ENOMEM`, `ENOSPC`.
    pub(super) fn add(&mut self, vma: &Vma) -> io::Result<Vec<Run>> {
        let mut runs = Vec::new();
        if vma.flags.intersects(VmaFlags::SHARED | VmaFlags::WIPEONFORK) {
            return Ok(runs);
        }
        if let VmaBacking::Common { commons, offset, .. } = &vma.backing {
            commons
                .each_page(*offset, vma.range.len(), |at, bytes| self.push(vma.range.start.0 + at, bytes, &mut runs))?;
            return Ok(runs);
        }
        // Zero pages of anonymous memory come by themselves.
        let is_wanted = |_start, bytes: &[u8; PAGE_LEN]| !(vma.is_anonymous() && bytes.iter().all(|byte| *byte == 0));
        self.add_where(vma, false, &is_wanted, &mut runs)?;
        Ok(runs)
    }

    /// Copies the private pages of a mapping that `is_wanted` chooses by guest address and contents; `is_own` leaves out
    /// pages that another process still has too, which are those that this one has not written since a host fork.
    ///
    /// # Errors
    /// The host's: `ENOMEM`, `ENOSPC`.
    pub(super) fn add_where(
        &mut self,
        vma: &Vma,
        is_own: bool,
        is_wanted: &dyn Fn(u64, &[u8; PAGE_LEN]) -> bool,
        runs: &mut Vec<Run>,
    ) -> io::Result<()> {
        let mut at = vma.range.start.0;
        while at < vma.range.end.0 {
            let pages = usize::try_from((vma.range.end.0 - at) / PAGE_SIZE).unwrap_or(usize::MAX).min(PAGES_AT_ONCE);
            let piece = GuestRange {
                start: crate::abi::GuestAddr(at),
                end: crate::abi::GuestAddr(at + pages as u64 * PAGE_SIZE),
            };
            self.add_piece(piece, is_own, is_wanted, runs)?;
            at = piece.end.0;
        }
        Ok(())
    }

    /// Copies the written pages of at most [`PAGES_AT_ONCE`].
    fn add_piece(
        &mut self,
        piece: GuestRange,
        is_own: bool,
        is_wanted: &dyn Fn(u64, &[u8; PAGE_LEN]) -> bool,
        runs: &mut Vec<Run>,
    ) -> io::Result<()> {
        let pages = (piece.len() / PAGE_SIZE) as usize;
        let place = self.memory.host_range(piece.start, piece.len());
        let host = place?.addr() as u64;
        let mut map = [0; PAGES_AT_ONCE * 8];
        self.page_map.read_exact_at(&mut map[..pages * 8], host / PAGE_SIZE * 8)?;
        for (page, entry) in map[..pages * 8].chunks_exact(8).enumerate() {
            let entry = u64::from_le_bytes(std::array::from_fn(|i| entry[i]));
            if entry & (PRESENT | SWAPPED) == 0 || entry & FILE_PAGE != 0 {
                continue;
            }
            if is_own && entry & (EXCLUSIVE | SWAPPED) == 0 {
                continue;
            }
            let offset = page as u64 * PAGE_SIZE;
            let mut bytes = [0; PAGE_LEN];
            self.contents.read_exact_at(&mut bytes, host + offset)?;
            if !is_wanted(piece.start.0 + offset, &bytes) {
                continue;
            }
            self.push(piece.start.0 + offset, &bytes, runs)?;
        }
        Ok(())
    }

    /// Appends a page.
    fn push(&mut self, start: u64, bytes: &[u8; PAGE_LEN], runs: &mut Vec<Run>) -> io::Result<()> {
        self.file.write_all_at(bytes, self.len)?;
        push_page(runs, start, self.len);
        self.len += PAGE_SIZE;
        Ok(())
    }

    /// Appends bytes behind the pages; the answer is where they are.
    ///
    /// # Errors
    /// The host's.
    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<u64> {
        let at = self.len;
        self.file.write_all_at(bytes, at)?;
        self.len += bytes.len() as u64;
        Ok(at)
    }

    /// The memory file.
    pub(super) fn into_file(self) -> OwnedFd {
        self.file.into()
    }
}

/// Adds a page to the last run where it continues that one.
fn push_page(runs: &mut Vec<Run>, start: u64, offset: u64) {
    match runs.last_mut() {
        Some(last) if last.start + last.len == start && last.offset + last.len == offset => last.len += PAGE_SIZE,
        Some(_) | None => runs.push(Run { start, len: PAGE_SIZE, offset }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::{AddressSpace, MmapRequest, Prot};
    use crate::soft::SoftMachine;

    #[test]
    fn written_pages_are_copied_and_holes_are_not() {
        let space = AddressSpace::new(SoftMachine::new().unwrap());
        let rights = Prot::READ | Prot::WRITE;
        let start = space.mmap(&MmapRequest::anonymous(100 * PAGE_SIZE, rights)).unwrap();
        let page = |index: u64| crate::abi::GuestAddr(start.0 + index * PAGE_SIZE);
        for index in [3, 4, 99] {
            space.memory().write_bytes(page(index), &[index as u8; 8]).unwrap();
        }
        // Read, so present, and still nothing but zeros.
        space.memory().read_bytes(page(50), &mut [0; 8]).unwrap();
        // What the guest may not read is its memory none the less.
        space.mprotect(page(4), PAGE_SIZE, 0).unwrap();
        let mut snapshot = Snapshot::new(space.memory()).unwrap();
        let runs: Vec<Run> = space.vmas().iter().flat_map(|vma| snapshot.add(vma).unwrap()).collect();
        let found: Vec<_> = runs.iter().map(|run| ((run.start - start.0) / PAGE_SIZE, run.len / PAGE_SIZE)).collect();
        assert_eq!(found, [(3, 1), (4, 1), (99, 1)]);
        let file = File::from(snapshot.into_file());
        for (run, index) in runs.iter().zip([3u8, 4, 99]) {
            let mut bytes = [0; 9];
            file.read_exact_at(&mut bytes, run.offset).unwrap();
            assert_eq!(bytes, [index, index, index, index, index, index, index, index, 0]);
        }
    }
}
