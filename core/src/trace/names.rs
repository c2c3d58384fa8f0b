//! What the numbers of arguments are called: a [`Names`] for each set of flags or choices, which the rows of the syscall
//! table name. Numbers are arm64's. Sources: the headers below `include/uapi/linux` and `asm-generic` of Linux.

use std::fmt::Write as _;

/// The names of an argument's values: one of `choices` in the bits of `mask`, and any of `flags`.
#[derive(PartialEq, Eq, Debug)]
pub struct Names {
    mask: u64,
    choices: &'static [(u64, &'static str)],
    flags: &'static [(u64, &'static str)],
}

impl Names {
    /// The value by its names, what has none in hexadecimal.
    #[must_use]
    pub fn show(&self, value: u64) -> String {
        let low = value & self.mask;
        let choice = self.choices.iter().find(|(number, _)| *number == low).map(|(_, name)| *name);
        // A choice of zero in no bits is the name of "none of the flags".
        let mut parts: Vec<&str> = choice.filter(|_| self.mask != 0 || value == 0).into_iter().collect();
        let mut rest = value & !self.mask | if choice.is_none() { low } else { 0 };
        for (bits, name) in self.flags {
            if rest & bits == *bits {
                parts.push(name);
                rest &= !bits;
            }
        }
        let mut text = parts.join("|");
        if text.is_empty() {
            text = if self.flags.is_empty() { value.cast_signed().to_string() } else { format!("{value:#x}") };
        } else if rest != 0 {
            // Writing to a String cannot fail.
            let _infallible = write!(text, "|{rest:#x}");
        }
        text
    }
}

