//! [`Args`]: the six argument registers of a syscall with typed access, and the ways from there to guest memory.

use std::ffi::CString;

use crate::abi::{Errno, Fd, GuestAddr, GuestPtr, Pid};
use crate::host::sys::{ForeignBuffer, Struct};
use crate::mem::GuestMemory;

/// Longest path in bytes, NUL included.
pub const PATH_MAX: usize = 4096;

/// Most elements of an I/O vector (`UIO_MAXIOV`).
const IOV_MAX: u64 = 1024;

/// The argument registers x0 to x5. An accessor with an index beyond 5 reads 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Args(pub [u64; 6]);

impl Args {
    /// The whole register.
    #[must_use]
    pub fn u64(&self, index: usize) -> u64 {
        self.0.get(index).copied().unwrap_or(0)
    }

    /// The register as a signed number.
    #[must_use]
    pub fn i64(&self, index: usize) -> i64 {
        self.u64(index).cast_signed()
    }

    /// The low half, as an `unsigned int` parameter takes it.
    #[must_use]
    pub fn u32(&self, index: usize) -> u32 {
        self.u64(index) as u32
    }

    /// The low half, as an `int` parameter takes it.
    #[must_use]
    pub fn i32(&self, index: usize) -> i32 {
        self.u32(index).cast_signed()
    }

    /// A length.
    #[must_use]
    pub fn usize(&self, index: usize) -> usize {
        self.u64(index) as usize
    }

    /// A descriptor.
    #[must_use]
    pub fn fd(&self, index: usize) -> Fd {
        Fd(self.i32(index))
    }

    /// A process id.
    #[must_use]
    pub fn pid(&self, index: usize) -> Pid {
        Pid(self.i32(index))
    }

    /// An address.
    #[must_use]
    pub fn addr(&self, index: usize) -> GuestAddr {
        GuestAddr(self.u64(index))
    }

    /// A pointer to a `T`, perhaps null.
    #[must_use]
    pub fn ptr<T>(&self, index: usize) -> GuestPtr<T> {
        GuestPtr::new(self.addr(index))
    }

    /// The buffer whose address is argument `index` and whose length is the next one.
    ///
    /// # Errors
    /// `EFAULT` where it leaves the guest's address space.
    pub fn buffer(&self, memory: GuestMemory, index: usize) -> Result<ForeignBuffer, Errno> {
        buffer(memory, self.addr(index), self.u64(index + 1))
    }

    /// The structure of `LEN` bytes at argument `index`.
    ///
    /// # Errors
    /// `EFAULT` where it leaves the guest's address space.
    pub fn structure<const LEN: usize>(&self, memory: GuestMemory, index: usize) -> Result<Struct<LEN>, Errno> {
        Struct::new(buffer(memory, self.addr(index), LEN as u64)?)
    }

    /// The same, `None` for a null pointer.
    ///
    /// # Errors
    /// `EFAULT` where it leaves the guest's address space.
    pub fn optional<const LEN: usize>(&self, memory: GuestMemory, index: usize) -> Result<Option<Struct<LEN>>, Errno> {
        if self.addr(index).is_null() { Ok(None) } else { self.structure(memory, index).map(Some) }
    }

    /// The string at argument `index`, as a path.
    ///
    /// # Errors
    /// `EFAULT`, `ENAMETOOLONG`.
    pub fn path(&self, memory: GuestMemory, index: usize) -> Result<CString, Errno> {
        let bytes = memory.read_cstr(self.addr(index), PATH_MAX)?;
        CString::new(bytes).map_err(|_inner_nul| Errno::EINVAL)
    }

    /// The I/O vector whose address is argument `index` and whose count is the next one.
    ///
    /// # Errors
    /// `EINVAL` for a count or length out of range, `EFAULT`.
    pub fn vector(&self, memory: GuestMemory, index: usize) -> Result<Vec<ForeignBuffer>, Errno> {
        vector_at(memory, self.addr(index), self.u64(index + 1))
    }
}

/// The I/O vector of `count` elements at `at`.
///
/// # Errors
/// `EINVAL` for a count or length out of range, `EFAULT`.
pub fn vector_at(memory: GuestMemory, at: GuestAddr, count: u64) -> Result<Vec<ForeignBuffer>, Errno> {
    if count > IOV_MAX {
        return Err(Errno::EINVAL);
    }
    let elements = GuestPtr::<[u64; 2]>::new(at);
    let mut buffers = Vec::new();
    let mut total = 0u64;
    for element in 0..count {
        let [start, len] = memory.read(elements.index(element)?)?;
        total = total.checked_add(len).filter(|sum| *sum <= i64::MAX as u64).ok_or(Errno::EINVAL)?;
        buffers.push(buffer(memory, GuestAddr(start), len)?);
    }
    Ok(buffers)
}

/// The guest's buffer of `len_bytes` at `addr` as host calls take it.
///
/// # Errors
/// `EFAULT` where it leaves the guest's address space.
#[expect(unsafe_code, reason = "names guest memory to the host kernel")]
pub fn buffer(memory: GuestMemory, addr: GuestAddr, len_bytes: u64) -> Result<ForeignBuffer, Errno> {
    let len = usize::try_from(len_bytes).map_err(|_| Errno::EFAULT)?;
    if len == 0 {
        return Ok(ForeignBuffer::NULL);
    }
    // SAFETY: `host_range` checked that the range lies in the guest's window, which holds no Rust object.
    Ok(unsafe { ForeignBuffer::new(memory.host_range(addr, len_bytes)?, len) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_cut_as_c_parameters_are() {
        let args = Args([0xffff_ffff_ffff_ff9c, 0x1_0000_0002, u64::MAX, 0, 0, 0]);
        assert_eq!((args.i32(0), args.fd(0), args.u32(1), args.i64(2)), (-100, Fd(-100), 2, -1));
        assert_eq!(args.u64(6), 0);
    }
}
