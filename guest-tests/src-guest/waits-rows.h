// The rows of waits.c: how to prepare a place to wait at, the call, what ends its wait, and how it ends.

#ifndef WAITS_ROWS_H
#define WAITS_ROWS_H

#include "waits-sys.h"

enum kind {
    RESTARTS,      // goes on after a handler with SA_RESTART, EINTR otherwise
    ALWAYS_EINTR,  // EINTR after any handler
    NEVER_EINTR,   // goes on after any handler
    SLEEPS,        // EINTR after any handler, but ends by itself: only ignored signals, fork, exec and exit are tried
};

/// What one sleeper waits at.
struct place {
    s32 fds[2], other[2];
    s32 child;
    u32 word;
    u8 bytes[64];
};

struct row {
    const char *name;
    void (*prepare)(struct place *);
    long (*call)(struct place *);
    void (*wake)(struct place *);
    long woken;                      // what the call returns then
    enum kind kind;
    long (*timed)(struct place *);   // the same call with a short timeout, where it has one
    long timed_out;                  // and what that returns
    int in_storm;
    void (*finish)(struct place *);
};

static const struct timespec SOON = { 0, 1000000 };
static const struct timespec LATER = { 1000, 0 };

static void close_all(struct place *p) {
    for (int i = 0; i < 2; i++) {
        if (p->fds[i] > 0) CHECK_EQ(sys1(NR_close, p->fds[i]), 0);
        if (p->other[i] > 0) CHECK_EQ(sys1(NR_close, p->other[i]), 0);
    }
}

// ---- pipes ----

static void pipe_empty(struct place *p) { CHECK_EQ(sys2(NR_pipe2, p->fds, 0), 0); }
static void pipe_full(struct place *p) {
    static char block[4096];
    pipe_empty(p);
    CHECK_EQ(sys3(NR_fcntl, p->fds[1], F_SETPIPE_SZ, 4096), 4096);
    CHECK_EQ(sys3(NR_write, p->fds[1], block, 4096), 4096);
}
static void put_byte(struct place *p) { CHECK_EQ(sys3(NR_write, p->fds[1], "w", 1), 1); }
static void drain_pipe(struct place *p) {
    static char block[4096];
    CHECK_EQ(sys3(NR_read, p->fds[0], block, 4096), 4096);
}
static long read_pipe(struct place *p) { return sys3(NR_read, p->fds[0], p->bytes, 8); }
static long write_pipe(struct place *p) { return sys3(NR_write, p->fds[1], p->bytes, 8); }
static long readv_pipe(struct place *p) {
    struct iovec iov[2] = { { p->bytes, 0 }, { p->bytes, 8 } };
    return sys3(NR_readv, p->fds[0], iov, 2);
}
static long writev_pipe(struct place *p) {
    struct iovec iov[2] = { { p->bytes, 4 }, { p->bytes, 4 } };
    return sys3(NR_writev, p->fds[1], iov, 2);
}

// ---- sockets ----

