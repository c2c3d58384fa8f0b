//! Rows: what works on descriptors of any kind: reading, writing, waiting, locks, and the descriptors that are events.

use crate::syscall::{epoll, fcntl, fs, io, ioctl, poll, transfer};

rows! {
    19 eventfd2 Full io (Int, Hex);
    20 epoll_create1 Full epoll (Hex);
    21 epoll_ctl Full epoll (Int, Int, Int, Ptr);
    22 epoll_pwait Full epoll (Int, Ptr, Int, Int, Ptr, Size);
    23 dup Full io (Int);
    24 dup3 Full io (Int, Int, Hex);
    25 fcntl Partial fcntl (Int, Int, Hex);
    26 inotify_init1;
    27 inotify_add_watch;
    28 inotify_rm_watch;
    29 ioctl Partial ioctl (Int, Hex, Ptr);
    32 flock Partial fcntl (Int, Int);
    46 ftruncate Full fs (Int, Long);
    47 fallocate Full fs (Int, Hex, Long, Long);
    57 close Full io (Int);
    59 pipe2 Full io (Ptr, Hex);
    61 getdents64 Full fs (Int, Ptr, Size);
    62 lseek Full io (Int, Long, Int);
    63 read Full transfer (Int, Ptr, Size);
    64 write Full transfer (Int, Bytes, Size);
    65 readv Full transfer (Int, Ptr, Size);
    66 writev Full transfer (Int, Ptr, Size);
    67 pread64 Full transfer (Int, Ptr, Size, Long);
    68 pwrite64 Full transfer (Int, Bytes, Size, Long);
    69 preadv Full transfer (Int, Ptr, Size, Long);
    70 pwritev Full transfer (Int, Ptr, Size, Long);
    71 sendfile;
    72 pselect6 Full poll (Int, Ptr, Ptr, Ptr, Ptr, Ptr);
    73 ppoll Full poll (Ptr, Size, Ptr, Ptr, Size);
    74 signalfd4;
    75 vmsplice;
    76 splice;
    77 tee;
    81 sync Full fs ();
    82 fsync Full fs (Int);
    83 fdatasync Full fs (Int);
    84 sync_file_range Full fs (Int, Long, Long, Hex);
    85 timerfd_create;
    86 timerfd_settime;
    87 timerfd_gettime;
    213 readahead Full fs (Int, Long, Size);
    223 fadvise64 Full fs (Int, Long, Long, Int);
    262 fanotify_init;
    263 fanotify_mark;
    267 syncfs Full fs (Int);
    285 copy_file_range Full fs (Int, Ptr, Int, Ptr, Size, Hex);
    286 preadv2 Full transfer (Int, Ptr, Size, Long, Long, Hex);
    287 pwritev2 Full transfer (Int, Ptr, Size, Long, Long, Hex);
    436 close_range Partial io (Size, Size, Hex);
    441 epoll_pwait2 Full epoll (Int, Ptr, Int, Ptr, Ptr, Size);
}
