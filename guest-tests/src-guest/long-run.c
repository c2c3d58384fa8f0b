// long-run KIND MILLISECONDS: goes on for that much wall clock, as told by CLOCK_MONOTONIC.
//
// KIND is `compute` (long stretches without a syscall; meant for a run without a watchdog) or `calls` (many short runs
// between syscalls; meant for `--timeout` shorter than the whole: the watchdog bounds one run, and a deadline that was armed
// for an earlier one never kills).

#include "rt.h"

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    int computing = rt_streq(argv[1], "compute");
    CHECK(computing || rt_streq(argv[1], "calls"));
    u64 ns = rt_parse_u64(argv[2]) * 1000000;
    u64 before = rt_now_ns();
    while (rt_now_ns() - before < ns) {
        if (computing) rt_spin_checked(20000000);
        else for (int i = 0; i < 100; i++) CHECK(getpid() > 0);
    }
    say("long-run %s: ok\n", argv[1]);
    return 0;
}
