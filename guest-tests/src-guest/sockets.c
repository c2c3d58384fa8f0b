// sockets: every socket call over UNIX, internet and netlink sockets, with descriptors and credentials in messages.

#include "waits-sys.h"

static u32 pipes;
static void on_pipe(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; ADD(&pipes, 1); }

static long sendto(s32 fd, const void *data, u64 len, u32 flags, const void *to, u32 to_len) {
    return sys6(NR_sendto, (u64)fd, (u64)data, len, flags, (u64)to, to_len);
}
static long recvfrom(s32 fd, void *data, u64 len, u32 flags, void *from, u32 *from_len) {
    return sys6(NR_recvfrom, (u64)fd, (u64)data, len, flags, (u64)from, (u64)from_len);
}
static s32 new_socket(int family, int type) {
    long fd = sys3(NR_socket, family, type, 0);
    CHECK(fd >= 0);
    return (s32)fd;
}
static void close_fd(s32 fd) { CHECK_EQ(sys1(NR_close, fd), 0); }
static int equal(const void *a, const void *b, u64 len) {
    for (u64 i = 0; i < len; i++)
        if (((const u8 *)a)[i] != ((const u8 *)b)[i]) return 0;
    return 1;
}

static void errors(void) {
    s32 fds[2];
    CHECK_EQ(sys3(NR_socket, 9999, SOCK_STREAM, 0), -97);
    CHECK_EQ(sys3(NR_bind, 99, 0, 0), -EBADF);
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    CHECK_EQ(sys2(NR_listen, fds[0], 1), -ENOTSOCK);
    CHECK_EQ(sendto(fds[1], "x", 1, 0, 0, 0), -ENOTSOCK);
    close_fd(fds[0]);
    close_fd(fds[1]);
    CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_STREAM, 0, 64), -EFAULT);
    s32 fd = new_socket(AF_INET, SOCK_STREAM);
    CHECK_EQ(sys4(NR_accept4, fd, 0, 0, 0), -EINVAL);
    CHECK_EQ(sys4(NR_accept4, fd, 0, 0, 1), -EINVAL);
    CHECK_EQ(sys3(NR_getpeername, fd, 0, 0), -ENOTCONN);
    CHECK_EQ(recvfrom(fd, fds, 8, 0, 0, 0), -ENOTCONN);
    CHECK_EQ(sys2(NR_shutdown, fd, SHUT_WR), -ENOTCONN);
    close_fd(fd);
}

static void streams(void) {
    s32 fds[2];
    char bytes[64] = { 0 };
    CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_GETFD, 0), 1);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_GETFL, 0) & O_NONBLOCK, 0);
    CHECK_EQ(recvfrom(fds[0], bytes, 8, MSG_DONTWAIT, 0, 0), -EAGAIN);
    CHECK_EQ(sendto(fds[0], "hello", 5, 0, 0, 0), 5);
    CHECK_EQ(recvfrom(fds[1], bytes, 2, MSG_PEEK, 0, 0), 2);
    CHECK_EQ(recvfrom(fds[1], bytes, 64, 0, 0, 0), 5);
    CHECK(equal(bytes, "hello", 5));
    CHECK_EQ(sys3(NR_fcntl, fds[1], F_GETFL, 0) & O_NONBLOCK, 0);
    // A message in parts, received whole.
    struct iovec parts[2] = { { "ab", 2 }, { "cde", 3 } };
    struct msghdr msg = { .iov = parts, .iovlen = 2 };
    CHECK_EQ(sys3(NR_sendmsg, fds[0], &msg, 0), 5);
    struct iovec places[2] = { { bytes, 1 }, { bytes + 8, 20 } };
    msg.iov = places;
    CHECK_EQ(sys3(NR_recvmsg, fds[1], &msg, 0), 5);
    CHECK(bytes[0] == 'a' && equal(bytes + 8, "bcde", 4));
    msg.iovlen = 2000;
    CHECK_EQ(sys3(NR_recvmsg, fds[1], &msg, 0), -EMSGSIZE);
    // The end, and writes that nobody reads.
    CHECK_EQ(sys2(NR_shutdown, fds[0], SHUT_WR), 0);
    CHECK_EQ(recvfrom(fds[1], bytes, 8, 0, 0, 0), 0);
    CHECK_EQ(sys3(NR_read, fds[1], bytes, 8), 0);
    pipes = 0;
    CHECK_EQ(sendto(fds[0], "x", 1, MSG_NOSIGNAL, 0, 0), -EPIPE);
    CHECK_EQ(pipes, 0);
    CHECK_EQ(sendto(fds[0], "x", 1, 0, 0, 0), -EPIPE);
    CHECK_EQ(pipes, 1);
    CHECK_EQ(sys3(NR_write, fds[0], "x", 1), -EPIPE);
    CHECK_EQ(pipes, 2);
    close_fd(fds[0]);
    close_fd(fds[1]);
}

