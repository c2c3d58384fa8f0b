// death HOW: dies by a signal's default action, which whoever waits for it must see.
//
// HOW is `term` (kill of itself), `segv` (a load from an unmapped address), `ill` (an undefined instruction), `abort-worker`
// (a worker sends SIGABRT to itself: the whole process dies), or `blocked-segv` (a fault whose signal is blocked kills).

#include "rt.h"

static void worker(void *arg) {
    (void)arg;
    CHECK_EQ(sys3(NR_tgkill, getpid(), gettid(), SIGABRT), 0);
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
    return 1;
}
