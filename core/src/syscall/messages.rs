//! The data of sockets: send(2), recv(2) and their message forms.
//!
//! A call tries without waiting, then waits as every other (`SO_RCVTIMEO` and `SO_SNDTIMEO` honoured), then tries again.
//! Descriptors in ancillary data are translated through the descriptor table in both directions.
//!
//! Missing: `MSG_WAITALL` together with `MSG_PEEK` returns what is there.

use std::os::fd::{AsFd, AsRawFd};
use std::sync::Arc;

use nix::poll::PollFlags;

use super::Args;
use super::args::vector_at;
use super::io::{advance, send_sigpipe, total_len};
use super::net::{Patience, address_in, address_out, socket_file};
use super::unix_names::{HostAddress, for_guest};
use crate::abi::socket::{
    ADDRESS_MAX, CMSG_HEADER_BYTES, MSG_CMSG_CLOEXEC, MSG_CTRUNC, MSG_DONTWAIT, MSG_ERRQUEUE, MSG_NOSIGNAL, MSG_OOB,
    MSG_PEEK, MSG_WAITALL, MSG_WAITFORONE, MmsgHdr, MsgHdr, SCM_PIDFD, SCM_RIGHTS, SO_RCVTIMEO, SO_SNDTIMEO, SO_TYPE,
    SOL_SOCKET,
};
use crate::abi::{Errno, Fd, GuestAddr, GuestPtr};
use crate::fs::Last;
use crate::host::clock::monotonic_ns;
use crate::host::net::{self, Incoming, Outgoing};
use crate::host::sys::ForeignBuffer;
use crate::kernel::open_file::OpenFile;
use crate::kernel::{Interrupted, Restart, SyscallError, SyscallResult, TaskContext};

const SOCK_STREAM: i32 = 1;

/// Longest ancillary data of one message (`net.core.optmem_max` of Linux is of this order).
const CONTROL_MAX: u64 = 128 * 1024;

/// Most messages of one call (`UIO_MAXIOV`).
const MESSAGES_MAX: u32 = 1024;

/// How often a socket may say that it can be written to and take nothing, until a pool thread waits for it: the readiness
/// of an unconnected datagram socket says nothing of the receiver's queue.
const EMPTY_PROMISES: u32 = 3;

fn is_stream(file: &OpenFile) -> bool {
    net::number_option(file.as_fd(), SOL_SOCKET, SO_TYPE) == Ok(SOCK_STREAM)
}

// ---- sending ----

/// A message to be sent, decoded.
struct Message {
    address: HostAddress,
    buffers: Vec<ForeignBuffer>,
    control: Vec<u8>,
    /// The files that the ancillary data name, kept open until they are sent.
    _attached: Vec<Arc<OpenFile>>,
    flags: u32,
}

/// Sends one message whole, or as much as there is time for.
pub(super) fn send_on(
    ctx: &TaskContext,
    file: &Arc<OpenFile>,
    address: &[u8],
    control: &[u8],
    buffers: &mut [ForeignBuffer],
    flags: u32,
) -> SyscallResult {
    let mut patience = None;
    let (mut done, mut promises) = (0, 0);
    let mut control = control;
    loop {
        let message = Outgoing { address, control, buffers, flags: flags | MSG_DONTWAIT | MSG_NOSIGNAL };
        let error: SyscallError = match net::send(file.as_fd(), &message) {
            Ok(count) => {
                done += count;
                advance(buffers, count as usize);
                if total_len(buffers) == 0 {
                    return Ok(done);
                }
                // There was room for a part: the next attempt finds out whether to wait. Descriptors go once.
                (control, promises) = (&[], 0);
                continue;
            }
            Err(Errno::EAGAIN) if flags & MSG_DONTWAIT != 0 || file.is_nonblocking()? => Errno::EAGAIN.into(),
            Err(Errno::EAGAIN) if promises >= EMPTY_PROMISES => {
                match send_by_pool(ctx, file, address, control, buffers, flags) {
                    // What went before counts, too.
                    Ok(count) => return Ok(done + count),
                    Err(error) => error,
                }
            }
            Err(Errno::EAGAIN) => {
                promises += 1;
                let patience = *patience.get_or_insert_with(|| Patience::of(file.as_fd(), SO_SNDTIMEO));
                match ctx.task.block_on_fd(file.as_fd(), PollFlags::POLLOUT, patience.deadline_ns) {
                    Ok(()) => continue,
                    Err(interrupted) => patience.error(interrupted, Errno::EAGAIN),
                }
            }
            Err(Errno::EPIPE) => {
                if flags & MSG_NOSIGNAL == 0 && is_stream(file) {
                    send_sigpipe(ctx);
                }
                Errno::EPIPE.into()
            }
            Err(errno) => errno.into(),
        };
        // What is sent is sent: the count comes before the error or the signal.
        return if done > 0 { Ok(done) } else { Err(error) };
    }
}

