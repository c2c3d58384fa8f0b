// signal-send WHAT: who may send what to whom, and what becomes of it.
//
// WHAT is `all` (each of the 64 numbers is the guest's own, from itself and from a child), `self` (checks of the sending calls,
// ids of threads, tkill), `limit` (RLIMIT_SIGPENDING) or `group` (kill of 0 and
// of a group: the sender's own signal is there when kill returns, children get theirs).
//
// Sources: kill(2), tgkill(2), rt_sigqueueinfo(2), getrlimit(2), Linux kernel/signal.c.

#include "rt.h"

enum { NR_setpgid = 154, NR_prlimit64 = 261, NR_rt_tgsigqueueinfo = 240, RLIMIT_SIGPENDING = 11 };

static volatile u32 count;
static volatile siginfo_t last;
static u32 worker_tid, worker_stop;
static volatile s32 handler_tid;

static void on_signal(int sig, siginfo_t *info, ucontext_t *context) {
    (void)sig, (void)context;
    last = *info;
    handler_tid = gettid();
    count++;
}

static void worker(void *arg) {
    (void)arg;
    STORE(&worker_tid, (u32)gettid());
    rt_futex_wake(&worker_tid, 1);
    // From a thread that is not the main one, not even its own process takes what claims to be the kernel's.
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_code = SI_TKILL;
    CHECK_EQ(sys3(NR_rt_sigqueueinfo, getpid(), SIGUSR1, &info), -EPERM);
    CHECK_EQ(sys4(NR_rt_tgsigqueueinfo, getpid(), getpid(), SIGUSR1, &info), -EPERM);
    rt_wait_at_least(&worker_stop, 1);
}

static void self(void) {
    siginfo_t info;
    s32 none = 0x3ffffff0;
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    CHECK_EQ(sys2(NR_kill, none, SIGUSR1), -ESRCH);
    CHECK_EQ(sys2(NR_kill, none, 65), -ESRCH);
    CHECK_EQ(sys2(NR_kill, getpid(), 65), -EINVAL);
    CHECK_EQ(sys2(NR_kill, getpid(), -1), -EINVAL);
    CHECK_EQ(sys3(NR_tgkill, 0, gettid(), SIGUSR1), -EINVAL);
    CHECK_EQ(sys3(NR_tgkill, getpid(), -1, SIGUSR1), -EINVAL);
    CHECK_EQ(sys3(NR_tgkill, getpid(), none, SIGUSR1), -ESRCH);
    CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), 0), 0);
    CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), 65), -EINVAL);
    CHECK_EQ(sys3(NR_tgkill, getpid(), 1, 0), -ESRCH);
    CHECK_EQ(sys2(NR_tkill, none, SIGUSR1), -ESRCH);
    CHECK_EQ(sys2(NR_tkill, 0, SIGUSR1), -EINVAL);
    memset(&info, 0, sizeof info);
    CHECK_EQ(sys3(NR_rt_sigqueueinfo, getpid(), SIGUSR1, 16), -EFAULT);
    CHECK_EQ(sys3(NR_rt_sigqueueinfo, none, SIGUSR1, &info), -EPERM);
    info.si_code = SI_QUEUE;
    CHECK_EQ(sys3(NR_rt_sigqueueinfo, none, SIGUSR1, &info), -ESRCH);
    CHECK_EQ(sys3(NR_rt_sigqueueinfo, getpid(), 65, &info), -EINVAL);
    CHECK_EQ(sys3(NR_rt_sigqueueinfo, getpid(), 0, &info), 0);
    CHECK_EQ(count, 0);
    // To itself the main thread may claim anything; every byte arrives, but for the number.
    for (u32 i = 0; i < sizeof info; i++) ((u8 *)&info)[i] = (u8)(i + 1);
    info.si_code = SI_KERNEL;
    CHECK_EQ(sys3(NR_rt_sigqueueinfo, getpid(), SIGUSR1, &info), 0);
    CHECK_EQ(count, 1);
    CHECK_EQ(last.si_code, SI_KERNEL);
    CHECK_EQ(last.si_signo, SIGUSR1);
    for (u32 i = 16; i < 48; i++) CHECK_EQ(((volatile u8 *)&last)[i], i + 1);
    CHECK_EQ(sys4(NR_rt_tgsigqueueinfo, getpid(), gettid(), SIGUSR1, &info), 0);
    CHECK_EQ(count, 2);
    // The id of a thread: kill means its process, tkill the thread.
    struct rt_thread *thread = rt_thread_start(worker, 0);
    rt_wait_at_least(&worker_tid, 1);
    count = 0;
    CHECK_EQ(sys2(NR_kill, worker_tid, SIGUSR1), 0);
    while (count < 1) sys0(NR_sched_yield);
    CHECK_EQ(last.si_code, SI_USER);
    CHECK_EQ(sys2(NR_tkill, worker_tid, SIGUSR1), 0);
    while (count < 2) sys0(NR_sched_yield);
    CHECK_EQ(last.si_code, SI_TKILL);
    CHECK_EQ(handler_tid, worker_tid);
    rt_post(&worker_stop);
    rt_thread_join(thread);
    CHECK_EQ(sys3(NR_tgkill, getpid(), worker_tid, 0), -ESRCH);
    // A child's thread, by tkill: whatever process it is in.
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(30);
        for (;;) rt_sleep_ns(1000000000);
    }
    CHECK_EQ(sys2(NR_tkill, child, SIGTERM), 0);
    CHECK_EQ(WTERMSIG(rt_wait(child)), SIGTERM);
    CHECK_EQ(sys2(NR_kill, child, 0), -ESRCH);
}

