// The rest of the rows of waits.c: waits for signals alone, shared and requeued futexes, sockets with timeouts of their own,
// TCP and UDP, other ways of waiting for children and of moving bytes.

#ifndef WAITS_REST_H
#define WAITS_REST_H

#include "waits-sys.h"

enum {
    NR_preadv2 = 286, NR_pwritev2 = 287, NR_futex_wake = 454, NR_futex_wait = 455,
    P_PIDFD = 3, FUTEX2_U32 = 2, FUTEX_WAIT_REQUEUE_PI = 11, FUTEX_CMP_REQUEUE_PI = 12,
};

// ---- signals alone: a second signal with a handler of its own, which stays, wakes ----

static void on_wake(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; }
static void wake_handler(struct place *p) {
    (void)p;
    rt_sigaction(SIGRTMIN, on_wake, SA_SIGINFO | SA_RESTART, 0);
}
static long suspend(struct place *p) {
    u64 none = 0;
    STORE(&p->child, gettid());
    return sys2(NR_rt_sigsuspend, &none, 8);
}
static long poll_nothing(struct place *p) {
    u64 none = 0;
    STORE(&p->child, gettid());
    return sys5(NR_ppoll, 0, 0, 0, &none, 8);
}
static long poll_nothing_timed(struct place *p) {
    struct timespec soon = SOON;
    STORE(&p->child, gettid());
    return sys5(NR_ppoll, 0, 0, &soon, 0, 8);
}

// ---- futexes that processes share, the newer calls, a lock that comes by requeueing ----

static u32 *shared_word(struct place *p) { return *(u32 **)p->bytes; }
static void share_word(struct place *p) {
    long at = sys6(NR_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, (u64)-1, 0);
    CHECK(at > 0);
    *(u32 **)p->bytes = (u32 *)at;
}
static void unshare_word(struct place *p) { CHECK_EQ(sys2(NR_munmap, shared_word(p), 4096), 0); }
static long shared_wait(struct place *p) { return woken(sys6(NR_futex, (u64)shared_word(p), FUTEX_WAIT, 0, 0, 0, 0)); }
static long shared_timed(struct place *p) { return sys6(NR_futex, (u64)shared_word(p), FUTEX_WAIT, 0, (u64)&SOON, 0, 0); }
static void shared_wake(struct place *p) {
    STORE(shared_word(p), 1);
    CHECK(sys3(NR_futex, shared_word(p), FUTEX_WAKE, 1) >= 0);
}
static long futex_new(struct place *p) {
    return woken(sys6(NR_futex_wait, (u64)&p->word, 0, 0xffffffff, FUTEX2_U32 | FUTEX_PRIVATE, 0, CLOCK_MONOTONIC));
}
static long futex_new_timed(struct place *p) {
    struct timespec past = { 0, 1 };
    return sys6(NR_futex_wait, (u64)&p->word, 0, 0xffffffff, FUTEX2_U32 | FUTEX_PRIVATE, (u64)&past, CLOCK_MONOTONIC);
}
static void futex_new_wake(struct place *p) {
    STORE(&p->word, 1);
    CHECK(sys4(NR_futex_wake, &p->word, 0xffffffff, 1, FUTEX2_U32 | FUTEX_PRIVATE) >= 0);
}
static long wait_requeued(struct place *p) {
    return sys6(NR_futex, (u64)&p->word, FUTEX_WAIT_REQUEUE_PI | FUTEX_PRIVATE, 0, 0, (u64)p->bytes, 0);
}
/// The lock is free: who waits gets it at once. It counts when somebody waits.
static void requeue_one(struct place *p) {
    while (sys6(NR_futex, (u64)&p->word, FUTEX_CMP_REQUEUE_PI | FUTEX_PRIVATE, 1, 0, (u64)p->bytes, 0) != 1)
        rt_sleep_ns(100000);
}

// ---- sockets: a timeout of the socket makes every handler end the wait (signal(7)) ----

static void long_timeouts(s32 fd) {
    struct timeval later = { 1000, 0 };
    CHECK_EQ(sys5(NR_setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &later, 16), 0);
    CHECK_EQ(sys5(NR_setsockopt, fd, SOL_SOCKET, SO_SNDTIMEO, &later, 16), 0);
}
static void pair_later(struct place *p) { pair(p), long_timeouts(p->fds[0]); }
static void full_later(struct place *p) { pair_full(p), long_timeouts(p->fds[0]); }
static void listening_later(struct place *p) { listening(p), long_timeouts(p->fds[0]); }
static void connecting_later(struct place *p) { listening_full(p), long_timeouts(p->fds[1]); }
static long recvmsg_timed(struct place *p) { timeouts(p); return recvmsg_socket(p); }
static long sendmsg_timed(struct place *p) { timeouts(p); return sendmsg_socket(p); }

