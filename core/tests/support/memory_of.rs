//! `memory_of!(Machine, field)`: a test machine whose memory is that of the machine in its field.

/// Implements `Mapper` for the machine by that of its field.
#[macro_export]
macro_rules! memory_of {
    ($machine:ty, $memory:ident) => {
        impl elfuse::mem::Mapper for $machine {
            fn address_space_len(&self) -> u64 {
                self.$memory.address_space_len()
            }

            fn memory(&self) -> elfuse::mem::GuestMemory {
                self.$memory.memory()
            }

            fn map(
                &self,
                range: elfuse::abi::GuestRange,
                prot: elfuse::mem::Prot,
                backing: elfuse::mem::Backing<'_>,
            ) -> Result<(), elfuse::abi::Errno> {
                self.$memory.map(range, prot, backing)
            }

            fn protect(
                &self,
                range: elfuse::abi::GuestRange,
                prot: elfuse::mem::Prot,
            ) -> Result<(), elfuse::abi::Errno> {
                self.$memory.protect(range, prot)
            }

            fn unmap(&self, range: elfuse::abi::GuestRange) -> Result<(), elfuse::abi::Errno> {
                self.$memory.unmap(range)
            }

            fn relocate(
                &self,
                from: elfuse::abi::GuestRange,
                to: elfuse::abi::GuestAddr,
            ) -> Result<(), elfuse::abi::Errno> {
                self.$memory.relocate(from, to)
            }

            fn advise(&self, range: elfuse::abi::GuestRange, advice: i32) -> Result<(), elfuse::abi::Errno> {
                self.$memory.advise(range, advice)
            }

            fn sync(&self, range: elfuse::abi::GuestRange, flags: i32) -> Result<(), elfuse::abi::Errno> {
                self.$memory.sync(range, flags)
            }

            fn resident(&self, start: elfuse::abi::GuestAddr, pages: &mut [u8]) -> Result<(), elfuse::abi::Errno> {
                self.$memory.resident(start, pages)
            }

            fn invalidate_code(&self, range: elfuse::abi::GuestRange) {
                self.$memory.invalidate_code(range);
            }
        }
    };
}
