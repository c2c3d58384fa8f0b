// Numbers and structures of the calls that waits.c and sockets.c make, from the uapi headers of arm64.

#ifndef WAITS_SYS_H
#define WAITS_SYS_H

#include "rt.h"

enum {
    NR_eventfd2 = 19, NR_epoll_create1 = 20, NR_epoll_ctl = 21, NR_epoll_pwait = 22, NR_dup = 23, NR_inotify_init1 = 26,
    NR_inotify_add_watch = 27, NR_ioctl = 29, NR_flock = 32, NR_mknodat = 33, NR_unlinkat = 35, NR_ftruncate = 46,
    NR_readv = 65, NR_writev = 66, NR_sendfile = 71, NR_pselect6 = 72, NR_signalfd4 = 74, NR_vmsplice = 75, NR_splice = 76, NR_tee = 77,
    NR_timerfd_create = 85, NR_timerfd_settime = 86, NR_timerfd_gettime = 87, NR_waitid = 95, NR_clock_nanosleep = 115, NR_mq_open = 180,
    NR_mq_unlink = 181, NR_mq_timedsend = 182, NR_mq_timedreceive = 183, NR_mq_notify = 184, NR_mq_getsetattr = 185, NR_msgget = 186, NR_msgctl = 187, NR_msgrcv = 188,
    NR_msgsnd = 189, NR_semget = 190, NR_semctl = 191, NR_semtimedop = 192, NR_semop = 193, NR_shmget = 194, NR_shmctl = 195, NR_shmat = 196,
    NR_shmdt = 197, NR_socket = 198,
    NR_socketpair = 199, NR_bind = 200, NR_listen = 201, NR_accept = 202, NR_connect = 203, NR_getsockname = 204,
    NR_getpeername = 205, NR_sendto = 206, NR_recvfrom = 207, NR_setsockopt = 208, NR_getsockopt = 209, NR_shutdown = 210,
    NR_sendmsg = 211, NR_recvmsg = 212, NR_accept4 = 242, NR_recvmmsg = 243, NR_sendmmsg = 269, NR_memfd_create = 279,
    NR_copy_file_range = 285, NR_pidfd_open = 434, NR_epoll_pwait2 = 441, NR_futex_waitv = 449,
};

enum {
    ENXIO = 6, EEXIST = 17, ENOTTY = 25, ESPIPE = 29, EMSGSIZE = 90, ENOTSOCK = 88, EDESTADDRREQ = 89, EOPNOTSUPP = 95, EADDRINUSE = 98,
    ECONNRESET = 104, EISCONN = 106, ENOTCONN = 107, ECONNREFUSED = 111, EALREADY = 114, EINPROGRESS = 115, EIDRM = 43, ENOMSG = 42,
};

enum { AF_UNIX = 1, AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16 };
enum { SOCK_STREAM = 1, SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_SEQPACKET = 5, SOCK_NONBLOCK = 04000, SOCK_CLOEXEC = 02000000 };
enum { SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_TYPE = 3, SO_ERROR = 4, SO_SNDBUF = 7, SO_RCVBUF = 8, SO_PASSCRED = 16, SO_PEERCRED = 17,
       SO_RCVTIMEO = 20, SO_SNDTIMEO = 21, SO_ACCEPTCONN = 30 };
enum { SCM_RIGHTS = 1, SCM_CREDENTIALS = 2, SHUT_RD = 0, SHUT_WR = 1, SHUT_RDWR = 2 };
enum { MSG_OOB = 1, MSG_PEEK = 2, MSG_CTRUNC = 8, MSG_TRUNC = 0x20, MSG_DONTWAIT = 0x40, MSG_WAITALL = 0x100, MSG_NOSIGNAL = 0x4000,
       MSG_WAITFORONE = 0x10000, MSG_CMSG_CLOEXEC = 0x40000000 };
enum { O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0100, O_EXCL = 0200, F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_SETLK = 6, F_SETLKW = 7, F_OFD_SETLK = 37,
       F_OFD_SETLKW = 38, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2, LOCK_EX = 2, LOCK_NB = 4, LOCK_UN = 8 };
enum { EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3, EPOLLIN = 1, EPOLLOUT = 4 };
#define EPOLLET (1u << 31)
#define EPOLLONESHOT (1u << 30)
#define EPOLLEXCLUSIVE (1u << 28)
enum { WEXITED = 4, P_PID = 1 };

struct iovec { void *base; u64 len; };
struct msghdr { void *name; u32 namelen, pad; struct iovec *iov; u64 iovlen; void *control; u64 controllen; u32 flags, tail; };
struct mmsghdr { struct msghdr hdr; u32 len, pad; };
struct cmsghdr { u64 len; s32 level, type; };
struct sockaddr_un { u16 family; char path[108]; };
struct sockaddr_in { u16 family, port; u32 addr; u8 zero[8]; };
struct sockaddr_in6 { u16 family, port; u32 flow; u8 addr[16]; u32 scope; };
struct epoll_event { u32 events, pad; u64 data; };
struct flock { int16_t type, whence; u32 pad; s64 start, len; s32 pid, pad2; };
_Static_assert(sizeof(struct flock) == 32, "struct flock is 32 bytes");
struct futex_waitv { u64 val, uaddr; u32 flags, reserved; };
struct sembuf { u16 num; int16_t op, flg; };

#define FUTEX_WAIT_BITSET 9

#endif
