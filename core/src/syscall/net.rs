//! Sockets but for their data: socket(2), bind(2), listen(2), accept(2), connect(2), names and options.
//!
//! Families, types, addresses and options have one numbering on all architectures with generic headers and pass through;
//! options that hold descriptors or pointers are translated. accept(2) and connect(2) of a blocking socket are waited for
//! as every other call, then made by a pool thread: another acceptor may have been faster, and a blocking descriptor that
//! other programs may share cannot be told not to wait. Data: [`super::messages`].

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use nix::poll::PollFlags;

use super::Args;
use super::args::buffer;
use super::io::number;
use super::unix_names::{HostAddress, for_guest};
use crate::abi::socket::{
    ADDRESS_MAX, SO_ATTACH_BPF, SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF, SO_ATTACH_REUSEPORT_EBPF, SO_PEERPIDFD,
    SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET,
};
use crate::abi::{Errno, Fd, GuestAddr, GuestPtr};
use crate::fs::Last;
use crate::host::clock::monotonic_ns;
use crate::host::net::{self, Address};
use crate::kernel::open_file::{FileKind, OpenFile};
use crate::kernel::{Interrupted, Restart, SyscallError, SyscallResult, TaskContext};

const SOCK_CLOEXEC: i32 = 0o200_0000;
const SOCK_NONBLOCK: i32 = 0o4000;
/// The bits of a type that are none.
const SOCK_FLAGS: i32 = SOCK_CLOEXEC | SOCK_NONBLOCK;

/// The socket behind a number.
pub(super) fn socket_file(ctx: &TaskContext, fd: Fd) -> Result<Arc<OpenFile>, Errno> {
    let file = ctx.files.get(fd)?;
    if file.kind() == FileKind::Socket { Ok(file) } else { Err(Errno::ENOTSOCK) }
}

/// A socket address argument as the host is to see it; `last` is about a symbolic link at the end of a path.
pub(super) fn address_in(ctx: &TaskContext, at: GuestAddr, len: u32, last: Last) -> Result<HostAddress, Errno> {
    if len as usize > ADDRESS_MAX {
        return Err(Errno::EINVAL);
    }
    let mut bytes = vec![0; len as usize];
    ctx.memory().read_bytes(at, &mut bytes)?;
    HostAddress::resolve(ctx, bytes, last)
}

/// Gives an address to the guest: as much as fits, and its whole length.
pub(super) fn address_out(
    ctx: &TaskContext,
    address: &Address,
    at: GuestAddr,
    len: GuestPtr<i32>,
) -> Result<(), Errno> {
    let room = usize::try_from(ctx.memory().read(len)?).map_err(|_negative| Errno::EINVAL)?;
    let (bytes, whole) = for_guest(ctx, address);
    ctx.memory().write_bytes(at, &bytes[..bytes.len().min(room)])?;
    ctx.memory().write(len, &whole.cast_signed())
}

pub(super) fn socket(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let kind = args.i32(1);
    let socket = net::socket(args.i32(0), kind | SOCK_CLOEXEC, args.i32(2))?;
    Ok(number(ctx.files.add(OpenFile::new(socket), kind & SOCK_CLOEXEC != 0)?))
}

pub(super) fn socketpair(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let kind = args.i32(1);
    let pair = net::socketpair(args.i32(0), kind | SOCK_CLOEXEC, args.i32(2))?;
    let fds = ctx.files.add_pair(pair.map(OpenFile::new), kind & SOCK_CLOEXEC != 0)?;
    let written = ctx.memory().write(args.ptr::<[i32; 2]>(3), &fds.map(|fd| fd.0));
    if let Err(errno) = written {
        for fd in fds {
            let _open = ctx.files.close(fd);
        }
        return Err(errno.into());
    }
    Ok(0)
}

pub(super) fn bind(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    Ok(net::bind(file.as_fd(), address_in(ctx, args.addr(1), args.u32(2), Last::Itself)?.bytes())?)
}

pub(super) fn listen(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(net::listen(socket_file(ctx, args.fd(0))?.as_fd(), args.i32(1))?)
}

pub(super) fn shutdown(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    Ok(net::shutdown(socket_file(ctx, args.fd(0))?.as_fd(), args.i32(1))?)
}

/// How long calls of one direction wait on a socket (`SO_RCVTIMEO`, `SO_SNDTIMEO`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) deadline_ns: Option<u64>,
}

impl Patience {
    /// What the option of a socket says. Something that is no socket waits for ever.
    pub(super) fn of(socket: BorrowedFd<'_>, option: i32) -> Self {
        let timeout_ns = net::timeout_option(socket, SOL_SOCKET, option).unwrap_or(None);
        Self { deadline_ns: timeout_ns.map(|ns| monotonic_ns().saturating_add(ns)) }
    }

    /// What becomes of a wait: `timed_out` when the time is over, and no restart for a call that had a time limit.
    pub(super) fn error(self, interrupted: Interrupted, timed_out: Errno) -> SyscallError {
        match interrupted {
            Interrupted::Signal if self.deadline_ns.is_some() => Errno::EINTR.into(),
            Interrupted::Signal => Restart::Sys.into(),
            Interrupted::TimedOut => timed_out.into(),
            Interrupted::Failed(errno) => errno.into(),
        }
    }
}

pub(super) fn accept(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    accept_with(ctx, args, 0)
}

