//! ioctl(2): a table of requests, each with what it moves, that go to the host as they are. Missing: requests outside the
//! table, which are `ENOTTY`.
//!
//! The numbers and structures of these are the same on x86-64 and arm64: both use `include/uapi/asm-generic/ioctls.h` and
//! `asm-generic/termbits.h`. Source: ioctl_tty(2), netdevice(7), ioctl_ns(2), the headers named at the rows.

use std::os::fd::{AsFd, AsRawFd};

use super::io::number;
use super::messages::restartable;
use super::{Args, terminal};
use crate::abi::{Errno, Fd, GuestAddr};
use crate::host::sys::{self, ForeignBuffer};
use crate::kernel::open_file::OpenFile;
use crate::kernel::{SyscallResult, TaskContext};

/// What the third argument of a request is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Argument {
    /// A structure of this many bytes that the host reads.
    In(u64),
    /// A structure of this many bytes that the host writes.
    Out(u64),
    /// A structure of this many bytes in both directions.
    InOut(u64),
    /// A number, or nothing.
    Value,
    /// The request is about the descriptor number: close-on-exec, on or off.
    CloseOnExec(bool),
    /// The answer is a new descriptor; the argument is its flags.
    Descriptor,
    /// The answer is a new descriptor that exec closes.
    Namespace,
    /// A descriptor of the guest.
    Source,
    /// A structure of this many bytes that the host reads; it begins with a descriptor of the guest.
    SourceIn(u64),
    /// A `struct ifconf`, which names a buffer.
    Interfaces,
    /// The request waits until output has drained, then does the rest: a structure of this many bytes, or a number for 0.
    Drains(u64),
}

use Argument::{CloseOnExec, Descriptor, Drains, In, InOut, Interfaces, Namespace, Out, Source, SourceIn, Value};

/// `struct termios` and `struct termios2` of the kernel.
const TERMIOS: u64 = 36;
const TERMIOS2: u64 = 44;
/// `struct ifreq`.
const IFREQ: u64 = 40;

