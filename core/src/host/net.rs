//! Socket calls of the host on behalf of the guest: data in [`ForeignBuffer`]s, names and ancillary data in Rust's own
//! memory, since descriptors in them are translated. Each function is one system call; section 2 of the manual
//! describes it.

#![expect(unsafe_code, reason = "socket calls on memory that is not Rust's, and received descriptors without owner")]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use super::sys::ForeignBuffer;
use crate::abi::Errno;
use crate::abi::socket::ADDRESS_MAX;

fn checked(result: isize) -> Result<u64, Errno> {
    if result < 0 { Err(nix::errno::Errno::last().into()) } else { Ok(result as u64) }
}

/// A socket address as the host gives it.
#[derive(Clone, Copy, Debug)]
pub struct Address {
    bytes: [u8; ADDRESS_MAX],
    /// The length that the host reports, which may be more than there is room for.
    len: u32,
}

impl Default for Address {
    fn default() -> Self {
        Self { bytes: [0; ADDRESS_MAX], len: 0 }
    }
}

impl Address {
    /// The bytes that are there.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..(self.len as usize).min(ADDRESS_MAX)]
    }

    /// The length that the host reports.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// True for a peer without a name.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Makes a socket; the caller's type carries `SOCK_CLOEXEC`.
///
/// # Errors
/// The host's errno.
pub fn socket(domain: i32, kind: i32, protocol: i32) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes no pointers.
    let number = checked(unsafe { libc::socket(domain, kind, protocol) } as isize)?;
    // SAFETY: the kernel has just made this number, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(number as RawFd) })
}

/// Makes two connected sockets.
///
/// # Errors
/// The host's errno.
pub fn socketpair(domain: i32, kind: i32, protocol: i32) -> Result<[OwnedFd; 2], Errno> {
    let mut numbers = [-1; 2];
    // SAFETY: the kernel writes two numbers.
    checked(unsafe { libc::socketpair(domain, kind, protocol, numbers.as_mut_ptr()) } as isize)?;
    // SAFETY: the kernel has just made these numbers, and nobody else knows them.
    Ok(numbers.map(|number| unsafe { OwnedFd::from_raw_fd(number) }))
}

/// bind(2).
///
/// # Errors
/// The host's errno.
pub fn bind(socket: BorrowedFd<'_>, address: &[u8]) -> Result<u64, Errno> {
    // SAFETY: the address outlives the call and is only read.
    checked(unsafe { libc::bind(socket.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) } as isize)
}

/// connect(2); waits where the socket is blocking.
///
/// # Errors
/// The host's errno.
pub fn connect(socket: BorrowedFd<'_>, address: &[u8]) -> Result<u64, Errno> {
    // SAFETY: the address outlives the call and is only read.
    checked(unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) } as isize)
}

/// listen(2).
///
/// # Errors
/// The host's errno.
pub fn listen(socket: BorrowedFd<'_>, backlog: i32) -> Result<u64, Errno> {
    // SAFETY: the call takes no pointers.
    checked(unsafe { libc::listen(socket.as_raw_fd(), backlog) } as isize)
}

/// shutdown(2).
///
/// # Errors
/// The host's errno.
pub fn shutdown(socket: BorrowedFd<'_>, how: i32) -> Result<u64, Errno> {
    // SAFETY: the call takes no pointers.
    checked(unsafe { libc::shutdown(socket.as_raw_fd(), how) } as isize)
}

/// accept4(2) with close-on-exec; waits where the socket is blocking.
///
/// # Errors
/// The host's errno.
pub fn accept(socket: BorrowedFd<'_>, flags: i32) -> Result<(OwnedFd, Address), Errno> {
    let mut address = Address { len: ADDRESS_MAX as u32, ..Address::default() };
    let number = imp::accept(socket.as_raw_fd(), &mut address.bytes, &mut address.len, flags)?;
    // SAFETY: the kernel has just made this number, and nobody else knows it.
    Ok((unsafe { OwnedFd::from_raw_fd(number) }, address))
}

/// getsockname(2).
///
/// # Errors
/// The host's errno.
pub fn own_address(socket: BorrowedFd<'_>) -> Result<Address, Errno> {
    let mut address = Address { len: ADDRESS_MAX as u32, ..Address::default() };
    let (place, len) = (address.bytes.as_mut_ptr().cast(), &raw mut address.len);
    // SAFETY: the kernel writes at most `len` bytes to an array of that length.
    checked(unsafe { libc::getsockname(socket.as_raw_fd(), place, len) } as isize)?;
    Ok(address)
}