pub(super) fn accept4(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    accept_with(ctx, args, args.i32(3))
}

fn accept_with(ctx: &TaskContext, args: &Args, flags: i32) -> SyscallResult {
    if flags & !SOCK_FLAGS != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = socket_file(ctx, args.fd(0))?;
    let (socket, address) = if file.is_nonblocking()? {
        net::accept(file.as_fd(), flags)?
    } else {
        let patience = Patience::of(file.as_fd(), SO_RCVTIMEO);
        let accepted = ctx.task.block_on_fd(file.as_fd(), PollFlags::POLLIN, patience.deadline_ns).and_then(|()| {
            let listener = file.clone();
            ctx.task.block_on_call(&ctx.proof, move || net::accept(listener.as_fd(), flags))
        });
        accepted.map_err(|interrupted| patience.error(interrupted, Errno::EAGAIN))?
    };
    let fd = ctx.files.add(OpenFile::new(socket), flags & SOCK_CLOEXEC != 0)?;
    if !args.addr(1).is_null()
        && let Err(errno) = address_out(ctx, &address, args.addr(1), args.ptr(2))
    {
        let _open = ctx.files.close(fd);
        return Err(errno.into());
    }
    Ok(number(fd))
}

pub(super) fn connect(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let address = address_in(ctx, args.addr(1), args.u32(2), Last::Follow)?;
    if file.is_nonblocking()? {
        return Ok(net::connect(file.as_fd(), address.bytes())?);
    }
    // The host keeps the time of SO_SNDTIMEO here, and says what a second call finds: EALREADY, EISCONN.
    let patience = Patience::of(file.as_fd(), SO_SNDTIMEO);
    let connected = ctx.task.block_on_call(&ctx.proof, move || net::connect(file.as_fd(), address.bytes()));
    connected.map_err(|interrupted| patience.error(interrupted, Errno::EINPROGRESS))
}

pub(super) fn getsockname(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let address = net::own_address(socket_file(ctx, args.fd(0))?.as_fd())?;
    Ok(address_out(ctx, &address, args.addr(1), args.ptr(2)).map(|()| 0)?)
}

pub(super) fn getpeername(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let address = net::peer_address(socket_file(ctx, args.fd(0))?.as_fd())?;
    Ok(address_out(ctx, &address, args.addr(1), args.ptr(2)).map(|()| 0)?)
}

pub(super) fn getsockopt(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let (level, name) = (args.i32(1), args.i32(2));
    let len_place = args.ptr::<i32>(4);
    let room = u64::try_from(ctx.memory().read(len_place)?).map_err(|_negative| Errno::EINVAL)?;
    if level == SOL_SOCKET && name == SO_PEERPIDFD {
        let host = net::number_option(file.as_fd(), level, name)?;
        return give_descriptor(ctx, host, args.ptr(3), len_place, room);
    }
    let len = net::option(file.as_fd(), level, name, buffer(ctx.memory(), args.addr(3), room)?)?;
    Ok(ctx.memory().write(len_place, &len.cast_signed()).map(|()| 0)?)
}

/// An option that is a new descriptor.
#[expect(unsafe_code, reason = "a descriptor that the kernel has just made")]
fn give_descriptor(
    ctx: &TaskContext,
    host: i32,
    place: GuestPtr<i32>,
    len_place: GuestPtr<i32>,
    room: u64,
) -> SyscallResult {
    // SAFETY: getsockopt(2) has just made the number, and nobody else knows it.
    let file = OpenFile::new(unsafe { net::adopt(host) });
    if room < 4 {
        return Err(Errno::EINVAL.into());
    }
    let fd = ctx.files.add(file, true)?;
    ctx.memory().write(place, &fd.0)?;
    ctx.memory().write(len_place, &4)?;
    Ok(0)
}

pub(super) fn setsockopt(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let (level, name) = (args.i32(1), args.i32(2));
    let len = u64::try_from(args.i32(4)).map_err(|_negative| Errno::EINVAL)?;
    if level == SOL_SOCKET && [SO_ATTACH_FILTER, SO_ATTACH_REUSEPORT_CBPF].contains(&name) {
        return Ok(net::set_filter_option(file.as_fd(), level, name, &filter(ctx, args.addr(3), len)?)?);
    }
    if level == SOL_SOCKET && [SO_ATTACH_BPF, SO_ATTACH_REUSEPORT_EBPF].contains(&name) {
        use std::os::fd::AsRawFd;
        let program = ctx.files.get(Fd(ctx.memory().read(args.ptr(3))?))?;
        return Ok(net::set_number_option(file.as_fd(), level, name, program.as_fd().as_raw_fd())?);
    }
    Ok(net::set_option(file.as_fd(), level, name, buffer(ctx.memory(), args.addr(3), len)?)?)
}

/// The instructions of a `struct sock_fprog`.
fn filter(ctx: &TaskContext, at: GuestAddr, len: u64) -> Result<Vec<u64>, Errno> {
    if len != 16 {
        return Err(Errno::EINVAL);
    }
    let [count, code] = ctx.memory().read(GuestPtr::<[u64; 2]>::new(at))?;
    let code = GuestPtr::<u64>::new(GuestAddr(code));
    (0..count & 0xffff).map(|index| ctx.memory().read(code.index(index)?)).collect()
}
