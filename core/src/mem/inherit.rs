//! What the child of a host fork does with the mappings that it finds: [`AddressSpace::hold`] and
//! [`AddressSpace::inherit`]. Source: madvise(2) `MADV_DONTFORK`, `MADV_WIPEONFORK`; mlock(2) "Notes".

use std::sync::MutexGuard;

use super::address_space::{AddressSpace, State};
use super::mapper::Backing;
use super::vma::{Vma, VmaFlags};
use crate::abi::Errno;

/// An address space that nobody else changes.
pub struct HeldSpace<'space> {
    _state: MutexGuard<'space, State>,
}

impl AddressSpace {
    /// Keeps everybody else out until the answer is dropped.
    #[must_use]
    pub fn hold(&self) -> HeldSpace<'_> {
        HeldSpace { _state: self.lock() }
    }

    /// In a forked process: removes what is not inherited, empties what is to be empty, and unlocks the rest.
    ///
    /// # Errors
    /// The host's errno.
    pub fn inherit(&self) -> Result<(), Errno> {
        const SPECIAL: VmaFlags = VmaFlags::LOCKED.union(VmaFlags::DONTFORK).union(VmaFlags::WIPEONFORK);
        let mut state = self.lock();
        let special: Vec<Vma> = {
            let all = state.vmas.iter().map(|(range, attributes)| attributes.vma(range));
            all.filter(|vma| vma.flags.intersects(SPECIAL)).collect()
        };
        for vma in special {
            if vma.flags.contains(VmaFlags::DONTFORK) {
                self.release(&mut state, vma.range)?;
                continue;
            }
            if vma.flags.contains(VmaFlags::WIPEONFORK) {
                self.mapper.map(vma.range, vma.prot, Backing::Anonymous)?;
            }
            state.vmas.update(vma.range, |attributes| attributes.flags.remove(VmaFlags::LOCKED));
        }
        Ok(())
    }
}
