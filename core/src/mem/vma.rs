//! [`Vma`]: one mapping of the guest, as /proc/self/maps shows it and as a fork image carries it.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use super::commons::Commons;
use super::mapper::{Backing, Prot};
use super::range_map::Segment;
use super::segments::SharedSegment;
use crate::abi::{Errno, GuestRange};

bitflags::bitflags! {
    /// Properties of a mapping beyond its rights; mappings merge only when they agree.
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default)]
    pub struct VmaFlags: u32 {
        /// MAP_SHARED.
        const SHARED = 1 << 0;
        /// MAP_GROWSDOWN.
        const GROWSDOWN = 1 << 1;
        /// MAP_NORESERVE.
        const NORESERVE = 1 << 2;
        /// MAP_LOCKED or mlock(2).
        const LOCKED = 1 << 3;
        /// MADV_DONTFORK.
        const DONTFORK = 1 << 4;
        /// MADV_WIPEONFORK.
        const WIPEONFORK = 1 << 5;
        /// MADV_DONTDUMP.
        const DONTDUMP = 1 << 6;
        /// The brk area (`[heap]`).
        const HEAP = 1 << 7;
        /// The main thread's stack (`[stack]`).
        const STACK = 1 << 8;
        /// The pages come from a fork image and are not what the backing would show afresh.
        const IMAGE = 1 << 9;
        /// The vDSO's code (`[vdso]`).
        const VDSO = 1 << 10;
        /// The vDSO's data (`[vvar]`).
        const VVAR = 1 << 11;
        /// mseal(2).
        const SEALED = 1 << 12;
        /// Another process of the same memory maps something here that this one cannot.
        const ELSEWHERE = 1 << 13;
    }
}

/// An open file as mappings need it.
#[derive(Debug)]
pub struct MappedFile {
    /// The host descriptor. The mapping keeps it open, as a Linux mapping keeps its file open.
    pub fd: Arc<OwnedFd>,
    /// The path for /proc/self/maps.
    pub name: Vec<u8>,
    /// Device number of the file.
    pub device: u64,
    /// Inode number of the file.
    pub inode: u64,
    /// Opened for reading.
    pub is_readable: bool,
    /// Opened for writing.
    pub is_writable: bool,
}

impl MappedFile {
    /// Describes an open file.
    ///
    /// # Errors
    /// `EBADF` for a descriptor opened with O_PATH, or the host's errno.
    pub fn new(fd: Arc<OwnedFd>, name: Vec<u8>) -> Result<Self, Errno> {
        use nix::fcntl::{FcntlArg, OFlag, fcntl};
        let flags = OFlag::from_bits_retain(fcntl(fd.as_fd(), FcntlArg::F_GETFL)?);
        #[cfg(target_os = "linux")]
        if flags.contains(OFlag::O_PATH) {
            return Err(Errno::EBADF);
        }
        let mode = flags & OFlag::O_ACCMODE;
        let stat = nix::sys::stat::fstat(fd.as_fd())?;
        Ok(Self {
            name,
            device: crate::host::metadata::device_number(stat.st_dev),
            inode: stat.st_ino as u64,
            is_readable: mode != OFlag::O_WRONLY,
            is_writable: mode != OFlag::O_RDONLY,
            fd,
        })
    }
}

/// What is behind a mapping.
#[derive(Clone, Debug)]
pub enum VmaBacking {
    /// Private zero-filled memory.
    Anonymous,
    /// A file, shared or copy-on-write by [`VmaFlags::SHARED`]. Shared anonymous memory is a memory file named
    /// `/dev/zero (deleted)`, as Linux names it.
    File {
        /// The file.
        file: Arc<MappedFile>,
        /// Offset of the first byte.
        offset: u64,
    },
    /// A System V shared memory segment.
    Segment {
        /// The attachment.
        segment: Arc<SharedSegment>,
        /// Offset of the first byte.
        offset: u64,
    },
    /// Private memory of a process that runs on in the memory of another (`CLONE_VM`).
    Common {
        /// What they have in common.
        commons: Arc<Commons>,
        /// Offset of the first byte.
        offset: u64,
        /// The name of the file that the pages came from, empty for anonymous memory.
        name: Arc<[u8]>,
    },
}

impl VmaBacking {
    /// Where in the file or segment the mapping begins.
    fn offset_mut(&mut self) -> Option<&mut u64> {
        match self {
            Self::Anonymous => None,
            Self::File { offset, .. } | Self::Segment { offset, .. } | Self::Common { offset, .. } => Some(offset),
        }
    }
}

/// A mapping. The range is not part of the value that ranges are compared by.
#[derive(Clone, Debug)]
pub struct Vma {
    /// Where it is.
    pub range: GuestRange,
    /// Rights.
    pub prot: Prot,
    /// Other properties.
    pub flags: VmaFlags,
    /// What is behind it.
    pub backing: VmaBacking,
}

