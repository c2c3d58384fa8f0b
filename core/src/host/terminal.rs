//! The controlling terminal and process groups: what decides whether a process may use its terminal now.
//!
//! Sources: termios(3), tcgetpgrp(3), credentials(7) "Process groups", Linux `drivers/tty/tty_jobctrl.c`.

use std::os::fd::BorrowedFd;

use nix::sys::termios::{self, LocalFlags};
use nix::unistd;

/// True when `fd` is the controlling terminal of this process and another process group is in its foreground.
#[must_use]
pub fn is_in_background(fd: BorrowedFd<'_>) -> bool {
    // ENOTTY: no terminal, or not the controlling one. A terminal without a foreground group says 0.
    let is_other = unistd::tcgetpgrp(fd).is_ok_and(|group| group.as_raw() != 0 && group != unistd::getpgrp());
    // The master tells everybody the foreground group of its slave.
    is_other && !imp::is_master(fd)
}

/// True when the terminal stops writers of the background (`TOSTOP`).
#[must_use]
pub fn stops_writers(fd: BorrowedFd<'_>) -> bool {
    termios::tcgetattr(fd).is_ok_and(|modes| modes.local_flags.contains(LocalFlags::TOSTOP))
}

/// True when nobody could continue this process's group if it stopped: no member has a parent in another group of the
/// same session.
#[must_use]
pub fn is_group_orphaned() -> bool {
    imp::is_group_orphaned()
}

#[cfg(target_os = "linux")]
mod imp {
    use std::os::fd::BorrowedFd;

    use nix::sys::stat::{fstat, major, minor};
    use nix::unistd;

    /// Parent, group and session of a process: fields 4 to 6 of proc_pid_stat(5).
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct Place {
        pub(super) parent: i32,
        pub(super) group: i32,
        pub(super) session: i32,
    }

    pub(super) fn parse(stat: &str) -> Option<Place> {
        let mut fields = stat.get(stat.rfind(')')? + 1..)?.split_ascii_whitespace().skip(1);
        let mut next = || fields.next()?.parse().ok();
        Some(Place { parent: next()?, group: next()?, session: next()? })
    }

    fn place_of(pid: &str) -> Option<Place> {
        parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The number of /dev/ptmx, which each master shows as its own: `Documentation/admin-guide/devices.txt`.
    const PTMX: (u64, u64) = (5, 2);

    /// True for the end of a pseudo terminal that is nobody's controlling terminal.
    pub(super) fn is_master(fd: BorrowedFd<'_>) -> bool {
        fstat(fd).is_ok_and(|stat| (major(stat.st_rdev), minor(stat.st_rdev)) == PTMX)
    }

    pub(super) fn is_group_orphaned() -> bool {
        let group = unistd::getpgrp().as_raw();
        let Ok(entries) = std::fs::read_dir("/proc") else { return false };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let members = names.filter_map(|name| place_of(&name)).filter(|place| place.group == group);
        !members.into_iter().any(|member| {
            place_of(&member.parent.to_string())
                .is_some_and(|parent| parent.group != group && parent.session == member.session)
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn fields_are_counted_from_the_end_of_the_name() {
            let place = Place { parent: 5, group: 6, session: 7 };
            assert_eq!(parse("4 (a) S 1) R 5 6 7 8 9"), Some(place));
            assert_eq!(parse("4 (a"), None);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    use std::os::fd::BorrowedFd;

    /// The host does not say which end it is: the controlling terminal is one of the caller's own session.
    pub(super) fn is_master(fd: BorrowedFd<'_>) -> bool {
        nix::sys::termios::tcgetsid(fd).ok() != nix::unistd::getsid(None).ok()
    }

    /// The host does not list groups cheaply: a group counts as orphaned when its parent is init.
    pub(super) fn is_group_orphaned() -> bool {
        nix::unistd::getppid().as_raw() == 1
    }
}