/// The same with a copy of the data, by a call that waits.
fn send_by_pool(
    ctx: &TaskContext,
    file: &Arc<OpenFile>,
    address: &[u8],
    control: &[u8],
    buffers: &[ForeignBuffer],
    flags: u32,
) -> SyscallResult {
    let mut data = vec![0; total_len(buffers)];
    let mut at = 0;
    for piece in buffers {
        let start = ctx.memory().guest_address(piece.start().addr()).ok_or(Errno::EFAULT)?;
        ctx.memory().read_bytes(start, &mut data[at..at + piece.len()])?;
        at += piece.len();
    }
    let (file, address, control) = (file.clone(), address.to_vec(), control.to_vec());
    let patience = Patience::of(file.as_fd(), SO_SNDTIMEO);
    let sent = ctx.task.block_on_call(&ctx.proof, move || {
        net::send_bytes(file.as_fd(), &address, &control, &data, flags | MSG_NOSIGNAL)
    });
    sent.map_err(|interrupted| patience.error(interrupted, Errno::EAGAIN))
}

pub(super) fn sendto(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let mut buffers = [args.buffer(ctx.memory(), 1)?];
    let address = if args.addr(4).is_null() {
        HostAddress::NONE
    } else {
        address_in(ctx, args.addr(4), args.u32(5), Last::Follow)?
    };
    send_on(ctx, &file, address.bytes(), &[], &mut buffers, args.u32(3))
}

fn message_in(ctx: &TaskContext, header: &MsgHdr, flags: u32) -> Result<Message, Errno> {
    let address = if header.name == 0 || header.name_len == 0 {
        HostAddress::NONE
    } else {
        address_in(ctx, GuestAddr(header.name), header.name_len.min(ADDRESS_MAX as u32), Last::Follow)?
    };
    let buffers = vector_at(ctx.memory(), GuestAddr(header.iov), header.iov_len).map_err(too_long)?;
    let (control, attached) = control_in(ctx, header)?;
    Ok(Message { address, buffers, control, _attached: attached, flags })
}

/// Too many elements are another error here than in readv(2).
fn too_long(errno: Errno) -> Errno {
    if errno == Errno::EINVAL { Errno::EMSGSIZE } else { errno }
}

/// The ancillary data of a message with host descriptors for the guest's, and their files.
fn control_in(ctx: &TaskContext, header: &MsgHdr) -> Result<(Vec<u8>, Vec<Arc<OpenFile>>), Errno> {
    if header.control == 0 || header.control_len == 0 {
        return Ok((Vec::new(), Vec::new()));
    }
    if header.control_len > CONTROL_MAX {
        return Err(Errno::ENOBUFS);
    }
    let mut bytes = vec![0; header.control_len as usize];
    ctx.memory().read_bytes(GuestAddr(header.control), &mut bytes)?;
    let mut attached = Vec::new();
    for (start, end) in rights_of(&bytes) {
        for place in bytes[start..end].chunks_exact_mut(4) {
            let file = ctx.files.get(Fd(i32::from_le_bytes([place[0], place[1], place[2], place[3]])))?;
            place.copy_from_slice(&file.as_fd().as_raw_fd().to_le_bytes());
            attached.push(file);
        }
    }
    Ok((bytes, attached))
}

/// Where descriptors stand in ancillary data: the ranges of their bytes.
fn rights_of(control: &[u8]) -> Vec<(usize, usize)> {
    let word = |at: usize| control.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map(i32::from_le_bytes);
    let mut found = Vec::new();
    let mut at = 0;
    while at + CMSG_HEADER_BYTES <= control.len() {
        let len = control[at..at + 8].try_into().map_or(0, u64::from_le_bytes);
        let Ok(len) = usize::try_from(len) else { break };
        if len < CMSG_HEADER_BYTES || len > control.len() - at {
            break;
        }
        if word(at + 8) == Some(SOL_SOCKET) && matches!(word(at + 12), Some(SCM_RIGHTS | SCM_PIDFD)) {
            found.push((at + CMSG_HEADER_BYTES, at + len));
        }
        at += len.next_multiple_of(8);
    }
    found
}

