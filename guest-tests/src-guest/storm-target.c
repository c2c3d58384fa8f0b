// storm-target KIND FLAVOUR SIGNALS MILLISECONDS: takes guest signals that the harness sends through elfuse's transport.
//
// KIND is `usr1` (SIGUSR1, merged while pending) or `rt` (SIGRTMIN+1, each with a value in si_value that a sender raises by
// one from record to record for each target process: no gap, no repetition, in order). FLAVOUR is `single`, `multi` (two
// workers spin with the signals blocked) or `fork` (two children take them as the parent does). The line `ready` says that
// the handler stands. Each process ends after SIGNALS signals or MILLISECONDS, whichever is first; none at all is no error.

#include "rt.h"

#define SENDERS 16

static volatile u32 handled;
static u32 stop;
// Last value per sender, of the process `owner`: a fork child begins anew.
static struct { s32 pid; u64 last; } senders[SENDERS];
static s32 owner;

static void on_usr1(int sig, siginfo_t *info, ucontext_t *context) {
    (void)info, (void)context;
    CHECK_EQ(sig, SIGUSR1);
    handled++;
}

static void on_rt(int sig, siginfo_t *info, ucontext_t *context) {
    (void)context;
    CHECK_EQ(sig, SIGRTMIN + 1);
    CHECK_EQ(info->si_code, SI_QUEUE);
    if (owner != getpid()) {
        owner = getpid();
        memset(senders, 0, sizeof senders);
    }
    int i = 0;
    while (i < SENDERS && senders[i].pid != 0 && senders[i].pid != info->si_pid) i++;
    CHECK(i < SENDERS);
    if (senders[i].pid != 0) CHECK_EQ(info->si_value, senders[i].last + 1);
    senders[i].pid = info->si_pid;
    senders[i].last = info->si_value;
    handled++;
}

static void take_signals(u64 signals, u64 ns) {
    u64 before = rt_now_ns();
    handled = 0;
    while (handled < signals && rt_now_ns() - before < ns) rt_spin_checked(20000);
}

static void worker(void *arg) {
    (void)arg;
    while (!LOAD(&stop)) rt_spin_checked(20000);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 5);
    int is_rt = rt_streq(argv[1], "rt");
    CHECK(is_rt || rt_streq(argv[1], "usr1"));
    u64 signals = rt_parse_u64(argv[3]), ns = rt_parse_u64(argv[4]) * 1000000;
    int sig = is_rt ? SIGRTMIN + 1 : SIGUSR1;
    rt_guard(30);
    rt_sigaction(sig, is_rt ? on_rt : on_usr1, SA_SIGINFO | SA_RESTART, 0);
    struct rt_thread *threads[2] = { 0, 0 };
    s32 pids[2] = { 0, 0 };
    if (rt_streq(argv[2], "multi")) {
        u64 old = rt_sigmask(SIG_BLOCK, SIGBIT(sig));
        for (int i = 0; i < 2; i++) threads[i] = rt_thread_start(worker, 0);
        rt_sigmask(SIG_SETMASK, old);
    }
    say("ready\n");
    if (rt_streq(argv[2], "fork")) {
        for (int i = 0; i < 2; i++) {
            if ((pids[i] = rt_fork()) != 0) continue;
            rt_guard(30);
            take_signals(signals, ns);
            rt_exit_group(5);
        }
    }
    take_signals(signals, ns);
    STORE(&stop, 1);
    for (int i = 0; i < 2; i++) {
        if (threads[i]) rt_thread_join(threads[i]);
        if (pids[i]) CHECK_EQ(rt_wait(pids[i]), 5 << 8);
    }
    say("storm-target %s %s: ok\n", argv[1], argv[2]);
    return 0;
}
