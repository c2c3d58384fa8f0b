//! ioctl(2): a table of requests that go to the host as they are. Requests outside the table are `ENOTTY`.
//!
//! The numbers and structures of these are the same on x86-64 and arm64 (`include/uapi/asm-generic/ioctls.h`). Missing:
//! everything that is not a terminal, a socket or plain file request.

use std::os::fd::AsFd;

use super::{Args, terminal};
use crate::abi::Errno;
use crate::host::sys;
use crate::kernel::{SyscallResult, TaskContext};

const FIONCLEX: u32 = 0x5450;
const FIOCLEX: u32 = 0x5451;

/// Requests with a buffer, and the bytes that they move.
const BUFFERS: [(u32, u64); 15] = [
    (0x5401, 36),     // TCGETS
    (0x5402, 36),     // TCSETS
    (0x5403, 36),     // TCSETSW
    (0x5404, 36),     // TCSETSF
    (0x540f, 4),      // TIOCGPGRP
    (0x5410, 4),      // TIOCSPGRP
    (0x5411, 4),      // TIOCOUTQ
    (0x5413, 8),      // TIOCGWINSZ
    (0x5414, 8),      // TIOCSWINSZ
    (0x541b, 4),      // FIONREAD
    (0x5421, 4),      // FIONBIO
    (0x5429, 4),      // TIOCGSID
    (0x5412, 1),      // TIOCSTI
    (0x8004_5430, 4), // TIOCGPTN
    (0x4004_5431, 4), // TIOCSPTLCK
];

/// Requests that change a terminal, which is not for the background.
const CHANGES: [u32; 9] = [
    0x5402, // TCSETS
    0x5403, // TCSETSW
    0x5404, // TCSETSF
    0x5409, // TCSBRK
    0x540a, // TCXONC
    0x540b, // TCFLSH
    0x5410, // TIOCSPGRP
    0x5425, // TCSBRKP
    0x5427, // TIOCSBRK
];

/// Requests with a number.
const VALUES: [u32; 8] = [
    0x5409, // TCSBRK
    0x540a, // TCXONC
    0x540b, // TCFLSH
    0x5425, // TCSBRKP
    0x5427, // TIOCSBRK
    0x5428, // TIOCCBRK
    0x540e, // TIOCSCTTY
    0x5422, // TIOCNOTTY
];

pub(super) fn ioctl(ctx: &mut TaskContext, args: &Args) -> SyscallResult {
    let file = ctx.files.get(args.fd(0))?;
    let request = args.u32(1);
    if request == FIOCLEX || request == FIONCLEX {
        ctx.files.set_close_on_exec(args.fd(0), request == FIOCLEX)?;
        return Ok(0);
    }
    if CHANGES.contains(&request) {
        terminal::before_change(ctx, &file)?;
    }
    if let Some((_, len_bytes)) = BUFFERS.iter().find(|(known, _)| *known == request) {
        let buffer = super::args::buffer(ctx.memory(), args.addr(2), *len_bytes)?;
        return Ok(sys::ioctl(file.as_fd(), request, buffer)?);
    }
    if VALUES.contains(&request) {
        return Ok(sys::ioctl_value(file.as_fd(), request, args.u32(2))?);
    }
    Err(Errno::ENOTTY.into())
}
