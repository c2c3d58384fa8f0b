//! [`Handover`]: the socket over which a forking process hands itself to the process that it spawned. Bytes and open
//! descriptors go one way, one answer the other; the end of either process is the end of the stream for its peer.
//!
//! Neighbour: `fork`, which says what is sent. Sources: unix(7) `SCM_RIGHTS`, socketpair(2).

#![expect(unsafe_code, reason = "received and inherited descriptors have no owner yet")]

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::cmsg_space;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::sys::socket::{ControlMessage, ControlMessageOwned, MsgFlags, recvmsg, sendmsg};

/// Most descriptors in one message: below the host's `SCM_MAX_FD` (253).
pub const DESCRIPTORS_PER_MESSAGE: usize = 250;

/// The lowest number for a descriptor of elfuse: out of the way of 0, 1 and 2.
const OWN_FLOOR: i32 = 3;

/// One end of the socket, close-on-exec.
#[derive(Debug)]
pub struct Handover {
    socket: OwnedFd,
}

impl Handover {
    /// The parent's end, and the one to be given to the child.
    ///
    /// # Errors
    /// `EMFILE`, `ENFILE`, `ENOMEM`.
    pub fn pair() -> io::Result<(Self, OwnedFd)> {
        let (own, child) = std::os::unix::net::UnixStream::pair()?;
        imp::prepare(own.as_fd())?;
        Ok((Self { socket: own.into() }, child.into()))
    }

    /// Takes over the end that this process was started with; `/dev/null` takes its place where that is standard input.
    ///
    /// # Errors
    /// `EBADF` for a number that is not open, or the host's errno.
    pub fn adopt(inherited: RawFd) -> io::Result<Self> {
        if inherited < 0 {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        }
        // SAFETY: 1. the number is not -1; 2. it is only looked at here, and a number that is not open answers EBADF.
        let borrowed = unsafe { BorrowedFd::borrow_raw(inherited) };
        let number = fcntl(borrowed, FcntlArg::F_DUPFD_CLOEXEC(OWN_FLOOR))?;
        // SAFETY: fcntl(2) has just made this number, and nobody else knows it.
        let socket = unsafe { OwnedFd::from_raw_fd(number) };
        if inherited == 0 {
            let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
            nix::unistd::dup2_stdin(null)?;
        } else if inherited > 2 {
            // SAFETY: the command line gave this number to this function alone.
            drop(unsafe { OwnedFd::from_raw_fd(inherited) });
        }
        imp::prepare(socket.as_fd())?;
        Ok(Self { socket })
    }

    /// Sends bytes, and with the first of them at most [`DESCRIPTORS_PER_MESSAGE`] descriptors.
    ///
    /// # Errors
    /// `EPIPE` once the peer is gone, or the host's errno.
    pub fn send(&self, mut bytes: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
        let numbers: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
        let rights = [ControlMessage::ScmRights(&numbers)];
        let mut control: &[ControlMessage<'_>] = if numbers.is_empty() { &[] } else { &rights };
        while !bytes.is_empty() {
            match sendmsg::<()>(self.socket.as_raw_fd(), &[IoSlice::new(bytes)], control, imp::SEND, None) {
                Ok(sent) => {
                    bytes = bytes.get(sent..).unwrap_or_default();
                    control = &[];
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Fills `bytes`, which come without descriptors.
    ///
    /// # Errors
    /// `UnexpectedEof` once the peer is gone, or the host's errno.
    pub fn receive_bytes(&self, mut bytes: &mut [u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match nix::unistd::read(&self.socket, bytes) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => bytes = bytes.get_mut(len..).unwrap_or_default(),
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(())
    }

    /// Fills `bytes`, and adds the descriptors that come with them, close-on-exec, to `descriptors`.
    ///
    /// # Errors
    /// `UnexpectedEof` once the peer is gone, `InvalidData` for more descriptors than a message may carry, or the host's
    /// errno.
    pub fn receive(&self, bytes: &mut [u8], descriptors: &mut Vec<OwnedFd>) -> io::Result<()> {
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let mut control = cmsg_space!([RawFd; DESCRIPTORS_PER_MESSAGE]);
            let mut parts = [IoSliceMut::new(rest)];
            let message = match recvmsg::<()>(self.socket.as_raw_fd(), &mut parts, Some(&mut control), imp::RECEIVE) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            for part in message.cmsgs()? {
                if let ControlMessageOwned::ScmRights(numbers) = part {
                    // SAFETY: the kernel has just made these numbers for this process, and nobody else knows them.
                    descriptors.extend(numbers.into_iter().map(|number| unsafe { OwnedFd::from_raw_fd(number) }));
                }
            }
            imp::close_on_exec(descriptors)?;
            if message.flags.contains(MsgFlags::MSG_CTRUNC) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            if message.bytes == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            filled += message.bytes;
        }
        Ok(())
    }
}

impl AsFd for Handover {
    /// Readable when the peer has answered, or is gone.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl From<OwnedFd> for Handover {
    /// The end that [`Handover::pair`] made for the child.
    fn from(socket: OwnedFd) -> Self {
        Self { socket }
    }
}

impl From<Handover> for OwnedFd {
    fn from(handover: Handover) -> Self {
        handover.socket
    }
}

#[cfg(target_os = "linux")]
mod imp {
    use std::io;
    use std::os::fd::{BorrowedFd, OwnedFd};

    use super::MsgFlags;

    pub(super) const SEND: MsgFlags = MsgFlags::MSG_NOSIGNAL;
    pub(super) const RECEIVE: MsgFlags = MsgFlags::MSG_CMSG_CLOEXEC;

    /// Each message says what it needs.
    pub(super) const fn prepare(_socket: BorrowedFd<'_>) -> io::Result<()> {
        Ok(())
    }

    /// They are since they came.
    pub(super) const fn close_on_exec(_descriptors: &[OwnedFd]) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(target_os = "macos")]
#[path = "macos/handover.rs"]
mod imp;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn bytes_and_descriptors_arrive_and_the_end_is_seen() {
        let (own, peer) = Handover::pair().unwrap();
        let peer = Handover { socket: peer };
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"text").unwrap();
        own.send(b"hello", &[file.as_fd(), file.as_fd()]).unwrap();
        let (mut bytes, mut descriptors) = ([0; 5], Vec::new());
        peer.receive(&mut bytes, &mut descriptors).unwrap();
        assert_eq!((&bytes, descriptors.len()), (b"hello", 2));
        let mut received = File::from(descriptors.remove(0));
        std::io::Seek::rewind(&mut received).unwrap();
        let mut text = String::new();
        received.read_to_string(&mut text).unwrap();
        assert_eq!(text, "text");
        drop(own);
        let end = peer.receive(&mut bytes, &mut descriptors).unwrap_err();
        assert_eq!(end.kind(), io::ErrorKind::UnexpectedEof);
        assert_eq!(peer.send(b"x", &[]).unwrap_err().raw_os_error(), Some(libc::EPIPE));
    }
}
