//! brk(2): the heap that grows behind the executable.
//!
//! The area is the guest's alone; the host's own break has nothing to do with it. Source: brk(2), `mm/mmap.c`.

use super::address_space::{AddressSpace, State, page_align};
use super::mapper::Prot;
use super::vma::{Attributes, VmaBacking, VmaFlags};
use crate::abi::{Errno, GuestAddr, GuestRange};

/// Start and end of the heap.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct BrkArea {
    start: GuestAddr,
    current: GuestAddr,
}

impl BrkArea {
    /// Start and end.
    pub(super) const fn area(self) -> (GuestAddr, GuestAddr) {
        (self.start, self.current)
    }

    /// Takes over another process's.
    pub(super) fn set(&mut self, start: GuestAddr, current: GuestAddr) {
        *self = Self { start, current: current.max(start) };
    }
}

impl AddressSpace {
    /// Says where the heap begins, for the loader; the heap is empty. With `current` beyond `start` a fork child takes over
    /// a heap whose mapping it has inserted.
    pub fn set_brk(&self, start: GuestAddr, current: GuestAddr) {
        self.lock().brk.set(start, current);
    }

    /// Start of the heap and the break, for fork and /proc/self/stat.
    #[must_use]
    pub fn brk_area(&self) -> (GuestAddr, GuestAddr) {
        self.lock().brk.area()
    }

    /// brk(2): moves the break to `wanted` and returns where it is afterwards. There are no errors: a break that
    /// cannot be moved stays where it is.
    pub fn brk(&self, wanted: GuestAddr) -> GuestAddr {
        let Ok(mut state) = self.change() else { return self.brk_area().1 };
        let has_heap = !state.brk.start.is_null();
        if has_heap && wanted >= state.brk.start && self.move_brk(&mut state, wanted).is_ok() {
            state.brk.current = wanted;
        }
        state.brk.current
    }

    fn move_brk(&self, state: &mut State, wanted: GuestAddr) -> Result<(), Errno> {
        let old_end = GuestAddr(page_align(state.brk.current.0).ok_or(Errno::ENOMEM)?);
        let new_end = GuestAddr(page_align(wanted.0).ok_or(Errno::ENOMEM)?);
        if new_end < old_end {
            let given_back = GuestRange { start: new_end, end: old_end };
            state.check_unsealed(given_back)?;
            return self.release(state, given_back);
        }
        let growth = GuestRange { start: old_end, end: new_end };
        if growth.is_empty() {
            return Ok(());
        }
        if !state.is_free(growth) {
            return Err(Errno::ENOMEM);
        }
        state.check_growth(growth)?;
        let prot = Prot::READ | Prot::WRITE;
        let attributes = Attributes { prot, flags: VmaFlags::HEAP, backing: VmaBacking::Anonymous };
        let attributes = state.for_all(attributes, growth)?;
        self.mapper.map(growth, prot, attributes.vma(growth).mapper_backing())?;
        state.vmas.insert(growth, attributes);
        Ok(())
    }
}