static void limit(void) {
    u64 few[2] = { 3, 3 }, got[2];
    int rt = SIGRTMIN + 1;
    rt_sigaction(rt, on_signal, SA_SIGINFO, 0);
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    rt_sigmask(SIG_BLOCK, SIGBIT(rt) | SIGBIT(SIGUSR1));
    CHECK_EQ(sys4(NR_prlimit64, 0, RLIMIT_SIGPENDING, 0, got), 0);
    CHECK(got[0] > 3);
    CHECK_EQ(sys4(NR_prlimit64, 0, RLIMIT_SIGPENDING, few, 0), 0);
    // Other processes of this user may have some pending as well.
    int sent = 0;
    while (rt_queue(getpid(), rt, (u64)sent) == 0) CHECK(++sent <= 3);
    CHECK_EQ(rt_queue(getpid(), rt, 9), -EAGAIN);
    // kill always succeeds; a real-time signal is pending already.
    CHECK_EQ(sys2(NR_kill, getpid(), rt), 0);
    CHECK_EQ(sys2(NR_kill, getpid(), SIGUSR1), 0);
    rt_sigmask(SIG_UNBLOCK, SIGBIT(SIGUSR1));
    CHECK_EQ(count, 1);
    CHECK_EQ(last.si_pid, getpid());
    count = 0;
    rt_sigmask(SIG_UNBLOCK, SIGBIT(rt));
    CHECK_EQ(count, sent);
    if (sent > 0) CHECK_EQ(last.si_value, sent - 1);
    if (sent > 0) CHECK_EQ(rt_queue(getpid(), rt, 5), 0);
}