/// The requests, in order of number.
#[rustfmt::skip]
const REQUESTS: &[(u32, Argument, &str)] = &[
    (0x0000_0001, Out(4), "FIBMAP"),
    (0x0000_0002, Out(4), "FIGETBSZ"),
    (0x0000_1268, Out(4), "BLKSSZGET"),
    (0x0000_1277, In(16), "BLKDISCARD"),
    (0x0000_5401, Out(TERMIOS), "TCGETS"),
    (0x0000_5402, In(TERMIOS), "TCSETS"),
    (0x0000_5403, Drains(TERMIOS), "TCSETSW"),
    (0x0000_5404, Drains(TERMIOS), "TCSETSF"),
    (0x0000_5409, Drains(0), "TCSBRK"),
    (0x0000_540a, Value, "TCXONC"),
    (0x0000_540b, Value, "TCFLSH"),
    (0x0000_540c, Value, "TIOCEXCL"),
    (0x0000_540d, Value, "TIOCNXCL"),
    (0x0000_540e, Value, "TIOCSCTTY"),
    (0x0000_540f, Out(4), "TIOCGPGRP"),
    (0x0000_5410, In(4), "TIOCSPGRP"),
    (0x0000_5411, Out(4), "TIOCOUTQ"),
    (0x0000_5412, In(1), "TIOCSTI"),
    (0x0000_5413, Out(8), "TIOCGWINSZ"),
    (0x0000_5414, In(8), "TIOCSWINSZ"),
    (0x0000_5415, Out(4), "TIOCMGET"),
    (0x0000_5416, In(4), "TIOCMBIS"),
    (0x0000_5417, In(4), "TIOCMBIC"),
    (0x0000_5418, In(4), "TIOCMSET"),
    (0x0000_541b, Out(4), "FIONREAD"),
    (0x0000_541d, Value, "TIOCCONS"),
    (0x0000_5420, In(4), "TIOCPKT"),
    (0x0000_5421, In(4), "FIONBIO"),
    (0x0000_5422, Value, "TIOCNOTTY"),
    (0x0000_5423, In(4), "TIOCSETD"),
    (0x0000_5424, Out(4), "TIOCGETD"),
    (0x0000_5425, Drains(0), "TCSBRKP"),
    (0x0000_5427, Value, "TIOCSBRK"),
    (0x0000_5428, Value, "TIOCCBRK"),
    (0x0000_5429, Out(4), "TIOCGSID"),
    (0x0000_5437, Value, "TIOCVHANGUP"),
    (0x0000_5441, Descriptor, "TIOCGPTPEER"),
    (0x0000_5450, CloseOnExec(false), "FIONCLEX"),
    (0x0000_5451, CloseOnExec(true), "FIOCLEX"),
    (0x0000_5452, In(4), "FIOASYNC"),
    (0x0000_5460, Out(8), "FIOQSIZE"),
    (0x0000_8901, In(4), "FIOSETOWN"),
    (0x0000_8902, In(4), "SIOCSPGRP"),
    (0x0000_8903, Out(4), "FIOGETOWN"),
    (0x0000_8904, Out(4), "SIOCGPGRP"),
    (0x0000_8905, Out(4), "SIOCATMARK"),
    (0x0000_8906, Out(16), "SIOCGSTAMP"),
    (0x0000_8910, InOut(IFREQ), "SIOCGIFNAME"),
    (0x0000_8912, Interfaces, "SIOCGIFCONF"),
    (0x0000_8913, InOut(IFREQ), "SIOCGIFFLAGS"),
    (0x0000_8914, In(IFREQ), "SIOCSIFFLAGS"),
    (0x0000_8915, InOut(IFREQ), "SIOCGIFADDR"),
    (0x0000_8917, InOut(IFREQ), "SIOCGIFDSTADDR"),
    (0x0000_8919, InOut(IFREQ), "SIOCGIFBRDADDR"),
    (0x0000_891b, InOut(IFREQ), "SIOCGIFNETMASK"),
    (0x0000_891d, InOut(IFREQ), "SIOCGIFMETRIC"),
    (0x0000_8921, InOut(IFREQ), "SIOCGIFMTU"),
    (0x0000_8927, InOut(IFREQ), "SIOCGIFHWADDR"),
    (0x0000_8933, InOut(IFREQ), "SIOCGIFINDEX"),
    (0x0000_8942, InOut(IFREQ), "SIOCGIFTXQLEN"),
    (0x0000_b701, Namespace, "NS_GET_USERNS"),
    (0x0000_b702, Namespace, "NS_GET_PARENT"),
    (0x0000_b703, Value, "NS_GET_NSTYPE"),
    (0x0000_b704, Out(4), "NS_GET_OWNER_UID"),
    (0x4004_5431, In(4), "TIOCSPTLCK"),
    (0x4004_5436, Value, "TIOCSIG"),
    (0x4004_9409, Source, "FICLONE"),
    (0x4008_6602, In(8), "FS_IOC_SETFLAGS"),
    (0x401c_5820, In(28), "FS_IOC_FSSETXATTR"),
    (0x4020_940d, SourceIn(32), "FICLONERANGE"),
    (0x402c_542b, In(TERMIOS2), "TCSETS2"),
    (0x402c_542c, Drains(TERMIOS2), "TCSETSW2"),
    (0x402c_542d, Drains(TERMIOS2), "TCSETSF2"),
    (0x8004_5430, Out(4), "TIOCGPTN"),
    (0x8004_5438, Out(4), "TIOCGPKT"),
    (0x8004_5439, Out(4), "TIOCGPTLCK"),
    (0x8004_5440, Out(4), "TIOCGEXCL"),
    (0x8008_1272, Out(8), "BLKGETSIZE64"),
    (0x8008_6601, Out(8), "FS_IOC_GETFLAGS"),
    (0x801c_581f, Out(28), "FS_IOC_FSGETXATTR"),
    (0x802c_542a, Out(TERMIOS2), "TCGETS2"),
];

/// Requests that change a terminal, which is not for the background.
const CHANGES: [u32; 13] = [
    0x5402,      // TCSETS
    0x5403,      // TCSETSW
    0x5404,      // TCSETSF
    0x5409,      // TCSBRK
    0x540a,      // TCXONC
    0x540b,      // TCFLSH
    0x5410,      // TIOCSPGRP
    0x5425,      // TCSBRKP
    0x5427,      // TIOCSBRK
    0x5428,      // TIOCCBRK
    0x402c_542b, // TCSETS2
    0x402c_542c, // TCSETSW2
    0x402c_542d, // TCSETSF2
];

