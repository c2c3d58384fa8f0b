//! How a fork child says that it is about to run: [`Answer`].
//!
//! Where the two have more to say to each other (an image, what a vfork child gives back), over their socket. A child of a host
//! fork has nothing else to say: for it a bell is enough, which costs a third of a socket.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

use super::image::READY;
use crate::abi::Pid;
use crate::host::children::{Whose, peek};
use crate::host::handover::Handover;
use crate::host::wake::WakeFd;

/// Where a parent hears that its child is about to run.
pub(super) enum Answer {
    /// The first byte of the stream. It ends where the child does.
    Stream(Handover),
    /// This is woken. Both processes have it, so the end of the child has to be looked for.
    Bell(WakeFd),
}

impl Answer {
    /// To be called when it is readable: true where the child is about to run.
    pub(super) fn is_ready(&self) -> bool {
        match self {
            Self::Stream(stream) => {
                let mut answer = [0];
                stream.receive_bytes(&mut answer).is_ok() && answer == [READY]
            }
            Self::Bell(_woken) => true,
        }
    }

    /// True where nothing more will come, and it does not become readable by that.
    pub(super) fn is_over(&self, child: Pid) -> bool {
        match self {
            Self::Stream(_ends) => false,
            // The host may have taken it away by itself.
            Self::Bell(_) => !matches!(peek(Whose::One(child)), Ok(None)),
        }
    }

    /// The stream to a child that has more to say.
    pub(super) const fn stream(&self) -> Option<&Handover> {
        match self {
            Self::Stream(stream) => Some(stream),
            Self::Bell(_) => None,
        }
    }

    /// The descriptors that a forked child keeps to give its answer.
    pub(super) fn descriptors(&self) -> impl Iterator<Item = RawFd> {
        let own = match self {
            Self::Stream(stream) => [stream.as_fd().as_raw_fd(); 2],
            Self::Bell(bell) => bell.descriptors(),
        };
        own.into_iter()
    }

    /// The child's side: says that it is about to run, and gives the stream back.
    ///
    /// # Errors
    /// The host's where the parent is gone.
    pub(super) fn say_ready(self) -> std::io::Result<Option<Handover>> {
        match self {
            Self::Stream(stream) => {
                stream.send(&[READY], &[])?;
                Ok(Some(stream))
            }
            Self::Bell(bell) => {
                bell.wake();
                Ok(None)
            }
        }
    }
}

impl AsFd for Answer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Stream(stream) => stream.as_fd(),
            Self::Bell(bell) => bell.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::host::fds::is_readable;

    #[test]
    fn a_bell_is_heard_and_a_child_that_ends_without_ringing_is_missed() {
        let answer = Answer::Bell(WakeFd::new().unwrap());
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = Pid(child.id().cast_signed());
        assert!(!is_readable(answer.as_fd()) && !answer.is_over(pid));
        drop(child.stdin.take());
        let limit = Instant::now() + Duration::from_secs(60);
        while !answer.is_over(pid) && Instant::now() < limit {
            std::thread::yield_now();
        }
        assert!(answer.is_over(pid) && !is_readable(answer.as_fd()));
        child.wait().unwrap();
        assert!(answer.is_over(pid), "as one that the host has taken away");
        let heard = answer.as_fd().try_clone_to_owned().unwrap();
        assert!(matches!(answer.say_ready(), Ok(None)));
        assert!(is_readable(heard.as_fd()));
    }
}
