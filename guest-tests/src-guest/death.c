// death HOW: dies by a signal's default action, which whoever waits for it must see.
//
// HOW is `term` (kill of itself), `segv` (a load from an unmapped address), `ill` (an undefined instruction), `abort-worker`
// (a worker sends SIGABRT to itself: the whole process dies), `blocked-segv` (a fault whose signal is blocked kills), or `each` (a child for each signal whose default action is death, also of
// those that C libraries keep for themselves; the parent sees each).

#include "rt.h"

static void worker(void *arg) {
    (void)arg;
    CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), SIGABRT), 0);
}

static void each(void) {
    const u64 others = SIGBIT(SIGCHLD) | SIGBIT(SIGCONT) | SIGBIT(SIGURG) | SIGBIT(SIGWINCH) | 15ull << (SIGSTOP - 1);
    for (int sig = 1; sig <= SIGRTMAX; sig++) {
        if (others & SIGBIT(sig)) continue;
        s32 child = rt_fork();
        if (child == 0) {
            // Whoever started this may have ignored some: C libraries do that to the two that they keep for themselves.
            if (sig != SIGKILL) rt_sigaction(sig, SIG_DFL, 0, 0);
            sys2(NR_kill, getpid(), sig);
            rt_exit_group(1);
        }
        // Whether the end leaves a core file is not told apart.
        CHECK_EQ(rt_wait(child) & ~0x80, sig);
    }
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 2);
    rt_guard(30);
    say("death: %s\n", argv[1]);
    if (rt_streq(argv[1], "term")) sys2(NR_kill, getpid(), SIGTERM);
    if (rt_streq(argv[1], "blocked-segv")) rt_sigmask(SIG_BLOCK, SIGBIT(SIGSEGV));
    if (rt_streq(argv[1], "segv") || rt_streq(argv[1], "blocked-segv")) {
        __asm__ volatile("ldr x0, [%0]" : : "r"(0x10ull) : "x0", "memory");
    }
    if (rt_streq(argv[1], "ill")) __asm__ volatile("udf #7");
    if (rt_streq(argv[1], "abort-worker")) rt_thread_join(rt_thread_start(worker, 0));
    if (!rt_streq(argv[1], "each")) return 1;
    each();
    return 0;
}
