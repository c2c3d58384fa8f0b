// exec FLAVOUR: execve of a static guest (this one, by argv[0]), with what must and must not survive it.
//
// FLAVOUR is `plain`, `threads` (three other threads are alive: spinning, parked in a read, parked in a futex), `worker` (a
// worker calls execve and becomes the leader, with the leader's id) or `child` (a fork child executes, the parent waits). The
// second stage is told pid, descriptors and flavour by its arguments. Sources: execve(2), signal(7).

#include "rt.h"

static s32 open_fds[2], closed_fds[2];
static char *self;
static const char *flavour;
static u32 ready, word;

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) { (void)sig, (void)info, (void)context; }

static char *number(char *end, u64 value) {
    *--end = 0;
    do {
        *--end = (char)('0' + value % 10);
    } while (value /= 10);
    return end;
}

static void execute(void) {
    static char pid[24], kept[24], gone[24], gone_too[24];
    char *args[] = { self, "stage2", (char *)flavour, number(pid + 24, (u64)getpid()), number(kept + 24, (u64)open_fds[0]),
                     number(gone + 24, (u64)closed_fds[0]), number(gone_too + 24, (u64)closed_fds[1]),
                     "an argument with spaces", "", 0 };
    char *env[] = { "STAGE=2", "EMPTY=", 0 };
    CHECK_EQ(sys3(NR_write, open_fds[1], "k", 1), 1);
    long result = sys3(NR_execve, self, args, env);
    rt_check_failed(RT_WHERE, "execve does not return", result, 0);
}

static void executing_worker(void *arg) { (void)arg; rt_wait_at_least(&ready, 3); execute(); }
static void spinning(void *arg) { (void)arg; rt_post(&ready); for (;;) rt_spin(1000); }
static void in_futex(void *arg) { (void)arg; rt_post(&ready); for (;;) rt_futex_wait(&word, 0, 0); }

static void in_read(void *arg) {
    (void)arg;
    char byte;
    rt_post(&ready);
    sys3(NR_read, closed_fds[0], &byte, 1);
    CHECK(!"an empty pipe with a writer has something to read");
}

static void second_stage(int argc, char **argv, char **envp) {
    char byte = 0;
    struct kernel_sigaction action;
    u64 pending;
    CHECK_EQ(argc, 9);
    CHECK_EQ(getpid(), rt_parse_u64(argv[3]));
    CHECK_EQ(gettid(), getpid());
    CHECK(rt_streq(argv[7], "an argument with spaces"));
    CHECK(rt_streq(argv[8], ""));
    CHECK(rt_streq(envp[0], "STAGE=2"));
    CHECK(rt_streq(envp[1], "EMPTY="));
    CHECK_EQ(envp[2], 0);
    CHECK_EQ(sys3(NR_read, rt_parse_u64(argv[4]), &byte, 1), 1);
    CHECK_EQ(byte, 'k');
    CHECK_EQ(sys3(NR_read, rt_parse_u64(argv[5]), &byte, 1), -EBADF);
    CHECK_EQ(sys1(NR_close, rt_parse_u64(argv[6])), -EBADF);
    // Caught signals are reset, ignored ones stay ignored, the mask and what is pending stay.
    CHECK_EQ(sys4(NR_rt_sigaction, SIGUSR1, 0, &action, 8), 0);
    CHECK_EQ(action.handler, SIG_DFL);
    CHECK_EQ(sys4(NR_rt_sigaction, SIGHUP, 0, &action, 8), 0);
    CHECK_EQ(action.handler, SIG_IGN);
    CHECK_EQ(rt_sigmask(SIG_BLOCK, 0), SIGBIT(SIGTERM));
    CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
    CHECK_EQ(pending, SIGBIT(SIGTERM));
    stack_t stack;
    CHECK_EQ(sys2(NR_sigaltstack, 0, &stack), 0);
    CHECK_EQ(stack.ss_flags, SS_DISABLE);
    if (!rt_streq(argv[2], "child")) say("exec %s: ok\n", argv[2]);
    rt_exit_group(0);
}

static void failures(void) {
    char *args[] = { "x", 0 };
    CHECK_EQ(sys3(NR_execve, "/nonexistent/program", args, args + 1), -ENOENT);
    CHECK_EQ(sys3(NR_execve, "/", args, args + 1), -EACCES);
    CHECK_EQ(sys3(NR_execve, 16, args, args + 1), -EFAULT);
}

static void first_stage(void) {
    rt_sigaction(SIGUSR1, on_usr1, SA_SIGINFO, 0);
    rt_sigaction(SIGHUP, SIG_IGN, 0, 0);
    rt_sigmask(SIG_SETMASK, SIGBIT(SIGTERM));
    stack_t stack = { rt_mmap(16384, PROT_READ | PROT_WRITE), 0, 16384 };
    CHECK_EQ(sys2(NR_sigaltstack, &stack, 0), 0);
    CHECK_EQ(sys2(NR_pipe2, open_fds, 0), 0);
    CHECK_EQ(sys2(NR_pipe2, closed_fds, O_CLOEXEC), 0);
    failures();
    if (rt_streq(flavour, "child")) {
        s32 pid = rt_fork();
        if (pid != 0) {
            CHECK_EQ(rt_wait(pid), 0);
            CHECK_EQ(sys3(NR_write, closed_fds[1], "x", 1), 1);
            say("exec child: ok\n");
            return;
        }
        rt_guard(30);
    }
    CHECK_EQ(sys2(NR_kill, getpid(), SIGTERM), 0);
    int with_threads = rt_streq(flavour, "threads") || rt_streq(flavour, "worker");
    if (with_threads) {
        rt_thread_start(spinning, 0);
        rt_thread_start(in_read, 0);
        rt_thread_start(in_futex, 0);
        rt_wait_at_least(&ready, 3);
    }
    if (rt_streq(flavour, "worker")) {
        rt_thread_join(rt_thread_start(executing_worker, 0));
        CHECK(!"the thread that called execve ends");
    }
    execute();
}

int main(int argc, char **argv, char **envp) {
    self = argv[0];
    CHECK(argc >= 2);
    rt_guard(30);
    if (rt_streq(argv[1], "stage2")) second_stage(argc, argv, envp);
    CHECK_EQ(argc, 2);
    flavour = argv[1];
    first_stage();
    return 0;
}
