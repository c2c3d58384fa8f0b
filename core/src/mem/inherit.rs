//! What the child of a host fork does with the mappings that it finds: [`AddressSpace::hold`] and
//! [`AddressSpace::inherit`]. Source: madvise(2) `MADV_DONTFORK`, `MADV_WIPEONFORK`; mlock(2) "Notes".

use std::os::fd::{AsRawFd, RawFd};
use std::sync::MutexGuard;

use super::address_space::{AddressSpace, State};
use super::mapper::Backing;
use super::vma::{Attributes, Vma, VmaBacking, VmaFlags};
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

    /// The host's descriptors of mapped files. No mapping is copied for this: in a forked process, what is written costs a
    /// page.
    #[must_use]
    pub fn mapped_descriptors(&self) -> Vec<RawFd> {
        let of_file = |attributes: &Attributes| match &attributes.backing {
            VmaBacking::Anonymous | VmaBacking::Segment { .. } | VmaBacking::Common { .. } => None,
            VmaBacking::File { file, .. } => Some(file.fd.as_raw_fd()),
        };
        let state = self.lock();
        let files = state.vmas.iter().filter_map(|(_, attributes)| of_file(attributes));
        files.chain(state.common_descriptors()).collect()
    }

    /// In a forked process: removes what is not inherited, empties what is to be empty, and unlocks the rest.
    ///
    /// # Errors
    /// The host's errno.
    pub fn inherit(&self) -> Result<(), Errno> {
        const SPECIAL: VmaFlags = VmaFlags::LOCKED.union(VmaFlags::DONTFORK).union(VmaFlags::WIPEONFORK);
        let mut state = self.lock();
        let special: Vec<Vma> = {
            let special = state.vmas.iter().filter(|(_, attributes)| attributes.flags.intersects(SPECIAL));
            special.map(|(range, attributes)| attributes.vma(range)).collect()
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