static void pair(struct place *p) { CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_STREAM, 0, p->fds), 0); }
static void pair_full(struct place *p) {
    static char block[4096];
    pair(p);
    u32 little = 4096;
    CHECK_EQ(sys5(NR_setsockopt, p->fds[0], SOL_SOCKET, SO_SNDBUF, &little, 4), 0);
    while (sys6(NR_sendto, (u64)p->fds[0], (u64)block, sizeof block, MSG_DONTWAIT, 0, 0) > 0) {}
}
static void drain_pair(struct place *p) {
    static char block[4096];
    while (sys6(NR_recvfrom, (u64)p->fds[1], (u64)block, sizeof block, MSG_DONTWAIT, 0, 0) > 0) {}
}
static void timeouts(struct place *p) {
    struct timeval soon = { 0, 1000 };
    CHECK_EQ(sys5(NR_setsockopt, p->fds[0], SOL_SOCKET, SO_RCVTIMEO, &soon, 16), 0);
    CHECK_EQ(sys5(NR_setsockopt, p->fds[0], SOL_SOCKET, SO_SNDTIMEO, &soon, 16), 0);
}
static long read_socket(struct place *p) { return sys3(NR_read, p->fds[0], p->bytes, 8); }
static long read_timed(struct place *p) { timeouts(p); return read_socket(p); }
static long recv_socket(struct place *p) { return sys6(NR_recvfrom, (u64)p->fds[0], (u64)p->bytes, 8, 0, 0, 0); }
static long recv_timed(struct place *p) { timeouts(p); return recv_socket(p); }
static long recvmsg_socket(struct place *p) {
    struct iovec iov = { p->bytes, 8 };
    struct msghdr msg = { .iov = &iov, .iovlen = 1 };
    return sys3(NR_recvmsg, p->fds[0], &msg, 0);
}
static long recvmmsg_socket(struct place *p) {
    struct iovec iov = { p->bytes, 8 };
    struct mmsghdr msg = { .hdr = { .iov = &iov, .iovlen = 1 } };
    return sys5(NR_recvmmsg, p->fds[0], &msg, 1, 0, 0);
}
static long send_socket(struct place *p) { return sys6(NR_sendto, (u64)p->fds[0], (u64)p->bytes, 8, 0, 0, 0); }
static long send_timed(struct place *p) { timeouts(p); return send_socket(p); }
static long sendmsg_socket(struct place *p) {
    struct iovec iov = { p->bytes, 8 };
    struct msghdr msg = { .iov = &iov, .iovlen = 1 };
    return sys3(NR_sendmsg, p->fds[0], &msg, 0);
}
static long sendmmsg_socket(struct place *p) {
    struct iovec iov = { p->bytes, 8 };
    struct mmsghdr msg = { .hdr = { .iov = &iov, .iovlen = 1 } };
    return sys4(NR_sendmmsg, p->fds[0], &msg, 1, 0);
}
static long write_socket(struct place *p) { return sys3(NR_write, p->fds[0], p->bytes, 8); }

/// A listening socket at an address that the kernel chose: fds[0]; the address is in bytes, its length in word.
static void listener(struct place *p, s32 backlog) {
    u16 family = AF_UNIX;
    p->fds[0] = (s32)sys3(NR_socket, AF_UNIX, SOCK_STREAM, 0);
    CHECK(p->fds[0] > 0);
    CHECK_EQ(sys3(NR_bind, p->fds[0], &family, 2), 0);
    p->word = 64;
    CHECK_EQ(sys3(NR_getsockname, p->fds[0], p->bytes, &p->word), 0);
    CHECK_EQ(sys2(NR_listen, p->fds[0], backlog), 0);
}
static void listening(struct place *p) { listener(p, 8); }
static long accept_one(struct place *p) {
    long fd = sys4(NR_accept4, p->fds[0], 0, 0, 0);
    if (fd > 0) p->other[0] = (s32)fd;
    return fd > 0 ? 1 : fd;
}
static long accept_timed(struct place *p) { timeouts(p); return accept_one(p); }
static void knock(struct place *p) {
    p->other[1] = (s32)sys3(NR_socket, AF_UNIX, SOCK_STREAM, 0);
    CHECK_EQ(sys3(NR_connect, p->other[1], p->bytes, p->word), 0);
}
static void listening_full(struct place *p) {
    listener(p, 0);
    knock(p);
    p->fds[1] = (s32)sys3(NR_socket, AF_UNIX, SOCK_STREAM, 0);
}
static long connect_one(struct place *p) { return sys3(NR_connect, p->fds[1], p->bytes, p->word); }
static void accept_first(struct place *p) {
    long fd = sys4(NR_accept4, p->fds[0], 0, 0, 0);
    CHECK(fd > 0);
    p->other[0] = (s32)fd;
}

// ---- polling ----