static void fill_later(void *arg) {
    s32 *fds = arg;
    for (int i = 0; i < 3; i++) {
        rt_sleep_ns(500000);
        CHECK_EQ(sendto(fds[0], "1234", 4, 0, 0, 0), 4);
    }
}

static void whole(void) {
    s32 fds[2];
    char bytes[12];
    CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct rt_thread *thread = rt_thread_start(fill_later, fds);
    CHECK_EQ(recvfrom(fds[1], bytes, 12, MSG_WAITALL, 0, 0), 12);
    CHECK(equal(bytes, "123412341234", 12));
    rt_thread_join(thread);
    close_fd(fds[0]);
    close_fd(fds[1]);
}

static void drain_later(void *arg) {
    static char block[65536];
    s32 fd = *(s32 *)arg;
    u64 total = 0;
    while (total < 1 << 20) {
        long n = sys3(NR_read, fd, block, sizeof block);
        CHECK(n > 0);
        total += (u64)n;
    }
}

/// A send larger than every buffer comes back whole.
static void large(void) {
    s32 fds[2];
    char *block = rt_mmap(1 << 20, PROT_READ | PROT_WRITE);
    CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct rt_thread *thread = rt_thread_start(drain_later, &fds[1]);
    CHECK_EQ(sendto(fds[0], block, 1 << 20, 0, 0, 0), 1 << 20);
    rt_thread_join(thread);
    close_fd(fds[0]);
    close_fd(fds[1]);
}

