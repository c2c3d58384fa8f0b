//! Constants of mmap(2), mremap(2), madvise(2), msync(2) and mlock(2) as arm64 Linux numbers them.
//!
//! Source: `include/uapi/asm-generic/mman-common.h`, `include/uapi/asm-generic/mman.h`, `include/uapi/linux/mman.h`.
//! arm64 takes the generic numbers throughout; `PROT_BTI` and `PROT_MTE` exist only on CPUs that have the feature.

bitflags::bitflags! {
    /// Flags of mmap(2), without the mapping type (see [`MapType`]).
    #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
    pub struct MapFlags: u32 {
        /// Put the mapping exactly at the address.
        const FIXED = 0x10;
        /// No file: zero-filled memory.
        const ANONYMOUS = 0x20;
        /// A stack: grows downwards on a fault below it.
        const GROWSDOWN = 0x100;
        /// Ignored by Linux.
        const DENYWRITE = 0x800;
        /// Ignored by Linux.
        const EXECUTABLE = 0x1000;
        /// Lock the pages.
        const LOCKED = 0x2000;
        /// Do not account swap space.
        const NORESERVE = 0x4000;
        /// Fault the pages in now.
        const POPULATE = 0x8000;
        /// With `POPULATE`: do not block.
        const NONBLOCK = 0x1_0000;
        /// A hint without effect on Linux.
        const STACK = 0x2_0000;
        /// Huge pages.
        const HUGETLB = 0x4_0000;
        /// Synchronous page faults (DAX files).
        const SYNC = 0x8_0000;
        /// As `FIXED`, but never replace a mapping.
        const FIXED_NOREPLACE = 0x10_0000;
        /// Only meaningful without an MMU; accepted.
        const UNINITIALIZED = 0x400_0000;
    }
}

/// Mask of the mapping type in the flags of mmap(2).
pub const MAP_TYPE: u32 = 0x0f;

/// The mapping type of mmap(2).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapType {
    /// `MAP_SHARED` (1).
    Shared,
    /// `MAP_PRIVATE` (2).
    Private,
    /// `MAP_SHARED_VALIDATE` (3): shared, and unknown flags are refused.
    SharedValidate,
}

impl MapType {
    /// The type in the flags of mmap(2), or `None` for a number that Linux refuses with `EINVAL`.
    #[must_use]
    pub const fn from_flags(flags: u32) -> Option<Self> {
        match flags & MAP_TYPE {
            1 => Some(Self::Shared),
            2 => Some(Self::Private),
            3 => Some(Self::SharedValidate),
            _other => None,
        }
    }
}

/// `PROT_SEM`: accepted and ignored.
pub const PROT_SEM: u32 = 0x8;
/// `PROT_GROWSDOWN`: mprotect(2) extends the change to the start of a growing-down mapping.
pub const PROT_GROWSDOWN: u32 = 0x0100_0000;
/// `PROT_GROWSUP`: the same upwards; no mapping grows up on arm64.
pub const PROT_GROWSUP: u32 = 0x0200_0000;

bitflags::bitflags! {
    /// Flags of mremap(2).
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct MremapFlags: u32 {
        /// The mapping may move.
        const MAYMOVE = 1;
        /// The mapping moves to the address given.
        const FIXED = 2;
        /// The old place stays mapped, empty.
        const DONTUNMAP = 4;
    }

    /// Flags of msync(2).
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub struct MsyncFlags: u32 {
        /// Schedule the write.
        const ASYNC = 1;
        /// Invalidate other mappings' caches.
        const INVALIDATE = 2;
        /// Write, and wait for it.
        const SYNC = 4;
    }
}

macro_rules! advices {
    ($($(#[$doc:meta])* $name:ident = $number:literal;)*) => {
        /// An advice of madvise(2).
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum Advice {
            $($(#[$doc])* $name = $number,)*
        }

        impl Advice {
            /// The advice with this number, or `None` for one that Linux refuses with `EINVAL`.
            #[must_use]
            pub const fn from_raw(number: i32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$name),)*
                    _unknown => None,
                }
            }

            /// The number.
            #[must_use]
            pub const fn raw(self) -> i32 {
                self as i32
            }
        }
    };
}

advices! {
    /// `MADV_NORMAL`.
    Normal = 0;
    /// `MADV_RANDOM`.
    Random = 1;
    /// `MADV_SEQUENTIAL`.
    Sequential = 2;
    /// `MADV_WILLNEED`.
    WillNeed = 3;
    /// `MADV_DONTNEED`: private memory reads as fresh afterwards.
    DontNeed = 4;
    /// `MADV_FREE`: private anonymous memory may read as zero afterwards.
    Free = 8;
    /// `MADV_REMOVE`: punches a hole into the shared object.
    Remove = 9;
    /// `MADV_DONTFORK`: a fork child does not get the pages.
    DontFork = 10;
    /// `MADV_DOFORK`: undoes `DontFork`.
    DoFork = 11;
    /// `MADV_MERGEABLE`.
    Mergeable = 12;
    /// `MADV_UNMERGEABLE`.
    Unmergeable = 13;
    /// `MADV_HUGEPAGE`.
    HugePage = 14;
    /// `MADV_NOHUGEPAGE`.
    NoHugePage = 15;
    /// `MADV_DONTDUMP`.
    DontDump = 16;
    /// `MADV_DODUMP`.
    DoDump = 17;
    /// `MADV_WIPEONFORK`: a fork child gets zeros.
    WipeOnFork = 18;
    /// `MADV_KEEPONFORK`: undoes `WipeOnFork`.
    KeepOnFork = 19;
    /// `MADV_COLD`.
    Cold = 20;
    /// `MADV_PAGEOUT`.
    PageOut = 21;
    /// `MADV_POPULATE_READ`.
    PopulateRead = 22;
    /// `MADV_POPULATE_WRITE`.
    PopulateWrite = 23;
    /// `MADV_DONTNEED_LOCKED`.
    DontNeedLocked = 24;
    /// `MADV_COLLAPSE`.
    Collapse = 25;
    /// `MADV_HWPOISON`: needs CAP_SYS_ADMIN.
    HwPoison = 100;
    /// `MADV_SOFT_OFFLINE`: needs CAP_SYS_ADMIN.
    SoftOffline = 101;
    /// `MADV_GUARD_INSTALL`.
    GuardInstall = 102;
    /// `MADV_GUARD_REMOVE`.
    GuardRemove = 103;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_uapi() {
        assert_eq!(Advice::from_raw(18), Some(Advice::WipeOnFork));
        assert_eq!(Advice::from_raw(5), None);
        assert_eq!(Advice::GuardRemove.raw(), 103);
        assert_eq!(MapFlags::FIXED_NOREPLACE.bits(), 0x10_0000);
        assert_eq!(MapType::from_flags(0x22), Some(MapType::Private));
        assert_eq!(MapType::from_flags(0x20), None);
    }
}