static long ppoll_pipe(struct place *p) {
    struct pollfd fds = { p->fds[0], POLLIN, 0 };
    return sys5(NR_ppoll, &fds, 1, 0, 0, 8);
}
static long ppoll_timed(struct place *p) {
    struct pollfd fds = { p->fds[0], POLLIN, 0 };
    struct timespec soon = SOON;
    return sys5(NR_ppoll, &fds, 1, &soon, 0, 8);
}
static long select_with(struct place *p, struct timespec *timeout) {
    u64 set[16] = { 0 };
    set[p->fds[0] / 64] |= 1ull << (p->fds[0] % 64);
    return sys6(NR_pselect6, (u64)p->fds[0] + 1, (u64)set, 0, 0, (u64)timeout, 0);
}
static long select_pipe(struct place *p) { return select_with(p, 0); }
static long select_timed(struct place *p) { struct timespec soon = SOON; return select_with(p, &soon); }
static void epoll_on_pipe(struct place *p) {
    pipe_empty(p);
    p->other[0] = (s32)sys1(NR_epoll_create1, 0);
    struct epoll_event event = { EPOLLIN, 0, 77 };
    CHECK_EQ(sys4(NR_epoll_ctl, p->other[0], EPOLL_CTL_ADD, p->fds[0], &event), 0);
}
static long epoll_with(struct place *p, int timeout_ms) {
    struct epoll_event event;
    long n = sys6(NR_epoll_pwait, (u64)p->other[0], (u64)&event, 1, (u64)timeout_ms, 0, 8);
    if (n == 1) CHECK_EQ(event.data, 77);
    return n;
}
static long epoll_wait(struct place *p) { return epoll_with(p, -1); }
static long epoll_timed(struct place *p) { return epoll_with(p, 1); }
static long epoll_wait2(struct place *p) {
    struct epoll_event event;
    return sys6(NR_epoll_pwait2, (u64)p->other[0], (u64)&event, 1, (u64)&LATER, 0, 8);
}
static long epoll_timed2(struct place *p) {
    struct epoll_event event;
    return sys6(NR_epoll_pwait2, (u64)p->other[0], (u64)&event, 1, (u64)&SOON, 0, 8);
}

// ---- futexes ----

