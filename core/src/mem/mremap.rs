//! mremap(2).
//!
//! Source: mremap(2), `mm/mremap.c` of Linux for the order of the checks.

use super::address_space::{AddressSpace, State, page_align};
use super::layout::MMAP_MIN_ADDR;
use super::vma::{Vma, VmaFlags};
use crate::abi::mman::MremapFlags;
use crate::abi::{Errno, GuestAddr, GuestRange};

impl AddressSpace {
    /// mremap(2). A tag on the old address is ignored.
    ///
    /// # Errors
    /// `EINVAL`, `EFAULT` for a range that is not one mapping, `ENOMEM`, `EPERM` where the old or the new place is sealed.
    pub fn mremap(
        &self,
        old: GuestAddr,
        old_len_bytes: u64,
        new_len_bytes: u64,
        flags: u32,
        new_addr: GuestAddr,
    ) -> Result<GuestAddr, Errno> {
        let flags = MremapFlags::from_bits(flags).ok_or(Errno::EINVAL)?;
        let needs_maymove = flags.intersects(MremapFlags::FIXED | MremapFlags::DONTUNMAP);
        if needs_maymove && !flags.contains(MremapFlags::MAYMOVE) {
            return Err(Errno::EINVAL);
        }
        let mut state = self.change()?;
        let old = old.untagged();
        let old_range = state.checked_range(old, old_len_bytes, Errno::EINVAL)?;
        let new_len = page_align(new_len_bytes).filter(|len| *len != 0).ok_or(Errno::EINVAL)?;
        if flags.contains(MremapFlags::DONTUNMAP) && old_range.len() != new_len {
            return Err(Errno::EINVAL);
        }
        let target = if flags.contains(MremapFlags::FIXED) {
            let target = state.checked_range(new_addr, new_len, Errno::EINVAL)?;
            if target.overlaps(old_range) {
                return Err(Errno::EINVAL);
            }
            if target.start < MMAP_MIN_ADDR {
                return Err(Errno::EPERM);
            }
            Some(target)
        } else {
            None
        };
        let vma = state.mapping_at(old)?;
        let whole = vma.range;
        state.check_unsealed(whole)?;
        // What moves is told by its place in common memory.
        self.make_writable(&mut state, &vma)?;
        let vma = state.mapping_at(old)?;
        if old_range.is_empty() {
            return self.duplicate(&mut state, &vma, old, new_len, target);
        }
        if target.is_none()
            && !flags.contains(MremapFlags::DONTUNMAP)
            && let Some(done) = self.resize_in_place(&mut state, &vma, old_range, new_len)?
        {
            return Ok(done);
        }
        let kept = GuestRange { start: old, end: GuestAddr(old.0 + old_range.len().min(new_len)) };
        if kept.end > whole.end {
            return Err(Errno::EFAULT);
        }
        if !flags.contains(MremapFlags::MAYMOVE) {
            return Err(Errno::ENOMEM);
        }
        let target = match target {
            Some(target) => target,
            None => state
                .find_place(if flags.contains(MremapFlags::DONTUNMAP) { new_addr } else { GuestAddr::NULL }, new_len)?,
        };
        state.check_unsealed(target)?;
        // All pages of DONTUNMAP, or what the target has more than the old place.
        let added = if flags.contains(MremapFlags::DONTUNMAP) { 0 } else { kept.len() };
        state.check_growth(GuestRange { start: GuestAddr(target.start.0 + added), end: target.end })?;
        self.release(&mut state, target)?;
        self.release(&mut state, GuestRange { start: kept.end, end: old_range.end })?;
        self.move_pages(&mut state, &vma, kept, target)?;
        if flags.contains(MremapFlags::DONTUNMAP) {
            self.map_like(&mut state, &vma.over(kept))?;
        }
        Ok(target.start)
    }

    /// Shrinks, or grows into free space behind the mapping; `None` where that is not possible.
    fn resize_in_place(
        &self,
        state: &mut State,
        vma: &Vma,
        old: GuestRange,
        new_len: u64,
    ) -> Result<Option<GuestAddr>, Errno> {
        if new_len <= old.len() {
            self.release(state, GuestRange { start: GuestAddr(old.start.0 + new_len), end: old.end })?;
            return Ok(Some(old.start));
        }
        let Ok(new) = GuestRange::new(old.start, new_len) else { return Err(Errno::EINVAL) };
        let growth = GuestRange { start: old.end, end: new.end };
        if old.end != vma.range.end || !state.is_free(growth) {
            return Ok(None);
        }
        state.check_growth(growth)?;
        self.map_like(state, &vma.over(growth))?;
        Ok(Some(old.start))
    }

    /// Moves the pages of `kept`, a part of `vma`, to the start of `target`; the rest of `target` is mapped afresh, and first,
    /// so that a failure leaves the old place as it is.
    fn move_pages(&self, state: &mut State, vma: &Vma, kept: GuestRange, target: GuestRange) -> Result<(), Errno> {
        let moved = GuestRange { start: target.start, end: GuestAddr(target.start.0 + kept.len()) };
        let mut description = vma.over(kept);
        description.range = moved;
        let growth = GuestRange { start: moved.end, end: target.end };
        if !growth.is_empty() {
            self.map_like(state, &description.over(growth))?;
        }
        if let Err(errno) = self.mapper.relocate(kept, target.start) {
            self.release(state, growth)?;
            return Err(errno);
        }
        state.vmas.remove(kept);
        state.vmas.insert(moved, description.attributes());
        Ok(())
    }

    /// An old length of zero: a second view of a shared mapping.
    fn duplicate(
        &self,
        state: &mut State,
        vma: &Vma,
        old: GuestAddr,
        new_len: u64,
        target: Option<GuestRange>,
    ) -> Result<GuestAddr, Errno> {
        if !vma.flags.contains(VmaFlags::SHARED) {
            return Err(Errno::EINVAL);
        }
        let target = match target {
            Some(target) => target,
            None => state.find_place(GuestAddr::NULL, new_len)?,
        };
        let mut view = vma.over(GuestRange { start: old, end: vma.range.end });
        view.range = target;
        state.check_growth(target)?;
        self.map_like(state, &view)?;
        Ok(target.start)
    }

    /// Maps what a description says.
    fn map_like(&self, state: &mut State, vma: &Vma) -> Result<(), Errno> {
        let attributes = state.for_all(vma.attributes(), vma.range)?;
        self.mapper.map(vma.range, vma.prot, attributes.vma(vma.range).mapper_backing())?;
        state.vmas.insert(vma.range, attributes);
        Ok(())
    }
}

impl State {
    fn mapping_at(&self, addr: GuestAddr) -> Result<Vma, Errno> {
        let (whole, attributes) = self.vmas.get(addr).ok_or(Errno::EFAULT)?;
        Ok(attributes.vma(whole))
    }
}
