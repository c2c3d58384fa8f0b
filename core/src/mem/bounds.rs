//! What bounds a guest's memory: `RLIMIT_AS`, kept in the [`AddressSpace`], and `RLIMIT_MEMLOCK`, which callers bring along.
//!
//! Locked memory is marked in the VMA map and faulted in, but not pinned on the host. Sources: setrlimit(2), mlock(2),
//! `may_expand_vm` and `mm/mlock.c` of Linux.

use super::address_space::{AddressSpace, State, page_align};
use super::vma::VmaFlags;
use crate::abi::{Errno, GuestAddr, GuestRange, PAGE_SIZE};

/// What Linux maps of a main stack at first (`stack_expand` of `setup_arg_pages`, and the page of the arguments).
const STACK_START_BYTES: u64 = 33 * PAGE_SIZE;

impl AddressSpace {
    /// Sets `RLIMIT_AS`: what is mapped stays, only growth is refused.
    pub fn limit_size(&self, most_bytes: u64) {
        self.lock().most_bytes = most_bytes;
    }

    /// Whether `len_bytes` more may be locked where `most_bytes` may be (mmap(2) with `MAP_LOCKED`).
    ///
    /// # Errors
    /// `EPERM` where nothing may be locked, `EAGAIN`.
    pub fn check_lock(&self, len_bytes: u64, most_bytes: u64) -> Result<(), Errno> {
        if most_bytes == 0 {
            return Err(Errno::EPERM);
        }
        let len = page_align(len_bytes).ok_or(Errno::ENOMEM)?;
        if self.lock().locked_bytes().saturating_add(len) > most_bytes { Err(Errno::EAGAIN) } else { Ok(()) }
    }

    /// mlock(2) and mlock2(2), where `most_bytes` may be locked in all; the pages are faulted in if `is_present`.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM` where nothing may be locked, `ENOMEM` for too much, a gap (what lies before it is locked, as on
    /// Linux), or pages that cannot be had.
    pub fn lock_range(&self, addr: GuestAddr, len_bytes: u64, most_bytes: u64, is_present: bool) -> Result<(), Errno> {
        if most_bytes == 0 {
            return Err(Errno::EPERM);
        }
        let mut state = self.change()?;
        let range = state.lockable_range(addr, len_bytes)?;
        let already: u64 = state
            .parts(range)
            .iter()
            .filter(|vma| vma.flags.contains(VmaFlags::LOCKED))
            .map(|vma| vma.range.len())
            .sum();
        if state.locked_bytes().saturating_add(range.len()) - already > most_bytes {
            return Err(Errno::ENOMEM);
        }
        let (parts, is_complete) = state.mapped_part(range);
        for vma in &parts {
            state.vmas.update(vma.range, |attributes| attributes.flags.insert(VmaFlags::LOCKED));
        }
        drop(state);
        if is_present && !parts.iter().all(|vma| self.populate(vma)) || !is_complete {
            return Err(Errno::ENOMEM);
        }
        Ok(())
    }

    /// munlock(2).
    ///
    /// # Errors
    /// `EINVAL`, `ENOMEM` for a gap.
    pub fn unlock_range(&self, addr: GuestAddr, len_bytes: u64) -> Result<(), Errno> {
        let mut state = self.change()?;
        let range = state.lockable_range(addr, len_bytes)?;
        let (parts, is_complete) = state.mapped_part(range);
        for vma in parts {
            state.vmas.update(vma.range, |attributes| attributes.flags.remove(VmaFlags::LOCKED));
        }
        if is_complete { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    /// mlockall(2) of the present mappings, where `most_bytes` may be locked in all.
    ///
    /// # Errors
    /// `EPERM` where nothing may be locked, `ENOMEM` for too much.
    pub fn lock_all(&self, most_bytes: u64) -> Result<(), Errno> {
        if most_bytes == 0 {
            return Err(Errno::EPERM);
        }
        let mut state = self.change()?;
        if state.mapped_bytes() > most_bytes {
            return Err(Errno::ENOMEM);
        }
        state.mark_all(true);
        Ok(())
    }

    /// munlockall(2).
    pub fn unlock_all(&self) {
        if let Ok(mut state) = self.change() {
            state.mark_all(false);
        }
    }
}

impl State {
    /// Whether the mappings may grow by `range`, where what is mapped in it is replaced.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub(super) fn check_growth(&self, range: GuestRange) -> Result<(), Errno> {
        if self.most_bytes == u64::MAX {
            return Ok(());
        }
        let replaced: u64 = self.parts(range).iter().map(|vma| vma.range.len()).sum();
        let grown = self.mapped_bytes().saturating_add(range.len()) - replaced;
        if grown > self.most_bytes && range.len() > replaced { Err(Errno::ENOMEM) } else { Ok(()) }
    }

    /// The size of the mappings; the main stack, which is mapped as a whole here, counts as what Linux begins with.
    fn mapped_bytes(&self) -> u64 {
        let counted = |range: GuestRange, flags: VmaFlags| {
            if flags.contains(VmaFlags::STACK) { range.len().min(STACK_START_BYTES) } else { range.len() }
        };
        self.vmas.iter().map(|(range, attributes)| counted(range, attributes.flags)).sum()
    }

    fn locked_bytes(&self) -> u64 {
        let locked = self.vmas.iter().filter(|(_, attributes)| attributes.flags.contains(VmaFlags::LOCKED));
        locked.map(|(range, _)| range.len()).sum()
    }

    /// The pages of a range that may start within one.
    fn lockable_range(&self, addr: GuestAddr, len_bytes: u64) -> Result<GuestRange, Errno> {
        let addr = addr.untagged();
        let len = len_bytes.checked_add(addr.0 % PAGE_SIZE).ok_or(Errno::EINVAL)?;
        self.checked_range(addr.page_floor(), len, Errno::ENOMEM)
    }

    fn mark_all(&mut self, is_locked: bool) {
        let ranges: Vec<_> = self.vmas.iter().map(|(range, _)| range).collect();
        for range in ranges {
            self.vmas.update(range, |attributes| attributes.flags.set(VmaFlags::LOCKED, is_locked));
        }
    }
}
