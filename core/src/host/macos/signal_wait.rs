//! kqueue(2) with EVFILT_SIGNAL.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

use crate::abi::SigSet;
use crate::host::signal::taken_set;

pub(super) fn open(set: SigSet) -> io::Result<OwnedFd> {
    if set != taken_set() {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let queue = Kqueue::new()?;
    let changes: Vec<KEvent> = super::super::signal::host_numbers()
        .map(|number| {
            KEvent::new(number as usize, EventFilter::EVFILT_SIGNAL, EvFlags::EV_ADD, FilterFlag::empty(), 0, 0)
        })
        .collect();
    queue.kevent(&changes, &mut [], None)?;
    Ok(queue.into())
}

/// The filter tells of a signal when it comes, and not for as long as it waits: nothing is to be left out.
pub(super) fn watch(_descriptor: BorrowedFd<'_>, _set: SigSet) -> io::Result<()> {
    Ok(())
}
