// bench-op KIND COUNT: COUNT operations, and the mean time of one by the guest's own clock: a line, nanoseconds.
//
// KIND is `syscall` (getpid), `signal` (tgkill to itself with a handler: delivery and return), `thread` (create and join) or
// `fork` (fork, exit and wait).

#include "rt.h"

static volatile u64 handled;

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)info, (void)context;
    handled++;
}

static void nothing(void *arg) { (void)arg; }

static void one_fork(void) {
    s32 pid = rt_fork();
    if (pid == 0) rt_exit_group(0);
    CHECK_EQ(rt_wait(pid), 0);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    const char *kind = argv[1];
    u64 count = rt_parse_u64(argv[2]);
    CHECK(count > 0);
    s32 pid = getpid(), tid = gettid();
    rt_sigaction(SIGUSR1, on_usr1, SA_SIGINFO, 0);
    u64 before = rt_now_ns();
    if (rt_streq(kind, "syscall")) for (u64 i = 0; i < count; i++) CHECK_EQ(getpid(), pid);
    else if (rt_streq(kind, "signal")) for (u64 i = 0; i < count; i++) CHECK_EQ(sys3(NR_tgkill, pid, tid, SIGUSR1), 0);
    else if (rt_streq(kind, "thread")) for (u64 i = 0; i < count; i++) rt_thread_join(rt_thread_start(nothing, 0));
    else if (rt_streq(kind, "fork")) for (u64 i = 0; i < count; i++) one_fork();
    else CHECK(!"an operation that this guest knows");
    u64 ns = rt_now_ns() - before;
    CHECK_EQ(handled, rt_streq(kind, "signal") ? count : 0);
    say("%lu\n", ns / count);
    return 0;
}