/// getpeername(2).
///
/// # Errors
/// The host's errno.
pub fn peer_address(socket: BorrowedFd<'_>) -> Result<Address, Errno> {
    let mut address = Address { len: ADDRESS_MAX as u32, ..Address::default() };
    let (place, len) = (address.bytes.as_mut_ptr().cast(), &raw mut address.len);
    // SAFETY: the kernel writes at most `len` bytes to an array of that length.
    checked(unsafe { libc::getpeername(socket.as_raw_fd(), place, len) } as isize)?;
    Ok(address)
}

/// getsockopt(2) into a buffer of the guest; the answer is the length.
///
/// # Errors
/// The host's errno.
pub fn option(socket: BorrowedFd<'_>, level: i32, name: i32, to: ForeignBuffer) -> Result<u32, Errno> {
    let mut len = u32::try_from(to.len()).unwrap_or(u32::MAX);
    // SAFETY: the buffer is the guest's, which the kernel checks.
    checked(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, to.start().cast(), &raw mut len) } as isize)?;
    Ok(len)
}

/// getsockopt(2) of a structure of integers.
fn get_option<T>(socket: BorrowedFd<'_>, level: i32, name: i32, mut value: T) -> Result<T, Errno> {
    let mut len = size_of::<T>() as u32;
    let place = (&raw mut value).cast();
    // SAFETY: the kernel writes at most the size that is passed, and the callers' types take any bytes.
    checked(unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, place, &raw mut len) } as isize)?;
    Ok(value)
}

/// getsockopt(2) of an option that is a number.
///
/// # Errors
/// The host's errno.
pub fn number_option(socket: BorrowedFd<'_>, level: i32, name: i32) -> Result<i32, Errno> {
    get_option(socket, level, name, 0i32)
}

/// getsockopt(2) of an option that is a time in nanoseconds; `None` where it is zero, which means none.
///
/// # Errors
/// The host's errno.
pub fn timeout_option(socket: BorrowedFd<'_>, level: i32, name: i32) -> Result<Option<u64>, Errno> {
    let [seconds, microseconds] = get_option(socket, level, name, [0u64; 2])?;
    let ns = seconds.saturating_mul(1_000_000_000).saturating_add(microseconds * 1000);
    Ok((ns != 0).then_some(ns))
}

/// setsockopt(2) from a buffer of the guest.
///
/// # Errors
/// The host's errno.
pub fn set_option(socket: BorrowedFd<'_>, level: i32, name: i32, from: ForeignBuffer) -> Result<u64, Errno> {
    let len = u32::try_from(from.len()).unwrap_or(u32::MAX);
    // SAFETY: the buffer is the guest's, which the kernel checks.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, from.start().cast(), len) } as isize)
}

/// setsockopt(2) of a number.
///
/// # Errors
/// The host's errno.
pub fn set_number_option(socket: BorrowedFd<'_>, level: i32, name: i32, value: i32) -> Result<u64, Errno> {
    // SAFETY: the kernel reads four bytes.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), 4) } as isize)
}

/// setsockopt(2) of a filter program: `code` is its instructions, eight bytes each.
///
/// # Errors
/// The host's errno.
pub fn set_filter_option(socket: BorrowedFd<'_>, level: i32, name: i32, code: &[u64]) -> Result<u64, Errno> {
    #[repr(C)]
    struct Program {
        len: u16,
        code: *const u64,
    }
    let program = Program { len: u16::try_from(code.len()).map_err(|_| Errno::EINVAL)?, code: code.as_ptr() };
    let len = size_of::<Program>() as u32;
    // SAFETY: the program and its code outlive the call and are only read.
    checked(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const program).cast(), len) } as isize)
}

/// What sendmsg(2) sends.
#[derive(Clone, Copy, Debug)]
pub struct Outgoing<'message> {
    /// The receiver's address, or empty.
    pub address: &'message [u8],
    /// Ancillary data with host descriptors.
    pub control: &'message [u8],
    /// The data.
    pub buffers: &'message [ForeignBuffer],
    /// `MSG_*`.
    pub flags: u32,
}

fn empty_header() -> libc::msghdr {
    // SAFETY: a message header consists of integers and pointers for which zero means absent.
    unsafe { std::mem::zeroed() }
}

