//! madvise(2), msync(2) and mincore(2).
//!
//! Advice about fork and core dumps is kept in the VMA map and never reaches the host: a fork child is built from the map,
//! and a hole that the host kernel made in a child's window would be a hole for the host's own mappings.

use super::address_space::AddressSpace;
use super::mapper::{Backing, Prot};
use super::seal::may_discard;
use super::vma::{Vma, VmaBacking, VmaFlags};
use crate::abi::mman::{Advice, MsyncFlags};
use crate::abi::{Errno, GuestAddr, PAGE_SIZE};

/// Pages whose residency one host call tells.
const RESIDENT_PAGES: usize = 4096;

impl AddressSpace {
    /// madvise(2). A tag on the address is ignored.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM` for memory poisoning and for discarding what is sealed, `ENOMEM` for a gap (the rest is advised all the
    /// same), or the host's errno.
    pub fn madvise(&self, addr: GuestAddr, len_bytes: u64, advice: i32) -> Result<(), Errno> {
        let advice = Advice::from_raw(advice).ok_or(Errno::EINVAL)?;
        let mut state = self.change()?;
        let range = state.checked_range(addr.untagged(), len_bytes, Errno::EINVAL)?;
        let mut covered = 0;
        for vma in state.parts(range) {
            covered += vma.range.len();
            if !may_discard(&vma, advice) {
                return Err(Errno::EPERM);
            }
            match flag_change(&vma, advice)? {
                Some((flag, is_set)) => {
                    state.vmas.update(vma.range, |attributes| attributes.flags.set(flag, is_set));
                }
                None => self.advise_pages(&vma, advice)?,
            }
        }
        if covered == range.len() { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    /// Advice that concerns the pages themselves.
    fn advise_pages(&self, vma: &Vma, advice: Advice) -> Result<(), Errno> {
        if vma.prot.contains(Prot::EXEC) {
            // The contents may change without instruction cache maintenance by the guest, as when Linux maps fresh pages.
            self.mapper.invalidate_code(vma.range);
        }
        let is_image = vma.flags.contains(VmaFlags::IMAGE);
        match advice {
            Advice::DontNeed | Advice::DontNeedLocked | Advice::Free | Advice::Remove
                if let VmaBacking::Common { commons, offset, .. } = &vma.backing =>
            {
                // To all processes, as with memory of one.
                commons.discard(*offset, vma.range.len())
            }
            Advice::DontNeed | Advice::DontNeedLocked if is_image => {
                // The host would bring the image's pages back.
                self.mapper.map(vma.range, vma.prot, vma.mapper_backing())
            }
            Advice::Free if !vma.is_anonymous() => Err(Errno::EINVAL),
            Advice::Free if is_image => self.mapper.map(vma.range, vma.prot, Backing::Anonymous),
            Advice::HwPoison | Advice::SoftOffline => Err(Errno::EPERM),
            _on_pages => self.mapper.advise(vma.range, advice.raw()),
        }
    }

    /// msync(2).
    ///
    /// # Errors
    /// `EINVAL`, `ENOMEM` for a gap, or the host's errno.
    pub fn msync(&self, addr: GuestAddr, len_bytes: u64, flags: u32) -> Result<(), Errno> {
        let flags = MsyncFlags::from_bits(flags).ok_or(Errno::EINVAL)?;
        if flags.contains(MsyncFlags::SYNC | MsyncFlags::ASYNC) {
            return Err(Errno::EINVAL);
        }
        let state = self.lock();
        let range = state.checked_range(addr.untagged(), len_bytes, Errno::ENOMEM)?;
        let parts = state.parts(range);
        let covered: u64 = parts.iter().map(|vma| vma.range.len()).sum();
        // Writing back may take long, and needs no exclusion: the range stays the window's.
        drop(state);
        for vma in parts.iter().filter(|vma| vma.flags.contains(VmaFlags::SHARED)) {
            self.mapper.sync(vma.range, host_sync_flags(flags))?;
        }
        if covered == range.len() { Ok(()) } else { Err(Errno::ENOMEM) }
    }

    /// mincore(2): one byte a page, handed to `write` in pieces with the index of their first page.
    ///
    /// # Errors
    /// `EINVAL`, `ENOMEM` for a gap, or what `write` answers.
    pub fn mincore(
        &self,
        addr: GuestAddr,
        len_bytes: u64,
        mut write: impl FnMut(u64, &[u8]) -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        let range = {
            let state = self.lock();
            let range = state.checked_range(addr.untagged(), len_bytes, Errno::ENOMEM)?;
            if !state.mapped_part(range).1 {
                return Err(Errno::ENOMEM);
            }
            range
        };
        let mut piece = [0; RESIDENT_PAGES];
        let (mut page, pages) = (0, range.len() / PAGE_SIZE);
        while page < pages {
            let count = (pages - page).min(RESIDENT_PAGES as u64);
            let piece = &mut piece[..count as usize];
            self.mapper.resident(GuestAddr(range.start.0 + page * PAGE_SIZE), piece)?;
            write(page, piece)?;
            page += count;
        }
        Ok(())
    }
}

/// The flag of the VMA map that an advice changes, or `None` for advice about the pages.
fn flag_change(vma: &Vma, advice: Advice) -> Result<Option<(VmaFlags, bool)>, Errno> {
    Ok(Some(match advice {
        Advice::DontFork => (VmaFlags::DONTFORK, true),
        Advice::DoFork => (VmaFlags::DONTFORK, false),
        Advice::DontDump => (VmaFlags::DONTDUMP, true),
        Advice::DoDump => (VmaFlags::DONTDUMP, false),
        Advice::WipeOnFork if !vma.is_anonymous() => return Err(Errno::EINVAL),
        Advice::WipeOnFork => (VmaFlags::WIPEONFORK, true),
        Advice::KeepOnFork => (VmaFlags::WIPEONFORK, false),
        _on_pages => return Ok(None),
    }))
}

/// The host's numbers of msync flags.
fn host_sync_flags(flags: MsyncFlags) -> i32 {
    let mut host = 0;
    for (flag, number) in [
        (MsyncFlags::ASYNC, libc::MS_ASYNC),
        (MsyncFlags::INVALIDATE, libc::MS_INVALIDATE),
        (MsyncFlags::SYNC, libc::MS_SYNC),
    ] {
        if flags.contains(flag) {
            host |= number;
        }
    }
    host
}
