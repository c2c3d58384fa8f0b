#![expect(unsafe_code, reason = "kevent(2) on a borrowed descriptor")]
//! epoll(7) over kqueue(2): a descriptor of the set is a read filter and a write filter that carry its number. The queue
//! itself can be polled for, as an epoll descriptor can.
//!
//! Missing: `EPOLLPRI`, `EPOLLEXCLUSIVE` and `EPOLLWAKEUP` do nothing; a descriptor that asks for nothing is not told of its
//! end; adding one twice changes it where Linux says `EEXIST`; a queue does not survive fork(2). Sources: kqueue(2) of
//! macOS, epoll_ctl(2).

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use nix::errno::Errno as HostErrno;
use nix::sys::event::{EvFlags, EventFilter, FilterFlag, KEvent, Kqueue};

use super::Event;
use crate::abi::Errno;

const CTL_ADD: i32 = 1;
const CTL_DEL: i32 = 2;
const CTL_MOD: i32 = 3;

const IN: u32 = 0x001;
const OUT: u32 = 0x004;
const ERR: u32 = 0x008;
const HUP: u32 = 0x010;
const RDNORM: u32 = 0x040;
const WRNORM: u32 = 0x100;
const RDHUP: u32 = 0x2000;
const ONESHOT: u32 = 1 << 30;
const EDGE: u32 = 1 << 31;

const FILTERS: [EventFilter; 2] = [EventFilter::EVFILT_READ, EventFilter::EVFILT_WRITE];

pub(super) fn create() -> Result<OwnedFd, Errno> {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    let queue: OwnedFd = Kqueue::new()?.into();
    fcntl(&queue, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(queue)
}

/// kevent(2) without waiting: the number of events.
fn kevent(queue: BorrowedFd<'_>, changes: &[KEvent], events: &mut [KEvent]) -> Result<usize, HostErrno> {
    static NOW: libc::timespec = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let len = |list: &[KEvent]| i32::try_from(list.len()).unwrap_or(i32::MAX);
    let (change_count, event_count) = (len(changes), len(events));
    let (changes, events) = (changes.as_ptr().cast(), events.as_mut_ptr().cast());
    // SAFETY: 1. both lists have as many entries, and a `KEvent` is a `struct kevent`; 2. the time is a constant.
    let count = unsafe { libc::kevent(queue.as_raw_fd(), changes, change_count, events, event_count, &raw const NOW) };
    usize::try_from(count).map_err(|_negative| HostErrno::last())
}

fn change(fd: usize, filter: EventFilter, flags: EvFlags, data: u64) -> KEvent {
    KEvent::new(fd, filter, flags, FilterFlag::empty(), 0, data as isize)
}

/// Takes both filters away: whether there was one.
fn remove(queue: BorrowedFd<'_>, fd: usize) -> Result<bool, Errno> {
    let mut was_there = false;
    for filter in FILTERS {
        match kevent(queue, &[change(fd, filter, EvFlags::EV_DELETE, 0)], &mut []) {
            Ok(_none) => was_there = true,
            Err(HostErrno::ENOENT) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(was_there)
}

/// What to ask of the two filters for Linux's events.
fn filters(events: u32) -> [Option<EvFlags>; 2] {
    let mut flags = EvFlags::EV_ADD;
    if events & EDGE != 0 {
        flags |= EvFlags::EV_CLEAR;
    }
    if events & ONESHOT != 0 {
        flags |= EvFlags::EV_DISPATCH;
    }
    let reads = events & (IN | RDNORM | RDHUP) != 0;
    let writes = events & (OUT | WRNORM) != 0;
    // Something must be there to be changed and taken away.
    let read = if reads { Some(flags) } else { (!writes).then_some(flags | EvFlags::EV_DISABLE) };
    [read, writes.then_some(flags)]
}

pub(super) fn control(
    epoll: BorrowedFd<'_>,
    operation: i32,
    fd: BorrowedFd<'_>,
    event: Option<Event>,
) -> Result<u64, Errno> {
    let number = usize::try_from(fd.as_raw_fd()).map_err(|_negative| Errno::EBADF)?;
    let was_there = match operation {
        CTL_ADD => true,
        CTL_DEL | CTL_MOD => remove(epoll, number)?,
        _unknown => return Err(Errno::EINVAL),
    };
    if !was_there {
        return Err(Errno::ENOENT);
    }
    if operation == CTL_DEL {
        return Ok(0);
    }
    let event = event.ok_or(Errno::EFAULT)?;
    for (filter, flags) in FILTERS.into_iter().zip(filters(event.events)) {
        let Some(flags) = flags else { continue };
        match kevent(epoll, &[change(number, filter, flags, event.data)], &mut []) {
            Ok(_none) => {}
            // What has no filter: Linux's word for a file that cannot be waited for.
            Err(HostErrno::EINVAL | HostErrno::ENOTSUP) => return Err(Errno::EPERM),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(0)
}

/// Linux's events of one of kqueue's.
fn events_of(event: &KEvent) -> u32 {
    let is_read = event.filter() == Ok(EventFilter::EVFILT_READ);
    let mut events = if is_read { IN | RDNORM } else { OUT | WRNORM };
    if event.flags().contains(EvFlags::EV_EOF) {
        events |= if is_read { RDHUP | HUP } else { HUP };
        // The error of a socket that has ended.
        if event.fflags().bits() != 0 {
            events |= ERR;
        }
    }
    events
}

pub(super) fn fetch(epoll: BorrowedFd<'_>, max: usize) -> Result<Vec<Event>, Errno> {
    let mut found = vec![change(0, EventFilter::EVFILT_READ, EvFlags::empty(), 0); max];
    let count = kevent(epoll, &[], &mut found)?;
    let mut events: Vec<(usize, Event)> = Vec::new();
    for event in found.iter().take(count) {
        let (fd, data, bits) = (event.ident(), event.udata() as u64, events_of(event));
        match events.iter_mut().find(|(known, _)| *known == fd) {
            Some((_, known)) => known.events |= bits,
            None => events.push((fd, Event { events: bits, data })),
        }
        // Both filters rest after one event; the one that had none may not be there.
        if event.flags().contains(EvFlags::EV_DISPATCH) {
            for filter in FILTERS {
                let _absent = kevent(epoll, &[change(fd, filter, EvFlags::EV_DISABLE, event.udata() as u64)], &mut []);
            }
        }
    }
    Ok(events.into_iter().map(|(_, event)| event).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_choose_filters() {
        let add = EvFlags::EV_ADD;
        assert_eq!(filters(IN | EDGE), [Some(add | EvFlags::EV_CLEAR), None]);
        assert_eq!(filters(IN | OUT | ONESHOT), [Some(add | EvFlags::EV_DISPATCH); 2]);
        assert_eq!(filters(OUT), [None, Some(add)]);
        assert_eq!(filters(0), [Some(add | EvFlags::EV_DISABLE), None]);
    }
}
