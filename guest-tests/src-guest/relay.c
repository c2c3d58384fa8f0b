// relay HOW: copies standard input to standard output until its end, one message at a time, with calls that wait.
//
// HOW is `read` (read and write), `vector` (readv and writev), `poll` (ppoll before each), `socket` (recvfrom and sendto),
// `splice`, or `fork` (a child relays, which the parent waits for). For whoever watches what the calls do to descriptors
// that other programs share.

#include "rt.h"

enum { NR_readv = 65, NR_writev = 66, NR_splice = 76, NR_sendto = 206, NR_recvfrom = 207, EIO = 5 };

static char buffer[65536];

struct iovec { void *base; u64 len; };

static void wait_for(s32 fd, u16 events) {
    struct pollfd polled = { fd, events, 0 };
    CHECK_EQ(sys5(NR_ppoll, &polled, 1, 0, 0, 8), 1);
}

static long get(const char *how) {
    struct iovec iov[2] = { { buffer, 16 }, { buffer + 16, sizeof buffer - 16 } };
    if (rt_streq(how, "vector")) return sys3(NR_readv, 0, iov, 2);
    if (rt_streq(how, "socket")) return sys6(NR_recvfrom, 0, (u64)buffer, sizeof buffer, 0, 0, 0);
    if (rt_streq(how, "poll")) wait_for(0, POLLIN);
    return sys3(NR_read, 0, buffer, sizeof buffer);
}

static long put(const char *how, const char *from, u64 len) {
    struct iovec iov = { (void *)from, len };
    if (rt_streq(how, "vector")) return sys3(NR_writev, 1, &iov, 1);
    if (rt_streq(how, "socket")) return sys6(NR_sendto, 1, (u64)from, len, 0, 0, 0);
    if (rt_streq(how, "poll")) wait_for(1, POLLOUT);
    return sys3(NR_write, 1, from, len);
}

static void relay(const char *how) {
    if (rt_streq(how, "splice")) {
        long moved;
        while ((moved = sys6(NR_splice, 0, 0, 1, 0, sizeof buffer, 0)) > 0) {}
        CHECK_EQ(moved, 0);
        return;
    }
    long got;
    while ((got = get(how)) > 0) {
        for (long done = 0, written; done < got; done += written) {
            written = put(how, buffer + done, (u64)(got - done));
            CHECK(written > 0);
        }
    }
    // A terminal whose other side is closed may say that instead.
    CHECK(got == 0 || got == -EIO);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(120);
    if (!rt_streq(argv[1], "fork")) {
        relay(argv[1]);
        return 0;
    }
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(120);
        relay("read");
        rt_exit_group(0);
    }
    CHECK_EQ(rt_wait(child), 0);
    return 0;
}