static void datagrams(void) {
    s32 fds[2];
    char bytes[64];
    CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    CHECK_EQ(sendto(fds[0], "one", 3, 0, 0, 0), 3);
    CHECK_EQ(sendto(fds[0], "three", 5, 0, 0, 0), 5);
    CHECK_EQ(recvfrom(fds[1], bytes, 64, 0, 0, 0), 3);
    struct iovec iov = { bytes, 2 };
    struct msghdr msg = { .iov = &iov, .iovlen = 1 };
    CHECK_EQ(sys3(NR_recvmsg, fds[1], &msg, 0), 2);
    CHECK_EQ(msg.flags, MSG_TRUNC | (msg.flags & 0x80));
    close_fd(fds[0]);
    close_fd(fds[1]);
    // Named in the abstract space; several at once; the sender's name.
    struct sockaddr_un name = { AF_UNIX, "\0elfuse-test-" }, from;
    s32 pid = getpid();
    memcpy(name.path + 13, &pid, 4);
    u32 len = 2 + 17, from_len = sizeof from;
    s32 server = new_socket(AF_UNIX, SOCK_DGRAM), client = new_socket(AF_UNIX, SOCK_DGRAM);
    CHECK_EQ(sys3(NR_bind, server, &name, len), 0);
    CHECK_EQ(sys3(NR_bind, client, &name, len), -EADDRINUSE);
    u16 family = AF_UNIX;
    CHECK_EQ(sys3(NR_bind, client, &family, 2), 0);
    CHECK_EQ(sendto(client, "hi", 2, 0, &name, len), 2);
    CHECK_EQ(recvfrom(server, bytes, 64, 0, &from, &from_len), 2);
    CHECK(from_len == 8 && from.family == AF_UNIX && from.path[0] == 0);
    from_len = 4;
    CHECK_EQ(sendto(client, "hi", 2, 0, &name, len), 2);
    CHECK_EQ(recvfrom(server, bytes, 64, 0, &from, &from_len), 2);
    CHECK_EQ(from_len, 8);
    CHECK_EQ(sys3(NR_connect, client, &name, len), 0);
    struct iovec three[3] = { { "a", 1 }, { "bb", 2 }, { "ccc", 3 } };
    struct mmsghdr out[3] = { { .hdr = { .iov = &three[0], .iovlen = 1 } }, { .hdr = { .iov = &three[1], .iovlen = 1 } },
                              { .hdr = { .iov = &three[2], .iovlen = 1 } } };
    CHECK_EQ(sys4(NR_sendmmsg, client, out, 3, 0), 3);
    CHECK(out[0].len == 1 && out[1].len == 2 && out[2].len == 3);
    struct iovec places[4] = { { bytes, 8 }, { bytes + 8, 8 }, { bytes + 16, 8 }, { bytes + 24, 8 } };
    struct mmsghdr in[4] = { { .hdr = { .iov = &places[0], .iovlen = 1 } }, { .hdr = { .iov = &places[1], .iovlen = 1 } },
                             { .hdr = { .iov = &places[2], .iovlen = 1 } }, { .hdr = { .iov = &places[3], .iovlen = 1 } } };
    CHECK_EQ(sys5(NR_recvmmsg, server, in, 4, MSG_WAITFORONE, 0), 3);
    CHECK(in[0].len == 1 && in[1].len == 2 && in[2].len == 3 && bytes[16] == 'c');
    CHECK_EQ(sys5(NR_recvmmsg, server, in, 4, MSG_DONTWAIT, 0), -EAGAIN);
    close_fd(server);
    CHECK_EQ(sendto(client, "x", 1, 0, 0, 0), -ECONNREFUSED);
    close_fd(client);
}

// ---- descriptors and credentials ----

struct control { struct cmsghdr hdr; s32 fds[4]; };

static void descriptors(void) {
    s32 fds[2], pipe_fds[2];
    char byte = 0;
    CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_STREAM, 0, fds), 0);
    CHECK_EQ(sys2(NR_pipe2, pipe_fds, 0), 0);
    struct control control = { { 16 + 8, SOL_SOCKET, SCM_RIGHTS }, { pipe_fds[0], pipe_fds[1] } };
    struct iovec iov = { "d", 1 };
    struct msghdr msg = { .iov = &iov, .iovlen = 1, .control = &control, .controllen = 24 };
    CHECK_EQ(sys3(NR_sendmsg, fds[0], &msg, 0), 1);
    control.fds[1] = 999;
    CHECK_EQ(sys3(NR_sendmsg, fds[0], &msg, 0), -EBADF);
    close_fd(pipe_fds[0]);
    close_fd(pipe_fds[1]);
    memset(&control, 0, sizeof control);
    iov.base = &byte;
    msg.controllen = sizeof control;
    CHECK_EQ(sys3(NR_recvmsg, fds[1], &msg, MSG_CMSG_CLOEXEC), 1);
    CHECK_EQ(msg.controllen, 24);
    CHECK(control.hdr.len == 24 && control.hdr.level == SOL_SOCKET && control.hdr.type == SCM_RIGHTS);
    // The lowest numbers that were free, and the same pipe.
    CHECK_EQ(control.fds[0], pipe_fds[0]);
    CHECK_EQ(control.fds[1], pipe_fds[1]);
    CHECK_EQ(sys3(NR_fcntl, control.fds[0], F_GETFD, 0), 1);
    CHECK_EQ(sys3(NR_write, control.fds[1], "p", 1), 1);
    CHECK_EQ(sys3(NR_read, control.fds[0], &byte, 1), 1);
    CHECK_EQ(byte, 'p');
    // Too little room: one is cut, and closed.
    control.hdr = (struct cmsghdr){ 16 + 8, SOL_SOCKET, SCM_RIGHTS };
    iov.base = "d";
    msg.controllen = 24;
    CHECK_EQ(sys3(NR_sendmsg, fds[0], &msg, 0), 1);
    iov.base = &byte;
    msg.controllen = 20;
    CHECK_EQ(sys3(NR_recvmsg, fds[1], &msg, 0), 1);
    CHECK(msg.flags & MSG_CTRUNC);
    CHECK_EQ(control.hdr.len, 20);
    CHECK_EQ(sys3(NR_fcntl, control.fds[0], F_GETFD, 0), 0);
    close_fd(control.fds[0]);
    // Over a fork: who we are.
    u32 on = 1;
    CHECK_EQ(sys5(NR_setsockopt, fds[1], SOL_SOCKET, SO_PASSCRED, &on, 4), 0);
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(20);
        CHECK_EQ(sendto(fds[0], "c", 1, 0, 0, 0), 1);
        rt_exit_group(0);
    }
    msg.controllen = sizeof control;
    CHECK_EQ(sys3(NR_recvmsg, fds[1], &msg, 0), 1);
    CHECK(control.hdr.type == SCM_CREDENTIALS && control.hdr.len == 28);
    CHECK_EQ(control.fds[0], child);
    CHECK_EQ(control.fds[1], (s32)sys0(NR_getuid));
    CHECK_EQ(rt_wait(child), 0);
    s32 peer[3];
    u32 len = sizeof peer;
    CHECK_EQ(sys5(NR_getsockopt, fds[0], SOL_SOCKET, SO_PEERCRED, peer, &len), 0);
    CHECK(len == 12 && peer[0] == getpid());
    close_fd(fds[0]);
    close_fd(fds[1]);
}

