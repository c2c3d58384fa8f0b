//! Rows: what works on descriptors of any kind: reading, writing, waiting, locks, and the descriptors that are events.

use crate::syscall::{epoll, events, fcntl, fs, io, ioctl, poll, splice, transfer};

rows! {
    19 eventfd2 Full events (Int, Flags(EVENTFD));
    20 epoll_create1 Full epoll (Flags(EPOLL_CREATE));
    21 epoll_ctl Full epoll (Fd, Flags(EPOLL_CTL), Fd, In(Event));
    22 epoll_pwait Full epoll (Fd, Out(Events), Int, Int, In(Signals), Size);
    23 dup Full io (Fd);
    24 dup3 Full io (Fd, Fd, Flags(FD_FLAGS));
    25 fcntl Partial fcntl (Fd, Flags(FCNTL), Hex);
    26 inotify_init1 Full events (Flags(FD_FLAGS));
    27 inotify_add_watch Full events (Fd, Path, Flags(INOTIFY));
    28 inotify_rm_watch Full events (Fd, Int);
    29 ioctl Partial ioctl (Fd, Flags(IOCTL), Ptr);
    32 flock Full fcntl (Fd, Flags(FLOCK));
    46 ftruncate Full fs (Fd, Long);
    47 fallocate Full fs (Fd, Flags(FALLOCATE), Long, Long);
    57 close Full io (Fd);
    59 pipe2 Full io (Out(Pair), Flags(FD_FLAGS));
    61 getdents64 Full fs (Fd, Ptr, Size);
    62 lseek Full io (Fd, Long, Flags(WHENCE));
    63 read Full transfer (Fd, Filled, Size);
    64 write Full transfer (Fd, Bytes, Size);
    65 readv Full transfer (Fd, Out(Vector), Int);
    66 writev Full transfer (Fd, In(Vector), Int);
    67 pread64 Full transfer (Fd, Filled, Size, Long);
    68 pwrite64 Full transfer (Fd, Bytes, Size, Long);
    69 preadv Full transfer (Fd, Out(Vector), Int, Long);
    70 pwritev Full transfer (Fd, In(Vector), Int, Long);
    71 sendfile Full splice (Fd, Fd, Both(Offset), Size);
    72 pselect6 Full poll (Int, Ptr, Ptr, Ptr, In(Timespec), Ptr);
    73 ppoll Full poll (Both(Poll), Size, In(Timespec), In(Signals), Size);
    74 signalfd4 Full events (Fd, In(Signals), Size, Flags(FD_FLAGS));
    75 vmsplice Full splice (Fd, In(Vector), Size, Flags(SPLICE));
    76 splice Full splice (Fd, Both(Offset), Fd, Both(Offset), Size, Flags(SPLICE));
    77 tee Full splice (Fd, Fd, Size, Flags(SPLICE));
    81 sync Full fs ();
    82 fsync Full fs (Fd);
    83 fdatasync Full fs (Fd);
    84 sync_file_range Full fs (Fd, Long, Long, Hex);
    85 timerfd_create Full events (Flags(CLOCK), Flags(FD_FLAGS));
    86 timerfd_settime Full events (Fd, Flags(TIMER), In(Itimerspec), Out(Itimerspec));
    87 timerfd_gettime Full events (Fd, Out(Itimerspec));
    213 readahead Full fs (Fd, Long, Size);
    223 fadvise64 Full fs (Fd, Long, Long, Int);
    262 fanotify_init; // events bring descriptors that the host numbers
    263 fanotify_mark; // events bring descriptors that the host numbers
    267 syncfs Full fs (Fd);
    285 copy_file_range Full fs (Fd, Both(Offset), Fd, Both(Offset), Size, Hex);
    286 preadv2 Full transfer (Fd, Out(Vector), Int, Long, Long, Flags(RWF));
    287 pwritev2 Full transfer (Fd, In(Vector), Int, Long, Long, Flags(RWF));
    436 close_range Partial io (Size, Size, Flags(CLOSE_RANGE));
    441 epoll_pwait2 Full epoll (Fd, Out(Events), Int, In(Timespec), In(Signals), Size);
    451 cachestat Full fs (Fd, Ptr, Ptr, Hex);
}
