// exec HOW: execve replaces the image, the threads and the handlers, and keeps what it must.
//
// HOW is `threads` (by the main thread of three, one computing and one asleep) or `child` (by a fork child, a vfork child that
// its parent waits for, and by names that cannot be executed). Source: execve(2), vfork(2).

#include "rt.h"

#define F_GETFD 1
#define CLONE_VFORK 0x4000ul

static u32 started, never;

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; }

static void computing(void *arg) {
    (void)arg;
    rt_post(&started);
    for (;;) rt_spin(1000);
}

static void sleeping(void *arg) {
    (void)arg;
    rt_post(&started);
    rt_futex_wait(&never, 0, 0);
    CHECK(!"the sleeper woke up");
}

static void ending(void *arg) { (void)arg; }

static char *digits(char *end, u64 number) {
    *end = 0;
    do *--end = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    return end;
}

// The second image of `threads`: argv is name, `second`, process id, kept descriptor, closed descriptor.
static int second(int argc, char **argv, char **envp) {
    struct kernel_sigaction action = { 0 };
    CHECK_EQ(argc, 5);
    CHECK(rt_streq(argv[0], "a name") && envp[0] && rt_streq(envp[0], "ONLY=this") && !envp[1]);
    CHECK_EQ(getpid(), rt_parse_u64(argv[2]));
    CHECK_EQ(gettid(), getpid());
    CHECK_EQ(sys2(NR_fcntl, rt_parse_u64(argv[3]), F_GETFD), 0);
    CHECK_EQ(sys2(NR_fcntl, rt_parse_u64(argv[4]), F_GETFD), -EBADF);
    CHECK_EQ(sys4(NR_rt_sigaction, SIGUSR1, 0, &action, 8), 0);
    CHECK_EQ((u64)action.handler, 0);
    CHECK_EQ(sys4(NR_rt_sigaction, SIGUSR2, 0, &action, 8), 0);
    CHECK_EQ((u64)action.handler, 1);
    CHECK_EQ(rt_sigmask(SIG_BLOCK, 0), SIGBIT(SIGTERM));
    // Memory and threads of the new image work.
    rt_thread_join(rt_thread_start(ending, 0));
    say("exec threads: ok\n");
    return 0;
}

static void threads(void) {
    char pid[24], kept[24], closed[24];
    s32 open_fds[2], closed_fds[2];
    struct kernel_sigaction ignore = { (sig_fn)1, 0, 0, 0 };
    rt_sigaction(SIGUSR1, on_usr1, SA_SIGINFO, 0);
    CHECK_EQ(sys4(NR_rt_sigaction, SIGUSR2, &ignore, 0, 8), 0);
    rt_sigmask(SIG_BLOCK, SIGBIT(SIGTERM));
    CHECK_EQ(sys2(NR_pipe2, open_fds, 0), 0);
    CHECK_EQ(sys2(NR_pipe2, closed_fds, O_CLOEXEC), 0);
    rt_thread_start(computing, 0);
    rt_thread_start(sleeping, 0);
    rt_wait_at_least(&started, 2);
    char *argv[] = { "a name", "second", digits(pid + 23, (u64)getpid()), digits(kept + 23, (u64)open_fds[0]),
                     digits(closed + 23, (u64)closed_fds[0]), 0 };
    char *envp[] = { "ONLY=this", 0 };
    CHECK_EQ(sys3(NR_execve, "/proc/self/exe", argv, envp), 0);
}

static void run_child(u64 flags, char *status) {
    char *argv[] = { "exec", "status", status, 0 };
    s32 pid = (s32)sys5(NR_clone, flags | SIGCHLD, 0, 0, 0, 0);
    CHECK(pid >= 0);
    if (pid == 0) {
        rt_guard(30);
        sys3(NR_execve, "/proc/self/exe", argv, 0);
        rt_exit_group(99);
    }
    CHECK_EQ(rt_wait(pid), (s64)rt_parse_u64(status) << 8);
}

static void child(void) {
    char *argv[] = { "exec", 0 };
    CHECK_EQ(sys3(NR_execve, "/nonexistent/program", argv, 0), -2);
    CHECK_EQ(sys3(NR_execve, "", argv, 0), -2);
    CHECK_EQ(sys3(NR_execve, "/", argv, 0), -13);
    CHECK_EQ(sys3(NR_execve, "/dev/null", argv, 0), -13);
    CHECK_EQ(sys3(NR_execve, 16, argv, 0), -14);
    CHECK_EQ(sys3(NR_execve, "/proc/self/exe", 16, 0), -14);
    run_child(0, "41");
    run_child(CLONE_VFORK, "42");
    say("exec child: ok\n");
}

int main(int argc, char **argv, char **envp) {
    rt_guard(30);
    CHECK(argc >= 2);
    if (rt_streq(argv[1], "second")) return second(argc, argv, envp);
    if (rt_streq(argv[1], "status")) return (int)rt_parse_u64(argv[2]);
    if (rt_streq(argv[1], "threads")) threads();
    CHECK(rt_streq(argv[1], "child"));
    child();
    return 0;
}