fn send_one(ctx: &TaskContext, file: &Arc<OpenFile>, header: &MsgHdr, flags: u32) -> SyscallResult {
    let mut message = message_in(ctx, header, flags)?;
    send_on(ctx, file, message.address.bytes(), &message.control, &mut message.buffers, message.flags)
}

pub(super) fn sendmsg(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let header = ctx.memory().read(args.ptr::<MsgHdr>(1))?;
    send_one(ctx, &file, &header, args.u32(2))
}

pub(super) fn sendmmsg(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let list = args.ptr::<MmsgHdr>(1);
    each_message(args.u32(2), |index| {
        let place = list.index(index)?;
        let entry = ctx.memory().read(place)?;
        let len = send_one(ctx, &file, &entry.header, args.u32(3))?;
        ctx.memory().write(place, &MmsgHdr { len: len as u32, ..entry })?;
        Ok(true)
    })
}

/// Does something with up to `count` messages while it answers that there may be more; how many were done comes before
/// an error.
fn each_message(count: u32, mut body: impl FnMut(u64) -> Result<bool, SyscallError>) -> SyscallResult {
    let mut done = 0;
    while done < u64::from(count.min(MESSAGES_MAX)) {
        match body(done) {
            Ok(true) => done += 1,
            Ok(false) => return Ok(done + 1),
            Err(error) if done == 0 => return Err(error),
            Err(_after_some) => break,
        }
    }
    Ok(done)
}

// ---- receiving ----

/// What is wanted of a message.
pub(super) struct Wanted {
    pub(super) buffers: Vec<ForeignBuffer>,
    pub(super) has_address: bool,
    pub(super) control_room: usize,
    pub(super) flags: u32,
}

/// Receives one message, waiting for it where the socket and the flags say so.
pub(super) fn receive_on(
    ctx: &TaskContext,
    file: &Arc<OpenFile>,
    wanted: &mut Wanted,
) -> Result<Incoming, SyscallError> {
    let flags = wanted.flags;
    let never_waits = flags & (MSG_DONTWAIT | MSG_ERRQUEUE | MSG_OOB) != 0;
    let is_greedy = flags & MSG_WAITALL != 0 && flags & MSG_PEEK == 0 && is_stream(file);
    let mut patience = None;
    let mut so_far: Option<Incoming> = None;
    loop {
        let host_flags = flags & !MSG_WAITFORONE | MSG_DONTWAIT | MSG_CMSG_CLOEXEC;
        let received = net::receive(file.as_fd(), &wanted.buffers, wanted.has_address, wanted.control_room, host_flags);
        let error: SyscallError = match received {
            Ok(incoming) => {
                let count = incoming.len;
                advance(&mut wanted.buffers, count as usize);
                let is_more_wanted = is_greedy && count > 0 && total_len(&wanted.buffers) > 0;
                let whole = match so_far.take() {
                    None => incoming,
                    Some(before) => Incoming { len: before.len + count, ..before },
                };
                if !is_more_wanted || !whole.control.is_empty() {
                    return Ok(whole);
                }
                so_far = Some(whole);
                continue;
            }
            Err(Errno::EAGAIN) if never_waits || file.is_nonblocking()? => Errno::EAGAIN.into(),
            Err(Errno::EAGAIN) => {
                let patience = *patience.get_or_insert_with(|| Patience::of(file.as_fd(), SO_RCVTIMEO));
                match ctx.task.block_on_fd(file.as_fd(), PollFlags::POLLIN, patience.deadline_ns) {
                    Ok(()) => continue,
                    Err(interrupted) => patience.error(interrupted, Errno::EAGAIN),
                }
            }
            Err(errno) => errno.into(),
        };
        return so_far.ok_or(error);
    }
}

pub(super) fn recvfrom(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let has_address = !args.addr(4).is_null();
    let buffers = vec![args.buffer(ctx.memory(), 1)?];
    let mut wanted = Wanted { buffers, has_address, control_room: 0, flags: args.u32(3) };
    let incoming = receive_on(ctx, &file, &mut wanted)?;
    if has_address {
        address_out(ctx, &incoming.address, args.addr(4), args.ptr(5))?;
    }
    Ok(incoming.len)
}

