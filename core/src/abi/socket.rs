//! Sockets as the guest passes them: [`MsgHdr`], [`MmsgHdr`], [`CmsgHdr`], and the numbers that the kernel side looks at.
//! Everything else about sockets has one numbering on all 64-bit architectures with generic headers and passes through.
//! Sources: `include/linux/socket.h`, `include/uapi/asm-generic/socket.h`.

use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `struct msghdr`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct MsgHdr {
    /// Address of the peer's name.
    pub name: u64,
    /// Its length in bytes.
    pub name_len: u32,
    /// Not used.
    pub padding: u32,
    /// Address of the I/O vector.
    pub iov: u64,
    /// Its number of elements.
    pub iov_len: u64,
    /// Address of the ancillary data.
    pub control: u64,
    /// Their length in bytes.
    pub control_len: u64,
    /// `MSG_*`, set by recvmsg(2).
    pub flags: u32,
    /// Not used.
    pub tail: u32,
}

const _: () = assert!(size_of::<MsgHdr>() == 56);

/// `struct mmsghdr`.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct MmsgHdr {
    /// The message.
    pub header: MsgHdr,
    /// Bytes moved.
    pub len: u32,
    /// Not used.
    pub padding: u32,
}

const _: () = assert!(size_of::<MmsgHdr>() == 64);

/// `struct cmsghdr`; the data follow, and the next header on a multiple of eight.
#[derive(Clone, Copy, PartialEq, Eq, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct CmsgHdr {
    /// Length with this header.
    pub len: u64,
    /// `SOL_*`.
    pub level: i32,
    /// `SCM_*`.
    pub kind: i32,
}

/// Length of [`CmsgHdr`].
pub const CMSG_HEADER_BYTES: usize = 16;

const _: () = assert!(size_of::<CmsgHdr>() == CMSG_HEADER_BYTES);

/// Longest socket address (`struct sockaddr_storage`).
pub const ADDRESS_MAX: usize = 128;

/// The family of addresses that are paths.
pub const AF_UNIX: u16 = 1;

/// Room for the path in a `struct sockaddr_un`.
pub const UNIX_PATH_MAX: usize = 108;

/// `SOL_SOCKET`.
pub const SOL_SOCKET: i32 = 1;
/// Open descriptors.
pub const SCM_RIGHTS: i32 = 1;
/// A pidfd of the sender.
pub const SCM_PIDFD: i32 = 4;

/// Out-of-band data.
pub const MSG_OOB: u32 = 1;
/// Look without taking.
pub const MSG_PEEK: u32 = 2;
/// Do not wait.
pub const MSG_DONTWAIT: u32 = 0x40;
/// Wait until the buffer is full.
pub const MSG_WAITALL: u32 = 0x100;
/// From the error queue.
pub const MSG_ERRQUEUE: u32 = 0x2000;
/// No SIGPIPE.
pub const MSG_NOSIGNAL: u32 = 0x4000;
/// recvmmsg(2): do not wait after the first.
pub const MSG_WAITFORONE: u32 = 0x1_0000;
/// Received descriptors are close-on-exec.
pub const MSG_CMSG_CLOEXEC: u32 = 0x4000_0000;
/// Ancillary data were cut.
pub const MSG_CTRUNC: u32 = 8;

/// `SO_TYPE`.
pub const SO_TYPE: i32 = 3;
/// `SO_RCVTIMEO` with 64-bit times.
pub const SO_RCVTIMEO: i32 = 20;
/// `SO_SNDTIMEO` with 64-bit times.
pub const SO_SNDTIMEO: i32 = 21;
/// A filter program by pointer.
pub const SO_ATTACH_FILTER: i32 = 26;
/// An eBPF program by descriptor.
pub const SO_ATTACH_BPF: i32 = 50;
/// A filter program by pointer, for the choice among sockets of a port.
pub const SO_ATTACH_REUSEPORT_CBPF: i32 = 51;
/// An eBPF program by descriptor.
pub const SO_ATTACH_REUSEPORT_EBPF: i32 = 52;
/// A pidfd of the peer.
pub const SO_PEERPIDFD: i32 = 77;
