// async-io WHAT: signals that the kernel sends about descriptors and limits.
//
// WHAT is `signals` (F_SETOWN, F_SETOWN_EX, F_SETSIG and O_ASYNC on a pipe) or `limits` (SIGXFSZ, and SIGXCPU of a child).
// Sources: fcntl(2) "Managing signals", getrlimit(2), setrlimit(2), write(2).

#include "rt.h"

enum { F_GETFL = 3, F_SETFL = 4, F_SETOWN = 8, F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11, F_SETOWN_EX = 15, F_GETOWN_EX = 16 };
enum { O_ASYNC = 020000, SIGIO = 29, SIGXCPU = 24, SIGXFSZ = 25, F_OWNER_PID = 1, POLL_IN = 1, EFBIG = 27 };
enum { NR_prlimit64 = 261, NR_memfd_create = 279, RLIMIT_CPU = 0, RLIMIT_FSIZE = 1, NR_socketpair = 199 };

static volatile u32 count;
static volatile siginfo_t last;

static void on_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)context;
    last = *info;
    count++;
}

static void signals(void) {
    s32 fds[2], owner[2] = { 0, 0 };
    // Numbers in between, so that the guest's differ from the host's.
    for (int i = 0; i < 3; i++) CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_GETOWN, 0), 0);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_SETOWN, getpid()), 0);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_GETOWN, 0), getpid());
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_GETSIG, 0), 0);
    rt_sigaction(SIGIO, on_signal, SA_SIGINFO, 0);
    long flags = sys3(NR_fcntl, fds[0], F_GETFL, 0);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_SETFL, flags | O_ASYNC), 0);
    CHECK(sys3(NR_fcntl, fds[0], F_GETFL, 0) & O_ASYNC);
    CHECK_EQ(sys3(NR_write, fds[1], "a", 1), 1);
    while (count < 1) sys0(NR_sched_yield);
    CHECK_EQ(last.si_signo, SIGIO);
    // A real-time signal says which descriptor and what happened to it.
    int rt = SIGRTMIN + 3;
    rt_sigaction(rt, on_signal, SA_SIGINFO, 0);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_SETSIG, rt), 0);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_GETSIG, 0), rt);
    owner[0] = F_OWNER_PID;
    owner[1] = getpid();
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_SETOWN_EX, owner), 0);
    owner[1] = 0;
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_GETOWN_EX, owner), 0);
    CHECK_EQ(owner[0], F_OWNER_PID);
    CHECK_EQ(owner[1], getpid());
    count = 0;
    CHECK_EQ(sys3(NR_write, fds[1], "b", 1), 1);
    while (count < 1) sys0(NR_sched_yield);
    CHECK_EQ(last.si_signo, rt);
    CHECK_EQ(last.si_code, POLL_IN);
    CHECK_EQ(*(volatile s32 *)((volatile u8 *)&last + 24), fds[0]);
    CHECK_EQ(sys3(NR_fcntl, fds[0], F_SETFL, flags), 0);
    count = 0;
    CHECK_EQ(sys3(NR_write, fds[1], "c", 1), 1);
    rt_sleep_ns(1000000);
    CHECK_EQ(count, 0);
}

static void limits(void) {
    u64 little[2] = { 10, 10 };
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(30);
        long fd = sys2(NR_memfd_create, "file", 0);
        CHECK(fd >= 0);
        rt_sigaction(SIGXFSZ, on_signal, SA_SIGINFO, 0);
        CHECK_EQ(sys4(NR_prlimit64, 0, RLIMIT_FSIZE, little, 0), 0);
        CHECK_EQ(sys3(NR_write, fd, "0123456789abcdef", 16), 10);
        CHECK_EQ(count, 0);
        CHECK_EQ(sys3(NR_write, fd, "x", 1), -EFBIG);
        CHECK_EQ(count, 1);
        CHECK_EQ(last.si_signo, SIGXFSZ);
        rt_sigaction(SIGXFSZ, SIG_IGN, 0, 0);
        CHECK_EQ(sys3(NR_write, fd, "x", 1), -EFBIG);
        rt_sigaction(SIGXFSZ, SIG_DFL, 0, 0);
        sys3(NR_write, fd, "x", 1);
        rt_exit_group(1);
    }
    CHECK_EQ(WTERMSIG(rt_wait(child)), SIGXFSZ);
    // One second of computing, then SIGXCPU ends it.
    child = rt_fork();
    if (child == 0) {
        u64 second[2] = { 1, 5 };
        rt_guard(30);
        CHECK_EQ(sys4(NR_prlimit64, 0, RLIMIT_CPU, second, 0), 0);
        for (;;) rt_spin(100000);
    }
    CHECK_EQ(WTERMSIG(rt_wait(child)), SIGXCPU);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(60);
    if (rt_streq(argv[1], "signals")) signals();
    else if (rt_streq(argv[1], "limits")) limits();
    else CHECK(!"a part that this guest knows");
    say("async-io: ok\n");
    return 0;
}
