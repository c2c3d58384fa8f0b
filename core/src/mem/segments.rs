//! System V shared memory in the address space: [`AddressSpace::attach`] and [`AddressSpace::detach`], the policy of shmat(2)
//! and shmdt(2). The segments themselves are the host's.
//!
//! Source: `do_shmat` and `ksys_shmdt` in `ipc/shm.c` of Linux.

use std::sync::Arc;

use super::address_space::{AddressSpace, MmapRequest, page_align};
use super::mapper::Prot;
use super::vma::{Attributes, VmaBacking, VmaFlags};
use serde::{Deserialize, Serialize};

use crate::abi::mman::MapFlags;
use crate::abi::{Errno, GuestAddr, GuestRange};

/// What shmat(2) has attached. Attachments of the same segment differ by where they begin.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Debug)]
pub struct SharedSegment {
    /// The host's identifier.
    pub id: i32,
    /// The name in /proc/self/maps, made of the key.
    pub name: Vec<u8>,
    /// Not attached with `SHM_RDONLY`.
    pub is_writable: bool,
}

/// Where shmat(2) puts a segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AttachAt {
    /// Where there is room.
    Anywhere,
    /// There, where nothing else is.
    Free(GuestAddr),
    /// There, in place of what is mapped.
    Replacing(GuestAddr),
}

impl AddressSpace {
    /// Maps a segment of `len_bytes` with the rights `prot`.
    ///
    /// # Errors
    /// `EINVAL` where something is mapped, `ENOMEM`, `EPERM`, or the host's errno.
    pub fn attach(
        &self,
        place: AttachAt,
        len_bytes: u64,
        prot: Prot,
        segment: SharedSegment,
    ) -> Result<GuestAddr, Errno> {
        let len = page_align(len_bytes).ok_or(Errno::ENOMEM)?;
        let free = MmapRequest::anonymous(len, prot);
        let request = match place {
            AttachAt::Anywhere => free,
            AttachAt::Free(addr) => MmapRequest { addr, flags: free.flags | MapFlags::FIXED_NOREPLACE.bits(), ..free },
            AttachAt::Replacing(addr) => free.at(addr),
        };
        let mut state = self.change()?;
        let range = state.place(&request, len).map_err(|errno| match errno {
            Errno::EEXIST => Errno::EINVAL,
            other => other,
        })?;
        let backing = VmaBacking::Segment { segment: Arc::new(segment), offset: 0 };
        let attributes = Attributes { prot, flags: VmaFlags::SHARED, backing };
        self.mapper.map(range, prot, attributes.vma(range).mapper_backing())?;
        state.vmas.insert(range, attributes);
        Ok(range.start)
    }

    /// Unmaps what is left of the attachment that was made at `addr`.
    ///
    /// # Errors
    /// `EINVAL` where there is none, `EPERM` where it is sealed.
    pub fn detach(&self, addr: GuestAddr) -> Result<(), Errno> {
        let mut state = self.change()?;
        let attached = state.vmas.iter().filter_map(|(range, attributes)| match &attributes.backing {
            VmaBacking::Segment { segment, offset } if range.start.0.checked_sub(addr.0) == Some(*offset) => {
                Some((range, segment.clone()))
            }
            VmaBacking::Segment { .. }
            | VmaBacking::Anonymous
            | VmaBacking::File { .. }
            | VmaBacking::Common { .. } => None,
        });
        let attached: Vec<(GuestRange, Arc<SharedSegment>)> = attached.collect();
        let (_, first) = attached.first().ok_or(Errno::EINVAL)?;
        for (range, _) in attached.iter().filter(|(_, segment)| segment == first) {
            state.check_unsealed(*range)?;
            self.release(&mut state, *range)?;
        }
        Ok(())
    }
}