/// A socket of the loopback at a port that the kernel chose: fds[0]; the address is in bytes, its length in word.
static void loopback(struct place *p, s32 type) {
    struct sockaddr_in at = { .family = AF_INET, .addr = 0x0100007f };
    p->fds[0] = (s32)sys3(NR_socket, AF_INET, type, 0);
    CHECK(p->fds[0] > 0);
    CHECK_EQ(sys3(NR_bind, p->fds[0], &at, sizeof at), 0);
    p->word = sizeof p->bytes;
    CHECK_EQ(sys3(NR_getsockname, p->fds[0], p->bytes, &p->word), 0);
}
static void tcp_listening(struct place *p) {
    loopback(p, SOCK_STREAM);
    CHECK_EQ(sys2(NR_listen, p->fds[0], 8), 0);
}
static void tcp_knock(struct place *p) {
    p->other[1] = (s32)sys3(NR_socket, AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(sys3(NR_connect, p->other[1], p->bytes, p->word), 0);
}
/// A listener whose queue is full: the connection of fds[1] is not answered.
static void tcp_full(struct place *p) {
    loopback(p, SOCK_STREAM);
    CHECK_EQ(sys2(NR_listen, p->fds[0], 0), 0);
    tcp_knock(p);
    p->fds[1] = (s32)sys3(NR_socket, AF_INET, SOCK_STREAM, 0);
    CHECK(p->fds[1] > 0);
}
static long tcp_connect(struct place *p) {
    long result = connect_one(p);
    STORE(&p->child, 1);
    return result;
}
static long tcp_connect_timed(struct place *p) {
    struct timeval soon = { 0, 1000 };
    CHECK_EQ(sys5(NR_setsockopt, p->fds[1], SOL_SOCKET, SO_SNDTIMEO, &soon, 16), 0);
    return tcp_connect(p);
}
/// To be accepted would take a second, until the connection is asked for again: it is taken back instead, and once more
/// where nobody had asked yet, or was about to go on asking.
static void tcp_take_back(struct place *p) {
    while (!LOAD(&p->child)) {
        sys2(NR_shutdown, p->fds[1], SHUT_RDWR);
        rt_sleep_ns(100000);
    }
}
static void udp(struct place *p) { loopback(p, SOCK_DGRAM); }
static long udp_receive(struct place *p) {
    u8 datagram[8];
    return sys6(NR_recvfrom, (u64)p->fds[0], (u64)datagram, sizeof datagram, 0, 0, 0);
}
static long udp_timed(struct place *p) { timeouts(p); return udp_receive(p); }
static void udp_send(struct place *p) {
    CHECK_EQ(sys6(NR_sendto, (u64)p->fds[0], (u64)"u", 1, 0, (u64)p->bytes, p->word), 1);
}

// ---- the same waits by other calls ----

static long preadv2_pipe(struct place *p) {
    struct iovec iov = { p->bytes, 8 };
    return sys6(NR_preadv2, (u64)p->fds[0], (u64)&iov, 1, (u64)-1, 0, 0);
}
static long pwritev2_pipe(struct place *p) {
    struct iovec iov = { p->bytes, 8 };
    return sys6(NR_pwritev2, (u64)p->fds[1], (u64)&iov, 1, (u64)-1, 0, 0);
}
static void nested_epoll(struct place *p) {
    epoll_on_pipe(p);
    p->other[1] = (s32)sys1(NR_epoll_create1, 0);
    struct epoll_event event = { EPOLLIN, 0, 78 };
    CHECK_EQ(sys4(NR_epoll_ctl, p->other[1], EPOLL_CTL_ADD, p->other[0], &event), 0);
}
static long epoll_outer(struct place *p) {
    struct epoll_event event;
    return sys6(NR_epoll_pwait, (u64)p->other[1], (u64)&event, 1, (u64)-1, 0, 8);
}
static void zero_wanted(struct place *p) {
    semaphore(p);
    sem_up(p);
}
static long sem_zero(struct place *p) {
    struct sembuf zero = { 0, 0, 0 };
    return sys3(NR_semop, p->child, &zero, 1);
}
static void sem_take(struct place *p) { CHECK_EQ(sem_down(p), 0); }
static void socket_and_pipe(struct place *p) {
    pair(p);
    CHECK_EQ(sys2(NR_pipe2, p->other, 0), 0);
}
static long splice_socket(struct place *p) { return sys6(NR_splice, (u64)p->fds[0], 0, (u64)p->other[1], 0, 8, 0); }
static void pidfd_of_child(struct place *p) {
    with_child(p);
    p->fds[0] = (s32)sys2(NR_pidfd_open, p->child, 0);
    CHECK(p->fds[0] > 0);
}
static long waitid_pidfd(struct place *p) {
    siginfo_t info;
    return sys5(NR_waitid, P_PIDFD, p->fds[0], &info, WEXITED, 0);
}
static long poll_pidfd(struct place *p) {
    struct pollfd fds = { p->fds[0], POLLIN, 0 };
    return sys5(NR_ppoll, &fds, 1, 0, 0, 8);
}

#define REST_ROWS                                                                                                     \
    { "rt_sigsuspend", wake_handler, suspend, kill_tid, -EINTR, ALWAYS_EINTR, 0, 0, 1, 0 },                           \
    { "ppoll-nothing", wake_handler, poll_nothing, kill_tid, -EINTR, ALWAYS_EINTR, poll_nothing_timed, 0, 0, 0 },     \
    { "futex-shared", share_word, shared_wait, shared_wake, 0, RESTARTS, shared_timed, -ETIMEDOUT, 1, unshare_word }, \
    { "futex_wait", 0, futex_new, futex_new_wake, 0, RESTARTS, futex_new_timed, -ETIMEDOUT, 0, 0 },                   \
    { "futex-requeue-lock", 0, wait_requeued, requeue_one, 0, NEVER_EINTR, 0, 0, 0, 0 },                              \
    { "recvfrom-timeout", pair_later, recv_socket, put_byte, 1, ALWAYS_EINTR, 0, 0, 0, close_all },                   \
    { "sendto-timeout", full_later, send_socket, drain_pair, 8, ALWAYS_EINTR, 0, 0, 0, close_all },                   \
    { "accept-timeout", listening_later, accept_one, knock, 1, ALWAYS_EINTR, 0, 0, 0, close_all },                    \
    { "connect-timeout", connecting_later, connect_one, accept_first, 0, ALWAYS_EINTR, 0, 0, 0, close_all },          \
    { "recvmsg-timed", pair, recvmsg_socket, put_byte, 1, RESTARTS, recvmsg_timed, -EAGAIN, 0, close_all },           \
    { "sendmsg-timed", pair_full, sendmsg_socket, drain_pair, 8, RESTARTS, sendmsg_timed, -EAGAIN, 0, close_all },    \
    { "accept-tcp", tcp_listening, accept_one, tcp_knock, 1, RESTARTS, accept_timed, -EAGAIN, 0, close_all },         \
    { "connect-tcp", tcp_full, tcp_connect, tcp_take_back, -ECONNRESET, RESTARTS, tcp_connect_timed, -EINPROGRESS, 0, close_all }, \
    { "recvfrom-udp", udp, udp_receive, udp_send, 1, RESTARTS, udp_timed, -EAGAIN, 0, close_all },                    \
    { "preadv2-pipe", pipe_empty, preadv2_pipe, put_byte, 1, RESTARTS, 0, 0, 0, close_all },                          \
    { "pwritev2-pipe", pipe_full, pwritev2_pipe, drain_pipe, 8, RESTARTS, 0, 0, 0, close_all },                       \
    { "epoll-nested", nested_epoll, epoll_outer, put_byte, 1, ALWAYS_EINTR, 0, 0, 0, close_all },                     \
    { "semop-zero", zero_wanted, sem_zero, sem_take, 0, ALWAYS_EINTR, 0, 0, 0, remove_semaphore },                    \
    { "splice-socket", socket_and_pipe, splice_socket, put_byte, 1, RESTARTS, 0, 0, 0, close_all },                   \
    { "waitid-pidfd", pidfd_of_child, waitid_pidfd, kill_child, 0, RESTARTS, 0, 0, 0, reap },                         \
    { "ppoll-pidfd", pidfd_of_child, poll_pidfd, kill_child, 1, ALWAYS_EINTR, 0, 0, 0, reap }

#endif