impl Vma {
    /// The backing in the form that a [`Mapper`](super::Mapper) takes.
    #[must_use]
    pub fn mapper_backing(&self) -> Backing<'_> {
        match &self.backing {
            VmaBacking::Anonymous => Backing::Anonymous,
            VmaBacking::File { file, offset } => {
                let (fd, offset) = (file.fd.as_fd(), *offset);
                if self.flags.contains(VmaFlags::SHARED) {
                    Backing::SharedFile { file: fd, offset, writable: file.is_writable }
                } else {
                    Backing::PrivateFile { file: fd, offset }
                }
            }
            VmaBacking::Segment { segment, offset } => {
                Backing::Segment { id: segment.id, offset: *offset, writable: segment.is_writable }
            }
            VmaBacking::Common { commons, offset, .. } => {
                Backing::SharedFile { file: commons.memory(), offset: *offset, writable: true }
            }
        }
    }

    /// True for private zero-filled memory.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        match &self.backing {
            VmaBacking::Anonymous => true,
            VmaBacking::Common { name, .. } => name.is_empty(),
            VmaBacking::File { .. } | VmaBacking::Segment { .. } => false,
        }
    }

    /// True when the mapping may be given write access: not for a shared view of a file that was opened read-only.
    #[must_use]
    pub fn may_write(&self) -> bool {
        match &self.backing {
            // The clock page is written by elfuse alone.
            VmaBacking::File { .. } if self.flags.contains(VmaFlags::VVAR) => false,
            VmaBacking::File { file, .. } => file.is_writable || !self.flags.contains(VmaFlags::SHARED),
            VmaBacking::Segment { segment, .. } => segment.is_writable,
            VmaBacking::Anonymous | VmaBacking::Common { .. } => true,
        }
    }

    /// The name in /proc/self/maps, empty where there is none.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        match &self.backing {
            VmaBacking::File { file, .. } => &file.name,
            VmaBacking::Segment { segment, .. } => &segment.name,
            VmaBacking::Common { name, .. } if !name.is_empty() => name,
            VmaBacking::Anonymous | VmaBacking::Common { .. } => self.name_by_use(),
        }
    }

    /// The name of anonymous memory.
    fn name_by_use(&self) -> &'static [u8] {
        const NAMES: [(VmaFlags, &[u8]); 3] =
            [(VmaFlags::HEAP, b"[heap]"), (VmaFlags::STACK, b"[stack]"), (VmaFlags::VDSO, b"[vdso]")];
        NAMES.iter().find(|(flag, _)| self.flags.contains(*flag)).map_or(b"", |(_, name)| name)
    }

    /// The same mapping cut to, or extended over, `range`: the offset in what is behind it moves with the start.
    #[must_use]
    pub fn over(&self, range: GuestRange) -> Self {
        let mut vma = self.clone();
        if let Some(offset) = vma.backing.offset_mut() {
            *offset = offset.wrapping_add(range.start.0.wrapping_sub(self.range.start.0));
        }
        vma.range = range;
        vma
    }

    /// The parts that the VMA map keeps beside the range.
    pub(super) fn attributes(&self) -> Attributes {
        Attributes { prot: self.prot, flags: self.flags, backing: self.backing.clone() }
    }
}

/// A [`Vma`] without its range.
#[derive(Clone, Debug)]
pub(super) struct Attributes {
    pub(super) prot: Prot,
    pub(super) flags: VmaFlags,
    pub(super) backing: VmaBacking,
}

impl Attributes {
    pub(super) fn vma(&self, range: GuestRange) -> Vma {
        Vma { range, prot: self.prot, flags: self.flags, backing: self.backing.clone() }
    }
}

impl Segment for Attributes {
    fn tail(&self, offset_bytes: u64) -> Self {
        let mut tail = self.clone();
        if let Some(offset) = tail.backing.offset_mut() {
            *offset += offset_bytes;
        }
        tail
    }

    fn continues(&self, len_bytes: u64, next: &Self) -> bool {
        let is_same_backing = match (&self.backing, &next.backing) {
            (VmaBacking::Anonymous, VmaBacking::Anonymous) => true,
            (VmaBacking::File { file, offset }, VmaBacking::File { file: next_file, offset: next_offset }) => {
                Arc::ptr_eq(file, next_file) && offset.checked_add(len_bytes) == Some(*next_offset)
            }
            (VmaBacking::Segment { segment, offset }, VmaBacking::Segment { segment: next, offset: next_offset }) => {
                segment == next && offset.checked_add(len_bytes) == Some(*next_offset)
            }
            (
                VmaBacking::Common { offset, name, .. },
                VmaBacking::Common { offset: next_offset, name: next_name, .. },
            ) => offset.checked_add(len_bytes) == Some(*next_offset) && name == next_name,
            (
                VmaBacking::Anonymous
                | VmaBacking::File { .. }
                | VmaBacking::Segment { .. }
                | VmaBacking::Common { .. },
                _other,
            ) => false,
        };
        is_same_backing && self.prot == next.prot && self.flags == next.flags
    }
}