pub(super) fn ioctl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let request = args.u32(1);
    let Some((_, argument, _)) = REQUESTS.iter().find(|(known, ..)| *known == request) else {
        return Err(Errno::ENOTTY.into());
    };
    if CHANGES.contains(&request) {
        terminal::before_change(ctx, &file)?;
    }
    match *argument {
        In(len) | Out(len) | InOut(len) => {
            let buffer = super::args::buffer(ctx.memory(), args.addr(2), len)?;
            Ok(sys::ioctl(file.as_fd(), request, buffer)?)
        }
        Value => Ok(sys::ioctl_value(file.as_fd(), request, args.u64(2))?),
        CloseOnExec(is_on) => {
            ctx.files.set_close_on_exec(args.fd(0), is_on)?;
            Ok(0)
        }
        Descriptor => {
            let flags = args.u32(2);
            let made = sys::ioctl_descriptor(file.as_fd(), request, flags | libc::O_CLOEXEC.cast_unsigned())?;
            let is_close_on_exec = flags & libc::O_CLOEXEC.cast_unsigned() != 0;
            Ok(number(ctx.files.add(OpenFile::new(made), is_close_on_exec)?))
        }
        Namespace => {
            let made = sys::ioctl_descriptor(file.as_fd(), request, 0)?;
            Ok(number(ctx.files.add(OpenFile::new(made), true)?))
        }
        Source => {
            let source = ctx.files.get(args.fd(2))?;
            Ok(sys::ioctl_value(file.as_fd(), request, source.as_fd().as_raw_fd() as u64)?)
        }
        SourceIn(len) => {
            let mut bytes = vec![0; len as usize];
            ctx.memory().read_bytes(args.addr(2), &mut bytes)?;
            let (descriptor, _rest) = bytes.split_first_chunk_mut::<8>().ok_or(Errno::EINVAL)?;
            let source = ctx.files.get(Fd(i64::from_le_bytes(*descriptor) as i32))?;
            *descriptor = i64::from(source.as_fd().as_raw_fd()).to_le_bytes();
            Ok(sys::ioctl_bytes(file.as_fd(), request, &bytes)?)
        }
        Interfaces => interfaces(ctx, &file, args),
        Drains(len) => drain(ctx, &file, args, len),
    }
}

/// The addresses of network interfaces, or without a buffer the room that they take.
fn interfaces(ctx: &TaskContext, file: &OpenFile, args: &Args) -> SyscallResult {
    let [len, list] = ctx.memory().read(args.ptr::<[u64; 2]>(2))?;
    let room = u64::from(len as u32) & 0x7fff_ffff;
    let list = GuestAddr(list);
    let taken = match room {
        0 if !list.is_null() => 0,
        _asks if list.is_null() => sys::interfaces(file.as_fd(), ForeignBuffer::NULL)?,
        room => sys::interfaces(file.as_fd(), super::args::buffer(ctx.memory(), list, room)?)?,
    };
    ctx.memory().write(args.ptr::<u32>(2), &taken)?;
    Ok(0)
}

/// Requests that wait for output to drain: where there is some, a pool thread makes them with a copy of the argument.
fn drain(ctx: &TaskContext, file: &std::sync::Arc<OpenFile>, args: &Args, len: u64) -> SyscallResult {
    let request = args.u32(1);
    if len == 0 {
        let (file, value) = (file.clone(), args.u64(2));
        let call = move || sys::ioctl_value(file.as_fd(), request, value);
        return ctx.task.block_on_call(&ctx.proof, call).map_err(restartable);
    }
    let mut bytes = vec![0; len as usize];
    ctx.memory().read_bytes(args.addr(2), &mut bytes)?;
    let file = file.clone();
    let call = move || sys::ioctl_bytes(file.as_fd(), request, &bytes);
    ctx.task.block_on_call(&ctx.proof, call).map_err(restartable)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn rows_are_unique_and_sizes_are_those_of_the_numbers() {
        let numbers: BTreeSet<_> = REQUESTS.iter().map(|row| row.0).collect();
        assert_eq!(numbers.len(), REQUESTS.len());
        for (number, argument, name) in REQUESTS {
            // Newer numbers carry direction and size: bits 31:30 and 29:16.
            let (direction, size) = (number >> 30, u64::from(number >> 16 & 0x3fff));
            let fits = match (direction, *argument) {
                (0, _) | (_, Value) => true,
                // The size of a `long` that the kernel never moves.
                (1 | 2, In(_) | Out(_)) if name.ends_with("FLAGS") => true,
                (1, Source) => size == 4,
                (1, In(len) | SourceIn(len) | Drains(len)) | (2, Out(len)) | (3, InOut(len)) => len == size,
                _other => false,
            };
            assert!(fits, "{name}");
        }
    }
}