fn receive_one(ctx: &TaskContext, file: &Arc<OpenFile>, place: GuestPtr<MsgHdr>, flags: u32) -> SyscallResult {
    let header = ctx.memory().read(place)?;
    let mut wanted = Wanted {
        buffers: vector_at(ctx.memory(), GuestAddr(header.iov), header.iov_len).map_err(too_long)?,
        has_address: header.name != 0,
        control_room: if header.control == 0 { 0 } else { header.control_len.min(CONTROL_MAX) as usize },
        flags,
    };
    let mut incoming = receive_on(ctx, file, &mut wanted)?;
    control_out(ctx, &mut incoming, flags & MSG_CMSG_CLOEXEC != 0)?;
    let mut answer = header;
    if header.name != 0 {
        let (bytes, len) = for_guest(ctx, &incoming.address);
        let room = (header.name_len as usize).min(bytes.len());
        ctx.memory().write_bytes(GuestAddr(header.name), &bytes[..room])?;
        answer.name_len = len;
    }
    if !incoming.control.is_empty() {
        ctx.memory().write_bytes(GuestAddr(header.control), &incoming.control)?;
    }
    answer.control_len = incoming.control.len() as u64;
    answer.flags = incoming.flags & !MSG_CMSG_CLOEXEC | flags & MSG_CMSG_CLOEXEC;
    ctx.memory().write(place, &answer)?;
    Ok(incoming.len)
}

/// Gives the descriptors in ancillary data guest numbers. Those that find no room are closed, as Linux does.
#[expect(unsafe_code, reason = "received descriptors have no owner yet")]
fn control_out(ctx: &TaskContext, incoming: &mut Incoming, is_close_on_exec: bool) -> Result<(), Errno> {
    let mut is_cut = false;
    for (start, end) in rights_of(&incoming.control) {
        for place in incoming.control[start..end].chunks_exact_mut(4) {
            let host = i32::from_le_bytes([place[0], place[1], place[2], place[3]]);
            if host < 0 {
                continue;
            }
            // SAFETY: the number comes from ancillary data that has just been received, and each is visited once.
            let file = OpenFile::new(unsafe { net::adopt(host) });
            let fd = ctx.files.add(file, is_close_on_exec).unwrap_or(Fd(-1));
            is_cut |= fd.0 < 0;
            place.copy_from_slice(&fd.0.to_le_bytes());
        }
    }
    if is_cut {
        incoming.flags |= MSG_CTRUNC;
    }
    Ok(())
}

pub(super) fn recvmsg(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    receive_one(ctx, &file, args.ptr(1), args.u32(2))
}

pub(super) fn recvmmsg(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = socket_file(ctx, args.fd(0))?;
    let list = args.ptr::<MmsgHdr>(1);
    let deadline_ns = super::poll::deadline_of(ctx, args.ptr(4))?;
    let mut flags = args.u32(3);
    each_message(args.u32(2), |index| {
        let place = list.index(index)?;
        let len = receive_one(ctx, &file, GuestPtr::new(place.addr()), flags)?;
        let len_place = GuestPtr::<u32>::new(place.addr().add(size_of::<MsgHdr>() as u64)?);
        ctx.memory().write(len_place, &(len as u32))?;
        if flags & MSG_WAITFORONE != 0 {
            flags |= MSG_DONTWAIT;
        }
        // The time is looked at after each message only, as on Linux.
        Ok(deadline_ns.is_none_or(|deadline| monotonic_ns() < deadline))
    })
}

/// What becomes of a wait of a call without a time limit of its own.
pub(super) fn restartable(interrupted: Interrupted) -> SyscallError {
    interrupted.or_restart(Restart::Sys)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(level: i32, kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (CMSG_HEADER_BYTES as u64 + data.len() as u64).to_le_bytes().to_vec();
        bytes.extend(level.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    }

    #[test]
    fn descriptors_are_found_behind_other_elements_and_bad_lengths_end_the_search() {
        let mut control = element(SOL_SOCKET, 2, &[0; 12]);
        let first = control.len();
        control.extend(element(SOL_SOCKET, SCM_RIGHTS, &[1, 0, 0, 0, 2, 0, 0, 0]));
        assert_eq!(rights_of(&control), [(first + 16, first + 24)]);
        let mut cut = control.clone();
        cut.truncate(first + 20);
        assert_eq!(rights_of(&cut), []);
        control[0] = 3;
        assert_eq!(rights_of(&control), []);
        assert_eq!(rights_of(&[0; 7]), []);
        let endless = u64::MAX.to_le_bytes().repeat(4);
        assert_eq!(rights_of(&endless), []);
    }
}