static long futex(u32 *word, u32 op, u32 val, const struct timespec *timeout, u32 val3) {
    return sys6(NR_futex, (u64)word, op | FUTEX_PRIVATE, val, (u64)timeout, 0, val3);
}
static void wake_word(struct place *p) {
    STORE(&p->word, 1);
    rt_futex_wake(&p->word, 1);
}
/// A word that changed before the sleep was seen is as good as a wake.
static long woken(long result) { return result == -EAGAIN ? 0 : result; }
static long futex_wait(struct place *p) { return woken(futex(&p->word, FUTEX_WAIT, 0, 0, 0)); }
static long futex_long(struct place *p) { return woken(futex(&p->word, FUTEX_WAIT, 0, &LATER, 0)); }
static long futex_timed(struct place *p) { return futex(&p->word, FUTEX_WAIT, 0, &SOON, 0); }
static long futex_bitset(struct place *p) { return woken(futex(&p->word, FUTEX_WAIT_BITSET, 0, 0, 1)); }
static long futex_many(struct place *p) {
    struct futex_waitv list = { 0, (u64)&p->word, 2 | FUTEX_PRIVATE, 0 };
    return woken(sys5(NR_futex_waitv, &list, 1, 0, 0, CLOCK_MONOTONIC));
}
static void held_lock(struct place *p) { p->word = (u32)gettid(); }
static long lock_word(struct place *p) { return futex(&p->word, 6, 0, 0, 0); }
static void unlock_word(struct place *p) {
    u32 own = (u32)gettid();
    if (!__atomic_compare_exchange_n(&p->word, &own, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        CHECK_EQ(futex(&p->word, 7, 0, 0, 0), 0);
}

// ---- sleeps, children, signals ----

// It ends soon after its parent, which may execute or exit instead of killing it.
static s32 sleeping_child(void) {
    s32 parent = getpid(), pid = rt_fork();
    if (pid == 0) {
        rt_guard(30);
        while (sys0(NR_getppid) == parent) rt_sleep_ns(2000000);
        rt_exit_group(0);
    }
    return pid;
}
static void with_child(struct place *p) { p->child = sleeping_child(); }
static void kill_child(struct place *p) {
    long result = sys2(NR_kill, p->child, SIGKILL);
    CHECK(result == 0 || result == -ESRCH);  // it may have been reaped
}
static long wait_child(struct place *p) {
    s32 status;
    long pid = sys4(NR_wait4, p->child, &status, 0, 0);
    return pid == p->child ? 1 : pid;
}
static long waitid_child(struct place *p) {
    siginfo_t info;
    return sys5(NR_waitid, P_PID, p->child, &info, WEXITED, 0);
}
static void reap(struct place *p) {
    s32 status;
    kill_child(p);  // where a signal ended the wait
    sys4(NR_wait4, p->child, &status, 0, 0);
}
static void kill_tid(struct place *p) {
    long result = sys3(NR_tgkill, getpid(), LOAD(&p->child), SIGRTMIN);
    CHECK(result == 0 || result == -ESRCH);  // it may have ended before
}
static long wait_signal(struct place *p) {
    u64 set = SIGBIT(SIGRTMIN);
    siginfo_t info;
    STORE(&p->child, gettid());
    return sys4(NR_rt_sigtimedwait, &set, &info, 0, 8);
}
static long wait_signal_timed(struct place *p) {
    u64 set = SIGBIT(SIGRTMIN);
    siginfo_t info;
    STORE(&p->child, gettid());
    return sys4(NR_rt_sigtimedwait, &set, &info, &SOON, 8);
}
static void take_signal(struct place *p) {
    u64 set = SIGBIT(SIGRTMIN);
    siginfo_t info;
    struct timespec now = { 0, 0 };
    (void)p;
    sys4(NR_rt_sigtimedwait, &set, &info, &now, 8);
}

#include "waits-more.h"
#include "waits-rest.h"

static const struct row rows[] = {
    { "read-pipe", pipe_empty, read_pipe, put_byte, 1, RESTARTS, 0, 0, 1, close_all },
    { "readv-pipe", pipe_empty, readv_pipe, put_byte, 1, RESTARTS, 0, 0, 0, close_all },
    { "write-pipe", pipe_full, write_pipe, drain_pipe, 8, RESTARTS, 0, 0, 1, close_all },
    { "writev-pipe", pipe_full, writev_pipe, drain_pipe, 8, RESTARTS, 0, 0, 0, close_all },
    { "read-socket", pair, read_socket, put_byte, 1, RESTARTS, read_timed, -EAGAIN, 0, close_all },
    { "write-socket", pair_full, write_socket, drain_pair, 8, RESTARTS, 0, 0, 0, close_all },
    { "recvfrom", pair, recv_socket, put_byte, 1, RESTARTS, recv_timed, -EAGAIN, 1, close_all },
    { "recvmsg", pair, recvmsg_socket, put_byte, 1, RESTARTS, 0, 0, 0, close_all },
    { "recvmmsg", pair, recvmmsg_socket, put_byte, 1, RESTARTS, 0, 0, 0, close_all },
    { "sendto", pair_full, send_socket, drain_pair, 8, RESTARTS, send_timed, -EAGAIN, 1, close_all },
    { "sendmsg", pair_full, sendmsg_socket, drain_pair, 8, RESTARTS, 0, 0, 0, close_all },
    { "sendmmsg", pair_full, sendmmsg_socket, drain_pair, 1, RESTARTS, 0, 0, 0, close_all },
    { "accept", listening, accept_one, knock, 1, RESTARTS, accept_timed, -EAGAIN, 1, close_all },
    { "connect", listening_full, connect_one, accept_first, 0, RESTARTS, 0, 0, 1, close_all },
    { "ppoll", pipe_empty, ppoll_pipe, put_byte, 1, ALWAYS_EINTR, ppoll_timed, 0, 1, close_all },
    { "pselect6", pipe_empty, select_pipe, put_byte, 1, ALWAYS_EINTR, select_timed, 0, 0, close_all },
    { "epoll_pwait", epoll_on_pipe, epoll_wait, put_byte, 1, ALWAYS_EINTR, epoll_timed, 0, 1, close_all },
    { "epoll_pwait2", epoll_on_pipe, epoll_wait2, put_byte, 1, ALWAYS_EINTR, epoll_timed2, 0, 0, close_all },
    { "futex", 0, futex_wait, wake_word, 0, RESTARTS, futex_timed, -ETIMEDOUT, 1, 0 },
    { "futex-timeout", 0, futex_long, wake_word, 0, ALWAYS_EINTR, 0, 0, 0, 0 },
    { "futex-bitset", 0, futex_bitset, wake_word, 0, RESTARTS, 0, 0, 0, 0 },
    { "futex-waitv", 0, futex_many, wake_word, 0, RESTARTS, 0, 0, 0, 0 },
    { "futex-lock", held_lock, lock_word, unlock_word, 0, NEVER_EINTR, 0, 0, 0, 0 },
    { "wait4", with_child, wait_child, kill_child, 1, RESTARTS, 0, 0, 0, reap },
    { "waitid", with_child, waitid_child, kill_child, 0, RESTARTS, 0, 0, 0, reap },
    { "sigtimedwait", 0, wait_signal, kill_tid, SIGRTMIN, ALWAYS_EINTR, wait_signal_timed, -EAGAIN, 0, take_signal },
    MORE_ROWS,
    REST_ROWS,
};

#endif
