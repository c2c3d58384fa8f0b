//! [`SharedWords`]: a page of counters that several processes see, in a memory file that they all have.
//!
//! Source: mmap(2) `MAP_SHARED`.

#![expect(unsafe_code, reason = "a shared mapping")]

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::ptr::NonNull;
use std::sync::atomic::AtomicU64;

use nix::sys::mman::{MapFlags, ProtFlags, mmap, munmap};

use super::memory::page_size;

/// The first page of a memory file, as words. A forked process finds it where its parent has it.
#[derive(Debug)]
pub struct SharedWords {
    start: NonNull<AtomicU64>,
    len_bytes: NonZeroUsize,
}

// SAFETY: the words are atomic, and the mapping lives as long as the value.
unsafe impl Send for SharedWords {}
// SAFETY: as above.
unsafe impl Sync for SharedWords {}

impl SharedWords {
    /// Maps the first page of `file`, which must be there.
    ///
    /// # Errors
    /// mmap(2) failed.
    pub fn map(file: impl AsFd) -> io::Result<Self> {
        let len_bytes = NonZeroUsize::new(page_size()).unwrap_or(NonZeroUsize::MIN);
        let rights = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a fresh mapping at an address of the kernel's choice touches nothing that exists.
        let start = unsafe { mmap(None, len_bytes, rights, MapFlags::MAP_SHARED, file, 0) }?;
        Ok(Self { start: start.cast(), len_bytes })
    }

    /// The words.
    #[must_use]
    pub fn words(&self) -> &[AtomicU64] {
        // SAFETY: the page is mapped as long as `self` is there, aligned, and of whole words, for which any value is valid.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len_bytes.get() / size_of::<AtomicU64>()) }
    }
}

impl Drop for SharedWords {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's, and nobody has a reference into it any more.
        let _unmapped = unsafe { munmap(self.start.cast(), self.len_bytes.get()) };
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::SeqCst;

    use super::*;
    use crate::host::memory::memory_file;

    #[test]
    fn two_mappings_show_the_same_words() {
        let file = memory_file(c"elfuse-test", page_size() as u64).unwrap();
        let (one, other) = (SharedWords::map(&file).unwrap(), SharedWords::map(&file).unwrap());
        one.words()[3].store(7, SeqCst);
        assert_eq!(other.words()[3].load(SeqCst), 7);
        assert_eq!(other.words().len(), page_size() / 8);
    }
}