// ---- internet ----

static void serve(void *arg) {
    s32 fd = (s32)sys3(NR_accept, *(s32 *)arg, 0, 0);
    char bytes[16];
    CHECK(fd > 0);
    for (;;) {
        long n = sys3(NR_read, fd, bytes, sizeof bytes);
        CHECK(n >= 0);
        if (n == 0) break;
        CHECK_EQ(sys3(NR_write, fd, bytes, n), n);
    }
    close_fd(fd);
}

static void internet(int family) {
    struct sockaddr_in6 address = { .family = (u16)family };
    u32 len = family == AF_INET ? 16 : 28, got = sizeof address;
    if (family == AF_INET) ((struct sockaddr_in *)&address)->addr = 0x0100007f;
    else address.addr[15] = 1;
    long made = sys3(NR_socket, family, SOCK_STREAM, 0);
    if (made == -97 && family == AF_INET6) return;  // a host without the family
    s32 server = (s32)made;
    u32 on = 1, value = 0, value_len = 4;
    CHECK_EQ(sys5(NR_setsockopt, server, SOL_SOCKET, SO_REUSEADDR, &on, 4), 0);
    CHECK_EQ(sys5(NR_getsockopt, server, SOL_SOCKET, SO_REUSEADDR, &value, &value_len), 0);
    CHECK(value == 1 && value_len == 4);
    CHECK_EQ(sys5(NR_getsockopt, server, SOL_SOCKET, SO_TYPE, &value, &value_len), 0);
    CHECK_EQ(value, SOCK_STREAM);
    CHECK_EQ(sys5(NR_setsockopt, server, SOL_SOCKET, 9999, &on, 4), -92);
    long bound = sys3(NR_bind, server, &address, len);
    if (bound == -99 && family == AF_INET6) {  // and one without its loopback address
        close_fd(server);
        return;
    }
    CHECK_EQ(bound, 0);
    CHECK_EQ(sys2(NR_listen, server, 4), 0);
    CHECK_EQ(sys3(NR_getsockname, server, &address, &got), 0);
    CHECK_EQ(got, len);
    struct rt_thread *thread = rt_thread_start(serve, &server);
    s32 client = new_socket(family, SOCK_STREAM);
    CHECK_EQ(sys3(NR_connect, client, &address, len), 0);
    CHECK_EQ(sys3(NR_connect, client, &address, len), -EISCONN);
    for (int i = 0; i < 50; i++) {
        char bytes[16];
        CHECK_EQ(sys3(NR_write, client, "0123456789abcdef", 16), 16);
        CHECK_EQ(recvfrom(client, bytes, 16, MSG_WAITALL, 0, 0), 16);
        CHECK(equal(bytes, "0123456789abcdef", 16));
    }
    CHECK_EQ(sys2(NR_shutdown, client, SHUT_WR), 0);
    char end;
    CHECK_EQ(sys3(NR_read, client, &end, 1), 0);
    rt_thread_join(thread);
    close_fd(client);
    close_fd(server);
    // Nobody listens there now; and without waiting.
    client = new_socket(family, SOCK_STREAM);
    CHECK_EQ(sys3(NR_connect, client, &address, len), -ECONNREFUSED);
    close_fd(client);
    client = new_socket(family, SOCK_STREAM | SOCK_NONBLOCK);
    long result = sys3(NR_connect, client, &address, len);
    CHECK(result == -EINPROGRESS || result == -ECONNREFUSED);
    struct pollfd poll = { client, POLLOUT, 0 };
    if (result == -EINPROGRESS) {
        CHECK_EQ(sys5(NR_ppoll, &poll, 1, 0, 0, 8), 1);
        CHECK_EQ(sys5(NR_getsockopt, client, SOL_SOCKET, SO_ERROR, &value, &value_len), 0);
        CHECK_EQ(value, ECONNREFUSED);
    }
    close_fd(client);
    // Datagrams.
    s32 a = new_socket(family, SOCK_DGRAM), b = new_socket(family, SOCK_DGRAM);
    ((struct sockaddr_in *)&address)->port = 0;
    CHECK_EQ(sys3(NR_bind, a, &address, len), 0);
    got = sizeof address;
    CHECK_EQ(sys3(NR_getsockname, a, &address, &got), 0);
    CHECK_EQ(sendto(b, "dgram", 5, 0, &address, len), 5);
    char bytes[16];
    CHECK_EQ(recvfrom(a, bytes, 16, 0, 0, 0), 5);
    close_fd(a);
    close_fd(b);
}

