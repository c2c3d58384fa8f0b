// fork: exit status; copies of memory; a spinning and a sleeping child each take SIGUSR1 from their parent by kill().
//
// Each child tells by a pipe that its handler is installed; the parent sends only then. Sources: fork(2), wait(2), kill(2).

#include "rt.h"

static u32 handled;
static s32 parent_pid;
static s32 ready_fds[2];

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, SIGUSR1);
    CHECK_EQ(info->si_code, SI_USER);
    CHECK_EQ(info->si_pid, parent_pid);
    ADD(&handled, 1);
}

static void tell_ready(void) { CHECK_EQ(sys3(NR_write, ready_fds[1], "r", 1), 1); }

static void spinning_child(void) {
    tell_ready();
    while (LOAD(&handled) == 0) rt_spin(1000);
    rt_exit_group(11);
}

static void sleeping_child(void) {
    struct timespec nap = { 25, 0 }, left = { 0, 0 };
    u64 old = rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1));
    tell_ready();
    // The signal may be there already: sigsuspend opens the mask and waits without a gap.
    CHECK_EQ(sys2(NR_rt_sigsuspend, &old, 8), -EINTR);
    CHECK_EQ(LOAD(&handled), 1);
    rt_sigmask(SIG_SETMASK, old);
    // And once in nanosleep: the parent repeats until this child is gone.
    tell_ready();
    while (LOAD(&handled) == 1) {
        long result = sys2(NR_nanosleep, &nap, &left);
        CHECK_EQ(result, -EINTR);
    }
    rt_exit_group(12);
}

static s32 start_child(void (*body)(void)) {
    s32 pid = rt_fork();
    if (pid != 0) return pid;
    rt_guard(30);
    CHECK_EQ(sys0(NR_getppid), parent_pid);
    CHECK(getpid() != parent_pid);
    CHECK_EQ(getpid(), gettid());
    body();
    rt_exit_group(99);
}

static void await_ready(void) {
    char byte;
    CHECK_EQ(sys3(NR_read, ready_fds[0], &byte, 1), 1);
}

static void exit_status(void) {
    static volatile u64 word = 1;
    s32 pid = rt_fork();
    if (pid == 0) {
        CHECK_EQ(word, 1);
        word = 2;
        rt_exit_group(word == 2 ? 123 : 1);
    }
    CHECK_EQ(rt_wait(pid), 123 << 8);
    CHECK_EQ(word, 1);
    CHECK_EQ(sys4(NR_wait4, -1, 0, WNOHANG, 0), -ECHILD);
}

static void spinning(void) {
    s32 pid = start_child(spinning_child);
    await_ready();
    CHECK_EQ(sys4(NR_wait4, pid, 0, WNOHANG, 0), 0);
    CHECK_EQ(sys2(NR_kill, pid, SIGUSR1), 0);
    CHECK_EQ(rt_wait(pid), 11 << 8);
    CHECK_EQ(sys2(NR_kill, pid, 0), -ESRCH);
}

static void sleeping(void) {
    s32 pid = start_child(sleeping_child), status = 0;
    await_ready();
    CHECK_EQ(sys2(NR_kill, pid, SIGUSR1), 0);
    await_ready();
    // A signal that comes between the child's look at the count and its sleep is seen by nobody: send until it ends.
    for (int i = 0; i < 10000 && sys4(NR_wait4, pid, &status, WNOHANG, 0) == 0; i++) {
        CHECK_EQ(sys2(NR_kill, pid, SIGUSR1), 0);
        rt_sleep_ns(1000000);
    }
    CHECK_EQ(status, 12 << 8);
}

int main(int argc, char **argv, char **envp) {
    (void)argc, (void)argv, (void)envp;
    rt_guard(30);
    parent_pid = getpid();
    CHECK_EQ(sys2(NR_pipe2, ready_fds, 0), 0);
    rt_sigaction(SIGUSR1, on_usr1, SA_SIGINFO, 0);
    exit_status();
    spinning();
    sleeping();
    CHECK_EQ(LOAD(&handled), 0);
    say("fork: ok\n");
    return 0;
}