static void group(void) {
    s32 children[3];
    long own = sys2(NR_setpgid, 0, 0);
    CHECK(own == 0 || own == -EPERM);  // a session leader has its group already
    rt_sigaction(SIGUSR1, on_signal, SA_SIGINFO, 0);
    rt_sigaction(SIGRTMIN + 3, on_signal, SA_SIGINFO, 0);
    u64 old = rt_sigmask(SIG_BLOCK, SIGBIT(SIGUSR1) | SIGBIT(SIGRTMIN + 3));
    for (int i = 0; i < 3; i++) {
        children[i] = rt_fork();
        if (children[i] == 0) {
            u64 none = 0, all = SIGBIT(SIGUSR1) | SIGBIT(SIGRTMIN + 3);
            rt_guard(30);
            while (count < 2) {
                rt_sigmask(SIG_SETMASK, all);
                if (count < 2) sys2(NR_rt_sigsuspend, &none, 8);
            }
            CHECK_EQ(last.si_pid, sys0(NR_getppid));
            rt_exit_group(5);
        }
    }
    rt_sigmask(SIG_SETMASK, old);
    CHECK_EQ(sys2(NR_kill, 0, SIGUSR1), 0);
    CHECK_EQ(count, 1);
    CHECK_EQ(last.si_code, SI_USER);
    CHECK_EQ(last.si_pid, getpid());
    CHECK_EQ(sys2(NR_kill, -getpid(), SIGRTMIN + 3), 0);
    CHECK_EQ(count, 2);
    for (int i = 0; i < 3; i++) CHECK_EQ(rt_wait(children[i]), 5 << 8);
    CHECK_EQ(sys2(NR_kill, -getpid(), 0), 0);
    CHECK_EQ(sys2(NR_kill, -0x3ffffff0, SIGUSR1), -ESRCH);
    CHECK_EQ(sys2(NR_kill, 0, 65), -EINVAL);
}

// Every number can be caught, queued and blocked, those that C libraries keep for themselves included.
static void all(void) {
    s32 parent = getpid();
    for (int sig = 1; sig <= 64; sig++) {
        if (sig == SIGKILL || sig == SIGSTOP) continue;
        rt_sigaction(sig, on_signal, SA_SIGINFO, 0);
        count = 0;
        CHECK_EQ(sys2(NR_kill, parent, sig), 0);
        CHECK_EQ(count, 1);
        CHECK_EQ(last.si_signo, sig);
        CHECK_EQ(rt_queue(parent, sig, (u64)sig), 0);
        CHECK_EQ(count, 2);
        CHECK_EQ(last.si_value, sig);
        u64 pending;
        rt_sigmask(SIG_BLOCK, SIGBIT(sig));
        CHECK_EQ(sys2(NR_kill, parent, sig), 0);
        CHECK_EQ(sys2(NR_rt_sigpending, &pending, 8), 0);
        CHECK_EQ(pending, SIGBIT(sig));
        rt_sigmask(SIG_UNBLOCK, SIGBIT(sig));
        CHECK_EQ(count, 3);
    }
    // From another process, all blocked before it can send any. The stop signals that follow SIGCONT discard it while it is
    // pending, so it is left out.
    u64 everything = ~0ull, wanted = ~(SIGBIT(SIGCHLD) | SIGBIT(14));
    rt_sigmask(SIG_SETMASK, everything);
    s32 child = rt_fork();
    if (child == 0) {
        rt_guard(30);
        for (int sig = 1; sig <= 64; sig++) {
            if (sig == SIGKILL || sig == SIGSTOP || sig == SIGCHLD || sig == SIGCONT || sig == 14) continue;
            CHECK_EQ(rt_queue(parent, sig, 1000 + (u64)sig), 0);
        }
        rt_exit_group(0);
    }
    static u8 seen[65];
    for (u32 taken = 0; taken < 59;) {
        siginfo_t info;
        struct timespec limit = { 20, 0 };
        long sig = sys4(NR_rt_sigtimedwait, &wanted, &info, &limit, 8);
        if (sig == -EINTR) continue;
        CHECK(sig > 0);
        if (info.si_pid != child) continue;
        CHECK_EQ(info.si_value, 1000 + sig);
        CHECK_EQ(seen[sig], 0);
        seen[sig] = 1;
        taken++;
    }
    CHECK_EQ(rt_wait(child), 0);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(30);
    if (rt_streq(argv[1], "all")) all();
    else if (rt_streq(argv[1], "self")) self();
    else if (rt_streq(argv[1], "limit")) limit();
    else if (rt_streq(argv[1], "group")) group();
    else CHECK(!"a part that this guest knows");
    say("signal-send %s: ok\n", argv[1]);
    return 0;
}