static void netlink(void) {
    struct { u32 len; u16 type, flags; u32 seq, pid; u8 family, pad[3]; } request = { 20, 18, 0x301, 1, 0, 0, { 0 } };
    struct { u16 family, pad; u32 pid, groups; } kernel = { AF_NETLINK, 0, 0, 0 };
    static u8 answer[16384];
    long fd = sys3(NR_socket, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0) return;  // a host that allows none
    CHECK_EQ(sendto((s32)fd, &request, 20, 0, &kernel, 12), 20);
    long n = recvfrom((s32)fd, answer, sizeof answer, 0, 0, 0);
    CHECK(n >= 16);
    CHECK_EQ(*(u16 *)(answer + 4), 16);  // RTM_NEWLINK: at least the loopback
    close_fd((s32)fd);
}

/// Nothing that a call waits for changes the flags of a descriptor that others share.
static u32 looked;
static s32 shared_pair[2];
static void look_at_flags(void *arg) {
    (void)arg;
    for (int i = 0; i < 200; i++) CHECK_EQ(sys3(NR_fcntl, shared_pair[0], F_GETFL, 0) & O_NONBLOCK, 0);
    STORE(&looked, 1);
    CHECK_EQ(sys3(NR_write, shared_pair[1], "x", 1), 1);
}
static void flags_stay(void) {
    char byte;
    CHECK_EQ(sys4(NR_socketpair, AF_UNIX, SOCK_STREAM, 0, shared_pair), 0);
    struct rt_thread *thread = rt_thread_start(look_at_flags, 0);
    CHECK_EQ(recvfrom(shared_pair[0], &byte, 1, 0, 0, 0), 1);
    CHECK_EQ(LOAD(&looked), 1);
    rt_thread_join(thread);
    close_fd(shared_pair[0]);
    close_fd(shared_pair[1]);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(40);
    rt_sigaction(SIGPIPE, on_pipe, SA_SIGINFO, 0);
    errors();
    streams();
    whole();
    large();
    datagrams();
    descriptors();
    internet(AF_INET);
    internet(AF_INET6);
    netlink();
    flags_stay();
    say("sockets: ok\n");
    return 0;
}