/// sendmsg(2).
///
/// # Errors
/// The host's errno.
pub fn send(socket: BorrowedFd<'_>, message: &Outgoing<'_>) -> Result<u64, Errno> {
    let mut header = empty_header();
    if !message.address.is_empty() {
        header.msg_name = message.address.as_ptr().cast_mut().cast();
        header.msg_namelen = message.address.len() as u32;
    }
    if !message.control.is_empty() {
        header.msg_control = message.control.as_ptr().cast_mut().cast();
        header.msg_controllen = message.control.len() as _;
    }
    header.msg_iov = message.buffers.as_ptr().cast_mut().cast();
    header.msg_iovlen = message.buffers.len() as _;
    // SAFETY: 1. header, address and control outlive the call and are only read; 2. the vectors are foreign buffers.
    checked(unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const header, message.flags.cast_signed()) })
}

/// sendmsg(2) of bytes, waiting for room. For pool threads.
///
/// # Errors
/// The host's errno.
pub fn send_bytes(
    socket: BorrowedFd<'_>,
    address: &[u8],
    control: &[u8],
    data: &[u8],
    flags: u32,
) -> Result<u64, Errno> {
    send(socket, &Outgoing { address, control, buffers: &[ForeignBuffer::of(data)], flags })
}

/// What recvmsg(2) received besides the data.
#[derive(Debug, Default)]
pub struct Incoming {
    /// Length of the data.
    pub len: u64,
    /// The sender's address.
    pub address: Address,
    /// Ancillary data with host descriptors, which have no owner yet.
    pub control: Vec<u8>,
    /// `MSG_*` that the host set.
    pub flags: u32,
}

/// recvmsg(2), with room for `control_room` bytes of ancillary data.
///
/// # Errors
/// The host's errno.
pub fn receive(
    socket: BorrowedFd<'_>,
    buffers: &[ForeignBuffer],
    wants_address: bool,
    control_room: usize,
    flags: u32,
) -> Result<Incoming, Errno> {
    let mut incoming = Incoming { control: vec![0; control_room], ..Incoming::default() };
    let mut header = empty_header();
    if wants_address {
        header.msg_name = incoming.address.bytes.as_mut_ptr().cast();
        header.msg_namelen = ADDRESS_MAX as u32;
    }
    if control_room != 0 {
        header.msg_control = incoming.control.as_mut_ptr().cast();
        header.msg_controllen = control_room as _;
    }
    header.msg_iov = buffers.as_ptr().cast_mut().cast();
    header.msg_iovlen = buffers.len() as _;
    // SAFETY: 1. the kernel writes to address and control within the lengths that are theirs; 2. the vectors are foreign
    // buffers.
    let len = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags.cast_signed()) };
    incoming.len = checked(len)?;
    incoming.address.len = header.msg_namelen;
    incoming.control.truncate(header.msg_controllen as u64 as usize);
    incoming.flags = header.msg_flags.cast_unsigned();
    Ok(incoming)
}

/// Takes over descriptors that a message brought.
///
/// # Safety
/// Each number comes from ancillary data that [`receive`] has just filled in, and is taken over once.
#[must_use]
pub unsafe fn adopt(number: RawFd) -> OwnedFd {
    // SAFETY: the caller's promise: the kernel has made this number for us.
    unsafe { OwnedFd::from_raw_fd(number) }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::os::fd::RawFd;

    use crate::abi::Errno;
    use crate::abi::socket::ADDRESS_MAX;

    pub(super) fn accept(
        socket: RawFd,
        address: &mut [u8; ADDRESS_MAX],
        len: &mut u32,
        flags: i32,
    ) -> Result<RawFd, Errno> {
        // SAFETY: the kernel writes at most `len` bytes to an array of that length.
        let number = unsafe { libc::accept4(socket, address.as_mut_ptr().cast(), len, flags | libc::SOCK_CLOEXEC) };
        if number < 0 { Err(nix::errno::Errno::last().into()) } else { Ok(number) }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::os::fd::RawFd;

    use crate::abi::Errno;
    use crate::abi::socket::ADDRESS_MAX;

    pub(super) fn accept(
        socket: RawFd,
        address: &mut [u8; ADDRESS_MAX],
        len: &mut u32,
        flags: i32,
    ) -> Result<RawFd, Errno> {
        const SOCK_NONBLOCK: i32 = 0o4000;
        // SAFETY: 1. the kernel writes at most `len` bytes to an array of that length; 2. the flags are set on the
        // number that it has just made.
        let number = unsafe { libc::accept(socket, address.as_mut_ptr().cast(), len) };
        if number < 0 {
            return Err(nix::errno::Errno::last().into());
        }
        // SAFETY: as above.
        unsafe {
            libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC);
            libc::fcntl(number, libc::F_SETFL, if flags & SOCK_NONBLOCK != 0 { libc::O_NONBLOCK } else { 0 });
        }
        Ok(number)
    }
}
