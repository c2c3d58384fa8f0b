//! mseal(2): mappings that stay as they are until the process ends or executes another program.
//!
//! The mark is one of the VMA map's; each call that would change a mapping asks [`State::check_unsealed`] or
//! [`may_discard`] first. Source: Linux `Documentation/userspace-api/mseal.rst`, `mm/mseal.c`, `mm/madvise.c`.

use super::address_space::{AddressSpace, State};
use super::mapper::Prot;
use super::vma::{Vma, VmaFlags};
use crate::abi::mman::Advice;
use crate::abi::{Errno, GuestAddr, GuestRange};

impl AddressSpace {
    /// mseal(2). A tag on the address is ignored.
    ///
    /// # Errors
    /// `EINVAL`; `ENOMEM` for a gap, and then nothing is sealed.
    pub fn seal(&self, addr: GuestAddr, len_bytes: u64) -> Result<(), Errno> {
        let mut state = self.change()?;
        let range = state.checked_range(addr.untagged(), len_bytes, Errno::EINVAL)?;
        let (parts, is_complete) = state.mapped_part(range);
        if !is_complete {
            return Err(Errno::ENOMEM);
        }
        for vma in parts {
            state.vmas.update(vma.range, |attributes| attributes.flags.insert(VmaFlags::SEALED));
        }
        Ok(())
    }
}

impl State {
    /// `EPERM` where any part of `range` is sealed: nothing of it may be unmapped, moved or replaced.
    pub(super) fn check_unsealed(&self, range: GuestRange) -> Result<(), Errno> {
        let is_sealed = self.vmas.overlapping(range).any(|(_, attributes)| attributes.flags.contains(VmaFlags::SEALED));
        if is_sealed { Err(Errno::EPERM) } else { Ok(()) }
    }
}

/// False for advice that would throw away what the guest could not write over: that of a sealed, private mapping without
/// write access.
pub(super) fn may_discard(vma: &Vma, advice: Advice) -> bool {
    let discards = matches!(
        advice,
        Advice::DontNeed
            | Advice::DontNeedLocked
            | Advice::Free
            | Advice::Remove
            | Advice::DontFork
            | Advice::WipeOnFork
            | Advice::GuardInstall
    );
    let is_kept = vma.flags.contains(VmaFlags::SEALED) && !vma.flags.contains(VmaFlags::SHARED);
    !(discards && is_kept && !vma.prot.contains(Prot::WRITE))
}
