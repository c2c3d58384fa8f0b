// latency HOW SIGNALS: the time from a sender's clock to the first instruction of the handler, nanoseconds, a line each.
//
// The sender queues SIGRTMIN+3 with its CLOCK_MONOTONIC time (ns) in si_value, after the line `ready`. HOW is `spin` (the
// signal finds the guest computing) or `park` (parked in a read). The handler's first act is to read the clock; the lines are
// written when SIGNALS have come. The guard ends it after 60 seconds.

#include "rt.h"

#define MOST 20000

static u64 deltas[MOST];
static volatile u64 taken;
static u64 wanted;
static s32 fds[2];

static void on_rt(int sig, siginfo_t *info, ucontext_t *context) {
    u64 now = rt_now_ns();
    (void)sig, (void)context;
    CHECK_EQ(info->si_code, SI_QUEUE);
    if (taken == wanted) return;
    deltas[taken] = now - info->si_value;
    taken = taken + 1;
    if (taken == wanted) CHECK_EQ(sys3(NR_write, fds[1], "e", 1), 1);
}

int main(int argc, char **argv, char **envp) {
    (void)envp;
    CHECK_EQ(argc, 3);
    int parked = rt_streq(argv[1], "park");
    CHECK(parked || rt_streq(argv[1], "spin"));
    wanted = rt_parse_u64(argv[2]);
    CHECK(wanted > 0 && wanted <= MOST);
    rt_guard(60);
    CHECK_EQ(sys2(NR_pipe2, fds, 0), 0);
    rt_sigaction(SIGRTMIN + 3, on_rt, SA_SIGINFO | SA_RESTART, 0);
    say("ready\n");
    if (!parked) while (taken < wanted) rt_spin_checked(10000);
    char byte;
    CHECK_EQ(sys3(NR_read, fds[0], &byte, 1), 1);
    for (u64 i = 0; i < wanted; i++) say("%lu\n", deltas[i]);
    return 0;
}