/// Defines sets of names: `NAME = choices in MASK {...} flags {...};`.
macro_rules! names {
    ($($(#[$doc:meta])* $set:ident = $mask:literal { $($choice:ident $number:literal),* } { $($flag:ident $bits:literal),* };)*) => {
        $($(#[$doc])* pub static $set: Names = Names {
            mask: $mask,
            choices: &[$(($number, stringify!($choice))),*],
            flags: &[$(($bits, stringify!($flag))),*],
        };)*
    };
}

names! {
    /// open(2); arm64 has numbers of its own for four of them.
    OPEN = 3 { O_RDONLY 0, O_WRONLY 1, O_RDWR 2 } {
        O_TMPFILE 0x40_4000, O_SYNC 0x10_1000, O_CREAT 0x40, O_EXCL 0x80, O_NOCTTY 0x100, O_TRUNC 0x200, O_APPEND 0x400,
        O_NONBLOCK 0x800, O_DSYNC 0x1000, O_ASYNC 0x2000, O_DIRECTORY 0x4000, O_NOFOLLOW 0x8000, O_DIRECT 0x1_0000,
        O_LARGEFILE 0x2_0000, O_NOATIME 0x4_0000, O_CLOEXEC 0x8_0000, O_PATH 0x20_0000 };
    /// pipe2(2), dup3(2) and the calls that make descriptors which are events.
    FD_FLAGS = 0 {} { O_NONBLOCK 0x800, O_DIRECT 0x1_0000, O_CLOEXEC 0x8_0000 };
    /// eventfd2(2).
    EVENTFD = 0 {} { EFD_SEMAPHORE 1, EFD_NONBLOCK 0x800, EFD_CLOEXEC 0x8_0000 };
    /// epoll_create1(2).
    EPOLL_CREATE = 0 {} { EPOLL_CLOEXEC 0x8_0000 };
    /// epoll_ctl(2).
    EPOLL_CTL = 0xffff_ffff { EPOLL_CTL_ADD 1, EPOLL_CTL_DEL 2, EPOLL_CTL_MOD 3 } {};
    /// What epoll waits for.
    EPOLL_EVENTS = 0 {} { EPOLLIN 1, EPOLLPRI 2, EPOLLOUT 4, EPOLLERR 8, EPOLLHUP 0x10, EPOLLRDNORM 0x40, EPOLLRDBAND 0x80,
        EPOLLWRNORM 0x100, EPOLLWRBAND 0x200, EPOLLMSG 0x400, EPOLLRDHUP 0x2000, EPOLLEXCLUSIVE 0x1000_0000,
        EPOLLWAKEUP 0x2000_0000, EPOLLONESHOT 0x4000_0000, EPOLLET 0x8000_0000 };
    /// What poll waits for.
    POLL_EVENTS = 0 {} { POLLIN 1, POLLPRI 2, POLLOUT 4, POLLERR 8, POLLHUP 0x10, POLLNVAL 0x20, POLLRDNORM 0x40,
        POLLRDBAND 0x80, POLLWRNORM 0x100, POLLWRBAND 0x200, POLLMSG 0x400, POLLRDHUP 0x2000 };
    /// fcntl(2).
    FCNTL = 0xffff_ffff { F_DUPFD 0, F_GETFD 1, F_SETFD 2, F_GETFL 3, F_SETFL 4, F_GETLK 5, F_SETLK 6, F_SETLKW 7, F_SETOWN 8,
        F_GETOWN 9, F_SETSIG 10, F_GETSIG 11, F_SETOWN_EX 15, F_GETOWN_EX 16, F_OFD_GETLK 36, F_OFD_SETLK 37,
        F_OFD_SETLKW 38, F_SETLEASE 1024, F_GETLEASE 1025, F_NOTIFY 1026, F_DUPFD_CLOEXEC 1030, F_SETPIPE_SZ 1031,
        F_GETPIPE_SZ 1032, F_ADD_SEALS 1033, F_GET_SEALS 1034 } {};
    /// ioctl(2): the requests that programs make most.
    IOCTL = 0xffff_ffff { TCGETS 0x5401, TCSETS 0x5402, TCSETSW 0x5403, TCSETSF 0x5404, TIOCSCTTY 0x540e, TIOCGPGRP 0x540f,
        TIOCSPGRP 0x5410, TIOCGWINSZ 0x5413, TIOCSWINSZ 0x5414, FIONREAD 0x541b, FIONBIO 0x5421, TIOCNOTTY 0x5422,
        TIOCGSID 0x5429, FIONCLEX 0x5450, FIOCLEX 0x5451, FIOASYNC 0x5452, TIOCGPTN 0x8004_5430, TIOCSPTLCK 0x4004_5431,
        FICLONE 0x4004_9409, BLKGETSIZE64 0x8008_1272 } {};
    /// flock(2).
    FLOCK = 0 {} { LOCK_SH 1, LOCK_EX 2, LOCK_NB 4, LOCK_UN 8 };
    /// fallocate(2).
    FALLOCATE = 0 {} { FALLOC_FL_KEEP_SIZE 1, FALLOC_FL_PUNCH_HOLE 2, FALLOC_FL_COLLAPSE_RANGE 8, FALLOC_FL_ZERO_RANGE 0x10,
        FALLOC_FL_INSERT_RANGE 0x20, FALLOC_FL_UNSHARE_RANGE 0x40 };
    /// lseek(2).
    WHENCE = 0xffff_ffff { SEEK_SET 0, SEEK_CUR 1, SEEK_END 2, SEEK_DATA 3, SEEK_HOLE 4 } {};
    /// splice(2) and its kin.
    SPLICE = 0 {} { SPLICE_F_MOVE 1, SPLICE_F_NONBLOCK 2, SPLICE_F_MORE 4, SPLICE_F_GIFT 8 };
    /// preadv2(2).
    RWF = 0 {} { RWF_HIPRI 1, RWF_DSYNC 2, RWF_SYNC 4, RWF_NOWAIT 8, RWF_APPEND 0x10 };
    /// inotify_add_watch(2).
    INOTIFY = 0 {} { IN_ACCESS 1, IN_MODIFY 2, IN_ATTRIB 4, IN_CLOSE_WRITE 8, IN_CLOSE_NOWRITE 0x10, IN_OPEN 0x20,
        IN_MOVED_FROM 0x40, IN_MOVED_TO 0x80, IN_CREATE 0x100, IN_DELETE 0x200, IN_DELETE_SELF 0x400, IN_MOVE_SELF 0x800,
        IN_ONLYDIR 0x100_0000, IN_DONT_FOLLOW 0x200_0000, IN_MASK_ADD 0x2000_0000, IN_ONESHOT 0x8000_0000 };
    /// close_range(2).
    CLOSE_RANGE = 0 {} { CLOSE_RANGE_UNSHARE 2, CLOSE_RANGE_CLOEXEC 4 };
    /// `AT_*` of the calls on paths.
    AT = 0 {} { AT_SYMLINK_NOFOLLOW 0x100, AT_REMOVEDIR 0x200, AT_SYMLINK_FOLLOW 0x400, AT_NO_AUTOMOUNT 0x800,
        AT_EMPTY_PATH 0x1000, AT_STATX_FORCE_SYNC 0x2000, AT_STATX_DONT_SYNC 0x4000 };
    /// faccessat2(2), whose first flag shares its number with `AT_REMOVEDIR`.
    AT_ACCESS = 0 {} { AT_SYMLINK_NOFOLLOW 0x100, AT_EACCESS 0x200, AT_EMPTY_PATH 0x1000 };
    /// name_to_handle_at(2), whose flags share numbers with those of other calls.
    AT_HANDLE = 0 {} { AT_HANDLE_MNT_ID_UNIQUE 1, AT_HANDLE_CONNECTABLE 2, AT_HANDLE_FID 0x200, AT_SYMLINK_FOLLOW 0x400,
        AT_EMPTY_PATH 0x1000 };
    /// access(2).
    ACCESS = 0 { F_OK 0 } { R_OK 4, W_OK 2, X_OK 1 };
    /// renameat2(2).
    RENAME = 0 {} { RENAME_NOREPLACE 1, RENAME_EXCHANGE 2, RENAME_WHITEOUT 4 };
    /// memfd_create(2).
    MEMFD = 0 {} { MFD_CLOEXEC 1, MFD_ALLOW_SEALING 2, MFD_HUGETLB 4, MFD_NOEXEC_SEAL 8, MFD_EXEC 0x10 };
    /// memfd_secret(2).
    MEMFD_SECRET = 0 {} { FD_CLOEXEC 0x8_0000 };
    /// statx(2).
    STATX_MASK = 0 { STATX_NONE 0 } { STATX_BASIC_STATS 0x7ff, STATX_TYPE 1, STATX_MODE 2, STATX_NLINK 4, STATX_UID 8,
        STATX_GID 0x10, STATX_ATIME 0x20, STATX_MTIME 0x40, STATX_CTIME 0x80, STATX_INO 0x100, STATX_SIZE 0x200,
        STATX_BLOCKS 0x400, STATX_BTIME 0x800, STATX_MNT_ID 0x1000 };
    /// setxattr(2).
    XATTR = 0 {} { XATTR_CREATE 1, XATTR_REPLACE 2 };
    /// futex(2).
    FUTEX = 0x7f { FUTEX_WAIT 0, FUTEX_WAKE 1, FUTEX_FD 2, FUTEX_REQUEUE 3, FUTEX_CMP_REQUEUE 4, FUTEX_WAKE_OP 5,
        FUTEX_LOCK_PI 6, FUTEX_UNLOCK_PI 7, FUTEX_TRYLOCK_PI 8, FUTEX_WAIT_BITSET 9, FUTEX_WAKE_BITSET 10,
        FUTEX_WAIT_REQUEUE_PI 11, FUTEX_CMP_REQUEUE_PI 12, FUTEX_LOCK_PI2 13 } {
        FUTEX_PRIVATE_FLAG 128, FUTEX_CLOCK_REALTIME 256 };
    /// The protection of memory.
    PROT = 0 { PROT_NONE 0 } { PROT_READ 1, PROT_WRITE 2, PROT_EXEC 4, PROT_BTI 0x10, PROT_MTE 0x20,
        PROT_GROWSDOWN 0x100_0000, PROT_GROWSUP 0x200_0000 };
    /// mmap(2).
    MAP = 0xf { MAP_SHARED 1, MAP_PRIVATE 2, MAP_SHARED_VALIDATE 3 } { MAP_FIXED 0x10, MAP_ANONYMOUS 0x20,
        MAP_GROWSDOWN 0x100, MAP_DENYWRITE 0x800, MAP_EXECUTABLE 0x1000, MAP_LOCKED 0x2000, MAP_NORESERVE 0x4000,
        MAP_POPULATE 0x8000, MAP_NONBLOCK 0x1_0000, MAP_STACK 0x2_0000, MAP_HUGETLB 0x4_0000, MAP_SYNC 0x8_0000,
        MAP_FIXED_NOREPLACE 0x10_0000 };
    /// mremap(2).
    MREMAP = 0 {} { MREMAP_MAYMOVE 1, MREMAP_FIXED 2, MREMAP_DONTUNMAP 4 };
    /// msync(2).
    MSYNC = 0 {} { MS_ASYNC 1, MS_INVALIDATE 2, MS_SYNC 4 };
    /// mlockall(2).
    MLOCKALL = 0 {} { MCL_CURRENT 1, MCL_FUTURE 2, MCL_ONFAULT 4 };
    /// madvise(2).
    MADVISE = 0xffff_ffff { MADV_NORMAL 0, MADV_RANDOM 1, MADV_SEQUENTIAL 2, MADV_WILLNEED 3, MADV_DONTNEED 4, MADV_FREE 8,
        MADV_REMOVE 9, MADV_DONTFORK 10, MADV_DOFORK 11, MADV_MERGEABLE 12, MADV_UNMERGEABLE 13, MADV_HUGEPAGE 14,
        MADV_NOHUGEPAGE 15, MADV_DONTDUMP 16, MADV_DODUMP 17, MADV_WIPEONFORK 18, MADV_KEEPONFORK 19, MADV_COLD 20,
        MADV_PAGEOUT 21, MADV_POPULATE_READ 22, MADV_POPULATE_WRITE 23 } {};
    /// Families of sockets.
    FAMILY = 0xffff_ffff { AF_UNSPEC 0, AF_UNIX 1, AF_INET 2, AF_INET6 10, AF_NETLINK 16, AF_PACKET 17, AF_VSOCK 40 } {};
    /// Types of sockets.
    SOCKET = 0xf { SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3, SOCK_RDM 4, SOCK_SEQPACKET 5 } {
        SOCK_NONBLOCK 0x800, SOCK_CLOEXEC 0x8_0000 };
    /// accept4(2).
    ACCEPT = 0 {} { SOCK_NONBLOCK 0x800, SOCK_CLOEXEC 0x8_0000 };
    /// Levels of socket options.
    LEVEL = 0xffff_ffff { SOL_IP 0, SOL_SOCKET 1, SOL_TCP 6, SOL_UDP 17, SOL_IPV6 41 } {};
    /// shutdown(2).
    SHUTDOWN = 0xffff_ffff { SHUT_RD 0, SHUT_WR 1, SHUT_RDWR 2 } {};
    /// sendmsg(2), recvmsg(2).
    MSG = 0 {} { MSG_OOB 1, MSG_PEEK 2, MSG_DONTROUTE 4, MSG_CTRUNC 8, MSG_TRUNC 0x20, MSG_DONTWAIT 0x40, MSG_EOR 0x80,
        MSG_WAITALL 0x100, MSG_ERRQUEUE 0x2000, MSG_NOSIGNAL 0x4000, MSG_MORE 0x8000, MSG_WAITFORONE 0x1_0000,
        MSG_CMSG_CLOEXEC 0x4000_0000 };
    /// clone(2); the low byte is the signal of the child's end.
    CLONE = 0xff { SIGCHLD 17 } { CLONE_VM 0x100, CLONE_FS 0x200, CLONE_FILES 0x400, CLONE_SIGHAND 0x800,
        CLONE_PIDFD 0x1000, CLONE_PTRACE 0x2000, CLONE_VFORK 0x4000, CLONE_PARENT 0x8000, CLONE_THREAD 0x1_0000,
        CLONE_NEWNS 0x2_0000, CLONE_SYSVSEM 0x4_0000, CLONE_SETTLS 0x8_0000, CLONE_PARENT_SETTID 0x10_0000,
        CLONE_CHILD_CLEARTID 0x20_0000, CLONE_DETACHED 0x40_0000, CLONE_CHILD_SETTID 0x100_0000,
        CLONE_NEWPID 0x2000_0000, CLONE_NEWUSER 0x1000_0000, CLONE_NEWNET 0x4000_0000 };
    /// wait4(2), waitid(2).
    WAIT = 0 {} { WNOHANG 1, WUNTRACED 2, WEXITED 4, WCONTINUED 8, WNOWAIT 0x100_0000, __WNOTHREAD 0x2000_0000,
        __WALL 0x4000_0000, __WCLONE 0x8000_0000 };
    /// waitid(2).
    ID_TYPE = 0xffff_ffff { P_ALL 0, P_PID 1, P_PGID 2, P_PIDFD 3 } {};
    /// Resources.
    RESOURCE = 0xffff_ffff { RLIMIT_CPU 0, RLIMIT_FSIZE 1, RLIMIT_DATA 2, RLIMIT_STACK 3, RLIMIT_CORE 4, RLIMIT_RSS 5,
        RLIMIT_NPROC 6, RLIMIT_NOFILE 7, RLIMIT_MEMLOCK 8, RLIMIT_AS 9, RLIMIT_LOCKS 10, RLIMIT_SIGPENDING 11,
        RLIMIT_MSGQUEUE 12, RLIMIT_NICE 13, RLIMIT_RTPRIO 14, RLIMIT_RTTIME 15 } {};
    /// kcmp(2).
    KCMP = 0xffff_ffff { KCMP_FILE 0, KCMP_VM 1, KCMP_FILES 2, KCMP_FS 3, KCMP_SIGHAND 4, KCMP_IO 5, KCMP_SYSVSEM 6,
        KCMP_EPOLL_TFD 7 } {};
    /// getrusage(2).
    RUSAGE = 0xffff_ffff { RUSAGE_SELF 0, RUSAGE_THREAD 1, RUSAGE_CHILDREN 0xffff_ffff } {};
    /// prctl(2).
    PRCTL = 0xffff_ffff { PR_SET_PDEATHSIG 1, PR_GET_PDEATHSIG 2, PR_GET_DUMPABLE 3, PR_SET_DUMPABLE 4, PR_GET_KEEPCAPS 7,
        PR_SET_KEEPCAPS 8, PR_SET_NAME 15, PR_GET_NAME 16, PR_GET_SECCOMP 21, PR_SET_SECCOMP 22, PR_CAPBSET_READ 23,
        PR_CAPBSET_DROP 24, PR_SET_TIMERSLACK 29, PR_GET_TIMERSLACK 30, PR_SET_MM 35, PR_SET_CHILD_SUBREAPER 36,
        PR_GET_CHILD_SUBREAPER 37, PR_SET_NO_NEW_PRIVS 38, PR_GET_NO_NEW_PRIVS 39, PR_GET_THP_DISABLE 42,
        PR_SET_THP_DISABLE 41, PR_CAP_AMBIENT 47, PR_PAC_RESET_KEYS 54, PR_SET_TAGGED_ADDR_CTRL 55,
        PR_GET_TAGGED_ADDR_CTRL 56, PR_SET_VMA 0x5356_4d41 } {};
    /// Scheduling policies.
    POLICY = 0xff { SCHED_OTHER 0, SCHED_FIFO 1, SCHED_RR 2, SCHED_BATCH 3, SCHED_IDLE 5, SCHED_DEADLINE 6 } {
        SCHED_RESET_ON_FORK 0x4000_0000 };
    /// rt_sigprocmask(2).
    SIG_HOW = 0xffff_ffff { SIG_BLOCK 0, SIG_UNBLOCK 1, SIG_SETMASK 2 } {};
    /// The flags of an action on a signal.
    SA = 0 {} { SA_NOCLDSTOP 1, SA_NOCLDWAIT 2, SA_SIGINFO 4, SA_RESTORER 0x400_0000, SA_ONSTACK 0x800_0000,
        SA_RESTART 0x1000_0000, SA_NODEFER 0x4000_0000, SA_RESETHAND 0x8000_0000 };
    /// Clocks.
    CLOCK = 0xffff_ffff { CLOCK_REALTIME 0, CLOCK_MONOTONIC 1, CLOCK_PROCESS_CPUTIME_ID 2, CLOCK_THREAD_CPUTIME_ID 3,
        CLOCK_MONOTONIC_RAW 4, CLOCK_REALTIME_COARSE 5, CLOCK_MONOTONIC_COARSE 6, CLOCK_BOOTTIME 7,
        CLOCK_REALTIME_ALARM 8, CLOCK_BOOTTIME_ALARM 9, CLOCK_TAI 11 } {};
    /// timer_settime(2), clock_nanosleep(2).
    TIMER = 0 {} { TIMER_ABSTIME 1 };
    /// setitimer(2).
    ITIMER = 0xffff_ffff { ITIMER_REAL 0, ITIMER_VIRTUAL 1, ITIMER_PROF 2 } {};
    /// getrandom(2).
    RANDOM = 0 {} { GRND_NONBLOCK 1, GRND_RANDOM 2, GRND_INSECURE 4 };
    /// `IPC_*` of System V objects; the low bits are permissions.
    IPC = 0 {} { IPC_CREAT 0x200, IPC_EXCL 0x400, IPC_NOWAIT 0x800 };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_their_names_and_what_has_none_is_hexadecimal() {
        assert_eq!(OPEN.show(0x8_0241), "O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC");
        assert_eq!(OPEN.show(0x40_4002), "O_RDWR|O_TMPFILE");
        assert_eq!(OPEN.show(3), "0x3");
        assert_eq!(
            [PROT.show(0), PROT.show(3), PROT.show(0x43)],
            ["PROT_NONE", "PROT_READ|PROT_WRITE", "PROT_READ|PROT_WRITE|0x40"]
        );
        assert_eq!(AT_HANDLE.show(0x1201), "AT_HANDLE_MNT_ID_UNIQUE|AT_HANDLE_FID|AT_EMPTY_PATH");
        assert_eq!(FUTEX.show(0x81), "FUTEX_WAKE|FUTEX_PRIVATE_FLAG");
        assert_eq!([WHENCE.show(2), WHENCE.show(77)], ["SEEK_END", "77"]);
        assert_eq!([AT.show(0), MSG.show(0x40)], ["0x0", "MSG_DONTWAIT"]);
        assert_eq!(STATX_MASK.show(0xfff), "STATX_BASIC_STATS|STATX_BTIME");
    }
}
